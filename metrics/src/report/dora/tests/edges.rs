//! What lies at edges, worked out by hand.

use chrono_tz::Europe::Berlin;
use proptest::prelude::*;

use super::*;

#[test]
fn deployments_are_told_per_day_of_the_window_too() {
    let deployments = ["02T09", "02T15", "03T09", "17T09", "18T09", "19T09", "25T09"];
    let deployments = deployments.map(|day| deployment(&format!("2026-03-{day}:00:00Z"))).to_vec();
    let answer = told(&read(deployments), false);
    // Seven in four weeks.
    assert_eq!(metric(&answer, "deployment_frequency").details["deployments_per_day"], 0.25);
}

#[test]
fn a_day_with_deployments_is_one_where_the_clock_is_changed() {
    // Midnight to midnight in Berlin, from Monday to Monday; Sunday has 23 hours in March, 25 in October.
    let weeks = [
        (
            ("2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"),
            // Early and late on Sunday, and the first second of Monday.
            ["2026-03-28T23:30:00Z", "2026-03-29T21:30:00Z", "2026-03-29T22:00:00Z"],
        ),
        (
            ("2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z"),
            ["2026-10-24T22:30:00Z", "2026-10-25T22:30:00Z", "2026-10-25T23:00:00Z"],
        ),
    ];
    for ((from, to), finished) in weeks {
        let window = Window::new(at(from), at(to), Berlin, Bucket::Week).unwrap();
        let read = read(finished.map(deployment).to_vec());
        let answer = told_in(window, &read, Focus::default(), false);
        let frequency = metric(&answer, "deployment_frequency");
        let told = (frequency.value, frequency.counted, frequency.details["weeks"]);
        assert_eq!(told, (Some(1.0), 2, 1.0), "the week from {from}");
        let series: Vec<_> =
            answer.series.iter().map(|week| (week.deployments, week.deployment_days)).collect();
        assert_eq!(series, [(2, 1)], "the week from {from}");
    }
}

#[test]
fn who_recovered_before_the_deployment_finished_is_left_out() {
    let incident = |key: &str, deployed_at: &str| IncidentSeen {
        project: PAY,
        key: key.to_owned(),
        started_at: at("2026-03-10T13:00:00Z"),
        ended_at: at("2026-03-10T12:00:00Z"),
        repository: Some(PAY),
        deployed_at: Some(at(deployed_at)),
    };
    let incidents = vec![
        incident("OPS-1", "2026-03-10T12:00:01Z"),
        // In the same instant: it took no time, which is one.
        incident("OPS-2", "2026-03-10T12:00:00Z"),
    ];
    let answer = told(&DoraRead { incidents, ..read(vec![]) }, true);
    let negative = [Excluded { reason: "negative_interval".to_owned(), count: 1 }];
    let recovery = metric(&answer, "failed_deployment_recovery_time");
    assert_eq!(
        (recovery.value, recovery.counted, &recovery.ids[..]),
        (Some(0.0), 1, &["OPS-2".to_owned()][..])
    );
    assert_eq!(recovery.excluded, negative);
    let restore = metric(&answer, "time_to_restore");
    assert_eq!((restore.value, restore.counted, restore.excluded[0].count), (None, 0, 2));
}

proptest! {
    /// Whatever the facts say: each metric counts or excludes everything of the window that it is about.
    #[test]
    fn all_are_counted_or_excluded(
        deployed in proptest::collection::vec((0_i64..50, 0_usize..5), 0..30),
        brought in proptest::collection::vec((0_i64..50, any::<bool>(), any::<bool>()), 0..30),
        broken in proptest::collection::vec((0_i64..50, 0_usize..3, any::<bool>()), 0..30),
        nowhere in proptest::collection::vec(0_i64..50, 0..9),
    ) {
        let start = at("2026-02-20T12:00:00Z");
        let on = |days: i64| start + chrono::TimeDelta::days(days);
        let finish = |days: i64| deployment(&on(days).to_rfc3339());
        let mut deployments: Vec<DeploymentSeen> = deployed
            .iter()
            .map(|(days, kind)| match kind {
                0 => finish(*days),
                1 => DeploymentSeen { outcome: DeploymentOutcome::Failure, ..finish(*days) },
                2 => DeploymentSeen { environment: Some("staging".to_owned()), ..finish(*days) },
                3 => DeploymentSeen { environment: None, ..finish(*days) },
                _ => DeploymentSeen {
                    environment: None,
                    reason: Some(OTHER_SOURCE.to_owned()),
                    ..finish(*days)
                },
            })
            .collect();
        let mut shipped = deployed.iter().filter(|(_, kind)| *kind == 0);
        let has_deployed = shipped.any(|(days, _)| on(*days) < march().to);
        deployments.sort_by_key(|one| one.finished_at);
        let mut pull_requests: Vec<PullRequestSeen> = brought
            .iter()
            .map(|(days, has_commits, has_lead)| PullRequestSeen {
                repository: PAY,
                number: 1,
                deployed_at: on(*days),
                lead_seconds: (*has_commits && *has_lead).then_some(3_600.0),
                has_commits: *has_commits,
                by_bot: false,
            })
            .collect();
        pull_requests.sort_by_key(|one| one.deployed_at);
        let mut incidents: Vec<IncidentSeen> = broken
            .iter()
            .map(|(days, cause, is_negative)| IncidentSeen {
                project: PAY,
                key: "OPS-1".to_owned(),
                started_at: on(*days) + chrono::TimeDelta::hours(if *is_negative { 1 } else { -1 }),
                ended_at: on(*days),
                repository: (*cause > 0).then_some(PAY),
                deployed_at: match cause {
                    0 => None,
                    1 => Some(on(*days) - chrono::TimeDelta::hours(2)),
                    _ => Some(on(*days) + chrono::TimeDelta::hours(2)),
                },
            })
            .collect();
        incidents.sort_by_key(|one| one.ended_at);
        let incidents_left_out: Vec<LeftOut> = nowhere
            .iter()
            .map(|days| LeftOut { place: PAY, at: on(*days), reason: "unmapped_status".to_owned() })
            .collect();
        let here = |at: Moment| march().contains(at);
        // Two of a repository that is switched off are told beside.
        let finished = deployments.iter().filter(|one| here(one.finished_at)).count() + 2;
        let reached = pull_requests.iter().filter(|one| here(one.deployed_at)).count();
        let over = incidents.iter().filter(|one| here(one.ended_at)).count()
            + incidents_left_out.iter().filter(|one| here(one.at)).count();
        let read = DoraRead { pull_requests, incidents, incidents_left_out, ..read(deployments) };
        let answer = told(&read, false);
        for (name, all) in [
            ("deployment_frequency", finished),
            ("lead_time_for_changes", reached),
            ("change_failure_rate", finished),
            ("failed_deployment_recovery_time", over),
            ("time_to_restore", over),
        ] {
            let metric = metric(&answer, name);
            let excluded: u64 = metric.excluded.iter().map(|row| row.count).sum();
            prop_assert_eq!(metric.counted + excluded, all as u64, "{}", name);
            // A time without a deployment has a frequency of zero, if there was one before.
            let has_value =
                metric.counted > 0 || (name == "deployment_frequency" && has_deployed);
            prop_assert_eq!(metric.value.is_some(), has_value, "{}", name);
            prop_assert_eq!(metric.value.is_none(), !metric.empty_reason.is_empty(), "{}", name);
        }
        let shared: u64 = answer.series.iter().map(|week| week.deployments).sum();
        prop_assert_eq!(shared, metric(&answer, "deployment_frequency").counted);
    }
}

mod edges;

use chrono_tz::Tz;
use domain::deployment::DeploymentOutcome;
use domain::ids::IntegrationId;
use store::dora::{DoraRead, PullRequestSeen, RepositoryNow};
use store::focus::Focus;
use uuid::Uuid;

use super::super::Bucket;
use super::*;

const PAY: Place = (IntegrationId(Uuid::nil()), 1);

fn at(text: &str) -> Moment {
    text.parse().unwrap()
}

/// Four whole weeks, Monday 2 to Monday 30 March 2026.
fn march() -> Window {
    Window::new(at("2026-03-02T00:00:00Z"), at("2026-03-30T00:00:00Z"), Tz::UTC, Bucket::Week)
        .unwrap()
}

/// The report on `read`, of everything that is called `acme/pay` or `OPS`.
fn told(read: &DoraRead, explain: bool) -> Answer {
    told_of(read, Focus::default(), explain)
}

fn told_of(read: &DoraRead, focus: Focus, explain: bool) -> Answer {
    told_in(march(), read, focus, explain)
}

fn told_in(window: Window, read: &DoraRead, focus: Focus, explain: bool) -> Answer {
    let head = DeliveryHead {
        repositories: vec![RepositoryNow {
            place: PAY,
            full_name: "acme/pay".to_owned(),
            inactive: None,
        }],
        projects: vec![(PAY, "OPS".to_owned())],
        ..DeliveryHead::default()
    };
    let now = window.to;
    let asked = Asked { window, focus, explain, bands: crate::bands::NEWEST, now };
    let left_out = |day: &str, reason: &str| LeftOut {
        place: PAY,
        at: at(&format!("2026-{day}T10:00:00Z")),
        reason: reason.to_owned(),
    };
    let inactive = [
        left_out("03-04", "inactive_repository"),
        left_out("03-05", "inactive_repository"),
        left_out("02-05", "inactive_repository"),
        LeftOut { place: (PAY.0, 9), ..left_out("03-05", "inactive_integration") },
    ];
    report(&DoraFacts::of(read.clone()), &head, &inactive, &asked)
}

fn deployment(finished_at: &str) -> DeploymentSeen {
    DeploymentSeen {
        repository: PAY,
        id: finished_at.to_owned(),
        environment_seen: "production".to_owned(),
        environment: Some(PRODUCTION.to_owned()),
        reason: None,
        outcome: DeploymentOutcome::Success,
        finished_at: at(finished_at),
        failed: false,
    }
}

fn metric<'a>(answer: &'a Answer, name: &str) -> &'a Metric {
    answer.metrics.iter().find(|metric| metric.name == name).unwrap()
}

fn read(deployments: Vec<DeploymentSeen>) -> DoraRead {
    DoraRead { as_of: Some(at("2026-03-30T00:00:00Z")), deployments, ..DoraRead::default() }
}

#[test]
fn frequency_counts_days_and_empty_weeks() {
    // Days per week: 2 (Monday twice, Tuesday), 0, 1, 1. The median of 0, 1, 1, 2 is 1.
    let days = ["02T09", "02T15", "03T09", "17T09", "25T09"];
    let deployments = days.map(|day| deployment(&format!("2026-03-{day}:00:00Z"))).to_vec();
    let answer = told(&read(deployments), true);
    let frequency = metric(&answer, "deployment_frequency");
    assert_eq!(
        (frequency.value, frequency.band.as_str(), frequency.counted),
        (Some(1.0), "HIGH", 5)
    );
    assert_eq!(frequency.details["deployments"], 5.0);
    assert_eq!(frequency.ids.len(), 5);
    let series: Vec<_> = answer.series.iter().map(|p| (p.deployments, p.deployment_days)).collect();
    assert_eq!(series, [(3, 2), (0, 0), (1, 1), (1, 1)]);
}

#[test]
fn a_window_without_deployments_has_none_a_week_once_there_was_any() {
    // Nothing from 2 to 30 March, and one in February: no day in any of four weeks.
    let answer = told(&read(vec![deployment("2026-02-03T09:00:00Z")]), false);
    let frequency = metric(&answer, "deployment_frequency");
    assert_eq!((frequency.value, frequency.band.as_str()), (Some(0.0), "LOW"));
    assert_eq!((frequency.previous, frequency.empty_reason.as_str()), (Some(0.0), ""));
    assert_eq!(metric(&answer, "change_failure_rate").value, None, "none of none");

    // Read of the window alone, beside what was first.
    let first = vec![(PAY, at("2025-06-01T09:00:00Z"))];
    let answer = told(&DoraRead { first, ..read(vec![]) }, false);
    assert_eq!(metric(&answer, "deployment_frequency").value, Some(0.0));

    // A failure, another environment, a later one and another repository are nothing in production.
    let failure = DeploymentSeen {
        outcome: DeploymentOutcome::Failure,
        ..deployment("2026-02-03T09:00:00Z")
    };
    let staging = DeploymentSeen {
        environment: Some("staging".to_owned()),
        ..deployment("2026-02-04T09:00:00Z")
    };
    let elsewhere = DeploymentSeen { repository: (PAY.0, 9), ..deployment("2026-02-05T09:00:00Z") };
    let later = deployment("2026-03-30T09:00:00Z");
    let answer = told(&read(vec![failure, staging, elsewhere, later]), false);
    let frequency = metric(&answer, "deployment_frequency");
    assert_eq!((frequency.value, frequency.band.as_str()), (None, ""));
    assert_eq!(frequency.empty_reason, "No deployment finished in this window.");
}

#[test]
fn deployments_of_unknown_commits_bring_nothing_and_are_named() {
    let unknown = DeploymentSeen {
        reason: Some(UNKNOWN_COMMIT.to_owned()),
        ..deployment("2026-03-03T09:00:00Z")
    };
    let answer = told(&read(vec![unknown.clone()]), false);
    let lead = metric(&answer, "lead_time_for_changes");
    assert_eq!(lead.excluded, [Excluded { reason: "unknown_commit".to_owned(), count: 1 }]);
    assert_eq!(
        lead.empty_reason,
        "1 deployments to production are all of commits that GitHub does not know."
    );
    // It went to production all the same.
    assert_eq!(metric(&answer, "deployment_frequency").counted, 1);
    let answer = told(&read(vec![unknown, deployment("2026-03-04T09:00:00Z")]), false);
    let lead = metric(&answer, "lead_time_for_changes");
    assert_eq!(
        lead.empty_reason,
        "2 deployments to production brought no pull request: is the history of the default branch read?"
    );
}

#[test]
fn what_does_not_count_is_named_and_nothing_is_lost() {
    let deployments = vec![
        deployment("2026-03-02T09:00:00Z"),
        DeploymentSeen {
            outcome: DeploymentOutcome::Failure,
            ..deployment("2026-03-03T09:00:00Z")
        },
        DeploymentSeen {
            environment: Some("staging".to_owned()),
            ..deployment("2026-03-04T09:00:00Z")
        },
        DeploymentSeen { environment: None, ..deployment("2026-03-05T09:00:00Z") },
        DeploymentSeen {
            environment: None,
            reason: Some(OTHER_SOURCE.to_owned()),
            ..deployment("2026-03-06T09:00:00Z")
        },
    ];
    let answer = told(&read(deployments), false);
    let rate = metric(&answer, "change_failure_rate");
    let excluded: Vec<_> = rate.excluded.iter().map(|e| (e.reason.as_str(), e.count)).collect();
    assert_eq!(
        excluded,
        [
            ("inactive_repository", 2),
            ("no_environment_rule", 1),
            ("not_successful", 1),
            ("other_environment", 1),
            ("other_source", 1)
        ]
    );
    assert_eq!(rate.counted + excluded.iter().map(|(_, count)| count).sum::<u64>(), 5 + 2);
    assert!(rate.ids.is_empty(), "ids are told only when they are asked for");
}

#[test]
fn failures_are_shares_of_what_counts() {
    let mut deployments: Vec<_> =
        (2..12).map(|day| deployment(&format!("2026-03-{day:02}T09:00:00Z"))).collect();
    deployments[3].failed = true;
    let answer = told(&read(deployments), false);
    let rate = metric(&answer, "change_failure_rate");
    assert_eq!((rate.value, rate.band.as_str()), (Some(0.1), "HIGH"));
}

#[test]
fn lead_time_is_the_median_and_counts_what_is_negative() {
    let pull_request = |hours: Option<f64>| PullRequestSeen {
        repository: PAY,
        number: 1,
        deployed_at: at("2026-03-10T00:00:00Z"),
        lead_seconds: hours.map(|hours| hours * 3_600.0),
        has_commits: true,
        by_bot: false,
    };
    let pull_requests = [Some(10.0), Some(30.0), Some(20.0), Some(40.0), None].map(pull_request);
    let unknown = PullRequestSeen { has_commits: false, ..pull_request(None) };
    // What machines changed says nothing of how long people take.
    let updated = PullRequestSeen { by_bot: true, ..pull_request(Some(0.1)) };
    let by_bots = DoraRead { pull_requests: vec![updated.clone()], ..read(vec![]) };
    let deployments = vec![deployment("2026-03-10T00:00:00Z")];
    let answer = told(&DoraRead { deployments, ..by_bots }, false);
    let lead = metric(&answer, "lead_time_for_changes");
    let reason = "1 pull requests were deployed, all of machines.";
    assert_eq!((lead.value, lead.empty_reason.as_str()), (None, reason));
    let pull_requests = [pull_requests.to_vec(), vec![unknown, updated]].concat();
    let answer = told(&DoraRead { pull_requests, ..read(vec![]) }, false);
    let lead = metric(&answer, "lead_time_for_changes");
    assert_eq!((lead.value, lead.band.as_str(), lead.counted), (Some(25.0 * 3_600.0), "HIGH", 4));
    let left_out = |reason: &str| Excluded { reason: reason.to_owned(), count: 1 };
    let expected = ["bot", "no_commits", "negative_interval"].map(left_out);
    assert_eq!(lead.excluded, expected);
}

#[test]
fn recovery_starts_at_the_deployment_and_restoring_at_the_incident() {
    let incident = |deployed_at: Option<&str>, ended_at: &str| IncidentSeen {
        project: PAY,
        key: "OPS-1".to_owned(),
        started_at: at("2026-03-10T10:00:00Z"),
        ended_at: at(ended_at),
        repository: deployed_at.map(|_| PAY),
        deployed_at: deployed_at.map(at),
    };
    let incidents = vec![
        incident(Some("2026-03-10T09:00:00Z"), "2026-03-10T12:00:00Z"),
        incident(None, "2026-03-10T11:00:00Z"),
    ];
    let early = incident(Some("2026-03-10T13:00:00Z"), "2026-03-10T12:00:00Z");
    let answer = told(&DoraRead { incidents: vec![early], ..read(vec![]) }, false);
    let recovery = metric(&answer, "failed_deployment_recovery_time");
    assert_eq!(
        (recovery.value, recovery.empty_reason.as_str()),
        (None, "1 incidents are linked to a deployment, but each ended before that finished.")
    );

    let answer = told(&DoraRead { incidents, ..read(vec![]) }, false);
    let recovery = metric(&answer, "failed_deployment_recovery_time");
    assert_eq!((recovery.value, recovery.counted), (Some(3.0 * 3_600.0), 1));
    assert_eq!(recovery.excluded, [Excluded { reason: "no_deployment".to_owned(), count: 1 }]);
    let restore = metric(&answer, "time_to_restore");
    assert_eq!((restore.value, restore.counted), (Some(1.5 * 3_600.0), 2));
}

#[test]
fn incidents_of_a_repository_are_those_that_its_deployments_caused() {
    let incident = |key: &str, project, repository: Option<Place>| IncidentSeen {
        project,
        key: key.to_owned(),
        started_at: at("2026-03-10T10:00:00Z"),
        ended_at: at("2026-03-10T12:00:00Z"),
        repository,
        deployed_at: repository.map(|_| at("2026-03-10T09:00:00Z")),
    };
    let (other, elsewhere) = ((PAY.0, 2), (PAY.0, 3));
    let incidents = vec![
        incident("OPS-1", PAY, Some(PAY)),
        incident("OPS-2", PAY, Some(other)),
        incident("OPS-3", PAY, None),
        incident("WEB-4", elsewhere, Some(PAY)),
    ];
    let read = DoraRead { incidents, ..read(vec![]) };
    let (repository, project) = (vec!["Acme/Pay".to_owned()], vec!["ops".to_owned()]);
    let cases: [(&[String], &[String], &[&str]); 5] = [
        (&[], &[], &["OPS-1", "OPS-2", "OPS-3"]),
        (&[], &project, &["OPS-1", "OPS-2", "OPS-3"]),
        (&repository, &[], &["OPS-1"]),
        (&repository, &project, &["OPS-1"]),
        (&["acme/web".to_owned()], &[], &[]),
    ];
    for (repositories, projects, expected) in cases {
        let focus = Focus { repositories: repositories.to_vec(), projects: projects.to_vec() };
        let answer = told_of(&read, focus, true);
        assert_eq!(
            metric(&answer, "time_to_restore").ids,
            expected,
            "{repositories:?} {projects:?}"
        );
    }
}

#[test]
fn incidents_that_count_nowhere_are_named() {
    let left_out = |day: &str, place| LeftOut {
        place,
        at: at(&format!("2026-{day}T10:00:00Z")),
        reason: "inactive_issue_type_mapping".to_owned(),
    };
    let elsewhere = (PAY.0, 2);
    let read = DoraRead {
        incidents_left_out: vec![
            left_out("03-10", PAY),
            left_out("03-11", PAY),
            left_out("02-11", PAY),
            left_out("03-12", elsewhere),
        ],
        ..read(vec![])
    };
    let expected =
        [Excluded { reason: "inactive_issue_type_mapping".to_owned(), count: 2 }].to_vec();
    let answer = told(&read, false);
    for name in ["failed_deployment_recovery_time", "time_to_restore"] {
        assert_eq!(metric(&answer, name).excluded, expected, "{name}");
    }
    let focus = Focus { repositories: vec!["acme/pay".to_owned()], ..Focus::default() };
    assert_eq!(metric(&told_of(&read, focus, false), "time_to_restore").excluded, []);
}

#[test]
fn the_window_before_is_told_beside_and_never_mixed_in() {
    let deployments = vec![deployment("2026-02-03T09:00:00Z"), deployment("2026-03-03T09:00:00Z")];
    let mut failed = deployments.clone();
    failed[0].failed = true;
    let answer = told(&read(failed), false);
    let rate = metric(&answer, "change_failure_rate");
    assert_eq!((rate.value, rate.previous), (Some(0.0), Some(1.0)));
}

#[test]
fn emptiness_is_explained_by_the_first_rule_that_emptied_it() {
    let somewhere = |environment: Option<&str>, seen: &str, outcome| DeploymentSeen {
        environment: environment.map(str::to_owned),
        reason: environment.is_none().then(|| NO_ENVIRONMENT_RULE.to_owned()),
        environment_seen: seen.to_owned(),
        outcome,
        ..deployment("2026-03-03T09:00:00Z")
    };
    let success = DeploymentOutcome::Success;
    let cases = [
        (vec![], "No deployment finished in this window."),
        (
            vec![somewhere(None, "prod-eu", success)],
            "1 deployments found, 0 in environment production: no environment rule matches `prod-eu`.",
        ),
        (
            vec![somewhere(Some("staging"), "staging", success)],
            "1 deployments found, 0 in environment production.",
        ),
        (
            vec![DeploymentSeen {
                reason: Some(OTHER_SOURCE.to_owned()),
                ..somewhere(None, "production", success)
            }],
            "1 deployments found, 0 in environment production: \
             the deployment rules have another source for `acme/pay`.",
        ),
        (
            vec![somewhere(Some(PRODUCTION), "prod", DeploymentOutcome::Failure)],
            "1 deployments found, 1 in environment production, none succeeded.",
        ),
    ];
    for (deployments, reason) in cases {
        let answer = told(&read(deployments), false);
        assert_eq!(metric(&answer, "deployment_frequency").empty_reason, reason);
        assert_eq!(metric(&answer, "deployment_frequency").value, None);
    }
    let never = told(&DoraRead::default(), false);
    assert!(metric(&never, "time_to_restore").empty_reason.starts_with("No sync has finished yet"));
}

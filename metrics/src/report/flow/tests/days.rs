//! Days and steps, worked out by hand.

use chrono_tz::Europe::Berlin;
use proptest::prelude::*;

use super::*;

#[test]
fn a_step_tells_how_long_what_is_done_was_in_it() {
    let ids: Vec<_> = read(Vec::new()).steps.iter().map(|step| step.id).collect();
    let been = |key: &str, when: &str, hours: &[(usize, f64)]| {
        let steps = hours.iter().map(|(step, hours)| (ids[*step], hours * HOUR)).collect();
        EndedIssue { steps, ..done(key, when, 1.0) }
    };
    let when = "2026-03-03T10:00:00Z";
    let ended = vec![
        been("A-1", when, &[(0, 1.0), (1, 8.0)]),
        been("A-2", when, &[(0, 2.0), (1, 6.0)]),
        been("A-3", when, &[(0, 10.0), (1, 2.0)]),
        been("A-4", when, &[(0, 3.0), (1, 4.0)]),
        // Went straight to the end.
        been("A-5", when, &[(0, 40.0)]),
        // Another window's, and one that was given up.
        been("A-6", "2026-03-01T10:00:00Z", &[(0, 99.0), (1, 99.0)]),
        EndedIssue {
            category: Some(StepCategory::Discarded),
            ..been("A-7", when, &[(0, 99.0), (1, 99.0)])
        },
    ];
    let answer = told(&read(ended));
    let steps: Vec<_> = answer
        .steps
        .iter()
        .map(|step| (step.name.as_str(), step.counted, step.seconds_p50, step.seconds_p85))
        .collect();
    // The middle of 1, 2, 3, 10, 40 and of 2, 4, 6, 8; the fifth of five, and the fourth of four.
    let expected = [
        ("To Do", 5, Some(3.0 * HOUR), Some(40.0 * HOUR)),
        ("In Progress", 4, Some(5.0 * HOUR), Some(8.0 * HOUR)),
        ("Done", 0, None, None),
    ];
    assert_eq!(steps, expected);
}

#[test]
fn each_day_has_what_was_done_from_its_midnight_to_the_next() {
    let ended = [
        "2026-03-01T23:59:59Z",
        "2026-03-02T00:00:00Z",
        "2026-03-03T23:59:59.999999Z",
        "2026-03-04T00:00:00Z",
        "2026-03-04T12:00:00Z",
        "2026-03-15T23:59:59Z",
        "2026-03-16T00:00:00Z",
    ];
    let ended = ended.iter().map(|when| done("A-1", when, 1.0)).collect();
    let answer = told(&read(ended));
    let done: Vec<_> = answer.days.iter().map(|day| day.throughput).collect();
    assert_eq!(done, [1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    let weeks: Vec<_> = answer.series.iter().map(|point| point.values["throughput"]).collect();
    assert_eq!((weeks, metric(&answer, "throughput").value), (vec![4.0, 1.0], Some(5.0)));
}

#[test]
fn days_are_whole_where_the_clock_is_changed() {
    // Midnight to midnight in Berlin, from Monday to Monday; Sunday has 23 hours in March, 25 in October.
    let weeks = [
        (
            ("2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"),
            // The last second of Saturday, the first and the last of Sunday, the first of Monday.
            [
                "2026-03-28T22:59:59Z",
                "2026-03-28T23:00:00Z",
                "2026-03-29T21:59:59Z",
                "2026-03-29T22:00:00Z",
            ],
        ),
        (
            ("2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z"),
            [
                "2026-10-24T21:59:59Z",
                "2026-10-24T22:00:00Z",
                "2026-10-25T22:59:59Z",
                "2026-10-25T23:00:00Z",
            ],
        ),
    ];
    for ((from, to), ended) in weeks {
        let ended = read(ended.iter().map(|when| done("A-1", when, 1.0)).collect());
        let window = Window::new(at(from), at(to), Berlin, Bucket::Week).unwrap();
        let answer = told_of(window, &ended);
        let done: Vec<_> = answer.days.iter().map(|day| day.throughput).collect();
        assert_eq!(done, [0, 0, 0, 0, 0, 1, 2], "the week from {from}");
        let weeks: Vec<_> = answer.series.iter().map(|point| point.values["throughput"]).collect();
        assert_eq!(weeks, [3.0], "the week from {from}");
        assert_eq!(metric(&answer, "throughput").value, Some(3.0), "the week from {from}");
    }
}

#[test]
fn who_was_done_at_once_has_no_share_in_which_somebody_worked() {
    let when = "2026-03-03T10:00:00Z";
    let answer = told(&read(vec![done("A-1", when, 0.0), done("A-2", when, 4.0)]));
    let efficiency = metric(&answer, "flow_efficiency");
    assert_eq!((efficiency.value, efficiency.counted), (Some(0.25), 1));
    assert_eq!(efficiency.excluded, [Excluded { reason: "zero_lead_time".to_owned(), count: 1 }]);
    assert_eq!(metric(&answer, "lead_time").counted, 2, "a lead time of nothing is one");
}

proptest! {
    /// Whatever the facts say: each metric of what is done counts or excludes every issue that ended in the
    /// window, and days and buckets share out those that are done.
    #[test]
    fn all_are_counted_or_excluded(
        rows in proptest::collection::vec(
            (0_i64..40, 0_usize..5, proptest::collection::vec(any::<bool>(), 4)),
            0..30,
        ),
    ) {
        let start = at("2026-02-20T12:00:00Z");
        let ended: Vec<EndedIssue> = rows
            .iter()
            .map(|(days, kind, is)| {
                let entered_at = start + TimeDelta::days(*days);
                let lead = if is[0] { 0.0 } else { 8.0 };
                let one = done("A-1", &entered_at.to_rfc3339(), lead);
                let nowhere = |reason: &str| (None, Some(reason.to_owned()));
                let (category, reason) = match kind {
                    0 | 1 => (Some(StepCategory::Done), None),
                    2 => (Some(StepCategory::Discarded), None),
                    3 => nowhere("unmapped_status"),
                    _ => nowhere("inactive_issue"),
                };
                EndedIssue {
                    category,
                    reason,
                    lead_seconds: one.lead_seconds.filter(|_| is[1]),
                    cycle_seconds: one.cycle_seconds.filter(|_| is[2]),
                    created_at: if is[3] { one.created_at } else { entered_at + TimeDelta::hours(1) },
                    ..one
                }
            })
            .collect();
        let all = ended.iter().filter(|one| window().contains(one.entered_at)).count() as u64;
        let answer = told(&read(ended));
        for metric in &answer.metrics {
            if ["wip", "work_item_age"].contains(&metric.name.as_str()) {
                continue;
            }
            let excluded: u64 = metric.excluded.iter().map(|row| row.count).sum();
            prop_assert_eq!(metric.counted + excluded, all, "{}", metric.name);
            prop_assert_eq!(metric.value.is_none(), metric.counted == 0, "{}", metric.name);
            prop_assert_eq!(metric.value.is_none(), !metric.empty_reason.is_empty(), "{}", metric.name);
        }
        let counted = metric(&answer, "throughput").counted;
        let of_days: u64 = answer.days.iter().map(|day| day.throughput).sum();
        let of_weeks: f64 = answer.series.iter().map(|point| point.values["throughput"]).sum();
        prop_assert_eq!((of_days, of_weeks), (counted, counted as f64));
    }
}

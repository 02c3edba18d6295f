use chrono_tz::Tz;
use domain::ids::IntegrationId;
use domain::workflow::Configuration;
use store::dora::Place;
use store::flow::{DayFact, EndedIssue, FlowRead, StartedIssue};
use uuid::Uuid;

use super::super::Bucket;
use super::*;

const HOUR: f64 = 3_600.0;
const PAY: Place = (IntegrationId(Uuid::nil()), 1);

fn at(text: &str) -> Moment {
    text.parse().unwrap()
}

/// Two weeks, Monday 2 to Monday 16 March 2026.
fn window() -> Window {
    Window::new(at("2026-03-02T00:00:00Z"), at("2026-03-16T00:00:00Z"), Tz::UTC, Bucket::Week)
        .unwrap()
}

fn done(key: &str, entered_at: &str, lead_hours: f64) -> EndedIssue {
    EndedIssue {
        project: PAY,
        key: key.to_owned(),
        created_at: at(entered_at) - TimeDelta::hours(100),
        entered_at: at(entered_at),
        category: Some(StepCategory::Done),
        reason: None,
        lead_seconds: Some(lead_hours * HOUR),
        cycle_seconds: Some(lead_hours * HOUR / 2.0),
        active_seconds: Some(lead_hours * HOUR / 4.0),
        rework: 0,
        steps: Vec::new(),
    }
}

fn read(ended: Vec<EndedIssue>) -> FlowRead {
    let client = ClientId(Uuid::from_u128(1 << 70));
    FlowRead {
        as_of: Some(at("2026-03-16T00:00:00Z")),
        steps: Configuration::unsaid(client, Vec::new()).steps,
        ended,
        ..FlowRead::default()
    }
}

fn metric<'a>(answer: &'a Answer, name: &str) -> &'a Metric {
    answer.metrics.iter().find(|metric| metric.name == name).unwrap()
}

fn told(read: &FlowRead) -> Answer {
    let head = FlowHead {
        steps: read.steps.clone(),
        projects: vec![(PAY, "PAY".to_owned())],
        ..FlowHead::default()
    };
    let now = at("2026-03-16T12:00:00Z");
    let asked = Asked {
        window: window(),
        focus: Focus::default(),
        explain: true,
        bands: crate::bands::NEWEST,
        now,
    };
    report(&FlowFacts::of(read.clone()), &head, &asked)
}

#[test]
fn times_are_medians_beside_their_ranks_and_the_window_before() {
    let mut ended: Vec<_> = (1..=4)
        .map(|n| done(&format!("PAY-{n}"), "2026-03-03T10:00:00Z", f64::from(n) * 10.0))
        .collect();
    ended.push(done("PAY-9", "2026-02-20T10:00:00Z", 70.0));
    let answer = told(&read(ended));
    let lead = metric(&answer, "lead_time");
    assert_eq!(
        (lead.value, lead.previous, lead.counted),
        (Some(25.0 * HOUR), Some(70.0 * HOUR), 4)
    );
    assert_eq!((lead.details["p85"], lead.details["p95"]), (40.0 * HOUR, 40.0 * HOUR));
    assert_eq!(lead.ids, ["PAY-1", "PAY-2", "PAY-3", "PAY-4"]);
    assert_eq!(metric(&answer, "cycle_time").value, Some(12.5 * HOUR));
    assert_eq!(metric(&answer, "customer_lead_time").value, Some(100.0 * HOUR));
    assert_eq!(metric(&answer, "flow_efficiency").value, Some(0.25));
    let throughput = metric(&answer, "throughput");
    assert_eq!((throughput.value, throughput.previous), (Some(4.0), Some(1.0)));
    assert_eq!(throughput.details["per_week"], 2.0);
    assert_eq!(answer.series[0].values["throughput"], 4.0);
    assert_eq!(answer.series[1].values.get("lead_time_p50"), None);
}

#[test]
fn who_was_done_before_it_was_made_has_no_customer_lead_time() {
    let when = "2026-03-03T10:00:00Z";
    let imported = EndedIssue { created_at: at("2026-03-03T11:00:00Z"), ..done("A-1", when, 4.0) };
    let answer = told(&read(vec![imported.clone()]));
    let customer = metric(&answer, "customer_lead_time");
    assert_eq!((customer.value, customer.counted), (None, 0));
    assert_eq!(
        customer.empty_reason,
        "1 issues were done, but their history says that they were done before they were made."
    );
    let answer = told(&read(vec![imported, done("A-2", when, 4.0)]));
    let customer = metric(&answer, "customer_lead_time");
    assert_eq!((customer.value, customer.counted), (Some(100.0 * HOUR), 1));
    assert_eq!(customer.excluded, [Excluded { reason: "negative_interval".to_owned(), count: 1 }]);
}

#[test]
fn what_does_not_count_is_named_and_nothing_is_lost() {
    let when = "2026-03-03T10:00:00Z";
    let discarded =
        EndedIssue { category: Some(StepCategory::Discarded), ..done("B-1", when, 1.0) };
    let out = |reason: &str| EndedIssue {
        category: None,
        reason: Some(reason.to_owned()),
        ..done("B-2", when, 1.0)
    };
    let uncommitted = EndedIssue { lead_seconds: None, ..done("B-3", when, 1.0) };
    let ended = vec![
        done("A-1", when, 4.0),
        discarded,
        out("unmapped_status"),
        out("inactive_issue"),
        uncommitted,
    ];
    let all = ended.len() as u64;
    let answer = told(&read(ended));
    let lead = metric(&answer, "lead_time");
    let excluded: Vec<_> = lead.excluded.iter().map(|e| (e.reason.as_str(), e.count)).collect();
    let expected = [
        ("no_commitment_point", 1),
        ("discarded", 1),
        ("inactive_issue", 1),
        ("unmapped_status", 1),
    ];
    assert_eq!(excluded, expected);
    assert_eq!(lead.counted + excluded.iter().map(|(_, count)| count).sum::<u64>(), all);
}

#[test]
fn issues_stand_somewhere_at_the_end_of_every_day() {
    let read = FlowRead {
        days: [
            ("2026-02-27", 0, 5, 0),
            ("2026-03-03", 0, 0, 2),
            ("2026-03-03", 1, 2, 0),
            ("2026-03-10", 1, 0, 1),
            ("2026-03-10", 2, 1, 0),
        ]
        .into_iter()
        .map(|(day, step, entered, gone)| DayFact {
            integration: PAY.0,
            project: PAY.1,
            day: day_number(day.parse().unwrap()),
            step: read(Vec::new()).steps[step].id,
            entered,
            gone,
        })
        .collect(),
        ..read(Vec::new())
    };
    let answer = told(&read);
    assert_eq!(answer.days.len(), 14);
    let wip: Vec<i64> = answer.days.iter().map(|day| day.wip).collect();
    assert_eq!(wip, [0, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1]);
    for day in &answer.days {
        assert_eq!(day.in_step.values().sum::<i64>(), 5, "{}: nobody is lost", day.day);
    }
    let told = metric(&answer, "wip");
    assert_eq!((told.value, told.previous), (Some(1.0), Some(0.0)));
    assert_eq!(answer.series.iter().map(|p| p.values["wip"]).collect::<Vec<_>>(), [2.0, 1.0]);
}

#[test]
fn what_is_in_progress_ages() {
    let started = |text: &str| StartedIssue {
        project: PAY,
        key: "PAY-1".to_owned(),
        started_at: Some(at(text)),
    };
    let in_progress = vec![started("2026-03-16T02:00:00Z"), started("2026-03-15T12:00:00Z")];
    let answer = told(&FlowRead { in_progress, ..read(Vec::new()) });
    let age = metric(&answer, "work_item_age");
    assert_eq!((age.value, age.details["p85"]), (Some(17.0 * HOUR), 24.0 * HOUR));
}

#[test]
fn rework_is_the_share_of_issues_that_went_back() {
    let when = "2026-03-03T10:00:00Z";
    let back = EndedIssue { rework: 3, ..done("A-1", when, 1.0) };
    let answer = told(&read(vec![back, done("A-2", when, 1.0)]));
    let rework = metric(&answer, "rework");
    assert_eq!((rework.value, rework.details["entries"]), (Some(0.5), 3.0));
    assert_eq!(rework.ids, ["A-1"]);
}

#[test]
fn emptiness_is_explained_by_the_first_rule_that_emptied_it() {
    let when = "2026-03-03T10:00:00Z";
    let out = EndedIssue {
        category: None,
        reason: Some("unmapped_status".to_owned()),
        ..done("B-2", when, 1.0)
    };
    let uncommitted = EndedIssue { lead_seconds: None, ..done("B-3", when, 1.0) };
    let cases = [
        (vec![], "No issue was done in this window."),
        (
            vec![out],
            "1 issues ended in this window, 0 of them done: 1 are left out for unmapped_status.",
        ),
        (vec![uncommitted], "1 issues were done, but their workflow has no commitment point."),
    ];
    for (ended, reason) in cases {
        let answer = told(&read(ended));
        let lead = metric(&answer, "lead_time");
        assert_eq!((lead.value, lead.empty_reason.as_str()), (None, reason));
    }
    let never = told(&FlowRead::default());
    assert!(metric(&never, "wip").empty_reason.starts_with("No sync has finished yet"));
}

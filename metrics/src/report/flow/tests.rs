mod days;
mod lives;

use chrono_tz::Tz;
use domain::ids::IntegrationId;
use domain::workflow::Configuration;
use domain::workflow::WorkflowStep;
use store::dora::Place;
use store::flow::{DayFact, EndedIssue, FlowRead, Nowhere, StartedIssue};
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
    told_of(window(), read)
}

fn told_of(window: Window, read: &FlowRead) -> Answer {
    let head = FlowHead {
        steps: read.steps.clone(),
        projects: vec![(PAY, "PAY".to_owned())],
        ..FlowHead::default()
    };
    let now = at("2026-03-16T12:00:00Z");
    let asked =
        Asked { window, focus: Focus::default(), explain: true, bands: crate::bands::NEWEST, now };
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

fn step(place: usize) -> WorkflowStepId {
    read(Vec::new()).steps[place].id
}

/// To do, doing, done of the default: what each of three issues left them after.
fn spent(key: &str, hours: &[(usize, f64)]) -> EndedIssue {
    let steps = hours.iter().map(|(place, hours)| (step(*place), hours * HOUR)).collect();
    EndedIssue { steps, ..done(key, "2026-03-03T10:00:00Z", 1.0) }
}

#[test]
fn time_is_told_by_step_and_by_category() {
    let client = ClientId(Uuid::from_u128(1 << 70));
    let mut steps = Configuration::unsaid(client, Vec::new()).steps;
    // A second step in progress, behind the first.
    let review = WorkflowStepId(Uuid::from_u128(99));
    steps.push(WorkflowStep { id: review, name: "Review".to_owned(), ..steps[1].clone() });
    let with_review = |issue: EndedIssue, hours: f64| {
        let steps = issue.steps.iter().copied().chain([(review, hours * HOUR)]).collect();
        EndedIssue { steps, ..issue }
    };
    let passed = EndedIssue {
        reason: Some("unmapped_status".to_owned()),
        ..done("A-5", "2026-03-03T10:00:00Z", 1.0)
    };
    let passed =
        EndedIssue { lead_seconds: None, cycle_seconds: None, active_seconds: None, ..passed };
    let ended = vec![
        with_review(spent("A-1", &[(0, 1.0), (1, 2.0)]), 4.0),
        with_review(spent("A-2", &[(0, 3.0), (1, 10.0)]), 2.0),
        // Straight through, without a review; and one that skipped the work.
        spent("A-3", &[(0, 8.0), (1, 1.0)]),
        spent("A-4", &[(0, 2.0)]),
        passed,
    ];
    let answer = told(&FlowRead { steps, ..read(ended) });

    // Medians of 1, 2, 3, 8; of 1, 2, 10; of 2, 4. In progress are 6, 12 and 1.
    let by_step: Vec<_> = answer
        .steps
        .iter()
        .map(|step| (step.name.as_str(), step.counted, step.seconds_p50, step.seconds_p85))
        .collect();
    let hours = |hours: f64| Some(hours * HOUR);
    assert_eq!(
        by_step,
        [
            ("To Do", 4, hours(2.5), hours(8.0)),
            ("In Progress", 3, hours(2.0), hours(10.0)),
            ("Done", 0, None, None),
            ("Review", 2, hours(3.0), hours(4.0)),
        ]
    );
    let by_category: Vec<_> = answer
        .categories
        .iter()
        .map(|one| (one.category.as_str(), one.counted, one.seconds_p50, one.seconds_p85))
        .collect();
    assert_eq!(
        by_category,
        [
            ("TO_DO", 4, hours(2.5), hours(8.0)),
            ("IN_PROGRESS", 3, hours(6.0), hours(12.0)),
            ("DONE", 0, None, None),
        ]
    );
    // Whoever is counted and whoever is left out are all five.
    let left_out = |rows: &[Excluded]| rows.iter().map(|e| e.count).sum::<u64>();
    for step in &answer.steps {
        assert_eq!(step.counted + left_out(&step.excluded), 5, "{}", step.name);
        assert!(!step.formula.is_empty() && step.version > 0);
    }
    for one in &answer.categories {
        assert_eq!(one.counted + left_out(&one.excluded), 5, "{}", one.category);
        assert_eq!(one.kinds["seconds_p50"], "linear");
        assert_eq!(one.kinds["seconds_p85"], "nearest_rank");
    }
    let excluded: Vec<_> =
        answer.steps[1].excluded.iter().map(|e| (e.reason.as_str(), e.count)).collect();
    assert_eq!(excluded, [("never_there", 1), ("unmapped_status", 1)]);
}

#[test]
fn who_came_through_a_status_without_a_step_is_done_but_in_no_number_on_steps() {
    let when = "2026-03-03T10:00:00Z";
    let passed = |key: &str| EndedIssue {
        reason: Some("unmapped_status".to_owned()),
        lead_seconds: None,
        cycle_seconds: None,
        active_seconds: None,
        ..done(key, when, 1.0)
    };
    let back = EndedIssue { rework: 1, ..done("A-1", when, 4.0) };
    let answer = told(&read(vec![back, passed("A-2"), passed("A-3")]));
    for (name, value) in [
        ("lead_time", 4.0 * HOUR),
        ("cycle_time", 2.0 * HOUR),
        ("flow_efficiency", 0.25),
        ("rework", 1.0),
    ] {
        let metric = metric(&answer, name);
        assert_eq!((metric.value, metric.counted), (Some(value), 1), "{name}");
        let expected = [Excluded { reason: "unmapped_status".to_owned(), count: 2 }];
        assert_eq!(metric.excluded, expected, "{name}");
    }
    for name in ["customer_lead_time", "throughput"] {
        let metric = metric(&answer, name);
        assert_eq!((metric.counted, metric.excluded.len()), (3, 0), "{name}");
    }
    let answer = told(&read(vec![passed("A-2")]));
    let reason = "1 issues were done, but each came through a status that has no step.";
    for name in ["lead_time", "cycle_time", "flow_efficiency", "rework"] {
        let metric = metric(&answer, name);
        assert_eq!((metric.value, metric.empty_reason.as_str()), (None, reason), "{name}");
    }
}

#[test]
fn a_window_in_which_nothing_was_done_has_a_throughput_of_none_once_anything_moved() {
    let entered = |day: &str| DayFact {
        integration: PAY.0,
        project: PAY.1,
        day: day_number(day.parse().unwrap()),
        step: step(0),
        entered: 1,
        gone: 0,
    };
    for (day, value, previous) in [
        // Before both windows, in the window before, in this one, and after it.
        ("2026-01-05", Some(0.0), Some(0.0)),
        ("2026-02-20", Some(0.0), Some(0.0)),
        ("2026-03-04", Some(0.0), None),
        ("2026-03-16", None, None),
    ] {
        let answer = told(&FlowRead { days: vec![entered(day)], ..read(Vec::new()) });
        let throughput = metric(&answer, "throughput");
        assert_eq!((throughput.value, throughput.previous), (value, previous), "{day}");
        assert_eq!(throughput.empty_reason.is_empty(), value.is_some(), "{day}");
    }
}

#[test]
fn what_stands_nowhere_is_named_beside_what_is_in_progress() {
    let nowhere = |reason: &str, count| Nowhere { project: PAY, reason: reason.to_owned(), count };
    let started_at = Some(at("2026-03-16T02:00:00Z"));
    let standing = |started_at| StartedIssue { project: PAY, key: "PAY-1".to_owned(), started_at };
    let answer = told(&FlowRead {
        in_progress: vec![standing(started_at), standing(None)],
        nowhere: vec![nowhere("unmapped_status", 3), nowhere("inactive_project", 2)],
        ..read(Vec::new())
    });
    let told = |excluded: &[Excluded]| -> Vec<(String, u64)> {
        excluded.iter().map(|e| (e.reason.clone(), e.count)).collect()
    };
    let counts =
        |unmapped| [("inactive_project".to_owned(), 2), ("unmapped_status".to_owned(), unmapped)];
    assert_eq!(told(&metric(&answer, "wip").excluded), counts(3));
    // One in progress came through a status without a step, so nobody knows when work on it began.
    let age = metric(&answer, "work_item_age");
    assert_eq!((age.counted, told(&age.excluded)), (1, counts(4).to_vec()));
    let days = answer.about.iter().find(|about| about.part == "cumulative_flow").unwrap();
    assert_eq!((days.version, told(&days.excluded)), (2, counts(3).to_vec()));

    let answer = self::told(&FlowRead { in_progress: vec![standing(None)], ..read(Vec::new()) });
    let age = metric(&answer, "work_item_age");
    let reason = "1 issues are in progress, but nobody knows since when.";
    assert_eq!((age.value, age.empty_reason.as_str()), (None, reason));
}

#[test]
fn every_percentile_says_which_kind_it_is() {
    let answer = told(&read(vec![done("A-1", "2026-03-03T10:00:00Z", 4.0)]));
    let lead = &metric(&answer, "lead_time").kinds;
    let kinds: Vec<_> = lead.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    assert_eq!(kinds, [("p85", "nearest_rank"), ("p95", "nearest_rank"), ("value", "linear")]);
    assert!(metric(&answer, "throughput").kinds.is_empty(), "a count is no percentile");
    let series = answer.about.iter().find(|about| about.part == "series").unwrap();
    assert_eq!((series.counted, series.excluded.len()), (1, 0));
    let series = &series.kinds;
    assert_eq!(series["lead_time_p50"], "linear");
    assert_eq!(series["cycle_time_p85"], "nearest_rank");
    for point in &answer.series {
        let percentiles = point.values.keys().filter(|name| name.contains("_p"));
        assert!(percentiles.into_iter().all(|name| series.contains_key(name)));
    }
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

//! From the history of an issue to the report: back and forth, and mappings that are switched off.

use std::collections::HashMap;

use chrono_tz::Europe::Berlin;
use domain::ids::{IssueTypeMappingId, StatusMappingId};
use domain::project::StatusCategory;
use domain::workflow::{Connection, IssueTypeMapping, Scope, StatusMapping};
use store::flow::{Ground, IssueHistory, Known as Named, Rules, StatusChange, StatusSeen};

use super::*;
use crate::flow::Flow;

/// Nothing was said, but in Berlin.
fn ground() -> Ground {
    let connection = Connection { id: PAY.0, name: "Jira".to_owned(), active: true };
    let status = |id: i64, name: &str, about| {
        ((PAY.0, id), Named { name: name.to_owned(), active: true, about })
    };
    let story = Named { name: "Story".to_owned(), active: true, about: () };
    let client = ClientId(Uuid::from_u128(1 << 70));
    Ground {
        configuration: Configuration::unsaid(client, vec![connection]),
        timezone: Some("Europe/Berlin".to_owned()),
        statuses: HashMap::from([
            status(0, "Open", StatusCategory::ToDo),
            status(1, "Doing", StatusCategory::InProgress),
            status(2, "Closed", StatusCategory::Done),
        ]),
        issue_types: HashMap::from([((PAY.0, 5), story)]),
        projects: HashMap::from([(PAY, true)]),
    }
}

/// Made on 2 March in status 0, and changed to others since.
fn history(changes: &[(&str, i64)]) -> IssueHistory {
    let seen = |id| StatusSeen { id: Some(id), name: String::new() };
    let mut from = 0;
    let changes: Vec<_> = changes
        .iter()
        .map(|(when, to)| {
            let change = StatusChange { at: at(when), from: seen(from), to: seen(*to) };
            from = *to;
            change
        })
        .collect();
    IssueHistory {
        integration: PAY.0,
        id: 1,
        key: "PAY-1".to_owned(),
        project: PAY.1,
        issue_type: 5,
        status: from,
        deleted: false,
        created_at: at("2026-03-02T09:00:00Z"),
        changes,
    }
}

/// What is kept of an issue, as it is read again.
fn followed(ground: Ground, issue: &IssueHistory) -> FlowRead {
    let steps = ground.configuration.steps.clone();
    let mut flow = Flow::new();
    flow.begin(ground);
    let fact = flow.issue(issue);
    let days = fact.moves.iter().map(|day| DayFact {
        integration: PAY.0,
        project: PAY.1,
        day: day.day,
        step: day.step,
        entered: day.entered,
        gone: day.gone,
    });
    let (category, reason) = match &fact.place {
        Ok(standing) => (Some(standing.category), None),
        Err(reason) => (None, Some(reason.as_str().to_owned())),
    };
    let ended = EndedIssue {
        created_at: issue.created_at,
        entered_at: fact.entered_at,
        category,
        reason,
        lead_seconds: fact.lead_seconds,
        cycle_seconds: fact.cycle_seconds,
        active_seconds: fact.active_seconds,
        rework: fact.rework,
        steps: fact.steps,
        ..done("PAY-1", "2026-03-02T09:00:00Z", 1.0)
    };
    FlowRead { steps, days: days.collect(), ..read(vec![ended]) }
}

#[test]
fn who_goes_back_stands_where_it_was_before() {
    let issue = history(&[
        ("2026-03-03T10:00:00Z", 1),
        // In Berlin on the 5th.
        ("2026-03-04T23:30:00Z", 0),
        // There and back on one day.
        ("2026-03-06T08:00:00Z", 1),
        ("2026-03-06T09:00:00Z", 0),
        ("2026-03-08T08:00:00Z", 1),
        ("2026-03-08T20:00:00Z", 2),
        // And open again.
        ("2026-03-10T08:00:00Z", 1),
        ("2026-03-11T08:00:00Z", 2),
    ]);
    let window =
        Window::new(at("2026-03-01T23:00:00Z"), at("2026-03-12T23:00:00Z"), Berlin, Bucket::Day)
            .unwrap();
    let read = followed(ground(), &issue);
    let answer = told_of(window, &read);
    let mut stood = Vec::new();
    for day in &answer.days {
        let there =
            read.steps.iter().position(|step| day.in_step.get(&step.id.to_string()) == Some(&1));
        assert_eq!(day.in_step.values().sum::<i64>(), 1, "{}: it is in one step", day.day);
        assert_eq!(day.wip, i64::from(there == Some(1)), "{}", day.day);
        stood.push(there.unwrap());
    }
    // From 2 to 12 March.
    assert_eq!(stood, [0, 1, 1, 0, 0, 0, 2, 2, 1, 2, 2]);
    let rework = metric(&answer, "rework");
    // To do again from the 5th and on the 6th, and in progress again on the 10th.
    assert_eq!((rework.value, rework.details["entries"]), (Some(1.0), 3.0));
}

/// Maps what an issue needs, by a mapping that is active or not.
type Map<'a> = &'a dyn Fn(bool, &mut Ground);

#[test]
fn a_mapping_that_is_switched_off_is_the_reason() {
    let issue = history(&[("2026-03-03T10:00:00Z", 1), ("2026-03-04T10:00:00Z", 2)]);
    let scope: Scope = None;
    let status = |is_active, ground: &mut Ground| {
        ground.configuration.status_mappings.push(StatusMapping {
            id: StatusMappingId(Uuid::from_u128(1)),
            scope,
            issue_type: None,
            status: "closed".to_owned(),
            step: ground.configuration.steps[2].id,
            active: is_active,
            version: 1,
        });
    };
    let issue_type = |is_active, ground: &mut Ground| {
        ground.configuration.issue_type_mappings.push(IssueTypeMapping {
            id: IssueTypeMappingId(Uuid::from_u128(1)),
            scope,
            issue_type: "STORY".to_owned(),
            mapped_to: "Story".to_owned(),
            hierarchy_level: 0,
            parent: None,
            workflow: None,
            active: is_active,
            version: 1,
        });
    };
    let maps: [Map<'_>; 2] = [&status, &issue_type];
    let reasons = ["inactive_status_mapping", "inactive_issue_type_mapping"];
    for (map, reason) in maps.into_iter().zip(reasons) {
        for is_active in [true, false] {
            let mut ground = ground();
            map(is_active, &mut ground);
            let answer = told(&followed(ground, &issue));
            let lead = metric(&answer, "lead_time");
            let left_out: Vec<_> =
                lead.excluded.iter().map(|row| (row.reason.as_str(), row.count)).collect();
            if is_active {
                assert_eq!((lead.value, left_out), (Some(24.0 * HOUR), vec![]), "{reason}");
            } else {
                assert_eq!((lead.value, left_out), (None, vec![(reason, 1)]));
                let told = format!("1 are left out for {reason}.");
                assert!(lead.empty_reason.ends_with(&told), "{}", lead.empty_reason);
            }
        }
    }
}

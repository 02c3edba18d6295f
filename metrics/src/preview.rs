//! What changes of workflows and mappings would make of the lead times, before they are saved.

use chrono::TimeDelta;
use domain::Moment;
use domain::ids::ClientId;
use domain::workflow::{Change, StepCategory};
use proto::v1::{LeadTimes, PreviewReply};
use store::flow::{Ground, IssueFact, IssueHistory, Rules};

use crate::flow::Flow;
use crate::stats::{median, nearest_rank};

/// Long enough to see something, short enough to wait for.
const WINDOW: TimeDelta = TimeDelta::days(90);

/// Lead times of the issues done lately, as they are and as they would be.
///
/// # Errors
/// The store's.
pub async fn lead_times(
    facts: &store::Metrics,
    client: ClientId,
    changes: Vec<Change>,
    now: Moment,
) -> Result<PreviewReply, store::Error> {
    let since = now - WINDOW;
    let leads = Leads { flow: Flow::new(), since, seconds: Vec::new() };
    let before = facts.follow(client, Vec::new(), since, leads.clone()).await?;
    let after = facts.follow(client, changes, since, leads).await?;
    Ok(PreviewReply { before: Some(before.told()), after: Some(after.told()) })
}

/// Rules that only note lead times.
#[derive(Clone)]
struct Leads {
    flow: Flow,
    since: Moment,
    seconds: Vec<f64>,
}

impl Rules for Leads {
    fn version(&self) -> i64 {
        self.flow.version()
    }

    fn begin(&mut self, ground: Ground) {
        self.flow.begin(ground);
        self.seconds.clear();
    }

    fn issue(&mut self, issue: &IssueHistory) -> IssueFact {
        let fact = self.flow.issue(issue);
        let is_done =
            fact.place.as_ref().is_ok_and(|standing| standing.category == StepCategory::Done);
        if is_done && fact.entered_at >= self.since {
            self.seconds.extend(fact.lead_seconds);
        }
        fact
    }
}

impl Leads {
    fn told(mut self) -> LeadTimes {
        LeadTimes {
            p50: median(&mut self.seconds),
            p85: nearest_rank(&mut self.seconds, 0.85),
            counted: self.seconds.len() as u64,
            kinds: crate::report::kinds(&["p50", "p85"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use domain::ids::IntegrationId;
    use domain::project::StatusCategory;
    use domain::workflow::{Configuration, Connection, Put, Seen, Workflow, WorkflowStep};
    use store::flow::{Known, StatusChange, StatusSeen};
    use uuid::Uuid;

    use super::*;

    const JIRA: IntegrationId = IntegrationId(Uuid::from_u128(9));
    const HOUR: f64 = 3_600.0;

    fn at(hour: u32) -> Moment {
        format!("2026-03-02T{hour:02}:00:00Z").parse().unwrap()
    }

    /// To Do, In Progress (the commitment point) and Done.
    fn unsaid() -> Configuration {
        let connection = Connection { id: JIRA, name: "Jira".to_owned(), active: true };
        Configuration::unsaid(ClientId(Uuid::from_u128(1 << 70)), vec![connection])
    }

    fn ground(configuration: Configuration) -> Ground {
        let categories =
            [(1, StatusCategory::ToDo), (2, StatusCategory::InProgress), (3, StatusCategory::Done)];
        let status = |(id, about): (i64, StatusCategory)| {
            ((JIRA, id), Known { name: about.to_string(), active: true, about })
        };
        Ground {
            configuration,
            timezone: None,
            statuses: categories.map(status).into(),
            issue_types: HashMap::new(),
            projects: HashMap::from([((JIRA, 7), true)]),
        }
    }

    /// Made at 8:00, begun and perhaps done at these hours.
    fn issue(id: i64, begun: u32, done: Option<u32>) -> IssueHistory {
        let seen = |id| StatusSeen { id: Some(id), name: String::new() };
        let change = |hour, from, to| StatusChange { at: at(hour), from: seen(from), to: seen(to) };
        let over = done.map(|hour| change(hour, 2, 3));
        IssueHistory {
            integration: JIRA,
            id,
            key: format!("PAY-{id}"),
            project: 7,
            issue_type: 5,
            status: if done.is_some() { 3 } else { 2 },
            deleted: false,
            created_at: at(8),
            changes: [change(begun, 1, 2)].into_iter().chain(over).collect(),
        }
    }

    fn step(known: &Configuration, n: usize, change: impl FnOnce(&mut WorkflowStep)) -> Change {
        let mut row = known.steps[n].clone();
        change(&mut row);
        Change::PutStep { put: Put { row, seen: Seen::Any }, moves_commitment: true }
    }

    /// p50 and p85 in hours, and how many.
    type Told = (Option<f64>, Option<f64>, u64);

    fn told(known: Configuration) -> Told {
        let mut leads = Leads { flow: Flow::new(), since: at(0), seconds: Vec::new() };
        leads.begin(ground(known));
        for issue in [issue(1, 10, Some(16)), issue(2, 12, Some(14)), issue(3, 9, None)] {
            leads.issue(&issue);
        }
        let told = leads.told();
        (told.p50.map(|p50| p50 / HOUR), told.p85.map(|p85| p85 / HOUR), told.counted)
    }

    #[test]
    fn lead_times_follow_every_kind_of_change() {
        let known = unsaid();
        let mark = step(&known, 0, |step| step.commitment = true);
        let is_done = step(&known, 1, |step| {
            (step.category, step.commitment) = (StepCategory::Done, false);
        });
        let given_up = step(&known, 2, |step| step.category = StepCategory::Discarded);
        let row = Workflow { active: false, ..known.workflows[0].clone() };
        let off = Change::PutWorkflow(Put { row, seen: Seen::Any });
        let cases: [(&str, Vec<Change>, Told); 5] = [
            // From 10 to 16 and from 12 to 14.
            ("nothing", vec![], (Some(4.0), Some(6.0), 2)),
            // From 8 on.
            ("the commitment point moves", vec![mark.clone()], (Some(7.0), Some(8.0), 2)),
            // From 8 on, and the third is over at 9.
            ("begun is done", vec![mark, is_done], (Some(6.0), Some(8.0), 3)),
            ("done is given up", vec![given_up], (None, None, 0)),
            ("the workflow is switched off", vec![off], (None, None, 0)),
        ];
        for (case, changes, expected) in cases {
            let after = known.apply_all(changes).unwrap();
            assert_eq!(told(after), expected, "{case}");
        }
    }
}

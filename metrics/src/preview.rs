//! What a change of mappings would make of the lead times, before it is saved.

use chrono::TimeDelta;
use domain::Moment;
use domain::ids::ClientId;
use domain::workflow::{Change, Delete, Put, Seen, StatusMapping, StepCategory};
use proto::convert::parse;
use proto::v1::{LeadTimes, MappingChange, PreviewReply};
use store::flow::{Ground, IssueFact, IssueHistory, Rules};
use tonic::Status;

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

/// Reads the changes of a message.
///
/// # Errors
/// An id is none.
pub fn changes(messages: Vec<MappingChange>) -> Result<Vec<Change>, Status> {
    messages.into_iter().map(change).collect()
}

fn change(message: MappingChange) -> Result<Change, Status> {
    let id = parse("id", &message.id)?;
    if message.delete {
        let delete = Delete { id, seen: Seen::Any, reassign_to: None };
        return Ok(Change::DeleteStatusMapping(delete));
    }
    let scope = message.integration_id.as_deref().map(|id| parse("integration_id", id));
    let row = StatusMapping {
        id,
        scope: scope.transpose()?,
        issue_type: message.issue_type,
        status: message.status,
        step: parse("step_id", &message.step_id)?,
        active: message.active,
        version: 0,
    };
    let seen = if message.is_new { Seen::New } else { Seen::Any };
    Ok(Change::PutStatusMapping(Put { row, seen }))
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
        }
    }
}

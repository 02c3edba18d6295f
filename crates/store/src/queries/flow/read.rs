//! What reports on the flow are made from.

use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;
use domain::Moment;
use domain::ids::{ClientId, WorkflowStepId};
use domain::workflow::StepCategory;

use super::super::super::{Conn, dialect};
use super::super::changes::workflows_are_ahead;
use super::super::dora::projects;
use super::super::workflows::{configuration_within, connections};
use crate::Error;
use crate::dora::Place;
use crate::fact_table::Owner;
use crate::flow::{DayFact, EndedIssue, FlowHead, FlowRead, Nowhere, StartedIssue, TakeFlow};
use crate::focus::Focus;
use crate::schema::{flow_days, flow_states, issue_facts, issues};
use crate::types::{Id, Json, Ts};

/// Issues that are read in one go.
const AT_ONCE: i64 = 20_000;

pub(crate) fn read(
    conn: &mut Conn,
    client: ClientId,
    from: Moment,
    to: Moment,
    last_day: i32,
    focus: &Focus,
) -> Result<FlowRead, Error> {
    dialect::read(conn, |conn| {
        let id = Id::from(client);
        let Some((_, as_of)) = published(conn, id)? else { return Ok(FlowRead::default()) };
        let projects = projects_in(conn, id, focus)?;
        let mut ended = ended(conn, id, Ts(from), Ts(to))?;
        ended.retain(|issue| projects.contains(&issue.project));
        let mut in_progress = in_progress(conn, id)?;
        in_progress.retain(|issue| projects.contains(&issue.project));
        let mut days = days(conn, id, last_day)?;
        days.retain(|day| projects.contains(&(day.integration, day.project)));
        Ok(FlowRead {
            as_of: Some(as_of),
            is_behind: workflows_are_ahead(conn, client.into())?,
            steps: configuration_within(conn, client)?.steps,
            ended,
            in_progress,
            days,
            nowhere: nowhere(conn, id, &projects)?,
        })
    })
}

/// A page after the other, so that no more than one is in memory twice.
pub(crate) fn take<T: TakeFlow>(conn: &mut Conn, client: ClientId, taker: T) -> Result<T, Error> {
    dialect::read(conn, |conn| {
        let (mut taker, id) = (taker, Id::from(client));
        let Some((publication, as_of)) = published(conn, id)? else { return Ok(taker) };
        let steps = configuration_within(conn, client)?.steps;
        taker.begin(publication, as_of, &steps);
        taker.days(days(conn, id, i32::MAX)?);
        for connection in connections(conn, id)? {
            let owner = Owner { client: id, integration: connection.id.into() };
            let mut after = i64::MIN;
            while let Some((last, rows)) = page(conn, owner, after)? {
                after = last;
                let (mut ended, mut in_progress) = (Vec::new(), Vec::new());
                for row in rows {
                    let category: Option<StepCategory> =
                        row.1.2.as_deref().map(str::parse).transpose()?;
                    match category {
                        Some(StepCategory::InProgress) => in_progress.push(started_issue(row)),
                        Some(StepCategory::ToDo) => {}
                        _ => ended.push(ended_issue(row)?),
                    }
                }
                if !taker.issues(ended, in_progress) {
                    return Ok(taker);
                }
            }
        }
        Ok(taker)
    })
}

pub(crate) fn head(conn: &mut Conn, client: ClientId) -> Result<FlowHead, Error> {
    dialect::read(conn, |conn| {
        let id = Id::from(client);
        Ok(FlowHead {
            publication: published(conn, id)?.map(|(publication, _)| publication),
            is_behind: workflows_are_ahead(conn, client.into())?,
            steps: configuration_within(conn, client)?.steps,
            projects: projects(conn, id)?,
        })
    })
}

/// Which publication is the newest, and when its facts were complete.
fn published(conn: &mut Conn, client: Id) -> QueryResult<Option<(i64, Moment)>> {
    let row: Option<(i64, Option<Ts>)> = flow_states::table
        .find(client)
        .select((flow_states::publications, flow_states::as_of))
        .first(conn)
        .optional()?;
    Ok(row.and_then(|(publication, as_of)| Some((publication, as_of?.0))))
}

/// The projects that are meant.
pub(super) fn projects_in(
    conn: &mut Conn,
    client: Id,
    focus: &Focus,
) -> QueryResult<HashSet<Place>> {
    let all = projects(conn, client)?.into_iter();
    Ok(all.filter(|(_, key)| focus.has_project(key)).map(|(place, _)| place).collect())
}

type FactColumns = (
    (Id, i64, i64, String, Ts),
    (Ts, Option<Ts>, Option<String>, Option<String>, i32),
    (Option<f64>, Option<f64>, Option<f64>, Json),
);

/// Facts of issues beside the issues.
macro_rules! facts_with_issues {
    ($client:expr) => {
        issue_facts::table
            .inner_join(
                issues::table.on(issues::client_id
                    .eq(issue_facts::client_id)
                    .and(issues::integration_id.eq(issue_facts::integration_id))
                    .and(issues::external_id.eq(issue_facts::issue_id))),
            )
            .filter(issue_facts::client_id.eq($client))
            .select((
                (
                    issue_facts::integration_id,
                    issue_facts::issue_id,
                    issues::project_id,
                    issues::key,
                    issues::created_at,
                ),
                (
                    issue_facts::entered_at,
                    issue_facts::started_at,
                    issue_facts::category,
                    issue_facts::reason,
                    issue_facts::rework,
                ),
                (
                    issue_facts::lead_seconds,
                    issue_facts::cycle_seconds,
                    issue_facts::active_seconds,
                    issue_facts::steps,
                ),
            ))
    };
}

fn ended_issue(row: FactColumns) -> Result<EndedIssue, Error> {
    let ((integration, _, project, key, created_at), stands, lengths) = row;
    let (entered_at, _, category, reason, rework) = stands;
    let (lead_seconds, cycle_seconds, active_seconds, steps) = lengths;
    Ok(EndedIssue {
        project: (integration.into(), project),
        key,
        created_at: created_at.0,
        entered_at: entered_at.0,
        category: category.map(|category| category.parse()).transpose()?,
        reason,
        lead_seconds,
        cycle_seconds,
        active_seconds,
        rework,
        steps: seconds_by_step(&steps)?,
    })
}

fn started_issue(row: FactColumns) -> StartedIssue {
    let ((integration, _, project, key, _), (_, started_at, ..), _) = row;
    StartedIssue {
        project: (integration.into(), project),
        key,
        started_at: started_at.map(|at| at.0),
    }
}

/// Issues of a connection, and the id of the last of them.
fn page(conn: &mut Conn, owner: Owner, after: i64) -> QueryResult<Option<(i64, Vec<FactColumns>)>> {
    let rows: Vec<FactColumns> = facts_with_issues!(owner.client)
        .filter(issue_facts::integration_id.eq(owner.integration))
        .filter(issue_facts::issue_id.gt(after))
        .order(issue_facts::issue_id)
        .limit(AT_ONCE)
        .load(conn)?;
    Ok(rows.last().map(|last| last.0.1).map(|last| (last, rows)))
}

fn ended(conn: &mut Conn, client: Id, from: Ts, to: Ts) -> Result<Vec<EndedIssue>, Error> {
    let is_over = issue_facts::category.eq_any(["DONE", "DISCARDED"]);
    let rows: Vec<FactColumns> = facts_with_issues!(client)
        .filter(issue_facts::entered_at.ge(from))
        .filter(issue_facts::entered_at.lt(to))
        .filter(is_over.or(issue_facts::reason.is_not_null()))
        .order((issue_facts::entered_at, issue_facts::issue_id))
        .load(conn)?;
    rows.into_iter().map(ended_issue).collect()
}

fn in_progress(conn: &mut Conn, client: Id) -> QueryResult<Vec<StartedIssue>> {
    let rows: Vec<FactColumns> = facts_with_issues!(client)
        .filter(issue_facts::category.eq("IN_PROGRESS"))
        .order((issue_facts::started_at, issue_facts::issue_id))
        .load(conn)?;
    Ok(rows.into_iter().map(started_issue).collect())
}

/// Issues of these projects that stand nowhere.
fn nowhere(conn: &mut Conn, client: Id, projects: &HashSet<Place>) -> QueryResult<Vec<Nowhere>> {
    let rows: Vec<(Id, i64, Option<String>)> = issue_facts::table
        .inner_join(
            issues::table.on(issues::client_id
                .eq(issue_facts::client_id)
                .and(issues::integration_id.eq(issue_facts::integration_id))
                .and(issues::external_id.eq(issue_facts::issue_id))),
        )
        .filter(issue_facts::client_id.eq(client))
        .filter(issue_facts::category.is_null())
        .select((issues::integration_id, issues::project_id, issue_facts::reason))
        .load(conn)?;
    let mut counts: BTreeMap<(Place, String), u64> = BTreeMap::new();
    for (integration, project, reason) in rows {
        let project = (integration.into(), project);
        if let Some(reason) = reason.filter(|_| projects.contains(&project)) {
            *counts.entry((project, reason)).or_default() += 1;
        }
    }
    let counts = counts.into_iter();
    Ok(counts.map(|((project, reason), count)| Nowhere { project, reason, count }).collect())
}

fn seconds_by_step(steps: &Json) -> Result<Vec<(WorkflowStepId, f64)>, Error> {
    let unreadable = |reason: String| Error::Corrupt { noun: "list of steps", reason };
    let steps: Vec<(String, f64)> =
        serde_json::from_str(&steps.0).map_err(|e| unreadable(e.to_string()))?;
    steps
        .into_iter()
        .map(|(step, seconds)| {
            Ok((step.parse().map_err(|_| unreadable(format!("{step} is no id")))?, seconds))
        })
        .collect()
}

fn days(conn: &mut Conn, client: Id, last_day: i32) -> QueryResult<Vec<DayFact>> {
    let rows: Vec<(Id, i64, i32, Id, i64, i64)> = flow_days::table
        .filter(flow_days::client_id.eq(client))
        .filter(flow_days::day.le(last_day))
        .order((flow_days::day, flow_days::step_id))
        .select((
            flow_days::integration_id,
            flow_days::project_id,
            flow_days::day,
            flow_days::step_id,
            flow_days::entered,
            flow_days::gone,
        ))
        .load(conn)?;
    let fact = |(integration, project, day, step, entered, gone): (Id, _, _, Id, _, _)| DayFact {
        integration: integration.into(),
        project,
        day,
        step: step.into(),
        entered,
        gone,
    };
    Ok(rows.into_iter().map(fact).collect())
}

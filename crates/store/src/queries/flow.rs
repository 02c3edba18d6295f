//! Queries on the flow of issues: from their history to what we make of it.

mod changed;
mod days;
mod intervals;
mod read;

use std::collections::HashMap;

use diesel::prelude::*;
use domain::Moment;
use domain::ids::ClientId;
use domain::workflow::{Change, Excluded};

use self::days::{Days, Moves};
pub(crate) use self::intervals::intervals;
pub(crate) use self::read::{head, read, take};
use super::super::{Conn, bulk};
use super::changes::workflows_are_ahead;
use super::publish::end_incidents;
use super::workflows::configuration_within;
use crate::Error;
use crate::fact_table::{Existing, Owner, last_of_each};
use crate::flow::{Ground, IssueFact, IssueHistory, Known, Rules, StatusChange, StatusSeen};
use crate::models::flow::IssueFactRow;
use crate::schema::{
    delivery_states, flow_states, issue_changes, issue_types, issues, projects, schedules,
    statuses, workflow_revisions,
};
use crate::types::{Id, Json, Ts};

/// Issues that are read, placed and kept in one go; with their changes they fit in a few megabytes.
const AT_ONCE: i64 = 4_000;

/// Only for workflows that changed since.
pub(crate) fn publish_changed(
    conn: &mut Conn,
    client: ClientId,
    rules: &mut impl Rules,
) -> Result<Option<u64>, Error> {
    if !workflows_are_ahead(conn, client.into())? {
        return Ok(None);
    }
    // Whoever holds reports on incidents reads them again.
    diesel::update(delivery_states::table.find(Id::from(client)))
        .set(delivery_states::publications.eq(delivery_states::publications + 1))
        .execute(conn)?;
    publish(conn, client, None, rules).map(Some)
}

/// Within the transaction of whoever publishes. Answers of how many issues something was made.
pub(crate) fn publish(
    conn: &mut Conn,
    client: ClientId,
    as_of: Option<Ts>,
    rules: &mut impl Rules,
) -> Result<u64, Error> {
    let count = place_issues(conn, client, as_of, rules)?;
    end_incidents(conn, client.into())?;
    Ok(count)
}

/// What changed is seen to at the end of a sync, of whose facts `as_of` tells; whoever only follows the
/// workflows leaves the notes to that, since who writes them would wait for him.
fn place_issues(
    conn: &mut Conn,
    client: ClientId,
    as_of: Option<Ts>,
    rules: &mut impl Rules,
) -> Result<u64, Error> {
    let kept_basis = hold(conn, client, as_of)?;
    let changed = if as_of.is_some() { changed::take_issues(conn, client)? } else { None };
    let ground = ground(conn, client)?;
    let basis = basis(&ground, rules.version());
    let state = diesel::update(flow_states::table.find(Id::from(client)));
    state.set(flow_states::basis.eq(&basis)).execute(conn)?;
    let connections = connections(&ground);
    let mut days = Days::new(&ground);
    rules.begin(ground);
    if let Some(changed) = changed.filter(|_| basis == kept_basis) {
        return changed::follow(conn, client, changed, days, rules);
    }
    let mut count = 0;
    for integration in connections {
        let owner = Owner { client: client.into(), integration };
        each_page(conn, owner, Moment::UNIX_EPOCH, |conn, histories| {
            count += histories.len() as u64;
            keep(conn, owner, histories, &mut days, rules)
        })?;
    }
    days.replace(conn, client)?;
    Ok(count)
}

/// Keeps what the rules say of some issues, and counts their days.
fn keep(
    conn: &mut Conn,
    owner: Owner,
    histories: &[IssueHistory],
    days: &mut Days,
    rules: &mut impl Rules,
) -> QueryResult<()> {
    let mut rows = Vec::with_capacity(histories.len());
    for issue in histories {
        let fact = rules.issue(issue);
        let moves = days.moves(issue.project, &fact.moves);
        days.count(owner.integration, &moves, 1);
        rows.push(row(issue.id, fact, moves));
    }
    bulk::put(conn, owner, &last_of_each::<IssueFactRow>(rows), Existing::Replaced)?;
    Ok(())
}

/// From what facts are made beside the issues: where it stays the same, so do the facts of every issue
/// that does not change. Another release may spell it differently, and then makes all of them anew.
fn basis(ground: &Ground, version: i64) -> String {
    let Ground { configuration, timezone, statuses, issue_types, projects } = ground;
    let mut parts: Vec<String> = statuses.iter().map(|status| format!("{status:?}")).collect();
    parts.extend(issue_types.iter().map(|issue_type| format!("{issue_type:?}")));
    parts.extend(projects.iter().map(|project| format!("{project:?}")));
    // Maps have no order of their own.
    parts.sort_unstable();
    crate::metrics::basis(&(version, format!("{configuration:?}{timezone:?}"), parts))
}

/// As if the workflows had been changed so.
pub(crate) fn follow<R: Rules>(
    conn: &mut Conn,
    client: ClientId,
    changes: &[Change],
    touched_since: Moment,
    mut rules: R,
) -> Result<R, Error> {
    super::super::dialect::read(conn, |conn| {
        let mut ground = ground(conn, client)?;
        ground.configuration = ground.configuration.apply_all(changes.iter().cloned())?;
        let connections = connections(&ground);
        rules.begin(ground);
        for integration in connections {
            let owner = Owner { client: client.into(), integration };
            each_page(conn, owner, touched_since, |_, histories| {
                for issue in histories {
                    rules.issue(issue);
                }
                Ok(())
            })?;
        }
        Ok(rules)
    })
}

fn connections(ground: &Ground) -> Vec<Id> {
    ground.configuration.connections.iter().map(|known| known.id.into()).collect()
}

/// Every issue of a connection that was touched since, a page after the other.
fn each_page(
    conn: &mut Conn,
    owner: Owner,
    touched_since: Moment,
    mut work: impl FnMut(&mut Conn, &[IssueHistory]) -> QueryResult<()>,
) -> QueryResult<()> {
    let mut after = i64::MIN;
    loop {
        let histories = histories(conn, owner, after, touched_since, AT_ONCE)?;
        let Some(last) = histories.last() else { return Ok(()) };
        after = last.id;
        work(conn, &histories)?;
    }
}

/// Takes the row that only one publisher can hold, and says from what the facts will be made. Answers
/// from what those were that are kept.
fn hold(conn: &mut Conn, client: ClientId, as_of: Option<Ts>) -> QueryResult<String> {
    let id = Id::from(client);
    diesel::insert_into(flow_states::table)
        .values((flow_states::client_id.eq(id), flow_states::revision.eq(-1)))
        .on_conflict(flow_states::client_id)
        .do_update()
        .set((
            flow_states::revision.eq(-1),
            flow_states::publications.eq(flow_states::publications + 1),
        ))
        .execute(conn)?;
    // Behind the lock, so that what is read from now on is of this revision or later.
    let revision: Option<i64> = workflow_revisions::table
        .find(id)
        .select(workflow_revisions::revision)
        .first(conn)
        .optional()?;
    let state = diesel::update(flow_states::table.find(id));
    state.set(flow_states::revision.eq(revision.unwrap_or(0))).execute(conn)?;
    if as_of.is_some() {
        let state = diesel::update(flow_states::table.find(id));
        state.set(flow_states::as_of.eq(as_of)).execute(conn)?;
    }
    flow_states::table.find(id).select(flow_states::basis).first(conn)
}

pub(super) fn ground(conn: &mut Conn, client: ClientId) -> Result<Ground, Error> {
    let id = Id::from(client);
    let known: Vec<(Id, i64, String, String, bool)> = statuses::table
        .filter(statuses::client_id.eq(id))
        .select((
            statuses::integration_id,
            statuses::external_id,
            statuses::name,
            statuses::category,
            statuses::active,
        ))
        .load(conn)?;
    let mut by_status = HashMap::with_capacity(known.len());
    for (integration, id, name, category, active) in known {
        let about = category.parse()?;
        by_status.insert((integration.into(), id), Known { name, active, about });
    }
    let types: Vec<(Id, i64, String, bool)> = issue_types::table
        .filter(issue_types::client_id.eq(id))
        .select((
            issue_types::integration_id,
            issue_types::external_id,
            issue_types::name,
            issue_types::active,
        ))
        .load(conn)?;
    let of_type = |(integration, id, name, active): (Id, _, _, _)| {
        ((integration.into(), id), Known { name, active, about: () })
    };
    let active: Vec<(Id, i64, bool)> = projects::table
        .filter(projects::client_id.eq(id))
        .select((projects::integration_id, projects::external_id, projects::active))
        .load(conn)?;
    let of_project =
        |(integration, id, active): (Id, i64, bool)| ((integration.into(), id), active);
    Ok(Ground {
        configuration: configuration_within(conn, client)?,
        timezone: schedules::table.find(id).select(schedules::timezone).first(conn).optional()?,
        statuses: by_status,
        issue_types: types.into_iter().map(of_type).collect(),
        projects: active.into_iter().map(of_project).collect(),
    })
}

/// Issues of a connection, as far as their flow needs them.
macro_rules! issues_of {
    ($owner:expr) => {
        issues::table
            .filter(issues::client_id.eq($owner.client))
            .filter(issues::integration_id.eq($owner.integration))
            .select((
                issues::external_id,
                issues::key,
                issues::project_id,
                issues::type_id,
                issues::status_id,
                issues::deleted,
                issues::created_at,
            ))
    };
}

/// Changes of status of a connection's issues, in order.
macro_rules! changes_of {
    ($owner:expr) => {
        issue_changes::table
            .filter(issue_changes::client_id.eq($owner.client))
            .filter(issue_changes::integration_id.eq($owner.integration))
            .filter(issue_changes::field.eq("status"))
            .order(as_they_happened!())
            .select((
                issue_changes::issue_id,
                issue_changes::changed_at,
                issue_changes::from_value,
                issue_changes::from_string,
                issue_changes::to_value,
                issue_changes::to_string,
            ))
    };
}

type IssueColumns = (i64, String, i64, i64, i64, bool, Ts);
type ChangeColumns = (i64, Ts, Option<String>, Option<String>, Option<String>, Option<String>);

fn histories(
    conn: &mut Conn,
    owner: Owner,
    after: i64,
    touched_since: Moment,
    at_once: i64,
) -> QueryResult<Vec<IssueHistory>> {
    let rows: Vec<IssueColumns> = issues_of!(owner)
        .filter(issues::external_id.gt(after))
        .filter(issues::updated_at.ge(Ts(touched_since)))
        .order(issues::external_id)
        .limit(at_once)
        .load(conn)?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let changes: Vec<ChangeColumns> =
        changes_of!(owner).filter(issue_changes::issue_id.between(first.0, last.0)).load(conn)?;
    Ok(joined(owner, rows, changes))
}

/// The issues with these ids, which are few.
fn histories_of(conn: &mut Conn, owner: Owner, ids: &[i64]) -> QueryResult<Vec<IssueHistory>> {
    let rows: Vec<IssueColumns> = issues_of!(owner)
        .filter(issues::external_id.eq_any(ids))
        .order(issues::external_id)
        .load(conn)?;
    let changes: Vec<ChangeColumns> =
        changes_of!(owner).filter(issue_changes::issue_id.eq_any(ids)).load(conn)?;
    Ok(joined(owner, rows, changes))
}

/// Issues with their changes, both in the order of the issues.
fn joined(
    owner: Owner,
    issues: Vec<IssueColumns>,
    changes: Vec<ChangeColumns>,
) -> Vec<IssueHistory> {
    let mut changes = changes.into_iter().peekable();
    let mut histories = Vec::with_capacity(issues.len());
    for (id, key, project, issue_type, status, deleted, created_at) in issues {
        let mut own = Vec::new();
        while let Some((_, at, from, from_name, to, to_name)) = changes.next_if(|c| c.0 <= id) {
            own.push(StatusChange { at: at.0, from: seen(from, from_name), to: seen(to, to_name) });
        }
        histories.push(IssueHistory {
            integration: owner.integration.into(),
            id,
            key,
            project,
            issue_type,
            status,
            deleted,
            created_at: created_at.0,
            changes: own,
        });
    }
    histories
}

pub(super) fn seen(value: Option<String>, name: Option<String>) -> StatusSeen {
    StatusSeen { id: value.and_then(|value| value.parse().ok()), name: name.unwrap_or_default() }
}

fn row(issue_id: i64, fact: IssueFact, moves: Moves) -> IssueFactRow {
    let (place, reason) = match fact.place {
        Ok(place) if fact.passed_unmapped => {
            (Some(place), Some(Excluded::UnmappedStatus.as_str().to_owned()))
        }
        Ok(place) => (Some(place), None),
        Err(reason) => (None, Some(reason.as_str().to_owned())),
    };
    let steps: Vec<(String, f64)> =
        fact.steps.into_iter().map(|(step, seconds)| (step.to_string(), seconds)).collect();
    IssueFactRow {
        issue_id,
        step_id: place.as_ref().map(|place| place.step.into()),
        category: place.as_ref().map(|place| place.category.as_str().to_owned()),
        step: place.map(|place| place.name),
        reason,
        entered_at: Ts(fact.entered_at),
        committed_at: fact.committed_at.map(Ts),
        started_at: fact.started_at.map(Ts),
        lead_seconds: fact.lead_seconds,
        cycle_seconds: fact.cycle_seconds,
        active_seconds: fact.active_seconds,
        rework: fact.rework,
        steps: Json(serde_json::to_string(&steps).expect("numbers and texts are always JSON")),
        moves: moves.to_string(),
    }
}

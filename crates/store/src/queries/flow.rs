//! Queries on the flow of issues.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use domain::Moment;
use domain::ids::{ClientId, WorkflowStepId};
use domain::workflow::Change;

use super::super::{Conn, bulk};
use super::workflows::configuration_within;
use crate::Error;
use crate::fact_table::{Existing, Owner, last_of_each};
use crate::flow::{
    DayFact, EndedIssue, FlowRead, Ground, IssueFact, IssueHistory, Known, Rules, StatusChange,
    StatusSeen,
};
use crate::lists::{Filter, Key, StatusInterval};
use crate::metrics::Focus;
use crate::models::flow::{FlowDayRow, IssueFactRow};
use crate::schema::{
    flow_days, flow_states, issue_changes, issue_facts, issue_types, issues, projects, schedules,
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
    if !changed_clients(conn)?.contains(&client) {
        return Ok(None);
    }
    publish(conn, client, None, rules).map(Some)
}

/// Within the transaction of whoever publishes. Answers how many issues there are.
pub(crate) fn publish(
    conn: &mut Conn,
    client: ClientId,
    as_of: Option<Ts>,
    rules: &mut impl Rules,
) -> Result<u64, Error> {
    hold(conn, client, as_of)?;
    let ground = ground(conn, client)?;
    let connections = connections(&ground);
    rules.begin(ground);
    let mut count = 0;
    for integration in connections {
        let owner = Owner { client: client.into(), integration };
        each_page(conn, owner, Moment::UNIX_EPOCH, |conn, histories| {
            count += histories.len() as u64;
            let rows = histories.iter().map(|issue| row(issue.id, rules.issue(issue))).collect();
            bulk::put(conn, owner, &last_of_each::<IssueFactRow>(rows), Existing::Replaced)?;
            Ok(())
        })?;
    }
    keep_days(conn, client, rules.days())?;
    Ok(count)
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
        for change in changes {
            ground.configuration = ground.configuration.apply(change.clone())?;
        }
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

/// Takes the row that only one publisher can hold, and says from what the facts will be made.
fn hold(conn: &mut Conn, client: ClientId, as_of: Option<Ts>) -> QueryResult<()> {
    let id = Id::from(client);
    diesel::insert_into(flow_states::table)
        .values((flow_states::client_id.eq(id), flow_states::revision.eq(-1)))
        .on_conflict(flow_states::client_id)
        .do_update()
        .set(flow_states::revision.eq(-1))
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
    Ok(())
}

pub(crate) fn changed_clients(conn: &mut Conn) -> QueryResult<Vec<ClientId>> {
    let changed: Vec<Id> = workflow_revisions::table
        .inner_join(flow_states::table.on(flow_states::client_id.eq(workflow_revisions::client_id)))
        .filter(workflow_revisions::revision.gt(flow_states::revision))
        .select(workflow_revisions::client_id)
        .load(conn)?;
    Ok(changed.into_iter().map(ClientId::from).collect())
}

fn ground(conn: &mut Conn, client: ClientId) -> Result<Ground, Error> {
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

type IssueColumns = (i64, String, i64, i64, i64, bool, Ts);
type ChangeColumns = (i64, Ts, Option<String>, Option<String>, Option<String>, Option<String>);

fn histories(
    conn: &mut Conn,
    owner: Owner,
    after: i64,
    touched_since: Moment,
    at_once: i64,
) -> QueryResult<Vec<IssueHistory>> {
    let rows: Vec<IssueColumns> = issues::table
        .filter(issues::client_id.eq(owner.client))
        .filter(issues::integration_id.eq(owner.integration))
        .filter(issues::external_id.gt(after))
        .filter(issues::updated_at.ge(Ts(touched_since)))
        .order(issues::external_id)
        .limit(at_once)
        .select((
            issues::external_id,
            issues::key,
            issues::project_id,
            issues::type_id,
            issues::status_id,
            issues::deleted,
            issues::created_at,
        ))
        .load(conn)?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let changes: Vec<ChangeColumns> = issue_changes::table
        .filter(issue_changes::client_id.eq(owner.client))
        .filter(issue_changes::integration_id.eq(owner.integration))
        .filter(issue_changes::issue_id.between(first.0, last.0))
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
        .load(conn)?;
    let mut changes = changes.into_iter().peekable();
    let mut histories = Vec::with_capacity(rows.len());
    for (id, key, project, issue_type, status, deleted, created_at) in rows {
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
    Ok(histories)
}

fn seen(value: Option<String>, name: Option<String>) -> StatusSeen {
    StatusSeen { id: value.and_then(|value| value.parse().ok()), name: name.unwrap_or_default() }
}

fn row(issue_id: i64, fact: IssueFact) -> IssueFactRow {
    let (place, reason) = match fact.place {
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
    }
}

/// Replaces the days of a client. Those that are gone are emptied first, because many at once are
/// written faster than one by one, and then swept out.
fn keep_days(conn: &mut Conn, client: ClientId, days: Vec<DayFact>) -> QueryResult<()> {
    let id = Id::from(client);
    let wanted: HashSet<(Id, i64, i32, Id)> = days
        .iter()
        .map(|day| (day.integration.into(), day.project, day.day, day.step.into()))
        .collect();
    let kept: Vec<(Id, i64, i32, Id)> = flow_days::table
        .filter(flow_days::client_id.eq(id))
        .select((
            flow_days::integration_id,
            flow_days::project_id,
            flow_days::day,
            flow_days::step_id,
        ))
        .load(conn)?;
    let mut rows: HashMap<Id, Vec<FlowDayRow>> = HashMap::new();
    for (integration, project_id, day, step_id) in kept {
        if !wanted.contains(&(integration, project_id, day, step_id)) {
            let emptied = FlowDayRow { project_id, day, step_id, entered: 0, gone: 0 };
            rows.entry(integration).or_default().push(emptied);
        }
    }
    for day in days {
        rows.entry(day.integration.into()).or_default().push(FlowDayRow {
            project_id: day.project,
            day: day.day,
            step_id: day.step.into(),
            entered: day.entered,
            gone: day.gone,
        });
    }
    for (integration, rows) in rows {
        let owner = Owner { client: id, integration };
        bulk::put(conn, owner, &last_of_each(rows), Existing::Replaced)?;
    }
    let empty = flow_days::table
        .filter(flow_days::client_id.eq(id))
        .filter(flow_days::entered.eq(0))
        .filter(flow_days::gone.eq(0));
    diesel::delete(empty).execute(conn)?;
    Ok(())
}

/// Stays in statuses, by issue and in order. Read from the history as it is now, so that they always
/// agree with the changes.
pub(crate) fn intervals(
    conn: &mut Conn,
    client: ClientId,
    filter: &Filter,
    after: &Key,
    limit: u32,
) -> Result<Vec<StatusInterval>, Error> {
    super::super::dialect::read(conn, |conn| intervals_within(conn, client, filter, after, limit))
}

fn intervals_within(
    conn: &mut Conn,
    client: ClientId,
    filter: &Filter,
    after: &Key,
    limit: u32,
) -> Result<Vec<StatusInterval>, Error> {
    let id = Id::from(client);
    let focus = Focus { projects: filter.project.iter().cloned().collect(), ..Focus::default() };
    let projects = projects_in(conn, id, &focus)?;
    let ground = ground(conn, client)?;
    let limit = usize::try_from(limit).expect("a page is short");
    let [issue, number, _] = after.numbers;
    let mut found: Vec<StatusInterval> = Vec::new();
    for connection in &ground.configuration.connections {
        if connection.id < after.integration {
            continue;
        }
        let owner = Owner { client: id, integration: connection.id.into() };
        let is_first = connection.id == after.integration;
        // The issue of the key may have more behind it.
        let mut behind = if is_first { issue.saturating_sub(1) } else { i64::MIN };
        loop {
            let at_once = i64::try_from(limit).expect("a page is short").min(AT_ONCE);
            let histories = histories(conn, owner, behind, Moment::UNIX_EPOCH, at_once)?;
            let Some(last) = histories.last() else { break };
            behind = last.id;
            let wanted = histories.iter().filter(|history| {
                (filter.with_deleted || !history.deleted)
                    && projects.contains(&(owner.integration, history.project))
            });
            for history in wanted {
                let rows = StatusInterval::of(&ground, history);
                let rows = rows.filter(|row| {
                    !(is_first && history.id == issue && row.number <= number)
                        && row.is_wanted(filter)
                });
                found.extend(rows);
            }
            if found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }
    Ok(found)
}

pub(crate) fn read(
    conn: &mut Conn,
    client: ClientId,
    from: Moment,
    to: Moment,
    last_day: i32,
    focus: &Focus,
) -> Result<FlowRead, Error> {
    super::super::dialect::read(conn, |conn| {
        let id = Id::from(client);
        let as_of: Option<Option<Ts>> =
            flow_states::table.find(id).select(flow_states::as_of).first(conn).optional()?;
        let Some(as_of) = as_of.flatten() else { return Ok(FlowRead::default()) };
        let projects = projects_in(conn, id, focus)?;
        Ok(FlowRead {
            as_of: Some(as_of.0),
            is_behind: changed_clients(conn)?.contains(&client),
            steps: configuration_within(conn, client)?.steps,
            ended: ended(conn, id, Ts(from), Ts(to), &projects)?,
            in_progress: in_progress(conn, id, &projects)?,
            days: days(conn, id, last_day, &projects)?,
        })
    })
}

type Projects = HashSet<(Id, i64)>;

fn projects_in(conn: &mut Conn, client: Id, focus: &Focus) -> QueryResult<Projects> {
    let all: Vec<(Id, i64, String)> = projects::table
        .filter(projects::client_id.eq(client))
        .select((projects::integration_id, projects::external_id, projects::key))
        .load(conn)?;
    let wanted = all.into_iter().filter(|(.., key)| focus.has_project(key));
    Ok(wanted.map(|(integration, id, _)| (integration, id)).collect())
}

/// The facts of issues, joined to the issues.
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
    };
}

type EndedColumns = (
    (Id, i64, String, Ts),
    (Ts, Option<String>, Option<String>, i32),
    (Option<f64>, Option<f64>, Option<f64>, Json),
);

fn ended(
    conn: &mut Conn,
    client: Id,
    from: Ts,
    to: Ts,
    projects: &Projects,
) -> Result<Vec<EndedIssue>, Error> {
    let is_over = issue_facts::category.eq_any(["DONE", "DISCARDED"]);
    let rows: Vec<EndedColumns> = facts_with_issues!(client)
        .filter(issue_facts::entered_at.ge(from))
        .filter(issue_facts::entered_at.lt(to))
        .filter(is_over.or(issue_facts::reason.is_not_null()))
        .order((issue_facts::entered_at, issue_facts::issue_id))
        .select((
            (issues::integration_id, issues::project_id, issues::key, issues::created_at),
            (
                issue_facts::entered_at,
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
        .load(conn)?;
    let mut ended = Vec::with_capacity(rows.len());
    for ((integration, project, key, created_at), where_it_is, (lead, cycle, active, steps)) in rows
    {
        if !projects.contains(&(integration, project)) {
            continue;
        }
        let (entered_at, category, reason, rework) = where_it_is;
        ended.push(EndedIssue {
            key,
            created_at: created_at.0,
            entered_at: entered_at.0,
            category: category.map(|category| category.parse()).transpose()?,
            reason,
            lead_seconds: lead,
            cycle_seconds: cycle,
            active_seconds: active,
            rework,
            steps: seconds_by_step(&steps)?,
        });
    }
    Ok(ended)
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

fn in_progress(
    conn: &mut Conn,
    client: Id,
    projects: &Projects,
) -> QueryResult<Vec<(String, Option<Moment>)>> {
    let rows: Vec<(Id, i64, String, Option<Ts>)> = facts_with_issues!(client)
        .filter(issue_facts::category.eq("IN_PROGRESS"))
        .order((issue_facts::started_at, issue_facts::issue_id))
        .select((issues::integration_id, issues::project_id, issues::key, issue_facts::started_at))
        .load(conn)?;
    let wanted = rows
        .into_iter()
        .filter(|(integration, project, ..)| projects.contains(&(*integration, *project)));
    Ok(wanted.map(|(.., key, started)| (key, started.map(|at| at.0))).collect())
}

fn days(
    conn: &mut Conn,
    client: Id,
    last_day: i32,
    projects: &Projects,
) -> QueryResult<Vec<DayFact>> {
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
    let wanted = rows
        .into_iter()
        .filter(|(integration, project, ..)| projects.contains(&(*integration, *project)));
    Ok(wanted
        .map(|(integration, project, day, step, entered, gone)| DayFact {
            integration: integration.into(),
            project,
            day,
            step: step.into(),
            entered,
            gone,
        })
        .collect())
}

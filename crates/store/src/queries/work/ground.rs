//! What a planner is told, read where the plan is made.

use std::collections::HashSet;

use diesel::prelude::*;
use domain::job::JobType;
use domain::work::{Slice, SourceKind, Step, TaskState};

use super::Conn;
use crate::Error;
use crate::models::work::{RunRow, TaskRow, WatermarkRow};
use crate::schema::{integrations, projects, repositories, runs, tasks, watermarks};
use crate::types::Id;
use crate::work::{Ground, Read, Scope, Unfinished};

/// Runs that are looked through for unfinished slices: older cursors are rarely still good.
pub(crate) const RUNS_LOOKED_THROUGH: i64 = 5;

pub(crate) fn of(
    conn: &mut Conn,
    run: &RunRow,
    position: i32,
    step: Step,
) -> Result<Ground, Error> {
    let source = run.job_type.parse::<JobType>()?.source();
    let integrations = integrations(conn, run.client_id, source)?;
    let scopes = scopes(conn, run.client_id, source, &integrations)?;
    let unfinished = match step.is_incremental() {
        true => unfinished(conn, run, step, &scopes)?,
        false => Vec::new(),
    };
    Ok(Ground {
        step,
        source: source.into(),
        run_started_at: run.started_at.0,
        scopes,
        integrations: integrations.into_iter().map(Into::into).collect(),
        watermarks: watermarks(conn, run.client_id, step)?,
        earlier: earlier(conn, run, position)?,
        unfinished,
    })
}

fn integrations(conn: &mut Conn, client: Id, source: SourceKind) -> QueryResult<Vec<Id>> {
    integrations::table
        .filter(integrations::client_id.eq(client))
        .filter(integrations::kind.eq(source.as_str()))
        .filter(integrations::active.eq(true))
        .order(integrations::id)
        .select(integrations::id)
        .load(conn)
}

fn scopes(
    conn: &mut Conn,
    client: Id,
    source: SourceKind,
    integrations: &[Id],
) -> QueryResult<Vec<Scope>> {
    let rows: Vec<(Id, i64)> = match source {
        SourceKind::Jira => projects::table
            .filter(projects::client_id.eq(client))
            .filter(projects::integration_id.eq_any(integrations))
            .filter(projects::active.eq(true))
            .order((projects::integration_id, projects::external_id))
            .select((projects::integration_id, projects::external_id))
            .load(conn)?,
        SourceKind::Github => repositories::table
            .filter(repositories::client_id.eq(client))
            .filter(repositories::integration_id.eq_any(integrations))
            .filter(repositories::active.eq(true))
            .order((repositories::integration_id, repositories::external_id))
            .select((repositories::integration_id, repositories::external_id))
            .load(conn)?,
    };
    let scope = |(integration, id): (Id, i64)| Scope {
        integration: integration.into(),
        id: id.to_string(),
    };
    Ok(rows.into_iter().map(scope).collect())
}

fn watermarks(
    conn: &mut Conn,
    client: Id,
    step: Step,
) -> QueryResult<Vec<(Scope, domain::Moment)>> {
    let rows: Vec<WatermarkRow> = watermarks::table
        .filter(watermarks::client_id.eq(client))
        .filter(watermarks::step.eq(step.as_str()))
        .select(WatermarkRow::as_select())
        .load(conn)?;
    let read = |row: WatermarkRow| {
        (Scope { integration: row.integration_id.into(), id: row.scope }, row.read_to.0)
    };
    Ok(rows.into_iter().map(read).collect())
}

fn earlier(conn: &mut Conn, run: &RunRow, position: i32) -> Result<Vec<Read>, Error> {
    let rows: Vec<TaskRow> = tasks::table
        .filter(tasks::client_id.eq(run.client_id))
        .filter(tasks::run_id.eq(run.id))
        .filter(tasks::position.lt(position))
        .filter(tasks::state.eq(TaskState::Done.as_str()))
        .order(tasks::id)
        .select(TaskRow::as_select())
        .load(conn)?;
    let mut earlier = Vec::new();
    for row in rows {
        let Some(scope) = scope(&row) else { continue };
        earlier.push(Read {
            step: row.kind.parse()?,
            scope,
            slice: slice(&row),
            output: row.output,
        });
    }
    Ok(earlier)
}

/// Slices of scopes that were not completed by the last run that read them, whatever became of it.
fn unfinished(
    conn: &mut Conn,
    run: &RunRow,
    step: Step,
    scopes: &[Scope],
) -> QueryResult<Vec<Unfinished>> {
    let earlier_runs: Vec<Id> = runs::table
        .filter(runs::client_id.eq(run.client_id))
        .filter(runs::job_type.eq(&run.job_type))
        .filter(runs::outcome.is_not_null())
        .order((runs::started_at.desc(), runs::id.desc()))
        .limit(RUNS_LOOKED_THROUGH)
        .select(runs::id)
        .load(conn)?;
    let mut seen: HashSet<Scope> = HashSet::new();
    let mut found = Vec::new();
    for earlier in earlier_runs {
        let mut rows = tasks_of(conn, run.client_id, earlier, step)?;
        rows.retain(|row| scope(row).is_some_and(|scope| !seen.contains(&scope)));
        seen.extend(rows.iter().filter_map(scope));
        found.extend(left_open(rows, run));
        // A run that reached the step read every scope there was.
        if !seen.is_empty() && scopes.iter().all(|scope| seen.contains(scope)) {
            break;
        }
    }
    Ok(found)
}

fn tasks_of(conn: &mut Conn, client: Id, run: Id, step: Step) -> QueryResult<Vec<TaskRow>> {
    tasks::table
        .filter(tasks::client_id.eq(client))
        .filter(tasks::run_id.eq(run))
        .filter(tasks::kind.eq(step.as_str()))
        .order(tasks::id)
        .select(TaskRow::as_select())
        .load(conn)
}

/// All slices of the scopes of which one is not done.
fn left_open(rows: Vec<TaskRow>, run: &RunRow) -> Vec<Unfinished> {
    let open: HashSet<Scope> =
        rows.iter().filter(|row| row.state != TaskState::Done.as_str()).filter_map(scope).collect();
    let of_open_scope = |row: TaskRow| {
        let (scope, slice) = (scope(&row).filter(|scope| open.contains(scope))?, slice(&row));
        // Going on brought nothing: perhaps the checkpoint itself is what cannot be read.
        if row.state == TaskState::Quarantined.as_str() && row.pages == 0 {
            return Some(Unfinished {
                scope,
                slice,
                cursor: String::new(),
                begun_at: run.started_at.0,
            });
        }
        Some(Unfinished { scope, slice, cursor: row.cursor, begun_at: row.begun_at.0 })
    };
    rows.into_iter().filter_map(of_open_scope).collect()
}

fn scope(row: &TaskRow) -> Option<Scope> {
    Some(Scope { integration: row.integration_id?.into(), id: row.scope.clone() })
}

fn slice(row: &TaskRow) -> Slice {
    Slice {
        created_from: row.created_from.map(|at| at.0),
        created_to: row.created_to.map(|at| at.0),
        updated_since: row.updated_since.map(|at| at.0),
    }
}

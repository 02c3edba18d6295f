//! The tasks of a step: made, counted, ended.

use chrono::TimeDelta;
use diesel::dsl::{count_star, min, sql};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use domain::work::{Gap, Step, TaskState, WATERMARK_OVERLAP};

use super::runs::{OPEN, step_name};
use super::{Conn, rings};
use crate::Error;
use crate::models::work::{GapRow, RunRow, StepRow, TaskRow, WatermarkRow};
use crate::schema::{gaps, projects, repositories, runs, tasks, watermarks};
use crate::types::{Id, Ts};
use crate::work::Planned;

/// Tries of a task without a page in between, before it fails for good.
pub(crate) const TRIES_MAX: i32 = 5;

/// Ends of the whole process with a task in hand, without a page in between, before it is given up.
pub(crate) const CRASHES_MAX: i32 = 20;

/// Rows per statement: SQLite binds 32,766 values at most.
const CHUNK: usize = 1_000;

/// What the index of open tasks says, in its own words: of a value that is bound, SQLite does not know
/// whether the index will do, and looks through every task there ever was.
pub(crate) fn are_open() -> SqlLiteral<Bool> {
    sql("tasks.state IN ('READY', 'LEASED')")
}

/// How many tasks of a step have ended, and how.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) open: i64,
    pub(crate) done: i64,
    pub(crate) failed: i64,
}

/// Makes and rings a step's tasks, in the order in which they were planned.
pub(crate) fn add(
    conn: &mut Conn,
    step: &StepRow,
    planned: &[Planned],
    now: Ts,
) -> QueryResult<()> {
    let rows: Vec<TaskRow> = planned.iter().map(|task| new(step, task, now)).collect();
    for chunk in rows.chunks(CHUNK) {
        diesel::insert_into(tasks::table).values(chunk).execute(conn)?;
    }
    rings::add(conn, &rows, now)
}

fn new(step: &StepRow, planned: &Planned, now: Ts) -> TaskRow {
    TaskRow {
        client_id: step.client_id,
        id: Id(uuid::Uuid::now_v7()),
        run_id: Some(step.run_id),
        position: Some(step.position),
        kind: step.name.clone(),
        topic: planned.topic.as_str().to_owned(),
        integration_id: planned.integration.map(Id::from),
        scope: planned.scope.clone(),
        created_from: planned.slice.created_from.map(Ts),
        created_to: planned.slice.created_to.map(Ts),
        updated_since: planned.slice.updated_since.map(Ts),
        state: TaskState::Ready.as_str().to_owned(),
        cursor: planned.cursor.clone(),
        input: String::new(),
        output: None,
        not_before: None,
        lease_owner: None,
        lease_until: None,
        fence: 0,
        attempts: 0,
        crashes: 0,
        pages: 0,
        pages_before: 0,
        rows: 0,
        requests: 0,
        error: None,
        begun_at: Ts(planned.begun_at),
        updated_at: now,
    }
}

pub(crate) fn tally(conn: &mut Conn, step: &StepRow) -> Result<Tally, Error> {
    let counts: Vec<(String, i64)> = tasks::table
        .filter(tasks::client_id.eq(step.client_id))
        .filter(tasks::run_id.eq(step.run_id))
        .filter(tasks::position.eq(step.position))
        .group_by(tasks::state)
        .select((tasks::state, count_star()))
        .load(conn)?;
    let mut tally = Tally::default();
    for (state, count) in counts {
        match state.parse()? {
            TaskState::Ready | TaskState::Leased => tally.open += count,
            TaskState::Done => tally.done += count,
            TaskState::Failed => tally.failed += count,
            TaskState::Quarantined | TaskState::Cancelled => {}
        }
    }
    Ok(tally)
}

/// Why a step failed, in a sentence for people: what the task that failed last said, or that nothing
/// of it could be read.
pub(crate) fn why_failed(conn: &mut Conn, step: &StepRow) -> QueryResult<String> {
    let newest: Option<(String, Option<String>)> = tasks::table
        .filter(tasks::client_id.eq(step.client_id))
        .filter(tasks::run_id.eq(step.run_id))
        .filter(tasks::position.eq(step.position))
        .filter(tasks::error.is_not_null())
        .order((tasks::state.eq(TaskState::Failed.as_str()).desc(), tasks::updated_at.desc()))
        .select((tasks::state, tasks::error))
        .first(conn)
        .optional()?;
    Ok(match newest {
        Some((state, Some(reason))) if state == TaskState::Failed.as_str() => reason,
        Some((_, Some(reason))) => {
            format!("None of the {} could be read. {reason}", step_name(step))
        }
        _ => format!("None of the {} could be read.", step_name(step)),
    })
}

/// Ends every open task of a run. Whoever holds one can no longer write; cursors stay.
pub(crate) fn cancel(conn: &mut Conn, client: Id, run: Id, now: Ts) -> QueryResult<()> {
    let open = tasks::table
        .filter(tasks::client_id.eq(client))
        .filter(tasks::run_id.eq(run))
        .filter(tasks::state.eq_any(OPEN));
    diesel::update(open)
        .set((
            tasks::state.eq(TaskState::Cancelled.as_str()),
            tasks::lease_owner.eq(None::<String>),
            tasks::lease_until.eq(None::<Ts>),
            tasks::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends a task.
pub(crate) fn end(
    conn: &mut Conn,
    task: &TaskRow,
    state: TaskState,
    error: Option<&str>,
    now: Ts,
) -> QueryResult<()> {
    diesel::update(tasks::table.find((task.client_id, task.id)))
        .set((
            tasks::state.eq(state.as_str()),
            tasks::lease_owner.eq(None::<String>),
            tasks::lease_until.eq(None::<Ts>),
            tasks::not_before.eq(None::<Ts>),
            tasks::error.eq(error),
            tasks::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps what a task found out.
pub(crate) fn keep_output(conn: &mut Conn, task: &TaskRow, output: &str) -> QueryResult<()> {
    diesel::update(tasks::table.find((task.client_id, task.id)))
        .set(tasks::output.eq(output))
        .execute(conn)?;
    Ok(())
}

/// Makes a task free to be taken from `not_before` on.
pub(crate) fn free(
    conn: &mut Conn,
    task: &TaskRow,
    not_before: Option<Ts>,
    attempts: i32,
    now: Ts,
) -> QueryResult<()> {
    diesel::update(tasks::table.find((task.client_id, task.id)))
        .set((
            tasks::state.eq(TaskState::Ready.as_str()),
            tasks::lease_owner.eq(None::<String>),
            tasks::lease_until.eq(None::<Ts>),
            tasks::not_before.eq(not_before),
            tasks::attempts.eq(attempts),
            tasks::crashes.eq(crashes(task)),
            tasks::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// How often the process ended with a task in hand.
pub(crate) fn note_crashes(conn: &mut Conn, task: &TaskRow, crashes: i32) -> QueryResult<()> {
    diesel::update(tasks::table.find((task.client_id, task.id)))
        .set(tasks::crashes.eq(crashes))
        .execute(conn)?;
    Ok(())
}

/// How often it did so since the last page that was kept.
pub(crate) fn crashes(task: &TaskRow) -> i32 {
    if task.pages > task.pages_before { 0 } else { task.crashes }
}

/// The number of this failed try: tries count from the last page that was kept.
pub(crate) fn tries(task: &TaskRow) -> i32 {
    if task.pages > task.pages_before { 1 } else { task.attempts + 1 }
}

/// When a task is tried again after so many tries.
pub(crate) fn next_try(tries: i32, now: Ts) -> Ts {
    let doublings = u32::try_from(tries.clamp(1, TRIES_MAX)).expect("clamped to a small number");
    Ts(now.0 + TimeDelta::seconds(1 << doublings))
}

/// Keeps what a run could not read.
pub(crate) fn keep_gaps(conn: &mut Conn, task: &TaskRow, found: &[Gap]) -> QueryResult<()> {
    let Some(run_id) = task.run_id else { return Ok(()) };
    for gap in found {
        diesel::insert_into(gaps::table)
            .values(GapRow {
                client_id: task.client_id,
                run_id,
                scope: gap.scope.clone(),
                reason: gap.reason.clone(),
                task_id: task.id,
            })
            .on_conflict_do_nothing()
            .execute(conn)?;
    }
    Ok(())
}

/// Moves the watermark of a task's scope, once every task of that scope in the step is done.
pub(crate) fn move_watermark(conn: &mut Conn, task: &TaskRow) -> Result<(), Error> {
    let (Some(run), Some(integration_id)) = (task.run_id, task.integration_id) else {
        return Ok(());
    };
    if !task.kind.parse::<Step>()?.is_incremental() {
        return Ok(());
    }
    let of_scope = tasks::table
        .filter(tasks::client_id.eq(task.client_id))
        .filter(tasks::run_id.eq(run))
        .filter(tasks::position.eq(task.position))
        .filter(tasks::integration_id.eq(integration_id))
        .filter(tasks::scope.eq(&task.scope));
    let others: i64 =
        of_scope.filter(tasks::state.ne(TaskState::Done.as_str())).count().get_result(conn)?;
    if others > 0 {
        return Ok(());
    }
    // An adopted slice was begun in an earlier run, and the source's clock may be behind ours: what
    // changed since then was not seen.
    let begun: Option<Ts> = of_scope.select(min(tasks::begun_at)).first(conn)?;
    let started: Ts =
        runs::table.find((task.client_id, run)).select(runs::started_at).first(conn)?;
    let begun = begun.map_or(started, |begun| begun.min(started));
    let row = WatermarkRow {
        client_id: task.client_id,
        integration_id,
        step: task.kind.clone(),
        scope: task.scope.clone(),
        read_to: Ts(begun.0 - WATERMARK_OVERLAP),
    };
    Ok(put_watermark(conn, &row)?)
}

pub(crate) fn put_watermark(conn: &mut Conn, row: &WatermarkRow) -> QueryResult<()> {
    diesel::insert_into(watermarks::table)
        .values(row)
        .on_conflict((
            watermarks::client_id,
            watermarks::integration_id,
            watermarks::step,
            watermarks::scope,
        ))
        .do_update()
        .set(watermarks::read_to.eq(row.read_to))
        .execute(conn)?;
    Ok(())
}

/// What people call a task's scope: a project's key, a repository's full name, or the step.
pub(crate) fn scope_name(conn: &mut Conn, task: &TaskRow) -> QueryResult<String> {
    let step = task.kind.replace('_', " ");
    let (Some(integration), Ok(external_id)) = (task.integration_id, task.scope.parse::<i64>())
    else {
        return Ok(if task.scope.is_empty() { step } else { task.scope.clone() });
    };
    let key = (task.client_id, integration, external_id);
    let project: Option<String> =
        projects::table.find(key).select(projects::key).first(conn).optional()?;
    let repository: Option<String> =
        repositories::table.find(key).select(repositories::full_name).first(conn).optional()?;
    let is_jira = task.topic == domain::work::Topic::Jira.as_str();
    let name = if is_jira { project.or(repository) } else { repository.or(project) };
    Ok(name.map_or_else(|| task.scope.clone(), |name| format!("{name} {step}")))
}

/// The task with this id, and its run if it has one.
pub(crate) fn find(conn: &mut Conn, task: Id) -> QueryResult<Option<(TaskRow, Option<RunRow>)>> {
    let found: Option<TaskRow> = tasks::table
        .filter(tasks::id.eq(task))
        .select(TaskRow::as_select())
        .first(conn)
        .optional()?;
    let Some(task) = found else { return Ok(None) };
    let run = match task.run_id {
        Some(run) => {
            Some(runs::table.find((task.client_id, run)).select(RunRow::as_select()).first(conn)?)
        }
        None => None,
    };
    Ok(Some((task, run)))
}

//! Tasks that were put aside: to look at, and to do again.

use std::collections::HashMap;

use diesel::prelude::*;
use domain::job::{JobEvent, JobType};
use domain::work::{StepState, TaskState, Trigger};

use super::{Conn, jobs, people, rings, tasks};
use crate::Error;
use crate::jobs::Aside;
use crate::models::work::{JobRow, RunRow, TaskRow};
use crate::schema::{gaps, runs, steps, tasks as tasks_table};
use crate::types::{Id, Ts};

/// Does a task again: at once while its step is under way, else by a new run of its job, which goes on
/// where the task ended.
pub(crate) fn replay(
    conn: &mut Conn,
    client: Id,
    run: Id,
    task: Id,
    now: Ts,
) -> Result<JobRow, Error> {
    let held = jobs::hold(conn, client)?;
    let of_run: Option<String> =
        runs::table.find((client, run)).select(runs::job_type).first(conn).optional()?;
    let job_type: JobType = of_run.ok_or(Error::Missing { noun: "run" })?.parse()?;
    let found = tasks_table::table
        .find((client, task))
        .filter(tasks_table::run_id.eq(run))
        .select(TaskRow::as_select());
    let task: TaskRow = found.first(conn).optional()?.ok_or(Error::Missing { noun: "task" })?;
    if task.state != TaskState::Quarantined.as_str() {
        return Err(Error::NotReplayable {
            why: "Only a task that was put aside can be done again.",
        });
    }
    if let Some(job) = held.job_of(run) {
        if !is_under_way(conn, &task)? {
            let why = "Its run has gone on without it. Do it again when the run is over.";
            return Err(Error::NotReplayable { why });
        }
        reopen(conn, &task, now)?;
        return Ok(job);
    }
    let mut job = held.job(job_type)?;
    people::start(conn, &mut job, JobEvent::Run, Trigger::Manual, now)?;
    super::events::tell_status(conn, &job, now)?;
    Ok(job)
}

fn is_under_way(conn: &mut Conn, task: &TaskRow) -> QueryResult<bool> {
    let (Some(run), Some(position)) = (task.run_id, task.position) else { return Ok(false) };
    let status: String =
        steps::table.find((task.client_id, run, position)).select(steps::status).first(conn)?;
    Ok(status == StepState::Running.as_str())
}

fn reopen(conn: &mut Conn, task: &TaskRow, now: Ts) -> QueryResult<()> {
    let told = gaps::table
        .filter(gaps::client_id.eq(task.client_id))
        .filter(gaps::task_id.eq(task.id))
        .filter(gaps::reason.eq(task.error.as_deref().unwrap_or_default()));
    diesel::delete(told).execute(conn)?;
    tasks::free(conn, task, None, 0, now)?;
    diesel::update(tasks_table::table.find((task.client_id, task.id)))
        .set(tasks_table::error.eq(None::<String>))
        .execute(conn)?;
    rings::of_task(conn, task, now)
}

/// What was put aside in runs of one client.
pub(crate) fn aside(conn: &mut Conn, of: &[RunRow]) -> Result<HashMap<Id, Vec<Aside>>, Error> {
    let Some(client) = of.first().map(|run| run.client_id) else { return Ok(HashMap::new()) };
    let ids: Vec<Id> = of.iter().map(|run| run.id).collect();
    let rows: Vec<TaskRow> = tasks_table::table
        .filter(tasks_table::client_id.eq(client))
        .filter(tasks_table::run_id.eq_any(ids))
        .filter(tasks_table::state.eq(TaskState::Quarantined.as_str()))
        .order(tasks_table::id)
        .select(TaskRow::as_select())
        .load(conn)?;
    let mut by_run: HashMap<Id, Vec<Aside>> = HashMap::new();
    for row in rows {
        let Some(run) = row.run_id else { continue };
        by_run.entry(run).or_default().push(Aside {
            task: row.id.into(),
            step: row.kind.parse()?,
            scope: tasks::scope_name(conn, &row)?,
            reason: row.error.unwrap_or_default(),
        });
    }
    Ok(by_run)
}

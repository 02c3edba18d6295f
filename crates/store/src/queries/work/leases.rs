//! Tasks in the hands of workers.

use diesel::prelude::*;
use domain::job::JobState;
use domain::work::{Fence, Gap, Slice, Task, TaskState};

use super::{Conn, events, jobs, rings, runs, tasks};
use crate::Error;
use crate::models::work::{RunRow, TaskRow};
use crate::schema::{jobs as jobs_table, tasks as tasks_table};
use crate::types::{Id, Ts};
use crate::work::{Lease, Planner, Release, Standing};

pub(crate) fn begin(
    conn: &mut Conn,
    task: Id,
    worker: &str,
    until: Ts,
    now: Ts,
) -> Result<Option<Lease>, Error> {
    let Some((row, run)) = tasks::find(conn, task)? else { return Ok(None) };
    if let Some(run) = &run
        && job_state(conn, run.client_id, run.id)? != Some(JobState::Running)
    {
        return Ok(None);
    }
    let is_held = row.lease_until.is_some_and(|until| until > now);
    if is_held && row.lease_owner.as_deref() == Some(worker) {
        // The answer was lost on its way, and this one asks again.
        let until = row.lease_until.unwrap_or(until);
        return lease(row, run, until).map(Some);
    }
    let parked = tasks_table::not_before.gt(now).assume_not_null();
    let is_ready = tasks_table::state
        .eq(TaskState::Ready.as_str())
        .and(tasks_table::not_before.is_null().or(diesel::dsl::not(parked)));
    let has_run_out = tasks_table::state
        .eq(TaskState::Leased.as_str())
        .and(tasks_table::lease_until.le(now).assume_not_null());
    let tries =
        if row.state == TaskState::Leased.as_str() { tasks::tries(&row) } else { row.attempts };
    if tries >= tasks::TRIES_MAX {
        return Ok(None); // The sweeper puts it aside.
    }
    let free = tasks_table::table
        .find((row.client_id, row.id))
        .filter(tasks_table::fence.eq(row.fence))
        .filter(is_ready.or(has_run_out));
    let leased: Option<TaskRow> = diesel::update(free)
        .set((
            tasks_table::state.eq(TaskState::Leased.as_str()),
            tasks_table::fence.eq(tasks_table::fence + 1),
            tasks_table::lease_owner.eq(worker),
            tasks_table::lease_until.eq(until),
            tasks_table::not_before.eq(None::<Ts>),
            tasks_table::attempts.eq(tries),
            tasks_table::pages_before.eq(tasks_table::pages),
            tasks_table::updated_at.eq(now),
        ))
        .returning(TaskRow::as_returning())
        .get_result(conn)
        .optional()?;
    leased.map(|task| lease(task, run, until)).transpose()
}

fn lease(row: TaskRow, run: Option<RunRow>, until: Ts) -> Result<Lease, Error> {
    let fence = Fence { task: row.id.into(), number: row.fence };
    let task = Task {
        id: row.id.into(),
        client: row.client_id.into(),
        run: row.run_id.map(Into::into),
        kind: row.kind.parse()?,
        integration: row.integration_id.map(Into::into),
        scope: row.scope,
        slice: Slice {
            created_from: row.created_from.map(|at| at.0),
            created_to: row.created_to.map(|at| at.0),
            updated_since: row.updated_since.map(|at| at.0),
        },
        cursor: row.cursor,
        input: row.input,
        run_started_at: run.map_or(row.begun_at.0, |run| run.started_at.0),
    };
    Ok(Lease { task, fence, until: until.0 })
}

pub(crate) fn renew(conn: &mut Conn, task: Id, fence: i64, until: Ts) -> QueryResult<bool> {
    let held = tasks_table::table
        .filter(tasks_table::id.eq(task))
        .filter(tasks_table::fence.eq(fence))
        .filter(tasks_table::state.eq(TaskState::Leased.as_str()));
    let renewed = diesel::update(held).set(tasks_table::lease_until.eq(until)).execute(conn)?;
    Ok(renewed > 0)
}

/// Lets a lease run out at `until`, unless it was renewed since it was to last until `seen`.
pub(crate) fn shorten(
    conn: &mut Conn,
    task: Id,
    fence: i64,
    seen: Ts,
    until: Ts,
) -> QueryResult<bool> {
    let as_seen = tasks_table::table
        .filter(tasks_table::id.eq(task))
        .filter(tasks_table::fence.eq(fence))
        .filter(tasks_table::state.eq(TaskState::Leased.as_str()))
        .filter(tasks_table::lease_until.eq(seen));
    let shortened =
        diesel::update(as_seen).set(tasks_table::lease_until.eq(until)).execute(conn)?;
    Ok(shortened > 0)
}

pub(crate) fn standing(conn: &mut Conn, task: Id) -> Result<Standing, Error> {
    let found: Option<(Id, Option<Id>, String, i64)> = tasks_table::table
        .filter(tasks_table::id.eq(task))
        .select((
            tasks_table::client_id,
            tasks_table::run_id,
            tasks_table::state,
            tasks_table::fence,
        ))
        .first(conn)
        .optional()?;
    let (client, run, state, fence) = found.ok_or(Error::Missing { noun: "task" })?;
    let job = match run {
        Some(run) => job_state(conn, client, run)?,
        None => None,
    };
    Ok(Standing { client: client.into(), task: state.parse()?, fence, job, has_run: run.is_some() })
}

/// The state of the job whose live run this is.
fn job_state(conn: &mut Conn, client: Id, run: Id) -> Result<Option<JobState>, Error> {
    let state: Option<String> = jobs_table::table
        .filter(jobs_table::client_id.eq(client))
        .filter(jobs_table::run_id.eq(run))
        .select(jobs_table::status)
        .first(conn)
        .optional()?;
    state.map(|state| state.parse().map_err(Error::from)).transpose()
}

pub(crate) fn finish(
    conn: &mut Conn,
    fence: Fence,
    gaps: &[Gap],
    output: &str,
    plan: Planner,
    now: Ts,
) -> Result<Id, Error> {
    let (task, held) = match hold(conn, fence)? {
        Grip::Held(task, held) => (task, held),
        Grip::Done(client) => return Ok(client),
    };
    tasks::keep_gaps(conn, &task, gaps)?;
    if !output.is_empty() {
        tasks::keep_output(conn, &task, output)?;
    }
    tasks::end(conn, &task, TaskState::Done, None, now)?;
    if task.run_id.is_some() {
        tasks::move_watermark(conn, &task)?;
        go_on(conn, &task, &held, plan, now)?;
    }
    Ok(task.client_id)
}

pub(crate) fn release(
    conn: &mut Conn,
    fence: Fence,
    release: &Release,
    plan: Planner,
    now: Ts,
) -> Result<Id, Error> {
    let (task, held) = match hold(conn, fence)? {
        Grip::Held(task, held) => (task, held),
        Grip::Done(client) => return Ok(client),
    };
    let attempts = if task.pages > task.pages_before { 0 } else { task.attempts };
    match release {
        Release::Paused | Release::Yielded => {
            tasks::free(conn, &task, None, attempts, now)?;
            rings::of_task(conn, &task, now)?;
        }
        Release::Waiting { until } if task.run_id.is_none() => {
            let reason = format!("The quota is used up until {}.", until.format("%H:%M:%S UTC"));
            fail(conn, &task, &reason, now)?;
        }
        Release::Waiting { until } => tasks::free(conn, &task, Some(Ts(*until)), attempts, now)?,
        // What lies with the source ends the run, so that the retry comes; what lies with one task is
        // put aside.
        Release::Failed { detail, not_before } => {
            let not_before = not_before.map(Ts);
            failed(conn, &task, not_before, |conn| fail(conn, &task, detail, now), now)?;
        }
        Release::Broken { detail } => {
            failed(conn, &task, None, |conn| quarantine(conn, &task, detail, now), now)?;
        }
        Release::Fatal { detail } => fail(conn, &task, detail, now)?,
        Release::Unreadable { detail } => quarantine(conn, &task, detail, now)?,
    }
    go_on(conn, &task, &held, plan, now)?;
    Ok(task.client_id)
}

/// A try failed: the next one comes later, unless it was the last. Somebody is waiting for a probe,
/// so it has one try.
fn failed(
    conn: &mut Conn,
    task: &TaskRow,
    not_before: Option<Ts>,
    give_up: impl FnOnce(&mut Conn) -> QueryResult<()>,
    now: Ts,
) -> QueryResult<()> {
    let tries = tasks::tries(task);
    if tries >= tasks::TRIES_MAX || task.run_id.is_none() {
        return give_up(conn);
    }
    let next_try = tasks::next_try(tries, now);
    tasks::free(conn, task, Some(next_try.max(not_before.unwrap_or(next_try))), tries, now)
}

fn fail(conn: &mut Conn, task: &TaskRow, reason: &str, now: Ts) -> QueryResult<()> {
    tasks::end(conn, task, TaskState::Failed, Some(reason), now)
}

/// Puts a task aside: the run goes on without it, and says so. A probe has no run.
fn quarantine(conn: &mut Conn, task: &TaskRow, reason: &str, now: Ts) -> QueryResult<()> {
    if task.run_id.is_none() {
        return tasks::end(conn, task, TaskState::Failed, Some(reason), now);
    }
    let scope = tasks::scope_name(conn, task)?;
    tasks::keep_gaps(conn, task, &[Gap { scope, reason: reason.to_owned() }])?;
    tasks::end(conn, task, TaskState::Quarantined, Some(reason), now)
}

pub(crate) fn expired(conn: &mut Conn, now: Ts) -> QueryResult<Vec<Fence>> {
    let run_out: Vec<(Id, i64)> = tasks_table::table
        .filter(tasks::are_open())
        .filter(tasks_table::state.eq(TaskState::Leased.as_str()))
        .filter(tasks_table::lease_until.le(now))
        .order(tasks_table::lease_until)
        .limit(200)
        .select((tasks_table::id, tasks_table::fence))
        .load(conn)?;
    Ok(run_out.into_iter().map(|(task, number)| Fence { task: task.into(), number }).collect())
}

pub(crate) fn expire(
    conn: &mut Conn,
    fence: Fence,
    plan: Planner,
    now: Ts,
) -> Result<Option<Id>, Error> {
    let (task, held) = match hold(conn, fence) {
        Ok(Grip::Held(task, held)) => (task, held),
        Ok(Grip::Done(_)) | Err(Error::LostLease { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    if task.lease_until.is_some_and(|until| until > now) {
        return Ok(None); // Renewed meanwhile.
    }
    let tries = tasks::tries(&task);
    if tries >= tasks::TRIES_MAX {
        let reason = format!("A worker was lost {tries} times while it worked on this.");
        quarantine(conn, &task, &reason, now)?;
    } else {
        tasks::free(conn, &task, None, tries, now)?;
        rings::of_task(conn, &task, now)?;
    }
    go_on(conn, &task, &held, plan, now)?;
    Ok(Some(task.client_id))
}

/// Tasks in the hands of workers.
pub(crate) fn held(conn: &mut Conn) -> QueryResult<Vec<Fence>> {
    let held: Vec<(Id, i64)> = tasks_table::table
        .filter(tasks::are_open())
        .filter(tasks_table::state.eq(TaskState::Leased.as_str()))
        .order(tasks_table::id)
        .select((tasks_table::id, tasks_table::fence))
        .load(conn)?;
    Ok(held.into_iter().map(|(task, number)| Fence { task: task.into(), number }).collect())
}

/// The process ended with the task in hand. Others in its hands were no cause of that, so it takes
/// more such ends than failed tries to give one up.
pub(crate) fn take_back(
    conn: &mut Conn,
    fence: Fence,
    plan: Planner,
    now: Ts,
) -> Result<(), Error> {
    let Grip::Held(task, held) = hold(conn, fence)? else { return Ok(()) };
    let crashes = tasks::crashes(&task) + 1;
    if crashes >= tasks::CRASHES_MAX {
        let reason = format!("The process ended {crashes} times while it worked on this.");
        tasks::end(conn, &task, TaskState::Failed, Some(&reason), now)?;
    } else {
        tasks::free(conn, &task, None, task.attempts, now)?;
        tasks::note_crashes(conn, &task, crashes)?;
    }
    go_on(conn, &task, &held, plan, now)
}

/// What a fence gives a grip on.
enum Grip {
    /// The task, and the jobs of its client.
    Held(Box<TaskRow>, jobs::Held),
    /// This lease already ended in success; the answer was lost on its way.
    Done(Id),
}

/// Holds the client's jobs and the task, if `fence` is its newest lease.
fn hold(conn: &mut Conn, fence: Fence) -> Result<Grip, Error> {
    let lost = || Error::LostLease { task: fence.task };
    let client: Option<Id> = tasks_table::table
        .filter(tasks_table::id.eq(Id::from(fence.task)))
        .select(tasks_table::client_id)
        .first(conn)
        .optional()?;
    let held = jobs::hold(conn, client.ok_or_else(lost)?)?;
    let (task, _) = tasks::find(conn, fence.task.into())?.ok_or_else(lost)?;
    match task.state.parse()? {
        TaskState::Leased if task.fence == fence.number => {}
        TaskState::Done if task.fence == fence.number => return Ok(Grip::Done(task.client_id)),
        _ => return Err(lost()),
    }
    // A page may be under way: its transaction holds the row until it is kept.
    let still_leased = tasks_table::table
        .find((task.client_id, task.id))
        .filter(tasks_table::fence.eq(fence.number))
        .filter(tasks_table::state.eq(TaskState::Leased.as_str()))
        .select(TaskRow::as_select());
    let task = super::locked!(still_leased).first(conn).optional()?.ok_or_else(lost)?;
    Ok(Grip::Held(Box::new(task), held))
}

/// Something about a task changed: its run may go on.
fn go_on(
    conn: &mut Conn,
    task: &TaskRow,
    held: &jobs::Held,
    plan: Planner,
    now: Ts,
) -> Result<(), Error> {
    let Some(mut job) = task.run_id.and_then(|run| held.job_of(run)) else { return Ok(()) };
    if runs::advance(conn, &mut job, plan, now)? {
        events::tell_status(conn, &job, now)?;
    }
    Ok(())
}

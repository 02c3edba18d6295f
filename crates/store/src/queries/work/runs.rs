//! Runs: they start, go from step to step, and end.

use chrono::TimeDelta;
use diesel::prelude::*;
use domain::job::{JobEvent, JobState, JobType};
use domain::work::{Outcome, Step, StepState, TaskState, Trigger};

use super::super::changes;
use super::{Conn, ground, jobs, people, rings, tasks};
use crate::Error;
use crate::models::work::{JobRow, RunRow, StepRow};
use crate::schema::{runs, steps};
use crate::types::{Id, Ts};
use crate::work::Planner;

/// Starts a run of a job that has just got the running slot.
pub(crate) fn start(conn: &mut Conn, job: &mut JobRow, now: Ts) -> Result<(), Error> {
    let id = Id(uuid::Uuid::now_v7());
    let trigger = job.pending_trigger.take().unwrap_or_else(|| Trigger::Manual.as_str().to_owned());
    diesel::insert_into(runs::table)
        .values(RunRow {
            client_id: job.client_id,
            id,
            job_type: job.job_type.clone(),
            trigger,
            attempt: job.attempt,
            outcome: None,
            started_at: now,
            finished_at: None,
            error: None,
        })
        .execute(conn)?;
    let names = job.job_type.parse::<JobType>()?.steps();
    let rows: Vec<StepRow> = (0..)
        .zip(names)
        .map(|(position, step)| StepRow {
            client_id: job.client_id,
            run_id: id,
            position,
            name: step.as_str().to_owned(),
            status: StepState::Pending.as_str().to_owned(),
        })
        .collect();
    diesel::insert_into(steps::table).values(&rows).execute(conn)?;
    job.run_id = Some(id);
    job.last_run_id = Some(id);
    job.error = None;
    Ok(())
}

/// A job has got the running slot back: what waits is rung, and what ended meanwhile is counted.
pub(crate) fn carry_on(
    conn: &mut Conn,
    job: &mut JobRow,
    plan: Planner,
    now: Ts,
) -> Result<(), Error> {
    let run = current(conn, job)?;
    rings::of_run(conn, run.client_id, run.id, now)?;
    advance(conn, job, plan, now)?;
    Ok(())
}

/// Takes a running job's run as far as it can go: ends the steps whose tasks have all ended, plans
/// the next one with those that go beside it, and finishes the run after the last. Counts rows and
/// believes nothing else. Tells whether the job changed its state.
pub(crate) fn advance(
    conn: &mut Conn,
    job: &mut JobRow,
    plan: Planner,
    now: Ts,
) -> Result<bool, Error> {
    if job.status != JobState::Running.as_str() {
        return Ok(false);
    }
    let run = current(conn, job)?;
    let of_run: Vec<StepRow> = steps::table
        .filter(steps::client_id.eq(run.client_id))
        .filter(steps::run_id.eq(run.id))
        .order(steps::position)
        .select(StepRow::as_select())
        .load(conn)?;
    let mut under_way = false;
    for step in &of_run {
        if under_way && !step.name.parse::<Step>()?.is_beside_the_one_before() {
            return Ok(false);
        }
        match step.status.parse()? {
            StepState::Done | StepState::Skipped => {}
            StepState::Failed => return Ok(false),
            StepState::Pending => under_way |= begin_step(conn, &run, step, plan, now)?,
            StepState::Running => {
                let tally = tasks::tally(conn, step)?;
                if tally.failed > 0 || (tally.open == 0 && tally.done == 0) {
                    fail(conn, job, step, now)?;
                    return Ok(true);
                }
                match tally.open {
                    0 => set_step(conn, step, StepState::Done)?,
                    _ => under_way = true,
                }
            }
        }
    }
    if under_way {
        return Ok(false);
    }
    finish(conn, job, &run, now)?;
    Ok(true)
}

/// Plans a step. Tells whether there is anything to do in it.
fn begin_step(
    conn: &mut Conn,
    run: &RunRow,
    step: &StepRow,
    plan: Planner,
    now: Ts,
) -> Result<bool, Error> {
    let name: Step = step.name.parse()?;
    let planned = plan(&ground::of(conn, run, step.position, name)?);
    if planned.is_empty() {
        set_step(conn, step, StepState::Skipped)?;
        return Ok(false);
    }
    tasks::add(conn, step, &planned, now)?;
    set_step(conn, step, StepState::Running)?;
    Ok(true)
}

fn finish(conn: &mut Conn, job: &mut JobRow, run: &RunRow, now: Ts) -> Result<(), Error> {
    end(conn, run.client_id, run.id, Outcome::Finished, None, now)?;
    changes::note_if_behind(conn, run.client_id)?;
    job.run_id = None;
    job.pending_since = None;
    job.attempt = 0;
    job.retry_at = None;
    job.last_success_at = Some(now);
    job.error = None;
    jobs::take(conn, job, JobEvent::StepsDone)
}

/// Ends a run whose step failed for good, and says when the next try is.
fn fail(conn: &mut Conn, job: &mut JobRow, step: &StepRow, now: Ts) -> Result<(), Error> {
    let reason = tasks::why_failed(conn, step)?;
    give_up_steps(conn, step.client_id, step.run_id)?;
    set_step(conn, step, StepState::Failed)?;
    tasks::cancel(conn, step.client_id, step.run_id, now)?;
    end(conn, step.client_id, step.run_id, Outcome::Error, Some(&reason), now)?;
    job.run_id = None;
    job.pending_since = None;
    job.retry_at = next_try(conn, job, now)?;
    job.error = Some(reason);
    jobs::take(conn, job, JobEvent::StepFailed)
}

fn next_try(conn: &mut Conn, job: &JobRow, now: Ts) -> QueryResult<Option<Ts>> {
    let Some(schedule) = people::schedule(conn, job.client_id)? else { return Ok(None) };
    if !schedule.retry_enabled || job.attempt >= schedule.retry_max_attempts {
        return Ok(None);
    }
    let interval = TimeDelta::minutes(i64::from(schedule.retry_interval_minutes));
    Ok(Some(Ts(now.0 + interval)))
}

/// Ends a job's run at once, if it has one. Its tasks keep their cursors.
pub(crate) fn stop(conn: &mut Conn, job: &mut JobRow, now: Ts) -> Result<(), Error> {
    if let Some(run) = job.run_id.take() {
        tasks::cancel(conn, job.client_id, run, now)?;
        give_up_steps(conn, job.client_id, run)?;
        end(conn, job.client_id, run, Outcome::Stopped, None, now)?;
    }
    job.pending_since = None;
    job.pending_trigger = None;
    job.attempt = 0;
    job.retry_at = None;
    jobs::take(conn, job, JobEvent::ForceStop)
}

fn end(
    conn: &mut Conn,
    client: Id,
    run: Id,
    outcome: Outcome,
    error: Option<&str>,
    now: Ts,
) -> QueryResult<()> {
    diesel::update(runs::table.find((client, run)))
        .set((runs::outcome.eq(outcome.as_str()), runs::finished_at.eq(now), runs::error.eq(error)))
        .execute(conn)?;
    Ok(())
}

/// Steps that are under way were not reached, as far as anybody will tell.
fn give_up_steps(conn: &mut Conn, client: Id, run: Id) -> QueryResult<()> {
    let under_way = steps::table
        .filter(steps::client_id.eq(client))
        .filter(steps::run_id.eq(run))
        .filter(steps::status.eq(StepState::Running.as_str()));
    diesel::update(under_way).set(steps::status.eq(StepState::Pending.as_str())).execute(conn)?;
    Ok(())
}

fn set_step(conn: &mut Conn, step: &StepRow, state: StepState) -> QueryResult<()> {
    diesel::update(steps::table.find((step.client_id, step.run_id, step.position)))
        .set(steps::status.eq(state.as_str()))
        .execute(conn)?;
    Ok(())
}

/// The run that is under way.
fn current(conn: &mut Conn, job: &JobRow) -> Result<RunRow, Error> {
    let run = job.run_id.ok_or_else(|| Error::Corrupt {
        noun: "job",
        reason: format!("it is {} without a run", job.status),
    })?;
    Ok(runs::table.find((job.client_id, run)).select(RunRow::as_select()).first(conn)?)
}

/// The name of a step, for sentences.
pub(crate) fn step_name(step: &StepRow) -> String {
    step.name.replace('_', " ")
}

/// The states in which a task has not ended.
pub(crate) const OPEN: [&str; 2] = [TaskState::Ready.as_str(), TaskState::Leased.as_str()];

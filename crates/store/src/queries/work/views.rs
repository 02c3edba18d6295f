//! Jobs and runs as people see them.

use std::collections::HashMap;

use diesel::dsl::{count_star, min, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use domain::job::{JobState, JobType};
use domain::progress::StepProgress;
use domain::work::{Gap, TaskState};

use super::{Conn, events, people, replays};
use crate::Error;
use crate::jobs::{JobView, RunView};
use crate::models::work::{GapRow, JobRow, RunRow, StepRow};
use crate::schema::{gaps, jobs, runs, steps, tasks};
use crate::types::{Id, Ts};

pub(crate) fn jobs(conn: &mut Conn, client: Id, now: Ts) -> Result<Vec<JobView>, Error> {
    let rows: Vec<JobRow> = jobs::table
        .filter(jobs::client_id.eq(client))
        .order(jobs::job_type.desc())
        .select(JobRow::as_select())
        .load(conn)?;
    rows.iter().map(|row| view(conn, row, now)).collect()
}

pub(crate) fn job(
    conn: &mut Conn,
    client: Id,
    job_type: JobType,
    now: Ts,
) -> Result<JobView, Error> {
    let row: Option<JobRow> = jobs::table
        .find((client, job_type.as_str()))
        .select(JobRow::as_select())
        .first(conn)
        .optional()?;
    view(conn, &row.ok_or(Error::Missing { noun: "job" })?, now)
}

/// A job with its current or last run.
pub(crate) fn view(conn: &mut Conn, job: &JobRow, now: Ts) -> Result<JobView, Error> {
    let state: JobState = job.status.parse()?;
    let run: Option<RunRow> = match job.last_run_id {
        Some(run) => runs::table
            .find((job.client_id, run))
            .select(RunRow::as_select())
            .first(conn)
            .optional()?,
        None => None,
    };
    let mut counts = match &run {
        Some(run) => counts(conn, std::slice::from_ref(run))?,
        None => HashMap::new(),
    };
    let counts = run.as_ref().and_then(|run| counts.remove(&run.id)).unwrap_or_default();
    let live = run.as_ref().filter(|_| state == JobState::Running);
    let pace = match live {
        Some(run) => pace(conn, run)?,
        None => Pace::default(),
    };
    let waiting_until = match live {
        Some(run) => waiting_until(conn, run, now)?.map(|at| at.0),
        None => None,
    };
    Ok(JobView {
        job_type: job.job_type.parse()?,
        state,
        version: job.version,
        active: job.active,
        leased: if state.is_live() { counts.leased } else { 0 },
        steps: counts.steps,
        rows_per_second: pace.rows_per_second,
        eta_seconds: pace.eta_seconds,
        waiting_until,
        next_run_at: next_run_at(conn, job, state)?.map(|at| at.0),
        last_run: job.last_run_id.map(Into::into),
        run_started_at: run.map(|run| run.started_at.0),
        last_success_at: job.last_success_at.map(|at| at.0),
        error: job.error.clone(),
    })
}

/// How fast a run goes, as it was last told.
#[derive(Default)]
struct Pace {
    rows_per_second: Option<f64>,
    eta_seconds: Option<u64>,
}

fn pace(conn: &mut Conn, run: &RunRow) -> Result<Pace, Error> {
    let Some(body) = events::newest_progress(conn, run.client_id, run.id)? else {
        return Ok(Pace::default());
    };
    let body: serde_json::Value = serde_json::from_str(&body.0)
        .map_err(|e| Error::Corrupt { noun: "event", reason: e.to_string() })?;
    Ok(Pace {
        rows_per_second: body["rows_per_second"].as_f64(),
        eta_seconds: body["eta_seconds"].as_u64(),
    })
}

/// When work goes on, if every open task of the run is parked.
fn waiting_until(conn: &mut Conn, run: &RunRow, now: Ts) -> QueryResult<Option<Ts>> {
    let of_run =
        tasks::table.filter(tasks::client_id.eq(run.client_id)).filter(tasks::run_id.eq(run.id));
    let can_be_taken = tasks::not_before.is_null().or(tasks::not_before.le(now).assume_not_null());
    let is_ready = tasks::state.eq(TaskState::Ready.as_str());
    let at_work = of_run
        .filter(tasks::state.eq(TaskState::Leased.as_str()).or(is_ready.and(can_be_taken)))
        .select(tasks::id)
        .first::<Id>(conn)
        .optional()?;
    if at_work.is_some() {
        return Ok(None);
    }
    of_run.filter(is_ready).select(min(tasks::not_before)).first(conn)
}

fn next_run_at(conn: &mut Conn, job: &JobRow, state: JobState) -> QueryResult<Option<Ts>> {
    if state.is_live() || state == JobState::Pending {
        return Ok(None);
    }
    let cycle = people::schedule(conn, job.client_id)?
        .filter(|schedule| schedule.enabled && job.active)
        .map(|schedule| schedule.next_due_at);
    Ok([cycle, job.retry_at].into_iter().flatten().min())
}

pub(crate) fn runs(
    conn: &mut Conn,
    client: Id,
    job_type: JobType,
    after: Option<(Ts, Id)>,
    limit: i64,
) -> Result<Vec<RunView>, Error> {
    let mut newest_first = runs::table
        .filter(runs::client_id.eq(client))
        .filter(runs::job_type.eq(job_type.as_str()))
        .order((runs::started_at.desc(), runs::id.desc()))
        .limit(limit)
        .select(RunRow::as_select())
        .into_boxed();
    if let Some((started_at, id)) = after {
        let older = runs::started_at.lt(started_at);
        let same_moment = runs::started_at.eq(started_at).and(runs::id.lt(id));
        newest_first = newest_first.filter(older.or(same_moment));
    }
    let rows: Vec<RunRow> = newest_first.load(conn)?;
    views(conn, rows)
}

pub(crate) fn run(conn: &mut Conn, client: Id, run: Id) -> Result<RunView, Error> {
    let row: Option<RunRow> =
        runs::table.find((client, run)).select(RunRow::as_select()).first(conn).optional()?;
    let row = row.ok_or(Error::Missing { noun: "run" })?;
    views(conn, vec![row])?.pop().ok_or(Error::Missing { noun: "run" })
}

fn views(conn: &mut Conn, rows: Vec<RunRow>) -> Result<Vec<RunView>, Error> {
    let mut counts = counts(conn, &rows)?;
    let mut gaps = gaps(conn, &rows)?;
    let mut aside = replays::aside(conn, &rows)?;
    rows.into_iter()
        .map(|run| {
            let counts = counts.remove(&run.id).unwrap_or_default();
            Ok(RunView {
                id: run.id.into(),
                job_type: run.job_type.parse()?,
                outcome: run.outcome.map(|outcome| outcome.parse()).transpose()?,
                trigger: run.trigger.parse()?,
                started_at: run.started_at.0,
                finished_at: run.finished_at.map(|at| at.0),
                attempt: unsigned(run.attempt.into()).try_into().unwrap_or(u32::MAX),
                steps: counts.steps,
                requests: counts.requests,
                gaps: gaps.remove(&run.id).unwrap_or_default(),
                aside: aside.remove(&run.id).unwrap_or_default(),
                error: run.error,
            })
        })
        .collect()
}

/// What is counted of a run.
#[derive(Default)]
struct Counts {
    steps: Vec<StepProgress>,
    requests: u64,
    leased: u64,
}

/// Counts of several runs of one client, from the rows of their tasks.
fn counts(conn: &mut Conn, of: &[RunRow]) -> Result<HashMap<Id, Counts>, Error> {
    let Some(client) = of.first().map(|run| run.client_id) else { return Ok(HashMap::new()) };
    let ids: Vec<Id> = of.iter().map(|run| run.id).collect();
    let step_rows: Vec<StepRow> = steps::table
        .filter(steps::client_id.eq(client))
        .filter(steps::run_id.eq_any(&ids))
        .order((steps::run_id, steps::position))
        .select(StepRow::as_select())
        .load(conn)?;
    let mut counts: HashMap<Id, Counts> = HashMap::new();
    for step in step_rows {
        // Positions count from 0 without a gap, so they are places in this list.
        counts.entry(step.run_id).or_default().steps.push(StepProgress {
            step: step.name.parse()?,
            state: step.status.parse()?,
            tasks_total: 0,
            tasks_done: 0,
            rows: 0,
        });
    }
    for group in tallies(conn, client, &ids)? {
        let Tallied { run, position, state, tasks, rows, requests } = group;
        let (Some(run), Some(position)) = (run, position) else { continue };
        let counted = counts.entry(run).or_default();
        counted.requests += unsigned(requests);
        let place = usize::try_from(position).unwrap_or(usize::MAX);
        let Some(step) = counted.steps.get_mut(place) else { continue };
        step.rows += unsigned(rows);
        step.tasks_total += unsigned(tasks);
        match state.parse()? {
            TaskState::Ready => {}
            TaskState::Leased => counted.leased += unsigned(tasks),
            TaskState::Done | TaskState::Failed | TaskState::Quarantined => {
                step.tasks_done += unsigned(tasks);
            }
            TaskState::Cancelled => {}
        }
    }
    Ok(counts)
}

/// Tasks of a run, by step and state.
#[derive(Queryable)]
struct Tallied {
    run: Option<Id>,
    position: Option<i32>,
    state: String,
    tasks: i64,
    rows: i64,
    requests: i64,
}

fn tallies(conn: &mut Conn, client: Id, runs: &[Id]) -> QueryResult<Vec<Tallied>> {
    tasks::table
        .filter(tasks::client_id.eq(client))
        .filter(tasks::run_id.eq_any(runs))
        .group_by((tasks::run_id, tasks::position, tasks::state))
        .select((
            tasks::run_id,
            tasks::position,
            tasks::state,
            count_star(),
            sql::<BigInt>("CAST(SUM(tasks.rows) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(tasks.requests) AS BIGINT)"),
        ))
        .load(conn)
}

fn gaps(conn: &mut Conn, of: &[RunRow]) -> QueryResult<HashMap<Id, Vec<Gap>>> {
    let Some(client) = of.first().map(|run| run.client_id) else { return Ok(HashMap::new()) };
    let ids: Vec<Id> = of.iter().map(|run| run.id).collect();
    let rows: Vec<GapRow> = gaps::table
        .filter(gaps::client_id.eq(client))
        .filter(gaps::run_id.eq_any(ids))
        .order((gaps::run_id, gaps::scope, gaps::task_id))
        .select(GapRow::as_select())
        .load(conn)?;
    let mut by_run: HashMap<Id, Vec<Gap>> = HashMap::new();
    for row in rows {
        by_run.entry(row.run_id).or_default().push(Gap { scope: row.scope, reason: row.reason });
    }
    Ok(by_run)
}

/// Counts are never below zero.
fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

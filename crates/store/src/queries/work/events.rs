//! What people are told, in one order per client.

use chrono::SecondsFormat;
use diesel::prelude::*;
use domain::Moment;
use domain::progress::StepProgress;
use serde_json::{Value, json};

use super::{Conn, jobs, views};
use crate::Error;
use crate::jobs::{Event, JobView};
use crate::models::work::{EventRow, JobRow, NewEventRow};
use crate::schema::{events, runs};
use crate::types::{Id, Json, Ts};
use crate::work::ring::{JOB_STATUS, PROGRESS_UPDATE};

/// Tells where a job stands, in the transaction that changed it. The client's jobs are held.
pub(crate) fn tell_status(conn: &mut Conn, job: &JobRow, now: Ts) -> Result<(), Error> {
    let view = views::view(conn, job, now)?;
    let event = NewEventRow {
        client_id: job.client_id,
        run_id: job.last_run_id,
        kind: JOB_STATUS.to_owned(),
        body: Json(status_body(&view).to_string()),
        created_at: now,
    };
    append(conn, &event)
}

fn status_body(job: &JobView) -> Value {
    json!({
        "type": JOB_STATUS,
        "job_type": job.job_type.as_str(),
        "status": job.state.as_str(),
        "version": job.version,
        "active": job.active,
        "progress": job.progress(),
        "step": job.step().map(|step| step.as_str()),
        "rows": job.rows(),
        "rows_per_second": job.rows_per_second,
        "eta_seconds": job.eta_seconds,
        "waiting_until": job.waiting_until.map(stamp),
        "next_run_at": job.next_run_at.map(stamp),
        "last_run_id": job.last_run.map(|run| run.to_string()),
        "last_success_at": job.last_success_at.map(stamp),
        "error": job.error,
        "steps": job.steps.iter().map(step_body).collect::<Vec<_>>(),
        "pending_command": job.pending_command(),
    })
}

fn step_body(step: &StepProgress) -> Value {
    json!({
        "name": step.step.as_str(),
        "status": step.state.as_str(),
        "tasks_total": step.tasks_total,
        "tasks_done": step.tasks_done,
        "rows": step.rows,
    })
}

fn stamp(moment: Moment) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Appends an event of a client whose jobs are not held yet: whoever appends holds them, so that no
/// number can be seen before a smaller one.
pub(crate) fn append_in_order(conn: &mut Conn, event: &NewEventRow) -> Result<(), Error> {
    jobs::hold(conn, event.client_id)?;
    append(conn, event)
}

fn append(conn: &mut Conn, event: &NewEventRow) -> Result<(), Error> {
    diesel::insert_into(events::table).values(event).execute(conn)?;
    Ok(())
}

pub(crate) fn since(conn: &mut Conn, client: Id, seq: i64, limit: i64) -> QueryResult<Vec<Event>> {
    let rows: Vec<EventRow> = events::table
        .filter(events::client_id.eq(client))
        .filter(events::seq.gt(seq))
        .order(events::seq)
        .limit(limit)
        .select(EventRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Event::from).collect())
}

pub(crate) fn of_run(
    conn: &mut Conn,
    client: Id,
    run: Id,
    seq: i64,
    limit: i64,
) -> Result<Vec<Event>, Error> {
    let known: Option<Id> =
        runs::table.find((client, run)).select(runs::id).first(conn).optional()?;
    let run = known.ok_or(Error::Missing { noun: "run" })?;
    let rows: Vec<EventRow> = events::table
        .filter(events::client_id.eq(client))
        .filter(events::run_id.eq(run))
        .filter(events::seq.gt(seq))
        .order(events::seq)
        .limit(limit)
        .select(EventRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Event::from).collect())
}

pub(crate) fn newest(conn: &mut Conn, client: Id) -> QueryResult<i64> {
    let newest: Option<i64> = events::table
        .filter(events::client_id.eq(client))
        .order(events::seq.desc())
        .select(events::seq)
        .first(conn)
        .optional()?;
    Ok(newest.unwrap_or(0))
}

/// The newest progress that was told of a run.
pub(crate) fn newest_progress(conn: &mut Conn, client: Id, run: Id) -> QueryResult<Option<Json>> {
    events::table
        .filter(events::client_id.eq(client))
        .filter(events::run_id.eq(run))
        .filter(events::kind.eq(PROGRESS_UPDATE))
        .order(events::seq.desc())
        .select(events::body)
        .first(conn)
        .optional()
}

pub(crate) fn prune(conn: &mut Conn, progress_before: Ts, all_before: Ts) -> QueryResult<usize> {
    let is_progress = events::kind.eq(PROGRESS_UPDATE);
    let old = is_progress
        .and(events::created_at.lt(progress_before))
        .or(events::created_at.lt(all_before));
    diesel::delete(events::table.filter(old)).execute(conn)
}

//! What happens by itself: the main cycle, retries, and the line for the running slot.

use std::collections::HashSet;

use diesel::prelude::*;
use domain::job::{JobEvent, JobState};
use domain::schedule::Schedule;
use domain::work::Trigger;

use super::{Conn, events, jobs, locked, people, runs};
use crate::Error;
use crate::models::work::{JobRow, ScheduleRow};
use crate::schema::{jobs as jobs_table, schedules};
use crate::types::{Id, Ts};
use crate::work::Planner;

pub(crate) fn due(conn: &mut Conn, now: Ts) -> QueryResult<Vec<Id>> {
    schedules::table
        .filter(schedules::enabled.eq(true))
        .filter(schedules::next_due_at.le(now))
        .order(schedules::next_due_at)
        .select(schedules::client_id)
        .load(conn)
}

pub(crate) fn start(conn: &mut Conn, client: Id, now: Ts) -> Result<Vec<JobRow>, Error> {
    let due = schedules::table
        .find(client)
        .filter(schedules::enabled.eq(true))
        .filter(schedules::next_due_at.le(now))
        .select(ScheduleRow::as_select());
    let Some(schedule): Option<ScheduleRow> = locked!(due).first(conn).optional()? else {
        return Ok(Vec::new()); // Somebody else was faster.
    };
    let next = Schedule::from(&schedule).next_due(schedule.next_due_at.0, now.0);
    diesel::update(schedules::table.find(client))
        .set(schedules::next_due_at.eq(Ts(next)))
        .execute(conn)?;
    let mut started = Vec::new();
    for job in jobs::hold(conn, client)?.all() {
        if !job.active || !can(job, JobEvent::Due)? || !jobs::is_connected(conn, job)? {
            continue;
        }
        let mut job = job.clone();
        jobs::line_up(conn, &mut job, JobEvent::Due, Trigger::Schedule, now)?;
        events::tell_status(conn, &job, now)?;
        started.push(job);
    }
    Ok(started)
}

pub(crate) fn due_retries(conn: &mut Conn, now: Ts) -> QueryResult<Vec<Id>> {
    jobs_table::table
        .filter(jobs_table::retry_at.le(now))
        .select(jobs_table::client_id)
        .distinct()
        .load(conn)
}

pub(crate) fn retry(conn: &mut Conn, client: Id, now: Ts) -> Result<Vec<JobRow>, Error> {
    let held = jobs::hold(conn, client)?;
    let enabled = people::schedule(conn, client)?.is_some_and(|schedule| schedule.retry_enabled);
    let mut started = Vec::new();
    for job in held.all() {
        if job.retry_at.is_none_or(|at| at > now) {
            continue;
        }
        if !enabled || !can(job, JobEvent::RetryDue)? || !jobs::is_connected(conn, job)? {
            forget_retry(conn, job)?;
            continue;
        }
        let mut job = job.clone();
        jobs::line_up(conn, &mut job, JobEvent::RetryDue, Trigger::Retry, now)?;
        events::tell_status(conn, &job, now)?;
        started.push(job);
    }
    Ok(started)
}

/// Retries were switched off, or there is nothing left to read: the main cycle will see to it.
fn forget_retry(conn: &mut Conn, job: &JobRow) -> QueryResult<()> {
    diesel::update(jobs_table::table.find((job.client_id, &job.job_type)))
        .set(jobs_table::retry_at.eq(None::<Ts>))
        .execute(conn)?;
    Ok(())
}

pub(crate) fn waiting(conn: &mut Conn) -> QueryResult<Vec<Id>> {
    let pending = jobs_table::status.eq(JobState::Pending.as_str());
    let running = jobs_table::status.eq(JobState::Running.as_str());
    let busy: Vec<Id> =
        jobs_table::table.filter(running).select(jobs_table::client_id).load(conn)?;
    let busy: HashSet<Id> = busy.into_iter().collect();
    let mut waiting: Vec<Id> =
        jobs_table::table.filter(pending).select(jobs_table::client_id).distinct().load(conn)?;
    waiting.retain(|client| !busy.contains(client));
    Ok(waiting)
}

pub(crate) fn dispatch(
    conn: &mut Conn,
    client: Id,
    plan: Planner,
    now: Ts,
) -> Result<Option<JobRow>, Error> {
    let held = jobs::hold(conn, client)?;
    if !held.slot_free() {
        return Ok(None);
    }
    // Jira comes first among those that have waited since the same moment: the sort is stable.
    let mut line: Vec<&JobRow> =
        held.all().iter().filter(|job| job.status == JobState::Pending.as_str()).collect();
    line.sort_by_key(|job| job.pending_since);
    let Some(mut job) = line.first().map(|job| (*job).clone()) else { return Ok(None) };
    if job.run_id.is_none() {
        runs::start(conn, &mut job, now)?;
    }
    job.pending_since = None;
    job.pending_trigger = None;
    jobs::take(conn, &mut job, JobEvent::Dispatched)?;
    runs::carry_on(conn, &mut job, plan, now)?;
    events::tell_status(conn, &job, now)?;
    Ok(Some(job))
}

fn can(job: &JobRow, event: JobEvent) -> Result<bool, Error> {
    Ok(job.status.parse::<JobState>()?.on(event).is_ok())
}

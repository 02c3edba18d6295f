//! What people do: sign in, command a job, change the schedule.

use diesel::prelude::*;
use domain::job::{JobEvent, JobState, JobType};
use domain::schedule::Schedule;
use domain::work::Trigger;

use super::super::changes::note_for_all;
use super::super::clients;
use super::{Conn, events, jobs, locked, runs};
use crate::Error;
use crate::models::ClientRow;
use crate::models::work::{JobRow, ScheduleRow};
use crate::schema::{jobs as jobs_table, schedules};
use crate::types::{Id, Ts};
use crate::work::{Command, Planner};

/// The client of `row`, with both jobs and the schedule that is usual here if it is new.
pub(crate) fn ensure_client(
    conn: &mut Conn,
    row: &ClientRow,
    usual: &Schedule,
) -> QueryResult<ClientRow> {
    let client = clients::ensure(conn, row)?;
    let number = |value: u32| i32::try_from(value).expect("the default is small");
    diesel::insert_into(schedules::table)
        .values(ScheduleRow {
            client_id: client.id,
            enabled: usual.enabled,
            interval_minutes: number(usual.interval_minutes),
            next_due_at: Ts(usual.next_due(row.created_at.0, row.created_at.0)),
            timezone: usual.timezone.clone(),
            retry_enabled: usual.retry.enabled,
            retry_interval_minutes: number(usual.retry.interval_minutes),
            retry_max_attempts: number(usual.retry.max_attempts),
        })
        .on_conflict_do_nothing()
        .execute(conn)?;
    for job_type in JobType::ALL {
        diesel::insert_into(jobs_table::table)
            .values(JobRow {
                client_id: client.id,
                job_type: job_type.as_str().to_owned(),
                status: JobState::NotStarted.as_str().to_owned(),
                version: 1,
                active: true,
                run_id: None,
                pending_since: None,
                pending_trigger: None,
                attempt: 0,
                retry_at: None,
                last_run_id: None,
                last_success_at: None,
                error: None,
            })
            .on_conflict_do_nothing()
            .execute(conn)?;
    }
    Ok(client)
}

pub(crate) fn command(
    conn: &mut Conn,
    client: Id,
    job_type: JobType,
    command: Command,
    plan: Planner,
    now: Ts,
) -> Result<JobRow, Error> {
    let held = jobs::hold(conn, client)?;
    let mut job = held.job(job_type)?;
    match command {
        Command::Run => start(conn, &mut job, JobEvent::Run, Trigger::Manual, now)?,
        Command::Retry => start(conn, &mut job, JobEvent::RetryDue, Trigger::Retry, now)?,
        Command::Pause => jobs::take(conn, &mut job, JobEvent::Pause)?,
        Command::Stop => runs::stop(conn, &mut job, now)?,
        Command::Resume => {
            let slot_free = held.slot_free();
            job.pending_since = (!slot_free).then_some(now);
            jobs::take(conn, &mut job, JobEvent::Resume { slot_free })?;
            if slot_free {
                runs::carry_on(conn, &mut job, plan, now)?;
            }
        }
    }
    events::tell_status(conn, &job, now)?;
    Ok(job)
}

/// The table is asked first: that a job is running is the better reason than that it is not connected.
pub(crate) fn start(
    conn: &mut Conn,
    job: &mut JobRow,
    event: JobEvent,
    trigger: Trigger,
    now: Ts,
) -> Result<(), Error> {
    jobs::line_up(conn, job, event, trigger, now)?;
    if !jobs::is_connected(conn, job)? {
        let source_kind = job.job_type.parse::<JobType>()?.source();
        return Err(Error::Unconnected { source_kind });
    }
    Ok(())
}

pub(crate) fn schedule(conn: &mut Conn, client: Id) -> QueryResult<Option<ScheduleRow>> {
    schedules::table.find(client).select(ScheduleRow::as_select()).first(conn).optional()
}

pub(crate) fn put_schedule(conn: &mut Conn, row: &ScheduleRow, now: Ts) -> Result<(), Error> {
    let of_client = schedules::table.find(row.client_id).select(ScheduleRow::as_select());
    let before: ScheduleRow =
        locked!(of_client).first(conn).optional()?.ok_or(Error::Missing { noun: "schedule" })?;
    let same_grid = before.interval_minutes == row.interval_minutes && before.next_due_at > now;
    let next_due_at = if same_grid { before.next_due_at } else { row.next_due_at };
    diesel::update(schedules::table.find(row.client_id))
        .set(&ScheduleRow { next_due_at, ..row.clone() })
        .execute(conn)?;
    if before.timezone != row.timezone {
        note_for_all(conn, row.client_id)?;
    }
    Ok(())
}

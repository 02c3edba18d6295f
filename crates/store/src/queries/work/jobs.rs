//! Jobs, and the only place where one changes its state.

use diesel::prelude::*;
use domain::job::{JobEvent, JobState, JobType};
use domain::work::Trigger;

use super::{Conn, locked};
use crate::Error;
use crate::models::work::JobRow;
use crate::schema::{integrations, jobs};
use crate::types::{Id, Ts};

/// Both jobs of a client, Jira first, held until the end of the transaction.
pub(crate) struct Held(Vec<JobRow>);

pub(crate) fn hold(conn: &mut Conn, client: Id) -> QueryResult<Held> {
    let of_client = jobs::table
        .filter(jobs::client_id.eq(client))
        .order(jobs::job_type.desc())
        .select(JobRow::as_select());
    locked!(of_client).load(conn).map(Held)
}

impl Held {
    /// The job of this type.
    pub(crate) fn job(&self, job_type: JobType) -> Result<JobRow, Error> {
        let job = self.0.iter().find(|job| job.job_type == job_type.as_str());
        job.cloned().ok_or(Error::Missing { noun: "job" })
    }

    /// The job whose run this is, while it is under way or held.
    pub(crate) fn job_of(&self, run: Id) -> Option<JobRow> {
        self.0.iter().find(|job| job.run_id == Some(run)).cloned()
    }

    /// Both jobs, Jira first.
    pub(crate) fn all(&self) -> &[JobRow] {
        &self.0
    }

    /// Whether no job is running.
    pub(crate) fn slot_free(&self) -> bool {
        self.0.iter().all(|job| job.status != JobState::Running.as_str())
    }
}

/// Lets `event` happen to a job and keeps the row with whatever else was changed in it. Compares
/// and swaps: a row that is no longer as it was read is not touched.
pub(crate) fn take(conn: &mut Conn, job: &mut JobRow, event: JobEvent) -> Result<(), Error> {
    let next = job.status.parse::<JobState>()?.on(event)?;
    let changed =
        JobRow { status: next.as_str().to_owned(), version: job.version + 1, ..job.clone() };
    let as_read = jobs::table
        .find((job.client_id, &job.job_type))
        .filter(jobs::status.eq(&job.status))
        .filter(jobs::version.eq(job.version));
    if diesel::update(as_read).set(&changed).execute(conn)? == 0 {
        return Err(Error::Conflict { noun: "job" });
    }
    *job = changed;
    Ok(())
}

/// Puts a job in the line for the running slot.
pub(crate) fn line_up(
    conn: &mut Conn,
    job: &mut JobRow,
    event: JobEvent,
    trigger: Trigger,
    now: Ts,
) -> Result<(), Error> {
    job.attempt = if event == JobEvent::RetryDue { job.attempt + 1 } else { 1 };
    job.pending_since = Some(now);
    job.pending_trigger = Some(trigger.as_str().to_owned());
    job.retry_at = None;
    take(conn, job, event)
}

/// Whether the client has anything that the job could read.
pub(crate) fn is_connected(conn: &mut Conn, job: &JobRow) -> Result<bool, Error> {
    let source = job.job_type.parse::<JobType>()?.source();
    let active = integrations::table
        .filter(integrations::client_id.eq(job.client_id))
        .filter(integrations::kind.eq(source.as_str()))
        .filter(integrations::active.eq(true));
    Ok(diesel::select(diesel::dsl::exists(active)).get_result(conn)?)
}

//! The work itself: jobs, runs, steps, tasks, schedules, rings and events. The orchestrator alone
//! writes them, through [`Work`]; everyone may read them, through [`crate::Jobs`].
//!
//! Each call is one use case in one transaction. Whoever changes a job, its run or the state of one
//! of its tasks holds the client's jobs first: one order of locks everywhere, and the numbers of a
//! client's events grow in the order in which they can be seen.

mod cycle;
mod lease;
mod old;
mod plan;
mod probe;
mod replay;
pub(crate) mod ring;

use domain::Moment;
use domain::ids::{ClientId, RunId};
use domain::job::{JobState, JobType};
use domain::schedule::Schedule;

pub use lease::{Lease, Release, Standing};
pub use plan::{Ground, Planned, Planner, Read, Scope, Unfinished};
pub use probe::Answer;
pub use ring::{About, Ring};

use crate::Error;
use crate::clients::Client;
use crate::db::{Db, keep};
use crate::models::ClientRow;
use crate::models::work::{JobRow, ScheduleRow};
use crate::types::Ts;

/// The orchestrator's handle on the work.
#[derive(Clone)]
pub struct Work {
    db: Db,
    /// Which tasks a step has; asked inside the transaction that reaches the step.
    plan: Planner,
    /// The schedule of a client that is new.
    usual: Schedule,
}

/// What a person asks of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Run it.
    Run,
    /// Hold it at the next page boundary.
    Pause,
    /// Go on where it was held.
    Resume,
    /// End it at once.
    Stop,
    /// Try it again after a failure, without waiting for the retry interval.
    Retry,
}

/// Where a job stands after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobStatus {
    /// Which job.
    pub job_type: JobType,
    /// Its state.
    pub state: JobState,
    /// Grows with each change of the row.
    pub version: i64,
    /// The run that is under way or held.
    pub run: Option<RunId>,
}

impl Work {
    /// Over `db`, with `plan` to say which tasks a step has.
    pub fn new(db: Db, plan: Planner) -> Work {
        Work { db, plan, usual: Schedule::default() }
    }

    /// With `timezone`, the IANA name of a zone, for clients that are new and did not choose one.
    #[must_use]
    pub fn in_zone(mut self, timezone: &str) -> Work {
        timezone.clone_into(&mut self.usual.timezone);
        self
    }

    /// The tenant with the platform's id `external_id`, with both jobs and a schedule whose first
    /// cycle is an interval away. Made as `id` if it is new.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn ensure_client(
        &self,
        id: ClientId,
        external_id: &str,
        name: &str,
        now: Moment,
    ) -> Result<Client, Error> {
        let row = ClientRow {
            id: id.into(),
            external_id: external_id.to_owned(),
            name: name.to_owned(),
            created_at: Ts(now),
        };
        let usual = self.usual.clone();
        keep!(self.db, work::people::ensure_client(&row, &usual)).map(Client::from)
    }

    /// What a person asks of a job.
    ///
    /// # Errors
    /// [`Error::Refused`] when the table of transitions has no such step, [`Error::Unconnected`]
    /// when there is nothing that the job could read.
    pub async fn command(
        &self,
        client: ClientId,
        job_type: JobType,
        command: Command,
        now: Moment,
    ) -> Result<JobStatus, Error> {
        let plan = self.plan;
        let job: JobRow =
            keep!(self.db, work::people::command(client.into(), job_type, command, plan, Ts(now)))?;
        JobStatus::try_from(job)
    }

    /// Replaces a client's schedule. A new interval starts now; an unchanged one keeps its grid.
    ///
    /// # Errors
    /// [`Error::Missing`] for an unknown client.
    pub async fn put_schedule(
        &self,
        client: ClientId,
        schedule: &Schedule,
        now: Moment,
    ) -> Result<(), Error> {
        let row = ScheduleRow {
            client_id: client.into(),
            enabled: schedule.enabled,
            interval_minutes: number(schedule.interval_minutes),
            timezone: schedule.timezone.clone(),
            retry_enabled: schedule.retry.enabled,
            retry_interval_minutes: number(schedule.retry.interval_minutes),
            retry_max_attempts: number(schedule.retry.max_attempts),
            next_due_at: Ts(schedule.next_due(now, now)),
        };
        keep!(self.db, work::people::put_schedule(&row, Ts(now)))
    }
}

/// The table refuses what lies outside the range.
fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

impl TryFrom<JobRow> for JobStatus {
    type Error = Error;

    fn try_from(row: JobRow) -> Result<JobStatus, Error> {
        Ok(JobStatus {
            job_type: row.job_type.parse()?,
            state: row.status.parse()?,
            version: row.version,
            run: row.run_id.map(RunId::from),
        })
    }
}

impl From<&ScheduleRow> for Schedule {
    fn from(row: &ScheduleRow) -> Schedule {
        let number = |value: i32| u32::try_from(value).unwrap_or(0);
        Schedule {
            enabled: row.enabled,
            interval_minutes: number(row.interval_minutes),
            timezone: row.timezone.clone(),
            retry: domain::schedule::Retry {
                enabled: row.retry_enabled,
                interval_minutes: number(row.retry_interval_minutes),
                max_attempts: number(row.retry_max_attempts),
            },
        }
    }
}

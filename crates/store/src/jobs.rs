//! Jobs, runs and events, to look at. Only [`crate::work::Work`] changes them.

use domain::Moment;
use domain::ids::{ClientId, RunId, TaskId};
use domain::job::{JobState, JobType};
use domain::progress::{StepProgress, percent};
use domain::schedule::Schedule;
use domain::work::{Gap, Outcome, Step, StepState, Trigger};

use crate::Error;
use crate::db::{Db, ask};
use crate::models::work::{EventRow, ScheduleRow};
use crate::types::{Id, Ts};

/// A reading handle on the jobs.
#[derive(Clone)]
pub struct Jobs(Db);

/// A job as people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobView {
    /// Which job.
    pub job_type: JobType,
    /// Where it stands.
    pub state: JobState,
    /// Grows with each change.
    pub version: i64,
    /// Whether the main cycle runs it.
    pub active: bool,
    /// The steps of the current or last run, in order; empty before the first.
    pub steps: Vec<StepProgress>,
    /// Rows kept per second lately, while it runs.
    pub rows_per_second: Option<f64>,
    /// Seconds until it will probably be done, while it runs.
    pub eta_seconds: Option<u64>,
    /// The source's quota is used up, and work goes on then.
    pub waiting_until: Option<Moment>,
    /// When it will start by itself.
    pub next_run_at: Option<Moment>,
    /// The current or last run.
    pub last_run: Option<RunId>,
    /// When the current or last run started.
    pub run_started_at: Option<Moment>,
    /// When it last completed every step.
    pub last_success_at: Option<Moment>,
    /// Why the last run failed, for people.
    pub error: Option<String>,
    /// Tasks that a worker holds.
    pub leased: u64,
}

impl JobView {
    /// Percent of the current run that is done; nothing when none is under way.
    pub fn progress(&self) -> Option<u8> {
        self.state.is_live().then(|| percent(&self.steps))
    }

    /// The step that is under way.
    pub fn step(&self) -> Option<Step> {
        if !self.state.is_live() {
            return None;
        }
        self.steps.iter().find(|step| step.state == StepState::Running).map(|step| step.step)
    }

    /// Rows kept by the current or last run.
    pub fn rows(&self) -> u64 {
        self.steps.iter().map(|step| step.rows).sum()
    }

    /// A person's command that workers have yet to obey.
    pub fn pending_command(&self) -> Option<&'static str> {
        (self.state == JobState::Paused && self.leased > 0).then_some("pause")
    }
}

/// A run as people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// Which run.
    pub id: RunId,
    /// Of which job.
    pub job_type: JobType,
    /// How it ended; nothing while it goes on.
    pub outcome: Option<Outcome>,
    /// Who started it.
    pub trigger: Trigger,
    /// When it started.
    pub started_at: Moment,
    /// When it ended.
    pub finished_at: Option<Moment>,
    /// Which try it is since the last success.
    pub attempt: u32,
    /// Its steps, in order.
    pub steps: Vec<StepProgress>,
    /// Requests to the source.
    pub requests: u64,
    /// What could not be read, and why.
    pub gaps: Vec<Gap>,
    /// Tasks that were put aside, and can be done again.
    pub aside: Vec<Aside>,
    /// Why it failed, for people.
    pub error: Option<String>,
}

/// A task that was put aside: the run went on without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Which task.
    pub task: TaskId,
    /// Of which step.
    pub step: Step,
    /// What it covers, as people call it.
    pub scope: String,
    /// Why it could not be done, for people.
    pub reason: String,
}

/// Something that people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the order of the client's events.
    pub seq: i64,
    /// A JSON object, without `seq`.
    pub body: String,
}

/// Where a page of runs begins: after this one, towards older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunKey {
    /// When it started.
    pub started_at: Moment,
    /// Which run.
    pub id: RunId,
}

impl Jobs {
    /// Over `db`.
    pub fn new(db: Db) -> Jobs {
        Jobs(db)
    }

    /// Both jobs of a client, Jira first; empty for an unknown client.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn of_client(&self, client: ClientId, now: Moment) -> Result<Vec<JobView>, Error> {
        ask!(self.0, work::views::jobs(client.into(), Ts(now)))
    }

    /// One job of a client.
    ///
    /// # Errors
    /// [`Error::Missing`] for an unknown client.
    pub async fn get(
        &self,
        client: ClientId,
        job_type: JobType,
        now: Moment,
    ) -> Result<JobView, Error> {
        ask!(self.0, work::views::job(client.into(), job_type, Ts(now)))
    }

    /// Runs of a job, newest first, older than `after`.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn runs(
        &self,
        client: ClientId,
        job_type: JobType,
        after: Option<RunKey>,
        limit: u32,
    ) -> Result<Vec<RunView>, Error> {
        let after: Option<(Ts, Id)> = after.map(|key| (Ts(key.started_at), key.id.into()));
        ask!(self.0, work::views::runs(client.into(), job_type, after, i64::from(limit)))
    }

    /// One run of a client.
    ///
    /// # Errors
    /// [`Error::Missing`] when the client has no such run.
    pub async fn run(&self, client: ClientId, run: RunId) -> Result<RunView, Error> {
        ask!(self.0, work::views::run(client.into(), run.into()))
    }

    /// What people were told of one run after event `since`, oldest first.
    ///
    /// # Errors
    /// [`Error::Missing`] when the client has no such run.
    pub async fn events_of_run(
        &self,
        client: ClientId,
        run: RunId,
        since: i64,
        limit: u32,
    ) -> Result<Vec<Event>, Error> {
        ask!(self.0, work::events::of_run(client.into(), run.into(), since, i64::from(limit)))
    }

    /// What people of a client were told after event `since`, oldest first.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn events(
        &self,
        client: ClientId,
        since: i64,
        limit: u32,
    ) -> Result<Vec<Event>, Error> {
        ask!(self.0, work::events::since(client.into(), since, i64::from(limit)))
    }

    /// The number of a client's newest event, 0 before the first.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn newest_event(&self, client: ClientId) -> Result<i64, Error> {
        ask!(self.0, work::events::newest(client.into()))
    }

    /// A client's schedule, and when its next cycle is due.
    ///
    /// # Errors
    /// [`Error::Missing`] for an unknown client.
    pub async fn schedule(&self, client: ClientId) -> Result<(Schedule, Moment), Error> {
        let row: Option<ScheduleRow> = ask!(self.0, work::people::schedule(client.into()))?;
        let row = row.ok_or(Error::Missing { noun: "schedule" })?;
        Ok((Schedule::from(&row), row.next_due_at.0))
    }
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Event {
        Event { seq: row.seq, body: row.body.0 }
    }
}

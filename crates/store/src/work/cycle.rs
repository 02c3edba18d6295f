//! What happens by itself when its time has come.

use domain::Moment;
use domain::ids::ClientId;

use super::{JobStatus, Work};
use crate::Error;
use crate::db::{ask, keep};
use crate::models::work::JobRow;
use crate::types::{Id, Ts};

impl Work {
    /// Clients whose main cycle is due.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn due_cycles(&self, now: Moment) -> Result<Vec<ClientId>, Error> {
        let ids: Vec<Id> = ask!(self.db, work::cycle::due(Ts(now)))?;
        Ok(ids.into_iter().map(ClientId::from).collect())
    }

    /// Makes a client's jobs due, if its cycle still is, and sets the next due time. Jobs that are
    /// under way, and those with nothing to read, are left alone.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn start_cycle(
        &self,
        client: ClientId,
        now: Moment,
    ) -> Result<Vec<JobStatus>, Error> {
        let jobs: Vec<JobRow> = keep!(self.db, work::cycle::start(client.into(), Ts(now)))?;
        jobs.into_iter().map(JobStatus::try_from).collect()
    }

    /// Clients with a failed job whose next attempt is due.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn due_retries(&self, now: Moment) -> Result<Vec<ClientId>, Error> {
        let ids: Vec<Id> = ask!(self.db, work::cycle::due_retries(Ts(now)))?;
        Ok(ids.into_iter().map(ClientId::from).collect())
    }

    /// Makes a client's failed jobs pending again whose next attempt is due.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn retry(&self, client: ClientId, now: Moment) -> Result<Vec<JobStatus>, Error> {
        let jobs: Vec<JobRow> = keep!(self.db, work::cycle::retry(client.into(), Ts(now)))?;
        jobs.into_iter().map(JobStatus::try_from).collect()
    }

    /// Clients with a pending job and no running one.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn waiting(&self) -> Result<Vec<ClientId>, Error> {
        let ids: Vec<Id> = ask!(self.db, work::cycle::waiting())?;
        Ok(ids.into_iter().map(ClientId::from).collect())
    }

    /// Gives a client's free running slot to the job that has waited longest, Jira before Git. Its
    /// run starts, or goes on where it was paused.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn dispatch(
        &self,
        client: ClientId,
        now: Moment,
    ) -> Result<Option<JobStatus>, Error> {
        let plan = self.plan;
        let job: Option<JobRow> =
            keep!(self.db, work::cycle::dispatch(client.into(), plan, Ts(now)))?;
        job.map(JobStatus::try_from).transpose()
    }
}

//! Tasks that were put aside, done again.

use domain::Moment;
use domain::ids::{ClientId, RunId, TaskId};

use super::{JobStatus, Work};
use crate::Error;
use crate::db::keep;
use crate::models::work::JobRow;
use crate::types::Ts;

impl Work {
    /// Does a quarantined task again: at once while its step is under way, else by a new run of its
    /// job. Tells where the job stands.
    ///
    /// # Errors
    /// [`Error::NotReplayable`] when the task was not put aside or its run has gone on,
    /// [`Error::Missing`] when the client has no such task, and what a command to run may answer.
    pub async fn replay(
        &self,
        client: ClientId,
        run: RunId,
        task: TaskId,
        now: Moment,
    ) -> Result<JobStatus, Error> {
        let job: JobRow =
            keep!(self.db, work::replays::replay(client.into(), run.into(), task.into(), Ts(now)))?;
        JobStatus::try_from(job)
    }
}

//! Tests of connections: tasks outside any run.

use domain::Moment;
use domain::ids::{ClientId, TaskId};
use domain::work::{TaskKind, Topic};

use super::Work;
use crate::Error;
use crate::db::{ask, keep};
use crate::types::Ts;

/// What came of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A worker's answer, in JSON.
    Found(String),
    /// No worker could do it, and why.
    Failed(String),
}

impl Work {
    /// Makes a task outside any run and rings it.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn ask_probe(
        &self,
        client: ClientId,
        kind: TaskKind,
        topic: Topic,
        input: &str,
        now: Moment,
    ) -> Result<TaskId, Error> {
        let id = TaskId(uuid::Uuid::now_v7());
        let input = input.to_owned();
        keep!(self.db, work::probes::add(client.into(), id.into(), kind, topic, &input, Ts(now)))?;
        Ok(id)
    }

    /// What came of a probe, once something did.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no such task.
    pub async fn probe_answer(&self, task: TaskId) -> Result<Option<Answer>, Error> {
        ask!(self.db, work::probes::answer(task.into()))
    }

    /// Removes a probe, whether it was answered or not.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn forget_probe(&self, task: TaskId) -> Result<(), Error> {
        keep!(self.db, work::probes::forget(task.into()))
    }

    /// Removes probes that were asked before `asked_before`, and that nobody waits for any more.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn forget_old_probes(&self, asked_before: Moment) -> Result<usize, Error> {
        keep!(self.db, work::probes::forget_old(Ts(asked_before)))
    }
}

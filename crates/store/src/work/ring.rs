//! Rings of the queue's bell, and what people are told.

use domain::Moment;
use domain::ids::{ClientId, RunId, TaskId};
use domain::work::Topic;

use super::Work;
use crate::Error;
use crate::db::{ask, keep};
use crate::models::work::{NewEventRow, RingRow};
use crate::types::{Json, Ts};

/// Something that some worker should be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// The number of the ring.
    pub id: i64,
    /// Which workers.
    pub topic: Topic,
    /// What it is about.
    pub about: About,
}

/// What a worker should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A task that can be taken.
    Task(TaskId),
    /// A client who changed something that the numbers must follow.
    Client(ClientId),
}

impl Ring {
    /// The task that it is about, if it is about one.
    pub fn task(&self) -> Option<TaskId> {
        match self.about {
            About::Task(task) => Some(task),
            About::Client(_) => None,
        }
    }
}

impl Work {
    /// The oldest rings that nobody is publishing, for this publisher until `until`.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn take_rings(
        &self,
        limit: u32,
        until: Moment,
        now: Moment,
    ) -> Result<Vec<Ring>, Error> {
        // Most of the time there is none, and finding that out takes no lock.
        if !ask!(self.db, work::rings::any(Ts(now)))? {
            return Ok(Vec::new());
        }
        let rows: Vec<RingRow> =
            keep!(self.db, work::rings::take(i64::from(limit), Ts(until), Ts(now)))?;
        rows.into_iter().map(Ring::try_from).collect()
    }

    /// These rings are published.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn forget_rings(&self, rings: &[Ring]) -> Result<(), Error> {
        let ids: Vec<i64> = rings.iter().map(|ring| ring.id).collect();
        keep!(self.db, work::rings::forget(&ids))
    }

    /// Rings tasks whose wait is over. Tells how many.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn ring_waited(&self, now: Moment) -> Result<usize, Error> {
        // Most of the time there is none, and finding that out takes no lock.
        if !ask!(self.db, work::rings::any_waited(Ts(now)))? {
            return Ok(0);
        }
        keep!(self.db, work::rings::of_waited(Ts(now)))
    }

    /// Whether a task of this topic was rung before `since` and nobody has taken it: its ring may be
    /// lost, or every worker be busy.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn is_unheard(
        &self,
        topic: Topic,
        since: Moment,
        now: Moment,
    ) -> Result<bool, Error> {
        ask!(self.db, work::rings::is_unheard(topic, Ts(since), Ts(now)))
    }

    /// Rings those tasks again. Tells how many.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn ring_unheard(
        &self,
        topic: Topic,
        since: Moment,
        now: Moment,
    ) -> Result<usize, Error> {
        keep!(self.db, work::rings::of_unheard(topic, Ts(since), Ts(now)))
    }

    /// Tells people how a run goes on. The body is JSON of the kind `progress_update`.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn tell_progress(
        &self,
        client: ClientId,
        run: RunId,
        body: String,
        now: Moment,
    ) -> Result<(), Error> {
        let event = NewEventRow {
            client_id: client.into(),
            run_id: Some(run.into()),
            kind: PROGRESS_UPDATE.to_owned(),
            body: Json(body),
            created_at: Ts(now),
        };
        keep!(self.db, work::events::append_in_order(&event))
    }

    /// Forgets what people were told: progress before `progress_before`, everything before
    /// `all_before`. Tells how many events it was.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn prune_events(
        &self,
        progress_before: Moment,
        all_before: Moment,
    ) -> Result<usize, Error> {
        keep!(self.db, work::events::prune(Ts(progress_before), Ts(all_before)))
    }
}

/// The kind of event that says where a job stands.
pub(crate) const JOB_STATUS: &str = "job_status";
/// The kind of event that says how a run goes on.
pub(crate) const PROGRESS_UPDATE: &str = "progress_update";

impl TryFrom<RingRow> for Ring {
    type Error = Error;

    fn try_from(row: RingRow) -> Result<Ring, Error> {
        let about = match row.task_id {
            Some(task) => About::Task(task.into()),
            None => About::Client(row.client_id.into()),
        };
        Ok(Ring { id: row.id, topic: row.topic.parse()?, about })
    }
}

//! Tasks and the workers that hold them.

use domain::Moment;
use domain::ids::{ClientId, TaskId};
use domain::job::JobState;
use domain::work::{Fence, Gap, Task, TaskState};

use super::Work;
use crate::Error;
use crate::db::{ask, keep};
use crate::types::{Id, Ts};

/// The right to do a task, until it runs out.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// What to do.
    pub task: Task,
    /// The proof, which guards each page.
    pub fence: Fence,
    /// When it runs out, unless it is renewed.
    pub until: Moment,
}

/// How a task is handed back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    /// Held at a page boundary by a person.
    Paused,
    /// Long enough for one worker; anybody may go on at once.
    Yielded,
    /// The source's quota is used up until then.
    Waiting {
        /// When it may be taken again.
        until: Moment,
    },
    /// Failed in a way that may pass.
    Failed {
        /// For people.
        detail: String,
        /// When the source will be there again, if it says so.
        not_before: Option<Moment>,
    },
    /// Broke down over this task: no fault of the source. After the last try the run goes on without
    /// it.
    Broken {
        /// For people.
        detail: String,
    },
    /// Failed in a way that will not pass.
    Fatal {
        /// For people.
        detail: String,
    },
    /// Cannot be read; the run goes on without it.
    Unreadable {
        /// For people.
        detail: String,
    },
}

/// Where a task and its job stand, for the worker that holds the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whose task it is.
    pub client: ClientId,
    /// The task's state.
    pub task: TaskState,
    /// The number of its newest lease.
    pub fence: i64,
    /// The state of the job whose run it belongs to; nothing for a probe, or when the run is over.
    pub job: Option<JobState>,
    /// Whether it belongs to a run.
    pub has_run: bool,
}

impl Work {
    /// Leases a task to `worker`. Nothing when there is nothing to do: it is done, taken, parked,
    /// paused, stopped or unknown.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn begin(
        &self,
        task: TaskId,
        worker: &str,
        until: Moment,
        now: Moment,
    ) -> Result<Option<Lease>, Error> {
        let worker = worker.to_owned();
        keep!(self.db, work::leases::begin(task.into(), &worker, Ts(until), Ts(now)))
    }

    /// Lets a lease last until `until`. Tells whether it is still held.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn renew(&self, fence: Fence, until: Moment) -> Result<bool, Error> {
        keep!(self.db, work::leases::renew(fence.task.into(), fence.number, Ts(until)))
    }

    /// Lets a lease run out at `until`, unless it was renewed since it was to last until `seen`:
    /// whoever renewed it still needs it. Tells whether it runs out.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn shorten(&self, fence: Fence, seen: Moment, until: Moment) -> Result<bool, Error> {
        let task = fence.task.into();
        keep!(self.db, work::leases::shorten(task, fence.number, Ts(seen), Ts(until)))
    }

    /// Where a task and its job stand.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no such task.
    pub async fn standing(&self, task: TaskId) -> Result<Standing, Error> {
        ask!(self.db, work::leases::standing(task.into()))
    }

    /// The task is complete. Its step ends when this was the last; then the next one is planned,
    /// and after the last step the run is over. Finishing twice changes nothing.
    ///
    /// # Errors
    /// [`Error::LostLease`] when somebody else holds the task, or its run was stopped.
    pub async fn finish(
        &self,
        fence: Fence,
        gaps: &[Gap],
        output: &str,
        now: Moment,
    ) -> Result<ClientId, Error> {
        let (plan, gaps, output) = (self.plan, gaps.to_vec(), output.to_owned());
        let client: Id =
            keep!(self.db, work::leases::finish(fence, &gaps, &output, plan, Ts(now)))?;
        Ok(client.into())
    }

    /// The task is handed back.
    ///
    /// # Errors
    /// [`Error::LostLease`] when somebody else holds the task, or its run was stopped.
    pub async fn release(
        &self,
        fence: Fence,
        release: &Release,
        now: Moment,
    ) -> Result<ClientId, Error> {
        let (plan, release) = (self.plan, release.clone());
        let client: Id = keep!(self.db, work::leases::release(fence, &release, plan, Ts(now)))?;
        Ok(client.into())
    }

    /// Leases that have run out.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn expired(&self, now: Moment) -> Result<Vec<Fence>, Error> {
        ask!(self.db, work::leases::expired(Ts(now)))
    }

    /// Takes a lease that has run out away from its worker, so that another may go on. One that
    /// kept no page since it was taken counts as a failed try. Tells whose task it is, if there was
    /// anything to take.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn expire(&self, fence: Fence, now: Moment) -> Result<Option<ClientId>, Error> {
        let plan = self.plan;
        let client: Option<Id> = keep!(self.db, work::leases::expire(fence, plan, Ts(now)))?;
        Ok(client.map(ClientId::from))
    }

    /// Takes every leased task back and rings every task that waits: for a start after which no
    /// worker and no message of before can be left. A task that was in hand whenever the process
    /// ended is given up in the end. Tells how many tasks were rung.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn start_over(&self, now: Moment) -> Result<usize, Error> {
        let held: Result<_, Error> = ask!(self.db, work::leases::held());
        for fence in held? {
            let plan = self.plan;
            let taken: Result<(), Error> =
                keep!(self.db, work::leases::take_back(fence, plan, Ts(now)));
            match taken {
                Ok(()) | Err(Error::LostLease { .. }) => {}
                Err(error @ Error::Unreachable(_)) => return Err(error),
                // Its lease runs out, and the others need not wait for that.
                Err(error) => {
                    tracing::error!(?error, task.id = %fence.task, "could not take back a task");
                }
            }
        }
        keep!(self.db, work::rings::of_everyone(Ts(now)))
    }
}

//! The orchestrator: the state machine of jobs, their schedules and retries, the leases of tasks,
//! and the bell that calls workers.
//!
//! The tables are the truth. What is held here in memory only makes things sooner; another replica,
//! or this one after a restart, goes on without it.

mod clock;
mod grpc;
mod plan;
mod probe;
mod progress;
mod rounds;
mod talk;

use std::sync::Arc;

use domain::ids::ClientId;
use platform::cache::Cache;
use platform::queue::Queue;
use platform::shutdown::Shutdown;
use program::Outfit;
use proto::v1::orchestrator_server::OrchestratorServer;
use store::{Jobs, Work};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

pub use clock::Clock;
pub use plan::plan;

use progress::Pace;

/// The bell that rings with a client's id when its people were told something.
pub const EVENTS_BELL: &str = "events";
/// The bell that rings with a client's id when one of its jobs or tasks changed.
const JOBS_BELL: &str = "jobs";

/// The orchestrator; clones are the same.
#[derive(Clone)]
pub struct Orchestrator(Arc<Inner>);

struct Inner {
    work: Work,
    jobs: Jobs,
    queue: Queue,
    cache: Cache,
    clock: Clock,
    pace: Pace,
    /// Rings may be waiting in the outbox.
    rings: Notify,
    /// A running slot may be free, or a job pending.
    line: Notify,
    /// A job or task of this client changed, here or in another replica.
    changes: broadcast::Sender<ClientId>,
    /// The end was announced.
    closing: CancellationToken,
}

impl Orchestrator {
    /// Over the tables, with `queue` to call workers and `cache` to ring for everyone else.
    pub fn new(work: Work, jobs: Jobs, queue: Queue, cache: Cache, clock: Clock) -> Orchestrator {
        Orchestrator(Arc::new(Inner {
            work,
            jobs,
            queue,
            cache,
            clock,
            pace: Pace::default(),
            rings: Notify::new(),
            line: Notify::new(),
            changes: broadcast::channel(1_024).0,
            closing: CancellationToken::new(),
        }))
    }

    /// Over what a program was given.
    pub fn over(outfit: &Outfit) -> Orchestrator {
        Orchestrator::new(
            Work::new(outfit.db.clone(), plan).in_zone(&outfit.settings.scheduler_timezone),
            Jobs::new(outfit.db.clone()),
            outfit.queue.clone(),
            outfit.cache.clone(),
            Clock::system(),
        )
    }

    /// Its gRPC service, for a peer in this process or behind a port.
    pub fn server(&self) -> OrchestratorServer<Orchestrator> {
        OrchestratorServer::new(self.clone())
    }

    /// Starts what it does by itself; ends with `shutdown`.
    pub fn spawn(&self, shutdown: &Shutdown) {
        rounds::spawn(self, shutdown);
        let (begun, closing) = (shutdown.token(), self.0.closing.clone());
        shutdown.spawn(async move {
            begun.cancelled().await;
            closing.cancel();
        });
    }

    /// Frees the tasks that a process held which is gone, and rings those whose ring went with it.
    /// Call it before anything else when queue and workers live in this process.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn recover(&self) -> Result<(), store::Error> {
        let rung = self.0.work.start_over(self.0.clock.now()).await?;
        if rung > 0 {
            tracing::info!(tasks = rung, "go on with {rung} tasks of before the restart");
        }
        Ok(())
    }
}

impl Inner {
    /// After the commit of a change: wakes whoever waits for one, here and elsewhere.
    async fn changed(&self, client: ClientId) {
        self.rings.notify_one();
        self.line.notify_one();
        // Nobody may be listening, and that is fine.
        let _ = self.changes.send(client);
        self.ring(JOBS_BELL, client).await;
        self.ring(EVENTS_BELL, client).await;
    }

    /// Rings for other processes. Without the bell they look by themselves, only later.
    async fn ring(&self, bell: &str, client: ClientId) {
        if let Err(error) = self.cache.ring(bell, client.to_string()).await {
            tracing::debug!(%error, "could not ring the bell {bell}");
        }
    }
}

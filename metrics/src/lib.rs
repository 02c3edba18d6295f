//! Links, facts, and the numbers people read.
//!
//! As a worker it takes the tasks *links* and *metrics* of every run: it finds which pull request
//! names which issue, cuts the stages of every pull request, places every deployment, finds the
//! cause of every incident, follows every issue through the workflows, and publishes all of it at
//! once; when workflows change, it follows the issues anew, and when rules change, it places the
//! deployments anew. As a server it answers questions from the last publication.

mod aside;
pub mod bands;
pub mod compute;
pub mod flow;
mod grpc;
mod hear;
pub mod links;
pub mod memory;
mod preview;
mod recompute;
pub mod report;
mod reported;
pub mod stats;
mod worker;

use platform::queue::Queue;
use platform::shutdown::Shutdown;
use program::Outfit;
use proto::Link;
use proto::v1::metrics_server::MetricsServer;

/// The metrics service: a worker and a server over the same facts.
#[derive(Clone)]
pub struct Metrics {
    facts: store::Metrics,
    orchestrator: Link,
    queue: Queue,
    name: String,
}

impl Metrics {
    /// Over the store's facts; takes tasks from `queue` under `name` and reports to `orchestrator`.
    pub fn new(facts: store::Metrics, orchestrator: Link, queue: Queue, name: String) -> Metrics {
        Metrics { facts, orchestrator, queue, name }
    }

    /// Over what a program was given; reports to `orchestrator`.
    pub fn over(outfit: &Outfit, orchestrator: Link) -> Metrics {
        let facts = store::Metrics::new(outfit.db.clone());
        Metrics::new(facts, orchestrator, outfit.queue.clone(), outfit.worker_name("metrics"))
    }

    /// The server that answers questions.
    pub fn server(&self) -> MetricsServer<grpc::Door> {
        server(self.facts.clone())
    }

    /// Takes tasks until the shutdown.
    pub fn spawn(self, shutdown: &Shutdown) {
        shutdown.spawn(recompute::run(self.facts.clone(), self.queue.clone(), shutdown.token()));
        let token = shutdown.token();
        shutdown.spawn(worker::run(self, token));
    }
}

/// The server that answers questions from `facts`.
pub fn server(facts: store::Metrics) -> MetricsServer<grpc::Door> {
    MetricsServer::new(grpc::Door::new(facts))
}

//! A worker: rung for a task, it takes the lease, does the task, and says how it went.

use std::sync::Arc;
use std::time::Duration;

use domain::work::Task;
use platform::backoff::Backoff;
use platform::queue::{self, DELIVERIES_MAX, Delivery, Queue};
use platform::secrets::Vault;
use platform::shutdown::Shutdown;
use proto::convert::timestamp;
use proto::v1::orchestrator_client::OrchestratorClient;
use proto::{Link, v1};
use serde::Deserialize;
use store::{Facts, Integrations};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tracing::Instrument;

use crate::Source;
use crate::connections::Connections;
use crate::line::Line;
use crate::turn::{End, Turn};

/// How often the orchestrator is told how a turn ended, while it does not answer.
const TELL_TRIES: u32 = 8;
/// When a ring comes again that the orchestrator could not be asked about.
const RING_AGAIN: Duration = Duration::from_secs(5);

/// Everything a worker may touch.
pub struct Worker<S> {
    /// What it reads from.
    pub source: S,
    /// Who leases tasks.
    pub orchestrator: Link,
    /// Where it is rung.
    pub queue: Queue,
    /// Where pages are kept.
    pub facts: Facts,
    /// Where connections are kept.
    pub integrations: Integrations,
    /// Opens their credentials.
    pub vault: Vault,
    /// Its name, for people who ask who holds a lease.
    pub name: String,
    /// How many tasks it does side by side.
    pub concurrency: usize,
    /// How many rings it holds, those of the tasks that it does among them: at least as many. More
    /// are at hand sooner, but others cannot have them meanwhile.
    pub prefetch: u16,
}

/// What lies in the queue: only a bell, the truth is in the table.
#[derive(Deserialize)]
struct Ring {
    task_id: String,
}

/// The part of a worker that its turns share.
struct Desk<S> {
    source: S,
    orchestrator: OrchestratorClient<Link>,
    facts: Facts,
    connections: Connections,
    name: String,
    stopping: CancellationToken,
}

/// The orchestrator did not answer, so the ring must come again.
struct Unheard;

impl<S: Source> Worker<S> {
    /// Works until the end is announced; turns under way then stop at their next page.
    ///
    /// # Errors
    /// The queue has no such topic or refuses us.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), queue::Error> {
        let mut consumer = self.queue.consume(S::TOPIC.as_str(), self.prefetch).await?;
        let stopping = shutdown.token();
        let desk = Arc::new(Desk {
            source: self.source,
            orchestrator: OrchestratorClient::new(self.orchestrator),
            facts: self.facts,
            connections: Connections { integrations: self.integrations, vault: self.vault },
            name: self.name,
            stopping: stopping.clone(),
        });
        let mut turns = JoinSet::new();
        loop {
            let delivery = tokio::select! {
                biased;
                () = stopping.cancelled() => break,
                Some(ended) = turns.join_next() => {
                    note(ended);
                    continue;
                }
                delivery = consumer.next(), if turns.len() < self.concurrency => delivery,
            };
            let Some(delivery) = delivery else { break };
            turns.spawn(desk.clone().answer(delivery));
        }
        while let Some(ended) = turns.join_next().await {
            note(ended);
        }
        Ok(())
    }
}

/// An answer never panics by itself, since the turn inside is caught; if it does, the ring comes
/// again.
fn note(ended: Result<Result<(), queue::Error>, tokio::task::JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::debug!(%error, "a ring could not be acknowledged, it comes again");
        }
        Err(error) => tracing::error!(%error, "an answer to a ring broke off"),
    }
}

impl<S: Source> Desk<S> {
    async fn answer(self: Arc<Self>, delivery: Delivery) -> Result<(), queue::Error> {
        let Ok(ring) = serde_json::from_slice::<Ring>(&delivery.body) else {
            tracing::error!(bytes = delivery.body.len(), "a ring cannot be read, it is put aside");
            return delivery.reject().await;
        };
        let span = tracing::info_span!("turn", task.id = %ring.task_id);
        match self.serve(ring).instrument(span).await {
            Ok(()) => delivery.ack().await,
            // Rather than to the dead letters: the table rings again for what nobody takes.
            Err(Unheard) if delivery.attempt >= DELIVERIES_MAX => delivery.ack().await,
            Err(Unheard) => delivery.retry(RING_AGAIN).await,
        }
    }

    async fn serve(self: Arc<Self>, ring: Ring) -> Result<(), Unheard> {
        let begin = v1::BeginRequest { task_id: ring.task_id, worker: proto::asker(&self.name) };
        let reply = self.orchestrator.clone().begin(begin).await.map_err(|status| {
            tracing::warn!(%status, "could not ask the orchestrator for a task");
            Unheard
        })?;
        let Some(lease) = reply.into_inner().lease else { return Ok(()) };
        let (message, fence) = (lease.task.unwrap_or_default(), lease.fence);
        let id = message.id.clone();
        let line = Line::open(self.orchestrator.clone(), &id, fence);
        let in_hand = metrics::gauge!("worker_tasks_in_hand", "topic" => S::TOPIC.as_str());
        in_hand.increment(1.0);
        let end = match Task::try_from(message) {
            Ok(task) => self.clone().turn(task, fence, &line).await,
            Err(error) => End::Released {
                reason: v1::release_request::Reason::Fatal,
                detail: error.to_string(),
                not_before: None,
            },
        };
        in_hand.decrement(1.0);
        // The line is still open, so the lease holds until the orchestrator has heard the end.
        let told = self.tell(&id, fence, end).await;
        drop(line);
        told
    }

    /// Does the task. A panic in a source is a failure of the task, not of the worker.
    async fn turn(self: Arc<Self>, task: Task, fence: i64, line: &Line) -> End {
        let connection = self.connections.open(&task).await;
        let turn = Turn { task, fence, facts: self.facts.clone(), stopping: self.stopping.clone() };
        let taken = std::panic::AssertUnwindSafe(turn.take(&self.source, connection, line));
        match futures::FutureExt::catch_unwind(taken).await {
            Ok(end) => end,
            Err(_) => End::broken("the extractor broke off; its log says where"),
        }
    }

    async fn tell(&self, id: &str, fence: i64, end: End) -> Result<(), Unheard> {
        let task_id = id.to_owned();
        match end {
            End::Forgotten => Ok(()),
            End::Finished { output } => {
                let gaps = Vec::new(); // They were kept with their pages.
                let finish = v1::FinishRequest { task_id, fence, gaps, output };
                self.until_heard(|mut peer| {
                    let finish = finish.clone();
                    async move { peer.finish(finish).await }
                })
                .await
            }
            End::Released { reason, detail, not_before } => {
                tracing::info!(?reason, detail, "hand a task back");
                let release = v1::ReleaseRequest {
                    task_id,
                    fence,
                    reason: reason.into(),
                    detail,
                    not_before: not_before.map(timestamp),
                };
                self.until_heard(|mut peer| {
                    let release = release.clone();
                    async move { peer.release(release).await }
                })
                .await
            }
        }
    }

    /// Says something until it is heard. A refusal is an answer too: the lease is not ours.
    async fn until_heard<F, T>(
        &self,
        say: impl Fn(OrchestratorClient<Link>) -> F,
    ) -> Result<(), Unheard>
    where
        F: Future<Output = Result<T, Status>>,
    {
        for attempt in 0..TELL_TRIES {
            let Err(status) = say(self.orchestrator.clone()).await else { return Ok(()) };
            if is_answer(status.code()) {
                tracing::info!(%status, "the task is no longer ours");
                return Ok(());
            }
            tracing::warn!(%status, "the orchestrator did not hear how a task ended");
            tokio::time::sleep(Backoff::NEARBY.jittered(attempt)).await;
        }
        Err(Unheard)
    }
}

fn is_answer(code: Code) -> bool {
    use Code::{Aborted, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied};
    matches!(code, Aborted | FailedPrecondition | InvalidArgument | NotFound | PermissionDenied)
}

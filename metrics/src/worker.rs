//! Takes the tasks *links* and *metrics*: begin, do, finish, while a heartbeat holds the lease.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use chrono::Utc;
use domain::work::{Fence, Step, Task, TaskKind, Topic};
use futures::FutureExt;
use platform::backoff::Backoff;
use platform::queue::{DELIVERIES_MAX, Delivery};
use proto::Link;
use proto::v1::directive::Kind;
use proto::v1::orchestrator_client::OrchestratorClient;
use proto::v1::release_request::Reason;
use proto::v1::{BeginRequest, FinishRequest, Progress, ReleaseRequest};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::hear::{consumer, next, report_lost};
use crate::{Metrics, compute, links, reported};

/// Well below the length of a lease.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Takes tasks until `stop`.
pub async fn run(metrics: Metrics, stop: CancellationToken) {
    let Some(mut consumer) = consumer(&metrics.queue, Topic::Metrics.as_str(), &stop).await else {
        return;
    };
    while let Some(delivery) = next(&mut consumer, &stop).await {
        take(&metrics, delivery, &stop).await;
    }
}

/// What a ring says: which task to look at.
#[derive(Debug, serde::Deserialize)]
struct Ring {
    task_id: String,
}

async fn take(metrics: &Metrics, delivery: Delivery, stop: &CancellationToken) {
    let ring: Ring = match serde_json::from_slice(&delivery.body) {
        Ok(ring) => ring,
        Err(error) => {
            warn!(%error, "a ring names no task, set aside");
            report_lost(delivery.reject().await);
            return;
        }
    };
    match work(metrics, ring.task_id, stop).await {
        Ok(()) => report_lost(delivery.ack().await),
        // Rather than to the dead letters: the table rings again for what nobody takes.
        Err(_) if delivery.attempt >= DELIVERIES_MAX => report_lost(delivery.ack().await),
        Err(status) => {
            warn!(%status, "the orchestrator did not answer, the ring comes again");
            report_lost(delivery.retry(Duration::from_secs(2)).await);
        }
    }
}

async fn work(
    metrics: &Metrics,
    task_id: String,
    stop: &CancellationToken,
) -> Result<(), tonic::Status> {
    let mut orchestrator = OrchestratorClient::new(metrics.orchestrator.clone());
    let begin = BeginRequest { task_id, worker: proto::asker(&metrics.name) };
    let Some(lease) = orchestrator.begin(begin).await?.into_inner().lease else { return Ok(()) };
    let task = lease.task.ok_or_else(|| tonic::Status::internal("a lease without a task"))?;
    let task = Task::try_from(task)?;
    let fence = Fence { task: task.id, number: lease.fence };

    let done = tokio::select! {
        done = AssertUnwindSafe(perform(metrics, &task, fence)).catch_unwind() => done,
        // What is being written either is kept whole or not at all: whoever goes on does it anew.
        () = stop.cancelled() => {
            orchestrator.release(release(fence, Reason::Yielded, String::new())).await?;
            return Ok(());
        }
        kind = hold(metrics.orchestrator.clone(), fence) => {
            debug!(?kind, task.id = %task.id, "told to let go of a metrics task");
            return match kind {
                Kind::Pause => {
                    orchestrator.release(release(fence, Reason::Paused, String::new())).await.map(|_| ())
                }
                _ => Ok(()),
            };
        }
    };
    let Ok(done) = done else {
        let detail = format!("The {} broke off; the log says where.", task.kind.as_str());
        orchestrator.release(release(fence, Reason::Failed, detail)).await?;
        return Ok(());
    };
    match done {
        Ok(rows) => {
            info!(rows, task.id = %task.id, "finished the {} of a client", task.kind.as_str());
            let finish = FinishRequest {
                task_id: fence.task.to_string(),
                fence: fence.number,
                ..FinishRequest::default()
            };
            orchestrator.finish(finish).await?;
        }
        // Whoever holds it now does it anew.
        Err(store::Error::LostLease { .. }) => {
            info!(task.id = %task.id, "the lease of a metrics task was lost, nothing was written");
        }
        Err(error) => {
            let detail = format!("The {} could not be computed: {error}", task.kind.as_str());
            warn!(%error, task.id = %task.id, "could not finish a metrics task");
            orchestrator.release(release(fence, Reason::Failed, detail)).await?;
        }
    }
    Ok(())
}

/// Does the task. Answers how many rows it made or confirmed.
async fn perform(metrics: &Metrics, task: &Task, fence: Fence) -> Result<u64, store::Error> {
    let (facts, client) = (&metrics.facts, task.client);
    match task.kind {
        TaskKind::Step(Step::Links) => links::keep_all(facts, client, fence).await,
        TaskKind::Step(Step::Metrics) => {
            let as_of = task.run_started_at;
            let rows = compute::publish(facts, client, fence, as_of, Utc::now()).await?;
            reported::keep(facts, client, Utc::now()).await;
            Ok(rows)
        }
        other => {
            warn!(kind = other.as_str(), "a task that is not ours came on our queue");
            Ok(0)
        }
    }
}

/// Holds the lease until the orchestrator says otherwise. While it cannot be asked, the work goes
/// on: the fence sees to it that nothing is written by who lost the lease.
async fn hold(orchestrator: Link, fence: Fence) -> Kind {
    let mut tries = 0;
    loop {
        match hold_once(orchestrator.clone(), fence).await {
            Ok(kind) => return kind,
            Err(status) => debug!(%status, "the report stream broke, opening another"),
        }
        tokio::time::sleep(Backoff::NEARBY.jittered(tries)).await;
        tries += 1;
    }
}

async fn hold_once(orchestrator: Link, fence: Fence) -> Result<Kind, tonic::Status> {
    let (beat, beats) = mpsc::channel(1);
    let progress =
        Progress { task_id: fence.task.to_string(), fence: fence.number, ..Progress::default() };
    beat.try_send(progress.clone()).expect("an empty channel has room");
    let directives =
        OrchestratorClient::new(orchestrator).report(ReceiverStream::new(beats)).await?;
    let mut directives = directives.into_inner();
    let mut clock = tokio::time::interval(HEARTBEAT);
    loop {
        tokio::select! {
            _ = clock.tick() => {
                // A full channel holds a beat that has not gone out yet.
                let _ = beat.try_send(progress.clone());
            }
            directive = directives.message() => match directive?.map(|directive| directive.kind()) {
                Some(Kind::Continue | Kind::Unspecified) => {}
                Some(kind) => return Ok(kind),
                None => return Err(tonic::Status::unavailable("the report stream ended")),
            },
        }
    }
}

fn release(fence: Fence, reason: Reason, detail: String) -> ReleaseRequest {
    ReleaseRequest {
        task_id: fence.task.to_string(),
        fence: fence.number,
        reason: reason.into(),
        detail,
        not_before: None,
    }
}

//! The line to a worker that holds a task: progress up, orders down. The stream is the lease.

use std::pin::Pin;
use std::time::Duration;

use chrono::TimeDelta;
use domain::Moment;
use domain::ids::ClientId;
use domain::job::JobState;
use domain::work::{Fence, TaskState};
use proto::convert::parse;
use proto::v1::{self, directive::Kind};
use store::work::Standing;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::grpc::status;
use crate::{Inner, Orchestrator};

/// How long a lease lasts without a word of the worker.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How long it lasts after the line broke: a worker that lives calls again at once.
const LEASE_WITHOUT_LINE: TimeDelta = TimeDelta::seconds(2);
/// A lease is written at most this often, however much a worker talks.
const RENEW_EVERY: Duration = Duration::from_secs(4);
/// How often the table is asked where the job stands: the bell of another replica may be missed, and
/// a stop shall reach the worker within 2 s all the same.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What goes down the line.
pub(crate) type Directives = Pin<Box<dyn Stream<Item = Result<v1::Directive, Status>> + Send>>;

/// Answers a worker's stream with orders, until it ends.
pub(crate) fn answer(orchestrator: &Orchestrator, up: Streaming<v1::Progress>) -> Directives {
    let (down, directives) = mpsc::channel(8);
    let orchestrator = orchestrator.clone();
    tokio::spawn(async move {
        if let Err(status) = hold(&orchestrator, up, &down).await {
            // A worker that has hung up does not hear it, and need not.
            let _ = down.send(Err(status)).await;
        }
    });
    Box::pin(ReceiverStream::new(directives))
}

/// Holds the line: each word renews the lease, each change of the job is told at once.
async fn hold(
    orchestrator: &Orchestrator,
    mut up: Streaming<v1::Progress>,
    down: &mpsc::Sender<Result<v1::Directive, Status>>,
) -> Result<(), Status> {
    let inner = &orchestrator.0;
    let mut changes = inner.changes.subscribe();
    let Some(first) = up.message().await? else { return Ok(()) };
    let fence = Fence { task: parse("task_id", &first.task_id)?, number: first.fence };
    let client = inner.work.standing(fence.task).await.map_err(status)?.client;
    let mut line = Line { inner, client, fence, down, told: None, renewed: None };
    line.hear(&first).await?;

    let mut look = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while line.is_of_use() {
        tokio::select! {
            word = up.message() => match word {
                Ok(Some(progress)) => line.hear(&progress).await?,
                Ok(None) | Err(_) => return line.let_go().await,
            },
            change = changes.recv() => match change {
                Ok(changed) if changed != client => {}
                Ok(_) | Err(RecvError::Lagged(_)) => line.look().await?,
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = look.tick() => line.look().await?,
            () = down.closed() => return line.let_go().await,
            // The worker calls another replica, and keeps its lease.
            () = inner.closing.cancelled() => return Ok(()),
        }
    }
    Ok(())
}

struct Line<'a> {
    inner: &'a Inner,
    client: ClientId,
    fence: Fence,
    down: &'a mpsc::Sender<Result<v1::Directive, Status>>,
    told: Option<Kind>,
    renewed: Option<Renewed>,
}

/// When this line last renewed the lease, and until when.
struct Renewed {
    at: Instant,
    until: Moment,
}

impl Line<'_> {
    /// The worker said something.
    async fn hear(&mut self, progress: &v1::Progress) -> Result<(), Status> {
        if let Some(budget) = &progress.budget {
            self.inner.pace.note_budget(self.client, budget);
        }
        self.inner.pace.note(self.client);
        if self.renewed.as_ref().is_some_and(|renewed| renewed.at.elapsed() < RENEW_EVERY) {
            return Ok(());
        }
        let until = self.inner.clock.now() + LEASE;
        self.inner.work.renew(self.fence, until).await.map_err(status)?;
        self.renewed = Some(Renewed { at: Instant::now(), until });
        self.look().await
    }

    /// Looks where the job stands, and tells the worker if that is news.
    async fn look(&mut self) -> Result<(), Status> {
        let kind = match self.inner.work.standing(self.fence.task).await {
            Ok(standing) => directive(&standing, self.fence),
            Err(store::Error::Missing { .. }) => Kind::Stop,
            Err(error) => return Err(status(error)),
        };
        if self.told != Some(kind) {
            self.told = Some(kind);
            let directive = v1::Directive { kind: kind.into() };
            // One that has hung up is noticed by the loop.
            let _ = self.down.send(Ok(directive)).await;
        }
        Ok(())
    }

    /// Whether the task is still this worker's.
    fn is_of_use(&self) -> bool {
        !matches!(self.told, Some(Kind::Stop | Kind::Lost))
    }

    /// The line broke: the task shall soon be free again, unless its worker has called anew. That one
    /// may be heard elsewhere, and before this line is known to be broken.
    async fn let_go(&self) -> Result<(), Status> {
        let Some(Renewed { until: seen, .. }) = self.renewed else { return Ok(()) };
        let until = self.inner.clock.now() + LEASE_WITHOUT_LINE;
        self.inner.work.shorten(self.fence, seen, until).await.map_err(status)?;
        Ok(())
    }
}

/// What a worker with this fence should do.
fn directive(standing: &Standing, fence: Fence) -> Kind {
    if standing.fence != fence.number {
        return Kind::Lost;
    }
    match standing.task {
        TaskState::Cancelled => Kind::Stop,
        TaskState::Leased => match standing.job {
            Some(JobState::Running) => Kind::Continue,
            Some(_) => Kind::Pause,
            None if standing.has_run => Kind::Stop,
            None => Kind::Continue,
        },
        TaskState::Ready | TaskState::Done | TaskState::Failed | TaskState::Quarantined => {
            Kind::Lost
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{ClientId, TaskId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_worker_is_told_where_its_job_stands() {
        use JobState::{Paused, Pending, Running};
        use TaskState::{Cancelled, Done, Leased, Ready};
        let cases = [
            (Leased, 3, Some(Running), true, Kind::Continue),
            (Leased, 3, Some(Paused), true, Kind::Pause),
            (Leased, 3, Some(Pending), true, Kind::Pause),
            (Leased, 3, None, true, Kind::Stop),
            (Leased, 3, None, false, Kind::Continue),
            (Leased, 4, Some(Running), true, Kind::Lost),
            (Ready, 3, Some(Running), true, Kind::Lost),
            (Cancelled, 3, None, true, Kind::Stop),
            (Done, 3, Some(Running), true, Kind::Lost),
        ];
        for (task, number, job, has_run, expected) in cases {
            let client = ClientId(Uuid::from_u128(1));
            let standing = Standing { client, task, fence: number, job, has_run };
            let fence = Fence { task: TaskId(Uuid::from_u128(2)), number: 3 };
            assert_eq!(directive(&standing, fence), expected, "{standing:?}");
        }
    }
}

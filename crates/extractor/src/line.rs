//! The line to the orchestrator while a lease is held: progress up, orders down.

use std::time::Duration;

use domain::work::Counts;
use platform::backoff::Backoff;
use proto::Link;
use proto::convert::timestamp;
use proto::v1;
use proto::v1::directive::Kind;
use proto::v1::orchestrator_client::OrchestratorClient;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;

use crate::Budget;

/// Progress is told at most this often.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// And at least this often, since each message renews the lease.
const BEAT_EVERY: Duration = Duration::from_secs(4);

/// An open line. It hangs up when dropped, so the lease ends with it.
pub(crate) struct Line {
    progress: watch::Sender<v1::Progress>,
    orders: watch::Receiver<Kind>,
    _talk: AbortOnDropHandle<()>,
}

/// What the orchestrator wants other than to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Pause,
    /// Stopped, or somebody else's: forget the task.
    Forget,
}

impl Line {
    pub(crate) fn open(orchestrator: OrchestratorClient<Link>, task: &str, fence: i64) -> Line {
        let nothing_yet =
            v1::Progress { task_id: task.to_owned(), fence, ..v1::Progress::default() };
        let (progress, told) = watch::channel(nothing_yet);
        let (heard, orders) = watch::channel(Kind::Continue);
        let talk = tokio::spawn(talk(orchestrator, told, heard));
        Line { progress, orders, _talk: AbortOnDropHandle::new(talk) }
    }

    /// Counts in a page that was kept.
    pub(crate) fn tell(&self, counts: Counts, budget: Option<Budget>) {
        self.progress.send_modify(|progress| {
            progress.rows += counts.rows;
            progress.requests += counts.requests;
            progress.pages += 1;
            if let Some(budget) = budget {
                progress.budget = Some(v1::Budget {
                    limit: budget.limit,
                    remaining: budget.remaining,
                    resets_at: Some(timestamp(budget.resets_at)),
                });
            }
        });
    }

    /// Returns once the orchestrator wants something other than to go on.
    pub(crate) async fn order(&self) -> Order {
        let mut orders = self.orders.clone();
        let heard = orders.wait_for(|kind| order(*kind).is_some()).await.map(|kind| order(*kind));
        match heard {
            Ok(Some(order)) => order,
            // Nobody talks any more: no order will come.
            _ => std::future::pending().await,
        }
    }
}

fn order(kind: Kind) -> Option<Order> {
    match kind {
        Kind::Unspecified | Kind::Continue => None,
        Kind::Pause => Some(Order::Pause),
        Kind::Stop | Kind::Lost => Some(Order::Forget),
    }
}

/// Keeps a stream open, over restarts of the orchestrator. Work goes on meanwhile: the fence sees
/// to it that nothing is kept by who lost the lease.
async fn talk(
    mut orchestrator: OrchestratorClient<Link>,
    mut told: watch::Receiver<v1::Progress>,
    heard: watch::Sender<Kind>,
) {
    let mut broken = 0;
    loop {
        let opened = Instant::now();
        if let Err(status) = one_stream(&mut orchestrator, &mut told, &heard).await {
            tracing::debug!(%status, "the line to the orchestrator broke, calling again");
        }
        if opened.elapsed() > BEAT_EVERY {
            broken = 0;
        }
        tokio::time::sleep(Backoff::NEARBY.jittered(broken)).await;
        broken += 1;
    }
}

async fn one_stream(
    orchestrator: &mut OrchestratorClient<Link>,
    told: &mut watch::Receiver<v1::Progress>,
    heard: &watch::Sender<Kind>,
) -> Result<(), tonic::Status> {
    let (up, messages) = mpsc::channel(4);
    up.try_send(told.borrow_and_update().clone()).expect("the channel is new and has room");
    let mut down = orchestrator.report(ReceiverStream::new(messages)).await?.into_inner();
    let mut tick = interval(TELL_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    loop {
        tokio::select! {
            directive = down.message() => match directive? {
                Some(directive) => drop(heard.send_replace(directive.kind())),
                None => return Ok(()),
            },
            _ = tick.tick() => {
                let news = told.has_changed().unwrap_or(false);
                if !news && last.elapsed() < BEAT_EVERY {
                    continue;
                }
                let progress = told.borrow_and_update().clone();
                if up.send(progress).await.is_err() {
                    return Ok(());
                }
                last = Instant::now();
            }
        }
    }
}

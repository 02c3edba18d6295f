//! What the orchestrator does by itself, round after round: publish rings, give free slots away,
//! start cycles and retries, sweep up what was lost, tell how runs go on, forget what is old.

use std::collections::{BTreeMap, HashSet};
use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use domain::Moment;
use domain::ids::ClientId;
use domain::work::{Fence, Topic};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use platform::cache::Ring as Bell;
use platform::shutdown::Shutdown;
use serde_json::json;
use store::work::{About, Ring};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{Inner, JOBS_BELL, Orchestrator};

/// Rings that are published at a time.
const RINGS_AT_A_TIME: u32 = 256;
/// A publisher that has not finished after this is taken for lost.
const PUBLISH_WITHIN: TimeDelta = TimeDelta::seconds(10);
/// Clients who are served side by side; more would only wait for the database.
const SIDE_BY_SIDE: usize = 8;
/// A task that nobody has taken so long after its ring is rung again, unless its queue is not empty.
const RING_LOST_AFTER: TimeDelta = TimeDelta::seconds(30);
/// Nobody waits longer than this for a probe.
const PROBES_LIVE: TimeDelta = TimeDelta::minutes(2);
/// How long people can look back at how a run went on.
const PROGRESS_LIVES: TimeDelta = TimeDelta::days(2);
/// How long people can look back at where jobs stood, and at runs.
const HISTORY_LIVES: TimeDelta = TimeDelta::days(90);

/// The pause between rounds that nobody asks for earlier.
const SECOND: Duration = Duration::from_secs(1);
/// The pause between two looks for rings that were lost.
const FIVE_SECONDS: Duration = Duration::from_secs(5);
/// The pause between two looks at what is old.
const HOUR: Duration = Duration::from_secs(3_600);
/// People are told at most this often how a run goes on.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// Why a round did not do what it should; the next one tries again.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("could not use the store")]
    Store(#[from] store::Error),
    #[error("could not use the queue")]
    Queue(#[from] platform::queue::Error),
}

/// What there is to do, round after round.
#[derive(Debug, Clone, Copy)]
enum Duty {
    Publish,
    Dispatch,
    StartDue,
    Sweep,
    Recall,
    Forget,
}

impl Duty {
    const ALL: [Duty; 6] =
        [Duty::Publish, Duty::Dispatch, Duty::StartDue, Duty::Sweep, Duty::Recall, Duty::Forget];
}

/// Clients and tasks that the last round of a duty could not serve.
pub(crate) type Troubled = HashSet<Uuid>;

/// Starts all rounds; they end with `shutdown`.
pub(crate) fn spawn(orchestrator: &Orchestrator, shutdown: &Shutdown) {
    for duty in Duty::ALL {
        shutdown.spawn(go(orchestrator.clone(), duty, shutdown.clone()));
    }
    shutdown.spawn(tell(orchestrator.clone(), shutdown.clone()));
    shutdown.spawn(listen(orchestrator.clone(), shutdown.clone()));
}

/// Does a duty whenever it is asked for, and after its pause in any case.
async fn go(Orchestrator(inner): Orchestrator, duty: Duty, shutdown: Shutdown) {
    let never = Notify::new();
    let (pause, asked) = match duty {
        Duty::Publish => (SECOND, &inner.rings),
        Duty::Dispatch => (SECOND, &inner.line),
        Duty::StartDue | Duty::Sweep => (SECOND, &never),
        Duty::Recall => (FIVE_SECONDS, &never),
        Duty::Forget => (HOUR, &never),
    };
    let mut failing = false;
    let mut troubled = Troubled::new();
    while !shutdown.is_begun() {
        match inner.round(duty, &mut troubled).await {
            Ok(()) => failing = false,
            // An outage is worth one line, not one a second.
            Err(error) if failing => tracing::debug!("{error} to {duty:?} again"),
            Err(error) => {
                failing = true;
                tracing::warn!(reason = error.source(), "{error} to {duty:?}, trying on");
            }
        }
        tokio::select! {
            () = asked.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = shutdown.begun() => {}
        }
    }
}

/// Tells people how runs go on, as long as there is something to tell.
async fn tell(Orchestrator(inner): Orchestrator, shutdown: Shutdown) {
    let mut troubled = Troubled::new();
    while !shutdown.is_begun() {
        tokio::select! {
            () = inner.pace.has_news() => {}
            () = shutdown.begun() => return,
        }
        if let Err(error) = inner.tell_progress(&mut troubled).await {
            tracing::warn!(reason = error.source(), "could not tell how runs go on: {error}");
        }
        tokio::time::sleep(TELL_EVERY).await;
    }
}

/// Hears what other replicas changed.
async fn listen(Orchestrator(inner): Orchestrator, shutdown: Shutdown) {
    let mut bell = inner.cache.listen(JOBS_BELL);
    loop {
        let heard = tokio::select! {
            heard = bell.next() => heard,
            () = shutdown.begun() => return,
        };
        match heard {
            Some(Bell::Said(client)) => {
                let Ok(client) = client.parse() else { continue };
                inner.line.notify_one();
                let _ = inner.changes.send(client);
            }
            Some(Bell::Missed) => inner.line.notify_one(),
            None => return,
        }
    }
}

/// Serves many side by side. One who cannot be served waits for the next round and holds up nobody
/// else; only when nobody can be, because the database is away, the round ends.
pub(crate) async fn serve<F>(
    acts: Vec<(Uuid, F)>,
    troubled: &mut Troubled,
) -> Result<(), store::Error>
where
    F: Future<Output = Result<(), store::Error>>,
{
    let mut acts = acts.into_iter().map(|(id, act)| named(id, act));
    let mut under_way: FuturesUnordered<_> = acts.by_ref().take(SIDE_BY_SIDE).collect();
    while let Some((id, served)) = under_way.next().await {
        under_way.extend(acts.next());
        match served {
            Ok(()) => {
                troubled.remove(&id);
            }
            Err(error @ store::Error::Unreachable(_)) => return Err(error),
            Err(error) if troubled.insert(id) => {
                tracing::error!(%id, reason = error.source(), "{error}, going on with the others");
            }
            // What stays broken is worth one line, not one a second.
            Err(error) => tracing::debug!(%id, "{error} again"),
        }
    }
    Ok(())
}

async fn named<F: Future>(id: Uuid, act: F) -> (Uuid, F::Output) {
    (id, act.await)
}

impl Inner {
    async fn round(&self, duty: Duty, troubled: &mut Troubled) -> Result<(), Error> {
        match duty {
            Duty::Publish => self.publish().await,
            Duty::Dispatch => self.dispatch(troubled).await,
            Duty::StartDue => self.start_due(troubled).await,
            Duty::Sweep => self.sweep(troubled).await,
            Duty::Recall => self.recall().await,
            Duty::Forget => self.forget(troubled).await,
        }
    }

    /// Publishes what waits in the outbox. Rings are forgotten when the broker has them: one that
    /// is published twice finds its task taken, or nothing that changed.
    async fn publish(&self) -> Result<(), Error> {
        loop {
            let now = self.clock.now();
            let rings = self.work.take_rings(RINGS_AT_A_TIME, now + PUBLISH_WITHIN, now).await?;
            if rings.is_empty() {
                return Ok(());
            }
            let mut bodies: BTreeMap<&str, Vec<Bytes>> = BTreeMap::new();
            for Ring { topic, about, .. } in &rings {
                let body = match about {
                    About::Task(task) => json!({ "task_id": task.to_string() }),
                    About::Client(client) => json!({ "client_id": client.to_string() }),
                };
                let body = body.to_string();
                bodies.entry(topic.as_str()).or_default().push(body.into());
            }
            for (topic, bodies) in bodies {
                let rung = bodies.len() as u64;
                self.queue.publish_many(topic, bodies).await?;
                metrics::counter!("orchestrator_rings_total", "topic" => topic).increment(rung);
            }
            self.work.forget_rings(&rings).await?;
        }
    }

    /// Gives free running slots to the jobs that have waited longest.
    async fn dispatch(&self, troubled: &mut Troubled) -> Result<(), Error> {
        let waiting = self.work.waiting().await?;
        let acts = waiting.into_iter().map(|client| (client.0, self.dispatch_one(client)));
        Ok(serve(acts.collect(), troubled).await?)
    }

    async fn dispatch_one(&self, client: ClientId) -> Result<(), store::Error> {
        let Some(job) = self.work.dispatch(client, self.clock.now()).await? else { return Ok(()) };
        tracing::info!(client.id = %client, "{} runs", job.job_type);
        self.changed(client).await;
        Ok(())
    }

    /// Starts the cycles and retries whose time has come.
    async fn start_due(&self, troubled: &mut Troubled) -> Result<(), Error> {
        let due = self.work.due_cycles(self.clock.now()).await?;
        let acts = due.into_iter().map(|client| (client.0, self.start_cycle(client)));
        serve(acts.collect(), troubled).await?;
        let due = self.work.due_retries(self.clock.now()).await?;
        let acts = due.into_iter().map(|client| (client.0, self.retry(client)));
        Ok(serve(acts.collect(), troubled).await?)
    }

    async fn start_cycle(&self, client: ClientId) -> Result<(), store::Error> {
        for job in self.work.start_cycle(client, self.clock.now()).await? {
            tracing::info!(client.id = %client, "{} is due", job.job_type);
        }
        self.changed(client).await;
        Ok(())
    }

    async fn retry(&self, client: ClientId) -> Result<(), store::Error> {
        for job in self.work.retry(client, self.clock.now()).await? {
            tracing::info!(client.id = %client, "{} is tried again", job.job_type);
        }
        self.changed(client).await;
        Ok(())
    }

    /// Takes tasks from workers that are gone, and rings those whose wait is over.
    async fn sweep(&self, troubled: &mut Troubled) -> Result<(), Error> {
        let expired = self.work.expired(self.clock.now()).await?;
        let acts = expired.into_iter().map(|fence| (fence.task.0, self.expire(fence)));
        serve(acts.collect(), troubled).await?;
        if self.work.ring_waited(self.clock.now()).await? > 0 {
            self.rings.notify_one();
        }
        Ok(())
    }

    async fn expire(&self, fence: Fence) -> Result<(), store::Error> {
        let Some(client) = self.work.expire(fence, self.clock.now()).await? else { return Ok(()) };
        tracing::info!(task.id = %fence.task, "a worker was lost, its task is free again");
        metrics::counter!("orchestrator_workers_lost_total").increment(1);
        self.pace.note(client);
        self.changed(client).await;
        Ok(())
    }

    /// Rings tasks whose ring was lost. While rings lie in the queue, workers are only busy, and more
    /// of them would pile up.
    async fn recall(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let since = now - RING_LOST_AFTER;
        for topic in Topic::ALL.iter().copied() {
            if !self.work.is_unheard(topic, since, now).await?
                || self.queue.depth(topic.as_str()).await?.ready > 0
            {
                continue;
            }
            let rung = self.work.ring_unheard(topic, since, now).await?;
            tracing::info!("rang {rung} {topic} tasks again that nobody had taken");
            self.rings.notify_one();
        }
        Ok(())
    }

    async fn forget(&self, troubled: &mut Troubled) -> Result<(), Error> {
        let now = self.clock.now();
        self.work.forget_old_probes(now - PROBES_LIVE).await?;
        self.work.prune_events(now - PROGRESS_LIVES, now - HISTORY_LIVES).await?;
        let with_old_runs = self.work.clients_with_old_runs(now - HISTORY_LIVES).await?;
        let before = now - HISTORY_LIVES;
        let acts =
            with_old_runs.into_iter().map(|client| (client.0, self.forget_runs(client, before)));
        Ok(serve(acts.collect(), troubled).await?)
    }

    async fn forget_runs(&self, client: ClientId, before: Moment) -> Result<(), store::Error> {
        let forgotten = self.work.forget_runs(client, before).await?;
        if forgotten > 0 {
            tracing::info!(client.id = %client, "forgot {forgotten} runs of long ago");
        }
        Ok(())
    }
}

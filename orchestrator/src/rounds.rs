//! What the orchestrator does by itself, round after round: publish rings, give free slots away,
//! start cycles and retries, sweep up what was lost, tell how runs go on, forget what is old.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use platform::cache::Ring as Bell;
use platform::shutdown::Shutdown;
use serde_json::json;
use store::work::Ring;
use tokio::sync::Notify;

use crate::{Inner, JOBS_BELL, Orchestrator};

/// Rings that are published at a time.
const RINGS_AT_A_TIME: u32 = 256;
/// A publisher that has not finished after this is taken for lost.
const PUBLISH_WITHIN: TimeDelta = TimeDelta::seconds(10);
/// A task that nobody has taken so long after its ring is rung again.
const RING_LOST_AFTER: TimeDelta = TimeDelta::seconds(30);
/// Nobody waits longer than this for a probe.
const PROBES_LIVE: TimeDelta = TimeDelta::minutes(2);
/// How long people can look back at how a run went on.
const PROGRESS_LIVES: TimeDelta = TimeDelta::days(2);
/// How long people can look back at where jobs stood.
const EVENTS_LIVE: TimeDelta = TimeDelta::days(90);

/// The pause between rounds that nobody asks for earlier.
const SECOND: Duration = Duration::from_secs(1);
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
    Forget,
}

/// Starts all rounds; they end with `shutdown`.
pub(crate) fn spawn(orchestrator: &Orchestrator, shutdown: &Shutdown) {
    for duty in [Duty::Publish, Duty::Dispatch, Duty::StartDue, Duty::Sweep, Duty::Forget] {
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
        Duty::Forget => (HOUR, &never),
    };
    let mut failing = false;
    while !shutdown.is_begun() {
        match inner.round(duty).await {
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
    while !shutdown.is_begun() {
        tokio::select! {
            () = inner.pace.has_news() => {}
            () = shutdown.begun() => return,
        }
        if let Err(error) = inner.tell_progress().await {
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

impl Inner {
    async fn round(&self, duty: Duty) -> Result<(), Error> {
        match duty {
            Duty::Publish => self.publish().await,
            Duty::Dispatch => self.dispatch().await,
            Duty::StartDue => self.start_due().await,
            Duty::Sweep => self.sweep().await,
            Duty::Forget => self.forget().await,
        }
    }

    /// Publishes what waits in the outbox. Rings are forgotten when the broker has them: one that
    /// is published twice finds its task taken.
    async fn publish(&self) -> Result<(), Error> {
        loop {
            let now = self.clock.now();
            let rings = self.work.take_rings(RINGS_AT_A_TIME, now + PUBLISH_WITHIN, now).await?;
            if rings.is_empty() {
                return Ok(());
            }
            let mut bodies: BTreeMap<&str, Vec<Bytes>> = BTreeMap::new();
            for Ring { topic, task, .. } in &rings {
                let body = json!({ "task_id": task.to_string() }).to_string();
                bodies.entry(topic.as_str()).or_default().push(body.into());
            }
            for (topic, bodies) in bodies {
                self.queue.publish_many(topic, bodies).await?;
            }
            self.work.forget_rings(&rings).await?;
        }
    }

    /// Gives free running slots to the jobs that have waited longest.
    async fn dispatch(&self) -> Result<(), Error> {
        for client in self.work.waiting().await? {
            let Some(job) = self.work.dispatch(client, self.clock.now()).await? else { continue };
            tracing::info!(client.id = %client, "{} runs", job.job_type);
            self.pace.note(client);
            self.changed(client).await;
        }
        Ok(())
    }

    /// Starts the cycles and retries whose time has come.
    async fn start_due(&self) -> Result<(), Error> {
        for client in self.work.due_cycles(self.clock.now()).await? {
            for job in self.work.start_cycle(client, self.clock.now()).await? {
                tracing::info!(client.id = %client, "{} is due", job.job_type);
            }
            self.changed(client).await;
        }
        for client in self.work.due_retries(self.clock.now()).await? {
            for job in self.work.retry(client, self.clock.now()).await? {
                tracing::info!(client.id = %client, "{} is tried again", job.job_type);
            }
            self.changed(client).await;
        }
        Ok(())
    }

    /// Takes tasks from workers that are gone, and rings those whose wait is over or whose ring
    /// was lost.
    async fn sweep(&self) -> Result<(), Error> {
        for fence in self.work.expired(self.clock.now()).await? {
            let Some(client) = self.work.expire(fence, self.clock.now()).await? else { continue };
            tracing::info!(task.id = %fence.task, "a worker was lost, its task is free again");
            self.pace.note(client);
            self.changed(client).await;
        }
        let now = self.clock.now();
        if self.work.ring_again(now - RING_LOST_AFTER, now).await? > 0 {
            self.rings.notify_one();
        }
        Ok(())
    }

    async fn forget(&self) -> Result<(), Error> {
        let now = self.clock.now();
        self.work.forget_old_probes(now - PROBES_LIVE).await?;
        self.work.prune_events(now - PROGRESS_LIVES, now - EVENTS_LIVE).await?;
        Ok(())
    }
}

//! An orderly end: everyone is told once, and the last one out closes the door.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks that outlived the time they were given.
#[derive(Debug, thiserror::Error)]
#[error("{tasks} task(s) were still at work {}s after the end was announced", waited.as_secs())]
pub struct StillRunning {
    /// How many there are.
    pub tasks: usize,
    /// How long we waited for them.
    pub waited: Duration,
}

/// Tells tasks that the end has come and waits for them; clones share one end.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// An end that comes only by `begin`.
    pub fn new() -> Shutdown {
        Shutdown::default()
    }

    /// An end that SIGTERM or SIGINT begins; a second signal does not wait for the drain.
    pub fn on_signals() -> std::io::Result<Shutdown> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = Shutdown::new();
        let announced = shutdown.token.clone();
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!("got {name}: finishing what is under way");
            announced.cancel();
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("got a second signal: leaving at once");
            std::process::exit(130);
        });
        Ok(shutdown)
    }

    /// Announces the end. Saying it twice changes nothing.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Whether the end has been announced.
    pub fn is_begun(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Returns when the end is announced, at once if it already was.
    pub async fn begun(&self) {
        self.token.cancelled().await;
    }

    /// A token that is cancelled with the end; cancelling it ends nobody else.
    pub fn token(&self) -> CancellationToken {
        self.token.child_token()
    }

    /// Starts a task that `drain` waits for.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Announces the end and waits until every task has returned, `deadline` at most.
    pub async fn drain(&self, deadline: Duration) -> Result<(), StillRunning> {
        self.begin();
        self.tasks.close();
        tokio::time::timeout(deadline, self.tasks.wait())
            .await
            .map_err(|_| StillRunning { tasks: self.tasks.len(), waited: deadline })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_drain_waits_for_work_under_way() {
        let shutdown = Shutdown::new();
        let token = shutdown.token();
        let worker = shutdown.spawn(async move {
            token.cancelled().await;
            tokio::task::yield_now().await;
            "finished"
        });
        shutdown.drain(Duration::from_secs(5)).await.unwrap();
        assert_eq!(worker.await.unwrap(), "finished");
    }

    #[tokio::test]
    async fn the_drain_gives_up_on_who_does_not_listen() {
        let shutdown = Shutdown::new();
        shutdown.spawn(std::future::pending::<()>());
        let late = shutdown.drain(Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(late.tasks, 1);
    }

    #[tokio::test]
    async fn one_task_can_leave_without_the_others() {
        let shutdown = Shutdown::new();
        shutdown.token().cancel();
        assert!(!shutdown.is_begun());
        shutdown.begin();
        shutdown.begun().await;
    }
}

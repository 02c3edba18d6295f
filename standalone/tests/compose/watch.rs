//! Looks all the while whether more runs than it should.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::stack::{Stack, Trouble};

/// Somebody who looks until told to stop.
pub struct Watch {
    stop: oneshot::Sender<()>,
    looking: JoinHandle<Seen>,
}

/// What was seen.
#[derive(Default)]
pub struct Seen {
    looks: usize,
    /// Looks that found a job running.
    running: usize,
    /// Looks that nobody answered.
    away: usize,
}

impl Watch {
    pub fn start(stack: Arc<Stack>) -> Watch {
        let (stop, mut stopped) = oneshot::channel();
        let looking = tokio::spawn(async move {
            let mut seen = Seen::default();
            while stopped.try_recv().is_err() {
                seen.looks += 1;
                match running(&stack).await {
                    Ok(0) => {}
                    Ok(1) => seen.running += 1,
                    Ok(several) => panic!("{several} jobs or runs of one client run at once"),
                    Err(_away) => seen.away += 1,
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            seen
        });
        Watch { stop, looking }
    }

    /// Stops looking. Whoever saw too much, or nothing, fails the test.
    pub async fn stop(self) -> Seen {
        // It has ended already if it saw too much.
        let _ = self.stop.send(());
        let seen = self.looking.await.expect("never more than one of a client at once");
        assert!(seen.running > 0, "nothing was ever seen running");
        seen
    }
}

/// How many jobs are RUNNING, or how many runs are open, whichever is more.
async fn running(stack: &Stack) -> Result<usize, Trouble> {
    let count = |list: &Value, field: &str, value: &Value| {
        let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter(|item| item[field] == *value).count()
    };
    let jobs = stack.get("/api/v1/jobs").await?;
    let mut most = count(&jobs, "status", &"RUNNING".into());
    for job in ["jira_sync", "git_sync"] {
        let runs = stack.get(&format!("/api/v1/jobs/{job}/runs?limit=20")).await?;
        most = most.max(count(&runs, "outcome", &Value::Null));
    }
    Ok(most)
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { looks, running, away } = self;
        write!(f, "{looks} looks: {running} at one running job, 0 at two, {away} unanswered")
    }
}

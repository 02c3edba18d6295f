//! Tests of connections, done by a worker while somebody waits.

use std::time::Duration;

use chrono::TimeDelta;
use domain::ids::{ClientId, TaskId};
use domain::work::{SourceKind, TaskKind};
use store::work::Answer;
use tokio::time::timeout;

use crate::Inner;

/// How long somebody waits at most.
const PATIENCE: TimeDelta = TimeDelta::seconds(25);
/// How often the table is asked for the answer, should it come in through another replica.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("No {source_kind} worker answered within {} seconds. Check that one is running.", PATIENCE.num_seconds())]
    NobodyAnswered { source_kind: SourceKind },
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Inner {
    /// Has a worker do `kind` with `input`, and waits for what it finds.
    pub(crate) async fn probe(
        &self,
        client: ClientId,
        kind: TaskKind,
        source_kind: SourceKind,
        input: &str,
    ) -> Result<String, Error> {
        let topic = source_kind.into();
        let task = self.work.ask_probe(client, kind, topic, input, self.clock.now()).await?;
        self.rings.notify_one();
        let answer = self.answer(client, task).await;
        self.work.forget_probe(task).await?;
        match answer? {
            Some(Answer::Found(output)) => Ok(output),
            Some(Answer::Failed(detail)) => Err(Error::Failed(detail)),
            None => Err(Error::NobodyAnswered { source_kind }),
        }
    }

    /// What came of a probe, unless nothing does in time.
    async fn answer(&self, client: ClientId, task: TaskId) -> Result<Option<Answer>, store::Error> {
        let mut changes = self.changes.subscribe();
        let until = self.clock.now() + PATIENCE;
        loop {
            let answer = self.work.probe_answer(task).await?;
            if answer.is_some() || self.clock.now() >= until {
                return Ok(answer);
            }
            let change = async { while changes.recv().await.is_ok_and(|of| of != client) {} };
            // Whether something changed or not, the table knows.
            let _ = timeout(LOOK_EVERY, change).await;
        }
    }
}

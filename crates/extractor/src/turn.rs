//! One lease: fetch a page and keep it, until the task is complete or something ends the turn. The
//! next page is asked for when the last is kept, so a crash never costs more than one.

use std::time::Duration;

use chrono::Utc;
use domain::Moment;
use domain::work::{Counts, Fence, Task, TaskKind};
use platform::backoff::Backoff;
use proto::v1::release_request::Reason;
use store::Facts;
use store::facts::{Held, PageMark};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::line::{Line, Order};
use crate::{Connection, Failure, Page, Reader, Source};

/// The cursor behind the last page: nothing is left to read. What the task found out follows it,
/// so that a crash before the end was told costs nothing.
const DONE: &str = "done";
/// A slice of time; then the task hands itself on, far below the broker's patience.
const TURN_MAX: Duration = Duration::from_secs(4 * 60);
/// How often a page that failed in passing is asked for again, beside the tries of each request.
const PASSING_RETRIES: u32 = 2;
/// How often a slice is read from its start in one turn because its cursor went stale.
const RESTARTS: u32 = 2;

/// How a turn ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The task is complete.
    Finished { output: String },
    /// The task is handed back.
    Released { reason: Reason, detail: String, not_before: Option<Moment> },
    /// The task is no longer ours: nothing to say.
    Forgotten,
}

impl End {
    pub(crate) fn broken(detail: impl Into<String>) -> End {
        End::Released { reason: Reason::Broken, detail: detail.into(), not_before: None }
    }

    fn handed_on(reason: Reason) -> End {
        End::Released { reason, detail: String::new(), not_before: None }
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> End {
        let detail = failure.to_string();
        let (reason, not_before) = match failure {
            Failure::Throttled { until } => (Reason::Waiting, Some(until)),
            Failure::Passing { .. } | Failure::StaleCursor => (Reason::Failed, None),
            Failure::Down { until, .. } => (Reason::Failed, Some(until)),
            Failure::Fatal { .. } => (Reason::Fatal, None),
            Failure::Unreadable { .. } | Failure::TooLarge { .. } => (Reason::Unreadable, None),
        };
        End::Released { reason, detail, not_before }
    }
}

impl From<Order> for End {
    fn from(order: Order) -> End {
        match order {
            Order::Pause => End::handed_on(Reason::Paused),
            Order::Forget => End::Forgotten,
        }
    }
}

impl From<store::Error> for End {
    fn from(error: store::Error) -> End {
        match error {
            store::Error::LostLease { .. } => End::Forgotten,
            other => {
                tracing::error!(error = ?other, "could not keep a page");
                let reason = if other.is_passing() { Reason::Failed } else { Reason::Broken };
                let detail = format!("a page could not be kept: {other}");
                End::Released { reason, detail, not_before: None }
            }
        }
    }
}

/// A lease that is held, and everything a turn touches.
pub(crate) struct Turn {
    pub(crate) task: Task,
    pub(crate) fence: i64,
    pub(crate) facts: Facts,
    pub(crate) stopping: CancellationToken,
}

impl Turn {
    /// Does the task, as far as it goes.
    pub(crate) async fn take<S: Source>(
        &self,
        source: &S,
        connection: Result<Connection, Failure>,
        line: &Line,
    ) -> End {
        if let Some(output) = self.task.cursor.strip_prefix(DONE) {
            return End::Finished { output: output.to_owned() };
        }
        let done = async {
            match self.task.kind {
                TaskKind::Step(_) => self.read(source, connection?, line).await,
                TaskKind::Probe | TaskKind::Scopes => {
                    Ok(source.probe(&self.task, connection?).await?)
                }
            }
        };
        match done.await {
            Ok(output) => End::Finished { output },
            Err(end) => end,
        }
    }

    /// Reads page after page to the last, and returns what the task found out.
    async fn read<S: Source>(
        &self,
        source: &S,
        connection: Connection,
        line: &Line,
    ) -> Result<String, End> {
        let until = Instant::now() + TURN_MAX;
        let held = self.held(&connection)?;
        let mut reader = self.unless_ended(line, source.open(&self.task, connection)).await??;
        let mut restarts = RESTARTS;
        let mut cursor = self.task.cursor.clone();
        loop {
            let mut page = self.fetch(&mut reader, cursor.clone(), line, &mut restarts).await?;
            let Some(next) = page.next.take() else {
                let output = page.output.take().unwrap_or_default();
                self.keep(&held, page, [cursor, format!("{DONE}{output}")], true, line).await?;
                return Ok(output);
            };
            self.keep(&held, page, [cursor, next.clone()], false, line).await?;
            if Instant::now() > until {
                return Err(End::handed_on(Reason::Yielded));
            }
            cursor = next;
        }
    }

    async fn keep(
        &self,
        held: &Held,
        page: Page,
        [from, cursor]: [String; 2],
        is_last: bool,
        line: &Line,
    ) -> Result<(), End> {
        let counts = Counts { rows: page.facts.rows() as u64, requests: page.requests };
        let (gaps, source_time, now) = (page.gaps, page.source_time, Utc::now());
        let mark = PageMark { from, cursor, is_last, counts, gaps, now, source_time };
        self.facts.keep_page(held, page.facts, &mark).await?;
        let step = self.task.kind.as_str();
        metrics::counter!("worker_pages_kept_total", "step" => step).increment(1);
        metrics::counter!("worker_rows_kept_total", "step" => step).increment(counts.rows);
        line.tell(counts, page.budget);
        Ok(())
    }

    fn held(&self, connection: &Connection) -> Result<Held, Failure> {
        let unconnected = || Failure::Fatal { detail: "a step reads from a connection".to_owned() };
        Ok(Held {
            client: self.task.client,
            integration: connection.integration.ok_or_else(unconnected)?,
            run: self.task.run,
            fence: Fence { task: self.task.id, number: self.fence },
        })
    }

    /// The page at `cursor`, unless the turn ends first; what is under way is then dropped.
    async fn fetch<R: Reader>(
        &self,
        reader: &mut R,
        cursor: String,
        line: &Line,
        restarts: &mut u32,
    ) -> Result<Page, End> {
        let page = self.unless_ended(line, persistently(reader, cursor, restarts)).await??;
        Ok(page)
    }

    async fn unless_ended<T>(&self, line: &Line, work: impl Future<Output = T>) -> Result<T, End> {
        tokio::select! {
            biased;
            order = line.order() => Err(order.into()),
            () = self.stopping.cancelled() => Err(End::handed_on(Reason::Yielded)),
            done = work => Ok(done),
        }
    }
}

/// The page at `cursor`, asked for again while what failed may pass.
async fn persistently<R: Reader>(
    reader: &mut R,
    mut cursor: String,
    restarts: &mut u32,
) -> Result<Page, Failure> {
    let mut retries = 0;
    loop {
        match reader.page(&cursor).await {
            Err(Failure::Passing { detail }) if retries < PASSING_RETRIES => {
                tracing::warn!(retries, "a page could not be read, trying again: {detail}");
                tokio::time::sleep(Backoff::UPSTREAM.jittered(retries)).await;
                retries += 1;
            }
            Err(Failure::StaleCursor) if *restarts > 0 => {
                tracing::info!("the source no longer knows the cursor, reading the slice again");
                *restarts -= 1;
                cursor.clear();
            }
            result => return result,
        }
    }
}

//! One place that sends requests: paced, counted, and tried again while that may help.

use std::error::Error as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use domain::Moment;
use platform::upstream::header::HeaderMap;
use platform::upstream::{self, Backoff, PAGE_BYTES_MAX, RequestBuilder, StatusCode, Upstream};

use crate::Failure;
use crate::budget::{Quota, SHORT_WAIT, after};

/// How often a request is sent when what stops it may pass.
const TRIES: u32 = 3;
/// How often a request is sent when the source asks for short waits.
const THROTTLED_TRIES: u32 = 6;
/// `Retry-After: 0` is met, and asking at once would only be refused again.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// Nobody who is well asks for more.
const WAIT_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Sends the requests of one connection.
pub struct Exchange {
    upstream: Upstream,
    quota: Quota,
    backoff: Backoff,
    sent: AtomicU64,
    source_time: OnceLock<Moment>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, unpacked.
    pub body: Bytes,
}

/// Why a source's rules do not accept a reply.
#[derive(Debug)]
pub enum Trouble {
    /// Too many requests. `Retry-After` is honoured anyway; `wait` is what other signs ask for.
    Throttled {
        /// How long to wait, if the reply says so elsewhere.
        wait: Option<Duration>,
    },
    /// May pass, such as a 503.
    Passing {
        /// For people: what happened.
        detail: String,
    },
    /// The body is not what it should be.
    Malformed {
        /// For people: what is wrong with it.
        detail: String,
    },
    /// Asking again does not help.
    Failed(Failure),
}

/// How often a request did not succeed.
#[derive(Debug, Clone, Copy, Default)]
struct Tries {
    all: u32,
    /// A page is given up for what it is, and not for what happened on the way to it.
    malformed: u32,
}

impl Tries {
    fn count(&mut self, trouble: &Trouble) {
        self.all += 1;
        self.malformed += u32::from(matches!(trouble, Trouble::Malformed { .. }));
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Failed(failure)
    }
}

impl Exchange {
    /// Over `upstream`, within `quota`.
    pub fn new(upstream: Upstream, quota: Quota) -> Exchange {
        Exchange {
            upstream,
            quota,
            backoff: Backoff::UPSTREAM,
            sent: AtomicU64::new(0),
            source_time: OnceLock::new(),
        }
    }

    /// With other waits between tries.
    #[must_use]
    pub fn with_backoff(self, backoff: Backoff) -> Exchange {
        Exchange { backoff, ..self }
    }

    /// The client, to begin requests with.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Requests sent so far, refused ones included.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// What the source's clock said when it first answered, if it told.
    pub fn source_time(&self) -> Option<Moment> {
        self.source_time.get().copied()
    }

    /// Sends `request` until `read`, which holds the source's rules, makes something of the reply.
    ///
    /// # Errors
    /// The last trouble, once trying again is no use: a page that stays malformed is
    /// [`Failure::Unreadable`], and a wait too long to sit out is [`Failure::Throttled`], or
    /// [`Failure::Down`] where no quota asks for it.
    pub async fn ask<T>(
        &self,
        request: RequestBuilder,
        read: impl Fn(&Reply) -> Result<T, Trouble> + Send,
    ) -> Result<T, Failure> {
        let mut tries = Tries::default();
        loop {
            let again = request.try_clone().expect("our bodies are bytes, never streams");
            let (trouble, told) = match self.send(again).await? {
                Ok(reply) => match read(&reply) {
                    Ok(read) => return Ok(read),
                    Err(trouble) => (trouble, upstream::retry_after(&reply.headers, Utc::now())),
                },
                Err(trouble) => (trouble, None),
            };
            tries.count(&trouble);
            tracing::debug!(?tries, ?trouble, "a request did not succeed");
            self.wait_out(trouble, told, tries).await?;
        }
    }

    /// Sends once. What the transport reports is split into trouble and failure as well.
    async fn send(&self, request: RequestBuilder) -> Result<Result<Reply, Trouble>, Failure> {
        let turn = self.quota.admit(1).await?;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let reply = self.exchange(request).await;
        drop(turn);
        match reply {
            Ok(reply) => Ok(Ok(reply)),
            Err(error) => trouble(&error).map(Err),
        }
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Reply, upstream::Error> {
        let response = self.upstream.send(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if let Some(date) = upstream::date(&headers) {
            self.source_time.get_or_init(|| date);
        }
        let body = upstream::read_body(response, PAGE_BYTES_MAX).await?;
        Ok(Reply { status, headers, body })
    }

    async fn wait_out(
        &self,
        trouble: Trouble,
        told: Option<Duration>,
        tries: Tries,
    ) -> Result<(), Failure> {
        let usual = self.backoff.jittered(tries.all - 1);
        match trouble {
            Trouble::Failed(failure) => Err(failure),
            Trouble::Throttled { wait } => {
                let wait = told.or(wait).map_or(usual, never_earlier);
                let until = after(wait);
                self.quota.pause(until).await;
                if wait > SHORT_WAIT || tries.all >= THROTTLED_TRIES {
                    return Err(Failure::Throttled { until });
                }
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Trouble::Passing { detail } if told.is_some_and(|wait| wait > SHORT_WAIT) => {
                let until = after(told.map_or(usual, never_earlier));
                Err(Failure::Down { detail, until })
            }
            Trouble::Passing { detail } if tries.all >= TRIES => Err(Failure::Passing { detail }),
            Trouble::Malformed { detail } if tries.malformed >= TRIES => {
                Err(Failure::Unreadable { detail })
            }
            Trouble::Passing { .. } | Trouble::Malformed { .. } => {
                tokio::time::sleep(usual.max(told.unwrap_or_default())).await;
                Ok(())
            }
        }
    }
}

/// At least a second, at least what we were told, and spread so that not all come back at once.
fn never_earlier(told: Duration) -> Duration {
    told.clamp(WAIT_MIN, WAIT_MAX).mul_f64(1.0 + 0.3 * platform::backoff::roll())
}

/// What the transport's error means for us.
fn trouble(error: &upstream::Error) -> Result<Trouble, Failure> {
    use upstream::Error::{Broken, Redirected, Refused, Request, TimedOut, TooLarge, Unreachable};
    let detail = with_causes(error);
    match error {
        TimedOut { .. } | Unreachable { .. } | Broken { .. } => Ok(Trouble::Passing { detail }),
        TooLarge { .. } => Err(Failure::TooLarge { detail }),
        Refused(_) | Redirected { .. } | Request(_) => Err(Failure::Fatal { detail }),
    }
}

fn with_causes(error: &upstream::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let reason = inner.to_string();
        if !text.contains(&reason) {
            text.push_str(": ");
            text.push_str(&reason);
        }
        cause = inner.source();
    }
    text
}

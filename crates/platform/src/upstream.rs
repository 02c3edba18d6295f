//! Outgoing HTTP to addresses that users typed in: guarded, patient within limits, and never
//! larger in memory than allowed.

mod body;
mod date;
mod guard;
mod redact;
mod retry_after;

use std::error::Error as _;
use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
pub use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};

pub use self::body::{PAGE_BYTES_MAX, read_body};
pub use self::date::date;
pub use self::guard::{Guard, Refused};
pub use self::redact::redact;
pub use self::retry_after::retry_after;
pub use crate::backoff::Backoff;

const REDIRECTS_MAX: usize = 5;

/// Why an answer did not come.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not one we may reach: change the address, or `UPSTREAM_ALLOW`.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Nobody answered in time: ask again later.
    #[error("{host} did not answer in time")]
    TimedOut {
        /// Whom we asked.
        host: String,
    },
    /// No connection: name, network or certificate.
    #[error("cannot connect to {host}")]
    Unreachable {
        /// Whom we asked.
        host: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// Redirected in circles, or from https to http.
    #[error("{host} redirects too often or to an insecure address")]
    Redirected {
        /// Whom we asked.
        host: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// The answer is larger than we are ready to hold: ask for less.
    #[error("{host} sent more than {cap_bytes} bytes")]
    TooLarge {
        /// Who sent it.
        host: String,
        /// How much we would have taken.
        cap_bytes: usize,
    },
    /// The answer broke off or could not be unpacked: ask again.
    #[error("the answer of {host} broke off")]
    Broken {
        /// Who sent it.
        host: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// We could not even ask: the request is our own mistake.
    #[error("cannot build the request")]
    Request(#[source] reqwest::Error),
}

impl Error {
    fn from_reqwest(error: reqwest::Error, host: String) -> Error {
        if let Some(refused) = refused_inside(&error) {
            return Error::Refused(refused);
        }
        // The URL may carry a token, and the host is in the message already.
        let source = error.without_url();
        if source.is_timeout() {
            return Error::TimedOut { host };
        }
        if source.is_redirect() {
            return Error::Redirected { host, source };
        }
        if source.is_connect() {
            return Error::Unreachable { host, source };
        }
        if source.is_builder() {
            return Error::Request(source);
        }
        Error::Broken { host, source }
    }
}

fn refused_inside(error: &reqwest::Error) -> Option<Refused> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return Some(refused.clone());
        }
        source = inner.source();
    }
    None
}

/// How long each stage of an answer may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until the connection stands.
    pub connect: Duration,
    /// Between one sign of life and the next.
    pub read: Duration,
    /// Until the last byte: one byte a second keeps every single read alive.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(30),
            answer: Duration::from_secs(180),
        }
    }
}

/// A pooled HTTP client that goes only where its guard lets it; clones share the pool.
#[derive(Debug, Clone)]
pub struct Upstream {
    client: reqwest::Client,
    guard: Guard,
}

impl Upstream {
    /// A client behind this guard.
    pub fn new(guard: Guard) -> Result<Upstream, Error> {
        Upstream::with_patience(guard, Patience::default())
    }

    /// A client that waits longer, or less long.
    pub fn with_patience(guard: Guard, patience: Patience) -> Result<Upstream, Error> {
        let judge = guard.clone();
        let client = reqwest::Client::builder()
            .user_agent(concat!("pulse-etl/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(patience.connect)
            .read_timeout(patience.read)
            .timeout(patience.answer)
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_keepalive(Duration::from_secs(30))
            .dns_resolver(guard.clone())
            .redirect(Policy::custom(move |attempt| follow(&judge, attempt)))
            // A Referer would tell the next host which URL, token and all, sent us there.
            .referer(false)
            .no_proxy()
            .build()
            .map_err(Error::Request)?;
        Ok(Upstream { client, guard })
    }

    /// Begins a request, if the address may be asked.
    pub fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, Error> {
        self.guard.check(&url)?;
        Ok(self.client.request(method, url))
    }

    /// Begins a GET.
    pub fn get(&self, url: Url) -> Result<RequestBuilder, Error> {
        self.request(Method::GET, url)
    }

    /// Begins a POST.
    pub fn post(&self, url: Url) -> Result<RequestBuilder, Error> {
        self.request(Method::POST, url)
    }

    /// Sends a request; every status is an answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let request = request.build().map_err(Error::Request)?;
        // A request built elsewhere gets the same look.
        self.guard.check(request.url())?;
        let host = host_of(request.url());
        self.client.execute(request).await.map_err(|error| Error::from_reqwest(error, host))
    }
}

/// Credentials stay behind when scheme, host or port change: the client drops them itself.
fn follow(guard: &Guard, attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error("too many redirects");
    }
    let was_secure = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if was_secure && attempt.url().scheme() != "https" {
        return attempt.error("redirected from https to http");
    }
    match guard.check(attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(refused) => attempt.error(refused),
    }
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or("the address").to_owned()
}

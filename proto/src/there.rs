//! A peer across the network: each call has its deadline, those that may be repeated are, and one
//! that is away is called by its name.

use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Collected, Full};
use platform::backoff::Backoff;
use tonic::body::Body;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, ConnectError, Status};
use tower::ServiceExt;

use crate::Pass;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// How often a connection that says nothing is asked for a sign of life, and how soon it must give one.
pub(crate) const ALIVE_EVERY: Duration = Duration::from_secs(10);
pub(crate) const ALIVE_WITHIN: Duration = Duration::from_secs(5);
/// How often a call is made that does not get through.
const TRIES: u32 = 4;
/// Where a status carries the name of the peer that is away.
const AWAY: &str = "pulse-away";

#[derive(Clone)]
pub(crate) struct There {
    name: &'static str,
    channel: Channel,
    token: Option<HeaderValue>,
}

/// How a call is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// As long as both sides like.
    Stream,
    /// Question and answer. One that is repeatable does no harm when it is heard twice.
    Unary { within: Duration, repeatable: bool },
}

/// The calls of our services; the deadlines of all others are those of the last line.
#[rustfmt::skip]
fn manner(path: &str) -> Manner {
    let seconds = |within, repeatable| {
        Manner::Unary { within: Duration::from_secs(within), repeatable }
    };
    match path {
        "/pulse.v1.Orchestrator/Report"       => Manner::Stream,
        "/pulse.v1.Orchestrator/EnsureClient" => seconds(10, true),
        "/pulse.v1.Orchestrator/PutSchedule"  => seconds(10, true),
        "/pulse.v1.Orchestrator/Begin"        => seconds(10, true),
        "/pulse.v1.Orchestrator/Finish"       => seconds(10, true),
        "/pulse.v1.Orchestrator/Release"      => seconds(10, true),
        // The orchestrator itself waits 25 s for a worker.
        "/pulse.v1.Orchestrator/Probe"        => seconds(30, false),
        "/pulse.v1.Metrics/Ask"               => seconds(30, true),
        "/pulse.v1.Metrics/Preview"           => seconds(30, true),
        "/grpc.health.v1.Health/Check"        => seconds(2, true),
        _                                     => seconds(10, false),
    }
}

/// The peer that is away, if that is why a call failed.
pub fn away(status: &Status) -> Option<&str> {
    status.metadata().get(AWAY)?.to_str().ok()
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What came of one try.
type Tried = Result<Response<Collected<Bytes>>, BoxError>;

impl There {
    pub(crate) fn new(
        name: &'static str,
        url: &str,
        pass: &Pass,
    ) -> Result<There, tonic::transport::Error> {
        let mut endpoint = Endpoint::from_shared(url.to_owned())?
            .connect_timeout(CONNECT_WITHIN)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(ALIVE_EVERY)
            .keep_alive_timeout(ALIVE_WITHIN)
            .keep_alive_while_idle(true);
        if let Some(tls) = pass.client_tls() {
            endpoint = endpoint.tls_config(tls)?;
        }
        Ok(There { name, channel: endpoint.connect_lazy(), token: pass.shown() })
    }

    pub(crate) async fn call(self, request: Request<Body>) -> Result<Response<Body>, Status> {
        match manner(request.uri().path()) {
            Manner::Stream => self.once(request).await.map_err(|error| self.is_away(&*error)),
            Manner::Unary { within, repeatable } => {
                tokio::time::timeout(within, self.ask(request, within, repeatable))
                    .await
                    .unwrap_or_else(|_| Err(self.sign(Status::deadline_exceeded(self.silence()))))
            }
        }
    }

    /// Asks until there is an answer, if asking again is right.
    async fn ask(
        &self,
        request: Request<Body>,
        within: Duration,
        repeatable: bool,
    ) -> Result<Response<Body>, Status> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let patience = format!("{}m", within.as_millis());
        let patience = HeaderValue::try_from(patience).expect("digits and a letter");
        head.headers.insert("grpc-timeout", patience);
        for attempt in 0.. {
            let request = Request::from_parts(head.clone(), Body::new(Full::new(body.clone())));
            let tried = self.whole(request).await;
            if attempt + 1 < TRIES && may_be_repeated(&tried, repeatable) {
                tokio::time::sleep(Backoff::NEARBY.jittered(attempt)).await;
                continue;
            }
            return match tried {
                Ok(answer) => Ok(answer.map(Body::new)),
                Err(error) => Err(self.is_away(&*error)),
            };
        }
        unreachable!("the last try is answered")
    }

    /// One try, to the last byte of its answer.
    async fn whole(&self, request: Request<Body>) -> Tried {
        let (head, body) = self.once(request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?))
    }

    async fn once(&self, mut request: Request<Body>) -> Result<Response<Body>, BoxError> {
        if let Some(token) = &self.token {
            request.headers_mut().insert(AUTHORIZATION, token.clone());
        }
        Ok(self.channel.clone().oneshot(request).await?)
    }

    fn is_away(&self, error: &(dyn std::error::Error + 'static)) -> Status {
        tracing::debug!(error, "could not reach the {}", self.name);
        self.sign(Status::unavailable(self.silence()))
    }

    fn silence(&self) -> String {
        format!("The {} does not answer.", self.name)
    }

    fn sign(&self, mut status: Status) -> Status {
        status.metadata_mut().insert(AWAY, MetadataValue::from_static(self.name));
        status
    }
}

/// Whether a try failed in a way that may pass, and nothing can happen twice.
fn may_be_repeated(tried: &Tried, repeatable: bool) -> bool {
    match tried {
        Ok(answer) => repeatable && is_unavailable(answer),
        Err(error) => repeatable || was_never_sent(&**error),
    }
}

/// The status stands before the answer or behind it.
fn is_unavailable(answer: &Response<Collected<Bytes>>) -> bool {
    let said = |headers: &HeaderMap| {
        Status::from_header_map(headers).is_some_and(|status| status.code() == Code::Unavailable)
    };
    said(answer.headers()) || answer.body().trailers().is_some_and(said)
}

fn was_never_sent(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| cause.is::<ConnectError>())
}

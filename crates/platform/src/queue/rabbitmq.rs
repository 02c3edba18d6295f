//! The queue through RabbitMQ. A broker that goes away and comes back is a pause, not a failure.

mod consumer;
mod line;
mod publisher;
mod topology;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::uri::AMQPUri;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

pub(super) use self::consumer::{Consumer, Receipt};
use self::line::Line;
use self::topology::Topology;
use super::{Depth, Error};
use crate::backoff::Backoff;
use crate::health::Check;
use crate::upstream::redact;

/// How long a broker that starts beside us is waited for.
const OPEN_WITHIN: Duration = Duration::from_secs(60);
/// How long one question to the broker may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const HEALTH_WITHIN: Duration = Duration::from_secs(2);
/// Seconds after which a silent connection counts as dead.
const HEARTBEAT_SECONDS: u16 = 10;

#[derive(Debug, Clone)]
pub(super) struct RabbitMq(Arc<Broker>);

/// One line each, so that a broker that holds publishers back does not hold acknowledgements back.
#[derive(Debug)]
struct Broker {
    topology: Arc<Topology>,
    publishing: Line,
    consuming: Line,
    closed: CancellationToken,
}

impl RabbitMq {
    pub(super) async fn open(
        prefix: &str,
        url: &str,
        topics: &[&'static str],
    ) -> Result<RabbitMq, Error> {
        let uri = address(url)?;
        let topology = Arc::new(Topology::new(prefix, topics));
        let rabbitmq = RabbitMq(Arc::new(Broker {
            publishing: Line::new(uri.clone(), "publisher", topology.clone()),
            consuming: Line::new(uri, "consumer", topology.clone()),
            topology,
            closed: CancellationToken::new(),
        }));
        rabbitmq.await_broker().await?;
        Ok(rabbitmq)
    }

    async fn await_broker(&self) -> Result<(), Error> {
        let deadline = Instant::now() + OPEN_WITHIN;
        for attempt in 0.. {
            let error = match self.0.publishing.channel().await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let pause = Backoff::NEARBY.jittered(attempt);
            let out_of_time = Instant::now() + pause > deadline;
            if out_of_time || !matches!(error, Error::Unavailable(_)) {
                return Err(error);
            }
            tracing::info!(error = %chain(&error), "waiting for the broker");
            sleep(pause).await;
        }
        unreachable!("the deadline ends the loop")
    }

    pub(super) async fn publish(&self, topic: &str, bodies: Vec<Bytes>) -> Result<(), Error> {
        let topic = self.0.topology.topic(topic)?;
        let publishing = publisher::publish(&self.0, topic, &bodies);
        tokio::select! {
            biased;
            () = self.0.closed.cancelled() => Err(Error::Closed),
            done = publishing => done,
        }
    }

    pub(super) async fn consume(&self, topic: &str, prefetch: u16) -> Result<Consumer, Error> {
        let topic = self.0.topology.topic(topic)?;
        Consumer::start(self.0.clone(), topic, prefetch).await
    }

    pub(super) async fn depth(&self, topic: &str) -> Result<Depth, Error> {
        let topic = self.0.topology.topic(topic)?;
        let channel = self.0.consuming.channel().await?;
        answered(async {
            let ready = topology::count(&channel, &self.0.topology.queue(topic)).await?;
            let dead = topology::count(&channel, &self.0.topology.dead_queue(topic)).await?;
            Ok(Depth { ready, dead })
        })
        .await
    }

    pub(super) async fn take_dead(&self, topic: &str) -> Result<Option<Bytes>, Error> {
        let topic = self.0.topology.topic(topic)?;
        let channel = self.0.consuming.channel().await?;
        let queue = self.0.topology.dead_queue(topic);
        answered(async {
            let letter = channel.basic_get(queue.into(), BasicGetOptions::default()).await?;
            let Some(letter) = letter else { return Ok(None) };
            letter.delivery.acker.ack(BasicAckOptions::default()).await?;
            Ok(Some(Bytes::from(letter.delivery.data)))
        })
        .await
    }

    pub(super) async fn health(&self) -> Check {
        if self.0.closed.is_cancelled() {
            return Check::down("queue", "closed");
        }
        let asking = async { self.0.consuming.probe().await };
        match timeout(HEALTH_WITHIN, asking).await {
            Ok(Ok(())) => Check::healthy("queue"),
            Ok(Err(error)) => Check::down("queue", chain(&error)),
            Err(_) => Check::down("queue", "the broker does not answer"),
        }
    }

    pub(super) async fn close(&self) {
        self.0.closed.cancel();
        self.0.publishing.hang_up().await;
        self.0.consuming.hang_up().await;
    }
}

fn address(url: &str) -> Result<AMQPUri, Error> {
    let mut uri: AMQPUri =
        url.parse().map_err(|reason| Error::Address { url: redact(url), reason })?;
    // People end the URL with a slash and mean the default virtual host, not the one called "".
    if uri.vhost.is_empty() {
        uri.vhost = "/".to_owned();
    }
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    Ok(uri)
}

/// The broker's answer, if it comes in time.
async fn answered<T>(asking: impl Future<Output = Result<T, lapin::Error>>) -> Result<T, Error> {
    match timeout(ANSWER_WITHIN, asking).await {
        Ok(answer) => answer.map_err(judged),
        Err(_) => Err(Error::Unavailable(None)),
    }
}

/// What somebody must look at, apart from what passes.
fn judged(error: lapin::Error) -> Error {
    use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};

    let lapin::ErrorKind::ProtocolError(refusal) = error.kind() else {
        return Error::Unavailable(Some(error));
    };
    match refusal.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED | AMQPSoftError::PRECONDITIONFAILED)
        | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => Error::Refused(error),
        _ => Error::Unavailable(Some(error)),
    }
}

/// An error and everything behind it on one line; lapin's own words already hold what is behind them.
fn chain(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

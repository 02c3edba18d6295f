//! Hands messages to the broker and believes nothing it has not confirmed.

use std::time::Duration;

use bytes::Bytes;
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::time::{Instant, sleep, timeout};

use super::{ANSWER_WITHIN, Broker, Error, judged};
use crate::backoff::Backoff;

/// How long a message is offered before the caller learns that the broker is away.
const OFFER_FOR: Duration = Duration::from_secs(10);
/// How many messages may wait for their confirmation at once.
const UNCONFIRMED_MAX: usize = 500;
const PERSISTENT: u8 = 2;

/// The header in which a message that waits carries how often it was delivered before.
pub(super) const DELIVERED_BEFORE: &str = "x-pulse-delivered";

/// Where messages go.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// To their topic.
    Now,
    /// To their topic, after a wait.
    Later { after: Duration, delivered_before: u32 },
}

pub(super) async fn publish(
    broker: &Broker,
    topic: &'static str,
    bodies: &[Bytes],
) -> Result<(), Error> {
    for some in bodies.chunks(UNCONFIRMED_MAX) {
        insist(broker, topic, Way::Now, some).await?;
    }
    Ok(())
}

/// Publishes a message that comes to its topic after a while.
pub(super) async fn publish_later(
    broker: &Broker,
    topic: &'static str,
    after: Duration,
    body: &Bytes,
    delivered_before: u32,
) -> Result<(), Error> {
    let way = Way::Later { after, delivered_before };
    insist(broker, topic, way, std::slice::from_ref(body)).await
}

/// Tries until it works, until somebody has to look, or until the time is over.
async fn insist(
    broker: &Broker,
    topic: &'static str,
    way: Way,
    bodies: &[Bytes],
) -> Result<(), Error> {
    let deadline = Instant::now() + OFFER_FOR;
    let mut failures = 0;
    loop {
        let error = match timeout(ANSWER_WITHIN, send(broker, topic, way, bodies)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => Error::Unavailable(None),
        };
        let pause = Backoff::NEARBY.jittered(failures);
        let out_of_time = Instant::now() + pause > deadline;
        if out_of_time || !matches!(error, Error::Unavailable(_)) {
            return Err(error);
        }
        // Silent or refusing although it looks alive: another connection may do better.
        if matches!(error, Error::Unavailable(None)) {
            broker.publishing.drop_connection().await;
        }
        failures += 1;
        sleep(pause).await;
    }
}

async fn send(
    broker: &Broker,
    topic: &'static str,
    way: Way,
    bodies: &[Bytes],
) -> Result<(), Error> {
    let channel = broker.publishing.channel().await?;
    let mut headers = FieldTable::default();
    let exchange = match way {
        Way::Now => broker.topology.exchange(),
        Way::Later { after, delivered_before } => {
            headers.insert(DELIVERED_BEFORE.into(), AMQPValue::LongUInt(delivered_before));
            broker.topology.waiting_room(after)
        }
    };
    offer(&channel, &exchange, topic, bodies, headers).await
}

/// Sends all, then waits for all.
async fn offer(
    channel: &Channel,
    exchange: &str,
    routing_key: &str,
    bodies: &[Bytes],
    headers: FieldTable,
) -> Result<(), Error> {
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let properties =
        BasicProperties::default().with_delivery_mode(PERSISTENT).with_headers(headers);
    let mut confirms = Vec::with_capacity(bodies.len());
    for body in bodies {
        let sent = channel.basic_publish(
            exchange.into(),
            routing_key.into(),
            options,
            body,
            properties.clone(),
        );
        confirms.push(sent.await.map_err(judged)?);
    }
    for confirm in confirms {
        match confirm.await.map_err(judged)? {
            Confirmation::Ack(None) => {}
            // Returned: the queue is gone. Refused: it is full. Both may pass; a new connection
            // declares what is missing.
            _ => return Err(Error::Unavailable(None)),
        }
    }
    Ok(())
}

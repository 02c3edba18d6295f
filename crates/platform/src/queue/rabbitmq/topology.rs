//! What stands in the broker, and under which names. Declaring it again changes nothing.
//!
//! `pulse` routes a message to `pulse.<topic>`, a quorum queue. What is given up goes through
//! `pulse.dead` to `pulse.<topic>.dead`. What shall wait lies in `pulse.<topic>.after.<ms>`, whose
//! messages return to `pulse` when their time is up; such a queue goes away when it is not used.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};

use super::super::{DELIVERIES_MAX, Error};

const WAIT_MAX: Duration = Duration::from_secs(3600);
/// How much longer than its messages a waiting queue lives.
const UNUSED_FOR: Duration = Duration::from_secs(3600);

#[derive(Debug)]
pub(super) struct Topology {
    prefix: String,
    topics: Vec<&'static str>,
}

impl Topology {
    pub(super) fn new(prefix: &str, topics: &[&'static str]) -> Topology {
        Topology { prefix: prefix.to_owned(), topics: topics.to_vec() }
    }

    pub(super) fn topic(&self, name: &str) -> Result<&'static str, Error> {
        let known = self.topics.iter().find(|topic| **topic == name);
        known.copied().ok_or_else(|| Error::UnknownTopic { topic: name.to_owned() })
    }

    pub(super) fn name(&self) -> &str {
        &self.prefix
    }

    pub(super) fn exchange(&self) -> String {
        self.prefix.clone()
    }

    fn dead_exchange(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    pub(super) fn queue(&self, topic: &str) -> String {
        format!("{}.{topic}", self.prefix)
    }

    pub(super) fn dead_queue(&self, topic: &str) -> String {
        format!("{}.{topic}.dead", self.prefix)
    }

    pub(super) async fn declare(&self, channel: &Channel) -> Result<(), lapin::Error> {
        for exchange in [self.exchange(), self.dead_exchange()] {
            let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
            let none = FieldTable::default();
            channel.exchange_declare(exchange.into(), ExchangeKind::Direct, options, none).await?;
        }
        for topic in &self.topics {
            let (queue, dead_queue) = (self.queue(topic), self.dead_queue(topic));
            declare_queue(channel, &dead_queue, vec![]).await?;
            bind(channel, &dead_queue, &self.dead_exchange(), topic).await?;
            // The broker counts returns, we count deliveries: there is one return less.
            let returns_max = DELIVERIES_MAX - 1;
            let mut arguments = hand_over_to(&self.dead_exchange());
            arguments.push(("x-delivery-limit", AMQPValue::LongUInt(returns_max)));
            declare_queue(channel, &queue, arguments).await?;
            bind(channel, &queue, &self.exchange(), topic).await?;
        }
        Ok(())
    }

    /// Declares the queue in which messages of a topic wait at least `after`, and names it.
    ///
    /// Messages of one queue wait equally long, so none waits for another. Declaring the queue
    /// each time keeps it from going away with messages inside.
    pub(super) async fn declare_waiting(
        &self,
        channel: &Channel,
        topic: &str,
        after: Duration,
    ) -> Result<String, lapin::Error> {
        let wait = rounded_up(after);
        let queue = format!("{}.after.{}", self.queue(topic), wait.as_millis());
        let mut arguments = hand_over_to(&self.exchange());
        arguments.push(("x-dead-letter-routing-key", text(topic)));
        arguments.push(("x-message-ttl", milliseconds(wait)));
        arguments.push(("x-expires", milliseconds(wait + UNUSED_FOR)));
        declare_queue(channel, &queue, arguments).await?;
        Ok(queue)
    }
}

/// How many messages are ready in a queue.
pub(super) async fn count(channel: &Channel, queue: &str) -> Result<usize, lapin::Error> {
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    let state = channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
    Ok(state.message_count() as usize)
}

async fn declare_queue(
    channel: &Channel,
    queue: &str,
    arguments: Vec<(&'static str, AMQPValue)>,
) -> Result<(), lapin::Error> {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (name, value) in arguments {
        table.insert(name.into(), value);
    }
    let options = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(queue.into(), options, table).await?;
    Ok(())
}

async fn bind(
    channel: &Channel,
    queue: &str,
    exchange: &str,
    topic: &str,
) -> Result<(), lapin::Error> {
    let (options, none) = (QueueBindOptions::default(), FieldTable::default());
    channel.queue_bind(queue.into(), exchange.into(), topic.into(), options, none).await
}

/// Dead-lettering that loses nothing on the way; the broker wants reject-publish with it.
fn hand_over_to(exchange: &str) -> Vec<(&'static str, AMQPValue)> {
    vec![
        ("x-dead-letter-exchange", text(exchange)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ]
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

fn milliseconds(wait: Duration) -> AMQPValue {
    AMQPValue::LongUInt(wait.as_millis().try_into().expect("hours fit into 32 bits"))
}

/// 1, 2 or 5 times a power of ten milliseconds, so that a topic has few waiting queues.
fn rounded_up(after: Duration) -> Duration {
    let after = after.min(WAIT_MAX);
    let powers = (2..7).map(|power| 10u64.pow(power));
    powers
        .flat_map(|power| [power, 2 * power, 5 * power])
        .map(Duration::from_millis)
        .find(|step| *step >= after)
        .map_or(WAIT_MAX, |step| step.min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up_to_few_steps() {
        for (after_ms, wait_ms) in [
            (0, 100),
            (100, 100),
            (101, 200),
            (900, 1_000),
            (1_500, 2_000),
            (30_000, 50_000),
            (3_000_000, 3_600_000),
            (99_000_000, 3_600_000),
        ] {
            let wait = rounded_up(Duration::from_millis(after_ms));
            assert_eq!(wait, Duration::from_millis(wait_ms));
        }
    }
}

//! What stands in the broker, and under which names. Declaring it again changes nothing.
//!
//! `pulse` routes a message to `pulse.<topic>`, a quorum queue. What is given up goes through
//! `pulse.dead` to `pulse.<topic>.dead`. What shall wait goes through `pulse.after.<ms>` to the
//! queue of that name, and when its time is up back to `pulse`, its topic still written on it.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};

use super::super::{DELIVERIES_MAX, Error};

/// How long messages can wait. All topics share these queues, and messages of one queue wait
/// equally long, so none waits for another. They stand from the start: a broker that is killed
/// while a quorum queue is young can lose it.
const WAITS: [Duration; 7] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1_800),
];

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

    /// Where messages go that shall wait at least `after`, half an hour at most.
    pub(super) fn waiting_room(&self, after: Duration) -> String {
        self.waiting_room_for(rounded_up(after))
    }

    fn waiting_room_for(&self, wait: Duration) -> String {
        format!("{}.after.{}", self.prefix, wait.as_millis())
    }

    pub(super) async fn declare(&self, channel: &Channel) -> Result<(), lapin::Error> {
        declare_exchange(channel, &self.exchange(), ExchangeKind::Direct).await?;
        declare_exchange(channel, &self.dead_exchange(), ExchangeKind::Direct).await?;
        for topic in &self.topics {
            self.declare_topic(channel, topic).await?;
        }
        for wait in WAITS {
            let room = self.waiting_room_for(wait);
            let mut arguments = hand_over_to(&self.exchange());
            arguments.push(("x-message-ttl", milliseconds(wait)));
            declare_exchange(channel, &room, ExchangeKind::Fanout).await?;
            declare_queue(channel, &room, arguments).await?;
            bind(channel, &room, &room, "").await?;
        }
        Ok(())
    }

    async fn declare_topic(&self, channel: &Channel, topic: &str) -> Result<(), lapin::Error> {
        let (queue, dead_queue) = (self.queue(topic), self.dead_queue(topic));
        declare_queue(channel, &dead_queue, vec![]).await?;
        bind(channel, &dead_queue, &self.dead_exchange(), topic).await?;
        // The broker counts returns, we count deliveries: there is one return less.
        let returns_max = DELIVERIES_MAX - 1;
        let mut arguments = hand_over_to(&self.dead_exchange());
        arguments.push(("x-delivery-limit", AMQPValue::LongUInt(returns_max)));
        declare_queue(channel, &queue, arguments).await?;
        bind(channel, &queue, &self.exchange(), topic).await
    }
}

/// How many messages are ready in a queue.
pub(super) async fn count(channel: &Channel, queue: &str) -> Result<usize, lapin::Error> {
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    let state = channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
    Ok(state.message_count() as usize)
}

async fn declare_exchange(
    channel: &Channel,
    exchange: &str,
    kind: ExchangeKind,
) -> Result<(), lapin::Error> {
    let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel.exchange_declare(exchange.into(), kind, options, FieldTable::default()).await
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

fn rounded_up(after: Duration) -> Duration {
    let long_enough = WAITS.into_iter().find(|wait| *wait >= after);
    long_enough.unwrap_or(WAITS[WAITS.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up_to_a_step() {
        for (after_ms, wait_ms) in [
            (0, 100),
            (100, 100),
            (101, 1_000),
            (30_000, 60_000),
            (1_800_000, 1_800_000),
            (99_000_000, 1_800_000),
        ] {
            let wait = rounded_up(Duration::from_millis(after_ms));
            assert_eq!(wait, Duration::from_millis(wait_ms));
        }
    }
}

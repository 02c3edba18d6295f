//! Carries messages from one service to another: in this process, or through RabbitMQ.
//!
//! A message is delivered at least once. It is gone when it is acknowledged; one whose delivery is
//! dropped comes again, and after [`DELIVERIES_MAX`] deliveries it lies with the dead letters.

mod memory;
mod rabbitmq;

use std::time::Duration;

use bytes::Bytes;

use self::memory::Memory;
use self::rabbitmq::RabbitMq;
use crate::health::Check;

/// How often a message is handed out before it counts as poison.
pub const DELIVERIES_MAX: u32 = 5;

/// The name under which all things of ours stand in the broker.
const PREFIX: &str = "pulse";

/// Why a message could not be carried.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is no queue's: correct the configuration.
    #[error("cannot use {url} as a queue: {reason}")]
    Address {
        /// The address, without secrets.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody declared this topic when the queue was opened: our own mistake.
    #[error("no topic {topic:?} in this queue")]
    UnknownTopic {
        /// What was asked for.
        topic: String,
    },
    /// The broker cannot be reached or does not confirm: try again later.
    #[error("the broker is not available")]
    Unavailable(#[source] Option<lapin::Error>),
    /// The broker does not let us in, or holds queues declared in another way: a person must look.
    #[error("the broker refuses us")]
    Refused(#[source] lapin::Error),
    /// The connection that brought this delivery is gone; the message will come again.
    #[error("the delivery was lost with its connection and will come again")]
    Lost,
    /// The queue was closed here.
    #[error("the queue is closed")]
    Closed,
}

/// Messages by topic; clones are the same queue.
#[derive(Debug, Clone)]
pub struct Queue(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Memory(Memory),
    RabbitMq(RabbitMq),
}

/// How many messages lie where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Waiting for a consumer.
    pub ready: usize,
    /// Given up.
    pub dead: usize,
}

impl Queue {
    /// Opens `memory:` or `amqp://…` with these topics, waiting a while for a broker that starts.
    pub async fn open(url: &str, topics: &[&'static str]) -> Result<Queue, Error> {
        Queue::open_as(PREFIX, url, topics).await
    }

    /// Like `open`, under another name in the broker, so that tests and tenants of one broker do
    /// not meet.
    pub async fn open_as(prefix: &str, url: &str, topics: &[&'static str]) -> Result<Queue, Error> {
        if url.starts_with("memory:") {
            return Ok(Queue::memory(topics));
        }
        Ok(Queue(Kind::RabbitMq(RabbitMq::open(prefix, url, topics).await?)))
    }

    /// A queue inside this process.
    pub fn memory(topics: &[&'static str]) -> Queue {
        Queue(Kind::Memory(Memory::new(topics)))
    }

    /// Hands one message over; it is safe when this returns.
    pub async fn publish(&self, topic: &str, body: impl Into<Bytes>) -> Result<(), Error> {
        self.publish_many(topic, vec![body.into()]).await
    }

    /// Hands messages over; all are safe when this returns. After an error some may be, so
    /// publishing again can double them.
    pub async fn publish_many(&self, topic: &str, bodies: Vec<Bytes>) -> Result<(), Error> {
        match &self.0 {
            Kind::Memory(memory) => memory.publish(topic, bodies),
            Kind::RabbitMq(rabbitmq) => rabbitmq.publish(topic, bodies).await,
        }
    }

    /// Starts to receive a topic, with at most `prefetch` deliveries in hand.
    pub async fn consume(&self, topic: &str, prefetch: u16) -> Result<Consumer, Error> {
        let prefetch = prefetch.max(1);
        Ok(Consumer(match &self.0 {
            Kind::Memory(memory) => Source::Memory(memory.consume(topic, prefetch)?),
            Kind::RabbitMq(rabbitmq) => {
                Source::RabbitMq(Box::new(rabbitmq.consume(topic, prefetch).await?))
            }
        }))
    }

    /// How many messages of a topic wait and how many were given up.
    pub async fn depth(&self, topic: &str) -> Result<Depth, Error> {
        match &self.0 {
            Kind::Memory(memory) => memory.depth(topic),
            Kind::RabbitMq(rabbitmq) => rabbitmq.depth(topic).await,
        }
    }

    /// Takes the oldest dead letter of a topic away, to look at it or to publish it again.
    pub async fn take_dead(&self, topic: &str) -> Result<Option<Bytes>, Error> {
        match &self.0 {
            Kind::Memory(memory) => memory.take_dead(topic),
            Kind::RabbitMq(rabbitmq) => rabbitmq.take_dead(topic).await,
        }
    }

    /// Whether messages can be carried now.
    pub async fn health(&self) -> Check {
        match &self.0 {
            Kind::Memory(_) => Check::healthy("queue"),
            Kind::RabbitMq(rabbitmq) => rabbitmq.health().await,
        }
    }

    /// Ends all consumers and hangs up; deliveries that are not acknowledged come again.
    pub async fn close(&self) {
        match &self.0 {
            Kind::Memory(memory) => memory.close(),
            Kind::RabbitMq(rabbitmq) => rabbitmq.close().await,
        }
    }
}

/// Receives the messages of one topic.
#[derive(Debug)]
pub struct Consumer(Source);

#[derive(Debug)]
enum Source {
    Memory(memory::Consumer),
    RabbitMq(Box<rabbitmq::Consumer>),
}

impl Consumer {
    /// The next message, as soon as there is one and fewer than `prefetch` are in hand; nothing
    /// once the queue is closed. Outages of the broker only make it wait. Dropping the future
    /// loses nothing.
    pub async fn next(&mut self) -> Option<Delivery> {
        match &mut self.0 {
            Source::Memory(consumer) => consumer.next().await,
            Source::RabbitMq(consumer) => consumer.next().await,
        }
    }
}

/// A message in hand. Dropped without a word it is delivered again.
#[derive(Debug)]
pub struct Delivery {
    /// What was published.
    pub body: Bytes,
    /// Counts the deliveries of this message, as far as known: 1 at first.
    pub attempt: u32,
    receipt: Receipt,
}

#[derive(Debug)]
enum Receipt {
    Memory(memory::Receipt),
    RabbitMq(Box<rabbitmq::Receipt>),
}

impl Delivery {
    /// Whether this message was handed out before.
    pub fn is_repeated(&self) -> bool {
        self.attempt > 1
    }

    /// The message is dealt with: it does not come again.
    pub async fn ack(self) -> Result<(), Error> {
        match self.receipt {
            Receipt::Memory(receipt) => receipt.ack(),
            Receipt::RabbitMq(receipt) => receipt.ack().await,
        }
    }

    /// The message shall come again, not before `after`; after the last attempt it is given up.
    ///
    /// Through a broker the wait is rounded up to 0.1, 1, 5, 15, 60, 300 or 1800 s.
    pub async fn retry(self, after: Duration) -> Result<(), Error> {
        if self.attempt >= DELIVERIES_MAX {
            return self.reject().await;
        }
        match self.receipt {
            Receipt::Memory(receipt) => receipt.retry(after),
            Receipt::RabbitMq(receipt) => receipt.retry(after, &self.body, self.attempt).await,
        }
    }

    /// The message can never be dealt with: it goes to the dead letters.
    pub async fn reject(self) -> Result<(), Error> {
        match self.receipt {
            Receipt::Memory(receipt) => receipt.reject(),
            Receipt::RabbitMq(receipt) => receipt.reject().await,
        }
    }
}

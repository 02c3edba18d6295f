//! Receives from the broker, and subscribes anew whenever a connection ends.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use lapin::message::Delivery as Message;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, BasicRejectOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Acker, Channel};
use tokio::time::sleep;

use super::super::{DELIVERIES_MAX, Delivery};
use super::publisher::{DELIVERED_BEFORE, publish_later};
use super::{Broker, Error, answered, chain};
use crate::backoff::Backoff;

#[derive(Debug)]
pub(in super::super) struct Consumer {
    broker: Arc<Broker>,
    topic: &'static str,
    prefetch: u16,
    subscription: Option<Subscription>,
    failures: u32,
}

#[derive(Debug)]
struct Subscription {
    channel: Channel,
    messages: lapin::Consumer,
}

impl Consumer {
    pub(super) async fn start(
        broker: Arc<Broker>,
        topic: &'static str,
        prefetch: u16,
    ) -> Result<Consumer, Error> {
        let subscription = Some(subscribe(&broker, topic, prefetch).await?);
        Ok(Consumer { broker, topic, prefetch, subscription, failures: 0 })
    }

    pub(in super::super) async fn next(&mut self) -> Option<Delivery> {
        let closed = self.broker.closed.clone();
        tokio::select! {
            biased;
            () = closed.cancelled() => None,
            delivery = self.receive() => Some(delivery),
        }
    }

    async fn receive(&mut self) -> Delivery {
        loop {
            let Some(subscription) = &mut self.subscription else {
                self.subscribe_again().await;
                continue;
            };
            let message = match subscription.messages.next().await {
                Some(Ok(message)) => message,
                ended => {
                    let error = ended.and_then(Result::err).map(|error| error.to_string());
                    tracing::warn!(topic = self.topic, error, "the broker hung up");
                    self.subscription = None;
                    continue;
                }
            };
            self.failures = 0;
            let channel = subscription.channel.clone();
            let attempt = attempt_of(&message);
            let receipt = Receipt::new(self.broker.clone(), self.topic, channel, message.acker);
            if attempt <= DELIVERIES_MAX {
                let body = Bytes::from(message.data);
                let receipt = super::super::Receipt::RabbitMq(Box::new(receipt));
                return Delivery { body, attempt, receipt };
            }
            if let Err(error) = receipt.reject().await {
                tracing::debug!(%error, "a worn out message comes once more");
            }
        }
    }

    async fn subscribe_again(&mut self) {
        match subscribe(&self.broker, self.topic, self.prefetch).await {
            Ok(subscription) => {
                tracing::info!(topic = self.topic, "receiving again");
                self.subscription = Some(subscription);
            }
            Err(error) => {
                tracing::warn!(topic = self.topic, error = %chain(&error), "cannot receive");
                let pause = Backoff::NEARBY.jittered(self.failures);
                self.failures = self.failures.saturating_add(1);
                sleep(pause).await;
            }
        }
    }
}

async fn subscribe(
    broker: &Broker,
    topic: &'static str,
    prefetch: u16,
) -> Result<Subscription, Error> {
    let channel = broker.consuming.own_channel().await?;
    let queue = broker.topology.queue(topic);
    let subscribing = async {
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
        channel.basic_consume(queue.into(), "".into(), options, none).await
    };
    let messages = answered(subscribing).await?;
    Ok(Subscription { channel, messages })
}

/// Deliveries before the last wait, returns since then, and this one.
fn attempt_of(message: &Message) -> u32 {
    let before = number(message, DELIVERED_BEFORE);
    let returned = number(message, "x-delivery-count");
    before.saturating_add(returned).saturating_add(1)
}

fn number(message: &Message, header: &str) -> u32 {
    let headers = message.properties.headers().as_ref();
    let number = match headers.and_then(|headers| headers.inner().get(header)) {
        Some(AMQPValue::LongUInt(number)) => i64::from(*number),
        Some(AMQPValue::LongInt(number)) => i64::from(*number),
        Some(AMQPValue::LongLongInt(number)) => *number,
        _ => 0,
    };
    u32::try_from(number).unwrap_or(0)
}

/// Speaks for one delivery. It holds the channel, for a delivery can be settled on no other.
#[derive(Debug)]
pub(in super::super) struct Receipt {
    broker: Arc<Broker>,
    topic: &'static str,
    channel: Channel,
    acker: Option<Acker>,
}

impl Receipt {
    fn new(broker: Arc<Broker>, topic: &'static str, channel: Channel, acker: Acker) -> Receipt {
        Receipt { broker, topic, channel, acker: Some(acker) }
    }

    pub(in super::super) async fn ack(mut self) -> Result<(), Error> {
        let Some(acker) = self.acker.take() else { return Err(Error::Lost) };
        settled(acker.ack(BasicAckOptions::default()).await)
    }

    pub(in super::super) async fn reject(mut self) -> Result<(), Error> {
        let Some(acker) = self.acker.take() else { return Err(Error::Lost) };
        settled(acker.reject(BasicRejectOptions { requeue: false }).await)
    }

    /// Safe in the waiting queue first, gone from here second: a crash between doubles it.
    pub(in super::super) async fn retry(
        self,
        after: Duration,
        body: &Bytes,
        delivered: u32,
    ) -> Result<(), Error> {
        publish_later(&self.broker, self.topic, after, body, delivered).await?;
        self.ack().await
    }
}

fn settled(answer: Result<bool, lapin::Error>) -> Result<(), Error> {
    match answer {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(Error::Lost),
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        let Some(acker) = self.acker.take() else { return };
        // Without a runtime the process is ending, and the broker notices that by itself.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let channel = self.channel.clone();
        runtime.spawn(async move {
            let options = BasicNackOptions { requeue: true, ..Default::default() };
            if let Err(error) = settled(acker.nack(options).await) {
                tracing::debug!(%error, "gave a message back");
            }
            drop(channel);
        });
    }
}

//! The queue inside one process, with the manners of the broker's.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{DELIVERIES_MAX, Delivery, Depth, Error};

#[derive(Debug, Clone)]
pub(super) struct Memory {
    topics: Arc<HashMap<&'static str, Arc<Topic>>>,
    closed: CancellationToken,
}

#[derive(Debug)]
struct Topic {
    letters: Mutex<Letters>,
    /// One permit for each ready message.
    ready: Semaphore,
    closed: CancellationToken,
}

#[derive(Debug, Default)]
struct Letters {
    ready: VecDeque<Message>,
    dead: VecDeque<Bytes>,
}

#[derive(Debug)]
struct Message {
    body: Bytes,
    deliveries: u32,
}

impl Memory {
    pub(super) fn new(topics: &[&'static str]) -> Memory {
        let closed = CancellationToken::new();
        let topic = |name: &&'static str| (*name, Arc::new(Topic::new(closed.clone())));
        Memory { topics: Arc::new(topics.iter().map(topic).collect()), closed }
    }

    pub(super) fn publish(&self, topic: &str, bodies: Vec<Bytes>) -> Result<(), Error> {
        let topic = self.topic(topic)?;
        if self.closed.is_cancelled() {
            return Err(Error::Closed);
        }
        for body in bodies {
            topic.push_back(Message { body, deliveries: 0 });
        }
        Ok(())
    }

    pub(super) fn consume(&self, topic: &str, prefetch: u16) -> Result<Consumer, Error> {
        let topic = self.topic(topic)?.clone();
        Ok(Consumer { topic, hands: Arc::new(Semaphore::new(prefetch.into())) })
    }

    pub(super) fn depth(&self, topic: &str) -> Result<Depth, Error> {
        let letters = self.topic(topic)?.letters();
        Ok(Depth { ready: letters.ready.len(), dead: letters.dead.len() })
    }

    pub(super) fn take_dead(&self, topic: &str) -> Result<Option<Bytes>, Error> {
        Ok(self.topic(topic)?.letters().dead.pop_front())
    }

    pub(super) fn close(&self) {
        self.closed.cancel();
    }

    fn topic(&self, name: &str) -> Result<&Arc<Topic>, Error> {
        self.topics.get(name).ok_or_else(|| Error::UnknownTopic { topic: name.to_owned() })
    }
}

impl Topic {
    fn new(closed: CancellationToken) -> Topic {
        Topic { letters: Mutex::default(), ready: Semaphore::new(0), closed }
    }

    fn letters(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().expect("nobody panics while sorting letters")
    }

    fn push_back(&self, message: Message) {
        self.letters().ready.push_back(message);
        self.ready.add_permits(1);
    }

    /// A message that was not dealt with is the first to come again.
    fn give_back(&self, message: Message) {
        if message.deliveries >= DELIVERIES_MAX {
            self.letters().dead.push_back(message.body);
            return;
        }
        self.letters().ready.push_front(message);
        self.ready.add_permits(1);
    }

    async fn take(&self) -> Option<Message> {
        tokio::select! {
            biased;
            () = self.closed.cancelled() => return None,
            permit = self.ready.acquire() => permit.expect("never closed").forget(),
        }
        let mut message =
            self.letters().ready.pop_front().expect("there is a message for each permit");
        message.deliveries += 1;
        Some(message)
    }
}

#[derive(Debug)]
pub(super) struct Consumer {
    topic: Arc<Topic>,
    hands: Arc<Semaphore>,
}

impl Consumer {
    pub(super) async fn next(&mut self) -> Option<Delivery> {
        let hand = tokio::select! {
            biased;
            () = self.topic.closed.cancelled() => return None,
            hand = self.hands.clone().acquire_owned() => hand.expect("never closed"),
        };
        let message = self.topic.take().await?;
        Some(Delivery {
            body: message.body.clone(),
            attempt: message.deliveries,
            receipt: super::Receipt::Memory(Receipt {
                topic: self.topic.clone(),
                message: Some(message),
                _hand: hand,
            }),
        })
    }
}

#[derive(Debug)]
pub(super) struct Receipt {
    topic: Arc<Topic>,
    message: Option<Message>,
    _hand: OwnedSemaphorePermit,
}

impl Receipt {
    pub(super) fn ack(mut self) -> Result<(), Error> {
        self.message = None;
        Ok(())
    }

    pub(super) fn retry(mut self, after: Duration) -> Result<(), Error> {
        let Some(message) = self.message.take() else { return Ok(()) };
        let topic = self.topic.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            topic.push_back(message);
        });
        Ok(())
    }

    pub(super) fn reject(mut self) -> Result<(), Error> {
        let Some(message) = self.message.take() else { return Ok(()) };
        self.topic.letters().dead.push_back(message.body);
        Ok(())
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            self.topic.give_back(message);
        }
    }
}

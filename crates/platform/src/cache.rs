//! Remembers what may be forgotten: looked-up tokens, one-time tickets, API budgets; and rings a
//! bell when something happened. In this process, or in Redis.
//!
//! Without Redis everything is slower and nothing is wrong: each call answers within half a
//! second, with an error if it must, and callers go to the truth instead.

mod bucket;
mod memory;
mod redis;

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::broadcast;

use self::memory::Memory;
use self::redis::Redis;
use crate::health::Check;

/// The name under which all things of ours stand in Redis.
const PREFIX: &str = "pulse";

/// Why the cache could not help.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is no cache's: correct the configuration.
    #[error("cannot use {url} as a cache")]
    Address {
        /// The address, without secrets.
        url: String,
        /// What is wrong with it.
        source: ::redis::RedisError,
    },
    /// Redis does not answer: do without.
    #[error("the cache is not available")]
    Unavailable(#[source] Option<::redis::RedisError>),
}

/// Whether a budget has room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Go on: the share is taken.
    Granted,
    /// Nothing was taken; asking earlier than after this wait is useless.
    Wait(Duration),
}

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ring {
    /// Somebody rang, and said this.
    Said(String),
    /// Rings may have been missed: look at the truth.
    Missed,
}

/// A shared memory of things that may be forgotten; clones share it.
#[derive(Debug, Clone)]
pub struct Cache(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Memory(Memory),
    Redis(Redis),
}

impl Cache {
    /// Opens `memory:` or `redis://…`. Redis need not be there yet.
    pub fn open(url: &str) -> Result<Cache, Error> {
        Cache::open_as(PREFIX, url)
    }

    /// Like `open`, under another name in Redis, so that tests and tenants of one server do not
    /// meet.
    pub fn open_as(prefix: &str, url: &str) -> Result<Cache, Error> {
        if url.starts_with("memory:") {
            return Ok(Cache::memory());
        }
        Ok(Cache(Kind::Redis(Redis::open(prefix, url)?)))
    }

    /// A cache inside this process.
    pub fn memory() -> Cache {
        Cache(Kind::Memory(Memory::default()))
    }

    /// Whether other processes see what is kept here.
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Kind::Redis(_))
    }

    /// What was kept under this key, unless its time is over.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        match &self.0 {
            Kind::Memory(memory) => Ok(memory.get(key)),
            Kind::Redis(redis) => redis.get(key).await,
        }
    }

    /// Keeps a value for a while.
    pub async fn set(
        &self,
        key: &str,
        value: impl Into<Bytes>,
        keep_for: Duration,
    ) -> Result<(), Error> {
        match &self.0 {
            Kind::Memory(memory) => {
                memory.set(key, value.into(), keep_for);
                Ok(())
            }
            Kind::Redis(redis) => redis.set(key, value.into(), keep_for).await,
        }
    }

    /// Keeps a value for a while if the key is free; tells whether it was.
    pub async fn set_if_absent(
        &self,
        key: &str,
        value: impl Into<Bytes>,
        keep_for: Duration,
    ) -> Result<bool, Error> {
        match &self.0 {
            Kind::Memory(memory) => Ok(memory.set_if_absent(key, value.into(), keep_for)),
            Kind::Redis(redis) => redis.set_if_absent(key, value.into(), keep_for).await,
        }
    }

    /// Forgets a key.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        self.take(key).await.map(drop)
    }

    /// Gets and forgets in one step: of many takers one gets it.
    pub async fn take(&self, key: &str) -> Result<Option<Bytes>, Error> {
        match &self.0 {
            Kind::Memory(memory) => Ok(memory.take(key)),
            Kind::Redis(redis) => redis.take(key).await,
        }
    }

    /// Counts one more within a window that starts with the first count; returns the count.
    pub async fn increment(&self, key: &str, window: Duration) -> Result<u64, Error> {
        match &self.0 {
            Kind::Memory(memory) => Ok(memory.increment(key, window)),
            Kind::Redis(redis) => redis.increment(key, window).await,
        }
    }

    /// Asks for `n` of the `limit` calls that a budget has per `window`. The budget fills up
    /// steadily, and asking for more than `limit` at once waits for a full one.
    pub async fn acquire(
        &self,
        budget: &str,
        limit: u32,
        window: Duration,
        n: u32,
    ) -> Result<Grant, Error> {
        let rate = bucket::Rate::new(limit, window);
        match &self.0 {
            Kind::Memory(memory) => Ok(memory.acquire(budget, rate, n)),
            Kind::Redis(redis) => redis.acquire(budget, rate, n).await,
        }
    }

    /// Grants nothing from a budget before `until`; an earlier instant does not shorten a pause.
    pub async fn pause_until(&self, budget: &str, until: DateTime<Utc>) -> Result<(), Error> {
        let wait = (until - Utc::now()).to_std().unwrap_or(Duration::ZERO);
        match &self.0 {
            Kind::Memory(memory) => {
                memory.pause(budget, wait);
                Ok(())
            }
            Kind::Redis(redis) => redis.pause(budget, wait).await,
        }
    }

    /// Rings a bell. Nobody needs to listen, and a ring is not kept for those who come later.
    pub async fn ring(&self, channel: &str, text: impl Into<String>) -> Result<(), Error> {
        match &self.0 {
            Kind::Memory(memory) => {
                memory.ring(channel, text.into());
                Ok(())
            }
            Kind::Redis(redis) => redis.ring(channel, text.into()).await,
        }
    }

    /// Listens to a bell. Must be called within a runtime; outages only show as [`Ring::Missed`].
    pub fn listen(&self, channel: &str) -> Listener {
        Listener(match &self.0 {
            Kind::Memory(memory) => memory.listen(channel),
            Kind::Redis(redis) => redis.listen(channel),
        })
    }

    /// Whether the cache helps now; without it we are slow, not down.
    pub async fn health(&self) -> Check {
        match &self.0 {
            Kind::Memory(_) => Check::healthy("cache"),
            Kind::Redis(redis) => redis.health().await,
        }
    }
}

/// Hears one bell.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Ring>);

impl Listener {
    /// The next ring; nothing once nobody can ring any more. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Ring> {
        match self.0.recv().await {
            Ok(ring) => Some(ring),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Ring::Missed),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

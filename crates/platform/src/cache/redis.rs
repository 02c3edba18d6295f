//! The cache in Redis: shared by all processes, and allowed to be away.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use redis::aio::{ConnectionManager, ConnectionManagerConfig, PubSub};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{Client, FromRedisValue, IntoConnectionInfo, RedisResult, Script, ScriptInvocation};
use tokio::sync::broadcast;
use tokio::time::timeout;

use super::bucket::Rate;
use super::memory::RINGS_KEPT;
use super::{Error, Grant, Ring};
use crate::backoff::Backoff;
use crate::health::Check;
use crate::upstream::redact;

const ANSWER_WITHIN: Duration = Duration::from_millis(500);
/// A Redis that swallowed a question is not asked again for so long: otherwise each caller would wait.
const LEFT_ALONE_FOR: Duration = Duration::from_secs(2);
const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(super) struct Redis(Arc<Inner>);

struct Inner {
    prefix: String,
    client: Client,
    line: Mutex<Line>,
    scripts: Scripts,
    bells: Mutex<HashMap<String, broadcast::Sender<Ring>>>,
}

/// The connection that all share, which opens on first use and again after each failure.
#[derive(Default)]
struct Line {
    connection: Option<ConnectionManager>,
    silent_until: Option<Instant>,
}

struct Scripts {
    take: Script,
    increment: Script,
    acquire: Script,
    pause: Script,
}

impl Redis {
    pub(super) fn open(prefix: &str, url: &str) -> Result<Redis, Error> {
        let client = dialler(url).map_err(|source| Error::Address { url: redact(url), source })?;
        Ok(Redis(Arc::new(Inner {
            prefix: prefix.to_owned(),
            client,
            line: Mutex::default(),
            scripts: Scripts {
                // GETDEL came with Redis 6.2, and we serve 6.0.
                take: Script::new(
                    "local v = redis.call('GET', KEYS[1]) redis.call('DEL', KEYS[1]) return v",
                ),
                increment: Script::new(
                    "local n = redis.call('INCR', KEYS[1]) \
                     if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return n",
                ),
                acquire: Script::new(include_str!("acquire.lua")),
                pause: Script::new(include_str!("pause.lua")),
            },
            bells: Mutex::default(),
        })))
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        self.ask(redis::cmd("GET").arg(self.value_key(key))).await
    }

    pub(super) async fn set(
        &self,
        key: &str,
        value: Bytes,
        keep_for: Duration,
    ) -> Result<(), Error> {
        let mut set = redis::cmd("SET");
        set.arg(self.value_key(key)).arg(value.as_ref()).arg("PX").arg(milliseconds(keep_for));
        self.ask(&set).await
    }

    pub(super) async fn set_if_absent(
        &self,
        key: &str,
        value: Bytes,
        keep_for: Duration,
    ) -> Result<bool, Error> {
        let mut set = redis::cmd("SET");
        set.arg(self.value_key(key)).arg(value.as_ref()).arg("PX").arg(milliseconds(keep_for));
        let was_set: Option<String> = self.ask(set.arg("NX")).await?;
        Ok(was_set.is_some())
    }

    pub(super) async fn take(&self, key: &str) -> Result<Option<Bytes>, Error> {
        self.run(&mut self.0.scripts.take.key(self.value_key(key))).await
    }

    pub(super) async fn increment(&self, key: &str, window: Duration) -> Result<u64, Error> {
        let mut increment = self.0.scripts.increment.key(self.key("count", key));
        increment.arg(milliseconds(window));
        self.run(&mut increment).await
    }

    pub(super) async fn acquire(&self, budget: &str, rate: Rate, n: u32) -> Result<Grant, Error> {
        let mut acquire = self.0.scripts.acquire.key(self.key("budget", budget));
        acquire.arg(rate.limit).arg(rate.window_ms).arg(n);
        let wait_ms: u64 = self.run(&mut acquire).await?;
        if wait_ms == 0 {
            return Ok(Grant::Granted);
        }
        Ok(Grant::Wait(Duration::from_millis(wait_ms)))
    }

    pub(super) async fn pause(&self, budget: &str, wait: Duration) -> Result<(), Error> {
        let mut pause = self.0.scripts.pause.key(self.key("budget", budget));
        pause.arg(milliseconds(wait));
        self.run(&mut pause).await
    }

    pub(super) async fn ring(&self, channel: &str, text: String) -> Result<(), Error> {
        self.ask(redis::cmd("PUBLISH").arg(self.key("bell", channel)).arg(text)).await
    }

    /// One subscription serves all listeners of a bell in this process.
    pub(super) fn listen(&self, channel: &str) -> broadcast::Receiver<Ring> {
        let mut bells = self.0.bells.lock().expect("nobody panics while hanging a bell");
        if let Some(bell) = bells.get(channel) {
            return bell.subscribe();
        }
        let (bell, listener) = broadcast::channel(RINGS_KEPT);
        bells.insert(channel.to_owned(), bell.clone());
        tokio::spawn(carry(self.0.clone(), channel.to_owned(), self.key("bell", channel), bell));
        listener
    }

    pub(super) async fn health(&self) -> Check {
        match self.ask::<String>(&redis::cmd("PING")).await {
            Ok(_) => Check::healthy("cache"),
            Err(_) => Check::warning("cache", "Redis does not answer: slower until it does"),
        }
    }

    async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, Error> {
        let mut connection = self.connection()?;
        self.answered(async move { command.query_async(&mut connection).await }).await
    }

    async fn run<T: FromRedisValue>(&self, script: &mut ScriptInvocation<'_>) -> Result<T, Error> {
        let mut connection = self.connection()?;
        self.answered(async move { script.invoke_async(&mut connection).await }).await
    }

    async fn answered<T>(&self, asking: impl Future<Output = RedisResult<T>>) -> Result<T, Error> {
        match timeout(ANSWER_WITHIN, asking).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if !error.is_timeout() => Err(Error::Unavailable(Some(error))),
            Ok(Err(_)) | Err(_) => {
                // A connection that swallows questions is worse than none.
                let silent_until = Some(Instant::now() + LEFT_ALONE_FOR);
                *self.line() = Line { connection: None, silent_until };
                Err(Error::Unavailable(None))
            }
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock().expect("nobody panics while dialling")
    }

    fn connection(&self) -> Result<ConnectionManager, Error> {
        let mut line = self.line();
        if line.silent_until.is_some_and(|until| Instant::now() < until) {
            return Err(Error::Unavailable(None));
        }
        if let Some(connection) = &line.connection {
            return Ok(connection.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let dialled = ConnectionManager::new_lazy_with_config(self.0.client.clone(), config)
            .map_err(|error| Error::Unavailable(Some(error)))?;
        Ok(line.connection.insert(dialled).clone())
    }

    fn value_key(&self, key: &str) -> String {
        self.key("value", key)
    }

    fn key(&self, kind: &str, key: &str) -> String {
        format!("{}:{kind}:{key}", self.0.prefix)
    }
}

fn dialler(url: &str) -> RedisResult<Client> {
    // A bell that hears nothing asks nothing either: only the probes notice that Redis is gone.
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(10))
        .with_interval(Duration::from_secs(5));
    let socket = TcpSettings::default().set_nodelay(true).set_keepalive(probes);
    Client::open(url.into_connection_info()?.set_tcp_settings(socket))
}

/// Without the client: it holds the password.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.0.prefix).finish_non_exhaustive()
    }
}

/// Redis takes no empty time to live.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Carries rings from Redis to the listeners, over outages, until the last listener has gone.
async fn carry(inner: Arc<Inner>, channel: String, key: String, bell: broadcast::Sender<Ring>) {
    let mut failures = 0;
    loop {
        tokio::select! {
            () = bell.closed() => {}
            ended = hear(&inner.client, &key, &bell) => {
                match ended {
                    Ok(()) => failures = 0,
                    Err(error) => tracing::debug!(%error, "cannot hear the bell {channel}"),
                }
                tokio::select! {
                    () = bell.closed() => {}
                    () = tokio::time::sleep(Backoff::NEARBY.jittered(failures)) => {}
                }
                failures = failures.saturating_add(1);
            }
        }
        let mut bells = inner.bells.lock().expect("nobody panics while hanging a bell");
        // Looked at under the lock, for a new listener may just be coming.
        if bell.receiver_count() == 0 {
            bells.remove(&channel);
            return;
        }
    }
}

/// Hears a bell until the connection ends.
async fn hear(client: &Client, key: &str, bell: &broadcast::Sender<Ring>) -> RedisResult<()> {
    let mut subscription = match timeout(SUBSCRIBE_WITHIN, subscribe(client, key)).await {
        Ok(subscription) => subscription?,
        Err(_) => return Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    };
    // Nobody knows what rang before we were here. That the last listener has just gone is fine.
    let tell = |ring| drop(bell.send(ring));
    tell(Ring::Missed);
    let mut rings = subscription.on_message();
    while let Some(ring) = rings.next().await {
        tell(Ring::Said(ring.get_payload()?));
    }
    Ok(())
}

async fn subscribe(client: &Client, key: &str) -> RedisResult<PubSub> {
    let mut subscription = client.get_async_pubsub().await?;
    subscription.subscribe(key).await?;
    Ok(subscription)
}

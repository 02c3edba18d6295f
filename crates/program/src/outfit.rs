//! What a program is given to work with.

use std::error::Error as _;
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::work::Topic;
use platform::backoff::Backoff;
use platform::cache::Cache;
use platform::config::{self, Settings};
use platform::queue::Queue;
use platform::secrets::Vault;
use platform::shutdown::Shutdown;
use store::Db;

use crate::Health;
use crate::life::DRAIN;

/// Connections to the database at most: enough for workers, readers and the orchestrator's rounds.
const CONNECTIONS: u32 = 12;
/// How long a database that starts beside us is waited for.
const DATABASE_WITHIN: Duration = Duration::from_secs(60);

/// Its settings, what it stands on, and the signal to end; clones share them.
#[derive(Clone)]
pub struct Outfit {
    /// What was configured.
    pub settings: Settings,
    /// The end of the program.
    pub shutdown: Shutdown,
    /// The tables, up to date.
    pub db: Db,
    /// Carries rings to workers.
    pub queue: Queue,
    /// Shared by all programs, and allowed to be away.
    pub cache: Cache,
}

impl Outfit {
    /// Opens database, queue and cache as `settings` say, and waits a while for servers that start.
    ///
    /// # Errors
    /// One line that names what is wrong: an address, a folder, a server that does not answer.
    pub async fn open(settings: Settings, shutdown: Shutdown) -> anyhow::Result<Outfit> {
        let db = open_database(settings.database_url.as_str()).await?;
        let topics: Vec<_> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
        let name = &settings.installation;
        let queue = Queue::open_as(name, settings.queue_url.as_str(), &topics).await?;
        let cache = Cache::open_as(name, settings.cache_url.as_str())?;
        Ok(Outfit { settings, shutdown, db, queue, cache })
    }

    /// Looks at database, queue and cache.
    pub fn health(&self) -> Health {
        Health::of(self.db.clone(), self.queue.clone(), self.cache.clone())
    }

    /// Opens and seals credentials.
    ///
    /// # Errors
    /// `ENCRYPTION_KEY` is not set.
    pub fn vault(&self) -> Result<Vault, config::Error> {
        let key = self.settings.encryption()?.clone();
        Ok(Vault::new(key).with_old(self.settings.encryption_keys_old.clone()))
    }

    /// The name under which this program holds leases as a worker of this `kind`, for people.
    pub fn worker_name(&self, kind: &str) -> String {
        // Not every system tells its name there.
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        // In a container every life of a program has the same number, so that one cannot tell them
        // apart.
        let life = uuid::Uuid::new_v4().simple().to_string();
        format!("{kind}@{}:{}", host.trim(), &life[..8])
    }

    /// Waits for the end to be announced and for `services` to come to theirs, then for everything
    /// else that is under way.
    ///
    /// # Errors
    /// A service broke down, or something did not end in time.
    pub async fn run(
        self,
        services: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        self.shutdown.begun().await;
        let started = Instant::now();
        tokio::time::timeout(DRAIN, services)
            .await
            .with_context(|| format!("not everything ended within {} s", DRAIN.as_secs()))??;
        self.shutdown.drain(DRAIN.saturating_sub(started.elapsed())).await?;
        self.queue.close().await;
        Ok(())
    }
}

async fn open_database(url: &str) -> Result<Db, store::Error> {
    let deadline = Instant::now() + DATABASE_WITHIN;
    let mut failures = 0;
    loop {
        let error = match Db::open(url, CONNECTIONS).await {
            Err(error @ store::Error::Unreachable(_)) if Instant::now() < deadline => error,
            opened => return opened,
        };
        tracing::warn!(reason = error.source(), "waiting for the database");
        tokio::time::sleep(Backoff::NEARBY.jittered(failures)).await;
        failures += 1;
    }
}

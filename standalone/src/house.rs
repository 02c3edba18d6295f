//! The house: every service, wired as they would be across the network, without one.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use domain::work::Topic;
use extractor::Worker;
use gateway::{Config, Gateway};
use git_extractor::Github;
use jira_extractor::Jira;
use metrics_service::Metrics;
use orchestrator::{Clock, Orchestrator};
use platform::cache::Cache;
use platform::config::Settings;
use platform::queue::Queue;
use platform::secrets::Vault;
use platform::shutdown::Shutdown;
use platform::upstream::{Guard, Upstream};
use proto::Link;
use store::{Db, Facts, Integrations, Jobs, Work};
use tokio::task::JoinHandle;

/// Connections to the database: enough for workers, readers and the orchestrator's rounds.
const CONNECTIONS: u32 = 12;
/// How long what is under way may take to end.
const DRAIN: Duration = Duration::from_secs(25);

/// Every service, running.
pub struct House {
    gateway: gateway::Running,
    shutdown: Shutdown,
    workers: Vec<JoinHandle<()>>,
}

impl House {
    /// Opens store, queue and cache as `settings` say, and starts every service around them.
    ///
    /// # Errors
    /// One line that names what is wrong: an address, a folder, a key, a port in use.
    pub async fn start(settings: &Settings, shutdown: Shutdown) -> anyhow::Result<House> {
        let listener = listen(&settings.host, settings.port)?;
        let backend_service = settings.backend_service()?.clone();
        let vault = Vault::new(settings.encryption()?.clone())
            .with_old(settings.encryption_keys_old.clone());
        let db = Db::open(settings.database_url.as_str(), CONNECTIONS).await?;
        let topics = Topic::ALL.iter().map(|topic| topic.as_str()).collect::<Vec<_>>();
        let queue = Queue::open(settings.queue_url.as_str(), &topics).await?;
        let cache = Cache::open(settings.cache_url.as_str())?;

        let orchestrator = Orchestrator::new(
            Work::new(db.clone(), orchestrator::plan),
            Jobs::new(db.clone()),
            queue.clone(),
            cache.clone(),
            Clock::system(),
        );
        if settings.queue_url.as_str().starts_with("memory:") {
            // Whoever held a lease lived in a process like this one, and is gone.
            orchestrator.recover().await?;
        }
        orchestrator.spawn(&shutdown);
        let to_orchestrator = Link::here(orchestrator.server());

        let metrics = Metrics::new(
            store::Metrics::new(db.clone()),
            to_orchestrator.clone(),
            queue.clone(),
            worker_name("metrics"),
        );
        let to_metrics = Link::here(metrics.server());
        metrics.spawn(&shutdown);

        let upstream = Upstream::new(Guard::new(settings.upstream_allow.clone()))?;
        let facts = Facts::new(db.clone());
        let jira = Jira::new(upstream.clone(), cache.clone(), facts.clone());
        let github = Github::new(upstream, cache.clone(), facts.clone());
        let hands = Hands {
            orchestrator: to_orchestrator.clone(),
            queue: queue.clone(),
            facts,
            integrations: Integrations::new(db.clone()),
            vault: vault.clone(),
            concurrency: settings.queue_prefetch,
        };
        let workers = vec![
            hands.put_to_work(jira, "jira", &shutdown),
            hands.put_to_work(github, "github", &shutdown),
        ];

        let config = Config {
            backend_service,
            frontend_origins: settings.frontend_origins.clone(),
            allow_token_in_url: settings.allow_token_in_url,
        };
        let gateway = Gateway::new(config, &db, queue, cache, vault, to_orchestrator, to_metrics)?
            .spawn(listener)?;
        Ok(House { gateway, shutdown, workers })
    }

    /// Where the page is.
    pub fn addr(&self) -> SocketAddr {
        self.gateway.addr()
    }

    /// Runs until the shutdown begins, then lets everything that is under way come to its end.
    ///
    /// # Errors
    /// The gateway broke down, or something did not end in time.
    pub async fn run(self) -> anyhow::Result<()> {
        self.shutdown.begun().await;
        self.gateway.stop().await.context("the gateway broke down")?;
        for worker in self.workers {
            worker.await.context("a worker broke down")?;
        }
        self.shutdown.drain(DRAIN).await?;
        Ok(())
    }
}

/// What every extractor is given.
struct Hands {
    orchestrator: Link,
    queue: Queue,
    facts: Facts,
    integrations: Integrations,
    vault: Vault,
    concurrency: u16,
}

impl Hands {
    fn put_to_work<S: extractor::Source>(
        &self,
        source: S,
        kind: &'static str,
        shutdown: &Shutdown,
    ) -> JoinHandle<()> {
        let worker = Worker {
            source,
            orchestrator: self.orchestrator.clone(),
            queue: self.queue.clone(),
            facts: self.facts.clone(),
            integrations: self.integrations.clone(),
            vault: self.vault.clone(),
            name: worker_name(kind),
            concurrency: self.concurrency,
        };
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            if let Err(error) = worker.run(shutdown.clone()).await {
                tracing::error!(%error, "the {kind} worker cannot listen to its queue, so we end");
                shutdown.begin();
            }
        })
    }
}

fn worker_name(kind: &str) -> String {
    format!("{kind}-{}", std::process::id())
}

fn listen(host: &str, port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((host, port)).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {port} is in use: stop who uses it, or choose another with PORT={}",
            port.wrapping_add(1)
        ),
        _ => anyhow::anyhow!("cannot listen on {host}:{port} ({error}): change HOST or PORT"),
    })
}

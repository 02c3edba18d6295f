//! A worker as a program of its own, or at work beside others.

use std::process::ExitCode;

use anyhow::Context;
use platform::cache::Cache;
use platform::config::Settings;
use platform::shutdown::Shutdown;
use platform::upstream::{Guard, Upstream};
use program::{About, Outfit, Pulse};
use proto::Link;
use store::{Facts, Integrations};
use tokio::task::JoinHandle;

use crate::{Source, Worker};

/// The variables that extractors use.
pub const USES: &[&str] = &[
    "HEALTH_PORT",
    "ORCHESTRATOR_URL",
    "ENCRYPTION_KEY",
    "ENCRYPTION_KEYS_OLD",
    "UPSTREAM_ALLOW",
    "WORKER_CONCURRENCY",
    "QUEUE_PREFETCH",
];

/// Makes a source of what it reads through, what its workers share, and where pages are kept.
pub type Make<S> = fn(Upstream, Cache, Facts) -> S;

/// Runs a worker for what `make` makes, as a program.
pub fn main<S: Source>(about: About, make: Make<S>) -> ExitCode {
    program::main(about, async move |settings, shutdown| run(settings, shutdown, make).await)
}

async fn run<S: Source>(
    settings: Settings,
    shutdown: Shutdown,
    make: Make<S>,
) -> anyhow::Result<()> {
    let pulse = Pulse::listen(&settings)?;
    // What is missing shall be told before servers are waited for.
    settings.encryption()?;
    settings.orchestrator()?;
    let outfit = Outfit::open(settings, shutdown).await?;
    let orchestrator = outfit.orchestrator()?;
    let worker = put_to_work(&outfit, &orchestrator, make)?;
    pulse.beat(outfit.health().with_peer("orchestrator", orchestrator))?;
    outfit.run(async { worker.await? }).await
}

/// Starts a worker that ends with the program. Should it break down, the program ends as well.
///
/// # Errors
/// A setting is missing.
pub fn put_to_work<S: Source>(
    outfit: &Outfit,
    orchestrator: &Link,
    make: Make<S>,
) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let upstream = Upstream::new(Guard::new(outfit.settings.upstream_allow.clone()))?;
    let facts = Facts::new(outfit.db.clone());
    let worker = Worker {
        source: make(upstream, outfit.cache.clone(), facts.clone()),
        orchestrator: orchestrator.clone(),
        queue: outfit.queue.clone(),
        facts,
        integrations: Integrations::new(outfit.db.clone()),
        vault: outfit.vault()?,
        name: outfit.worker_name(S::TOPIC.as_str()),
        concurrency: outfit.settings.worker_concurrency,
        prefetch: outfit.settings.queue_prefetch,
    };
    let shutdown = outfit.shutdown.clone();
    Ok(tokio::spawn(async move {
        let worked = worker.run(shutdown.clone()).await;
        shutdown.begin();
        worked.with_context(|| format!("cannot be rung for {} tasks", S::TOPIC))
    }))
}

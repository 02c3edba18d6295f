//! The house: every service, wired as they would be across the network, without one.

use std::net::SocketAddr;

use anyhow::Context;
use gateway::Gateway;
use git_extractor::Github;
use jira_extractor::Jira;
use metrics_service::Metrics;
use orchestrator::Orchestrator;
use platform::config::Settings;
use platform::shutdown::Shutdown;
use program::{Outfit, listen};
use proto::Link;
use tokio::task::JoinHandle;

/// Every service, running.
pub struct House {
    outfit: Outfit,
    gateway: gateway::Running,
    workers: [JoinHandle<anyhow::Result<()>>; 2],
}

impl House {
    /// Opens store, queue and cache as `settings` say, and starts every service around them.
    ///
    /// # Errors
    /// One line that names what is wrong: an address, a folder, a key, a port in use.
    pub async fn start(settings: Settings, shutdown: Shutdown) -> anyhow::Result<House> {
        let listener = listen(&settings.host, settings.port, "PORT")?;
        // What is missing shall be told before a folder is made.
        settings.backend_service()?;
        settings.encryption()?;
        let outfit = Outfit::open(settings, shutdown).await?;

        let orchestrator = Orchestrator::over(&outfit);
        if outfit.settings.queue_url.starts_with("memory:") {
            // Whoever held a lease lived in a process like this one, and is gone.
            orchestrator.recover().await?;
        }
        orchestrator.spawn(&outfit.shutdown);
        let to_orchestrator = Link::here(orchestrator.server());

        let metrics = Metrics::over(&outfit, to_orchestrator.clone());
        let to_metrics = Link::here(metrics.server());
        metrics.spawn(&outfit.shutdown);

        let workers = [
            extractor::program::put_to_work(&outfit, &to_orchestrator, Jira::new)?,
            extractor::program::put_to_work(&outfit, &to_orchestrator, Github::new)?,
        ];

        let gateway = Gateway::over(&outfit, outfit.health(), to_orchestrator, to_metrics)?
            .spawn(listener)?;
        Ok(House { outfit, gateway, workers })
    }

    /// Where the page is.
    pub fn addr(&self) -> SocketAddr {
        self.gateway.addr()
    }

    /// Runs until the shutdown begins, then lets everything that is under way come to its end.
    ///
    /// # Errors
    /// A service broke down, or something did not end in time.
    pub async fn run(self) -> anyhow::Result<()> {
        let services = async {
            self.gateway.stop().await.context("the gateway broke down")?;
            for worker in self.workers {
                worker.await??;
            }
            Ok(())
        };
        self.outfit.run(services).await
    }
}

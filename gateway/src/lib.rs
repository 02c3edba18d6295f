//! The front door: who may come in, what they may see and do, and the page they see it on.
//!
//! It answers HTTP and WebSockets. What it shows it reads from the store; whatever changes a job it
//! asks of the orchestrator.

mod around;
mod auth;
mod deployments;
mod error;
mod integrations;
mod jobs;
mod lists;
mod live;
mod metrics;
mod once;
mod openapi;
mod page;
mod paging;
mod random;
mod routes;
mod rules;
mod schedule;
mod sent;
mod session;
mod workflows;

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use ::platform::cache::Cache;
use ::platform::config::Origin;
use ::platform::secrets::Vault;
use ::platform::shutdown::Shutdown;
use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{Data, FormConfig, JsonConfig, PathConfig, QueryConfig};
use actix_web::{App, HttpServer};
use program::{Health, Outfit};
use proto::Link;
use proto::v1::metrics_client::MetricsClient;
use proto::v1::orchestrator_client::OrchestratorClient;
use store::{Clients, Db, Integrations, Jobs, Lists, Posted, Rules, Workflows};
use tokio::task::JoinHandle;
use url::Url;

use crate::auth::{Backend, Codes, Door, Origins, Shared};
use crate::error::ApiError;
use crate::live::Feeds;
use crate::once::Memory;
use crate::page::Page;

const LARGEST_BODY_BYTES: usize = 1024 * 1024;
/// Some hundred thousand rows with their ids.
const LARGEST_REPORT_BYTES: usize = 64 * 1024 * 1024;
const HEAD_ARRIVES_WITHIN: Duration = Duration::from_secs(5);
/// What is under way may end within this when the service stops.
const DRAINED_WITHIN_SECONDS: u64 = 15;
const THREADS: usize = 2;

/// Whom the door asks, and whom it lets act.
#[derive(Debug, Clone)]
pub struct Config {
    /// The Backend Service, which knows the people.
    pub backend_service: Url,
    /// The pages that may frame us, act for people and be returned to.
    pub frontend_origins: Vec<Origin>,
    /// Whether old front ends may bring a token in an address.
    pub allow_token_in_url: bool,
}

/// The front door, not yet open.
#[derive(Clone)]
pub struct Gateway {
    door: Data<Door>,
    page: Data<Page>,
    feeds: Data<Feeds>,
    health: Data<Health>,
    jobs: Data<Jobs>,
    lists: Data<Lists>,
    integrations: Data<Integrations>,
    workflows: Data<Workflows>,
    rules: Data<Rules>,
    posted: Data<Posted>,
    cache: Data<Cache>,
    answers: Data<Memory>,
    vault: Data<Vault>,
    orchestrator: Data<OrchestratorClient<Link>>,
    metrics: Data<MetricsClient<Link>>,
    closing: Data<Shutdown>,
}

/// The door while it is open. Dropping this leaves it open.
pub struct Running {
    addr: SocketAddr,
    closing: Data<Shutdown>,
    server: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Gateway {
    /// A door over what a program was given, to a house that does as `health` sees it.
    ///
    /// # Errors
    /// A setting is missing, or the system's certificates cannot be read.
    pub fn over(
        outfit: &Outfit,
        health: Health,
        orchestrator: Link,
        metrics: Link,
    ) -> anyhow::Result<Gateway> {
        let settings = &outfit.settings;
        let config = Config {
            backend_service: settings.backend_service()?.clone(),
            frontend_origins: settings.frontend_origins.clone(),
            allow_token_in_url: settings.allow_token_in_url,
        };
        let (cache, vault) = (outfit.cache.clone(), outfit.vault()?);
        Ok(Gateway::new(config, &outfit.db, health, cache, vault, orchestrator, metrics)?)
    }

    /// A door that reads from `db`, and asks the orchestrator and the metrics service, wherever
    /// they are.
    ///
    /// # Errors
    /// The system's certificates cannot be read.
    pub fn new(
        config: Config,
        db: &Db,
        health: Health,
        cache: Cache,
        vault: Vault,
        orchestrator: Link,
        metrics: Link,
    ) -> Result<Gateway, reqwest::Error> {
        program::health::recorder();
        let origins = Origins::new(config.frontend_origins);
        let orchestrator = OrchestratorClient::new(orchestrator);
        let jobs = Jobs::new(db.clone());
        let integrations = Integrations::new(db.clone());
        let feeds = Feeds::new(jobs.clone(), integrations.clone(), cache.clone(), health.clone());
        let page = Page::new(&origins);
        let door = Door::new(
            Backend::new(config.backend_service)?,
            Shared::new(cache.clone(), vault.clone()),
            Codes::new(cache.clone(), vault.clone()),
            origins,
            config.allow_token_in_url,
            orchestrator.clone(),
            Clients::new(db.clone()),
        );
        Ok(Gateway {
            door: Data::new(door),
            page: Data::new(page),
            feeds: Data::new(feeds),
            health: Data::new(health),
            jobs: Data::new(jobs),
            lists: Data::new(Lists::new(db.clone())),
            integrations: Data::new(integrations),
            workflows: Data::new(Workflows::new(db.clone())),
            rules: Data::new(Rules::new(db.clone())),
            posted: Data::new(Posted::new(db.clone())),
            answers: Data::new(Memory::new(cache.clone())),
            cache: Data::new(cache),
            vault: Data::new(vault),
            orchestrator: Data::new(orchestrator),
            metrics: Data::new(
                MetricsClient::new(metrics).max_decoding_message_size(LARGEST_REPORT_BYTES),
            ),
            closing: Data::new(Shutdown::new()),
        })
    }

    /// Opens the door on `listener`. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub fn spawn(self, listener: TcpListener) -> std::io::Result<Running> {
        let addr = listener.local_addr()?;
        let closing = self.closing.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(self.door.clone())
                .app_data(self.page.clone())
                .app_data(self.feeds.clone())
                .app_data(self.health.clone())
                .app_data(self.jobs.clone())
                .app_data(self.lists.clone())
                .app_data(self.integrations.clone())
                .app_data(self.workflows.clone())
                .app_data(self.rules.clone())
                .app_data(self.posted.clone())
                .app_data(self.cache.clone())
                .app_data(self.answers.clone())
                .app_data(self.vault.clone())
                .app_data(self.orchestrator.clone())
                .app_data(self.metrics.clone())
                .app_data(self.closing.clone())
                .app_data(
                    JsonConfig::default()
                        .limit(LARGEST_BODY_BYTES)
                        .error_handler(|error, _| ApiError::from(error).into()),
                )
                .app_data(
                    FormConfig::default().error_handler(|error, _| ApiError::from(error).into()),
                )
                .app_data(
                    QueryConfig::default().error_handler(|error, _| ApiError::from(error).into()),
                )
                .app_data(
                    PathConfig::default()
                        .error_handler(|_, _| ApiError::not_found("address").into()),
                )
                .wrap(Compress::default())
                .wrap(from_fn(around::every_request))
                .configure(routes::routes)
        })
        .workers(THREADS)
        .client_request_timeout(HEAD_ARRIVES_WITHIN)
        .shutdown_timeout(DRAINED_WITHIN_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run();
        let handle = server.handle();
        tracing::info!("listening on http://{addr}");
        Ok(Running { addr, closing, server: handle, serving: tokio::spawn(server) })
    }
}

impl Running {
    /// Where the door stands.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Lets nobody new in, ends the sockets and waits for what is under way, for a while.
    ///
    /// # Errors
    /// The server had broken down before.
    pub async fn stop(self) -> std::io::Result<()> {
        self.closing.begin();
        self.server.stop(true).await;
        self.closed().await
    }

    /// Returns when the door has closed, by [`Running::stop`] or because it broke down.
    ///
    /// # Errors
    /// It broke down.
    pub async fn closed(self) -> std::io::Result<()> {
        self.serving.await.map_err(std::io::Error::other)?
    }
}

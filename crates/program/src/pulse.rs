//! The ports of a program whose door is not HTTP: one where it tells how it does, and for some one
//! where it serves its peers.

use std::net::TcpListener;

use actix_web::web::Data;
use actix_web::{App, HttpServer};
use anyhow::Context;
use platform::config::Settings;
use proto::Pass;
use tokio::task::JoinHandle;
use tonic::service::Routes;

use crate::{Health, Outfit, health, listen};

/// Where a program tells how it does, once it can.
pub struct Pulse(TcpListener);

impl Pulse {
    /// Takes `HEALTH_PORT`.
    ///
    /// # Errors
    /// The port is in use.
    pub fn listen(settings: &Settings) -> anyhow::Result<Pulse> {
        listen(&settings.host, settings.health_port, "HEALTH_PORT").map(Pulse)
    }

    /// Tells from now on, to the end of the process.
    ///
    /// # Errors
    /// The port cannot be used.
    pub fn beat(self, health: Health) -> anyhow::Result<()> {
        health::recorder();
        tracing::info!("tells on http://{} how it does", self.0.local_addr()?);
        let health = Data::new(health);
        let server =
            HttpServer::new(move || App::new().app_data(health.clone()).configure(health::routes));
        let serving = server.workers(1).disable_signals().listen(self.0)?.run();
        tokio::spawn(serving);
        Ok(())
    }
}

impl Outfit {
    /// Serves peers on `listener` until the end of the program. Should that break down, the program
    /// ends as well.
    pub fn serve(&self, listener: TcpListener, routes: Routes) -> JoinHandle<anyhow::Result<()>> {
        let (pass, shutdown) = (Pass::new(&self.settings), self.shutdown.clone());
        tokio::spawn(async move {
            let served = proto::serve::serve(listener, routes, &pass, shutdown.begun()).await;
            shutdown.begin();
            served.context("the port for our peers broke down")
        })
    }
}

//! `gateway`: the front door, as a program of its own.

use std::process::ExitCode;

use anyhow::Context;
use gateway::Gateway;
use platform::config::Settings;
use platform::shutdown::Shutdown;
use program::{About, Outfit, listen};

fn main() -> ExitCode {
    let about = About {
        name: "gateway",
        does: "Serves the page and its API to signed-in administrators.",
        uses: &[
            "PORT",
            "BACKEND_SERVICE_URL",
            "ENCRYPTION_KEY",
            "ENCRYPTION_KEYS_OLD",
            "SECRET_KEY",
            "ORCHESTRATOR_URL",
            "METRICS_URL",
            "FRONTEND_ORIGINS",
            "ALLOW_TOKEN_IN_URL",
        ],
    };
    program::main(about, run)
}

async fn run(settings: Settings, shutdown: Shutdown) -> anyhow::Result<()> {
    let listener = listen(&settings.host, settings.port, "PORT")?;
    // What is missing shall be told before servers are waited for.
    settings.backend_service()?;
    settings.encryption()?;
    settings.orchestrator()?;
    settings.metrics()?;
    let outfit = Outfit::open(settings, shutdown).await?;
    let (orchestrator, metrics) = (outfit.orchestrator()?, outfit.metrics()?);
    let health = outfit
        .health()
        .with_peer("orchestrator", orchestrator.clone())
        .with_peer("metrics", metrics.clone());
    let gateway = Gateway::over(&outfit, health, orchestrator, metrics)?.spawn(listener)?;
    outfit.run(async { gateway.stop().await.context("the front door broke down") }).await
}

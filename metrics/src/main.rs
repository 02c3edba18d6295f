//! `metrics`: links, facts and numbers, as a program of its own.

use std::process::ExitCode;

use metrics_service::Metrics;
use platform::config::Settings;
use platform::shutdown::Shutdown;
use program::{About, Outfit, Pulse, listen};
use tonic::service::Routes;

fn main() -> ExitCode {
    let about = About {
        name: "metrics",
        does: "Computes metrics from what was read, and answers questions about them.",
        uses: &["PORT", "HEALTH_PORT", "ORCHESTRATOR_URL"],
    };
    program::main(about, run)
}

async fn run(settings: Settings, shutdown: Shutdown) -> anyhow::Result<()> {
    let listener = listen(&settings.host, settings.port, "PORT")?;
    let pulse = Pulse::listen(&settings)?;
    // What is missing shall be told before servers are waited for.
    settings.orchestrator()?;
    let outfit = Outfit::open(settings, shutdown).await?;
    let orchestrator = outfit.orchestrator()?;
    let metrics = Metrics::over(&outfit, orchestrator.clone());
    let server = outfit.serve(listener, Routes::new(metrics.server()));
    metrics.spawn(&outfit.shutdown);
    pulse.beat(outfit.health().with_peer("orchestrator", orchestrator))?;
    outfit.run(async { server.await? }).await
}

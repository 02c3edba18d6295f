//! `orchestrator`: the state machine of jobs, as a program of its own.

use std::process::ExitCode;

use orchestrator::Orchestrator;
use platform::config::Settings;
use platform::shutdown::Shutdown;
use program::{About, Outfit, Pulse, listen};
use tonic::service::Routes;

fn main() -> ExitCode {
    let about = About {
        name: "orchestrator",
        does: "Runs jobs: schedules, steps, leases of tasks, retries.",
        uses: &["PORT", "HEALTH_PORT", "SCHEDULER_TIMEZONE"],
    };
    program::main(about, run)
}

async fn run(settings: Settings, shutdown: Shutdown) -> anyhow::Result<()> {
    let listener = listen(&settings.host, settings.port, "PORT")?;
    let pulse = Pulse::listen(&settings)?;
    let outfit = Outfit::open(settings, shutdown).await?;
    let orchestrator = Orchestrator::over(&outfit);
    orchestrator.spawn(&outfit.shutdown);
    let server = outfit.serve(listener, Routes::new(orchestrator.server()));
    pulse.beat(outfit.health())?;
    outfit.run(async { server.await? }).await
}

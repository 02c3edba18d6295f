//! `orchestrator`: the state machine of jobs, as a program of its own.

use std::process::ExitCode;

use domain::work::Topic;
use orchestrator::Orchestrator;
use platform::config::Settings;
use platform::health::Check;
use platform::queue::Queue;
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
    let queue = outfit.queue.clone();
    let health = outfit.health().wants("dead_letters", move || dead_letters(queue.clone()));
    pulse.beat(health)?;
    outfit.run(async { server.await? }).await
}

/// Rings that no worker could read. The tables ring again for their tasks, but somebody should look.
async fn dead_letters(queue: Queue) -> Check {
    const NAME: &str = "dead_letters";
    let mut dead = 0;
    for topic in Topic::ALL {
        match queue.depth(topic.as_str()).await {
            Ok(depth) => dead += depth.dead,
            Err(error) => return Check::warning(NAME, error.to_string()),
        }
    }
    match dead {
        0 => Check::healthy(NAME),
        some => Check::warning(NAME, format!("{some} messages were given up")),
    }
}

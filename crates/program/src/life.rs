//! A program from its arguments to its end.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Command;
use platform::config::{Settings, manual};
use platform::shutdown::Shutdown;
use platform::telemetry;

/// How long what is under way may take to end.
pub(crate) const DRAIN: Duration = Duration::from_secs(25);

/// The variables that every program uses.
const EVERYBODY: [&str; 11] = [
    "DATABASE_URL",
    "QUEUE_URL",
    "CACHE_URL",
    "INSTALLATION",
    "HOST",
    "INTERNAL_TOKEN",
    "INTERNAL_TLS_CERT",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "DEBUG",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// What the manual cannot know, since the same variables serve all in one process.
const MEETING: &str = "\
The programs meet at servers: DATABASE_URL must be postgres://..., QUEUE_URL amqp://... and
CACHE_URL redis://... Pending migrations are applied at the start, by one program at a time.
";

/// A program, for people.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub does: &'static str,
    /// The variables that it uses beside those that every program uses.
    pub uses: &'static [&'static str],
}

/// Runs one of the programs that run apart from each other.
pub fn main(
    about: About,
    work: impl AsyncFnOnce(Settings, Shutdown) -> anyhow::Result<()>,
) -> ExitCode {
    arguments(about).get_matches();
    on_runtime(about.name, async {
        let (settings, shutdown) = start(Settings::load()?)?;
        settings.expect_shared_servers()?;
        work(settings, shutdown).await
    })
}

fn arguments(about: About) -> Command {
    let uses: Vec<&str> = EVERYBODY.iter().chain(about.uses).copied().collect();
    Command::new(about.name)
        .version(env!("CARGO_PKG_VERSION"))
        .about(about.does)
        .after_help(format!("{}\n{MEETING}", manual(&uses)))
}

/// Starts the telemetry, and listens to the signals that end the program.
///
/// # Errors
/// Logging was started before, or signals cannot be heard.
pub fn start(settings: Settings) -> anyhow::Result<(Settings, Shutdown)> {
    telemetry::init(&settings.log_level, settings.log_json())?;
    let shutdown = Shutdown::on_signals().context("cannot listen to signals")?;
    Ok((settings, shutdown))
}

/// Runs `work` to its end. What goes wrong is said in one line.
pub fn on_runtime(name: &str, work: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(name, error),
    };
    match runtime.block_on(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(name, format_args!("{error:#}")),
    }
}

/// One line that says what is wrong.
#[expect(clippy::print_stderr, reason = "logging may be what did not start")]
pub fn complain(name: &str, error: impl Display) -> ExitCode {
    eprintln!("{name}: {error}");
    ExitCode::FAILURE
}

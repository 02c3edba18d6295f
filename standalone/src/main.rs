//! `pulse-etl`: everything in one process.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use platform::config::Settings;
use standalone::demo::Demo;
use standalone::{Company, House};

/// Pulls a company's Jira and GitHub, and answers with DORA metrics.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run every service in this process, as the environment configures it.
    #[command(after_help = platform::config::whole_manual())]
    Serve,
    /// Run every service with a simulated company, connected and syncing.
    Demo(Size),
    /// Connect a simulated company that runs elsewhere, start its jobs and leave.
    Connect(Ends),
    /// Bring the database up to date and leave.
    Migrate,
}

/// The company to simulate.
#[derive(Debug, clap::Args)]
struct Size {
    /// The same seed gives the same company.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many issues it has.
    #[arg(long, default_value_t = 3_000)]
    issues: usize,
    /// How many pull requests it has.
    #[arg(long, default_value_t = 1_500)]
    pull_requests: usize,
    /// How long Jira and GitHub take to answer.
    #[arg(long, default_value_t = 20)]
    latency_ms: u64,
}

/// What to connect with what.
#[derive(Debug, clap::Args)]
struct Ends {
    /// The simulator, as the gateway and we reach it.
    #[arg(long, default_value = "http://simulator:8000")]
    simulator: String,
    /// The gateway, as we reach it.
    #[arg(long, default_value = "http://gateway:8000")]
    gateway: String,
    /// The gateway, as people reach it.
    #[arg(long, default_value = "http://localhost:8000")]
    shown: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    program::on_runtime("pulse-etl", async {
        match arguments.verb {
            Verb::Serve => serve().await,
            Verb::Demo(size) => demo(size).await,
            Verb::Connect(ends) => connect(ends).await,
            Verb::Migrate => migrate().await,
        }
    })
}

#[expect(clippy::print_stdout, reason = "people and scripts read the address from here")]
async fn serve() -> anyhow::Result<()> {
    let (settings, shutdown) = program::start(Settings::load()?)?;
    let house = House::start(settings, shutdown).await?;
    println!("Pulse ETL listens on http://{}", house.addr());
    house.run().await
}

#[expect(clippy::print_stdout, reason = "people read where to sign in and as whom")]
async fn demo(size: Size) -> anyhow::Result<()> {
    let demo = Demo::prepare(simulator::Options {
        seed: size.seed,
        issues: size.issues,
        pull_requests: size.pull_requests,
        latency: std::time::Duration::from_millis(size.latency_ms),
        ..simulator::Options::default()
    })?;
    let (settings, shutdown) = program::start(demo.settings(platform::config::variables())?)?;
    let house = House::start(settings, shutdown).await?;
    let url = format!("http://localhost:{}", house.addr().port());
    demo.company.connect(&url).await?;
    println!("{} Ctrl+C ends the demo.\n", demo.company.welcome(&url));
    house.run().await
}

#[expect(clippy::print_stdout, reason = "people read where to sign in and as whom")]
async fn connect(ends: Ends) -> anyhow::Result<()> {
    let company = Company::at(&ends.simulator).await?;
    company.connect(&ends.gateway).await?;
    println!("{}\n", company.welcome(&ends.shown));
    Ok(())
}

async fn migrate() -> anyhow::Result<()> {
    let (settings, _shutdown) = program::start(Settings::load()?)?;
    store::Db::open(settings.database_url.as_str(), 1).await?;
    Ok(())
}

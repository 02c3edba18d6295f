//! The simulator as a program of its own.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::Parser;
use simulator::{BackendGeneration, Fault, Options, Simulator};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A Jira, a GitHub and a Backend Service with a believable company inside.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// The same seed gives the same company.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Issues at the start.
    #[arg(long, default_value_t = 3_000)]
    issues: usize,
    /// Pull requests at the start.
    #[arg(long, default_value_t = 1_500)]
    pull_requests: usize,
    /// Jira projects.
    #[arg(long, default_value_t = 6)]
    projects: usize,
    /// GitHub repositories.
    #[arg(long, default_value_t = 8)]
    repositories: usize,
    /// How long the company has lived.
    #[arg(long, default_value_t = 180)]
    days: u32,
    /// The present, as RFC 3339; the real clock unless told.
    #[arg(long)]
    now: Option<DateTime<Utc>>,
    /// How long each answer takes.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Where callers reach it, if not at the address that it listens on: http://simulator:8000.
    #[arg(long)]
    public_url: Option<String>,
    /// Threads that answer.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// The generation of the Backend Service.
    #[arg(long, value_enum, default_value = "second")]
    backend: BackendGeneration,
    /// GitHub's hourly grant of requests, and of GraphQL points.
    #[arg(long, default_value_t = 5_000)]
    github_hourly: u32,
    /// Jira's grant per second; unlimited unless told.
    #[arg(long)]
    jira_per_second: Option<u32>,
    /// The Backend Service's grant per minute; unlimited unless told.
    #[arg(long)]
    backend_per_minute: Option<u32>,
    /// How long Jira's search knows nothing of the latest edits, in milliseconds.
    #[arg(long, default_value_t = 0)]
    search_lag_ms: u64,
    /// GraphQL pages of more pull requests than this come back with holes on the busiest
    /// repository; more than twice as many are answered with 502.
    #[arg(long)]
    busy_page_max: Option<u64>,
    /// Count pages that are given again, in /__stats.
    #[arg(long)]
    count_repeats: bool,
    /// Something that goes wrong, as JSON: {"path":"search/jql","kind":"throttle","every":10}.
    /// Kinds: throttle, secondary, server_error, unauthorized, truncate, malform, hang, drip.
    #[arg(long = "fault", value_parser = fault)]
    faults: Vec<Fault>,
}

fn fault(json: &str) -> Result<Fault, serde_json::Error> {
    serde_json::from_str(json)
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let simulator = Simulator::start(Options {
        seed: flags.seed,
        issues: flags.issues,
        pull_requests: flags.pull_requests,
        projects: flags.projects,
        repositories: flags.repositories,
        days: flags.days,
        now: flags.now,
        latency: Duration::from_millis(flags.latency_ms),
        backend: flags.backend,
        host: flags.host,
        port: flags.port,
        public_url: flags.public_url,
        workers: flags.workers,
        github_hourly: flags.github_hourly,
        jira_per_second: flags.jira_per_second,
        backend_per_minute: flags.backend_per_minute,
        search_lag: Duration::from_millis(flags.search_lag_ms),
        busy_page_max: flags.busy_page_max,
        count_repeats: flags.count_repeats,
        faults: flags.faults,
    })
    .context("could not start the simulator")?;
    let line = serde_json::json!({
        "url": simulator.url(),
        "jira_url": simulator.jira_url(),
        "github_url": simulator.github_url(),
        "backend_url": simulator.backend_url(),
        "company": simulator.company(),
        "other_company": simulator.other_company(),
    });
    writeln!(std::io::stdout(), "{line}").context("could not tell where the simulator is")?;
    simulator.wait().context("the simulator ended")
}

//! How much sooner several workers are done than one, each service in a process of its own.

use std::fmt::Write;
use std::net::TcpListener;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::company::{Company, Size};
use crate::database::{Database, Kind};
use crate::job::Job;
use crate::product::{self, Program};
use crate::servers::Servers;
use crate::{goals, table};

/// Many repositories, so that there is something to share.
const SIZE: Size = Size { issues: 600, repositories: 40, pull_requests: 4_000 };
const SIZE_QUICK: Size = Size { issues: 600, repositories: 8, pull_requests: 160 };
/// Far away: workers wait for GitHub, and not for a processor.
const LATENCY_MS: u64 = 80;
/// A program that is not ready by then never will be.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Measures one worker, then more.
pub async fn measure(servers: &Servers, runs: usize, quick: bool) -> anyhow::Result<String> {
    let size = if quick { SIZE_QUICK } else { SIZE };
    let company = Company::start(size, LATENCY_MS).await?;
    let alone_s = times(servers, &company, 1, runs).await?;
    let Size { repositories, pull_requests, .. } = size;
    let mut out = format!(
        "\n{repositories} repositories with {pull_requests} pull requests, {LATENCY_MS} ms away \
         (median of {runs})\n\n1 worker  {alone_s:>7.2} s\n"
    );
    for (workers, goal) in goals::SPEEDUPS {
        let together_s = times(servers, &company, workers, runs).await?;
        let speedup = alone_s / together_s;
        let shown = table::marked(format!("{speedup:.2}"), speedup >= goal);
        writeln!(out, "{workers} workers {together_s:>7.2} s, {shown} times as fast (>={goal})")?;
    }
    Ok(out)
}

/// The median time that so many workers take to read everything.
async fn times(
    servers: &Servers,
    company: &Company,
    workers: usize,
    runs: usize,
) -> anyhow::Result<f64> {
    let mut taken = Vec::with_capacity(runs);
    for run in 1..=runs {
        let database = Database::create(Kind::Postgres, servers.postgres.as_deref())?;
        let (mut front, crew) = start(servers, company, &database, workers).await?;
        let read = front.sync(company, &database, Job::Git).await?;
        drop((front, crew));
        eprintln!("{workers} worker(s), run {run} of {runs}: {:.1} s", read.data_s);
        taken.push(read.data_s);
    }
    Ok(table::median(taken))
}

/// Processes that end with us.
struct Crew(Vec<Child>);

impl Drop for Crew {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended already; either way it is gone afterwards.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// One of each service, but `workers` that read GitHub.
async fn start(
    servers: &Servers,
    company: &Company,
    database: &Database,
    workers: usize,
) -> anyhow::Result<(Program, Crew)> {
    let (orchestrator, metrics, gateway) = (free_port()?, free_port()?, free_port()?);
    let shared = [
        ("QUEUE_URL", servers.queue(Kind::Postgres)?.to_owned()),
        ("CACHE_URL", servers.cache(Kind::Postgres)?.to_owned()),
        ("INSTALLATION", format!("bench-{}", uuid::Uuid::now_v7().simple())),
        ("ORCHESTRATOR_URL", address(orchestrator)),
        ("METRICS_URL", address(metrics)),
    ];
    let mut looked_at = Vec::new();
    let mut spawn = |name: &str, port: u16| -> anyhow::Result<Child> {
        let health = if name == "gateway" { port } else { free_port()? };
        looked_at.push((name.to_owned(), health));
        let ports = [("PORT", port.to_string()), ("HEALTH_PORT", health.to_string())];
        let mut command = product::command(name, company, database.url())?;
        product::spawn(command.envs(shared.iter().cloned()).envs(ports))
    };
    let mut crew = Crew(vec![spawn("orchestrator", orchestrator)?, spawn("metrics", metrics)?]);
    let front = spawn("gateway", gateway)?;
    crew.0.push(spawn("jira-extractor", free_port()?)?);
    for _ in 0..workers {
        crew.0.push(spawn("git-extractor", free_port()?)?);
    }
    for (name, port) in looked_at {
        until_ready(&name, port).await?;
    }
    Ok((Program::at(company, front, address(gateway)).await?, crew))
}

async fn until_ready(name: &str, port: u16) -> anyhow::Result<()> {
    let (url, deadline) = (format!("{}/readyz", address(port)), Instant::now() + READY_WITHIN);
    while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
        ensure!(Instant::now() < deadline, "{name} is not ready in time");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// A port that nobody has at the moment.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

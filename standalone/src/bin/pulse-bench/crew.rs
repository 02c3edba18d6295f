//! The five programs, each service in a process of its own.

use std::net::TcpListener;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::company::Company;
use crate::database::{Database, Kind};
use crate::product::{self, Program};
use crate::servers::Servers;

/// A program that is not ready by then never will be.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Programs that work together, and end with us.
pub struct Crew {
    /// The gateway, connected to the company.
    pub front: Program,
    behind: Behind,
}

struct Behind(Vec<Child>);

impl Drop for Behind {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended already; either way it is gone afterwards.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Crew {
    /// One of each service, but `readers` that read GitHub. They hear of work at `queue_url`, and `more`
    /// is what every one of them is told besides.
    pub async fn start(
        servers: &Servers,
        company: &Company,
        database: &Database,
        queue_url: &str,
        readers: usize,
        more: &[(&str, String)],
    ) -> anyhow::Result<Crew> {
        let (orchestrator, metrics, gateway) = (free_port()?, free_port()?, free_port()?);
        let shared = [
            ("QUEUE_URL", queue_url.to_owned()),
            ("CACHE_URL", servers.cache(Kind::Postgres)?.to_owned()),
            ("INSTALLATION", format!("bench-{}", uuid::Uuid::now_v7().simple())),
            ("ORCHESTRATOR_URL", address(orchestrator)),
            ("METRICS_URL", address(metrics)),
        ];
        let told = || shared.iter().chain(more).map(|(name, value)| (name, value));
        let mut looked_at = Vec::new();
        let mut spawn = |name: &str, port: u16| -> anyhow::Result<Child> {
            let health = if name == "gateway" { port } else { free_port()? };
            looked_at.push((name.to_owned(), health));
            let ports = [("PORT", port.to_string()), ("HEALTH_PORT", health.to_string())];
            let mut command = product::command(name, company, database.url())?;
            product::spawn(command.envs(told()).envs(ports))
        };
        let mut behind = Behind(vec![spawn("orchestrator", orchestrator)?]);
        behind.0.push(spawn("metrics", metrics)?);
        let front = spawn("gateway", gateway)?;
        behind.0.push(spawn("jira-extractor", free_port()?)?);
        for _ in 0..readers {
            behind.0.push(spawn("git-extractor", free_port()?)?);
        }
        for (name, port) in looked_at {
            until_ready(&name, port).await?;
        }
        let front = Program::at(company, front, address(gateway)).await?;
        Ok(Crew { front, behind })
    }

    /// The numbers of their processes.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.behind.0.iter().map(Child::id).chain([self.front.id()])
    }
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

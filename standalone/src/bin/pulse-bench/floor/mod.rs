//! The floor: what a loader takes that fetches the same pages, decodes them and writes the same rows
//! in bulk, with no bookkeeping at all. It can be stopped by nothing and resumed by nobody. It runs
//! in a process of its own, as the product does.

mod github;
mod http;
mod jira;
mod postgres;
mod queries;
mod rows;
mod sink;
mod sqlite;

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::company::Company;
use crate::job::Job;
use crate::process;
use sink::Sink;

/// Projects or repositories that are read side by side, as many as the product's workers read.
const LANES: usize = 8;

/// What to load, from where, into which database.
#[derive(Serialize, Deserialize)]
struct Order {
    job: Job,
    database: String,
    base_url: String,
    username: String,
    secret: String,
    scopes: Vec<String>,
}

/// How it went.
#[derive(Serialize, Deserialize)]
pub struct Report {
    /// From the first request to the last commit.
    pub seconds: f64,
    /// What the loader has worked for it.
    pub cpu_s: f64,
}

/// Starts the floor of a job in a process of its own.
pub async fn run(company: &Company, database: &str, job: Job) -> anyhow::Result<Report> {
    let (jira, github) = (&company.account.jira, &company.account.github);
    let order = match job {
        Job::Jira => Order {
            job,
            database: database.to_owned(),
            base_url: company.jira_url.clone(),
            username: jira.username.clone(),
            secret: jira.api_token.clone(),
            scopes: jira.projects.clone(),
        },
        Job::Git => Order {
            job,
            database: database.to_owned(),
            base_url: company.github_url.clone(),
            username: String::new(),
            secret: github.token.clone(),
            scopes: github.repositories.clone(),
        },
    };
    let program = std::env::current_exe()?;
    let order = serde_json::to_string(&order)?;
    let ended = tokio::task::spawn_blocking(move || {
        let mut child = std::process::Command::new(program);
        child.arg("floor").arg(order).stderr(Stdio::inherit()).output()
    });
    let ended = ended.await??;
    ensure!(ended.status.success(), "the floor ended with {}", ended.status);
    serde_json::from_slice(&ended.stdout).context("the floor's report cannot be read")
}

/// Loads what an order says. Answers the report, in JSON.
pub async fn load(order: &str) -> anyhow::Result<String> {
    let order: Order = serde_json::from_str(order).context("the order cannot be read")?;
    // The tables are the product's own.
    drop(store::Db::open(&order.database, 1).await?);
    let sink = Sink::open(&order.database)?;
    let process = std::process::id();
    let (begun, worked_before) = (Instant::now(), process::cpu_s(process)?);
    match order.job {
        Job::Jira => jira::load(&order, &sink).await?,
        Job::Git => github::load(&order, &sink).await?,
    }
    tokio::task::spawn_blocking(|| sink.finish()).await??;
    let seconds = begun.elapsed().as_secs_f64();
    let report = Report { seconds, cpu_s: process::cpu_s(process)? - worked_before };
    Ok(serde_json::to_string(&report)?)
}

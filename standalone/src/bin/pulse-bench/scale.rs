//! The metrics of a very large client: how long they take to compute, and how soon a question is answered.

use std::fmt::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use chrono::{TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use domain::ids::ClientId;
use metrics_service::compute;
use proto::Link;
use proto::convert::timestamp;
use proto::v1::Question;
use proto::v1::metrics_client::MetricsClient;
use serde::{Deserialize, Serialize};
use store::{Db, Metrics, Work};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::database::{Database, Kind};
use crate::{client, goals, process, table};

/// How much there is.
struct Extent {
    issues: u32,
    repositories: u32,
    pull_requests_each: u32,
}

const EXTENT: Extent = Extent { issues: 1_000_000, repositories: 100, pull_requests_each: 10_000 };
const EXTENT_QUICK: Extent = Extent { issues: 10_000, repositories: 10, pull_requests_each: 1_000 };

/// People who look at a dashboard at the same time, and what each of them asks.
const READERS: u32 = 20;
const QUESTIONS_EACH: u32 = 10;
/// What a dashboard shows.
const REPORTS: [&str; 3] = ["dora", "flow", "pull-requests"];
const SHOWN: TimeDelta = TimeDelta::days(90);

/// Tables that a computation reads.
const TABLES: [&str; 8] = [
    "issues",
    "issue_changes",
    "pull_requests",
    "commits",
    "pull_request_commits",
    "reviews",
    "pull_request_issues",
    "deployments",
];

/// Whose metrics to compute, in which database.
#[derive(Serialize, Deserialize)]
struct Order {
    database: String,
    client: Uuid,
}

/// How a computation went.
#[derive(Serialize, Deserialize)]
struct Report {
    seconds: f64,
    facts: u64,
    peak_bytes: u64,
}

/// Fills the tables, computes twice, and asks.
pub async fn measure(postgres: Option<&str>, quick: bool) -> anyhow::Result<String> {
    let extent = if quick { EXTENT_QUICK } else { EXTENT };
    let database = Database::create(Kind::Postgres, postgres)?;
    let db = Db::open(database.url(), READERS).await?;
    let client = fill(&db, database.url(), &extent).await?;
    let scan_s = scan(database.url())?;
    let order = Order { database: database.url().to_owned(), client: client.0 };
    let first = run(&order).await?;
    change(database.url(), goals::CHANGED_ISSUES)?;
    let again = run(&order).await?;
    let door = Link::here(metrics_service::server(Metrics::new(db.clone())));
    let opened = open_dashboard(&door, client).await?;
    let mut answers = ask(&door, client).await?;
    answers.sort();
    let held = process::peak_bytes(std::process::id())?;
    let p95 = answers[answers.len() * 95 / 100].as_secs_f64() * 1e3;
    let p50 = answers[answers.len() / 2].as_secs_f64() * 1e3;

    let Extent { issues, repositories, pull_requests_each } = extent;
    let mut out = format!(
        "\n{issues} issues with 8 changes each, {} pull requests, {} deployments in PostgreSQL\n\n",
        repositories * pull_requests_each,
        repositories * pull_requests_each / 10,
    );
    writeln!(
        out,
        "computed anew       {} s (<={}), {:.1} times a scan of the same tables ({scan_s:.1} s), \
         peak {} MB (<={}), {} facts",
        table::marked(format!("{:.1}", first.seconds), first.seconds <= goals::RECOMPUTE_S),
        goals::RECOMPUTE_S,
        first.seconds / scan_s,
        table::marked(
            format!("{:.0}", first.peak_bytes as f64 / 1e6),
            first.peak_bytes <= goals::RECOMPUTE_PEAK_BYTES
        ),
        goals::RECOMPUTE_PEAK_BYTES / 1_000_000,
        first.facts,
    )?;
    writeln!(
        out,
        "after {} changed issues {} s (<={})",
        goals::CHANGED_ISSUES,
        table::marked(format!("{:.1}", again.seconds), again.seconds <= goals::CATCH_UP_S),
        goals::CATCH_UP_S,
    )?;
    writeln!(
        out,
        "a question, {READERS} readers at once: p50 {p50:.0} ms, p95 {} ms (<={}); \
         the first of each report after a start {opened:.1} s, peak of who answers {:.0} MB",
        table::marked(format!("{p95:.0}"), p95 <= goals::QUESTION_P95_MS),
        goals::QUESTION_P95_MS,
        held as f64 / 1e6,
    )?;
    Ok(out)
}

/// Makes a client with two connections and its history.
async fn fill(db: &Db, url: &str, extent: &Extent) -> anyhow::Result<ClientId> {
    let work = Work::new(db.clone(), |_| Vec::new());
    let (client, ids) = client::add(db, &work, "large", &client::SOURCES, Utc::now()).await?;
    let quoted = |id: Uuid| format!("'{id}'::uuid");
    let mut history = include_str!("scale/history.sql").to_owned();
    for (name, value) in [
        ("{client}", quoted(client.0)),
        ("{jira}", quoted(ids[0].0)),
        ("{github}", quoted(ids[1].0)),
        ("{issues}", extent.issues.to_string()),
        ("{repositories}", extent.repositories.to_string()),
        ("{each}", extent.pull_requests_each.to_string()),
    ] {
        history = history.replace(name, &value);
    }
    let begun = Instant::now();
    let mut server = PgConnection::establish(url)?;
    server.batch_execute(&history)?;
    server.batch_execute("VACUUM (ANALYZE)")?;
    eprintln!("scale: filled in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(client)
}

/// Seconds that PostgreSQL takes to look at every row that a computation reads.
fn scan(url: &str) -> anyhow::Result<f64> {
    let mut server = PgConnection::establish(url)?;
    server.batch_execute(
        "SET max_parallel_workers_per_gather = 0; SET enable_indexscan = off; \
         SET enable_indexonlyscan = off; SET enable_bitmapscan = off",
    )?;
    let begun = Instant::now();
    for table in TABLES {
        server.batch_execute(&format!("SELECT count(*) FROM {table}"))?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Moves so many issues on, as a sync would.
fn change(url: &str, issues: u32) -> anyhow::Result<()> {
    PgConnection::establish(url)?.batch_execute(&format!(
        "UPDATE issues SET status_id = 4, updated_at = now() WHERE external_id <= {issues} * 10 AND external_id % 10 = 0; \
         INSERT INTO issue_changes SELECT client_id, integration_id, external_id, external_id * 8 + 9, 0, 'status', \
         '2', 'In Progress', '4', 'Done', 'ada', now() FROM issues WHERE external_id <= {issues} * 10 AND external_id % 10 = 0; \
         INSERT INTO changed_issues SELECT client_id, integration_id, external_id FROM issues \
         WHERE external_id <= {issues} * 10 AND external_id % 10 = 0"
    ))?;
    Ok(())
}

/// Computes in a process of its own, so that its memory is its own.
async fn run(order: &Order) -> anyhow::Result<Report> {
    let (program, order) = (std::env::current_exe()?, serde_json::to_string(order)?);
    let ended = tokio::task::spawn_blocking(move || {
        let mut child = std::process::Command::new(program);
        child.arg("recompute").arg(order).stderr(Stdio::inherit()).output()
    });
    let ended = ended.await??;
    ensure!(ended.status.success(), "the computation ended with {}", ended.status);
    let report: Report =
        serde_json::from_slice(&ended.stdout).context("its report cannot be read")?;
    eprintln!("scale: computed in {:.1} s", report.seconds);
    Ok(report)
}

/// Computes what an order says. Answers the report, in JSON.
pub async fn recompute(order: &str) -> anyhow::Result<String> {
    let order: Order = serde_json::from_str(order).context("the order cannot be read")?;
    let (database, client) = (order.database, ClientId(order.client));
    let db = Db::open(&database, 4).await?;
    let fence = client::lease(&Work::new(db.clone(), |_| Vec::new()), client).await?;
    let now = Utc::now();
    let begun = Instant::now();
    let facts = compute::publish(&Metrics::new(db), client, fence, now, now).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let peak_bytes = process::peak_bytes(std::process::id())?;
    Ok(serde_json::to_string(&Report { seconds, facts, peak_bytes })?)
}

/// Seconds until each report was answered for the first time, when nothing is in memory yet.
async fn open_dashboard(door: &Link, client: ClientId) -> anyhow::Result<f64> {
    let mut door = MetricsClient::new(door.clone());
    let begun = Instant::now();
    for number in 0..REPORTS.len() {
        door.ask(question(client, u32::try_from(number)?)).await?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// How long each question of each reader took.
async fn ask(door: &Link, client: ClientId) -> anyhow::Result<Vec<Duration>> {
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let mut door = MetricsClient::new(door.clone());
        readers.spawn(async move {
            let mut taken = Vec::new();
            for number in 0..QUESTIONS_EACH {
                let question = question(client, reader + number);
                let asked_at = Instant::now();
                let answer = door.ask(question).await?.into_inner();
                taken.push(asked_at.elapsed());
                ensure!(answer.metrics.iter().any(|metric| metric.counted > 0), "an empty answer");
            }
            Ok(taken)
        });
    }
    let mut all = Vec::new();
    while let Some(taken) = readers.join_next().await {
        all.extend(taken??);
    }
    Ok(all)
}

/// Of one report after the other, for all or for a part.
fn question(client: ClientId, number: u32) -> Question {
    let now = Utc::now();
    let report = REPORTS[number as usize % REPORTS.len()];
    let is_flow = report == "flow";
    let is_part = number as usize / REPORTS.len() % 2 == 1;
    Question {
        client_id: client.to_string(),
        report: report.to_owned(),
        from: Some(timestamp(now - SHOWN)),
        to: Some(timestamp(now)),
        projects: (is_part && is_flow)
            .then(|| format!("P{}", 1 + number % 20))
            .into_iter()
            .collect(),
        repositories: (is_part && !is_flow)
            .then(|| format!("acme/service-{}", 1 + number % 10))
            .into_iter()
            .collect(),
        bucket: "week".to_owned(),
        ..Question::default()
    }
}

//! `pulse-bench`: how fast the product is, beside the fastest loader that could do the same.

mod bulk;
mod client;
mod company;
mod crew;
mod cycle;
mod database;
mod floor;
mod goals;
mod idle;
mod job;
mod process;
mod product;
mod scale;
mod servers;
mod table;
mod workers;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};

use crate::company::{Company, Size};
use crate::database::Kind;
use crate::job::Job;
use crate::servers::Servers;
use crate::table::{Cell, Measured};

/// Measures the product, each figure beside one that it can be compared with.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Only these sections.
    #[arg(
        long,
        value_delimiter = ',',
        default_values_t = [
            Section::Sync, Section::Workers, Section::Bulk, Section::Cycle, Section::Idle,
            Section::Scale,
        ]
    )]
    only: Vec<Section>,
    #[command(flatten)]
    servers: Servers,
    /// How often each cell is measured; medians are printed.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Small amounts, to see whether the benchmark works.
    #[arg(long)]
    quick: bool,
    /// How long Jira and GitHub take to answer, in milliseconds.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 80])]
    latency_ms: Vec<u64>,
    /// Only these databases.
    #[arg(long, value_delimiter = ',', default_values_t = [Kind::Sqlite, Kind::Postgres])]
    databases: Vec<Kind>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Section {
    /// A sync of a simulated company, beside a minimal loader of the same rows.
    Sync,
    /// Several workers beside one.
    Workers,
    /// Many rows into PostgreSQL, beside a COPY.
    Bulk,
    /// A thousand clients whose schedules fall into the same minute.
    Cycle,
    /// What every service together costs while nobody does anything.
    Idle,
    /// The metrics of a very large client.
    Scale,
}

impl std::fmt::Display for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Section::Sync => "sync",
            Section::Workers => "workers",
            Section::Bulk => "bulk",
            Section::Cycle => "cycle",
            Section::Idle => "idle",
            Section::Scale => "scale",
        })
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The minimal loader by itself, as an order in JSON describes it.
    Floor { order: String },
    /// One computation of all metrics by itself, as an order in JSON describes it.
    Recompute { order: String },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.into()),
    };
    let done = runtime.block_on(async {
        match &arguments.verb {
            Some(Verb::Floor { order }) => say(&floor::load(order).await?),
            Some(Verb::Recompute { order }) => say(&scale::recompute(order).await?),
            None => measure(&arguments).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

/// One line that says what is wrong, with its causes.
fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("pulse-bench: {error:#}");
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "the result is what people and parents read")]
fn say(result: &str) -> anyhow::Result<()> {
    println!("{result}");
    Ok(())
}

async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(arguments.runs > 0, "--runs must be at least 1");
    for section in &arguments.only {
        let found = match section {
            Section::Sync => sync(arguments).await?,
            Section::Workers => {
                workers::measure(&arguments.servers, arguments.runs, arguments.quick).await?
            }
            Section::Bulk => {
                let postgres = arguments.servers.postgres.as_deref();
                bulk::measure(postgres, arguments.runs, arguments.quick).await?
            }
            Section::Cycle => {
                let clients = if arguments.quick { 50 } else { 1_000 };
                cycle::measure(&arguments.servers, &arguments.databases, clients).await?
            }
            Section::Idle => {
                let during = Duration::from_secs(if arguments.quick { 5 } else { 30 });
                idle::measure(&arguments.servers, &arguments.databases, during).await?
            }
            Section::Scale => {
                scale::measure(arguments.servers.postgres.as_deref(), arguments.quick).await?
            }
        };
        say(&found)?;
    }
    Ok(())
}

async fn sync(arguments: &Arguments) -> anyhow::Result<String> {
    let size = if arguments.quick { Size::QUICK } else { Size::FULL };
    let mut cells = Vec::new();
    for &latency_ms in &arguments.latency_ms {
        let company = Company::start(size, latency_ms).await?;
        for &kind in &arguments.databases {
            let mut jira = Cell::new(Job::Jira, kind, latency_ms);
            let mut git = Cell::new(Job::Git, kind, latency_ms);
            for run in 1..=arguments.runs {
                let what = format!("{kind}, {latency_ms} ms, run {run} of {}", arguments.runs);
                let measured = once(arguments, &company, kind).await.context(what.clone())?;
                let [of_jira, of_git] = measured;
                eprintln!(
                    "{what}: Jira {:.1} s (floor {:.1} s), Git {:.1} s (floor {:.1} s)",
                    of_jira.run_s, of_jira.floor_s, of_git.run_s, of_git.floor_s
                );
                jira.runs.push(of_jira);
                git.runs.push(of_git);
            }
            cells.extend([jira, git]);
        }
    }
    Ok(table::print(size, &cells))
}

/// Both jobs in one fresh program on one fresh database, and each floor on one of its own.
async fn once(
    arguments: &Arguments,
    company: &Company,
    kind: Kind,
) -> anyhow::Result<[Measured; 2]> {
    let fresh = || database::Database::create(kind, arguments.servers.postgres.as_deref());
    let database = fresh()?;
    let mut program = product::Program::start(company, database.url(), &[]).await?;
    let mut of_jobs = Vec::with_capacity(2);
    for job in [Job::Jira, Job::Git] {
        let run = program.sync(company, &database, job).await?;
        of_jobs.push((job, run, database.rows(job)?));
    }
    let cut_off = database.cut_off_entries()?;
    drop(program);

    let mut measured = Vec::with_capacity(2);
    for (job, run, rows) in of_jobs {
        let floors = fresh()?;
        company.forget_requests().await?;
        let report = floor::run(company, floors.url(), job).await?;
        measured.push(Measured {
            job,
            requests_goal: match job {
                Job::Jira => goals::issue_requests(
                    company.size.issues,
                    cut_off,
                    company.account.jira.projects.len(),
                ),
                Job::Git => {
                    goals::REQUESTS_PER_PULL_REQUEST * f64::from(company.size.pull_requests)
                }
            },
            run_s: run.run_s,
            data_s: run.data_s,
            steps: run.steps,
            rows,
            peak_bytes: run.peak_bytes,
            requests: run.requests,
            cpu_s: run.cpu_s,
            floor_s: report.seconds,
            floor_cpu_s: report.cpu_s,
            floor_rows: floors.rows(job)?,
            floor_requests: company.requests().await?.values().sum(),
        });
    }
    measured.try_into().map_err(|_| anyhow::anyhow!("there are two jobs"))
}

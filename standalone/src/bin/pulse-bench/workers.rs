//! How much sooner several workers are done than one, each service in a process of its own.

use std::fmt::Write;

use crate::company::{Company, Size};
use crate::crew::Crew;
use crate::database::{Database, Kind};
use crate::job::Job;
use crate::servers::Servers;
use crate::{goals, table};

/// Many repositories, so that there is something to share.
const SIZE: Size = Size { issues: 600, repositories: 40, pull_requests: 4_000 };
const SIZE_QUICK: Size = Size { issues: 600, repositories: 8, pull_requests: 160 };
/// Far away: workers wait for GitHub, and not for a processor.
const LATENCY_MS: u64 = 80;

/// Measures one worker, then more.
pub async fn measure(servers: &Servers, runs: usize, quick: bool) -> anyhow::Result<String> {
    let size = if quick { SIZE_QUICK } else { SIZE };
    let company = Company::start(size, LATENCY_MS).await?;
    let alone_s = times(servers, &company, 1, runs).await?;
    let Size { repositories, pull_requests, .. } = size;
    let mut out = format!(
        "\n{repositories} repositories with {pull_requests} pull requests, {LATENCY_MS} ms away, \
         one task at a time for each worker (median of {runs})\n\n1 worker  {alone_s:>7.2} s\n"
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
        let queue = servers.queue(Kind::Postgres)?;
        // A worker that does several tasks at once would be several workers.
        let one = [("WORKER_CONCURRENCY", "1".to_owned())];
        let mut crew = Crew::start(servers, company, &database, queue, workers, &one).await?;
        let read = crew.front.sync(company, &database, Job::Git).await?;
        drop(crew);
        eprintln!("{workers} worker(s), run {run} of {runs}: {:.1} s", read.data_s);
        taken.push(read.data_s);
    }
    Ok(table::median(taken))
}

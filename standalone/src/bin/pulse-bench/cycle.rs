//! Many clients whose hourly schedules fall into the same minute: how long until the first job of
//! each runs and its task is with the broker.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use chrono::{TimeDelta, Utc};
use domain::schedule::Schedule;
use domain::work::Topic;
use orchestrator::{Clock, Orchestrator};
use platform::cache::Cache;
use platform::queue::Queue;
use platform::shutdown::Shutdown;
use store::{Db, Jobs, Work};
use uuid::Uuid;

use crate::database::{Database, Kind};
use crate::servers::Servers;
use crate::{client, goals};

/// As many connections as the program has.
const CONNECTIONS: u32 = 12;
/// How often we look whether all is done.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Nobody waits longer.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long it took on each kind of database.
pub async fn measure(
    servers: &Servers,
    databases: &[Kind],
    clients: usize,
) -> anyhow::Result<String> {
    let mut out = format!("\n{clients} clients due in the same minute, one orchestrator\n\n");
    for &kind in databases {
        let took = once(servers, kind, clients).await.context(kind.to_string())?;
        let mark = if took <= goals::DISPATCH_WITHIN { "" } else { "*" };
        let goal = goals::DISPATCH_WITHIN.as_secs();
        writeln!(out, "{:<9} {:>6.2}{mark} s (<={goal})", kind.to_string(), took.as_secs_f64())?;
    }
    Ok(out)
}

async fn once(servers: &Servers, kind: Kind, clients: usize) -> anyhow::Result<Duration> {
    let database = Database::create(kind, servers.postgres.as_deref())?;
    let db = Db::open(database.url(), CONNECTIONS).await?;
    let topics: Vec<&str> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
    let prefix = format!("bench-{}", Uuid::now_v7().simple());
    let queue = Queue::open_as(&prefix, servers.queue(kind)?, &topics).await?;
    let cache = Cache::open_as(&prefix, servers.cache(kind)?)?;
    let work = Work::new(db.clone(), orchestrator::plan);
    let an_hour_ago = Utc::now() - TimeDelta::minutes(Schedule::default().interval_minutes.into());
    for number in 0..clients {
        client::add(&db, &work, &number.to_string(), &client::SOURCES, an_hour_ago).await?;
    }

    let jobs = Jobs::new(db);
    let orchestrator = Orchestrator::new(work, jobs, queue.clone(), cache, Clock::system());
    let shutdown = Shutdown::new();
    let since = Instant::now();
    orchestrator.spawn(&shutdown);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let running =
            database.count("SELECT count(*) AS count FROM jobs WHERE status = 'RUNNING'")?;
        let unpublished = database.count("SELECT count(*) AS count FROM outbox")?;
        let tasks = database.count("SELECT count(*) AS count FROM tasks")?;
        let rung = queue.depth(Topic::Jira.as_str()).await?.ready as u64;
        if running == clients as u64 && unpublished == 0 && rung == tasks {
            break;
        }
        ensure!(
            since.elapsed() < PATIENCE,
            "{running} of {clients} jobs run, {unpublished} tasks wait to be rung for, {rung} of {tasks} are"
        );
    }
    let took = since.elapsed();
    shutdown.begin();
    shutdown.drain(PATIENCE).await?;
    queue.close().await;
    Ok(took)
}

//! Many clients whose hourly schedules fall into the same minute: how long until the first job of
//! each runs and its task is with the broker.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use chrono::{TimeDelta, Utc};
use domain::Moment;
use domain::ids::{ClientId, IntegrationId};
use domain::schedule::Schedule;
use domain::work::{SourceKind, Topic};
use orchestrator::{Clock, Orchestrator};
use platform::cache::Cache;
use platform::queue::Queue;
use platform::shutdown::Shutdown;
use store::integrations::Integration;
use store::{Db, Integrations, Jobs, Work};
use uuid::Uuid;

use crate::database::{Database, Kind};
use crate::goals;
use crate::servers::Servers;

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
        add(&db, &work, number, an_hour_ago).await?;
    }

    let jobs = Jobs::new(db);
    let orchestrator = Orchestrator::new(work, jobs, queue.clone(), cache, Clock::system());
    let shutdown = Shutdown::new();
    let since = Instant::now();
    orchestrator.spawn(&shutdown);
    let wanted = (clients as u64, 0, clients);
    let mut there = (0, 0, 0);
    while there != wanted {
        ensure!(since.elapsed() < PATIENCE, "running, unpublished and rung are {there:?}");
        tokio::time::sleep(LOOK_EVERY).await;
        let running =
            database.count("SELECT count(*) AS count FROM jobs WHERE status = 'RUNNING'")?;
        let unpublished = database.count("SELECT count(*) AS count FROM outbox")?;
        there = (running, unpublished, queue.depth(Topic::Jira.as_str()).await?.ready);
    }
    let took = since.elapsed();
    shutdown.begin();
    shutdown.drain(PATIENCE).await?;
    queue.close().await;
    Ok(took)
}

/// A client with a Jira and a GitHub, whose first cycle is an hour after `since`.
async fn add(db: &Db, work: &Work, number: usize, since: Moment) -> anyhow::Result<()> {
    let id = ClientId(Uuid::now_v7());
    let client = work.ensure_client(id, &number.to_string(), "Acme", since).await?.id;
    for kind in [SourceKind::Jira, SourceKind::Github] {
        let integration = Integration {
            client,
            id: IntegrationId(Uuid::now_v7()),
            kind,
            name: kind.to_string(),
            base_url: format!("https://{kind}.example"),
            username: None,
            sealed_secret: "sealed".to_owned(),
            scopes: Vec::new(),
            active: true,
            health: "unknown".to_owned(),
            health_detail: None,
            last_sync_at: None,
            version: 1,
            created_at: since,
            updated_at: since,
        };
        Integrations::new(db.clone()).add(&integration).await?;
    }
    Ok(())
}

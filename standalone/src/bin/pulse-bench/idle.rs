//! What every service together costs while nobody does anything.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::company::{Company, Size};
use crate::crew::Crew;
use crate::database::{Database, Kind};
use crate::goals;
use crate::process;
use crate::product::Program;
use crate::servers::Servers;

/// Runs that are over, and the tasks of each: some months of one client, or a day of many.
const RUNS: u32 = 1_000;
const TASKS_EACH: u32 = 200;
/// What a start leaves to be done is done by then.
const SETTLES: Duration = Duration::from_secs(5);

/// The services, connected and at rest: in one process on SQLite, apart on PostgreSQL.
pub async fn measure(
    servers: &Servers,
    databases: &[Kind],
    during: Duration,
) -> anyhow::Result<String> {
    let company = Company::start(Size::QUICK, 0).await?;
    let mut out = format!(
        "\nnobody does anything for {} s, after {RUNS} runs with {TASKS_EACH} tasks each\n\n",
        during.as_secs()
    );
    for &kind in databases {
        let Rest { cpu_percent, to_broker_bytes } =
            once(servers, &company, kind, during).await.context(kind.to_string())?;
        let mark = if cpu_percent <= goals::IDLE_CPU_PERCENT { "" } else { "*" };
        write!(out, "{:<9} {cpu_percent:>5.2}{mark} % of a core", kind.to_string())?;
        writeln!(out, " (<={}), {to_broker_bytes} bytes to the broker", goals::IDLE_CPU_PERCENT)?;
    }
    Ok(out)
}

struct Rest {
    cpu_percent: f64,
    to_broker_bytes: u64,
}

async fn once(
    servers: &Servers,
    company: &Company,
    kind: Kind,
    during: Duration,
) -> anyhow::Result<Rest> {
    let database = Database::create(kind, servers.postgres.as_deref())?;
    let wire = Wire::to(servers.queue(kind)?).await?;
    let shape = match kind {
        Kind::Sqlite => Shape::One(Program::start(company, database.url(), &[]).await?),
        Kind::Postgres => {
            Shape::Apart(Crew::start(servers, company, &database, &wire.url, 1, &[]).await?)
        }
    };
    // Rest must not cost more the longer somebody has been with us.
    database.age(RUNS, TASKS_EACH)?;
    tokio::time::sleep(SETTLES).await;
    let (worked, said) = (shape.cpu_s()?, wire.bytes.load(Ordering::Relaxed));
    tokio::time::sleep(during).await;
    let worked = shape.cpu_s()? - worked;
    Ok(Rest {
        cpu_percent: worked / during.as_secs_f64() * 100.0,
        to_broker_bytes: wire.bytes.load(Ordering::Relaxed) - said,
    })
}

/// In which processes the services live.
enum Shape {
    One(Program),
    Apart(Crew),
}

impl Shape {
    /// What all of them have worked so far.
    fn cpu_s(&self) -> anyhow::Result<f64> {
        match self {
            Shape::One(program) => process::cpu_s(program.id()),
            Shape::Apart(crew) => crew.ids().map(process::cpu_s).sum(),
        }
    }
}

/// A line to the broker that counts what is said to it.
struct Wire {
    /// Where to say it.
    url: String,
    bytes: Arc<AtomicU64>,
}

impl Wire {
    async fn to(queue_url: &str) -> anyhow::Result<Wire> {
        let bytes = Arc::new(AtomicU64::new(0));
        let Some((scheme, rest)) = queue_url.split_once("://") else {
            return Ok(Wire { url: queue_url.to_owned(), bytes });
        };
        let (user, rest) = rest.rsplit_once('@').unwrap_or(("guest:guest", rest));
        let (broker, path) = rest.split_once('/').unwrap_or((rest, "%2f"));
        let (broker, counted) = (broker.to_owned(), bytes.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("{scheme}://{user}@{}/{path}", listener.local_addr()?);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, broker.clone(), counted.clone()));
            }
        });
        Ok(Wire { url, bytes })
    }
}

/// Carries one connection both ways, until either side hangs up.
async fn carry(near: TcpStream, broker: String, counted: Arc<AtomicU64>) -> std::io::Result<()> {
    let (mut from, mut back) = near.into_split();
    let (mut answers, mut to) = TcpStream::connect(broker).await?.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
    let mut buffer = [0; 4 * 1024];
    loop {
        let read = tokio::io::AsyncReadExt::read(&mut from, &mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        counted.fetch_add(read as u64, Ordering::Relaxed);
        to.write_all(&buffer[..read]).await?;
    }
}

//! What every service together costs while nobody does anything.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::company::{Company, Size};
use crate::database::{Database, Kind};
use crate::goals;
use crate::process;
use crate::product::Program;
use crate::servers::Servers;

/// What a start leaves to be done is done by then.
const SETTLES: Duration = Duration::from_secs(5);

/// The program on its servers, connected and at rest.
pub async fn measure(
    servers: &Servers,
    databases: &[Kind],
    during: Duration,
) -> anyhow::Result<String> {
    let company = Company::start(Size::QUICK, 0).await?;
    let mut out = format!("\nnobody does anything for {} s\n\n", during.as_secs());
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
    let more = [("QUEUE_URL", wire.url.clone()), ("CACHE_URL", servers.cache(kind)?.to_owned())];
    let program = Program::start(company, database.url(), &more).await?;
    tokio::time::sleep(SETTLES).await;
    let (worked, said) = (process::cpu_s(program.id())?, wire.bytes.load(Ordering::Relaxed));
    tokio::time::sleep(during).await;
    let worked = process::cpu_s(program.id())? - worked;
    Ok(Rest {
        cpu_percent: worked / during.as_secs_f64() * 100.0,
        to_broker_bytes: wire.bytes.load(Ordering::Relaxed) - said,
    })
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

//! Where rows go: threads that write whatever has come since they last wrote.

use std::thread::JoinHandle;

use anyhow::{Context, anyhow};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::LANES;
use super::rows::Batch;
use super::{postgres, sqlite};

/// Batches that wait for a writer; then their lane waits too.
const WAITING: usize = 8;

/// The writers of a database: one for each lane, or the only one that SQLite can have.
pub struct Sink {
    lanes: Vec<mpsc::Sender<Parcel>>,
    writers: Vec<JoinHandle<anyhow::Result<()>>>,
}

/// Rows, and who wants to hear that they are written.
struct Parcel {
    batch: Batch,
    written: Option<oneshot::Sender<()>>,
}

/// Whose rows they are: part of every key.
#[derive(Clone, Copy)]
pub struct Owner {
    pub client: Uuid,
    pub integration: Uuid,
}

/// Writes batches over a connection of its own.
pub trait Writer {
    /// Writes all of it, in one transaction.
    fn write(&mut self, batch: &Batch) -> anyhow::Result<()>;
}

impl Sink {
    /// Opens the database at `url` and registers an owner.
    pub fn open(url: &str) -> anyhow::Result<Sink> {
        let owner = Owner { client: Uuid::now_v7(), integration: Uuid::now_v7() };
        let mut sink = Sink { lanes: Vec::new(), writers: Vec::new() };
        if let Some(path) = url.strip_prefix("sqlite:") {
            sink.employ(sqlite::Lite::open(path, owner)?);
            return Ok(sink);
        }
        postgres::register(url, owner)?;
        for _ in 0..LANES {
            sink.employ(postgres::Pg::open(url, owner)?);
        }
        Ok(sink)
    }

    fn employ(&mut self, mut writer: impl Writer + Send + 'static) {
        let (sender, mut receiver) = mpsc::channel::<Parcel>(WAITING);
        self.lanes.push(sender);
        self.writers.push(std::thread::spawn(move || {
            while let Some(Parcel { mut batch, written }) = receiver.blocking_recv() {
                while let Ok(more) = receiver.try_recv() {
                    batch.append(more.batch);
                }
                writer.write(&batch)?;
                if let Some(written) = written {
                    written.send(()).map_err(|()| anyhow!("nobody waits for the first rows"))?;
                }
            }
            Ok(())
        }));
    }

    /// Writes what the rows of every lane refer to, and waits for it.
    pub async fn write_first(&self, batch: Batch) -> anyhow::Result<()> {
        let (written, done) = oneshot::channel();
        let parcel = Parcel { batch, written: Some(written) };
        self.lanes[0].send(parcel).await.ok().context("the writer has ended")?;
        done.await.context("the first rows were not written")
    }

    /// Where the rows of one project or repository go. They are written in the order in which
    /// they are sent.
    pub fn lane(&self, number: usize) -> Lane {
        Lane(self.lanes[number % self.lanes.len()].clone())
    }

    /// Waits until everything is written.
    pub fn finish(self) -> anyhow::Result<()> {
        drop(self.lanes);
        for writer in self.writers {
            writer.join().map_err(|_| anyhow!("a writer broke off"))??;
        }
        Ok(())
    }
}

/// The rows of one project or repository go in here.
pub struct Lane(mpsc::Sender<Parcel>);

impl Lane {
    /// Hands rows to the writer.
    pub async fn send(&self, batch: Batch) -> anyhow::Result<()> {
        self.0.send(Parcel { batch, written: None }).await.ok().context("the writer has ended")
    }
}

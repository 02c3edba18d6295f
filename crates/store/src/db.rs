//! A database of either kind, and the way a use case gets a connection of it.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel_migrations::MigrationHarness;

use crate::pg::dialect::STATEMENT_TIMEOUT;
use crate::{Error, lite, pg};

/// A handle on the database; cheap to clone.
#[derive(Clone)]
pub struct Db(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Pg(Pool<ConnectionManager<pg::Conn>>),
    Lite {
        readers: Pool<ConnectionManager<lite::Conn>>,
        /// SQLite has one writer at a time, so writers queue here instead of polling its lock.
        writer: Pool<ConnectionManager<lite::Conn>>,
    },
}

/// How often a write is tried when another transaction is in the way.
pub(crate) const WRITE_TRIES: u32 = 6;

impl Db {
    /// Opens the database behind `url` (`sqlite:PATH`, `sqlite::memory:` or `postgres://…`) with up
    /// to `connections` connections, and applies the pending migrations.
    ///
    /// # Errors
    /// An address of no known kind, a folder that cannot be written, a database that cannot be
    /// reached or migrated.
    pub async fn open(url: &str, connections: u32) -> Result<Db, Error> {
        let url = url.to_owned();
        blocking(move || Db::open_blocking(&url, connections)).await
    }

    fn open_blocking(url: &str, connections: u32) -> Result<Db, Error> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return open_postgres(url, connections);
        }
        if let Some(path) = url.strip_prefix("sqlite:") {
            return open_sqlite(path, connections);
        }
        let shown = url.split_once("://").map_or(url, |(scheme, _)| scheme);
        Err(Error::Address { url: shown.to_owned() })
    }

    /// Answers when the database answers.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn ping(&self) -> Result<(), Error> {
        ask!(self, ping())
    }

    /// Whether every migration that this program knows has been applied.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn is_up_to_date(&self) -> Result<bool, Error> {
        let kind = self.0.clone();
        blocking(move || {
            let pending = match kind {
                Kind::Pg(pool) => pool.get()?.has_pending_migration(pg::MIGRATIONS),
                Kind::Lite { readers, .. } => {
                    readers.get()?.has_pending_migration(lite::MIGRATIONS)
                }
            };
            pending.map(|pending| !pending).map_err(|e| Error::Migration { reason: e.to_string() })
        })
        .await
    }
}

fn open_postgres(url: &str, connections: u32) -> Result<Db, Error> {
    let pool = Pool::builder()
        .max_size(connections)
        .min_idle(Some(1))
        .connection_timeout(Duration::from_secs(10))
        .connection_customizer(Box::new(PgSession))
        .build(ConnectionManager::<pg::Conn>::new(url))?;
    let mut conn = pool.get()?;
    pg::dialect::migrate(&mut conn)?;
    drop(conn);
    Ok(Db(Kind::Pg(pool)))
}

fn open_sqlite(path: &str, connections: u32) -> Result<Db, Error> {
    let in_memory = path == ":memory:";
    if !in_memory {
        make_folder(Path::new(path))?;
    }
    let pool = |size: u32| {
        Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .idle_timeout(None)
            .max_lifetime(None)
            .connection_timeout(Duration::from_secs(10))
            .connection_customizer(Box::new(LiteSession))
            .build(ConnectionManager::<lite::Conn>::new(path))
    };
    let writer = pool(1)?;
    writer
        .get()?
        .run_pending_migrations(lite::MIGRATIONS)
        .map_err(|e| Error::Migration { reason: e.to_string() })?;
    // Each connection to `:memory:` is a database of its own, so there readers share the writer's.
    let readers = if in_memory { writer.clone() } else { pool(connections)? };
    Ok(Db(Kind::Lite { readers, writer }))
}

fn make_folder(file: &Path) -> Result<(), Error> {
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let unwritable = |source| Error::Folder { folder: folder.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    std::fs::OpenOptions::new().append(true).create(true).open(file).map_err(unwritable)?;
    Ok(())
}

#[derive(Debug)]
struct PgSession;

impl CustomizeConnection<pg::Conn, diesel::r2d2::Error> for PgSession {
    fn on_acquire(&self, conn: &mut pg::Conn) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute(&format!(
            "SET timezone = 'UTC'; SET statement_timeout = '{STATEMENT_TIMEOUT}'; \
             SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = warning;"
        ))
        .map_err(diesel::r2d2::Error::QueryError)
    }
}

#[derive(Debug)]
struct LiteSession;

impl CustomizeConnection<lite::Conn, diesel::r2d2::Error> for LiteSession {
    fn on_acquire(&self, conn: &mut lite::Conn) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute(
            "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
             PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;",
        )
        .map_err(diesel::r2d2::Error::QueryError)
    }
}

/// Runs what blocks on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => unreachable!("a blocking task cannot be cancelled once it runs"),
        },
    }
}

/// `ask!(db, issues::page(client, limit))`: one question, on either database, from a reading
/// connection. The path is that of a function under `queries/`.
macro_rules! ask {
    ($db:expr, $($path:ident)::+ ( $($arg:expr),* $(,)? )) => {{
        let kind = $db.0.clone();
        $crate::db::blocking(move || match kind {
            $crate::db::Kind::Pg(pool) => {
                let mut conn = pool.get()?;
                $crate::db::told($crate::pg::queries::$($path)::+(&mut conn, $($arg),*))
            }
            $crate::db::Kind::Lite { readers, .. } => {
                let mut conn = readers.get()?;
                $crate::db::told($crate::lite::queries::$($path)::+(&mut conn, $($arg),*))
            }
        })
        .await
    }};
}

/// `keep!(db, jobs::put(&job))`: one use case that writes, in one transaction, on either database.
/// It is tried again when another transaction was in the way, so pass arguments by reference.
macro_rules! keep {
    ($db:expr, $($path:ident)::+ ( $($arg:expr),* $(,)? )) => {{
        let kind = $db.0.clone();
        $crate::db::blocking(move || match kind {
            $crate::db::Kind::Pg(pool) => $crate::db::persist(|| {
                let mut conn = pool.get()?;
                $crate::pg::dialect::write(&mut conn, |conn| {
                    $crate::db::told($crate::pg::queries::$($path)::+(conn, $($arg),*))
                })
            }),
            $crate::db::Kind::Lite { writer, .. } => $crate::db::persist(|| {
                let mut conn = writer.get()?;
                $crate::lite::dialect::write(&mut conn, |conn| {
                    $crate::db::told($crate::lite::queries::$($path)::+(conn, $($arg),*))
                })
            }),
        })
        .await
    }};
}

pub(crate) use {ask, keep};

/// What a query told. Some fail with diesel's error, some with ours.
pub(crate) fn told<T, E>(result: Result<T, E>) -> Result<T, Error>
where
    Error: From<E>,
{
    result.map_err(Error::from)
}

/// Tries a write again while what stopped it is passing.
pub(crate) fn persist<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut tries = 1;
    loop {
        match attempt() {
            Err(error) if error.is_passing() && tries < WRITE_TRIES => {
                tracing::debug!(%error, tries, "another transaction was in the way, trying again");
                std::thread::park_timeout(Duration::from_millis(5 << tries));
                tries += 1;
            }
            result => return result,
        }
    }
}

//! The few things that PostgreSQL says in its own way.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryResult, QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::MigrationHarness;

use super::Conn;
use crate::Error;

/// One transaction that writes.
pub(crate) fn write<T>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, Error>,
) -> Result<T, Error> {
    conn.transaction(work)
}

/// One transaction that only reads, and sees one state of the tables throughout.
pub(crate) fn read<T>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, Error>,
) -> Result<T, Error> {
    conn.build_transaction().read_only().repeatable_read().run(work)
}

/// Locks the rows that a query reads until the end of the transaction, so that two writers take
/// turns.
macro_rules! locked {
    ($query:expr) => {
        diesel::QueryDsl::for_update($query)
    };
}

/// Like `locked!`, but leaves out what another writer has locked.
macro_rules! locked_if_free {
    ($query:expr) => {
        diesel::QueryDsl::for_update($query).skip_locked()
    };
}

pub(crate) use {locked, locked_if_free};

/// Lets this transaction end before the disk has it. Should the server crash within the next moments, the
/// transaction may be gone, but then whole, and every later one that waits for the disk brings it there first.
pub(crate) fn relax_commit(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute("SET LOCAL synchronous_commit = off")
}

/// Lets PostgreSQL look at the tables that have more than doubled since it last did. It does so by
/// itself about once a minute, but whoever joins tables right after a first load meets it with no
/// idea of their size.
pub(crate) fn refresh_statistics(conn: &mut Conn) -> QueryResult<()> {
    let grown: Vec<Table> = sql_query(
        "SELECT relname AS name FROM pg_class \
         WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace \
         AND pg_relation_size(oid) > 2 * greatest(relpages, 8) * current_setting('block_size')::int8",
    )
    .load(conn)?;
    for Table { name } in grown {
        conn.batch_execute(&format!("ANALYZE (SKIP_LOCKED) {name}"))?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Nobody waits longer for an answer of the database.
pub(crate) const STATEMENT_TIMEOUT: &str = "120s";

/// Brings the tables up to date. Replicas that start together take turns.
pub(crate) fn migrate(conn: &mut Conn) -> Result<(), Error> {
    const LOCK: i64 = 0x7075_6c73_6500; // "pulse"
    // A migration may rewrite a large table, and others wait for it.
    conn.batch_execute("SET statement_timeout = 0")
        .map_err(|e| Error::Migration { reason: e.to_string() })?;
    sql_query(format!("SELECT pg_advisory_lock({LOCK})")).execute(conn)?;
    let migrated = conn
        .run_pending_migrations(super::MIGRATIONS)
        .map(|_| ())
        .map_err(|e| Error::Migration { reason: e.to_string() });
    conn.batch_execute(&format!(
        "SELECT pg_advisory_unlock({LOCK}); SET statement_timeout = '{STATEMENT_TIMEOUT}'"
    ))?;
    migrated
}

//! The few things that PostgreSQL says in its own way.

use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl};
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

/// Brings the tables up to date. Replicas that start together take turns.
pub(crate) fn migrate(conn: &mut Conn) -> Result<(), Error> {
    const LOCK: i64 = 0x7075_6c73_6500; // "pulse"
    diesel::sql_query(format!("SELECT pg_advisory_lock({LOCK})")).execute(conn)?;
    let migrated = conn
        .run_pending_migrations(super::MIGRATIONS)
        .map(|_| ())
        .map_err(|e| Error::Migration { reason: e.to_string() });
    conn.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"))?;
    migrated
}

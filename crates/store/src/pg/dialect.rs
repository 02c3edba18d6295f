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

/// Locks the rows read, so that two writers take turns; skips what another holds.
pub(crate) const FOR_UPDATE_SKIP_LOCKED: &str = "FOR UPDATE SKIP LOCKED";

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

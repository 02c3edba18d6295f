//! The few things that SQLite says in its own way.

use super::Conn;
use crate::Error;

/// One transaction that writes. It takes the write lock at once: a transaction that reads first
/// and writes later fails when another writer came between.
pub(crate) fn write<T>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, Error>,
) -> Result<T, Error> {
    conn.immediate_transaction(work)
}

/// There is one writer at a time, so there is nothing to lock.
pub(crate) const FOR_UPDATE_SKIP_LOCKED: &str = "";

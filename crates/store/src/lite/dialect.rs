//! The few things that SQLite says in its own way.

use diesel::{Connection, QueryResult};

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

/// One transaction that only reads, and sees one state of the tables throughout.
pub(crate) fn read<T>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, Error>,
) -> Result<T, Error> {
    conn.transaction(work)
}

/// There is one writer at a time, so there is nothing to lock.
macro_rules! locked {
    ($query:expr) => {
        $query
    };
}

/// There is one writer at a time, so nothing is ever locked by another.
macro_rules! locked_if_free {
    ($query:expr) => {
        $query
    };
}

pub(crate) use {locked, locked_if_free};

/// With its log written ahead, SQLite leaves the disk its time anyway.
pub(crate) fn relax_commit(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// SQLite plans well without, since our joins go along primary keys.
pub(crate) fn refresh_statistics(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

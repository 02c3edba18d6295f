//! Many rows at once: one statement with many rows of values.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

use super::Conn;
use crate::fact_table::{Existing, FactRow, Owner};
use crate::types::{Id, Uid};

/// Rows in one statement. A few sizes only, so that each text is prepared once and then found again:
/// preparing costs more than running, and larger statements bring nothing.
const ROWS_AT_ONCE: [usize; 3] = [100, 10, 1];

/// Keeps `rows`, which are sorted and hold no key twice. Returns how many were written.
pub(crate) fn put<R: FactRow>(
    conn: &mut Conn,
    owner: Owner,
    rows: &[R],
    existing: Existing,
) -> QueryResult<usize> {
    let (insert, on_conflict) = (R::TABLE.insert(), R::TABLE.on_conflict(existing));
    let mut written = 0;
    let mut rest = rows;
    for at_once in ROWS_AT_ONCE {
        let mut chunks = rest.chunks_exact(at_once);
        for rows in &mut chunks {
            let put = Put { owner, insert: &insert, rows, on_conflict: &on_conflict };
            written += put.execute(conn)?;
        }
        rest = chunks.remainder();
    }
    Ok(written)
}

/// Keeps `rows` in place of what is there. Returns how many were written, and the last part of the keys of
/// those that are known to be new: of none, since to look costs SQLite no less than to write over.
pub(crate) fn put_and_tell_new<R: FactRow>(
    conn: &mut Conn,
    owner: Owner,
    rows: &[R],
) -> QueryResult<(usize, HashSet<i64>)> {
    Ok((put(conn, owner, rows, Existing::Replaced)?, HashSet::new()))
}

struct Put<'r, R> {
    owner: Owner,
    insert: &'r str,
    rows: &'r [R],
    on_conflict: &'r str,
}

impl<R: FactRow> QueryFragment<Sqlite> for Put<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(self.insert);
        out.push_bind_param::<Uid, Id>(&self.owner.client)?;
        out.push_sql(", ");
        out.push_bind_param::<Uid, Id>(&self.owner.integration)?;
        out.push_sql(", source.* FROM (VALUES ");
        let mut open = "(";
        for row in self.rows {
            out.push_sql(open);
            row.bind_lite(&mut out)?;
            open = "), (";
        }
        // Without a condition, SQLite takes ON for the start of a join.
        out.push_sql(")) AS source WHERE true");
        out.push_sql(self.on_conflict);
        Ok(())
    }
}

impl<R> QueryId for Put<'_, R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<R> RunQueryDsl<Conn> for Put<'_, R> {}

//! Many rows at once: one statement with many rows of values.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

use super::Conn;
use crate::fact_table::{Existing, FactRow, Owner};
use crate::types::{Id, Uid};

/// Rows in one statement; more bring nothing.
const ROWS_AT_ONCE: usize = 1_000;

/// SQLite takes 32,766 binds in one statement, of which two are the owner.
const BINDS_AT_ONCE: usize = 32_764;

/// Keeps `rows`, which are sorted and hold no key twice. Returns how many were written.
pub(crate) fn put<R: FactRow>(
    conn: &mut Conn,
    owner: Owner,
    rows: &[R],
    existing: Existing,
) -> QueryResult<usize> {
    let at_once = ROWS_AT_ONCE.min(BINDS_AT_ONCE / R::TABLE.width());
    let mut written = 0;
    for some in rows.chunks(at_once) {
        let put = Put {
            owner,
            insert: R::TABLE.insert(),
            rows: some,
            on_conflict: R::TABLE.on_conflict(existing),
        };
        written += put.execute(conn)?;
    }
    Ok(written)
}

struct Put<'r, R> {
    owner: Owner,
    insert: String,
    rows: &'r [R],
    on_conflict: String,
}

impl<R: FactRow> QueryFragment<Sqlite> for Put<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        // The text changes with the number of rows.
        out.unsafe_to_cache_prepared();
        out.push_sql(&self.insert);
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
        out.push_sql(&self.on_conflict);
        Ok(())
    }
}

impl<R> QueryId for Put<'_, R> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<R> RunQueryDsl<Conn> for Put<'_, R> {}

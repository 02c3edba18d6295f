//! Many rows at once: one array per column for a page, a binary copy for more.

use std::collections::HashSet;

use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool};

use super::Conn;
use crate::fact_table::{Existing, FactRow, FactTable, Owner, PgColumn};
use crate::types::{Id, Uid};

/// From this many rows on, a copy into a temporary table is worth its two extra statements.
const WORTH_A_COPY: usize = 2_000;

/// Keeps `rows`, which are sorted and hold no key twice. Returns how many were written.
pub(crate) fn put<R: FactRow>(
    conn: &mut Conn,
    owner: Owner,
    rows: &[R],
    existing: Existing,
) -> QueryResult<usize> {
    match rows.len() {
        0 => Ok(0),
        WORTH_A_COPY.. => put_by_copy(conn, owner, rows, existing),
        _ => Put::new(owner, rows, existing).execute(conn),
    }
}

/// Keeps `rows` in place of what is there. Returns how many were written, and the last part of the keys of
/// those that are known not to have been there before: of none where a copy is worth it.
pub(crate) fn put_and_tell_new<R: FactRow>(
    conn: &mut Conn,
    owner: Owner,
    rows: &[R],
) -> QueryResult<(usize, HashSet<i64>)> {
    if rows.is_empty() || rows.len() >= WORTH_A_COPY {
        return Ok((put(conn, owner, rows, Existing::Replaced)?, HashSet::new()));
    }
    let put = PutAndTell(Put::new(owner, rows, Existing::Replaced), R::TABLE.last_of_key());
    let written: Vec<(i64, bool)> = put.load(conn)?;
    let new = written.iter().filter(|(_, is_new)| *is_new).map(|(key, _)| *key).collect();
    Ok((written.len(), new))
}

fn put_by_copy<R: FactRow>(
    conn: &mut Conn,
    owner: Owner,
    rows: &[R],
    existing: Existing,
) -> QueryResult<usize> {
    let FactTable { name, stage, .. } = R::TABLE;
    let columns = R::TABLE.columns();
    conn.batch_execute(&format!(
        "CREATE TEMPORARY TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS \
         AS SELECT {columns} FROM {name} WITH NO DATA; TRUNCATE {stage}"
    ))?;
    R::copy_to_stage(conn, rows)?;
    let (insert, on_conflict) = (R::TABLE.insert(), R::TABLE.on_conflict(existing));
    sql_query(format!("{insert}$1, $2, source.* FROM {stage} AS source{on_conflict}"))
        .bind::<Uid, _>(owner.client)
        .bind::<Uid, _>(owner.integration)
        .execute(conn)
}

/// The statement, whose text is the same for every page: PostgreSQL parses it once per connection.
struct Put<'r> {
    owner: Owner,
    insert: String,
    columns: Vec<PgColumn<'r>>,
    on_conflict: String,
}

impl<'r> Put<'r> {
    fn new<R: FactRow>(owner: Owner, rows: &'r [R], existing: Existing) -> Put<'r> {
        let (insert, on_conflict) = (R::TABLE.insert(), R::TABLE.on_conflict(existing));
        Put { owner, insert, columns: R::pg_columns(rows), on_conflict }
    }
}

impl QueryFragment<Pg> for Put<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(&self.insert);
        out.push_bind_param::<Uid, Id>(&self.owner.client)?;
        out.push_sql(", ");
        out.push_bind_param::<Uid, Id>(&self.owner.integration)?;
        out.push_sql(", source.* FROM unnest(");
        let mut comma = "";
        for PgColumn { array, of } in &self.columns {
            out.push_sql(comma);
            array.walk_ast(out.reborrow())?;
            out.push_sql("::");
            out.push_sql(of);
            out.push_sql("[]");
            comma = ", ";
        }
        out.push_sql(") AS source");
        out.push_sql(&self.on_conflict);
        Ok(())
    }
}

impl QueryId for Put<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<Conn> for Put<'_> {}

/// The same, which answers the last part of each key and whether the row is new.
struct PutAndTell<'r>(Put<'r>, &'static str);

impl QueryFragment<Pg> for PutAndTell<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        // A row that was there carries the mark of who has just replaced it.
        out.push_sql(" RETURNING ");
        out.push_sql(self.1);
        out.push_sql(", xmax = 0");
        Ok(())
    }
}

impl QueryId for PutAndTell<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for PutAndTell<'_> {
    type SqlType = (BigInt, Bool);
}

impl RunQueryDsl<Conn> for PutAndTell<'_> {}

//! Many rows at once: one array per column for a page, a binary copy for more.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;

use super::Conn;
use crate::fact_table::{Existing, FactRow, FactTable, Owner};
use crate::types::Uid;

/// From this many rows on, a copy into a temporary table is worth its two extra statements.
const WORTH_A_COPY: usize = 2_000;

/// Rows in one statement with an array per column.
const ROWS_AT_ONCE: usize = 1_000;

/// Keeps `rows`, which are sorted and hold no key twice. Returns how many were written.
pub(crate) fn put<R: FactRow>(
    conn: &mut Conn,
    owner: Owner,
    rows: &[R],
    existing: Existing,
) -> QueryResult<usize> {
    if rows.len() >= WORTH_A_COPY {
        return put_by_copy(conn, owner, rows, existing);
    }
    let mut written = 0;
    for some in rows.chunks(ROWS_AT_ONCE) {
        let query = statement(&R::TABLE, &unnest(&R::TABLE), existing);
        let query = sql_query(query)
            .into_boxed()
            .bind::<Uid, _>(owner.client)
            .bind::<Uid, _>(owner.integration);
        written += R::bind_pg(some, query).execute(conn)?;
    }
    Ok(written)
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
    sql_query(statement(&R::TABLE, stage, existing))
        .bind::<Uid, _>(owner.client)
        .bind::<Uid, _>(owner.integration)
        .execute(conn)
}

fn statement(table: &FactTable, source: &str, existing: Existing) -> String {
    format!(
        "{}$1, $2, source.* FROM {source} AS source{}",
        table.insert(),
        table.on_conflict(existing)
    )
}

/// The source of rows: an array per column, behind the two binds of the owner.
fn unnest(table: &FactTable) -> String {
    let arrays: Vec<String> =
        table.pg_types.iter().zip(3..).map(|(of, n)| format!("${n}::{of}[]")).collect();
    format!("unnest({})", arrays.join(", "))
}

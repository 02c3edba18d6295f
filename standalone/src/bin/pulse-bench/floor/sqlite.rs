//! SQLite: many rows per statement, as the store's own connections are set up.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text};
use diesel::sqlite::Sqlite;

use super::rows::{Batch, Table, Value};
use super::sink::{Owner, Writer};

/// Rows in a statement; its text repeats, so SQLite reads it once.
const ROWS_AT_ONCE: usize = 100;

/// The only connection that writes.
pub struct Lite {
    conn: SqliteConnection,
    /// Client and integration, as literals.
    owner: String,
}

impl Lite {
    /// Opens the file and inserts the rows that every other row refers to.
    pub fn open(path: &str, owner: Owner) -> anyhow::Result<Lite> {
        let mut conn = SqliteConnection::establish(path)?;
        let (client, integration) = (owner.client.simple(), owner.integration.simple());
        conn.batch_execute(&format!(
            "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
             PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; \
             INSERT INTO clients VALUES (x'{client}', 'floor', 'floor', 0); \
             INSERT INTO integrations VALUES (x'{client}', x'{integration}', 'jira', 'floor', '', \
             NULL, '', '[]', true, 'unknown', NULL, NULL, 1, 0, 0)"
        ))?;
        Ok(Lite { conn, owner: format!("x'{client}', x'{integration}'") })
    }
}

impl Writer for Lite {
    fn write(&mut self, batch: &Batch) -> anyhow::Result<()> {
        let owner = &self.owner;
        self.conn.immediate_transaction(|conn| {
            for (table, values) in batch.filled() {
                for rows in values.chunks(ROWS_AT_ONCE * table.columns.len()) {
                    Insert { table, owner, rows }.execute(conn)?;
                }
            }
            Ok(())
        })
    }
}

struct Insert<'r> {
    table: &'static Table,
    owner: &'r str,
    rows: &'r [Value],
}

impl QueryFragment<Sqlite> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let Table { name, columns, .. } = self.table;
        if self.rows.len() < ROWS_AT_ONCE * columns.len() {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql("INSERT INTO ");
        out.push_sql(name);
        out.push_sql(" (client_id, integration_id");
        for column in *columns {
            out.push_sql(", ");
            out.push_sql(column);
        }
        let mut open = ") VALUES (";
        for row in self.rows.chunks_exact(columns.len()) {
            out.push_sql(open);
            out.push_sql(self.owner);
            for value in row {
                out.push_sql(", ");
                bind(&mut out, value)?;
            }
            open = "), (";
        }
        out.push_sql(")");
        Ok(())
    }
}

fn bind<'b>(out: &mut AstPass<'_, 'b, Sqlite>, value: &'b Value) -> QueryResult<()> {
    match value {
        Value::Null => out.push_bind_param::<Nullable<Text>, _>(&None::<String>),
        Value::Flag(flag) => out.push_bind_param::<Bool, _>(flag),
        Value::Number(number) | Value::At(number) => out.push_bind_param::<BigInt, _>(number),
        Value::Float(number) => out.push_bind_param::<Double, _>(number),
        Value::Text(text) => out.push_bind_param::<Text, _>(text),
    }
}

impl QueryId for Insert<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<SqliteConnection> for Insert<'_> {}

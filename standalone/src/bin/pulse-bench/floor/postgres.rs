//! PostgreSQL: COPY straight into the tables.

use std::collections::HashSet;
use std::io::Write;

use diesel::connection::SimpleConnection;
use diesel::pg::CopyFormat;
use diesel::prelude::*;
use diesel::{PgConnection, sql_query};

use super::rows::{Batch, Table, Value, utc};
use super::sink::{Owner, Writer};

/// Tables that rows of other tables refer to. Without statistics PostgreSQL may check a reference by
/// an index that leads it through every row of a client, and keep doing so.
const REFERRED_TO: [&str; 3] = ["issues", "pull_requests", "commits"];

/// A connection that copies.
pub struct Pg {
    conn: PgConnection,
    owner: Owner,
    csv: Vec<u8>,
    /// Tables of which PostgreSQL has statistics.
    analyzed: HashSet<&'static str>,
}

/// Inserts the rows that every other row refers to.
pub fn register(url: &str, owner: Owner) -> anyhow::Result<()> {
    let Owner { client, integration } = owner;
    let mut conn = PgConnection::establish(url)?;
    sql_query(format!("INSERT INTO clients VALUES ('{client}', 'floor', 'floor', now())"))
        .execute(&mut conn)?;
    sql_query(format!(
        "INSERT INTO integrations VALUES ('{client}', '{integration}', 'jira', 'floor', '', NULL, \
         '', '[]', true, 'unknown', NULL, NULL, 1, now(), now())"
    ))
    .execute(&mut conn)?;
    Ok(())
}

impl Pg {
    pub fn open(url: &str, owner: Owner) -> anyhow::Result<Pg> {
        let conn = PgConnection::establish(url)?;
        Ok(Pg { conn, owner, csv: Vec::new(), analyzed: HashSet::new() })
    }
}

impl Writer for Pg {
    fn write(&mut self, batch: &Batch) -> anyhow::Result<()> {
        let Pg { conn, owner, csv, analyzed } = self;
        conn.transaction(|conn| {
            for (table, values) in batch.filled() {
                csv.clear();
                write_csv(csv, table, *owner, values)?;
                (table.copy)(conn, csv)?;
            }
            anyhow::Ok(())
        })?;
        for (Table { name, .. }, _) in batch.filled() {
            if REFERRED_TO.contains(name) && analyzed.insert(name) {
                conn.batch_execute(&format!("ANALYZE {name}"))?;
            }
        }
        Ok(())
    }
}

/// Copies CSV into a table.
pub fn copy<T>(conn: &mut PgConnection, table: T, csv: &[u8]) -> QueryResult<usize>
where
    T: diesel::Table + diesel::pg::CopyTarget<Table = T> + Copy,
{
    let send = |out: &mut dyn Write| {
        out.write_all(csv).map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))
    };
    diesel::copy_from(table).from_raw_data(table, send).with_format(CopyFormat::Csv).execute(conn)
}

fn write_csv(
    out: &mut Vec<u8>,
    table: &Table,
    owner: Owner,
    values: &[Value],
) -> std::io::Result<()> {
    let owner = format!("{},{}", owner.client, owner.integration);
    for row in values.chunks_exact(table.columns.len()) {
        out.extend_from_slice(owner.as_bytes());
        for value in row {
            out.push(b',');
            write_value(out, value)?;
        }
        out.push(b'\n');
    }
    Ok(())
}

/// Nothing is null; an empty text is quoted.
fn write_value(out: &mut Vec<u8>, value: &Value) -> std::io::Result<()> {
    match value {
        Value::Null => Ok(()),
        Value::Flag(flag) => write!(out, "{flag}"),
        Value::Number(number) => write!(out, "{number}"),
        Value::Float(number) => write!(out, "{number}"),
        Value::At(micros) => write!(out, "{:?}", utc(*micros)),
        Value::Text(text) => {
            out.push(b'"');
            for byte in text.bytes().filter(|byte| *byte != 0) {
                if byte == b'"' {
                    out.push(b'"');
                }
                out.push(byte);
            }
            out.push(b'"');
            Ok(())
        }
    }
}

//! Queries on the quality of the data. The texts stand under `quality/`.

mod unmapped;

use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use domain::Moment;
use domain::ids::ClientId;
use domain::schedule::Schedule;

use super::super::Conn;
use crate::Error;
use crate::lists::Key;
use crate::named::numbered;
use crate::quality::{CHECKS, Check, EXAMPLES, Found, Lacking, Of, stale_before};
use crate::schema::schedules;
use crate::types::{Id, Ts, Tstz, Uid};

type Backend = <Conn as Connection>::Backend;

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    bad: i64,
    #[diesel(sql_type = BigInt)]
    all_rows: i64,
}

#[derive(QueryableByName)]
struct Example {
    #[diesel(sql_type = Text)]
    name: String,
}

pub(crate) fn found(conn: &mut Conn, client: ClientId, now: Moment) -> Result<Vec<Found>, Error> {
    super::super::dialect::read(conn, |conn| {
        let asked = Asked::about(conn, client, now)?;
        CHECKS.iter().map(|check| look(conn, check, &asked)).collect()
    })
}

/// Rows that are bad, in the order of their keys.
pub(crate) fn lacking(
    conn: &mut Conn,
    client: ClientId,
    check: &Check,
    now: Moment,
    after: &Key,
    limit: u32,
) -> Result<Vec<Lacking>, Error> {
    super::super::dialect::read(conn, |conn| {
        let asked = Asked { after: after.clone(), limit, ..Asked::about(conn, client, now)? };
        let Of::Rows(sql) = check.of else {
            let (_, bad) = unmapped::of(conn, client, check.of)?;
            let at_once = usize::try_from(limit).expect("a page is short");
            return Ok(bad.into_iter().filter(|row| row.key() > *after).take(at_once).collect());
        };
        let sql = format!(
            "SELECT integration_id, first, second, place, name, detail FROM ({sql}) AS checked \
             WHERE bad AND (integration_id, first, second, place) \
             > (:after_integration, :after_first, :after_second, :after_text) \
             ORDER BY integration_id, first, second, place LIMIT :limit"
        );
        Ok(asked.with(&sql).load(conn)?)
    })
}

fn look(conn: &mut Conn, check: &Check, asked: &Asked) -> Result<Found, Error> {
    let (all, bad, examples) = match check.of {
        Of::Rows(sql) => {
            let counted = format!(
                "SELECT count(CASE WHEN bad THEN 1 END) AS bad, count(*) AS all_rows \
                 FROM ({sql}) AS checked"
            );
            let counted: Counted = asked.with(&counted).get_result(conn)?;
            let bad = counted.bad.unsigned_abs();
            (counted.all_rows.unsigned_abs(), bad, examples(conn, sql, asked, bad)?)
        }
        of => {
            let (all, bad) = unmapped::of(conn, asked.client, of)?;
            let mut names: Vec<String> = bad.iter().map(|row| row.name.clone()).collect();
            names.sort_unstable();
            names.dedup();
            names.truncate(EXAMPLES);
            (all, bad.len() as u64, names)
        }
    };
    Ok(Found { name: check.name, bad, all, examples })
}

/// Where nothing is bad, nothing is read again.
fn examples(conn: &mut Conn, sql: &str, asked: &Asked, bad: u64) -> QueryResult<Vec<String>> {
    if bad == 0 {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT DISTINCT name FROM ({sql}) AS checked WHERE bad ORDER BY name LIMIT {EXAMPLES}"
    );
    let examples: Vec<Example> = asked.with(&sql).load(conn)?;
    Ok(examples.into_iter().map(|example| example.name).collect())
}

/// What the texts ask for.
struct Asked {
    client: ClientId,
    stale_before: Moment,
    after: Key,
    limit: u32,
}

impl Asked {
    fn about(conn: &mut Conn, client: ClientId, now: Moment) -> QueryResult<Asked> {
        let interval: Option<i32> = schedules::table
            .find(Id::from(client))
            .select(schedules::interval_minutes)
            .first(conn)
            .optional()?;
        let usual = i32::try_from(Schedule::default().interval_minutes).unwrap_or(i32::MAX);
        let stale_before = stale_before(now, interval.unwrap_or(usual));
        Ok(Asked { client, stale_before, after: Key::default(), limit: 0 })
    }

    fn with(&self, sql: &str) -> BoxedSqlQuery<'_, Backend, SqlQuery> {
        let (text, names) = numbered(sql);
        let [first, second, _] = self.after.numbers;
        let mut query = sql_query(text).into_boxed();
        for name in names {
            query = match name {
                "client" => query.bind::<Uid, _>(Id::from(self.client)),
                "stale_before" => query.bind::<Tstz, _>(Ts(self.stale_before)),
                "after_integration" => query.bind::<Uid, _>(Id::from(self.after.integration)),
                "after_first" => query.bind::<BigInt, _>(first),
                "after_second" => query.bind::<BigInt, _>(second),
                "after_text" => query.bind::<Text, _>(&self.after.text),
                "limit" => query.bind::<BigInt, _>(i64::from(self.limit)),
                unknown => unreachable!("no check asks for :{unknown}"),
            };
        }
        query
    }
}

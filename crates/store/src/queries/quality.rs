//! Queries on the quality of the data. The texts stand under `quality/`.

use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use domain::Moment;
use domain::schedule::Schedule;

use super::super::Conn;
use crate::Error;
use crate::named::numbered;
use crate::quality::{CHECKS, Check, EXAMPLES, Found, stale_before};
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

pub(crate) fn found(conn: &mut Conn, client: Id, now: Moment) -> Result<Vec<Found>, Error> {
    super::super::dialect::read(conn, |conn| {
        let interval: Option<i32> = schedules::table
            .find(client)
            .select(schedules::interval_minutes)
            .first(conn)
            .optional()?;
        let usual = i32::try_from(Schedule::default().interval_minutes).unwrap_or(i32::MAX);
        let stale_before = Ts(stale_before(now, interval.unwrap_or(usual)));
        let look = |check: &Check| look(conn, check, client, stale_before);
        Ok(CHECKS.iter().map(look).collect::<QueryResult<_>>()?)
    })
}

fn look(conn: &mut Conn, check: &Check, client: Id, stale_before: Ts) -> QueryResult<Found> {
    let counted = format!(
        "SELECT count(CASE WHEN bad THEN 1 END) AS bad, count(*) AS all_rows FROM ({}) AS checked",
        check.sql
    );
    let counted: Counted = asked(&counted, client, stale_before).get_result(conn)?;
    let examples = format!(
        "SELECT DISTINCT name FROM ({}) AS checked WHERE bad ORDER BY name LIMIT {EXAMPLES}",
        check.sql
    );
    let examples: Vec<Example> = asked(&examples, client, stale_before).load(conn)?;
    Ok(Found {
        name: check.name,
        bad: counted.bad.unsigned_abs(),
        all: counted.all_rows.unsigned_abs(),
        examples: examples.into_iter().map(|example| example.name).collect(),
    })
}

fn asked(sql: &str, client: Id, stale_before: Ts) -> BoxedSqlQuery<'static, Backend, SqlQuery> {
    let (text, names) = numbered(sql);
    let mut query = sql_query(text).into_boxed();
    for name in names {
        query = match name {
            "client" => query.bind::<Uid, _>(client),
            "stale_before" => query.bind::<Tstz, _>(stale_before),
            unknown => unreachable!("no check asks for :{unknown}"),
        };
    }
    query
}

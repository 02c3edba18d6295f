//! Queries on what was reported on days of the past.

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::super::Conn;
use crate::reported::Reported;
use crate::schema::reported;
use crate::types::{Id, Ts};

/// Days that are kept: two years and a month.
const KEPT_DAYS: i32 = 2 * 366 + 31;

pub(crate) fn keep(
    conn: &mut Conn,
    client: Id,
    day: i32,
    told_at: Ts,
    answers: &[(&'static str, Vec<u8>)],
) -> QueryResult<()> {
    for (report, answer) in answers {
        diesel::insert_into(reported::table)
            .values((
                reported::client_id.eq(client),
                reported::report.eq(report),
                reported::day.eq(day),
                reported::told_at.eq(told_at),
                reported::answer.eq(answer),
            ))
            .on_conflict((reported::client_id, reported::report, reported::day))
            .do_update()
            .set((
                reported::told_at.eq(excluded(reported::told_at)),
                reported::answer.eq(excluded(reported::answer)),
            ))
            .execute(conn)?;
    }
    let old = reported::table
        .filter(reported::client_id.eq(client))
        .filter(reported::day.lt(day - KEPT_DAYS));
    diesel::delete(old).execute(conn)?;
    Ok(())
}

pub(crate) fn last(
    conn: &mut Conn,
    client: Id,
    report: &str,
    day: i32,
) -> QueryResult<Option<Reported>> {
    let found: Option<(i32, Ts, Vec<u8>)> = reported::table
        .filter(reported::client_id.eq(client))
        .filter(reported::report.eq(report))
        .filter(reported::day.le(day))
        .order(reported::day.desc())
        .select((reported::day, reported::told_at, reported::answer))
        .first(conn)
        .optional()?;
    Ok(found.map(|(day, told_at, answer)| Reported { day, told_at: told_at.0, answer }))
}

pub(crate) fn first_day(conn: &mut Conn, client: Id, report: &str) -> QueryResult<Option<i32>> {
    reported::table
        .filter(reported::client_id.eq(client))
        .filter(reported::report.eq(report))
        .order(reported::day)
        .select(reported::day)
        .first(conn)
        .optional()
}

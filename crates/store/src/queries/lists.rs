//! Queries of the data lists. The texts stand beside the rows that they fill, under `lists/`.

use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use domain::ids::ClientId;

use super::super::Conn;
use super::rules::bots_within;
use crate::Error;
use crate::lists::{Filter, Key, Listed};
use crate::named::numbered;
use crate::types::{Id, Ts, Tstz, Uid};

type Backend = <Conn as Connection>::Backend;

pub(crate) fn rows<T>(
    conn: &mut Conn,
    client: ClientId,
    filter: &Filter,
    after: &Key,
    limit: u32,
) -> Result<Vec<T>, Error>
where
    T: Listed + QueryableByName<Backend> + 'static,
{
    let (text, names) = numbered(T::SQL);
    let mut query = sql_query(text).into_boxed();
    for name in names {
        query = bind(query, name, client, filter, after, limit);
    }
    let mut rows: Vec<T> = query.load(conn)?;
    if T::HAS_PEOPLE {
        let bots = bots_within(conn, client.into())?.rules;
        rows.iter_mut().for_each(|row| row.mark_bots(&bots));
    }
    Ok(rows)
}

fn bind<'q>(
    query: BoxedSqlQuery<'q, Backend, SqlQuery>,
    name: &str,
    client: ClientId,
    filter: &'q Filter,
    after: &'q Key,
    limit: u32,
) -> BoxedSqlQuery<'q, Backend, SqlQuery> {
    let [first, second, third] = after.numbers;
    match name {
        "client" => query.bind::<Uid, _>(Id::from(client)),
        "after_integration" => query.bind::<Uid, _>(Id::from(after.integration)),
        "after_first" => query.bind::<BigInt, _>(first),
        "after_second" => query.bind::<BigInt, _>(second),
        "after_third" => query.bind::<BigInt, _>(third),
        "after_text" => query.bind::<Text, _>(&after.text),
        "updated_since" => query.bind::<Nullable<Tstz>, _>(filter.updated_since.map(Ts)),
        "project" => query.bind::<Nullable<Text>, _>(&filter.project),
        "repository" => query.bind::<Nullable<Text>, _>(&filter.repository),
        "state" => query.bind::<Nullable<Text>, _>(&filter.state),
        "environment" => query.bind::<Nullable<Text>, _>(&filter.environment),
        "with_deleted" => query.bind::<Bool, _>(filter.with_deleted),
        "limit" => query.bind::<BigInt, _>(i64::from(limit)),
        unknown => unreachable!("no list asks for :{unknown}"),
    }
}

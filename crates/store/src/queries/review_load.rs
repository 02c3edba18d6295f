//! The query of the load of reviews.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use domain::Moment;

use super::super::{Conn, dialect};
use super::metrics::newest_snapshot;
use super::pull_requests::wanted;
use super::rules::bots_within;
use crate::Error;
use crate::focus::Focus;
use crate::named::numbered;
use crate::review_load::{ReviewLoad, Reviewer};
use crate::types::{Id, Ts, Tstz, Uid};

/// Reviews that somebody gave to one pull request.
#[derive(QueryableByName)]
struct Given {
    #[diesel(sql_type = Uid)]
    integration_id: Id,
    #[diesel(sql_type = BigInt)]
    repository_id: i64,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    full_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    author: Option<String>,
    #[diesel(sql_type = Bool)]
    author_is_bot: bool,
    #[diesel(sql_type = Bool)]
    own: bool,
    #[diesel(sql_type = BigInt)]
    reviews: i64,
}

pub(crate) fn read(
    conn: &mut Conn,
    client: Id,
    from: Moment,
    to: Moment,
    focus: &Focus,
) -> Result<ReviewLoad, Error> {
    dialect::read(conn, |conn| {
        let Some(snapshot) = newest_snapshot(conn, client)? else {
            return Ok(ReviewLoad::default());
        };
        let bots = bots_within(conn, client)?.rules;
        let is_wanted = wanted(conn, client, focus)?;
        let mut load = ReviewLoad { as_of: Some(snapshot.as_of.0), ..ReviewLoad::default() };
        let mut people: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for given in given(conn, client, from, to)? {
            let key = (given.integration_id, given.repository_id, given.number);
            if !is_wanted(&given.full_name, &key) {
                continue;
            }
            let reviews = given.reviews.unsigned_abs();
            if bots.is_bot(given.author.as_deref(), given.author_is_bot) {
                load.by_bots += reviews;
            } else if given.own {
                load.own += reviews;
            } else if let Some(login) = given.author {
                let (all, pull_requests) = people.entry(login).or_default();
                *all += reviews;
                *pull_requests += 1;
            } else {
                load.by_nobody += reviews;
            }
        }
        let people = people.into_iter();
        load.people = people
            .map(|(login, (reviews, pull_requests))| Reviewer { login, reviews, pull_requests })
            .collect();
        load.people.sort_by_key(|one| Reverse(one.reviews));
        Ok(load)
    })
}

fn given(conn: &mut Conn, client: Id, from: Moment, to: Moment) -> QueryResult<Vec<Given>> {
    let (text, names) = numbered(include_str!("review_load.sql"));
    let mut query: BoxedSqlQuery<'_, <Conn as Connection>::Backend, SqlQuery> =
        sql_query(text).into_boxed();
    for name in names {
        query = match name {
            "client" => query.bind::<Uid, _>(client),
            "from" => query.bind::<Tstz, _>(Ts(from)),
            "to" => query.bind::<Tstz, _>(Ts(to)),
            unknown => unreachable!("the load of reviews does not ask for :{unknown}"),
        };
    }
    query.load(conn)
}

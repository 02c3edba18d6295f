//! Queries of the metrics service.

/// The commits of a repository's pull requests, joined to their numbers.
macro_rules! commits_of_pull_requests {
    ($client:expr, $integration:expr, $repository:expr) => {
        pull_request_commits::table
            .inner_join(
                commits::table.on(commits::client_id
                    .eq(pull_request_commits::client_id)
                    .and(commits::integration_id.eq(pull_request_commits::integration_id))
                    .and(commits::repository_id.eq(pull_request_commits::repository_id))
                    .and(commits::sha.eq(pull_request_commits::sha))),
            )
            .filter(pull_request_commits::client_id.eq($client))
            .filter(pull_request_commits::integration_id.eq($integration))
            .filter(pull_request_commits::repository_id.eq($repository))
    };
}

mod delivery;
mod links;
mod lives;

use std::collections::HashMap;
use std::hash::Hash;

use diesel::dsl::exists;
use diesel::prelude::*;
use domain::work::Outcome;

pub(crate) use self::delivery::*;
pub(crate) use self::links::*;
pub(crate) use self::lives::*;
use super::super::Conn;
pub(crate) use super::super::dialect::refresh_statistics;
use crate::models::metrics::SnapshotRow;
use crate::schema::{integrations, repositories, runs, schedules, snapshots};
use crate::types::Id;

/// Rows per statement, so that their binds stay below both databases' limits.
const CHUNK: usize = 500;

pub(crate) fn repositories(conn: &mut Conn, client: Id) -> QueryResult<Vec<(Id, i64, String)>> {
    let connected = integrations::table
        .filter(integrations::client_id.eq(client))
        .filter(integrations::active.eq(true))
        .select(integrations::id);
    repositories::table
        .filter(repositories::client_id.eq(client))
        .filter(repositories::active.eq(true))
        .filter(repositories::integration_id.eq_any(connected))
        .order((repositories::integration_id, repositories::external_id))
        .select((repositories::integration_id, repositories::external_id, repositories::full_name))
        .load(conn)
}

pub(crate) fn facts_are_whole(conn: &mut Conn, client: Id) -> QueryResult<bool> {
    let of_client = runs::table.filter(runs::client_id.eq(client));
    let under_way = of_client.filter(runs::outcome.is_null());
    if diesel::select(exists(under_way)).get_result(conn)? {
        return Ok(false);
    }
    let last: Option<Option<String>> = of_client
        .order((runs::finished_at.desc(), runs::id.desc()))
        .select(runs::outcome)
        .first(conn)
        .optional()?;
    Ok(last.flatten().is_none_or(|outcome| outcome == Outcome::Finished.as_str()))
}

/// What must be written so that `kept` becomes `wanted`: rows that are new or differ, and rows that
/// are gone.
pub(super) fn differences<Row: Clone + PartialEq, Key: Eq + Hash>(
    kept: &[Row],
    wanted: &[Row],
    key: impl Fn(&Row) -> Key,
) -> (Vec<Row>, Vec<Row>) {
    let mut by_key: HashMap<Key, &Row> = kept.iter().map(|row| (key(row), row)).collect();
    let changed =
        wanted.iter().filter(|row| by_key.remove(&key(row)) != Some(*row)).cloned().collect();
    (changed, by_key.into_values().cloned().collect())
}

pub(super) fn newest_snapshot(conn: &mut Conn, client: Id) -> QueryResult<Option<SnapshotRow>> {
    snapshots::table
        .filter(snapshots::client_id.eq(client))
        .order((snapshots::as_of.desc(), snapshots::id.desc()))
        .select(SnapshotRow::as_select())
        .first(conn)
        .optional()
}

pub(crate) fn timezone(conn: &mut Conn, client: Id) -> QueryResult<Option<String>> {
    schedules::table.find(client).select(schedules::timezone).first(conn).optional()
}

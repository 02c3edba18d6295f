//! Which pull request names which issue.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::upsert::excluded;
use domain::work::Fence;

use super::super::{fence, notes};
use super::{CHUNK, Conn, differences};
use crate::Error;
use crate::fact_table::Owner;
use crate::metrics::Texts;
use crate::models::metrics::LinkRow;
use crate::schema::{
    commits, issue_changes, issues, projects, pull_request_commits, pull_request_issues,
    pull_requests,
};
use crate::types::{Id, Json, Ts};

pub(crate) fn project_keys(conn: &mut Conn, client: Id) -> QueryResult<Vec<(String, Json)>> {
    projects::table
        .filter(projects::client_id.eq(client))
        .filter(projects::active.eq(true))
        .order((projects::integration_id, projects::external_id))
        .select((projects::key, projects::former_keys))
        .load(conn)
}

pub(crate) fn issues_by_key(
    conn: &mut Conn,
    client: Id,
    keys: &[String],
) -> QueryResult<Vec<(String, Id, i64)>> {
    let mut found: Vec<(String, Id, i64)> = Vec::with_capacity(keys.len());
    for some in keys.chunks(CHUNK) {
        let today: Vec<(String, Id, i64)> = issues::table
            .filter(issues::client_id.eq(client))
            .filter(issues::key.eq_any(some))
            .filter(issues::deleted.eq(false))
            .select((issues::key, issues::integration_id, issues::external_id))
            .load(conn)?;
        let unknown: Vec<&String> =
            some.iter().filter(|key| !today.iter().any(|(known, ..)| known == *key)).collect();
        found.extend(today);
        if unknown.is_empty() {
            continue;
        }
        let moved: Vec<(Option<String>, Id, i64)> = issue_changes::table
            .inner_join(
                issues::table.on(issues::client_id
                    .eq(issue_changes::client_id)
                    .and(issues::integration_id.eq(issue_changes::integration_id))
                    .and(issues::external_id.eq(issue_changes::issue_id))),
            )
            .filter(issue_changes::client_id.eq(client))
            .filter(issue_changes::field.eq("Key"))
            .filter(issue_changes::from_string.eq_any(unknown))
            .filter(issues::deleted.eq(false))
            .select((issue_changes::from_string, issues::integration_id, issues::external_id))
            .distinct()
            .load(conn)?;
        found.extend(
            moved.into_iter().filter_map(|(key, integration, id)| Some((key?, integration, id))),
        );
    }
    Ok(found)
}

pub(crate) fn texts(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> QueryResult<Vec<Texts>> {
    let heads: Vec<(i64, String, String)> = pull_requests::table
        .filter(pull_requests::client_id.eq(client))
        .filter(pull_requests::integration_id.eq(integration))
        .filter(pull_requests::repository_id.eq(repository))
        .order(pull_requests::number)
        .select((pull_requests::number, pull_requests::head_ref, pull_requests::title))
        .load(conn)?;
    let messages: Vec<(i64, String)> = commits_of_pull_requests!(client, integration, repository)
        .order((pull_request_commits::number, pull_request_commits::position))
        .select((pull_request_commits::number, commits::message))
        .load(conn)?;
    let mut by_number: HashMap<i64, Vec<String>> = HashMap::new();
    for (number, message) in messages {
        by_number.entry(number).or_default().push(message);
    }
    let text = |(number, head_ref, title)| {
        let messages = by_number.remove(&number).unwrap_or_default();
        Texts { number, head_ref, title, messages }
    };
    Ok(heads.into_iter().map(text).collect())
}

pub(crate) fn links(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> QueryResult<Vec<LinkRow>> {
    pull_request_issues::table
        .filter(pull_request_issues::client_id.eq(client))
        .filter(pull_request_issues::integration_id.eq(integration))
        .filter(pull_request_issues::repository_id.eq(repository))
        .order((pull_request_issues::number, pull_request_issues::issue_id))
        .select(LinkRow::as_select())
        .load(conn)
}

pub(crate) fn keep_links(
    conn: &mut Conn,
    fence: Fence,
    owner: Owner,
    repository: i64,
    rows: &[LinkRow],
    now: Ts,
) -> Result<usize, Error> {
    let Owner { client, integration } = owner;
    fence::prove(conn, client, fence, now)?;
    let kept = links(conn, client, integration, repository)?;
    let key = |row: &LinkRow| (row.number, row.issue_integration_id, row.issue_id);
    let (changed, gone) = differences(&kept, rows, key);
    for row in &gone {
        let (number, issue_integration, issue) = key(row);
        diesel::delete(pull_request_issues::table.find((
            client,
            integration,
            repository,
            number,
            issue_integration,
            issue,
        )))
        .execute(conn)?;
    }
    for some in changed.chunks(CHUNK) {
        diesel::insert_into(pull_request_issues::table)
            .values(some)
            .on_conflict((
                pull_request_issues::client_id,
                pull_request_issues::integration_id,
                pull_request_issues::repository_id,
                pull_request_issues::number,
                pull_request_issues::issue_integration_id,
                pull_request_issues::issue_id,
            ))
            .do_update()
            .set((
                pull_request_issues::via.eq(excluded(pull_request_issues::via)),
                pull_request_issues::key_seen.eq(excluded(pull_request_issues::key_seen)),
            ))
            .execute(conn)?;
    }
    let written = changed.len() + gone.len();
    if written > 0 {
        notes::repository(conn, owner, repository)?;
    }
    Ok(written)
}

//! What Jira says.

use std::collections::BTreeSet;

use diesel::prelude::*;
use domain::work::Slice;

use super::super::notes;
use super::{Conn, Existing, Owner, put, put_and_tell_new};
use crate::facts::Batch;
use crate::models::facts::ProjectRow;
use crate::schema::{issues, projects};
use crate::types::Ts;

/// Ids in one statement.
const IDS_AT_ONCE: usize = 10_000;

pub(crate) fn keep(conn: &mut Conn, owner: Owner, batch: &Batch) -> QueryResult<usize> {
    let mut written = 0;
    written += put(conn, owner, &batch.projects, Existing::Replaced)?;
    if batch.projects_are_all {
        written += close_other_projects(conn, owner, &batch.projects)?;
    }
    written += put(conn, owner, &batch.issue_types, Existing::Replaced)?;
    written += put(conn, owner, &batch.statuses, Existing::Replaced)?;
    written += put(conn, owner, &batch.sprints, Existing::Replaced)?;
    // The lists know names better than an issue that was read a while ago.
    written += put(conn, owner, &batch.types_of_issues, Existing::Untouched)?;
    written += put(conn, owner, &batch.statuses_of_issues, Existing::Untouched)?;
    Ok(written + keep_issues(conn, owner, batch)?)
}

fn keep_issues(conn: &mut Conn, owner: Owner, batch: &Batch) -> QueryResult<usize> {
    let (mut written, new) = put_and_tell_new(conn, owner, &batch.issues)?;
    let are_new = batch.changes.iter().all(|change| new.contains(&change.issue_id));
    written += put(conn, owner, &batch.changes, Existing::of_children(are_new))?;
    written += complete_changelogs(conn, owner, &batch.completed_changelogs)?;
    written += delete_issues(conn, owner, &batch.deleted_issues)?;
    if written > 0 {
        notes::issues(conn, owner, named(batch))?;
    }
    Ok(written)
}

/// Every issue that a page says something of.
fn named(batch: &Batch) -> BTreeSet<i64> {
    let whole = batch.issues.iter().map(|issue| issue.external_id);
    let changed = batch.changes.iter().map(|change| change.issue_id);
    let by_id = batch.completed_changelogs.iter().chain(&batch.deleted_issues).copied();
    whole.chain(changed).chain(by_id).collect()
}

fn close_other_projects(conn: &mut Conn, owner: Owner, named: &[ProjectRow]) -> QueryResult<usize> {
    let named: Vec<i64> = named.iter().map(|project| project.external_id).collect();
    let others = projects::table
        .filter(projects::client_id.eq(owner.client))
        .filter(projects::integration_id.eq(owner.integration))
        .filter(projects::active)
        .filter(projects::external_id.ne_all(named));
    diesel::update(others).set(projects::active.eq(false)).execute(conn)
}

fn complete_changelogs(conn: &mut Conn, owner: Owner, ids: &[i64]) -> QueryResult<usize> {
    let mut written = 0;
    for ids in ids.chunks(IDS_AT_ONCE) {
        let truncated = issues::table
            .filter(issues::client_id.eq(owner.client))
            .filter(issues::integration_id.eq(owner.integration))
            .filter(issues::external_id.eq_any(ids))
            .filter(diesel::dsl::not(issues::changelog_complete));
        written +=
            diesel::update(truncated).set(issues::changelog_complete.eq(true)).execute(conn)?;
    }
    Ok(written)
}

fn delete_issues(conn: &mut Conn, owner: Owner, ids: &[i64]) -> QueryResult<usize> {
    let mut written = 0;
    for ids in ids.chunks(IDS_AT_ONCE) {
        let live = issues::table
            .filter(issues::client_id.eq(owner.client))
            .filter(issues::integration_id.eq(owner.integration))
            .filter(issues::external_id.eq_any(ids))
            .filter(diesel::dsl::not(issues::deleted));
        written += diesel::update(live).set(issues::deleted.eq(true)).execute(conn)?;
    }
    Ok(written)
}

pub(crate) fn projects(conn: &mut Conn, owner: Owner) -> QueryResult<Vec<ProjectRow>> {
    projects::table
        .filter(projects::client_id.eq(owner.client))
        .filter(projects::integration_id.eq(owner.integration))
        .filter(projects::active)
        .order(projects::external_id)
        .select((
            projects::external_id,
            projects::key,
            projects::name,
            projects::kind,
            projects::former_keys,
            projects::active,
        ))
        .load(conn)
}

pub(crate) fn truncated_changelogs(
    conn: &mut Conn,
    owner: Owner,
    project_id: i64,
    slice: Slice,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    let mut truncated = issues::table
        .filter(issues::client_id.eq(owner.client))
        .filter(issues::integration_id.eq(owner.integration))
        .filter(issues::project_id.eq(project_id))
        .filter(issues::external_id.gt(after))
        .filter(diesel::dsl::not(issues::changelog_complete))
        .filter(diesel::dsl::not(issues::deleted))
        .into_boxed();
    if let Some(from) = slice.created_from {
        truncated = truncated.filter(issues::created_at.ge(Ts(from)));
    }
    if let Some(to) = slice.created_to {
        truncated = truncated.filter(issues::created_at.lt(Ts(to)));
    }
    truncated.order(issues::external_id).limit(limit).select(issues::external_id).load(conn)
}

pub(crate) fn live_issue_ids(
    conn: &mut Conn,
    owner: Owner,
    project_id: i64,
) -> QueryResult<Vec<i64>> {
    issues::table
        .filter(issues::client_id.eq(owner.client))
        .filter(issues::integration_id.eq(owner.integration))
        .filter(issues::project_id.eq(project_id))
        .filter(diesel::dsl::not(issues::deleted))
        .order(issues::external_id)
        .select(issues::external_id)
        .load(conn)
}

pub(crate) fn has_live_issues(conn: &mut Conn, owner: Owner, project_id: i64) -> QueryResult<bool> {
    let live = issues::table
        .filter(issues::client_id.eq(owner.client))
        .filter(issues::integration_id.eq(owner.integration))
        .filter(issues::project_id.eq(project_id))
        .filter(diesel::dsl::not(issues::deleted));
    diesel::select(diesel::dsl::exists(live)).get_result(conn)
}

//! Queries on what is known of a delivery already.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::define_sql_function;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text};
use domain::ids::IntegrationId;
use domain::pull_request::reverted_title;

use super::super::Conn;
use super::super::bulk::put;
use crate::Error;
use crate::delivery::{IssueRef, Shipped, Touching};
use crate::dora::Place;
use crate::fact_table::{Existing, Owner, last_of_each};
use crate::metrics::DeploymentFact;
use crate::models::facts::ChangedRepositoryRow;
use crate::models::metrics::DeploymentFactRow;
use crate::schema::{
    changed_repositories, deployment_facts as facts, pull_request_facts, pull_request_issues,
    pull_requests,
};
use crate::types::{Id, Ts};

/// Issues or titles that are looked up in one go.
const AT_ONCE: usize = 500;

/// What was taken before, by somebody who did not publish, is taken with it.
pub(crate) fn take_changed(conn: &mut Conn, client: Id) -> QueryResult<Vec<Place>> {
    let noted = changed_repositories::table.filter(changed_repositories::client_id.eq(client));
    let fresh: Vec<(Id, i64)> = diesel::delete(noted.filter(changed_repositories::taken.eq(false)))
        .returning((changed_repositories::integration_id, changed_repositories::repository_id))
        .load(conn)?;
    let fresh: Vec<Place> = fresh.into_iter().map(|(hub, id)| (hub.into(), id)).collect();
    for (integration, ids) in by_connection(&fresh) {
        let owner = Owner { client, integration: integration.into() };
        let taken = |repository_id| ChangedRepositoryRow { repository_id, taken: true };
        let rows = last_of_each(ids.into_iter().map(taken).collect());
        put(conn, owner, &rows, Existing::Untouched)?;
    }
    let all: Vec<(Id, i64)> = noted
        .filter(changed_repositories::taken.eq(true))
        .select((changed_repositories::integration_id, changed_repositories::repository_id))
        .load(conn)?;
    Ok(all.into_iter().map(|(integration, id)| (integration.into(), id)).collect())
}

/// For whoever publishes what the notes were about.
pub(super) fn forget_taken(conn: &mut Conn, client: Id) -> QueryResult<()> {
    let taken = changed_repositories::table
        .filter(changed_repositories::client_id.eq(client))
        .filter(changed_repositories::taken.eq(true));
    diesel::delete(taken).execute(conn)?;
    Ok(())
}

pub(crate) fn deployment_facts(conn: &mut Conn, client: Id) -> Result<Vec<DeploymentFact>, Error> {
    let rows: Vec<DeploymentFactRow> = facts::table
        .filter(facts::client_id.eq(client))
        .select(DeploymentFactRow::as_select())
        .load(conn)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

define_sql_function! {
    /// From the `from`-th character on.
    fn substr(text: Nullable<Text>, from: Integer, count: Integer) -> Nullable<Text>;
}

/// Pull requests beside what was made of them.
macro_rules! shipped_of {
    ($client:expr) => {
        pull_requests::table
            .inner_join(
                pull_request_facts::table.on(pull_request_facts::client_id
                    .eq(pull_requests::client_id)
                    .and(pull_request_facts::integration_id.eq(pull_requests::integration_id))
                    .and(pull_request_facts::repository_id.eq(pull_requests::repository_id))
                    .and(pull_request_facts::number.eq(pull_requests::number))),
            )
            .filter(pull_requests::client_id.eq($client))
            .filter(pull_request_facts::deployment_id.is_not_null())
            .select((
                pull_requests::integration_id,
                pull_requests::repository_id,
                pull_requests::number,
                pull_requests::merge_commit_sha,
                pull_request_facts::deployment_id,
            ))
    };
}

pub(crate) fn shipped(
    conn: &mut Conn,
    client: Id,
    numbers: &[(Place, i64)],
    shas: &[String],
) -> QueryResult<Vec<Shipped>> {
    type ShippedColumns = (Id, i64, i64, Option<String>, Option<String>);
    let mut rows: Vec<ShippedColumns> = Vec::new();
    let mut by_place: BTreeMap<Place, Vec<i64>> = BTreeMap::new();
    for (place, number) in numbers {
        by_place.entry(*place).or_default().push(*number);
    }
    for ((integration, repository), numbers) in by_place {
        for some in numbers.chunks(AT_ONCE) {
            let found = shipped_of!(client)
                .filter(pull_requests::integration_id.eq(Id::from(integration)))
                .filter(pull_requests::repository_id.eq(repository))
                .filter(pull_requests::number.eq_any(some));
            rows.extend(found.load::<ShippedColumns>(conn)?);
        }
    }
    for some in shas.chunks(AT_ONCE) {
        let beginning = substr(pull_requests::merge_commit_sha, 1, 7);
        let found = shipped_of!(client).filter(beginning.eq_any(some));
        rows.extend(found.load::<ShippedColumns>(conn)?);
    }
    let shipped = |(integration, repository, number, merge_sha, deployment): ShippedColumns| {
        let repository = (integration.into(), repository);
        Some(Shipped { repository, number, merge_sha, deployment: deployment? })
    };
    Ok(rows.into_iter().filter_map(shipped).collect())
}

/// Ids of issues or repositories.
fn by_connection(all: &[(IntegrationId, i64)]) -> BTreeMap<IntegrationId, Vec<i64>> {
    let mut by_connection: BTreeMap<IntegrationId, Vec<i64>> = BTreeMap::new();
    for (integration, id) in all {
        by_connection.entry(*integration).or_default().push(*id);
    }
    by_connection
}

/// Pull requests beside the issues of a connection that they name.
macro_rules! naming {
    ($client:expr, $integration:expr, $ids:expr, $table:ident) => {
        pull_request_issues::table
            .inner_join(
                $table::table.on($table::client_id
                    .eq(pull_request_issues::client_id)
                    .and($table::integration_id.eq(pull_request_issues::integration_id))
                    .and($table::repository_id.eq(pull_request_issues::repository_id))
                    .and($table::number.eq(pull_request_issues::number))),
            )
            .filter(pull_request_issues::client_id.eq($client))
            .filter(pull_request_issues::issue_integration_id.eq(Id::from($integration)))
            .filter(pull_request_issues::issue_id.eq_any($ids))
    };
}

pub(crate) fn brought(
    conn: &mut Conn,
    client: Id,
    issues: &[IssueRef],
) -> QueryResult<Vec<Touching>> {
    let mut found = Vec::new();
    for (integration, ids) in by_connection(issues) {
        for some in ids.chunks(AT_ONCE) {
            let rows: Vec<(i64, Id, i64, Option<String>)> =
                naming!(client, integration, some, pull_request_facts)
                    .filter(pull_request_facts::deployment_id.is_not_null())
                    .select((
                        pull_request_issues::issue_id,
                        pull_request_facts::integration_id,
                        pull_request_facts::repository_id,
                        pull_request_facts::deployment_id,
                    ))
                    .load(conn)?;
            found.extend(rows.into_iter().filter_map(|(id, place, repository, deployment)| {
                Some(Touching {
                    issue: (integration, id),
                    repository: (place.into(), repository),
                    deployment: deployment?,
                })
            }));
        }
    }
    Ok(found)
}

/// A merged pull request that says which it took back.
struct Revert {
    issue: IssueRef,
    title: String,
    opened_at: Ts,
}

pub(crate) fn taken_back(
    conn: &mut Conn,
    client: Id,
    issues: &[IssueRef],
) -> QueryResult<Vec<Touching>> {
    let mut reverts: HashMap<(Id, i64), Vec<Revert>> = HashMap::new();
    for (integration, ids) in by_connection(issues) {
        for some in ids.chunks(AT_ONCE) {
            let rows: Vec<(i64, Id, i64, String, Ts)> =
                naming!(client, integration, some, pull_requests)
                    .filter(pull_requests::title.like("Revert%"))
                    .filter(pull_requests::merged_at.is_not_null())
                    .select((
                        pull_request_issues::issue_id,
                        pull_requests::integration_id,
                        pull_requests::repository_id,
                        pull_requests::title,
                        pull_requests::created_at,
                    ))
                    .load(conn)?;
            for (id, place, repository, title, opened_at) in rows {
                if let Some(original) = reverted_title(&title) {
                    let (issue, title) = ((integration, id), original.to_owned());
                    let revert = Revert { issue, title, opened_at };
                    reverts.entry((place, repository)).or_default().push(revert);
                }
            }
        }
    }
    let mut found = Vec::new();
    for ((place, repository), reverts) in reverts {
        let titles: BTreeSet<&str> = reverts.iter().map(|revert| &*revert.title).collect();
        let titles: Vec<&str> = titles.into_iter().collect();
        let merged = merged_by_title(conn, client, place, repository, &titles)?;
        found.extend(reverts.into_iter().filter_map(|Revert { issue, title, opened_at }| {
            let before = merged.get(&title)?.iter().rfind(|(at, _)| *at <= opened_at);
            let deployment = before?.1.clone()?;
            Some(Touching { issue, repository: (place.into(), repository), deployment })
        }));
    }
    Ok(found)
}

/// When pull requests with each of these titles were merged, in that order, and the deployment of each.
type Merged = HashMap<String, Vec<(Ts, Option<String>)>>;

fn merged_by_title(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
    titles: &[&str],
) -> QueryResult<Merged> {
    let mut merged = Merged::new();
    for some in titles.chunks(AT_ONCE) {
        let rows: Vec<(String, Option<Ts>, Option<String>)> = pull_requests::table
            .left_join(
                pull_request_facts::table.on(pull_request_facts::client_id
                    .eq(pull_requests::client_id)
                    .and(pull_request_facts::integration_id.eq(pull_requests::integration_id))
                    .and(pull_request_facts::repository_id.eq(pull_requests::repository_id))
                    .and(pull_request_facts::number.eq(pull_requests::number))),
            )
            .filter(pull_requests::client_id.eq(client))
            .filter(pull_requests::integration_id.eq(integration))
            .filter(pull_requests::repository_id.eq(repository))
            .filter(pull_requests::title.eq_any(some))
            .filter(pull_requests::merged_at.is_not_null())
            .order((pull_requests::merged_at, pull_requests::number))
            .select((
                pull_requests::title,
                pull_requests::merged_at,
                pull_request_facts::deployment_id.nullable(),
            ))
            .load(conn)?;
        for (title, merged_at, deployment) in rows {
            let of_title: &mut Vec<_> = merged.entry(title).or_default();
            of_title.extend(merged_at.map(|at| (at, deployment)));
        }
    }
    Ok(merged)
}

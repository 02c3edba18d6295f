//! Queries of the report on pull requests.

use std::collections::HashSet;

use diesel::prelude::*;
use domain::Moment;
use domain::ids::ClientId;
use domain::pull_request::PullRequestState;

use super::super::{Conn, dialect};
use super::changes::rules_are_ahead;
use super::dora::published;
use super::metrics::newest_snapshot;
use super::rules::project_rules_within;
use crate::Error;
use crate::focus::Focus;
use crate::metrics::PullRequestFact;
use crate::models::metrics::PullRequestFactRow;
use crate::pull_requests::{Inactive, PullRequestTold, PullRequestsRead, TakePullRequests};
use crate::schema::{
    integrations, issues, projects, pull_request_facts, pull_request_issues, pull_requests,
    repositories,
};
use crate::types::{Id, Ts};

/// Connection, repository and number.
type Key = (Id, i64, i64);

pub(crate) fn read(
    conn: &mut Conn,
    client: ClientId,
    from: Moment,
    to: Moment,
    focus: &Focus,
) -> Result<PullRequestsRead, Error> {
    dialect::read(conn, |conn| {
        let id = Id::from(client);
        let Some(snapshot) = newest_snapshot(conn, id)? else {
            return Ok(PullRequestsRead::default());
        };
        let is_wanted = wanted(conn, id, focus)?;
        Ok(PullRequestsRead {
            as_of: Some(snapshot.as_of.0),
            is_behind: rules_are_ahead(conn, id)?,
            merged: merged(conn, id, from, to, &is_wanted)?,
            open: open(conn, id, &is_wanted)?,
            inactive: inactive(conn, id, from, to, &is_wanted)?,
        })
    })
}

/// A repository at a time, so that no more than one of them is in memory twice.
pub(crate) fn take<T: TakePullRequests>(conn: &mut Conn, client: Id, taker: T) -> Result<T, Error> {
    dialect::read(conn, |conn| {
        let mut taker = taker;
        let Some((publication, as_of)) = published(conn, client)? else { return Ok(taker) };
        taker.begin(publication, as_of);
        for one in super::dora::repositories(conn, client)? {
            let (integration, repository) = one.place;
            let is_told =
                pull_request_facts::merged_at.is_not_null().or(pull_request_facts::is_open);
            let rows: Vec<PullRequestFactRow> = pull_request_facts::table
                .filter(pull_request_facts::client_id.eq(client))
                .filter(pull_request_facts::integration_id.eq(Id::from(integration)))
                .filter(pull_request_facts::repository_id.eq(repository))
                .filter(is_told)
                .select(PullRequestFactRow::as_select())
                .load(conn)?;
            if !taker.pull_requests(rows.into_iter().map(PullRequestFact::from).collect()) {
                break;
            }
        }
        Ok(taker)
    })
}

pub(crate) fn inactive_among(
    conn: &mut Conn,
    client: Id,
    from: Moment,
    to: Moment,
    focus: &Focus,
) -> Result<Vec<Inactive>, Error> {
    dialect::read(conn, |conn| {
        let is_wanted = wanted(conn, client, focus)?;
        Ok(inactive(conn, client, from, to, is_wanted)?)
    })
}

/// Whether the focus means a pull request: with projects in it, because of its repository, or because it
/// names an issue of one.
pub(super) fn wanted(
    conn: &mut Conn,
    client: Id,
    focus: &Focus,
) -> Result<impl Fn(&str, &Key) -> bool + use<>, Error> {
    let named = naming(conn, client, focus)?;
    let rules = project_rules_within(conn, client)?;
    let focus = focus.clone();
    Ok(move |name: &str, key: &Key| {
        let serves =
            |named: &HashSet<Key>| named.contains(key) || focus.has_project_of(name, &rules);
        focus.has_repository(name) && named.as_ref().is_none_or(serves)
    })
}

/// Those that name an issue of a project in the focus; nothing where all are meant.
fn naming(conn: &mut Conn, client: Id, focus: &Focus) -> QueryResult<Option<HashSet<Key>>> {
    if focus.projects.is_empty() {
        return Ok(None);
    }
    let all: Vec<(Id, i64, String)> = projects::table
        .filter(projects::client_id.eq(client))
        .select((projects::integration_id, projects::external_id, projects::key))
        .load(conn)?;
    let mut keys = HashSet::new();
    for (integration, project, _) in all.iter().filter(|(.., key)| focus.has_project(key)) {
        let rows: Vec<Key> = pull_request_issues::table
            .inner_join(
                issues::table.on(issues::client_id
                    .eq(pull_request_issues::client_id)
                    .and(issues::integration_id.eq(pull_request_issues::issue_integration_id))
                    .and(issues::external_id.eq(pull_request_issues::issue_id))),
            )
            .filter(issues::client_id.eq(client))
            .filter(issues::integration_id.eq(integration))
            .filter(issues::project_id.eq(project))
            .filter(issues::deleted.eq(false))
            .select((
                pull_request_issues::integration_id,
                pull_request_issues::repository_id,
                pull_request_issues::number,
            ))
            .load(conn)?;
        keys.extend(rows);
    }
    Ok(Some(keys))
}

/// Facts of pull requests that hang on active things alone, joined to the names of their repositories.
macro_rules! active_facts {
    ($client:expr) => {
        pull_request_facts::table
            .inner_join(
                repositories::table.on(repositories::client_id
                    .eq(pull_request_facts::client_id)
                    .and(repositories::integration_id.eq(pull_request_facts::integration_id))
                    .and(repositories::external_id.eq(pull_request_facts::repository_id))),
            )
            .inner_join(
                integrations::table.on(integrations::client_id
                    .eq(pull_request_facts::client_id)
                    .and(integrations::id.eq(pull_request_facts::integration_id))),
            )
            .filter(pull_request_facts::client_id.eq($client))
            .filter(repositories::active.eq(true))
            .filter(integrations::active.eq(true))
            .select((repositories::full_name, PullRequestFactRow::as_select()))
    };
}

fn merged(
    conn: &mut Conn,
    client: Id,
    from: Moment,
    to: Moment,
    is_wanted: impl Fn(&str, &Key) -> bool,
) -> QueryResult<Vec<PullRequestTold>> {
    let rows: Vec<(String, PullRequestFactRow)> = active_facts!(client)
        .filter(pull_request_facts::merged_at.ge(Ts(from)))
        .filter(pull_request_facts::merged_at.lt(Ts(to)))
        .order((pull_request_facts::merged_at, repositories::full_name, pull_request_facts::number))
        .load(conn)?;
    Ok(told(rows, is_wanted))
}

fn open(
    conn: &mut Conn,
    client: Id,
    is_wanted: impl Fn(&str, &Key) -> bool,
) -> QueryResult<Vec<PullRequestTold>> {
    let rows: Vec<(String, PullRequestFactRow)> = active_facts!(client)
        .filter(pull_request_facts::is_open)
        .order((pull_request_facts::opened_at, repositories::full_name, pull_request_facts::number))
        .load(conn)?;
    Ok(told(rows, is_wanted))
}

fn told(
    rows: Vec<(String, PullRequestFactRow)>,
    is_wanted: impl Fn(&str, &Key) -> bool,
) -> Vec<PullRequestTold> {
    rows.into_iter()
        .filter(|(name, row)| is_wanted(name, &(row.integration_id, row.repository_id, row.number)))
        .map(|(name, row)| PullRequestTold {
            name: format!("{name}#{}", row.number),
            fact: PullRequestFact::from(row),
        })
        .collect()
}

/// Nothing is made of these, so they are looked for where the source told of them: in the few
/// repositories that are not active, or whose connection is not.
fn inactive(
    conn: &mut Conn,
    client: Id,
    from: Moment,
    to: Moment,
    is_wanted: impl Fn(&str, &Key) -> bool,
) -> QueryResult<Vec<Inactive>> {
    let mut inactive = Vec::new();
    for one in super::dora::repositories(conn, client)? {
        let Some(reason) = one.inactive else { continue };
        let (integration, repository) = (Id::from(one.place.0), one.place.1);
        let is_within =
            pull_requests::merged_at.ge(Ts(from)).and(pull_requests::merged_at.lt(Ts(to)));
        let is_open = pull_requests::state.eq(PullRequestState::Open.as_str());
        let rows: Vec<(i64, Option<Ts>)> = pull_requests::table
            .filter(pull_requests::client_id.eq(client))
            .filter(pull_requests::integration_id.eq(integration))
            .filter(pull_requests::repository_id.eq(repository))
            .filter(is_within.assume_not_null().or(is_open))
            .select((pull_requests::number, pull_requests::merged_at))
            .load(conn)?;
        let wanted = rows
            .into_iter()
            .filter(|row| is_wanted(&one.full_name, &(integration, repository, row.0)));
        inactive.extend(wanted.map(|(_, at)| Inactive { merged_at: at.map(|at| at.0), reason }));
    }
    Ok(inactive)
}

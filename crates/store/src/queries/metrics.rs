//! Queries of the metrics service.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::iter;

use diesel::dsl::{count_star, exists, min};
use diesel::prelude::*;
use diesel::upsert::excluded;
use domain::Moment;
use domain::deployment::{Deployment, Shipment};
use domain::ids::ClientId;
use domain::pull_request::PullRequestState;
use domain::rules::{RepositoryRules, Source};
use domain::work::{Fence, Outcome};

use super::super::Conn;
pub(crate) use super::super::dialect::refresh_statistics;
use super::{fence, notes};
use crate::Error;
use crate::fact_table::Owner;
use crate::metrics::{
    By, CommentsBy, Delivery, DeliveryState, IncidentRead, PullRequestLife, ReviewAt, Said,
    SuspectRead, Texts,
};
use crate::models::facts::ShipmentRow;
use crate::models::metrics::{LinkRow, SnapshotRow};
use crate::schema::{
    comments, commits, delivery_states, deployments, integrations, issue_changes, issue_types,
    issues, projects, pull_request_commits, pull_request_issues, pull_requests, repositories,
    review_comments, reviews, runs, schedules, shipments, snapshots,
};
use crate::types::{Id, Json, Ts};

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

/// Rows per statement, so that their binds stay below both databases' limits.
const CHUNK: usize = 500;
/// As GitHub spells a review that asks for more.
const CHANGES_REQUESTED: &str = "CHANGES_REQUESTED";

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

type LifeColumns = (
    (i64, String, Option<String>, Ts, Option<Ts>, Option<Ts>, Option<String>, String),
    (bool, String, bool, i64, i64, i64),
);

pub(crate) fn lives(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> QueryResult<Vec<PullRequestLife>> {
    let rows: Vec<LifeColumns> = pull_requests::table
        .filter(pull_requests::client_id.eq(client))
        .filter(pull_requests::integration_id.eq(integration))
        .filter(pull_requests::repository_id.eq(repository))
        .order(pull_requests::number)
        .select((
            (
                pull_requests::number,
                pull_requests::title,
                pull_requests::author,
                pull_requests::created_at,
                pull_requests::ready_at,
                pull_requests::merged_at,
                pull_requests::merge_commit_sha,
                pull_requests::base_ref,
            ),
            (
                pull_requests::author_is_bot,
                pull_requests::state,
                pull_requests::draft,
                pull_requests::additions,
                pull_requests::deletions,
                pull_requests::changed_files,
            ),
        ))
        .load(conn)?;
    let first_commits: Vec<(i64, Option<Ts>)> =
        commits_of_pull_requests!(client, integration, repository)
            .group_by(pull_request_commits::number)
            .select((pull_request_commits::number, min(commits::authored_at)))
            .load(conn)?;
    let first_commits: HashMap<i64, Option<Ts>> = first_commits.into_iter().collect();
    let life = |(text, shape): LifeColumns| {
        let (number, title, author, created_at, ready_at, merged_at, merge_commit_sha, base_ref) =
            text;
        let (author_is_bot, state, draft, additions, deletions, files) = shape;
        PullRequestLife {
            number,
            title,
            author,
            created_at: created_at.0,
            ready_at: ready_at.map(|at| at.0),
            merged_at: merged_at.map(|at| at.0),
            merge_commit_sha,
            base_ref,
            first_commit_at: first_commits.get(&number).copied().flatten().map(|at| at.0),
            author_is_bot,
            is_open: state == PullRequestState::Open.as_str(),
            draft,
            lines: additions + deletions,
            files,
        }
    };
    Ok(rows.into_iter().map(life).collect())
}

type VerdictColumns = (i64, Option<String>, bool, Option<Ts>, String);

pub(crate) fn reviews(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> QueryResult<Vec<ReviewAt>> {
    let verdicts: Vec<VerdictColumns> = reviews::table
        .filter(reviews::client_id.eq(client))
        .filter(reviews::integration_id.eq(integration))
        .filter(reviews::repository_id.eq(repository))
        .select((
            reviews::number,
            reviews::author,
            reviews::author_is_bot,
            reviews::submitted_at,
            reviews::state,
        ))
        .load(conn)?;
    let remarks: Vec<(i64, Option<String>, bool, Ts)> = review_comments::table
        .filter(review_comments::client_id.eq(client))
        .filter(review_comments::integration_id.eq(integration))
        .filter(review_comments::repository_id.eq(repository))
        .select((
            review_comments::number,
            review_comments::author,
            review_comments::author_is_bot,
            review_comments::created_at,
        ))
        .load(conn)?;
    let verdicts = verdicts.into_iter().map(|(number, author, bot, at, state)| {
        let said = if state == CHANGES_REQUESTED { Said::ChangesRequested } else { Said::Verdict };
        ReviewAt { number, said, author, bot, at: at.map(|at| at.0) }
    });
    let remarks = remarks.into_iter().map(|(number, author, bot, at)| ReviewAt {
        number,
        said: Said::Remark,
        author,
        bot,
        at: Some(at.0),
    });
    let mut all: Vec<ReviewAt> = verdicts.chain(remarks).collect();
    all.sort_by_key(|review| review.number);
    Ok(all)
}

pub(crate) fn comments(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> QueryResult<Vec<CommentsBy>> {
    type CommentsColumns = (i64, Option<String>, bool, i64);
    let author = (comments::number, comments::author, comments::author_is_bot);
    let rows: Vec<CommentsColumns> = comments::table
        .filter(comments::client_id.eq(client))
        .filter(comments::integration_id.eq(integration))
        .filter(comments::repository_id.eq(repository))
        .group_by(author)
        .select((comments::number, comments::author, comments::author_is_bot, count_star()))
        .load(conn)?;
    let by = |(number, author, bot, count)| CommentsBy { number, author, bot, count };
    Ok(rows.into_iter().map(by).collect())
}

pub(crate) fn commits_under_review(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> QueryResult<Vec<(i64, Moment)>> {
    let doubted = reviews::table
        .filter(reviews::client_id.eq(client))
        .filter(reviews::integration_id.eq(integration))
        .filter(reviews::repository_id.eq(repository))
        .filter(reviews::state.eq(CHANGES_REQUESTED))
        .select(reviews::number);
    let rows: Vec<(i64, Ts)> = commits_of_pull_requests!(client, integration, repository)
        .filter(pull_request_commits::number.eq_any(doubted))
        .order((pull_request_commits::number, commits::committed_at))
        .select((pull_request_commits::number, commits::committed_at))
        .load(conn)?;
    Ok(rows.into_iter().map(|(number, at)| (number, at.0)).collect())
}

pub(crate) fn graph(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> Result<Vec<(String, Vec<String>)>, Error> {
    let rows: Vec<(String, Option<Json>)> = commits::table
        .filter(commits::client_id.eq(client))
        .filter(commits::integration_id.eq(integration))
        .filter(commits::repository_id.eq(repository))
        .filter(commits::parents.is_not_null())
        .select((commits::sha, commits::parents))
        .load(conn)?;
    rows.into_iter()
        .filter_map(|(sha, parents)| parents.map(|parents| (sha, parents)))
        .map(|(sha, parents)| Ok((sha, parents.to_texts()?)))
        .collect()
}

type ToldColumns = (String, String, String, String, Ts, Option<Ts>, bool);

pub(crate) fn deployments(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> Result<Vec<Deployment>, Error> {
    let rows: Vec<ToldColumns> = deployments::table
        .filter(deployments::client_id.eq(client))
        .filter(deployments::integration_id.eq(integration))
        .filter(deployments::repository_id.eq(repository))
        .select((
            deployments::external_id,
            deployments::environment,
            deployments::sha,
            deployments::outcome,
            deployments::created_at,
            deployments::finished_at,
            deployments::estimated,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(external_id, environment, sha, outcome, created_at, finished_at, estimated)| {
            Ok(Deployment {
                external_id,
                environment,
                sha,
                outcome: outcome.parse()?,
                created_at: created_at.0,
                finished_at: finished_at.map(|at| at.0),
                estimated,
            })
        })
        .collect()
}

pub(crate) fn shipments(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
    rules: &RepositoryRules<'_>,
) -> Result<Vec<Shipment>, Error> {
    let of_repository = shipments::table
        .filter(shipments::client_id.eq(client))
        .filter(shipments::integration_id.eq(integration))
        .filter(shipments::repository_id.eq(repository));
    // There are many runs under few names, and most of them deploy nothing.
    let told: Vec<(String, String, Option<String>)> = of_repository
        .select((shipments::source, shipments::name, shipments::path))
        .distinct()
        .load(conn)?;
    let mut meant = HashSet::new();
    for (source, name, path) in told {
        let source: Source = source.parse()?;
        let names: Vec<&str> = iter::once(&*name).chain(path.as_deref()).collect();
        if rules.mean(source, &names) {
            meant.insert((source, name, path));
        }
    }
    let names: BTreeSet<&str> = meant.iter().map(|(_, name, _)| &**name).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let mut found = Vec::new();
    for some in names.chunks(CHUNK) {
        let rows: Vec<ShipmentRow> = of_repository
            .filter(shipments::name.eq_any(some))
            .select((
                shipments::repository_id,
                shipments::source,
                shipments::external_id,
                shipments::name,
                shipments::path,
                shipments::sha,
                shipments::outcome,
                shipments::created_at,
                shipments::finished_at,
            ))
            .load(conn)?;
        for row in rows {
            let source: Source = row.source.parse()?;
            let key = (source, row.name, row.path);
            if !meant.contains(&key) {
                continue;
            }
            let (_, name, path) = key;
            found.push(Shipment {
                source,
                external_id: row.external_id,
                name,
                path,
                sha: row.sha,
                outcome: row.outcome.parse()?,
                created_at: row.created_at.0,
                finished_at: row.finished_at.map(|at| at.0),
            });
        }
    }
    Ok(found)
}

pub(crate) fn delivery(conn: &mut Conn, client: ClientId) -> Result<Delivery, Error> {
    super::super::dialect::read(conn, |conn| {
        let id = Id::from(client);
        let state: Option<(i64, String)> = delivery_states::table
            .find(id)
            .select((delivery_states::publications, delivery_states::basis))
            .first(conn)
            .optional()?;
        let (publications, basis) = state.unwrap_or_default();
        let state = DeliveryState { revision: super::rules::revision_of(conn, id)?, publications };
        let deployments = super::rules::deployments_within(conn, id)?;
        let bots = super::rules::bots_within(conn, id)?;
        Ok(Delivery {
            deployments: deployments.rules,
            bots: bots.rules,
            projects: super::rules::project_rules_within(conn, id)?,
            rules_versions: (deployments.version, bots.version),
            basis,
            incidents: super::rules::incidents_within(conn, id)?.rules,
            state,
            as_of: newest_snapshot(conn, id)?.map(|snapshot| snapshot.as_of.0),
        })
    })
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

pub(crate) fn issue_types(conn: &mut Conn, client: Id) -> QueryResult<Vec<(Id, i64, String)>> {
    let connected = integrations::table
        .filter(integrations::client_id.eq(client))
        .filter(integrations::active.eq(true))
        .select(integrations::id);
    issue_types::table
        .filter(issue_types::client_id.eq(client))
        .filter(issue_types::active.eq(true))
        .filter(issue_types::integration_id.eq_any(connected))
        .order((issue_types::integration_id, issue_types::external_id))
        .select((issue_types::integration_id, issue_types::external_id, issue_types::name))
        .load(conn)
}

pub(crate) fn suspects(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    types: &[i64],
    by: By,
    after: i64,
    limit: i64,
) -> Result<Vec<SuspectRead>, Error> {
    let of_active_project = projects::table
        .filter(projects::client_id.eq(client))
        .filter(projects::integration_id.eq(integration))
        .filter(projects::active.eq(true))
        .select(projects::external_id);
    let live = issues::table
        .filter(issues::client_id.eq(client))
        .filter(issues::integration_id.eq(integration))
        .filter(issues::deleted.eq(false))
        .filter(issues::project_id.eq_any(of_active_project))
        .filter(issues::external_id.gt(after))
        .order(issues::external_id)
        .limit(limit)
        .select((
            issues::external_id,
            issues::type_id,
            issues::labels,
            issues::components,
            issues::moments,
            issues::mentions,
        ));
    let of_type = issues::type_id.eq_any(types);
    let none = || Json::texts(&[]);
    let is_named = issues::labels.ne(none()).or(issues::components.ne(none()));
    let says_more = issues::mentions.ne(none());
    let rows: Vec<(i64, i64, Json, Json, Json, Json)> = match (by.names, by.fields) {
        (false, false) => live.filter(of_type).load(conn)?,
        (true, false) => live.filter(of_type.or(is_named)).load(conn)?,
        (false, true) => live.filter(of_type.or(says_more)).load(conn)?,
        (true, true) => live.filter(of_type.or(is_named).or(says_more)).load(conn)?,
    };
    rows.into_iter()
        .map(|(id, type_id, labels, components, moments, mentions)| {
            Ok(SuspectRead {
                id,
                type_id,
                labels: labels.to_texts()?,
                components: components.to_texts()?,
                moments: moments.to_moments()?,
                mentions: mentions.to_pairs()?,
            })
        })
        .collect()
}

pub(crate) fn incidents(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    ids: &[i64],
) -> Result<Vec<IncidentRead>, Error> {
    let keys: Vec<(i64, String)> = projects::table
        .filter(projects::client_id.eq(client))
        .filter(projects::integration_id.eq(integration))
        .select((projects::external_id, projects::key))
        .load(conn)?;
    let keys: HashMap<i64, String> = keys.into_iter().collect();

    let mut rows: Vec<(i64, Ts, i64)> = Vec::with_capacity(ids.len());
    for some in ids.chunks(CHUNK) {
        let found = issues::table
            .filter(issues::client_id.eq(client))
            .filter(issues::integration_id.eq(integration))
            .filter(issues::external_id.eq_any(some))
            .select((issues::external_id, issues::created_at, issues::project_id));
        rows.extend(found.load::<(i64, Ts, i64)>(conn)?);
    }
    rows.sort_unstable_by_key(|(id, ..)| *id);
    let mut incidents: Vec<IncidentRead> = rows
        .into_iter()
        .map(|(id, created_at, project)| IncidentRead {
            integration: integration.into(),
            id,
            project: keys.get(&project).cloned().unwrap_or_default(),
            created_at: created_at.0,
            links: Vec::new(),
        })
        .collect();

    type Change = (i64, Option<String>, Option<String>);
    for some in ids.chunks(CHUNK) {
        let changes: Vec<Change> = issue_changes::table
            .filter(issue_changes::client_id.eq(client))
            .filter(issue_changes::integration_id.eq(integration))
            .filter(issue_changes::issue_id.eq_any(some))
            .filter(issue_changes::field.eq("Link"))
            .order(as_they_happened!())
            .select((issue_changes::issue_id, issue_changes::from_string, issue_changes::to_string))
            .load(conn)?;
        for (issue, removed, added) in changes {
            let Ok(position) = incidents.binary_search_by_key(&issue, |incident| incident.id)
            else {
                continue;
            };
            let links = &mut incidents[position].links;
            if let Some(at) = links.iter().position(|text| Some(text) == removed.as_ref()) {
                links.remove(at);
            }
            links.extend(added);
        }
    }
    Ok(incidents)
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

//! Queries of DORA's values.

use std::collections::HashSet;

use diesel::dsl::min;
use diesel::prelude::*;
use domain::Moment;
use domain::ids::ClientId;
use domain::rules::PRODUCTION;

use super::super::{Conn, dialect};
use super::changes::rules_are_ahead;
use super::metrics::newest_snapshot;
use super::rules::project_rules_within;
use crate::Error;
use crate::dora::{
    DeliveryHead, DeploymentSeen, DoraRead, IncidentSeen, LeftOut, Place, PullRequestSeen,
    RepositoryNow, TakeDora,
};
use crate::focus::Focus;
use crate::models::metrics::DeploymentFactRow;
use crate::schema::{
    delivery_states, deployment_facts, deployments, incident_facts, integrations, issue_facts,
    issues, projects, pull_request_facts, repositories,
};
use crate::types::{Id, Ts};

/// From when on, and until when; everything where nothing is said.
type Span = Option<(Ts, Ts)>;

pub(crate) fn read(
    conn: &mut Conn,
    client: Id,
    from: Ts,
    to: Ts,
    focus: &Focus,
) -> Result<DoraRead, Error> {
    dialect::read(conn, |conn| {
        let Some(snapshot) = newest_snapshot(conn, client)? else {
            return Ok(DoraRead::default());
        };
        let span = Some((from, to));
        let repositories = repositories(conn, client)?.into_iter();
        let rules = project_rules_within(conn, client)?;
        let repositories = repositories.filter(|one| focus.may_mean(&one.full_name, &rules));
        let repositories: HashSet<Place> = repositories.map(|one| one.place).collect();
        let projects = projects(conn, client)?.into_iter();
        let projects = projects.filter(|(_, key)| focus.has_project(key));
        let projects: HashSet<Place> = projects.map(|(place, _)| place).collect();
        let mut deployments = deployments_seen(conn, client, span)?;
        deployments.retain(|seen| repositories.contains(&seen.repository));
        let mut pull_requests = pull_requests_seen(conn, client, None, span)?;
        pull_requests.retain(|seen| repositories.contains(&seen.repository));
        let mut incidents = incidents_seen(conn, client, span)?;
        incidents.retain(|seen| seen.is_meant(focus, &projects, &repositories));
        let mut incidents_left_out = incidents_left_out(conn, client, span)?;
        incidents_left_out.retain(|seen| projects.contains(&seen.place));
        Ok(DoraRead {
            as_of: Some(snapshot.as_of.0),
            is_behind: rules_are_ahead(conn, client)?,
            deployments,
            pull_requests,
            incidents,
            incidents_left_out,
            first: first(conn, client)?,
        })
    })
}

/// A repository at a time, so that no more than one of them is in memory twice.
pub(crate) fn take<T: TakeDora>(conn: &mut Conn, client: Id, taker: T) -> Result<T, Error> {
    dialect::read(conn, |conn| {
        let mut taker = taker;
        let Some((publication, as_of)) = published(conn, client)? else { return Ok(taker) };
        taker.begin(publication, as_of);
        let deployments = deployments_seen(conn, client, None)?;
        let incidents = incidents_seen(conn, client, None)?;
        taker.others(deployments, incidents, incidents_left_out(conn, client, None)?);
        for one in repositories(conn, client)? {
            if !taker.pull_requests(pull_requests_seen(conn, client, Some(one.place), None)?) {
                break;
            }
        }
        Ok(taker)
    })
}

pub(crate) fn head(conn: &mut Conn, client: ClientId) -> Result<DeliveryHead, Error> {
    dialect::read(conn, |conn| {
        let id = Id::from(client);
        Ok(DeliveryHead {
            publication: publication(conn, id)?,
            is_behind: rules_are_ahead(conn, id)?,
            repositories: repositories(conn, id)?,
            projects: projects(conn, id)?,
            project_rules: project_rules_within(conn, id)?,
        })
    })
}

/// Which publication is the newest, and when its facts were complete.
pub(super) fn published(conn: &mut Conn, client: Id) -> QueryResult<Option<(i64, Moment)>> {
    let as_of = newest_snapshot(conn, client)?.map(|snapshot| snapshot.as_of.0);
    Ok(publication(conn, client)?.zip(as_of))
}

/// Which publication is the newest.
pub(super) fn publication(conn: &mut Conn, client: Id) -> QueryResult<Option<i64>> {
    let state = delivery_states::table.find(client);
    state.select(delivery_states::publications).first(conn).optional()
}

/// Repositories, whether they count or not.
pub(super) fn repositories(conn: &mut Conn, client: Id) -> QueryResult<Vec<RepositoryNow>> {
    let rows: Vec<(Id, i64, String, bool, bool)> = repositories::table
        .inner_join(
            integrations::table.on(integrations::client_id
                .eq(repositories::client_id)
                .and(integrations::id.eq(repositories::integration_id))),
        )
        .filter(repositories::client_id.eq(client))
        .order((repositories::integration_id, repositories::external_id))
        .select((
            repositories::integration_id,
            repositories::external_id,
            repositories::full_name,
            repositories::active,
            integrations::active,
        ))
        .load(conn)?;
    let now = |(integration, id, full_name, is_active, is_connected)| {
        let integration: Id = integration;
        RepositoryNow {
            place: (integration.into(), id),
            full_name,
            inactive: match (is_connected, is_active) {
                (false, _) => Some("inactive_integration"),
                (true, false) => Some("inactive_repository"),
                (true, true) => None,
            },
        }
    };
    Ok(rows.into_iter().map(now).collect())
}

/// Projects with their keys.
pub(super) fn projects(conn: &mut Conn, client: Id) -> QueryResult<Vec<(Place, String)>> {
    let rows: Vec<(Id, i64, String)> = projects::table
        .filter(projects::client_id.eq(client))
        .order((projects::integration_id, projects::external_id))
        .select((projects::integration_id, projects::external_id, projects::key))
        .load(conn)?;
    Ok(rows.into_iter().map(|(integration, id, key)| ((integration.into(), id), key)).collect())
}

fn deployments_seen(conn: &mut Conn, client: Id, span: Span) -> Result<Vec<DeploymentSeen>, Error> {
    let all = deployment_facts::table
        .filter(deployment_facts::client_id.eq(client))
        .filter(deployment_facts::finished_at.is_not_null())
        .order((deployment_facts::finished_at, deployment_facts::external_id))
        .select(DeploymentFactRow::as_select());
    let rows: Vec<DeploymentFactRow> = match span {
        None => all.load(conn)?,
        Some((from, to)) => all
            .filter(deployment_facts::finished_at.ge(from))
            .filter(deployment_facts::finished_at.lt(to))
            .load(conn)?,
    };
    let blamed = blamed(conn, client)?;
    let mut seen = Vec::with_capacity(rows.len());
    for fact in rows {
        let Some(finished_at) = fact.finished_at else { continue };
        let key = (fact.integration_id, fact.repository_id, fact.external_id.clone());
        seen.push(DeploymentSeen {
            repository: (fact.integration_id.into(), fact.repository_id),
            id: fact.external_id,
            environment_seen: fact.environment_seen,
            environment: fact.environment,
            reason: fact.reason,
            outcome: fact.outcome.parse()?,
            finished_at: finished_at.0,
            failed: fact.rolled_back || blamed.contains(&key),
        });
    }
    Ok(seen)
}

/// When each repository first brought something to production.
fn first(conn: &mut Conn, client: Id) -> QueryResult<Vec<(Place, Moment)>> {
    let rows: Vec<(Id, i64, Option<Ts>)> = deployment_facts::table
        .filter(deployment_facts::client_id.eq(client))
        .filter(deployment_facts::environment.eq(PRODUCTION))
        .filter(deployment_facts::succeeded_at.is_not_null())
        .group_by((deployment_facts::integration_id, deployment_facts::repository_id))
        .select((
            deployment_facts::integration_id,
            deployment_facts::repository_id,
            min(deployment_facts::succeeded_at),
        ))
        .load(conn)?;
    let first = |(integration, repository, at): (Id, i64, Option<Ts>)| {
        Some(((integration.into(), repository), at?.0))
    };
    Ok(rows.into_iter().filter_map(first).collect())
}

/// Where an incident's issue stands, or why it stands nowhere. One that is new has no place yet.
macro_rules! with_places {
    () => {
        incident_facts::table.left_join(
            issue_facts::table.on(issue_facts::client_id
                .eq(incident_facts::client_id)
                .and(issue_facts::integration_id.eq(incident_facts::integration_id))
                .and(issue_facts::issue_id.eq(incident_facts::issue_id))),
        )
    };
}

/// Deployments that caused an incident which counts. That its status has no step says nothing against it.
fn blamed(conn: &mut Conn, client: Id) -> QueryResult<HashSet<(Id, i64, String)>> {
    let counts = issue_facts::reason.is_null().or(issue_facts::reason.eq("unmapped_status"));
    let rows: Vec<(Option<Id>, Option<i64>, Option<String>)> = with_places!()
        .filter(incident_facts::client_id.eq(client))
        .filter(incident_facts::deployment_id.is_not_null())
        .filter(counts)
        .select((
            incident_facts::deploy_integration_id,
            incident_facts::repository_id,
            incident_facts::deployment_id,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(hub, repository, id)| Some((hub?, repository?, id?)))
        .collect())
}

fn incidents_left_out(conn: &mut Conn, client: Id, span: Span) -> QueryResult<Vec<LeftOut>> {
    let mut query = with_places!()
        .inner_join(
            issues::table.on(issues::client_id
                .eq(incident_facts::client_id)
                .and(issues::integration_id.eq(incident_facts::integration_id))
                .and(issues::external_id.eq(incident_facts::issue_id))),
        )
        .filter(incident_facts::client_id.eq(client))
        .filter(issue_facts::reason.is_not_null())
        // One that stands somewhere counts, whatever keeps it out of the numbers on steps.
        .filter(issue_facts::category.is_null())
        .select((
            issues::integration_id,
            issues::project_id,
            issue_facts::entered_at.nullable(),
            issue_facts::reason.nullable(),
        ))
        .into_boxed();
    if let Some((from, to)) = span {
        query =
            query.filter(issue_facts::entered_at.ge(from)).filter(issue_facts::entered_at.lt(to));
    }
    let rows: Vec<(Id, i64, Option<Ts>, Option<String>)> = query.load(conn)?;
    let left_out = |(integration, project, at, reason): (Id, i64, Option<Ts>, Option<String>)| {
        Some(LeftOut { place: (integration.into(), project), at: at?.0, reason: reason? })
    };
    Ok(rows.into_iter().filter_map(left_out).collect())
}

pub(crate) fn inactive(conn: &mut Conn, client: Id, from: Ts, to: Ts) -> QueryResult<Vec<LeftOut>> {
    let mut left_out = Vec::new();
    for RepositoryNow { place, inactive, .. } in repositories(conn, client)? {
        let Some(reason) = inactive else { continue };
        let finished: Vec<Option<Ts>> = deployments::table
            .filter(deployments::client_id.eq(client))
            .filter(deployments::integration_id.eq(Id::from(place.0)))
            .filter(deployments::repository_id.eq(place.1))
            .filter(deployments::finished_at.ge(from))
            .filter(deployments::finished_at.lt(to))
            .select(deployments::finished_at)
            .load(conn)?;
        let one = |at: Ts| LeftOut { place, at: at.0, reason: reason.to_owned() };
        left_out.extend(finished.into_iter().flatten().map(one));
    }
    Ok(left_out)
}

type DeployedColumns = (Id, i64, i64, Option<Ts>, Option<f64>, Option<Ts>, bool);

/// Of one repository, or of all.
fn pull_requests_seen(
    conn: &mut Conn,
    client: Id,
    of: Option<Place>,
    span: Span,
) -> QueryResult<Vec<PullRequestSeen>> {
    let mut query = pull_request_facts::table
        .filter(pull_request_facts::client_id.eq(client))
        .filter(pull_request_facts::deployed_at.is_not_null())
        .order((pull_request_facts::deployed_at, pull_request_facts::number))
        .select((
            pull_request_facts::integration_id,
            pull_request_facts::repository_id,
            pull_request_facts::number,
            pull_request_facts::deployed_at,
            pull_request_facts::lead_seconds,
            pull_request_facts::first_commit_at,
            pull_request_facts::author_is_bot,
        ))
        .into_boxed();
    if let Some((integration, repository)) = of {
        query = query
            .filter(pull_request_facts::integration_id.eq(Id::from(integration)))
            .filter(pull_request_facts::repository_id.eq(repository));
    }
    if let Some((from, to)) = span {
        query = query
            .filter(pull_request_facts::deployed_at.ge(from))
            .filter(pull_request_facts::deployed_at.lt(to));
    }
    let rows: Vec<DeployedColumns> = query.load(conn)?;
    let seen = |columns: DeployedColumns| {
        let (integration, repository, number, deployed_at, lead_seconds, authored_at, by_bot) =
            columns;
        Some(PullRequestSeen {
            repository: (integration.into(), repository),
            number,
            deployed_at: deployed_at?.0,
            lead_seconds,
            has_commits: authored_at.is_some(),
            by_bot,
        })
    };
    Ok(rows.into_iter().filter_map(seen).collect())
}

type IncidentColumns = (Id, i64, String, Ts, Option<Ts>, Option<Id>, Option<i64>, Option<Ts>);

fn incidents_seen(conn: &mut Conn, client: Id, span: Span) -> QueryResult<Vec<IncidentSeen>> {
    let all = incident_facts::table
        .inner_join(
            issues::table.on(issues::client_id
                .eq(incident_facts::client_id)
                .and(issues::integration_id.eq(incident_facts::integration_id))
                .and(issues::external_id.eq(incident_facts::issue_id))),
        )
        .left_join(
            deployment_facts::table.on(deployment_facts::client_id
                .nullable()
                .eq(incident_facts::client_id.nullable())
                .and(
                    deployment_facts::integration_id
                        .nullable()
                        .eq(incident_facts::deploy_integration_id),
                )
                .and(deployment_facts::repository_id.nullable().eq(incident_facts::repository_id))
                .and(deployment_facts::external_id.nullable().eq(incident_facts::deployment_id))),
        )
        .filter(incident_facts::client_id.eq(client))
        .filter(incident_facts::ended_at.is_not_null())
        .order((incident_facts::ended_at, incident_facts::issue_id))
        .select((
            issues::integration_id,
            issues::project_id,
            issues::key,
            incident_facts::started_at,
            incident_facts::ended_at,
            incident_facts::deploy_integration_id,
            incident_facts::repository_id,
            deployment_facts::succeeded_at.nullable(),
        ));
    let rows: Vec<IncidentColumns> = match span {
        None => all.load(conn)?,
        Some((from, to)) => all
            .filter(incident_facts::ended_at.ge(from))
            .filter(incident_facts::ended_at.lt(to))
            .load(conn)?,
    };
    let seen = |columns: IncidentColumns| {
        let (integration, project, key, started_at, ended_at, hub, repository, deployed_at) =
            columns;
        Some(IncidentSeen {
            project: (integration.into(), project),
            key,
            started_at: started_at.0,
            ended_at: ended_at?.0,
            repository: hub.map(Into::into).zip(repository),
            deployed_at: deployed_at.map(|at| at.0),
        })
    };
    Ok(rows.into_iter().filter_map(seen).collect())
}

//! Makes what was computed visible, at once.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::upsert::excluded;
use domain::work::Fence;

use super::super::{Conn, bulk};
use super::delivery::forget_taken;
use super::fence;
use super::metrics::differences;
use crate::Error;
use crate::fact_table::{Existing, Owner, last_of_each};
use crate::metrics::{PublicationRows, Published};
use crate::models::metrics::{DeploymentFactRow, IncidentFactRow, PullRequestFactPut};
use crate::named::numbered;
use crate::schema::{
    delivery_states, deployment_facts, incident_facts, pull_request_facts, repositories, snapshots,
};
use crate::types::{Id, Ts, Uid};

/// Rows per statement, so that their binds stay below both databases' limits.
const CHUNK: usize = 500;
/// How long people can look back at when something was published.
const SNAPSHOTS_LIVE: TimeDelta = TimeDelta::days(90);

pub(crate) fn publish(
    conn: &mut Conn,
    fence: Fence,
    rows: &PublicationRows,
    flow: &mut impl crate::flow::Rules,
) -> Result<Published, Error> {
    fence::prove(conn, rows.client, fence, rows.snapshot.published_at)?;
    let publications: i64 = diesel::insert_into(delivery_states::table)
        .values((
            delivery_states::client_id.eq(rows.client),
            delivery_states::revision.eq(rows.state.revision),
            delivery_states::publications.eq(1),
            delivery_states::basis.eq(&rows.basis),
        ))
        .on_conflict(delivery_states::client_id)
        .do_update()
        .set((
            delivery_states::revision.eq(rows.state.revision),
            delivery_states::publications.eq(delivery_states::publications + 1),
            delivery_states::basis.eq(&rows.basis),
        ))
        .returning(delivery_states::publications)
        .get_result(conn)?;
    // Whoever published since may have read more, and a part goes with what was published when the rest was
    // read.
    if publications != rows.state.publications + 1 {
        return Err(Error::Conflict { noun: "publication" });
    }
    let written = replace_delivery(conn, rows)?;
    let as_of = Some(rows.snapshot.as_of);
    let issues = super::flow::publish(conn, rows.client.into(), as_of, flow)?;
    Ok(Published { written, issues, forgotten: add_snapshot(conn, rows)? })
}

pub(crate) fn publish_delivery(
    conn: &mut Conn,
    rows: &PublicationRows,
) -> Result<Option<Published>, Error> {
    let as_it_was = delivery_states::table
        .filter(delivery_states::client_id.eq(rows.client))
        .filter(delivery_states::publications.eq(rows.state.publications));
    let held = diesel::update(as_it_was)
        .set((
            delivery_states::revision.eq(rows.state.revision),
            delivery_states::publications.eq(rows.state.publications + 1),
            delivery_states::basis.eq(&rows.basis),
        ))
        .execute(conn)?;
    if held == 0 {
        return Ok(None);
    }
    let written = replace_delivery(conn, rows)?;
    end_incidents(conn, rows.client)?;
    Ok(Some(Published { written, issues: 0, forgotten: add_snapshot(conn, rows)? }))
}

/// An incident is over when its issue is done, as the workflows say. For whoever publishes either.
pub(super) fn end_incidents(conn: &mut Conn, client: Id) -> QueryResult<()> {
    let (text, _) = numbered(include_str!("end_incidents.sql"));
    sql_query(text).bind::<Uid, _>(client).execute(conn)?;
    Ok(())
}

/// Incidents lean on deployments, so those come first and go last.
fn replace_delivery(conn: &mut Conn, rows: &PublicationRows) -> QueryResult<usize> {
    forget_taken(conn, rows.client)?;
    let mut written = publish_pull_requests(conn, rows)?;
    let (changed, gone) = differing_deployments(conn, rows)?;
    put_deployments(conn, &changed)?;
    written += publish_incidents(conn, rows)?;
    delete_deployments(conn, &gone)?;
    written += changed.len() + gone.len();
    Ok(written)
}

/// Answers how many old ones were forgotten.
fn add_snapshot(conn: &mut Conn, rows: &PublicationRows) -> QueryResult<usize> {
    diesel::insert_into(snapshots::table).values(&rows.snapshot).execute(conn)?;
    let long_ago = Ts(rows.snapshot.published_at.0 - SNAPSHOTS_LIVE);
    let old = snapshots::table
        .filter(snapshots::client_id.eq(rows.client))
        .filter(snapshots::published_at.lt(long_ago));
    diesel::delete(old).execute(conn)
}

/// A repository at a time, so that what is kept of a large client is never in memory as a whole. Where all
/// were computed, also of repositories of which nothing is said any more.
fn publish_pull_requests(conn: &mut Conn, rows: &PublicationRows) -> QueryResult<usize> {
    let repositories = match &rows.computed {
        Some(computed) => computed.clone(),
        None => repositories::table
            .filter(repositories::client_id.eq(rows.client))
            .select((repositories::integration_id, repositories::external_id))
            .load(conn)?,
    };
    let mut written = 0;
    for (integration, repository) in repositories {
        let wanted = rows.pull_requests(integration, repository);
        written += replace_pull_requests(conn, rows.client, integration, repository, wanted)?;
    }
    Ok(written)
}

fn replace_pull_requests(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
    wanted: Vec<PullRequestFactPut>,
) -> QueryResult<usize> {
    let kept: Vec<i64> = pull_request_facts::table
        .filter(pull_request_facts::client_id.eq(client))
        .filter(pull_request_facts::integration_id.eq(integration))
        .filter(pull_request_facts::repository_id.eq(repository))
        .select(pull_request_facts::number)
        .load(conn)?;
    let rows = last_of_each(wanted);
    let is_gone = |number: &i64| rows.binary_search_by_key(number, |row| row.number).is_err();
    let mut written = 0;
    for number in kept.into_iter().filter(is_gone) {
        let key = (client, integration, repository, number);
        written += diesel::delete(pull_request_facts::table.find(key)).execute(conn)?;
    }
    written += bulk::put(conn, Owner { client, integration }, &rows, Existing::Replaced)?;
    Ok(written)
}

type Differing<Row> = (Vec<Row>, Vec<Row>);

fn differing_deployments(
    conn: &mut Conn,
    rows: &PublicationRows,
) -> QueryResult<Differing<DeploymentFactRow>> {
    let key =
        |row: &DeploymentFactRow| (row.integration_id, row.repository_id, row.external_id.clone());
    let of_client = deployment_facts::table
        .filter(deployment_facts::client_id.eq(rows.client))
        .select(DeploymentFactRow::as_select());
    let Some(computed) = &rows.computed else {
        let kept: Vec<DeploymentFactRow> = of_client.load(conn)?;
        return Ok(differences(&kept, &rows.deployments, key));
    };
    let mut kept: Vec<DeploymentFactRow> = Vec::new();
    for (integration, repository) in computed {
        let of_repository = of_client
            .filter(deployment_facts::integration_id.eq(integration))
            .filter(deployment_facts::repository_id.eq(repository));
        kept.extend(of_repository.load::<DeploymentFactRow>(conn)?);
    }
    Ok(differences(&kept, &rows.deployments, key))
}

fn put_deployments(conn: &mut Conn, changed: &[DeploymentFactRow]) -> QueryResult<()> {
    for some in changed.chunks(CHUNK) {
        use deployment_facts as fact;
        diesel::insert_into(fact::table)
            .values(some)
            .on_conflict((
                fact::client_id,
                fact::integration_id,
                fact::repository_id,
                fact::external_id,
            ))
            .do_update()
            .set((
                fact::source.eq(excluded(fact::source)),
                fact::environment_seen.eq(excluded(fact::environment_seen)),
                fact::sha.eq(excluded(fact::sha)),
                fact::outcome.eq(excluded(fact::outcome)),
                fact::created_at.eq(excluded(fact::created_at)),
                fact::finished_at.eq(excluded(fact::finished_at)),
                fact::estimated.eq(excluded(fact::estimated)),
                fact::environment.eq(excluded(fact::environment)),
                fact::reason.eq(excluded(fact::reason)),
                fact::previous_id.eq(excluded(fact::previous_id)),
                fact::rollback.eq(excluded(fact::rollback)),
                fact::rolled_back.eq(excluded(fact::rolled_back)),
                fact::pull_requests.eq(excluded(fact::pull_requests)),
                fact::incidents.eq(excluded(fact::incidents)),
                fact::succeeded_at.eq(excluded(fact::succeeded_at)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

fn delete_deployments(conn: &mut Conn, gone: &[DeploymentFactRow]) -> QueryResult<()> {
    for row in gone {
        let key = (row.client_id, row.integration_id, row.repository_id, &row.external_id);
        diesel::delete(deployment_facts::table.find(key)).execute(conn)?;
    }
    Ok(())
}

fn publish_incidents(conn: &mut Conn, rows: &PublicationRows) -> QueryResult<usize> {
    let kept: Vec<IncidentFactRow> = incident_facts::table
        .filter(incident_facts::client_id.eq(rows.client))
        .select(IncidentFactRow::as_select())
        .load(conn)?;
    let key = |row: &IncidentFactRow| (row.integration_id, row.issue_id);
    let (changed, gone) = differences(&kept, &rows.incidents, key);
    for row in &gone {
        let (integration, issue) = key(row);
        diesel::delete(incident_facts::table.find((rows.client, integration, issue)))
            .execute(conn)?;
    }
    for some in changed.chunks(CHUNK) {
        use incident_facts as fact;
        diesel::insert_into(fact::table)
            .values(some)
            .on_conflict((fact::client_id, fact::integration_id, fact::issue_id))
            .do_update()
            .set((
                fact::started_at.eq(excluded(fact::started_at)),
                fact::deploy_integration_id.eq(excluded(fact::deploy_integration_id)),
                fact::repository_id.eq(excluded(fact::repository_id)),
                fact::deployment_id.eq(excluded(fact::deployment_id)),
                fact::rule.eq(excluded(fact::rule)),
            ))
            .execute(conn)?;
    }
    Ok(changed.len() + gone.len())
}

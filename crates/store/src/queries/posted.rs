//! Queries on deployments that were posted.

use diesel::prelude::*;
use domain::deployment::Deployment;

use super::super::Conn;
use super::changes;
use super::notes;
use super::rules::{grow, hold};
use crate::Error;
use crate::fact_table::Owner;
use crate::models::metrics::PostedRow;
use crate::schema::posted_deployments;
use crate::types::Id;

fn find(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
    external_id: &str,
) -> Result<Option<Deployment>, Error> {
    let row = posted_deployments::table
        .find((client, integration, repository, external_id))
        .select(PostedRow::as_select())
        .first(conn)
        .optional()?;
    row.map(TryInto::try_into).transpose()
}

pub(crate) fn of_repository(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> Result<Vec<Deployment>, Error> {
    let rows: Vec<PostedRow> = posted_deployments::table
        .filter(posted_deployments::client_id.eq(client))
        .filter(posted_deployments::integration_id.eq(integration))
        .filter(posted_deployments::repository_id.eq(repository))
        .select(PostedRow::as_select())
        .load(conn)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub(crate) fn put(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
    told: &Deployment,
    counts: bool,
    version: i64,
) -> Result<Deployment, Error> {
    // Two messages on one deployment take turns here.
    let rules = hold(conn, client)?.deployments;
    let before = find(conn, client, integration, repository, &told.external_id)?;
    let kept = match &before {
        Some(before) => told.clone().in_place_of(before),
        None => told.clone(),
    };
    if before.as_ref() == Some(&kept) {
        return Ok(kept);
    }
    let row = PostedRow::new(client, integration, repository, &kept);
    diesel::insert_into(posted_deployments::table)
        .values(&row)
        .on_conflict((
            posted_deployments::client_id,
            posted_deployments::integration_id,
            posted_deployments::repository_id,
            posted_deployments::external_id,
        ))
        .do_update()
        .set(&row)
        .execute(conn)?;
    notes::repository(conn, Owner { client, integration }, repository)?;
    // Whoever follows rules that changed since may have looked for this one in vain.
    if counts || rules != version {
        grow(conn, client)?;
        changes::note(conn, client)?;
    }
    Ok(kept)
}

//! Queries on what clients say about their delivery.

use diesel::prelude::*;
use domain::ids::ClientId;
use domain::rules::{
    BotRules, DeploymentRule, DeploymentRules, IncidentRule, IncidentRules, ProjectRule,
    ProjectRules, Refused,
};
use domain::workflow::Seen;

use super::super::Conn;
use super::changes;
use super::workflows::connections;
use crate::Error;
use crate::models::rules::{
    BotRuleRow, DeploymentRuleRow, IncidentRuleRow, ProjectRuleRow, RuleVersions,
};
use crate::rules::InForce;
use crate::schema::{bot_rules, deployment_rules, incident_rules, project_rules, rule_versions};
use crate::types::Id;

pub(crate) fn deployments(
    conn: &mut Conn,
    client: ClientId,
) -> Result<InForce<DeploymentRules>, Error> {
    super::super::dialect::read(conn, |conn| deployments_within(conn, client.into()))
}

/// For those who are in a transaction already.
pub(crate) fn deployments_within(
    conn: &mut Conn,
    client: Id,
) -> Result<InForce<DeploymentRules>, Error> {
    let written = written_deployments(conn, client)?;
    let is_default = written.is_empty();
    let rules =
        if is_default { Ok(DeploymentRules::default()) } else { DeploymentRules::check(written) };
    let version = versions(conn, client)?.deployments;
    Ok(InForce { rules: rules.map_err(corrupt)?, is_default, version })
}

pub(crate) fn incidents(
    conn: &mut Conn,
    client: ClientId,
) -> Result<InForce<IncidentRules>, Error> {
    super::super::dialect::read(conn, |conn| incidents_within(conn, client.into()))
}

pub(crate) fn incidents_within(
    conn: &mut Conn,
    client: Id,
) -> Result<InForce<IncidentRules>, Error> {
    let written = written_incidents(conn, client)?;
    let is_default = written.is_empty();
    let rules = if is_default {
        Ok(IncidentRules::default())
    } else {
        IncidentRules::check(written, &connections(conn, client)?)
    };
    let version = versions(conn, client)?.incidents;
    Ok(InForce { rules: rules.map_err(corrupt)?, is_default, version })
}

pub(crate) fn bots(conn: &mut Conn, client: ClientId) -> Result<InForce<BotRules>, Error> {
    super::super::dialect::read(conn, |conn| bots_within(conn, client.into()))
}

pub(crate) fn bots_within(conn: &mut Conn, client: Id) -> Result<InForce<BotRules>, Error> {
    let written = written_bots(conn, client)?;
    let is_default = written.is_empty();
    let version = versions(conn, client)?.bots;
    Ok(InForce { rules: BotRules::check(written).map_err(corrupt)?, is_default, version })
}

pub(crate) fn projects(conn: &mut Conn, client: ClientId) -> Result<InForce<ProjectRules>, Error> {
    super::super::dialect::read(conn, |conn| projects_within(conn, client.into()))
}

pub(crate) fn projects_within(conn: &mut Conn, client: Id) -> Result<InForce<ProjectRules>, Error> {
    let rules = project_rules_within(conn, client)?;
    let is_default = rules.written().is_empty();
    Ok(InForce { rules, is_default, version: versions(conn, client)?.projects })
}

pub(crate) fn project_rules_within(conn: &mut Conn, client: Id) -> Result<ProjectRules, Error> {
    ProjectRules::check(written_projects(conn, client)?).map_err(corrupt)
}

/// `put!(conn, client, seen, bots in bot_rules: written, told, row)`: keeps the rules `told` in place of those
/// that are `written`, each as the `row` of its position, and lets their version grow.
macro_rules! put {
    (
        $conn:ident, $client:ident, $seen:ident,
        $kind:ident in $table:ident: $written:expr, $told:expr, $row:expr
    ) => {{
        let version = hold($conn, $client)?.$kind;
        must_be_seen($seen, version)?;
        if $written($conn, $client)? != $told {
            let rows: Vec<_> = (0..).zip($told).map($row).collect();
            diesel::delete($table::table.filter($table::client_id.eq($client))).execute($conn)?;
            diesel::insert_into($table::table).values(&rows).execute($conn)?;
            diesel::update(rule_versions::table.find($client))
                .set(rule_versions::$kind.eq(version + 1))
                .execute($conn)?;
            changes::note($conn, $client)?;
        }
    }};
}

pub(crate) fn put_deployments(
    conn: &mut Conn,
    client: ClientId,
    checked: &DeploymentRules,
    seen: Seen,
) -> Result<InForce<DeploymentRules>, Error> {
    let client = Id::from(client);
    let row = |(position, rule)| DeploymentRuleRow::new(client, position, rule);
    put!(conn, client, seen, deployments in deployment_rules: written_deployments, checked.written(), row);
    deployments_within(conn, client)
}

pub(crate) fn put_incidents(
    conn: &mut Conn,
    client: ClientId,
    written: &[IncidentRule],
    seen: Seen,
) -> Result<InForce<IncidentRules>, Error> {
    let client = Id::from(client);
    let checked = IncidentRules::check(written.to_vec(), &connections(conn, client)?)?;
    let row = |(position, rule)| IncidentRuleRow::new(client, position, rule);
    put!(conn, client, seen, incidents in incident_rules: written_incidents, checked.written(), row);
    incidents_within(conn, client)
}

pub(crate) fn put_bots(
    conn: &mut Conn,
    client: ClientId,
    checked: &BotRules,
    seen: Seen,
) -> Result<InForce<BotRules>, Error> {
    let client = Id::from(client);
    let row = |(position, login): (i32, &String)| BotRuleRow {
        client_id: client,
        position,
        login: login.clone(),
    };
    put!(conn, client, seen, bots in bot_rules: written_bots, checked.written(), row);
    bots_within(conn, client)
}

pub(crate) fn put_projects(
    conn: &mut Conn,
    client: ClientId,
    checked: &ProjectRules,
    seen: Seen,
) -> Result<InForce<ProjectRules>, Error> {
    let client = Id::from(client);
    let row = |(position, rule)| ProjectRuleRow::new(client, position, rule);
    put!(conn, client, seen, projects in project_rules: written_projects, checked.written(), row);
    projects_within(conn, client)
}

/// `written!(conn, client, table: Row)`: a client's rules of a table, in order.
macro_rules! written {
    ($conn:ident, $client:ident, $table:ident: $row:ty) => {{
        let rows: Vec<$row> = $table::table
            .filter($table::client_id.eq($client))
            .order($table::position)
            .select(<$row>::as_select())
            .load($conn)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }};
}

fn written_deployments(conn: &mut Conn, client: Id) -> Result<Vec<DeploymentRule>, Error> {
    written!(conn, client, deployment_rules: DeploymentRuleRow)
}

fn written_incidents(conn: &mut Conn, client: Id) -> Result<Vec<IncidentRule>, Error> {
    written!(conn, client, incident_rules: IncidentRuleRow)
}

fn written_projects(conn: &mut Conn, client: Id) -> Result<Vec<ProjectRule>, Error> {
    written!(conn, client, project_rules: ProjectRuleRow)
}

fn written_bots(conn: &mut Conn, client: Id) -> QueryResult<Vec<String>> {
    bot_rules::table
        .filter(bot_rules::client_id.eq(client))
        .order(bot_rules::position)
        .select(bot_rules::login)
        .load(conn)
}

fn versions(conn: &mut Conn, client: Id) -> QueryResult<RuleVersions> {
    let known = rule_versions::table.find(client).select(RuleVersions::as_select());
    Ok(known.first(conn).optional()?.unwrap_or_default())
}

/// Grows with each change of any rules, and with each deployment that was posted.
macro_rules! revision {
    () => {{
        use $crate::schema::rule_versions as versions;
        versions::deployments
            + versions::incidents
            + versions::bots
            + versions::projects
            + versions::posted
    }};
}
pub(super) use revision;

pub(crate) fn revision_of(conn: &mut Conn, client: Id) -> QueryResult<i64> {
    let known = rule_versions::table.find(client).select(revision!()).first(conn);
    Ok(known.optional()?.unwrap_or(0))
}

/// Whoever holds this row is the only one who changes the client's rules.
pub(crate) fn hold(conn: &mut Conn, client: Id) -> QueryResult<RuleVersions> {
    diesel::insert_into(rule_versions::table)
        .values((
            rule_versions::client_id.eq(client),
            rule_versions::deployments.eq(0),
            rule_versions::incidents.eq(0),
        ))
        .on_conflict(rule_versions::client_id)
        .do_update()
        .set(rule_versions::deployments.eq(rule_versions::deployments))
        .execute(conn)?;
    versions(conn, client)
}

/// For what people change beside the rules.
pub(super) fn grow(conn: &mut Conn, client: Id) -> QueryResult<()> {
    hold(conn, client)?;
    diesel::update(rule_versions::table.find(client))
        .set(rule_versions::posted.eq(rule_versions::posted + 1))
        .execute(conn)?;
    Ok(())
}

fn must_be_seen(seen: Seen, version: i64) -> Result<(), Refused> {
    match seen {
        Seen::Version(other) if other != version => Err(Refused::Stale),
        _ => Ok(()),
    }
}

/// What was kept had been checked.
fn corrupt(refused: Refused) -> Error {
    Error::Corrupt { noun: "rule", reason: format!("{refused:?}") }
}

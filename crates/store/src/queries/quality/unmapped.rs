//! Statuses that lead to no step, and types that no mapping names. There are hundreds of them at most.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use domain::ids::{ClientId, IntegrationId};
use domain::workflow::{Configuration, Excluded, Places};

use super::super::super::Conn;
use super::super::flow::{ground, seen};
use super::super::workflows::{configuration_within, statuses_in_use};
use crate::Error;
use crate::quality::{Lacking, Of};
use crate::schema::{issue_changes, issue_facts, issues};
use crate::types::Id;

/// How many there are, and those that are not mapped, in the order of their keys.
pub(super) fn of(conn: &mut Conn, client: ClientId, of: Of) -> Result<(u64, Vec<Lacking>), Error> {
    match of {
        Of::IssueTypes => issue_types(conn, client),
        _ => statuses(conn, client),
    }
}

/// A status, and the type of the issues that are or were in it.
type Pair = (IntegrationId, String, String);

/// Those that live issues are in, and those that keep an issue out because it was there.
fn statuses(conn: &mut Conn, client: ClientId) -> Result<(u64, Vec<Lacking>), Error> {
    let ground = ground(conn, client)?;
    let places = Places::new(&ground.configuration);
    let (mut all, mut bad): (BTreeSet<Pair>, BTreeSet<Pair>) = Default::default();
    for used in statuses_in_use(conn, client.into())? {
        let Some(issue_type) = used.issue_type.filter(|_| used.issues > 0) else { continue };
        let step = places.step(used.integration, &issue_type, &used.status, Some(used.category));
        let pair = (used.integration, used.status, issue_type);
        if step == Err(Excluded::UnmappedStatus) {
            bad.insert(pair.clone());
        }
        all.insert(pair);
    }
    for (integration, type_id, status) in passed(conn, client.into())? {
        if ground.step(integration, type_id, &status) == Err(Excluded::UnmappedStatus) {
            let (name, _) = ground.status(integration, &status);
            let issue_type = ground.issue_types.get(&(integration, type_id));
            let issue_type = issue_type.map_or_else(String::new, |known| known.name.clone());
            bad.insert((integration, name.to_owned(), issue_type));
        }
    }
    all.extend(bad.iter().cloned());
    let row = |(integration_id, status, issue_type): Pair| Lacking {
        integration_id,
        first: 0,
        second: 0,
        place: format!("{status}\n{issue_type}"),
        name: status,
        detail: Some(issue_type).filter(|name| !name.is_empty()),
    };
    Ok((all.len() as u64, in_order(bad.into_iter().map(row))))
}

/// Statuses that issues came through which are kept out for an unmapped one.
fn passed(
    conn: &mut Conn,
    client: Id,
) -> QueryResult<Vec<(IntegrationId, i64, crate::flow::StatusSeen)>> {
    type Columns = (Id, i64, Option<String>, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Columns> = issue_facts::table
        .inner_join(
            issues::table.on(issues::client_id
                .eq(issue_facts::client_id)
                .and(issues::integration_id.eq(issue_facts::integration_id))
                .and(issues::external_id.eq(issue_facts::issue_id))),
        )
        .inner_join(
            issue_changes::table.on(issue_changes::client_id
                .eq(issue_facts::client_id)
                .and(issue_changes::integration_id.eq(issue_facts::integration_id))
                .and(issue_changes::issue_id.eq(issue_facts::issue_id))),
        )
        .filter(issue_facts::client_id.eq(client))
        .filter(issue_facts::reason.eq(Excluded::UnmappedStatus.as_str()))
        .filter(issue_changes::field.eq("status"))
        .filter(issues::deleted.eq(false))
        .select((
            issue_facts::integration_id,
            issues::type_id,
            issue_changes::from_value,
            issue_changes::from_string,
            issue_changes::to_value,
            issue_changes::to_string,
        ))
        .distinct()
        .load(conn)?;
    let mut statuses = Vec::with_capacity(rows.len() * 2);
    for (integration, type_id, from, from_name, to, to_name) in rows {
        statuses.push((integration.into(), type_id, seen(from, from_name)));
        statuses.push((integration.into(), type_id, seen(to, to_name)));
    }
    Ok(statuses)
}

/// Once one of a connection's types is mapped, all of them should be; before that, each goes by its own
/// name everywhere.
fn issue_types(conn: &mut Conn, client: ClientId) -> Result<(u64, Vec<Lacking>), Error> {
    let configuration = configuration_within(conn, client)?;
    let mut is_mapped: BTreeMap<(IntegrationId, String), bool> = BTreeMap::new();
    let places = Places::new(&configuration);
    for used in statuses_in_use(conn, client.into())? {
        let Some(issue_type) = used.issue_type.filter(|_| used.issues > 0) else { continue };
        if is_said(&configuration, used.integration) {
            let mapping = places.issue_type(used.integration, &issue_type);
            is_mapped.insert((used.integration, issue_type), mapping.is_some());
        }
    }
    let all = is_mapped.len() as u64;
    let bad = is_mapped.into_iter().filter(|(_, is_mapped)| !is_mapped);
    let row = |((integration_id, name), _): ((IntegrationId, String), bool)| Lacking {
        integration_id,
        first: 0,
        second: 0,
        place: name.clone(),
        name,
        detail: None,
    };
    Ok((all, in_order(bad.map(row))))
}

/// Whether somebody said anything about types of this connection.
fn is_said(configuration: &Configuration, integration: IntegrationId) -> bool {
    let mut mappings = configuration.issue_type_mappings.iter();
    mappings.any(|mapping| mapping.scope.is_none_or(|scope| scope == integration))
}

fn in_order(rows: impl Iterator<Item = Lacking>) -> Vec<Lacking> {
    let mut rows: Vec<Lacking> = rows.collect();
    rows.sort_by_key(Lacking::key);
    rows
}

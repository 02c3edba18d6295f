//! What was deployed, what went wrong, and what the client says about both.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::iter;

use diesel::prelude::*;
use domain::deployment::{Deployment, Shipment};
use domain::ids::ClientId;
use domain::rules::{RepositoryRules, Source};

use super::super::rules;
use super::{CHUNK, Conn, newest_snapshot};
use crate::Error;
use crate::metrics::{By, Delivery, DeliveryState, IncidentRead, SuspectRead};
use crate::models::facts::ShipmentRow;
use crate::schema::{
    delivery_states, deployments, integrations, issue_changes, issue_types, issues, projects,
    shipments,
};
use crate::types::{Id, Json, Ts};

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
    super::super::super::dialect::read(conn, |conn| {
        let id = Id::from(client);
        let state: Option<(i64, String)> = delivery_states::table
            .find(id)
            .select((delivery_states::publications, delivery_states::basis))
            .first(conn)
            .optional()?;
        let (publications, basis) = state.unwrap_or_default();
        let state = DeliveryState { revision: rules::revision_of(conn, id)?, publications };
        let deployments = rules::deployments_within(conn, id)?;
        let bots = rules::bots_within(conn, id)?;
        Ok(Delivery {
            deployments: deployments.rules,
            bots: bots.rules,
            projects: rules::project_rules_within(conn, id)?,
            rules_versions: (deployments.version, bots.version),
            basis,
            incidents: rules::incidents_within(conn, id)?.rules,
            state,
            as_of: newest_snapshot(conn, id)?.map(|snapshot| snapshot.as_of.0),
        })
    })
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

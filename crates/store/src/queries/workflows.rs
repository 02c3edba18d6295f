//! Queries on how clients see their work.

mod touched;

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use domain::ids::ClientId;
use domain::project::StatusCategory;
use domain::work::SourceKind;
use domain::workflow::{Change, Configuration, Connection, WorkflowStep};

use super::super::Conn;
use crate::Error;
use crate::models::workflows::{
    IssueTypeMappingRow, StatusMappingRow, WorkflowRow, WorkflowStepRow,
};
use crate::schema::{
    integrations, issue_changes, issue_type_mappings, issue_types, issues, projects,
    status_mappings, statuses, workflow_revisions, workflow_steps, workflows,
};
use crate::types::Id;
use crate::workflows::{Moves, StatusInUse};

pub(crate) use self::touched::{incidents, passed};

pub(crate) fn configuration(conn: &mut Conn, client: ClientId) -> Result<Configuration, Error> {
    super::super::dialect::read(conn, |conn| configuration_within(conn, client))
}

/// For those who are in a transaction already.
pub(crate) fn configuration_within(
    conn: &mut Conn,
    client: ClientId,
) -> Result<Configuration, Error> {
    let id = Id::from(client);
    let connections = connections(conn, id)?;
    let types: Vec<IssueTypeMappingRow> = issue_type_mappings::table
        .filter(issue_type_mappings::client_id.eq(id))
        .order(issue_type_mappings::id)
        .select(IssueTypeMappingRow::as_select())
        .load(conn)?;
    let kept: Vec<WorkflowRow> = workflows::table
        .filter(workflows::client_id.eq(id))
        .order(workflows::id)
        .select(WorkflowRow::as_select())
        .load(conn)?;
    let unsaid = Configuration::unsaid(client, connections);
    let unsaid = Configuration {
        issue_type_mappings: types.into_iter().map(Into::into).collect(),
        ..unsaid
    };
    if kept.is_empty() {
        return Ok(unsaid);
    }
    let steps: Vec<WorkflowStepRow> = workflow_steps::table
        .filter(workflow_steps::client_id.eq(id))
        .order((workflow_steps::workflow_id, workflow_steps::position))
        .select(WorkflowStepRow::as_select())
        .load(conn)?;
    let mappings: Vec<StatusMappingRow> = status_mappings::table
        .filter(status_mappings::client_id.eq(id))
        .order(status_mappings::id)
        .select(StatusMappingRow::as_select())
        .load(conn)?;
    Ok(Configuration {
        workflows: kept.into_iter().map(Into::into).collect(),
        steps: steps.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        status_mappings: mappings.into_iter().map(Into::into).collect(),
        ..unsaid
    })
}

/// The client's connections to Jira.
pub(crate) fn connections(conn: &mut Conn, client: Id) -> QueryResult<Vec<Connection>> {
    let rows: Vec<(Id, String, bool)> = integrations::table
        .filter(integrations::client_id.eq(client))
        .filter(integrations::kind.eq(SourceKind::Jira.as_str()))
        .order(integrations::id)
        .select((integrations::id, integrations::name, integrations::active))
        .load(conn)?;
    let connection = |(id, name, active): (Id, _, _)| Connection { id: id.into(), name, active };
    Ok(rows.into_iter().map(connection).collect())
}

/// Whoever holds this row is the only one who changes the client's workflows.
pub(super) fn grow(conn: &mut Conn, client: Id) -> QueryResult<()> {
    diesel::insert_into(workflow_revisions::table)
        .values((workflow_revisions::client_id.eq(client), workflow_revisions::revision.eq(1)))
        .on_conflict(workflow_revisions::client_id)
        .do_update()
        .set(workflow_revisions::revision.eq(workflow_revisions::revision + 1))
        .execute(conn)?;
    Ok(())
}

pub(crate) fn change(
    conn: &mut Conn,
    client: ClientId,
    changes: &[Change],
) -> Result<Configuration, Error> {
    grow(conn, client.into())?;
    super::changes::note(conn, client.into())?;
    let before = configuration_within(conn, client)?;
    let after = before.apply_all(changes.iter().cloned())?;
    take_marks(conn, &stored(&before), &stored(&after))?;
    put_changed(conn, &stored(&before), &stored(&after))?;
    delete_gone(conn, &stored(&before), &stored(&after))?;
    Ok(after)
}

/// What of a configuration has rows: the default has none.
fn stored(configuration: &Configuration) -> Configuration {
    let mut stored = configuration.clone();
    if stored.is_default() {
        stored.workflows.clear();
        stored.steps.clear();
    }
    stored
}

/// What only one step can have is taken from whoever loses it before another gets it.
fn take_marks(conn: &mut Conn, before: &Configuration, after: &Configuration) -> QueryResult<()> {
    let client = Id::from(after.client);
    for step in before.steps.iter().filter(|step| step.commitment || step.takes.is_some()) {
        let marks = |step: &WorkflowStep| (step.commitment, step.takes);
        if after.step(step.id).map(marks) == Some(marks(step)) {
            continue;
        }
        diesel::update(workflow_steps::table.find((client, Id::from(step.id))))
            .set((workflow_steps::commitment.eq(false), workflow_steps::takes.eq(None::<String>)))
            .execute(conn)?;
    }
    Ok(())
}

/// Writes what is new or differs: what others lean on before them.
fn put_changed(conn: &mut Conn, before: &Configuration, after: &Configuration) -> QueryResult<()> {
    let client = after.client;
    for workflow in after.workflows.iter().filter(|row| !before.workflows.contains(row)) {
        let row = WorkflowRow::new(client, workflow);
        diesel::insert_into(workflows::table)
            .values(&row)
            .on_conflict((workflows::client_id, workflows::id))
            .do_update()
            .set(&row)
            .execute(conn)?;
    }
    for step in after.steps.iter().filter(|row| !before.steps.contains(row)) {
        let row = WorkflowStepRow::new(client, step);
        diesel::insert_into(workflow_steps::table)
            .values(&row)
            .on_conflict((workflow_steps::client_id, workflow_steps::id))
            .do_update()
            .set(&row)
            .execute(conn)?;
    }
    let known = &before.status_mappings;
    for mapping in after.status_mappings.iter().filter(|row| !known.contains(row)) {
        let row = StatusMappingRow::new(client, mapping);
        diesel::insert_into(status_mappings::table)
            .values(&row)
            .on_conflict((status_mappings::client_id, status_mappings::id))
            .do_update()
            .set(&row)
            .execute(conn)?;
    }
    let known = &before.issue_type_mappings;
    let mut types: Vec<_> =
        after.issue_type_mappings.iter().filter(|row| !known.contains(row)).collect();
    types.sort_by_key(|mapping| std::cmp::Reverse(mapping.hierarchy_level));
    for mapping in types {
        let row = IssueTypeMappingRow::new(client, mapping);
        diesel::insert_into(issue_type_mappings::table)
            .values(&row)
            .on_conflict((issue_type_mappings::client_id, issue_type_mappings::id))
            .do_update()
            .set(&row)
            .execute(conn)?;
    }
    Ok(())
}

/// Deletes what is gone: what leans on others before them.
fn delete_gone(conn: &mut Conn, before: &Configuration, after: &Configuration) -> QueryResult<()> {
    let client = Id::from(after.client);
    let is_kept = |id| after.status_mappings.iter().any(|row| row.id == id);
    for mapping in before.status_mappings.iter().filter(|row| !is_kept(row.id)) {
        diesel::delete(status_mappings::table.find((client, Id::from(mapping.id))))
            .execute(conn)?;
    }
    let is_kept = |id| after.issue_type_mappings.iter().any(|row| row.id == id);
    for mapping in before.issue_type_mappings.iter().filter(|row| !is_kept(row.id)) {
        diesel::delete(issue_type_mappings::table.find((client, Id::from(mapping.id))))
            .execute(conn)?;
    }
    for step in before.steps.iter().filter(|row| after.step(row.id).is_none()) {
        diesel::delete(workflow_steps::table.find((client, Id::from(step.id)))).execute(conn)?;
    }
    for workflow in before.workflows.iter().filter(|row| after.workflow(row.id).is_none()) {
        diesel::delete(workflows::table.find((client, Id::from(workflow.id)))).execute(conn)?;
    }
    Ok(())
}

pub(crate) fn statuses_in_use(conn: &mut Conn, client: Id) -> Result<Vec<StatusInUse>, Error> {
    let connected = integrations::table
        .filter(integrations::client_id.eq(client))
        .filter(integrations::active.eq(true))
        .select(integrations::id);
    let known: Vec<(Id, i64, String, String)> = statuses::table
        .filter(statuses::client_id.eq(client))
        .filter(statuses::integration_id.eq_any(connected))
        .order((statuses::integration_id, statuses::external_id))
        .select((
            statuses::integration_id,
            statuses::external_id,
            statuses::name,
            statuses::category,
        ))
        .load(conn)?;
    let types: Vec<(Id, i64, String)> = issue_types::table
        .filter(issue_types::client_id.eq(client))
        .select((issue_types::integration_id, issue_types::external_id, issue_types::name))
        .load(conn)?;
    let types: HashMap<(Id, i64), String> =
        types.into_iter().map(|(integration, id, name)| ((integration, id), name)).collect();
    let counted: Vec<(Id, i64, i64, i64)> = issues::table
        .inner_join(
            projects::table.on(projects::client_id
                .eq(issues::client_id)
                .and(projects::integration_id.eq(issues::integration_id))
                .and(projects::external_id.eq(issues::project_id))),
        )
        .filter(issues::client_id.eq(client))
        .filter(issues::deleted.eq(false))
        .filter(projects::active.eq(true))
        .group_by((issues::integration_id, issues::status_id, issues::type_id))
        .select((issues::integration_id, issues::status_id, issues::type_id, count_star()))
        .load(conn)?;
    let mut by_status: HashMap<(Id, i64), Vec<(i64, i64)>> = HashMap::new();
    for (integration, status, issue_type, issues) in counted {
        by_status.entry((integration, status)).or_default().push((issue_type, issues));
    }
    let mut in_use = Vec::new();
    for (integration, id, status, category) in known {
        let category: StatusCategory = category.parse()?;
        let mut add = |issue_type, issues: i64| {
            in_use.push(StatusInUse {
                integration: integration.into(),
                issue_type,
                status: status.clone(),
                category,
                issues: issues.unsigned_abs(),
            });
        };
        let Some(mut of_types) = by_status.remove(&(integration, id)) else {
            add(None, 0);
            continue;
        };
        of_types.sort_unstable();
        for (issue_type, issues) in of_types {
            add(types.get(&(integration, issue_type)).cloned(), issues);
        }
    }
    Ok(in_use)
}

pub(crate) fn moves(conn: &mut Conn, client: Id) -> QueryResult<Vec<Moves>> {
    let rows: Vec<(Id, Option<String>, Option<String>, i64)> = issue_changes::table
        .filter(issue_changes::client_id.eq(client))
        .filter(issue_changes::field.eq("status"))
        .group_by((
            issue_changes::integration_id,
            issue_changes::from_string,
            issue_changes::to_string,
        ))
        .order((
            issue_changes::integration_id,
            issue_changes::from_string,
            issue_changes::to_string,
        ))
        .select((
            issue_changes::integration_id,
            issue_changes::from_string,
            issue_changes::to_string,
            count_star(),
        ))
        .load(conn)?;
    let told = |(integration, from, to, count): (Id, Option<String>, Option<String>, i64)| {
        Some(Moves {
            integration: integration.into(),
            from: from?,
            to: to?,
            count: count.unsigned_abs(),
        })
    };
    Ok(rows.into_iter().filter_map(told).collect())
}

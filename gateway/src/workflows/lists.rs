//! The four lists: what there is, what of it is in use, and what is missing. As CSV and NDJSON, too.

use std::collections::{BTreeMap, HashMap};

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use domain::ids::{IntegrationId, IssueTypeMappingId, StatusMappingId};
use domain::project::StatusCategory;
use domain::text::folded;
use domain::workflow::{Configuration, Excluded, Places, Scope};
use serde::Serialize;
use store::Workflows;
use store::workflows::StatusInUse;
use utoipa::ToSchema;

use super::nouns::{IssueTypeMappingJson, StatusMappingJson, StepJson, WorkflowJson, step_of};
use super::wanted::Wanted;
use super::{Noun, nouns};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::lists::cell::{Cell, word};
use crate::lists::{Fields, Format, Taken, export, fields};
use crate::once::{Once, Repeatable};
use crate::sent::Sent;

/// All of the caller's client.
pub(crate) async fn all<N: Noun<Json: Fields>>(
    caller: Caller,
    workflows: Data<Workflows>,
    taken: Query<Taken>,
) -> Result<HttpResponse, ApiError> {
    let known = workflows.of_client(caller.client).await?;
    let rows: Vec<N::Json> = N::all(&known).iter().map(|row| row.show(&known)).collect();
    Ok(export::shown(N::LIST, rows, taken.format))
}

/// A status that counts nowhere, because nothing says where it stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnmappedJson {
    integration_id: String,
    issue_type: Option<String>,
    status: String,
    status_category: &'static str,
    pub(super) issues: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StatusMappingsJson {
    items: Vec<MappedStatus>,
    next_cursor: Option<String>,
    /// Nothing is left unmapped.
    complete: bool,
    unmapped: Vec<UnmappedJson>,
}

/// A mapping with what it decides about.
#[derive(Serialize, ToSchema)]
struct MappedStatus {
    #[serde(flatten)]
    mapping: StatusMappingJson,
    /// Live issues that stand where it says.
    issues: u64,
    /// Jira's own grouping of the status, where Jira has it.
    status_category: Option<&'static str>,
}

impl Repeatable for StatusMappingsJson {}

impl StatusMappingsJson {
    fn of(known: &Configuration, in_use: &[StatusInUse]) -> StatusMappingsJson {
        let unmapped: Vec<_> = unmapped(known, in_use).map(UnmappedJson::from).collect();
        StatusMappingsJson {
            items: mapped_statuses(known, in_use),
            next_cursor: None,
            complete: unmapped.is_empty(),
            unmapped,
        }
    }
}

/// The mappings of statuses, and the statuses that none of them names.
pub(crate) async fn status_mappings(
    caller: Caller,
    workflows: Data<Workflows>,
    taken: Query<Taken>,
) -> Result<HttpResponse, ApiError> {
    let known = workflows.of_client(caller.client).await?;
    let in_use = workflows.statuses_in_use(caller.client).await?;
    let told = StatusMappingsJson::of(&known, &in_use);
    if taken.format != Format::Json {
        return Ok(export::whole("status-mappings", &told.items, taken.format));
    }
    Ok(HttpResponse::Ok().json(told))
}

/// Saves many mappings of statuses at once, all of them or none, and answers all there are. The items
/// are those of `/api/v1/workflows/preview`.
#[utoipa::path(put, path = "/api/v1/status-mappings", tag = "workflows", request_body = Wanted,
    responses((status = 200, body = StatusMappingsJson)))]
pub(crate) async fn save(
    caller: Caller,
    workflows: Data<Workflows>,
    once: Once,
    wanted: Sent<Wanted>,
) -> Result<HttpResponse, ApiError> {
    let Sent { body: wanted, digest } = wanted;
    let saved = once.of(&caller, &digest, async || {
        let before = workflows.of_client(caller.client).await?;
        let changes = wanted.read_mappings(&before)?;
        let count = changes.len();
        let known = match count {
            // What changes nothing needs no numbers anew.
            0 => before,
            _ => workflows.change(caller.client, changes).await?,
        };
        tracing::info!("{count} status mappings were saved");
        let in_use = workflows.statuses_in_use(caller.client).await?;
        Ok(StatusMappingsJson::of(&known, &in_use))
    });
    Ok(saved.await?.answer(HttpResponse::Ok()))
}

fn mapped_statuses(known: &Configuration, in_use: &[StatusInUse]) -> Vec<MappedStatus> {
    let places = Places::new(known);
    let mut issues: HashMap<StatusMappingId, u64> = HashMap::new();
    let mut categories: HashMap<(Scope, String), StatusCategory> = HashMap::new();
    for row in in_use {
        for scope in [Some(row.integration), None] {
            categories.entry((scope, folded(&row.status))).or_insert(row.category);
        }
        let mapping = places.status(row.integration, nouns::type_of(row), &row.status);
        if let Some(mapping) = mapping {
            *issues.entry(mapping.id).or_default() += row.issues;
        }
    }
    let shown = known.status_mappings.iter().map(|row| MappedStatus {
        mapping: row.show(known),
        issues: issues.get(&row.id).copied().unwrap_or(0),
        status_category: categories
            .get(&(row.scope, folded(&row.status)))
            .map(|category| category.as_str()),
    });
    shown.collect()
}

/// What has no step, neither by a mapping nor by Jira's category.
pub(super) fn unmapped<'a>(
    known: &'a Configuration,
    in_use: &'a [StatusInUse],
) -> impl Iterator<Item = &'a StatusInUse> {
    let places = Places::new(known);
    in_use.iter().filter(move |row| step_of(&places, row) == Err(Excluded::UnmappedStatus))
}

impl From<&StatusInUse> for UnmappedJson {
    fn from(row: &StatusInUse) -> UnmappedJson {
        UnmappedJson {
            integration_id: row.integration.to_string(),
            issue_type: row.issue_type.clone(),
            status: row.status.clone(),
            status_category: row.category.as_str(),
            issues: row.issues,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct IssueTypeMappingsJson {
    items: Vec<IssueTypeMappingJson>,
    next_cursor: Option<String>,
    /// Every type in use has a mapping.
    complete: bool,
    /// The types of live issues.
    types: Vec<TypeInUse>,
}

#[derive(Serialize, ToSchema)]
struct TypeInUse {
    integration_id: String,
    issue_type: String,
    issues: u64,
    /// The mapping that holds for them.
    mapping_id: Option<String>,
}

/// The mappings of issue types, and the types that live issues have.
pub(crate) async fn issue_type_mappings(
    caller: Caller,
    workflows: Data<Workflows>,
    taken: Query<Taken>,
) -> Result<HttpResponse, ApiError> {
    let known = workflows.of_client(caller.client).await?;
    let rows = known.issue_type_mappings.iter().map(|row| row.show(&known));
    let items: Vec<IssueTypeMappingJson> = rows.collect();
    if taken.format != Format::Json {
        return Ok(export::whole("issue-type-mappings", &items, taken.format));
    }
    let in_use = workflows.statuses_in_use(caller.client).await?;
    let types = types_in_use(&known, &in_use);
    Ok(HttpResponse::Ok().json(IssueTypeMappingsJson {
        items,
        next_cursor: None,
        complete: types.iter().all(|of_type| of_type.mapping_id.is_some()),
        types,
    }))
}

fn types_in_use(known: &Configuration, in_use: &[StatusInUse]) -> Vec<TypeInUse> {
    let places = Places::new(known);
    let mut counted: BTreeMap<(IntegrationId, &str), u64> = BTreeMap::new();
    for row in in_use {
        let Some(issue_type) = row.issue_type.as_deref() else { continue };
        *counted.entry((row.integration, issue_type)).or_default() += row.issues;
    }
    let told = counted.into_iter().map(|((integration, issue_type), issues)| {
        let mapping: Option<IssueTypeMappingId> =
            places.issue_type(integration, issue_type).map(|mapping| mapping.id);
        TypeInUse {
            integration_id: integration.to_string(),
            issue_type: issue_type.to_owned(),
            issues,
            mapping_id: mapping.map(|id| id.to_string()),
        }
    });
    told.collect()
}

fields!(WorkflowJson as workflow {
    "id" => &workflow.id,
    "name" => &workflow.name,
    "integration_id" => &workflow.integration_id,
    "active" => &workflow.active,
    "default" => &workflow.default,
    "version" => &workflow.version,
});

fields!(StepJson as step {
    "id" => &step.id,
    "workflow_id" => &step.workflow_id,
    "integration_id" => &step.integration_id,
    "name" => &step.name,
    "position" => &step.position,
    "category" => Cell::Text(step.category),
    "waiting" => &step.waiting,
    "commitment_point" => &step.commitment_point,
    "status_category" => word(step.status_category),
    "active" => &step.active,
    "version" => &step.version,
});

fields!(MappedStatus as row {
    "id" => &row.mapping.id,
    "status" => &row.mapping.status,
    "step_id" => &row.mapping.step_id,
    "step" => &row.mapping.step,
    "category" => word(row.mapping.category),
    "workflow_id" => &row.mapping.workflow_id,
    "integration_id" => &row.mapping.integration_id,
    "issue_type" => &row.mapping.issue_type,
    "active" => &row.mapping.active,
    "version" => &row.mapping.version,
    "issues" => &row.issues,
    "status_category" => word(row.status_category),
});

fields!(IssueTypeMappingJson as mapping {
    "id" => &mapping.id,
    "issue_type" => &mapping.issue_type,
    "mapped_to" => &mapping.mapped_to,
    "hierarchy_level" => &mapping.hierarchy_level,
    "parent_id" => &mapping.parent_id,
    "workflow_id" => &mapping.workflow_id,
    "integration_id" => &mapping.integration_id,
    "active" => &mapping.active,
    "version" => &mapping.version,
});

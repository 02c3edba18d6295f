//! Help with mappings: which step a status probably stands for, and what a change would do before
//! it is saved.

use std::collections::{BTreeMap, HashMap};

use actix_web::web::{Data, Json};
use domain::ids::{IntegrationId, StatusMappingId};
use domain::project::StatusCategory;
use domain::text::folded;
use domain::workflow::{
    Change, Configuration, Delete, Excluded, Places, Reason, Seen, StatusMapping, Suggestion,
    Unplaced, WorkflowStep,
};
use proto::Link;
use proto::v1::metrics_client::MetricsClient;
use proto::v1::{MappingChange, PreviewRequest};
use serde::{Deserialize, Serialize};
use store::Workflows;
use store::workflows::{Moves, StatusInUse};
use utoipa::ToSchema;
use uuid::Uuid;

use super::nouns::StatusMappingDraft;
use super::{Noun, UnmappedJson, unmapped};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::paging::Items;

/// More changes than any form has.
const MOST_CHANGES: usize = 500;

/// A status that no mapping names, and the steps that it may stand for.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnplacedJson {
    integration_id: String,
    status: String,
    status_category: &'static str,
    issues: u64,
    suggestions: Vec<SuggestionJson>,
}

#[derive(Serialize, ToSchema)]
struct SuggestionJson {
    step_id: String,
    step: String,
    category: &'static str,
    workflow_id: String,
    /// From 0 to 1.
    confidence: f64,
    reasons: Vec<String>,
}

/// Which steps the statuses probably stand for that no mapping names.
#[utoipa::path(post, path = "/api/v1/status-mappings/suggest", tag = "workflows",
    responses((status = 200, body = Items<UnplacedJson>)))]
pub(crate) async fn suggest(
    caller: Caller,
    workflows: Data<Workflows>,
) -> Result<Json<Items<UnplacedJson>>, ApiError> {
    let known = workflows.of_client(caller.client).await?;
    let in_use = workflows.statuses_in_use(caller.client).await?;
    let moves = workflows.moves(caller.client).await?;
    let places = Places::new(&known);
    let neighbours = Neighbours::of(&places, &in_use, &moves);
    let unnamed = unnamed(&places, &in_use).into_values().map(|status| {
        let unplaced = Unplaced {
            integration: status.integration,
            status: &status.name,
            category: status.category,
            from: neighbours.before(status.integration, &status.name),
            to: neighbours.behind(status.integration, &status.name),
        };
        let suggestions = known.suggest(&unplaced).into_iter().map(SuggestionJson::from).collect();
        UnplacedJson {
            integration_id: status.integration.to_string(),
            status_category: status.category.as_str(),
            issues: status.issues,
            suggestions,
            status: status.name,
        }
    });
    Ok(Json(Items::whole(unnamed.collect())))
}

struct Status {
    integration: IntegrationId,
    name: String,
    category: StatusCategory,
    issues: u64,
}

/// Statuses that no mapping names, for at least one of the types in them.
fn unnamed(
    places: &Places<'_>,
    in_use: &[StatusInUse],
) -> BTreeMap<(IntegrationId, String), Status> {
    let mut unnamed: BTreeMap<(IntegrationId, String), Status> = BTreeMap::new();
    for row in in_use {
        let issue_type = row.issue_type.as_deref().unwrap_or_default();
        if places.status(row.integration, issue_type, &row.status).is_some() {
            continue;
        }
        let key = (row.integration, folded(&row.status));
        let status = unnamed.entry(key).or_insert_with(|| Status {
            integration: row.integration,
            name: row.status.clone(),
            category: row.category,
            issues: 0,
        });
        status.issues += row.issues;
    }
    unnamed
}

/// Steps that issues came from and went to, by connection and folded name of the status.
#[derive(Default)]
struct Neighbours<'a> {
    before: HashMap<(IntegrationId, String), Vec<(&'a WorkflowStep, u64)>>,
    behind: HashMap<(IntegrationId, String), Vec<(&'a WorkflowStep, u64)>>,
}

impl<'a> Neighbours<'a> {
    fn of(places: &Places<'a>, in_use: &[StatusInUse], moves: &[Moves]) -> Neighbours<'a> {
        let categories: HashMap<(IntegrationId, String), StatusCategory> = in_use
            .iter()
            .map(|row| ((row.integration, folded(&row.status)), row.category))
            .collect();
        let step = |integration: IntegrationId, status: &str| {
            let category = categories.get(&(integration, folded(status))).copied();
            places.step(integration, "", status, category).ok()
        };
        let mut neighbours = Neighbours::default();
        for moved in moves {
            let key = |status: &str| (moved.integration, folded(status));
            if let Some(from) = step(moved.integration, &moved.from) {
                neighbours.before.entry(key(&moved.to)).or_default().push((from, moved.count));
            }
            if let Some(to) = step(moved.integration, &moved.to) {
                neighbours.behind.entry(key(&moved.from)).or_default().push((to, moved.count));
            }
        }
        neighbours
    }

    fn before(&self, integration: IntegrationId, status: &str) -> Vec<(&'a WorkflowStep, u64)> {
        self.before.get(&(integration, folded(status))).cloned().unwrap_or_default()
    }

    fn behind(&self, integration: IntegrationId, status: &str) -> Vec<(&'a WorkflowStep, u64)> {
        self.behind.get(&(integration, folded(status))).cloned().unwrap_or_default()
    }
}

impl From<Suggestion<'_>> for SuggestionJson {
    fn from(suggestion: Suggestion<'_>) -> SuggestionJson {
        SuggestionJson {
            step_id: suggestion.step.id.to_string(),
            step: suggestion.step.name.clone(),
            category: suggestion.step.category.as_str(),
            workflow_id: suggestion.step.workflow.to_string(),
            confidence: (suggestion.confidence * 100.0).round() / 100.0,
            reasons: suggestion.reasons.iter().map(sentence).collect(),
        }
    }
}

fn sentence(reason: &Reason) -> String {
    match reason {
        Reason::SameName => "It is called like the step.".to_owned(),
        Reason::SharedWord(word) => format!("Both names say \"{word}\"."),
        Reason::Meaning(category) => format!("Its name means {category}."),
        Reason::JiraCategory(category) => format!("Jira groups it with {category}."),
        Reason::Between { fitting, all } => {
            format!("{fitting} of {all} moves come from no later step or go to no earlier one.")
        }
    }
}

/// Changes of mappings that are not saved yet.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PreviewDraft {
    changes: Vec<PreviewChange>,
}

/// A mapping as it would be.
#[derive(Deserialize, ToSchema)]
struct PreviewChange {
    /// The one that would change; a new one has none.
    id: Option<String>,
    /// It would be deleted.
    #[serde(default)]
    delete: bool,
    #[serde(default)]
    status: String,
    #[serde(default)]
    step_id: String,
    integration_id: Option<String>,
    issue_type: Option<String>,
    active: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PreviewJson {
    /// Live issues that would stand elsewhere.
    issues_moved: u64,
    moves: Vec<MoveJson>,
    /// Live issues that would count nowhere for want of a mapping.
    left_unmapped: u64,
    unmapped: Vec<UnmappedJson>,
    lead_time: BeforeAndAfter,
}

#[derive(Serialize, ToSchema)]
struct MoveJson {
    integration_id: String,
    issue_type: Option<String>,
    status: String,
    /// The step, or the reason why they count nowhere.
    from: String,
    to: String,
    issues: u64,
}

/// Of the issues that were done in the last 90 days.
#[derive(Serialize, ToSchema)]
struct BeforeAndAfter {
    before: LeadTimesJson,
    after: LeadTimesJson,
}

#[derive(Serialize, ToSchema)]
struct LeadTimesJson {
    p50_seconds: Option<f64>,
    p85_seconds: Option<f64>,
    counted: u64,
}

/// What changes of mappings would do. Nothing is kept; what could not be saved is refused the same
/// way.
#[utoipa::path(post, path = "/api/v1/status-mappings/preview", tag = "workflows", request_body = PreviewDraft,
    responses((status = 200, body = PreviewJson)))]
pub(crate) async fn preview(
    caller: Caller,
    workflows: Data<Workflows>,
    metrics: Data<MetricsClient<Link>>,
    draft: Json<PreviewDraft>,
) -> Result<Json<PreviewJson>, ApiError> {
    let wanted = draft.into_inner().changes;
    if wanted.len() > MOST_CHANGES {
        let reason = format!("must be {MOST_CHANGES} at most");
        return Err(ApiError::bad_parameter("changes", reason));
    }
    let before = workflows.of_client(caller.client).await?;
    let changes = wanted.into_iter().map(PreviewChange::read).collect::<Result<Vec<_>, _>>()?;
    let after = before.apply_all(changes.iter().cloned()).map_err(store::Error::from)?;
    let in_use = workflows.statuses_in_use(caller.client).await?;

    let request = PreviewRequest {
        client_id: caller.client.to_string(),
        changes: changes.iter().filter_map(message).collect(),
    };
    let told = metrics.get_ref().clone().preview(request).await?.into_inner();
    let moves = moved(&before, &after, &in_use);
    let unmapped: Vec<_> = unmapped(&after, &in_use).map(UnmappedJson::from).collect();
    Ok(Json(PreviewJson {
        issues_moved: moves.iter().map(|moved| moved.issues).sum(),
        moves,
        left_unmapped: unmapped.iter().map(|row| row.issues).sum(),
        unmapped,
        lead_time: BeforeAndAfter {
            before: told.before.unwrap_or_default().into(),
            after: told.after.unwrap_or_default().into(),
        },
    }))
}

impl PreviewChange {
    fn read(self) -> Result<Change, ApiError> {
        let known = self.id.as_deref().map(|id| id.parse::<StatusMappingId>()).transpose();
        let known = known.map_err(|_| ApiError::not_found(StatusMapping::NOUN))?;
        if self.delete {
            let id = known.ok_or_else(|| ApiError::not_found(StatusMapping::NOUN))?;
            let delete = Delete { id, seen: Seen::Any, reassign_to: None };
            return Ok(Change::DeleteStatusMapping(delete));
        }
        let seen = if known.is_some() { Seen::Any } else { Seen::New };
        let id = known.unwrap_or_else(|| StatusMappingId(Uuid::now_v7()));
        let draft = StatusMappingDraft {
            status: self.status,
            step_id: self.step_id,
            integration_id: self.integration_id,
            issue_type: self.issue_type,
            active: self.active,
        };
        let mut changes = StatusMapping::changes(draft, id, None, seen)?;
        Ok(changes.remove(0))
    }
}

fn message(change: &Change) -> Option<MappingChange> {
    match change {
        Change::PutStatusMapping(put) => Some(MappingChange {
            id: put.row.id.to_string(),
            is_new: put.seen == Seen::New,
            delete: false,
            status: put.row.status.clone(),
            step_id: put.row.step.to_string(),
            integration_id: put.row.scope.map(|id| id.to_string()),
            issue_type: put.row.issue_type.clone(),
            active: put.row.active,
        }),
        Change::DeleteStatusMapping(delete) => Some(MappingChange {
            id: delete.id.to_string(),
            delete: true,
            ..MappingChange::default()
        }),
        _ => None,
    }
}

fn moved(before: &Configuration, after: &Configuration, in_use: &[StatusInUse]) -> Vec<MoveJson> {
    let (old, new) = (Places::new(before), Places::new(after));
    let mut moves = Vec::new();
    for row in in_use.iter().filter(|row| row.issues > 0) {
        let (from, to) = (place(&old, row), place(&new, row));
        if from.map(|step| step.id) == to.map(|step| step.id) {
            continue;
        }
        moves.push(MoveJson {
            integration_id: row.integration.to_string(),
            issue_type: row.issue_type.clone(),
            status: row.status.clone(),
            from: named(from),
            to: named(to),
            issues: row.issues,
        });
    }
    moves
}

fn place<'a>(places: &Places<'a>, row: &StatusInUse) -> Result<&'a WorkflowStep, Excluded> {
    let issue_type = row.issue_type.as_deref().unwrap_or_default();
    places.step(row.integration, issue_type, &row.status, Some(row.category))
}

fn named(place: Result<&WorkflowStep, Excluded>) -> String {
    place.map_or_else(|reason| reason.to_string(), |step| step.name.clone())
}

impl From<proto::v1::LeadTimes> for LeadTimesJson {
    fn from(told: proto::v1::LeadTimes) -> LeadTimesJson {
        LeadTimesJson { p50_seconds: told.p50, p85_seconds: told.p85, counted: told.counted }
    }
}

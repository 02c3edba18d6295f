//! What changes would do before they are saved. Nothing is kept; what could not be saved is refused
//! the same way.

use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use domain::ids::StatusMappingId;
use domain::workflow::{
    Change, Configuration, Delete, Excluded, Places, Seen, StatusMapping, WorkflowStep,
};
use proto::Link;
use proto::v1::PreviewRequest;
use proto::v1::metrics_client::MetricsClient;
use serde::{Deserialize, Serialize};
use store::Workflows;
use store::workflows::StatusInUse;
use utoipa::ToSchema;
use uuid::Uuid;

use super::lists::{UnmappedJson, unmapped};
use super::nouns::{StatusMappingDraft, step_of};
use super::wanted::{Wanted, check_count};
use super::{Noun, parse};
use crate::auth::Caller;
use crate::error::ApiError;

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
    /// `linear` or `nearest_rank` of each percentile.
    kinds: BTreeMap<String, String>,
    counted: u64,
}

/// What changes of workflows, steps and mappings would do. Nothing is kept; what could not be saved is
/// refused the same way.
#[utoipa::path(post, path = "/api/v1/workflows/preview", tag = "workflows", request_body = Wanted,
    responses((status = 200, body = PreviewJson)))]
pub(crate) async fn preview(
    caller: Caller,
    workflows: Data<Workflows>,
    metrics: Data<MetricsClient<Link>>,
    wanted: Json<Wanted>,
) -> Result<Json<PreviewJson>, ApiError> {
    let before = workflows.of_client(caller.client).await?;
    let changes = wanted.into_inner().read(&before)?;
    foreseen(&caller, &workflows, &metrics, &before, changes).await.map(Json)
}

/// What changes of status mappings would do, like `/api/v1/workflows/preview`.
#[utoipa::path(post, path = "/api/v1/status-mappings/preview", tag = "workflows", request_body = PreviewDraft,
    responses((status = 200, body = PreviewJson)))]
pub(crate) async fn of_mappings(
    caller: Caller,
    workflows: Data<Workflows>,
    metrics: Data<MetricsClient<Link>>,
    draft: Json<PreviewDraft>,
) -> Result<Json<PreviewJson>, ApiError> {
    let wanted = draft.into_inner().changes;
    check_count(wanted.len())?;
    let before = workflows.of_client(caller.client).await?;
    let changes = wanted.into_iter().map(PreviewChange::read).collect::<Result<Vec<_>, _>>()?;
    foreseen(&caller, &workflows, &metrics, &before, changes).await.map(Json)
}

async fn foreseen(
    caller: &Caller,
    workflows: &Workflows,
    metrics: &MetricsClient<Link>,
    before: &Configuration,
    changes: Vec<Change>,
) -> Result<PreviewJson, ApiError> {
    let after = before.apply_all(changes.iter().cloned()).map_err(store::Error::from)?;
    let in_use = workflows.statuses_in_use(caller.client).await?;
    let request = PreviewRequest {
        client_id: caller.client.to_string(),
        changes: changes.into_iter().map(Into::into).collect(),
    };
    let told = metrics.clone().preview(request).await?.into_inner();
    let moves = moved(before, &after, &in_use);
    let unmapped: Vec<_> = unmapped(&after, &in_use).map(UnmappedJson::from).collect();
    Ok(PreviewJson {
        issues_moved: moves.iter().map(|moved| moved.issues).sum(),
        moves,
        left_unmapped: unmapped.iter().map(|row| row.issues).sum(),
        unmapped,
        lead_time: BeforeAndAfter {
            before: told.before.unwrap_or_default().into(),
            after: told.after.unwrap_or_default().into(),
        },
    })
}

impl PreviewChange {
    fn read(self) -> Result<Change, ApiError> {
        let known = self.id.as_deref().map(parse::<StatusMapping>).transpose()?;
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

fn moved(before: &Configuration, after: &Configuration, in_use: &[StatusInUse]) -> Vec<MoveJson> {
    let (old, new) = (Places::new(before), Places::new(after));
    let mut moves = Vec::new();
    for row in in_use.iter().filter(|row| row.issues > 0) {
        let (from, to) = (step_of(&old, row), step_of(&new, row));
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

fn named(place: Result<&WorkflowStep, Excluded>) -> String {
    place.map_or_else(|reason| reason.to_string(), |step| step.name.clone())
}

impl From<proto::v1::LeadTimes> for LeadTimesJson {
    fn from(told: proto::v1::LeadTimes) -> LeadTimesJson {
        let kinds = told.kinds.into_iter();
        LeadTimesJson {
            p50_seconds: told.p50,
            p85_seconds: told.p85,
            kinds: kinds.map(|(name, kind)| (format!("{name}_seconds"), kind)).collect(),
            counted: told.counted,
        }
    }
}

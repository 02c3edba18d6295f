//! The four nouns as they are sent and shown.

use std::str::FromStr;

use domain::ids::{IntegrationId, IssueTypeMappingId, StatusMappingId, WorkflowId, WorkflowStepId};
use domain::workflow::{
    Change, Configuration, Delete, Excluded, IssueTypeMapping, Places, Put, Refused, Scope, Seen,
    StatusMapping, StepCategory, Uses, Workflow, WorkflowStep,
};
use serde::{Deserialize, Serialize};
use store::workflows::StatusInUse;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Noun;
use crate::error::{ApiError, FieldError};
use crate::once::Repeatable;

#[derive(Deserialize, ToSchema)]
pub(crate) struct WorkflowDraft {
    name: String,
    /// The only connection it holds for.
    integration_id: Option<String>,
    active: Option<bool>,
    /// Its steps, in order; only of a new one.
    #[serde(default)]
    steps: Vec<StepDraft>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WorkflowJson {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) integration_id: Option<String>,
    pub(super) active: bool,
    /// Nobody made it: it holds as long as there is no other.
    pub(super) default: bool,
    pub(super) steps: Vec<StepJson>,
    pub(super) version: i64,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct StepDraft {
    /// Not needed within a new workflow.
    workflow_id: Option<String>,
    name: String,
    /// From 1; the end unless said.
    position: Option<i32>,
    /// `TO_DO`, `IN_PROGRESS`, `DONE` or `DISCARDED`.
    category: String,
    /// Nobody works on what stands here. Only `IN_PROGRESS` is worked on unless said.
    waiting: Option<bool>,
    #[serde(default)]
    commitment_point: bool,
    /// Takes the commitment point from the step that has it.
    #[serde(default)]
    move_commitment: bool,
    /// Statuses of this category of Jira stand here when no mapping names them: `TO_DO`,
    /// `IN_PROGRESS` or `DONE`.
    status_category: Option<String>,
    active: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StepJson {
    pub(super) id: String,
    pub(super) workflow_id: String,
    pub(super) integration_id: Option<String>,
    pub(super) name: String,
    pub(super) position: i32,
    pub(super) category: &'static str,
    pub(super) waiting: bool,
    pub(super) commitment_point: bool,
    pub(super) status_category: Option<&'static str>,
    pub(super) active: bool,
    pub(super) version: i64,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct StatusMappingDraft {
    pub(super) status: String,
    pub(super) step_id: String,
    pub(super) integration_id: Option<String>,
    /// The only type of issue it holds for.
    pub(super) issue_type: Option<String>,
    pub(super) active: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StatusMappingJson {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) step_id: String,
    /// The step's name.
    pub(super) step: Option<String>,
    pub(super) category: Option<&'static str>,
    pub(super) workflow_id: Option<String>,
    pub(super) integration_id: Option<String>,
    pub(super) issue_type: Option<String>,
    pub(super) active: bool,
    pub(super) version: i64,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct IssueTypeMappingDraft {
    issue_type: String,
    /// The name it goes by here; its own unless said.
    mapped_to: Option<String>,
    /// 1 is an epic, 0 a standard issue, -1 a sub-task.
    #[serde(default)]
    hierarchy_level: i32,
    /// The type above it.
    parent_id: Option<String>,
    /// The only workflow that its issues go through.
    workflow_id: Option<String>,
    integration_id: Option<String>,
    active: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct IssueTypeMappingJson {
    pub(super) id: String,
    pub(super) issue_type: String,
    pub(super) mapped_to: String,
    pub(super) hierarchy_level: i32,
    pub(super) parent_id: Option<String>,
    pub(super) workflow_id: Option<String>,
    pub(super) integration_id: Option<String>,
    pub(super) active: bool,
    pub(super) version: i64,
}

impl Repeatable for WorkflowJson {}
impl Repeatable for StepJson {}
impl Repeatable for StatusMappingJson {}
impl Repeatable for IssueTypeMappingJson {}

/// An id in a body. One that cannot be ours is nobody's.
fn id<Id: FromStr>(text: &str, noun: &str) -> Result<Id, ApiError> {
    text.parse().map_err(|_| ApiError::not_found(noun))
}

fn scope(text: Option<&str>) -> Result<Scope, ApiError> {
    text.map(|text| id::<IntegrationId>(text, "integration")).transpose()
}

fn word<W: FromStr>(field: &str, text: &str, words: &str) -> Result<W, ApiError> {
    let unknown = |_| ApiError::invalid(vec![FieldError::new(field, format!("must be {words}"))]);
    text.parse().map_err(unknown)
}

fn shown<Id: ToString>(id: Option<Id>) -> Option<String> {
    id.map(|id| id.to_string())
}

fn step_change(
    draft: StepDraft,
    id: WorkflowStepId,
    workflow: WorkflowId,
    before: Option<&WorkflowStep>,
    seen: Seen,
) -> Result<Change, ApiError> {
    let category: StepCategory =
        word("category", &draft.category, "TO_DO, IN_PROGRESS, DONE or DISCARDED")?;
    let takes = draft.status_category.as_deref();
    let takes = takes.map(|text| word("status_category", text, "TO_DO, IN_PROGRESS or DONE"));
    let row = WorkflowStep {
        id,
        workflow,
        // The workflow's, which whoever keeps it knows.
        scope: None,
        name: draft.name,
        position: draft.position.unwrap_or(before.map_or(0, |before| before.position)),
        category,
        waiting: draft.waiting.unwrap_or(category != StepCategory::InProgress),
        commitment: draft.commitment_point,
        takes: takes.transpose()?,
        active: draft.active.unwrap_or(true),
        version: 0,
    };
    Ok(Change::PutStep { put: Put { row, seen }, moves_commitment: draft.move_commitment })
}

impl Noun for Workflow {
    const NOUN: &'static str = "workflow";
    const LIST: &'static str = "workflows";
    type Id = WorkflowId;
    type Draft = WorkflowDraft;
    type Json = WorkflowJson;

    fn all(known: &Configuration) -> &[Workflow] {
        &known.workflows
    }

    fn id(&self) -> WorkflowId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn show(&self, known: &Configuration) -> WorkflowJson {
        WorkflowJson {
            id: self.id.to_string(),
            name: self.name.clone(),
            integration_id: shown(self.scope),
            active: self.active,
            default: known.is_default(),
            steps: known.steps_of(self.id).map(|step| step.show(known)).collect(),
            version: self.version,
        }
    }

    fn changes(
        draft: WorkflowDraft,
        id: WorkflowId,
        before: Option<&Workflow>,
        seen: Seen,
    ) -> Result<Vec<Change>, ApiError> {
        if before.is_some() && !draft.steps.is_empty() {
            let reason = "are changed one by one, under /api/v1/workflow-steps";
            return Err(ApiError::invalid(vec![FieldError::new("steps", reason)]));
        }
        let row = Workflow {
            id,
            scope: scope(draft.integration_id.as_deref())?,
            name: draft.name,
            active: draft.active.unwrap_or(true),
            version: 0,
        };
        let mut changes = vec![Change::PutWorkflow(Put { row, seen })];
        for step in draft.steps {
            let step_id = WorkflowStepId(Uuid::now_v7());
            changes.push(step_change(step, step_id, id, None, Seen::New)?);
        }
        Ok(changes)
    }

    fn delete(delete: Delete<WorkflowId>) -> Change {
        Change::DeleteWorkflow(delete)
    }

    fn uses(known: &Configuration, id: WorkflowId) -> Result<Uses, Refused> {
        known.uses_of_workflow(id)
    }

    fn decides(places: &Places<'_>, id: WorkflowId, issues: &StatusInUse) -> bool {
        step_of(places, issues).is_ok_and(|step| step.workflow == id)
    }
}

impl Noun for WorkflowStep {
    const NOUN: &'static str = "workflow step";
    const LIST: &'static str = "workflow-steps";
    type Id = WorkflowStepId;
    type Draft = StepDraft;
    type Json = StepJson;

    fn all(known: &Configuration) -> &[WorkflowStep] {
        &known.steps
    }

    fn id(&self) -> WorkflowStepId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn show(&self, _known: &Configuration) -> StepJson {
        StepJson {
            id: self.id.to_string(),
            workflow_id: self.workflow.to_string(),
            integration_id: shown(self.scope),
            name: self.name.clone(),
            position: self.position,
            category: self.category.as_str(),
            waiting: self.waiting,
            commitment_point: self.commitment,
            status_category: self.takes.map(|category| category.as_str()),
            active: self.active,
            version: self.version,
        }
    }

    fn changes(
        draft: StepDraft,
        step: WorkflowStepId,
        before: Option<&WorkflowStep>,
        seen: Seen,
    ) -> Result<Vec<Change>, ApiError> {
        let named = draft.workflow_id.as_deref().map(|text| id(text, "workflow")).transpose()?;
        let workflow = named
            .or(before.map(|before| before.workflow))
            .ok_or_else(|| ApiError::invalid(vec![FieldError::new("workflow_id", "is needed")]))?;
        Ok(vec![step_change(draft, step, workflow, before, seen)?])
    }

    fn delete(delete: Delete<WorkflowStepId>) -> Change {
        Change::DeleteStep(delete)
    }

    fn uses(known: &Configuration, id: WorkflowStepId) -> Result<Uses, Refused> {
        known.uses_of_step(id)
    }

    fn decides(places: &Places<'_>, id: WorkflowStepId, issues: &StatusInUse) -> bool {
        step_of(places, issues).is_ok_and(|step| step.id == id)
    }
}

impl Noun for StatusMapping {
    const NOUN: &'static str = "status mapping";
    const LIST: &'static str = "status-mappings";
    type Id = StatusMappingId;
    type Draft = StatusMappingDraft;
    type Json = StatusMappingJson;

    fn all(known: &Configuration) -> &[StatusMapping] {
        &known.status_mappings
    }

    fn id(&self) -> StatusMappingId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn show(&self, known: &Configuration) -> StatusMappingJson {
        let step = known.step(self.step);
        StatusMappingJson {
            id: self.id.to_string(),
            status: self.status.clone(),
            step_id: self.step.to_string(),
            step: step.map(|step| step.name.clone()),
            category: step.map(|step| step.category.as_str()),
            workflow_id: shown(step.map(|step| step.workflow)),
            integration_id: shown(self.scope),
            issue_type: self.issue_type.clone(),
            active: self.active,
            version: self.version,
        }
    }

    fn changes(
        draft: StatusMappingDraft,
        mapping: StatusMappingId,
        _before: Option<&StatusMapping>,
        seen: Seen,
    ) -> Result<Vec<Change>, ApiError> {
        let row = StatusMapping {
            id: mapping,
            scope: scope(draft.integration_id.as_deref())?,
            issue_type: draft.issue_type,
            status: draft.status,
            step: id(&draft.step_id, WorkflowStep::NOUN)?,
            active: draft.active.unwrap_or(true),
            version: 0,
        };
        Ok(vec![Change::PutStatusMapping(Put { row, seen })])
    }

    fn delete(delete: Delete<StatusMappingId>) -> Change {
        Change::DeleteStatusMapping(delete)
    }

    fn uses(known: &Configuration, id: StatusMappingId) -> Result<Uses, Refused> {
        let is_there = known.status_mappings.iter().any(|mapping| mapping.id == id);
        is_there.then(Uses::default).ok_or(Refused::Missing { noun: StatusMapping::NOUN })
    }

    fn decides(places: &Places<'_>, id: StatusMappingId, issues: &StatusInUse) -> bool {
        let mapping = places.status(issues.integration, type_of(issues), &issues.status);
        mapping.is_some_and(|mapping| mapping.id == id)
    }
}

impl Noun for IssueTypeMapping {
    const NOUN: &'static str = "issue type mapping";
    const LIST: &'static str = "issue-type-mappings";
    type Id = IssueTypeMappingId;
    type Draft = IssueTypeMappingDraft;
    type Json = IssueTypeMappingJson;

    fn all(known: &Configuration) -> &[IssueTypeMapping] {
        &known.issue_type_mappings
    }

    fn id(&self) -> IssueTypeMappingId {
        self.id
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn show(&self, _known: &Configuration) -> IssueTypeMappingJson {
        IssueTypeMappingJson {
            id: self.id.to_string(),
            issue_type: self.issue_type.clone(),
            mapped_to: self.mapped_to.clone(),
            hierarchy_level: self.hierarchy_level,
            parent_id: shown(self.parent),
            workflow_id: shown(self.workflow),
            integration_id: shown(self.scope),
            active: self.active,
            version: self.version,
        }
    }

    fn changes(
        draft: IssueTypeMappingDraft,
        mapping: IssueTypeMappingId,
        _before: Option<&IssueTypeMapping>,
        seen: Seen,
    ) -> Result<Vec<Change>, ApiError> {
        let parent = draft.parent_id.as_deref().map(|text| id(text, IssueTypeMapping::NOUN));
        let workflow = draft.workflow_id.as_deref().map(|text| id(text, Workflow::NOUN));
        let row = IssueTypeMapping {
            id: mapping,
            scope: scope(draft.integration_id.as_deref())?,
            mapped_to: draft.mapped_to.unwrap_or_else(|| draft.issue_type.clone()),
            issue_type: draft.issue_type,
            hierarchy_level: draft.hierarchy_level,
            parent: parent.transpose()?,
            workflow: workflow.transpose()?,
            active: draft.active.unwrap_or(true),
            version: 0,
        };
        Ok(vec![Change::PutIssueTypeMapping(Put { row, seen })])
    }

    fn delete(delete: Delete<IssueTypeMappingId>) -> Change {
        Change::DeleteIssueTypeMapping(delete)
    }

    fn uses(known: &Configuration, id: IssueTypeMappingId) -> Result<Uses, Refused> {
        known.uses_of_issue_type_mapping(id)
    }

    fn decides(places: &Places<'_>, id: IssueTypeMappingId, issues: &StatusInUse) -> bool {
        let mapping = places.issue_type(issues.integration, type_of(issues));
        mapping.is_some_and(|mapping| mapping.id == id)
    }
}

pub(super) fn type_of(issues: &StatusInUse) -> &str {
    issues.issue_type.as_deref().unwrap_or_default()
}

/// The step of these issues, or why they count nowhere.
pub(super) fn step_of<'a>(
    places: &Places<'a>,
    issues: &StatusInUse,
) -> Result<&'a WorkflowStep, Excluded> {
    let (status, category) = (&issues.status, Some(issues.category));
    places.step(issues.integration, type_of(issues), status, category)
}

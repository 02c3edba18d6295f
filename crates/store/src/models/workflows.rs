//! Rows of how a client sees its work.

use diesel::prelude::*;
use domain::ids::ClientId;
use domain::workflow::{IssueTypeMapping, StatusMapping, Workflow, WorkflowStep};

use crate::Error;
use crate::schema::{issue_type_mappings, status_mappings, workflow_steps, workflows};
use crate::types::Id;

/// A row of `workflows`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = workflows, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct WorkflowRow {
    pub(crate) client_id: Id,
    pub(crate) id: Id,
    pub(crate) integration_id: Option<Id>,
    pub(crate) name: String,
    pub(crate) active: bool,
    pub(crate) version: i64,
}

/// A row of `workflow_steps`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = workflow_steps, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct WorkflowStepRow {
    pub(crate) client_id: Id,
    pub(crate) id: Id,
    pub(crate) workflow_id: Id,
    pub(crate) integration_id: Option<Id>,
    pub(crate) name: String,
    pub(crate) position: i32,
    pub(crate) category: String,
    pub(crate) waiting: bool,
    pub(crate) commitment: bool,
    pub(crate) takes: Option<String>,
    pub(crate) active: bool,
    pub(crate) version: i64,
}

/// A row of `status_mappings`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = status_mappings, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct StatusMappingRow {
    pub(crate) client_id: Id,
    pub(crate) id: Id,
    pub(crate) integration_id: Option<Id>,
    pub(crate) issue_type: Option<String>,
    pub(crate) status: String,
    pub(crate) step_id: Id,
    pub(crate) active: bool,
    pub(crate) version: i64,
}

/// A row of `issue_type_mappings`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = issue_type_mappings, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct IssueTypeMappingRow {
    pub(crate) client_id: Id,
    pub(crate) id: Id,
    pub(crate) integration_id: Option<Id>,
    pub(crate) issue_type: String,
    pub(crate) mapped_to: String,
    pub(crate) hierarchy_level: i32,
    pub(crate) parent_id: Option<Id>,
    pub(crate) workflow_id: Option<Id>,
    pub(crate) active: bool,
    pub(crate) version: i64,
}

impl WorkflowRow {
    pub(crate) fn new(client: ClientId, workflow: &Workflow) -> WorkflowRow {
        WorkflowRow {
            client_id: client.into(),
            id: workflow.id.into(),
            integration_id: workflow.scope.map(Id::from),
            name: workflow.name.clone(),
            active: workflow.active,
            version: workflow.version,
        }
    }
}

impl From<WorkflowRow> for Workflow {
    fn from(row: WorkflowRow) -> Workflow {
        Workflow {
            id: row.id.into(),
            scope: row.integration_id.map(Into::into),
            name: row.name,
            active: row.active,
            version: row.version,
        }
    }
}

impl WorkflowStepRow {
    pub(crate) fn new(client: ClientId, step: &WorkflowStep) -> WorkflowStepRow {
        WorkflowStepRow {
            client_id: client.into(),
            id: step.id.into(),
            workflow_id: step.workflow.into(),
            integration_id: step.scope.map(Id::from),
            name: step.name.clone(),
            position: step.position,
            category: step.category.as_str().to_owned(),
            waiting: step.waiting,
            commitment: step.commitment,
            takes: step.takes.map(|category| category.as_str().to_owned()),
            active: step.active,
            version: step.version,
        }
    }
}

impl TryFrom<WorkflowStepRow> for WorkflowStep {
    type Error = Error;

    fn try_from(row: WorkflowStepRow) -> Result<WorkflowStep, Error> {
        Ok(WorkflowStep {
            id: row.id.into(),
            workflow: row.workflow_id.into(),
            scope: row.integration_id.map(Into::into),
            name: row.name,
            position: row.position,
            category: row.category.parse()?,
            waiting: row.waiting,
            commitment: row.commitment,
            takes: row.takes.map(|category| category.parse()).transpose()?,
            active: row.active,
            version: row.version,
        })
    }
}

impl StatusMappingRow {
    pub(crate) fn new(client: ClientId, mapping: &StatusMapping) -> StatusMappingRow {
        StatusMappingRow {
            client_id: client.into(),
            id: mapping.id.into(),
            integration_id: mapping.scope.map(Id::from),
            issue_type: mapping.issue_type.clone(),
            status: mapping.status.clone(),
            step_id: mapping.step.into(),
            active: mapping.active,
            version: mapping.version,
        }
    }
}

impl From<StatusMappingRow> for StatusMapping {
    fn from(row: StatusMappingRow) -> StatusMapping {
        StatusMapping {
            id: row.id.into(),
            scope: row.integration_id.map(Into::into),
            issue_type: row.issue_type,
            status: row.status,
            step: row.step_id.into(),
            active: row.active,
            version: row.version,
        }
    }
}

impl IssueTypeMappingRow {
    pub(crate) fn new(client: ClientId, mapping: &IssueTypeMapping) -> IssueTypeMappingRow {
        IssueTypeMappingRow {
            client_id: client.into(),
            id: mapping.id.into(),
            integration_id: mapping.scope.map(Id::from),
            issue_type: mapping.issue_type.clone(),
            mapped_to: mapping.mapped_to.clone(),
            hierarchy_level: mapping.hierarchy_level,
            parent_id: mapping.parent.map(Id::from),
            workflow_id: mapping.workflow.map(Id::from),
            active: mapping.active,
            version: mapping.version,
        }
    }
}

impl From<IssueTypeMappingRow> for IssueTypeMapping {
    fn from(row: IssueTypeMappingRow) -> IssueTypeMapping {
        IssueTypeMapping {
            id: row.id.into(),
            scope: row.integration_id.map(Into::into),
            issue_type: row.issue_type,
            mapped_to: row.mapped_to,
            hierarchy_level: row.hierarchy_level,
            parent: row.parent_id.map(Into::into),
            workflow: row.workflow_id.map(Into::into),
            active: row.active,
            version: row.version,
        }
    }
}

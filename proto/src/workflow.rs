//! Changes of workflows as messages, and back.

use domain::ids::IntegrationId;
use domain::workflow::{
    Change, Delete, IssueTypeMapping, Put, Scope, Seen, StatusMapping, Workflow, WorkflowStep,
};

use crate::convert::{Unreadable, parse};
use crate::v1;
use crate::v1::workflow_change::Change as Sent;

const WORKFLOW: &str = "workflow";
const WORKFLOW_STEP: &str = "workflow_step";
const STATUS_MAPPING: &str = "status_mapping";
const ISSUE_TYPE_MAPPING: &str = "issue_type_mapping";

impl From<Change> for v1::WorkflowChange {
    fn from(change: Change) -> v1::WorkflowChange {
        match change {
            Change::PutWorkflow(Put { row, seen }) => {
                let sent = Sent::Workflow(v1::WorkflowRow {
                    integration_id: spelled(row.scope),
                    name: row.name,
                    active: row.active,
                });
                message(row.id.to_string(), seen, sent)
            }
            Change::PutStep { put: Put { row, seen }, moves_commitment } => {
                let sent = Sent::WorkflowStep(v1::WorkflowStepRow {
                    workflow_id: row.workflow.to_string(),
                    name: row.name,
                    position: row.position,
                    category: row.category.to_string(),
                    waiting: row.waiting,
                    commitment: row.commitment,
                    moves_commitment,
                    takes: spelled(row.takes),
                    active: row.active,
                });
                message(row.id.to_string(), seen, sent)
            }
            Change::PutStatusMapping(Put { row, seen }) => {
                let sent = Sent::StatusMapping(v1::StatusMappingRow {
                    integration_id: spelled(row.scope),
                    issue_type: row.issue_type,
                    status: row.status,
                    step_id: row.step.to_string(),
                    active: row.active,
                });
                message(row.id.to_string(), seen, sent)
            }
            Change::PutIssueTypeMapping(Put { row, seen }) => {
                let sent = Sent::IssueTypeMapping(v1::IssueTypeMappingRow {
                    integration_id: spelled(row.scope),
                    issue_type: row.issue_type,
                    mapped_to: row.mapped_to,
                    hierarchy_level: row.hierarchy_level,
                    parent_id: spelled(row.parent),
                    workflow_id: spelled(row.workflow),
                    active: row.active,
                });
                message(row.id.to_string(), seen, sent)
            }
            Change::DeleteWorkflow(delete) => deletion(WORKFLOW, delete),
            Change::DeleteStep(delete) => deletion(WORKFLOW_STEP, delete),
            Change::DeleteStatusMapping(delete) => deletion(STATUS_MAPPING, delete),
            Change::DeleteIssueTypeMapping(delete) => deletion(ISSUE_TYPE_MAPPING, delete),
        }
    }
}

impl TryFrom<v1::WorkflowChange> for Change {
    type Error = Unreadable;

    fn try_from(message: v1::WorkflowChange) -> Result<Change, Unreadable> {
        let seen = match message.version {
            _ if message.is_new => Seen::New,
            None => Seen::Any,
            Some(version) => Seen::Version(version),
        };
        let id = &message.id;
        let absent = || Unreadable { field: "change", reason: "absent".to_owned() };
        Ok(match message.change.ok_or_else(absent)? {
            Sent::Workflow(row) => Change::PutWorkflow(Put {
                row: Workflow {
                    id: parse("id", id)?,
                    scope: scope(row.integration_id)?,
                    name: row.name,
                    active: row.active,
                    version: 0,
                },
                seen,
            }),
            Sent::WorkflowStep(row) => Change::PutStep {
                moves_commitment: row.moves_commitment,
                put: Put { row: step(id, row)?, seen },
            },
            Sent::StatusMapping(row) => Change::PutStatusMapping(Put {
                row: StatusMapping {
                    id: parse("id", id)?,
                    scope: scope(row.integration_id)?,
                    issue_type: row.issue_type,
                    status: row.status,
                    step: parse("step_id", &row.step_id)?,
                    active: row.active,
                    version: 0,
                },
                seen,
            }),
            Sent::IssueTypeMapping(row) => Change::PutIssueTypeMapping(Put {
                row: IssueTypeMapping {
                    id: parse("id", id)?,
                    scope: scope(row.integration_id)?,
                    issue_type: row.issue_type,
                    mapped_to: row.mapped_to,
                    hierarchy_level: row.hierarchy_level,
                    parent: optional("parent_id", row.parent_id)?,
                    workflow: optional("workflow_id", row.workflow_id)?,
                    active: row.active,
                    version: 0,
                },
                seen,
            }),
            Sent::Delete(delete) => match delete.of.as_str() {
                WORKFLOW => Change::DeleteWorkflow(deleted(id, seen, delete)?),
                WORKFLOW_STEP => Change::DeleteStep(deleted(id, seen, delete)?),
                STATUS_MAPPING => Change::DeleteStatusMapping(deleted(id, seen, delete)?),
                ISSUE_TYPE_MAPPING => Change::DeleteIssueTypeMapping(deleted(id, seen, delete)?),
                other => {
                    let reason = format!("there is no noun {other:?}");
                    return Err(Unreadable { field: "of", reason });
                }
            },
        })
    }
}

fn message(id: String, seen: Seen, change: Sent) -> v1::WorkflowChange {
    let version = match seen {
        Seen::New | Seen::Any => None,
        Seen::Version(version) => Some(version),
    };
    v1::WorkflowChange { id, is_new: seen == Seen::New, version, change: Some(change) }
}

fn deletion<Id: ToString>(of: &str, delete: Delete<Id>) -> v1::WorkflowChange {
    let Delete { id, seen, reassign_to } = delete;
    let sent = v1::Deletion { of: of.to_owned(), reassign_to: spelled(reassign_to) };
    message(id.to_string(), seen, Sent::Delete(sent))
}

fn deleted<Id>(id: &str, seen: Seen, delete: v1::Deletion) -> Result<Delete<Id>, Unreadable>
where
    Id: std::str::FromStr,
    Id::Err: std::fmt::Display,
{
    let reassign_to = optional("reassign_to", delete.reassign_to)?;
    Ok(Delete { id: parse("id", id)?, seen, reassign_to })
}

fn step(id: &str, row: v1::WorkflowStepRow) -> Result<WorkflowStep, Unreadable> {
    Ok(WorkflowStep {
        id: parse("id", id)?,
        workflow: parse("workflow_id", &row.workflow_id)?,
        // The workflow's, which whoever keeps it knows.
        scope: None,
        name: row.name,
        position: row.position,
        category: parse("category", &row.category)?,
        waiting: row.waiting,
        commitment: row.commitment,
        takes: optional("takes", row.takes)?,
        active: row.active,
        version: 0,
    })
}

fn scope(id: Option<String>) -> Result<Scope, Unreadable> {
    optional::<IntegrationId>("integration_id", id)
}

fn optional<T>(field: &'static str, text: Option<String>) -> Result<Option<T>, Unreadable>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.map(|text| parse(field, &text)).transpose()
}

fn spelled<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use domain::ids::{IssueTypeMappingId, StatusMappingId, WorkflowId, WorkflowStepId};
    use domain::project::StatusCategory;
    use domain::workflow::StepCategory;
    use uuid::Uuid;

    use super::*;

    const JIRA: Scope = Some(IntegrationId(Uuid::from_u128(1)));
    const FLOW: WorkflowId = WorkflowId(Uuid::from_u128(2));
    const STEP: WorkflowStepId = WorkflowStepId(Uuid::from_u128(3));

    fn puts() -> Vec<Change> {
        let name = || "Doing".to_owned();
        let flow = Workflow { id: FLOW, scope: JIRA, name: name(), active: false, version: 0 };
        let step = WorkflowStep {
            id: STEP,
            workflow: FLOW,
            scope: None,
            name: name(),
            position: 4,
            category: StepCategory::InProgress,
            waiting: true,
            commitment: true,
            takes: Some(StatusCategory::InProgress),
            active: true,
            version: 0,
        };
        let mapping = StatusMapping {
            id: StatusMappingId(Uuid::from_u128(4)),
            scope: JIRA,
            issue_type: Some("Bug".to_owned()),
            status: name(),
            step: STEP,
            active: true,
            version: 0,
        };
        let of_type = IssueTypeMapping {
            id: IssueTypeMappingId(Uuid::from_u128(5)),
            scope: None,
            issue_type: "Story".to_owned(),
            mapped_to: "Feature".to_owned(),
            hierarchy_level: -1,
            parent: Some(IssueTypeMappingId(Uuid::from_u128(6))),
            workflow: Some(FLOW),
            active: false,
            version: 0,
        };
        let plain = WorkflowStep { takes: None, commitment: false, position: 0, ..step.clone() };
        vec![
            Change::PutWorkflow(Put { row: flow, seen: Seen::New }),
            Change::PutStep { put: Put { row: step, seen: Seen::Any }, moves_commitment: true },
            Change::PutStep {
                put: Put { row: plain, seen: Seen::Version(7) },
                moves_commitment: false,
            },
            Change::PutStatusMapping(Put { row: mapping, seen: Seen::Version(-1) }),
            Change::PutIssueTypeMapping(Put { row: of_type, seen: Seen::New }),
        ]
    }

    fn deletes() -> Vec<Change> {
        let kind = |n| StatusMappingId(Uuid::from_u128(n));
        let types = |n| IssueTypeMappingId(Uuid::from_u128(n));
        let to = Some(WorkflowStepId(Uuid::from_u128(9)));
        vec![
            Change::DeleteWorkflow(Delete { id: FLOW, seen: Seen::Any, reassign_to: None }),
            Change::DeleteStep(Delete { id: STEP, seen: Seen::Version(3), reassign_to: to }),
            Change::DeleteStatusMapping(Delete { id: kind(4), seen: Seen::Any, reassign_to: None }),
            Change::DeleteIssueTypeMapping(Delete {
                id: types(5),
                seen: Seen::Any,
                reassign_to: Some(types(6)),
            }),
        ]
    }

    #[test]
    fn every_change_crosses_unchanged() {
        for change in puts().into_iter().chain(deletes()) {
            let crossed = Change::try_from(v1::WorkflowChange::from(change.clone()));
            assert_eq!(crossed, Ok(change));
        }
    }

    #[test]
    fn a_change_that_cannot_be_read_is_named() {
        let [put, step, ..] = &puts()[..] else { panic!("there are puts") };
        let sent = |change: &Change| v1::WorkflowChange::from(change.clone());
        let without_id = v1::WorkflowChange { id: "seven".to_owned(), ..sent(put) };
        let without_change = v1::WorkflowChange { change: None, ..sent(put) };
        let mut odd = sent(step);
        if let Some(Sent::WorkflowStep(row)) = &mut odd.change {
            row.category = "LATER".to_owned();
        }
        let delete = v1::Deletion { of: "board".to_owned(), reassign_to: None };
        let of_nothing = v1::WorkflowChange { change: Some(Sent::Delete(delete)), ..sent(put) };
        for (message, field) in
            [(without_id, "id"), (without_change, "change"), (odd, "category"), (of_nothing, "of")]
        {
            assert_eq!(Change::try_from(message).unwrap_err().field, field);
        }
    }
}

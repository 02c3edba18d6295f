//! How a client sees its work: workflows with ordered steps, and which status of Jira belongs to
//! which step. Every rule about them is here and pure; whoever keeps them asks
//! [`Configuration::apply_all`] first.

mod change;
mod commitment;
mod delete;
mod place;
mod put;
mod refused;
mod suggest;
#[cfg(test)]
mod tests;

use crate::ids::{
    ClientId, IntegrationId, IssueTypeMappingId, StatusMappingId, WorkflowId, WorkflowStepId,
};
use crate::project::StatusCategory;
use crate::text::words;

pub use change::{Change, Delete, Put, Seen};
pub use commitment::CommitmentPoint;
pub use place::{Excluded, Places};
pub use refused::{Refused, Uses};
pub use suggest::{Reason, Suggestion, Unplaced};

/// What a step means for the flow of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepCategory {
    /// Not begun.
    ToDo,
    /// Under way.
    InProgress,
    /// Delivered.
    Done,
    /// Given up: counts in neither lead nor cycle time.
    Discarded,
}

words!("step category", StepCategory {
    ToDo = "TO_DO",
    InProgress = "IN_PROGRESS",
    Done = "DONE",
    Discarded = "DISCARDED",
});

impl From<StatusCategory> for StepCategory {
    fn from(category: StatusCategory) -> StepCategory {
        match category {
            StatusCategory::ToDo => StepCategory::ToDo,
            StatusCategory::InProgress => StepCategory::InProgress,
            StatusCategory::Done => StepCategory::Done,
        }
    }
}

/// Where something holds: for one connection, or without one for all of them.
pub type Scope = Option<IntegrationId>;

/// A way that issues go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Ours.
    pub id: WorkflowId,
    /// Where it holds.
    pub scope: Scope,
    /// The name people see, unique in its scope.
    pub name: String,
    /// Whether it counts.
    pub active: bool,
    /// Grows with each change.
    pub version: i64,
}

/// A stage of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowStep {
    /// Ours.
    pub id: WorkflowStepId,
    /// The workflow it belongs to.
    pub workflow: WorkflowId,
    /// The workflow's.
    pub scope: Scope,
    /// The name people see, unique in its workflow.
    pub name: String,
    /// From 1, without gaps.
    pub position: i32,
    /// What it means.
    pub category: StepCategory,
    /// Nobody works on what stands here: a queue, or a wait for others.
    pub waiting: bool,
    /// From here on we owe the result: lead time starts.
    pub commitment: bool,
    /// Statuses of this category of Jira stand here when no mapping names them.
    pub takes: Option<StatusCategory>,
    /// Whether it counts.
    pub active: bool,
    /// Grows with each change.
    pub version: i64,
}

/// Where the issues of a status stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusMapping {
    /// Ours.
    pub id: StatusMappingId,
    /// Where it holds.
    pub scope: Scope,
    /// The only type of issue it holds for.
    pub issue_type: Option<String>,
    /// The status's name.
    pub status: String,
    /// The step.
    pub step: WorkflowStepId,
    /// Whether it counts.
    pub active: bool,
    /// Grows with each change.
    pub version: i64,
}

/// What an issue type is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueTypeMapping {
    /// Ours.
    pub id: IssueTypeMappingId,
    /// Where it holds.
    pub scope: Scope,
    /// The type's name in Jira.
    pub issue_type: String,
    /// The name it goes by here.
    pub mapped_to: String,
    /// 1 is an epic, 0 a standard issue, -1 a sub-task.
    pub hierarchy_level: i32,
    /// The type above it.
    pub parent: Option<IssueTypeMappingId>,
    /// The only workflow that its issues go through.
    pub workflow: Option<WorkflowId>,
    /// Whether it counts.
    pub active: bool,
    /// Grows with each change.
    pub version: i64,
}

/// A connection that a scope may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Ours.
    pub id: IntegrationId,
    /// The name people see.
    pub name: String,
    /// Whether it counts.
    pub active: bool,
}

/// Everything that a client has said about its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Whose.
    pub client: ClientId,
    /// The client's connections.
    pub connections: Vec<Connection>,
    /// In the order in which they were made; never empty.
    pub workflows: Vec<Workflow>,
    /// By workflow and position.
    pub steps: Vec<WorkflowStep>,
    /// In the order in which they were made.
    pub status_mappings: Vec<StatusMapping>,
    /// In the order in which they were made.
    pub issue_type_mappings: Vec<IssueTypeMapping>,
}

impl Configuration {
    /// What holds for a client that has said nothing yet: one workflow for everything, a step for
    /// each of Jira's own categories, and work that counts from its first *in progress*. Its ids are
    /// made from the client's, so that it needs no row until somebody edits it.
    pub fn unsaid(client: ClientId, connections: Vec<Connection>) -> Configuration {
        let (workflows, steps) = default_workflow(client);
        Configuration {
            client,
            connections,
            workflows: vec![workflows],
            steps,
            status_mappings: Vec::new(),
            issue_type_mappings: Vec::new(),
        }
    }

    /// Whether its workflow is the one that nobody made.
    pub fn is_default(&self) -> bool {
        let (workflow, steps) = default_workflow(self.client);
        self.workflows == [workflow]
            && self.steps == steps
            && self.status_mappings.is_empty()
            && self.issue_type_mappings.iter().all(|mapping| mapping.workflow.is_none())
    }

    /// The steps of a workflow, in order.
    pub fn steps_of(&self, workflow: WorkflowId) -> impl Iterator<Item = &WorkflowStep> {
        self.steps.iter().filter(move |step| step.workflow == workflow)
    }

    /// The step with this id.
    pub fn step(&self, id: WorkflowStepId) -> Option<&WorkflowStep> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Whether the workflow counts.
    fn is_active(&self, workflow: WorkflowId) -> bool {
        self.workflow(workflow).is_some_and(|workflow| workflow.active)
    }

    /// The workflow with this id.
    pub fn workflow(&self, id: WorkflowId) -> Option<&Workflow> {
        self.workflows.iter().find(|workflow| workflow.id == id)
    }
}

fn default_workflow(client: ClientId) -> (Workflow, Vec<WorkflowStep>) {
    let id = |n: u128| uuid::Uuid::from_u128(client.0.as_u128() ^ n);
    let workflow = Workflow {
        id: WorkflowId(id(1)),
        scope: None,
        name: "Default".to_owned(),
        active: true,
        version: 1,
    };
    let named = [
        ("To Do", StatusCategory::ToDo),
        ("In Progress", StatusCategory::InProgress),
        ("Done", StatusCategory::Done),
    ];
    let steps = (1..).zip(named).map(|(position, (name, takes))| WorkflowStep {
        id: WorkflowStepId(id(1 + position as u128)),
        workflow: workflow.id,
        scope: None,
        name: name.to_owned(),
        position,
        category: takes.into(),
        waiting: takes != StatusCategory::InProgress,
        commitment: takes == StatusCategory::InProgress,
        takes: Some(takes),
        active: true,
        version: 1,
    });
    let steps = steps.collect();
    (workflow, steps)
}

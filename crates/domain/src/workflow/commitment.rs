//! The commitment point: one in each scope, and never none while steps of the scope count.

use std::fmt;

use super::{Configuration, Refused, Scope, StepCategory, WorkflowStep};
use crate::ids::{WorkflowId, WorkflowStepId};

/// The step that has the mark, as people are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentPoint {
    /// The connection's name, or all of them.
    pub scope: String,
    /// Its name.
    pub step: String,
    /// Which.
    pub step_id: WorkflowStepId,
    /// The name of its workflow.
    pub workflow: String,
    /// Which.
    pub workflow_id: WorkflowId,
}

impl fmt::Display for CommitmentPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CommitmentPoint { scope, step, workflow, .. } = self;
        write!(f, "the commitment point of {scope} is \"{step}\" of the workflow \"{workflow}\"")
    }
}

impl StepCategory {
    /// Whether work may be promised in such a step: it must not be over.
    pub(super) fn may_commit(self) -> bool {
        matches!(self, StepCategory::ToDo | StepCategory::InProgress)
    }
}

impl Configuration {
    /// Whether what the changes made of `before` has one mark where there must be one. What lies
    /// between the changes is not asked, so that a mark may be taken and given in any order.
    pub(super) fn check_commitment(&self, before: &Configuration) -> Result<(), Refused> {
        let connections = self.connections.iter().map(|known| Some(known.id));
        for scope in connections.chain([None]) {
            let had = before.marked(scope).next();
            let mut marked = self.marked(scope);
            if let (Some(one), Some(_)) = (marked.next(), marked.next()) {
                let present = had
                    .and_then(|step| self.step(step.id))
                    .filter(|step| step.commitment)
                    .unwrap_or(one);
                return Err(Refused::SecondCommitment(self.commitment_point(present)));
            }
            let Some(had) = had else { continue };
            // Nobody chose the mark of the default, and it goes with it.
            let gave_way = before.is_default() && self.workflow(had.workflow).is_none();
            if !gave_way && before.has_its_mark(scope) && !self.has_its_mark(scope) {
                return Err(Refused::CommitmentNeeded(before.commitment_point(had)));
            }
        }
        Ok(())
    }

    /// Takes the mark from every other step of the scope.
    pub(super) fn take_commitment(&mut self, heir: &WorkflowStep) {
        for step in &mut self.steps {
            if step.id != heir.id && step.scope == heir.scope && step.commitment {
                step.commitment = false;
                step.version += 1;
            }
        }
    }

    /// Gives the mark of a step that goes to the one in its place, if that can have it.
    pub(super) fn inherit_commitment(&mut self, gone: &WorkflowStep, heir: WorkflowStepId) {
        let heir = self.steps.iter_mut().find(|step| step.id == heir);
        let may_inherit = |step: &&mut WorkflowStep| {
            step.scope == gone.scope && step.category.may_commit() && !step.commitment
        };
        let Some(heir) = heir.filter(may_inherit) else { return };
        if gone.commitment {
            heir.commitment = true;
            heir.version += 1;
        }
    }

    fn marked(&self, scope: Scope) -> impl Iterator<Item = &WorkflowStep> {
        self.steps.iter().filter(move |step| step.scope == scope && step.commitment)
    }

    /// Whether a step of the scope that counts has the mark, or none of them counts.
    fn has_its_mark(&self, scope: Scope) -> bool {
        let counts = |step: &&WorkflowStep| {
            step.scope == scope && step.active && self.is_active(step.workflow)
        };
        let mut counting = self.steps.iter().filter(counts).peekable();
        counting.peek().is_none() || counting.any(|step| step.commitment)
    }

    fn commitment_point(&self, step: &WorkflowStep) -> CommitmentPoint {
        let workflow = self.workflow(step.workflow).map(|workflow| workflow.name.clone());
        CommitmentPoint {
            scope: self.scope_name(step.scope),
            step: step.name.clone(),
            step_id: step.id,
            workflow: workflow.unwrap_or_default(),
            workflow_id: step.workflow,
        }
    }
}

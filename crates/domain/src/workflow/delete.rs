//! What is deleted from a configuration, and where that goes which hangs on it.

use super::change::{Delete, find, reassigned, seen};
use super::{Configuration, IssueTypeMapping, Refused, StepCategory, Workflow, WorkflowStep};
use crate::ids::{IssueTypeMappingId, WorkflowId, WorkflowStepId};

impl Configuration {
    pub(super) fn delete_workflow(&mut self, delete: Delete<WorkflowId>) -> Result<(), Refused> {
        let Delete { id, seen: known, reassign_to } = delete;
        let workflow = seen(&self.workflows, id, known)?.clone();
        if self.is_default() {
            return Err(Refused::IsDefault);
        }
        let target = reassigned(&self.workflows, id, reassign_to)?.cloned();
        let uses = self.uses_of_workflow(id)?;
        if uses.need_a_place() && target.is_none() {
            return Err(Refused::InUse { name: workflow.name, uses });
        }
        if let Some(target) = target {
            self.move_to_workflow(id, &target)?;
        }
        self.steps.retain(|step| step.workflow != id);
        self.workflows.retain(|workflow| workflow.id != id);
        if self.workflows.is_empty() {
            let unsaid = Configuration::unsaid(self.client, Vec::new());
            (self.workflows, self.steps) = (unsaid.workflows, unsaid.steps);
        }
        Ok(())
    }

    fn move_to_workflow(&mut self, from: WorkflowId, to: &Workflow) -> Result<(), Refused> {
        let from_steps: Vec<WorkflowStep> = self.steps_of(from).cloned().collect();
        for step in from_steps {
            let is_used = self.status_mappings.iter().any(|mapping| mapping.step == step.id);
            if !is_used {
                continue;
            }
            let counterpart = self
                .steps_of(to.id)
                .find(|other| other.active && other.category == step.category)
                .map(|other| other.id);
            let counterpart = counterpart.ok_or_else(|| Refused::NoCounterpart {
                workflow: to.name.clone(),
                category: step.category,
            })?;
            self.move_status_mappings(step.id, counterpart)?;
        }
        for at in 0..self.issue_type_mappings.len() {
            if self.issue_type_mappings[at].workflow != Some(from) {
                continue;
            }
            self.check_reach(self.issue_type_mappings[at].scope, to.scope, "reassign_to")?;
            let mapping = &mut self.issue_type_mappings[at];
            mapping.workflow = Some(to.id);
            mapping.version += 1;
        }
        Ok(())
    }

    fn move_status_mappings(
        &mut self,
        from: WorkflowStepId,
        to: WorkflowStepId,
    ) -> Result<(), Refused> {
        let scope = find(&self.steps, to)?.scope;
        for at in 0..self.status_mappings.len() {
            if self.status_mappings[at].step != from {
                continue;
            }
            self.check_reach(self.status_mappings[at].scope, scope, "reassign_to")?;
            let mapping = &mut self.status_mappings[at];
            mapping.step = to;
            mapping.version += 1;
        }
        Ok(())
    }

    pub(super) fn delete_step(&mut self, delete: Delete<WorkflowStepId>) -> Result<(), Refused> {
        let Delete { id, seen: known, reassign_to } = delete;
        let step = seen(&self.steps, id, known)?.clone();
        let target = reassigned(&self.steps, id, reassign_to)?.cloned();
        let uses = self.uses_of_step(id)?;
        if uses.need_a_place() && target.is_none() {
            return Err(Refused::InUse { name: step.name, uses });
        }
        self.steps.retain(|other| other.id != id);
        if let Some(target) = target {
            self.move_status_mappings(id, target.id)?;
            let may_commit = target.scope == step.scope
                && matches!(target.category, StepCategory::ToDo | StepCategory::InProgress);
            let heir = self.steps.iter_mut().find(|other| other.id == target.id);
            if let Some(heir) = heir.filter(|_| step.commitment && may_commit) {
                heir.commitment = true;
                heir.version += 1;
            }
        }
        self.line_up(step.workflow, None)
    }

    pub(super) fn delete_issue_type_mapping(
        &mut self,
        delete: Delete<IssueTypeMappingId>,
    ) -> Result<(), Refused> {
        let Delete { id, seen: known, reassign_to } = delete;
        let mapping = seen(&self.issue_type_mappings, id, known)?.clone();
        let target = reassigned(&self.issue_type_mappings, id, reassign_to)?.map(|row| row.id);
        let uses = self.uses_of_issue_type_mapping(id)?;
        if uses.need_a_place() && target.is_none() {
            return Err(Refused::InUse { name: mapping.issue_type, uses });
        }
        let mut below = Vec::new();
        for other in self.issue_type_mappings.iter_mut().filter(|row| row.parent == Some(id)) {
            other.parent = target;
            other.version += 1;
            below.push(other.id);
        }
        for id in below {
            self.check_hierarchy(id)?;
        }
        self.issue_type_mappings.retain(|other| other.id != id);
        Ok(())
    }
}

//! What is deleted from a configuration, and where that goes which hangs on it.

use super::change::{Delete, check_counts, find, invalid, quoted, reassigned, seen};
use super::{Configuration, IssueTypeMapping, Refused, StatusMapping, Workflow, WorkflowStep};
use crate::ids::{IssueTypeMappingId, StatusMappingId, WorkflowId, WorkflowStepId};
use crate::text::folded;

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
            check_counts(&target.name, target.active)?;
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
            let counterpart = self
                .steps_of(to.id)
                .find(|other| other.active && other.category == step.category)
                .map(|other| other.id);
            let Some(counterpart) = counterpart else {
                if self.status_mappings.iter().any(|mapping| mapping.step == step.id) {
                    let (workflow, category) = (to.name.clone(), step.category);
                    return Err(Refused::NoCounterpart { workflow, category });
                }
                continue;
            };
            self.move_status_mappings(step.id, counterpart)?;
            self.inherit_commitment(&step, counterpart);
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
        if let Some(target) = &target {
            check_counts(&target.name, target.active)?;
            let workflow = find(&self.workflows, target.workflow)?;
            check_counts(&workflow.name, workflow.active)?;
            self.check_ways(&step, target)?;
        }
        self.steps.retain(|other| other.id != id);
        if let Some(target) = target {
            self.move_status_mappings(id, target.id)?;
            self.inherit_commitment(&step, target.id);
        }
        self.line_up(step.workflow, None)
    }

    /// Where a type goes through one workflow only, mappings into another are not asked: whoever led
    /// them there would leave its issues without a place.
    fn check_ways(&self, gone: &WorkflowStep, target: &WorkflowStep) -> Result<(), Refused> {
        if gone.workflow == target.workflow {
            return Ok(());
        }
        let only_here =
            self.issue_type_mappings.iter().filter(|row| row.workflow == Some(gone.workflow));
        for of_type in only_here {
            let is_for =
                |mapping: &&StatusMapping| mapping.step == gone.id && may_decide(mapping, of_type);
            let Some(mapping) = self.status_mappings.iter().find(is_for) else { continue };
            let reason = format!(
                "issues of the type {} go through the workflow {} only, so {} must be led to one of its steps",
                quoted(&of_type.issue_type),
                quoted(&find(&self.workflows, gone.workflow)?.name),
                quoted(&mapping.status),
            );
            return Err(invalid("reassign_to", reason));
        }
        Ok(())
    }

    pub(super) fn delete_status_mapping(
        &mut self,
        delete: Delete<StatusMappingId>,
    ) -> Result<(), Refused> {
        seen(&self.status_mappings, delete.id, delete.seen)?;
        if delete.reassign_to.is_some() {
            let reason = "nothing hangs on a status mapping; change its step instead";
            return Err(invalid("reassign_to", reason));
        }
        self.status_mappings.retain(|mapping| mapping.id != delete.id);
        Ok(())
    }

    pub(super) fn delete_issue_type_mapping(
        &mut self,
        delete: Delete<IssueTypeMappingId>,
    ) -> Result<(), Refused> {
        let Delete { id, seen: known, reassign_to } = delete;
        let mapping = seen(&self.issue_type_mappings, id, known)?.clone();
        let target = reassigned(&self.issue_type_mappings, id, reassign_to)?;
        if let Some(target) = target {
            check_counts(&target.issue_type, target.active)?;
        }
        let target = target.map(|row| row.id);
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

/// Whether a mapping may hold for issues of a type.
fn may_decide(mapping: &StatusMapping, of_type: &IssueTypeMapping) -> bool {
    let both = mapping.scope.zip(of_type.scope);
    let is_near = both.is_none_or(|(one, other)| one == other);
    let names = [folded(&of_type.issue_type), folded(&of_type.mapped_to)];
    is_near && mapping.issue_type.as_deref().is_none_or(|name| names.contains(&folded(name)))
}

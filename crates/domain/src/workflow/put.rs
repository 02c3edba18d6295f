//! What is put into a configuration, and what keeps it out.

use super::change::{Put, Row, Seen, find, invalid, named, put_row, quoted};
use super::{Configuration, IssueTypeMapping, Refused, StatusMapping, Workflow, WorkflowStep};
use crate::ids::{IssueTypeMappingId, WorkflowId, WorkflowStepId};
use crate::text::folded;

const LONGEST_NAME: usize = 100;
const LONGEST_STATUS: usize = 255;

impl Configuration {
    pub(super) fn put_workflow(&mut self, put: Put<Workflow>) -> Result<(), Refused> {
        let Put { mut row, seen } = put;
        row.name = named(&row.name, "name", LONGEST_NAME)?;
        self.check_scope(row.scope)?;
        if seen == Seen::New && self.is_default() {
            self.workflows.clear();
            self.steps.clear();
        }
        let twin = |other: &&Workflow| {
            other.id != row.id
                && other.scope == row.scope
                && folded(&other.name) == folded(&row.name)
        };
        if let Some(other) = self.workflows.iter().find(twin) {
            return Err(Refused::Taken { noun: Workflow::NOUN, name: quoted(&other.name) });
        }
        let scope = row.scope;
        let before = put_row(&mut self.workflows, row, seen)?;
        if before.is_some_and(|before| before.scope != scope) {
            return Err(invalid("integration_id", "cannot be changed; make another workflow"));
        }
        Ok(())
    }

    pub(super) fn put_step(
        &mut self,
        put: Put<WorkflowStep>,
        moves_commitment: bool,
    ) -> Result<(), Refused> {
        let Put { mut row, seen } = put;
        let workflow = find(&self.workflows, row.workflow)?.clone();
        row.scope = workflow.scope;
        row.name = named(&row.name, "name", LONGEST_NAME)?;
        let twin = |other: &&WorkflowStep| {
            other.id != row.id
                && other.workflow == row.workflow
                && folded(&other.name) == folded(&row.name)
        };
        if let Some(other) = self.steps.iter().find(twin) {
            return Err(Refused::Taken { noun: WorkflowStep::NOUN, name: quoted(&other.name) });
        }
        if row.commitment {
            if !row.category.may_commit() {
                return Err(invalid(
                    "commitment_point",
                    "must lie before the work is over: in a step of TO_DO or IN_PROGRESS",
                ));
            }
            if moves_commitment {
                self.take_commitment(&row);
            }
        }
        if let Some(category) = row.takes {
            let takes_too = |other: &&WorkflowStep| {
                other.id != row.id && other.scope == row.scope && other.takes == Some(category)
            };
            if let Some(other) = self.steps.iter().find(takes_too) {
                let reason = format!("{category} is taken by {} already", quoted(&other.name));
                return Err(invalid("status_category", reason));
            }
        }
        let (id, wanted) = (row.id, row.position);
        let workflow = row.workflow;
        let before = put_row(&mut self.steps, row, seen)?;
        if before.is_some_and(|before| before.workflow != workflow) {
            return Err(invalid("workflow_id", "cannot be changed; make another step"));
        }
        self.line_up(workflow, Some((id, wanted)))?;
        self.check_order(workflow)
    }

    /// Gives the steps of a workflow the positions 1, 2, …, with one of them where it is wanted.
    pub(super) fn line_up(
        &mut self,
        workflow: WorkflowId,
        wanted: Option<(WorkflowStepId, i32)>,
    ) -> Result<(), Refused> {
        let mut order: Vec<(i32, WorkflowStepId)> = self
            .steps_of(workflow)
            .filter(|step| wanted.is_none_or(|(id, _)| step.id != id))
            .map(|step| (step.position, step.id))
            .collect();
        order.sort_unstable();
        if let Some((id, position)) = wanted {
            let end = order.len();
            let at = match usize::try_from(position) {
                Ok(0) => end,
                Ok(position) if position <= end + 1 => position - 1,
                _ => {
                    let reason = format!("must be 1 to {}, or left out for the end", end + 1);
                    return Err(invalid("position", reason));
                }
            };
            order.insert(at, (position, id));
        }
        for (position, (_, id)) in (1..).zip(order) {
            let moved = self.steps.iter_mut().find(|step| step.id == id);
            let Some(step) = moved.filter(|step| step.position != position) else { continue };
            step.position = position;
            if wanted.is_none_or(|(wanted, _)| wanted != id) {
                step.version += 1;
            }
        }
        self.steps.sort_by_key(|step| (step.workflow, step.position));
        Ok(())
    }

    /// Work goes forward: no step of a category comes before one of an earlier category.
    fn check_order(&self, workflow: WorkflowId) -> Result<(), Refused> {
        let steps: Vec<&WorkflowStep> = self.steps_of(workflow).collect();
        let back = steps.windows(2).find(|pair| pair[0].category > pair[1].category);
        let Some(pair) = back else { return Ok(()) };
        let reason = format!(
            "steps go from TO_DO over IN_PROGRESS to DONE and DISCARDED, but {} ({}) would come before {} ({})",
            quoted(&pair[0].name),
            pair[0].category,
            quoted(&pair[1].name),
            pair[1].category,
        );
        Err(invalid("position", reason))
    }

    pub(super) fn put_status_mapping(&mut self, put: Put<StatusMapping>) -> Result<(), Refused> {
        let Put { mut row, seen } = put;
        row.status = named(&row.status, "status", LONGEST_STATUS)?;
        row.issue_type =
            row.issue_type.map(|name| named(&name, "issue_type", LONGEST_STATUS)).transpose()?;
        self.check_scope(row.scope)?;
        let step = find(&self.steps, row.step)?;
        self.check_reach(row.scope, step.scope, "step_id")?;
        let key = |mapping: &StatusMapping| {
            (mapping.scope, mapping.issue_type.as_deref().map(folded), folded(&mapping.status))
        };
        if self.status_mappings.iter().any(|other| other.id != row.id && key(other) == key(&row)) {
            let of_type = row.issue_type.as_ref().map(|name| format!(" of {}", quoted(name)));
            let name = quoted(&row.status) + &of_type.unwrap_or_default();
            return Err(Refused::Taken { noun: StatusMapping::NOUN, name });
        }
        put_row(&mut self.status_mappings, row, seen)?;
        Ok(())
    }

    pub(super) fn put_issue_type_mapping(
        &mut self,
        put: Put<IssueTypeMapping>,
    ) -> Result<(), Refused> {
        let Put { mut row, seen } = put;
        row.issue_type = named(&row.issue_type, "issue_type", LONGEST_STATUS)?;
        row.mapped_to = named(&row.mapped_to, "mapped_to", LONGEST_NAME)?;
        self.check_scope(row.scope)?;
        if let Some(workflow) = row.workflow {
            let workflow = find(&self.workflows, workflow)?;
            self.check_reach(row.scope, workflow.scope, "workflow_id")?;
        }
        let twin = |other: &&IssueTypeMapping| {
            other.id != row.id
                && other.scope == row.scope
                && folded(&other.issue_type) == folded(&row.issue_type)
        };
        if let Some(other) = self.issue_type_mappings.iter().find(twin) {
            let name = quoted(&other.issue_type);
            return Err(Refused::Taken { noun: IssueTypeMapping::NOUN, name });
        }
        let id = row.id;
        put_row(&mut self.issue_type_mappings, row, seen)?;
        self.check_hierarchy(id)
    }

    /// A type may not be above itself, and what is above has a higher level.
    pub(super) fn check_hierarchy(&self, changed: IssueTypeMappingId) -> Result<(), Refused> {
        let mut at = find(&self.issue_type_mappings, changed)?;
        while let Some(parent) = at.parent {
            if parent == changed {
                return Err(invalid("parent_id", "makes a circle: the type would be above itself"));
            }
            at = find(&self.issue_type_mappings, parent)?;
        }
        for mapping in &self.issue_type_mappings {
            let Some(parent) = mapping.parent else { continue };
            if mapping.id != changed && parent != changed {
                continue;
            }
            let parent = find(&self.issue_type_mappings, parent)?;
            if parent.hierarchy_level <= mapping.hierarchy_level {
                let reason = format!(
                    "must be lower than that of the type above: {} has {}, {} has {}",
                    quoted(&mapping.issue_type),
                    mapping.hierarchy_level,
                    quoted(&parent.issue_type),
                    parent.hierarchy_level,
                );
                return Err(invalid("hierarchy_level", reason));
            }
        }
        Ok(())
    }
}

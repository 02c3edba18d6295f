//! Changes to a configuration: each is checked as a whole before anything is kept.

use super::{
    Configuration, IssueTypeMapping, Refused, Scope, StatusMapping, StepCategory, Uses, Workflow,
    WorkflowStep,
};
use crate::ids::{IntegrationId, IssueTypeMappingId, StatusMappingId, WorkflowId, WorkflowStepId};
use crate::text::folded;

const LONGEST_NAME: usize = 100;
const LONGEST_STATUS: usize = 255;

/// What a person wants to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new or changed workflow.
    PutWorkflow(Put<Workflow>),
    /// A new or changed step. Its position is where it goes, and the others make room; 0 is the end.
    PutStep {
        /// The step.
        put: Put<WorkflowStep>,
        /// It takes the commitment point from whichever step has it.
        moves_commitment: bool,
    },
    /// A new or changed mapping of a status.
    PutStatusMapping(Put<StatusMapping>),
    /// A new or changed mapping of an issue type.
    PutIssueTypeMapping(Put<IssueTypeMapping>),
    /// A workflow goes, and its steps with it. What hangs on them goes to the other workflow's first
    /// active step of the same category.
    DeleteWorkflow(Delete<WorkflowId>),
    /// A step goes. Its mappings, and the commitment point if it has it, go to the other step.
    DeleteStep(Delete<WorkflowStepId>),
    /// A mapping of a status goes.
    DeleteStatusMapping(Delete<StatusMappingId>),
    /// A mapping of an issue type goes. The types below it go below the other one.
    DeleteIssueTypeMapping(Delete<IssueTypeMappingId>),
}

/// A row as it should be; its version is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put<Row> {
    /// The row.
    pub row: Row,
    /// What the caller knows of the one that is there.
    pub seen: Seen,
}

/// A row that should go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delete<Id> {
    /// Which.
    pub id: Id,
    /// What the caller knows of it.
    pub seen: Seen,
    /// What takes its place for the rows that hang on it.
    pub reassign_to: Option<Id>,
}

/// What the caller knows of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// There is none yet.
    New,
    /// There is one, whatever it says.
    Any,
    /// It had this version.
    Version(i64),
}

/// What the four nouns have in common.
trait Row {
    type Id: Copy + PartialEq;
    const NOUN: &'static str;
    fn id(&self) -> Self::Id;
    fn version(&self) -> i64;
    fn set_version(&mut self, version: i64);
}

macro_rules! rows {
    ($($row:ty, $id:ty, $noun:literal);+ $(;)?) => {$(
        impl Row for $row {
            type Id = $id;
            const NOUN: &'static str = $noun;

            fn id(&self) -> $id {
                self.id
            }

            fn version(&self) -> i64 {
                self.version
            }

            fn set_version(&mut self, version: i64) {
                self.version = version;
            }
        }
    )+};
}

rows! {
    Workflow, WorkflowId, "workflow";
    WorkflowStep, WorkflowStepId, "workflow step";
    StatusMapping, StatusMappingId, "status mapping";
    IssueTypeMapping, IssueTypeMappingId, "issue type mapping";
}

impl Configuration {
    /// The configuration after `change`. The default gives way to the first workflow that a person
    /// makes.
    ///
    /// # Errors
    /// Why the change cannot be.
    pub fn apply(&self, change: Change) -> Result<Configuration, Refused> {
        let mut next = self.clone();
        match change {
            Change::PutWorkflow(put) => next.put_workflow(put)?,
            Change::PutStep { put, moves_commitment } => next.put_step(put, moves_commitment)?,
            Change::PutStatusMapping(put) => next.put_status_mapping(put)?,
            Change::PutIssueTypeMapping(put) => next.put_issue_type_mapping(put)?,
            Change::DeleteWorkflow(delete) => next.delete_workflow(delete)?,
            Change::DeleteStep(delete) => next.delete_step(delete)?,
            Change::DeleteStatusMapping(delete) => {
                seen(&next.status_mappings, delete.id, delete.seen)?;
                if delete.reassign_to.is_some() {
                    return Err(invalid(
                        "reassign_to",
                        "nothing hangs on a status mapping; change its step instead",
                    ));
                }
                next.status_mappings.retain(|mapping| mapping.id != delete.id);
            }
            Change::DeleteIssueTypeMapping(delete) => next.delete_issue_type_mapping(delete)?,
        }
        Ok(next)
    }

    /// What hangs on a workflow.
    ///
    /// # Errors
    /// There is no such workflow; so for the others here.
    pub fn uses_of_workflow(&self, id: WorkflowId) -> Result<Uses, Refused> {
        find(&self.workflows, id)?;
        let on_steps = self
            .status_mappings
            .iter()
            .filter(|mapping| self.step(mapping.step).is_some_and(|step| step.workflow == id));
        Ok(Uses {
            steps: self.steps_of(id).count(),
            status_mappings: on_steps.count(),
            issue_type_mappings: self
                .issue_type_mappings
                .iter()
                .filter(|mapping| mapping.workflow == Some(id))
                .count(),
        })
    }

    /// What hangs on a step.
    ///
    /// # Errors
    /// See [`Configuration::uses_of_workflow`].
    pub fn uses_of_step(&self, id: WorkflowStepId) -> Result<Uses, Refused> {
        find(&self.steps, id)?;
        let mappings = self.status_mappings.iter().filter(|mapping| mapping.step == id);
        Ok(Uses { status_mappings: mappings.count(), ..Uses::default() })
    }

    /// What hangs on a mapping of an issue type.
    ///
    /// # Errors
    /// See [`Configuration::uses_of_workflow`].
    pub fn uses_of_issue_type_mapping(&self, id: IssueTypeMappingId) -> Result<Uses, Refused> {
        find(&self.issue_type_mappings, id)?;
        let below = self.issue_type_mappings.iter().filter(|mapping| mapping.parent == Some(id));
        Ok(Uses { issue_type_mappings: below.count(), ..Uses::default() })
    }

    fn put_workflow(&mut self, put: Put<Workflow>) -> Result<(), Refused> {
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

    fn put_step(&mut self, put: Put<WorkflowStep>, moves_commitment: bool) -> Result<(), Refused> {
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
            if matches!(row.category, StepCategory::Done | StepCategory::Discarded) {
                return Err(invalid(
                    "commitment_point",
                    "must lie before the work is over: in a step of TO_DO or IN_PROGRESS",
                ));
            }
            self.claim_commitment(&row, moves_commitment)?;
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
    fn line_up(
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

    fn claim_commitment(&mut self, row: &WorkflowStep, moves: bool) -> Result<(), Refused> {
        let marked = |step: &&mut WorkflowStep| {
            step.id != row.id && step.scope == row.scope && step.commitment
        };
        let Some(present) = self.steps.iter_mut().find(marked) else { return Ok(()) };
        if moves {
            present.commitment = false;
            present.version += 1;
            return Ok(());
        }
        let (step, workflow) = (present.name.clone(), present.workflow);
        Err(Refused::SecondCommitment {
            scope: self.scope_name(row.scope),
            step,
            workflow: find(&self.workflows, workflow)?.name.clone(),
        })
    }

    fn put_status_mapping(&mut self, put: Put<StatusMapping>) -> Result<(), Refused> {
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

    fn put_issue_type_mapping(&mut self, put: Put<IssueTypeMapping>) -> Result<(), Refused> {
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
    fn check_hierarchy(&self, changed: IssueTypeMappingId) -> Result<(), Refused> {
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

    fn delete_workflow(&mut self, delete: Delete<WorkflowId>) -> Result<(), Refused> {
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

    fn delete_step(&mut self, delete: Delete<WorkflowStepId>) -> Result<(), Refused> {
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

    fn delete_issue_type_mapping(
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

    fn check_scope(&self, scope: Scope) -> Result<(), Refused> {
        let Some(id) = scope else { return Ok(()) };
        self.connection_name(id).map(|_| ()).ok_or(Refused::Missing { noun: "integration" })
    }

    /// What holds for one connection may lean on what holds for it or for all; what holds for all
    /// may lean only on what does so, too.
    fn check_reach(&self, from: Scope, to: Scope, field: &'static str) -> Result<(), Refused> {
        if to.is_none() || to == from {
            return Ok(());
        }
        let reason = format!("belongs to {}, which is out of reach here", self.scope_name(to));
        Err(invalid(field, reason))
    }

    fn connection_name(&self, id: IntegrationId) -> Option<&str> {
        self.connections.iter().find(|known| known.id == id).map(|known| known.name.as_str())
    }

    fn scope_name(&self, scope: Scope) -> String {
        match scope.and_then(|id| self.connection_name(id)) {
            Some(name) => format!("the connection {}", quoted(name)),
            None => "all connections".to_owned(),
        }
    }
}

fn invalid(field: &'static str, reason: impl Into<String>) -> Refused {
    Refused::Invalid { field, reason: reason.into() }
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn named(name: &str, field: &'static str, longest: usize) -> Result<String, Refused> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > longest {
        return Err(invalid(field, format!("must have 1 to {longest} characters")));
    }
    Ok(name.to_owned())
}

fn find<R: Row>(rows: &[R], id: R::Id) -> Result<&R, Refused> {
    rows.iter().find(|row| row.id() == id).ok_or(Refused::Missing { noun: R::NOUN })
}

fn seen<R: Row>(rows: &[R], id: R::Id, seen: Seen) -> Result<&R, Refused> {
    let row = find(rows, id)?;
    match seen {
        Seen::Version(version) if version != row.version() => Err(Refused::Stale { noun: R::NOUN }),
        _ => Ok(row),
    }
}

/// The row that takes another's place, which it cannot do itself.
fn reassigned<R: Row>(rows: &[R], id: R::Id, to: Option<R::Id>) -> Result<Option<&R>, Refused> {
    let Some(to) = to else { return Ok(None) };
    if to == id {
        return Err(invalid("reassign_to", "must be another one than what is deleted"));
    }
    find(rows, to).map(Some)
}

/// Puts a row into its place, and tells what was there.
fn put_row<R: Row>(rows: &mut Vec<R>, mut row: R, known: Seen) -> Result<Option<R>, Refused> {
    if known == Seen::New {
        row.set_version(1);
        rows.push(row);
        return Ok(None);
    }
    let version = seen(rows, row.id(), known)?.version();
    row.set_version(version + 1);
    let place = rows.iter_mut().find(|other| other.id() == row.id());
    let place = place.ok_or(Refused::Missing { noun: R::NOUN })?;
    Ok(Some(std::mem::replace(place, row)))
}

//! Changes to a configuration: each is checked as a whole before anything is kept.

use super::{
    Configuration, IssueTypeMapping, Refused, Scope, StatusMapping, Uses, Workflow, WorkflowStep,
};
use crate::ids::{IntegrationId, IssueTypeMappingId, StatusMappingId, WorkflowId, WorkflowStepId};

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
    /// A workflow goes, and its steps with it. What hangs on them, and the commitment point, goes to
    /// the other workflow's first active step of the same category.
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
pub(super) trait Row {
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
    /// The configuration after one change; see [`Configuration::apply_all`].
    ///
    /// # Errors
    /// Why the change cannot be.
    pub fn apply(&self, change: Change) -> Result<Configuration, Refused> {
        self.apply_all([change])
    }

    /// The configuration after some changes, one after another. The default gives way to the first
    /// workflow that a person makes.
    ///
    /// # Errors
    /// Why the first change cannot be that cannot, or what all of them together must not leave.
    pub fn apply_all(
        &self,
        changes: impl IntoIterator<Item = Change>,
    ) -> Result<Configuration, Refused> {
        let next = changes.into_iter().try_fold(self.clone(), Configuration::then)?;
        next.check_commitment(self)?;
        Ok(next)
    }

    /// The configuration between one change and the next of a list, where a mark may be missing or be
    /// there twice.
    ///
    /// # Errors
    /// See [`Configuration::apply`].
    pub fn then(mut self, change: Change) -> Result<Configuration, Refused> {
        self.make(change)?;
        Ok(self)
    }

    fn make(&mut self, change: Change) -> Result<(), Refused> {
        match change {
            Change::PutWorkflow(put) => self.put_workflow(put),
            Change::PutStep { put, moves_commitment } => self.put_step(put, moves_commitment),
            Change::PutStatusMapping(put) => self.put_status_mapping(put),
            Change::PutIssueTypeMapping(put) => self.put_issue_type_mapping(put),
            Change::DeleteWorkflow(delete) => self.delete_workflow(delete),
            Change::DeleteStep(delete) => self.delete_step(delete),
            Change::DeleteStatusMapping(delete) => self.delete_status_mapping(delete),
            Change::DeleteIssueTypeMapping(delete) => self.delete_issue_type_mapping(delete),
        }
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

    pub(super) fn check_scope(&self, scope: Scope) -> Result<(), Refused> {
        let Some(id) = scope else { return Ok(()) };
        self.connection_name(id).map(|_| ()).ok_or(Refused::Missing { noun: "integration" })
    }

    /// What holds for one connection may lean on what holds for it or for all; what holds for all
    /// may lean only on what does so, too.
    pub(super) fn check_reach(
        &self,
        from: Scope,
        to: Scope,
        field: &'static str,
    ) -> Result<(), Refused> {
        if to.is_none() || to == from {
            return Ok(());
        }
        let reason = format!("belongs to {}, which is out of reach here", self.scope_name(to));
        Err(invalid(field, reason))
    }

    fn connection_name(&self, id: IntegrationId) -> Option<&str> {
        self.connections.iter().find(|known| known.id == id).map(|known| known.name.as_str())
    }

    pub(super) fn scope_name(&self, scope: Scope) -> String {
        match scope.and_then(|id| self.connection_name(id)) {
            Some(name) => format!("the connection {}", quoted(name)),
            None => "all connections".to_owned(),
        }
    }
}

pub(super) fn invalid(field: &'static str, reason: impl Into<String>) -> Refused {
    Refused::Invalid { field, reason: reason.into() }
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

pub(super) fn named(name: &str, field: &'static str, longest: usize) -> Result<String, Refused> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > longest {
        return Err(invalid(field, format!("must have 1 to {longest} characters")));
    }
    Ok(name.to_owned())
}

pub(super) fn find<R: Row>(rows: &[R], id: R::Id) -> Result<&R, Refused> {
    rows.iter().find(|row| row.id() == id).ok_or(Refused::Missing { noun: R::NOUN })
}

pub(super) fn seen<R: Row>(rows: &[R], id: R::Id, seen: Seen) -> Result<&R, Refused> {
    let row = find(rows, id)?;
    match seen {
        Seen::Version(version) if version != row.version() => Err(Refused::Stale { noun: R::NOUN }),
        _ => Ok(row),
    }
}

/// The row that takes another's place, which it cannot do itself.
pub(super) fn reassigned<R: Row>(
    rows: &[R],
    id: R::Id,
    to: Option<R::Id>,
) -> Result<Option<&R>, Refused> {
    let Some(to) = to else { return Ok(None) };
    if to == id {
        return Err(invalid("reassign_to", "must be another one than what is deleted"));
    }
    find(rows, to).map(Some)
}

/// What takes another's place must count, or nothing that goes there would.
pub(super) fn check_counts(name: &str, counts: bool) -> Result<(), Refused> {
    if counts {
        return Ok(());
    }
    let reason = format!(
        "{} is switched off, so nothing that goes there would count; switch it on first, or choose another",
        quoted(name)
    );
    Err(invalid("reassign_to", reason))
}

/// Puts a row into its place, and tells what was there.
pub(super) fn put_row<R: Row>(
    rows: &mut Vec<R>,
    mut row: R,
    known: Seen,
) -> Result<Option<R>, Refused> {
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

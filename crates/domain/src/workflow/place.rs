//! Which step an issue stands in, or why it counts nowhere.

use std::collections::HashMap;

use super::{Configuration, IssueTypeMapping, Scope, StatusMapping, WorkflowStep};
use crate::ids::{IntegrationId, WorkflowId};
use crate::project::StatusCategory;
use crate::text::{folded, words};

/// The first level that keeps an issue out of the numbers, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Excluded {
    /// Its connection is switched off.
    InactiveIntegration,
    /// Its project is gone or out of scope.
    InactiveProject,
    /// Its type is gone from Jira.
    InactiveIssueType,
    /// The mapping of its type is switched off.
    InactiveIssueTypeMapping,
    /// Its status is gone from Jira.
    InactiveStatus,
    /// The mapping of its status is switched off.
    InactiveStatusMapping,
    /// No mapping names its status.
    UnmappedStatus,
    /// Its workflow is switched off.
    InactiveWorkflow,
    /// Its step is switched off.
    InactiveWorkflowStep,
    /// It was deleted.
    InactiveIssue,
}

words!("reason of exclusion", Excluded {
    InactiveIntegration = "inactive_integration",
    InactiveProject = "inactive_project",
    InactiveIssueType = "inactive_issue_type",
    InactiveIssueTypeMapping = "inactive_issue_type_mapping",
    InactiveStatus = "inactive_status",
    InactiveStatusMapping = "inactive_status_mapping",
    UnmappedStatus = "unmapped_status",
    InactiveWorkflow = "inactive_workflow",
    InactiveWorkflowStep = "inactive_workflow_step",
    InactiveIssue = "inactive_issue",
});

/// A configuration, made ready to be asked often.
pub struct Places<'a> {
    configuration: &'a Configuration,
    statuses: HashMap<(Scope, Option<String>, String), &'a StatusMapping>,
    types: HashMap<(Scope, String), &'a IssueTypeMapping>,
}

impl<'a> Places<'a> {
    /// Over a configuration.
    pub fn new(configuration: &'a Configuration) -> Places<'a> {
        let statuses = configuration.status_mappings.iter().map(|mapping| {
            let issue_type = mapping.issue_type.as_deref().map(folded);
            ((mapping.scope, issue_type, folded(&mapping.status)), mapping)
        });
        let types = configuration
            .issue_type_mappings
            .iter()
            .map(|mapping| ((mapping.scope, folded(&mapping.issue_type)), mapping));
        Places { configuration, statuses: statuses.collect(), types: types.collect() }
    }

    /// The mapping of an issue type: the connection's own before that of all.
    pub fn issue_type(
        &self,
        integration: IntegrationId,
        issue_type: &str,
    ) -> Option<&'a IssueTypeMapping> {
        let name = folded(issue_type);
        let of = |scope| self.types.get(&(scope, name.clone())).copied();
        of(Some(integration)).or_else(|| of(None))
    }

    /// The mapping that decides about a status, most specific first: the connection's before that of
    /// all, and within each that of the type before that of any type.
    pub fn status(
        &self,
        integration: IntegrationId,
        issue_type: &str,
        status: &str,
    ) -> Option<&'a StatusMapping> {
        let status = folded(status);
        let mapped = self.issue_type(integration, issue_type);
        let workflow = mapped.and_then(|mapping| mapping.workflow);
        let mapped = mapped.map(|mapping| folded(&mapping.mapped_to));
        let types = [Some(folded(issue_type)), mapped];
        let types = types.into_iter().flatten().map(Some).chain([None]);
        let types: Vec<Option<String>> = types.collect();
        for scope in [Some(integration), None] {
            for issue_type in &types {
                let key = (scope, issue_type.clone(), status.clone());
                if let Some(mapping) = self.statuses.get(&key)
                    && self.is_within(mapping, workflow)
                {
                    return Some(mapping);
                }
            }
        }
        None
    }

    /// The step of an issue of this type in this status. `category` is Jira's own grouping of the
    /// status, where the status is still known.
    ///
    /// # Errors
    /// The first level of the configuration that keeps it out.
    pub fn step(
        &self,
        integration: IntegrationId,
        issue_type: &str,
        status: &str,
        category: Option<StatusCategory>,
    ) -> Result<&'a WorkflowStep, Excluded> {
        let type_mapping = self.issue_type(integration, issue_type);
        if type_mapping.is_some_and(|mapping| !mapping.active) {
            return Err(Excluded::InactiveIssueTypeMapping);
        }
        let step = match self.status(integration, issue_type, status) {
            Some(mapping) if !mapping.active => return Err(Excluded::InactiveStatusMapping),
            Some(mapping) => self.configuration.step(mapping.step),
            None => self.taken_by(integration, type_mapping.and_then(|m| m.workflow), category),
        };
        let step = step.ok_or(Excluded::UnmappedStatus)?;
        if !self.configuration.is_active(step.workflow) {
            return Err(Excluded::InactiveWorkflow);
        }
        if !step.active {
            return Err(Excluded::InactiveWorkflowStep);
        }
        Ok(step)
    }

    fn is_within(&self, mapping: &StatusMapping, workflow: Option<WorkflowId>) -> bool {
        let Some(workflow) = workflow else { return true };
        self.configuration.step(mapping.step).is_some_and(|step| step.workflow == workflow)
    }

    fn taken_by(
        &self,
        integration: IntegrationId,
        workflow: Option<WorkflowId>,
        category: Option<StatusCategory>,
    ) -> Option<&'a WorkflowStep> {
        let category = category?;
        let takes = |scope: Scope| {
            self.configuration.steps.iter().find(|step| {
                step.scope == scope
                    && step.takes == Some(category)
                    && workflow.is_none_or(|workflow| step.workflow == workflow)
            })
        };
        takes(Some(integration)).or_else(|| takes(None))
    }
}

//! Rows of what a client says about its delivery.

use diesel::prelude::*;
use domain::rules::{DeploymentRule, EnvironmentRule, FieldValues, IncidentRule, ProjectRule};

use crate::Error;
use crate::schema::{bot_rules, deployment_rules, incident_rules, project_rules, rule_versions};
use crate::types::{Id, Json};

/// A row of `deployment_rules`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = deployment_rules, treat_none_as_default_value = false)]
pub(crate) struct DeploymentRuleRow {
    pub(crate) client_id: Id,
    pub(crate) position: i32,
    pub(crate) repository: String,
    pub(crate) source: String,
    pub(crate) pattern: Option<String>,
    pub(crate) environments: Json,
}

/// A row of `incident_rules`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = incident_rules, treat_none_as_default_value = false)]
pub(crate) struct IncidentRuleRow {
    pub(crate) client_id: Id,
    pub(crate) position: i32,
    pub(crate) integration_id: Option<Id>,
    pub(crate) issue_types: Json,
    pub(crate) labels: Json,
    pub(crate) components: Json,
    pub(crate) fields: Json,
    pub(crate) started_at_field: Option<String>,
    pub(crate) deployment_field: Option<String>,
    pub(crate) window_hours: Option<i64>,
}

/// A row of `bot_rules`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = bot_rules)]
pub(crate) struct BotRuleRow {
    pub(crate) client_id: Id,
    pub(crate) position: i32,
    pub(crate) login: String,
}

/// A row of `project_rules`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = project_rules)]
pub(crate) struct ProjectRuleRow {
    pub(crate) client_id: Id,
    pub(crate) position: i32,
    pub(crate) project: String,
    pub(crate) repositories: Json,
}

/// What a row of `rule_versions` says of rules that somebody may have seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = rule_versions)]
pub(crate) struct RuleVersions {
    pub(crate) deployments: i64,
    pub(crate) incidents: i64,
    pub(crate) bots: i64,
    pub(crate) projects: i64,
}

impl DeploymentRuleRow {
    pub(crate) fn new(client: Id, position: i32, rule: &DeploymentRule) -> DeploymentRuleRow {
        let pairs = rule.environments.iter().map(|to| (&*to.pattern, &*to.environment));
        DeploymentRuleRow {
            client_id: client,
            position,
            repository: rule.repository.clone(),
            source: rule.source.clone(),
            pattern: rule.pattern.clone(),
            environments: Json::pairs(&pairs.collect::<Vec<_>>()),
        }
    }
}

impl TryFrom<DeploymentRuleRow> for DeploymentRule {
    type Error = Error;

    fn try_from(row: DeploymentRuleRow) -> Result<DeploymentRule, Error> {
        let to = |(pattern, environment)| EnvironmentRule { pattern, environment };
        Ok(DeploymentRule {
            repository: row.repository,
            source: row.source,
            pattern: row.pattern,
            environments: row.environments.to_pairs()?.into_iter().map(to).collect(),
        })
    }
}

impl ProjectRuleRow {
    pub(crate) fn new(client: Id, position: i32, rule: &ProjectRule) -> ProjectRuleRow {
        ProjectRuleRow {
            client_id: client,
            position,
            project: rule.project.clone(),
            repositories: Json::texts(&rule.repositories),
        }
    }
}

impl TryFrom<ProjectRuleRow> for ProjectRule {
    type Error = Error;

    fn try_from(row: ProjectRuleRow) -> Result<ProjectRule, Error> {
        Ok(ProjectRule { project: row.project, repositories: row.repositories.to_texts()? })
    }
}

impl IncidentRuleRow {
    pub(crate) fn new(client: Id, position: i32, rule: &IncidentRule) -> IncidentRuleRow {
        IncidentRuleRow {
            client_id: client,
            position,
            integration_id: rule.integration.map(Id::from),
            issue_types: Json::texts(&rule.issue_types),
            labels: Json::texts(&rule.labels),
            components: Json::texts(&rule.components),
            fields: Json::lists(
                rule.fields.iter().map(|of| (of.field.as_str(), of.values.as_slice())),
            ),
            started_at_field: rule.started_at_field.clone(),
            deployment_field: rule.deployment_field.clone(),
            window_hours: rule.window_hours,
        }
    }
}

impl TryFrom<IncidentRuleRow> for IncidentRule {
    type Error = Error;

    fn try_from(row: IncidentRuleRow) -> Result<IncidentRule, Error> {
        let values = |(field, values)| FieldValues { field, values };
        Ok(IncidentRule {
            integration: row.integration_id.map(Into::into),
            issue_types: row.issue_types.to_texts()?,
            labels: row.labels.to_texts()?,
            components: row.components.to_texts()?,
            fields: row.fields.to_lists()?.into_iter().map(values).collect(),
            started_at_field: row.started_at_field,
            deployment_field: row.deployment_field,
            window_hours: row.window_hours,
        })
    }
}

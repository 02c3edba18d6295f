//! Which issues are incidents, and how far back the deployment that caused one may lie.

use chrono::TimeDelta;

use super::{Faults, MOST_NAMES, MOST_RULES, Refused};
use crate::ids::IntegrationId;
use crate::text::folded;
use crate::workflow::Connection;

const DAY_HOURS: i64 = 24;
const LONGEST_WINDOW_HOURS: i64 = 10 * 366 * 24;

/// A custom field, and what it says of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldValues {
    /// The id of the field.
    pub field: String,
    /// Any of these is meant: a choice, or a text of one word.
    pub values: Vec<String>,
}

/// A rule as a person writes it: an issue that has any of the names or values is an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentRule {
    /// The only connection whose issues are meant.
    pub integration: Option<IntegrationId>,
    /// Names of issue types.
    pub issue_types: Vec<String>,
    /// Labels.
    pub labels: Vec<String>,
    /// Names of components.
    pub components: Vec<String>,
    /// Values of custom fields.
    pub fields: Vec<FieldValues>,
    /// The id of the custom field that says when it began; when its issue was made if nothing is said.
    pub started_at_field: Option<String>,
    /// The id of the custom field that names the deployment which caused it.
    pub deployment_field: Option<String>,
    /// How long before an incident the deployment that caused it may have finished; any time if
    /// nothing is said.
    pub window_hours: Option<i64>,
}

/// Rules of a client that can be followed.
#[derive(Debug, Clone)]
pub struct IncidentRules {
    written: Vec<IncidentRule>,
    read: Vec<Read>,
}

/// A rule with its names as they are compared.
#[derive(Debug, Clone)]
struct Read {
    issue_types: Vec<String>,
    labels: Vec<String>,
    components: Vec<String>,
    fields: Vec<FieldValues>,
}

/// What the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Suspect<'a> {
    /// The issue's connection.
    pub integration: IntegrationId,
    /// The name of its type.
    pub issue_type: &'a str,
    /// Its labels.
    pub labels: &'a [String],
    /// Names of its components.
    pub components: &'a [String],
    /// Ids of its custom fields, and what they hold.
    pub values: &'a [(String, String)],
}

impl Default for IncidentRules {
    /// Issues of the types that Jira's own templates have for incidents, and a day.
    fn default() -> IncidentRules {
        let rule = IncidentRule {
            integration: None,
            issue_types: vec!["Incident".to_owned(), "[System] Incident".to_owned()],
            labels: Vec::new(),
            components: Vec::new(),
            fields: Vec::new(),
            started_at_field: None,
            deployment_field: None,
            window_hours: Some(DAY_HOURS),
        };
        IncidentRules::check(vec![rule], &[]).expect("the default has no fault")
    }
}

impl IncidentRule {
    /// How long before an incident the deployment that caused it may have finished.
    pub fn window(&self) -> Option<TimeDelta> {
        self.window_hours.map(TimeDelta::hours)
    }
}

impl IncidentRules {
    /// Reads what a person wrote about the issues of these connections.
    ///
    /// # Errors
    /// Everything that is wrong with it, and where.
    pub fn check(
        written: Vec<IncidentRule>,
        connections: &[Connection],
    ) -> Result<IncidentRules, Refused> {
        let mut faults = Faults::default();
        faults.check_count("rules", written.len(), MOST_RULES);
        let written: Vec<IncidentRule> = written
            .into_iter()
            .enumerate()
            .map(|(at, rule)| check_rule(&mut faults, &format!("rules[{at}]"), rule, connections))
            .collect();
        let names = |names: &[String]| names.iter().map(|name| folded(name)).collect();
        let read = written.iter().map(|rule| Read {
            issue_types: names(&rule.issue_types),
            labels: names(&rule.labels),
            components: names(&rule.components),
            fields: rule.fields.iter().map(folded_values).collect(),
        });
        let read = read.collect();
        faults.or(IncidentRules { written, read })
    }

    /// As they were written.
    pub fn written(&self) -> &[IncidentRule] {
        &self.written
    }

    /// The first rule by which an issue is an incident.
    pub fn of(&self, issue: Suspect<'_>) -> Option<&IncidentRule> {
        let (_, rule) = self.rules_for(issue.integration).find(|(read, _)| {
            read.issue_types.contains(&folded(issue.issue_type))
                || issue.labels.iter().any(|label| read.labels.contains(&folded(label)))
                || issue.components.iter().any(|name| read.components.contains(&folded(name)))
                || issue.values.iter().any(|(field, value)| read.has(field, value))
        })?;
        Some(rule)
    }

    /// Whether all issues of a type are incidents, whatever else they say.
    pub fn mean_type(&self, integration: IntegrationId, issue_type: &str) -> bool {
        let name = folded(issue_type);
        self.rules_for(integration).any(|(read, _)| read.issue_types.contains(&name))
    }

    /// Whether an issue of any type may be an incident, by its labels or components.
    pub fn look_at_names(&self, integration: IntegrationId) -> bool {
        self.rules_for(integration)
            .any(|(read, _)| !read.labels.is_empty() || !read.components.is_empty())
    }

    /// Whether an issue of any type may be an incident, by what its custom fields hold.
    pub fn look_at_fields(&self, integration: IntegrationId) -> bool {
        self.rules_for(integration).any(|(read, _)| !read.fields.is_empty())
    }

    fn rules_for(
        &self,
        integration: IntegrationId,
    ) -> impl Iterator<Item = (&Read, &IncidentRule)> {
        self.read
            .iter()
            .zip(&self.written)
            .filter(move |(_, rule)| rule.integration.is_none_or(|only| only == integration))
    }
}

impl Read {
    /// Whether a field that holds this makes an incident.
    fn has(&self, field: &str, value: &str) -> bool {
        let mut meant = self.fields.iter().filter(|meant| meant.field == field);
        meant.any(|meant| meant.values.contains(&folded(value)))
    }
}

fn folded_values(written: &FieldValues) -> FieldValues {
    let values = written.values.iter().map(|value| folded(value)).collect();
    FieldValues { field: written.field.clone(), values }
}

fn check_rule(
    faults: &mut Faults,
    path: &str,
    rule: IncidentRule,
    connections: &[Connection],
) -> IncidentRule {
    let is_known = |id: IntegrationId| connections.iter().any(|known| known.id == id);
    if rule.integration.is_some_and(|id| !is_known(id)) {
        faults.add(format!("{path}.integration_id"), "must be one of your Jira integrations");
    }
    let mut names = |field: &str, names: Vec<String>| -> Vec<String> {
        let place = format!("{path}.{field}");
        faults.check_count(&place, names.len(), MOST_NAMES);
        names
            .iter()
            .enumerate()
            .map(|(at, name)| faults.name(format!("{place}[{at}]"), name))
            .collect()
    };
    let issue_types = names("issue_types", rule.issue_types);
    let labels = names("labels", rule.labels);
    let components = names("components", rule.components);
    let fields = check_fields(faults, path, rule.fields);
    if issue_types.is_empty() && labels.is_empty() && components.is_empty() && fields.is_empty() {
        faults.add(
            format!("{path}.issue_types"),
            "must name a type, or labels, components or fields must name something",
        );
    }
    let mut field = |name: &str, what: &str, id: Option<String>| {
        let id = id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
        if id.as_ref().is_some_and(|id| !is_custom_field(id)) {
            let reason =
                format!("must be the id of a field with {what}, for example customfield_10060");
            faults.add(format!("{path}.{name}"), reason);
        }
        id
    };
    let started_at_field = field("started_at_field", "a date and time", rule.started_at_field);
    let deployment_field = field("deployment_field", "a short text", rule.deployment_field);
    if let Some(hours) = rule.window_hours
        && !(1..=LONGEST_WINDOW_HOURS).contains(&hours)
    {
        faults.add(
            format!("{path}.window_hours"),
            format!("is {hours}, but must be 1 to {LONGEST_WINDOW_HOURS}, or null for any time"),
        );
    }
    IncidentRule {
        issue_types,
        labels,
        components,
        fields,
        started_at_field,
        deployment_field,
        ..rule
    }
}

fn check_fields(faults: &mut Faults, path: &str, written: Vec<FieldValues>) -> Vec<FieldValues> {
    faults.check_count(&format!("{path}.fields"), written.len(), MOST_NAMES);
    let mut checked = Vec::with_capacity(written.len());
    for (at, FieldValues { field, values }) in written.into_iter().enumerate() {
        let place = format!("{path}.fields[{at}]");
        let field = field.trim().to_owned();
        if !is_custom_field(&field) {
            let reason = "must be the id of a field with choices or a short text, for example customfield_10050";
            faults.add(format!("{place}.field"), reason);
        }
        if values.is_empty() {
            faults.add(format!("{place}.values"), "must have at least one value");
        }
        faults.check_count(&format!("{place}.values"), values.len(), MOST_NAMES);
        let values = values.iter().enumerate();
        let values =
            values.map(|(n, value)| faults.name(format!("{place}.values[{n}]"), value)).collect();
        checked.push(FieldValues { field, values });
    }
    checked
}

/// Names of fields repeat and change, their ids do not.
fn is_custom_field(id: &str) -> bool {
    let number = id.strip_prefix("customfield_").unwrap_or_default();
    !number.is_empty() && number.len() < 20 && number.bytes().all(|byte| byte.is_ascii_digit())
}

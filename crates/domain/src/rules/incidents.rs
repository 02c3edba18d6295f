//! Which issues are incidents, and how far back the deployment that caused one may lie.

use chrono::TimeDelta;

use super::{Faults, MOST_NAMES, MOST_RULES, Refused};
use crate::ids::IntegrationId;
use crate::text::folded;
use crate::workflow::Connection;

const DAY_HOURS: i64 = 24;
const LONGEST_WINDOW_HOURS: i64 = 10 * 366 * 24;

/// A rule as a person writes it: an issue that has any of the names is an incident.
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
}

impl Default for IncidentRules {
    /// Issues of the types that Jira's own templates have for incidents, and a day.
    fn default() -> IncidentRules {
        let rule = IncidentRule {
            integration: None,
            issue_types: vec!["Incident".to_owned(), "[System] Incident".to_owned()],
            labels: Vec::new(),
            components: Vec::new(),
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
    if issue_types.is_empty() && labels.is_empty() && components.is_empty() {
        faults.add(
            format!("{path}.issue_types"),
            "must name a type, or labels or components must name something",
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
    IncidentRule { issue_types, labels, components, started_at_field, deployment_field, ..rule }
}

/// Names of fields repeat and change, their ids do not.
fn is_custom_field(id: &str) -> bool {
    let number = id.strip_prefix("customfield_").unwrap_or_default();
    !number.is_empty() && number.len() < 20 && number.bytes().all(|byte| byte.is_ascii_digit())
}

//! What a client says of its company: mappings, rules, what counts and where its days begin.

use domain::facts::Facts as Page;
use domain::ids::{IssueTypeMappingId, StatusMappingId};
use domain::rules::{DeploymentRule, EnvironmentRule, IncidentRule, IncidentRules, ProjectRule};
use domain::workflow::{Change, Configuration, Delete, IssueTypeMapping, Put, Seen, StatusMapping};
use uuid::Uuid;

use crate::company::{Company, STATUSES};
use crate::house::{CLIENT, named_in};

/// Something that people do at the page, or that a connection is told to read.
#[derive(Debug, Clone)]
pub enum Said {
    Workflow(Change),
    Deployments(Vec<DeploymentRule>),
    Incidents(Vec<IncidentRule>),
    Projects(Vec<ProjectRule>),
    Bots(Vec<String>),
    /// Whether Jira counts, and GitHub.
    Connections(bool, bool),
    Zone(&'static str),
    Listed(Box<Page>),
}

impl Company {
    /// Somebody says something else than before.
    pub fn said(&mut self) -> Said {
        match self.below(12) {
            0..=3 => Said::Workflow(self.of_a_status()),
            4 => {
                let row = self.issue_type_mapping();
                let seen = self.seen(row.id.0);
                Said::Workflow(Change::PutIssueTypeMapping(Put { row, seen }))
            }
            5 => Said::Deployments(self.deployment_rules()),
            6 => {
                let rule = IncidentRules::default().written()[0].clone();
                let issue_types =
                    if self.is() { rule.issue_types.clone() } else { vec!["Story".to_owned()] };
                let window_hours = [None, Some(24), Some(2_000)][self.below(3)];
                Said::Incidents(vec![IncidentRule { issue_types, window_hours, ..named_in(rule) }])
            }
            7 => {
                let of = |project: &str, repository| ProjectRule {
                    project: project.to_owned(),
                    repositories: vec![format!("acme/service-{repository}")],
                };
                let all = [of("PAY", 11), of("OPS", 12), of("OPS", 13)];
                let count = self.below(3);
                Said::Projects(all[..count].to_vec())
            }
            8 => Said::Bots(if self.is() { vec!["eve".to_owned()] } else { Vec::new() }),
            9 => Said::Connections(self.below(4) > 0, self.below(4) > 0),
            10 => Said::Zone(["UTC", "Asia/Tokyo", "America/New_York"][self.below(3)]),
            _ if self.is() => Said::Listed(Box::new(self.other_projects())),
            _ => Said::Listed(Box::new(self.other_repositories())),
        }
    }

    /// A mapping comes, changes or goes.
    fn of_a_status(&mut self) -> Change {
        let row = self.status_mapping();
        if self.below(4) == 0 && self.mapped.remove(&row.id.0) {
            let (id, seen) = (row.id, Seen::Any);
            return Change::DeleteStatusMapping(Delete { id, seen, reassign_to: None });
        }
        let seen = self.seen(row.id.0);
        Change::PutStatusMapping(Put { row, seen })
    }

    /// What is known of a mapping that is put.
    fn seen(&mut self, id: Uuid) -> Seen {
        if self.mapped.insert(id) { Seen::New } else { Seen::Any }
    }

    fn status_mapping(&mut self) -> StatusMapping {
        let status = self.below(STATUSES.len());
        let steps = Configuration::unsaid(CLIENT, Vec::new()).steps;
        StatusMapping {
            id: StatusMappingId(Uuid::from_u128(100 + status as u128)),
            scope: None,
            issue_type: None,
            status: STATUSES[status].1.to_owned(),
            step: steps[self.below(steps.len())].id,
            active: self.below(4) > 0,
            version: 1,
        }
    }

    fn issue_type_mapping(&mut self) -> IssueTypeMapping {
        let issue_type = if self.is() { "Incident" } else { "Story" };
        IssueTypeMapping {
            id: IssueTypeMappingId(Uuid::from_u128(if issue_type == "Story" { 201 } else { 202 })),
            scope: None,
            issue_type: issue_type.to_owned(),
            mapped_to: issue_type.to_owned(),
            hierarchy_level: 0,
            parent: None,
            workflow: None,
            active: self.below(4) > 0,
            version: 1,
        }
    }

    fn deployment_rules(&mut self) -> Vec<DeploymentRule> {
        let to = |pattern: &str| EnvironmentRule {
            pattern: pattern.to_owned(),
            environment: "production".to_owned(),
        };
        let rule =
            |repository: &str, source: &str, pattern: Option<&str>, environments| DeploymentRule {
                repository: repository.to_owned(),
                source: source.to_owned(),
                pattern: pattern.map(str::to_owned),
                environments,
            };
        let all = [
            rule("acme/service-11", "merges", Some("main"), Vec::new()),
            rule("acme/service-12", "deployments", None, vec![to("^staging$")]),
            rule("*", "deployments", None, vec![to("^production$")]),
        ];
        let first = self.below(all.len());
        all[first..].to_vec()
    }
}

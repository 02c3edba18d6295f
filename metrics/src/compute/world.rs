//! What is made of everything that was read of a client. Pure, but for the thread that it is done on.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use domain::Moment;
use domain::deployment::{Deployment, DeploymentOutcome, Shipment};
use domain::rules::{BotRules, DeploymentRules, PRODUCTION, Source};
use store::delivery::{IssueRef, Shipped, Touching};
use store::metrics::{
    Cause, CommentsBy, DeploymentFact, IncidentFact, Link, PullRequestFact, PullRequestLife,
    Repository, ReviewAt,
};

use super::deployments::{self, Deployed, Merge, Placed, UNKNOWN_COMMIT};
use super::graph::Graph;
use super::incidents::{DeploymentRef, Rule};
use super::pull_requests::{self, Around};
use super::references::{Names, Sought};
use super::suspects::Incident;
use super::timelines::{Belongings, Timelines};
use crate::aside::aside;

/// Everything that the rules need to know of a repository.
pub(super) struct SeenRepository {
    pub(super) repository: Repository,
    pub(super) lives: Vec<PullRequestLife>,
    pub(super) reviews: Vec<ReviewAt>,
    pub(super) comments: Vec<CommentsBy>,
    pub(super) commits_under_review: Vec<(i64, Moment)>,
    pub(super) deployments: Vec<Deployment>,
    pub(super) posted: Vec<Deployment>,
    pub(super) shipments: Vec<Shipment>,
    pub(super) commits: Vec<(String, Vec<String>)>,
    pub(super) links: Vec<Link>,
}

/// What has been computed of a client so far.
#[derive(Default)]
pub(super) struct World {
    pull_requests: Vec<PullRequestFact>,
    deployments: BTreeMap<DeploymentRef, DeploymentFact>,
    incidents: Vec<IncidentFact>,
    bots: BotRules,
    sought: Sought,
    /// Pull requests that an incident may name, as far as they came to production.
    shipped: Vec<Shipped>,
    /// Issues by which causes may be found.
    wanted: HashSet<IssueRef>,
    /// Which production deployments brought one of them.
    brought: HashMap<IssueRef, Vec<DeploymentRef>>,
    /// Which production deployments brought what a pull request reverts that is linked to one of them.
    reverted: HashMap<IssueRef, Vec<DeploymentRef>>,
    /// How many incidents deployments of other repositories were said to cause.
    counted: HashMap<DeploymentRef, i64>,
}

impl World {
    /// Nothing yet; causes will be found by these issues, and by what incidents say themselves.
    pub(super) fn new(wanted: HashSet<IssueRef>, sought: Sought, bots: BotRules) -> World {
        World { wanted, sought, bots, ..World::default() }
    }

    /// Takes over what was published of repositories in which nothing changed: their deployments, those
    /// which touched one of the wanted issues, and pull requests that somebody may name.
    pub(super) fn adopt(
        &mut self,
        deployments: impl Iterator<Item = DeploymentFact>,
        brought: impl Iterator<Item = Touching>,
        reverted: impl Iterator<Item = Touching>,
        shipped: impl Iterator<Item = Shipped>,
    ) {
        self.shipped.extend(shipped);
        for fact in deployments {
            let at = DeploymentRef {
                integration: fact.integration,
                repository: fact.repository,
                id: fact.told.external_id.clone(),
            };
            self.counted.insert(at.clone(), fact.incidents);
            self.deployments.insert(at, DeploymentFact { incidents: 0, ..fact });
        }
        let at = |touching: Touching| {
            let (integration, repository) = touching.repository;
            (touching.issue, DeploymentRef { integration, repository, id: touching.deployment })
        };
        for (issue, deployment) in brought.map(at) {
            self.brought.entry(issue).or_default().push(deployment);
        }
        for (issue, deployment) in reverted.map(at) {
            self.reverted.entry(issue).or_default().push(deployment);
        }
    }

    /// What is to be published: of adopted deployments only those that now cause more or fewer incidents.
    pub(super) fn facts(self) -> (Vec<PullRequestFact>, Vec<DeploymentFact>, Vec<IncidentFact>) {
        let counted = self.counted;
        let is_news =
            |at: &DeploymentRef, fact: &DeploymentFact| counted.get(at) != Some(&fact.incidents);
        let deployments = self.deployments.into_iter();
        let deployments = deployments.filter(|(at, fact)| is_news(at, fact)).map(|(_, fact)| fact);
        (self.pull_requests, deployments.collect(), self.incidents)
    }

    /// With a repository, placed where it holds nobody up: a large one takes many seconds.
    pub(super) async fn with(mut self, seen: SeenRepository, rules: Arc<DeploymentRules>) -> World {
        aside(move || {
            self.add(seen, &rules);
            self
        })
        .await
    }

    /// How many facts were made.
    pub(super) fn count(&self) -> u64 {
        let deployments = self.deployments.len() - self.counted.len();
        (self.pull_requests.len() + deployments + self.incidents.len()) as u64
    }

    fn add(&mut self, seen: SeenRepository, rules: &DeploymentRules) {
        let SeenRepository {
            repository,
            lives,
            reviews,
            comments,
            commits_under_review,
            deployments,
            posted,
            shipments,
            commits,
            links,
        } = self.with_bots_told(seen);
        let rules = rules.of(&repository.full_name);
        let from_github = |told| Deployed { source: Source::Deployments, told, path: None };
        let mut told: Vec<Deployed> = deployments.into_iter().map(from_github).collect();
        told.extend(posted.into_iter().map(told_by_api));
        told.extend(shipments.into_iter().map(shipped));
        if rules.ask(Source::Merges) {
            told.extend(lives.iter().filter_map(merged));
        }
        let graph = Graph::new(commits);
        let at = |id: String| DeploymentRef {
            integration: repository.integration,
            repository: repository.id,
            id,
        };
        let placed = deployments::place(
            told,
            &lives.iter().filter_map(merge).collect::<Vec<_>>(),
            &graph,
            &rules,
        );
        let first_deployments: HashMap<i64, (String, Moment)> = placed
            .iter()
            .filter_map(|placed| Some((placed, placed.succeeded_at?)))
            .flat_map(|(placed, at)| {
                placed.brought.iter().map(move |n| (*n, (placed.told.external_id.clone(), at)))
            })
            .collect();

        let taken_back = pull_requests::taken_back(&lives);
        for link in &links {
            let issue = (link.issue_integration, link.issue_id);
            if !self.wanted.contains(&issue) {
                continue;
            }
            if let Some((id, _)) = first_deployments.get(&link.number) {
                self.brought.entry(issue).or_default().push(at(id.clone()));
            }
            let original = taken_back.get(&link.number);
            if let Some((id, _)) = original.and_then(|number| first_deployments.get(number)) {
                self.reverted.entry(issue).or_default().push(at(id.clone()));
            }
        }

        let place = (repository.integration, repository.id);
        for life in &lives {
            if let Some((deployment, _)) = first_deployments.get(&life.number)
                && self.sought.has(place, life.number, life.merge_commit_sha.as_deref())
            {
                self.shipped.push(Shipped {
                    repository: place,
                    number: life.number,
                    merge_sha: life.merge_commit_sha.clone(),
                    deployment: deployment.clone(),
                });
            }
        }

        for placed in placed {
            let fact = deployment_fact(&repository, placed);
            self.deployments.insert(at(fact.told.external_id.clone()), fact);
        }
        let reverted: HashSet<i64> = taken_back.into_values().collect();
        let mut said: HashMap<i64, i64> = HashMap::new();
        for by in comments {
            *said.entry(by.number).or_default() += by.count;
        }
        for life in lives {
            let around = Around {
                reviews: of_number(&reviews, life.number, |review| review.number),
                comments: said.get(&life.number).copied().unwrap_or(0),
                commits: of_number(&commits_under_review, life.number, |(number, _)| *number),
                reverted: reverted.contains(&life.number),
                deployment: first_deployments.get(&life.number).cloned(),
            };
            self.pull_requests.push(pull_requests::fact(&repository, life, around));
        }
    }

    /// As if the source itself said of everybody whom the client calls a machine that it is one.
    /// Conversations are left with what people say.
    fn with_bots_told(&self, seen: SeenRepository) -> SeenRepository {
        let mut seen = seen;
        for life in &mut seen.lives {
            life.author_is_bot = self.bots.is_bot(life.author.as_deref(), life.author_is_bot);
        }
        for review in &mut seen.reviews {
            review.bot = self.bots.is_bot(review.author.as_deref(), review.bot);
        }
        seen.comments.retain(|by| !self.bots.is_bot(by.author.as_deref(), by.bot));
        seen
    }

    /// Finds when each incident began and which deployment caused it.
    pub(super) fn explain(
        &mut self,
        incidents: &[Incident],
        causes: &HashMap<String, IssueRef>,
        belongings: &Belongings,
    ) {
        let in_production = self
            .deployments
            .iter()
            .filter(|(_, fact)| fact.environment.as_deref() == Some(PRODUCTION))
            .filter_map(|(at, fact)| Some((fact.succeeded_at?, at.clone())));
        let projects = incidents.iter().map(|incident| incident.read.project.as_str());
        let timelines = Timelines::new(in_production.collect(), belongings, projects);
        let names = Names::new(&self.sought, &self.deployments, &self.shipped);
        let found: Vec<_> = incidents
            .iter()
            .map(|incident| self.cause(incident, causes, &timelines, &names))
            .collect();
        for (incident, cause) in incidents.iter().zip(found) {
            if let Some((deployment, _)) = &cause
                && let Some(fact) = self.deployments.get_mut(deployment)
            {
                fact.incidents += 1;
            }
            self.incidents.push(incident_fact(incident, cause));
        }
    }

    fn cause(
        &self,
        Incident { read: incident, began_at, window, reference }: &Incident,
        causes: &HashMap<String, IssueRef>,
        timelines: &Timelines,
        names: &Names<'_>,
    ) -> Option<(DeploymentRef, Rule)> {
        let finish = |at: &&DeploymentRef| self.deployments.get(*at).and_then(|f| f.succeeded_at);
        if let Some(reference) = reference {
            // Somebody knows it, whatever the clocks say.
            let mut named = names.of(reference);
            named.sort_by_key(|at| (finish(&at), at.clone()));
            let before = named.iter().rfind(|at| finish(at).is_some_and(|at| at < *began_at));
            if let Some(deployment) = before.or(named.first()) {
                return Some((deployment.clone(), Rule::Explicit));
            }
        }
        // Of several candidates the latest before the start did it.
        let latest = |candidates: Option<&Vec<DeploymentRef>>| {
            candidates?
                .iter()
                .filter(|at| finish(at).is_some_and(|finished| finished < *began_at))
                .max_by_key(finish)
                .cloned()
        };
        let named =
            caused_by(&incident.links).into_iter().filter_map(|key| causes.get(&key).copied());
        let by_name = named.filter_map(|issue| latest(self.brought.get(&issue))).next();
        if let Some(deployment) = by_name {
            return Some((deployment, Rule::CausedBy));
        }
        if let Some(deployment) = latest(self.reverted.get(&(incident.integration, incident.id))) {
            return Some((deployment, Rule::Revert));
        }
        let deployment = timelines.of(&incident.project).last_before(*began_at, *window)?;
        Some((deployment.clone(), Rule::TimeWindow))
    }
}

/// Rows of one pull request among rows that are in order of their numbers.
fn of_number<Row>(rows: &[Row], number: i64, number_of: impl Fn(&Row) -> i64) -> &[Row] {
    let first = rows.partition_point(|row| number_of(row) < number);
    let end = rows.partition_point(|row| number_of(row) <= number);
    &rows[first..end]
}

/// Keys of issues that a changelog's links name as the cause: `This issue is caused by PAY-311`.
pub(super) fn caused_by(links: &[String]) -> Vec<String> {
    let causes = links.iter().filter(|text| text.to_lowercase().contains("caused by"));
    causes.filter_map(|text| text.split_whitespace().last()).map(str::to_uppercase).collect()
}

fn merge(life: &PullRequestLife) -> Option<Merge> {
    Some(Merge { number: life.number, sha: life.merge_commit_sha.clone()?, at: life.merged_at? })
}

fn told_by_api(told: Deployment) -> Deployed {
    let external_id = domain::deployment::posted_id(&told.external_id);
    Deployed { source: Source::Api, told: Deployment { external_id, ..told }, path: None }
}

/// A run of a workflow or a release as a deployment.
fn shipped(shipment: Shipment) -> Deployed {
    let kind = if shipment.source == Source::Releases { "release" } else { "run" };
    let told = Deployment {
        external_id: format!("{kind}:{}", shipment.external_id),
        environment: shipment.name,
        sha: shipment.sha,
        outcome: shipment.outcome,
        created_at: shipment.created_at,
        finished_at: shipment.finished_at,
        estimated: false,
    };
    Deployed { source: shipment.source, told, path: shipment.path }
}

/// A merge as a deployment of its branch.
fn merged(life: &PullRequestLife) -> Option<Deployed> {
    let Merge { number, sha, at } = merge(life)?;
    let told = Deployment {
        external_id: format!("merge:{number}"),
        environment: life.base_ref.clone(),
        sha,
        outcome: DeploymentOutcome::Success,
        created_at: at,
        finished_at: Some(at),
        estimated: false,
    };
    Some(Deployed { source: Source::Merges, told, path: None })
}

fn deployment_fact(repository: &Repository, placed: Placed) -> DeploymentFact {
    let (environment, reason) = match placed.environment {
        Ok(environment) => {
            (Some(environment), placed.is_unknown.then(|| UNKNOWN_COMMIT.to_owned()))
        }
        Err(reason) => (None, Some(reason.to_owned())),
    };
    DeploymentFact {
        integration: repository.integration,
        repository: repository.id,
        source: placed.source,
        told: placed.told,
        environment,
        reason,
        previous: placed.previous,
        rollback: placed.rollback,
        rolled_back: placed.rolled_back,
        pull_requests: i64::try_from(placed.brought.len()).expect("fewer than 2^63 pull requests"),
        incidents: 0,
        succeeded_at: placed.succeeded_at,
    }
}

fn incident_fact(incident: &Incident, cause: Option<(DeploymentRef, Rule)>) -> IncidentFact {
    IncidentFact {
        integration: incident.read.integration,
        issue: incident.read.id,
        started_at: incident.began_at,
        cause: cause.map(|(deployment, rule)| Cause {
            integration: deployment.integration,
            repository: deployment.repository,
            deployment: deployment.id,
            rule: rule.as_str().to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests;

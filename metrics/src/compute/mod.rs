//! From facts of the sources to facts of ours: stages, content, causes. The rules are pure; this
//! file reads for them and publishes what they say.

pub mod deployments;
pub mod graph;
pub mod incidents;
pub mod pull_requests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::TimeDelta;
use domain::Moment;
use domain::deployment::{Deployment, DeploymentOutcome, Shipment};
use domain::ids::{ClientId, IntegrationId, SnapshotId};
use domain::rules::{DeploymentRules, IncidentRule, IncidentRules, PRODUCTION, Source, Suspect};
use domain::work::Fence;
use store::metrics::{
    Cause, DeliveryState, DeploymentFact, IncidentFact, IncidentRead, Link, Publication,
    PullRequestFact, PullRequestLife, Repository, ReviewAt, SuspectRead,
};
use uuid::Uuid;

use self::deployments::{Deployed, Merge, Placed};
use self::graph::Graph;
use self::incidents::{DeploymentRef, History, Rule, Timeline};
use self::pull_requests::{Around, reverted_title};
use crate::aside::aside;
use crate::flow::Flow;

/// Suspects in memory at a time: with labels and components, all issues may be.
const SUSPECTS: i64 = 2_000;

/// Computes everything of a client anew and publishes it at once, for who holds the lease that
/// `fence` proves. Answers how many facts there are.
///
/// # Errors
/// The store's.
pub async fn publish(
    facts: &store::Metrics,
    client: ClientId,
    fence: Fence,
    as_of: Moment,
    now: Moment,
) -> Result<u64, store::Error> {
    let computed = compute(facts, client).await?;
    let count = computed.world.count();
    let published =
        facts.publish(client, fence, computed.publication(as_of, now), Flow::new()).await?;
    Ok(count + published.issues)
}

/// Computes the delivery of a client anew, for rules that changed. Answers how many facts there are;
/// nothing if a sync is under way, whose own end applies the rules, or the last one came to no end, or
/// somebody published meanwhile.
///
/// # Errors
/// The store's.
pub async fn publish_changed(
    facts: &store::Metrics,
    client: ClientId,
    now: Moment,
) -> Result<Option<u64>, store::Error> {
    if !facts.facts_are_whole(client).await? {
        return Ok(None);
    }
    let computed = compute(facts, client).await?;
    let Some(as_of) = computed.as_of else { return Ok(None) };
    // Of a sync that began since, some may have been read and some not.
    if !facts.facts_are_whole(client).await? {
        return Ok(None);
    }
    let count = computed.world.count();
    let published = facts.publish_delivery(client, computed.publication(as_of, now)).await?;
    Ok(published.map(|_| count))
}

/// What was computed, and from what.
struct Computed {
    world: World,
    state: DeliveryState,
    as_of: Option<Moment>,
}

impl Computed {
    fn publication(self, as_of: Moment, now: Moment) -> Publication {
        Publication {
            id: SnapshotId(Uuid::now_v7()),
            as_of,
            state: self.state,
            published_at: now,
            pull_requests: self.world.pull_requests,
            deployments: self.world.deployments.into_values().collect(),
            incidents: self.world.incidents,
        }
    }
}

async fn compute(facts: &store::Metrics, client: ClientId) -> Result<Computed, store::Error> {
    let delivery = facts.delivery(client).await?;
    let rules = Arc::new(delivery.deployments);
    let mut world = World::default();
    for repository in facts.repositories(client).await? {
        let seen = SeenRepository {
            lives: facts.lives(client, &repository).await?,
            reviews: facts.reviews(client, &repository).await?,
            comments: facts.comments(client, &repository).await?,
            commits_under_review: facts.commits_under_review(client, &repository).await?,
            deployments: facts.deployments(client, &repository).await?,
            posted: facts.posted_deployments(client, &repository).await?,
            shipments: facts.shipments(client, &repository, rules.clone()).await?,
            commits: facts.graph(client, &repository).await?,
            links: facts.links(client, &repository).await?,
            repository,
        };
        world = world.with(seen, rules.clone()).await;
    }

    let incidents = incidents(facts, client, &delivery.incidents).await?;
    let mentions: Vec<String> = incidents.iter().flat_map(|i| caused_by(&i.read.links)).collect();
    let causes = facts.issues_by_key(client, mentions).await?;
    let causes: HashMap<String, IssueRef> =
        causes.into_iter().map(|issue| (issue.key, (issue.integration, issue.id))).collect();
    let world = aside(move || {
        world.explain(&incidents, &causes);
        world
    })
    .await;
    Ok(Computed { world, state: delivery.state, as_of: delivery.as_of })
}

/// An issue that is an incident by a rule.
struct Incident {
    read: IncidentRead,
    began_at: Moment,
    window: Option<TimeDelta>,
}

/// What a rule says of an incident: when it began, if a field is to tell, and how far back its cause
/// may lie.
struct Ruled {
    began_at: Option<Moment>,
    window: Option<TimeDelta>,
}

impl Ruled {
    fn of(rule: &IncidentRule, suspect: &SuspectRead) -> Ruled {
        let told = |field: &String| suspect.moments.iter().find(|(id, _)| id == field);
        let began_at = rule.started_at_field.as_ref().and_then(told).map(|(_, at)| *at);
        Ruled { began_at, window: rule.window() }
    }
}

async fn incidents(
    facts: &store::Metrics,
    client: ClientId,
    rules: &IncidentRules,
) -> Result<Vec<Incident>, store::Error> {
    let mut connections: BTreeMap<IntegrationId, HashMap<i64, String>> = BTreeMap::new();
    for (integration, type_id, name) in facts.issue_types(client).await? {
        connections.entry(integration).or_default().insert(type_id, name);
    }
    let mut incidents = Vec::new();
    for (integration, types) in connections {
        let meant = types.iter().filter(|(_, name)| rules.mean_type(integration, name));
        let meant: Vec<i64> = meant.map(|(type_id, _)| *type_id).collect();
        let by_names = rules.look_at_names(integration);
        let mut ruled: BTreeMap<i64, Ruled> = BTreeMap::new();
        let mut last = i64::MIN;
        loop {
            let suspects = facts.suspects(client, integration, &meant, by_names, last, SUSPECTS);
            let suspects = suspects.await?;
            let Some(end) = suspects.last() else { break };
            last = end.id;
            for suspect in suspects {
                let Some(issue_type) = types.get(&suspect.type_id) else { continue };
                let (labels, components) = (&suspect.labels, &suspect.components);
                let suspected = Suspect { integration, issue_type, labels, components };
                if let Some(rule) = rules.of(suspected) {
                    ruled.insert(suspect.id, Ruled::of(rule, &suspect));
                }
            }
        }
        let ids = ruled.keys().copied().collect();
        for read in facts.incidents(client, integration, ids).await? {
            let Some(Ruled { began_at, window }) = ruled.remove(&read.id) else { continue };
            let began_at = began_at.unwrap_or(read.created_at);
            incidents.push(Incident { read, began_at, window });
        }
    }
    Ok(incidents)
}

/// An issue, by its connection and Jira's id.
type IssueRef = (IntegrationId, i64);

/// Everything that the rules need to know of a repository.
struct SeenRepository {
    repository: Repository,
    lives: Vec<PullRequestLife>,
    reviews: Vec<ReviewAt>,
    comments: Vec<(i64, i64)>,
    commits_under_review: Vec<(i64, Moment)>,
    deployments: Vec<Deployment>,
    posted: Vec<Deployment>,
    shipments: Vec<Shipment>,
    commits: Vec<(String, Vec<String>)>,
    links: Vec<Link>,
}

/// What has been computed of a client so far.
#[derive(Default)]
struct World {
    pull_requests: Vec<PullRequestFact>,
    deployments: BTreeMap<DeploymentRef, DeploymentFact>,
    incidents: Vec<IncidentFact>,
    /// Which production deployments brought an issue.
    brought: HashMap<IssueRef, Vec<DeploymentRef>>,
    /// Which production deployments brought what a linked pull request reverts.
    reverted: HashMap<IssueRef, Vec<DeploymentRef>>,
}

impl World {
    /// With a repository, placed where it holds nobody up: a large one takes many seconds.
    async fn with(mut self, seen: SeenRepository, rules: Arc<DeploymentRules>) -> World {
        aside(move || {
            self.add(seen, &rules);
            self
        })
        .await
    }

    /// How many facts there are.
    fn count(&self) -> u64 {
        (self.pull_requests.len() + self.deployments.len() + self.incidents.len()) as u64
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
        } = seen;
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

        let by_title: HashMap<&str, i64> =
            lives.iter().map(|life| (life.title.as_str(), life.number)).collect();
        let titles: HashMap<i64, &str> =
            lives.iter().map(|life| (life.number, life.title.as_str())).collect();
        for link in &links {
            let issue = (link.issue_integration, link.issue_id);
            if let Some((id, _)) = first_deployments.get(&link.number) {
                self.brought.entry(issue).or_default().push(at(id.clone()));
            }
            let reverts = titles.get(&link.number).and_then(|title| reverted_title(title));
            let original = reverts.and_then(|title| by_title.get(title));
            if let Some((id, _)) = original.and_then(|number| first_deployments.get(number)) {
                self.reverted.entry(issue).or_default().push(at(id.clone()));
            }
        }

        for placed in placed {
            let fact = deployment_fact(&repository, placed);
            self.deployments.insert(at(fact.told.external_id.clone()), fact);
        }
        let reverted = pull_requests::reverted(&lives);
        let comments: HashMap<i64, i64> = comments.into_iter().collect();
        for life in lives {
            let around = Around {
                reviews: of_number(&reviews, life.number, |review| review.number),
                comments: comments.get(&life.number).copied().unwrap_or(0),
                commits: of_number(&commits_under_review, life.number, |(number, _)| *number),
                reverted: reverted.contains(&life.number),
                deployment: first_deployments.get(&life.number).cloned(),
            };
            self.pull_requests.push(pull_requests::fact(&repository, life, around));
        }
    }

    /// Finds when each incident began and ended and which deployment caused it.
    fn explain(&mut self, incidents: &[Incident], causes: &HashMap<String, IssueRef>) {
        let in_production = self
            .deployments
            .iter()
            .filter(|(_, fact)| fact.environment.as_deref() == Some(PRODUCTION))
            .filter_map(|(at, fact)| Some((fact.succeeded_at?, at.clone())));
        let timeline = Timeline::new(in_production.collect());
        for incident in incidents {
            let cause = self.cause(incident, causes, &timeline);
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
        Incident { read: incident, began_at, window }: &Incident,
        causes: &HashMap<String, IssueRef>,
        timeline: &Timeline,
    ) -> Option<(DeploymentRef, Rule)> {
        // Of several candidates the latest before the start did it.
        let latest = |candidates: Option<&Vec<DeploymentRef>>| {
            let finish =
                |at: &&DeploymentRef| self.deployments.get(*at).and_then(|f| f.succeeded_at);
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
        let deployment = timeline.last_before(*began_at, *window)?;
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
fn caused_by(links: &[String]) -> Vec<String> {
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
        Ok(environment) => (Some(environment), None),
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
    let read = &incident.read;
    let history = History {
        created_at: read.created_at,
        category: read.category,
        changes: read.changes.clone(),
    };
    IncidentFact {
        integration: read.integration,
        issue: read.id,
        started_at: incident.began_at,
        ended_at: history.ended_at(),
        cause: cause.map(|(deployment, rule)| Cause {
            integration: deployment.integration,
            repository: deployment.repository,
            deployment: deployment.id,
            rule: rule.as_str().to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::time::{Duration, Instant};

    use super::*;
    use chrono::DateTime;

    #[test]
    fn only_links_that_speak_of_a_cause_name_one() {
        let links =
            ["This issue is caused by PAY-311", "This issue blocks PAY-12", "is caused by ops-4"];
        let links: Vec<String> = links.iter().map(|link| (*link).to_owned()).collect();
        assert_eq!(caused_by(&links), ["PAY-311", "OPS-4"]);
    }

    /// A chain of commits, each of them deployed after all of its descendants: the longest walks.
    fn tedious(commits: usize, deployments: usize) -> SeenRepository {
        let sha = |number: usize| format!("{number:040x}");
        let at = |second: usize| DateTime::from_timestamp(second as i64, 0);
        SeenRepository {
            repository: Repository {
                integration: IntegrationId(Uuid::nil()),
                id: 1,
                full_name: "acme/tedious".to_owned(),
            },
            lives: Vec::new(),
            reviews: Vec::new(),
            comments: Vec::new(),
            commits_under_review: Vec::new(),
            posted: Vec::new(),
            shipments: Vec::new(),
            deployments: (0..deployments)
                .map(|number| Deployment {
                    external_id: number.to_string(),
                    environment: "production".to_owned(),
                    sha: sha(commits - 1 - number),
                    outcome: DeploymentOutcome::Success,
                    created_at: at(number).unwrap(),
                    finished_at: at(number),
                    estimated: false,
                })
                .collect(),
            commits: (0..commits)
                .map(|number| (sha(number), number.checked_sub(1).map(sha).into_iter().collect()))
                .collect(),
            links: Vec::new(),
        }
    }

    /// However it was merged, a pull request is in production when the commit is that GitHub names for
    /// its merge. Its own commits may be elsewhere: squashed, copied, rewritten, or in a fork.
    #[test]
    fn a_pull_request_is_found_by_its_merge_commit_alone() {
        let at = |hour: i64| DateTime::from_timestamp(hour * 3_600, 0).unwrap();
        let deployed = |id: &str, sha: &str, hour| Deployment {
            external_id: id.to_owned(),
            environment: "production".to_owned(),
            sha: sha.to_owned(),
            outcome: DeploymentOutcome::Success,
            created_at: at(hour),
            finished_at: Some(at(hour)),
            estimated: false,
        };
        // The branch of the merge is `own`; those of all others are not among the commits.
        let commits = [
            ("base", vec![]),
            ("squashed", vec!["base"]),
            ("copied-1", vec!["squashed"]),
            ("copied-2", vec!["copied-1"]),
            ("own", vec!["base"]),
            ("joined", vec!["copied-2", "own"]),
            ("late", vec!["joined"]),
        ];
        let text = |sha: &&str| (*sha).to_owned();
        let commits = commits.iter().map(|(sha, of)| (text(sha), of.iter().map(text).collect()));
        let cases = [
            ("squash", Some("squashed"), Some("d2")),
            ("rebase", Some("copied-2"), Some("d2")),
            ("merge", Some("joined"), Some("d2")),
            ("deployed with the one before", Some("base"), None),
            ("not deployed", Some("late"), None),
            ("unknown commit", Some("elsewhere"), None),
            ("no commit", None, None),
        ];
        let life = |(number, (title, sha, _)): (usize, &(&str, Option<&str>, _))| PullRequestLife {
            number: number as i64,
            title: (*title).to_owned(),
            author: None,
            created_at: at(1),
            ready_at: None,
            merged_at: Some(at(2)),
            merge_commit_sha: sha.map(str::to_owned),
            base_ref: "main".to_owned(),
            first_commit_at: Some(at(0)),
            author_is_bot: false,
            is_open: false,
            draft: false,
            lines: 0,
            files: 0,
        };
        let mut world = World::default();
        let seen = SeenRepository {
            lives: cases.iter().enumerate().map(life).collect(),
            deployments: vec![deployed("d1", "base", 1), deployed("d2", "joined", 5)],
            commits: commits.collect(),
            ..tedious(0, 0)
        };
        world.add(seen, &DeploymentRules::default());
        for (fact, (case, _, expected)) in world.pull_requests.iter().zip(cases) {
            assert_eq!(fact.deployment.as_deref(), expected, "{case}");
            let seconds = expected.map(|_| 3.0 * 3_600.0);
            assert_eq!(fact.deploy_seconds, seconds, "{case}");
        }
    }

    #[tokio::test]
    async fn a_large_repository_holds_nobody_up() {
        let started = Instant::now();
        let mut there = World::default();
        there.add(tedious(20_000, 400), &DeploymentRules::default());
        let long = started.elapsed();

        let mut longest = Duration::ZERO;
        let mut placing =
            std::pin::pin!(World::default().with(tedious(20_000, 400), Arc::default()));
        let here = std::future::poll_fn(|context| {
            let polled = Instant::now();
            let poll = placing.as_mut().poll(context);
            longest = longest.max(polled.elapsed());
            poll
        })
        .await;
        assert_eq!(here.deployments, there.deployments);
        assert!(longest < long / 4, "held up for {longest:?} of {long:?}");
    }
}

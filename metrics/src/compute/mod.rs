//! From facts of the sources to facts of ours: stages, content, causes. The rules are pure; this
//! file reads for them and publishes what they say.
//!
//! What was published of a repository stays as long as nothing in it changed, nor the rules, nor which
//! repositories count. Incidents are few and lean on everything, so their causes are found anew each time.

pub mod deployments;
pub mod graph;
pub mod incidents;
pub mod pull_requests;
mod references;
mod suspects;
mod timelines;
mod world;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::Moment;
use domain::ids::{ClientId, SnapshotId};
use domain::work::Fence;
use store::delivery::IssueRef;
use store::dora::Place;
use store::metrics::{Delivery, DeliveryState, Publication, Repository};
use uuid::Uuid;

use self::references::Sought;
use self::suspects::Incident;
use self::timelines::Belongings;
use self::world::{SeenRepository, World, caused_by};
use crate::aside::aside;
use crate::flow::Flow;

/// Grows with each change of what is made of a repository.
const VERSION: u32 = 2;

/// Computes what changed of a client and publishes it at once, for who holds the lease that `fence`
/// proves. Answers how many facts there are.
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
    loop {
        let computed = compute(facts, client).await?;
        let (count, is_part) = (computed.world.count(), computed.repositories.is_some());
        let publication = computed.publication(as_of, now);
        let published = match facts.publish(client, fence, publication, Flow::new()).await {
            // Somebody published who began earlier, and what was read is no longer so.
            Err(store::Error::Conflict { .. }) => continue,
            published => published?,
        };
        if !is_part {
            // Whoever looks for a part of it next shall find it soon.
            facts.refresh_statistics().await?;
        }
        return Ok(count + published.issues);
    }
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
    basis: String,
    /// The repositories of which everything was computed; nothing where all were.
    repositories: Option<Vec<Place>>,
}

impl Computed {
    fn publication(self, as_of: Moment, now: Moment) -> Publication {
        let (pull_requests, deployments, incidents) = self.world.facts();
        Publication {
            id: SnapshotId(Uuid::now_v7()),
            as_of,
            state: self.state,
            published_at: now,
            basis: self.basis,
            computed: self.repositories,
            pull_requests,
            deployments,
            incidents,
        }
    }
}

async fn compute(facts: &store::Metrics, client: ClientId) -> Result<Computed, store::Error> {
    // First the notes and then what they are about, so that no change falls between.
    let changed: HashSet<Place> =
        facts.take_changed_repositories(client).await?.into_iter().collect();
    let delivery = facts.delivery(client).await?;
    let repositories = facts.repositories(client).await?;
    let basis = basis(&delivery, &repositories);
    let is_changed = |place: &Place| delivery.basis != basis || changed.contains(place);

    let incidents = suspects::incidents(facts, client, &delivery.incidents).await?;
    let causes = causes(facts, client, &incidents).await?;
    let known = incidents.iter().map(|incident| (incident.read.integration, incident.read.id));
    let wanted: HashSet<IssueRef> = known.chain(causes.values().copied()).collect();

    let sought = Sought::by(&incidents, &repositories);
    let mut world = World::new(wanted.clone(), sought.clone(), delivery.bots);
    let belongings = Belongings { rules: delivery.projects, repositories: repositories.clone() };
    let rules = Arc::new(delivery.deployments);
    let mut computed = Vec::new();
    for repository in repositories.into_iter().filter(|one| is_changed(&place(one))) {
        computed.push(place(&repository));
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
    let repositories = (delivery.basis == basis).then_some(computed);
    if let Some(computed) = &repositories {
        let wanted: Vec<IssueRef> = wanted.into_iter().collect();
        let is_other = |place: &Place| !computed.contains(place);
        let numbers = sought.pull_requests.into_iter().collect();
        let shipped = facts.shipped(client, numbers, sought.shas.into_iter().collect()).await?;
        let deployments = facts.deployment_facts(client).await?.into_iter();
        let brought = facts.brought(client, wanted.clone()).await?.into_iter();
        let reverted = facts.taken_back(client, wanted).await?.into_iter();
        world.adopt(
            deployments.filter(|fact| is_other(&(fact.integration, fact.repository))),
            brought.filter(|touching| is_other(&touching.repository)),
            reverted.filter(|touching| is_other(&touching.repository)),
            shipped.into_iter().filter(|pull| is_other(&pull.repository)),
        );
    }
    let world = aside(move || {
        world.explain(&incidents, &causes, &belongings);
        world
    })
    .await;
    Ok(Computed { world, state: delivery.state, as_of: delivery.as_of, basis, repositories })
}

/// Issues that incidents name as their cause, by key.
async fn causes(
    facts: &store::Metrics,
    client: ClientId,
    incidents: &[Incident],
) -> Result<HashMap<String, IssueRef>, store::Error> {
    let mentions: Vec<String> = incidents.iter().flat_map(|i| caused_by(&i.read.links)).collect();
    let causes = facts.issues_by_key(client, mentions).await?.into_iter();
    Ok(causes.map(|issue| (issue.key, (issue.integration, issue.id))).collect())
}

fn place(repository: &Repository) -> Place {
    (repository.integration, repository.id)
}

/// From what facts are made beside what changes in repositories. Another release may spell it differently,
/// and then computes all of them.
fn basis(delivery: &Delivery, repositories: &[Repository]) -> String {
    store::metrics::basis(&(VERSION, delivery.rules_versions, repositories))
}

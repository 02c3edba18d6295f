//! Sees to it that a change of the workflows or the rules, and a deployment that was posted, is in the
//! numbers soon, without a new extraction.

use std::time::Duration;

use chrono::Utc;
use domain::ids::ClientId;
use domain::work::Topic;
use platform::queue::{DELIVERIES_MAX, Delivery, Queue};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::compute;
use crate::flow::Flow;
use crate::hear::{consumer, next, report_lost};
use crate::reported;

/// Those whose ring was lost wait no longer than this.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Who could not be computed is tried again after this.
const PAUSE: Duration = Duration::from_secs(2);

/// What a ring says: who changed something.
#[derive(Debug, serde::Deserialize)]
struct Ring {
    client_id: String,
}

/// Computes the flow of clients whose workflows changed, and the delivery of those whose rules changed,
/// until `stop`: as soon as they are rung for, and now and then whoever was missed.
pub async fn run(facts: store::Metrics, queue: Queue, stop: CancellationToken) {
    tokio::join!(listen(&facts, &queue, &stop), sweep(&facts, &stop));
}

async fn listen(facts: &store::Metrics, queue: &Queue, stop: &CancellationToken) {
    let Some(mut consumer) = consumer(queue, Topic::Changes.as_str(), stop).await else { return };
    while let Some(delivery) = next(&mut consumer, stop).await {
        take(facts, delivery).await;
    }
}

async fn take(facts: &store::Metrics, delivery: Delivery) {
    let ring = serde_json::from_slice::<Ring>(&delivery.body);
    let Some(client) = ring.ok().and_then(|ring| ring.client_id.parse::<ClientId>().ok()) else {
        warn!("a ring names no client, set aside");
        return report_lost(delivery.reject().await);
    };
    let Err(error) = follow(facts, client).await else {
        return report_lost(delivery.ack().await);
    };
    warn!(%error, client.id = %client, "could not compute what people changed, trying again");
    // Rather than to the dead letters: the sweep finds whoever is still behind.
    report_lost(match delivery.attempt {
        DELIVERIES_MAX.. => delivery.ack().await,
        _ => delivery.retry(PAUSE).await,
    });
}

async fn sweep(facts: &store::Metrics, stop: &CancellationToken) {
    let mut clock = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = clock.tick() => {}
        }
        if let Err(error) = round(facts).await {
            warn!(%error, "could not ask what people changed, trying again");
        }
    }
}

async fn round(facts: &store::Metrics) -> Result<(), store::Error> {
    let mut changed = facts.clients_with_changed_workflows().await?;
    changed.extend(facts.clients_with_changed_rules().await?);
    changed.sort_unstable();
    changed.dedup();
    for_each(changed, |client| follow(facts, client)).await;
    Ok(())
}

/// One client that cannot be computed keeps no other waiting.
async fn for_each<F>(clients: Vec<ClientId>, compute: impl Fn(ClientId) -> F)
where
    F: Future<Output = Result<(), store::Error>>,
{
    for client in clients {
        if let Err(error) = compute(client).await {
            warn!(%error, client.id = %client, "could not compute what people changed, trying again");
        }
    }
}

/// Whoever finds nothing changed does nothing, so that a client may be rung for more often than needed.
async fn follow(facts: &store::Metrics, client: ClientId) -> Result<(), store::Error> {
    let mut is_new = false;
    if let Some(issues) = facts.publish_flow(client, Flow::new()).await? {
        is_new = true;
        info!(issues, client.id = %client, "computed the flow of a client for changed workflows");
    }
    // Whoever published meanwhile used the new rules, or there is still something to do. What has to wait
    // for the end of a sync is rung for then.
    while facts.rules_are_ahead(client).await? && facts.facts_are_whole(client).await? {
        if let Some(count) = compute::publish_changed(facts, client, Utc::now()).await? {
            is_new = true;
            info!(facts = count, client.id = %client, "computed the delivery of a client for changed rules");
        }
    }
    if is_new {
        reported::keep(facts, client, Utc::now()).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use chrono::TimeDelta;
    use domain::job::JobType;
    use domain::rules::DeploymentRule;
    use domain::work::{Fence, Slice, SourceKind, Step, Topic};
    use domain::workflow::Seen;
    use store::integrations::Integration;
    use store::work::{Command, Ground, Planned, Ring};
    use store::{Db, Integrations, Rules, Work};
    use uuid::Uuid;

    use super::*;

    /// A client whose runs have nothing to do but the metrics.
    struct House {
        work: Work,
        facts: store::Metrics,
        rules: Rules,
        client: ClientId,
    }

    impl House {
        async fn new() -> House {
            let db = Db::open("sqlite::memory:", 1).await.unwrap();
            let work = Work::new(db.clone(), only_metrics);
            let id = ClientId(Uuid::now_v7());
            let client = work.ensure_client(id, "acme", "Acme", Utc::now()).await.unwrap().id;
            Integrations::new(db.clone()).add(&jira(client)).await.unwrap();
            let (facts, rules) = (store::Metrics::new(db.clone()), Rules::new(db));
            House { work, facts, rules, client }
        }

        /// Begins a run, as far as its only task.
        async fn begin(&self) -> Fence {
            let (work, now) = (&self.work, Utc::now());
            let later = now + TimeDelta::seconds(60);
            work.command(self.client, JobType::JiraSync, Command::Run, now).await.unwrap();
            work.dispatch(self.client, now).await.unwrap().unwrap();
            let rings = work.take_rings(9, later, now).await.unwrap();
            let task = rings.iter().find_map(Ring::task).unwrap();
            work.begin(task, "ada", later, now).await.unwrap().unwrap().fence
        }

        async fn publish(&self, fence: Fence) {
            let now = Utc::now();
            compute::publish(&self.facts, self.client, fence, now, now).await.unwrap();
        }

        async fn finish(&self, fence: Fence) {
            self.work.finish(fence, &[], "", Utc::now()).await.unwrap();
        }

        async fn change_rules(&self) {
            let merges = DeploymentRule {
                repository: "*".to_owned(),
                source: "merges".to_owned(),
                pattern: Some("main".to_owned()),
                environments: Vec::new(),
            };
            self.rules.put_deployments(self.client, vec![merges], Seen::Any).await.unwrap();
        }

        async fn behind(&self) -> Vec<ClientId> {
            self.facts.clients_with_changed_rules().await.unwrap()
        }
    }

    fn only_metrics(ground: &Ground) -> Vec<Planned> {
        let task = Planned {
            topic: Topic::Metrics,
            integration: None,
            scope: String::new(),
            slice: Slice::default(),
            cursor: String::new(),
            begun_at: ground.run_started_at,
        };
        if ground.step == Step::Metrics { vec![task] } else { Vec::new() }
    }

    fn jira(client: ClientId) -> Integration {
        Integration::new(client, SourceKind::Jira, "Jira", "https://jira.example", Utc::now())
    }

    #[tokio::test]
    async fn one_client_that_cannot_be_computed_keeps_no_other_waiting() {
        let clients = [1, 2].map(|number| ClientId(Uuid::from_u128(number)));
        let asked = RefCell::new(Vec::new());
        for_each(clients.to_vec(), |client| {
            asked.borrow_mut().push(client);
            std::future::ready(Err(store::Error::Missing { noun: "client" }))
        })
        .await;
        assert_eq!(asked.into_inner(), clients);
    }

    #[tokio::test]
    async fn who_changed_something_is_computed_when_the_bell_rings() {
        let house = House::new().await;
        let first = house.begin().await;
        house.publish(first).await;
        house.finish(first).await;
        let queue = Queue::memory(&["changes"]);
        let stop = CancellationToken::new();
        let listening = tokio::spawn({
            let (facts, queue, stop) = (house.facts.clone(), queue.clone(), stop.clone());
            async move { listen(&facts, &queue, &stop).await }
        });
        house.change_rules().await;
        assert_eq!(house.behind().await, [house.client]);

        let ring = |client: String| format!("{{\"client_id\": \"{client}\"}}").into_bytes().into();
        let nobody = ClientId(Uuid::now_v7()).to_string();
        let bodies = vec![ring("who?".to_owned()), ring(nobody), ring(house.client.to_string())];
        queue.publish_many("changes", bodies).await.unwrap();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while !house.behind().await.is_empty() {
            assert!(tokio::time::Instant::now() < deadline, "nobody computes it");
            tokio::task::yield_now().await;
        }
        stop.cancel();
        listening.await.unwrap();
        assert_eq!(queue.depth("changes").await.unwrap().dead, 1, "what nobody can read");
    }

    #[tokio::test]
    async fn changed_rules_wait_for_the_end_of_a_sync_that_is_under_way() {
        let house = House::new().await;
        let first = house.begin().await;
        house.publish(first).await;
        house.finish(first).await;
        house.change_rules().await;

        let second = house.begin().await;
        round(&house.facts).await.unwrap();
        assert_eq!(house.behind().await, [house.client], "half of a sync is no snapshot");
        house.finish(second).await;
        round(&house.facts).await.unwrap();
        assert_eq!(house.behind().await, []);
    }
}

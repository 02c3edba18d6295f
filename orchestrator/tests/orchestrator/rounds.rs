//! What happens by itself reaches everybody, and nothing piles up.

use chrono::TimeDelta;
use domain::ids::IntegrationId;
use domain::job::JobState;
use domain::job::JobType::{GitSync, JiraSync};
use domain::work::{SourceKind, Topic};
use domain::workflow::Seen;
use platform::shutdown::Shutdown;
use proto::v1::JobCommand;
use store::work::{Ground, Planned};

use crate::house::House;

/// No database takes what is planned for a client whose Jira is not its only connection of that kind.
fn nonsense_for_some(ground: &Ground) -> Vec<Planned> {
    let mut tasks = orchestrator::plan(ground);
    if ground.integrations.len() > 1 {
        for task in &mut tasks {
            task.integration = Some(IntegrationId(uuid::Uuid::nil()));
        }
    }
    tasks
}

#[tokio::test]
async fn a_client_who_cannot_be_served_holds_up_nobody_else() {
    let house = House::planned_by(nonsense_for_some).await;
    house.connect_as(house.client, SourceKind::Jira, "another").await;
    let mut others = Vec::new();
    for number in 2..20 {
        others.push(house.add_client(&number.to_string(), SourceKind::Jira).await);
    }
    house.clock.advance(TimeDelta::minutes(60));
    house.orchestrator.spawn(&Shutdown::new());
    for other in others {
        house.until_of(other, JiraSync, JobState::Running).await;
    }
    assert_eq!(house.job(JiraSync).await.state, JobState::Pending, "nothing was kept of it");
}

#[tokio::test]
async fn the_metrics_workers_are_rung_for_whoever_changed_something() {
    let house = House::open().await;
    let mut bell = house.consumer(Topic::Changes).await;
    let logins = vec!["ci-user".to_owned()];
    house.rules.put_bots(house.client, logins, Seen::Any).await.unwrap();
    let ring = tokio::time::timeout(crate::house::PATIENCE, bell.next()).await;
    let ring = ring.expect("somebody is rung").unwrap();
    let said: serde_json::Value = serde_json::from_slice(&ring.body).unwrap();
    assert_eq!(said, serde_json::json!({ "client_id": house.client.to_string() }));
    ring.ack().await.unwrap();
    assert_eq!(house.depth(Topic::Changes).await, 0);
}

#[tokio::test]
async fn tasks_whose_ring_was_lost_are_rung_again_and_a_backlog_is_not() {
    let house = House::open().await;
    let github = house.add_client("2", SourceKind::Github).await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    house.command_of(github, GitSync, JobCommand::Run).await.unwrap();
    house.until(JiraSync, JobState::Running).await;
    house.until_of(github, GitSync, JobState::Running).await;
    // Somebody takes the ring away and does nothing. The other two wait for a worker.
    let mut bell = house.consumer(Topic::Github).await;
    bell.next().await.unwrap().ack().await.unwrap();
    while house.depth(Topic::Jira).await < 2 {
        tokio::task::yield_now().await;
    }

    for _ in 0..2 {
        house.clock.advance(TimeDelta::seconds(31));
        let again = tokio::time::timeout(crate::house::PATIENCE, bell.next()).await;
        again.expect("a lost ring comes again").unwrap().ack().await.unwrap();
        assert_eq!(house.depth(Topic::Jira).await, 2, "their rings are not lost");
    }
}

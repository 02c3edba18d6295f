//! The line to a worker: orders come at once, and a lease ends with its line.

use chrono::TimeDelta;
use domain::job::{JobState, JobType::JiraSync};
use domain::work::Topic;
use proto::v1::JobCommand;
use proto::v1::directive::Kind;
use proto::v1::release_request::Reason;
use tonic::Code;

use crate::house::{House, Line};

#[tokio::test]
async fn a_pause_is_told_at_once_and_a_resume_rings_again() {
    let house = House::open().await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    let mut bell = house.consumer(Topic::Jira).await;
    let lease = house.take(&mut bell).await;
    let mut line = house.line(&lease).await;

    house.command(JiraSync, JobCommand::Pause).await.unwrap();
    assert_eq!(line.order().await, Kind::Pause);
    assert_eq!(house.job(JiraSync).await.pending_command(), Some("pause"));
    house.release(&lease, Reason::Paused, "").await;
    assert!(house.begin(lease.task.id.to_string()).await.is_none());

    house.command(JiraSync, JobCommand::Resume).await.unwrap();
    let again = house.take_again(&mut bell, lease.task.id).await;
    assert_eq!(again.fence, lease.fence + 1);
}

#[tokio::test]
async fn a_stop_is_told_at_once_and_the_lease_is_worth_nothing() {
    let house = House::open().await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    let mut bell = house.consumer(Topic::Jira).await;
    let lease = house.take(&mut bell).await;
    let mut line = house.line(&lease).await;

    let reply = house.command(JiraSync, JobCommand::Stop).await.unwrap();
    assert_eq!(reply.status, "NOT_STARTED");
    assert_eq!(line.order().await, Kind::Stop);
    assert!(line.down.message().await.unwrap().is_none(), "there is nothing more to say");

    let finish = proto::v1::FinishRequest {
        task_id: lease.task.id.to_string(),
        fence: lease.fence,
        ..proto::v1::FinishRequest::default()
    };
    let lost = house.peer.clone().finish(finish).await.unwrap_err();
    assert_eq!(lost.code(), Code::Aborted);
}

#[tokio::test]
async fn a_broken_line_frees_the_task_soon() {
    let house = House::open().await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    let mut bell = house.consumer(Topic::Jira).await;
    let lease = house.take(&mut bell).await;
    let line = house.line(&lease).await;
    drop(line);
    // The orchestrator notices by itself; the lease would last half a minute otherwise.
    let again = async {
        loop {
            house.clock.advance(TimeDelta::milliseconds(10));
            if let Some(again) = house.begin(lease.task.id.to_string()).await {
                return again;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    let began = house.clock.now();
    let again = tokio::time::timeout(crate::house::PATIENCE, again).await.unwrap();
    assert_eq!(again.fence, lease.fence + 1);
    assert!(house.clock.now() - began < TimeDelta::seconds(20));
}

#[tokio::test]
async fn a_line_that_breaks_late_does_not_end_the_lease_of_the_next() {
    let house = House::open().await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    let mut bell = house.consumer(Topic::Jira).await;
    let lease = house.take(&mut bell).await;
    let old = house.line(&lease).await;
    house.clock.advance(TimeDelta::seconds(1));
    let _new = house.line(&lease).await;
    let Line { up, mut down } = old;
    drop(up);
    assert!(down.message().await.unwrap().is_none(), "the old line has said goodbye");
    house.clock.advance(TimeDelta::seconds(28));
    assert!(house.begin(lease.task.id.to_string()).await.is_none(), "the worker is at it");
}

#[tokio::test]
async fn a_worker_that_talks_keeps_its_lease() {
    let house = House::open().await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    let mut bell = house.consumer(Topic::Jira).await;
    let lease = house.take(&mut bell).await;
    house.clock.advance(TimeDelta::seconds(29));
    let _line = house.line(&lease).await;
    house.clock.advance(TimeDelta::seconds(29));
    assert!(house.begin(lease.task.id.to_string()).await.is_none());
    house.do_task(&lease).await;
    assert_eq!(house.job(JiraSync).await.state, JobState::Running);
}

#[tokio::test]
async fn who_lost_the_lease_is_told() {
    let house = House::open().await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    let mut bell = house.consumer(Topic::Jira).await;
    let old = house.take(&mut bell).await;
    let mut line = house.line(&old).await;
    house.clock.advance(TimeDelta::minutes(5));
    let new = house.take_again(&mut bell, old.task.id).await;
    assert_eq!(new.fence, old.fence + 1);
    assert_eq!(line.order().await, Kind::Lost);
}

//! Somebody waits while a worker tests a connection.

use chrono::TimeDelta;
use domain::work::{TaskKind, Topic};
use proto::v1;
use proto::v1::release_request::Reason;
use tonic::{Code, Status};

use crate::house::House;

async fn probe(house: &House, kind: &str) -> Result<String, Status> {
    let request = v1::ProbeRequest {
        client_id: house.client.to_string(),
        kind: kind.to_owned(),
        source: "github".to_owned(),
        input: r#"{"base_url":"https://github.example"}"#.to_owned(),
    };
    Ok(house.peer.clone().probe(request).await?.into_inner().output)
}

#[tokio::test]
async fn a_worker_answers() {
    let house = House::open().await;
    let work = async {
        let lease = house.take(&mut house.consumer(Topic::Github).await).await;
        assert_eq!(lease.task.kind, TaskKind::Scopes);
        assert_eq!(lease.task.input, r#"{"base_url":"https://github.example"}"#);
        house.finish(&lease, r#"{"items":[]}"#).await;
        lease
    };
    let (answer, lease) = tokio::join!(probe(&house, "scopes"), work);
    assert_eq!(answer.unwrap(), r#"{"items":[]}"#);
    assert!(house.begin(lease.task.id.to_string()).await.is_none(), "it is forgotten");
}

#[tokio::test]
async fn a_worker_that_cannot_says_why() {
    let house = House::open().await;
    let work = async {
        let lease = house.take(&mut house.consumer(Topic::Github).await).await;
        house.release(&lease, Reason::Failed, "GitHub did not answer.").await;
    };
    let (answer, ()) = tokio::join!(probe(&house, "probe"), work);
    let refused = answer.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::Unavailable, "GitHub did not answer."));
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let house = House::open().await;
    let time_passes = async {
        house.take(&mut house.consumer(Topic::Github).await).await;
        house.clock.advance(TimeDelta::seconds(25));
    };
    let (answer, ()) = tokio::join!(probe(&house, "probe"), time_passes);
    let refused = answer.unwrap_err();
    assert_eq!(refused.code(), Code::DeadlineExceeded);
    assert!(
        refused.message().starts_with("No github worker answered within 25 seconds."),
        "{refused}"
    );
}

#[tokio::test]
async fn a_step_is_no_probe() {
    let house = House::closed().await;
    assert_eq!(probe(&house, "issues").await.unwrap_err().code(), Code::InvalidArgument);
}

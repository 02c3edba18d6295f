//! Who publishes holds the lease, and what is published is seen at once.

use domain::ids::SnapshotId;
use store::Error;
use store::metrics::{Focus, Link, Publication, PullRequestFact, Repository};
use uuid::Uuid;

use crate::flow::Everywhere;
use crate::house::House;
use crate::nouns::*;

contract! {
    who_lost_the_lease_publishes_nothing,
    who_lost_the_lease_keeps_no_links,
    old_publications_are_forgotten,
}

const DAY: i64 = 86_400;

fn publication(house: &House, second: i64) -> Publication {
    let fact = PullRequestFact {
        integration: house.github,
        repository: REPOSITORY,
        number: 1,
        first_commit_at: Some(at(0)),
        first_review_at: None,
        coding_seconds: None,
        pickup_seconds: None,
        review_seconds: None,
        deploy_seconds: None,
        lead_seconds: Some(second as f64),
        deployment: None,
        deployed_at: Some(at(1)),
    };
    Publication {
        id: SnapshotId(Uuid::now_v7()),
        as_of: at(second),
        published_at: at(second),
        pull_requests: vec![fact],
        deployments: Vec::new(),
        incidents: Vec::new(),
    }
}

/// The time of the last publication, and what it says of the pull request.
async fn published(house: &House) -> (Option<domain::Moment>, Option<f64>) {
    let focus = Focus::default();
    let read = house.metrics.dora(house.client, at(0), at(10), focus).await.unwrap();
    (read.as_of, read.pull_requests.first().and_then(|seen| seen.lead_seconds))
}

/// Takes the house's task away from its worker.
async fn lose(house: &House) {
    house.work.begin(house.task, "grace", at(200), at(100)).await.unwrap().unwrap();
}

async fn who_lost_the_lease_publishes_nothing(house: &House) {
    house.github_says(all_of_github()).await;
    let publish = |second| {
        let publication = publication(house, second);
        house.metrics.publish(house.client, house.fence, publication, Everywhere::default())
    };
    publish(20).await.unwrap();
    assert_eq!(published(house).await, (Some(at(20)), Some(20.0)));

    lose(house).await;
    let late = publish(110).await;
    assert!(matches!(late, Err(Error::LostLease { task }) if task == house.task), "{late:?}");
    assert_eq!(published(house).await, (Some(at(20)), Some(20.0)));
}

async fn who_lost_the_lease_keeps_no_links(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.github_says(all_of_github()).await;
    let repository = Repository {
        integration: house.github,
        id: REPOSITORY,
        full_name: "acme/payments".to_owned(),
    };
    let links = || {
        let link = |number| Link {
            number,
            issue_integration: house.jira,
            issue_id: 1,
            via: "branch".to_owned(),
            key_seen: "PAY-1".to_owned(),
        };
        vec![link(1), link(2)]
    };
    let keep = |links, second| {
        house.metrics.keep_links(house.client, house.fence, &repository, links, at(second))
    };
    assert_eq!(keep(links(), 20).await.unwrap(), 2);

    lose(house).await;
    let late = keep(Vec::new(), 110).await;
    assert!(matches!(late, Err(Error::LostLease { .. })), "{late:?}");
    assert_eq!(house.metrics.links(house.client, &repository).await.unwrap(), links());
}

async fn old_publications_are_forgotten(house: &House) {
    house.github_says(all_of_github()).await;
    house.work.renew(house.fence, at(400 * DAY)).await.unwrap();
    for (day, forgotten) in [(0, 0), (50, 0), (100, 1), (300, 2)] {
        let publication = publication(house, day * DAY);
        let rules = Everywhere::default();
        let done = house.metrics.publish(house.client, house.fence, publication, rules);
        let done = done.await.unwrap();
        assert_eq!(done.forgotten, forgotten, "day {day}");
    }
    assert_eq!(published(house).await.0, Some(at(300 * DAY)));
}

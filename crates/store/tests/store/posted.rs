//! Deployments that were posted: kept once, apart from what is extracted, and nobody else's.

use domain::deployment::{Deployment, DeploymentOutcome};
use domain::facts::Facts as Page;
use store::metrics::{Publication, Repository};

use crate::flow::Everywhere;
use crate::house::House;
use crate::metrics::publication;
use crate::nouns::*;

contract! {
    what_was_posted_is_read_back_and_replaced_by_its_id,
    a_sync_neither_overwrites_nor_deletes_what_was_posted,
    what_counts_calls_for_new_metrics,
    repositories_are_found_by_their_name_if_they_count,
    nobody_reads_what_another_client_posted,
}

async fn repository(house: &House) -> Repository {
    house.github_says(all_of_github()).await;
    house.posted.repository(house.client, "Acme/PAYMENTS").await.unwrap().unwrap()
}

async fn what_was_posted_is_read_back_and_replaced_by_its_id(house: &House) {
    let (posted, client) = (&house.posted, house.client);
    let repository = repository(house).await;
    let begun = Deployment {
        outcome: DeploymentOutcome::Pending,
        finished_at: None,
        environment: "prod \"eu\"".to_owned(),
        ..deployment("build-1")
    };
    posted.put(client, &repository, begun.clone(), false).await.unwrap();
    let found = posted.find(client, &repository, "build-1".to_owned()).await.unwrap();
    assert_eq!(found, Some(begun));
    let over = Deployment { estimated: true, ..deployment("build-1") };
    posted.put(client, &repository, over.clone(), false).await.unwrap();
    posted.put(client, &repository, deployment("build-2"), false).await.unwrap();
    let mut all = house.metrics.posted_deployments(client, &repository).await.unwrap();
    all.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    assert_eq!(all, [over, deployment("build-2")]);
    assert_eq!(posted.find(client, &repository, "build-3".to_owned()).await.unwrap(), None);
}

async fn a_sync_neither_overwrites_nor_deletes_what_was_posted(house: &House) {
    let (posted, client) = (&house.posted, house.client);
    let repository = repository(house).await;
    let ours = Deployment { sha: sha(99), ..deployment("d1") };
    posted.put(client, &repository, ours.clone(), false).await.unwrap();
    let again =
        Page { deployments: vec![deployment("d1")], repositories_are_all: true, ..github_page() };
    house.github_says(again).await;
    assert_eq!(house.metrics.posted_deployments(client, &repository).await.unwrap(), [ours]);
    let told = house.metrics.deployments(client, &repository).await.unwrap();
    assert!(told.contains(&deployment("d1")), "and neither does what was posted");
}

async fn what_counts_calls_for_new_metrics(house: &House) {
    let (posted, client) = (&house.posted, house.client);
    let repository = repository(house).await;
    let changed = async || !house.metrics.clients_with_changed_rules().await.unwrap().is_empty();
    let first = publication(house, 20);
    house.metrics.publish(client, house.fence, first, Everywhere::default()).await.unwrap();
    posted.put(client, &repository, deployment("build-1"), false).await.unwrap();
    assert!(!changed().await, "what does not count changes no number");
    posted.put(client, &repository, deployment("build-2"), true).await.unwrap();
    assert!(changed().await);
    let state = house.metrics.delivery(client).await.unwrap().state;
    let next = Publication { state, ..publication(house, 20) };
    assert!(house.metrics.publish_delivery(client, next).await.unwrap().is_some());
    assert!(!changed().await);
}

async fn repositories_are_found_by_their_name_if_they_count(house: &House) {
    let found = repository(house).await;
    assert_eq!((found.id, found.full_name.as_str()), (REPOSITORY, "acme/payments"));
    let find = async |name: &str| house.posted.repository(house.client, name).await.unwrap();
    assert_eq!(find("acme/other").await, None);
    let gone = Page { repositories_are_all: true, ..Page::default() };
    house.github_says(gone).await;
    assert_eq!(find("acme/payments").await, None, "it is on no list any more");
}

async fn nobody_reads_what_another_client_posted(house: &House) {
    let repository = repository(house).await;
    house.posted.put(house.client, &repository, deployment("build-1"), true).await.unwrap();
    let (other, ..) = house.add_client("globex").await;
    assert_eq!(house.posted.repository(other, "acme/payments").await.unwrap(), None);
    let found = house.posted.find(other, &repository, "build-1".to_owned()).await.unwrap();
    assert_eq!(found, None);
    assert_eq!(house.metrics.posted_deployments(other, &repository).await.unwrap(), []);
    let foreign = house.posted.put(other, &repository, deployment("build-1"), true).await;
    assert!(foreign.is_err(), "the database holds repositories apart");
}

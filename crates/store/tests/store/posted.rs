//! Deployments that were posted: kept once, apart from what is extracted, and nobody else's.

use domain::deployment::{Deployment, DeploymentOutcome};
use domain::facts::Facts as Page;
use domain::rules::{DeploymentRule, EnvironmentRule};
use domain::workflow::Seen;
use store::metrics::{Publication, Repository};

use crate::flow::Everywhere;
use crate::house::House;
use crate::metrics::publication;
use crate::nouns::*;

contract! {
    what_was_posted_is_read_back_and_replaced_by_its_id,
    a_sync_neither_overwrites_nor_deletes_what_was_posted,
    what_counts_calls_for_new_metrics,
    what_is_told_late_takes_no_success_back,
    repositories_are_found_by_their_name_if_they_count,
    nobody_reads_what_another_client_posted,
}

async fn repository(house: &House) -> Repository {
    house.github_says(all_of_github()).await;
    house.posted.repositories(house.client, "Acme/PAYMENTS").await.unwrap().remove(0)
}

/// Posts it, by the rules of now.
async fn post(house: &House, repository: &Repository, told: Deployment) -> Deployment {
    let rules = house.rules.deployments(house.client).await.unwrap();
    house.posted.put(house.client, repository, told, &rules).await.unwrap()
}

fn begun(id: &str) -> Deployment {
    Deployment { outcome: DeploymentOutcome::Pending, finished_at: None, ..deployment(id) }
}

async fn what_was_posted_is_read_back_and_replaced_by_its_id(house: &House) {
    let repository = repository(house).await;
    let kept = async || {
        let client = house.client;
        let mut all = house.metrics.posted_deployments(client, &repository).await.unwrap();
        all.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        all
    };
    let begun = Deployment { environment: "prod \"eu\"".to_owned(), ..begun("build-1") };
    assert_eq!(post(house, &repository, begun.clone()).await, begun);
    assert_eq!(kept().await, [begun]);
    let over = Deployment { estimated: true, ..deployment("build-1") };
    post(house, &repository, over.clone()).await;
    post(house, &repository, deployment("build-2")).await;
    assert_eq!(kept().await, [over, deployment("build-2")]);
}

async fn a_sync_neither_overwrites_nor_deletes_what_was_posted(house: &House) {
    let client = house.client;
    let repository = repository(house).await;
    let ours = Deployment { sha: sha(99), ..deployment("d1") };
    post(house, &repository, ours.clone()).await;
    let again =
        Page { deployments: vec![deployment("d1")], repositories_are_all: true, ..github_page() };
    house.github_says(again).await;
    assert_eq!(house.metrics.posted_deployments(client, &repository).await.unwrap(), [ours]);
    let told = house.metrics.deployments(client, &repository).await.unwrap();
    assert!(told.contains(&deployment("d1")), "and neither does what was posted");
}

async fn what_counts_calls_for_new_metrics(house: &House) {
    let client = house.client;
    let repository = repository(house).await;
    let changed = async || !house.metrics.clients_with_changed_rules().await.unwrap().is_empty();
    let first = publication(house, 20);
    house.publish(first, Everywhere::default()).await.unwrap();
    let catch_up = async || {
        let state = house.metrics.delivery(client).await.unwrap().state;
        let next = Publication { state, ..publication(house, 20) };
        assert!(house.metrics.publish_delivery(client, next).await.unwrap().is_some());
        assert!(!changed().await);
    };
    post(house, &repository, deployment("build-1")).await;
    assert!(!changed().await, "what does not count changes no number");

    let before = house.rules.deployments(client).await.unwrap();
    house.rules.put_deployments(client, vec![whatever_is_posted()], Seen::Any).await.unwrap();
    catch_up().await;
    post(house, &repository, deployment("build-2")).await;
    assert!(changed().await);
    catch_up().await;
    post(house, &repository, deployment("build-2")).await;
    assert!(!changed().await, "it was there");
    house.posted.put(client, &repository, deployment("build-3"), &before).await.unwrap();
    assert!(changed().await, "who went by earlier rules cannot tell");
}

fn whatever_is_posted() -> DeploymentRule {
    let pattern = "^production$".to_owned();
    let to = EnvironmentRule { pattern, environment: "production".to_owned() };
    DeploymentRule {
        repository: "*".to_owned(),
        source: "api".to_owned(),
        pattern: None,
        environments: vec![to],
    }
}

async fn what_is_told_late_takes_no_success_back(house: &House) {
    let repository = repository(house).await;
    let rules = house.rules.deployments(house.client).await.unwrap();
    let put = |told| house.posted.put(house.client, &repository, told, &rules);
    for number in 0..20 {
        let id = format!("build-{number}");
        let (late, over) = tokio::join!(put(begun(&id)), put(deployment(&id)));
        late.unwrap();
        over.unwrap();
    }
    let kept = house.metrics.posted_deployments(house.client, &repository).await.unwrap();
    assert_eq!(kept.len(), 20);
    let lost: Vec<_> =
        kept.iter().filter(|kept| kept.outcome != DeploymentOutcome::Success).collect();
    assert!(lost.is_empty(), "whichever was first: {lost:?}");
}

async fn repositories_are_found_by_their_name_if_they_count(house: &House) {
    let found = repository(house).await;
    assert_eq!((found.id, found.full_name.as_str()), (REPOSITORY, "acme/payments"));
    let find = async |name: &str| house.posted.repositories(house.client, name).await.unwrap();
    assert_eq!(find("acme/payments").await, [found]);
    assert_eq!(find("acme/other").await, []);
    house.jira_says(github_page()).await;
    let both: Vec<_> =
        find("acme/payments").await.into_iter().map(|found| found.integration).collect();
    assert!(both.contains(&house.github) && both.contains(&house.jira), "{both:?}");
    let gone = Page { repositories_are_all: true, ..Page::default() };
    house.github_says(gone).await;
    let left = find("acme/payments").await;
    assert_eq!(left.len(), 1, "it is on one connection's list no more");
    assert_eq!(left[0].integration, house.jira);
}

async fn nobody_reads_what_another_client_posted(house: &House) {
    let repository = repository(house).await;
    post(house, &repository, deployment("build-1")).await;
    let (other, ..) = house.add_client("globex").await;
    assert_eq!(house.posted.repositories(other, "acme/payments").await.unwrap(), []);
    assert_eq!(house.metrics.posted_deployments(other, &repository).await.unwrap(), []);
    let rules = house.rules.deployments(other).await.unwrap();
    let foreign = house.posted.put(other, &repository, deployment("build-1"), &rules).await;
    assert!(foreign.is_err(), "the database holds repositories apart");
}

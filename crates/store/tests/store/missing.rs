//! Commits that somebody names and that are not kept with their parents.

use domain::deployment::{Deployment, DeploymentOutcome, Shipment};
use domain::facts::Facts as Page;
use domain::repository::Commit;
use domain::rules::{DeploymentRule, Source};
use domain::workflow::Seen;
use store::facts::PageMark;

use crate::house::{House, mark};
use crate::nouns::*;

contract! {
    parents_are_missing_until_they_are_kept,
    what_went_to_production_is_missing_until_it_is_kept,
    what_is_gone_is_asked_for_again_later,
}

fn with_parents(number: i64, parents: &[i64]) -> Commit {
    Commit { parents: Some(parents.iter().map(|parent| sha(*parent)).collect()), ..commit(number) }
}

/// What is missing in the repository, as numbers; what was gone at second 100 or later is left out.
async fn missing(house: &House) -> Vec<String> {
    let (client, github) = (house.client, house.github);
    let missing = house.facts.missing_commits(client, github, REPOSITORY, "acme/payments", at(100));
    let named = |sha: String| sha.trim_start_matches('0').to_owned();
    missing.await.unwrap().into_iter().map(named).collect()
}

async fn parents_are_missing_until_they_are_kept(house: &House) {
    let told = async |commits: Vec<Commit>| {
        house.github_says(Page { commits, ..github_page() }).await;
        missing(house).await
    };
    assert_eq!(told(vec![with_parents(9, &[8]), with_parents(8, &[6, 4])]).await, ["4", "6"]);
    // A pull request tells of one, but not its parents.
    let page = Page { pull_requests: vec![pull_request(1)], ..github_page() };
    house.github_says(page).await;
    assert_eq!(told(vec![commit(4)]).await, ["4", "6"]);
    assert_eq!(told(vec![with_parents(6, &[5]), with_parents(5, &[])]).await, ["4"]);
    assert_eq!(told(vec![with_parents(4, &[5, 6, 8])]).await, Vec::<String>::new());
    assert_eq!(told(vec![with_parents(3, &[4])]).await, Vec::<String>::new(), "told before");
}

async fn what_went_to_production_is_missing_until_it_is_kept(house: &House) {
    let to = |id: &str, environment: &str, number: i64| Deployment {
        environment: environment.to_owned(),
        sha: sha(number),
        ..deployment(id)
    };
    let failed = Deployment { outcome: DeploymentOutcome::Failure, ..to("d4", "production", 4) };
    let shipped = |source, name: &str, number: i64| Shipment {
        source,
        external_id: number.to_string(),
        name: name.to_owned(),
        path: None,
        sha: sha(number),
        outcome: DeploymentOutcome::Success,
        created_at: at(950),
        finished_at: Some(at(960)),
    };
    let page = Page {
        deployments: vec![
            to("d1", "Production", 1),
            to("d2", "preview of 412", 2),
            to("d3", "production", 3),
            failed,
        ],
        shipments: vec![
            shipped(Source::Releases, "v1", 5),
            shipped(Source::Releases, "beta", 6),
            shipped(Source::WorkflowRuns, "deploy", 7),
        ],
        pull_requests: vec![pull_request(8)],
        commits: vec![with_parents(3, &[])],
        ..github_page()
    };
    house.github_says(page).await;
    assert_eq!(missing(house).await, ["1"], "by the default rules");

    let rule = |source: Source, pattern: &str| DeploymentRule {
        repository: "acme/payments".to_owned(),
        source: source.as_str().to_owned(),
        pattern: Some(pattern.to_owned()),
        environments: Vec::new(),
    };
    let under = async |rules: Vec<DeploymentRule>| {
        house.rules.put_deployments(house.client, rules, Seen::Any).await.unwrap();
        missing(house).await
    };
    assert_eq!(under(vec![rule(Source::Releases, "^v")]).await, ["5"]);
    assert_eq!(under(vec![rule(Source::WorkflowRuns, "deploy")]).await, ["7"]);
    assert_eq!(under(vec![rule(Source::Merges, "^release")]).await, Vec::<String>::new());
    assert_eq!(under(vec![rule(Source::Merges, "^main$")]).await, ["50"], "merged as 80");
}

async fn what_is_gone_is_asked_for_again_later(house: &House) {
    let told = async |page: Page, second| {
        let mark = PageMark { now: at(second), ..mark(&page) };
        house.facts.keep_page(&house.held(house.github), page, &mark).await.unwrap();
        missing(house).await
    };
    let page = Page {
        deployments: vec![Deployment { sha: sha(1), ..deployment("d1") }],
        commits: vec![with_parents(9, &[2])],
        ..github_page()
    };
    assert_eq!(told(page, 1).await, ["1", "2"]);
    let gone = |number: i64| Page { gone_commits: vec![sha(number)], ..github_page() };
    assert_eq!(told(gone(1), 99).await, ["1", "2"], "that was long ago");
    assert_eq!(told(gone(1), 100).await, ["2"]);
    assert_eq!(told(gone(2), 101).await, Vec::<String>::new());
    let found = Page { commits: vec![with_parents(1, &[2])], ..github_page() };
    assert_eq!(told(found, 102).await, Vec::<String>::new(), "and its parent is still gone");
}

//! The quality of the data: each check finds what is bad, among all that could be.

use domain::facts::Facts as Page;
use domain::ids::SnapshotId;
use domain::rules::Source;
use store::metrics::{
    DeliveryState, DeploymentFact, IncidentFact, Link, Publication, PullRequestFact, Repository,
};
use uuid::Uuid;

use crate::flow::Everywhere;
use crate::house::House;
use crate::nouns::*;

contract! {
    each_check_finds_what_is_bad_among_all,
    a_client_without_data_has_nothing_to_look_at,
}

/// Bad, all and the first example of each check.
async fn found(house: &House, hours: i64) -> Vec<(&'static str, u64, u64, Option<String>)> {
    let found = house.metrics.quality(house.client, at(hours * 3_600)).await.unwrap();
    let told = |found: store::quality::Found| {
        (found.name, found.bad, found.all, found.examples.into_iter().next())
    };
    found.into_iter().map(told).collect()
}

async fn each_check_finds_what_is_bad_among_all(house: &House) {
    let mut cut_off = issue(1);
    cut_off.changelog_complete = false;
    house.jira_says(Page { issues: vec![cut_off, issue(2), issue(3)], ..jira_page() }).await;
    house.jira_says(Page { deleted_issues: vec![3], ..Page::default() }).await;
    house.github_says(all_of_github()).await;
    let repository = Repository {
        integration: house.github,
        id: REPOSITORY,
        full_name: "acme/payments".to_owned(),
    };
    let link = Link {
        number: 1,
        issue_integration: house.jira,
        issue_id: 1,
        via: "branch".to_owned(),
        key_seen: "PAY-1".to_owned(),
    };
    house
        .metrics
        .keep_links(house.client, house.fence, &repository, vec![link], at(2))
        .await
        .unwrap();
    let deployed = |id: &str, environment: Option<&str>, why: Option<&str>| DeploymentFact {
        integration: house.github,
        repository: REPOSITORY,
        source: Source::Deployments,
        told: deployment(id),
        environment: environment.map(str::to_owned),
        reason: environment.map_or(Some("no_environment_rule"), |_| why).map(str::to_owned),
        previous: None,
        rollback: false,
        rolled_back: false,
        pull_requests: 0,
        incidents: 0,
        succeeded_at: environment.map(|_| at(960)),
    };
    let fact = crate::metrics::publication(house, 5).pull_requests.remove(0);
    let reviewed =
        |number, first_review_at| PullRequestFact { number, first_review_at, ..fact.clone() };
    let publication = Publication {
        id: SnapshotId(Uuid::now_v7()),
        as_of: at(5),
        state: DeliveryState::default(),
        published_at: at(5),
        basis: String::new(),
        computed: None,
        pull_requests: vec![reviewed(1, Some(at(400))), reviewed(2, None)],
        deployments: vec![
            deployed("d1", Some("production"), None),
            deployed("d2", None, None),
            deployed("d3", Some("production"), Some("unknown_commit")),
        ],
        incidents: vec![IncidentFact {
            integration: house.jira,
            issue: 2,
            started_at: at(1),
            cause: None,
        }],
    };
    let rules = Everywhere::leaving_out(vec![2, 3]);
    house.publish(publication, rules).await.unwrap();

    let expected = [
        ("issues_unmapped", 1, 2, Some("PAY-2")),
        ("issues_without_history", 1, 2, Some("PAY-1")),
        ("pull_requests_without_issue", 1, 2, Some("acme/payments#2")),
        ("pull_requests_without_review", 1, 2, Some("acme/payments#2")),
        ("deployments_without_environment", 1, 3, Some("acme/payments production")),
        ("deployments_of_unknown_commits", 1, 2, Some("acme/payments d3")),
        ("incidents_without_deployment", 1, 1, Some("PAY-2")),
        // Neither job has ever finished.
        ("stale_connections", 2, 2, Some("github")),
    ];
    let expected =
        expected.map(|(name, bad, all, first)| (name, bad, all, first.map(str::to_owned)));
    let found = found(house, 1).await;
    assert_eq!(found[..8], expected);
    assert_eq!((found[8].0, found[8].1), ("gaps", 0));
}

async fn a_client_without_data_has_nothing_to_look_at(house: &House) {
    let (other, ..) = house.add_client("globex").await;
    house.jira_says(all_of_jira()).await;
    let found = house.metrics.quality(other, at(1)).await.unwrap();
    let rows: Vec<_> =
        found.iter().map(|found| (found.name, found.all)).filter(|(_, all)| *all > 0).collect();
    assert_eq!(rows, [("stale_connections", 2)], "only what it connected");
}

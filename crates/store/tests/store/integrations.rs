//! Connections: what may change, and when.

use domain::job::JobType::JiraSync;
use store::Error;
use store::facts::Held;
use store::integrations::Integration;
use store::work::Command;

use crate::flow::Everywhere;
use crate::house::{House, mark};
use crate::nouns::*;

contract! {
    an_address_changes_until_something_was_read_from_it,
    numbers_follow_a_connection_that_no_longer_counts,
}

async fn an_address_changes_until_something_was_read_from_it(house: &House) {
    let moved = async |site: &str| {
        let stored = house.integrations.get(house.client, house.jira).await.unwrap();
        let base_url = format!("https://{site}.example");
        house.integrations.replace(&Integration { base_url, ..stored }).await
    };
    let early = moved("other").await;
    assert!(matches!(early, Err(Error::BeingRead)), "the house's task is at it: {early:?}");

    house.work.command(house.client, JiraSync, Command::Stop, at(1)).await.unwrap();
    moved("other").await.unwrap();
    house.work.command(house.client, JiraSync, Command::Run, at(2)).await.unwrap();
    house.work.dispatch(house.client, at(2)).await.unwrap().unwrap();
    let waiting = moved("jira").await;
    assert!(matches!(waiting, Err(Error::BeingRead)), "a task is planned: {waiting:?}");
    house.work.command(house.client, JiraSync, Command::Stop, at(3)).await.unwrap();
    moved("jira").await.unwrap();

    house.work.command(house.client, JiraSync, Command::Run, at(4)).await.unwrap();
    let run = house.work.dispatch(house.client, at(4)).await.unwrap().unwrap().run;
    let rings = house.work.take_rings(9, at(60), at(4)).await.unwrap();
    let lease = house
        .work
        .begin(rings.last().unwrap().task().unwrap(), "ada", at(30), at(4))
        .await
        .unwrap();
    let held = Held { run, fence: lease.unwrap().fence, ..house.held(house.jira) };
    house.facts.keep_page(&held, jira_page(), &mark(&jira_page())).await.unwrap();
    house.work.command(house.client, JiraSync, Command::Stop, at(5)).await.unwrap();
    let late = moved("other").await;
    assert!(matches!(late, Err(Error::ReadAlready)), "{late:?}");
    moved("jira").await.expect("everything else may change");
    let (stranger, jira, _) = house.add_client("stranger").await;
    let stored = house.integrations.get(stranger, jira).await.unwrap();
    let moved = Integration { base_url: "https://other.example".to_owned(), ..stored };
    house.integrations.replace(&moved).await.expect("nobody has read theirs");
}

async fn numbers_follow_a_connection_that_no_longer_counts(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.github_says(all_of_github()).await;
    publish(house).await;
    let behind = async || {
        let workflows = house.metrics.clients_with_changed_workflows().await.unwrap();
        (workflows, house.metrics.clients_with_changed_rules().await.unwrap())
    };
    let change = async |change: fn(Integration) -> Integration| {
        let stored = house.integrations.get(house.client, house.jira).await.unwrap();
        house.integrations.replace(&change(stored)).await.unwrap();
    };
    change(|stored| Integration { name: "Other".to_owned(), ..stored }).await;
    assert_eq!(behind().await, (vec![], vec![]), "a name counts for nothing");
    for active in [false, true] {
        change(|stored| Integration { active: !stored.active, ..stored }).await;
        assert_eq!(behind().await, (vec![house.client], vec![house.client]), "{active}");
        publish(house).await;
        assert_eq!(behind().await, (vec![], vec![]), "{active}");
    }
}

async fn publish(house: &House) {
    let publication = crate::metrics::publication(house, 20);
    house.publish(publication, Everywhere::default()).await.unwrap();
}

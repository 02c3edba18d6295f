//! Rings are not lost, and people are told in one order.

use std::collections::HashSet;

use domain::job::JobType::JiraSync;
use domain::rules::{DeploymentRule, IncidentRule, IncidentRules, ProjectRule};
use domain::work::Topic;
use domain::workflow::Seen;
use store::work::{About, Command, Ring};

use super::Yard;
use crate::flow::Everywhere;
use crate::house::House;
use crate::metrics::publication;
use crate::nouns::{all_of_github, at};

contract! {
    a_ring_is_taken_by_one_publisher,
    a_ring_whose_publisher_died_is_taken_again,
    a_task_that_nobody_took_is_rung_again,
    whoever_changes_something_is_rung_for,
    what_has_to_wait_for_the_end_of_a_run_is_rung_for_then,
    events_are_seen_in_the_order_of_their_numbers,
    old_events_are_forgotten,
}

async fn a_ring_is_taken_by_one_publisher(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    yard.issues(0).await;
    yard.work.start_over(at(1)).await.unwrap();
    let mut publishers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let work = yard.work.clone();
        publishers.spawn(async move { work.take_rings(1, at(20), at(10)).await.unwrap() });
    }
    let taken: Vec<_> = publishers.join_all().await.into_iter().flatten().collect();
    let distinct: HashSet<i64> = taken.iter().map(|ring| ring.id).collect();
    assert_eq!(distinct.len(), taken.len(), "{taken:?}");
    let left = yard.work.take_rings(10, at(20), at(10)).await.unwrap();
    assert_eq!(taken.len() + left.len(), 4, "the house's task and three of ours");
}

async fn a_ring_whose_publisher_died_is_taken_again(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    let rings = yard.work.take_rings(10, at(10), at(0)).await.unwrap();
    assert_eq!(yard.work.take_rings(10, at(19), at(9)).await.unwrap(), []);
    assert_eq!(yard.work.take_rings(10, at(20), at(10)).await.unwrap(), rings);
    yard.work.forget_rings(&rings).await.unwrap();
    assert_eq!(yard.work.take_rings(10, at(90), at(80)).await.unwrap(), []);
}

/// What is told of clients, whom nobody is told of again.
async fn told(house: &House) -> Vec<(Topic, About)> {
    let rings = house.work.take_rings(100, at(20), at(10)).await.unwrap();
    house.work.forget_rings(&rings).await.unwrap();
    let of_clients = rings.into_iter().filter(|ring| ring.task().is_none());
    of_clients.map(|ring| (ring.topic, ring.about)).collect()
}

async fn whoever_changes_something_is_rung_for(house: &House) {
    let (rules, client) = (&house.rules, house.client);
    let once = [(Topic::Changes, About::Client(client))];
    assert_eq!(told(house).await, []);
    let logins = || vec!["ci-user".to_owned()];
    rules.put_bots(client, logins(), Seen::Any).await.unwrap();
    assert_eq!(told(house).await, once);
    rules.put_bots(client, logins(), Seen::Any).await.unwrap();
    rules.put_bots(client, Vec::new(), Seen::Version(7)).await.unwrap_err();
    assert_eq!(told(house).await, [], "nothing changed");

    let merges = DeploymentRule {
        repository: "*".to_owned(),
        source: "merges".to_owned(),
        pattern: Some("main".to_owned()),
        environments: Vec::new(),
    };
    rules.put_deployments(client, vec![merges], Seen::Any).await.unwrap();
    assert_eq!(told(house).await, once);
    let incidents =
        IncidentRule { window_hours: None, ..IncidentRules::default().written()[0].clone() };
    rules.put_incidents(client, vec![incidents], Seen::Any).await.unwrap();
    assert_eq!(told(house).await, once);
    let belongs =
        ProjectRule { project: "PAY".to_owned(), repositories: vec!["acme/pay".to_owned()] };
    rules.put_projects(client, vec![belongs], Seen::Any).await.unwrap();
    assert_eq!(told(house).await, once);
    crate::workflows::kanban(house).await;
    assert_eq!(told(house).await, once);
}

async fn what_has_to_wait_for_the_end_of_a_run_is_rung_for_then(house: &House) {
    house.github_says(all_of_github()).await;
    let (work, client) = (&house.work, house.client);
    let publish = async |second| {
        house.publish(publication(house, second), Everywhere::default()).await.unwrap();
    };
    publish(5).await;
    house.rules.put_bots(client, vec!["ci-user".to_owned()], Seen::Any).await.unwrap();
    assert_eq!(told(house).await.len(), 1);
    let mut last = house.fence;
    loop {
        work.finish(last, &[], "", at(6)).await.unwrap();
        let rings = work.take_rings(100, at(20), at(10)).await.unwrap();
        work.forget_rings(&rings).await.unwrap();
        let Some(task) = rings.iter().find_map(Ring::task) else {
            let about: Vec<About> = rings.iter().map(|ring| ring.about).collect();
            assert_eq!(about, [About::Client(client)], "the run is over");
            break;
        };
        last = work.begin(task, "ada", at(60), at(6)).await.unwrap().unwrap().fence;
    }
}

async fn a_task_that_nobody_took_is_rung_again(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    let lost = yard.rung().await;
    let again = async |topic, since, second| {
        let unheard = yard.work.is_unheard(topic, at(since), at(second)).await.unwrap();
        let rung = yard.work.ring_unheard(topic, at(since), at(second)).await.unwrap();
        assert_eq!(unheard, rung > 0);
        rung
    };
    assert_eq!(again(Topic::Jira, 0, 30).await, 0);
    assert_eq!(again(Topic::Github, 1, 31).await, 0, "it is for others");
    assert_eq!(again(Topic::Jira, 1, 31).await, 1);
    assert_eq!(yard.rung().await, lost);
    assert_eq!(again(Topic::Jira, 2, 32).await, 0, "that was just now");
}

/// Whoever reads on from the last number seen misses nothing, however many write.
async fn events_are_seen_in_the_order_of_their_numbers(house: &House) {
    const WRITERS: i64 = 4;
    const EACH: i64 = 10;
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    let before = house.jobs.newest_event(yard.client).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (work, client) = (yard.work.clone(), yard.client);
        writers.spawn(async move {
            for number in 0..EACH {
                let body = format!(r#"{{"writer": {writer}, "number": {number}}}"#);
                work.tell_progress(client, run, body, at(number)).await.unwrap();
            }
        });
    }
    let (mut since, mut seen) = (before, 0);
    while seen < WRITERS * EACH {
        for event in house.jobs.events(yard.client, since, 7).await.unwrap() {
            assert!(event.seq > since);
            since = event.seq;
            seen += 1;
        }
        tokio::task::yield_now().await;
    }
    writers.join_all().await;
    assert_eq!(house.jobs.newest_event(yard.client).await.unwrap(), since);
    assert_eq!(house.jobs.events(yard.client, before, 1_000).await.unwrap().len() as i64, seen);
}

async fn old_events_are_forgotten(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    for second in [1, 100] {
        yard.work.tell_progress(yard.client, run, "{}".to_owned(), at(second)).await.unwrap();
    }
    yard.command(JiraSync, Command::Stop, 50).await;
    let told = || async { house.jobs.events(yard.client, 0, 100).await.unwrap().len() };
    assert_eq!(told().await, 5, "pending, running, progress, progress, stopped");
    yard.work.prune_events(at(99), at(-1)).await.unwrap();
    assert_eq!(told().await, 4);
    yard.work.prune_events(at(99), at(50)).await.unwrap();
    assert_eq!(told().await, 2);
}

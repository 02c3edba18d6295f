//! The door for tests.

use std::time::{Duration, Instant};

use serde_json::json;
use simulator::{Options, Simulator};

use crate::caller::{Caller, json, small};

const LISTS: [&str; 9] = [
    "issues",
    "issue-changes",
    "repositories",
    "pull-requests",
    "reviews",
    "review-comments",
    "comments",
    "commits",
    "deployments",
];

#[test]
fn a_seed_decides_the_company_and_its_future() {
    let start = |seed| Simulator::start(Options { seed, ..small() }).unwrap();
    let (one, same, other) = (start(7), start(7), start(8));
    for step in 0..3 {
        for list in LISTS {
            let truth = one.truth(list).unwrap();
            assert!(!truth.is_empty(), "{list}");
            assert_eq!(truth, same.truth(list).unwrap(), "{list} after {step} steps");
        }
        assert_ne!(one.truth("issues"), other.truth("issues"));
        one.advance(Duration::from_secs(40_000));
        same.advance(Duration::from_secs(40_000));
    }
}

#[test]
fn the_company_holds_what_extractors_stumble_over() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let count = |list: &str, part: &str| {
        simulator.truth(list).unwrap().lines().filter(|line| line.contains(part)).count()
    };
    assert_eq!(count("issues", ""), 3_000);
    assert_eq!(count("pull-requests", ""), 1_500);
    let expected = [
        ("issues", "\"assignee\":null"),
        ("issues", "\"priority\":null"),
        ("issues", "Former user"),
        ("issues", "\"type\":\"Incident\""),
        ("issues", "🚀"),
        ("issues", "\"type\":\"Subtask\""),
        ("issues", "Waiting for Customer"),
        ("issue-changes", "\"field\":\"Key\""),
        ("issue-changes", "\"author\":null"),
        ("issue-changes", ", hardening"),
        ("pull-requests", "\"author\":null"),
        ("pull-requests", "Revert \\\""),
        ("pull-requests", "\"draft\":true"),
        ("pull-requests", "\"state\":\"CLOSED\""),
        ("pull-requests", "\"author\":\"dependabot\""),
        ("pull-requests", "UTF-8"),
        ("reviews", "\"state\":\"PENDING\""),
        ("deployments", "\"outcome\":\"FAILURE\""),
        ("deployments", "\"environment\":\"staging\""),
        ("repositories", "\"default_branch\":null"),
    ];
    for (list, part) in expected {
        assert!(count(list, part) > 0, "no {part} among the {list}");
    }
}

#[test]
fn an_empty_company_lives_too() {
    let options = Options { issues: 0, pull_requests: 0, projects: 1, repositories: 1, ..small() };
    let simulator = Simulator::start(options).unwrap();
    assert_eq!(simulator.truth("issues").unwrap(), "");
    simulator.advance(Duration::from_secs(86_400));
    assert!(simulator.truth("issues").unwrap().lines().count() >= 2);
}

#[tokio::test]
async fn requests_are_counted_by_route() {
    let caller = Caller::new(small());
    let body = json!({ "jql": "project = PAY" });
    for _ in 0..3 {
        caller.post_jira("search/jql", &body).await;
    }
    caller.github("repos/quillmark/nothing").await;
    let stats = json(caller.get("/__stats").send().await.unwrap()).await;
    assert_eq!((&stats["requests"], &stats["routes"]["search/jql"]), (&json!(4), &json!(3)));
    caller.post("/__stats/reset", &json!({})).send().await.unwrap();
    assert_eq!(caller.simulator.stats().requests, 0);
}

#[tokio::test]
async fn faults_strike_when_told() {
    let caller = Caller::new(small());
    let faults = json!({ "faults": [
        { "path": "search/jql", "kind": "throttle", "every": 2, "times": 1, "retry_after": "0" },
        { "path": "/github/user", "kind": "server_error", "status": 502 },
        { "path": "field", "kind": "truncate" },
    ]});
    caller.post("/__faults", &faults).send().await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = caller.post_jira("search/jql", &json!({ "jql": "project = PAY" })).await;
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [200, 429, 200, 200]);
    assert_eq!(caller.github("user").await.status(), 502);
    assert!(caller.jira("field").await.bytes().await.is_err(), "the body ends too early");
    assert_eq!(caller.simulator.stats().throttled, 1);
}

#[tokio::test]
async fn the_clock_can_be_advanced_from_outside() {
    let caller = Caller::new(small());
    let before = caller.simulator.truth("issue-changes");
    let answer = caller.post("/__advance", &json!({ "seconds": 60 })).send().await.unwrap();
    assert_eq!(json(answer).await["now"], "2026-10-02T09:01:00.000Z");
    assert_ne!(caller.simulator.truth("issue-changes"), before);
    let truth = caller.get("/__truth/issues").send().await.unwrap().text().await.unwrap();
    assert_eq!(Some(truth), caller.simulator.truth("issues"));
    let other = caller.get("/__truth/issues?client=2").send().await.unwrap().text().await.unwrap();
    assert!((50..80).contains(&other.lines().count()), "the other client is small");
}

#[tokio::test]
async fn answers_become_slower_when_told() {
    let caller = Caller::new(small());
    let refused = caller.post("/__latency", &json!({ "seconds": 1 })).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let answer = caller.post("/__latency", &json!({ "milliseconds": 200 })).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let asked = Instant::now();
    caller.github("user").await;
    assert!(asked.elapsed() >= Duration::from_millis(200), "{:?}", asked.elapsed());
}

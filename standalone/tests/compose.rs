//! The stack of docker-compose.yml, seen through its gateway and troubled while it syncs. It is run
//! by `make compose-test` alone, one scenario after the other; each leaves the stack as it found it.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "compose/containers.rs"]
mod containers;
#[path = "house/lists.rs"]
mod lists;
#[path = "compose/stack.rs"]
mod stack;
#[path = "compose/sync.rs"]
mod sync;
#[path = "compose/watch.rs"]
mod watch;

use std::time::{Duration, Instant};

use rstest::rstest;

use crate::stack::Stack;
use crate::sync::Sync;

#[tokio::test]
async fn only_those_may_sign_in_who_know_the_password() {
    let stack = Stack::found().await;
    let refused = stack.sign_in("not the password").await;
    assert_eq!(refused.status(), 401);
    let session = stack.get("/api/v1/session").await.unwrap();
    assert_eq!(session["user"]["email"], stack.admin["email"], "{session:#}");
}

#[tokio::test]
async fn both_jobs_bring_the_truth() {
    Sync::begin("both jobs").await.end().await;
}

#[rstest]
#[tokio::test]
async fn a_service_restarts_while_it_is_needed(
    #[values("gateway", "orchestrator", "jira-extractor", "git-extractor", "metrics")]
    service: &str,
) {
    let mut sync = Sync::begin(&format!("restart of {service}")).await;
    sync.is_under_way(if service == "git-extractor" { "git_sync" } else { "jira_sync" }).await;
    containers::compose(&["restart", service]).await;
    sync.end().await;
}

#[rstest]
#[tokio::test]
async fn a_worker_dies(
    #[values(("jira-extractor", "jira_sync"), ("git-extractor", "git_sync"))] worker: (&str, &str),
) {
    let (service, job) = worker;
    let mut sync = Sync::begin(&format!("kill -9 of {service}")).await;
    sync.is_under_way(job).await;
    containers::kill(service).await;
    sync.end().await;
}

#[tokio::test]
async fn workers_come_and_go() {
    let mut sync = Sync::begin("3 git-extractors, then 1").await;
    sync.is_under_way("jira_sync").await;
    containers::scale("git-extractor", 3).await;
    sync.is_under_way("git_sync").await;
    containers::scale("git-extractor", 1).await;
    sync.end().await;
}

#[rstest]
#[tokio::test]
async fn a_server_restarts(#[values("rabbitmq", "postgres")] server: &str) {
    let mut sync = Sync::begin(&format!("restart of {server}")).await;
    sync.is_under_way("jira_sync").await;
    containers::compose(&["restart", server]).await;
    sync.end().await;
}

#[tokio::test]
async fn redis_is_away_for_20_seconds() {
    let mut sync = Sync::begin("20 s without redis").await;
    sync.is_under_way("jira_sync").await;
    containers::compose(&["stop", "redis"]).await;
    let back = Instant::now() + Duration::from_secs(20);
    while Instant::now() < back {
        // Slower, never wrong: whoever is signed in is still let in.
        sync.stack.get("/api/v1/jobs").await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    containers::compose(&["start", "redis"]).await;
    sync.end().await;
}

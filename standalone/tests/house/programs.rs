//! What holds when the services run apart: an end in order, clicks that reach every worker, and a name
//! for who is away.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::Options;

use crate::apart::{Apart, CREW, Program, binary};
use crate::certificates;
use crate::front::Environment;
use crate::proxy::Proxy;

/// A click reaches a worker within this.
const CLICK: Duration = Duration::from_secs(2);
const DRAIN: Duration = Duration::from_secs(25);

fn company() -> Options {
    Options {
        seed: 11,
        issues: 1_500,
        pull_requests: 400,
        latency: Duration::from_millis(100),
        ..Options::default()
    }
}

fn one_task_at_a_time() -> Environment {
    vec![("WORKER_CONCURRENCY", "1".to_owned())]
}

async fn run_both(apart: &Apart) {
    for job in ["jira_sync", "git_sync"] {
        apart.post(&format!("/api/v1/jobs/{job}/run"), &json!({})).await;
    }
}

#[tokio::test]
async fn every_program_ends_in_order_and_hands_back_what_it_holds() {
    let crew = ["orchestrator", "gateway", "jira-extractor", "git-extractor", "metrics"];
    // A large company and one task at a time, so that something is left to read when the last one ends.
    let company = Options { issues: 8_000, pull_requests: 1_600, ..company() };
    let mut apart = Apart::start(company, &crew, one_task_at_a_time()).await;
    apart.connect().await;
    run_both(&apart).await;
    for turn in 0..crew.len() {
        apart.until_requests(apart.requests() + 3).await;
        let program = &mut apart.programs[turn];
        let (status, took) = program.terminate().await;
        assert!(status.success() && took < DRAIN, "{}: {status} after {took:?}", program.name);
        let topic = program.name.replace("-extractor", "").replace("git", "github");
        let held = apart.servers.count(&format!(
            "SELECT count(*) FROM tasks WHERE state = 'LEASED' AND topic = '{topic}'"
        ));
        assert_eq!(held, 0, "held by {topic} workers that have ended");
        apart.programs[turn].start_again();
    }
    apart.until_ready().await;
    apart.until_finished().await;
    apart.expect_truth("after everything was restarted").await;
    let tried_again = apart.servers.count("SELECT count(*) FROM tasks WHERE attempts > 0");
    assert_eq!(tried_again, 0, "handing back is no failed try");
}

#[tokio::test]
async fn clicks_reach_workers_of_another_replica_and_nothing_goes_wrong_without_redis() {
    let redis = crate::servers::redis();
    let proxy = Proxy::to(redis.trim_start_matches("redis://").to_owned()).await;
    let crew =
        ["orchestrator", "orchestrator", "gateway", "jira-extractor", "git-extractor", "metrics"];
    // A large company and one task at a time, so that something is left to click on in the end.
    let company = Options { issues: 8_000, ..company() };
    let mut through = one_task_at_a_time();
    through.push(("CACHE_URL", format!("redis://127.0.0.1:{}", proxy.port)));
    let apart = Apart::start(company, &crew, through).await;
    apart.connect().await;
    run_both(&apart).await;
    let worker = apart.programs.iter().find(|program| program.name == "jira-extractor").unwrap();

    assert!(proxy.callers() > 0, "the programs use Redis");
    for redis in ["there", "silent", "gone"] {
        match redis {
            "silent" => proxy.silence(),
            "gone" => proxy.cut(),
            _ => {}
        }
        apart.until_requests(apart.requests() + 3).await;
        for (verb, back) in [("pause", "resume"), ("stop", "run")] {
            until_in_hand(&apart, worker, true).await;
            let clicked_at = Instant::now();
            apart.post(&format!("/api/v1/jobs/jira_sync/{verb}"), &json!({})).await;
            until_in_hand(&apart, worker, false).await;
            let took = clicked_at.elapsed();
            println!("{verb} reached the worker in {took:?}, Redis {redis}");
            assert!(took < CLICK, "{verb} took {took:?}, Redis {redis}");
            apart.post(&format!("/api/v1/jobs/jira_sync/{back}"), &json!({})).await;
        }
    }
    apart.until_finished().await;
    apart.expect_truth("without Redis").await;
    proxy.mend();
    apart.until_ready().await;
}

/// Waits until the worker has a task in hand, or none.
async fn until_in_hand(apart: &Apart, worker: &Program, any: bool) {
    let deadline = Instant::now() + crate::front::PATIENCE;
    while (worker.measured("worker_tasks_in_hand").await > 0.0) != any {
        if Instant::now() > deadline {
            panic!("the worker has tasks in hand: {}; jobs: {:?}", !any, apart.jobs().await);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn who_is_away_is_named_and_reading_goes_on() {
    // The same programs as ever, but sealed from each other's ears.
    let sealed = certificates::fresh().to_vec();
    let mut apart = Apart::start(company(), &CREW, sealed).await;
    apart.connect().await;
    apart.program("orchestrator").kill();
    apart.program("metrics").kill();

    let refused = apart.try_post("/api/v1/jobs/jira_sync/run").await;
    assert_eq!(refused.status().as_u16(), 503);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["detail"], "The orchestrator does not answer.");
    assert!(problem["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{problem}");
    let unanswered = apart.try_get("/api/v1/metrics/dora").await;
    assert_eq!(unanswered.status().as_u16(), 503);
    let problem: Value = unanswered.json().await.unwrap();
    assert_eq!(problem["detail"], "The metrics service does not answer.");

    assert_eq!(apart.jobs().await.len(), 2, "reading needs nobody else");
    let checks = apart.program("gateway").checks().await;
    let expected = json!({
        "database": "healthy", "migrations": "healthy", "queue": "healthy", "cache": "healthy",
        "orchestrator": "down", "metrics": "down",
    });
    assert_eq!(checks, expected);

    for name in ["orchestrator", "metrics"] {
        apart.program(name).start_again();
        apart.program(name).until_ready().await;
    }
    apart.sync().await;
    apart.get("/api/v1/metrics/dora").await;
}

#[test]
fn each_program_explains_what_it_uses() {
    let cases = [
        ("orchestrator", "ORCHESTRATOR_URL", ["PORT", "HEALTH_PORT", "SCHEDULER_TIMEZONE"]),
        ("gateway", "WORKER_CONCURRENCY", ["METRICS_URL", "BACKEND_SERVICE_URL", "ENCRYPTION_KEY"]),
        ("jira-extractor", "METRICS_URL", ["ORCHESTRATOR_URL", "UPSTREAM_ALLOW", "ENCRYPTION_KEY"]),
        ("git-extractor", "METRICS_URL", ["ORCHESTRATOR_URL", "WORKER_CONCURRENCY", "HEALTH_PORT"]),
        ("metrics", "ENCRYPTION_KEY", ["ORCHESTRATOR_URL", "PORT", "INTERNAL_TOKEN"]),
    ];
    for (name, not_used, used) in cases {
        let output =
            Command::new(binary(name)).arg("--help").output().expect("make test builds it");
        let help = String::from_utf8(output.stdout).unwrap();
        let explains = |variable| help.contains(&format!("\n  {variable} "));
        for variable in used {
            assert!(explains(variable), "{name} does not explain {variable}:\n{help}");
        }
        assert!(!explains(not_used), "{name} explains {not_used}:\n{help}");
    }
}

#[test]
fn a_program_that_cannot_meet_the_others_says_why_in_one_line() {
    let complete = [
        ("DATABASE_URL", "postgres://127.0.0.1:1/pulse"),
        ("QUEUE_URL", "amqp://127.0.0.1:1/%2f"),
        ("CACHE_URL", "redis://127.0.0.1:1"),
        ("BACKEND_SERVICE_URL", "http://127.0.0.1:9"),
        ("ENCRYPTION_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
        ("ORCHESTRATOR_URL", "http://127.0.0.1:9"),
        ("METRICS_URL", "http://127.0.0.1:9"),
        ("PORT", "0"),
        ("HEALTH_PORT", "0"),
    ];
    let cases = [
        ("orchestrator", "DATABASE_URL", "", "postgres://"),
        ("orchestrator", "QUEUE_URL", "memory:", "amqp://"),
        ("gateway", "CACHE_URL", "", "redis://"),
        ("gateway", "METRICS_URL", "", "METRICS_URL is not set"),
        ("gateway", "ORCHESTRATOR_URL", "https://127.0.0.1:9", "INTERNAL_TLS_"),
        ("jira-extractor", "ORCHESTRATOR_URL", "", "ORCHESTRATOR_URL is not set"),
        ("git-extractor", "ENCRYPTION_KEY", "", "openssl rand"),
        ("metrics", "INTERNAL_TOKEN", "short", "16 characters"),
    ];
    for (name, variable, value, expected) in cases {
        let environment = complete.iter().copied().chain([(variable, value), ("LOG_LEVEL", "off")]);
        let output = Command::new(binary(name)).env_clear().envs(environment).output();
        let output = output.expect("make test builds it");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{name} accepts {variable}={value}");
        assert_eq!(said.lines().count(), 1, "{name} {variable}={value}: {said}");
        assert!(said.starts_with(&format!("{name}: ")), "{said}");
        assert!(said.contains(expected), "{name} {variable}={value}: {said:?} lacks {expected:?}");
    }
}

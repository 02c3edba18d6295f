//! What a Pulse admin does first, in a real browser.

use std::process::Command;
use std::time::Duration;

use simulator::Options;

use crate::stack::{Stack, sources};

#[tokio::test]
async fn an_admin_signs_in_runs_both_jobs_and_reads_dora() {
    let stack = Stack::start(company()).await;
    stack.connect().await;
    walk(&stack, "sync.mjs", concat!(env!("CARGO_TARGET_TMPDIR"), "/journey"));
}

#[tokio::test]
async fn an_admin_maps_statuses_moves_the_commitment_and_reads_flow() {
    let stack = Stack::start(company()).await;
    stack.connect().await;
    stack.sync().await;
    walk(&stack, "mappings.mjs", concat!(env!("CARGO_TARGET_TMPDIR"), "/journey-mappings"));
}

fn company() -> Options {
    Options {
        issues: 1_200,
        pull_requests: 600,
        latency: Duration::from_millis(20),
        ..Options::default()
    }
}

/// Walks a journey of the page as the company's admin.
fn walk(stack: &Stack, journey: &str, pictures: &str) {
    let page = sources().join("../gateway/ui");
    let admin = stack.simulator.company().admin;
    let script = format!("journeys/{journey}");
    let walked = Command::new("node")
        .current_dir(page)
        .args([script.as_str(), &stack.url, &admin.email, &admin.password, pictures])
        .output()
        .expect("node runs; `make test` sets it up");
    assert!(
        walked.status.success(),
        "the journey failed; its pictures are in {pictures}\n{}{}",
        String::from_utf8_lossy(&walked.stdout),
        String::from_utf8_lossy(&walked.stderr)
    );
}

//! The first five minutes of a Pulse admin, in a real browser.

use std::process::Command;
use std::time::Duration;

use simulator::Options;

use crate::stack::{Stack, sources};

#[tokio::test]
async fn an_admin_signs_in_runs_both_jobs_and_reads_dora() {
    let options = Options {
        issues: 1_200,
        pull_requests: 600,
        latency: Duration::from_millis(20),
        ..Options::default()
    };
    let stack = Stack::start(options).await;
    stack.connect().await;

    let page = sources().join("../gateway/ui");
    let admin = stack.simulator.company().admin;
    let pictures = concat!(env!("CARGO_TARGET_TMPDIR"), "/journey");
    let journey = Command::new("node")
        .current_dir(page)
        .args(["journeys/sync.mjs", &stack.url, &admin.email, &admin.password, pictures])
        .output()
        .expect("node runs; `make test` sets it up");
    assert!(
        journey.status.success(),
        "the journey failed; its pictures are in {pictures}\n{}{}",
        String::from_utf8_lossy(&journey.stdout),
        String::from_utf8_lossy(&journey.stderr)
    );
}

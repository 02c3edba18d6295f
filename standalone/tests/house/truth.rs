//! What we hold equals what a perfect extractor would hold: after a full sync, after incremental
//! ones, and after any number of power cuts.

use std::time::Duration;

use serde_json::json;
use simulator::Options;

use crate::stack::Stack;

fn company(seed: u64) -> Options {
    Options { seed, issues: 1_200, pull_requests: 500, ..Options::default() }
}

#[rstest::rstest]
#[tokio::test]
async fn a_full_sync_and_three_incremental_ones_hold_the_truth(#[values(1, 2, 3)] seed: u64) {
    let stack = Stack::start(company(seed)).await;
    stack.connect().await;
    stack.sync().await;
    stack.expect_truth("after the full sync").await;

    for day in 1..=3 {
        stack.simulator.advance(Duration::from_secs(86_400));
        stack.sync().await;
        stack.expect_truth(&format!("after day {day}")).await;
    }
}

#[tokio::test]
async fn power_cuts_at_any_moment_lose_and_double_nothing() {
    let options = Options { latency: Duration::from_millis(4), ..company(4) };
    let mut stack = Stack::start(options).await;
    stack.connect().await;
    for job in ["jira_sync", "git_sync"] {
        stack.post(&format!("/api/v1/jobs/{job}/run"), &json!({})).await;
    }
    // Moments spread over the sync by a fixed stride that hits no rhythm of ours.
    for cut in 0..20_u64 {
        let moment = Duration::from_millis(60 + cut * 379 % 700);
        tokio::time::sleep(moment).await;
        stack.restart();
    }
    stack.until_finished().await;
    stack.expect_truth("after twenty power cuts").await;
}

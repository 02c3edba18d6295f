//! What happens beside the default branch, or long after it began, ends where the company says.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use rstest::rstest;
use serde_json::{Value, json};
use simulator::Options;
use simulator::delivery::{By, Way, Which};

use crate::delivery::{expect_equal, say, unsaid};
use crate::stack::Stack;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Rows of a list.
async fn rows(stack: &Stack, list: &str) -> Vec<Value> {
    let lines = stack.lines(list).await;
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Pull requests that were merged into the branch beside the default branch: all, and those in production.
async fn merged_aside(stack: &Stack) -> (usize, usize) {
    let rows = rows(stack, "pull-requests").await;
    let aside: Vec<_> = rows.iter().filter(|row| row["base_ref"] == "next").collect();
    let deployed = aside.iter().filter(|row| !row["deployment_id"].is_null()).count();
    (aside.len(), deployed)
}

/// Requests that were made for commits which the default branch did not tell.
fn asked(stack: &Stack) -> i64 {
    #[derive(QueryableByName)]
    struct Sum {
        #[diesel(sql_type = BigInt)]
        requests: i64,
    }
    let mut database = SqliteConnection::establish(stack.database()).unwrap();
    let sum = "SELECT sum(requests) AS requests FROM tasks WHERE kind = 'missing_commits'";
    diesel::sql_query(sum).get_result::<Sum>(&mut database).unwrap().requests
}

#[rstest]
#[tokio::test]
async fn what_is_merged_and_deployed_beside_the_default_branch_is_brought_once(
    #[values(12, 15)] seed: u64,
) {
    const AT: usize = 1;
    let begin = Utc::now() - TimeDelta::days(45);
    let options =
        Options { seed, issues: 400, pull_requests: 400, now: Some(begin), ..Options::default() };
    let stack = Stack::start(options).await;
    stack.connect().await;
    stack.sync().await;
    stack.simulator.merge_aside(AT);
    stack.sync().await;
    assert_eq!(merged_aside(&stack).await, (1, 0));
    assert_eq!(asked(&stack), 0, "nobody deployed it");

    stack.simulator.advance(HOUR);
    stack.simulator.deploy_aside(AT);
    stack.sync().await;
    assert_eq!(merged_aside(&stack).await, (1, 1), "the branch was deployed");
    assert_eq!(asked(&stack), 1);
    stack.expect_truth("with a branch deployed").await;
    let told = expect_equal(&stack, "with a branch deployed", &unsaid()).await;
    assert!(told.all.deployments > 0 && told.all.pull_requests > 0, "{told:?}");

    stack.simulator.merge_aside(AT);
    stack.simulator.advance(20 * DAY);
    stack.sync().await;
    assert_eq!(merged_aside(&stack).await, (2, 1));
    stack.simulator.bring_home(AT);
    let waits = stack.simulator.wait_for_approval(AT);
    stack.simulator.approve(AT, waits);
    stack.sync().await;
    assert_eq!(
        merged_aside(&stack).await,
        (2, 2),
        "its commits are older than what is read by date"
    );
    stack.expect_truth("with the branch at home").await;
    expect_equal(&stack, "with the branch at home", &unsaid()).await;

    // Others deploy whatever is merged into such a branch.
    stack.simulator.merge_aside(AT);
    stack.simulator.advance(HOUR);
    stack.simulator.merge_aside(AT);
    let next = (Which::At(AT), By::Merges("next"));
    let others = (Which::Every, By::Deployments("production"));
    let gitflow = Way { repositories: vec![next, others], ..unsaid() };
    say(&stack, &gitflow).await;
    stack.sync().await;
    expect_equal(&stack, "with merges into the branch as deployments", &gitflow).await;
    assert_eq!(merged_aside(&stack).await, (4, 3), "each merge but the first brings itself");
}

#[tokio::test]
async fn what_github_does_not_know_is_asked_for_once_and_told_of() {
    let options = Options { seed: 14, issues: 60, pull_requests: 60, ..Options::default() };
    let stack = Stack::start(options).await;
    stack.connect().await;
    stack.sync().await;
    let repository = &stack.simulator.company().github.repositories[0];
    let rules = json!({ "rules": [{ "repository": repository, "source": "api",
        "environments": [{ "match": "live", "environment": "production" }] }] });
    stack.put("/api/v1/deployment-rules", &rules).await;
    let deployed = json!({ "repository": repository, "external_id": "build-1",
        "environment": "live", "sha": "0".repeat(40), "outcome": "success",
        "finished_at": "2026-01-01T00:00:00Z" });
    stack.post("/api/v1/deployments", &deployed).await;
    for when in ["at first", "and not again at once"] {
        stack.sync().await;
        assert_eq!(asked(&stack), 1, "{when}");
    }
    stack.recomputed("/api/v1/metrics/dora").await;
    let report = stack.get("/api/v1/metrics/data-quality").await;
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == "deployments_of_unknown_commits");
    let told = (check.unwrap()["count"].as_i64(), &check.unwrap()["examples"]);
    assert_eq!(told, (Some(1), &json!([format!("{repository} api:build-1")])));
}

#[tokio::test]
async fn what_somebody_approves_weeks_later_is_told_as_a_success() {
    const AT: usize = 0;
    // What is read is told by the earlier of two clocks, so theirs is behind ours even at the end.
    let begin = Utc::now() - TimeDelta::days(40);
    let options = Options {
        seed: 13,
        issues: 60,
        pull_requests: 500,
        repositories: 2,
        days: 30,
        now: Some(begin),
        ..Options::default()
    };
    let stack = Stack::start(options).await;
    stack.connect().await;
    let waits = stack.simulator.wait_for_approval(AT);
    stack.sync().await;
    stack.simulator.advance(28 * DAY);
    stack.sync().await;
    let name = &stack.simulator.company().github.repositories[AT];
    let deployments = rows(&stack, "deployments").await;
    let here = deployments.iter().filter(|row| row["repository"] == name.as_str()).count();
    assert!(here - waits > 100, "more than a page of {here} came behind it");

    stack.simulator.approve(AT, waits);
    stack.sync().await;
    stack.expect_truth("after the approval").await;
}

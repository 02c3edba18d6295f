//! What a report says of pull requests equals what the company works out from its own events by other
//! code.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::Options;
use simulator::pulls::Lengths;

use crate::stack::Stack;

fn metric<'a>(report: &'a Value, name: &str) -> &'a Value {
    let metrics = report["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name).unwrap()
}

/// What differs by less came from halving and from reading numbers.
fn is_same(told: Option<f64>, expected: Option<f64>) -> bool {
    match (told, expected) {
        (Some(told), Some(expected)) => (told - expected).abs() < 1e-6,
        (told, expected) => told == expected,
    }
}

fn expect_lengths(when: &str, metric: &Value, (count, median, p85): Lengths) {
    assert!(count > 10, "{when}: the company has these lengths: {metric}");
    assert_eq!(metric["counted"], count, "{when}: {metric}");
    assert!(is_same(metric["value"].as_f64(), median), "{when}: in truth {median:?}: {metric}");
    let told = metric["details"]["p85"].as_f64();
    assert!(is_same(told, p85), "{when}: p85 is {p85:?} in truth: {metric}");
}

async fn expect_same(stack: &Stack, when: &str, machines: &[&str]) {
    let to: DateTime<Utc> = Utc::now();
    let from = to - TimeDelta::days(120);
    let spelled = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let window = format!("from={}&to={}", spelled(from), spelled(to));
    let path = format!("/api/v1/metrics/pull-requests?{window}&explain=true");
    let report = stack.recomputed(&path).await;
    let (from, to) = (spelled(from).parse().unwrap(), spelled(to).parse().unwrap());
    let truth = stack.simulator.pull_totals(machines, from, to);

    for (name, lengths) in [
        ("coding_time", truth.coding),
        ("pickup_time", truth.pickup),
        ("review_time", truth.review),
        ("deploy_time", truth.deploy),
        ("time_to_merge", truth.to_merge),
    ] {
        let metric = metric(&report, name);
        expect_lengths(when, metric, lengths);
        let excluded = metric["excluded"].as_array().unwrap().iter();
        let excluded: u64 = excluded.map(|row| row["count"].as_u64().unwrap()).sum();
        let all = (truth.merged + truth.of_bots) as u64;
        assert_eq!(metric["counted"].as_u64().unwrap() + excluded, all, "{when}: {name}");
    }
    let merged = metric(&report, "merged");
    assert_eq!(merged["value"], truth.merged as f64, "{when}");
    assert_eq!(merged["excluded"][0]["count"], truth.of_bots, "{when}: {merged}");
    assert_eq!(merged["ids"].as_array().unwrap().len(), truth.merged, "{when}");
    for (name, total) in [
        ("size", truth.lines),
        ("changed_files", truth.files),
        ("reviews", truth.reviews),
        ("reviewers", truth.reviewers),
        ("comments", truth.comments),
        ("review_rounds", truth.rounds),
    ] {
        let told = metric(&report, name)["details"]["total"].as_f64();
        assert_eq!(told, Some(total as f64), "{when}: {name}");
        assert!(total > 0, "{when}: the company has {name}");
    }
    assert_eq!(metric(&report, "size")["value"].as_f64(), truth.size, "{when}");
    for (name, count) in [("merged_without_review", truth.unreviewed), ("reverted", truth.reverted)]
    {
        let metric = metric(&report, name);
        let share = count as f64 / truth.merged as f64;
        assert!(is_same(metric["value"].as_f64(), Some(share)), "{when}: {share}: {metric}");
        // Nothing is told where there is none.
        let ids = metric["ids"].as_array().map_or(0, Vec::len);
        assert_eq!(ids, count, "{when}: {name}");
    }
    assert!(truth.unreviewed > 0, "{when}: some are merged without a review");
    assert_eq!(metric(&report, "open_pull_request_age")["counted"], truth.open, "{when}");
    expect_parts(stack, when, &window, truth.merged as u64).await;
}

/// Repositories and buckets share all of them out.
async fn expect_parts(stack: &Stack, when: &str, window: &str, merged: u64) {
    let rows = stack.lines("repositories").await;
    let mut of_repositories = 0;
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let name = row["full_name"].as_str().unwrap().to_uppercase();
        let path = format!("/api/v1/metrics/pull-requests?{window}&repository={name}&bucket=day");
        let report = stack.get(&path).await;
        let here = metric(&report, "merged")["counted"].as_u64().unwrap();
        let series = report["series"].as_array().unwrap().iter();
        let of_days: f64 = series.map(|point| point["merged"].as_f64().unwrap()).sum();
        assert_eq!(of_days, here as f64, "{when}: {name}");
        of_repositories += here;
    }
    assert_eq!(of_repositories, merged, "{when}");
}

/// The login of whoever opened the newest pull request, and the beginning of another's.
fn some_people(stack: &Stack) -> Vec<String> {
    let rows = stack.simulator.truth("pull-requests").unwrap();
    let rows = rows.lines().rev().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut logins: Vec<String> = Vec::new();
    for row in rows {
        let login = row["author"].as_str().unwrap_or_default().to_owned();
        let is_bot = ["", "dependabot", "release-runner"].contains(&login.as_str());
        if !is_bot && !logins.contains(&login) {
            logins.push(login);
        }
    }
    let beginning = &logins[1][..logins[1].len() - 2];
    vec![logins[0].to_uppercase(), format!("{beginning}*")]
}

#[rstest]
#[tokio::test]
async fn pull_requests_are_what_the_company_says(#[values(1, 2, 3)] seed: u64) {
    let options = Options { seed, issues: 900, pull_requests: 600, ..Options::default() };
    let stack = Stack::start(options).await;
    stack.connect().await;
    stack.sync().await;
    expect_same(&stack, "at first", &[]).await;
    stack.simulator.advance(Duration::from_secs(3 * 86_400));
    stack.sync().await;
    expect_same(&stack, "three days later", &[]).await;

    let machines = some_people(&stack);
    let machines: Vec<&str> = machines.iter().map(String::as_str).collect();
    stack.put("/api/v1/bot-rules", &json!({ "logins": machines })).await;
    expect_same(&stack, "when some people are machines", &machines).await;
}

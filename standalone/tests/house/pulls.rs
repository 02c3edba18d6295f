//! What a report says of pull requests equals what the company works out from its own events by other
//! code.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::Options;
use simulator::pulls::Totals;

use crate::dice::company;
use crate::numbers::{expect_grown, expect_left_out, expect_spread, expect_values, metric};
use crate::stack::Stack;

async fn expect_same(stack: &Stack, when: &str, machines: &[&str]) {
    let to: DateTime<Utc> = Utc::now();
    let from = to - TimeDelta::days(120);
    let spelled = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let window = format!("from={}&to={}", spelled(from), spelled(to));
    let path = format!("/api/v1/metrics/pull-requests?{window}&explain=true&bucket=day");
    stack.recomputed(&path).await;
    let asked_at = Utc::now();
    let report = stack.recomputed(&path).await;
    let ages = [asked_at, Utc::now()].map(|at| stack.simulator.pull_ages(machines, at));
    let (from, to) = (spelled(from).parse().unwrap(), spelled(to).parse().unwrap());
    let truth = stack.simulator.pull_window(machines, from, to);
    let all = &truth.all;

    let lengths = [
        ("coding_time", &all.coding),
        ("pickup_time", &all.pickup),
        ("review_time", &all.review),
        ("deploy_time", &all.deploy),
        ("time_to_merge", &all.to_merge),
    ];
    let of_bots = ("bot", truth.of_bots);
    for ((name, spread), without) in lengths.into_iter().zip(&all.without) {
        let (metric, when) = (metric(&report, name), format!("{when}: {name}"));
        assert!(spread.count > 10, "{when}: the company has these lengths: {metric:#}");
        expect_spread(&when, metric, spread);
        let without = without.iter().map(|(reason, count)| (*reason, *count));
        expect_left_out(&when, metric, without.chain([of_bots]));
    }
    let merged = metric(&report, "merged");
    expect_values(when, merged, &[("value", Some(all.merged as f64))]);
    expect_left_out(when, merged, [of_bots]);
    assert_eq!(merged["ids"].as_array().unwrap().len(), all.merged, "{when}");
    for (name, amount) in [
        ("size", &all.lines),
        ("changed_files", &all.files),
        ("reviews", &all.reviews),
        ("reviewers", &all.reviewers),
        ("comments", &all.comments),
        ("review_rounds", &all.rounds),
    ] {
        let (metric, when) = (metric(&report, name), format!("{when}: {name}"));
        expect_spread(&when, metric, &amount.each);
        expect_values(&when, &metric["details"], &[("total", Some(amount.total))]);
        assert!(amount.total > 0.0, "{when}: the company has some");
    }
    for (name, count) in [("merged_without_review", all.unreviewed), ("reverted", all.reverted)] {
        let metric = metric(&report, name);
        let share = count as f64 / all.merged as f64;
        expect_values(when, metric, &[("value", Some(share))]);
        // Nothing is told where there is none.
        let ids = metric["ids"].as_array().map_or(0, Vec::len);
        assert_eq!(ids, count, "{when}: {name}");
    }
    assert!(all.unreviewed > 0, "{when}: some are merged without a review");
    let age = metric(&report, "open_pull_request_age");
    assert_eq!(age["counted"], truth.open, "{when}");
    expect_left_out(when, age, [("bot", truth.open_of_bots)]);
    expect_values(when, &age["details"], &[("drafts", Some(truth.drafts as f64))]);
    expect_grown(when, &age["value"], ages[0].middle, ages[1].middle);
    expect_grown(when, &age["details"]["p85"], ages[0].p85, ages[1].p85);
    expect_same_days(when, &report, &truth.days);
    expect_parts(stack, when, &window, all.merged as u64).await;
}

fn expect_same_days(when: &str, report: &Value, days: &[Totals]) {
    let series = report["series"].as_array().unwrap();
    assert_eq!(series.len(), days.len(), "{when}");
    for (point, day) in series.iter().zip(days) {
        let share = |count: usize| (day.merged > 0).then(|| count as f64 / day.merged as f64);
        let values = [
            ("merged", Some(day.merged as f64)),
            ("coding_time_p50", day.coding.middle),
            ("pickup_time_p50", day.pickup.middle),
            ("review_time_p50", day.review.middle),
            ("deploy_time_p50", day.deploy.middle),
            ("time_to_merge_p50", day.to_merge.middle),
            ("time_to_merge_p85", day.to_merge.p85),
            ("size_p50", day.lines.each.middle),
            ("merged_without_review", share(day.unreviewed)),
            ("reverted", share(day.reverted)),
        ];
        expect_values(when, point, &values);
    }
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
    let seed = company(seed);
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

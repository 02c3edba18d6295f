//! What deployments and incidents amount to equals what the company works out from its own events by
//! other code, whichever rules its client has.

use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveTime, SecondsFormat, TimeDelta, Utc};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::delivery::{By, Caused, Trouble, Way, Which, Window};
use simulator::{Options, Simulator, flow};

use crate::dice::company;
use crate::front::Front;
use crate::numbers::{expect_left_out, expect_values, metric};
use crate::stack::Stack;

/// Nothing was said.
pub fn unsaid() -> Way {
    Way {
        repositories: vec![(Which::Every, By::Deployments("production"))],
        incidents: vec![trouble(&["Incident"], &[], Some(24))],
        flow: crate::flow::unsaid(),
        projects: Vec::new(),
    }
}

/// Whatever is merged is live, and what customers report is an incident, however late.
fn merges() -> Way {
    Way {
        repositories: vec![(Which::Every, By::Merges("main"))],
        incidents: vec![
            Trouble { by_field: true, by_reference: true, ..trouble(&["Incident"], &[], None) },
            trouble(&[], &["customer", "nötig"], Some(72)),
        ],
        ..unsaid()
    }
}

/// As with merges, but two projects have repositories of their own.
fn belonging() -> Way {
    Way { projects: vec![("PAY", vec![0]), ("OPS", vec![1])], ..merges() }
}

/// The first repository is live when it is on staging.
fn mixed() -> Way {
    Way {
        repositories: vec![
            (Which::At(0), By::Deployments("staging")),
            (Which::At(1), By::Merges("main")),
            (Which::Every, By::Deployments("production")),
        ],
        incidents: vec![
            trouble(&["Bug"], &["security"], Some(6)),
            Trouble {
                components: vec!["Payments API"],
                severities: vec!["Sev1", "Sev2"],
                ..trouble(&[], &[], Some(48))
            },
        ],
        ..unsaid()
    }
}

/// Whoever reports an incident may say what caused it.
fn named() -> Way {
    let incident = trouble(&["Incident"], &[], Some(24));
    Way { incidents: vec![Trouble { by_reference: true, ..incident }], ..unsaid() }
}

/// Every run of the workflow that deploys is one.
fn runs() -> Way {
    Way { repositories: vec![(Which::Every, By::Runs("deploy"))], ..named() }
}

/// Every release is one.
fn releases() -> Way {
    Way { repositories: vec![(Which::Every, By::Releases)], ..named() }
}

fn trouble(types: &[&'static str], labels: &[&'static str], window_hours: Option<i64>) -> Trouble {
    let (components, severities) = (Vec::new(), Vec::new());
    let (types, labels) = (types.to_vec(), labels.to_vec());
    let (by_field, by_reference) = (false, false);
    Trouble { types, labels, components, severities, by_field, by_reference, window_hours }
}

/// Makes the product see delivery this way, too.
pub async fn say(stack: &Front, way: &Way) {
    say_deployments(stack, way).await;
    say_incidents(stack, way).await;
    let named: Vec<String> = repositories(stack);
    let projects = way.projects.iter().map(|(project, positions)| {
        let names: Vec<String> = positions.iter().map(|at| named[*at].to_uppercase()).collect();
        json!({ "project": project, "repositories": names })
    });
    let projects: Vec<Value> = projects.collect();
    stack.put("/api/v1/project-rules", &json!({ "projects": projects })).await;
}

/// What tells of a deployment.
pub async fn say_deployments(stack: &Front, way: &Way) {
    let named: Vec<String> = repositories(stack);
    let rules: Vec<Value> = way
        .repositories
        .iter()
        .map(|(which, by)| {
            let repository = match which {
                Which::Every => "*",
                Which::At(position) => &named[*position],
            };
            match by {
                By::Deployments(environment) => json!({ "repository": repository,
                    "source": "deployments",
                    "environments": [{ "match": format!("^{environment}$"), "environment": "production" }] }),
                By::Runs(workflow) => json!({ "repository": repository,
                    "source": "workflow_runs", "match": format!("workflows/{workflow}.yml") }),
                By::Releases => json!({ "repository": repository, "source": "releases",
                    "match": "^v[0-9]" }),
                By::Merges(branch) => json!({ "repository": repository, "source": "merges",
                    "match": format!("^{branch}$") }),
            }
        })
        .collect();
    stack.put("/api/v1/deployment-rules", &json!({ "rules": rules })).await;
}

/// What an incident is.
async fn say_incidents(stack: &Front, way: &Way) {
    let rules: Vec<Value> = way
        .incidents
        .iter()
        .map(|trouble| {
            let field = trouble.by_field.then_some("customfield_10060");
            let named = trouble.by_reference.then_some("customfield_10070");
            let severities: Vec<String> =
                trouble.severities.iter().map(|name| name.to_uppercase()).collect();
            let fields: Vec<Value> = Some(severities)
                .filter(|names| !names.is_empty())
                .map(|values| json!({ "field": "customfield_10080", "values": values }))
                .into_iter()
                .collect();
            json!({ "issue_types": trouble.types, "fields": fields, "started_at_field": field, "deployment_field": named, "components": trouble.components, "window_hours": trouble.window_hours,
                "labels": trouble.labels.iter().map(|l| l.to_uppercase()).collect::<Vec<_>>() })
        })
        .collect();
    stack.put("/api/v1/incident-rules", &json!({ "rules": rules })).await;
}

/// Full names, in the company's order.
fn repositories(stack: &Front) -> Vec<String> {
    let rows = stack.simulator.truth("repositories").unwrap();
    let name = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        row["full_name"].as_str().unwrap().to_owned()
    };
    rows.lines().map(name).collect()
}

/// The last sixteen weeks that are over, and how a question spells them.
fn weeks() -> (DateTime<Utc>, DateTime<Utc>, String) {
    let now: DateTime<Utc> = Utc::now();
    let monday = now - TimeDelta::days(now.weekday().num_days_from_monday().into());
    let to = monday.date_naive().and_time(NaiveTime::MIN).and_utc();
    let from = to - TimeDelta::weeks(16);
    let spelled = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    (from, to, format!("from={}&to={}", spelled(from), spelled(to)))
}

/// A report on one project is about what its repositories bring.
async fn expect_same_of_a_project(stack: &Stack, way: &Way) {
    let (from, to, window) = weeks();
    let (project, positions) = &way.projects[0];
    let theirs = positions.iter().map(|at| (Which::At(*at), By::Merges("main"))).collect();
    let theirs = Way { repositories: theirs, ..way.clone() };
    let truth = stack.simulator.delivery_window(&theirs, from, to).all;
    let report = stack.get(&format!("/api/v1/metrics/dora?{window}&project={project}")).await;
    for (name, expected) in [
        ("deployment_frequency", truth.deployments),
        ("lead_time_for_changes", truth.pull_requests),
    ] {
        assert_eq!(metric(&report, name)["counted"], expected, "{project}: {name}");
    }
    assert!(truth.deployments > 0 && truth.pull_requests > 0, "{project}: {truth:?}");

    let path = format!("/api/v1/metrics/pull-requests?{window}");
    let merged = async |filter: String| {
        let report = stack.get(&format!("{path}&{filter}")).await;
        report["metrics"][0]["counted"].as_u64().unwrap()
    };
    let names = repositories(stack);
    let names: Vec<&str> = positions.iter().map(|at| names[*at].as_str()).collect();
    let of_repositories = merged(format!("repository={}", names.join(","))).await;
    let of_project = merged(format!("project={project}")).await;
    let of_both = merged(format!("project={project}&repository={}", names.join(","))).await;
    assert_eq!(of_both, of_repositories, "all that its repositories bring is the project's");
    assert!(of_project > of_repositories, "others name its issues: {of_project}");
}

/// Expects the numbers that the company works out itself, and that there is something in each.
async fn expect_same(stack: &Stack, when: &str, way: &Way) {
    let truth = expect_equal(stack, when, way).await;
    for (name, told) in [
        ("deployment_frequency", truth.days_per_week),
        ("lead_time_for_changes", truth.all.lead_time),
        ("change_failure_rate", truth.all.failure_rate),
        ("failed_deployment_recovery_time", truth.all.recovery),
        ("time_to_restore", truth.all.restore),
    ] {
        assert!(told.is_some(), "{when}: the company has a {name}");
    }
}

/// Expects the numbers that the company works out itself.
pub async fn expect_equal(stack: &Stack, when: &str, way: &Way) -> Window {
    let (from, to, window) = weeks();
    let report = stack.recomputed(&format!("/api/v1/metrics/dora?{window}&explain=true")).await;
    let truth = stack.simulator.delivery_window(way, from, to);
    let all = &truth.all;
    let per_week = all.days as f64 * 7.0 / (to - from).num_days() as f64;
    for (name, value, counted, band) in [
        (
            "deployment_frequency",
            truth.days_per_week,
            all.deployments,
            truth.days_per_week.map(|median| frequency_band(median, per_week)),
        ),
        (
            "lead_time_for_changes",
            all.lead_time,
            all.pull_requests,
            all.lead_time.map(|lead| if lead < 86_400.0 { "ELITE" } else { slower(lead, [7, 30]) }),
        ),
        (
            "change_failure_rate",
            all.failure_rate,
            all.deployments,
            all.failure_rate.map(failure_band),
        ),
        (
            "failed_deployment_recovery_time",
            all.recovery,
            all.recovered,
            all.recovery.map(recovery_band),
        ),
        ("time_to_restore", all.restore, all.restored, all.restore.map(recovery_band)),
    ] {
        let (metric, when) = (metric(&report, name), format!("{when}: {name}"));
        expect_values(&when, metric, &[("value", value)]);
        assert_eq!(metric["counted"], counted, "{when}: {metric:#}");
        assert_eq!(metric["band"].as_str(), band, "{when}: {metric:#}");
    }
    let frequency = metric(&report, "deployment_frequency");
    let per_day = all.deployments as f64 / (to - from).num_days() as f64;
    let details = [
        ("deployments", Some(all.deployments as f64)),
        ("deployments_per_day", Some(per_day)),
        ("weeks", Some(truth.weeks.len() as f64)),
    ];
    expect_values(when, &frequency["details"], &details);
    let failures = metric(&report, "change_failure_rate");
    let failed = failures["ids"].as_array().into_iter().flatten();
    let mut failed: Vec<&str> = failed.map(|id| id.as_str().unwrap()).collect();
    let mut expected: Vec<&str> = truth.failed.iter().map(String::as_str).collect();
    failed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(failed, expected, "{when}: what failed");
    // Some rules know the others, and some do not.
    let mut told = frequency["excluded"].as_array().unwrap().iter();
    let is_known = told.any(|row| row["reason"] == "other_environment");
    let elsewhere = if is_known { "other_environment" } else { "no_environment_rule" };
    let left_out = [
        ("not_successful", truth.left_out.failed),
        (elsewhere, truth.left_out.elsewhere),
        ("other_source", truth.left_out.other_source),
    ];
    expect_left_out(when, frequency, left_out);
    expect_left_out(when, failures, left_out);
    let recovery = metric(&report, "failed_deployment_recovery_time");
    let left_out = [
        ("no_deployment", all.incidents - all.linked),
        ("negative_interval", all.linked - all.recovered),
        ("unmapped_status", all.nowhere),
    ];
    expect_left_out(when, recovery, left_out);
    let negative = ("negative_interval", all.incidents - all.restored);
    let restore = metric(&report, "time_to_restore");
    expect_left_out(when, restore, [negative, ("unmapped_status", all.nowhere)]);

    for (point, week) in report["series"].as_array().unwrap().iter().zip(&truth.weeks) {
        let values = [
            ("deployments", Some(week.deployments as f64)),
            ("deployment_days", Some(week.days as f64)),
            ("lead_time_seconds", week.lead_time),
            ("change_failure_rate", week.failure_rate),
            ("recovery_seconds", week.recovery),
            ("restore_seconds", week.restore),
        ];
        expect_values(when, point, &values);
    }
    assert_eq!(report["series"].as_array().unwrap().len(), truth.weeks.len(), "{when}");
    expect_same_causes(stack, when, way).await;
    truth
}

/// The bands of 2023, by other words than the product's.
fn frequency_band(median: f64, days_per_week: f64) -> &'static str {
    match median {
        median if median >= 5.0 => "ELITE",
        median if median >= 1.0 => "HIGH",
        // At least one day a month.
        _ if days_per_week >= 12.0 * 7.0 / 365.25 => "MEDIUM",
        _ => "LOW",
    }
}

fn failure_band(share: f64) -> &'static str {
    let percent = share * 100.0;
    if percent <= 5.0 {
        "ELITE"
    } else if percent <= 10.0 {
        "HIGH"
    } else if percent <= 15.0 {
        "MEDIUM"
    } else {
        "LOW"
    }
}

fn recovery_band(seconds: f64) -> &'static str {
    if seconds < 3_600.0 { "ELITE" } else { slower(seconds, [1, 7]) }
}

/// Below the first number of days, below the second, or neither.
fn slower(seconds: f64, days: [u32; 2]) -> &'static str {
    let [high, medium] = days.map(|days| f64::from(days) * 86_400.0);
    if seconds < high {
        "HIGH"
    } else if seconds < medium {
        "MEDIUM"
    } else {
        "LOW"
    }
}

/// Each incident began, ended and was caused as the company says, by the same rule.
async fn expect_same_causes(stack: &Stack, when: &str, way: &Way) {
    let rows = stack.lines("incidents").await;
    let mut told: Vec<Caused> = Vec::new();
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let text = |field: &str| row[field].as_str().map(str::to_owned);
        let at = |field: &str| row[field].as_str().map(|text| text.parse().unwrap());
        let rule = row["rule"].as_str().map(|rule| {
            RULES.into_iter().find(|known| *known == rule).expect("one of the four rules")
        });
        told.push(Caused {
            key: text("issue_key").unwrap(),
            began: at("started_at").unwrap(),
            ended: at("ended_at"),
            by: text("deployment_id").zip(rule),
        });
    }
    let mut truth = stack.simulator.causes(way);
    for all in [&mut told, &mut truth] {
        all.sort_by(|a, b| a.key.cmp(&b.key));
    }
    for (told, truth) in told.iter().zip(&truth) {
        assert_eq!(told, truth, "{when}");
    }
    assert_eq!(told.len(), truth.len(), "{when}");
}

const RULES: [&str; 4] = ["explicit", "caused_by", "revert", "time_window"];

/// An incident is over when its issue is done, in the eyes of whoever sees issues this way.
pub async fn expect_same_incidents(stack: &Stack, when: &str, flow: &flow::Way) {
    let way = Way { flow: flow.clone(), ..unsaid() };
    expect_equal(stack, when, &way).await;
}

/// A deployment that was posted counts within seconds, and a sync leaves it alone.
#[tokio::test]
async fn a_posted_deployment_counts_and_stays() {
    let options = Options { seed: 4, issues: 60, pull_requests: 60, ..Options::default() };
    let stack = Stack::start(options).await;
    stack.connect().await;
    stack.sync().await;
    let repository = repositories(&stack).remove(0);
    let rules = json!({ "rules": [{ "repository": repository, "source": "api",
        "environments": [{ "match": "live", "environment": "production" }] }] });
    stack.put("/api/v1/deployment-rules", &rules).await;
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let deployed = json!({ "repository": repository, "external_id": "build-1",
        "environment": "live-eu", "sha": "0".repeat(40), "outcome": "success",
        "finished_at": now });
    let kept = stack.post("/api/v1/deployments", &deployed).await;
    assert_eq!((&kept["id"], &kept["counts_for"]), (&json!("api:build-1"), &json!("production")));

    let counted = async || {
        let report = stack.recomputed("/api/v1/metrics/dora").await;
        let frequency = &report["metrics"].as_array().unwrap()[0];
        let other = frequency["excluded"].as_array().unwrap().iter();
        let other = other.filter(|excluded| excluded["reason"] == "other_source");
        (frequency["counted"].clone(), other.count())
    };
    assert_eq!(counted().await, (json!(1), 1));
    stack.simulator.advance(Duration::from_secs(3_600));
    stack.sync().await;
    assert_eq!(counted().await, (json!(1), 1));
    let rows = stack.lines("deployments").await;
    let posted = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let posted: Vec<_> = posted.filter(|row| row["source"] == "api").collect();
    assert_eq!((posted.len(), &posted[0]["environment"]), (1, &json!("production")));
}

#[rstest]
#[tokio::test]
async fn delivery_is_what_the_company_says_whichever_rules_hold(#[values(1, 2, 3)] seed: u64) {
    let seed = company(seed);
    let options = Options { seed, issues: 900, pull_requests: 600, ..Options::default() };
    let stack = Stack::start(options).await;
    stack.connect().await;
    stack.sync().await;
    expect_same(&stack, "by default", &unsaid()).await;

    say(&stack, &named()).await;
    expect_same(&stack, "with named deployments", &named()).await;

    say(&stack, &merges()).await;
    expect_same(&stack, "with merges as deployments", &merges()).await;

    say(&stack, &belonging()).await;
    expect_same(&stack, "with repositories of projects", &belonging()).await;
    expect_same_of_a_project(&stack, &belonging()).await;

    say(&stack, &mixed()).await;
    expect_same(&stack, "with a source for each", &mixed()).await;

    stack.simulator.advance(Duration::from_secs(86_400));
    stack.sync().await;
    expect_same(&stack, "a day later", &mixed()).await;

    // These are read from the next sync on.
    for (when, way) in [("with runs", runs()), ("with releases", releases())] {
        say(&stack, &way).await;
        stack.sync().await;
        expect_same(&stack, when, &way).await;
        stack.simulator.advance(Duration::from_secs(86_400));
        stack.sync().await;
        expect_same(&stack, &format!("{when}, a day later"), &way).await;
    }
}

/// In a company that is always the same, since in small ones of any day some ways may come to the same.
#[test]
fn each_way_to_see_a_company_makes_a_difference() {
    let now: DateTime<Utc> = "2026-10-05T00:00:00Z".parse().unwrap();
    let options = Options { now: Some(now), issues: 900, pull_requests: 600, ..Options::default() };
    let simulator = Simulator::start(options).unwrap();
    let told = |way: &Way| simulator.delivery_window(way, now - TimeDelta::weeks(16), now);
    let patchy = || Way { flow: crate::flow::patchy(), ..unsaid() };
    let ways = [unsaid(), named(), merges(), belonging(), mixed(), runs(), releases(), patchy()];
    for (at, way) in ways.iter().enumerate() {
        for other in &ways[at + 1..] {
            assert_ne!(told(way), told(other), "{way:?} and {other:?}");
        }
    }
}

//! How issues flowed equals what the company works out from its own events by other code, whichever
//! way it sees its work.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::Options;
use simulator::flow::{Flowed, Meaning, Way, WayStep};

use crate::delivery::expect_same_incidents;
use crate::stack::Stack;

fn step(name: &'static str, meaning: Meaning, waiting: bool) -> WayStep {
    WayStep { name, meaning, waiting }
}

/// Nothing was said: Jira's own categories.
pub fn unsaid() -> Way {
    Way {
        steps: vec![
            step("To Do", Meaning::ToDo, true),
            step("In Progress", Meaning::Doing, false),
            step("Done", Meaning::Done, true),
        ],
        statuses: Vec::new(),
        categories: [Some(0), Some(1), Some(2)],
        commitment: Some(1),
    }
}

/// Every status has its place.
fn kanban() -> Way {
    let any = |status, step| (status, None, step);
    Way {
        steps: vec![
            step("Options", Meaning::ToDo, true),
            step("Ready", Meaning::ToDo, true),
            step("Doing", Meaning::Doing, false),
            step("Blocked", Meaning::Doing, true),
            step("Reviewing", Meaning::Doing, true),
            step("Proving", Meaning::Doing, false),
            step("Live", Meaning::Done, true),
            step("Dropped", Meaning::Dropped, true),
        ],
        statuses: vec![
            any("BACKLOG", 0),
            any("open", 0),
            any("to do", 0),
            any("selected for development", 1),
            any("In Progress", 2),
            any("Investigating", 2),
            any("Waiting for customer", 3),
            any("In Review", 4),
            any("Testing", 5),
            any("Mitigated", 5),
            any("Done", 6),
            any("Resolved", 6),
            any("Won't Do", 7),
        ],
        categories: [None; 3],
        commitment: Some(1),
    }
}

/// Bugs go their own way, two statuses have no place, and one takes what is left.
pub fn patchy() -> Way {
    Way {
        steps: vec![
            step("Waiting", Meaning::ToDo, true),
            step("Working", Meaning::Doing, false),
            step("Checking", Meaning::Doing, true),
            step("Over", Meaning::Done, true),
        ],
        statuses: vec![
            ("In Progress", None, 1),
            ("In Progress", Some("Bug"), 2),
            ("Testing", Some("Bug"), 1),
            ("Done", None, 3),
            ("Resolved", None, 2),
        ],
        categories: [Some(0), None, None],
        commitment: Some(2),
    }
}

/// Makes the product see the work this way, too.
async fn say(stack: &Stack, name: &str, way: &Way) {
    let categories = ["TO_DO", "IN_PROGRESS", "DONE"];
    let category = |meaning| match meaning {
        Meaning::ToDo => "TO_DO",
        Meaning::Doing => "IN_PROGRESS",
        Meaning::Done => "DONE",
        Meaning::Dropped => "DISCARDED",
    };
    let steps: Vec<Value> = way
        .steps
        .iter()
        .enumerate()
        .map(|(position, step)| {
            let takes = way.categories.iter().position(|taker| *taker == Some(position));
            json!({ "name": step.name, "category": category(step.meaning), "waiting": step.waiting,
                "commitment_point": way.commitment == Some(position),
                "status_category": takes.map(|taken| categories[taken]) })
        })
        .collect();
    let made = stack.post("/api/v1/workflows", &json!({ "name": name, "steps": steps })).await;
    for (status, issue_type, step) in &way.statuses {
        let mapping = json!({ "status": status, "issue_type": issue_type,
            "step_id": made["steps"][*step]["id"] });
        stack.post("/api/v1/status-mappings", &mapping).await;
    }
}

/// Takes back what was said, so that something else can be.
async fn unsay(stack: &Stack) {
    for noun in ["status-mappings", "workflows"] {
        let rows = stack.get(&format!("/api/v1/{noun}")).await;
        for row in rows["items"].as_array().unwrap() {
            if row["default"] != true {
                stack.delete(&format!("/api/v1/{noun}/{}", row["id"].as_str().unwrap())).await;
            }
        }
    }
}

async fn expect_same(stack: &Stack, when: &str, way: &Way) {
    let to: DateTime<Utc> = Utc::now();
    let from = to - TimeDelta::days(60);
    let spelled = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let (from, to) = (spelled(from), spelled(to));
    let path = format!("/api/v1/metrics/flow?from={from}&to={to}&bucket=day");
    let report = stack.recomputed(&path).await;
    expect_same_issues(stack, when, way).await;

    let truth = stack.simulator.flow_totals(way, from.parse().unwrap(), to.parse().unwrap());
    let metric = |name: &str| {
        let metrics = report["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["name"] == name).unwrap().clone()
    };
    assert_eq!(metric("throughput")["value"], json!(truth.throughput as f64), "{when}");
    let (lead, cycle) = (truth.lead_time.unzip(), truth.cycle_time.unzip());
    let p85 = |name: &str| metric(name)["details"]["p85"].as_f64();
    for (name, told, expected) in [
        ("lead_time", metric("lead_time")["value"].as_f64(), lead.0),
        ("lead_time p85", p85("lead_time"), lead.1),
        ("cycle_time", metric("cycle_time")["value"].as_f64(), cycle.0),
        ("cycle_time p85", p85("cycle_time"), cycle.1),
        (
            "customer_lead_time",
            metric("customer_lead_time")["value"].as_f64(),
            truth.customer_lead_time,
        ),
        ("flow_efficiency", metric("flow_efficiency")["value"].as_f64(), truth.flow_efficiency),
        ("rework", metric("rework")["value"].as_f64(), truth.rework),
    ] {
        assert!(is_same(told, expected), "{when}: {name} is {told:?}, in truth {expected:?}");
    }
    let days = report["cumulative_flow"].as_array().unwrap();
    let wip: Vec<_> = days.iter().map(|day| day["wip"].as_u64().unwrap() as usize).collect();
    assert_eq!(wip, truth.wip, "{when}: work in progress at the end of each day");
    assert!(truth.throughput > 20, "{when}: the company gets something done");
}

/// Moments are whole milliseconds; what differs by less came from halving and from reading numbers.
fn is_same(told: Option<f64>, expected: Option<f64>) -> bool {
    match (told, expected) {
        (Some(told), Some(expected)) => (told - expected).abs() < 1e-6,
        (told, expected) => told == expected,
    }
}

async fn expect_same_issues(stack: &Stack, when: &str, way: &Way) {
    let ours = stack.lines("issues").await;
    let mut ours: BTreeMap<String, Value> = ours
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|row| row["deleted"] == false)
        .map(|row| (row["key"].as_str().unwrap().to_owned(), row))
        .collect();
    let truth = stack.simulator.flowed(way);
    assert_eq!(ours.len(), truth.len(), "{when}");
    for expected in truth {
        let row = ours.remove(&expected.key).unwrap();
        let at = |field: &str| row[field].as_str().map(|text| text.parse().unwrap());
        let told = Flowed {
            key: expected.key.clone(),
            step: way.steps.iter().map(|step| step.name).find(|name| row["step"] == *name),
            committed_at: at("committed_at"),
            started_at: at("started_at"),
            done_at: at("done_at"),
            lead_time_seconds: expected.lead_time_seconds,
            cycle_time_seconds: expected.cycle_time_seconds,
        };
        assert_eq!(told, expected, "{when}");
        for (field, expected) in [
            ("lead_time_seconds", expected.lead_time_seconds),
            ("cycle_time_seconds", expected.cycle_time_seconds),
        ] {
            let told = row[field].as_f64();
            assert!(is_same(told, expected), "{when}: {field} of {row} is {expected:?} in truth");
        }
    }
}

#[rstest]
#[tokio::test]
async fn issues_flow_as_the_company_says_whichever_way_it_sees_them(#[values(1, 2, 3)] seed: u64) {
    let options = Options { seed, issues: 900, pull_requests: 100, ..Options::default() };
    let stack = Stack::start(options).await;
    stack.connect().await;
    stack.sync().await;
    expect_same(&stack, "by default", &unsaid()).await;
    expect_same_incidents(&stack, "by default", &unsaid()).await;

    expect_foretold(&stack).await;

    say(&stack, "Kanban", &kanban()).await;
    expect_preview(&stack, seed).await;
    expect_same(&stack, "with a place for everything", &kanban()).await;
    expect_same_incidents(&stack, "with a place for everything", &kanban()).await;

    unsay(&stack).await;
    say(&stack, "Patchy", &patchy()).await;
    expect_same(&stack, "with bugs apart and gaps", &patchy()).await;
    expect_same_incidents(&stack, "with bugs apart and gaps", &patchy()).await;

    stack.simulator.advance(Duration::from_secs(86_400));
    stack.sync().await;
    expect_same_issues(&stack, "a day later", &patchy()).await;
}

/// The same question has the same answer, and more certainty takes longer.
async fn expect_foretold(stack: &Stack) {
    let to = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let ask = format!("/api/v1/metrics/forecast?to={to}&items=40");
    let forecast = stack.get(&ask).await;
    assert_eq!(forecast, stack.get(&ask).await);
    let when = &forecast["when"];
    let days = ["p50", "p85", "p95"].map(|chance| when[chance].as_str().unwrap().to_owned());
    assert!(days.is_sorted(), "{when}");
    assert_eq!(forecast["trials"], 10_000);
    assert!(forecast["back_test"]["checks"].as_array().unwrap().len() >= 5, "{forecast}");
}

/// A preview sees what would be dropped, and keeps nothing.
async fn expect_preview(stack: &Stack, seed: u64) {
    let mappings = stack.get("/api/v1/status-mappings").await;
    let review = mappings["items"].as_array().unwrap().iter().find(|m| m["status"] == "In Review");
    let workflows = stack.get("/api/v1/workflows").await;
    let dropped = &workflows["items"][0]["steps"][7];
    let done = mappings["items"].as_array().unwrap().iter().find(|m| m["status"] == "Done");
    let change = json!({ "changes": [
        { "id": done.unwrap()["id"], "status": "Done", "step_id": dropped["id"] },
        { "id": review.unwrap()["id"], "delete": true },
    ]});
    let preview = stack.post("/api/v1/status-mappings/preview", &change).await;
    let (before, after) = (&preview["lead_time"]["before"], &preview["lead_time"]["after"]);
    let counted = |times: &Value| times["counted"].as_u64().unwrap();
    assert!(counted(before) > counted(after), "seed {seed}: what is done would be dropped");
    assert!(preview["issues_moved"].as_u64() >= preview["left_unmapped"].as_u64());
    let again = stack.post("/api/v1/status-mappings/preview", &json!({ "changes": [] })).await;
    assert_eq!(again["lead_time"]["after"], *before, "nothing was kept");
    assert_eq!(again["issues_moved"], 0);
}

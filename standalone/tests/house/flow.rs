//! How issues flowed equals what the company works out from its own events by other code, whichever
//! way it sees its work.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::Options;
use simulator::flow::{Flowed, Meaning, Spread, Totals, Way, WayStep, chance};

use crate::delivery::expect_same_incidents;
use crate::dice::company;
use crate::front::Front;
use crate::numbers::{expect_grown, expect_left_out, expect_spread, expect_values, metric};
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
pub fn kanban() -> Way {
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
pub async fn say(stack: &Front, name: &str, way: &Way) {
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
    stack.recomputed(&path).await;
    let asked_at = Utc::now();
    let report = stack.recomputed(&path).await;
    let ages = [asked_at, Utc::now()].map(|at| stack.simulator.issue_ages(way, at));
    expect_same_issues(stack, when, way).await;

    let truth = stack.simulator.flow_totals(way, from.parse().unwrap(), to.parse().unwrap());
    assert!(truth.throughput > 20, "{when}: the company gets something done");
    let throughput = metric(&report, "throughput");
    expect_values(when, throughput, &[("value", Some(truth.throughput as f64))]);
    let per_week = truth.throughput as f64 / 60.0 * 7.0;
    expect_values(when, &throughput["details"], &[("per_week", Some(per_week))]);
    let everywhere = truth.left_out.clone();
    // Numbers on steps leave out who came through a status without one, too.
    let mut on_steps = everywhere.clone();
    *on_steps.entry("unmapped_status").or_default() += truth.passed;
    let without = |spread: &Spread| truth.throughput - truth.passed - spread.count;
    let at_once = truth.lead_time.count - truth.flow_efficiency.count;
    for (name, spread, left_out, own) in [
        ("lead_time", &truth.lead_time, &on_steps, Some("no_commitment_point")),
        ("cycle_time", &truth.cycle_time, &on_steps, Some("not_started")),
        ("customer_lead_time", &truth.customer_lead_time, &everywhere, None),
    ] {
        expect_spread(&format!("{when}: {name}"), metric(&report, name), spread);
        let own = own.map(|reason| (reason, without(spread)));
        expect_left_out(when, metric(&report, name), left_out.clone().into_iter().chain(own));
    }
    let efficiency = metric(&report, "flow_efficiency");
    assert_eq!(efficiency["counted"], truth.flow_efficiency.count, "{when}: {efficiency:#}");
    expect_values(when, efficiency, &[("value", truth.flow_efficiency.middle)]);
    let own = [("no_commitment_point", without(&truth.lead_time)), ("zero_lead_time", at_once)];
    expect_left_out(when, efficiency, on_steps.clone().into_iter().chain(own));
    let rework = metric(&report, "rework");
    expect_values(when, rework, &[("value", truth.rework)]);
    expect_values(when, &rework["details"], &[("entries", Some(truth.entries as f64))]);
    expect_left_out(when, rework, on_steps);
    expect_left_out(when, throughput, everywhere);

    expect_same_steps(when, &report, way, &truth);
    expect_same_days(when, &report, way, &truth);
    let age = metric(&report, "work_item_age");
    assert_eq!(age["counted"], ages[0].count, "{when}: {age:#}");
    expect_grown(when, &age["value"], ages[0].middle, ages[1].middle);
    expect_grown(when, &age["details"]["p85"], ages[0].p85, ages[1].p85);
}

/// How long issues that are done were in each step.
fn expect_same_steps(when: &str, report: &Value, way: &Way, truth: &Totals) {
    for (step, spent) in way.steps.iter().zip(&truth.steps) {
        let told = step_named(report, step.name);
        assert_eq!(told["counted"], spent.count, "{when}: {told:#}");
        let ranks = [("seconds_p50", spent.middle), ("seconds_p85", spent.p85)];
        expect_values(when, told, &ranks);
    }
}

fn step_named<'r>(report: &'r Value, name: &str) -> &'r Value {
    let steps = report["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == name).unwrap()
}

/// Each day, and where issues stood at its end.
fn expect_same_days(when: &str, report: &Value, way: &Way, truth: &Totals) {
    let days = report["cumulative_flow"].as_array().unwrap();
    let series = report["series"].as_array().unwrap();
    assert_eq!((days.len(), series.len()), (truth.days.len(), truth.days.len()), "{when}");
    for ((told, point), truth) in days.iter().zip(series).zip(&truth.days) {
        let when = format!("{when}: {}", told["day"]);
        assert_eq!(told["day"], point["start"], "{when}");
        assert_eq!(told["throughput"], truth.done, "{when}");
        assert_eq!(told["wip"], truth.wip, "{when}: work in progress at the end");
        let mut standing = told["steps"].as_object().unwrap().clone();
        for (step, count) in way.steps.iter().zip(&truth.standing) {
            let id = step_named(report, step.name)["id"].as_str().unwrap();
            // A step in which nobody ever was is not told of.
            let told = standing.remove(id).map_or(0, |told| told.as_u64().unwrap());
            assert_eq!(told, *count as u64, "{when}: {}", step.name);
        }
        assert!(standing.values().all(|count| *count == 0), "{when}: elsewhere {standing:?}");
        let values = [
            ("throughput", Some(truth.done as f64)),
            ("wip", Some(truth.wip as f64)),
            ("lead_time_p50", truth.lead_time.middle),
            ("lead_time_p85", truth.lead_time.p85),
            ("cycle_time_p50", truth.cycle_time.middle),
            ("cycle_time_p85", truth.cycle_time.p85),
        ];
        expect_values(&when, point, &values);
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
            expect_values(when, &row, &[(field, expected)]);
        }
    }
}

#[rstest]
#[tokio::test]
async fn issues_flow_as_the_company_says_whichever_way_it_sees_them(#[values(1, 2, 3)] seed: u64) {
    let seed = company(seed);
    let options = Options { seed, issues: 900, pull_requests: 100, ..Options::default() };
    let stack = Stack::start(options).await;
    stack.connect().await;
    stack.sync().await;
    expect_same(&stack, "by default", &unsaid()).await;
    expect_same_incidents(&stack, "by default", &unsaid()).await;

    expect_foretold(&stack, &unsaid()).await;

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

/// Futures that are drawn come out as those that are counted, in the end and on every day of the past
/// on which that is tried.
async fn expect_foretold(stack: &Stack, way: &Way) {
    let to = Utc::now().date_naive();
    let from = to - TimeDelta::days(90);
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    let truth = stack.simulator.flow_totals(way, midnight(from), midnight(to));
    let daily: Vec<usize> = truth.days.iter().map(|day| day.done).collect();
    let items = 40;
    let ask = format!("/api/v1/metrics/forecast?from={from}&to={to}&items={items}");
    let forecast = stack.get(&ask).await;
    assert_eq!(forecast, stack.get(&ask).await, "the same question has the same answer");
    assert_eq!(forecast["trials"], 10_000);
    let history = &forecast["history"];
    assert_eq!((&history["days"], &history["done"]), (&json!(90), &json!(truth.throughput)));
    let nowhere = truth.left_out.get("unmapped_status").copied().unwrap_or(0);
    expect_left_out("the forecast", history, [("unmapped_status", nowhere)]);

    let days_ahead = |day: &Value| {
        let day: NaiveDate = day.as_str().unwrap().parse().unwrap();
        // The window ends with the day before, from whose end days are counted.
        usize::try_from((day - to).num_days() + 1).unwrap()
    };
    for (name, likely) in CHANCES {
        let days = days_ahead(&forecast["when"][name]);
        expect_likely(&format!("{name} of days"), likely, |extra| {
            chance(&daily, (days + extra).saturating_sub(1), items)
        });
    }
    let horizon = days_ahead(&forecast["until"]);
    for (name, likely) in CHANCES {
        let done = usize::try_from(forecast["how_many"][name].as_u64().unwrap()).unwrap();
        expect_likely(&format!("{name} of items"), likely, |extra| {
            chance(&daily, horizon, done + 1 - extra)
        });
    }

    let back_test = &forecast["back_test"];
    let (checks, ahead) = (back_test["checks"].as_array().unwrap(), 14);
    assert_eq!(back_test["horizon_days"], ahead);
    // From four weeks on, week by week, as long as there are two left.
    assert_eq!(checks.len(), (28..=90 - ahead).step_by(7).count());
    let mut hits = 0;
    for (check, known) in checks.iter().zip((28..).step_by(7)) {
        assert_eq!(check["day"], (from + TimeDelta::days(known as i64)).to_string());
        let actual: usize = daily[known..known + ahead].iter().sum();
        assert_eq!(check["actual"], actual, "{check}");
        for (name, likely) in CHANCES {
            let done = usize::try_from(check[name].as_u64().unwrap()).unwrap();
            expect_likely(&format!("{name} of {check}"), likely, |extra| {
                chance(&daily[..known], ahead, done + 1 - extra)
            });
        }
        let is_hit = actual as u64 >= check["p85"].as_u64().unwrap();
        assert_eq!(check["hit"], is_hit, "{check}");
        hits += usize::from(is_hit);
    }
    assert_eq!(back_test["hits"], hits);
    expect_values("hits", back_test, &[("hit_rate", Some(hits as f64 / checks.len() as f64))]);
}

const CHANCES: [(&str, f64); 3] = [("p50", 0.5), ("p85", 0.85), ("p95", 0.95)];

/// Ten thousand futures are off by no more than two in a hundred; one step less certain is not likely
/// enough, or else that would have been told.
fn expect_likely(what: &str, likely: f64, chance: impl Fn(usize) -> f64) {
    let (short, told) = (chance(0), chance(1));
    assert!(told > likely - 0.02, "{what}: only {told} of the futures keep it");
    assert!(short < likely + 0.02, "{what}: {short} of the futures keep more");
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

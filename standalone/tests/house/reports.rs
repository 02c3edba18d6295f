//! Reports are taken away in parts, and what was told on a day is told again.

use chrono::{DateTime, Days, Utc};
use serde_json::{Value, json};
use simulator::Options;

use crate::stack::Stack;

/// Each part of every report, and the fields in which its rows are found in JSON.
const PARTS: &[(&str, &str, &str)] = &[
    ("dora", "series", "/series"),
    ("dora", "metrics", "/metrics"),
    ("flow", "series", "/series"),
    ("flow", "metrics", "/metrics"),
    ("flow", "steps", "/steps"),
    ("flow", "categories", "/categories"),
    ("pull-requests", "series", "/series"),
    ("pull-requests", "metrics", "/metrics"),
    ("forecast", "back_test", "/back_test/checks"),
    ("data-quality", "", "/checks"),
];

#[tokio::test]
async fn every_part_of_a_report_can_be_taken_away() {
    let (stack, window) = (synced().await, window());
    for (report, part, place) in PARTS {
        expect_taken(&stack, report, part, place).await;
    }

    let path = format!("/api/v1/metrics/dora?{window}");
    let told = stack.get(&format!("{path}&explain=true")).await;
    let ids: Vec<Value> = told["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|metric| {
            let ids = metric["ids"].as_array().into_iter().flatten();
            ids.map(|id| json!({ "metric": metric["name"], "id": id })).collect::<Vec<_>>()
        })
        .collect();
    assert!(ids.len() > 20, "{ids:?}");
    assert_eq!(lines(&stack, &format!("{path}&part=ids&format=ndjson")).await, ids);

    let flow = stack.get(&format!("/api/v1/metrics/flow?{window}")).await;
    let days = flow["cumulative_flow"].as_array().unwrap();
    let stands = days.iter().flat_map(|day| {
        let steps = day["steps"].as_object().unwrap().iter();
        steps.map(|(step, issues)| json!({ "day": day["day"], "step_id": step, "issues": issues }))
    });
    let stands: Vec<Value> = stands.collect();
    let path = format!("/api/v1/metrics/flow?{window}&part=cumulative_flow&format=ndjson");
    assert_eq!(lines(&stack, &path).await, stands);

    let chances = lines(&stack, "/api/v1/metrics/forecast?format=ndjson").await;
    let forecast = stack.get("/api/v1/metrics/forecast").await;
    let told: Vec<Value> = [("p50", 50), ("p85", 85), ("p95", 95)]
        .map(|(name, chance)| {
            json!({ "chance": chance, "items": forecast["items"], "until": forecast["until"],
                "done_by": forecast["when"][name], "items_done": forecast["how_many"][name] })
        })
        .to_vec();
    assert_eq!(chances, told);

    let explained = stack.get("/api/v1/metrics/forecast?explain=true").await;
    let ids = explained["ids"].as_array().unwrap();
    assert_eq!(json!(ids.len()), explained["history"]["done"], "{explained}");
    let rows = lines(&stack, "/api/v1/metrics/forecast?part=ids&format=ndjson").await;
    assert_eq!(rows.len(), ids.len());

    expect_all_that_lacks(&stack).await;
    expect_review_load(&stack).await;

    for path in ["dora?part=metrics", "dora?part=steps&format=csv", "forecast?part=x&format=ndjson"]
    {
        let refused = stack.try_get(&format!("/api/v1/metrics/{path}")).await;
        assert_eq!(refused.status().as_u16(), 400, "{path}");
    }
}

/// Each check of the data quality lists as many rows as its report counts, whatever the size of the pages.
async fn expect_all_that_lacks(stack: &Stack) {
    let quality = stack.get("/api/v1/metrics/data-quality").await;
    assert!(quality["as_of"].is_string() && quality["timezone"].is_string(), "{quality}");
    let mut in_all = 0;
    for check in quality["checks"].as_array().unwrap() {
        let name = check["name"].as_str().unwrap();
        let path = format!("/api/v1/data-quality/{name}");
        let rows = lines(stack, &format!("{path}?format=ndjson")).await;
        assert_eq!(json!(rows.len()), check["count"], "{name}");
        in_all += rows.len();
        let mut paged = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = stack.get(&format!("{path}?limit=20{cursor}")).await;
            paged.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(paged, rows, "{name}");
    }
    assert!(in_all > 50, "a company of {in_all} faults is too good");
    let csv = stack.try_get("/api/v1/data-quality/pull_requests_without_issue?format=csv").await;
    let attached = "attachment; filename=\"pull_requests_without_issue.csv\"";
    assert_eq!(csv.headers()["content-disposition"], attached);
    assert!(csv.text().await.unwrap().starts_with("name,detail,integration_id\r\n"));
    assert_eq!(stack.try_get("/api/v1/data-quality/nothing").await.status().as_u16(), 404);
}

/// Reviewers are those whom the list of reviews names, without machines and without those of their own.
async fn expect_review_load(stack: &Stack) {
    let window = window();
    let load = stack.get(&format!("/api/v1/metrics/review-load?{window}")).await;
    let people = load["people"].as_array().unwrap();
    assert!(people.len() > 3, "{load}");
    let number = |value: &Value| value.as_u64().unwrap();
    let sum: u64 = people.iter().map(|person| number(&person["reviews"])).sum();
    assert_eq!(sum, number(&load["counted"]));
    let excluded = load["excluded"].as_array().unwrap();
    let all = sum + excluded.iter().map(|row| number(&row["count"])).sum::<u64>();
    let (from, to) = (bound(&load, "from"), bound(&load, "to"));
    let reviews = lines(stack, "/api/v1/reviews?format=ndjson").await;
    let within = reviews.iter().filter(|row| {
        let at: Option<DateTime<Utc>> = row["submitted_at"].as_str().map(|at| at.parse().unwrap());
        at.is_some_and(|at| from <= at && at < to)
    });
    let within: Vec<&Value> = within.collect();
    assert_eq!(all, within.len() as u64);
    let bots = within.iter().filter(|row| row["bot"] == true).count();
    let told = excluded.iter().find(|row| row["reason"] == "bot").map(|row| number(&row["count"]));
    assert_eq!(told.unwrap_or(0), bots as u64);
    let taken = lines(stack, &format!("/api/v1/metrics/review-load?{window}&format=ndjson")).await;
    assert_eq!(taken, *people);
}

fn bound(report: &Value, name: &str) -> DateTime<Utc> {
    report["window"][name].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_was_told_on_a_day_is_told_again() {
    let stack = synced().await;
    let today = Utc::now().date_naive();
    for report in ["dora", "flow", "pull-requests", "forecast", "data-quality"] {
        let path = format!("/api/v1/metrics/{report}");
        let kept = stack.get(&format!("{path}?on={today}")).await;
        assert!(kept["told_at"].is_string(), "{kept}");
        if !["forecast", "data-quality"].contains(&report) {
            let bound = |name: &str| kept["window"][name].as_str().unwrap().to_owned();
            let window = format!("from={}&to={}", bound("from"), bound("to"));
            let told = stack.get(&format!("{path}?{window}")).await;
            assert_eq!(told["told_at"], Value::Null);
            for part in ["metrics", "series", "window"] {
                let without_ages = |report: &Value| match report[part].as_array() {
                    Some(rows) => json!(rows.iter().filter(|row| !is_age(row)).collect::<Vec<_>>()),
                    None => report[part].clone(),
                };
                assert_eq!(without_ages(&kept), without_ages(&told), "{report}: {part}");
            }
        }
        let early = stack.try_get(&format!("{path}?on=2020-02-29")).await;
        assert_eq!(early.status().as_u16(), 404);
        let reason: Value = early.json().await.unwrap();
        let first = format!("nothing was reported by 2020-02-29, the first day is {today}");
        assert_eq!(reason["detail"], json!(first), "{reason}");
        let exported = lines(&stack, &format!("{path}?on={today}&format=ndjson")).await;
        assert!(!exported.is_empty(), "{report}");
    }
}

/// Ages grow from one question to the next.
fn is_age(metric: &Value) -> bool {
    metric["name"].as_str().is_some_and(|name| name.ends_with("_age"))
}

/// Eight weeks that are over.
fn window() -> String {
    let today = Utc::now().date_naive();
    format!("from={}&to={}", today - Days::new(57), today - Days::new(1))
}

async fn synced() -> Stack {
    let options = Options { seed: 3, issues: 600, pull_requests: 300, ..Options::default() };
    let stack = Stack::start(options).await;
    stack.connect().await;
    stack.sync().await;
    stack
}

async fn lines(stack: &Stack, path: &str) -> Vec<Value> {
    let answer = stack.try_get(path).await;
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    let text = answer.text().await.unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A part of a report, taken away in each way there is, tells the same.
async fn expect_taken(stack: &Stack, report: &str, part: &str, place: &str) {
    let window = window();
    let path = match report {
        "data-quality" => format!("/api/v1/metrics/{report}?"),
        _ => format!("/api/v1/metrics/{report}?{window}"),
    };
    let told = stack.get(&path).await;
    let rows = told.pointer(place).unwrap().as_array().unwrap();
    assert!(!rows.is_empty(), "{report} {part}");
    let named = if part.is_empty() { String::new() } else { format!("&part={part}") };
    let taken = async |format: &str| {
        let answer = stack.try_get(&format!("{path}&format={format}{named}")).await;
        let name = if part.is_empty() { report.to_owned() } else { format!("{report}-{part}") };
        let attached = format!("attachment; filename=\"{name}.{format}\"");
        assert_eq!(answer.headers()["content-disposition"], attached.as_str());
        answer.text().await.unwrap()
    };
    let lines = taken("ndjson").await;
    let lines: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), rows.len(), "{report} {part}");
    for (line, row) in lines.iter().zip(rows).filter(|(_, row)| !is_age(row)) {
        for (field, value) in line.as_object().unwrap() {
            let is_told = match (field.as_str(), &row[field]) {
                // The ranks stand among the details.
                ("p85" | "p95", Value::Null) => *value == row["details"][field],
                // And their kinds among the kinds.
                (kind, Value::Null) if kind.ends_with("_kind") => {
                    *value == row["kinds"][kind.trim_end_matches("_kind")]
                }
                // With its count before it.
                ("excluded", Value::Array(told)) => value.as_array().unwrap().len() == told.len(),
                (_, told) => told == value,
            };
            assert!(is_told, "{report} {part}: {field} of {line}, and in JSON {row}");
        }
    }
    let table = taken("csv").await;
    let fields: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    for name in &fields {
        assert!(lines[0].get(*name).is_some(), "{report} {part}: {name}");
    }
    assert_eq!(fields.len(), lines[0].as_object().unwrap().len(), "{report} {part}");
    assert_eq!(table.lines().count(), rows.len() + 1, "{report} {part}: a line for each row");
    // No text of these needs quotes.
    let plain = table.lines().skip(1).zip(rows).filter(|_| part == "series");
    for (line, row) in plain {
        for (field, cell) in fields.iter().zip(line.split(',')) {
            let is_told = match &row[*field] {
                Value::Null => cell.is_empty(),
                Value::String(text) => cell == text,
                // Reading JSON may round the last digit.
                number => (cell.parse::<f64>().unwrap() - number.as_f64().unwrap()).abs() < 1e-6,
            };
            assert!(is_told, "{report}: {field} is {cell:?} in {line}, and in JSON {row}");
        }
        assert_eq!(line.split(',').count(), fields.len(), "{report}: {line}");
    }
}

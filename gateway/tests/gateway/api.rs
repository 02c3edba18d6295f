//! What the API takes and answers.

use std::io::Write;
use std::sync::{Arc, Mutex};

use ::platform::secrets::Sealed;
use domain::facts::Facts as Page;
use domain::project::Project;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::house::{CANARY, House, jira, problem};

#[tokio::test]
async fn every_refusal_is_a_problem_that_says_what_to_do() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let big = "x".repeat(1_100_000);
    let cases = [
        (Method::GET, "/api/v1/nothing", json!({}), 404, "not_found"),
        (Method::GET, "/nothing", json!({}), 404, "not_found"),
        (Method::GET, "/api/v1/jobs/other", json!({}), 404, "not_found"),
        (Method::POST, "/api/v1/jobs/jira_sync/dance", json!({}), 404, "not_found"),
        (Method::GET, "/api/v1/runs/7", json!({}), 404, "not_found"),
        (Method::GET, "/api/v1/issues?limit=501", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/issues?limit=many", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/issues?format=xml", json!({}), 400, "bad_request"),
        (
            Method::GET,
            "/api/v1/metrics/dora?on=2026-03-01&project=PAY",
            json!({}),
            400,
            "bad_request",
        ),
        (
            Method::GET,
            "/api/v1/metrics/flow?on=2026-03-01&explain=true",
            json!({}),
            400,
            "bad_request",
        ),
        (Method::GET, "/api/v1/metrics/dora?bands=2019", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/metrics/flow?bands=2021", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/metrics/flow?on=soon", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/issues?repository=acme/pay", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/issues?assignee=ada", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/commits?project=PAY&format=csv", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/issues?cursor=abc", json!({}), 400, "bad_cursor"),
        (Method::GET, "/api/v1/jobs/jira_sync/runs?cursor=abc", json!({}), 400, "bad_cursor"),
        (Method::GET, "/api/v1/metrics/dora?from=yesterday", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/metrics/dora?bucket=year", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/metrics/dora?team=core", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/metrics/flow?from=yesterday", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/metrics/pull-requests?bucket=year", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/metrics/forecast?items=0", json!({}), 400, "bad_request"),
        (Method::GET, "/api/v1/metrics/forecast?until=soon", json!({}), 400, "bad_request"),
        (
            Method::GET,
            "/api/v1/metrics/dora?from=2026-03-02&to=2026-03-01",
            json!({}),
            400,
            "bad_request",
        ),
        (Method::POST, "/api/v1/jobs/jira_sync/pause", json!({}), 409, "transition_refused"),
        (Method::PUT, "/api/v1/orchestrator", json!({}), 400, "bad_request"),
        (Method::POST, "/api/v1/integrations", json!({ "type": "svn" }), 422, "invalid"),
        (Method::POST, "/api/v1/integrations", json!({ "name": big }), 413, "too_large"),
    ];
    for (method, path, body, status, code) in cases {
        let answer = house.ask(method, path).bearer_auth(&token).json(&body).send().await.unwrap();
        problem(answer, status, code).await;
    }
    let text = house.ask(Method::POST, "/api/v1/integrations").bearer_auth(&token).body("{}");
    problem(text.send().await.unwrap(), 415, "unsupported_media_type").await;
}

#[tokio::test]
async fn a_trace_can_be_followed_from_the_caller_through_the_problem() {
    let house = House::start().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let answer = house
        .ask(Method::GET, "/api/v1/jobs")
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["x-trace-id"], trace);
    assert_eq!(problem(answer, 401, "authentication_required").await["trace_id"], trace);
}

#[tokio::test]
async fn the_schedule_is_kept_within_its_bounds() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let schedule = house.read("/api/v1/orchestrator", &token).await;
    assert_eq!((&schedule["enabled"], &schedule["interval_minutes"]), (&json!(true), &json!(60)));

    let put = |schedule: Value| {
        house.ask(Method::PUT, "/api/v1/orchestrator").bearer_auth(&token).json(&schedule).send()
    };
    let wanted = json!({ "enabled": false, "interval_minutes": 30, "timezone": "Europe/Berlin",
        "retry": { "enabled": true, "interval_minutes": 5, "max_attempts": 4 } });
    let kept = put(wanted.clone()).await.unwrap();
    assert_eq!(kept.json::<Value>().await.unwrap(), wanted);

    let wrong = json!({ "enabled": true, "interval_minutes": 4, "timezone": "Mars/Olympus",
        "retry": { "enabled": true, "interval_minutes": 61, "max_attempts": 0 } });
    let problem = problem(put(wrong).await.unwrap(), 422, "invalid").await;
    let fields: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
    assert_eq!(
        fields,
        ["interval_minutes", "retry.interval_minutes", "retry.max_attempts", "timezone"]
    );
}

#[tokio::test]
async fn a_credential_goes_in_and_never_comes_out() {
    let logs = Logs::listen();
    let house = House::start().await;
    let token = house.platform.admin(1);
    let id = house.connect_jira(&token).await;
    let path = format!("/api/v1/integrations/{id}");

    let mut told = String::new();
    for path in ["/api/v1/integrations", &path] {
        told += &house.get(path, &token).await.text().await.unwrap();
    }
    let scopes = house.get(&format!("{path}/scopes?search=pay"), &token).await;
    assert_eq!(scopes.status(), StatusCode::OK);
    let tested = house.post("/api/v1/integrations/test", &token, &jira()).await;
    assert_eq!(tested.json::<Value>().await.unwrap()["ok"], true);
    let asked = house.orchestrating.probes.lock().unwrap().clone();
    assert_eq!(
        asked.iter().map(|probe| probe.kind.as_str()).collect::<Vec<_>>(),
        ["scopes", "probe"]
    );
    told += &format!("{asked:?}");
    told += &house.post("/api/v1/integrations", &token, &jira()).await.text().await.unwrap();
    told += &house.get(&format!("/api/v1/jobs?token={token}"), "x").await.text().await.unwrap();
    assert!(!told.contains(CANARY) && !told.contains("sealed_secret\":\"v1:\""), "{told}");

    let client = house.client("1").await;
    let stored = house.integrations.get(client, id.parse().unwrap()).await.unwrap();
    let sealed: Sealed = stored.sealed_secret.parse().unwrap();
    let place = [client.to_string(), id, "secret".to_owned()];
    assert!(house.vault.open(&sealed, &[&place[0], &place[1], &place[2]]).is_ok());
    assert!(house.vault.open(&sealed, &[&place[0], "another", "secret"]).is_err());

    house.stop().await;
    let logged = logs.text();
    assert!(logged.contains("/api/v1/integrations"), "{logged}");
    assert!(!logged.contains(CANARY) && !logged.contains(&token), "{logged}");
}

#[tokio::test]
async fn a_stored_credential_is_not_sent_to_a_new_address() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let id = house.connect_jira(&token).await;
    let elsewhere = json!({ "type": "jira", "name": "Jira", "base_url": "https://evil.example",
        "username": "etl@acme.example", "projects": ["PAY"] });
    let path = format!("/api/v1/integrations/{id}");
    let put = |body: Value| house.ask(Method::PUT, &path).bearer_auth(&token).json(&body).send();
    problem(put(elsewhere.clone()).await.unwrap(), 422, "invalid").await;

    let mut tested = elsewhere.clone();
    tested["id"] = json!(id);
    problem(house.post("/api/v1/integrations/test", &token, &tested).await, 422, "invalid").await;
    assert!(house.orchestrating.probes.lock().unwrap().is_empty());

    let mut renamed = elsewhere;
    renamed["base_url"] = json!("https://acme.atlassian.net");
    renamed["name"] = json!("Acme");
    let kept = put(renamed).await.unwrap();
    assert_eq!(kept.status(), StatusCode::OK);
    let kept: Value = kept.json().await.unwrap();
    assert_eq!((&kept["name"], &kept["version"]), (&json!("Acme"), &json!(2)));
}

#[tokio::test]
async fn an_address_from_which_something_was_read_stays() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let id = house.connect_jira(&token).await;
    let path = format!("/api/v1/integrations/{id}");
    let move_to = |site: &str| {
        let mut moved = jira();
        moved["base_url"] = json!(format!("https://{site}.atlassian.net"));
        house.ask(Method::PUT, &path).bearer_auth(&token).json(&moved).send()
    };
    assert_eq!(move_to("acne").await.unwrap().status(), StatusCode::OK, "it was a slip");

    house.post("/api/v1/jobs/jira_sync/run", &token, &json!({})).await;
    let client = house.client("1").await;
    let (work, now) = (&house.orchestrating.work, chrono::Utc::now());
    work.dispatch(client, now).await.unwrap().unwrap();
    work.take_rings(9, now + chrono::Duration::hours(1), now).await.unwrap();
    problem(move_to("acme").await.unwrap(), 409, "address_in_use").await;
    house.post("/api/v1/jobs/jira_sync/stop", &token, &json!({})).await;
    assert_eq!(move_to("acme").await.unwrap().status(), StatusCode::OK, "nothing came of it");

    let project = Project {
        external_id: 10_001,
        key: "PAY".to_owned(),
        name: "Payments".to_owned(),
        kind: "software".to_owned(),
        former_keys: Vec::new(),
    };
    house.keep("1", &id, Page { projects: vec![project], ..Page::default() }).await;
    house.post("/api/v1/jobs/jira_sync/stop", &token, &json!({})).await;
    let refused = problem(move_to("other").await.unwrap(), 409, "address_fixed").await;
    assert_eq!(refused["errors"][0]["field"], "base_url");
    assert!(refused["hint"].as_str().unwrap().contains("Add a new integration"), "{refused}");
    assert_eq!(move_to("acme").await.unwrap().status(), StatusCode::OK, "the rest may change");
}

#[tokio::test]
async fn nothing_is_connected_twice() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    house.connect_jira(&token).await;
    let with = |name: &str, projects: Value| {
        let mut again = jira();
        again["name"] = json!(name);
        again["projects"] = projects;
        again
    };
    let cases = [
        (with("Other", json!(["OPS", "pay"])), 409, "connected_already"),
        (with("Other", json!([])), 409, "connected_already"),
        (with("Jira", json!(["OPS"])), 409, "duplicate"),
    ];
    for (body, status, code) in cases {
        problem(house.post("/api/v1/integrations", &token, &body).await, status, code).await;
    }
    let other = house.post("/api/v1/integrations", &token, &with("Other", json!(["OPS"]))).await;
    assert_eq!(other.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn two_people_do_not_overwrite_each_other() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let id = house.connect_jira(&token).await;
    let path = format!("/api/v1/integrations/{id}");
    let seen = house.get(&path, &token).await.headers()["etag"].clone();
    let put = |seen: &reqwest::header::HeaderValue| {
        let request =
            house.ask(Method::PUT, &path).bearer_auth(&token).header("if-match", seen.clone());
        request.json(&jira()).send()
    };
    let first = put(&seen).await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    let fresh = first.headers()["etag"].clone();
    problem(put(&seen).await.unwrap(), 412, "changed_meanwhile").await;
    assert_eq!(put(&fresh).await.unwrap().status(), StatusCode::OK);

    let gone = house.ask(Method::DELETE, &path).bearer_auth(&token).send().await.unwrap();
    assert_eq!(gone.json::<Value>().await.unwrap()["active"], false);
}

#[tokio::test]
async fn the_same_request_with_the_same_key_is_done_once() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let add = |key: &'static str| {
        let request = house.ask(Method::POST, "/api/v1/integrations").bearer_auth(&token);
        request.header("idempotency-key", key).json(&jira()).send()
    };
    let first = add("one").await.unwrap();
    assert_eq!(first.status(), StatusCode::CREATED);
    let first = first.text().await.unwrap();
    let again = add("one").await.unwrap();
    assert_eq!(again.status(), StatusCode::CREATED);
    assert_eq!(again.text().await.unwrap(), first);
    problem(add("two").await.unwrap(), 409, "connected_already").await;
}

#[tokio::test]
async fn runs_are_told_newest_first_a_page_at_a_time() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    house.connect_jira(&token).await;
    let work = &house.orchestrating.work;
    let client = house.client("1").await;
    for _ in 0..3 {
        house.post("/api/v1/jobs/jira_sync/run", &token, &json!({})).await;
        work.dispatch(client, chrono::Utc::now()).await.unwrap();
        house.post("/api/v1/jobs/jira_sync/stop", &token, &json!({})).await;
    }
    let first = house.read("/api/v1/jobs/jira_sync/runs?limit=2", &token).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second =
        house.read(&format!("/api/v1/jobs/jira_sync/runs?limit=2&cursor={cursor}"), &token).await;
    let all: Vec<Value> =
        [&first, &second].iter().flat_map(|p| p["items"].as_array().unwrap().clone()).collect();
    assert_eq!((all.len(), &second["next_cursor"]), (3, &Value::Null));
    let starts: Vec<_> = all.iter().map(|run| run["started_at"].as_str().unwrap()).collect();
    assert!(starts.is_sorted_by(|a, b| a > b), "{starts:?}");
    assert!(all.iter().all(|run| run["outcome"] == "STOPPED"), "{all:?}");
    let id = all[0]["id"].as_str().unwrap();
    assert_eq!(house.read(&format!("/api/v1/runs/{id}"), &token).await, all[0]);
}

#[tokio::test]
async fn jobs_runs_and_connections_can_be_taken_away() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    house.connect_jira(&token).await;
    let work = &house.orchestrating.work;
    let client = house.client("1").await;
    for _ in 0..2 {
        house.post("/api/v1/jobs/jira_sync/run", &token, &json!({})).await;
        work.dispatch(client, chrono::Utc::now()).await.unwrap();
        house.post("/api/v1/jobs/jira_sync/stop", &token, &json!({})).await;
    }
    let text = async |path: String| house.get(&path, &token).await.text().await.unwrap();
    for (path, fields) in [
        ("/api/v1/jobs", "job_type,status,active,step,rows"),
        ("/api/v1/jobs/jira_sync/runs", "id,job_type,outcome,trigger"),
        ("/api/v1/integrations", "id,type,name,base_url,username,scopes,active"),
    ] {
        let items = house.read(path, &token).await["items"].as_array().unwrap().clone();
        assert!(!items.is_empty(), "{path}");
        let csv = text(format!("{path}?format=csv")).await;
        assert!(csv.starts_with(&format!("{fields},")), "{csv}");
        assert_eq!(csv.lines().count(), items.len() + 1, "{csv}");
        let lines = text(format!("{path}?format=ndjson")).await;
        let rows: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(rows.len(), items.len(), "{path}");
        for (row, item) in rows.iter().zip(&items) {
            for field in ["id", "job_type", "status", "outcome", "name", "base_url", "started_at"] {
                let is_told = row.get(field).is_none_or(|told| *told == item[field]);
                assert!(is_told, "{path}: {field} of {row} and {item}");
            }
        }
    }
}

#[tokio::test]
async fn the_service_says_how_it_does() {
    let house = House::start().await;
    for path in ["/livez", "/readyz", "/healthz"] {
        assert_eq!(
            house.ask(Method::GET, path).send().await.unwrap().status(),
            StatusCode::OK,
            "{path}"
        );
    }
    let health: Value =
        house.ask(Method::GET, "/healthz").send().await.unwrap().json().await.unwrap();
    let parts = ["database", "migrations", "queue", "cache"];
    let healthy: Value =
        parts.into_iter().map(|part| (part.to_owned(), json!("healthy"))).collect();
    assert_eq!((&health["status"], &health["checks"]), (&json!("healthy"), &healthy));
    let counted = house.ask(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(
        counted.contains(r#"http_requests_total{method="GET",route="/livez",status="200"} "#),
        "{counted}"
    );
}

#[tokio::test]
async fn every_address_of_the_document_is_there_and_asks_who_comes() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let document: Value =
        house.ask(Method::GET, "/api/v1/openapi.json").send().await.unwrap().json().await.unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 25, "{}", paths.len());
    for (path, operations) in paths {
        for method in operations.as_object().unwrap().keys() {
            let path = path.replace("{job_type}", "jira_sync").replace("{verb}", "run");
            let path = path.replace("{id}", "01a20aa3-2c25-7423-801b-1714369fa4b6");
            let path = path.replace("{check}", "gaps");
            let path = path.replace("{task}", "01a20aa3-2c25-7423-801b-1714369fa4b7");
            let method: Method = method.to_uppercase().parse().unwrap();
            let ask = || house.ask(method.clone(), &path).json(&json!({}));
            if path.starts_with("/api/v1/") {
                problem(ask().send().await.unwrap(), 401, "authentication_required").await;
            }
            let known = ask().bearer_auth(&token).send().await.unwrap();
            let text = known.text().await.unwrap();
            assert!(!text.contains("no such address"), "{method} {path}: {text}");
            if method == Method::GET && !path.contains("01a20aa3") {
                house.read(&path, &token).await;
            }
        }
    }
}

/// Everything that is logged in this process from now on.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    fn listen() -> Logs {
        let logs = Logs::default();
        let lines = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(logs.clone());
        tracing::subscriber::set_global_default(lines.finish()).unwrap();
        logs
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Logs {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Logs {
    type Writer = Logs;

    fn make_writer(&self) -> Logs {
        self.clone()
    }
}

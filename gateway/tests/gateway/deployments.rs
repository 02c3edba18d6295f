//! Deployments that are told by whoever deploys, as a pipeline meets them.

use domain::facts::Facts as Page;
use domain::repository::Repository;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, jira, problem};

const PATH: &str = "/api/v1/deployments";

/// A house whose first client has the repository `acme/pay`.
async fn house() -> (House, String) {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let integration = house.connect_jira(&token).await;
    house.keep("1", &integration, acme_pay()).await;
    (house, token)
}

fn acme_pay() -> Page {
    let repository = Repository {
        external_id: 3,
        full_name: "acme/pay".to_owned(),
        default_branch: None,
        archived: false,
    };
    Page { repositories: vec![repository], ..Page::default() }
}

fn deployed() -> Value {
    json!({ "repository": "Acme/Pay", "external_id": "build-77", "environment": "Live",
        "sha": "9F3C".repeat(10), "outcome": "success", "finished_at": "2026-10-01T09:36:12Z" })
}

#[tokio::test]
async fn a_deployment_is_kept_and_says_what_it_counts_for() {
    let (house, token) = house().await;
    let kept = house.make(PATH, &token, &deployed()).await;
    assert_eq!(
        kept,
        json!({ "id": "api:build-77", "repository": "acme/pay", "external_id": "build-77",
            "environment": "Live", "sha": "9f3c".repeat(10), "outcome": "SUCCESS",
            "finished_at": "2026-10-01T09:36:12Z", "counts_for": null,
            "reason": "The deployment rules have another source than `api` for this repository." })
    );
    let rules = json!({ "rules": [{ "repository": "acme/*", "source": "api",
        "environments": [{ "match": "^live$", "environment": "production" }] }] });
    let put = house.ask(Method::PUT, "/api/v1/deployment-rules").bearer_auth(&token);
    assert_eq!(put.json(&rules).send().await.unwrap().status(), StatusCode::OK);
    let kept = house.make(PATH, &token, &deployed()).await;
    assert_eq!((&kept["counts_for"], &kept["reason"]), (&json!("production"), &json!(null)));
    let mut elsewhere = deployed();
    elsewhere["environment"] = json!("beta");
    let kept = house.make(PATH, &token, &elsewhere).await;
    assert_eq!(
        (&kept["counts_for"], &kept["reason"]),
        (&json!(null), &json!("No environment rule matches `beta`."))
    );
}

#[tokio::test]
async fn the_same_again_is_the_same_deployment() {
    let (house, token) = house().await;
    let mut begun = deployed();
    (begun["outcome"], begun["finished_at"]) = (json!("pending"), json!(null));
    assert_eq!(house.make(PATH, &token, &begun).await["finished_at"], json!(null));
    let mut over = deployed();
    over["finished_at"] = json!(null);
    let first = house.make(PATH, &token, &over).await;
    assert!(first["finished_at"].is_string(), "it is over since we heard of it");
    assert_eq!(house.make(PATH, &token, &over).await, first);
    let told = house.make(PATH, &token, &deployed()).await;
    assert_eq!(told["finished_at"], "2026-10-01T09:36:12Z", "who says more is believed");
    let mut failed = deployed();
    failed["outcome"] = json!("failure");
    for late in [begun, failed] {
        assert_eq!(house.make(PATH, &token, &late).await, told, "it succeeded once");
    }
}

#[tokio::test]
async fn a_request_sent_twice_is_answered_alike_and_another_needs_another_key() {
    let (house, token) = house().await;
    let send = async |body: &Value| {
        let ask = house.ask(Method::POST, PATH).bearer_auth(&token);
        ask.header("idempotency-key", "k1").json(body).send().await.unwrap()
    };
    let first = send(&deployed()).await.text().await.unwrap();
    let again = send(&deployed()).await;
    assert_eq!((again.status(), again.text().await.unwrap()), (StatusCode::CREATED, first));
    let mut other = deployed();
    other["external_id"] = json!("build-78");
    let refused = problem(send(&other).await, 422, "key_used").await;
    assert!(refused["hint"].as_str().unwrap().contains("new key"), "{refused}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_the_field() {
    let (house, token) = house().await;
    let cases = [
        ("sha", json!("9f3c")),
        ("sha", json!("z".repeat(40))),
        ("external_id", json!(" ")),
        ("external_id", json!("x".repeat(201))),
        ("environment", json!("a\nb")),
        ("outcome", json!("maybe")),
        ("finished_at", json!("2999-01-01T00:00:00Z")),
    ];
    for (field, value) in cases {
        let mut body = deployed();
        body[field] = value;
        let refused = problem(house.post(PATH, &token, &body).await, 422, "invalid").await;
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    let mut pending = deployed();
    pending["outcome"] = json!("PENDING");
    let refused = problem(house.post(PATH, &token, &pending).await, 422, "invalid").await;
    assert_eq!(refused["errors"][0]["field"], "finished_at");
    problem(house.post(PATH, &token, &json!({})).await, 400, "bad_request").await;
}

#[tokio::test]
async fn a_repository_that_is_not_the_callers_is_not_found() {
    let (house, token) = house().await;
    let mut unknown = deployed();
    unknown["repository"] = json!("acme/other");
    let refused = problem(house.post(PATH, &token, &unknown).await, 404, "not_found").await;
    assert_eq!(refused["detail"], "There is no such repository.");
    assert!(refused["hint"].as_str().unwrap().contains("Integrations"));
    let theirs = house.platform.admin(2);
    problem(house.post(PATH, &theirs, &deployed()).await, 404, "not_found").await;
    let member = house.platform.member(1);
    problem(house.post(PATH, &member, &deployed()).await, 403, "permission_denied").await;
}

#[tokio::test]
async fn a_repository_of_two_connections_needs_the_connection() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let first = house.connect_jira(&token).await;
    let mut other = jira();
    (other["name"], other["base_url"]) = (json!("Other"), json!("https://other.atlassian.net"));
    let second = house.make("/api/v1/integrations", &token, &other).await;
    let second = second["id"].as_str().unwrap();
    house.keep_all("1", vec![(first.as_str(), acme_pay()), (second, acme_pay())]).await;

    let refused = problem(house.post(PATH, &token, &deployed()).await, 409, "ambiguous").await;
    assert_eq!(refused["errors"][0]["field"], "integration_id");
    for (integration, outcome) in [(first.as_str(), "SUCCESS"), (second, "FAILURE")] {
        let mut body = deployed();
        (body["integration_id"], body["outcome"]) = (json!(integration), json!(outcome));
        let kept = house.make(PATH, &token, &body).await;
        assert_eq!(kept["outcome"], outcome, "each has its own");
    }
    let mut nobodys = deployed();
    nobodys["integration_id"] = json!("7");
    problem(house.post(PATH, &token, &nobodys).await, 404, "not_found").await;
}

#[tokio::test]
async fn the_description_knows_that_deployments_are_read_and_posted() {
    let house = House::start().await;
    let described = house.read("/api/v1/openapi.json", &house.platform.admin(1)).await;
    let path = &described["paths"][PATH];
    assert!(path["get"].is_object() && path["post"].is_object(), "{path}");
}

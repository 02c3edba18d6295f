//! Rules about delivery as their users meet them.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, problem};

const BOTH: [&str; 2] = ["/api/v1/deployment-rules", "/api/v1/incident-rules"];
const PROJECTS: &str = "/api/v1/project-rules";
const BOTS: &str = "/api/v1/bot-rules";

async fn put(house: &House, path: &str, token: &str, body: &Value) -> Response {
    house.ask(Method::PUT, path).bearer_auth(token).json(body).send().await.unwrap()
}

/// Puts what can be put.
async fn replace(house: &House, path: &str, token: &str, body: &Value) -> Value {
    let answer = put(house, path, token, body).await;
    let status = answer.status();
    let kept = answer.json().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{path}: {kept}");
    kept
}

fn merges() -> Value {
    json!({ "rules": [{ "repository": "acme/*", "source": "merges", "match": "^main$",
        "environments": [{ "match": "main", "environment": "production" }] }] })
}

fn outages() -> Value {
    json!({ "rules": [{ "integration_id": null, "issue_types": ["Outage"], "labels": ["sev1"],
        "components": [], "fields": [{ "field": "customfield_10050", "values": ["Sev1", "Sev2"] }],
        "started_at_field": null, "deployment_field": null, "window_hours": null }] })
}

fn machines() -> Value {
    json!({ "logins": ["ci-user", "renovate*"] })
}

fn belongings() -> Value {
    json!({ "projects": [
        { "project": "PAY", "repositories": ["acme/payments", "acme/pay-*"] },
        { "project": "OPS", "repositories": ["acme/ops"] },
    ] })
}

#[tokio::test]
async fn a_fresh_client_is_told_the_defaults_that_are_in_force() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let deployments = house.read(BOTH[0], &token).await;
    assert_eq!((&deployments["default"], &deployments["version"]), (&json!(true), &json!(0)));
    let rule = &deployments["rules"][0];
    assert_eq!(
        (&rule["repository"], &rule["source"], &rule["match"]),
        (&json!("*"), &json!("deployments"), &json!(null))
    );
    let environments = rule["environments"].as_array().unwrap();
    assert_eq!((environments.len(), &environments[0]["environment"]), (3, &json!("production")));
    let incidents = house.read(BOTH[1], &token).await;
    assert_eq!(
        incidents,
        json!({ "default": true, "version": 0, "rules": [{
            "integration_id": null, "issue_types": ["Incident", "[System] Incident"], "labels": [],
            "components": [], "fields": [], "started_at_field": null, "deployment_field": null,
            "window_hours": 24 }] })
    );
}

#[tokio::test]
async fn what_was_put_is_shown_and_an_empty_list_brings_the_defaults_back() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    for (path, rules) in [(BOTH[0], merges()), (BOTH[1], outages())] {
        let kept = replace(&house, path, &token, &rules).await;
        assert_eq!(
            (&kept["rules"], &kept["default"], &kept["version"]),
            (&rules["rules"], &json!(false), &json!(1)),
        );
        assert_eq!(house.read(path, &token).await, kept);
        // What was read can be sent back, and changes nothing.
        assert_eq!(replace(&house, path, &token, &kept).await, kept);
        let back = replace(&house, path, &token, &json!({ "rules": [] })).await;
        assert_eq!((&back["default"], &back["version"]), (&json!(true), &json!(2)), "{path}");
    }
    let spare = json!({ "rules": [{ "labels": ["sev1"] }] });
    let kept = replace(&house, BOTH[1], &token, &spare).await;
    assert_eq!(kept["rules"][0]["window_hours"], 24, "a day unless somebody says otherwise");
}

#[tokio::test]
async fn logins_of_machines_are_shown_as_they_were_put() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    assert_eq!(house.read(BOTS, &token).await, json!({ "logins": [], "version": 0 }));
    let kept = replace(&house, BOTS, &token, &machines()).await;
    assert_eq!(kept, json!({ "logins": ["ci-user", "renovate*"], "version": 1 }));
    assert_eq!(house.read(BOTS, &token).await, kept);
    assert_eq!(replace(&house, BOTS, &token, &kept).await, kept);
    let answer = put(&house, BOTS, &token, &json!({ "logins": ["ok", "*"] })).await;
    let refused = problem(answer, 422, "invalid").await;
    assert_eq!(refused["errors"][0]["field"], "logins[1]", "{refused}");
    problem(put(&house, BOTS, &token, &json!({})).await, 400, "bad_request").await;
    assert_eq!(house.read(BOTS, &token).await, kept, "nothing of it was kept");
}

#[tokio::test]
async fn repositories_of_projects_are_shown_as_they_were_put() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    assert_eq!(house.read(PROJECTS, &token).await, json!({ "projects": [], "version": 0 }));
    let kept = replace(&house, PROJECTS, &token, &belongings()).await;
    assert_eq!((&kept["projects"], &kept["version"]), (&belongings()["projects"], &json!(1)));
    assert_eq!(house.read(PROJECTS, &token).await, kept);
    assert_eq!(replace(&house, PROJECTS, &token, &kept).await, kept);
    let bad = json!({ "projects": [{ "project": "PAY", "repositories": ["acme/pay", "pay"] }] });
    let refused = problem(put(&house, PROJECTS, &token, &bad).await, 422, "invalid").await;
    assert_eq!(refused["errors"][0]["field"], "projects[0].repositories[1]", "{refused}");
    problem(put(&house, PROJECTS, &token, &json!({})).await, 400, "bad_request").await;
    assert_eq!(house.read(PROJECTS, &token).await, kept, "nothing of it was kept");
}

#[tokio::test]
async fn only_the_rules_that_were_seen_are_replaced() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    for (path, rules, none) in [
        (BOTH[0], merges(), json!({ "rules": [] })),
        (BOTH[1], outages(), json!({ "rules": [] })),
        (BOTS, machines(), json!({ "logins": [] })),
        (PROJECTS, belongings(), json!({ "projects": [] })),
    ] {
        assert_eq!(house.get(path, &token).await.headers()["etag"], "\"0\"");
        let put = async |tag: &'static str, rules: &Value| {
            let ask = house.ask(Method::PUT, path).bearer_auth(&token).header("if-match", tag);
            ask.json(rules).send().await.unwrap()
        };
        let first = put("\"0\"", &rules).await;
        assert_eq!(
            (first.status(), &first.headers()["etag"]),
            (StatusCode::OK, &"\"1\"".parse().unwrap())
        );
        problem(put("\"0\"", &none).await, 412, "changed_meanwhile").await;
        problem(put("\"x\"", &none).await, 412, "changed_meanwhile").await;
        assert_eq!(put("*", &none).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused_by_the_place() {
    let house = House::start().await;
    let (ours, theirs) = (house.platform.admin(1), house.platform.admin(2));
    let foreign = house.connect_jira(&theirs).await;
    let incident = |field: &str, value: Value| {
        let mut rule = json!({ "issue_types": ["Outage"] });
        rule[field] = value;
        (BOTH[1], rule)
    };
    let deployment = |source: &str, pattern: &str, environments: Value| {
        let rule = json!({ "repository": "*", "source": source, "match": pattern,
            "environments": environments });
        (BOTH[0], rule)
    };
    let nameless = json!([{ "match": "(", "environment": "production" }]);
    let cases = [
        (deployment("jenkins", "", json!([])), "rules[0].source"),
        (deployment("merges", "[", json!([])), "rules[0].match"),
        (deployment("merges", "main", nameless), "rules[0].environments[0].match"),
        (incident("integration_id", json!(foreign)), "rules[0].integration_id"),
        (incident("integration_id", json!("7")), "rules[0].integration_id"),
        (incident("window_hours", json!(0)), "rules[0].window_hours"),
        (incident("started_at_field", json!("Incident start")), "rules[0].started_at_field"),
        (incident("deployment_field", json!("Cause")), "rules[0].deployment_field"),
        (incident("components", json!([""])), "rules[0].components[0]"),
        (
            incident("fields", json!([{ "field": "Severity", "values": ["Sev1"] }])),
            "rules[0].fields[0].field",
        ),
        (
            incident("fields", json!([{ "field": "customfield_1", "values": [] }])),
            "rules[0].fields[0].values",
        ),
    ];
    for ((path, rule), field) in cases {
        let answer = put(&house, path, &ours, &json!({ "rules": [rule] })).await;
        let refused = problem(answer, 422, "invalid").await;
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    for path in BOTH {
        problem(put(&house, path, &ours, &json!({})).await, 400, "bad_request").await;
        assert_eq!(house.read(path, &ours).await["default"], true, "nothing was kept");
    }
}

#[tokio::test]
async fn only_admins_see_rules_and_only_their_own() {
    let house = House::start().await;
    let (ours, theirs) = (house.platform.admin(1), house.platform.admin(2));
    let all =
        [(BOTH[0], merges()), (BOTH[1], outages()), (BOTS, machines()), (PROJECTS, belongings())];
    for (path, rules) in all {
        replace(&house, path, &ours, &rules).await;
        assert_eq!(house.read(path, &theirs).await["version"], 0, "{path}");
        let member = house.platform.member(1);
        problem(house.get(path, &member).await, 403, "permission_denied").await;
        problem(put(&house, path, &member, &rules).await, 403, "permission_denied").await;
    }
}

#[tokio::test]
async fn the_description_knows_the_addresses_of_the_rules() {
    let house = House::start().await;
    let described = house.read("/api/v1/openapi.json", &house.platform.admin(1)).await;
    for path in [BOTH[0], BOTH[1], BOTS, PROJECTS] {
        for verb in ["get", "put"] {
            assert!(described["paths"][path][verb].is_object(), "{verb} {path}");
        }
    }
    let rule = &described["components"]["schemas"]["DeploymentRuleJson"]["properties"];
    assert!(rule["match"].is_object() && rule["environments"].is_object(), "{rule}");
}

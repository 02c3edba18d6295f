//! Workflows and mappings as their users meet them.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, problem};
use crate::tenants::page;

async fn send(house: &House, method: Method, path: &str, token: &str, body: &Value) -> Response {
    house.ask(method, path).bearer_auth(token).json(body).send().await.unwrap()
}

fn id(row: &Value) -> &str {
    row["id"].as_str().unwrap()
}

pub fn kanban() -> Value {
    json!({ "name": "Kanban", "steps": [
        { "name": "Backlog", "category": "TO_DO" },
        { "name": "Doing", "category": "IN_PROGRESS", "commitment_point": true },
        { "name": "Done", "category": "DONE" },
    ]})
}

#[tokio::test]
async fn a_fresh_client_has_a_default_that_gives_way_to_what_it_makes() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let all = house.read("/api/v1/workflows", &token).await;
    let default = &all["items"][0];
    assert_eq!((&default["default"], &default["name"]), (&json!(true), &json!("Default")));
    let steps: Vec<_> =
        default["steps"].as_array().unwrap().iter().map(|s| &s["category"]).collect();
    assert_eq!(steps, ["TO_DO", "IN_PROGRESS", "DONE"]);
    let path = format!("/api/v1/workflows/{}", id(default));
    let refused = send(&house, Method::DELETE, &path, &token, &json!({})).await;
    problem(refused, 409, "is_default").await;

    let made = house.make("/api/v1/workflows", &token, &kanban()).await;
    assert_eq!(made["default"], false);
    let all = house.read("/api/v1/workflows", &token).await;
    assert_eq!(all["items"], json!([made]));
    assert_eq!(made["steps"][1]["waiting"], false);
    assert_eq!(made["steps"][0]["waiting"], true);
}

#[tokio::test]
async fn the_default_can_be_edited_like_any_other() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let default = house.read("/api/v1/workflows", &token).await["items"][0].clone();
    let step = &default["steps"][1];
    let path = format!("/api/v1/workflow-steps/{}", id(step));
    let body = json!({ "name": "Building", "category": "IN_PROGRESS", "commitment_point": true,
        "status_category": "IN_PROGRESS" });
    let answer = send(&house, Method::PUT, &path, &token, &body).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let after = house.read("/api/v1/workflows", &token).await["items"][0].clone();
    assert_eq!((&after["id"], &after["default"]), (&default["id"], &json!(false)));
    assert_eq!(
        (&after["steps"][1]["name"], &after["steps"][1]["position"]),
        (&json!("Building"), &json!(2))
    );
}

#[tokio::test]
async fn a_second_commitment_point_is_refused_with_the_name_of_the_first() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let made = house.make("/api/v1/workflows", &token, &kanban()).await;
    let path = format!("/api/v1/workflow-steps/{}", id(&made["steps"][0]));
    let mut backlog = json!({ "name": "Backlog", "category": "TO_DO", "commitment_point": true });
    let refused = send(&house, Method::PUT, &path, &token, &backlog).await;
    let refused = problem(refused, 409, "commitment_point_taken").await;
    assert_eq!(
        refused["detail"],
        "The commitment point of all connections is \"Doing\" of the workflow \"Kanban\"; \
         there can be only one."
    );
    assert!(refused["hint"].as_str().unwrap().contains("move_commitment"));
    assert_eq!(
        (&refused["step_id"], &refused["workflow_id"]),
        (&made["steps"][1]["id"], &made["id"])
    );
    backlog["move_commitment"] = json!(true);
    let moved = send(&house, Method::PUT, &path, &token, &backlog).await;
    assert_eq!(moved.json::<Value>().await.unwrap()["commitment_point"], true);
    let after = house.read("/api/v1/workflows", &token).await;
    let steps = after["items"][0]["steps"].as_array().unwrap();
    let marked: Vec<_> = steps.iter().filter(|s| s["commitment_point"] == true).collect();
    assert_eq!((marked.len(), &marked[0]["name"]), (1, &json!("Backlog")));
}

#[tokio::test]
async fn the_commitment_point_is_never_lost_by_whatever_way() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let made = house.make("/api/v1/workflows", &token, &kanban()).await;
    let path = |at: usize| format!("/api/v1/workflow-steps/{}", id(&made["steps"][at]));
    let doing = json!({ "name": "Doing", "category": "IN_PROGRESS" });
    let done = format!("{}?reassign_to={}", path(1), id(&made["steps"][2]));
    let off = json!({ "name": "Doing", "category": "IN_PROGRESS", "commitment_point": true,
        "active": false });
    for (method, path, body) in [
        (Method::PUT, path(1), doing),
        (Method::PUT, path(1), off),
        (Method::DELETE, path(1), json!({})),
        (Method::DELETE, done, json!({})),
    ] {
        let refused = send(&house, method, &path, &token, &body).await;
        let refused = problem(refused, 409, "commitment_point_needed").await;
        assert_eq!(
            refused["detail"],
            "The commitment point of all connections is \"Doing\" of the workflow \"Kanban\"; \
             mark another step first, for while there are steps there must be one."
        );
        assert!(refused["hint"].as_str().unwrap().contains("reassign_to"));
        assert_eq!(
            (&refused["step_id"], &refused["workflow_id"]),
            (&made["steps"][1]["id"], &made["id"])
        );
    }
    let all = house.read("/api/v1/workflows", &token).await;
    assert_eq!(all["items"], json!([made]), "nothing was kept");
    let backlog = format!("{}?reassign_to={}", path(1), id(&made["steps"][0]));
    let gone = send(&house, Method::DELETE, &backlog, &token, &json!({})).await;
    assert_eq!(gone.status(), StatusCode::OK);
    assert_eq!(house.read(&path(0), &token).await["commitment_point"], true);
}

#[tokio::test]
async fn only_the_version_that_was_seen_is_changed() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let made = house.make("/api/v1/workflows", &token, &kanban()).await;
    let path = format!("/api/v1/workflows/{}", id(&made));
    let put = |tag: &'static str, name: &'static str| {
        let body = json!({ "name": name });
        house.ask(Method::PUT, &path).bearer_auth(&token).header("if-match", tag).json(&body).send()
    };
    let first = put("\"1\"", "Flow").await.unwrap();
    assert_eq!(
        (first.status(), &first.headers()["etag"]),
        (StatusCode::OK, &"\"2\"".parse().unwrap())
    );
    problem(put("\"1\"", "Other").await.unwrap(), 412, "changed_meanwhile").await;
    problem(put("\"x\"", "Other").await.unwrap(), 412, "changed_meanwhile").await;
    let delete = house.ask(Method::DELETE, &path).bearer_auth(&token).header("if-match", "\"1\"");
    problem(delete.send().await.unwrap(), 412, "changed_meanwhile").await;
    assert_eq!(house.get(&path, &token).await.headers()["etag"], "\"2\"");
    assert_eq!(put("*", "Again").await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_request_sent_twice_makes_one_workflow() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let mut answers = Vec::new();
    for _ in 0..2 {
        let add = house.ask(Method::POST, "/api/v1/workflows").bearer_auth(&token);
        let add = add.header("idempotency-key", "k1").json(&kanban()).send().await.unwrap();
        assert_eq!(add.status(), StatusCode::CREATED);
        answers.push(add.json::<Value>().await.unwrap());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(house.read("/api/v1/workflows", &token).await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_in_use_goes_only_with_a_place_for_it() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let jira = house.connect_jira(&token).await;
    house.keep("1", &jira, page()).await;
    let made = house.make("/api/v1/workflows", &token, &kanban()).await;
    let (backlog, done) = (id(&made["steps"][0]), id(&made["steps"][2]));

    let mappings = house.read("/api/v1/status-mappings", &token).await;
    assert_eq!(mappings["complete"], false);
    let missing = json!([{ "integration_id": jira, "issue_type": "Story", "status": "Done",
        "status_category": "DONE", "issues": 1 }]);
    assert_eq!(mappings["unmapped"], missing);

    let mapping = json!({ "status": " done ", "step_id": done });
    let mapping = house.make("/api/v1/status-mappings", &token, &mapping).await;
    assert_eq!((&mapping["status"], &mapping["step"]), (&json!("done"), &json!("Done")));
    assert_eq!(house.read("/api/v1/status-mappings", &token).await["complete"], true);

    for path in [
        format!("/api/v1/workflow-steps/{done}/impact"),
        format!("/api/v1/workflows/{}/impact", id(&made)),
        format!("/api/v1/status-mappings/{}/impact", id(&mapping)),
    ] {
        let impact = house.read(&path, &token).await;
        assert_eq!(impact["issues"], 1, "{path}");
        assert!(impact["metrics"].as_array().unwrap().contains(&json!("lead_time")), "{path}");
    }
    let idle = house.read(&format!("/api/v1/workflow-steps/{backlog}/impact"), &token).await;
    assert_eq!((&idle["issues"], &idle["metrics"]), (&json!(0), &json!([])));

    let path = format!("/api/v1/workflow-steps/{done}");
    let delete = |query: String| {
        house.ask(Method::DELETE, &format!("{path}{query}")).bearer_auth(&token).send()
    };
    let refused = problem(delete(String::new()).await.unwrap(), 409, "in_use").await;
    assert_eq!(refused["detail"], "\"Done\" is in use: 1 status mapping.");
    problem(delete(format!("?reassign_to={done}")).await.unwrap(), 422, "invalid").await;
    problem(delete("?reassign_to=7".to_owned()).await.unwrap(), 404, "not_found").await;
    let gone = delete(format!("?reassign_to={backlog}")).await.unwrap();
    assert_eq!(gone.json::<Value>().await.unwrap()["status_mappings"], 1);
    let mapping = house.read(&format!("/api/v1/status-mappings/{}", id(&mapping)), &token).await;
    assert_eq!((&mapping["step"], &mapping["version"]), (&json!("Backlog"), &json!(2)));
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_the_field() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let made = house.make("/api/v1/workflows", &token, &kanban()).await;
    let (workflow, step) = (id(&made), id(&made["steps"][0]));
    let cases = [
        ("workflows", json!({ "name": " " }), "name"),
        ("workflow-steps", json!({ "name": "x", "category": "TO_DO" }), "workflow_id"),
        (
            "workflow-steps",
            json!({ "name": "x", "category": "LATER", "workflow_id": workflow }),
            "category",
        ),
        (
            "workflow-steps",
            json!({ "name": "x", "category": "DONE", "workflow_id": workflow, "position": 1 }),
            "position",
        ),
        (
            "workflow-steps",
            json!({ "name": "x", "category": "DONE", "workflow_id": workflow, "commitment_point": true }),
            "commitment_point",
        ),
        (
            "workflow-steps",
            json!({ "name": "x", "category": "DONE", "workflow_id": workflow, "status_category": "OVER" }),
            "status_category",
        ),
        ("status-mappings", json!({ "status": "", "step_id": step }), "status"),
        ("issue-type-mappings", json!({ "issue_type": "" }), "issue_type"),
    ];
    for (noun, body, field) in cases {
        let answer = house.post(&format!("/api/v1/{noun}"), &token, &body).await;
        let refused = problem(answer, 422, "invalid").await;
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    let twin = house.post("/api/v1/workflows", &token, &json!({ "name": "KANBAN" })).await;
    problem(twin, 409, "duplicate").await;
}

#[tokio::test]
async fn the_description_knows_every_address_of_the_workflows() {
    let house = House::start().await;
    let described = house.read("/api/v1/openapi.json", &house.platform.admin(1)).await;
    for noun in ["workflows", "workflow-steps", "status-mappings", "issue-type-mappings"] {
        let path = |rest: &str| &described["paths"][format!("/api/v1/{noun}{rest}")];
        assert!(path("")["get"].is_object() && path("")["post"].is_object(), "{noun}");
        for verb in ["get", "put", "delete"] {
            assert!(path("/{id}")[verb].is_object(), "{verb} {noun}");
        }
        assert!(path("/{id}/impact")["get"].is_object(), "{noun}");
    }
}

#[tokio::test]
async fn statuses_without_a_mapping_come_with_steps_that_they_may_stand_for() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let jira = house.connect_jira(&token).await;
    house.keep("1", &jira, page()).await;
    let made = house.make("/api/v1/workflows", &token, &kanban()).await;

    let nothing = json!({});
    let suggest = || house.post("/api/v1/status-mappings/suggest", &token, &nothing);
    let suggested: Value = suggest().await.json().await.unwrap();
    let status = &suggested["items"][0];
    assert_eq!((&status["status"], &status["issues"]), (&json!("Done"), &json!(1)));
    let best = &status["suggestions"][0];
    assert_eq!(best["step_id"], made["steps"][2]["id"]);
    assert!(best["confidence"].as_f64().unwrap() > 0.9, "{best}");
    let reasons =
        json!(["It is called like the step.", "Its name means DONE.", "Jira groups it with DONE."]);
    assert_eq!(best["reasons"], reasons);
    let because = json!([{ "kind": "same_name" }, { "kind": "meaning", "category": "DONE" },
        { "kind": "jira_category", "category": "DONE" }]);
    assert_eq!(best["because"], because);

    // What is mapped needs no suggestion, and nobody else's status gets one.
    let mapping = json!({ "status": "Done", "step_id": best["step_id"] });
    house.make("/api/v1/status-mappings", &token, &mapping).await;
    assert_eq!(suggest().await.json::<Value>().await.unwrap()["items"], json!([]));
    let theirs = house.platform.admin(2);
    let theirs = house.post("/api/v1/status-mappings/suggest", &theirs, &json!({})).await;
    assert_eq!(theirs.json::<Value>().await.unwrap()["items"], json!([]));
}

#[tokio::test]
async fn a_preview_tells_what_would_move_and_keeps_nothing() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let jira = house.connect_jira(&token).await;
    house.keep("1", &jira, page()).await;
    let made = house.make("/api/v1/workflows", &token, &kanban()).await;
    let (backlog, done) = (&made["steps"][0]["id"], &made["steps"][2]["id"]);
    let preview = async |changes: Value| {
        let body = json!({ "changes": changes });
        house.post("/api/v1/status-mappings/preview", &token, &body).await
    };

    let new = preview(json!([{ "status": "done", "step_id": done }])).await;
    let new: Value = new.json().await.unwrap();
    assert_eq!((&new["issues_moved"], &new["left_unmapped"]), (&json!(1), &json!(0)));
    let moved = json!([{ "integration_id": jira, "issue_type": "Story", "status": "Done",
        "from": "unmapped_status", "to": "Done", "issues": 1 }]);
    assert_eq!(new["moves"], moved);
    // The metrics service was asked for this client and these changes.
    let times = |counted| {
        json!({ "p50_seconds": 1.5, "p85_seconds": null, "kinds": { "p50_seconds": "linear" },
            "counted": counted })
    };
    assert_eq!(new["lead_time"], json!({ "before": times(36), "after": times(1) }));
    assert_eq!(house.read("/api/v1/status-mappings", &token).await["items"], json!([]));

    let mapping = json!({ "status": "Done", "step_id": done });
    let mapping = house.make("/api/v1/status-mappings", &token, &mapping).await;
    let change = json!([{ "id": mapping["id"], "status": "Done", "step_id": backlog }]);
    let changed: Value = preview(change).await.json().await.unwrap();
    assert_eq!(
        (&changed["moves"][0]["from"], &changed["moves"][0]["to"]),
        (&json!("Done"), &json!("Backlog"))
    );
    let gone = json!([{ "id": mapping["id"], "delete": true }]);
    let gone: Value = preview(gone).await.json().await.unwrap();
    assert_eq!((&gone["issues_moved"], &gone["left_unmapped"]), (&json!(1), &json!(1)));
    assert_eq!(gone["unmapped"][0]["status"], "Done");

    // What could not be saved is refused as it would be then.
    problem(preview(json!([{ "status": "DONE", "step_id": done }])).await, 409, "duplicate").await;
    problem(preview(json!([{ "status": "", "step_id": done }])).await, 422, "invalid").await;
    problem(preview(json!([{ "id": made["id"], "delete": true }])).await, 404, "not_found").await;
    let theirs = house.platform.admin(2);
    let body = json!({ "changes": [{ "status": "x", "step_id": done }] });
    let theirs = house.post("/api/v1/status-mappings/preview", &theirs, &body).await;
    problem(theirs, 404, "not_found").await;
}

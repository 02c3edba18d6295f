//! Many changes at once: foreseen, saved together, and what the lists tell of them.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, problem};
use crate::tenants::page;
use crate::workflows::kanban;

/// A house with an issue that is done, and a workflow without any mapping.
async fn begun() -> (House, String, String, Value) {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let jira = house.connect_jira(&token).await;
    house.keep("1", &jira, page()).await;
    let made = house.make("/api/v1/workflows", &token, &kanban()).await;
    (house, token, jira, made)
}

async fn save(house: &House, token: &str, key: &str, changes: &Value) -> Response {
    let put = house.ask(Method::PUT, "/api/v1/status-mappings").bearer_auth(token);
    let body = json!({ "changes": changes });
    put.header("idempotency-key", key).json(&body).send().await.unwrap()
}

#[tokio::test]
async fn a_change_of_anything_is_foreseen_and_not_kept() {
    let (house, token, _, made) = begun().await;
    let steps = made["steps"].as_array().unwrap();
    let (backlog, doing, done) = (&steps[0]["id"], &steps[1]["id"], &steps[2]["id"]);
    let mapping = json!({ "status": "Done", "step_id": done });
    let mapping = house.make("/api/v1/status-mappings", &token, &mapping).await;
    let preview = async |changes: Value| {
        let body = json!({ "changes": changes });
        house.post("/api/v1/workflows/preview", &token, &body).await
    };
    let foreseen = async |changes: Value| {
        let answer = preview(changes).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json::<Value>().await.unwrap()
    };
    let mark = |name: &str, commitment: bool| {
        let category = if name == "Backlog" { "TO_DO" } else { "IN_PROGRESS" };
        json!({ "name": name, "category": category, "commitment_point": commitment })
    };
    let moved = foreseen(json!([
        { "of": "workflow_step", "id": backlog, "put": mark("Backlog", true) },
        { "of": "workflow_step", "id": doing, "put": mark("Doing", false) },
    ]));
    // The metrics service was asked for this client and these changes.
    let moved = moved.await;
    assert_eq!(
        (&moved["issues_moved"], &moved["lead_time"]["after"]["counted"]),
        (&json!(0), &json!(2))
    );

    let off = json!([{ "of": "workflow", "id": made["id"], "put": { "name": "Kanban", "active": false } }]);
    let off = foreseen(off).await;
    assert_eq!(off["issues_moved"], 1);
    assert_eq!(
        (&off["moves"][0]["from"], &off["moves"][0]["to"]),
        (&json!("Done"), &json!("inactive_workflow"))
    );

    let led = json!([{ "of": "workflow_step", "id": done, "delete": true, "reassign_to": doing }]);
    assert_eq!(foreseen(led).await["moves"][0]["to"], "Doing");
    let apart =
        json!([{ "of": "issue_type_mapping", "put": { "issue_type": "Story", "active": false } }]);
    assert_eq!(foreseen(apart).await["moves"][0]["to"], "inactive_issue_type_mapping");
    let gone = json!([{ "of": "status_mapping", "id": mapping["id"], "delete": true }]);
    assert_eq!(foreseen(gone).await["left_unmapped"], 1);
    // A step that goes where it was is not moved by what is put before it.
    let review = json!({ "name": "Review", "category": "IN_PROGRESS", "position": 2, "workflow_id": made["id"] });
    foreseen(json!([
        { "of": "workflow_step", "put": review },
        { "of": "workflow_step", "id": done, "put": { "name": "Done", "category": "DONE" } },
    ]))
    .await;
    assert_eq!(
        house.read("/api/v1/workflows", &token).await["items"],
        json!([made]),
        "nothing was kept"
    );

    // What could not be saved is refused as it would be then, by the place.
    let unmarked = json!([{ "of": "workflow_step", "id": doing, "put": mark("Doing", false) }]);
    problem(preview(unmarked).await, 409, "commitment_point_needed").await;
    let second = json!([{ "of": "workflow_step", "id": backlog, "put": mark("Backlog", true) }]);
    problem(preview(second).await, 409, "commitment_point_taken").await;
    let fine = json!({ "of": "workflow_step", "id": doing, "put": mark("Doing", true) });
    for (odd, status, code, field) in [
        (json!({ "of": "workflow", "put": { "name": " " } }), 422, "invalid", "changes[1].name"),
        (json!({ "id": done, "delete": true }), 422, "invalid", "changes[1].of"),
        (json!({ "of": "workflow", "delete": true }), 422, "invalid", "changes[1].id"),
        (json!({ "of": "workflow" }), 422, "invalid", "changes[1].put"),
        (json!({ "of": "workflow", "put": { "name": 7 } }), 422, "invalid", "changes[1].put"),
        (
            json!({ "of": "workflow_step", "id": done, "delete": true, "put": {} }),
            422,
            "invalid",
            "changes[1].put",
        ),
        (
            json!({ "of": "workflow", "put": { "name": "x" }, "reassign_to": made["id"] }),
            422,
            "invalid",
            "changes[1].reassign_to",
        ),
        (json!({ "of": "workflow", "put": { "name": "KANBAN" } }), 409, "duplicate", "changes[1]"),
        (
            json!({ "of": "workflow_step", "id": mapping["id"], "delete": true }),
            404,
            "not_found",
            "changes[1]",
        ),
        (
            json!({ "of": "status_mapping", "id": mapping["id"], "delete": true, "version": 7 }),
            412,
            "changed_meanwhile",
            "changes[1]",
        ),
    ] {
        let refused = problem(preview(json!([fine, odd])).await, status, code).await;
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    let theirs = house.platform.admin(2);
    let body = json!({ "changes": [{ "of": "workflow", "id": made["id"], "delete": true }] });
    problem(house.post("/api/v1/workflows/preview", &theirs, &body).await, 404, "not_found").await;
}

#[tokio::test]
async fn many_mappings_are_saved_together_or_not_at_all() {
    let (house, token, jira, made) = begun().await;
    let steps = made["steps"].as_array().unwrap();
    let (backlog, done) = (&steps[0]["id"], &steps[2]["id"]);
    let two = json!([
        { "put": { "status": "Open", "step_id": backlog } },
        { "of": "status_mapping", "put": { "status": "done", "step_id": done } },
    ]);
    let saved = save(&house, &token, "k1", &two).await;
    assert_eq!(saved.status(), StatusCode::OK);
    let saved: Value = saved.json().await.unwrap();
    let told = |row: &Value| {
        (row["status"].clone(), row["issues"].clone(), row["status_category"].clone())
    };
    let items = saved["items"].as_array().unwrap();
    assert_eq!(told(&items[0]), (json!("Open"), json!(0), Value::Null));
    assert_eq!(told(&items[1]), (json!("done"), json!(1), json!("DONE")));
    assert_eq!(saved["complete"], true);
    let kept = house.read("/api/v1/status-mappings", &token).await;
    assert_eq!(kept, saved);

    // Sent again it is answered again, and made once.
    let again = save(&house, &token, "k1", &two).await;
    assert_eq!(again.json::<Value>().await.unwrap(), saved);
    problem(save(&house, &token, "k1", &json!([])).await, 422, "key_used").await;

    // The second cannot be, so the first is not either.
    let (open, over) = (&items[0]["id"], &items[1]["id"]);
    let step = |step: &Value| json!({ "status": "Open", "step_id": step });
    for (odd, status, code) in [
        (json!({ "put": { "status": "DONE", "step_id": done } }), 409, "duplicate"),
        (json!({ "id": over, "version": 7, "delete": true }), 412, "changed_meanwhile"),
        (json!({ "of": "workflow", "id": made["id"], "delete": true }), 422, "invalid"),
        (json!({ "id": done, "delete": true }), 404, "not_found"),
    ] {
        let changes = json!([{ "id": open, "put": step(done) }, odd]);
        let refused = problem(save(&house, &token, code, &changes).await, status, code).await;
        assert!(
            refused["errors"][0]["field"].as_str().unwrap().starts_with("changes[1]"),
            "{refused}"
        );
        assert_eq!(house.read("/api/v1/status-mappings", &token).await, kept, "{code}");
    }

    // One is freed and given to another in one go, each of the version that was seen.
    let swapped = json!([
        { "id": over, "version": 1, "delete": true },
        { "id": open, "version": 1, "put": { "status": "Done", "step_id": done, "integration_id": jira } },
    ]);
    let saved: Value = save(&house, &token, "k2", &swapped).await.json().await.unwrap();
    let [only] = &saved["items"].as_array().unwrap()[..] else { panic!("{saved}") };
    assert_eq!((&only["id"], &only["version"], &only["issues"]), (open, &json!(2), &json!(1)));
    let empty = save(&house, &token, "k3", &json!([])).await;
    assert_eq!(empty.json::<Value>().await.unwrap(), saved);
}

#[tokio::test]
async fn types_in_use_are_told_with_the_mapping_that_holds_for_them() {
    let (house, token, jira, made) = begun().await;
    let all = || house.read("/api/v1/issue-type-mappings", &token);
    let story = |mapping: &Value| json!([{ "integration_id": jira, "issue_type": "Story", "issues": 1, "mapping_id": mapping }]);
    let before = all().await;
    assert_eq!((&before["complete"], &before["types"]), (&json!(false), &story(&Value::Null)));
    let mapping = json!({ "issue_type": " STORY ", "workflow_id": made["id"] });
    let mapping = house.make("/api/v1/issue-type-mappings", &token, &mapping).await;
    let after = all().await;
    assert_eq!((&after["complete"], &after["types"]), (&json!(true), &story(&mapping["id"])));
    assert_eq!(after["items"], json!([mapping]));

    let theirs = house.platform.admin(2);
    let theirs = house.read("/api/v1/issue-type-mappings", &theirs).await;
    assert_eq!((&theirs["types"], &theirs["complete"]), (&json!([]), &json!(true)));
}

#[tokio::test]
async fn an_impact_names_only_metrics_that_would_move() {
    let (house, token, _, made) = begun().await;
    let of = async |noun: &str, row: &Value| {
        house.read(&format!("/api/v1/{noun}/{}/impact", row["id"].as_str().unwrap()), &token).await
    };
    let idle = of("workflows", &made).await;
    assert_eq!(
        (&idle["issues"], &idle["issues_passed"], &idle["metrics"]),
        (&json!(0), &json!(0), &json!([]))
    );
    let done = json!({ "status": "Done", "step_id": made["steps"][2]["id"] });
    let done = house.make("/api/v1/status-mappings", &token, &done).await;
    let impact = of("status-mappings", &done).await;
    assert_eq!(impact["issues"], 1);
    assert_eq!(
        impact["metrics"],
        json!([
            "lead_time",
            "cycle_time",
            "customer_lead_time",
            "time_in_step",
            "flow_efficiency",
            "rework",
            "throughput",
            "cumulative_flow",
            "forecast"
        ]),
        "no issue is under way, and none is an incident"
    );
}

#[tokio::test]
async fn what_is_configured_can_be_taken_away() {
    let (house, token, jira, made) = begun().await;
    let done = &made["steps"][2]["id"];
    let mapping = json!({ "status": "Done", "step_id": done, "integration_id": jira });
    let mapping = house.make("/api/v1/status-mappings", &token, &mapping).await;
    let of_type = json!({ "issue_type": "=SUM(A1)", "mapped_to": "Story" });
    let of_type = house.make("/api/v1/issue-type-mappings", &token, &of_type).await;
    let text = async |path: String| {
        let answer = house.get(&path, &token).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert!(disposition.starts_with("attachment; filename="), "{disposition}");
        answer.text().await.unwrap()
    };
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let (flow, done, mapping, of_type) =
        (word(&made["id"]), word(done), word(&mapping["id"]), word(&of_type["id"]));
    let csv = text("/api/v1/workflows?format=csv".to_owned()).await;
    assert_eq!(
        csv,
        format!("id,name,integration_id,active,default,version\r\n{flow},Kanban,,true,false,1\r\n")
    );
    let csv = text("/api/v1/workflow-steps?format=csv".to_owned()).await;
    let last = csv.lines().last().unwrap();
    assert_eq!(last, format!("{done},{flow},,Done,3,DONE,true,false,,true,1"));
    let csv = text("/api/v1/status-mappings?format=csv".to_owned()).await;
    let last = csv.lines().last().unwrap();
    assert_eq!(last, format!("{mapping},Done,{done},Done,DONE,{flow},{jira},,true,1,1,DONE"));
    let csv = text("/api/v1/issue-type-mappings?format=csv".to_owned()).await;
    let last = csv.lines().last().unwrap();
    assert_eq!(last, format!("{of_type},\"'=SUM(A1)\",Story,0,,,,true,1"), "it runs nowhere");
    for list in ["workflows", "workflow-steps", "status-mappings", "issue-type-mappings"] {
        let lines = text(format!("/api/v1/{list}?format=ndjson")).await;
        let all = house.read(&format!("/api/v1/{list}"), &token).await;
        let items = all["items"].as_array().unwrap();
        assert_eq!(lines.lines().count(), items.len(), "{list}");
        for (line, item) in lines.lines().zip(items) {
            let line: Value = serde_json::from_str(line).unwrap();
            for (field, value) in line.as_object().unwrap() {
                assert_eq!(value, &item[field], "{list}.{field}");
            }
        }
    }
}

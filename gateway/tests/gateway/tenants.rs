//! Two clients in one house: neither ever sees or touches what is the other's.

use chrono::Utc;
use domain::facts::Facts as Page;
use domain::issue::{Change, Issue};
use domain::project::{IssueType, Project, Status, StatusCategory};
use domain::repository::Repository;
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::{House, jira, problem};

/// What only the first client's rows say.
const SECRET: &str = "only for client one";

pub fn page() -> Page {
    let now = Utc::now();
    let issue = Issue {
        external_id: 1,
        project_id: 10,
        key: "PAY-1".to_owned(),
        issue_type: IssueType { external_id: 5, name: "Story".to_owned(), hierarchy_level: 0 },
        status: Status { external_id: 6, name: "Done".to_owned(), category: StatusCategory::Done },
        summary: format!("={SECRET}"),
        priority: None,
        assignee: None,
        creator: None,
        parent_id: None,
        parent_key: None,
        labels: vec!["a".to_owned(), "b".to_owned()],
        components: Vec::new(),
        moments: Vec::new(),
        mentions: Vec::new(),
        story_points: Some(3.0),
        sprints: Vec::new(),
        created_at: now,
        updated_at: now,
        resolved_at: None,
        changelog_complete: true,
    };
    let change = Change {
        issue_id: 1,
        change_id: 7,
        item_index: 0,
        field: "status".to_owned(),
        from_value: None,
        from_string: None,
        to_value: None,
        to_string: Some(SECRET.to_owned()),
        author: None,
        changed_at: now,
    };
    Page {
        projects: vec![Project {
            external_id: 10,
            key: "PAY".to_owned(),
            name: SECRET.to_owned(),
            kind: "software".to_owned(),
            former_keys: Vec::new(),
        }],
        repositories: vec![Repository {
            external_id: 3,
            full_name: format!("acme/{SECRET}"),
            default_branch: None,
            archived: false,
        }],
        issues: vec![issue],
        changes: vec![change],
        ..Page::default()
    }
}

#[tokio::test]
async fn no_address_tells_or_takes_what_is_another_clients() {
    let house = House::start().await;
    let (ours, theirs) = (house.platform.admin(1), house.platform.admin(2));
    let id = house.connect_jira(&ours).await;
    house.keep("1", &id, page()).await;
    let run = house.read("/api/v1/jobs/jira_sync/runs", &ours).await["items"][0]["id"].clone();
    let run = run.as_str().unwrap();

    // The first client sees its rows; else the rest of this test would show nothing.
    for list in ["issues", "issue-changes", "repositories"] {
        let rows = house.read(&format!("/api/v1/{list}"), &ours).await;
        assert_eq!(rows["items"].as_array().unwrap().len(), 1, "{list}");
    }

    for path in [
        format!("/api/v1/runs/{run}"),
        format!("/api/v1/runs/{run}/events"),
        format!("/api/v1/integrations/{id}"),
        format!("/api/v1/integrations/{id}/scopes"),
    ] {
        problem(house.get(&path, &theirs).await, 404, "not_found").await;
    }
    for (method, path, body) in [
        (Method::PUT, format!("/api/v1/integrations/{id}"), jira()),
        (Method::DELETE, format!("/api/v1/integrations/{id}"), json!({})),
        (Method::POST, "/api/v1/integrations/test".to_owned(), json!({ "id": id })),
    ] {
        let answer =
            house.ask(method, &path).bearer_auth(&theirs).json(&body).send().await.unwrap();
        problem(answer, 404, "not_found").await;
    }

    let seen_by_all = [
        "session",
        "jobs",
        "jobs/jira_sync",
        "jobs/jira_sync/runs",
        "orchestrator",
        "events?since=0",
        "integrations",
        "issues",
        "issue-changes",
        "status-intervals",
        "repositories",
        "pull-requests",
        "reviews",
        "review-comments",
        "comments",
        "commits",
        "deployments",
        "incidents",
        "metrics/dora",
        "metrics/flow",
        "metrics/pull-requests",
        "metrics/forecast",
        "metrics/data-quality",
        "metrics/review-load",
        "data-quality/unmapped_statuses",
        "data-quality/issues_without_history",
    ];
    for path in seen_by_all {
        let text = house.get(&format!("/api/v1/{path}"), &theirs).await;
        assert!(text.status().is_success(), "{path}: {}", text.status());
        let text = text.text().await.unwrap();
        assert!(
            !text.contains(SECRET) && !text.contains(&id) && !text.contains(run),
            "{path}: {text}"
        );
        if let Ok(Value::Object(page)) = serde_json::from_str(&text)
            && let Some(items) =
                page.get("items").filter(|items| items.is_array() && !path.starts_with("jobs"))
        {
            assert_eq!(items, &json!([]), "{path}");
        }
    }
    for format in ["csv", "ndjson"] {
        let text =
            house.get(&format!("/api/v1/issues?format={format}"), &theirs).await.text().await;
        assert!(!text.unwrap().contains(SECRET), "{format}");
    }
    let asked = house.read("/api/v1/metrics/dora", &theirs).await;
    assert_eq!(asked["band_table"], format!("of client {}", house.client("2").await));
}

#[tokio::test]
async fn nobody_reads_changes_or_leans_on_another_clients_workflows() {
    let house = House::start().await;
    let (ours, theirs) = (house.platform.admin(1), house.platform.admin(2));
    let integration = house.connect_jira(&ours).await;
    let workflow = json!({ "name": SECRET, "integration_id": integration,
        "steps": [{ "name": "Start", "category": "TO_DO" }] });
    let workflow = house.make("/api/v1/workflows", &ours, &workflow).await;
    let (workflow, step) = (&workflow["id"], &workflow["steps"][0]["id"]);
    let mapping = json!({ "status": "Open", "step_id": step, "integration_id": integration });
    let mapping = house.make("/api/v1/status-mappings", &ours, &mapping).await;
    let epic = json!({ "issue_type": "Epic", "hierarchy_level": 1 });
    let epic = house.make("/api/v1/issue-type-mappings", &ours, &epic).await;

    // Their own, of the default; ours is out of their reach in every place where an id may stand.
    let own = house.read("/api/v1/workflows", &theirs).await["items"][0].clone();
    let rows = [
        ("workflows", workflow.clone(), json!({ "name": "x" })),
        ("workflow-steps", step.clone(), json!({ "name": "x", "category": "TO_DO" })),
        (
            "status-mappings",
            mapping["id"].clone(),
            json!({ "status": "x", "step_id": own["steps"][0]["id"] }),
        ),
        ("issue-type-mappings", epic["id"].clone(), json!({ "issue_type": "x" })),
    ];
    for (noun, id, body) in rows {
        let path = format!("/api/v1/{noun}/{}", id.as_str().unwrap());
        for (method, path) in [
            (Method::GET, path.clone()),
            (Method::GET, format!("{path}/impact")),
            (Method::PUT, path.clone()),
            (Method::DELETE, path),
        ] {
            let asked = house.ask(method, &path).bearer_auth(&theirs).json(&body);
            problem(asked.send().await.unwrap(), 404, "not_found").await;
        }
        let list = house.get(&format!("/api/v1/{noun}"), &theirs).await.text().await.unwrap();
        assert!(!list.contains(SECRET) && !list.contains(id.as_str().unwrap()), "{noun}: {list}");
    }
    let bodies = [
        ("workflows", json!({ "name": "x", "integration_id": integration })),
        ("workflow-steps", json!({ "name": "x", "category": "TO_DO", "workflow_id": workflow })),
        ("status-mappings", json!({ "status": "x", "step_id": step })),
        ("issue-type-mappings", json!({ "issue_type": "x", "parent_id": epic["id"] })),
        ("issue-type-mappings", json!({ "issue_type": "x", "workflow_id": workflow })),
    ];
    for (noun, body) in bodies {
        let answer = house.post(&format!("/api/v1/{noun}"), &theirs, &body).await;
        problem(answer, 404, "not_found").await;
    }
    let own_step = own["steps"][0]["id"].as_str().unwrap();
    let elsewhere =
        format!("/api/v1/workflow-steps/{own_step}?reassign_to={}", step.as_str().unwrap());
    let answer = house.ask(Method::DELETE, &elsewhere).bearer_auth(&theirs).send().await.unwrap();
    problem(answer, 404, "not_found").await;
}

#[tokio::test]
async fn a_command_reaches_only_the_callers_own_job() {
    let house = House::start().await;
    let (ours, theirs) = (house.platform.admin(1), house.platform.admin(2));
    house.connect_jira(&ours).await;
    house.post("/api/v1/jobs/jira_sync/run", &ours, &json!({})).await;
    let stop = house.post("/api/v1/jobs/jira_sync/stop", &theirs, &json!({})).await;
    problem(stop, 409, "transition_refused").await;
    let job = house.read("/api/v1/jobs/jira_sync", &ours).await;
    assert_eq!(job["status"], "PENDING");
}

#[tokio::test]
async fn an_export_can_be_opened_in_a_spreadsheet_without_running() {
    let house = House::start().await;
    let admin = house.platform.admin(1);
    let id = house.connect_jira(&admin).await;
    house.keep("1", &id, page()).await;

    let csv = house.get("/api/v1/issues?format=csv", &admin).await;
    assert_eq!(csv.headers()["content-disposition"], "attachment; filename=\"issues.csv\"");
    let csv = csv.text().await.unwrap();
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("external_id,key,project,type,type_id,status,"));
    let row = lines.next().unwrap();
    assert!(row.starts_with("1,PAY-1,PAY,Story,5,Done,DONE,\"'="), "{row}");
    assert!(row.contains(",\"a;b\",3,"), "{row}");
    assert_eq!(lines.next(), None);

    let line = house.get("/api/v1/issues?format=ndjson", &admin).await.text().await.unwrap();
    let row: Value = serde_json::from_str(line.trim_end()).unwrap();
    assert_eq!((&row["external_id"], &row["story_points"]), (&json!("1"), &json!(3.0)));
    assert_eq!((&row["labels"], &row["assignee"]), (&json!(["a", "b"]), &Value::Null));
}

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

fn page() -> Page {
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
        "repositories",
        "pull-requests",
        "reviews",
        "review-comments",
        "comments",
        "commits",
        "deployments",
        "incidents",
        "metrics/dora",
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
            && let Some(items) = page.get("items").filter(|_| !path.starts_with("jobs"))
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

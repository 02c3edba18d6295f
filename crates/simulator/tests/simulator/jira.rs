//! Jira, page by page.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::Options;

use crate::caller::{Caller, exact, json, small, text};

async fn search(caller: &Caller, mut body: Value) -> Vec<Value> {
    let mut issues = Vec::new();
    loop {
        let page = json(caller.post_jira("search/jql", &body).await).await;
        issues.extend(page["issues"].as_array().unwrap().iter().cloned());
        match page["nextPageToken"].as_str() {
            Some(token) => body["nextPageToken"] = Value::from(token),
            None => break,
        }
    }
    issues
}

fn all_of(caller: &Caller) -> String {
    format!("project in ({}) ORDER BY updated ASC", caller.account.jira.projects.join(","))
}

/// The issues as a perfect extractor would keep them, by id.
async fn extracted(caller: &Caller) -> BTreeMap<String, Value> {
    let body = json!({ "jql": all_of(caller), "maxResults": 100, "fields": ["*all"] });
    let issues = search(caller, body).await;
    let mut rows = BTreeMap::new();
    for issue in issues {
        let f = &issue["fields"];
        let clean = |v: &Value| v.as_str().map(|s| s.replace('\0', ""));
        let mut labels: Vec<String> = f["labels"].as_array().unwrap().iter().map(text).collect();
        labels.sort();
        let components: Vec<&str> = f["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|component| component["name"].as_str().unwrap())
            .collect();
        let sprints: Vec<String> = f["customfield_10020"]
            .as_array()
            .map(|sprints| sprints.iter().map(|s| text(&s["name"])).collect())
            .unwrap_or_default();
        let category = match f["status"]["statusCategory"]["key"].as_str().unwrap() {
            "indeterminate" => "IN_PROGRESS",
            "done" => "DONE",
            _ => "TO_DO",
        };
        let points = match &f["customfield_10016"] {
            Value::Null => &f["customfield_10026"],
            points => points,
        };
        let row = json!({
            "external_id": issue["id"], "key": issue["key"], "project": f["project"]["key"],
            "type": f["issuetype"]["name"], "type_id": f["issuetype"]["id"],
            "status": f["status"]["name"], "status_category": category,
            "summary": clean(&f["summary"]), "priority": f["priority"]["name"],
            "assignee": f["assignee"]["displayName"], "creator": f["creator"]["displayName"],
            "parent_key": f["parent"]["key"], "labels": labels, "components": components, "story_points": points,
            "sprints": sprints, "created_at": exact(&f["created"]),
            "updated_at": exact(&f["updated"]), "resolved_at": exact(&f["resolutiondate"]),
        });
        let id = text(&issue["id"]);
        assert!(rows.insert(id, row).is_none(), "{} came twice", issue["key"]);
    }
    rows
}

fn by_id(row: &Value) -> String {
    text(&row["external_id"])
}

#[tokio::test]
async fn paging_the_search_yields_the_truth() {
    let caller = Caller::new(small());
    let truth = caller.truth("issues", by_id);
    assert_eq!(truth.len(), 420);
    assert_eq!(extracted(&caller).await, truth);
}

#[tokio::test]
async fn after_an_advance_a_search_by_time_finds_exactly_what_changed() {
    let caller = Caller::new(small());
    let before = caller.truth("issues", by_id);
    let now = chrono::DateTime::parse_from_rfc3339("2026-10-02T09:00:00Z").unwrap();
    caller.simulator.advance(Duration::from_secs(3 * 86_400));
    let after = caller.truth("issues", by_id);
    let jql = format!("updated >= {} ORDER BY updated ASC", now.timestamp_millis());
    let body = json!({ "jql": jql, "fields": ["id"], "maxResults": 5000 });
    let mut found: Vec<String> =
        search(&caller, body).await.iter().map(|issue| text(&issue["id"])).collect();
    found.sort();
    // A parent that moved shows in its children too, which Jira does not call an update.
    let touched =
        |id: &&String| before.get(*id).map(|b| &b["updated_at"]) != Some(&after[*id]["updated_at"]);
    let changed: Vec<String> = after.keys().filter(touched).cloned().collect();
    assert_eq!(found, changed);
    assert!(before.keys().any(|id| !after.contains_key(id)), "something was deleted");
    let moved =
        |(id, row): (&String, &Value)| after.get(id).is_some_and(|a| a["key"] != row["key"]);
    assert!(before.iter().any(moved), "something moved");
    assert_eq!(extracted(&caller).await, after);
}

#[tokio::test]
async fn the_whole_history_is_behind_the_changelog() {
    let caller = Caller::new(Options { issues: 700, ..small() });
    let place = |row: &Value| format!("{}/{}", text(&row["change_id"]), row["item_index"]);
    let truth = caller.truth("issue-changes", place);
    let body = json!({ "jql": all_of(&caller), "maxResults": 100, "fields": ["summary"], "expand": "changelog" });
    let issues = search(&caller, body).await;
    let mut rows = BTreeMap::new();
    let mut truncated = 0;
    for issue in &issues {
        let mut histories = issue["changelog"]["histories"].as_array().unwrap().clone();
        assert!(histories.len() <= 40);
        if histories.len() == 40 {
            histories = Vec::new();
            let mut start = 0;
            loop {
                let path = format!(
                    "issue/{}/changelog?startAt={start}&maxResults=100",
                    text(&issue["id"])
                );
                let page = json(caller.jira(&path).await).await;
                histories.extend(page["values"].as_array().unwrap().iter().cloned());
                start += 100;
                if page["isLast"] == true {
                    break;
                }
            }
            truncated += usize::from(histories.len() > 40);
        }
        for history in histories {
            for (index, item) in history["items"].as_array().unwrap().iter().enumerate() {
                let clean = |v: &Value| v.as_str().map(|s| s.replace('\0', ""));
                let row = json!({
                    "issue_key": issue["key"], "change_id": history["id"], "item_index": index,
                    "field": item["field"], "from": clean(&item["from"]),
                    "from_string": clean(&item["fromString"]), "to": clean(&item["to"]),
                    "to_string": clean(&item["toString"]), "author": history["author"]["displayName"],
                    "changed_at": exact(&history["created"]),
                });
                rows.insert(place(&row), row);
            }
        }
    }
    assert!(truncated > 3, "only {truncated} histories were longer than a search tells");
    assert_eq!(rows, truth);
}

#[tokio::test]
async fn bulk_changelogs_hold_the_same_changes() {
    let caller = Caller::new(small());
    let truth =
        caller.truth("issue-changes", |row| format!("{}/{}", row["change_id"], row["item_index"]));
    let ids: Vec<String> = caller.truth("issues", by_id).into_keys().collect();
    let mut body = json!({ "issueIdsOrKeys": ids, "maxResults": 500 });
    let mut items = 0;
    loop {
        let page = json(caller.post_jira("changelog/bulkfetch", &body).await).await;
        for issue in page["issueChangeLogs"].as_array().unwrap() {
            for history in issue["changeHistories"].as_array().unwrap() {
                assert!(history["created"].is_i64());
                items += history["items"].as_array().unwrap().len();
            }
        }
        match page["nextPageToken"].as_str() {
            Some(token) => body["nextPageToken"] = Value::from(token),
            None => break,
        }
    }
    assert_eq!(items, truth.len());
}

#[tokio::test]
async fn a_token_belongs_to_its_query() {
    let caller = Caller::new(small());
    let first = json!({ "jql": "project = PAY ORDER BY created ASC", "maxResults": 10 });
    let page = json(caller.post_jira("search/jql", &first).await).await;
    assert_eq!(page["issues"].as_array().unwrap().len(), 10);
    let other = json!({ "jql": "project = CORE ORDER BY created ASC", "nextPageToken": page["nextPageToken"] });
    assert_eq!(caller.post_jira("search/jql", &other).await.status(), 400);
}

#[tokio::test]
async fn searches_are_refused_as_jira_refuses_them() {
    let caller = Caller::new(small());
    for jql in ["order by key", "project = NONE", "updated >= \"yesterday\""] {
        let refused = caller.post_jira("search/jql", &json!({ "jql": jql })).await;
        assert_eq!(refused.status(), 400, "{jql}");
    }
    assert_eq!(caller.jira("search?jql=project=PAY").await.status(), 410);
    let large = json!({ "jql": "project = PAY", "fields": ["summary"], "maxResults": 5000 });
    let page = json(caller.post_jira("search/jql", &large).await).await;
    assert!(page["issues"].as_array().unwrap().len() <= 100);
}

#[tokio::test]
async fn a_bad_token_is_answered_with_nothing_and_a_header() {
    let caller = Caller::new(small());
    let search = caller
        .post("/jira/rest/api/3/search/jql", &json!({ "jql": "project = PAY" }))
        .basic_auth("etl@quillmark.example", Some("wrong"))
        .send()
        .await
        .unwrap();
    assert_eq!(search.headers()["x-seraph-loginreason"], "AUTHENTICATED_FAILED");
    assert_eq!(json(search).await["issues"], json!([]));
    let myself =
        caller.get("/jira/rest/api/3/myself").basic_auth("x", Some("y")).send().await.unwrap();
    assert_eq!(myself.status(), 401);
    assert_eq!(json(caller.jira("myself").await).await["timeZone"], "Europe/Berlin");
}

#[tokio::test]
async fn a_former_key_leads_to_the_issue_and_a_deleted_one_nowhere() {
    let caller = Caller::new(small());
    let before = caller.truth("issues", by_id);
    caller.simulator.advance(Duration::from_secs(86_400));
    let after = caller.truth("issues", by_id);
    let (id, row) = before
        .iter()
        .find(|(id, row)| after.get(*id).is_some_and(|a| a["key"] != row["key"]))
        .unwrap();
    let found = json(caller.jira(&format!("issue/{}", text(&row["key"]))).await).await;
    assert_eq!(found["id"], **id);
    assert_eq!(found["key"], after[id]["key"]);
    let (gone, _) = before.iter().find(|(id, _)| !after.contains_key(*id)).unwrap();
    assert_eq!(caller.jira(&format!("issue/{gone}")).await.status(), 404);
    let bulk = json!({ "issueIdsOrKeys": [gone, id], "fields": ["summary"] });
    let bulk = json(caller.post_jira("issue/bulkfetch", &bulk).await).await;
    assert_eq!(bulk["issues"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_index_that_lags_hides_edits_unless_told_to_look() {
    let caller = Caller::new(Options { search_lag: Duration::from_secs(3600), ..small() });
    let now = chrono::DateTime::parse_from_rfc3339("2026-10-02T09:00:00Z").unwrap();
    let jql = format!("updated >= {}", now.timestamp_millis() + 1);
    caller.simulator.advance(Duration::from_secs(86_400));
    let truth = caller.truth("issues", by_id);
    let edited = truth.iter().find(|(_, row)| {
        text(&row["updated_at"]).as_str() > "2026-10-02T09:00:00.000Z"
            && text(&row["created_at"]).as_str() < "2026-10-02T09:00:00.000Z"
    });
    let (id, _) = edited.unwrap();
    let mut body = json!({ "jql": jql, "fields": ["id"], "maxResults": 5000 });
    assert_eq!(search(&caller, body.clone()).await.len(), 0);
    body["reconcileIssues"] = json!([id.parse::<u64>().unwrap()]);
    assert_eq!(search(&caller, body).await.len(), 1);
}

#[tokio::test]
async fn reference_data_and_boards_are_there() {
    let caller = Caller::new(small());
    let projects = json(caller.jira("project/search?maxResults=2&startAt=4").await).await;
    assert_eq!((projects["total"].as_u64(), projects["isLast"].as_bool()), (Some(6), Some(true)));
    let statuses = json(caller.jira("project/PAY/statuses").await).await;
    assert_eq!(statuses.as_array().unwrap().len(), 6);
    let agile = |path: &str| caller.get(&format!("/jira/rest/agile/1.0/{path}"));
    let boards = caller.as_jira_user(agile("board?projectKeyOrId=PAY")).send().await.unwrap();
    let board = json(boards).await["values"][0]["id"].as_u64().unwrap();
    let path = format!("board/{board}/sprint?state=closed");
    let sprints = json(caller.as_jira_user(agile(&path)).send().await.unwrap()).await;
    assert!(sprints["values"].as_array().unwrap().len() >= 7);
    let kanban = caller.as_jira_user(agile("board/1004/sprint")).send().await.unwrap();
    assert_eq!(kanban.status(), 400);
}

//! GitHub's REST API.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulator::Options;

use crate::caller::{Caller, exact, json, small, text};

/// Every page of a list, by its links.
async fn all(caller: &Caller, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = Some(format!("{}/github/{path}", caller.simulator.url()));
    while let Some(url) = next {
        let path = url.strip_prefix(&caller.simulator.github_url()).unwrap().to_owned();
        let page = caller.github(path.trim_start_matches('/')).await;
        let links = page.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        next = links.and_then(|links| {
            let link = links.split(", ").find(|link| link.ends_with("rel=\"next\""))?;
            Some(link[1..link.find('>').unwrap()].to_owned())
        });
        rows.extend(json(page).await.as_array().unwrap().iter().cloned());
    }
    rows
}

fn login(user: &Value) -> Value {
    user["login"].as_str().map_or(Value::Null, |login| Value::from(login.trim_end_matches("[bot]")))
}

#[tokio::test]
async fn the_lists_hold_the_truth() {
    let caller = Caller::new(small());
    let mut pulls = BTreeMap::new();
    let mut reviews = BTreeMap::new();
    let mut remarks = BTreeMap::new();
    let mut comments = BTreeMap::new();
    let mut deployments = BTreeMap::new();
    for full_name in &caller.account.github.repositories {
        let path = |rest: &str| format!("repos/{full_name}/{rest}");
        for pull in
            all(&caller, &path("pulls?state=all&sort=updated&direction=desc&per_page=100")).await
        {
            let number = pull["number"].as_u64().unwrap();
            let id = pull["id"].to_string();
            pulls.insert(id, (exact(&pull["updated_at"]), login(&pull["user"])));
            for review in all(&caller, &path(&format!("pulls/{number}/reviews?per_page=100"))).await
            {
                let row = json!({
                    "repository": full_name, "number": number, "external_id": review["id"].to_string(),
                    "author": login(&review["user"]), "state": review["state"],
                    "submitted_at": exact(&review["submitted_at"]),
                });
                reviews.insert(review["id"].to_string(), row);
            }
        }
        for (kind, rows, pattern) in [
            ("pulls/comments?per_page=100", &mut remarks, "/pulls/"),
            ("issues/comments?per_page=100", &mut comments, "/pull/"),
        ] {
            for comment in all(&caller, &path(kind)).await {
                let url = comment["pull_request_url"].as_str().or(comment["html_url"].as_str());
                let Some((_, rest)) = url.unwrap().split_once(pattern) else { continue };
                let number: u64 = rest.split('#').next().unwrap().parse().unwrap();
                let row = json!({
                    "repository": full_name, "number": number, "external_id": comment["id"].to_string(),
                    "author": login(&comment["user"]), "created_at": exact(&comment["created_at"]),
                });
                rows.insert(comment["id"].to_string(), row);
            }
        }
        for deployment in all(&caller, &path("deployments?per_page=100")).await {
            let statuses = path(&format!("deployments/{}/statuses?per_page=100", deployment["id"]));
            let mut statuses = all(&caller, &statuses).await;
            statuses.reverse();
            let is = |status: &&Value, states: &[&str]| {
                states.contains(&status["state"].as_str().unwrap())
            };
            let success = statuses.iter().find(|status| is(status, &["success"]));
            let failure = statuses.iter().rfind(|status| is(status, &["failure", "error"]));
            let (outcome, finished) = match (success, failure) {
                (Some(success), _) => ("SUCCESS", exact(&success["created_at"])),
                (None, Some(failure)) => ("FAILURE", exact(&failure["created_at"])),
                (None, None) => ("PENDING", Value::Null),
            };
            let row = json!({
                "repository": full_name, "external_id": deployment["id"].to_string(),
                "environment": deployment["environment"], "sha": deployment["sha"],
                "outcome": outcome, "finished_at": finished, "estimated": false,
            });
            deployments.insert(deployment["id"].to_string(), row);
        }
    }
    let by_id = |row: &Value| text(&row["external_id"]);
    let told: BTreeMap<_, _> = caller
        .truth("pull-requests", by_id)
        .into_iter()
        .map(|(id, row)| (id, (row["updated_at"].clone(), row["author"].clone())))
        .collect();
    assert_eq!(told.len(), 160);
    assert_eq!(pulls, told);
    assert_eq!(reviews, caller.truth("reviews", by_id));
    assert_eq!(remarks, caller.truth("review-comments", by_id));
    assert_eq!(comments, caller.truth("comments", by_id));
    assert_eq!(deployments, caller.truth("deployments", by_id));
}

#[tokio::test]
async fn a_known_page_is_not_sent_again_and_costs_nothing() {
    let caller = Caller::new(small());
    let path = format!("repos/{}/pulls?state=all", caller.account.github.repositories[0]);
    let first = caller.github(&path).await;
    let tag = first.headers()["etag"].clone();
    let left = first.headers()["x-ratelimit-remaining"].clone();
    let again = caller
        .get(&format!("/github/{path}"))
        .bearer_auth(&caller.account.github.token)
        .header("if-none-match", tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(again.headers()["x-ratelimit-remaining"], left);
    assert_eq!(again.text().await.unwrap(), "");
}

#[tokio::test]
async fn odd_repositories_answer_as_github_does() {
    let caller = Caller::new(small());
    let names = &caller.account.github.repositories;
    let moved = caller.github(&format!("repos/{}-old/pulls?state=all&per_page=2", names[1])).await;
    assert!(moved.url().path().contains("/repositories/"), "a client follows the 301");
    assert_eq!(json(moved).await.as_array().unwrap().len(), 2);
    assert_eq!(caller.github(&format!("repos/{}/commits", names[7])).await.status(), 409);
    let archived = json(caller.github(&format!("repos/{}", names[6])).await).await;
    assert_eq!(archived["archived"], true);
    assert_eq!(caller.github("repos/quillmark/nothing").await.status(), 404);
    let runs = json(caller.github(&format!("repos/{}/actions/runs", names[2])).await).await;
    assert!(runs["total_count"].as_u64().unwrap() > 5);
    assert!(!all(&caller, &format!("repos/{}/releases", names[3])).await.is_empty());
}

#[tokio::test]
async fn a_deployment_leads_to_its_commits() {
    let caller = Caller::new(Options { pull_requests: 300, ..small() });
    let name = &caller.account.github.repositories[0];
    let deployments =
        all(&caller, &format!("repos/{name}/deployments?environment=production")).await;
    let (new, old) =
        (text(&deployments[0]["sha"]), text(&deployments[deployments.len() - 1]["sha"]));
    let ahead =
        json(caller.github(&format!("repos/{name}/compare/{old}...{new}?per_page=100")).await)
            .await;
    assert_eq!((ahead["status"].as_str(), ahead["behind_by"].as_u64()), (Some("ahead"), Some(0)));
    assert!(ahead["total_commits"].as_u64().unwrap() > 5);
    let back = json(caller.github(&format!("repos/{name}/compare/{new}...{old}")).await).await;
    assert_eq!(back["status"], "behind");
    let history = all(&caller, &format!("repos/{name}/commits?per_page=100")).await;
    let shas: Vec<&Value> = history.iter().map(|commit| &commit["sha"]).collect();
    assert!(shas.contains(&&deployments[0]["sha"]));
}

#[tokio::test]
async fn strangers_are_turned_away() {
    let caller = Caller::new(small());
    let bad = caller.get("/github/user").bearer_auth("wrong").send().await.unwrap();
    assert_eq!(bad.status(), 401);
    assert_eq!(bad.json::<Value>().await.unwrap()["message"], "Bad credentials");
    let nameless = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/github/user", caller.simulator.url());
    let refused = nameless.get(url).bearer_auth(&caller.account.github.token).send().await.unwrap();
    assert_eq!(refused.status(), 403);
}

#[tokio::test]
async fn a_spent_quota_says_when_it_comes_back() {
    let caller = Caller::new(Options { github_hourly: 2, ..small() });
    let mut last = caller.github("user").await;
    for _ in 0..2 {
        last = caller.github("user").await;
    }
    assert_eq!(last.status(), 403);
    assert_eq!(last.headers()["x-ratelimit-remaining"], "0");
    assert!(last.headers().contains_key("x-ratelimit-reset"));
}

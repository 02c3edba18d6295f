//! GitHub's GraphQL API.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::Options;

use crate::caller::{Caller, exact, small, text};

const PULLS: &str = "query($o:String!,$r:String!,$p:Int!,$after:String,$n:Int!){
 rateLimit{limit cost remaining resetAt nodeCount}
 repository(owner:$o,name:$r){databaseId nameWithOwner isEmpty
  pullRequests(first:$p,after:$after,orderBy:{field:UPDATED_AT,direction:DESC}){
   pageInfo{hasNextPage endCursor}
   nodes{id fullDatabaseId number state isDraft title createdAt updatedAt closedAt mergedAt
    additions deletions changedFiles headRefName headRefOid baseRefName mergeCommit{oid}
    author{__typename login ... on User{databaseId} ... on Bot{databaseId}} mergedBy{login}
    labels(first:20){nodes{name}}
    commits(first:$n){totalCount pageInfo{hasNextPage endCursor} nodes{commit{...told}}}
    reviews(first:$n){totalCount pageInfo{hasNextPage endCursor} nodes{fullDatabaseId state submittedAt author{login}}}
    comments(first:$n){totalCount pageInfo{hasNextPage endCursor} nodes{fullDatabaseId createdAt author{login}}}
    threads: reviewThreads(first:$n){pageInfo{hasNextPage endCursor} nodes{comments(first:20){totalCount}}}
    timelineItems(first:$n,itemTypes:[READY_FOR_REVIEW_EVENT,HEAD_REF_FORCE_PUSHED_EVENT,CLOSED_EVENT]){
     pageInfo{hasNextPage endCursor} nodes{__typename ... on ReadyForReviewEvent{createdAt} ... on ClosedEvent{createdAt}
      ... on HeadRefForcePushedEvent{createdAt beforeCommit{oid} afterCommit{oid}}}}}}}}
fragment told on Commit{oid message authoredDate committedDate author{name email user{login}}}";

const MORE_COMMITS: &str = "query($id:ID!,$after:String){node(id:$id){... on PullRequest{
 commits(first:100,after:$after){pageInfo{hasNextPage endCursor} nodes{commit{oid message authoredDate committedDate author{name user{login}}}}}}}}";

async fn pulls(caller: &Caller, full_name: &str, size: u64) -> Vec<Value> {
    let (owner, name) = full_name.split_once('/').unwrap();
    let mut found = Vec::new();
    let mut after = Value::Null;
    loop {
        let variables = json!({ "o": owner, "r": name, "p": size, "after": after, "n": 50 });
        let answer = caller.graphql(PULLS, variables).await;
        assert!(answer.get("errors").is_none(), "{}", answer["errors"]);
        let page = &answer["data"]["repository"]["pullRequests"];
        found.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] != true {
            return found;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test]
async fn paging_pull_requests_yields_the_truth() {
    let caller = Caller::new(Options { pull_requests: 500, ..small() });
    let mut rows = BTreeMap::new();
    let mut commits = BTreeMap::new();
    let mut drained = 0;
    for full_name in &caller.account.github.repositories {
        for pull in pulls(&caller, full_name, 25).await {
            let mut own = pull["commits"]["nodes"].as_array().unwrap().clone();
            let mut page = pull["commits"]["pageInfo"].clone();
            while page["hasNextPage"] == true {
                drained += 1;
                let variables = json!({ "id": pull["id"], "after": page["endCursor"] });
                let more = caller.graphql(MORE_COMMITS, variables).await;
                let more = &more["data"]["node"]["commits"];
                own.extend(more["nodes"].as_array().unwrap().iter().cloned());
                page = more["pageInfo"].clone();
            }
            for commit in own.iter().map(|node| &node["commit"]) {
                let author = &commit["author"];
                let row = json!({
                    "repository": full_name, "number": pull["number"], "sha": commit["oid"],
                    "author": author["user"]["login"].as_str().or(author["name"].as_str()),
                    "authored_at": exact(&commit["authoredDate"]),
                    "committed_at": exact(&commit["committedDate"]), "message": commit["message"],
                });
                commits.insert(format!("{full_name} {} {}", pull["number"], commit["oid"]), row);
            }
            let first =
                own.iter().map(|node| exact(&node["commit"]["authoredDate"]).to_string()).min();
            let row = json!({
                "repository": full_name, "number": pull["number"],
                "external_id": pull["fullDatabaseId"], "title": pull["title"],
                "state": pull["state"], "draft": pull["isDraft"], "author": pull["author"]["login"],
                "created_at": exact(&pull["createdAt"]), "updated_at": exact(&pull["updatedAt"]),
                "merged_at": exact(&pull["mergedAt"]), "closed_at": exact(&pull["closedAt"]),
                "merge_commit_sha": pull["mergeCommit"]["oid"], "head_ref": pull["headRefName"],
                "base_ref": pull["baseRefName"], "head_sha": pull["headRefOid"],
                "additions": pull["additions"], "deletions": pull["deletions"],
                "changed_files": pull["changedFiles"], "commits": pull["commits"]["totalCount"],
                "reviews": pull["reviews"]["totalCount"], "comments": pull["comments"]["totalCount"],
                "first_commit_at": serde_json::from_str::<Value>(&first.unwrap()).unwrap(),
            });
            assert_eq!(own.len() as u64, pull["commits"]["totalCount"].as_u64().unwrap());
            rows.insert(text(&pull["fullDatabaseId"]), row);
        }
    }
    let mut truth = caller.truth("pull-requests", |row| text(&row["external_id"]));
    for row in truth.values_mut() {
        let row = row.as_object_mut().unwrap();
        row.remove("review_comments");
        row.remove("issue_keys");
    }
    assert!(drained > 0, "no pull request had more commits than a page holds");
    assert_eq!(rows, truth);
    let place = |row: &Value| {
        format!("{} {} {}", row["repository"].as_str().unwrap(), row["number"], row["sha"])
    };
    assert_eq!(commits, caller.truth("commits", place));
}

#[tokio::test]
async fn what_was_updated_since_comes_first() {
    let caller = Caller::new(small());
    let key = |row: &Value| text(&row["external_id"]);
    let before = caller.truth("pull-requests", key);
    caller.simulator.advance(Duration::from_secs(3 * 86_400));
    let after = caller.truth("pull-requests", key);
    let mut seen = 0;
    for full_name in &caller.account.github.repositories {
        let found = pulls(&caller, full_name, 10).await;
        let recent = found.iter().take_while(|pull| {
            text(&exact(&pull["updatedAt"])).as_str() >= "2026-10-02T09:00:00.000Z"
        });
        for pull in recent {
            seen += 1;
            assert_ne!(
                before.get(&text(&pull["fullDatabaseId"])),
                None.or(after.get(&text(&pull["fullDatabaseId"])))
            );
        }
    }
    let changed = after.iter().filter(|(id, row)| {
        before.get(*id).is_none_or(|before| before["updated_at"] != row["updated_at"])
    });
    assert_eq!(seen, changed.count());
}

#[tokio::test]
async fn what_a_query_costs_is_told_and_charged() {
    let caller = Caller::new(small());
    let (owner, name) = caller.account.github.repositories[0].split_once('/').unwrap();
    let variables = json!({ "o": owner, "r": name, "p": 25, "after": null, "n": 50 });
    let first = caller.graphql(PULLS, variables.clone()).await;
    let second = caller.graphql(PULLS, variables).await;
    let left = |answer: &Value| answer["data"]["rateLimit"]["remaining"].as_u64().unwrap();
    let cost = first["data"]["rateLimit"]["cost"].as_u64().unwrap();
    assert!((1..20).contains(&cost));
    assert_eq!(left(&first) - left(&second), cost);
    assert_eq!(first["data"]["repository"], second["data"]["repository"]);
}

#[tokio::test]
async fn bad_queries_are_refused_and_gaps_are_named() {
    let caller = Caller::new(small());
    let name = "quillmark/storefront".split_once('/').unwrap();
    let of =
        |rest: &str| format!("{{repository(owner:\"{}\",name:\"{}\"){{{rest}}}}}", name.0, name.1);
    let cases = [
        (of("pullRequests{nodes{id}}"), "MISSING_PAGINATION_BOUNDARIES"),
        (of("pullRequests(first:101){nodes{id}}"), "EXCESSIVE_PAGINATION"),
        (
            of(
                "pullRequests(first:100){nodes{reviews(first:100){nodes{comments(first:100){nodes{id}}}}}}",
            ),
            "MAX_NODE_LIMIT_EXCEEDED",
        ),
        (of("pullRequests(first:1,after:\"nonsense\"){nodes{id}}"), "INVALID_CURSOR_ARGUMENTS"),
    ];
    for (query, kind) in cases {
        let answer = caller.graphql(&query, json!({})).await;
        assert_eq!(answer["errors"][0]["type"], kind, "{answer}");
    }
    let answer = caller.graphql(&of("nonsense"), json!({})).await;
    assert_eq!(
        answer["errors"][0]["message"],
        "Field 'nonsense' doesn't exist on type 'Repository'"
    );
    let two = "{a: repository(owner:\"quillmark\",name:\"gone\"){id} b: repository(owner:\"quillmark\",name:\"storefront\"){isEmpty}}";
    let answer = caller.graphql(two, json!({})).await;
    assert_eq!(answer["data"], json!({ "a": null, "b": { "isEmpty": false } }));
    assert_eq!(answer["errors"][0]["type"], "NOT_FOUND");
    assert_eq!(answer["errors"][0]["path"], json!(["a"]));
}

#[tokio::test]
async fn too_large_a_page_of_a_busy_repository_fails() {
    let caller = Caller::new(Options { busy_page_max: Some(10), ..small() });
    let query = |size: u64| {
        format!(
            "{{repository(owner:\"quillmark\",name:\"storefront\"){{pullRequests(first:{size}){{nodes{{id}}}}}}}}"
        )
    };
    let answer = caller.graphql(&query(11), json!({})).await;
    assert_eq!(answer["errors"][0]["type"], "RESOURCE_LIMITS_EXCEEDED");
    assert_eq!(answer["data"]["repository"]["pullRequests"]["nodes"], json!([null]));
    let answer = caller.graphql(&query(21), json!({})).await;
    assert!(text(&answer["errors"][0]["message"]).starts_with("Something went wrong"));
    assert!(caller.graphql(&query(10), json!({})).await.get("errors").is_none());
}

#[tokio::test]
async fn history_and_deployments_page() {
    let caller = Caller::new(small());
    let query = "query($after:String,$d:String){repository(owner:\"quillmark\",name:\"storefront\"){
      defaultBranchRef{name target{... on Commit{oid history(first:40,after:$after){totalCount pageInfo{hasNextPage endCursor}
        nodes{oid committedDate parents(first:5){nodes{oid}}}}}}}
      deployments(first:20,after:$d,orderBy:{field:CREATED_AT,direction:DESC}){pageInfo{hasNextPage endCursor}
        nodes{databaseId commitOid environment state statuses(first:10){totalCount nodes{state createdAt}}}}}}";
    let mut shas = Vec::new();
    let mut known = std::collections::HashSet::new();
    let mut after = Value::Null;
    let total = loop {
        let answer = caller.graphql(query, json!({ "after": after })).await;
        let history = &answer["data"]["repository"]["defaultBranchRef"]["target"]["history"];
        for commit in history["nodes"].as_array().unwrap() {
            assert!(known.insert(text(&commit["oid"])), "a commit came twice");
            shas.push(commit.clone());
        }
        if history["pageInfo"]["hasNextPage"] != true {
            break history["totalCount"].as_u64().unwrap();
        }
        after = history["pageInfo"]["endCursor"].clone();
    };
    assert_eq!(shas.len() as u64, total);
    let roots =
        shas.iter().filter(|c| c["parents"]["nodes"].as_array().unwrap().is_empty()).count();
    assert_eq!(roots, 1);
    for parent in shas.iter().flat_map(|c| c["parents"]["nodes"].as_array().unwrap()) {
        assert!(known.contains(&text(&parent["oid"])), "every parent is reachable too");
    }
}

#[tokio::test]
async fn a_commit_beside_the_default_branch_is_told_by_its_sha_alone() {
    let caller = Caller::new(small());
    let ask = async |sha: &str| {
        let query = format!(
            "{{repository(owner:\"quillmark\",name:\"storefront\"){{
              object(oid:\"{sha}\"){{... on Commit{{history(first:3){{nodes{{oid}}}}}}}}
              defaultBranchRef{{target{{... on Commit{{history(first:100){{nodes{{oid}}}}}}}}}}}}}}"
        );
        caller.graphql(&query, json!({})).await
    };
    caller.simulator.merge_aside(0);
    let rows = caller.truth("pull-requests", |row| text(&row["external_id"]));
    let aside = rows.values().find(|row| row["base_ref"] == "next").unwrap();
    let sha = text(&aside["merge_commit_sha"]);

    let answer = ask(&sha).await;
    let repository = &answer["data"]["repository"];
    assert_eq!(repository["object"]["history"]["nodes"][0]["oid"], *sha);
    let shas = |answer: &Value| answer["data"]["repository"]["defaultBranchRef"].to_string();
    assert!(!shas(&answer).contains(&sha), "it is not on the default branch");
    caller.simulator.bring_home(0);
    assert!(shas(&ask(&sha).await).contains(&sha), "until it comes home");

    let unknown = ask(&"0".repeat(40)).await;
    assert_eq!(unknown["data"]["repository"]["object"], Value::Null);
    assert!(unknown.get("errors").is_none(), "it is no error to ask for it");
    let odd = ask("9f3c").await;
    assert!(text(&odd["errors"][0]["message"]).contains("GitObjectID"), "{odd}");
}

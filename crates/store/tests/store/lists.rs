//! Lists: every row once, in one order, whatever the size of the pages.

use std::fmt::Debug;
use std::future::Future;

use domain::facts::Facts as Page;
use domain::pull_request::{Actor, PullRequest, Review};
use domain::workflow::Seen;
use store::Error;
use store::lists::{self, Filter, Key};
use store::metrics::Link;

use crate::house::House;
use crate::nouns::*;

contract! {
    every_list_tells_every_row_once,
    a_row_tells_everything_it_has,
    filters_choose_rows,
    nobody_sees_rows_of_another_client,
    a_deleted_issue_is_listed_and_its_changes_only_on_request,
    machines_are_marked_by_the_source_and_by_the_clients_list,
}

/// Pages of three through a whole list.
async fn all<T, F>(mut page_behind: impl FnMut(Option<Key>) -> F) -> Vec<T>
where
    F: Future<Output = Result<lists::Page<T>, Error>>,
{
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = page_behind(after).await.unwrap();
        rows.extend(page.items);
        match page.next {
            // The gateway hands keys out as text.
            Some(key) => after = Some(key.to_string().parse().unwrap()),
            None => return rows,
        }
    }
}

/// `whole_list!(house, issues)`: all rows of a list, as read in pages of three.
macro_rules! whole_list {
    ($house:ident, $list:ident) => {
        all(|after: Option<Key>| async move {
            $house.lists.$list($house.client, &Filter::default(), after.as_ref(), 3).await
        })
        .await
    };
}

/// Asserts that `keys` are `count` different ones.
fn assert_distinct<K: Ord + Clone + Debug>(keys: Vec<K>, count: usize) {
    let mut distinct = keys.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((keys.len(), distinct.len()), (count, count), "{keys:?}");
}

async fn every_list_tells_every_row_once(house: &House) {
    house
        .jira_says(Page {
            issues: (1..=10).map(issue).collect(),
            changes: (0..20).map(|n| change(1 + n % 10, n / 2, (n % 2) as i32)).collect(),
            ..jira_page()
        })
        .await;
    house
        .github_says(Page {
            pull_requests: (1..=7).map(pull_request).collect(),
            review_comments: (1..=9).map(|n| review_comment(1 + n % 3, n)).collect(),
            deployments: (1..=8).map(|n| deployment(&format!("d{n}"))).collect(),
            ..github_page()
        })
        .await;
    let more = (1..=5).map(|n| repository(600 + n, &format!("acme/more-{n}"))).collect();
    house.github_says(Page { repositories: more, ..Page::default() }).await;

    let issues = whole_list!(house, issues);
    assert_distinct(issues.into_iter().map(|row| row.external_id).collect(), 10);
    let changes = whole_list!(house, issue_changes);
    assert_distinct(
        changes.into_iter().map(|c| (c.issue_id, c.change_id, c.item_index)).collect(),
        20,
    );
    let intervals = whole_list!(house, status_intervals);
    assert_distinct(intervals.into_iter().map(|row| (row.issue_id, row.number)).collect(), 30);
    let repositories = whole_list!(house, repositories);
    assert_distinct(repositories.into_iter().map(|row| row.external_id).collect(), 6);
    let pull_requests = whole_list!(house, pull_requests);
    assert_distinct(pull_requests.into_iter().map(|row| row.number).collect(), 7);
    let reviews = whole_list!(house, reviews);
    assert_distinct(reviews.into_iter().map(|row| row.external_id).collect(), 14);
    let review_comments = whole_list!(house, review_comments);
    assert_distinct(review_comments.into_iter().map(|row| row.external_id).collect(), 9);
    let comments = whole_list!(house, comments);
    assert_distinct(comments.into_iter().map(|row| row.external_id).collect(), 7);
    let commits = whole_list!(house, commits);
    assert_distinct(commits.into_iter().map(|row| (row.number, row.sha)).collect(), 21);
    let deployments = whole_list!(house, deployments);
    assert_distinct(deployments.into_iter().map(|row| row.external_id).collect(), 8);
    assert_eq!(whole_list!(house, incidents), []);
}

async fn a_row_tells_everything_it_has(house: &House) {
    house.jira_says(all_of_jira()).await;
    let mut child = issue(3);
    child.parent_id = Some(1);
    child.parent_key = Some("OLD-1".to_owned());
    house.jira_says(Page { issues: vec![child], ..jira_page() }).await;
    house.github_says(all_of_github()).await;

    let issues = whole_list!(house, issues);
    let told = issue(3);
    assert_eq!(
        issues[2],
        lists::Issue {
            integration_id: house.jira,
            external_id: 3,
            key: "PAY-3".to_owned(),
            project: "PAY".to_owned(),
            issue_type: "Story".to_owned(),
            type_id: 10,
            status: "Done".to_owned(),
            status_category: "DONE".to_owned(),
            summary: told.summary,
            priority: None,
            assignee: Some("Ada".to_owned()),
            creator: None,
            parent_key: Some("PAY-1".to_owned()),
            labels: told.labels,
            components: told.components,
            story_points: Some(3.5),
            sprints: told.sprints,
            created_at: at(3),
            updated_at: at(1_000),
            resolved_at: None,
            step: None,
            committed_at: None,
            started_at: None,
            done_at: None,
            lead_time_seconds: None,
            cycle_time_seconds: None,
            deleted: false,
        }
    );

    let pull_requests = whole_list!(house, pull_requests);
    let told = pull_request(1);
    assert_eq!(
        pull_requests[0],
        lists::PullRequest {
            integration_id: house.github,
            repository_id: REPOSITORY,
            repository: "acme/payments".to_owned(),
            number: 1,
            external_id: 9_001,
            title: told.title,
            state: "MERGED".to_owned(),
            draft: false,
            author: Some("ada".to_owned()),
            bot: false,
            created_at: at(100),
            updated_at: at(1_000),
            merged_at: Some(at(900)),
            closed_at: Some(at(900)),
            merge_commit_sha: told.merge_commit_sha,
            head_ref: told.head_ref,
            base_ref: told.base_ref,
            head_sha: told.head_sha,
            additions: 10,
            deletions: 2,
            changed_files: 3,
            commits: 3,
            reviews: 2,
            review_comments: 1,
            comments: 1,
            first_commit_at: Some(at(7)),
            first_review_at: None,
            coding_seconds: None,
            pickup_seconds: None,
            review_seconds: None,
            deploy_seconds: None,
            lead_time_seconds: None,
            deployment_id: None,
            issue_keys: Vec::new(),
        }
    );
}

async fn filters_choose_rows(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.github_says(all_of_github()).await;
    let mut late = issue(9);
    late.updated_at = at(2_000);
    house.jira_says(Page { issues: vec![late], ..jira_page() }).await;
    let repository = store::metrics::Repository {
        integration: house.github,
        id: REPOSITORY,
        full_name: "acme/payments".to_owned(),
    };
    let link = Link {
        number: 1,
        issue_integration: house.jira,
        issue_id: 1,
        via: "branch".to_owned(),
        key_seen: "PAY-1".to_owned(),
    };
    let (client, fence) = (house.client, house.fence);
    house.metrics.keep_links(client, fence, &repository, vec![link], at(20)).await.unwrap();

    let cases = [
        (Filter::default(), 3, 2),
        (Filter { updated_since: Some(at(1_001)), ..Filter::default() }, 1, 0),
        (Filter { project: Some("pay".to_owned()), ..Filter::default() }, 3, 1),
        (Filter { project: Some("OPS".to_owned()), ..Filter::default() }, 0, 0),
        (Filter { repository: Some("Acme/Payments".to_owned()), ..Filter::default() }, 3, 2),
        (Filter { repository: Some("acme/other".to_owned()), ..Filter::default() }, 3, 0),
        (Filter { state: Some("done".to_owned()), ..Filter::default() }, 3, 0),
        (Filter { state: Some("merged".to_owned()), ..Filter::default() }, 0, 2),
    ];
    for (filter, issues, pull_requests) in cases {
        let told = house.lists.issues(house.client, &filter, None, 100).await.unwrap();
        assert_eq!(told.items.len(), issues, "issues of {filter:?}");
        let told = house.lists.pull_requests(house.client, &filter, None, 100).await.unwrap();
        assert_eq!(told.items.len(), pull_requests, "pull requests of {filter:?}");
    }

    let staging = Filter { environment: Some("staging".to_owned()), ..Filter::default() };
    let told = house.lists.deployments(house.client, &staging, None, 100).await.unwrap();
    assert_eq!(told.items, []);
}

async fn nobody_sees_rows_of_another_client(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.github_says(all_of_github()).await;
    let (other, _, _) = house.add_client("globex").await;
    let any = Filter::default();
    assert_eq!(house.lists.issues(other, &any, None, 9).await.unwrap().items, []);
    assert_eq!(house.lists.issue_changes(other, &any, None, 9).await.unwrap().items, []);
    assert_eq!(house.lists.status_intervals(other, &any, None, 9).await.unwrap().items, []);
    assert_eq!(house.lists.repositories(other, &any, None, 9).await.unwrap().items, []);
    assert_eq!(house.lists.pull_requests(other, &any, None, 9).await.unwrap().items, []);
    assert_eq!(house.lists.reviews(other, &any, None, 9).await.unwrap().items, []);
    assert_eq!(house.lists.review_comments(other, &any, None, 9).await.unwrap().items, []);
    assert_eq!(house.lists.comments(other, &any, None, 9).await.unwrap().items, []);
    assert_eq!(house.lists.commits(other, &any, None, 9).await.unwrap().items, []);
    assert_eq!(house.lists.deployments(other, &any, None, 9).await.unwrap().items, []);
    assert_eq!(house.lists.incidents(other, &any, None, 9).await.unwrap().items, []);
}

async fn a_deleted_issue_is_listed_and_its_changes_only_on_request(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.jira_says(Page { deleted_issues: vec![1], ..Page::default() }).await;
    let deleted: Vec<bool> = whole_list!(house, issues).iter().map(|row| row.deleted).collect();
    assert_eq!(deleted, [true, false]);
    assert_eq!(whole_list!(house, issue_changes).len(), 1);
    let all = Filter { with_deleted: true, ..Filter::default() };
    let changes = house.lists.issue_changes(house.client, &all, None, 9).await.unwrap();
    assert_eq!(changes.items.len(), 3);
}

async fn machines_are_marked_by_the_source_and_by_the_clients_list(house: &House) {
    let by = |login: &str, is_bot| Some(Actor::new(login, is_bot));
    let mut first = pull_request(1);
    first.author = by("dependabot[bot]", true);
    first.reviews = vec![
        Review { author: by("scan[bot]", true), ..review(11) },
        Review { author: by("gate-keeper", false), ..review(12) },
        Review { author: None, ..review(13) },
    ];
    let second = PullRequest { author: by("Gate-Keeper", false), ..pull_request(2) };
    house.github_says(Page { pull_requests: vec![first, second], ..all_of_github() }).await;
    let marks = async || {
        let pulls = whole_list!(house, pull_requests).into_iter().map(|row| row.bot);
        let reviews = whole_list!(house, reviews).into_iter().map(|row| row.bot);
        (pulls.collect::<Vec<_>>(), reviews.collect::<Vec<_>>())
    };
    // Those of the second are by people.
    let (pulls, reviews) = marks().await;
    assert_eq!((pulls, reviews), (vec![true, false], vec![true, false, false, false, false]));
    let logins = vec!["gate-*".to_owned()];
    house.rules.put_bots(house.client, logins, Seen::Any).await.unwrap();
    let (pulls, reviews) = marks().await;
    assert_eq!((pulls, reviews), (vec![true, true], vec![true, true, false, false, false]));
}

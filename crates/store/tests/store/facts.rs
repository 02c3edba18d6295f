//! Pages of facts: kept whole or not at all, and only what is new is written.

use std::sync::Arc;

use domain::deployment::{Deployment, DeploymentOutcome, Shipment};
use domain::facts::Facts as Page;
use domain::job::JobType;
use domain::rules::{DeploymentRule, DeploymentRules, EnvironmentRule, Source};
use domain::work::{Counts, Gap, Slice, TaskKind, Topic, WATERMARK_OVERLAP};
use domain::workflow::Seen;
use store::Error;
use store::facts::{Held, Kept, PageMark};
use store::lists::Filter;
use store::metrics::Repository;

use crate::house::{House, mark};
use crate::nouns::*;

contract! {
    a_page_is_kept_whole_or_not_at_all,
    a_second_put_changes_nothing,
    a_large_page_is_kept_like_a_small_one,
    a_lost_lease_keeps_nothing,
    a_page_moves_its_task_and_tells_its_gaps,
    a_page_is_kept_only_behind_the_one_before_it,
    an_older_version_never_replaces_a_newer_one,
    of_a_key_told_twice_the_newest_wins,
    what_hangs_on_a_pull_request_is_replaced,
    a_commit_belongs_to_two_pull_requests,
    parents_of_a_commit_are_never_erased,
    comments_on_unknown_pull_requests_are_left_out,
    an_entry_with_two_items_keeps_both,
    another_clients_connection_is_refused,
    a_deleted_issue_that_is_seen_again_is_live,
    a_completed_history_stays_complete_until_the_issue_changes,
    an_issue_never_renames_its_type,
    what_is_off_the_whole_list_is_closed,
    the_oldest_that_is_not_over_is_told,
    shipments_are_asked_for_by_the_rules_and_kept_by_source,
    a_run_keeps_the_best_state_that_it_ever_had,
    only_what_the_rules_mean_is_loaded,
    two_workers_keep_the_same_rows_side_by_side,
}

fn written(rows: u64) -> Kept {
    Kept { written: rows }
}

async fn a_page_is_kept_whole_or_not_at_all(house: &House) {
    let stray = Page { changes: vec![change(404, 1, 0)], ..all_of_jira() };
    let mark = mark(&stray);
    let refused = house.facts.keep_page(&house.held(house.jira), stray, &mark).await;
    assert!(matches!(refused, Err(Error::Query(_))), "{refused:?}");
    assert_eq!(house.facts.projects(house.client, house.jira).await.unwrap(), []);
    assert_eq!(house.cursor().await, "");
}

async fn a_second_put_changes_nothing(house: &House) {
    let jira = house.jira_says(all_of_jira()).await;
    assert_eq!(jira, written(9), "a project, a type, a status, a sprint, 2 issues and 3 changes");
    let github = house.github_says(all_of_github()).await;
    // A repository, 6 commits, and of each of 2 pull requests: itself, 3 links to commits,
    // 2 reviews, a comment and a comment on its diff; 2 deployments.
    assert_eq!(github, written(1 + 6 + 2 * 8 + 2));

    assert_eq!(house.jira_says(all_of_jira()).await, written(0));
    assert_eq!(house.github_says(all_of_github()).await, written(0));
}

async fn a_large_page_is_kept_like_a_small_one(house: &House) {
    let large = || Page {
        issues: (0..3_000).map(issue).collect(),
        changes: (0..9_000).map(|n| change(n / 3, n, 0)).collect(),
        ..jira_page()
    };
    let type_and_status = 2;
    assert_eq!(house.jira_says(large()).await, written(1 + type_and_status + 3_000 + 9_000));
    assert_eq!(house.jira_says(large()).await, written(0));

    let mut touched = large();
    touched.issues[42].summary = "Another title".to_owned();
    touched.changes[8_999].to_string = None;
    assert_eq!(house.jira_says(touched).await, written(2));
    let ids = house.facts.live_issue_ids(house.client, house.jira, PROJECT).await.unwrap();
    assert_eq!(ids, (0..3_000).collect::<Vec<i64>>());
}

async fn a_lost_lease_keeps_nothing(house: &House) {
    house.work.expire(house.fence, at(100)).await.unwrap();
    house.work.begin(house.task, "grace", at(3_000), at(2_900)).await.unwrap().unwrap();

    let page = all_of_jira();
    let late = house.facts.keep_page(&house.held(house.jira), page.clone(), &mark(&page)).await;
    assert!(matches!(late, Err(Error::LostLease { task }) if task == house.task), "{late:?}");
    assert_eq!(house.facts.projects(house.client, house.jira).await.unwrap(), []);
}

async fn a_page_moves_its_task_and_tells_its_gaps(house: &House) {
    let gap = |reason: &str| Gap { scope: "PAY-3".to_owned(), reason: reason.to_owned() };
    let mark = |[from, cursor]: [&str; 2], gap| PageMark {
        from: from.to_owned(),
        cursor: cursor.to_owned(),
        is_last: false,
        counts: Counts { rows: 40, requests: 2 },
        gaps: vec![gap],
        now: at(5),
        source_time: None,
    };
    let held = house.held(house.jira);
    house.facts.keep_page(&held, jira_page(), &mark(["", "2"], gap("no summary"))).await.unwrap();
    house.facts.keep_page(&held, jira_page(), &mark(["2", "3"], gap("no status"))).await.unwrap();

    let run = house.jobs.run(house.client, house.run).await.unwrap();
    assert_eq!(run.gaps, [gap("no status")]);
    assert_eq!(run.requests, 4);
    let job = house.jobs.get(house.client, JobType::JiraSync, at(6)).await.unwrap();
    assert_eq!(job.rows(), 80);
    assert_eq!(house.cursor().await, "3");
}

async fn a_page_is_kept_only_behind_the_one_before_it(house: &House) {
    let held = house.held(house.jira);
    let keep = async |from: &str, cursor: &str, number| {
        let page = Page { issues: vec![issue(number)], ..jira_page() };
        let (from, cursor) = (from.to_owned(), cursor.to_owned());
        let mark = PageMark { from, cursor, ..mark(&page) };
        house.facts.keep_page(&held, page, &mark).await
    };
    let type_and_status = 2;
    assert_eq!(keep("", "2", 1).await.unwrap(), written(2 + type_and_status));
    // The answer was lost on the way, and the page is sent again.
    assert_eq!(keep("", "2", 1).await.unwrap(), written(0));
    // The server lost the page in between.
    let torn = keep("3", "4", 3).await;
    assert!(matches!(torn, Err(Error::LostLease { .. })), "{torn:?}");
    assert_eq!(keep("2", "3", 2).await.unwrap(), written(1));

    let ids = house.facts.live_issue_ids(house.client, house.jira, PROJECT).await.unwrap();
    assert_eq!(ids, [1, 2]);
    let run = house.jobs.run(house.client, house.run).await.unwrap();
    assert_eq!(run.requests, 2, "nothing counts twice");
    assert_eq!(house.cursor().await, "3");
}

async fn an_older_version_never_replaces_a_newer_one(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.github_says(all_of_github()).await;

    let mut old_issue = issue(1);
    old_issue.summary = "As it was".to_owned();
    old_issue.updated_at = at(999);
    let late = house.jira_says(Page { issues: vec![old_issue], ..jira_page() }).await;
    assert_eq!(late, written(0));

    let mut old_pull_request = pull_request(1);
    old_pull_request.title = "As it was".to_owned();
    old_pull_request.updated_at = at(999);
    old_pull_request.reviews = vec![review(77)];
    let page = Page { pull_requests: vec![old_pull_request, pull_request(2)], ..github_page() };
    assert_eq!(house.github_says(page).await, written(0));
}

async fn of_a_key_told_twice_the_newest_wins(house: &House) {
    let mut newer = issue(1);
    newer.summary = "As it is".to_owned();
    newer.updated_at = at(1_001);
    house.jira_says(Page { issues: vec![newer, issue(1)], ..jira_page() }).await;
    let issues = issues(house).await;
    assert_eq!((issues.len(), issues[0].summary.as_str()), (1, "As it is"));

    let mut newer = pull_request(1);
    newer.title = "As it is".to_owned();
    newer.updated_at = at(1_001);
    newer.comments.clear();
    house.github_says(Page { pull_requests: vec![newer, pull_request(1)], ..github_page() }).await;
    let told = pull_requests(house).await;
    assert_eq!((told.len(), told[0].title.as_str(), told[0].comments), (1, "As it is", 0));
}

async fn what_hangs_on_a_pull_request_is_replaced(house: &House) {
    house.github_says(all_of_github()).await;
    let mut forced = pull_request(1);
    forced.commits = vec![commit(12), commit(13)];
    forced.reviews = vec![review(12), review(13)];
    forced.comments.clear();
    let kept = house.github_says(Page { pull_requests: vec![forced], ..github_page() }).await;
    // New: a commit and its link, and a review. Gone: two links, a review, a comment. And the
    // commit that stays has moved up.
    assert_eq!(kept, written(3 + 4 + 1));

    let told = pull_requests(house).await;
    let counts = |n: usize| (told[n].commits, told[n].reviews, told[n].comments);
    assert_eq!([counts(0), counts(1)], [(2, 2, 0), (3, 2, 1)]);
}

async fn a_commit_belongs_to_two_pull_requests(house: &House) {
    house.github_says(all_of_github()).await;
    let page = house.lists.commits(house.client, &Filter::default(), None, 100).await.unwrap();
    let shared: Vec<i64> =
        page.items.iter().filter(|c| c.sha == sha(7)).map(|c| c.number).collect();
    assert_eq!(shared, [1, 2]);
    assert_eq!(pull_requests(house).await[0].first_commit_at, Some(at(7)));
}

async fn parents_of_a_commit_are_never_erased(house: &House) {
    let mut in_history = commit(7);
    in_history.parents = Some(vec![sha(6)]);
    house.github_says(Page { commits: vec![in_history.clone()], ..github_page() }).await;
    house.github_says(Page { pull_requests: vec![pull_request(1)], ..github_page() }).await;
    let again = house.github_says(Page { commits: vec![in_history], ..github_page() }).await;
    assert_eq!(again, written(0), "the parents are still there");
}

async fn comments_on_unknown_pull_requests_are_left_out(house: &House) {
    let page = Page {
        pull_requests: vec![pull_request(1)],
        review_comments: vec![review_comment(1, 31), review_comment(404, 32)],
        ..github_page()
    };
    house.github_says(page).await;
    let told = house.lists.review_comments(house.client, &Filter::default(), None, 9).await;
    let ids: Vec<i64> = told.unwrap().items.iter().map(|comment| comment.external_id).collect();
    assert_eq!(ids, [31]);
}

async fn an_entry_with_two_items_keeps_both(house: &House) {
    house.jira_says(all_of_jira()).await;
    let told = house.lists.issue_changes(house.client, &Filter::default(), None, 9).await.unwrap();
    let items: Vec<(i64, i32)> = told.items.iter().map(|c| (c.change_id, c.item_index)).collect();
    assert_eq!(items, [(100, 0), (100, 1), (101, 0)]);
}

async fn another_clients_connection_is_refused(house: &House) {
    let (_, foreign_jira, _) = house.add_client("globex").await;
    let held = Held { integration: foreign_jira, ..house.held(house.jira) };
    let page = all_of_jira();
    let refused = house.facts.keep_page(&held, page.clone(), &mark(&page)).await;
    assert!(matches!(refused, Err(Error::Query(_))), "{refused:?}");
}

async fn a_deleted_issue_that_is_seen_again_is_live(house: &House) {
    house.jira_says(all_of_jira()).await;
    let gone = || Page { deleted_issues: vec![1], ..Page::default() };
    assert_eq!(house.jira_says(gone()).await, written(1));
    assert_eq!(house.jira_says(gone()).await, written(0));
    let live = || house.facts.live_issue_ids(house.client, house.jira, PROJECT);
    assert_eq!(live().await.unwrap(), [2]);

    assert_eq!(house.jira_says(all_of_jira()).await, written(1));
    assert_eq!(live().await.unwrap(), [1, 2]);

    let any = |project| house.facts.has_live_issues(house.client, house.jira, project);
    assert!(any(PROJECT).await.unwrap());
    assert!(!any(PROJECT + 1).await.unwrap(), "that is another project");
    house.jira_says(Page { deleted_issues: vec![1, 2], ..Page::default() }).await;
    assert!(!any(PROJECT).await.unwrap(), "all are gone");
}

async fn a_completed_history_stays_complete_until_the_issue_changes(house: &House) {
    let truncated = |updated| {
        let mut issue = issue(1);
        issue.changelog_complete = false;
        issue.updated_at = at(updated);
        Page { issues: vec![issue], ..jira_page() }
    };
    let completed = || Page { completed_changelogs: vec![1], ..Page::default() };
    let missing = || {
        let slice =
            Slice { created_from: Some(at(1)), created_to: Some(at(2)), ..Slice::default() };
        house.facts.truncated_changelogs(house.client, house.jira, PROJECT, slice, 0, 10)
    };
    house.jira_says(truncated(1_000)).await;
    assert_eq!(missing().await.unwrap(), [1]);

    assert_eq!(house.jira_says(completed()).await, written(1));
    assert_eq!(missing().await.unwrap(), [0; 0]);
    assert_eq!(house.jira_says(truncated(1_000)).await, written(0), "the same version again");
    assert_eq!(house.jira_says(completed()).await, written(0));

    house.jira_says(truncated(1_001)).await;
    assert_eq!(missing().await.unwrap(), [1]);
}

async fn an_issue_never_renames_its_type(house: &House) {
    let list = Page { issue_types: vec![issue_type("User story")], ..jira_page() };
    house.jira_says(list.clone()).await;
    house.jira_says(Page { issues: vec![issue(1)], ..jira_page() }).await;
    assert_eq!(issues(house).await[0].issue_type, "User story");
    assert_eq!(house.jira_says(list).await, written(0));
}

async fn what_is_off_the_whole_list_is_closed(house: &House) {
    let both = Page {
        projects: vec![project(1, "PAY"), project(2, "OPS")],
        projects_are_all: true,
        ..Page::default()
    };
    let one = Page { projects: vec![project(2, "OPS")], projects_are_all: true, ..Page::default() };
    house.jira_says(both).await;
    assert_eq!(house.jira_says(one.clone()).await, written(1));
    assert_eq!(house.jira_says(one).await, written(0));
    let projects = house.facts.projects(house.client, house.jira).await.unwrap();
    assert_eq!(projects, [project(2, "OPS")]);

    let none = Page { repositories_are_all: true, ..Page::default() };
    house.github_says(github_page()).await;
    assert_eq!(house.github_says(none).await, written(1));
    assert_eq!(house.facts.repositories(house.client, house.github).await.unwrap(), []);
}

async fn the_oldest_that_is_not_over_is_told(house: &House) {
    let pending = DeploymentOutcome::Pending;
    let open = |id: &str, second| Deployment {
        outcome: pending,
        created_at: at(second),
        ..deployment(id)
    };
    let over = Deployment { created_at: at(10), ..deployment("d1") };
    let deployments = vec![over, open("d2", 20), open("d3", 40), open("d4", 30)];
    let shipments = vec![shipment(Source::WorkflowRuns, pending)];
    house.github_says(Page { deployments, shipments, ..github_page() }).await;
    let oldest = async |since| {
        let (client, github) = (house.client, house.github);
        house.facts.oldest_open(client, github, REPOSITORY, at(since)).await.unwrap()
    };
    let run = (Source::WorkflowRuns, at(950));
    assert_eq!(oldest(0).await, [(Source::Deployments, at(20)), run]);
    assert_eq!(oldest(21).await, [(Source::Deployments, at(30)), run]);
    assert_eq!(oldest(950).await, [run]);
    assert_eq!(oldest(951).await, []);
}

async fn two_workers_keep_the_same_rows_side_by_side(house: &House) {
    let task = house.work.ask_probe(house.client, TaskKind::Probe, Topic::Jira, "", at(0)).await;
    let lease = house.work.begin(task.unwrap(), "grace", at(60), at(0)).await.unwrap().unwrap();
    let first = house.held(house.jira);
    let second = Held { run: None, fence: lease.fence, ..first };
    let renamed = |round: i64, ids: &mut dyn Iterator<Item = i64>| {
        let mut page = jira_page();
        page.sprints = ids.map(sprint).collect();
        for sprint in &mut page.sprints {
            sprint.name = format!("Round {round}");
        }
        page
    };
    for round in 0..5 {
        let upwards = renamed(2 * round, &mut (0..500));
        let downwards = renamed(2 * round + 1, &mut (0..500).rev());
        let (up, down) = (mark(&upwards), mark(&downwards));
        let (up, down) = tokio::join!(
            house.facts.keep_page(&first, upwards, &up),
            house.facts.keep_page(&second, downwards, &down),
        );
        // Whoever came second replaced all that the first had written.
        assert!(up.unwrap().written >= 500);
        assert!(down.unwrap().written >= 500);
    }
}

async fn issues(house: &House) -> Vec<store::lists::Issue> {
    house.lists.issues(house.client, &Filter::default(), None, 100).await.unwrap().items
}

async fn pull_requests(house: &House) -> Vec<store::lists::PullRequest> {
    house.lists.pull_requests(house.client, &Filter::default(), None, 100).await.unwrap().items
}

fn shipment(source: Source, outcome: DeploymentOutcome) -> Shipment {
    Shipment {
        source,
        external_id: "5001".to_owned(),
        name: "Deploy".to_owned(),
        path: (source == Source::WorkflowRuns).then(|| ".github/workflows/deploy.yml".to_owned()),
        sha: sha(10),
        outcome,
        created_at: at(950),
        finished_at: Some(at(960)),
    }
}

fn payments(house: &House) -> Repository {
    Repository { integration: house.github, id: REPOSITORY, full_name: "acme/payments".to_owned() }
}

fn rule(repository: &str, source: Source, pattern: &str) -> DeploymentRule {
    DeploymentRule {
        repository: repository.to_owned(),
        source: source.as_str().to_owned(),
        pattern: Some(pattern.to_owned()),
        environments: Vec::new(),
    }
}

/// Rules that mean every run and every release.
fn everything() -> Arc<DeploymentRules> {
    let staging = EnvironmentRule { pattern: ".".to_owned(), environment: "staging".to_owned() };
    let runs =
        DeploymentRule { environments: vec![staging], ..rule("*", Source::WorkflowRuns, ".") };
    Arc::new(DeploymentRules::check(vec![runs, rule("*", Source::Releases, ".")]).unwrap())
}

async fn only_what_the_rules_mean_is_loaded(house: &House) {
    let run = |id: &str, name: &str, file: Option<&str>| Shipment {
        external_id: id.to_owned(),
        name: name.to_owned(),
        path: file.map(|file| format!(".github/workflows/{file}.yml")),
        ..shipment(Source::WorkflowRuns, DeploymentOutcome::Success)
    };
    let tag = Shipment { path: None, ..shipment(Source::Releases, DeploymentOutcome::Success) };
    let shipments = vec![
        run("1", "Deploy", Some("deploy")),
        run("2", "CI", Some("ci")),
        run("3", "CI", Some("ship")),
        run("4", "Deploy", None),
        Shipment { external_id: "5".to_owned(), ..tag },
    ];
    house.github_says(Page { shipments, ..github_page() }).await;
    let repository = payments(house);
    let loaded = async |pattern| {
        let rules = DeploymentRules::check(vec![rule("*", Source::WorkflowRuns, pattern)]);
        let rules = Arc::new(rules.unwrap());
        let told = house.metrics.shipments(house.client, &repository, rules).await.unwrap();
        let mut ids: Vec<String> = told.into_iter().map(|told| told.external_id).collect();
        ids.sort();
        ids
    };
    assert_eq!(loaded("^deploy$").await, ["1", "4"], "of the release there is no rule");
    assert_eq!(loaded("ship\\.yml").await, ["3"], "by the file, whatever else has that name");
    assert_eq!(loaded("nothing").await, [""; 0]);
}

async fn a_run_keeps_the_best_state_that_it_ever_had(house: &House) {
    use DeploymentOutcome::{Failure, Pending, Success};
    let repository = payments(house);
    let kept = async || {
        let kept = house.metrics.shipments(house.client, &repository, everything()).await.unwrap();
        kept.into_iter().map(|run| (run.outcome, run.finished_at)).collect::<Vec<_>>()
    };
    // What is told next, and what is kept then: how it went, and at which second that was clear.
    let story = [
        (Some((Pending, None)), vec![(Pending, None)]),
        (None, vec![]),
        (Some((Pending, None)), vec![(Pending, None)]),
        (Some((Failure, Some(960))), vec![(Failure, Some(960))]),
        (Some((Pending, None)), vec![(Failure, Some(960))]),
        (Some((Failure, Some(970))), vec![(Failure, Some(970))]),
        (None, vec![(Failure, Some(970))]),
        (Some((Success, Some(980))), vec![(Success, Some(980))]),
        (Some((Pending, None)), vec![(Success, Some(980))]),
        (Some((Failure, Some(990))), vec![(Success, Some(980))]),
        (Some((Success, Some(995))), vec![(Success, Some(980))]),
        (None, vec![(Success, Some(980))]),
    ];
    house.github_says(github_page()).await;
    for (chapter, (told, expected)) in story.into_iter().enumerate() {
        let page = match told {
            Some((outcome, second)) => {
                let run = Shipment {
                    finished_at: second.map(at),
                    ..shipment(Source::WorkflowRuns, outcome)
                };
                Page { shipments: vec![run], ..github_page() }
            }
            None => Page { resultless_runs: vec!["5001".to_owned()], ..github_page() },
        };
        house.github_says(page).await;
        let expected: Vec<_> =
            expected.into_iter().map(|(outcome, second)| (outcome, second.map(at))).collect();
        assert_eq!(kept().await, expected, "chapter {chapter}");
    }
}

async fn shipments_are_asked_for_by_the_rules_and_kept_by_source(house: &House) {
    let page = |shipments| Page { shipments, ..github_page() };
    let failed = shipment(Source::WorkflowRuns, DeploymentOutcome::Failure);
    let both = vec![failed, shipment(Source::Releases, DeploymentOutcome::Success)];
    assert_eq!(house.github_says(page(both.clone())).await, written(3));
    assert_eq!(house.github_says(page(both.clone())).await, written(0));
    let again = shipment(Source::WorkflowRuns, DeploymentOutcome::Success);
    assert_eq!(house.github_says(page(vec![again.clone()])).await, written(1), "it was run again");
    let repository = payments(house);
    let mut kept = house.metrics.shipments(house.client, &repository, everything()).await.unwrap();
    kept.sort_by_key(|shipment| shipment.source);
    assert_eq!(kept, [again, both[1].clone()]);

    let asked = async |repository_id, name: &str| {
        let (client, github) = (house.client, house.github);
        let name = name.to_owned();
        house.facts.shipments_asked_for(client, github, repository_id, name).await.unwrap()
    };
    assert_eq!(asked(REPOSITORY, "acme/payments").await, [], "the defaults ask for none");
    let rules = vec![
        rule("acme/payments", Source::WorkflowRuns, "deploy"),
        rule("acme/web", Source::Merges, "deploy"),
        rule("*", Source::Releases, "deploy"),
    ];
    house.rules.put_deployments(house.client, rules, Seen::Any).await.unwrap();
    let never = "some were read, but not all";
    assert_eq!(asked(REPOSITORY, "Acme/Payments").await, [(Source::WorkflowRuns, None)], "{never}");
    house.github_says(Page { read_to_end: Some(Source::WorkflowRuns), ..github_page() }).await;
    let read_to = Some(at(0) - WATERMARK_OVERLAP);
    assert_eq!(asked(REPOSITORY, "Acme/Payments").await, [(Source::WorkflowRuns, read_to)]);
    assert_eq!(asked(REPOSITORY, "acme/web").await, []);
    assert_eq!(asked(REPOSITORY, "acme/other").await, [(Source::Releases, None)]);
    house.github_says(Page { read_to_end: Some(Source::Releases), ..github_page() }).await;
    assert_eq!(asked(REPOSITORY, "acme/other").await, [(Source::Releases, read_to)]);
    assert_eq!(asked(404, "acme/other").await, [(Source::Releases, None)]);
    let (other, ..) = house.add_client("globex").await;
    assert_eq!(house.metrics.shipments(other, &repository, everything()).await.unwrap(), []);
}

//! The quality of the data: each check finds what is bad, among all that could be.

use domain::Moment;
use domain::facts::Facts as Page;
use domain::ids::{ClientId, SnapshotId};
use domain::issue::{Change, Issue};
use domain::job::JobType;
use domain::project::{IssueType, Status, StatusCategory};
use domain::rules::Source;
use domain::work::Gap;
use store::lists::Key;
use store::metrics::{
    DeliveryState, DeploymentFact, IncidentFact, Link, Publication, PullRequestFact, Repository,
};
use store::quality::{CHECKS, Check};
use store::work::Release;
use uuid::Uuid;

use crate::flow::Everywhere;
use crate::house::House;
use crate::nouns::*;
use crate::work::Yard;

contract! {
    each_check_finds_what_is_bad_among_all,
    what_has_no_place_is_named_as_such,
    gaps_are_told_once_each_with_their_reason,
    a_connection_is_stale_when_three_cycles_brought_nothing,
    a_client_without_data_has_nothing_to_look_at,
}

/// Bad, all and the first example of each check.
async fn found(house: &House, hours: i64) -> Vec<(&'static str, u64, u64, Option<String>)> {
    let found = house.metrics.quality(house.client, at(hours * 3_600)).await.unwrap();
    let told = |found: store::quality::Found| {
        (found.name, found.bad, found.all, found.examples.into_iter().next())
    };
    found.into_iter().map(told).collect()
}

async fn each_check_finds_what_is_bad_among_all(house: &House) {
    let mut cut_off = issue(1);
    cut_off.changelog_complete = false;
    house.jira_says(Page { issues: vec![cut_off, issue(2), issue(3)], ..jira_page() }).await;
    house.jira_says(Page { deleted_issues: vec![3], ..Page::default() }).await;
    house.github_says(all_of_github()).await;
    let repository = Repository {
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
    house
        .metrics
        .keep_links(house.client, house.fence, &repository, vec![link], at(2))
        .await
        .unwrap();
    let deployed = |id: &str, environment: Option<&str>, why: Option<&str>| DeploymentFact {
        integration: house.github,
        repository: REPOSITORY,
        source: Source::Deployments,
        told: deployment(id),
        environment: environment.map(str::to_owned),
        reason: environment.map_or(Some("no_environment_rule"), |_| why).map(str::to_owned),
        previous: None,
        rollback: false,
        rolled_back: false,
        pull_requests: 0,
        incidents: 0,
        succeeded_at: environment.map(|_| at(960)),
    };
    let fact = crate::metrics::publication(house, 5).pull_requests.remove(0);
    let reviewed =
        |number, first_review_at| PullRequestFact { number, first_review_at, ..fact.clone() };
    let publication = Publication {
        id: SnapshotId(Uuid::now_v7()),
        as_of: at(5),
        state: DeliveryState::default(),
        published_at: at(5),
        basis: String::new(),
        computed: None,
        pull_requests: vec![reviewed(1, Some(at(400))), reviewed(2, None)],
        deployments: vec![
            deployed("d1", Some("production"), None),
            deployed("d2", None, None),
            deployed("d3", Some("production"), Some("unknown_commit")),
        ],
        incidents: vec![IncidentFact {
            integration: house.jira,
            issue: 2,
            started_at: at(1),
            cause: None,
        }],
    };
    let rules = Everywhere::leaving_out(vec![2, 3]);
    house.publish(publication, rules).await.unwrap();

    let expected = [
        // Jira's own category has a step, and nothing was said of types.
        ("unmapped_statuses", 0, 1, None),
        ("unmapped_issue_types", 0, 0, None),
        ("issues_unmapped", 1, 2, Some("PAY-2")),
        ("issues_without_history", 1, 2, Some("PAY-1")),
        ("pull_requests_without_issue", 1, 2, Some("acme/payments#2")),
        ("pull_requests_without_review", 1, 2, Some("acme/payments#2")),
        ("deployments_without_environment", 1, 3, Some("acme/payments production")),
        ("deployments_of_unknown_commits", 1, 2, Some("acme/payments d3")),
        ("incidents_without_deployment", 1, 1, Some("PAY-2")),
        // Neither job has ever finished.
        ("stale_connections", 2, 2, Some("github")),
    ];
    let expected =
        expected.map(|(name, bad, all, first)| (name, bad, all, first.map(str::to_owned)));
    let found = found(house, 1).await;
    assert_eq!(found[..10], expected);
    // One task is under way, and met none.
    assert_eq!(found[10], ("gaps", 0, 1, None));

    let names = |rows: Vec<Row>| rows.into_iter().map(|row| row.0).collect::<Vec<_>>();
    for (check, expected) in [
        ("issues_unmapped", vec!["PAY-2"]),
        ("issues_without_history", vec!["PAY-1"]),
        ("pull_requests_without_issue", vec!["acme/payments#2"]),
        ("pull_requests_without_review", vec!["acme/payments#2"]),
        ("deployments_without_environment", vec!["acme/payments production"]),
        ("deployments_of_unknown_commits", vec!["acme/payments d3"]),
        ("incidents_without_deployment", vec!["PAY-2"]),
        ("gaps", vec![]),
    ] {
        assert_eq!(
            names(lacking(house, house.client, check, at(3_600)).await),
            expected,
            "{check}"
        );
    }
    let (other, ..) = house.add_client("globex").await;
    for check in CHECKS.iter().filter(|check| check.name != "stale_connections") {
        assert_eq!(lacking(house, other, check.name, at(3_600)).await, [], "{}", check.name);
    }
}

/// Name and detail.
type Row = (String, Option<String>);

fn row(name: &str, detail: &str) -> Row {
    (name.to_owned(), Some(detail.to_owned()))
}

/// All that a check finds bad, in pages of one.
async fn lacking(house: &House, client: ClientId, check: &str, now: Moment) -> Vec<Row> {
    let check = Check::named(check).unwrap();
    let mut rows = Vec::new();
    let mut after: Option<Key> = None;
    loop {
        let page = house.lists.lacking(client, check, now, after.as_ref(), 1).await.unwrap();
        rows.extend(page.items.into_iter().map(|row| (row.name, row.detail)));
        match page.next {
            // The gateway hands keys out as text.
            Some(key) => after = Some(key.to_string().parse().unwrap()),
            None => return rows,
        }
    }
}

/// Stories go by a workflow that takes what is to do, and nobody said what a bug is.
async fn what_has_no_place_is_named_as_such(house: &House) {
    crate::workflows::kanban(house).await;
    let todo = Status { external_id: 1, name: "To Do".to_owned(), category: StatusCategory::ToDo };
    let bug = IssueType { external_id: 11, ..issue_type("Bug") };
    let bug = Issue { issue_type: bug, status: todo, ..issue(2) };
    // Jira has forgotten the status that it came from.
    let from_nowhere = Change {
        from_value: Some("404".to_owned()),
        from_string: Some("Waiting".to_owned()),
        to_value: Some("1".to_owned()),
        to_string: Some("To Do".to_owned()),
        ..change(2, 100, 0)
    };
    house
        .jira_says(Page { issues: vec![issue(1), bug], changes: vec![from_nowhere], ..jira_page() })
        .await;
    let publication = Publication {
        pull_requests: Vec::new(),
        deployments: Vec::new(),
        incidents: Vec::new(),
        ..crate::metrics::publication(house, 5)
    };
    let rules = Everywhere::leaving_out(vec![1]).blurring(vec![2]);
    house.publish(publication, rules).await.unwrap();

    let expected = [
        ("unmapped_statuses", 2, 3, Some("Done".to_owned())),
        ("unmapped_issue_types", 1, 2, Some("Bug".to_owned())),
        ("issues_unmapped", 2, 2, Some("PAY-1".to_owned())),
    ];
    assert_eq!(found(house, 1).await[..3], expected);
    let statuses = lacking(house, house.client, "unmapped_statuses", at(0)).await;
    assert_eq!(statuses, [row("Done", "Story"), row("Waiting", "Bug")]);
    let types = lacking(house, house.client, "unmapped_issue_types", at(0)).await;
    assert_eq!(types, [("Bug".to_owned(), None)]);
}

async fn gaps_are_told_once_each_with_their_reason(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JobType::JiraSync, 0).await;
    // Two slices of project 1, and project 2.
    let leases = yard.issues(0).await;
    let gap =
        |scope: &str, reason: &str| Gap { scope: scope.to_owned(), reason: reason.to_owned() };
    let same = gap("PAY-311", "it makes no sense");
    let other = gap("PAY-312", "it makes no sense");
    yard.work.finish(leases[0].fence, &[same.clone(), other], "", at(2)).await.unwrap();
    yard.work.finish(leases[1].fence, &[same], "", at(2)).await.unwrap();
    let refused = Release::Unreadable { detail: "403: no Browse permission".to_owned() };
    yard.work.release(leases[2].fence, &refused, at(2)).await.unwrap();
    yard.work_off(4).await;

    let found = house.metrics.quality(yard.client, at(5)).await.unwrap();
    let gaps = found.iter().find(|found| found.name == "gaps").unwrap();
    // Three gaps, beside the one task that read what it should: the projects.
    assert_eq!((gaps.bad, gaps.all), (3, 4));
    assert_eq!(
        gaps.examples,
        [
            "2 (403: no Browse permission)",
            "PAY-311 (it makes no sense)",
            "PAY-312 (it makes no sense)"
        ]
    );
    let rows = lacking(house, yard.client, "gaps", at(5)).await;
    assert_eq!(
        rows,
        [
            row("2 (403: no Browse permission)", "403: no Browse permission"),
            row("PAY-311 (it makes no sense)", "it makes no sense"),
            row("PAY-312 (it makes no sense)", "it makes no sense"),
        ]
    );
}

async fn a_connection_is_stale_when_three_cycles_brought_nothing(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JobType::JiraSync, 0).await;
    yard.work_off(100).await;
    // A cycle an hour; the GitHub job has never run.
    let in_time = 100 + 3 * 3_600;
    for (second, stale) in [(in_time, vec!["github"]), (in_time + 1, vec!["github", "jira"])] {
        let found = house.metrics.quality(yard.client, at(second)).await.unwrap();
        let found = found.into_iter().find(|found| found.name == "stale_connections").unwrap();
        assert_eq!((found.bad, found.all), (stale.len() as u64, 2), "after {second} s");
        assert_eq!(found.examples, stale, "after {second} s");
        let mut rows = lacking(house, yard.client, "stale_connections", at(second)).await;
        rows.sort_unstable();
        let kinds: Vec<Row> = stale.iter().map(|kind| row(kind, kind)).collect();
        assert_eq!(rows, kinds, "after {second} s");
    }
}

async fn a_client_without_data_has_nothing_to_look_at(house: &House) {
    let (other, ..) = house.add_client("globex").await;
    house.jira_says(all_of_jira()).await;
    let found = house.metrics.quality(other, at(1)).await.unwrap();
    let rows: Vec<_> =
        found.iter().map(|found| (found.name, found.all)).filter(|(_, all)| *all > 0).collect();
    assert_eq!(rows, [("stale_connections", 2)], "only what it connected");
}

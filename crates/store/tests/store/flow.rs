//! The flow of issues: every history goes through the rules once, and what they say is kept.

use domain::facts::Facts as Page;
use domain::ids::{SnapshotId, WorkflowId};
use domain::workflow::{Change, Excluded, Put, Seen, Workflow};
use store::flow::{FlowRead, Ground, IssueFact, IssueHistory, Move, Rules, Standing};
use store::focus::Focus;
use store::lists::Filter;
use store::metrics::{DeliveryState, Publication};
use uuid::Uuid;

use crate::house::House;
use crate::nouns::*;

contract! {
    every_issue_goes_through_the_rules_once,
    changes_of_one_instant_are_told_in_the_order_of_their_ids,
    only_what_changed_goes_through_the_rules_again,
    what_is_computed_is_read_back_and_what_is_gone_is_swept,
    a_changed_workflow_is_computed_without_a_new_publication,
    intervals_tell_the_whole_life_of_every_issue,
    issues_are_followed_as_if_and_nothing_is_kept,
}

/// Rules that place every issue in the last step, and note what they are shown, except those with the ids that are left out.
#[derive(Default)]
pub struct Everywhere {
    ground: Option<Ground>,
    left_out: Vec<i64>,
    switched_off: Vec<i64>,
    blurred: Vec<i64>,
    lead_seconds: Option<f64>,
    seen: Vec<IssueHistory>,
}

impl Everywhere {
    pub fn leaving_out(left_out: Vec<i64>) -> Everywhere {
        Everywhere { left_out, ..Everywhere::default() }
    }

    /// That say of these issues that they are switched off.
    pub fn switching_off(switched_off: Vec<i64>) -> Everywhere {
        Everywhere { switched_off, ..Everywhere::default() }
    }

    /// That say beside this of these issues that they came through a status without a step.
    pub fn blurring(self, blurred: Vec<i64>) -> Everywhere {
        Everywhere { blurred, ..self }
    }

    /// That say the same lead time of every issue.
    pub fn led(lead_seconds: f64) -> Everywhere {
        Everywhere { lead_seconds: Some(lead_seconds), ..Everywhere::default() }
    }
}

impl Rules for Everywhere {
    /// Whoever says something else is another.
    fn version(&self) -> i64 {
        self.blurred.iter().sum::<i64>() * 1_000_000_000
            + self.switched_off.iter().sum::<i64>() * 1_000_000
            + self.left_out.iter().sum::<i64>() * 1_000
            + self.lead_seconds.unwrap_or_default() as i64
    }

    fn begin(&mut self, ground: Ground) {
        self.ground = Some(ground);
        self.seen.clear();
    }

    fn issue(&mut self, issue: &IssueHistory) -> IssueFact {
        self.seen.push(issue.clone());
        let step = self.ground.as_ref().unwrap().configuration.steps.last().unwrap();
        let place = if self.left_out.contains(&issue.id) {
            Err(Excluded::UnmappedStatus)
        } else if self.switched_off.contains(&issue.id) {
            Err(Excluded::InactiveIssue)
        } else {
            Ok(Standing { step: step.id, name: step.name.clone(), category: step.category })
        };
        let place_is_known = place.is_ok();
        IssueFact {
            place,
            entered_at: at(issue.id),
            committed_at: Some(at(0)),
            started_at: None,
            lead_seconds: self.lead_seconds.or(Some(1.5)),
            cycle_seconds: None,
            active_seconds: Some(0.5),
            rework: 2,
            steps: vec![(step.id, 7.25)],
            passed_unmapped: self.blurred.contains(&issue.id),
            moves: if place_is_known {
                let day = i32::try_from(issue.id).unwrap();
                vec![Move { day, step: step.id, entered: 1, gone: 0 }]
            } else {
                Vec::new()
            },
        }
    }
}

async fn publish(house: &House, second: i64, left_out: Vec<i64>) -> u64 {
    let publication = Publication {
        state: DeliveryState::default(),
        id: SnapshotId(Uuid::now_v7()),
        as_of: at(second),
        published_at: at(second),
        basis: String::new(),
        computed: None,
        pull_requests: Vec::new(),
        deployments: Vec::new(),
        incidents: Vec::new(),
    };
    let rules = Everywhere::leaving_out(left_out);
    let done = house.publish(publication, rules);
    done.await.unwrap().issues
}

async fn read(house: &House, projects: &[&str]) -> FlowRead {
    let projects = projects.iter().map(|key| (*key).to_owned()).collect();
    let focus = Focus { projects, ..Focus::default() };
    house.metrics.flow(house.client, at(0), at(100), 1_000, focus).await.unwrap()
}

fn many(count: i64) -> Page {
    Page {
        issues: (1..=count).map(issue).collect(),
        changes: (1..=count).rev().flat_map(|n| [change(n, 9, 0), change(n, 4, 1)]).collect(),
        ..jira_page()
    }
}

async fn every_issue_goes_through_the_rules_once(house: &House) {
    house.jira_says(many(30)).await;
    let (other, ..) = house.add_client("globex").await;
    assert_eq!(publish(house, 20, Vec::new()).await, 30);
    // Nothing of it is another client's.
    let theirs = house.metrics.flow(other, at(0), at(100), 1_000, Focus::default()).await.unwrap();
    assert_eq!((theirs.as_of, theirs.ended.len(), theirs.days.len()), (None, 0, 0));
    let keys: Vec<_> = read(house, &[]).await.ended.into_iter().map(|issue| issue.key).collect();
    let expected: Vec<_> = (1..=30).map(|n| format!("PAY-{n}")).collect();
    assert_eq!(keys, expected);
}

/// However they came: by the id of the entry, and in an entry by the place of the item.
async fn changes_of_one_instant_are_told_in_the_order_of_their_ids(house: &House) {
    let to = |change_id, item_index, to: &str| domain::issue::Change {
        from_value: None,
        to_value: None,
        to_string: Some(to.to_owned()),
        ..change(1, change_id, item_index)
    };
    // Ids are numbers: 9 comes before 10. Only the very first is earlier than the others.
    let first = domain::issue::Change { changed_at: at(499), ..to(11, 0, "first") };
    let pages = [
        vec![to(10, 1, "fifth"), to(9, 0, "second")],
        vec![to(10, 0, "fourth"), first],
        vec![to(9, 2, "third")],
    ];
    for changes in pages {
        let issues = vec![issue(1)];
        house.jira_says(Page { issues, changes, ..jira_page() }).await;
    }
    let followed = Everywhere::default();
    let since = at(0);
    let followed = house.metrics.follow(house.client, Vec::new(), since, followed).await.unwrap();
    let told: Vec<_> =
        followed.seen[0].changes.iter().map(|change| change.to.name.as_str()).collect();
    assert_eq!(told, ["first", "second", "third", "fourth", "fifth"]);

    let filter = Filter::default();
    let page = house.lists.status_intervals(house.client, &filter, None, 9).await.unwrap();
    let stays: Vec<_> = page.items.iter().map(|row| (row.status.as_str(), row.seconds)).collect();
    let expected = [
        ("To Do", Some(498.0)),
        ("first", Some(1.0)),
        ("second", Some(0.0)),
        ("third", Some(0.0)),
        ("fourth", Some(0.0)),
        ("fifth", None),
    ];
    assert_eq!(stays, expected);
}

async fn only_what_changed_goes_through_the_rules_again(house: &House) {
    house.jira_says(many(30)).await;
    let none = Vec::new;
    assert_eq!(publish(house, 20, none()).await, 30);
    assert_eq!(publish(house, 21, none()).await, 0);
    house.jira_says(many(30)).await;
    assert_eq!(publish(house, 22, none()).await, 0, "the same was said again");

    house.jira_says(Page { changes: vec![change(5, 11, 0)], ..Page::default() }).await;
    house.jira_says(Page { deleted_issues: vec![7], ..Page::default() }).await;
    house.jira_says(Page { issues: vec![issue(31)], ..jira_page() }).await;
    assert_eq!(publish(house, 23, none()).await, 3);
    let days: Vec<_> =
        read(house, &[]).await.days.iter().map(|day| (day.day, day.entered)).collect();
    assert_eq!(days, (1..=31).map(|day| (day, 1)).collect::<Vec<_>>());

    assert_eq!(publish(house, 24, vec![3]).await, 31, "by other rules all are followed");
    let step = house.workflows.of_client(house.client).await.unwrap().steps[0].clone();
    let put = Put { row: step, seen: Seen::Any };
    let change = Change::PutStep { put, moves_commitment: false };
    house.workflows.change(house.client, vec![change]).await.unwrap();
    assert_eq!(publish(house, 25, vec![3]).await, 31, "in another workflow all are followed");
}

async fn what_is_computed_is_read_back_and_what_is_gone_is_swept(house: &House) {
    house.jira_says(many(3)).await;
    assert_eq!(read(house, &[]).await.as_of, None);
    publish(house, 20, Vec::new()).await;
    let first = read(house, &["pay"]).await;
    assert_eq!((first.as_of, first.steps.len()), (Some(at(20)), 3));
    let days: Vec<_> = first.days.iter().map(|day| (day.day, day.entered, day.gone)).collect();
    assert_eq!(days, [(1, 1, 0), (2, 1, 0), (3, 1, 0)]);
    let issue = &first.ended[0];
    let numbers = (issue.lead_seconds, issue.cycle_seconds, issue.active_seconds, issue.rework);
    assert_eq!(numbers, (Some(1.5), None, Some(0.5), 2));
    assert_eq!(issue.steps, [(first.steps[2].id, 7.25)]);
    assert_eq!((issue.entered_at, issue.created_at), (at(1), at(1)));

    publish(house, 30, vec![2]).await;
    let second = read(house, &[]).await;
    let reasons: Vec<_> = second.ended.iter().map(|issue| issue.reason.as_deref()).collect();
    assert_eq!(reasons, [None, Some("unmapped_status"), None]);
    assert_eq!(second.days.iter().map(|day| day.day).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(read(house, &["OPS"]).await.ended, []);

    let listed = house.lists.issues(house.client, &Filter::default(), None, 9).await.unwrap();
    let steps: Vec<_> = listed.items.iter().map(|row| (row.step.as_deref(), row.done_at)).collect();
    assert_eq!(steps, [(Some("Done"), Some(at(1))), (None, None), (Some("Done"), Some(at(3)))]);
    assert_eq!(listed.items[0].lead_time_seconds, Some(1.5));
}

async fn a_changed_workflow_is_computed_without_a_new_publication(house: &House) {
    house.jira_says(many(2)).await;
    let workflow = |name: &str| {
        let id = WorkflowId(Uuid::now_v7());
        let row = Workflow { id, scope: None, name: name.to_owned(), active: true, version: 1 };
        vec![Change::PutWorkflow(Put { row, seen: Seen::New })]
    };
    // Before the first publication there is nothing to bring up to date.
    let unsaid = house.workflows.of_client(house.client).await.unwrap();
    let step = unsaid.steps[0].clone();
    let rename = Put { row: step, seen: Seen::Any };
    let rename = Change::PutStep { put: rename, moves_commitment: false };
    house.workflows.change(house.client, vec![rename]).await.unwrap();
    assert_eq!(house.metrics.clients_with_changed_workflows().await.unwrap(), []);

    publish(house, 20, Vec::new()).await;
    let again = || house.metrics.publish_flow(house.client, Everywhere::default());
    assert_eq!(again().await.unwrap(), None, "nothing changed since");
    house.workflows.change(house.client, workflow("Another")).await.unwrap();
    let changed = house.metrics.clients_with_changed_workflows().await.unwrap();
    assert_eq!(changed, [house.client]);
    assert!(read(house, &[]).await.is_behind);
    assert_eq!(again().await.unwrap(), Some(2));
    assert_eq!(house.metrics.clients_with_changed_workflows().await.unwrap(), []);
    let after = read(house, &[]).await;
    assert_eq!(after.as_of, Some(at(20)), "the facts are as old as before");
    assert!(!after.is_behind);
}

async fn intervals_tell_the_whole_life_of_every_issue(house: &House) {
    let mut first = change(1, 4, 0);
    first.from_value = Some("404".to_owned());
    house
        .jira_says(Page { issues: vec![issue(1), issue(2)], changes: vec![first], ..jira_page() })
        .await;
    let all = |filter: Filter| async move {
        let page = house.lists.status_intervals(house.client, &filter, None, 9).await.unwrap();
        let told = |row: store::lists::StatusInterval| {
            (row.issue_key, row.status, row.step, row.started_at, row.ended_at, row.seconds)
        };
        page.items.into_iter().map(told).collect::<Vec<_>>()
    };
    let one = "PAY-1".to_owned();
    let done = || ("Done".to_owned(), Some("Done".to_owned()));
    let (status, step) = done();
    // A status that Jira forgot goes by its name in the changelog, and counts nowhere.
    let old = (one.clone(), "To Do".to_owned(), None, at(1), Some(at(500)), Some(499.0));
    let now = (one, status, step, at(500), None, None);
    let (status, step) = done();
    let unchanged = ("PAY-2".to_owned(), status, step, at(2), None, None);
    assert_eq!(all(Filter::default()).await, [old.clone(), now.clone(), unchanged.clone()]);

    let of = |state: &str| Filter { state: Some(state.to_owned()), ..Filter::default() };
    assert_eq!(all(of("to do")).await, [old]);
    let late = Filter { updated_since: Some(at(501)), ..Filter::default() };
    assert_eq!(all(late).await, [now.clone(), unchanged.clone()]);
    let elsewhere = Filter { project: Some("OPS".to_owned()), ..Filter::default() };
    assert_eq!(all(elsewhere).await, []);

    house.jira_says(Page { deleted_issues: vec![1], ..Page::default() }).await;
    assert_eq!(all(Filter::default()).await, [unchanged]);
    let with_deleted = Filter { with_deleted: true, ..Filter::default() };
    assert_eq!(all(with_deleted).await.len(), 3);
}

async fn issues_are_followed_as_if_and_nothing_is_kept(house: &House) {
    let mut late = issue(3);
    late.updated_at = at(2_000);
    house.jira_says(Page { issues: vec![issue(1), issue(2), late], ..jira_page() }).await;
    let workflow = |name: &str| Workflow {
        id: WorkflowId(Uuid::now_v7()),
        scope: None,
        name: name.to_owned(),
        active: true,
        version: 1,
    };
    let put = |row| Change::PutWorkflow(Put { row, seen: Seen::New });
    let follow = |changes, since| {
        house.metrics.follow(house.client, changes, at(since), Everywhere::default())
    };
    let unchanged = follow(Vec::new(), 2_000).await;
    let unchanged = unchanged.unwrap();
    assert_eq!(unchanged.seen.iter().map(|issue| issue.id).collect::<Vec<_>>(), [3]);

    let step = house.workflows.of_client(house.client).await.unwrap().steps[0].clone();
    let renamed = domain::workflow::WorkflowStep { name: "Queue".to_owned(), ..step };
    let rename =
        Change::PutStep { put: Put { row: renamed, seen: Seen::Any }, moves_commitment: false };
    let changed = follow(vec![rename], 0).await.unwrap();
    assert_eq!(changed.seen.len(), 3);
    assert_eq!(changed.ground.unwrap().configuration.steps[0].name, "Queue");
    assert!(house.workflows.of_client(house.client).await.unwrap().is_default());

    let twins = follow(vec![put(workflow("A")), put(workflow("a"))], 0).await;
    assert!(matches!(twins, Err(store::Error::Workflow(_))));
}

//! Workflows: what was changed is read back, and the database holds the rules that it can.

use domain::facts::Facts as Page;
use domain::ids::{
    ClientId, IntegrationId, IssueTypeMappingId, StatusMappingId, WorkflowId, WorkflowStepId,
};
use domain::project::StatusCategory;
use domain::workflow::{
    Change, Configuration, Delete, IssueTypeMapping, Put, Refused, Seen, StatusMapping,
    StepCategory, Workflow, WorkflowStep,
};
use store::Error;
use store::metrics::{IncidentFact, Publication};
use store::workflows::{Moves, StatusInUse, Through};
use uuid::Uuid;

use crate::flow::Everywhere;
use crate::house::House;
use crate::metrics::publication;
use crate::nouns::*;

contract! {
    a_client_without_workflows_goes_by_the_default,
    what_was_changed_is_read_back,
    changes_come_all_or_not_at_all,
    a_mark_moves_in_one_transaction,
    marks_of_what_is_deleted_go_to_its_heir,
    nobody_reaches_workflows_of_another_client,
    statuses_are_told_with_the_issues_in_them,
    moves_are_counted_by_the_names_of_their_ends,
    who_passed_is_counted_apart_from_who_stands,
}

fn workflow(scope: Option<IntegrationId>) -> Workflow {
    Workflow {
        id: WorkflowId(Uuid::now_v7()),
        scope,
        name: "Kanban".to_owned(),
        active: true,
        version: 1,
    }
}

fn step(workflow: &Workflow, name: &str, category: StepCategory) -> WorkflowStep {
    WorkflowStep {
        id: WorkflowStepId(Uuid::now_v7()),
        workflow: workflow.id,
        scope: workflow.scope,
        name: name.to_owned(),
        position: 0,
        category,
        waiting: false,
        commitment: false,
        takes: None,
        active: true,
        version: 1,
    }
}

fn new<R>(row: R) -> Put<R> {
    Put { row, seen: Seen::New }
}

fn put_step(row: WorkflowStep) -> Change {
    Change::PutStep { put: new(row), moves_commitment: false }
}

fn mapping(status: &str, step: &WorkflowStep) -> StatusMapping {
    StatusMapping {
        id: StatusMappingId(Uuid::now_v7()),
        scope: step.scope,
        issue_type: Some("Bug".to_owned()),
        status: status.to_owned(),
        step: step.id,
        active: true,
        version: 1,
    }
}

fn issue_type(name: &str, level: i32, parent: Option<IssueTypeMappingId>) -> IssueTypeMapping {
    IssueTypeMapping {
        id: IssueTypeMappingId(Uuid::now_v7()),
        scope: None,
        issue_type: name.to_owned(),
        mapped_to: name.to_owned(),
        hierarchy_level: level,
        parent,
        workflow: None,
        active: true,
        version: 1,
    }
}

/// A workflow of the Jira connection, with everything that can hang on one.
pub async fn kanban(house: &House) -> Configuration {
    let flow = workflow(Some(house.jira));
    let backlog = step(&flow, "Backlog", StepCategory::ToDo);
    let backlog = WorkflowStep { takes: Some(StatusCategory::ToDo), ..backlog };
    let doing = step(&flow, "Doing", StepCategory::InProgress);
    let doing = WorkflowStep { commitment: true, ..doing };
    let epic = issue_type("Epic", 1, None);
    let story = IssueTypeMapping {
        scope: Some(house.jira),
        workflow: Some(flow.id),
        ..issue_type("Story", 0, Some(epic.id))
    };
    let changes = vec![
        Change::PutWorkflow(new(flow.clone())),
        put_step(backlog),
        put_step(doing.clone()),
        put_step(step(&flow, "Done", StepCategory::Done)),
        Change::PutStatusMapping(new(mapping("In Progress", &doing))),
        Change::PutIssueTypeMapping(new(epic)),
        Change::PutIssueTypeMapping(new(story)),
    ];
    house.workflows.change(house.client, changes).await.unwrap()
}

fn refused(result: Result<Configuration, Error>) -> Refused {
    match result {
        Err(Error::Workflow(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

async fn a_client_without_workflows_goes_by_the_default(house: &House) {
    let unsaid = house.workflows.of_client(house.client).await.unwrap();
    assert!(unsaid.is_default());
    let again = house.workflows.of_client(house.client).await.unwrap();
    assert_eq!(unsaid, again, "its ids stay");
    assert_eq!(unsaid.connections.len(), 1, "only Jira has statuses");

    // Whoever maps to a step of the default makes it theirs.
    let to_default = StatusMapping { scope: None, ..mapping("Open", &unsaid.steps[0]) };
    let settled =
        house.workflows.change(house.client, vec![Change::PutStatusMapping(new(to_default))]);
    let settled = settled.await.unwrap();
    assert_eq!(settled.steps, unsaid.steps);
    assert_eq!(house.workflows.of_client(house.client).await.unwrap(), settled);
}

async fn what_was_changed_is_read_back(house: &House) {
    let made = kanban(house).await;
    assert_eq!(house.workflows.of_client(house.client).await.unwrap(), made);

    let renamed = Workflow { name: "Ours".to_owned(), active: false, ..made.workflows[0].clone() };
    let backlog = WorkflowStep { takes: None, position: 1, ..made.steps[0].clone() };
    let unmapped = made.status_mappings[0].id;
    let story = made.issue_type_mappings.iter().find(|row| row.issue_type == "Story").unwrap().id;
    let changes = vec![
        Change::PutWorkflow(Put { row: renamed, seen: Seen::Version(1) }),
        Change::PutStep { put: Put { row: backlog, seen: Seen::Any }, moves_commitment: false },
        Change::DeleteStatusMapping(Delete { id: unmapped, seen: Seen::Any, reassign_to: None }),
        Change::DeleteIssueTypeMapping(Delete { id: story, seen: Seen::Any, reassign_to: None }),
    ];
    let changed = house.workflows.change(house.client, changes).await.unwrap();
    assert_eq!(house.workflows.of_client(house.client).await.unwrap(), changed);
    assert_eq!((changed.workflows[0].version, changed.status_mappings.len()), (2, 0));

    let delete = Delete { id: changed.workflows[0].id, seen: Seen::Version(2), reassign_to: None };
    house.workflows.change(house.client, vec![Change::DeleteWorkflow(delete)]).await.unwrap();
    assert!(house.workflows.of_client(house.client).await.unwrap().is_default());
}

async fn changes_come_all_or_not_at_all(house: &House) {
    let flow = workflow(None);
    let odd = step(&workflow(None), "Nowhere", StepCategory::ToDo);
    let changes = vec![Change::PutWorkflow(new(flow)), put_step(odd)];
    let refusal = refused(house.workflows.change(house.client, changes).await);
    assert_eq!(refusal, Refused::Missing { noun: "workflow" });
    assert!(house.workflows.of_client(house.client).await.unwrap().is_default());
}

async fn a_mark_moves_in_one_transaction(house: &House) {
    let made = kanban(house).await;
    let backlog = WorkflowStep { commitment: true, ..made.steps[0].clone() };
    let put = Put { row: backlog, seen: Seen::Any };
    let change = |moves_commitment| Change::PutStep { put: put.clone(), moves_commitment };
    let refusal = refused(house.workflows.change(house.client, vec![change(false)]).await);
    assert!(matches!(refusal, Refused::SecondCommitment(present) if present.step == "Doing"));
    house.workflows.change(house.client, vec![change(true)]).await.unwrap();
    let kept = house.workflows.of_client(house.client).await.unwrap();
    let marked: Vec<_> = kept.steps.iter().filter(|s| s.commitment).map(|s| &s.name).collect();
    assert_eq!(marked, ["Backlog"]);
}

async fn marks_of_what_is_deleted_go_to_its_heir(house: &House) {
    let made = kanban(house).await;
    let [backlog, doing] = [0, 1].map(|at| made.steps[at].clone());
    let needed = Delete { id: doing.id, seen: Seen::Any, reassign_to: Some(made.steps[2].id) };
    let refusal =
        refused(house.workflows.change(house.client, vec![Change::DeleteStep(needed)]).await);
    assert!(matches!(refusal, Refused::CommitmentNeeded(present) if present.step == "Doing"));
    assert_eq!(house.workflows.of_client(house.client).await.unwrap(), made);

    // Backlog gets the commitment point, and gives what it took of Jira to a new step.
    let gone = Delete { id: doing.id, seen: Seen::Any, reassign_to: Some(backlog.id) };
    let idle = WorkflowStep { takes: None, position: 1, ..backlog.clone() };
    let idle = Put { row: idle, seen: Seen::Any };
    let taker = step(&made.workflows[0], "Inbox", StepCategory::ToDo);
    let taker = WorkflowStep { takes: backlog.takes, position: 1, ..taker };
    let changes = vec![
        Change::PutStep { put: idle, moves_commitment: false },
        put_step(taker),
        Change::DeleteStep(gone),
    ];
    let changed = house.workflows.change(house.client, changes).await.unwrap();
    assert_eq!(house.workflows.of_client(house.client).await.unwrap(), changed);
    let marks = changed.steps.iter().map(|s| (&*s.name, s.commitment, s.takes.is_some()));
    let marks: Vec<_> = marks.collect();
    assert_eq!(marks, [("Inbox", false, true), ("Backlog", true, false), ("Done", false, false)]);
}

async fn nobody_reaches_workflows_of_another_client(house: &House) {
    let made = kanban(house).await;
    let (other, ..) = house.add_client("globex").await;
    assert!(house.workflows.of_client(other).await.unwrap().is_default());
    let theirs = made.workflows[0].clone();
    let attempts = [
        Change::PutWorkflow(Put {
            row: Workflow { scope: None, ..theirs.clone() },
            seen: Seen::Any,
        }),
        Change::PutWorkflow(new(workflow(Some(house.jira)))),
        put_step(step(&theirs, "Mine", StepCategory::ToDo)),
        Change::PutStatusMapping(new(StatusMapping {
            scope: None,
            ..mapping("Open", &made.steps[0])
        })),
        Change::DeleteStep(Delete { id: made.steps[0].id, seen: Seen::Any, reassign_to: None }),
        Change::DeleteWorkflow(Delete { id: theirs.id, seen: Seen::Any, reassign_to: None }),
    ];
    for change in attempts {
        let refusal = refused(house.workflows.change(other, vec![change.clone()]).await);
        assert!(matches!(refusal, Refused::Missing { .. }), "{change:?}: {refusal}");
    }
    assert_eq!(house.workflows.of_client(house.client).await.unwrap(), made);
}

async fn statuses_are_told_with_the_issues_in_them(house: &House) {
    house.jira_says(all_of_jira()).await;
    let idle = domain::project::Status {
        external_id: 77,
        name: "Idle".to_owned(),
        category: StatusCategory::ToDo,
    };
    house.jira_says(Page { statuses: vec![idle], ..Page::default() }).await;
    let in_use = house.workflows.statuses_in_use(house.client).await.unwrap();
    let expected = |issue_type: Option<&str>, status: &str, category, issues| StatusInUse {
        integration: house.jira,
        issue_type: issue_type.map(str::to_owned),
        status: status.to_owned(),
        category,
        issues,
    };
    assert_eq!(
        in_use,
        [
            expected(Some("Story"), "Done", StatusCategory::Done, 2),
            expected(None, "Idle", StatusCategory::ToDo, 0),
        ]
    );
    let nobody = ClientId(Uuid::now_v7());
    assert_eq!(house.workflows.statuses_in_use(nobody).await.unwrap(), []);
}

async fn moves_are_counted_by_the_names_of_their_ends(house: &House) {
    let mut label = change(2, 200, 0);
    label.field = "labels".to_owned();
    house.jira_says(Page { changes: vec![label], ..all_of_jira() }).await;
    let mut back = change(1, 300, 0);
    (back.from_string, back.to_string) = (back.to_string, back.from_string);
    house.jira_says(Page { changes: vec![change(1, 299, 0), back], ..Page::default() }).await;
    let moves = |from: &str, to: &str, count| Moves {
        integration: house.jira,
        from: from.to_owned(),
        to: to.to_owned(),
        count,
    };
    let told = house.workflows.moves(house.client).await.unwrap();
    assert_eq!(told, [moves("Done", "To Do", 1), moves("To Do", "Done", 1)]);
    let (other, ..) = house.add_client("globex").await;
    assert_eq!(house.workflows.moves(other).await.unwrap(), []);
}

async fn who_passed_is_counted_apart_from_who_stands(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.github_says(all_of_github()).await;
    let through = |issue_type: &str, statuses: &[&str]| Through {
        integration: house.jira,
        issue_types: vec![issue_type.to_owned()],
        statuses: statuses.iter().map(|status| (*status).to_owned()).collect(),
    };
    // Both left To Do, and both are done.
    let passed = async |ways| house.workflows.passed(house.client, ways).await.unwrap();
    assert_eq!(passed(vec![through("Story", &["To Do"])]).await, 2);
    assert_eq!(passed(vec![through("Story", &["To Do", "Done"])]).await, 0);
    assert_eq!(passed(vec![through("Story", &["Done"])]).await, 0);
    assert_eq!(passed(vec![through("Bug", &["To Do"])]).await, 0);
    let both = vec![through("Bug", &["To Do"]), through("Story", &["To Do"])];
    assert_eq!(passed(both.clone()).await, 2);
    let (other, ..) = house.add_client("globex").await;
    assert_eq!(house.workflows.passed(other, both).await.unwrap(), 0);

    let incident =
        IncidentFact { integration: house.jira, issue: 1, started_at: at(0), cause: None };
    let publication = Publication { incidents: vec![incident], ..publication(house, 20) };
    house.publish(publication, Everywhere::default()).await.unwrap();
    let incidents = async |ways| house.workflows.incidents(house.client, ways).await.unwrap();
    assert_eq!(incidents(vec![through("Story", &["Done"])]).await, 1);
    assert_eq!(incidents(vec![through("Story", &["To Do"])]).await, 0);
    assert_eq!(incidents(vec![through("Bug", &["Done"])]).await, 0);
}

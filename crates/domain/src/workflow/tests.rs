//! What may be changed, what may not and why, and where a status leads.

mod commitment;
mod reassignment;

use uuid::Uuid;

use super::*;
use crate::project::StatusCategory as Jira;

const JIRA: IntegrationId = IntegrationId(Uuid::from_u128(100));
const OTHER: IntegrationId = IntegrationId(Uuid::from_u128(101));
const FLOW: WorkflowId = WorkflowId(Uuid::from_u128(200));

fn step_id(n: u128) -> WorkflowStepId {
    WorkflowStepId(Uuid::from_u128(300 + n))
}

fn connection(id: IntegrationId, name: &str) -> Connection {
    Connection { id, name: name.to_owned(), active: true }
}

fn unsaid() -> Configuration {
    let client = ClientId(Uuid::from_u128(0xC11E27));
    Configuration::unsaid(client, vec![connection(JIRA, "Jira"), connection(OTHER, "Other")])
}

fn workflow(id: WorkflowId, scope: Scope, name: &str) -> Workflow {
    Workflow { id, scope, name: name.to_owned(), active: true, version: 0 }
}

fn step(n: u128, name: &str, category: StepCategory) -> WorkflowStep {
    WorkflowStep {
        id: step_id(n),
        workflow: FLOW,
        scope: None,
        name: name.to_owned(),
        position: 0,
        category,
        waiting: false,
        commitment: false,
        takes: None,
        active: true,
        version: 0,
    }
}

fn mapping(n: u128, status: &str, step: WorkflowStepId) -> StatusMapping {
    StatusMapping {
        id: StatusMappingId(Uuid::from_u128(400 + n)),
        scope: None,
        issue_type: None,
        status: status.to_owned(),
        step,
        active: true,
        version: 0,
    }
}

fn issue_type(n: u128, name: &str, level: i32) -> IssueTypeMapping {
    IssueTypeMapping {
        id: type_id(n),
        scope: None,
        issue_type: name.to_owned(),
        mapped_to: name.to_owned(),
        hierarchy_level: level,
        parent: None,
        workflow: None,
        active: true,
        version: 0,
    }
}

fn type_id(n: u128) -> IssueTypeMappingId {
    IssueTypeMappingId(Uuid::from_u128(500 + n))
}

fn new<R>(row: R) -> Put<R> {
    Put { row, seen: Seen::New }
}

fn put_step(row: WorkflowStep) -> Change {
    Change::PutStep { put: new(row), moves_commitment: false }
}

/// Backlog, Doing (the commitment point), Done, Dropped.
fn kanban() -> Configuration {
    use StepCategory::{Discarded, Done, InProgress, ToDo};
    let doing = WorkflowStep { commitment: true, ..step(2, "Doing", InProgress) };
    [
        Change::PutWorkflow(new(workflow(FLOW, None, "Kanban"))),
        put_step(step(1, "Backlog", ToDo)),
        put_step(doing),
        put_step(step(3, "Done", Done)),
        put_step(step(4, "Dropped", Discarded)),
    ]
    .into_iter()
    .fold(unsaid(), |known, change| known.apply(change).unwrap())
}

fn names(configuration: &Configuration) -> Vec<(&str, i32)> {
    configuration.steps.iter().map(|step| (step.name.as_str(), step.position)).collect()
}

fn invalid_field(refused: &Refused) -> &str {
    match refused {
        Refused::Invalid { field, .. } => field,
        other => panic!("{other}"),
    }
}

#[test]
fn the_default_places_every_status_and_gives_way_to_the_first_workflow_made() {
    let unsaid = unsaid();
    assert!(unsaid.is_default());
    let places = Places::new(&unsaid);
    let cases = [(Jira::ToDo, "To Do"), (Jira::InProgress, "In Progress"), (Jira::Done, "Done")];
    for (category, name) in cases {
        assert_eq!(places.step(JIRA, "Bug", "Whatever", Some(category)).unwrap().name, name);
    }
    assert_eq!(places.step(JIRA, "Bug", "Gone", None), Err(Excluded::UnmappedStatus));

    let kanban = kanban();
    assert!(!kanban.is_default());
    assert_eq!(names(&kanban), [("Backlog", 1), ("Doing", 2), ("Done", 3), ("Dropped", 4)]);

    // One that was touched is theirs and stays.
    let default = unsaid.workflows[0].clone();
    let renamed = Workflow { name: "Ours".to_owned(), ..default };
    let touched = unsaid.apply(Change::PutWorkflow(Put { row: renamed, seen: Seen::Any })).unwrap();
    assert!(!touched.is_default());
    let both = touched.apply(Change::PutWorkflow(new(workflow(FLOW, None, "Kanban")))).unwrap();
    assert_eq!(both.workflows.len(), 2);
    assert_eq!(both.steps.len(), 3);
}

#[test]
fn steps_stand_in_the_order_in_which_work_goes() {
    let kanban = kanban();
    let review = WorkflowStep { position: 3, ..step(5, "Review", StepCategory::InProgress) };
    let longer = kanban.apply(put_step(review.clone())).unwrap();
    let expected = [("Backlog", 1), ("Doing", 2), ("Review", 3), ("Done", 4), ("Dropped", 5)];
    assert_eq!(names(&longer), expected);
    for (position, expected) in
        [(5, "position"), (1, "position"), (9, "position"), (-1, "position")]
    {
        let misplaced = WorkflowStep { position, ..review.clone() };
        let refused = kanban.apply(put_step(misplaced)).unwrap_err();
        assert_eq!(invalid_field(&refused), expected, "{position}");
    }
}

#[test]
fn a_step_in_use_goes_only_with_a_place_for_what_hangs_on_it() {
    let kanban = kanban();
    let used =
        kanban.apply(Change::PutStatusMapping(new(mapping(1, "Doing", step_id(2))))).unwrap();
    let delete = |reassign_to| {
        used.apply(Change::DeleteStep(Delete { id: step_id(2), seen: Seen::Any, reassign_to }))
    };
    assert_eq!(delete(None).unwrap_err().to_string(), "\"Doing\" is in use: 1 status mapping");
    assert_eq!(invalid_field(&delete(Some(step_id(2))).unwrap_err()), "reassign_to");
    assert_eq!(delete(Some(step_id(77))), Err(Refused::Missing { noun: "workflow step" }));
    let moved = delete(Some(step_id(1))).unwrap();
    assert_eq!(moved.status_mappings[0].step, step_id(1));
    assert_eq!(moved.status_mappings[0].version, 2);
    assert_eq!(names(&moved), [("Backlog", 1), ("Done", 2), ("Dropped", 3)]);
    assert!(moved.steps[0].commitment, "the mark goes with the mappings");
}

#[test]
fn a_workflow_goes_with_its_mappings_led_to_steps_of_the_same_category() {
    let kanban = kanban();
    let other = WorkflowId(Uuid::from_u128(201));
    let start = WorkflowStep { workflow: other, ..step(6, "Start", StepCategory::ToDo) };
    let work = WorkflowStep { workflow: other, ..step(7, "Work", StepCategory::InProgress) };
    let both = kanban
        .apply(Change::PutWorkflow(new(workflow(other, None, "Other"))))
        .and_then(|known| known.apply_all([put_step(start), put_step(work)]))
        .and_then(|known| known.apply(Change::PutStatusMapping(new(mapping(1, "New", step_id(1))))))
        .unwrap();
    let delete = |known: &Configuration, id, reassign_to| {
        known.apply(Change::DeleteWorkflow(Delete { id, seen: Seen::Any, reassign_to }))
    };
    assert!(matches!(delete(&both, FLOW, None), Err(Refused::InUse { .. })));
    let gone = delete(&both, FLOW, Some(other)).unwrap();
    assert_eq!((gone.workflows.len(), gone.steps.len()), (1, 2));
    assert_eq!(gone.status_mappings[0].step, step_id(6));

    let done = both.apply(Change::PutStatusMapping(new(mapping(2, "Over", step_id(3))))).unwrap();
    let refused = delete(&done, FLOW, Some(other)).unwrap_err();
    assert!(matches!(refused, Refused::NoCounterpart { category: StepCategory::Done, .. }));

    // Without any workflow the default holds again.
    let none = delete(&kanban, FLOW, None).unwrap();
    assert!(none.is_default());
    assert_eq!(delete(&none, none.workflows[0].id, None), Err(Refused::IsDefault));
}

#[test]
fn what_was_changed_meanwhile_or_is_not_ours_is_refused() {
    let kanban = kanban();
    let row = kanban.workflows[0].clone();
    let put = |row: Workflow, seen| kanban.apply(Change::PutWorkflow(Put { row, seen }));
    assert_eq!(put(row.clone(), Seen::Version(7)), Err(Refused::Stale { noun: "workflow" }));
    assert_eq!(put(row.clone(), Seen::Version(1)).unwrap().workflows[0].version, 2);
    let foreign = Workflow { id: WorkflowId(Uuid::from_u128(999)), ..row.clone() };
    let foreign = Workflow { name: "Theirs".to_owned(), ..foreign };
    assert_eq!(put(foreign, Seen::Any), Err(Refused::Missing { noun: "workflow" }));
    let scoped = Workflow { scope: Some(JIRA), ..row };
    assert_eq!(invalid_field(&put(scoped, Seen::Any).unwrap_err()), "integration_id");
    let elsewhere = workflow(WorkflowId(Uuid::from_u128(1)), Some(IntegrationId(Uuid::nil())), "X");
    assert_eq!(put(elsewhere, Seen::New), Err(Refused::Missing { noun: "integration" }));
}

#[test]
fn names_are_taken_whatever_their_case() {
    let kanban = kanban();
    let twin = workflow(WorkflowId(Uuid::from_u128(201)), None, " KANBAN ");
    let taken = |change| matches!(kanban.apply(change), Err(Refused::Taken { .. }));
    assert!(taken(Change::PutWorkflow(new(twin))));
    assert!(taken(put_step(step(9, "backlog", StepCategory::ToDo))));
    let mapped =
        kanban.apply(Change::PutStatusMapping(new(mapping(1, "Open", step_id(1))))).unwrap();
    let again = Change::PutStatusMapping(new(mapping(2, "OPEN", step_id(2))));
    assert!(matches!(mapped.apply(again), Err(Refused::Taken { .. })));
    let typed =
        StatusMapping { issue_type: Some("Bug".to_owned()), ..mapping(2, "OPEN", step_id(2)) };
    assert!(mapped.apply(Change::PutStatusMapping(new(typed))).is_ok());
}

#[test]
fn a_hierarchy_has_no_circles_and_levels_go_down() {
    let put = |known: &Configuration, row| known.apply(Change::PutIssueTypeMapping(new(row)));
    let epic = put(&unsaid(), issue_type(1, "Epic", 1)).unwrap();
    let story = IssueTypeMapping { parent: Some(type_id(1)), ..issue_type(2, "Story", 0) };
    let both = put(&epic, story.clone()).unwrap();
    assert!(both.is_default(), "types alone make no workflow");

    let level = IssueTypeMapping { hierarchy_level: 1, ..story };
    assert_eq!(invalid_field(&put(&epic, level).unwrap_err()), "hierarchy_level");
    let row = IssueTypeMapping { parent: Some(type_id(2)), ..both.issue_type_mappings[0].clone() };
    let circle = both.apply(Change::PutIssueTypeMapping(Put { row, seen: Seen::Any }));
    assert_eq!(invalid_field(&circle.unwrap_err()), "parent_id");
    let own = IssueTypeMapping { parent: Some(type_id(3)), ..issue_type(3, "Task", 0) };
    assert_eq!(invalid_field(&put(&both, own).unwrap_err()), "parent_id");

    let theme = put(&both, issue_type(4, "Theme", 2)).unwrap();
    let delete = |reassign_to| {
        let delete = Delete { id: type_id(1), seen: Seen::Any, reassign_to };
        theme.apply(Change::DeleteIssueTypeMapping(delete))
    };
    assert!(matches!(delete(None), Err(Refused::InUse { .. })));
    assert_eq!(delete(Some(type_id(4))).unwrap().issue_type_mappings[0].parent, Some(type_id(4)));
    assert_eq!(invalid_field(&delete(Some(type_id(2))).unwrap_err()), "parent_id");
}

#[test]
fn mappings_reach_only_what_holds_where_they_do() {
    let own = WorkflowId(Uuid::from_u128(201));
    let todo = WorkflowStep { workflow: own, ..step(9, "Start", StepCategory::ToDo) };
    let known = kanban()
        .apply(Change::PutWorkflow(new(workflow(own, Some(JIRA), "Own"))))
        .and_then(|known| known.apply(put_step(todo)))
        .unwrap();
    let put = |scope| {
        let row = StatusMapping { scope, ..mapping(1, "Open", step_id(9)) };
        known.apply(Change::PutStatusMapping(new(row)))
    };
    assert!(put(Some(JIRA)).is_ok());
    assert_eq!(invalid_field(&put(None).unwrap_err()), "step_id");
    assert_eq!(invalid_field(&put(Some(OTHER)).unwrap_err()), "step_id");
}

#[test]
fn the_most_specific_mapping_wins() {
    let of = |n, scope, issue_type: Option<&str>, step| StatusMapping {
        scope,
        issue_type: issue_type.map(str::to_owned),
        ..mapping(n, "Open", step_id(step))
    };
    let all = [
        of(1, None, None, 1),
        of(2, None, Some("Bug"), 2),
        of(3, Some(JIRA), None, 3),
        of(4, Some(JIRA), Some("Bug"), 4),
    ];
    let mut known = kanban();
    let at = |known: &Configuration, integration, issue_type: &str| {
        Places::new(known).step(integration, issue_type, " oPEN", None).map(|step| step.id)
    };
    assert_eq!(at(&known, JIRA, "bug"), Err(Excluded::UnmappedStatus));
    let expected = [
        [(JIRA, "bug", 1), (OTHER, "bug", 1), (JIRA, "Story", 1)],
        [(JIRA, "bug", 2), (OTHER, "bug", 2), (JIRA, "Story", 1)],
        [(JIRA, "bug", 3), (OTHER, "bug", 2), (JIRA, "Story", 3)],
        [(JIRA, "bug", 4), (OTHER, "bug", 2), (JIRA, "Story", 3)],
    ];
    for (mapping, expected) in all.into_iter().zip(expected) {
        known = known.apply(Change::PutStatusMapping(new(mapping))).unwrap();
        for (integration, issue_type, step) in expected {
            assert_eq!(at(&known, integration, issue_type), Ok(step_id(step)), "{issue_type}");
        }
    }
    // A type by another name here finds the mapping of that name, too.
    let defect = IssueTypeMapping { mapped_to: "Bug".to_owned(), ..issue_type(1, "Defect", 0) };
    let known = known.apply(Change::PutIssueTypeMapping(new(defect))).unwrap();
    assert_eq!(at(&known, OTHER, "defect"), Ok(step_id(2)));
}

#[test]
fn the_first_inactive_level_keeps_an_issue_out() {
    let type_with =
        |active, workflow| IssueTypeMapping { active, workflow, ..issue_type(1, "Bug", 0) };
    let known = |type_active, mapping_active, workflow_active, step_active| {
        let mut known = kanban();
        known.issue_type_mappings = vec![type_with(type_active, None)];
        let open = mapping(1, "Open", step_id(1));
        known.status_mappings = vec![StatusMapping { active: mapping_active, ..open }];
        known.workflows[0].active = workflow_active;
        known.steps[0].active = step_active;
        known
    };
    let cases = [
        (known(false, false, false, false), Excluded::InactiveIssueTypeMapping),
        (known(true, false, false, false), Excluded::InactiveStatusMapping),
        (known(true, true, false, false), Excluded::InactiveWorkflow),
        (known(true, true, true, false), Excluded::InactiveWorkflowStep),
    ];
    for (known, expected) in cases {
        assert_eq!(Places::new(&known).step(JIRA, "Bug", "Open", None), Err(expected));
    }
    assert!(Places::new(&known(true, true, true, true)).step(JIRA, "Bug", "Open", None).is_ok());

    // A type that goes its own way is not placed by mappings into another.
    let mut elsewhere = known(true, true, true, true);
    elsewhere.issue_type_mappings = vec![type_with(true, Some(WorkflowId(Uuid::nil())))];
    let placed = Places::new(&elsewhere).step(JIRA, "Bug", "Open", None);
    assert_eq!(placed, Err(Excluded::UnmappedStatus));
}

//! What takes the place of what is deleted must be able to.

use super::*;

const OTHER_FLOW: WorkflowId = WorkflowId(Uuid::from_u128(201));

/// Kanban with a status in Backlog, and another workflow with a step of that category.
fn two() -> Configuration {
    let start = WorkflowStep { workflow: OTHER_FLOW, ..step(6, "Start", StepCategory::ToDo) };
    let changes = [
        Change::PutWorkflow(new(workflow(OTHER_FLOW, None, "Other"))),
        put_step(start),
        Change::PutStatusMapping(new(mapping(1, "Open", step_id(1)))),
    ];
    kanban().apply_all(changes).unwrap()
}

fn reason(refused: &Refused) -> &str {
    match refused {
        Refused::Invalid { field: "reassign_to", reason } => reason,
        other => panic!("{other}"),
    }
}

fn lead_step(known: &Configuration, to: u128) -> Result<Configuration, Refused> {
    let reassign_to = Some(step_id(to));
    known.apply(Change::DeleteStep(Delete { id: step_id(1), seen: Seen::Any, reassign_to }))
}

fn lead_workflow(known: &Configuration) -> Result<Configuration, Refused> {
    let (id, reassign_to) = (OTHER_FLOW, Some(FLOW));
    known.apply(Change::DeleteWorkflow(Delete { id, seen: Seen::Any, reassign_to }))
}

#[test]
fn nothing_is_led_to_where_it_would_not_count() {
    let is_off = |name: &str| {
        format!(
            "\"{name}\" is switched off, so nothing that goes there would count; \
             switch it on first, or choose another"
        )
    };
    let known = two();
    assert!(lead_step(&known, 6).is_ok() && lead_workflow(&known).is_ok());

    let mut step_off = known.clone();
    step_off.steps.iter_mut().find(|step| step.id == step_id(6)).unwrap().active = false;
    assert_eq!(reason(&lead_step(&step_off, 6).unwrap_err()), is_off("Start"));

    let mut workflow_off = known.clone();
    workflow_off.workflows[1].active = false;
    assert_eq!(reason(&lead_step(&workflow_off, 6).unwrap_err()), is_off("Other"));

    let mut kanban_off = known;
    kanban_off.workflows[0].active = false;
    assert_eq!(reason(&lead_workflow(&kanban_off).unwrap_err()), is_off("Kanban"));

    let mut types = unsaid();
    let story = IssueTypeMapping { parent: Some(type_id(1)), ..issue_type(2, "Story", 0) };
    let theme = IssueTypeMapping { active: false, ..issue_type(3, "Theme", 2) };
    types.issue_type_mappings = vec![issue_type(1, "Epic", 1), story, theme];
    let delete = Delete { id: type_id(1), seen: Seen::Any, reassign_to: Some(type_id(3)) };
    let refused = types.apply(Change::DeleteIssueTypeMapping(delete)).unwrap_err();
    assert_eq!(reason(&refused), is_off("Theme"));
}

#[test]
fn a_status_is_not_led_out_of_the_only_workflow_of_a_type() {
    let bound = |scope, workflow| IssueTypeMapping {
        scope,
        mapped_to: "Defect".to_owned(),
        workflow,
        ..issue_type(1, "Bug", 0)
    };
    let with = |of_type: IssueTypeMapping, scope, name: Option<&str>| {
        let mut known = two();
        known.issue_type_mappings = vec![of_type];
        known.status_mappings[0].scope = scope;
        known.status_mappings[0].issue_type = name.map(str::to_owned);
        known
    };
    let here = Some(FLOW);
    let skipped = [
        (bound(None, here), None, None),
        (bound(None, here), None, Some("bug")),
        (bound(None, here), None, Some("DEFECT")),
        (bound(Some(JIRA), here), None, None),
        (bound(Some(JIRA), here), Some(JIRA), None),
        (bound(None, here), Some(JIRA), None),
    ];
    for (of_type, scope, name) in skipped {
        let known = with(of_type, scope, name);
        let refused = lead_step(&known, 6).unwrap_err();
        assert_eq!(
            reason(&refused),
            "issues of the type \"Bug\" go through the workflow \"Kanban\" only, \
             so \"Open\" must be led to one of its steps"
        );
        assert!(lead_step(&known, 2).is_ok(), "another step of that workflow will do");
    }
    let heeded = [
        (bound(None, None), None, None),
        (bound(None, Some(OTHER_FLOW)), None, None),
        (bound(None, here), None, Some("Story")),
        (bound(Some(OTHER), here), Some(JIRA), None),
    ];
    for (of_type, scope, name) in heeded {
        let case = format!("{of_type:?} {scope:?} {name:?}");
        assert!(lead_step(&with(of_type, scope, name), 6).is_ok(), "{case}");
    }
}

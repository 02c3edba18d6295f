//! The commitment point: one in each scope, and none is lost.

use super::*;

const OWN: WorkflowId = WorkflowId(Uuid::from_u128(201));

fn put(row: &WorkflowStep, change: impl FnOnce(&mut WorkflowStep)) -> Change {
    let mut row = row.clone();
    change(&mut row);
    Change::PutStep { put: Put { row, seen: Seen::Any }, moves_commitment: false }
}

fn unmark(row: &WorkflowStep) -> Change {
    put(row, |step| step.commitment = false)
}

fn mark(row: &WorkflowStep) -> Change {
    put(row, |step| step.commitment = true)
}

fn delete_step(id: WorkflowStepId, reassign_to: Option<WorkflowStepId>) -> Change {
    Change::DeleteStep(Delete { id, seen: Seen::Any, reassign_to })
}

fn delete_workflow(id: WorkflowId, reassign_to: Option<WorkflowId>) -> Change {
    Change::DeleteWorkflow(Delete { id, seen: Seen::Any, reassign_to })
}

fn switch_off(workflow: &Workflow) -> Change {
    let row = Workflow { active: false, ..workflow.clone() };
    Change::PutWorkflow(Put { row, seen: Seen::Any })
}

/// Kanban, and another workflow beside it: Start, Work, Over.
fn two(scope: Scope) -> Configuration {
    use StepCategory::{Done, InProgress, ToDo};
    let named = [(6, "Start", ToDo), (7, "Work", InProgress), (8, "Over", Done)];
    let steps = named.map(|(n, name, category)| {
        put_step(WorkflowStep { workflow: OWN, ..step(n, name, category) })
    });
    let own = Change::PutWorkflow(new(workflow(OWN, scope, "Own")));
    kanban().apply_all([own].into_iter().chain(steps)).unwrap()
}

fn marked(known: &Configuration) -> Vec<&str> {
    known.steps.iter().filter(|step| step.commitment).map(|step| step.name.as_str()).collect()
}

#[test]
fn a_second_commitment_point_is_refused_by_the_name_of_the_first_and_can_be_moved() {
    let kanban = kanban();
    let second = WorkflowStep { commitment: true, ..kanban.steps[0].clone() };
    let put = Put { row: second, seen: Seen::Any };
    let refused = kanban.apply(Change::PutStep { put: put.clone(), moves_commitment: false });
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the commitment point of all connections is \"Doing\" of the workflow \"Kanban\"; \
         there can be only one"
    );
    let moved = kanban.apply(Change::PutStep { put, moves_commitment: true }).unwrap();
    let marked: Vec<_> = moved.steps.iter().filter(|s| s.commitment).map(|s| &s.name).collect();
    assert_eq!(marked, ["Backlog"]);

    // Another connection has one of its own.
    let own = WorkflowId(Uuid::from_u128(201));
    let apart = kanban.apply(Change::PutWorkflow(new(workflow(own, Some(JIRA), "Own")))).unwrap();
    let doing = step(9, "Doing", StepCategory::InProgress);
    let doing = WorkflowStep { workflow: own, commitment: true, ..doing };
    let apart = apart.apply(put_step(doing)).unwrap();
    assert_eq!(apart.steps.iter().filter(|step| step.commitment).count(), 2);

    let late = WorkflowStep { commitment: true, ..step(9, "Over", StepCategory::Done) };
    assert_eq!(invalid_field(&kanban.apply(put_step(late)).unwrap_err()), "commitment_point");
}

#[test]
fn a_scope_never_loses_its_commitment_point_while_steps_of_it_count() {
    let known = two(None);
    let at = |n: u128| known.step(step_id(n)).unwrap();
    let (backlog, doing, start, work) = (at(1), at(2), at(6), at(7));
    let other_off = switch_off(&known.workflows[1]);
    let refused: &[(&str, &[Change])] = &[
        ("unmarked", &[unmark(doing)]),
        ("deleted", &[delete_step(step_id(2), None)]),
        ("led to a step that is over", &[delete_step(step_id(2), Some(step_id(3)))]),
        ("led to where work is given up", &[delete_step(step_id(2), Some(step_id(4)))]),
        ("switched off", &[put(doing, |step| step.active = false)]),
        ("its workflow switched off", &[switch_off(&known.workflows[0])]),
        ("its workflow deleted", &[delete_workflow(FLOW, None)]),
        (
            "moved to a step that is off",
            &[unmark(doing), put(backlog, |step| (step.commitment, step.active) = (true, false))],
        ),
        ("moved to a workflow that is off", &[other_off.clone(), unmark(doing), mark(work)]),
        (
            "moved, and then the heir deleted",
            &[unmark(doing), mark(backlog), delete_step(step_id(1), None)],
        ),
    ];
    for (case, changes) in refused {
        let refused = known.apply_all(changes.iter().cloned()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the commitment point of all connections is \"Doing\" of the workflow \"Kanban\"; \
             mark another step first, for while there are steps there must be one",
            "{case}"
        );
        let Refused::CommitmentNeeded(present) = refused else { panic!("{case}: {refused}") };
        assert_eq!((present.step_id, present.workflow_id), (step_id(2), FLOW), "{case}");
    }

    let allowed: &[(&str, &[Change], &[&str])] = &[
        ("taken, then given", &[unmark(doing), mark(backlog)], &["Backlog"]),
        ("given, then taken", &[mark(backlog), unmark(doing)], &["Backlog"]),
        ("given to another workflow", &[mark(work), unmark(doing)], &["Work"]),
        ("led to a step before", &[delete_step(step_id(2), Some(step_id(1)))], &["Backlog"]),
        ("led to another workflow", &[delete_step(step_id(2), Some(step_id(6)))], &["Start"]),
        ("deleted, and another marked", &[delete_step(step_id(2), None), mark(start)], &["Start"]),
        ("its workflow led elsewhere", &[delete_workflow(FLOW, Some(OWN))], &["Work"]),
        ("the other workflow deleted", &[delete_workflow(OWN, None)], &["Doing"]),
        ("the other workflow switched off", &[other_off], &["Doing"]),
        ("renamed", &[put(doing, |step| step.name = "Busy".to_owned())], &["Busy"]),
        (
            "no step counts any more",
            &[switch_off(&known.workflows[0]), switch_off(&known.workflows[1])],
            &["Doing"],
        ),
        // The default comes back, and its mark with it.
        (
            "no workflow is left",
            &[delete_workflow(FLOW, None), delete_workflow(OWN, None)],
            &["In Progress"],
        ),
    ];
    for (case, changes, expected) in allowed {
        let after = known.apply_all(changes.iter().cloned());
        let after = after.unwrap_or_else(|refused| panic!("{case}: {refused}"));
        assert_eq!(marked(&after), *expected, "{case}");
    }
}

#[test]
fn a_step_that_could_not_commit_inherits_no_mark_with_the_workflow() {
    let work_off = put(two(None).step(step_id(7)).unwrap(), |step| step.active = false);
    let known = two(None).apply(work_off).unwrap();
    let refused = known.apply(delete_workflow(FLOW, Some(OWN))).unwrap_err();
    assert!(matches!(refused, Refused::CommitmentNeeded(_)), "{refused}");

    // What holds for one connection has no place for the mark of all.
    let apart = two(Some(JIRA));
    let gone = apart.apply(delete_workflow(FLOW, Some(OWN))).unwrap();
    assert_eq!(marked(&gone), [] as [&str; 0], "all connections have no steps any more");
}

#[test]
fn each_scope_keeps_its_own_mark() {
    let known = two(Some(JIRA));
    let with_own = known.apply(mark(known.step(step_id(6)).unwrap())).unwrap();
    assert_eq!(marked(&with_own), ["Doing", "Start"]);
    let refused = with_own.apply(unmark(with_own.step(step_id(6)).unwrap())).unwrap_err();
    assert!(refused.to_string().starts_with("the commitment point of the connection \"Jira\""));
    assert_eq!(marked(&with_own.apply(delete_workflow(OWN, None)).unwrap()), ["Doing"]);
}

#[test]
fn a_scope_without_a_mark_needs_none_until_it_has_one() {
    // The default had one, but nobody chose it.
    let flow = Change::PutWorkflow(new(workflow(FLOW, None, "Kanban")));
    let first = [flow, put_step(step(1, "Backlog", StepCategory::ToDo))];
    let begun = unsaid().apply_all(first).unwrap();
    assert_eq!(marked(&begun), [] as [&str; 0]);
    let grown = begun.apply(put_step(step(2, "Doing", StepCategory::InProgress))).unwrap();
    let chosen = grown.apply(mark(grown.step(step_id(2)).unwrap())).unwrap();
    assert_eq!(marked(&chosen), ["Doing"]);

    // Whoever edits the default keeps it.
    let unsaid = unsaid();
    let refused = unsaid.apply(unmark(&unsaid.steps[1])).unwrap_err();
    assert!(matches!(refused, Refused::CommitmentNeeded(_)), "{refused}");
}

#[test]
fn steps_that_count_again_need_the_mark_that_was_switched_off_with_them() {
    let known = kanban();
    let off = known.apply(switch_off(&known.workflows[0])).unwrap();
    assert_eq!(marked(&off), ["Doing"]);
    let own = Change::PutWorkflow(new(workflow(OWN, None, "Own")));
    let work = WorkflowStep { workflow: OWN, ..step(7, "Work", StepCategory::InProgress) };
    let unmarked = off.apply_all([own.clone(), put_step(work.clone())]).unwrap_err();
    assert!(matches!(unmarked, Refused::CommitmentNeeded(_)), "{unmarked}");
    let heir = WorkflowStep { commitment: true, ..work };
    let heir = Change::PutStep { put: new(heir), moves_commitment: true };
    assert_eq!(marked(&off.apply_all([own, heir]).unwrap()), ["Work"]);
}

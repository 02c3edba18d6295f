//! Runs go from step to step by counting, and end in exactly one way.

use chrono::TimeDelta;
use domain::job::{JobState, JobType};
use domain::progress::StepProgress;
use domain::work::{
    Gap, Outcome, Slice, Step, StepState, TaskKind, Topic, Trigger, WATERMARK_OVERLAP,
};
use store::Error;
use store::jobs::RunKey;
use store::work::{Command, Release};

use super::{Yard, since};
use crate::house::House;
use crate::nouns::*;

contract! {
    a_run_goes_from_a_click_to_its_last_step,
    a_step_ends_when_its_last_task_has,
    steps_go_side_by_side_and_the_next_waits_for_all,
    when_a_step_fails_the_one_beside_it_goes_on_next_time,
    finishing_twice_changes_nothing,
    a_paused_job_waits_and_never_finishes,
    a_paused_job_does_not_block_the_other,
    a_stopped_run_leaves_its_checkpoints,
    a_stopped_job_that_never_ran_is_not_started,
    what_cannot_be_read_is_a_gap,
    a_scope_with_a_gap_goes_on_at_its_checkpoint,
    a_step_of_which_nothing_can_be_read_fails,
    a_fatal_task_fails_the_run_at_once,
    a_failure_while_paused_waits_for_the_resume,
    a_complete_scope_is_read_from_its_watermark,
    a_watermark_is_by_the_clock_that_is_behind,
    runs_are_listed_newest_first,
    old_runs_are_forgotten_and_the_newest_kept,
    facts_are_whole_when_the_last_run_has_finished_and_none_is_under_way,
    another_client_sees_nothing,
    commands_are_refused_with_the_reason,
    a_new_client_lives_in_the_usual_zone_and_a_known_one_keeps_its_own,
}

use JobType::{GitSync, JiraSync};

fn unreadable(detail: &str) -> Release {
    Release::Unreadable { detail: detail.to_owned() }
}

async fn a_run_goes_from_a_click_to_its_last_step(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 100).await;
    let job = yard.job(JiraSync).await;
    assert_eq!(
        (job.state, job.progress(), job.step()),
        (JobState::Running, Some(3), Some(Step::Projects)),
        "the statuses have nothing to do"
    );

    yard.work_off(110).await;
    let job = yard.job(JiraSync).await;
    assert_eq!((job.state, job.progress(), job.step()), (JobState::Finished, None, None));
    assert_eq!((job.last_success_at, job.last_run, job.error), (Some(at(110)), Some(run), None));

    let run = house.jobs.run(yard.client, run).await.unwrap();
    assert_eq!(
        (run.outcome, run.trigger, run.attempt),
        (Some(Outcome::Finished), Trigger::Manual, 1)
    );
    assert_eq!((run.started_at, run.finished_at), (at(100), Some(at(110))));
    let steps: Vec<_> = run.steps.iter().map(|of| (of.step, of.state, of.tasks_done)).collect();
    assert_eq!(
        steps,
        [
            (Step::Projects, StepState::Done, 1),
            (Step::Statuses, StepState::Skipped, 0),
            (Step::Issues, StepState::Done, 3),
            (Step::Sprints, StepState::Skipped, 0),
            (Step::Deletions, StepState::Skipped, 0),
            (Step::Links, StepState::Skipped, 0),
            (Step::Metrics, StepState::Done, 1),
        ]
    );
    let told = house.jobs.events_of_run(yard.client, run.id, 0, 100).await.unwrap();
    let statuses: Vec<_> = told.iter().map(|event| status_of(&event.body)).collect();
    assert_eq!(statuses, ["RUNNING", "FINISHED"]);
}

fn status_of(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["status"].as_str().unwrap().to_owned()
}

async fn a_step_ends_when_its_last_task_has(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    let leases = yard.issues(0).await;
    assert_eq!(leases.len(), 3);
    for (done, lease) in leases.iter().enumerate() {
        assert_eq!(yard.step(JiraSync, Step::Issues).await, StepState::Running);
        assert_eq!(yard.rung().await, []);
        let counted = yard.job(JiraSync).await.steps[2];
        let expected = StepProgress { tasks_total: 3, tasks_done: done as u64, ..counted };
        assert_eq!(counted, expected);
        yard.finish(lease.fence, 1).await;
    }
    assert_eq!(yard.step(JiraSync, Step::Issues).await, StepState::Done);
    assert_eq!(yard.step(JiraSync, Step::Metrics).await, StepState::Running);
    assert_eq!(yard.rung().await.len(), 1);
}

async fn steps_go_side_by_side_and_the_next_waits_for_all(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(GitSync, 0).await;
    let leases = yard.issues(0).await;
    let kinds: Vec<_> = leases.iter().map(|lease| lease.task.kind).collect();
    let [pulls, deployments] = [Step::PullRequests, Step::Deployments].map(TaskKind::Step);
    assert_eq!(kinds, [pulls, pulls, pulls, deployments]);

    use StepState::{Done, Pending, Running, Skipped};
    let expected = [
        (3, [Running, Done, Skipped, Pending]),
        (0, [Running, Done, Skipped, Pending]),
        (1, [Running, Done, Skipped, Pending]),
        (2, [Done, Done, Skipped, Running]),
    ];
    let steps = [Step::PullRequests, Step::Deployments, Step::Commits, Step::Metrics];
    for (finished, expected) in expected {
        yard.finish(leases[finished].fence, 1).await;
        for (step, state) in steps.into_iter().zip(expected) {
            assert_eq!(yard.step(GitSync, step).await, state, "{step:?} after {finished}");
        }
    }
    assert_eq!(yard.rung().await.len(), 1, "the metrics, once");
}

async fn when_a_step_fails_the_one_beside_it_goes_on_next_time(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(GitSync, 0).await;
    let leases = yard.issues(0).await;
    let fatal = Release::Fatal { detail: "GitHub refused the token.".to_owned() };
    yard.work.release(leases[3].fence, &fatal, at(1)).await.unwrap();
    assert_eq!(yard.state(GitSync).await, JobState::Error);
    assert_eq!(yard.step(GitSync, Step::Deployments).await, StepState::Failed);
    assert_eq!(yard.step(GitSync, Step::PullRequests).await, StepState::Pending);
    let kept = yard.work.finish(leases[0].fence, &[], "", at(1)).await;
    assert!(matches!(kept, Err(Error::LostLease { .. })), "{kept:?}");

    yard.start(GitSync, 2).await;
    yard.work_off(3).await;
    assert_eq!(yard.state(GitSync).await, JobState::Finished);
}

async fn finishing_twice_changes_nothing(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    let leases = yard.issues(0).await;
    for _ in 0..5 {
        yard.finish(leases[0].fence, 1).await;
    }
    assert_eq!(yard.job(JiraSync).await.steps[2].tasks_done, 1);
    assert_eq!(yard.state(JiraSync).await, JobState::Running);
}

async fn a_paused_job_waits_and_never_finishes(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    let leases = yard.issues(0).await;
    yard.finish(leases[0].fence, 1).await;
    assert_eq!(yard.command(JiraSync, Command::Pause, 2).await, JobState::Paused);
    assert_eq!(yard.job(JiraSync).await.pending_command(), Some("pause"));

    // One worker comes to a page boundary, another to its end.
    yard.work.release(leases[1].fence, &Release::Paused, at(3)).await.unwrap();
    yard.finish(leases[2].fence, 3).await;
    assert_eq!(yard.job(JiraSync).await.pending_command(), None);
    assert_eq!(yard.begin(leases[1].task.id, 4).await, None, "nobody may go on");
    assert_eq!(yard.work.ring_unheard(Topic::Jira, at(1_000), at(1_000)).await.unwrap(), 0);

    assert_eq!(yard.command(JiraSync, Command::Resume, 5).await, JobState::Running);
    assert!(yard.rung().await.contains(&leases[1].task.id));
    let lease = yard.begin(leases[1].task.id, 5).await.unwrap();
    yard.command(JiraSync, Command::Pause, 6).await;
    yard.finish(lease.fence, 7).await;
    assert_eq!(yard.step(JiraSync, Step::Metrics).await, StepState::Pending);
    assert_eq!(yard.state(JiraSync).await, JobState::Paused);

    yard.command(JiraSync, Command::Resume, 8).await;
    yard.work_off(9).await;
    let job = yard.job(JiraSync).await;
    assert_eq!((job.state, job.last_run), (JobState::Finished, Some(run)));
}

async fn a_paused_job_does_not_block_the_other(house: &House) {
    let yard = Yard::new(house).await;
    let jira = yard.start(JiraSync, 0).await;
    yard.command(JiraSync, Command::Pause, 1).await;
    yard.start(GitSync, 2).await;
    assert_eq!(yard.state(GitSync).await, JobState::Running);

    assert_eq!(yard.command(JiraSync, Command::Resume, 3).await, JobState::Pending);
    assert_eq!(yard.work.dispatch(yard.client, at(4)).await.unwrap(), None);
    yard.command(GitSync, Command::Stop, 5).await;
    assert_eq!(yard.dispatch(6).await, jira, "the run goes on");
    yard.work_off(7).await;
    assert_eq!(yard.state(JiraSync).await, JobState::Finished);
}

async fn a_stopped_run_leaves_its_checkpoints(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    let leases = yard.issues(0).await;
    // Project 2 is complete, the second slice of project 1 is half read.
    yard.finish(leases[2].fence, 5).await;
    yard.keep_cursor(&leases[1], "page 9", 6).await;
    assert_eq!(yard.command(JiraSync, Command::Stop, 7).await, JobState::NotStarted);

    let lost = yard.work.finish(leases[0].fence, &[], "", at(8)).await;
    assert!(matches!(lost, Err(Error::LostLease { .. })), "{lost:?}");
    assert_eq!(yard.begin(leases[0].task.id, 100).await, None);
    let stopped = house.jobs.run(yard.client, run).await.unwrap();
    assert_eq!((stopped.outcome, stopped.finished_at), (Some(Outcome::Stopped), Some(at(7))));

    yard.start(JiraSync, 1_000).await;
    let again = yard.issues(1_000).await;
    let begun: Vec<_> =
        again.iter().map(|lease| (lease.task.slice, lease.task.cursor.as_str())).collect();
    let half = Some(at(-1_000));
    assert_eq!(
        begun,
        [
            (Slice { created_to: half, ..Slice::default() }, ""),
            (Slice { created_from: half, ..Slice::default() }, "page 9"),
            (since(at(0) - WATERMARK_OVERLAP), ""),
        ]
    );

    // What changed between the first page and now was not seen: the watermark is that old.
    for lease in again {
        yard.finish(lease.fence, 1_010).await;
    }
    yard.work_off(1_020).await;
    yard.start(JiraSync, 2_000).await;
    let slices: Vec<_> =
        yard.issues(2_000).await.into_iter().map(|lease| lease.task.slice).collect();
    assert_eq!(slices, [since(at(0) - WATERMARK_OVERLAP), since(at(1_000) - WATERMARK_OVERLAP)]);
}

async fn a_stopped_job_that_never_ran_is_not_started(house: &House) {
    let yard = Yard::new(house).await;
    yard.command(GitSync, Command::Run, 0).await;
    assert_eq!(yard.command(GitSync, Command::Stop, 1).await, JobState::NotStarted);
    assert_eq!(yard.work.dispatch(yard.client, at(2)).await.unwrap(), None);
    assert_eq!(yard.job(GitSync).await.last_run, None);
}

async fn what_cannot_be_read_is_a_gap(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    let leases = yard.issues(0).await;
    yard.work
        .release(leases[2].fence, &unreadable("403: no Browse permission"), at(1))
        .await
        .unwrap();
    let gap = Gap { scope: "PAY-311".to_owned(), reason: "it makes no sense".to_owned() };
    yard.work.finish(leases[0].fence, std::slice::from_ref(&gap), "", at(2)).await.unwrap();
    yard.finish(leases[1].fence, 3).await;
    yard.work_off(4).await;

    let run = house.jobs.run(yard.client, run).await.unwrap();
    assert_eq!(run.outcome, Some(Outcome::Finished));
    let reason = "403: no Browse permission".to_owned();
    assert_eq!(run.gaps, [Gap { scope: "2".to_owned(), reason }, gap]);
    assert_eq!(run.steps[2].tasks_done, 3);

    // A scope with a gap has no watermark: it is read from its beginning again.
    yard.start(JiraSync, 5_000).await;
    let slices: Vec<_> =
        yard.issues(5_000).await.into_iter().map(|lease| lease.task.slice).collect();
    assert_eq!(slices, [since(at(0) - WATERMARK_OVERLAP), Slice::default()]);
}

async fn a_scope_with_a_gap_goes_on_at_its_checkpoint(house: &House) {
    let yard = Yard::new(house).await;
    let mut found = Vec::new();
    for time in 0..5 {
        let second = 1_000 * time;
        yard.start(JiraSync, second).await;
        let leases = yard.issues(second).await;
        let lease = leases.last().unwrap();
        found.push((lease.task.slice, lease.task.cursor.clone()));
        if time == 0 || time == 2 {
            yard.keep_cursor(lease, "page 9", second).await;
        }
        let release = unreadable("page 9 makes no sense");
        match time {
            0..3 => drop(yard.work.release(lease.fence, &release, at(second)).await.unwrap()),
            _ => yard.finish(lease.fence, second).await,
        }
        for lease in &leases[..leases.len() - 1] {
            yard.finish(lease.fence, second).await;
        }
        yard.work_off(second).await;
        assert_eq!(yard.state(JiraSync).await, JobState::Finished);
    }
    let whole = |cursor: &str| (Slice::default(), cursor.to_owned());
    let expected = [
        whole(""),
        whole("page 9"),
        whole(""), // Going on had brought nothing, so it is read anew.
        whole("page 9"),
        // Now it is complete: what was read anew was read from the third run on.
        (since(at(2_000) - WATERMARK_OVERLAP), String::new()),
    ];
    assert_eq!(found, expected);
}

async fn a_step_of_which_nothing_can_be_read_fails(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    for lease in yard.issues(0).await {
        yard.work.release(lease.fence, &unreadable("403"), at(1)).await.unwrap();
    }
    let job = yard.job(JiraSync).await;
    assert_eq!(job.state, JobState::Error);
    assert_eq!(job.error.as_deref(), Some("None of the issues could be read. 403"));
    assert_eq!(job.steps[2].state, StepState::Failed);
}

async fn a_fatal_task_fails_the_run_at_once(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    let leases = yard.issues(0).await;
    let fatal = Release::Fatal { detail: "Jira refused the token.".to_owned() };
    yard.work.release(leases[1].fence, &fatal, at(10)).await.unwrap();

    let job = yard.job(JiraSync).await;
    assert_eq!(
        (job.state, job.error.as_deref()),
        (JobState::Error, Some("Jira refused the token."))
    );
    assert_eq!(job.next_run_at, Some(at(10) + TimeDelta::minutes(15)), "the retry is sooner");
    let run = house.jobs.run(yard.client, run).await.unwrap();
    assert_eq!((run.outcome, run.error), (Some(Outcome::Error), job.error));
    for lease in &leases {
        let kept = yard.work.finish(lease.fence, &[], "", at(11)).await;
        assert!(matches!(kept, Err(Error::LostLease { .. })), "{kept:?}");
    }
}

async fn a_failure_while_paused_waits_for_the_resume(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    let leases = yard.issues(0).await;
    yard.command(JiraSync, Command::Pause, 1).await;
    let fatal = Release::Fatal { detail: "gone".to_owned() };
    yard.work.release(leases[0].fence, &fatal, at(2)).await.unwrap();
    assert_eq!(yard.state(JiraSync).await, JobState::Paused);
    assert_eq!(yard.command(JiraSync, Command::Resume, 3).await, JobState::Error);
}

async fn a_complete_scope_is_read_from_its_watermark(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    yard.work_off(50).await;
    yard.start(JiraSync, 3_600).await;
    let slices: Vec<_> =
        yard.issues(3_600).await.into_iter().map(|lease| lease.task.slice).collect();
    let read_to = since(at(0) - WATERMARK_OVERLAP);
    assert_eq!(slices, [read_to, read_to]);
}

/// The source dates edits by its own clock, so a watermark ahead of it would hide some.
async fn a_watermark_is_by_the_clock_that_is_behind(house: &House) {
    const QUARTER: i64 = 900;
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    let leases = yard.issues(1).await;
    yard.keep_at(&leases[0], ["", "done"], 2, Some(at(2 + QUARTER))).await;
    yard.keep_at(&leases[1], ["", "page 2"], 2, Some(at(2 + QUARTER))).await;
    yard.keep_at(&leases[1], ["page 2", "done"], 3, Some(at(3 + QUARTER))).await;
    yard.keep_at(&leases[2], ["", "page 2"], 4, Some(at(4 - QUARTER))).await;
    yard.keep_at(&leases[2], ["page 2", "done"], 5, Some(at(5 - QUARTER))).await;
    for lease in leases {
        yard.finish(lease.fence, 6).await;
    }
    yard.work_off(7).await;

    yard.start(JiraSync, 3_600).await;
    let slices: Vec<_> =
        yard.issues(3_600).await.into_iter().map(|lease| lease.task.slice).collect();
    let read_to = |second| since(at(second) - WATERMARK_OVERLAP);
    assert_eq!(slices, [read_to(0), read_to(4 - QUARTER)]);
}

async fn runs_are_listed_newest_first(house: &House) {
    let yard = Yard::new(house).await;
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.insert(0, yard.start(JiraSync, number).await);
        yard.command(JiraSync, Command::Stop, number).await;
        yard.rung().await;
    }
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = house.jobs.runs(yard.client, JiraSync, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(RunKey { started_at: last.started_at, id: last.id });
        listed.extend(page.into_iter().map(|run| run.id));
    }
    assert_eq!(listed, expected);
    assert_eq!(house.jobs.runs(yard.client, GitSync, None, 2).await.unwrap(), []);
}

async fn old_runs_are_forgotten_and_the_newest_kept(house: &House) {
    let yard = Yard::new(house).await;
    let mut runs = Vec::new();
    for number in 0..75 {
        runs.push(yard.start(JiraSync, number).await);
        match number {
            // Of the oldest there is something of everything.
            0 => {
                let leases = yard.issues(number).await;
                yard.work.release(leases[0].fence, &unreadable("403"), at(number)).await.unwrap();
            }
            // The last leaves a checkpoint.
            74 => yard.keep_cursor(&yard.issues(number).await[1], "page 9", number).await,
            _ => {}
        }
        yard.command(JiraSync, Command::Stop, number).await;
        yard.rung().await;
    }
    assert!(!yard.work.clients_with_old_runs(at(0)).await.unwrap().contains(&yard.client));
    assert!(yard.work.clients_with_old_runs(at(1)).await.unwrap().contains(&yard.client));
    assert_eq!(yard.work.forget_runs(yard.client, at(1)).await.unwrap(), 1);
    assert_eq!(yard.work.forget_runs(yard.client, at(1)).await.unwrap(), 0);
    assert_eq!(yard.work.forget_runs(yard.client, at(10_000)).await.unwrap(), 54);

    let listed = house.jobs.runs(yard.client, JiraSync, None, 100).await.unwrap();
    let listed: Vec<_> = listed.into_iter().rev().map(|run| run.id).collect();
    assert_eq!(listed, runs[55..]);
    yard.start(JiraSync, 20_000).await;
    let cursors: Vec<_> =
        yard.issues(20_000).await.into_iter().map(|lease| lease.task.cursor).collect();
    assert_eq!(cursors, ["", "page 9", ""], "the next run goes on all the same");
}

async fn facts_are_whole_when_the_last_run_has_finished_and_none_is_under_way(house: &House) {
    let yard = Yard::new(house).await;
    let is_whole = async || house.metrics.facts_are_whole(yard.client).await.unwrap();
    assert!(is_whole().await, "nothing was read that could be half of something");
    yard.start(JiraSync, 100).await;
    assert!(!is_whole().await);
    yard.command(JiraSync, Command::Pause, 101).await;
    yard.start(GitSync, 102).await;
    yard.work_off(103).await;
    assert_eq!(yard.state(GitSync).await, JobState::Finished);
    assert!(!is_whole().await, "the other one is held halfway");
    yard.command(JiraSync, Command::Stop, 104).await;
    assert!(!is_whole().await, "nobody published what a stopped run read");
    yard.start(JiraSync, 105).await;
    yard.work_off(106).await;
    assert!(is_whole().await);
}

async fn another_client_sees_nothing(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    let (stranger, ..) = house.add_client("stranger").await;
    let seen = house.jobs.run(stranger, run).await;
    assert!(matches!(seen, Err(Error::Missing { .. })), "{seen:?}");
    let told = house.jobs.events_of_run(stranger, run, 0, 10).await;
    assert!(matches!(told, Err(Error::Missing { .. })), "{told:?}");
    assert_eq!(house.jobs.events(stranger, 0, 10).await.unwrap(), []);
    assert_eq!(house.jobs.newest_event(stranger).await.unwrap(), 0);
}

async fn commands_are_refused_with_the_reason(house: &House) {
    let yard = Yard::new(house).await;
    for command in [Command::Pause, Command::Resume, Command::Stop, Command::Retry] {
        let refused = yard.work.command(yard.client, JiraSync, command, at(0)).await;
        let Err(Error::Refused(refused)) = refused else { panic!("{command:?}: {refused:?}") };
        assert_eq!(refused.state, JobState::NotStarted);
    }
    let nobody = domain::ids::ClientId(uuid::Uuid::from_u128(1));
    let missing = yard.work.command(nobody, JiraSync, Command::Run, at(0)).await;
    assert!(matches!(missing, Err(Error::Missing { .. })), "{missing:?}");

    let bare = yard.work.ensure_client(nobody, "bare", "Bare", at(0)).await.unwrap();
    let unconnected = yard.work.command(bare.id, JiraSync, Command::Run, at(0)).await;
    assert!(matches!(unconnected, Err(Error::Unconnected { .. })), "{unconnected:?}");
    let again = yard
        .work
        .ensure_client(domain::ids::ClientId(uuid::Uuid::from_u128(2)), "bare", "Bare!", at(9))
        .await;
    assert_eq!(again.unwrap().id, bare.id, "it is known");
    let jobs = house.jobs.of_client(bare.id, at(0)).await.unwrap();
    let states: Vec<_> = jobs.iter().map(|job| (job.job_type, job.state)).collect();
    assert_eq!(states, [(JiraSync, JobState::NotStarted), (GitSync, JobState::NotStarted)]);
}

async fn a_new_client_lives_in_the_usual_zone_and_a_known_one_keeps_its_own(house: &House) {
    let yard = Yard::new(house).await;
    let work = yard.work.clone().in_zone("Europe/Berlin");
    for (external_id, zone) in [("new", "Europe/Berlin"), ("acme", "UTC")] {
        let id = domain::ids::ClientId(uuid::Uuid::now_v7());
        let client = work.ensure_client(id, external_id, "Somebody", at(0)).await.unwrap();
        let (schedule, _) = house.jobs.schedule(client.id).await.unwrap();
        assert_eq!(schedule.timezone, zone, "{external_id}");
    }
}

//! What breaks again and again is put aside with its reason, and a person can have it done again.

use domain::job::{JobState, JobType};
use domain::work::{Gap, Outcome, Step, StepState};
use store::Error;
use store::work::{Lease, Release};

use super::Yard;
use crate::house::House;
use crate::nouns::at;

contract! {
    what_breaks_five_times_is_put_aside_and_the_run_goes_on,
    a_task_that_loses_five_workers_is_put_aside,
    a_replay_while_the_step_is_under_way_is_done_at_once,
    a_replay_after_the_run_goes_on_where_the_task_ended,
    a_replay_is_refused_with_the_reason,
}

use JobType::JiraSync;

const WHY: &str = "the extractor broke off";

fn broken() -> Release {
    Release::Broken { detail: WHY.to_owned() }
}

/// Breaks a task off until it is put aside.
async fn break_for_good(yard: &Yard<'_>, first: &Lease) {
    let mut fence = first.fence;
    for second in [100, 200, 300, 400] {
        yard.work.release(fence, &broken(), at(second - 50)).await.unwrap();
        fence = yard.begin(first.task.id, second).await.unwrap().fence;
    }
    yard.work.release(fence, &broken(), at(450)).await.unwrap();
}

async fn finish_all(yard: &Yard<'_>, leases: &[Lease]) {
    for lease in leases {
        yard.finish(lease.fence, 500).await;
    }
    yard.work_off(510).await;
}

async fn what_breaks_five_times_is_put_aside_and_the_run_goes_on(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    let leases = yard.issues(10).await;
    break_for_good(&yard, &leases[0]).await;
    assert_eq!(yard.state(JiraSync).await, JobState::Running);
    finish_all(&yard, &leases[1..]).await;

    let run = house.jobs.run(yard.client, run).await.unwrap();
    assert_eq!(run.outcome, Some(Outcome::Finished));
    assert_eq!(run.gaps, [Gap { scope: "1".to_owned(), reason: WHY.to_owned() }]);
    let aside: Vec<_> = run.aside.iter().map(|of| (of.task, of.step, of.reason.as_str())).collect();
    assert_eq!(aside, [(leases[0].task.id, Step::Issues, WHY)]);
}

async fn a_task_that_loses_five_workers_is_put_aside(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    let leases = yard.issues(10).await;
    let mut fence = leases[0].fence;
    for times in 1..=5 {
        yard.work.expire(fence, at(times * 100)).await.unwrap().unwrap();
        if times < 5 {
            fence = yard.begin(leases[0].task.id, times * 100).await.unwrap().fence;
        }
    }
    finish_all(&yard, &leases[1..]).await;
    let run = house.jobs.run(yard.client, run).await.unwrap();
    assert_eq!(run.outcome, Some(Outcome::Finished));
    assert!(run.aside[0].reason.contains("5 times"), "{:?}", run.aside);
}

async fn a_replay_while_the_step_is_under_way_is_done_at_once(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    let leases = yard.issues(10).await;
    yard.keep_cursor(&leases[0], "page 7", 20).await;
    break_for_good(&yard, &leases[0]).await;
    yard.rung().await;

    let task = leases[0].task.id;
    let job = yard.work.replay(yard.client, run, task, at(460)).await.unwrap();
    assert_eq!(job.state, JobState::Running);
    assert_eq!(yard.rung().await, [task]);
    let again = yard.begin(task, 460).await.unwrap();
    assert_eq!(again.task.cursor, "page 7");
    let view = house.jobs.run(yard.client, run).await.unwrap();
    assert_eq!((view.gaps, view.aside), (Vec::new(), Vec::new()));

    finish_all(&yard, &leases[1..]).await;
    assert_eq!(yard.step(JiraSync, Step::Issues).await, StepState::Running, "it is not done yet");
    finish_all(&yard, &[again]).await;
    assert_eq!(yard.state(JiraSync).await, JobState::Finished);
}

async fn a_replay_after_the_run_goes_on_where_the_task_ended(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    let leases = yard.issues(10).await;
    yard.keep_cursor(&leases[0], "page 7", 20).await;
    break_for_good(&yard, &leases[0]).await;
    finish_all(&yard, &leases[1..]).await;

    let task = leases[0].task.id;
    let job = yard.work.replay(yard.client, run, task, at(600)).await.unwrap();
    assert_eq!(job.state, JobState::Pending);
    let second = yard.dispatch(610).await;
    assert_ne!(second, run);
    let cursors: Vec<_> =
        yard.issues(620).await.into_iter().map(|lease| lease.task.cursor).collect();
    assert!(cursors.contains(&"page 7".to_owned()), "{cursors:?}");
}

async fn a_replay_is_refused_with_the_reason(house: &House) {
    let yard = Yard::new(house).await;
    let run = yard.start(JiraSync, 0).await;
    let leases = yard.issues(10).await;
    let why = async |client, task| match yard.work.replay(client, run, task, at(460)).await {
        Err(Error::NotReplayable { why }) => why.to_owned(),
        Err(error @ Error::Missing { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let not_aside = why(yard.client, leases[1].task.id).await;
    assert!(not_aside.contains("put aside"), "{not_aside}");
    let (other, _, _) = house.add_client("another").await;
    assert_eq!(why(other, leases[0].task.id).await, "there is no such run");

    break_for_good(&yard, &leases[0]).await;
    for lease in &leases[1..] {
        yard.finish(lease.fence, 500).await;
    }
    assert_eq!(yard.step(JiraSync, Step::Issues).await, StepState::Done);
    let gone_on = why(yard.client, leases[0].task.id).await;
    assert!(gone_on.contains("gone on"), "{gone_on}");
}

//! What is due happens once: not skipped by a restart, not doubled by a second orchestrator.

use chrono::TimeDelta;
use domain::job::{JobState, JobType};
use domain::schedule::{Retry, Schedule};
use domain::work::Trigger;
use store::work::{Command, Release};

use super::Yard;
use crate::house::House;
use crate::nouns::at;

contract! {
    a_cycle_starts_once_however_many_try,
    cycles_that_were_slept_through_are_one,
    a_cycle_leaves_alone_what_is_under_way_or_unconnected,
    a_schedule_that_is_off_starts_nothing,
    a_new_interval_starts_now_and_an_old_one_keeps_its_grid,
    jira_comes_first_and_git_waits_for_the_slot,
    of_many_dispatchers_one_gives_the_slot_away,
    a_failed_job_is_retried_until_its_attempts_are_used_up,
    a_success_makes_attempts_count_anew,
    retries_that_are_switched_off_are_forgotten,
}

use JobType::{GitSync, JiraSync};

const HOUR: i64 = 3_600;

async fn start_cycle(yard: &Yard<'_>, second: i64) -> Vec<JobType> {
    let jobs = yard.work.start_cycle(yard.client, at(second)).await.unwrap();
    jobs.into_iter().map(|job| job.job_type).collect()
}

async fn fail(yard: &Yard<'_>, second: i64) {
    let task = yard.rung().await[0];
    let lease = yard.begin(task, second).await.unwrap();
    let fatal = Release::Fatal { detail: "gone".to_owned() };
    yard.work.release(lease.fence, &fatal, at(second)).await.unwrap();
}

async fn a_cycle_starts_once_however_many_try(house: &House) {
    let yard = Yard::new(house).await;
    assert!(!yard.work.due_cycles(at(HOUR - 1)).await.unwrap().contains(&yard.client));
    assert_eq!(start_cycle(&yard, HOUR - 1).await, []);
    assert!(yard.work.due_cycles(at(HOUR)).await.unwrap().contains(&yard.client));

    let mut orchestrators = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (work, client) = (yard.work.clone(), yard.client);
        orchestrators.spawn(async move { work.start_cycle(client, at(HOUR)).await.unwrap() });
    }
    let started: Vec<_> = orchestrators.join_all().await.into_iter().flatten().collect();
    let started: Vec<_> = started.into_iter().map(|job| job.job_type).collect();
    assert_eq!(started, [JiraSync, GitSync]);
    assert_eq!(yard.state(GitSync).await, JobState::Pending);
}

async fn cycles_that_were_slept_through_are_one(house: &House) {
    let yard = Yard::new(house).await;
    assert_eq!(start_cycle(&yard, 5 * HOUR + 100).await, [JiraSync, GitSync]);
    assert_eq!(house.jobs.schedule(yard.client).await.unwrap().1, at(6 * HOUR));
    yard.command(JiraSync, Command::Stop, 5 * HOUR + 101).await;
    assert_eq!(start_cycle(&yard, 6 * HOUR - 1).await, []);
    assert_eq!(start_cycle(&yard, 6 * HOUR).await, [JiraSync]);
}

async fn a_cycle_leaves_alone_what_is_under_way_or_unconnected(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    assert_eq!(start_cycle(&yard, HOUR).await, [GitSync]);
    yard.command(JiraSync, Command::Pause, HOUR).await;
    assert_eq!(start_cycle(&yard, 2 * HOUR).await, []);
    assert_eq!(yard.state(JiraSync).await, JobState::Paused);

    let bare = domain::ids::ClientId(uuid::Uuid::now_v7());
    let bare = yard.work.ensure_client(bare, "bare", "Bare", at(0)).await.unwrap().id;
    assert_eq!(yard.work.start_cycle(bare, at(HOUR)).await.unwrap(), []);
}

async fn a_schedule_that_is_off_starts_nothing(house: &House) {
    let yard = Yard::new(house).await;
    let off = Schedule { enabled: false, ..Schedule::default() };
    yard.work.put_schedule(yard.client, &off, at(10)).await.unwrap();
    assert!(!yard.work.due_cycles(at(9 * HOUR)).await.unwrap().contains(&yard.client));
    assert_eq!(start_cycle(&yard, 9 * HOUR).await, []);
    assert_eq!(yard.job(JiraSync).await.next_run_at, None);

    // Switched on after a long time, it does not make up for what it missed.
    yard.work.put_schedule(yard.client, &Schedule::default(), at(9 * HOUR)).await.unwrap();
    assert_eq!(start_cycle(&yard, 9 * HOUR).await, []);
    assert_eq!(yard.job(JiraSync).await.next_run_at, Some(at(10 * HOUR)));
}

async fn a_new_interval_starts_now_and_an_old_one_keeps_its_grid(house: &House) {
    let yard = Yard::new(house).await;
    let berlin = Schedule { timezone: "Europe/Berlin".to_owned(), ..Schedule::default() };
    yard.work.put_schedule(yard.client, &berlin, at(600)).await.unwrap();
    assert_eq!(house.jobs.schedule(yard.client).await.unwrap(), (berlin.clone(), at(HOUR)));
    let often = Schedule { interval_minutes: 5, ..berlin };
    yard.work.put_schedule(yard.client, &often, at(700)).await.unwrap();
    assert_eq!(house.jobs.schedule(yard.client).await.unwrap(), (often, at(1_000)));
}

async fn jira_comes_first_and_git_waits_for_the_slot(house: &House) {
    let yard = Yard::new(house).await;
    start_cycle(&yard, HOUR).await;
    assert!(yard.work.waiting().await.unwrap().contains(&yard.client));
    yard.dispatch(HOUR).await;
    assert_eq!(yard.state(JiraSync).await, JobState::Running);
    assert_eq!(yard.work.dispatch(yard.client, at(HOUR)).await.unwrap(), None);
    assert!(!yard.work.waiting().await.unwrap().contains(&yard.client));

    yard.work_off(HOUR + 1).await;
    let run = yard.dispatch(HOUR + 2).await;
    assert_eq!(yard.state(GitSync).await, JobState::Running);
    let run = house.jobs.run(yard.client, run).await.unwrap();
    assert_eq!((run.job_type, run.trigger), (GitSync, Trigger::Schedule));
}

async fn of_many_dispatchers_one_gives_the_slot_away(house: &House) {
    let yard = Yard::new(house).await;
    yard.command(JiraSync, Command::Run, 0).await;
    yard.command(GitSync, Command::Run, 0).await;
    let mut dispatchers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (work, client) = (yard.work.clone(), yard.client);
        dispatchers.spawn(async move { work.dispatch(client, at(1)).await.unwrap() });
    }
    let given: Vec<_> = dispatchers.join_all().await.into_iter().flatten().collect();
    let given: Vec<_> = given.into_iter().map(|job| job.job_type).collect();
    assert_eq!(given, [JiraSync]);
}

async fn a_failed_job_is_retried_until_its_attempts_are_used_up(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    let mut second = 10;
    for attempt in 2..=3 {
        fail(&yard, second).await;
        let due = second + TimeDelta::minutes(15).num_seconds();
        assert!(!yard.work.due_retries(at(due - 1)).await.unwrap().contains(&yard.client));
        assert_eq!(yard.work.retry(yard.client, at(due - 1)).await.unwrap(), []);
        assert!(yard.work.due_retries(at(due)).await.unwrap().contains(&yard.client));
        assert_eq!(yard.work.retry(yard.client, at(due)).await.unwrap().len(), 1);
        assert_eq!(yard.work.retry(yard.client, at(due)).await.unwrap(), [], "once");
        let run = yard.dispatch(due).await;
        let run = house.jobs.run(yard.client, run).await.unwrap();
        assert_eq!((run.trigger, run.attempt), (Trigger::Retry, attempt));
        second = due + 10;
    }
    fail(&yard, second).await;
    assert_eq!(yard.state(JiraSync).await, JobState::Error);
    assert!(yard.work.due_retries(at(100 * HOUR)).await.unwrap().is_empty());

    assert_eq!(yard.command(JiraSync, Command::Retry, second).await, JobState::Pending);
    let run = yard.dispatch(second).await;
    assert_eq!(house.jobs.run(yard.client, run).await.unwrap().attempt, 4);
}

async fn a_success_makes_attempts_count_anew(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    fail(&yard, 1).await;
    yard.command(JiraSync, Command::Retry, 2).await;
    yard.dispatch(2).await;
    yard.work_off(3).await;
    let run = yard.start(JiraSync, 4).await;
    assert_eq!(house.jobs.run(yard.client, run).await.unwrap().attempt, 1);
}

async fn retries_that_are_switched_off_are_forgotten(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JiraSync, 0).await;
    fail(&yard, 1).await;
    let retry = Retry { enabled: false, interval_minutes: 15, max_attempts: 3 };
    let off = Schedule { retry, ..Schedule::default() };
    yard.work.put_schedule(yard.client, &off, at(2)).await.unwrap();
    assert_eq!(yard.work.retry(yard.client, at(HOUR)).await.unwrap(), []);
    assert!(yard.work.due_retries(at(HOUR)).await.unwrap().is_empty());
    assert_eq!(yard.state(JiraSync).await, JobState::Error);
}

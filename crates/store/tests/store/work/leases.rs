//! One worker holds a task at a time, and only who holds it is heard.

use domain::job::{JobState, JobType};
use domain::work::{TaskKind, TaskState, Topic};
use store::Error;
use store::work::{Answer, Command, Lease, Release};

use super::Yard;
use crate::house::House;
use crate::nouns::at;

contract! {
    a_task_is_leased_to_one_worker_at_a_time,
    who_asks_again_for_a_lease_gets_the_same,
    of_many_workers_one_gets_the_task,
    a_lease_that_ran_out_is_taken_by_another,
    a_renewed_lease_does_not_run_out,
    a_failed_try_waits_twice_as_long_each_time,
    the_fifth_try_is_the_last,
    who_is_down_for_long_has_five_tries_as_well,
    a_page_in_between_makes_tries_count_anew,
    a_worker_that_dies_again_and_again_fails_the_job,
    a_quota_parks_the_task_and_frees_the_worker,
    a_task_that_is_handed_on_is_rung_at_once,
    everything_is_free_after_a_start_over,
    a_task_that_ends_the_process_each_time_is_given_up,
    a_late_goodbye_does_not_shorten_a_renewed_lease,
    a_probe_is_answered_outside_any_run,
    a_probe_that_fails_says_why,
}

fn failed() -> Release {
    Release::Failed { detail: "jira did not answer".to_owned(), not_before: None }
}

async fn first_lease(yard: &Yard<'_>) -> Lease {
    yard.start(JobType::JiraSync, 0).await;
    let rung = yard.rung().await;
    yard.begin(rung[0], 0).await.unwrap()
}

async fn a_task_is_leased_to_one_worker_at_a_time(house: &House) {
    let yard = Yard::new(house).await;
    let lease = first_lease(&yard).await;
    assert_eq!((lease.fence.number, lease.until, lease.task.cursor.as_str()), (1, at(30), ""));
    let other = yard.work.begin(lease.task.id, "bob", at(60), at(29)).await.unwrap();
    assert_eq!(other, None);

    yard.finish(lease.fence, 10).await;
    assert_eq!(yard.begin(lease.task.id, 60).await, None, "it is done");
    let standing = yard.work.standing(lease.task.id).await.unwrap();
    assert_eq!((standing.task, standing.fence), (TaskState::Done, 1));
}

async fn who_asks_again_for_a_lease_gets_the_same(house: &House) {
    let yard = Yard::new(house).await;
    let lease = first_lease(&yard).await;
    let again = async |worker: &str, second| {
        let begun = yard.work.begin(lease.task.id, worker, at(second + 30), at(second)).await;
        begun.unwrap().map(|lease| lease.fence.number)
    };
    assert_eq!(again("ada", 5).await, Some(1));
    assert_eq!(again("bob", 5).await, None);
    assert_eq!(again("ada", 30).await, Some(2), "it ran out");
}

async fn of_many_workers_one_gets_the_task(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JobType::JiraSync, 0).await;
    let task = yard.rung().await[0];
    let mut workers = tokio::task::JoinSet::new();
    for number in 0..8 {
        let work = yard.work.clone();
        workers.spawn(async move {
            work.begin(task, &format!("worker {number}"), at(30), at(0)).await.unwrap()
        });
    }
    let leases: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    assert_eq!(leases.len(), 1, "{leases:?}");
}

async fn a_lease_that_ran_out_is_taken_by_another(house: &House) {
    let yard = Yard::new(house).await;
    let old = first_lease(&yard).await;
    let new = yard.begin(old.task.id, 30).await.unwrap();
    assert_eq!(new.fence.number, 2);

    let lost = |refused: &Result<_, Error>| matches!(refused, Err(Error::LostLease { .. }));
    let finished = yard.work.finish(old.fence, &[], "", at(31)).await;
    assert!(lost(&finished), "{finished:?}");
    let released = yard.work.release(old.fence, &failed(), at(31)).await;
    assert!(lost(&released), "{released:?}");
    assert!(!yard.work.renew(old.fence, at(90)).await.unwrap());
    assert_eq!(yard.work.expire(old.fence, at(31)).await.unwrap(), None);
    yard.finish(new.fence, 32).await;
}

async fn a_renewed_lease_does_not_run_out(house: &House) {
    let yard = Yard::new(house).await;
    let lease = first_lease(&yard).await;
    assert!(yard.work.renew(lease.fence, at(60)).await.unwrap());
    let other = yard.work.begin(lease.task.id, "bob", at(90), at(59)).await.unwrap();
    assert_eq!(other, None);
    assert_eq!(yard.work.expire(lease.fence, at(59)).await.unwrap(), None);

    let run_out = yard.work.expired(at(60)).await.unwrap();
    assert!(run_out.contains(&lease.fence));
    assert_eq!(yard.work.expire(lease.fence, at(60)).await.unwrap(), Some(yard.client));
    assert_eq!(yard.rung().await, [lease.task.id], "another worker is called");
}

async fn a_failed_try_waits_twice_as_long_each_time(house: &House) {
    let yard = Yard::new(house).await;
    let mut lease = first_lease(&yard).await;
    let mut second = 0;
    for wait in [2, 4, 8, 16] {
        yard.work.release(lease.fence, &failed(), at(second)).await.unwrap();
        assert_eq!(yard.begin(lease.task.id, second + wait - 1).await, None);
        second += wait;
        lease = yard.begin(lease.task.id, second).await.unwrap();
    }
    assert_eq!(yard.state(JobType::JiraSync).await, JobState::Running);
}

async fn the_fifth_try_is_the_last(house: &House) {
    let yard = Yard::new(house).await;
    let task = first_lease(&yard).await;
    let mut fence = task.fence;
    for second in [100, 200, 300, 400] {
        yard.work.release(fence, &failed(), at(second - 100)).await.unwrap();
        fence = yard.begin(task.task.id, second).await.unwrap().fence;
    }
    yard.work.release(fence, &failed(), at(500)).await.unwrap();
    let job = yard.job(JobType::JiraSync).await;
    assert_eq!(job.state, JobState::Error);
    assert_eq!(job.error.as_deref(), Some("jira did not answer"));
}

async fn who_is_down_for_long_has_five_tries_as_well(house: &House) {
    let yard = Yard::new(house).await;
    let mut lease = first_lease(&yard).await;
    let down = |until| {
        let detail = "jira is down".to_owned();
        Release::Failed { detail, not_before: Some(at(until)) }
    };
    for hour in 1..5 {
        yard.work.release(lease.fence, &down(hour * 3_600), at((hour - 1) * 3_600)).await.unwrap();
        assert_eq!(yard.begin(lease.task.id, hour * 3_600 - 1).await, None, "never earlier");
        assert_eq!(yard.job(JobType::JiraSync).await.waiting_until, Some(at(hour * 3_600)));
        lease = yard.begin(lease.task.id, hour * 3_600).await.unwrap();
    }
    yard.work.release(lease.fence, &down(5 * 3_600), at(4 * 3_600)).await.unwrap();
    let job = yard.job(JobType::JiraSync).await;
    assert_eq!((job.state, job.error.as_deref()), (JobState::Error, Some("jira is down")));
}

async fn a_page_in_between_makes_tries_count_anew(house: &House) {
    let yard = Yard::new(house).await;
    let mut lease = first_lease(&yard).await;
    for page in 1..10 {
        yard.keep_cursor(&lease, &format!("page {page}"), page * 100).await;
        yard.work.release(lease.fence, &failed(), at(page * 100)).await.unwrap();
        lease = yard.begin(lease.task.id, page * 100 + 2).await.unwrap();
        assert_eq!(lease.task.cursor, format!("page {page}"));
    }
    assert_eq!(yard.state(JobType::JiraSync).await, JobState::Running);
}

async fn a_worker_that_dies_again_and_again_fails_the_job(house: &House) {
    let yard = Yard::new(house).await;
    let mut lease = first_lease(&yard).await;
    for times in 1..=5 {
        yard.work.expire(lease.fence, at(times * 100)).await.unwrap().unwrap();
        if times < 5 {
            lease = yard.begin(lease.task.id, times * 100).await.unwrap();
        }
    }
    let job = yard.job(JobType::JiraSync).await;
    assert_eq!(job.state, JobState::Error);
    assert!(job.error.unwrap().contains("5 times"));
}

async fn a_quota_parks_the_task_and_frees_the_worker(house: &House) {
    let yard = Yard::new(house).await;
    let lease = first_lease(&yard).await;
    yard.work.release(lease.fence, &Release::Waiting { until: at(600) }, at(10)).await.unwrap();
    assert_eq!(yard.rung().await, []);
    assert_eq!(yard.begin(lease.task.id, 599).await, None);
    let job = house.jobs.get(yard.client, JobType::JiraSync, at(10)).await.unwrap();
    assert_eq!((job.state, job.waiting_until), (JobState::Running, Some(at(600))));

    assert_eq!(yard.work.ring_waited(at(599)).await.unwrap(), 0);
    assert!(!yard.work.is_unheard(Topic::Jira, at(599), at(599)).await.unwrap());
    assert_eq!(yard.work.ring_waited(at(600)).await.unwrap(), 1);
    assert_eq!(yard.work.ring_waited(at(601)).await.unwrap(), 0, "it was rung");
    assert_eq!(yard.rung().await, [lease.task.id]);
    assert!(yard.begin(lease.task.id, 600).await.is_some());
}

async fn a_task_that_is_handed_on_is_rung_at_once(house: &House) {
    let yard = Yard::new(house).await;
    let lease = first_lease(&yard).await;
    yard.work.release(lease.fence, &Release::Yielded, at(240)).await.unwrap();
    assert_eq!(yard.rung().await, [lease.task.id]);
    assert_eq!(yard.begin(lease.task.id, 240).await.unwrap().fence.number, 2);
}

async fn everything_is_free_after_a_start_over(house: &House) {
    let yard = Yard::new(house).await;
    yard.start(JobType::JiraSync, 0).await;
    let leases = yard.issues(0).await;
    yard.finish(leases[0].fence, 1).await;
    // The house's own task is freed too.
    assert_eq!(yard.work.start_over(at(2)).await.unwrap(), 3);
    let rung = yard.rung().await;
    for lease in &leases[1..] {
        assert!(rung.contains(&lease.task.id));
        assert_eq!(yard.begin(lease.task.id, 2).await.unwrap().fence.number, 2);
    }
}

async fn a_task_that_ends_the_process_each_time_is_given_up(house: &House) {
    let yard = Yard::new(house).await;
    let mut lease = first_lease(&yard).await;
    let task = lease.task.id;
    let crash = async |second| {
        yard.work.start_over(at(second)).await.unwrap();
        yard.begin(task, second).await
    };
    for second in 1..15 {
        lease = crash(second).await.unwrap();
    }
    yard.keep_cursor(&lease, "page 2", 15).await;
    for second in 15..34 {
        lease = crash(second).await.expect("a page was kept since");
    }
    assert_eq!(lease.task.cursor, "page 2");
    assert_eq!(crash(34).await, None);
    let job = yard.job(JobType::JiraSync).await;
    assert_eq!(job.state, JobState::Error);
    assert!(job.error.as_ref().unwrap().contains("ended 20 times"), "{:?}", job.error);
}

async fn a_late_goodbye_does_not_shorten_a_renewed_lease(house: &House) {
    let yard = Yard::new(house).await;
    let lease = first_lease(&yard).await;
    let begin = async |second| {
        let begun = yard.work.begin(lease.task.id, "grace", at(second + 30), at(second)).await;
        begun.unwrap().map(|lease| lease.fence.number)
    };
    assert!(yard.work.renew(lease.fence, at(40)).await.unwrap(), "by the worker's old line");
    assert!(yard.work.renew(lease.fence, at(41)).await.unwrap(), "by its new one");
    assert!(!yard.work.shorten(lease.fence, at(40), at(12)).await.unwrap());
    assert_eq!(begin(40).await, None, "the worker is at it");

    assert!(yard.work.shorten(lease.fence, at(41), at(12)).await.unwrap());
    assert_eq!(begin(11).await, None);
    assert_eq!(begin(12).await, Some(2));
    assert!(!yard.work.shorten(lease.fence, at(42), at(13)).await.unwrap(), "that lease is over");
}

async fn a_probe_is_answered_outside_any_run(house: &House) {
    let yard = Yard::new(house).await;
    let probe =
        |input| yard.work.ask_probe(yard.client, TaskKind::Probe, Topic::Jira, input, at(0));
    let task = probe("{}").await.unwrap();
    assert_eq!(yard.rung().await, [task]);
    let lease = yard.begin(task, 0).await.unwrap();
    assert_eq!((lease.task.kind, lease.task.run), (TaskKind::Probe, None));
    assert_eq!(lease.task.input, "{}");
    assert_eq!(yard.work.probe_answer(task).await.unwrap(), None);
    yard.work.finish(lease.fence, &[], r#"{"ok":true}"#, at(1)).await.unwrap();
    let answer = yard.work.probe_answer(task).await.unwrap();
    assert_eq!(answer, Some(Answer::Found(r#"{"ok":true}"#.to_owned())));

    yard.work.forget_probe(task).await.unwrap();
    let gone = yard.work.probe_answer(task).await;
    assert!(matches!(gone, Err(Error::Missing { .. })), "{gone:?}");

    let old = probe("{}").await.unwrap();
    assert_eq!(yard.work.forget_old_probes(at(1)).await.unwrap(), 1);
    assert_eq!(yard.begin(old, 1).await, None);
    assert_eq!(yard.command(JobType::JiraSync, Command::Run, 2).await, JobState::Pending);
}

async fn a_probe_that_fails_says_why(house: &House) {
    let yard = Yard::new(house).await;
    let wait = Release::Waiting { until: at(600) };
    for release in [failed(), Release::Fatal { detail: "no such host".to_owned() }, wait] {
        let task = yard
            .work
            .ask_probe(yard.client, TaskKind::Scopes, Topic::Jira, "", at(0))
            .await
            .unwrap();
        let lease = yard.begin(task, 0).await.unwrap();
        yard.work.release(lease.fence, &release, at(1)).await.unwrap();
        let answer = yard.work.probe_answer(task).await.unwrap();
        assert!(matches!(&answer, Some(Answer::Failed(why)) if !why.is_empty()), "{answer:?}");
    }
}

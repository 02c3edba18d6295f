//! Whole runs, from a click or a due time to the last step.

use chrono::TimeDelta;
use domain::job::{JobState, JobType};
use domain::work::{Outcome, Step, StepState, TaskKind, Topic, Trigger};
use proto::v1::JobCommand;
use proto::v1::release_request::Reason;
use serde_json::{Value, json};

use crate::house::House;

use JobType::{GitSync, JiraSync};

#[tokio::test]
async fn both_jobs_run_one_after_the_other_to_their_end() {
    let house = House::open().await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    house.command(GitSync, JobCommand::Run).await.unwrap();
    let mut done = Vec::new();
    let mut bells = Vec::new();
    for topic in [Topic::Jira, Topic::Metrics, Topic::Github] {
        bells.push(house.consumer(topic).await);
    }
    let [jira, metrics, github] = &mut bells[..] else { unreachable!("there are three topics") };
    while house.job(GitSync).await.state != JobState::Finished {
        let lease = tokio::select! {
            lease = house.take(jira) => lease,
            lease = house.take(github) => lease,
            lease = house.take(metrics) => lease,
        };
        let running = house.jobs.of_client(house.client, house.clock.now()).await.unwrap();
        let running = running.iter().filter(|job| job.state == JobState::Running).count();
        assert_eq!(running, 1);
        let TaskKind::Step(step) = lease.task.kind else { panic!("a probe in a run") };
        done.push((step, lease.task.scope.clone()));
        house.do_task(&lease).await;
    }

    let steps: Vec<(Step, &str)> =
        done.iter().map(|(step, scope)| (*step, scope.as_str())).collect();
    assert_eq!(
        steps,
        [
            (Step::Projects, ""),
            (Step::Statuses, ""),
            (Step::Issues, "10001"),
            (Step::Issues, "10002"),
            (Step::Sprints, ""),
            (Step::Links, ""),
            (Step::Metrics, ""),
            (Step::Repositories, ""),
            (Step::PullRequests, "1"),
            (Step::PullRequests, "2"),
            (Step::Deployments, "1"),
            (Step::Deployments, "2"),
            (Step::Commits, "1"),
            (Step::Commits, "2"),
            (Step::MissingCommits, "1"),
            (Step::MissingCommits, "2"),
            (Step::Links, ""),
            (Step::Metrics, ""),
        ]
    );
    let jira = house.job(JiraSync).await;
    assert_eq!(jira.state, JobState::Finished);
    assert_eq!(jira.steps[4].state, StepState::Skipped, "nothing can be deleted from a full read");
    let run = house.jobs.run(house.client, jira.last_run.unwrap()).await.unwrap();
    assert_eq!((run.outcome, run.requests), (Some(Outcome::Finished), 5));
}

#[tokio::test]
async fn people_are_told_in_the_shapes_that_the_page_knows() {
    let house = House::open().await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    let mut bell = house.consumer(Topic::Jira).await;
    let lease = house.take(&mut bell).await;
    let line = house.line(&lease).await;
    let budget = proto::v1::Budget { limit: 5_000, remaining: 4_990, resets_at: None };
    let progress = proto::v1::Progress { budget: Some(budget), ..lease.progress(100) };
    line.up.send(progress).await.unwrap();

    let (mut statuses, mut progress) = (Vec::new(), None);
    while progress.is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let told = house.told().await;
        progress = told.iter().find(|event| event["budget"].is_object()).cloned();
        statuses = told.into_iter().filter(|event| event["type"] == "job_status").collect();
    }
    let of = |field: &str| statuses.iter().map(|event| event[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("status"), ["PENDING", "RUNNING"]);
    assert_eq!(of("step"), [Value::Null, json!("projects")]);
    assert_eq!(of("progress"), [Value::Null, json!(0)]);
    assert_eq!(of("version"), [json!(2), json!(3)]);

    let progress = progress.unwrap();
    assert_eq!(progress["type"], "progress_update");
    assert_eq!(progress["job_type"], "jira_sync");
    assert_eq!(progress["budget"], json!({ "limit": 5000, "remaining": 4990, "resets_at": null }));
    let first = json!({
        "name": "projects", "status": "RUNNING", "tasks_total": 1, "tasks_done": 0, "rows": 0
    });
    assert_eq!(progress["steps"][0], first);
}

#[tokio::test]
async fn a_cycle_that_is_due_runs_by_itself() {
    let house = House::closed().await;
    house.clock.advance(TimeDelta::minutes(60));
    let mut bell = house.consumer(Topic::Jira).await;
    house.orchestrator.spawn(&platform::shutdown::Shutdown::new());
    let lease = house.take(&mut bell).await;
    let run = house.jobs.run(house.client, lease.task.run.unwrap()).await.unwrap();
    assert_eq!((run.job_type, run.trigger), (JiraSync, Trigger::Schedule));
    assert_eq!(house.job(GitSync).await.state, JobState::Pending);
}

#[tokio::test]
async fn a_failed_job_is_tried_again_by_itself() {
    let house = House::open().await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    let mut bell = house.consumer(Topic::Jira).await;
    let lease = house.take(&mut bell).await;
    house.release(&lease, Reason::Fatal, "Jira refused the token.").await;
    let job = house.until(JiraSync, JobState::Error).await;
    assert_eq!(job.error.as_deref(), Some("Jira refused the token."));

    house.clock.advance(TimeDelta::minutes(15));
    let lease = house.take(&mut bell).await;
    let run = house.jobs.run(house.client, lease.task.run.unwrap()).await.unwrap();
    assert_eq!((run.trigger, run.attempt), (Trigger::Retry, 2));
}

#[tokio::test]
async fn a_restart_goes_on_where_the_process_ended() {
    let house = House::open().await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    let mut bell = house.consumer(Topic::Jira).await;
    let before = house.take(&mut bell).await;
    // The process is gone, and nobody gave the task back.
    house.orchestrator.recover().await.unwrap();
    let after = house.take_again(&mut bell, before.task.id).await;
    assert_eq!(after.fence, before.fence + 1);
}

//! Whatever Jira does, nothing is lost, nothing is invented, and people are told.

use domain::job::JobState;
use domain::work::Outcome;
use proto::v1::JobCommand;
use simulator::{Fault, FaultKind, Options};

use crate::house::House;

fn fault(path: &str, kind: FaultKind, every: u64, times: Option<u64>) -> Fault {
    let path = path.to_owned();
    Fault { path, kind, every, after: 0, times, retry_after: None, status: None }
}

#[tokio::test]
async fn storms_pass_and_the_truth_is_held() {
    let faults = vec![
        fault("/jira/", FaultKind::ServerError, 5, None),
        fault("search/jql", FaultKind::Truncate, 7, None),
        fault("search/jql", FaultKind::Malform, 9, None),
        Fault {
            retry_after: Some("1".to_owned()),
            ..fault("search/jql", FaultKind::Throttle, 11, Some(2))
        },
    ];
    let house = House::start(Options { issues: 900, faults, ..Options::default() }).await;
    let run = house.sync().await;
    assert_eq!((run.outcome, run.gaps), (Some(Outcome::Finished), vec![]), "{:?}", run.error);
    house.expect_truth("after the storm").await;
}

#[tokio::test]
async fn pages_larger_than_we_take_in_are_asked_for_smaller() {
    let too_large = |path| vec![fault(path, FaultKind::Bloat, 1, Some(3))];
    let faults = too_large("changelog/bulkfetch");
    let house = House::start(Options { issues: 900, faults, ..Options::default() }).await;
    let hidden = house.simulator.hide_issues(7);
    let run = house.sync().await;
    assert_eq!((run.outcome, run.gaps), (Some(Outcome::Finished), vec![]), "{:?}", run.error);

    house.simulator.advance(std::time::Duration::from_secs(86_400));
    house.simulator.set_faults(too_large("search/jql"));
    let run = house.sync().await;
    assert_eq!((run.outcome, run.gaps), (Some(Outcome::Finished), vec![]), "{:?}", run.error);

    house.simulator.show_issues(&hidden);
    house.simulator.set_faults(too_large("issue/bulkfetch"));
    let run = house.sync().await;
    assert_eq!((run.outcome, run.gaps), (Some(Outcome::Finished), vec![]), "{:?}", run.error);
    house.expect_truth("after nine answers of 100 MB").await;
}

#[tokio::test]
async fn a_long_wait_parks_the_task_and_is_shown() {
    let throttle = Fault {
        retry_after: Some("3600".to_owned()),
        ..fault("search/jql", FaultKind::Throttle, 1, Some(1))
    };
    let house =
        House::start(Options { issues: 300, faults: vec![throttle], ..Options::default() }).await;
    house.command(JobCommand::Run).await;
    let job = house.until(|job| job.waiting_until.is_some()).await;
    assert_eq!(job.state, JobState::Running, "waiting is no error");
    let wait = job.waiting_until.unwrap() - chrono::Utc::now();
    assert!((3_500..=4_800).contains(&wait.num_seconds()), "never earlier than told: {wait}");
}

#[tokio::test]
async fn a_refused_token_ends_the_run_and_says_what_to_do() {
    let house = House::start(Options { issues: 100, ..Options::default() }).await;
    let mut jira = house.integrations.get(house.client, house.jira).await.unwrap();
    let place = [house.client.to_string(), house.jira.to_string()];
    jira.sealed_secret = house.vault.seal("expired", &[&place[0], &place[1], "secret"]).to_string();
    house.integrations.replace(&jira).await.unwrap();
    let run = house.sync().await;
    assert_eq!(run.outcome, Some(Outcome::Error));
    let error = run.error.unwrap();
    assert!(error.contains("refused the token"), "{error}");
    assert!(error.contains("under Integrations"), "{error}");
}

#[tokio::test]
async fn a_project_that_cannot_be_seen_is_a_gap_and_the_others_are_read() {
    let house = House::start(Options { issues: 300, ..Options::default() }).await;
    let mut jira = house.integrations.get(house.client, house.jira).await.unwrap();
    jira.scopes.push("GHOST".to_owned());
    house.integrations.replace(&jira).await.unwrap();
    let run = house.sync().await;
    assert_eq!(run.outcome, Some(Outcome::Finished));
    assert_eq!(run.gaps.len(), 1);
    assert_eq!(run.gaps[0].scope, "GHOST");
    house.expect_truth("beside the gap").await;
}

#[tokio::test]
async fn pausing_holds_and_resuming_goes_on_to_the_truth() {
    let latency = std::time::Duration::from_millis(20);
    let house = House::start(Options { issues: 1_200, latency, ..Options::default() }).await;
    house.command(JobCommand::Run).await;
    house.until(|job| job.rows() > 200).await;
    house.command(JobCommand::Pause).await;
    let held = house.until(|job| job.leased == 0).await;
    assert_eq!(held.state, JobState::Paused);
    house.command(JobCommand::Resume).await;
    house.until(|job| job.state == JobState::Finished).await;
    house.expect_truth("after the pause").await;
}

#[tokio::test]
async fn a_jira_without_bulk_histories_is_read_issue_by_issue() {
    let missing = Fault {
        status: Some(404),
        ..fault("changelog/bulkfetch", FaultKind::ServerError, 1, None)
    };
    let house =
        House::start(Options { issues: 800, faults: vec![missing], ..Options::default() }).await;
    let run = house.sync().await;
    assert_eq!((run.outcome, run.gaps), (Some(Outcome::Finished), vec![]), "{:?}", run.error);
    assert!(house.stats().routes["issue/{id}/changelog"] > 0);
    house.expect_truth("without bulk histories").await;
}

#[tokio::test]
async fn a_token_that_jira_forgot_starts_the_slice_anew() {
    // With one project, the third search is one with a token.
    let forgotten = Fault {
        status: Some(400),
        after: 2,
        ..fault("search/jql", FaultKind::ServerError, 1, Some(1))
    };
    let faults = vec![forgotten];
    let house =
        House::start(Options { issues: 500, projects: 1, faults, ..Options::default() }).await;
    let run = house.sync().await;
    assert_eq!((run.outcome, run.gaps), (Some(Outcome::Finished), vec![]), "{:?}", run.error);
    house.expect_truth("after starting anew").await;
}

//! What people ask is done, or refused in a sentence that says what to do.

use domain::ids::ClientId;
use domain::job::JobType::{self, JiraSync};
use proto::v1::{self, JobCommand};
use tonic::Code;

use crate::house::House;

#[tokio::test]
async fn a_command_that_makes_no_sense_is_refused_in_a_sentence() {
    let house = House::closed().await;
    house.command(JiraSync, JobCommand::Run).await.unwrap();
    let cases = [
        (JobCommand::Run, "The job is waiting for its turn. It can be run when"),
        (JobCommand::Pause, "The job is waiting for its turn. Only a running job can be paused."),
        (JobCommand::Resume, "The job is waiting for its turn. Only a paused job can be resumed."),
        (JobCommand::Retry, "The job is waiting for its turn. Only a failed job can be retried."),
    ];
    for (command, sentence) in cases {
        let refused = house.command(JiraSync, command).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition, "{command:?}");
        assert!(refused.message().starts_with(sentence), "{refused}");
    }
    let absent = house.command(JiraSync, JobCommand::Unspecified).await.unwrap_err();
    assert_eq!(absent.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_job_with_nothing_to_read_asks_to_be_connected() {
    let mut house = House::closed().await;
    let request = v1::EnsureClientRequest { external_id: "2".to_owned(), name: "New".to_owned() };
    let client = house.peer.ensure_client(request.clone()).await.unwrap().into_inner();
    let again = house.peer.ensure_client(request).await.unwrap().into_inner();
    assert_eq!(client, again);
    house.client = client.id.parse().unwrap();
    for (job_type, name) in [(JiraSync, "Jira"), (JobType::GitSync, "GitHub")] {
        let refused = house.command(job_type, JobCommand::Run).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().starts_with(&format!("Connect {name} first")), "{refused}");
    }
    house.connect(house.client, domain::work::SourceKind::Jira).await;
    assert_eq!(house.command(JiraSync, JobCommand::Run).await.unwrap().status, "PENDING");
}

#[tokio::test]
async fn a_schedule_is_kept_or_every_fault_is_named() {
    let mut house = House::closed().await;
    let good = v1::Schedule {
        enabled: true,
        interval_minutes: 30,
        timezone: "Europe/Berlin".to_owned(),
        retry_enabled: false,
        retry_interval_minutes: 5,
        retry_max_attempts: 1,
    };
    let put = |schedule| v1::PutScheduleRequest {
        client_id: house.client.to_string(),
        schedule: Some(schedule),
    };
    let (good_request, bad_request) = (
        put(good.clone()),
        put(v1::Schedule { interval_minutes: 4, timezone: "Mars".to_owned(), ..good.clone() }),
    );
    assert_eq!(house.peer.put_schedule(good_request).await.unwrap().into_inner(), good);
    let (kept, _) = house.jobs.schedule(house.client).await.unwrap();
    assert_eq!((kept.interval_minutes, kept.timezone.as_str()), (30, "Europe/Berlin"));

    let refused = house.peer.put_schedule(bad_request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(
        refused.message(),
        "interval_minutes is 4, but must be 5 to 1440; \
         timezone is \"Mars\", but must be like Europe/Berlin"
    );
}

#[tokio::test]
async fn nobody_is_found_under_an_unknown_id() {
    let mut house = House::closed().await;
    house.client = ClientId(uuid::Uuid::from_u128(9));
    let missing = house.command(JiraSync, JobCommand::Run).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let begin = v1::BeginRequest { task_id: house.client.to_string(), worker: "ada".to_owned() };
    assert_eq!(house.peer.begin(begin).await.unwrap().into_inner().lease, None);
    let begin = v1::BeginRequest { task_id: "seven".to_owned(), worker: "ada".to_owned() };
    assert_eq!(house.peer.begin(begin).await.unwrap_err().code(), Code::InvalidArgument);
}

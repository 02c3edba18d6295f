//! The door: messages in and out, and the one place where errors become a status.

use chrono_tz::Tz;
use domain::ids::{ClientId, RunId, TaskId};
use domain::job::{JobState, JobType, Refused};
use domain::schedule::{Retry, Schedule};
use domain::work::{Fence, Gap, SourceKind, TaskKind};
use proto::convert::{moment, parse, timestamp};
use proto::v1::orchestrator_server::Orchestrator as Service;
use proto::v1::release_request::Reason;
use proto::v1::{self, JobCommand};
use store::work::{Command, Release};
use tonic::{Request, Response, Status, Streaming};

use crate::talk::{self, Directives, LEASE};
use crate::{Orchestrator, probe};

#[tonic::async_trait]
impl Service for Orchestrator {
    async fn ensure_client(
        &self,
        request: Request<v1::EnsureClientRequest>,
    ) -> Result<Response<v1::Client>, Status> {
        let v1::EnsureClientRequest { external_id, name } = request.into_inner();
        if external_id.is_empty() {
            return Err(Status::invalid_argument("external_id is empty"));
        }
        let id = ClientId(uuid::Uuid::now_v7());
        let ensured = self.0.work.ensure_client(id, &external_id, &name, self.0.clock.now()).await;
        let client = ensured.map_err(status)?;
        Ok(Response::new(v1::Client {
            id: client.id.to_string(),
            external_id: client.external_id,
            name: client.name,
        }))
    }

    async fn command(
        &self,
        request: Request<v1::CommandRequest>,
    ) -> Result<Response<v1::CommandReply>, Status> {
        let request = request.into_inner();
        let client: ClientId = parse("client_id", &request.client_id)?;
        let job_type: JobType = parse("job_type", &request.job_type)?;
        let command = match request.command() {
            JobCommand::Run => Command::Run,
            JobCommand::Pause => Command::Pause,
            JobCommand::Resume => Command::Resume,
            JobCommand::Stop => Command::Stop,
            JobCommand::Retry => Command::Retry,
            JobCommand::Unspecified => return Err(Status::invalid_argument("command is absent")),
        };
        let obeyed = self.0.work.command(client, job_type, command, self.0.clock.now()).await;
        let job = obeyed.map_err(status)?;
        tracing::info!(client.id = %client, "{job_type} obeys {command:?}: it is {}", job.state);
        self.0.changed(client).await;
        Ok(Response::new(v1::CommandReply { status: job.state.to_string(), version: job.version }))
    }

    async fn replay(
        &self,
        request: Request<v1::ReplayRequest>,
    ) -> Result<Response<v1::CommandReply>, Status> {
        let request = request.into_inner();
        let client: ClientId = parse("client_id", &request.client_id)?;
        let run: RunId = parse("run_id", &request.run_id)?;
        let task: TaskId = parse("task_id", &request.task_id)?;
        let job =
            self.0.work.replay(client, run, task, self.0.clock.now()).await.map_err(status)?;
        tracing::info!(client.id = %client, task.id = %task, "a task is done again: {} is {}", job.job_type, job.state);
        self.0.changed(client).await;
        Ok(Response::new(v1::CommandReply { status: job.state.to_string(), version: job.version }))
    }

    async fn put_schedule(
        &self,
        request: Request<v1::PutScheduleRequest>,
    ) -> Result<Response<v1::Schedule>, Status> {
        let request = request.into_inner();
        let client: ClientId = parse("client_id", &request.client_id)?;
        let message =
            request.schedule.ok_or_else(|| Status::invalid_argument("schedule is absent"))?;
        let schedule = schedule(&message)?;
        let put = self.0.work.put_schedule(client, &schedule, self.0.clock.now()).await;
        put.map_err(status)?;
        self.0.changed(client).await;
        Ok(Response::new(message))
    }

    async fn probe(
        &self,
        request: Request<v1::ProbeRequest>,
    ) -> Result<Response<v1::ProbeReply>, Status> {
        let request = request.into_inner();
        let client: ClientId = parse("client_id", &request.client_id)?;
        let kind: TaskKind = parse("kind", &request.kind)?;
        let source: SourceKind = parse("source", &request.source)?;
        if let TaskKind::Step(step) = kind {
            return Err(Status::invalid_argument(format!("{step} is a step of a run, no probe")));
        }
        let found = self.0.probe(client, kind, source, &request.input).await;
        let output = found.map_err(|error| match error {
            probe::Error::NobodyAnswered { .. } => Status::deadline_exceeded(error.to_string()),
            probe::Error::Failed(detail) => Status::unavailable(detail),
            probe::Error::Store(error) => status(error),
        })?;
        Ok(Response::new(v1::ProbeReply { output }))
    }

    async fn begin(
        &self,
        request: Request<v1::BeginRequest>,
    ) -> Result<Response<v1::BeginReply>, Status> {
        let request = request.into_inner();
        let task: TaskId = parse("task_id", &request.task_id)?;
        let now = self.0.clock.now();
        let begun = self.0.work.begin(task, &request.worker, now + LEASE, now).await;
        let lease = begun.map_err(status)?.map(|lease| v1::Lease {
            fence: lease.fence.number,
            until: Some(timestamp(lease.until)),
            task: Some(lease.task.into()),
        });
        Ok(Response::new(v1::BeginReply { lease }))
    }

    type ReportStream = Directives;

    async fn report(
        &self,
        request: Request<Streaming<v1::Progress>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        Ok(Response::new(talk::answer(self, request.into_inner())))
    }

    async fn finish(
        &self,
        request: Request<v1::FinishRequest>,
    ) -> Result<Response<v1::Ack>, Status> {
        let request = request.into_inner();
        let fence = fence(&request.task_id, request.fence)?;
        let gaps: Vec<Gap> = request.gaps.into_iter().map(Gap::from).collect();
        let now = self.0.clock.now();
        let client =
            self.0.work.finish(fence, &gaps, &request.output, now).await.map_err(status)?;
        self.0.pace.note(client);
        self.0.changed(client).await;
        Ok(Response::new(v1::Ack {}))
    }

    async fn release(
        &self,
        request: Request<v1::ReleaseRequest>,
    ) -> Result<Response<v1::Ack>, Status> {
        let request = request.into_inner();
        let fence = fence(&request.task_id, request.fence)?;
        let release = release(request)?;
        let now = self.0.clock.now();
        let client = self.0.work.release(fence, &release, now).await.map_err(status)?;
        if let Release::Failed { detail, .. }
        | Release::Broken { detail }
        | Release::Fatal { detail } = &release
        {
            tracing::warn!(task.id = %fence.task, "a task failed: {detail}");
        }
        self.0.pace.note(client);
        self.0.changed(client).await;
        Ok(Response::new(v1::Ack {}))
    }
}

fn fence(task: &str, number: i64) -> Result<Fence, Status> {
    Ok(Fence { task: parse("task_id", task)?, number })
}

fn release(request: v1::ReleaseRequest) -> Result<Release, Status> {
    let reason = request.reason();
    let detail = request.detail;
    Ok(match reason {
        Reason::Paused => Release::Paused,
        Reason::Yielded => Release::Yielded,
        Reason::Waiting => {
            let until = request
                .not_before
                .ok_or_else(|| Status::invalid_argument("not_before is absent"))?;
            Release::Waiting { until: moment("not_before", until)? }
        }
        Reason::Failed => {
            let not_before = request.not_before.map(|at| moment("not_before", at)).transpose()?;
            Release::Failed { detail, not_before }
        }
        Reason::Fatal => Release::Fatal { detail },
        Reason::Unreadable => Release::Unreadable { detail },
        Reason::Broken => Release::Broken { detail },
        Reason::Unspecified => return Err(Status::invalid_argument("reason is absent")),
    })
}

fn schedule(message: &v1::Schedule) -> Result<Schedule, Status> {
    let schedule = Schedule {
        enabled: message.enabled,
        interval_minutes: message.interval_minutes,
        timezone: message.timezone.clone(),
        retry: Retry {
            enabled: message.retry_enabled,
            interval_minutes: message.retry_interval_minutes,
            max_attempts: message.retry_max_attempts,
        },
    };
    let mut faults: Vec<String> = schedule.faults().iter().map(ToString::to_string).collect();
    if schedule.timezone.parse::<Tz>().is_err() {
        faults.push(format!("timezone is {:?}, but must be like Europe/Berlin", schedule.timezone));
    }
    if !faults.is_empty() {
        return Err(Status::invalid_argument(faults.join("; ")));
    }
    Ok(schedule)
}

/// What an error of the store means to whoever called.
pub(crate) fn status(error: store::Error) -> Status {
    match error {
        store::Error::Refused(refused) => Status::failed_precondition(sentence(refused)),
        store::Error::Unconnected { source_kind } => {
            let name = match source_kind {
                SourceKind::Jira => "Jira",
                SourceKind::Github => "GitHub",
            };
            Status::failed_precondition(format!(
                "Connect {name} first: there is no active {name} integration to read from."
            ))
        }
        store::Error::NotReplayable { why } => Status::failed_precondition(why),
        store::Error::Missing { .. } => Status::not_found(error.to_string()),
        store::Error::LostLease { .. } | store::Error::Conflict { .. } => {
            Status::aborted(error.to_string())
        }
        store::Error::Unreachable(_) => Status::unavailable(error.to_string()),
        other => {
            tracing::error!(error = ?other, "the store failed");
            Status::internal("The orchestrator could not do this. Its log says why.")
        }
    }
}

/// Why a job does not do what a person asked, for people.
fn sentence(Refused { state, event }: Refused) -> String {
    use domain::job::JobEvent::{ForceStop, Pause, Resume, RetryDue, Run};
    let now = match state {
        JobState::NotStarted => "has not been started",
        JobState::Pending => "is waiting for its turn",
        JobState::Running => "is running",
        JobState::Paused => "is paused",
        JobState::Finished => "has finished",
        JobState::Error => "has failed",
    };
    let asked = match event {
        Run => "It can be run when it has not been started, has finished or has failed.",
        Pause => "Only a running job can be paused.",
        Resume { .. } => "Only a paused job can be resumed.",
        ForceStop => "Only a job that is waiting, running or paused can be stopped.",
        RetryDue => "Only a failed job can be retried.",
        _ => "This cannot be done now.",
    };
    format!("The job {now}. {asked}")
}

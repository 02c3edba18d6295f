//! An orchestrator that keeps clients and commands where the real one does, and lets no worker do
//! anything; and a metrics service that says what it was asked.

use std::sync::{Arc, Mutex};

use chrono::Utc;
use domain::ids::ClientId;
use proto::v1::metrics_server::Metrics;
use proto::v1::orchestrator_server::Orchestrator;
use proto::v1::{
    Ack, Answer, BeginReply, BeginRequest, Client, CommandReply, CommandRequest, Directive,
    EnsureClientRequest, FinishRequest, JobCommand, LeadTimes, PreviewReply, PreviewRequest,
    ProbeReply, ProbeRequest, Progress, PutScheduleRequest, Question, ReleaseRequest,
    ReplayRequest, Schedule,
};
use store::work::{Command, Ground, Planned, Work};
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

#[derive(Clone)]
pub struct Orchestrating {
    pub work: Work,
    pub probes: Arc<Mutex<Vec<ProbeRequest>>>,
}

impl Orchestrating {
    pub fn over(db: store::Db) -> Orchestrating {
        Orchestrating { work: Work::new(db, one_task_per_step), probes: Arc::default() }
    }
}

fn one_task_per_step(ground: &Ground) -> Vec<Planned> {
    let whole = |integration| Planned {
        topic: ground.source,
        integration: Some(integration),
        scope: String::new(),
        slice: domain::work::Slice::default(),
        cursor: String::new(),
        begun_at: ground.run_started_at,
    };
    ground.integrations.iter().take(1).copied().map(whole).collect()
}

fn refused(error: store::Error) -> Status {
    Status::failed_precondition(error.to_string())
}

#[tonic::async_trait]
impl Orchestrator for Orchestrating {
    type ReportStream = tokio_stream::Empty<Result<Directive, Status>>;

    async fn ensure_client(
        &self,
        request: Request<EnsureClientRequest>,
    ) -> Result<Response<Client>, Status> {
        let asked = request.into_inner();
        let id = ClientId(Uuid::now_v7());
        let client = self.work.ensure_client(id, &asked.external_id, &asked.name, Utc::now()).await;
        let client = client.map_err(refused)?;
        Ok(Response::new(Client {
            id: client.id.to_string(),
            external_id: client.external_id,
            name: client.name,
        }))
    }

    async fn command(
        &self,
        request: Request<CommandRequest>,
    ) -> Result<Response<CommandReply>, Status> {
        let asked = request.into_inner();
        let command = match asked.command() {
            JobCommand::Run => Command::Run,
            JobCommand::Pause => Command::Pause,
            JobCommand::Resume => Command::Resume,
            JobCommand::Stop => Command::Stop,
            JobCommand::Retry => Command::Retry,
            JobCommand::Unspecified => return Err(Status::invalid_argument("no command")),
        };
        let (client, job_type) =
            (asked.client_id.parse().unwrap(), asked.job_type.parse().unwrap());
        let job =
            self.work.command(client, job_type, command, Utc::now()).await.map_err(refused)?;
        Ok(Response::new(CommandReply { status: job.state.to_string(), version: job.version }))
    }

    async fn replay(
        &self,
        request: Request<ReplayRequest>,
    ) -> Result<Response<CommandReply>, Status> {
        let asked = request.into_inner();
        let (client, run) = (asked.client_id.parse().unwrap(), asked.run_id.parse().unwrap());
        let task = asked.task_id.parse().unwrap();
        let job = self.work.replay(client, run, task, Utc::now()).await.map_err(refused)?;
        Ok(Response::new(CommandReply { status: job.state.to_string(), version: job.version }))
    }

    async fn put_schedule(
        &self,
        request: Request<PutScheduleRequest>,
    ) -> Result<Response<Schedule>, Status> {
        Ok(Response::new(request.into_inner().schedule.unwrap()))
    }

    async fn probe(&self, request: Request<ProbeRequest>) -> Result<Response<ProbeReply>, Status> {
        self.probes.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ProbeReply {
            output: r#"{"ok":true,"checks":[],"scopes":[]}"#.to_owned(),
        }))
    }

    async fn begin(&self, _: Request<BeginRequest>) -> Result<Response<BeginReply>, Status> {
        Err(Status::unimplemented("no worker comes here"))
    }

    async fn report(
        &self,
        _: Request<Streaming<Progress>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        Err(Status::unimplemented("no worker comes here"))
    }

    async fn finish(&self, _: Request<FinishRequest>) -> Result<Response<Ack>, Status> {
        Err(Status::unimplemented("no worker comes here"))
    }

    async fn release(&self, _: Request<ReleaseRequest>) -> Result<Response<Ack>, Status> {
        Err(Status::unimplemented("no worker comes here"))
    }
}

/// Says what it was asked.
pub struct Measuring;

#[tonic::async_trait]
impl Metrics for Measuring {
    async fn ask(&self, request: Request<Question>) -> Result<Response<Answer>, Status> {
        let asked = request.into_inner();
        Ok(Response::new(Answer {
            from: asked.from,
            to: asked.to,
            timezone: "UTC".to_owned(),
            bucket: asked.bucket,
            as_of: None,
            band_table: format!("of client {}", asked.client_id),
            ..Answer::default()
        }))
    }

    /// As many lead times before as the client's id is long, and after as there are changes.
    async fn preview(
        &self,
        request: Request<PreviewRequest>,
    ) -> Result<Response<PreviewReply>, Status> {
        let asked = request.into_inner();
        let kinds = [("p50".to_owned(), "linear".to_owned())];
        let times = |counted: usize| {
            let (counted, kinds) = (counted as u64, kinds.clone().into());
            Some(LeadTimes { counted, p50: Some(1.5), p85: None, kinds })
        };
        let (before, after) = (times(asked.client_id.len()), times(asked.changes.len()));
        Ok(Response::new(PreviewReply { before, after }))
    }
}

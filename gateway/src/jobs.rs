//! Jobs and their runs: to look at, and to command.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use chrono::{DateTime, Utc};
use domain::ids::{ClientId, RunId, TaskId};
use domain::job::JobType;
use domain::progress::StepProgress;
use proto::Link;
use proto::v1::orchestrator_client::OrchestratorClient;
use proto::v1::{CommandRequest, JobCommand, ReplayRequest};
use serde::{Deserialize, Serialize};
use store::Jobs;
use store::jobs::{Aside, JobView, RunKey, RunView};
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::error::ApiError;
use crate::lists::cell::{Cell, word};
use crate::lists::{Format, Taken, export, fields};
use crate::once::{NOTHING, Once, Repeatable};
use crate::paging::{Items, PageQuery, cursor, parse_cursor};

#[derive(Serialize, ToSchema)]
pub(crate) struct JobJson {
    job_type: &'static str,
    status: &'static str,
    version: i64,
    active: bool,
    progress: Option<u8>,
    step: Option<&'static str>,
    rows: u64,
    rows_per_second: Option<f64>,
    eta_seconds: Option<u64>,
    waiting_until: Option<DateTime<Utc>>,
    next_run_at: Option<DateTime<Utc>>,
    last_run_id: Option<String>,
    last_success_at: Option<DateTime<Utc>>,
    error: Option<String>,
    steps: Vec<StepJson>,
    pending_command: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
struct StepJson {
    name: &'static str,
    status: &'static str,
    tasks_total: u64,
    tasks_done: u64,
    rows: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RunJson {
    id: String,
    job_type: &'static str,
    outcome: Option<&'static str>,
    trigger: &'static str,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    attempt: u32,
    steps: Vec<StepJson>,
    requests: u64,
    gaps: Vec<GapJson>,
    /// Tasks that were put aside; `POST /api/v1/runs/{id}/tasks/{task}/replay` does one again.
    aside: Vec<AsideJson>,
    error: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct GapJson {
    scope: String,
    reason: String,
}

#[derive(Serialize, ToSchema)]
struct AsideJson {
    task_id: String,
    step: &'static str,
    scope: String,
    reason: String,
}

/// The verbs of `POST /api/v1/jobs/{job_type}/{verb}`.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verb {
    Run,
    Pause,
    Resume,
    Stop,
    Retry,
}

/// Both jobs of the caller's client.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(Taken), responses((status = 200, body = Items<JobJson>)))]
pub(crate) async fn all(
    caller: Caller,
    jobs: Data<Jobs>,
    taken: Query<Taken>,
) -> Result<HttpResponse, ApiError> {
    let views = jobs.of_client(caller.client, Utc::now()).await?;
    let rows = views.into_iter().map(JobJson::from).collect();
    Ok(export::shown("jobs", rows, taken.format))
}

/// One of them.
#[utoipa::path(get, path = "/api/v1/jobs/{job_type}", tag = "jobs", params(("job_type" = String, Path, description = "`jira_sync` or `git_sync`")), responses((status = 200, body = JobJson)))]
pub(crate) async fn one(
    caller: Caller,
    jobs: Data<Jobs>,
    job_type: Path<String>,
) -> Result<Json<JobJson>, ApiError> {
    let job_type = known(&job_type)?;
    Ok(Json(look(&jobs, caller.client, job_type).await?))
}

/// Asks the orchestrator to run, pause, resume, stop or retry. It decides; the page is told live.
#[utoipa::path(post, path = "/api/v1/jobs/{job_type}/{verb}", tag = "jobs",
    params(("job_type" = String, Path), ("verb" = String, Path, description = "`run`, `pause`, `resume`, `stop` or `retry`")),
    responses((status = 202, body = JobJson)))]
pub(crate) async fn command(
    caller: Caller,
    jobs: Data<Jobs>,
    orchestrator: Data<OrchestratorClient<Link>>,
    once: Once,
    target: Path<(String, Verb)>,
) -> Result<HttpResponse, ApiError> {
    let (job_type, verb) = target.into_inner();
    let job_type = known(&job_type)?;
    let job = once.of(&caller, NOTHING, async || {
        let request = CommandRequest {
            client_id: caller.client.to_string(),
            job_type: job_type.to_string(),
            command: verb.into(),
        };
        orchestrator.get_ref().clone().command(request).await?;
        look(&jobs, caller.client, job_type).await
    });
    Ok(job.await?.answer(HttpResponse::Accepted()))
}

/// Runs of a job, newest first; other formats than `json` give all that are kept.
#[utoipa::path(get, path = "/api/v1/jobs/{job_type}/runs", tag = "jobs",
    params(("job_type" = String, Path), PageQuery, Taken), responses((status = 200, body = Items<RunJson>)))]
pub(crate) async fn runs(
    caller: Caller,
    jobs: Data<Jobs>,
    job_type: Path<String>,
    page: Query<PageQuery>,
    taken: Query<Taken>,
) -> Result<HttpResponse, ApiError> {
    let job_type = known(&job_type)?;
    let limit = page.limit(50)?;
    let after =
        page.cursor.as_deref().map(parse_cursor::<(DateTime<Utc>, uuid::Uuid)>).transpose()?;
    let after = after.map(|(started_at, id)| RunKey { started_at, id: RunId(id) });
    if taken.format != Format::Json {
        let rows = behind(&jobs, caller.client, job_type, after).await?;
        return Ok(export::whole("runs", &rows, taken.format));
    }
    let runs = jobs.runs(caller.client, job_type, after, limit + 1).await?;
    let place = |run: &RunView| cursor(&(run.started_at, run.id.0));
    Ok(HttpResponse::Ok().json(Items::page(runs, limit, place, RunJson::from)))
}

/// All runs that are kept behind a place: those of the last months.
async fn behind(
    jobs: &Jobs,
    client: ClientId,
    job_type: JobType,
    mut after: Option<RunKey>,
) -> Result<Vec<RunJson>, ApiError> {
    const AT_ONCE: u32 = 500;
    let mut rows = Vec::new();
    loop {
        let runs = jobs.runs(client, job_type, after, AT_ONCE).await?;
        after = runs.last().map(|run| RunKey { started_at: run.started_at, id: run.id });
        rows.extend(runs.into_iter().map(RunJson::from));
        if after.is_none() {
            return Ok(rows);
        }
    }
}

/// One run, with what it could not read.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "jobs", params(("id" = String, Path)), responses((status = 200, body = RunJson)))]
pub(crate) async fn run(
    caller: Caller,
    jobs: Data<Jobs>,
    id: Path<String>,
) -> Result<Json<RunJson>, ApiError> {
    let id = id.parse().map_err(|_| ApiError::not_found("run"))?;
    Ok(Json(jobs.run(caller.client, id).await?.into()))
}

/// Does a task again that was put aside: at once while its step is under way, else by a new run.
#[utoipa::path(post, path = "/api/v1/runs/{id}/tasks/{task}/replay", tag = "jobs",
    params(("id" = String, Path), ("task" = String, Path)), responses((status = 202, body = JobJson)))]
pub(crate) async fn replay(
    caller: Caller,
    jobs: Data<Jobs>,
    orchestrator: Data<OrchestratorClient<Link>>,
    once: Once,
    target: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (run, task) = target.into_inner();
    let run: RunId = run.parse().map_err(|_| ApiError::not_found("run"))?;
    let task: TaskId = task.parse().map_err(|_| ApiError::not_found("task"))?;
    let job = once.of(&caller, NOTHING, async || {
        let job_type = jobs.run(caller.client, run).await?.job_type;
        let request = ReplayRequest {
            client_id: caller.client.to_string(),
            run_id: run.to_string(),
            task_id: task.to_string(),
        };
        orchestrator.get_ref().clone().replay(request).await?;
        look(&jobs, caller.client, job_type).await
    });
    Ok(job.await?.answer(HttpResponse::Accepted()))
}

async fn look(jobs: &Jobs, client: ClientId, job_type: JobType) -> Result<JobJson, ApiError> {
    Ok(jobs.get(client, job_type, Utc::now()).await?.into())
}

fn known(job_type: &str) -> Result<JobType, ApiError> {
    job_type.parse().map_err(|_| ApiError::not_found("job"))
}

impl Repeatable for JobJson {}

fields!(JobJson as job {
    "job_type" => Cell::Text(job.job_type),
    "status" => Cell::Text(job.status),
    "active" => &job.active,
    "step" => word(job.step),
    "rows" => &job.rows,
    "waiting_until" => &job.waiting_until,
    "next_run_at" => &job.next_run_at,
    "last_run_id" => &job.last_run_id,
    "last_success_at" => &job.last_success_at,
    "error" => &job.error,
});

fields!(RunJson as run {
    "id" => &run.id,
    "job_type" => Cell::Text(run.job_type),
    "outcome" => word(run.outcome),
    "trigger" => Cell::Text(run.trigger),
    "started_at" => &run.started_at,
    "finished_at" => &run.finished_at,
    "attempt" => Cell::Count(run.attempt.into()),
    "rows" => Cell::Count(run.steps.iter().map(|step| step.rows).sum()),
    "requests" => &run.requests,
    "gaps" => Cell::Count(run.gaps.len() as u64),
    "aside" => Cell::Count(run.aside.len() as u64),
    "error" => &run.error,
});

impl From<Verb> for i32 {
    fn from(verb: Verb) -> i32 {
        let command = match verb {
            Verb::Run => JobCommand::Run,
            Verb::Pause => JobCommand::Pause,
            Verb::Resume => JobCommand::Resume,
            Verb::Stop => JobCommand::Stop,
            Verb::Retry => JobCommand::Retry,
        };
        command.into()
    }
}

impl From<JobView> for JobJson {
    fn from(job: JobView) -> JobJson {
        JobJson {
            job_type: job.job_type.as_str(),
            status: job.state.as_str(),
            version: job.version,
            active: job.active,
            progress: job.progress(),
            step: job.step().map(|step| step.as_str()),
            rows: job.rows(),
            rows_per_second: job.rows_per_second,
            eta_seconds: job.eta_seconds,
            waiting_until: job.waiting_until,
            next_run_at: job.next_run_at,
            last_run_id: job.last_run.map(|id| id.to_string()),
            last_success_at: job.last_success_at,
            pending_command: job.pending_command(),
            error: job.error,
            steps: job.steps.into_iter().map(StepJson::from).collect(),
        }
    }
}

impl From<StepProgress> for StepJson {
    fn from(step: StepProgress) -> StepJson {
        StepJson {
            name: step.step.as_str(),
            status: step.state.as_str(),
            tasks_total: step.tasks_total,
            tasks_done: step.tasks_done,
            rows: step.rows,
        }
    }
}

impl From<RunView> for RunJson {
    fn from(run: RunView) -> RunJson {
        let gaps = run.gaps.into_iter().map(|gap| GapJson { scope: gap.scope, reason: gap.reason });
        RunJson {
            id: run.id.to_string(),
            job_type: run.job_type.as_str(),
            outcome: run.outcome.map(|outcome| outcome.as_str()),
            trigger: run.trigger.as_str(),
            started_at: run.started_at,
            finished_at: run.finished_at,
            attempt: run.attempt,
            steps: run.steps.into_iter().map(StepJson::from).collect(),
            requests: run.requests,
            gaps: gaps.collect(),
            aside: run.aside.into_iter().map(AsideJson::from).collect(),
            error: run.error,
        }
    }
}

impl From<Aside> for AsideJson {
    fn from(aside: Aside) -> AsideJson {
        AsideJson {
            task_id: aside.task.to_string(),
            step: aside.step.as_str(),
            scope: aside.scope,
            reason: aside.reason,
        }
    }
}

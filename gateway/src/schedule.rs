//! When jobs run by themselves.

use actix_web::web::{Data, Json};
use domain::schedule::{Retry, Schedule};
use proto::Link;
use proto::v1::PutScheduleRequest;
use proto::v1::orchestrator_client::OrchestratorClient;
use serde::{Deserialize, Serialize};
use store::Jobs;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::error::{ApiError, FieldError};

#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct ScheduleJson {
    enabled: bool,
    interval_minutes: u32,
    timezone: String,
    retry: RetryJson,
}

#[derive(Serialize, Deserialize, ToSchema)]
struct RetryJson {
    enabled: bool,
    interval_minutes: u32,
    max_attempts: u32,
}

/// When the jobs of the caller's client run.
#[utoipa::path(get, path = "/api/v1/orchestrator", tag = "schedule", responses((status = 200, body = ScheduleJson)))]
pub(crate) async fn get(caller: Caller, jobs: Data<Jobs>) -> Result<Json<ScheduleJson>, ApiError> {
    let (schedule, _next_due_at) = jobs.schedule(caller.client).await?;
    Ok(Json(schedule.into()))
}

/// Changes when they run.
#[utoipa::path(put, path = "/api/v1/orchestrator", tag = "schedule", request_body = ScheduleJson,
    responses((status = 200, body = ScheduleJson)))]
pub(crate) async fn put(
    caller: Caller,
    orchestrator: Data<OrchestratorClient<Link>>,
    wanted: Json<ScheduleJson>,
) -> Result<Json<ScheduleJson>, ApiError> {
    let wanted = Schedule::from(wanted.into_inner());
    check(&wanted)?;
    let request = PutScheduleRequest {
        client_id: caller.client.to_string(),
        schedule: Some(message(&wanted)),
    };
    let kept = orchestrator.get_ref().clone().put_schedule(request).await?.into_inner();
    Ok(Json(kept.into()))
}

fn check(schedule: &Schedule) -> Result<(), ApiError> {
    let faults = schedule.faults().into_iter().map(|fault| {
        FieldError::new(
            fault.field,
            format!("is {}, but must be {} to {}", fault.value, fault.min, fault.max),
        )
    });
    let mut faults: Vec<_> = faults.collect();
    if schedule.timezone.parse::<chrono_tz::Tz>().is_err() {
        faults
            .push(FieldError::new("timezone", "is no time zone; choose one such as Europe/Berlin"));
    }
    if faults.is_empty() { Ok(()) } else { Err(ApiError::invalid(faults)) }
}

fn message(schedule: &Schedule) -> proto::v1::Schedule {
    proto::v1::Schedule {
        enabled: schedule.enabled,
        interval_minutes: schedule.interval_minutes,
        timezone: schedule.timezone.clone(),
        retry_enabled: schedule.retry.enabled,
        retry_interval_minutes: schedule.retry.interval_minutes,
        retry_max_attempts: schedule.retry.max_attempts,
    }
}

impl From<ScheduleJson> for Schedule {
    fn from(json: ScheduleJson) -> Schedule {
        Schedule {
            enabled: json.enabled,
            interval_minutes: json.interval_minutes,
            timezone: json.timezone,
            retry: Retry {
                enabled: json.retry.enabled,
                interval_minutes: json.retry.interval_minutes,
                max_attempts: json.retry.max_attempts,
            },
        }
    }
}

impl From<Schedule> for ScheduleJson {
    fn from(schedule: Schedule) -> ScheduleJson {
        ScheduleJson {
            enabled: schedule.enabled,
            interval_minutes: schedule.interval_minutes,
            timezone: schedule.timezone,
            retry: RetryJson {
                enabled: schedule.retry.enabled,
                interval_minutes: schedule.retry.interval_minutes,
                max_attempts: schedule.retry.max_attempts,
            },
        }
    }
}

impl From<proto::v1::Schedule> for ScheduleJson {
    fn from(kept: proto::v1::Schedule) -> ScheduleJson {
        ScheduleJson {
            enabled: kept.enabled,
            interval_minutes: kept.interval_minutes,
            timezone: kept.timezone,
            retry: RetryJson {
                enabled: kept.retry_enabled,
                interval_minutes: kept.retry_interval_minutes,
                max_attempts: kept.retry_max_attempts,
            },
        }
    }
}

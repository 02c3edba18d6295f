//! The numbers people read, as the metrics service computes them.

use std::collections::HashMap;

use actix_web::web::{Data, Json, Query};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use proto::Link;
use proto::convert::{moment, timestamp};
use proto::v1::metrics_client::MetricsClient;
use proto::v1::{Answer, Point, Question};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::error::ApiError;

const DAYS_UNLESS_SAID: i64 = 90;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    from: Option<String>,
    to: Option<String>,
    project: Option<String>,
    repository: Option<String>,
    bucket: Option<String>,
    explain: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Report {
    window: Window,
    as_of: Option<DateTime<Utc>>,
    band_table: String,
    metrics: Vec<Metric>,
    series: Vec<SeriesPoint>,
}

#[derive(Serialize, ToSchema)]
struct Window {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    timezone: String,
    bucket: String,
}

#[derive(Serialize, ToSchema)]
struct Metric {
    name: String,
    value: Option<f64>,
    unit: String,
    kind: Option<String>,
    band: Option<String>,
    previous: Option<f64>,
    counted: u64,
    excluded: Vec<Excluded>,
    formula: String,
    version: u32,
    empty_reason: Option<String>,
    details: HashMap<String, f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ids: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct Excluded {
    reason: String,
    count: u64,
}

#[derive(Serialize, ToSchema)]
struct SeriesPoint {
    start: String,
    deployments: u64,
    deployment_days: u64,
    lead_time_seconds: Option<f64>,
    change_failure_rate: Option<f64>,
    recovery_seconds: Option<f64>,
    restore_seconds: Option<f64>,
}

/// The DORA metrics of a window, by default of the last 90 days.
#[utoipa::path(get, path = "/api/v1/metrics/dora", tag = "metrics", params(Asked), responses((status = 200, body = Report)))]
pub(crate) async fn dora(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
    asked: Query<Asked>,
) -> Result<Json<Report>, ApiError> {
    let question = question(&caller, asked.into_inner(), Utc::now())?;
    let answer = metrics.get_ref().clone().ask(question).await?.into_inner();
    let report = Report::try_from(answer).map_err(|unreadable| ApiError::internal(&unreadable))?;
    Ok(Json(report))
}

fn question(caller: &Caller, asked: Asked, now: DateTime<Utc>) -> Result<Question, ApiError> {
    let to = asked.to.map(|text| bound("to", &text)).transpose()?.unwrap_or(now);
    let from = asked.from.map(|text| bound("from", &text)).transpose()?;
    let from = from.unwrap_or_else(|| to - TimeDelta::days(DAYS_UNLESS_SAID));
    if from >= to {
        return Err(ApiError::bad_parameter("from", "must be before to"));
    }
    let bucket = asked.bucket.unwrap_or_else(|| "week".to_owned());
    if !["day", "week", "month"].contains(&bucket.as_str()) {
        return Err(ApiError::bad_parameter("bucket", "must be day, week or month"));
    }
    Ok(Question {
        client_id: caller.client.to_string(),
        report: "dora".to_owned(),
        from: Some(timestamp(from)),
        to: Some(timestamp(to)),
        projects: listed(asked.project),
        repositories: listed(asked.repository),
        bucket,
        explain: asked.explain.unwrap_or(false),
    })
}

/// A moment, or the start of a day.
fn bound(field: &str, text: &str) -> Result<DateTime<Utc>, ApiError> {
    let moment = text.parse::<DateTime<Utc>>().ok();
    let day = || text.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    moment.or_else(day).ok_or_else(|| {
        ApiError::bad_parameter(
            field,
            "must be a day such as 2026-03-01 or a moment such as 2026-03-01T09:00:00Z",
        )
    })
}

fn listed(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn unless_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl TryFrom<Answer> for Report {
    type Error = proto::convert::Unreadable;

    fn try_from(answer: Answer) -> Result<Report, Self::Error> {
        let read = |field, stamp: Option<_>| stamp.map(|stamp| moment(field, stamp)).transpose();
        Ok(Report {
            window: Window {
                from: read("from", answer.from)?,
                to: read("to", answer.to)?,
                timezone: answer.timezone,
                bucket: answer.bucket,
            },
            as_of: read("as_of", answer.as_of)?,
            band_table: answer.band_table,
            metrics: answer.metrics.into_iter().map(Metric::from).collect(),
            series: answer.series.into_iter().map(SeriesPoint::from).collect(),
        })
    }
}

impl From<proto::v1::Metric> for Metric {
    fn from(metric: proto::v1::Metric) -> Metric {
        let excluded = metric.excluded.into_iter();
        Metric {
            name: metric.name,
            value: metric.value,
            unit: metric.unit,
            kind: unless_empty(metric.kind),
            band: unless_empty(metric.band),
            previous: metric.previous,
            counted: metric.counted,
            excluded: excluded
                .map(|row| Excluded { reason: row.reason, count: row.count })
                .collect(),
            formula: metric.formula,
            version: metric.version,
            empty_reason: unless_empty(metric.empty_reason),
            details: metric.details,
            ids: metric.ids,
        }
    }
}

impl From<Point> for SeriesPoint {
    fn from(point: Point) -> SeriesPoint {
        SeriesPoint {
            start: point.start,
            deployments: point.deployments,
            deployment_days: point.deployment_days,
            lead_time_seconds: point.lead_time_seconds,
            change_failure_rate: point.change_failure_rate,
            recovery_seconds: point.recovery_seconds,
            restore_seconds: point.restore_seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_day_or_a_moment() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(bound("from", "2026-03-01").unwrap(), at("2026-03-01T00:00:00Z"));
        assert_eq!(bound("from", "2026-03-01T09:00:00+01:00").unwrap(), at("2026-03-01T08:00:00Z"));
        for garbage in ["", "yesterday", "2026-13-01", "2026-03-01' OR 1=1"] {
            assert!(bound("from", garbage).is_err(), "{garbage}");
        }
    }
}

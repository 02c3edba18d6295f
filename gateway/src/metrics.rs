//! The numbers people read, as the metrics service computes them.

mod series;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Query};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use proto::Link;
use proto::convert::{Unreadable, moment, timestamp};
use proto::v1::metrics_client::MetricsClient;
use proto::v1::{Answer, Question};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::error::ApiError;
use crate::lists::{Fields, Format, export};

use self::series::{FlowPoint, PullRequestsPoint, SeriesPoint};

const DAYS_UNLESS_SAID: i64 = 90;
/// Years that a window may lie in.
const YEARS: RangeInclusive<i32> = 1970..=2200;

#[derive(Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// A moment, or a day, which begins at midnight in the client's time zone.
    from: Option<String>,
    to: Option<String>,
    project: Option<String>,
    repository: Option<String>,
    bucket: Option<String>,
    explain: Option<bool>,
    /// As `csv` or `ndjson` only the series, a line for each bucket.
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedAhead {
    /// The history that is drawn from, by default the last 90 days.
    from: Option<String>,
    to: Option<String>,
    project: Option<String>,
    /// How many items; as many as are in progress unless said.
    items: Option<u32>,
    /// By which day; 30 days on unless said.
    until: Option<NaiveDate>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Report {
    window: Window,
    as_of: Option<DateTime<Utc>>,
    /// The rules changed since, and the numbers follow within seconds.
    recomputing: bool,
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
    details: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ids: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct Excluded {
    reason: String,
    count: u64,
}

/// The flow of issues in a window.
#[derive(Serialize, ToSchema)]
pub(crate) struct FlowReport {
    window: Window,
    as_of: Option<DateTime<Utc>>,
    /// The workflows changed since, and the numbers follow within seconds.
    recomputing: bool,
    metrics: Vec<Metric>,
    series: Vec<FlowPoint>,
    /// How long the issues that are done stayed in each step.
    steps: Vec<FlowStep>,
    /// Where issues stood at the end of each day.
    cumulative_flow: Vec<FlowDay>,
}

#[derive(Serialize, ToSchema)]
struct FlowStep {
    id: String,
    workflow_id: String,
    name: String,
    category: String,
    counted: u64,
    seconds_p50: Option<f64>,
    seconds_p85: Option<f64>,
}

#[derive(Serialize, ToSchema)]
struct FlowDay {
    day: String,
    throughput: u64,
    wip: i64,
    /// By the step's id.
    steps: BTreeMap<String, i64>,
}

/// Pull requests that were merged in a window.
#[derive(Serialize, ToSchema)]
pub(crate) struct PullRequestsReport {
    window: Window,
    as_of: Option<DateTime<Utc>>,
    /// The rules changed since, and the numbers follow within seconds.
    recomputing: bool,
    metrics: Vec<Metric>,
    series: Vec<PullRequestsPoint>,
}

/// What is missing from the data, and what mends it.
#[derive(Serialize, ToSchema)]
pub(crate) struct QualityReport {
    /// From 0 to 1: how far the numbers can be trusted.
    score: Option<f64>,
    formula: String,
    version: u32,
    empty_reason: Option<String>,
    checks: Vec<QualityCheck>,
}

#[derive(Serialize, ToSchema)]
struct QualityCheck {
    name: String,
    count: u64,
    total: u64,
    share: Option<f64>,
    examples: Vec<String>,
    fix: String,
}

/// When so many items will be done, and how many by a day.
#[derive(Serialize, ToSchema)]
pub(crate) struct ForecastReport {
    window: Window,
    as_of: Option<DateTime<Utc>>,
    /// The workflows changed since, and the numbers follow within seconds.
    recomputing: bool,
    trials: u64,
    seed: u64,
    items: u32,
    until: String,
    history: History,
    /// The day by which the items are done in half, 85 and 95 of a hundred futures.
    when: Option<Days>,
    /// How many items are done by `until`, at least.
    how_many: Option<Counts>,
    back_test: BackTest,
    formula: String,
    version: u32,
    empty_reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct History {
    days: u64,
    done: u64,
    excluded: Vec<Excluded>,
}

#[derive(Serialize, ToSchema)]
struct Days {
    p50: String,
    p85: String,
    p95: String,
}

#[derive(Serialize, ToSchema)]
struct Counts {
    p50: u32,
    p85: u32,
    p95: u32,
}

/// The same forecast, made on days of the past from what was known then.
#[derive(Serialize, ToSchema)]
struct BackTest {
    horizon_days: u64,
    checks: Vec<Check>,
    hits: u64,
    /// Near 0.85 where the past is like the future.
    hit_rate: Option<f64>,
}

#[derive(Serialize, ToSchema)]
struct Check {
    day: String,
    p50: u32,
    p85: u32,
    p95: u32,
    actual: u32,
    hit: bool,
}

/// The DORA metrics of a window, by default of the last 90 days.
#[utoipa::path(get, path = "/api/v1/metrics/dora", tag = "metrics", params(Asked), responses((status = 200, body = Report)))]
pub(crate) async fn dora(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let report: Report = told("dora", &caller, &metrics, &asked).await?;
    Ok(given(asked.format, "dora", &report, &report.series))
}

/// How issues flowed in a window, by default the last 90 days: times, rework, efficiency, and where
/// they stood at the end of each day.
#[utoipa::path(get, path = "/api/v1/metrics/flow", tag = "metrics", params(Asked), responses((status = 200, body = FlowReport)))]
pub(crate) async fn flow(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let report: FlowReport = told("flow", &caller, &metrics, &asked).await?;
    Ok(given(asked.format, "flow", &report, &report.series))
}

/// Pull requests that people merged in a window, by default the last 90 days: their stages, size and
/// reviews, and how old those are that are open now.
#[utoipa::path(get, path = "/api/v1/metrics/pull-requests", tag = "metrics", params(Asked), responses((status = 200, body = PullRequestsReport)))]
pub(crate) async fn pull_requests(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let report: PullRequestsReport = told("pull-requests", &caller, &metrics, &asked).await?;
    Ok(given(asked.format, "pull-requests", &report, &report.series))
}

/// When so many items will be done, and how many by a day, drawn from the throughput of the past,
/// beside how well that would have been foretold before.
#[utoipa::path(get, path = "/api/v1/metrics/forecast", tag = "metrics", params(AskedAhead), responses((status = 200, body = ForecastReport)))]
pub(crate) async fn forecast(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
    asked: Query<AskedAhead>,
) -> Result<Json<ForecastReport>, ApiError> {
    let AskedAhead { from, to, project, items, until } = asked.into_inner();
    if items == Some(0) {
        return Err(ApiError::bad_parameter("items", "must be 1 or more"));
    }
    let past = Asked { from, to, project, ..Asked::default() };
    let question = Question {
        items,
        until: until.map(|day| day.to_string()).unwrap_or_default(),
        ..question("forecast", &caller, past, Utc::now())?
    };
    let answer = metrics.get_ref().clone().ask(question).await?.into_inner();
    let report =
        ForecastReport::try_from(answer).map_err(|unreadable| ApiError::internal(&unreadable))?;
    Ok(Json(report))
}

/// How far the numbers can be trusted: what is missing from the data they are made of, as it is now.
#[utoipa::path(get, path = "/api/v1/metrics/data-quality", tag = "metrics", responses((status = 200, body = QualityReport)))]
pub(crate) async fn data_quality(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
) -> Result<Json<QualityReport>, ApiError> {
    let question = Question {
        client_id: caller.client.to_string(),
        report: "data-quality".to_owned(),
        ..Question::default()
    };
    let answer = metrics.get_ref().clone().ask(question).await?.into_inner();
    Ok(Json(answer.quality.unwrap_or_default().into()))
}

/// What the metrics service reports.
async fn told<R>(
    report: &str,
    caller: &Caller,
    metrics: &MetricsClient<Link>,
    asked: &Asked,
) -> Result<R, ApiError>
where
    R: TryFrom<Answer, Error = Unreadable>,
{
    let question = question(report, caller, asked.clone(), Utc::now())?;
    let answer = metrics.clone().ask(question).await?.into_inner();
    R::try_from(answer).map_err(|unreadable| ApiError::internal(&unreadable))
}

/// The whole report, or its series to take away.
fn given<P: Fields>(
    format: Format,
    name: &str,
    report: &impl Serialize,
    series: &[P],
) -> HttpResponse {
    match format {
        Format::Json => HttpResponse::Ok().json(report),
        Format::Csv | Format::Ndjson => export::whole(name, series, format),
    }
}

fn question(
    report: &str,
    caller: &Caller,
    asked: Asked,
    now: DateTime<Utc>,
) -> Result<Question, ApiError> {
    let to = asked.to.map(|text| Bound::read("to", &text)).transpose()?.unwrap_or(Bound::At(now));
    let from = asked.from.map(|text| Bound::read("from", &text)).transpose()?;
    let from = from.unwrap_or_else(|| to.days_before(DAYS_UNLESS_SAID));
    if from.is_surely_after(to) {
        return Err(ApiError::bad_parameter("from", "must be before to"));
    }
    let bucket = asked.bucket.unwrap_or_else(|| "week".to_owned());
    if !["day", "week", "month"].contains(&bucket.as_str()) {
        return Err(ApiError::bad_parameter("bucket", "must be day, week or month"));
    }
    Ok(Question {
        client_id: caller.client.to_string(),
        report: report.to_owned(),
        from: from.moment().map(timestamp),
        to: to.moment().map(timestamp),
        from_day: from.day(),
        to_day: to.day(),
        projects: listed(asked.project),
        repositories: listed(asked.repository),
        bucket,
        explain: asked.explain.unwrap_or(false),
        ..Question::default()
    })
}

/// Where a window begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    At(DateTime<Utc>),
    /// At midnight in the client's zone, which the metrics service knows.
    Day(NaiveDate),
}

impl Bound {
    fn read(field: &str, text: &str) -> Result<Bound, ApiError> {
        let at = text.parse().ok().map(Bound::At);
        let read = at.or_else(|| text.parse().ok().map(Bound::Day)).ok_or_else(|| {
            ApiError::bad_parameter(
                field,
                "must be a day such as 2026-03-01 or a moment such as 2026-03-01T09:00:00Z",
            )
        })?;
        let year = match read {
            Bound::At(at) => at.year(),
            Bound::Day(day) => day.year(),
        };
        if YEARS.contains(&year) {
            return Ok(read);
        }
        let (first, last) = (YEARS.start(), YEARS.end());
        Err(ApiError::bad_parameter(field, format!("must lie in the years {first} to {last}")))
    }

    fn days_before(self, days: i64) -> Bound {
        match self {
            Bound::At(at) => Bound::At(at - TimeDelta::days(days)),
            Bound::Day(day) => Bound::Day(day - TimeDelta::days(days)),
        }
    }

    /// A moment and a day can be compared only where the zone is known.
    fn is_surely_after(self, to: Bound) -> bool {
        match (self, to) {
            (Bound::At(from), Bound::At(to)) => from >= to,
            (Bound::Day(from), Bound::Day(to)) => from >= to,
            _ => false,
        }
    }

    fn moment(self) -> Option<DateTime<Utc>> {
        match self {
            Bound::At(at) => Some(at),
            Bound::Day(_) => None,
        }
    }

    fn day(self) -> String {
        match self {
            Bound::At(_) => String::new(),
            Bound::Day(day) => day.to_string(),
        }
    }
}

fn listed(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn unless_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl TryFrom<Answer> for Report {
    type Error = Unreadable;

    fn try_from(answer: Answer) -> Result<Report, Self::Error> {
        Ok(Report {
            as_of: as_of(&answer)?,
            recomputing: answer.is_behind,
            window: Window::try_from(&answer)?,
            band_table: answer.band_table,
            metrics: answer.metrics.into_iter().map(Metric::from).collect(),
            series: answer.series.into_iter().map(SeriesPoint::from).collect(),
        })
    }
}

impl TryFrom<Answer> for FlowReport {
    type Error = Unreadable;

    fn try_from(answer: Answer) -> Result<FlowReport, Self::Error> {
        Ok(FlowReport {
            as_of: as_of(&answer)?,
            recomputing: answer.is_behind,
            window: Window::try_from(&answer)?,
            metrics: answer.metrics.into_iter().map(Metric::from).collect(),
            series: answer.series.into_iter().map(FlowPoint::from).collect(),
            steps: answer.steps.into_iter().map(FlowStep::from).collect(),
            cumulative_flow: answer.days.into_iter().map(FlowDay::from).collect(),
        })
    }
}

impl TryFrom<Answer> for PullRequestsReport {
    type Error = Unreadable;

    fn try_from(answer: Answer) -> Result<PullRequestsReport, Self::Error> {
        Ok(PullRequestsReport {
            as_of: as_of(&answer)?,
            recomputing: answer.is_behind,
            window: Window::try_from(&answer)?,
            metrics: answer.metrics.into_iter().map(Metric::from).collect(),
            series: answer.series.into_iter().map(PullRequestsPoint::from).collect(),
        })
    }
}

impl TryFrom<Answer> for ForecastReport {
    type Error = Unreadable;

    fn try_from(answer: Answer) -> Result<ForecastReport, Self::Error> {
        let (window, as_of) = (Window::try_from(&answer)?, as_of(&answer)?);
        let told = answer.forecast.unwrap_or_default();
        let excluded = told.excluded.into_iter();
        let checks: Vec<Check> = told.checks.into_iter().map(Check::from).collect();
        let count = |text: String| proto::convert::parse("how_many", &text);
        Ok(ForecastReport {
            window,
            as_of,
            recomputing: answer.is_behind,
            trials: told.trials,
            seed: told.seed,
            items: told.items,
            until: told.until,
            history: History {
                days: told.days,
                done: told.done,
                excluded: excluded
                    .map(|row| Excluded { reason: row.reason, count: row.count })
                    .collect(),
            },
            when: told.when.map(|when| Days { p50: when.p50, p85: when.p85, p95: when.p95 }),
            how_many: match told.how_many {
                Some(items) => Some(Counts {
                    p50: count(items.p50)?,
                    p85: count(items.p85)?,
                    p95: count(items.p95)?,
                }),
                None => None,
            },
            back_test: BackTest {
                horizon_days: told.horizon_days,
                hit_rate: share(told.hits, checks.len()),
                hits: told.hits,
                checks,
            },
            formula: told.formula,
            version: told.version,
            empty_reason: unless_empty(told.empty_reason),
        })
    }
}

/// Of so few checks that their share needs no more digits.
fn share(hits: u64, all: usize) -> Option<f64> {
    let (hits, all) = (u32::try_from(hits).ok()?, u32::try_from(all).ok()?);
    (all > 0).then(|| f64::from(hits) / f64::from(all))
}

impl From<proto::v1::Quality> for QualityReport {
    fn from(told: proto::v1::Quality) -> QualityReport {
        let check = |check: proto::v1::QualityCheck| QualityCheck {
            name: check.name,
            count: check.count,
            total: check.total,
            share: check.share,
            examples: check.examples,
            fix: check.fix,
        };
        QualityReport {
            score: told.score,
            formula: told.formula,
            version: told.version,
            empty_reason: unless_empty(told.empty_reason),
            checks: told.checks.into_iter().map(check).collect(),
        }
    }
}

impl From<proto::v1::ForecastCheck> for Check {
    fn from(check: proto::v1::ForecastCheck) -> Check {
        Check {
            day: check.day,
            p50: check.p50,
            p85: check.p85,
            p95: check.p95,
            actual: check.actual,
            hit: check.hit,
        }
    }
}

fn as_of(answer: &Answer) -> Result<Option<DateTime<Utc>>, Unreadable> {
    answer.as_of.map(|at| moment("as_of", at)).transpose()
}

impl TryFrom<&Answer> for Window {
    type Error = Unreadable;

    fn try_from(answer: &Answer) -> Result<Window, Self::Error> {
        Ok(Window {
            from: answer.from.map(|at| moment("from", at)).transpose()?,
            to: answer.to.map(|at| moment("to", at)).transpose()?,
            timezone: answer.timezone.clone(),
            bucket: answer.bucket.clone(),
        })
    }
}

impl From<proto::v1::FlowStep> for FlowStep {
    fn from(step: proto::v1::FlowStep) -> FlowStep {
        FlowStep {
            id: step.id,
            workflow_id: step.workflow_id,
            name: step.name,
            category: step.category,
            counted: step.counted,
            seconds_p50: step.seconds_p50,
            seconds_p85: step.seconds_p85,
        }
    }
}

impl From<proto::v1::FlowDay> for FlowDay {
    fn from(day: proto::v1::FlowDay) -> FlowDay {
        FlowDay { day: day.day, throughput: day.throughput, wip: day.wip, steps: day.in_step }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_day_or_a_moment() {
        let read = |text| Bound::read("from", text);
        assert_eq!(read("2026-03-01").unwrap(), Bound::Day("2026-03-01".parse().unwrap()));
        let eight = Bound::At("2026-03-01T08:00:00Z".parse().unwrap());
        assert_eq!(read("2026-03-01T09:00:00+01:00").unwrap(), eight);
        let bad = ["", "yesterday", "2026-13-01", "2026-03-01' OR 1=1", "1969-12-31", "9999-12-31"];
        for text in bad.into_iter().chain(["+262142-12-31", "-0001-01-01T00:00:00Z"]) {
            assert!(read(text).is_err(), "{text}");
        }
    }
}

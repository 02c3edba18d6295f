//! The numbers people read, as the metrics service computes them.

mod report;
mod series;
mod tables;

use std::ops::RangeInclusive;

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use proto::Link;
use proto::convert::{Unreadable, timestamp};
use proto::v1::metrics_client::MetricsClient;
use proto::v1::{Answer, Question};
use serde::{Deserialize, Serialize};

use crate::auth::Caller;
use crate::error::ApiError;
use crate::lists::Format;

use self::report::{
    FlowReport, ForecastReport, PullRequestsReport, QualityReport, Report, ReviewLoadReport,
};
use self::tables::{IDS, Tables, given};

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
    /// Only of DORA: the year of the table by which bands are told, `2023` unless said, or `2021`.
    bands: Option<String>,
    /// As it was told on this day or last before it: of the 90 days before, and of everything, so that
    /// nothing else can be asked for.
    on: Option<NaiveDate>,
    /// As `csv` or `ndjson` a part of it: the series, a line for each bucket, unless `part` says another.
    #[serde(default)]
    format: Format,
    /// `series`, `metrics` or `ids`; of the flow also `steps`, `categories` and `cumulative_flow`.
    part: Option<String>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedOfQuality {
    /// As it was told on this day or last before it.
    on: Option<NaiveDate>,
    /// As `csv` or `ndjson` a line for each check.
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
    /// With the issues that were done on the days that are drawn from.
    explain: Option<bool>,
    /// As it was told on this day or last before it, for as many items as were in progress then.
    on: Option<NaiveDate>,
    /// As `csv` or `ndjson` a part of it: the chances unless `part` says another.
    #[serde(default)]
    format: Format,
    /// `chances`, `back_test` or `ids`.
    part: Option<String>,
}

/// The DORA metrics of a window, by default of the last 90 days.
#[utoipa::path(get, path = "/api/v1/metrics/dora", tag = "metrics", params(Asked), responses((status = 200, body = Report)))]
pub(crate) async fn dora(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    told::<Report>("dora", &caller, &metrics, asked.into_inner()).await
}

/// How issues flowed in a window, by default the last 90 days: times, rework, efficiency, and where
/// they stood at the end of each day.
#[utoipa::path(get, path = "/api/v1/metrics/flow", tag = "metrics", params(Asked), responses((status = 200, body = FlowReport)))]
pub(crate) async fn flow(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    told::<FlowReport>("flow", &caller, &metrics, asked.into_inner()).await
}

/// Pull requests that people merged in a window, by default the last 90 days: their stages, size and
/// reviews, and how old those are that are open now.
#[utoipa::path(get, path = "/api/v1/metrics/pull-requests", tag = "metrics", params(Asked), responses((status = 200, body = PullRequestsReport)))]
pub(crate) async fn pull_requests(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    told::<PullRequestsReport>("pull-requests", &caller, &metrics, asked.into_inner()).await
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedOfReviews {
    /// A moment, or a day, which begins at midnight in the client's time zone.
    from: Option<String>,
    to: Option<String>,
    project: Option<String>,
    repository: Option<String>,
    /// As `csv` or `ndjson` a line for each person.
    #[serde(default)]
    format: Format,
}

/// Who gave how many reviews to pull requests of others in a window, by default of the last 90 days. Machines are
/// left out, by the client's list.
#[utoipa::path(get, path = "/api/v1/metrics/review-load", tag = "metrics", params(AskedOfReviews), responses((status = 200, body = ReviewLoadReport)))]
pub(crate) async fn review_load(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
    asked: Query<AskedOfReviews>,
) -> Result<HttpResponse, ApiError> {
    let AskedOfReviews { from, to, project, repository, format } = asked.into_inner();
    let asked = Asked { from, to, project, repository, format, ..Asked::default() };
    told::<ReviewLoadReport>("review-load", &caller, &metrics, asked).await
}

/// When so many items will be done, and how many by a day, drawn from the throughput of the past,
/// beside how well that would have been foretold before.
#[utoipa::path(get, path = "/api/v1/metrics/forecast", tag = "metrics", params(AskedAhead), responses((status = 200, body = ForecastReport)))]
pub(crate) async fn forecast(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
    asked: Query<AskedAhead>,
) -> Result<HttpResponse, ApiError> {
    let AskedAhead { from, to, project, items, until, explain, on, format, part } =
        asked.into_inner();
    if on.is_some() && (items.is_some() || until.is_some()) {
        return Err(ApiError::bad_parameter("on", KEPT_WHOLE));
    }
    if items == Some(0) {
        return Err(ApiError::bad_parameter("items", "must be 1 or more"));
    }
    let past = Asked { from, to, project, explain, on, part: part.clone(), ..Asked::default() };
    let question = Question {
        items,
        until: until.map(|day| day.to_string()).unwrap_or_default(),
        ..question("forecast", &caller, past, Utc::now())?
    };
    answered::<ForecastReport>(&metrics, question, format, part).await
}

/// How far the numbers can be trusted: what is missing from the data they are made of, as it is now.
#[utoipa::path(get, path = "/api/v1/metrics/data-quality", tag = "metrics", params(AskedOfQuality), responses((status = 200, body = QualityReport)))]
pub(crate) async fn data_quality(
    caller: Caller,
    metrics: Data<MetricsClient<Link>>,
    asked: Query<AskedOfQuality>,
) -> Result<HttpResponse, ApiError> {
    let AskedOfQuality { on, format } = asked.into_inner();
    let asked = Asked { on, format, ..Asked::default() };
    told::<QualityReport>("data-quality", &caller, &metrics, asked).await
}

/// What the metrics service reports, whole or a part of it to take away.
async fn told<R>(
    name: &str,
    caller: &Caller,
    metrics: &MetricsClient<Link>,
    asked: Asked,
) -> Result<HttpResponse, ApiError>
where
    R: TryFrom<Answer, Error = Unreadable> + Serialize + Tables,
{
    let (format, part) = (asked.format, asked.part.clone());
    answered::<R>(metrics, question(name, caller, asked, Utc::now())?, format, part).await
}

async fn answered<R>(
    metrics: &MetricsClient<Link>,
    question: Question,
    format: Format,
    part: Option<String>,
) -> Result<HttpResponse, ApiError>
where
    R: TryFrom<Answer, Error = Unreadable> + Serialize + Tables,
{
    let name = question.report.clone();
    let answer = metrics.clone().ask(question).await?.into_inner();
    let report = R::try_from(answer).map_err(|unreadable| ApiError::internal(&unreadable))?;
    given(&report, &name, format, part.as_deref())
}

fn question(
    report: &str,
    caller: &Caller,
    asked: Asked,
    now: DateTime<Utc>,
) -> Result<Question, ApiError> {
    if let Some(day) = asked.on {
        must_be_whole(&asked)?;
        return Ok(Question {
            client_id: caller.client.to_string(),
            report: report.to_owned(),
            on_day: day.to_string(),
            ..Question::default()
        });
    }
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
        band_table: bands(report, asked.bands)?,
        explain: asked.explain.unwrap_or(asked.part.as_deref() == Some(IDS)),
        ..Question::default()
    })
}

fn bands(report: &str, year: Option<String>) -> Result<String, ApiError> {
    match year {
        Some(_) if report != "dora" => Err(ApiError::bad_parameter("bands", "are DORA's alone")),
        Some(year) if !["2023", "2021"].contains(&year.as_str()) => {
            Err(ApiError::bad_parameter("bands", "must be 2023 or 2021"))
        }
        year => Ok(year.unwrap_or_default()),
    }
}

const KEPT_WHOLE: &str = "goes with format and part alone: what was told then is kept as a whole";

/// Of days of the past one report is kept, the same for everybody.
fn must_be_whole(asked: &Asked) -> Result<(), ApiError> {
    let Asked { from, to, project, repository, bucket, bands, explain, .. } = asked;
    let others = [from, to, project, repository, bucket, bands].into_iter().flatten().next();
    if others.is_none() && explain.is_none() {
        return Ok(());
    }
    Err(ApiError::bad_parameter("on", KEPT_WHOLE))
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

//! Reports as JSON, from what the metrics service answers.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use proto::convert::{Unreadable, moment};
use proto::v1::Answer;
use serde::Serialize;
use utoipa::ToSchema;

use super::series::{FlowPoint, PullRequestsPoint, SeriesPoint};

#[derive(Serialize, ToSchema)]
pub(crate) struct Report {
    pub(super) window: Window,
    pub(super) as_of: Option<DateTime<Utc>>,
    /// When it was told, if that was on another day.
    pub(super) told_at: Option<DateTime<Utc>>,
    /// The rules changed since, and the numbers follow within seconds.
    pub(super) recomputing: bool,
    pub(super) band_table: String,
    pub(super) metrics: Vec<Metric>,
    pub(super) series: Vec<SeriesPoint>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Window {
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) to: Option<DateTime<Utc>>,
    pub(super) timezone: String,
    pub(super) bucket: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) value: Option<f64>,
    pub(super) unit: String,
    pub(super) kind: Option<String>,
    pub(super) band: Option<String>,
    pub(super) previous: Option<f64>,
    pub(super) counted: u64,
    pub(super) excluded: Vec<Excluded>,
    pub(super) formula: String,
    pub(super) version: u32,
    pub(super) empty_reason: Option<String>,
    pub(super) details: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Excluded {
    pub(super) reason: String,
    pub(super) count: u64,
}

/// The flow of issues in a window.
#[derive(Serialize, ToSchema)]
pub(crate) struct FlowReport {
    pub(super) window: Window,
    pub(super) as_of: Option<DateTime<Utc>>,
    /// When it was told, if that was on another day.
    pub(super) told_at: Option<DateTime<Utc>>,
    /// The workflows changed since, and the numbers follow within seconds.
    pub(super) recomputing: bool,
    pub(super) metrics: Vec<Metric>,
    pub(super) series: Vec<FlowPoint>,
    /// How long the issues that are done stayed in each step.
    pub(super) steps: Vec<FlowStep>,
    /// Where issues stood at the end of each day.
    pub(super) cumulative_flow: Vec<FlowDay>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct FlowStep {
    pub(super) id: String,
    pub(super) workflow_id: String,
    pub(super) name: String,
    pub(super) category: String,
    pub(super) counted: u64,
    pub(super) seconds_p50: Option<f64>,
    pub(super) seconds_p85: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct FlowDay {
    pub(super) day: String,
    pub(super) throughput: u64,
    pub(super) wip: i64,
    /// By the step's id.
    pub(super) steps: BTreeMap<String, i64>,
}

/// Pull requests that were merged in a window.
#[derive(Serialize, ToSchema)]
pub(crate) struct PullRequestsReport {
    pub(super) window: Window,
    pub(super) as_of: Option<DateTime<Utc>>,
    /// When it was told, if that was on another day.
    pub(super) told_at: Option<DateTime<Utc>>,
    /// The rules changed since, and the numbers follow within seconds.
    pub(super) recomputing: bool,
    pub(super) metrics: Vec<Metric>,
    pub(super) series: Vec<PullRequestsPoint>,
}

/// What is missing from the data, and what mends it.
#[derive(Serialize, ToSchema)]
pub(crate) struct QualityReport {
    /// When it was told, if that was on another day.
    pub(super) told_at: Option<DateTime<Utc>>,
    /// From 0 to 1: how far the numbers can be trusted.
    pub(super) score: Option<f64>,
    pub(super) formula: String,
    pub(super) version: u32,
    pub(super) empty_reason: Option<String>,
    pub(super) checks: Vec<QualityCheck>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct QualityCheck {
    pub(super) name: String,
    pub(super) count: u64,
    pub(super) total: u64,
    pub(super) share: Option<f64>,
    pub(super) examples: Vec<String>,
    pub(super) fix: String,
}

/// When so many items will be done, and how many by a day.
#[derive(Serialize, ToSchema)]
pub(crate) struct ForecastReport {
    pub(super) window: Window,
    pub(super) as_of: Option<DateTime<Utc>>,
    /// The workflows changed since, and the numbers follow within seconds.
    pub(super) recomputing: bool,
    pub(super) trials: u64,
    pub(super) seed: u64,
    pub(super) items: u32,
    pub(super) until: String,
    pub(super) history: History,
    /// The day by which the items are done in half, 85 and 95 of a hundred futures.
    pub(super) when: Option<Days>,
    /// How many items are done by `until`, at least.
    pub(super) how_many: Option<Counts>,
    pub(super) back_test: BackTest,
    pub(super) formula: String,
    pub(super) version: u32,
    pub(super) empty_reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct History {
    pub(super) days: u64,
    pub(super) done: u64,
    pub(super) excluded: Vec<Excluded>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Days {
    pub(super) p50: String,
    pub(super) p85: String,
    pub(super) p95: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Counts {
    pub(super) p50: u32,
    pub(super) p85: u32,
    pub(super) p95: u32,
}

/// The same forecast, made on days of the past from what was known then.
#[derive(Serialize, ToSchema)]
pub(super) struct BackTest {
    pub(super) horizon_days: u64,
    pub(super) checks: Vec<Check>,
    pub(super) hits: u64,
    /// Near 0.85 where the past is like the future.
    pub(super) hit_rate: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Check {
    pub(super) day: String,
    pub(super) p50: u32,
    pub(super) p85: u32,
    pub(super) p95: u32,
    pub(super) actual: u32,
    pub(super) hit: bool,
}

impl TryFrom<Answer> for Report {
    type Error = Unreadable;

    fn try_from(answer: Answer) -> Result<Report, Self::Error> {
        Ok(Report {
            as_of: as_of(&answer)?,
            told_at: told_at(&answer)?,
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
            told_at: told_at(&answer)?,
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
            told_at: told_at(&answer)?,
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

impl TryFrom<Answer> for QualityReport {
    type Error = Unreadable;

    fn try_from(answer: Answer) -> Result<QualityReport, Self::Error> {
        let told_at = told_at(&answer)?;
        let told = answer.quality.unwrap_or_default();
        let check = |check: proto::v1::QualityCheck| QualityCheck {
            name: check.name,
            count: check.count,
            total: check.total,
            share: check.share,
            examples: check.examples,
            fix: check.fix,
        };
        Ok(QualityReport {
            told_at,
            score: told.score,
            formula: told.formula,
            version: told.version,
            empty_reason: unless_empty(told.empty_reason),
            checks: told.checks.into_iter().map(check).collect(),
        })
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

fn told_at(answer: &Answer) -> Result<Option<DateTime<Utc>>, Unreadable> {
    answer.told_at.map(|at| moment("told_at", at)).transpose()
}

impl fmt::Display for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, self.reason)
    }
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

fn unless_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

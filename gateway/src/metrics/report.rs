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
    /// How the values of `series` came about.
    pub(super) about: BTreeMap<String, About>,
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
    /// `linear` or `nearest_rank`: of the value, and of each detail that is a percentile.
    pub(super) kinds: BTreeMap<String, String>,
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
    /// How long they stayed in the steps of each category.
    pub(super) categories: Vec<FlowCategory>,
    /// Where issues stood at the end of each day.
    pub(super) cumulative_flow: Vec<FlowDay>,
    /// How the values of `series` and `cumulative_flow` came about.
    pub(super) about: BTreeMap<String, About>,
}

/// How the values of a part came about.
#[derive(Serialize, ToSchema)]
pub(super) struct About {
    formula: String,
    version: u32,
    counted: u64,
    excluded: Vec<Excluded>,
    kinds: BTreeMap<String, String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct FlowCategory {
    pub(super) category: String,
    pub(super) counted: u64,
    pub(super) excluded: Vec<Excluded>,
    pub(super) seconds_p50: Option<f64>,
    pub(super) seconds_p85: Option<f64>,
    pub(super) kinds: BTreeMap<String, String>,
    pub(super) formula: String,
    pub(super) version: u32,
}

#[derive(Serialize, ToSchema)]
pub(super) struct FlowStep {
    pub(super) id: String,
    pub(super) workflow_id: String,
    pub(super) name: String,
    pub(super) category: String,
    pub(super) counted: u64,
    pub(super) excluded: Vec<Excluded>,
    pub(super) seconds_p50: Option<f64>,
    pub(super) seconds_p85: Option<f64>,
    pub(super) kinds: BTreeMap<String, String>,
    pub(super) formula: String,
    pub(super) version: u32,
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
    /// How the values of `series` came about.
    pub(super) about: BTreeMap<String, About>,
}

/// Who gave how many reviews to others in a window.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReviewLoadReport {
    pub(super) window: Window,
    pub(super) as_of: Option<DateTime<Utc>>,
    /// Reviews.
    pub(super) counted: u64,
    pub(super) excluded: Vec<Excluded>,
    pub(super) formula: String,
    pub(super) version: u32,
    pub(super) empty_reason: Option<String>,
    /// The most first; no machines.
    pub(super) people: Vec<Reviewer>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Reviewer {
    pub(super) login: String,
    pub(super) reviews: u64,
    pub(super) pull_requests: u64,
}

/// What is missing from the data, and what mends it.
#[derive(Serialize, ToSchema)]
pub(crate) struct QualityReport {
    /// When it was looked at: data quality has no window.
    pub(super) as_of: Option<DateTime<Utc>>,
    /// The zone of the client's days.
    pub(super) timezone: String,
    /// When it was told, if that was on another day.
    pub(super) told_at: Option<DateTime<Utc>>,
    /// From 0 to 1: how far the numbers can be trusted.
    pub(super) score: Option<f64>,
    pub(super) formula: String,
    pub(super) version: u32,
    /// Checks that the score is made of.
    pub(super) counted: u64,
    pub(super) excluded: Vec<Excluded>,
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
    /// When it was told, if that was on another day.
    pub(super) told_at: Option<DateTime<Utc>>,
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
    /// Of `when`, `how_many` and `back_test`.
    pub(super) kinds: BTreeMap<String, String>,
    pub(super) formula: String,
    pub(super) version: u32,
    pub(super) empty_reason: Option<String>,
    /// The issues that were done on the days of the history, when explained.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<String>,
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
            about: about(answer.about),
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
            categories: answer.categories.into_iter().map(FlowCategory::from).collect(),
            about: about(answer.about),
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
            about: about(answer.about),
        })
    }
}

impl TryFrom<Answer> for ReviewLoadReport {
    type Error = Unreadable;

    fn try_from(answer: Answer) -> Result<ReviewLoadReport, Self::Error> {
        let (window, as_of) = (Window::try_from(&answer)?, as_of(&answer)?);
        let told = answer.review_load.unwrap_or_default();
        let person = |person: proto::v1::Reviewer| Reviewer {
            login: person.login,
            reviews: person.reviews,
            pull_requests: person.pull_requests,
        };
        Ok(ReviewLoadReport {
            window,
            as_of,
            counted: told.counted,
            excluded: excluded(told.excluded),
            formula: told.formula,
            version: told.version,
            empty_reason: unless_empty(told.empty_reason),
            people: told.people.into_iter().map(person).collect(),
        })
    }
}

impl TryFrom<Answer> for ForecastReport {
    type Error = Unreadable;

    fn try_from(answer: Answer) -> Result<ForecastReport, Self::Error> {
        let (window, as_of, told_at) =
            (Window::try_from(&answer)?, as_of(&answer)?, told_at(&answer)?);
        let told = answer.forecast.unwrap_or_default();
        let checks: Vec<Check> = told.checks.into_iter().map(Check::from).collect();
        let count = |text: String| proto::convert::parse("how_many", &text);
        Ok(ForecastReport {
            window,
            as_of,
            told_at,
            recomputing: answer.is_behind,
            trials: told.trials,
            seed: told.seed,
            items: told.items,
            until: told.until,
            history: History {
                days: told.days,
                done: told.done,
                excluded: excluded(told.excluded),
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
            kinds: told.kinds,
            formula: told.formula,
            version: told.version,
            empty_reason: unless_empty(told.empty_reason),
            ids: told.ids,
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
        let (as_of, told_at) = (as_of(&answer)?, told_at(&answer)?);
        let timezone = answer.timezone;
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
            as_of,
            timezone,
            told_at,
            score: told.score,
            formula: told.formula,
            version: told.version,
            counted: told.counted,
            excluded: excluded(told.excluded),
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
            excluded: excluded(step.excluded),
            seconds_p50: step.seconds_p50,
            seconds_p85: step.seconds_p85,
            kinds: step.kinds,
            formula: step.formula,
            version: step.version,
        }
    }
}

impl From<proto::v1::FlowCategory> for FlowCategory {
    fn from(category: proto::v1::FlowCategory) -> FlowCategory {
        FlowCategory {
            category: category.category,
            counted: category.counted,
            excluded: excluded(category.excluded),
            seconds_p50: category.seconds_p50,
            seconds_p85: category.seconds_p85,
            kinds: category.kinds,
            formula: category.formula,
            version: category.version,
        }
    }
}

fn about(parts: Vec<proto::v1::About>) -> BTreeMap<String, About> {
    let about = |part: proto::v1::About| {
        let about = About {
            formula: part.formula,
            version: part.version,
            counted: part.counted,
            excluded: excluded(part.excluded),
            kinds: part.kinds,
        };
        (part.part, about)
    };
    parts.into_iter().map(about).collect()
}

fn excluded(rows: Vec<proto::v1::Excluded>) -> Vec<Excluded> {
    rows.into_iter().map(|row| Excluded { reason: row.reason, count: row.count }).collect()
}

impl From<proto::v1::FlowDay> for FlowDay {
    fn from(day: proto::v1::FlowDay) -> FlowDay {
        FlowDay { day: day.day, throughput: day.throughput, wip: day.wip, steps: day.in_step }
    }
}

impl From<proto::v1::Metric> for Metric {
    fn from(metric: proto::v1::Metric) -> Metric {
        Metric {
            name: metric.name,
            value: metric.value,
            unit: metric.unit,
            kind: unless_empty(metric.kind),
            band: unless_empty(metric.band),
            previous: metric.previous,
            counted: metric.counted,
            excluded: excluded(metric.excluded),
            formula: metric.formula,
            version: metric.version,
            empty_reason: unless_empty(metric.empty_reason),
            details: metric.details,
            kinds: metric.kinds,
            ids: metric.ids,
        }
    }
}

fn unless_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

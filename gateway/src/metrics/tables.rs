//! Reports as tables, to take away: a part at a time, as CSV or NDJSON.

use actix_web::HttpResponse;
use serde::Serialize;

use super::report::{
    Check, Excluded, FlowCategory, FlowDay, FlowReport, FlowStep, ForecastReport, Metric,
    PullRequestsReport, QualityCheck, QualityReport, Report, ReviewLoadReport, Reviewer,
};
use crate::error::ApiError;
use crate::lists::cell::Cell;
use crate::lists::{Fields, Format, export, fields};

/// The rows that a metric is made of, which it tells only where it is asked to explain itself.
pub(super) const IDS: &str = "ids";

/// A report that has parts.
pub(super) trait Tables {
    /// The parts; the first is meant unless another is named.
    fn tables(&self) -> Vec<Table<'_>>;
}

/// A part of a report.
pub(super) struct Table<'r> {
    name: &'static str,
    give: Give<'r>,
}

/// Makes a file of it, of this name and in this format.
type Give<'r> = Box<dyn Fn(&str, Format) -> HttpResponse + 'r>;

fn table<'r, R: Fields>(name: &'static str, rows: impl AsRef<[R]> + 'r) -> Table<'r> {
    Table { name, give: Box::new(move |file, format| export::whole(file, rows.as_ref(), format)) }
}

/// The whole report as JSON, or a part of it to take away.
pub(super) fn given<R: Serialize + Tables>(
    report: &R,
    name: &str,
    format: Format,
    part: Option<&str>,
) -> Result<HttpResponse, ApiError> {
    if format == Format::Json {
        return match part {
            None => Ok(HttpResponse::Ok().json(report)),
            Some(_) => {
                Err(ApiError::bad_parameter("part", "goes with format=csv and format=ndjson"))
            }
        };
    }
    let tables = report.tables();
    let Some(part) = part else { return Ok((tables[0].give)(name, format)) };
    let Some(wanted) = tables.iter().find(|table| table.name == part) else {
        let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
        let reason = format!("must be one of {}", names.join(", "));
        return Err(ApiError::bad_parameter("part", reason));
    };
    Ok((wanted.give)(&format!("{name}-{part}"), format))
}

impl Tables for Report {
    fn tables(&self) -> Vec<Table<'_>> {
        vec![
            table("series", &*self.series),
            table("metrics", metrics(&self.metrics)),
            table(IDS, ids(&self.metrics)),
        ]
    }
}

impl Tables for FlowReport {
    fn tables(&self) -> Vec<Table<'_>> {
        vec![
            table("series", &*self.series),
            table("metrics", metrics(&self.metrics)),
            table("steps", spent(&self.steps, |step| (&step.excluded, step.version))),
            table("categories", spent(&self.categories, |one| (&one.excluded, one.version))),
            table("cumulative_flow", stands(&self.cumulative_flow)),
            table(IDS, ids(&self.metrics)),
        ]
    }
}

impl Tables for PullRequestsReport {
    fn tables(&self) -> Vec<Table<'_>> {
        vec![
            table("series", &*self.series),
            table("metrics", metrics(&self.metrics)),
            table(IDS, ids(&self.metrics)),
        ]
    }
}

impl Tables for ReviewLoadReport {
    fn tables(&self) -> Vec<Table<'_>> {
        vec![table("people", &*self.people)]
    }
}

impl Tables for ForecastReport {
    fn tables(&self) -> Vec<Table<'_>> {
        vec![
            table("chances", self.chances()),
            table("back_test", &*self.back_test.checks),
            table(IDS, self.ids.iter().map(|id| IdRow { metric: DONE, id }).collect::<Vec<_>>()),
        ]
    }
}

impl Tables for QualityReport {
    fn tables(&self) -> Vec<Table<'_>> {
        vec![table("checks", &*self.checks)]
    }
}

fields!(Reviewer as person {
    "login" => &person.login,
    "reviews" => &person.reviews,
    "pull_requests" => &person.pull_requests,
});

struct MetricRow<'r> {
    metric: &'r Metric,
    p85: Option<f64>,
    p95: Option<f64>,
    excluded: Vec<String>,
    version: u64,
}

impl<'r> From<&'r Metric> for MetricRow<'r> {
    fn from(metric: &'r Metric) -> MetricRow<'r> {
        let rank = |name: &str| metric.details.get(name).copied();
        MetricRow {
            metric,
            p85: rank("p85"),
            p95: rank("p95"),
            excluded: metric.excluded.iter().map(Excluded::to_string).collect(),
            version: u64::from(metric.version),
        }
    }
}

fn metrics(metrics: &[Metric]) -> Vec<MetricRow<'_>> {
    metrics.iter().map(MetricRow::from).collect()
}

fields!(MetricRow<'_> as row {
    "name" => &row.metric.name,
    "value" => &row.metric.value,
    "unit" => &row.metric.unit,
    "kind" => &row.metric.kind,
    "p85" => &row.p85,
    "p85_kind" => row.metric.kinds.get("p85"),
    "p95" => &row.p95,
    "p95_kind" => row.metric.kinds.get("p95"),
    "band" => &row.metric.band,
    "previous" => &row.metric.previous,
    "counted" => &row.metric.counted,
    "excluded" => &row.excluded,
    "formula" => &row.metric.formula,
    "version" => &row.version,
    "empty_reason" => &row.metric.empty_reason,
});

/// What the rows of a forecast are.
const DONE: &str = "done";

struct IdRow<'r> {
    metric: &'r str,
    id: &'r String,
}

fn ids(metrics: &[Metric]) -> Vec<IdRow<'_>> {
    let mut rows = Vec::new();
    for Metric { name, ids, .. } in metrics {
        rows.extend(ids.iter().map(|id| IdRow { metric: name, id }));
    }
    rows
}

fields!(IdRow<'_> as row {
    "metric" => Cell::Text(row.metric),
    "id" => row.id,
});

/// Time in a step or a category, with what has no cell of its own.
struct Spent<'r, T> {
    of: &'r T,
    excluded: Vec<String>,
    version: u64,
}

fn spent<'r, T>(
    rows: &'r [T],
    beside: impl Fn(&'r T) -> (&'r Vec<Excluded>, u32),
) -> Vec<Spent<'r, T>> {
    let row = |of: &'r T| {
        let (excluded, version) = beside(of);
        let excluded = excluded.iter().map(Excluded::to_string).collect();
        Spent { of, excluded, version: u64::from(version) }
    };
    rows.iter().map(row).collect()
}

fields!(Spent<'_, FlowStep> as row {
    "id" => &row.of.id,
    "workflow_id" => &row.of.workflow_id,
    "name" => &row.of.name,
    "category" => &row.of.category,
    "counted" => &row.of.counted,
    "excluded" => &row.excluded,
    "seconds_p50" => &row.of.seconds_p50,
    "seconds_p50_kind" => row.of.kinds.get("seconds_p50"),
    "seconds_p85" => &row.of.seconds_p85,
    "seconds_p85_kind" => row.of.kinds.get("seconds_p85"),
    "formula" => &row.of.formula,
    "version" => &row.version,
});

fields!(Spent<'_, FlowCategory> as row {
    "category" => &row.of.category,
    "counted" => &row.of.counted,
    "excluded" => &row.excluded,
    "seconds_p50" => &row.of.seconds_p50,
    "seconds_p50_kind" => row.of.kinds.get("seconds_p50"),
    "seconds_p85" => &row.of.seconds_p85,
    "seconds_p85_kind" => row.of.kinds.get("seconds_p85"),
    "formula" => &row.of.formula,
    "version" => &row.version,
});

/// How many issues stood in a step at the end of a day.
struct StandRow<'r> {
    day: &'r String,
    step_id: &'r String,
    issues: &'r i64,
}

fn stands(days: &[FlowDay]) -> Vec<StandRow<'_>> {
    let mut rows = Vec::new();
    for FlowDay { day, steps, .. } in days {
        rows.extend(steps.iter().map(|(step_id, issues)| StandRow { day, step_id, issues }));
    }
    rows
}

fields!(StandRow<'_> as row {
    "day" => row.day,
    "step_id" => row.step_id,
    "issues" => row.issues,
});

/// What a share of the futures keeps.
struct ChanceRow<'r> {
    chance: u64,
    items: u64,
    done_by: Option<&'r String>,
    until: &'r String,
    items_done: Option<u64>,
}

impl ForecastReport {
    fn chances(&self) -> Vec<ChanceRow<'_>> {
        let row = |chance, done_by, items_done: Option<u32>| ChanceRow {
            chance,
            items: u64::from(self.items),
            done_by,
            until: &self.until,
            items_done: items_done.map(u64::from),
        };
        let (when, many) = (self.when.as_ref(), self.how_many.as_ref());
        vec![
            row(50, when.map(|days| &days.p50), many.map(|counts| counts.p50)),
            row(85, when.map(|days| &days.p85), many.map(|counts| counts.p85)),
            row(95, when.map(|days| &days.p95), many.map(|counts| counts.p95)),
        ]
    }
}

fields!(ChanceRow<'_> as row {
    "chance" => &row.chance,
    "items" => &row.items,
    "done_by" => row.done_by,
    "until" => row.until,
    "items_done" => &row.items_done,
});

fields!(Check as check {
    "day" => &check.day,
    "p50" => &u64::from(check.p50),
    "p85" => &u64::from(check.p85),
    "p95" => &u64::from(check.p95),
    "actual" => &u64::from(check.actual),
    "hit" => &check.hit,
});

fields!(QualityCheck as check {
    "name" => &check.name,
    "count" => &check.count,
    "total" => &check.total,
    "share" => &check.share,
    "examples" => &check.examples,
    "fix" => &check.fix,
});

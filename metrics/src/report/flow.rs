//! The flow of a window: how long issues took, how many there were, and where they stood.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};
use domain::Moment;
use domain::ids::{ClientId, WorkflowStepId};
use domain::workflow::StepCategory;
use proto::v1::{About, Answer, Excluded, FlowCategory, FlowDay, FlowStep, Metric, Point};
use store::flow::FlowHead;
use store::focus::Focus;

use super::{Asked, Window, count_as_number, excluded};
use crate::flow::day_number;
use crate::memory::flow::{FlowFacts, Reason};
use crate::memory::ranked::{Stretch, length};
use crate::memory::rows::{Known, Measure, micros};
use crate::memory::{AtHand, Memory};

/// Answers for `window`, beside the window of the same length before it. Ages are told as of `now`.
///
/// # Errors
/// The store's.
pub async fn answer(
    facts: &store::Metrics,
    memory: &Memory,
    client: ClientId,
    asked: &Asked,
) -> Result<Answer, store::Error> {
    let from = asked.window.previous().from;
    let (flow, head) = at_hand(facts, memory, client, asked, from).await?;
    Ok(report(&flow, &head, asked))
}

/// The facts, and what is to be known beside them: from memory, or else those from `from` on from the
/// database.
pub(super) async fn at_hand(
    facts: &store::Metrics,
    memory: &Memory,
    client: ClientId,
    asked: &Asked,
    from: Moment,
) -> Result<(std::sync::Arc<FlowFacts>, FlowHead), store::Error> {
    let head = facts.flow_head(client).await?;
    let Some(publication) = head.publication else { return Ok((Default::default(), head)) };
    Ok(match memory.flow(facts, client, publication).await? {
        AtHand::Newest(flow) => (flow, head),
        AtHand::Before(flow) => (flow, FlowHead { is_behind: true, ..head }),
        AtHand::TooLarge => {
            let (to, focus) = (asked.window.to, asked.focus.clone());
            let last_day = day_number(asked.window.day(to));
            let read = facts.flow(client, from, to, last_day, focus).await?;
            (FlowFacts::of(read).into(), head)
        }
    })
}

/// Numbers of the projects that are meant.
pub(super) fn projects(flow: &FlowFacts, head: &FlowHead, focus: &Focus) -> Vec<usize> {
    let wanted = head.projects.iter().filter(|(_, key)| focus.has_project(key));
    flow.projects(wanted.map(|(place, _)| *place))
}

/// The report over the facts. Pure.
pub fn report(flow: &FlowFacts, head: &FlowHead, asked: &Asked) -> Answer {
    let Asked { window, focus, explain, now, .. } = asked;
    let projects = projects(flow, head, focus);
    let steps = head.steps.iter();
    let scope = Scope {
        flow,
        explain: *explain,
        in_progress: steps
            .filter(|step| step.category == StepCategory::InProgress)
            .map(|step| step.id)
            .collect(),
        projects,
    };
    let this = Period::of(&scope, window);
    let before = Period::of(&scope, &window.previous());
    let mut metrics = this.metrics();
    super::compare(&mut metrics, before.metrics());
    metrics.push(age(&scope, *now));
    super::explain(&mut metrics, flow.as_of, "the Jira job");
    super::tell_kinds(&mut metrics);
    let days = this.days();
    Answer {
        metrics,
        series: this.series(),
        steps: this.steps(head),
        categories: this.categories(head),
        about: vec![
            super::about_series(SERIES_RANKS, this.count(), this.left_out([], 0)),
            about_days(&scope, &days),
        ],
        days,
        ..window.answer(flow.as_of, head.is_behind)
    }
}

/// What a question is about, in whatever window.
struct Scope<'a> {
    flow: &'a FlowFacts,
    /// Numbers of the projects that are meant.
    projects: Vec<usize>,
    in_progress: Vec<WorkflowStepId>,
    explain: bool,
}

impl Scope<'_> {
    fn keys(&self, rows: &[Stretch]) -> Vec<String> {
        if self.explain { self.flow.done.keys(rows) } else { Vec::new() }
    }

    /// Issues in progress at the end of each of the days.
    fn wip(&self, days: &[NaiveDate]) -> Vec<i64> {
        let days = days.iter().map(|day| day_number(*day));
        let standing = self.flow.standing(&self.projects, days);
        standing.iter().map(|standing| self.wip_of(standing)).collect()
    }

    fn wip_of(&self, standing: &BTreeMap<WorkflowStepId, i64>) -> i64 {
        self.in_progress.iter().filter_map(|step| standing.get(step)).sum()
    }
}

/// What lies in one window.
struct Period<'a> {
    scope: &'a Scope<'a>,
    window: Window,
    /// Came to where they stand in the window, and are done.
    done: Vec<Stretch>,
    /// The same, but are over or count nowhere.
    left_out: BTreeMap<Reason, usize>,
    /// How many of those that are done came through a status without a step.
    passed: usize,
    /// Whether any issue was in a step until the end of the window.
    has_moved: bool,
}

impl<'a> Period<'a> {
    fn of(scope: &'a Scope<'a>, window: &Window) -> Period<'a> {
        let (from, to) = (micros(window.from), micros(window.to));
        let (flow, projects) = (scope.flow, &scope.projects);
        let done = flow.done.within(projects, from, to);
        Period {
            scope,
            window: *window,
            passed: flow.done.passed_unmapped.within(&done).count(),
            done,
            left_out: flow.left_out(projects, from, to),
            has_moved: flow.has_moved(projects, day_number(window.last_day())),
        }
    }

    fn count(&self) -> usize {
        length(&self.done) as usize
    }

    fn metrics(&self) -> Vec<Metric> {
        let done = &self.scope.flow.done;
        vec![
            self.duration("lead_time", "commitment to done", &done.lead, UNCOMMITTED, self.passed),
            self.duration("cycle_time", "start to done", &done.cycle, UNSTARTED, self.passed),
            // From the day it was made, whatever it came through.
            self.duration(
                "customer_lead_time",
                "creation to done",
                &done.customer_lead,
                NEGATIVE,
                0,
            ),
            self.efficiency(),
            self.rework(),
            self.throughput(),
            self.wip(),
        ]
    }

    /// `passed` issues have no such length because of what they came through.
    fn duration(
        &self,
        name: &str,
        span: &str,
        length: &Measure,
        missing: Missing,
        passed: usize,
    ) -> Metric {
        let lengths = length.within(&self.done);
        let value = lengths.median();
        let without = self.count() - lengths.count() - passed;
        Metric {
            name: name.to_owned(),
            value,
            unit: "seconds".to_owned(),
            kind: "linear".to_owned(),
            counted: lengths.count() as u64,
            excluded: self.left_out([(missing.reason, without)], passed),
            formula: format!("median from {span}; p85 and p95 by nearest rank"),
            version: 3,
            empty_reason: self.why_without(value, without, missing, passed),
            details: super::ranks(&lengths),
            ids: self.scope.keys(&lengths.rows()),
            ..Metric::default()
        }
    }

    /// The median share of the lead time in which somebody worked.
    fn efficiency(&self) -> Metric {
        let done = &self.scope.flow.done;
        let shares = done.efficiency.within(&self.done);
        let value = shares.median();
        let led = done.lead.within(&self.done).count();
        let without = self.count() - self.passed - led;
        let at_once = led - shares.count();
        Metric {
            name: "flow_efficiency".to_owned(),
            value,
            unit: "ratio".to_owned(),
            kind: "linear".to_owned(),
            counted: shares.count() as u64,
            excluded: self.left_out(
                [(UNCOMMITTED.reason, without), ("zero_lead_time", at_once)],
                self.passed,
            ),
            formula: "median of time in active steps between committed and done / lead time"
                .to_owned(),
            version: 2,
            empty_reason: self.why_without(value, without, UNCOMMITTED, self.passed),
            ids: self.scope.keys(&shares.rows()),
            ..Metric::default()
        }
    }

    /// The share of done issues that went back at least once after the start.
    fn rework(&self) -> Metric {
        let done = &self.scope.flow.done;
        let went_back = done.reworked(&self.done);
        let counted = self.count() - self.passed;
        let value = super::share(went_back.len(), counted);
        #[expect(clippy::cast_precision_loss, reason = "no count of ours reaches 2^53")]
        let entries = done.entries(&self.done) as f64;
        Metric {
            name: "rework".to_owned(),
            value,
            unit: "ratio".to_owned(),
            counted: counted as u64,
            excluded: self.left_out([], self.passed),
            formula: "done issues that entered an earlier step after the start / done issues"
                .to_owned(),
            version: 2,
            empty_reason: self.why_without(value, 0, UNSTARTED, self.passed),
            details: [("entries".to_owned(), entries)].into(),
            ids: self.scope.keys(&went_back),
            ..Metric::default()
        }
    }

    fn throughput(&self) -> Metric {
        let done = count_as_number(self.count());
        let days = (self.window.to - self.window.from).as_seconds_f64() / 86_400.0;
        // Where no issue ever was in a step, the workflow may simply not be mapped: no value, not zero.
        let value = (self.has_moved || self.count() > 0).then_some(done);
        Metric {
            name: "throughput".to_owned(),
            value,
            unit: "issues".to_owned(),
            counted: self.count() as u64,
            excluded: self.left_out([], 0),
            formula: "issues done in the window".to_owned(),
            version: 2,
            empty_reason: self.why_empty(value),
            details: [("per_week".to_owned(), done / days * 7.0)].into(),
            ids: self.scope.keys(&self.done),
            ..Metric::default()
        }
    }

    /// Issues in progress at the end of the window.
    fn wip(&self) -> Metric {
        let wip = self.scope.wip(&[self.window.last_day()])[0].max(0);
        #[expect(clippy::cast_precision_loss, reason = "no count of ours reaches 2^53")]
        let value = self.has_moved.then_some(wip as f64);
        Metric {
            name: "wip".to_owned(),
            value,
            unit: "issues".to_owned(),
            counted: wip.unsigned_abs(),
            excluded: excluded(self.scope.flow.nowhere(&self.scope.projects)),
            formula: "issues in steps in progress at the end of the last day".to_owned(),
            version: 2,
            empty_reason: if value.is_none() { NOTHING_MOVED.to_owned() } else { String::new() },
            ..Metric::default()
        }
    }

    /// Discarded ones, those that count nowhere, and what this metric leaves out beside.
    fn left_out<const N: usize>(
        &self,
        own: [(&'static str, usize); N],
        passed: usize,
    ) -> Vec<Excluded> {
        let mut counts: BTreeMap<&str, usize> =
            self.left_out.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
        *counts.entry(UNMAPPED).or_default() += passed;
        excluded(own.into_iter().chain(counts))
    }

    /// Why there is no value, for what some issues have not though they are done.
    fn why_without(
        &self,
        value: Option<f64>,
        without: usize,
        missing: Missing,
        passed: usize,
    ) -> String {
        if value.is_none() && without > 0 {
            return format!("{without} issues were done, but {}.", missing.sentence);
        }
        if value.is_none() && passed > 0 {
            return format!(
                "{passed} issues were done, but each came through a status that has no step."
            );
        }
        self.why_empty(value)
    }

    /// The first rule that left nothing over.
    fn why_empty(&self, value: Option<f64>) -> String {
        if value.is_some() {
            return String::new();
        }
        let found = self.count() + self.left_out.values().sum::<usize>();
        if found == 0 {
            return "No issue was done in this window.".to_owned();
        }
        let counts = self.left_out.iter().map(|(reason, count)| (*count, reason.as_str()));
        let (count, reason) = counts.max().unwrap_or((0, "none"));
        format!(
            "{found} issues ended in this window, 0 of them done: {count} are left out for {reason}."
        )
    }

    fn series(&self) -> Vec<Point> {
        let buckets = self.window.spans(self.window.bucket);
        let next = buckets.iter().skip(1).map(|next| next.start - TimeDelta::days(1));
        let ends: Vec<NaiveDate> = next.chain([self.window.last_day()]).collect();
        let done = &self.scope.flow.done;
        let point = |(bucket, wip): (super::Span, i64)| {
            let rows = done.within(&self.scope.projects, bucket.from, bucket.to);
            let (leads, cycles) = (done.lead.within(&rows), done.cycle.within(&rows));
            #[expect(clippy::cast_precision_loss, reason = "no count of ours reaches 2^53")]
            let wip = wip as f64;
            let values = [
                ("throughput", Some(count_as_number(length(&rows) as usize))),
                ("wip", Some(wip)),
                ("lead_time_p50", leads.median()),
                ("lead_time_p85", leads.nearest_rank(0.85)),
                ("cycle_time_p50", cycles.median()),
                ("cycle_time_p85", cycles.nearest_rank(0.85)),
            ];
            let values =
                values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Point { start: bucket.start.to_string(), values: values.collect(), ..Point::default() }
        };
        let wip = self.scope.wip(&ends);
        buckets.into_iter().zip(wip).map(point).collect()
    }

    /// How long the issues that are done stayed in each step.
    fn steps(&self, head: &FlowHead) -> Vec<FlowStep> {
        let steps = head.steps.iter().map(|step| {
            let spent = self.scope.flow.done.in_step(step.id, &self.done);
            let counted = spent.as_ref().map_or(0, Known::count);
            FlowStep {
                id: step.id.to_string(),
                workflow_id: step.workflow.to_string(),
                name: step.name.clone(),
                category: step.category.as_str().to_owned(),
                counted: counted as u64,
                seconds_p50: spent.as_ref().and_then(Known::median),
                seconds_p85: spent.and_then(|spent| spent.nearest_rank(0.85)),
                kinds: super::kinds(SPENT_RANKS),
                excluded: self.never_there(counted),
                formula: "sum of an issue's stays in the step, of issues done in the window"
                    .to_owned(),
                version: 2,
            }
        });
        steps.collect()
    }

    /// How long they stayed in the steps of each category that a step has.
    fn categories(&self, head: &FlowHead) -> Vec<FlowCategory> {
        let categories: BTreeSet<StepCategory> =
            head.steps.iter().map(|step| step.category).collect();
        let told = categories.into_iter().map(|category| {
            let spent = self.scope.flow.done.in_category(category, &self.done);
            let counted = spent.as_ref().map_or(0, Known::count);
            FlowCategory {
                category: category.as_str().to_owned(),
                counted: counted as u64,
                seconds_p50: spent.as_ref().and_then(Known::median),
                seconds_p85: spent.and_then(|spent| spent.nearest_rank(0.85)),
                kinds: super::kinds(SPENT_RANKS),
                excluded: self.never_there(counted),
                formula:
                    "sum of an issue's stays in steps of the category, of issues done in the window"
                        .to_owned(),
                version: 1,
            }
        });
        told.collect()
    }

    /// What time in a step leaves out where so many left it.
    fn never_there(&self, counted: usize) -> Vec<Excluded> {
        self.left_out([("never_there", self.count() - self.passed - counted)], self.passed)
    }

    fn days(&self) -> Vec<FlowDay> {
        let days = self.window.spans(super::Bucket::Day);
        let numbers = days.iter().map(|day| day_number(day.start));
        let standing = self.scope.flow.standing(&self.scope.projects, numbers);
        let told = |(day, standing): (super::Span, BTreeMap<WorkflowStepId, i64>)| {
            let done = self.scope.flow.done.within(&self.scope.projects, day.from, day.to);
            FlowDay {
                day: day.start.to_string(),
                throughput: u64::from(length(&done)),
                wip: self.scope.wip_of(&standing),
                in_step: standing
                    .into_iter()
                    .map(|(step, count)| (step.to_string(), count))
                    .collect(),
            }
        };
        days.into_iter().zip(standing).map(told).collect()
    }
}

/// Why an issue that is done has no such length.
#[derive(Clone, Copy)]
struct Missing {
    reason: &'static str,
    sentence: &'static str,
}

const UNCOMMITTED: Missing =
    Missing { reason: "no_commitment_point", sentence: "their workflow has no commitment point" };
const UNSTARTED: Missing =
    Missing { reason: "not_started", sentence: "none of them came to a step in progress" };
const NEGATIVE: Missing = Missing {
    reason: "negative_interval",
    sentence: "their history says that they were done before they were made",
};

const UNMAPPED: &str = domain::workflow::Excluded::UnmappedStatus.as_str();

/// The percentiles of a series, and those of time spent.
const SERIES_RANKS: &[&str] =
    &["lead_time_p50", "lead_time_p85", "cycle_time_p50", "cycle_time_p85"];
const SPENT_RANKS: &[&str] = &["seconds_p50", "seconds_p85"];

/// What the days are made of: every issue that stands in a step at the end of the last one.
fn about_days(scope: &Scope<'_>, days: &[FlowDay]) -> About {
    let standing = days.last().map_or(0, |day| day.in_step.values().sum::<i64>());
    About {
        part: "cumulative_flow".to_owned(),
        formula: "issues that entered a step until the end of the day - those that left it"
            .to_owned(),
        version: 2,
        counted: standing.max(0).unsigned_abs(),
        excluded: excluded(scope.flow.nowhere(&scope.projects)),
        ..About::default()
    }
}

const NOTHING_MOVED: &str = "No issue with a mapped status was ever seen.";

/// The median age of what is in progress now.
fn age(scope: &Scope<'_>, now: Moment) -> Metric {
    let begun = scope.flow.in_progress.begun(&scope.projects);
    let count = begun.count();
    // The youngest began last.
    let age = |rank: usize| begun.latest(rank).map(|at| (now - at).as_seconds_f64());
    let value = match count % 2 {
        1 => age(count / 2),
        _ => age(count / 2).and_then(|upper| Some(f64::midpoint(age(count / 2 - 1)?, upper))),
    };
    let unknown = scope.flow.in_progress.count(&scope.projects) - count;
    let empty_reason = match value {
        Some(_) => String::new(),
        None if unknown > 0 => {
            format!("{unknown} issues are in progress, but nobody knows since when.")
        }
        None => "No issue is in progress now.".to_owned(),
    };
    // Those in progress that came through a status without a step, beside what counts nowhere at all.
    let mut left_out = scope.flow.nowhere(&scope.projects);
    *left_out.entry(UNMAPPED).or_default() += unknown;
    let p85 = age(crate::stats::rank(count, 0.85)).map(|p85| ("p85".to_owned(), p85));
    Metric {
        name: "work_item_age".to_owned(),
        value,
        unit: "seconds".to_owned(),
        kind: "linear".to_owned(),
        counted: count as u64,
        excluded: excluded(left_out),
        formula: "median of now - started over issues in progress; p85 by nearest rank".to_owned(),
        version: 2,
        empty_reason,
        details: p85.into_iter().collect(),
        ids: if scope.explain { begun.keys() } else { Vec::new() },
        ..Metric::default()
    }
}

#[cfg(test)]
mod tests;

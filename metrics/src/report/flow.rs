//! The flow of a window: how long issues took, how many there were, and where they stood.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDate, TimeDelta};
use domain::Moment;
use domain::ids::{ClientId, WorkflowStepId};
use domain::workflow::StepCategory;
use proto::v1::{Answer, Excluded, FlowDay, FlowStep, Metric, Point};
use store::flow::{EndedIssue, FlowRead};
use store::metrics::Focus;

use super::{Window, count_as_number, excluded};
use crate::flow::{day_number, day_of};
use crate::stats::{median, nearest_rank};

/// Answers for `window`, beside the window of the same length before it. Ages are told as of `now`.
///
/// # Errors
/// The store's.
pub async fn answer(
    facts: &store::Metrics,
    client: ClientId,
    window: &Window,
    focus: Focus,
    explain: bool,
    now: Moment,
) -> Result<Answer, store::Error> {
    let before = window.previous();
    let last_day = day_number(last_day(window));
    let read = facts.flow(client, before.from, window.to, last_day, focus).await?;
    Ok(report(&read, window, explain, now))
}

/// The report over what was read of the window and the one before. Pure.
pub fn report(read: &FlowRead, window: &Window, explain: bool, now: Moment) -> Answer {
    let standing = Standing::of(read);
    let this = Period::of(read, window, &standing);
    let before = Period::of(read, &window.previous(), &standing);
    let mut metrics = this.metrics();
    super::compare(&mut metrics, before.metrics());
    metrics.push(age(read, now));
    super::explain(&mut metrics, read.as_of, "the Jira job", explain);
    Answer {
        metrics,
        series: this.series(),
        steps: this.steps(read),
        days: this.days(),
        ..window.answer(read.as_of, read.is_behind)
    }
}

fn last_day(window: &Window) -> NaiveDate {
    window.day(window.to - TimeDelta::microseconds(1))
}

/// How many issues stood in each step at the end of each day on which something moved.
struct Standing {
    in_progress: Vec<WorkflowStepId>,
    by_day: BTreeMap<i32, BTreeMap<WorkflowStepId, i64>>,
}

impl Standing {
    fn of(read: &FlowRead) -> Standing {
        let mut by_day = BTreeMap::new();
        let mut now: BTreeMap<WorkflowStepId, i64> = BTreeMap::new();
        for day in &read.days {
            *now.entry(day.step).or_default() += day.entered - day.gone;
            by_day.insert(day.day, now.clone());
        }
        let in_progress = read.steps.iter().filter(|s| s.category == StepCategory::InProgress);
        Standing { in_progress: in_progress.map(|step| step.id).collect(), by_day }
    }

    fn on(&self, day: NaiveDate) -> BTreeMap<WorkflowStepId, i64> {
        let last = self.by_day.range(..=day_number(day)).next_back();
        last.map(|(_, standing)| standing.clone()).unwrap_or_default()
    }

    /// Issues in progress at the end of the day.
    fn wip(&self, day: NaiveDate) -> i64 {
        let standing = self.on(day);
        self.in_progress.iter().filter_map(|step| standing.get(step)).sum()
    }
}

/// What of a read lies in one window.
struct Period<'a> {
    window: Window,
    standing: &'a Standing,
    /// Came to where they stand in the window, and are over or count nowhere.
    ended: Vec<&'a EndedIssue>,
    done: Vec<&'a EndedIssue>,
}

impl<'a> Period<'a> {
    fn of(read: &'a FlowRead, window: &Window, standing: &'a Standing) -> Period<'a> {
        let ended: Vec<_> =
            read.ended.iter().filter(|issue| window.contains(issue.entered_at)).collect();
        let is_done = |issue: &&EndedIssue| issue.category == Some(StepCategory::Done);
        let done = ended.iter().copied().filter(is_done).collect();
        Period { window: *window, standing, ended, done }
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![
            self.duration("lead_time", "done - committed", lead),
            self.duration("cycle_time", "done - started", cycle),
            self.duration("customer_lead_time", "done - created", customer_lead),
            self.efficiency(),
            self.rework(),
            self.throughput(),
            self.wip(),
        ]
    }

    fn duration(
        &self,
        name: &str,
        formula: &str,
        length: impl Fn(&EndedIssue) -> Option<f64>,
    ) -> Metric {
        let known = self.done.iter().filter_map(|issue| Some((issue.key.clone(), length(issue)?)));
        let (ids, mut lengths): (Vec<String>, Vec<f64>) = known.unzip();
        let value = median(&mut lengths);
        let without = self.done.len() - lengths.len();
        Metric {
            name: name.to_owned(),
            value,
            unit: "seconds".to_owned(),
            kind: "linear".to_owned(),
            counted: lengths.len() as u64,
            excluded: self.left_out([("no_commitment_point", without)]),
            formula: format!("median of {formula}; p85 and p95 by nearest rank"),
            version: 1,
            empty_reason: self.why_empty(value, without),
            details: [("p85", 0.85), ("p95", 0.95)]
                .into_iter()
                .filter_map(|(name, p)| Some((name.to_owned(), nearest_rank(&mut lengths, p)?)))
                .collect(),
            ids,
            ..Metric::default()
        }
    }

    /// The median share of the lead time in which somebody worked.
    fn efficiency(&self) -> Metric {
        let shares = self.done.iter().filter_map(|issue| {
            let lead = issue.lead_seconds.filter(|lead| *lead > 0.0)?;
            Some((issue.key.clone(), issue.active_seconds? / lead))
        });
        let (ids, mut shares): (Vec<String>, Vec<f64>) = shares.unzip();
        let value = median(&mut shares);
        let without = self.done.iter().filter(|issue| issue.lead_seconds.is_none()).count();
        let at_once = self.done.len() - without - shares.len();
        Metric {
            name: "flow_efficiency".to_owned(),
            value,
            unit: "ratio".to_owned(),
            kind: "linear".to_owned(),
            counted: shares.len() as u64,
            excluded: self
                .left_out([("no_commitment_point", without), ("zero_lead_time", at_once)]),
            formula: "median of time in active steps between committed and done / lead time"
                .to_owned(),
            version: 1,
            empty_reason: self.why_empty(value, without),
            ids,
            ..Metric::default()
        }
    }

    /// The share of done issues that went back at least once after the start.
    fn rework(&self) -> Metric {
        let went_back = self.done.iter().filter(|issue| issue.rework > 0);
        let ids: Vec<String> = went_back.map(|issue| issue.key.clone()).collect();
        let entries: f64 = self.done.iter().map(|issue| f64::from(issue.rework)).sum();
        let value = (!self.done.is_empty())
            .then(|| count_as_number(ids.len()) / count_as_number(self.done.len()));
        Metric {
            name: "rework".to_owned(),
            value,
            unit: "ratio".to_owned(),
            counted: self.done.len() as u64,
            excluded: self.left_out([]),
            formula: "done issues that entered an earlier step after the start / done issues"
                .to_owned(),
            version: 1,
            empty_reason: self.why_empty(value, 0),
            details: [("entries".to_owned(), entries)].into(),
            ids,
            ..Metric::default()
        }
    }

    fn throughput(&self) -> Metric {
        let done = count_as_number(self.done.len());
        let days = (self.window.to - self.window.from).as_seconds_f64() / 86_400.0;
        // Without a single issue the workflow may simply not be mapped: no value, not zero.
        let value = (!self.done.is_empty()).then_some(done);
        Metric {
            name: "throughput".to_owned(),
            value,
            unit: "issues".to_owned(),
            counted: self.done.len() as u64,
            excluded: self.left_out([]),
            formula: "issues done in the window".to_owned(),
            version: 1,
            empty_reason: self.why_empty(value, 0),
            details: [("per_week".to_owned(), done / days * 7.0)].into(),
            ids: self.done.iter().map(|issue| issue.key.clone()).collect(),
            ..Metric::default()
        }
    }

    /// Issues in progress at the end of the window.
    fn wip(&self) -> Metric {
        let wip = self.standing.wip(last_day(&self.window)).max(0);
        #[expect(clippy::cast_precision_loss, reason = "no count of ours reaches 2^53")]
        let value = (!self.standing.by_day.is_empty()).then_some(wip as f64);
        Metric {
            name: "wip".to_owned(),
            value,
            unit: "issues".to_owned(),
            counted: wip.unsigned_abs(),
            formula: "issues in steps in progress at the end of the last day".to_owned(),
            version: 1,
            empty_reason: if value.is_none() { NOTHING_MOVED.to_owned() } else { String::new() },
            ..Metric::default()
        }
    }

    /// Discarded ones, those that count nowhere, and what this metric leaves out beside.
    fn left_out<const N: usize>(&self, own: [(&'static str, usize); N]) -> Vec<Excluded> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for issue in &self.ended {
            if let Some(reason) = why_not(issue) {
                *counts.entry(reason).or_default() += 1;
            }
        }
        excluded(own.into_iter().chain(counts))
    }

    /// The first rule that left nothing over.
    fn why_empty(&self, value: Option<f64>, without: usize) -> String {
        if value.is_some() {
            return String::new();
        }
        if without > 0 {
            return format!(
                "{without} issues were done, but their workflow has no commitment point."
            );
        }
        let found = self.ended.len();
        if found == 0 {
            return "No issue was done in this window.".to_owned();
        }
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for reason in self.ended.iter().filter_map(|issue| why_not(issue)) {
            *counts.entry(reason).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(reason, count)| (*count, *reason));
        let (reason, count) = most.unwrap_or(("none", 0));
        format!(
            "{found} issues ended in this window, 0 of them done: {count} are left out for {reason}."
        )
    }

    fn series(&self) -> Vec<Point> {
        let starts = self.window.buckets();
        let last = last_day(&self.window);
        let ends = starts.iter().skip(1).map(|next| *next - TimeDelta::days(1)).chain([last]);
        let bucket = |at| self.window.bucket.start(self.window.day(at));
        starts
            .iter()
            .zip(ends)
            .map(|(start, end)| {
                let done: Vec<_> =
                    self.done.iter().filter(|issue| bucket(issue.entered_at) == *start).collect();
                let mut leads: Vec<f64> = done.iter().filter_map(|issue| lead(issue)).collect();
                let mut cycles: Vec<f64> = done.iter().filter_map(|issue| cycle(issue)).collect();
                #[expect(clippy::cast_precision_loss, reason = "no count of ours reaches 2^53")]
                let wip = self.standing.wip(end) as f64;
                let values = [
                    ("throughput", Some(count_as_number(done.len()))),
                    ("wip", Some(wip)),
                    ("lead_time_p50", median(&mut leads)),
                    ("lead_time_p85", nearest_rank(&mut leads, 0.85)),
                    ("cycle_time_p50", median(&mut cycles)),
                    ("cycle_time_p85", nearest_rank(&mut cycles, 0.85)),
                ];
                let values =
                    values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
                Point { start: start.to_string(), values: values.collect(), ..Point::default() }
            })
            .collect()
    }

    /// How long the issues that are done stayed in each step.
    fn steps(&self, read: &FlowRead) -> Vec<FlowStep> {
        let mut by_step: HashMap<WorkflowStepId, Vec<f64>> = HashMap::new();
        for (step, seconds) in self.done.iter().flat_map(|issue| &issue.steps) {
            by_step.entry(*step).or_default().push(*seconds);
        }
        read.steps
            .iter()
            .map(|step| {
                let mut spent = by_step.remove(&step.id).unwrap_or_default();
                FlowStep {
                    id: step.id.to_string(),
                    workflow_id: step.workflow.to_string(),
                    name: step.name.clone(),
                    category: step.category.as_str().to_owned(),
                    counted: spent.len() as u64,
                    seconds_p50: median(&mut spent),
                    seconds_p85: nearest_rank(&mut spent, 0.85),
                }
            })
            .collect()
    }

    fn days(&self) -> Vec<FlowDay> {
        let mut done: HashMap<NaiveDate, u64> = HashMap::new();
        for issue in &self.done {
            *done.entry(self.window.day(issue.entered_at)).or_default() += 1;
        }
        let (first, last) = (self.window.day(self.window.from), last_day(&self.window));
        (day_number(first)..=day_number(last))
            .map(day_of)
            .map(|day| {
                let standing = self.standing.on(day).into_iter();
                FlowDay {
                    day: day.to_string(),
                    throughput: done.get(&day).copied().unwrap_or(0),
                    wip: self.standing.wip(day),
                    in_step: standing.map(|(step, count)| (step.to_string(), count)).collect(),
                }
            })
            .collect()
    }
}

const NOTHING_MOVED: &str = "No issue with a mapped status was ever seen.";

/// The median age of what is in progress now.
fn age(read: &FlowRead, now: Moment) -> Metric {
    let known =
        read.in_progress.iter().filter_map(|(key, started)| Some((key.clone(), (*started)?)));
    let (ids, started): (Vec<String>, Vec<Moment>) = known.unzip();
    let mut ages: Vec<f64> = started.iter().map(|at| (now - at).as_seconds_f64()).collect();
    let value = median(&mut ages);
    let empty_reason = if value.is_none() { "No issue is in progress now." } else { "" };
    Metric {
        name: "work_item_age".to_owned(),
        value,
        unit: "seconds".to_owned(),
        kind: "linear".to_owned(),
        counted: ages.len() as u64,
        formula: "median of now - started over issues in progress".to_owned(),
        version: 1,
        empty_reason: empty_reason.to_owned(),
        details: nearest_rank(&mut ages, 0.85)
            .map(|p85| ("p85".to_owned(), p85))
            .into_iter()
            .collect(),
        ids,
        ..Metric::default()
    }
}

fn lead(issue: &EndedIssue) -> Option<f64> {
    issue.lead_seconds
}

fn cycle(issue: &EndedIssue) -> Option<f64> {
    issue.cycle_seconds
}

fn customer_lead(issue: &EndedIssue) -> Option<f64> {
    Some((issue.entered_at - issue.created_at).as_seconds_f64())
}

/// Why an issue that ended does not count; nothing if it does.
fn why_not(issue: &EndedIssue) -> Option<&str> {
    match issue.category {
        Some(StepCategory::Discarded) => Some("discarded"),
        Some(_) => None,
        None => Some(issue.reason.as_deref().unwrap_or("unmapped_status")),
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use domain::ids::IntegrationId;
    use domain::workflow::Configuration;
    use store::flow::DayFact;
    use uuid::Uuid;

    use super::super::Bucket;
    use super::*;

    const HOUR: f64 = 3_600.0;

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    /// Two weeks, Monday 2 to Monday 16 March 2026.
    fn window() -> Window {
        Window::new(at("2026-03-02T00:00:00Z"), at("2026-03-16T00:00:00Z"), Tz::UTC, Bucket::Week)
            .unwrap()
    }

    fn done(key: &str, entered_at: &str, lead_hours: f64) -> EndedIssue {
        EndedIssue {
            key: key.to_owned(),
            created_at: at(entered_at) - TimeDelta::hours(100),
            entered_at: at(entered_at),
            category: Some(StepCategory::Done),
            reason: None,
            lead_seconds: Some(lead_hours * HOUR),
            cycle_seconds: Some(lead_hours * HOUR / 2.0),
            active_seconds: Some(lead_hours * HOUR / 4.0),
            rework: 0,
            steps: Vec::new(),
        }
    }

    fn read(ended: Vec<EndedIssue>) -> FlowRead {
        let client = ClientId(Uuid::from_u128(1 << 70));
        FlowRead {
            as_of: Some(at("2026-03-16T00:00:00Z")),
            steps: Configuration::unsaid(client, Vec::new()).steps,
            ended,
            ..FlowRead::default()
        }
    }

    fn metric<'a>(answer: &'a Answer, name: &str) -> &'a Metric {
        answer.metrics.iter().find(|metric| metric.name == name).unwrap()
    }

    fn told(read: &FlowRead) -> Answer {
        report(read, &window(), true, at("2026-03-16T12:00:00Z"))
    }

    #[test]
    fn times_are_medians_beside_their_ranks_and_the_window_before() {
        let mut ended: Vec<_> = (1..=4)
            .map(|n| done(&format!("PAY-{n}"), "2026-03-03T10:00:00Z", f64::from(n) * 10.0))
            .collect();
        ended.push(done("PAY-9", "2026-02-20T10:00:00Z", 70.0));
        let answer = told(&read(ended));
        let lead = metric(&answer, "lead_time");
        assert_eq!(
            (lead.value, lead.previous, lead.counted),
            (Some(25.0 * HOUR), Some(70.0 * HOUR), 4)
        );
        assert_eq!((lead.details["p85"], lead.details["p95"]), (40.0 * HOUR, 40.0 * HOUR));
        assert_eq!(lead.ids, ["PAY-1", "PAY-2", "PAY-3", "PAY-4"]);
        assert_eq!(metric(&answer, "cycle_time").value, Some(12.5 * HOUR));
        assert_eq!(metric(&answer, "customer_lead_time").value, Some(100.0 * HOUR));
        assert_eq!(metric(&answer, "flow_efficiency").value, Some(0.25));
        let throughput = metric(&answer, "throughput");
        assert_eq!((throughput.value, throughput.previous), (Some(4.0), Some(1.0)));
        assert_eq!(throughput.details["per_week"], 2.0);
        assert_eq!(answer.series[0].values["throughput"], 4.0);
        assert_eq!(answer.series[1].values.get("lead_time_p50"), None);
    }

    #[test]
    fn what_does_not_count_is_named_and_nothing_is_lost() {
        let when = "2026-03-03T10:00:00Z";
        let discarded =
            EndedIssue { category: Some(StepCategory::Discarded), ..done("B-1", when, 1.0) };
        let out = |reason: &str| EndedIssue {
            category: None,
            reason: Some(reason.to_owned()),
            ..done("B-2", when, 1.0)
        };
        let uncommitted = EndedIssue { lead_seconds: None, ..done("B-3", when, 1.0) };
        let ended = vec![
            done("A-1", when, 4.0),
            discarded,
            out("unmapped_status"),
            out("inactive_issue"),
            uncommitted,
        ];
        let all = ended.len() as u64;
        let answer = told(&read(ended));
        let lead = metric(&answer, "lead_time");
        let excluded: Vec<_> = lead.excluded.iter().map(|e| (e.reason.as_str(), e.count)).collect();
        let expected = [
            ("no_commitment_point", 1),
            ("discarded", 1),
            ("inactive_issue", 1),
            ("unmapped_status", 1),
        ];
        assert_eq!(excluded, expected);
        assert_eq!(lead.counted + excluded.iter().map(|(_, count)| count).sum::<u64>(), all);
    }

    #[test]
    fn issues_stand_somewhere_at_the_end_of_every_day() {
        let read = FlowRead {
            days: [
                ("2026-02-27", 0, 5, 0),
                ("2026-03-03", 0, 0, 2),
                ("2026-03-03", 1, 2, 0),
                ("2026-03-10", 1, 0, 1),
                ("2026-03-10", 2, 1, 0),
            ]
            .into_iter()
            .map(|(day, step, entered, gone)| DayFact {
                integration: IntegrationId(Uuid::nil()),
                project: 1,
                day: day_number(day.parse().unwrap()),
                step: read(Vec::new()).steps[step].id,
                entered,
                gone,
            })
            .collect(),
            ..read(Vec::new())
        };
        let answer = told(&read);
        assert_eq!(answer.days.len(), 14);
        let wip: Vec<i64> = answer.days.iter().map(|day| day.wip).collect();
        assert_eq!(wip, [0, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1]);
        for day in &answer.days {
            assert_eq!(day.in_step.values().sum::<i64>(), 5, "{}: nobody is lost", day.day);
        }
        let told = metric(&answer, "wip");
        assert_eq!((told.value, told.previous), (Some(1.0), Some(0.0)));
        assert_eq!(answer.series.iter().map(|p| p.values["wip"]).collect::<Vec<_>>(), [2.0, 1.0]);
    }

    #[test]
    fn what_is_in_progress_ages() {
        let started = |text: &str| ("PAY-1".to_owned(), Some(at(text)));
        let in_progress = vec![started("2026-03-16T02:00:00Z"), started("2026-03-15T12:00:00Z")];
        let answer = told(&FlowRead { in_progress, ..read(Vec::new()) });
        let age = metric(&answer, "work_item_age");
        assert_eq!((age.value, age.details["p85"]), (Some(17.0 * HOUR), 24.0 * HOUR));
    }

    #[test]
    fn rework_is_the_share_of_issues_that_went_back() {
        let when = "2026-03-03T10:00:00Z";
        let back = EndedIssue { rework: 3, ..done("A-1", when, 1.0) };
        let answer = told(&read(vec![back, done("A-2", when, 1.0)]));
        let rework = metric(&answer, "rework");
        assert_eq!((rework.value, rework.details["entries"]), (Some(0.5), 3.0));
        assert_eq!(rework.ids, ["A-1"]);
    }

    #[test]
    fn emptiness_is_explained_by_the_first_rule_that_emptied_it() {
        let when = "2026-03-03T10:00:00Z";
        let out = EndedIssue {
            category: None,
            reason: Some("unmapped_status".to_owned()),
            ..done("B-2", when, 1.0)
        };
        let uncommitted = EndedIssue { lead_seconds: None, ..done("B-3", when, 1.0) };
        let cases = [
            (vec![], "No issue was done in this window."),
            (
                vec![out],
                "1 issues ended in this window, 0 of them done: 1 are left out for unmapped_status.",
            ),
            (vec![uncommitted], "1 issues were done, but their workflow has no commitment point."),
        ];
        for (ended, reason) in cases {
            let answer = told(&read(ended));
            let lead = metric(&answer, "lead_time");
            assert_eq!((lead.value, lead.empty_reason.as_str()), (None, reason));
        }
        let never = told(&FlowRead::default());
        assert!(metric(&never, "wip").empty_reason.starts_with("No sync has finished yet"));
    }
}

//! Puts the flow of a client's issues in order, as it is read.

use std::collections::{BTreeMap, HashMap};

use domain::Moment;
use domain::ids::WorkflowStepId;
use domain::workflow::{StepCategory, WorkflowStep};
use store::flow::{DayFact, EndedIssue, Nowhere, StartedIssue, TakeFlow};

use super::super::keys::Keys;
use super::super::rows::{Measure, Timeline, micros};
use super::{Done, FlowFacts, InProgress, LeftOut, Reason, Standing};

/// Puts facts in order.
#[derive(Debug)]
pub struct Builder {
    room: usize,
    facts: FlowFacts,
    done: Vec<DoneRow>,
    done_keys: Keys,
    steps: HashMap<WorkflowStepId, Vec<(u32, f64)>>,
    /// What each step means that shares its category with others.
    meanings: HashMap<WorkflowStepId, StepCategory>,
    alone: BTreeMap<StepCategory, WorkflowStepId>,
    categories: BTreeMap<StepCategory, Vec<(u32, f64)>>,
    step_count: usize,
    left_out: HashMap<Reason, Vec<(usize, i64)>>,
    in_progress: Vec<(usize, i64)>,
    in_progress_keys: Keys,
    standing: HashMap<(usize, WorkflowStepId), Vec<(i32, i64)>>,
    is_full: bool,
}

#[derive(Debug)]
struct DoneRow {
    project: usize,
    at: i64,
    lead: Option<f64>,
    cycle: Option<f64>,
    customer_lead: Option<f64>,
    efficiency: Option<f64>,
    rework: i32,
    passed_unmapped: bool,
}

/// What an issue that is done takes in the end, beside its steps: no number takes more than 15 bytes.
const BYTES_PER_ISSUE: usize = 90;
const BYTES_PER_STEP: usize = 20;

impl Builder {
    /// With room for so many bytes.
    pub fn new(room: usize) -> Builder {
        Builder {
            room,
            facts: FlowFacts::default(),
            done: Vec::new(),
            done_keys: Keys::default(),
            steps: HashMap::new(),
            meanings: HashMap::new(),
            alone: BTreeMap::new(),
            categories: BTreeMap::new(),
            step_count: 0,
            left_out: HashMap::new(),
            in_progress: Vec::new(),
            in_progress_keys: Keys::default(),
            standing: HashMap::new(),
            is_full: false,
        }
    }

    /// The facts; nothing if they do not fit.
    pub fn build(self) -> Option<FlowFacts> {
        if self.is_full {
            return None;
        }
        let mut facts = self.facts;
        let groups = facts.projects.count();
        let rows = self.done;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|row| (rows[*row].project, rows[*row].at));
        let sorted = || order.iter().map(|row| &rows[*row]);
        let mut place_of = vec![0_u32; rows.len()];
        for (place, row) in (0..).zip(&order) {
            place_of[*row] = place;
        }
        let count = rows.len();
        let measured = |mut known: Vec<(u32, f64)>| {
            for (row, _) in &mut known {
                *row = place_of[*row as usize];
            }
            known.sort_unstable_by_key(|(row, _)| *row);
            Measure::sparse(count, known)
        };
        let steps = self.steps.into_iter().map(|(step, known)| (step, measured(known)));
        let categories = self.categories.into_iter();
        let categories = categories.map(|(category, known)| (category, measured(known)));
        facts.done = Done {
            timeline: Timeline::new(groups, sorted().map(|row| (row.project, row.at))),
            rework: sorted().map(|row| row.rework).collect(),
            lead: Measure::new(sorted().map(|row| row.lead)),
            cycle: Measure::new(sorted().map(|row| row.cycle)),
            customer_lead: Measure::new(sorted().map(|row| row.customer_lead)),
            efficiency: Measure::new(sorted().map(|row| row.efficiency)),
            steps: steps.collect(),
            categories: categories.collect(),
            alone: self.alone,
            passed_unmapped: Measure::new(sorted().map(|row| row.passed_unmapped.then_some(0.0))),
            keys: self.done_keys.sorted(order.iter().copied()),
        };
        facts.left_out = self
            .left_out
            .into_iter()
            .map(|(reason, mut rows)| {
                rows.sort_unstable();
                LeftOut { reason, timeline: Timeline::new(groups, rows.into_iter()) }
            })
            .collect();
        let rows = self.in_progress;
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|row| rows[*row]);
        let sorted = || order.iter().map(|row| rows[*row]);
        #[expect(clippy::cast_precision_loss, reason = "microseconds stay below 2^53 until 2255")]
        let started = Measure::new(sorted().map(|(_, at)| Some(at as f64)));
        facts.in_progress = InProgress {
            timeline: Timeline::new(groups, sorted()),
            started,
            keys: self.in_progress_keys.sorted(order.iter().copied()),
            ..facts.in_progress
        };
        for ((project, step), mut days) in self.standing {
            days.sort_unstable();
            let mut now = 0;
            for (_, count) in &mut days {
                now += *count;
                *count = now;
            }
            days.shrink_to_fit();
            facts.standing.push(Standing { project, step, days });
        }
        Some(facts)
    }

    /// These instead of those that were counted.
    pub fn nowhere(&mut self, all: Vec<Nowhere>) {
        self.facts.nowhere.clear();
        for one in all {
            let project = self.facts.projects.number(one.project);
            *self.facts.nowhere.entry((project, one.reason)).or_default() += one.count;
        }
    }

    fn ended(&mut self, issue: EndedIssue) {
        let project = self.facts.projects.number(issue.project);
        let at = micros(issue.entered_at);
        let passed_unmapped = issue.category.is_some() && issue.reason.is_some();
        let reason = match issue.category {
            Some(StepCategory::Done) => None,
            Some(StepCategory::Discarded) => Some(Reason::Discarded),
            Some(_) => return,
            None => {
                Some(Reason::Nowhere(issue.reason.unwrap_or_else(|| "unmapped_status".to_owned())))
            }
        };
        if let Some(Reason::Nowhere(reason)) = &reason {
            *self.facts.nowhere.entry((project, reason.clone())).or_default() += 1;
        }
        if let Some(reason) = reason {
            self.left_out.entry(reason).or_default().push((project, at));
            return;
        }
        let row = u32::try_from(self.done.len()).expect("fewer than 2^32 issues");
        let mut by_category: BTreeMap<StepCategory, f64> = BTreeMap::new();
        for (step, seconds) in issue.steps {
            if let Some(category) = self.meanings.get(&step) {
                *by_category.entry(*category).or_default() += seconds;
            }
            self.step_count += 1;
            self.steps.entry(step).or_default().push((row, seconds));
        }
        self.step_count += by_category.len();
        for (category, seconds) in by_category {
            self.categories.entry(category).or_default().push((row, seconds));
        }
        self.done_keys.push(&issue.key);
        let lead = issue.lead_seconds.filter(|lead| *lead > 0.0);
        self.done.push(DoneRow {
            project,
            at,
            lead: issue.lead_seconds,
            cycle: issue.cycle_seconds,
            customer_lead: Some((issue.entered_at - issue.created_at).as_seconds_f64())
                .filter(|seconds| *seconds >= 0.0),
            efficiency: lead.and_then(|lead| Some(issue.active_seconds? / lead)),
            rework: issue.rework,
            passed_unmapped,
        });
    }
}

impl TakeFlow for Builder {
    fn begin(&mut self, publication: i64, as_of: Moment, steps: &[WorkflowStep]) {
        for step in steps {
            let mut others = steps.iter().filter(|other| other.id != step.id);
            if others.any(|other| other.category == step.category) {
                self.meanings.insert(step.id, step.category);
            } else {
                // Its own time is all of the category's, and need not be held twice.
                self.alone.insert(step.category, step.id);
            }
        }
        self.facts.publication = publication;
        self.facts.as_of = Some(as_of);
    }

    fn days(&mut self, days: Vec<DayFact>) {
        for day in days {
            let project = self.facts.projects.number((day.integration, day.project));
            let days = self.standing.entry((project, day.step)).or_default();
            days.push((day.day, day.entered - day.gone));
        }
    }

    fn issues(&mut self, ended: Vec<EndedIssue>, in_progress: Vec<StartedIssue>) -> bool {
        for issue in ended {
            self.ended(issue);
        }
        for issue in in_progress {
            let project = self.facts.projects.number(issue.project);
            let counts = &mut self.facts.in_progress.counts;
            counts.resize(counts.len().max(project + 1), 0);
            counts[project] += 1;
            if let Some(at) = issue.started_at {
                self.in_progress.push((project, micros(at)));
                self.in_progress_keys.push(&issue.key);
            }
        }
        let issues = self.done.len() + self.in_progress.len();
        self.is_full = issues * BYTES_PER_ISSUE + self.step_count * BYTES_PER_STEP > self.room;
        !self.is_full
    }
}

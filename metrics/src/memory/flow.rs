//! The flow of a client's issues, held so that a window of it is told without looking at each issue.

mod builder;

use std::collections::{BTreeMap, HashMap};

use domain::Moment;
use domain::ids::WorkflowStepId;
use domain::workflow::StepCategory;
use store::dora::Place;
use store::flow::{FlowRead, TakeFlow};

pub use self::builder::Builder;
use super::groups::Groups;
use super::keys::Keys;
use super::ranked::Stretch;
use super::rows::{Known, Measure, Timeline};

/// Facts of one publication.
#[derive(Debug, Default)]
pub struct FlowFacts {
    /// Which one.
    pub publication: i64,
    /// When they were complete; nothing before the first publication.
    pub as_of: Option<Moment>,
    projects: Groups,
    /// Issues that are done.
    pub done: Done,
    left_out: Vec<LeftOut>,
    /// Issues that stand nowhere, by project and whenever they came there.
    nowhere: BTreeMap<(usize, String), u64>,
    /// Issues in progress now.
    pub in_progress: InProgress,
    standing: Vec<Standing>,
}

/// Issues that are done, by project and in the order in which they were.
#[derive(Debug, Default)]
pub struct Done {
    timeline: Timeline,
    keys: Keys,
    rework: Vec<i32>,
    /// Seconds from commitment to done.
    pub lead: Measure,
    /// Seconds from start to done.
    pub cycle: Measure,
    /// Seconds from creation to done.
    pub customer_lead: Measure,
    /// The share of the lead time in which somebody worked.
    pub efficiency: Measure,
    steps: HashMap<WorkflowStepId, Measure>,
    /// Of categories that have several steps.
    categories: BTreeMap<StepCategory, Measure>,
    /// Of those that have one.
    alone: BTreeMap<StepCategory, WorkflowStepId>,
    /// Nought for each that came through a status without a step.
    pub passed_unmapped: Measure,
}

/// Issues that ended otherwise: for one reason, and in the order in which they did.
#[derive(Debug)]
struct LeftOut {
    reason: Reason,
    timeline: Timeline,
}

/// Why an issue that ended is not done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It is discarded.
    Discarded,
    /// It counts nowhere.
    Nowhere(String),
}

impl Reason {
    /// The spelling in reports.
    pub fn as_str(&self) -> &str {
        match self {
            Reason::Discarded => "discarded",
            Reason::Nowhere(reason) => reason,
        }
    }
}

/// Issues in progress, by project and start.
#[derive(Debug, Default)]
pub struct InProgress {
    /// Also those of which nobody knows when they began, by project.
    counts: Vec<usize>,
    timeline: Timeline,
    keys: Keys,
    started: Measure,
}

/// How many issues of a project stood in a step at the end of each day on which that changed.
#[derive(Debug)]
struct Standing {
    project: usize,
    step: WorkflowStepId,
    days: Vec<(i32, i64)>,
}

impl FlowFacts {
    /// Facts of what was read.
    pub fn of(read: FlowRead) -> FlowFacts {
        let mut builder = Builder::new(usize::MAX);
        if let Some(as_of) = read.as_of {
            builder.begin(0, as_of, &read.steps);
        }
        builder.days(read.days);
        builder.issues(read.ended, read.in_progress);
        // What was read is of a window, these are all there are.
        builder.nowhere(read.nowhere);
        builder.build().expect("there is room for everything")
    }

    /// Numbers of the projects that are meant.
    pub fn projects(&self, wanted: impl Iterator<Item = Place>) -> Vec<usize> {
        self.projects.numbers(wanted)
    }

    /// How many issues of these projects ended otherwise in `from..to`, by reason.
    pub fn left_out(&self, projects: &[usize], from: i64, to: i64) -> BTreeMap<Reason, usize> {
        let mut counts = BTreeMap::new();
        for left_out in &self.left_out {
            let stretches = left_out.timeline.within(projects, from, to);
            let count = stretches.iter().map(ExactSizeIterator::len).sum::<usize>();
            if count > 0 {
                counts.insert(left_out.reason.clone(), count);
            }
        }
        counts
    }

    /// How many issues of these projects stand nowhere now, by reason.
    pub fn nowhere(&self, projects: &[usize]) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for ((project, reason), count) in &self.nowhere {
            if projects.binary_search(project).is_ok() {
                *counts.entry(reason.as_str()).or_default() +=
                    usize::try_from(*count).unwrap_or(usize::MAX);
            }
        }
        counts
    }

    /// How many issues of these projects stood in each step that was ever entered by then, at the end of
    /// each of the days.
    pub fn standing(
        &self,
        projects: &[usize],
        days: impl Iterator<Item = i32> + Clone,
    ) -> Vec<BTreeMap<WorkflowStepId, i64>> {
        let mut told: Vec<BTreeMap<WorkflowStepId, i64>> =
            days.clone().map(|_| BTreeMap::new()).collect();
        for standing in &self.standing {
            if projects.binary_search(&standing.project).is_err() {
                continue;
            }
            for (day, told) in days.clone().zip(&mut told) {
                let until = standing.days.partition_point(|(other, _)| *other <= day);
                if let Some((_, count)) = until.checked_sub(1).map(|last| standing.days[last]) {
                    *told.entry(standing.step).or_default() += count;
                }
            }
        }
        told
    }

    /// Whether an issue of these projects ever moved until the end of that day.
    pub fn has_moved(&self, projects: &[usize], day: i32) -> bool {
        self.standing.iter().any(|standing| {
            projects.binary_search(&standing.project).is_ok()
                && standing.days.first().is_some_and(|(first, _)| *first <= day)
        })
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        let standing =
            self.standing.iter().map(|one| size_of_val(&*one.days) + size_of::<Standing>());
        self.projects.bytes()
            + self.done.bytes()
            + self.left_out.iter().map(|one| one.timeline.bytes()).sum::<usize>()
            + self.in_progress.bytes()
            + standing.sum::<usize>()
    }
}

impl Done {
    /// Those of these projects that were done in `from..to`.
    pub fn within(&self, projects: &[usize], from: i64, to: i64) -> Vec<Stretch> {
        self.timeline.within(projects, from, to)
    }

    /// How often these went back.
    pub fn entries(&self, rows: &[Stretch]) -> i64 {
        self.rework_of(rows).map(|(_, entries)| i64::from(entries)).sum()
    }

    /// Those of them that went back at all.
    pub fn reworked(&self, rows: &[Stretch]) -> Vec<Stretch> {
        let back = self.rework_of(rows).filter(|(_, entries)| *entries > 0);
        back.map(|(row, _)| row..row + 1).collect()
    }

    fn rework_of(&self, rows: &[Stretch]) -> impl Iterator<Item = (u32, i32)> {
        rows.iter().flat_map(|rows| {
            rows.clone().zip(self.rework[rows.start as usize..rows.end as usize].iter().copied())
        })
    }

    /// How long those of them stayed in a step that left it.
    pub fn in_step(&self, step: WorkflowStepId, rows: &[Stretch]) -> Option<Known<'_>> {
        self.steps.get(&step).map(|measure| measure.within(rows))
    }

    /// The same of all steps of a category together.
    pub fn in_category(&self, category: StepCategory, rows: &[Stretch]) -> Option<Known<'_>> {
        match self.alone.get(&category) {
            Some(step) => self.in_step(*step, rows),
            None => self.categories.get(&category).map(|measure| measure.within(rows)),
        }
    }

    /// Their keys, in the order in which they were done.
    pub fn keys(&self, rows: &[Stretch]) -> Vec<String> {
        self.timeline.by_time(rows).into_iter().map(|row| self.keys.key(row as usize)).collect()
    }

    fn bytes(&self) -> usize {
        let measures =
            [&self.lead, &self.cycle, &self.customer_lead, &self.efficiency, &self.passed_unmapped];
        let measures = measures.into_iter().chain(self.steps.values());
        let measures = measures.chain(self.categories.values()).map(Measure::bytes);
        self.timeline.bytes()
            + self.keys.bytes()
            + size_of_val(&*self.rework)
            + measures.sum::<usize>()
    }
}

impl InProgress {
    /// How many issues of these projects are in progress.
    pub fn count(&self, projects: &[usize]) -> usize {
        projects.iter().map(|project| self.counts.get(*project).copied().unwrap_or(0)).sum()
    }

    /// Those of which somebody knows when they began.
    pub fn begun(&self, projects: &[usize]) -> Begun<'_> {
        let rows = self.timeline.within(projects, i64::MIN, i64::MAX);
        Begun { known: self.started.within(&rows), all: self, rows }
    }

    fn bytes(&self) -> usize {
        self.timeline.bytes() + self.keys.bytes() + self.started.bytes()
    }
}

/// Issues in progress whose start is known.
pub struct Begun<'a> {
    all: &'a InProgress,
    known: Known<'a>,
    rows: Vec<Stretch>,
}

impl Begun<'_> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.known.count()
    }

    /// When that one began which is at `rank` of those that began last, counted from 0.
    pub fn latest(&self, rank: usize) -> Option<Moment> {
        let micros = self.known.at(self.count().checked_sub(rank + 1)?)?;
        #[expect(clippy::cast_possible_truncation, reason = "it was made of whole microseconds")]
        Moment::from_timestamp_micros(micros as i64)
    }

    /// Their keys, in the order in which they began.
    pub fn keys(&self) -> Vec<String> {
        let rows = self.all.timeline.by_time(&self.rows).into_iter();
        rows.map(|row| self.all.keys.key(row as usize)).collect()
    }
}

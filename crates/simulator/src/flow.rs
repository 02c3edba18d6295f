//! How the company's issues flowed, worked out from its own events by plain loops. It shares no code
//! with the product, so that the two can be compared.

use chrono::{DateTime, Utc};

use crate::moment::{DAY, Moment};
use crate::world::World;
use crate::world::jira::{Field, Issue, STATUSES};

/// A way of seeing the work.
#[derive(Debug, Clone)]
pub struct Way {
    /// The steps, in order.
    pub steps: Vec<WayStep>,
    /// A status, the only type it is meant for, and the position of its step. One with a type goes
    /// before one without.
    pub statuses: Vec<(&'static str, Option<&'static str>, usize)>,
    /// Where statuses stand that are not named, by their category: to do, in progress, done.
    pub categories: [Option<usize>; 3],
    /// The position of the commitment point.
    pub commitment: Option<usize>,
}

/// A step of a [`Way`].
#[derive(Debug, Clone, Copy)]
pub struct WayStep {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub meaning: Meaning,
    /// Nobody works there.
    pub waiting: bool,
}

/// What a step means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Not begun.
    ToDo,
    /// Under way.
    Doing,
    /// Delivered.
    Done,
    /// Given up.
    Dropped,
}

/// How an issue flowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Flowed {
    /// The key of today.
    pub key: String,
    /// The name of the step in which it stands.
    pub step: Option<&'static str>,
    /// When it was committed to.
    pub committed_at: Option<DateTime<Utc>>,
    /// When work began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done.
    pub done_at: Option<DateTime<Utc>>,
    /// From commitment to done.
    pub lead_time_seconds: Option<f64>,
    /// From start to done.
    pub cycle_time_seconds: Option<f64>,
}

/// How all of them flowed in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// Issues done.
    pub throughput: usize,
    /// The median and the 85th percentile of lead times.
    pub lead_time: Option<(f64, f64)>,
    /// The same of cycle times.
    pub cycle_time: Option<(f64, f64)>,
    /// The median of times from creation to done.
    pub customer_lead_time: Option<f64>,
    /// The median share of lead time in which somebody worked.
    pub flow_efficiency: Option<f64>,
    /// The share of done issues that went back after their start.
    pub rework: Option<f64>,
    /// Issues in progress at the end of each day in UTC.
    pub wip: Vec<usize>,
}

/// Every live issue, by Jira's id.
pub fn flowed(world: &World, way: &Way) -> Vec<Flowed> {
    world
        .jira
        .live()
        .map(|issue| Told::of(world, way, issue).flowed(world.jira.key(issue)))
        .collect()
}

/// All of them from `from` to before `to`.
pub fn totals(world: &World, way: &Way, from: DateTime<Utc>, to: DateTime<Utc>) -> Totals {
    let (from, to) = (Moment::from(from), Moment::from(to));
    let told: Vec<Told> = world.jira.live().map(|issue| Told::of(world, way, issue)).collect();
    let mut done: Vec<&Told> = Vec::new();
    for one in &told {
        if one.done.is_some_and(|at| from <= at && at < to) {
            done.push(one);
        }
    }
    let mut leads = Vec::new();
    let mut cycles = Vec::new();
    let mut customer = Vec::new();
    let mut shares = Vec::new();
    let (mut back, mut known) = (0, 0);
    for one in &done {
        let end = one.done.expect("a done issue has an end");
        customer.push(seconds(one.events[0].0, end));
        if !one.was_nowhere {
            known += 1;
        }
        if let Some(committed) = one.committed {
            leads.push(seconds(committed, end));
            if committed < end {
                shares.push(one.worked(committed, end) / seconds(committed, end));
            }
        }
        if let Some(started) = one.started {
            cycles.push(seconds(started, end));
        }
        if one.went_back {
            back += 1;
        }
    }
    let mut wip = Vec::new();
    let mut midnight = from.midnight();
    while midnight < to {
        midnight = midnight + DAY;
        let doing = told.iter().filter(|one| one.is_doing_before(midnight)).count();
        wip.push(doing);
    }
    Totals {
        throughput: done.len(),
        lead_time: middle(&mut leads).zip(rank85(&leads)),
        cycle_time: middle(&mut cycles).zip(rank85(&cycles)),
        customer_lead_time: middle(&mut customer),
        flow_efficiency: middle(&mut shares),
        rework: (known > 0).then(|| f64::from(back) / f64::from(known)),
        wip,
    }
}

/// When an issue was done, if it still is.
pub(crate) fn done(world: &World, way: &Way, issue: &Issue) -> Option<Moment> {
    Told::of(world, way, issue).done
}

/// What the events of an issue tell.
struct Told<'w> {
    way: &'w Way,
    /// When it came where: the position of a step, or nowhere.
    events: Vec<(Moment, Option<usize>)>,
    committed: Option<Moment>,
    started: Option<Moment>,
    done: Option<Moment>,
    went_back: bool,
    /// It was somewhere that is no step, so that nobody knows what happened there.
    was_nowhere: bool,
}

impl<'w> Told<'w> {
    fn of(world: &World, way: &'w Way, issue: &Issue) -> Told<'w> {
        let kind = issue.kind.name(world.jira.projects[issue.project].next_gen);
        let mut moves = Vec::new();
        for history in &issue.histories {
            for item in history.items.iter().filter(|item| item.field == Field::Status) {
                moves.push((history.at, item.from.as_deref(), item.to.as_deref()));
            }
        }
        let now = STATUSES[issue.status].id;
        let first = moves.first().and_then(|(_, from, _)| *from).unwrap_or(now);
        let mut events = vec![(issue.created, step_of(way, kind, first))];
        for (at, _, to) in moves {
            events.push((at, step_of(way, kind, to.expect("a move leads somewhere"))));
        }
        let mut was_nowhere = false;
        for (_, step) in &events {
            if step.is_none() {
                was_nowhere = true;
            }
        }
        let mut told = Told {
            way,
            events,
            committed: None,
            started: None,
            done: None,
            went_back: false,
            was_nowhere,
        };
        told.read();
        told
    }

    fn read(&mut self) {
        // An issue that stands nowhere now tells nothing.
        let Some(&(_, Some(last))) = self.events.last() else { return };
        let mut before: Option<usize> = None;
        let mut here: Option<usize> = None;
        let mut came = Moment(0);
        for &(at, step) in &self.events {
            if here != step || step.is_none() {
                came = at;
            }
            here = step;
            let Some(step) = step else { continue };
            let meaning = self.way.steps[step].meaning;
            if self.started.is_some() && before.is_some_and(|before| step < before) {
                self.went_back = true;
            }
            let is_committed = self.way.commitment.is_some_and(|commitment| step >= commitment);
            if self.committed.is_none() && is_committed && meaning != Meaning::Dropped {
                self.committed = Some(at);
            }
            if self.started.is_none() && (meaning == Meaning::Doing || meaning == Meaning::Done) {
                self.started = Some(at);
            }
            before = Some(step);
        }
        if self.way.steps[last].meaning == Meaning::Done {
            self.done = Some(came);
        }
        if self.was_nowhere {
            self.committed = None;
            self.started = None;
            self.went_back = false;
        }
    }

    fn flowed(&self, key: String) -> Flowed {
        let at = |moment: Option<Moment>| {
            moment
                .map(|moment| DateTime::from_timestamp_millis(moment.0).expect("a moment of ours"))
        };
        let length = |from: Option<Moment>| Some(seconds(from?, self.done?));
        let step = self.events.last().and_then(|(_, step)| *step);
        Flowed {
            key,
            step: step.map(|step| self.way.steps[step].name),
            committed_at: at(self.committed),
            started_at: at(self.started),
            done_at: at(self.done),
            lead_time_seconds: length(self.committed),
            cycle_time_seconds: length(self.started),
        }
    }

    /// Seconds between two moments in which somebody worked on it.
    fn worked(&self, from: Moment, to: Moment) -> f64 {
        let mut milliseconds = 0;
        for (position, &(at, step)) in self.events.iter().enumerate() {
            let Some(step) = step else { continue };
            let until = self.events.get(position + 1).map_or(to, |next| next.0);
            let (start, end) = (at.max(from), until.min(to));
            if !self.way.steps[step].waiting && start < end {
                milliseconds += end - start;
            }
        }
        milliseconds as f64 / 1_000.0
    }

    fn is_doing_before(&self, moment: Moment) -> bool {
        let mut place = None;
        for &(at, step) in &self.events {
            if at < moment {
                place = step;
            }
        }
        place.is_some_and(|step| self.way.steps[step].meaning == Meaning::Doing)
    }
}

fn step_of(way: &Way, kind: &str, status: &str) -> Option<usize> {
    let status = STATUSES.iter().find(|known| known.id == status)?;
    for wanted in [Some(kind), None] {
        for (name, only, step) in &way.statuses {
            if *only == wanted && name.eq_ignore_ascii_case(status.name) {
                return Some(*step);
            }
        }
    }
    match status.category.1 {
        "indeterminate" => way.categories[1],
        "done" => way.categories[2],
        _ => way.categories[0],
    }
}

pub(crate) fn seconds(from: Moment, to: Moment) -> f64 {
    (to - from) as f64 / 1_000.0
}

/// The middle of the values, which are sorted on the way.
pub(crate) fn middle(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[half]),
        _ => Some((values[half - 1] + values[half]) / 2.0),
    }
}

/// The smallest of the sorted values that at least 85 of a hundred do not exceed.
pub(crate) fn rank85(values: &[f64]) -> Option<f64> {
    let enough = |count: usize| count * 100 >= values.len() * 85;
    (1..=values.len()).find(|count| enough(*count)).map(|count| values[count - 1])
}

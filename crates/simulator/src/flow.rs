//! How the company's issues flowed, worked out from its own events by plain loops. It shares no code
//! with the product, so that the two can be compared.

mod totals;

use chrono::{DateTime, Utc};

pub use self::totals::{Day, Spread, Totals, ages, chance, totals};
use crate::moment::Moment;
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

/// Every live issue, by Jira's id.
pub fn flowed(world: &World, way: &Way) -> Vec<Flowed> {
    world
        .jira
        .live()
        .map(|issue| Told::of(world, way, issue).flowed(world.jira.key(issue)))
        .collect()
}

/// When an issue was done, if it still is.
pub(crate) fn done(world: &World, way: &Way, issue: &Issue) -> Option<Moment> {
    Told::of(world, way, issue).done
}

/// When an issue came into a status that says nothing, if it stands in one.
pub(crate) fn nowhere(world: &World, way: &Way, issue: &Issue) -> Option<Moment> {
    let told = Told::of(world, way, issue);
    told.stands().is_none().then_some(told.came)
}

/// What the events of an issue tell.
struct Told<'w> {
    way: &'w Way,
    /// When it came where: the position of a step, or nowhere.
    events: Vec<(Moment, Option<usize>)>,
    committed: Option<Moment>,
    started: Option<Moment>,
    done: Option<Moment>,
    /// How often it went back after its start.
    back: usize,
    /// When it came to where it stands, or into a status that stands nowhere.
    came: Moment,
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
        let mut told = Told {
            way,
            events,
            committed: None,
            started: None,
            done: None,
            back: 0,
            came: Moment(0),
            was_nowhere: false,
        };
        told.read();
        told
    }

    fn read(&mut self) {
        // An issue that stands nowhere now tells nothing else.
        let &(entered, last) = self.events.last().expect("it was made");
        self.came = entered;
        let Some(last) = last else { return };
        let mut before: Option<usize> = None;
        let mut here: Option<usize> = None;
        let mut came = Moment(0);
        for &(at, step) in &self.events {
            if step.is_none() {
                self.was_nowhere = true;
            }
            if here != step || step.is_none() {
                came = at;
            }
            here = step;
            let Some(step) = step else { continue };
            let meaning = self.way.steps[step].meaning;
            if self.started.is_some() && before.is_some_and(|before| step < before) {
                self.back += 1;
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
        self.came = came;
        if self.way.steps[last].meaning == Meaning::Done {
            self.done = Some(came);
        }
        if self.was_nowhere {
            self.committed = None;
            self.started = None;
            self.back = 0;
        }
    }

    fn flowed(&self, key: String) -> Flowed {
        let at = |moment: Option<Moment>| moment.map(Into::into);
        let length = |from: Option<Moment>| Some(seconds(from?, self.done?));
        Flowed {
            key,
            step: self.stands().map(|step| self.way.steps[step].name),
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

    /// Where it stands, if anywhere.
    fn stands(&self) -> Option<usize> {
        self.events.last().and_then(|(_, step)| *step)
    }

    /// Where it stood before a moment.
    fn stood_before(&self, moment: Moment) -> Option<usize> {
        let mut place = None;
        for &(at, step) in &self.events {
            if at < moment {
                place = step;
            }
        }
        place
    }

    /// Seconds in a step that it has left, all stays together.
    fn spent_in(&self, step: usize) -> Option<f64> {
        if self.was_nowhere {
            return None;
        }
        let mut spent = None;
        for pair in self.events.windows(2) {
            if pair[0].1 == Some(step) {
                spent = Some(spent.unwrap_or(0.0) + seconds(pair[0].0, pair[1].0));
            }
        }
        spent
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

/// The smallest of the sorted values that at least so many of a hundred do not exceed.
pub(crate) fn rank(values: &[f64], hundredths: usize) -> Option<f64> {
    let enough = |count: usize| count * 100 >= values.len() * hundredths;
    (1..=values.len()).find(|count| enough(*count)).map(|count| values[count - 1])
}

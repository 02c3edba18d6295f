//! How all issues flowed together.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Meaning, Told, Way, middle, rank, seconds};
use crate::moment::{DAY, Moment};
use crate::world::World;

/// How all of them flowed in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// Issues done.
    pub throughput: usize,
    /// Those of them of which nobody knows what happened all the time.
    pub passed: usize,
    /// From commitment to done.
    pub lead_time: Spread,
    /// From start to done.
    pub cycle_time: Spread,
    /// From creation to done.
    pub customer_lead_time: Spread,
    /// The share of lead time in which somebody worked.
    pub flow_efficiency: Spread,
    /// The share of done issues that went back after their start.
    pub rework: Option<f64>,
    /// How often they did.
    pub entries: usize,
    /// Of each step: how long issues that are done were in it before they left.
    pub steps: Vec<Spread>,
    /// Each day in UTC.
    pub days: Vec<Day>,
    /// Issues that ended in the window and are not done, by the reason.
    pub left_out: BTreeMap<&'static str, usize>,
}

/// A day.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// Issues done in the part of it that lies in the window.
    pub done: usize,
    /// Their lead times.
    pub lead_time: Spread,
    /// Their cycle times.
    pub cycle_time: Spread,
    /// Issues in each step at the end of the day.
    pub standing: Vec<usize>,
    /// Those of them that are in progress.
    pub wip: usize,
}

/// How many values there are, their median, and what 85 and 95 of a hundred do not exceed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// The median.
    pub middle: Option<f64>,
    /// The 85th percentile.
    pub p85: Option<f64>,
    /// The 95th percentile.
    pub p95: Option<f64>,
}

impl Spread {
    /// Of these values, which are sorted on the way.
    pub(crate) fn of(mut values: Vec<f64>) -> Spread {
        let middle = middle(&mut values);
        let (p85, p95) = (rank(&values, 85), rank(&values, 95));
        Spread { count: values.len(), middle, p85, p95 }
    }
}

/// All of them from `from` to before `to`.
pub fn totals(world: &World, way: &Way, from: DateTime<Utc>, to: DateTime<Utc>) -> Totals {
    let (from, to) = (Moment::from(from), Moment::from(to));
    let told: Vec<Told> = world.jira.live().map(|issue| Told::of(world, way, issue)).collect();
    let mut left_out = BTreeMap::new();
    for one in told.iter().filter(|one| from <= one.came && one.came < to) {
        match one.stands().map(|step| way.steps[step].meaning) {
            None => *left_out.entry("unmapped_status").or_default() += 1,
            Some(Meaning::Dropped) => *left_out.entry("discarded").or_default() += 1,
            Some(_) => {}
        }
    }
    let done = done_within(&told, from, to);
    let mut customer = Vec::new();
    let mut shares = Vec::new();
    let (mut back, mut entries, mut passed) = (0, 0, 0);
    for one in &done {
        let end = one.done.expect("a done issue has an end");
        customer.push(seconds(one.events[0].0, end));
        if let Some(committed) = one.committed.filter(|committed| *committed < end) {
            shares.push(one.worked(committed, end) / seconds(committed, end));
        }
        if one.was_nowhere {
            passed += 1;
        }
        if one.back > 0 {
            back += 1;
        }
        entries += one.back;
    }
    let mut steps = Vec::new();
    for step in 0..way.steps.len() {
        steps.push(Spread::of(done.iter().filter_map(|one| one.spent_in(step)).collect()));
    }
    let mut days = Vec::new();
    let mut midnight = from.midnight();
    while midnight < to {
        let next = midnight + DAY;
        days.push(day(way, &told, midnight.max(from), next.min(to), next));
        midnight = next;
    }
    Totals {
        throughput: done.len(),
        passed,
        lead_time: lead_times(&done),
        cycle_time: cycle_times(&done),
        customer_lead_time: Spread::of(customer),
        flow_efficiency: Spread::of(shares),
        rework: (done.len() > passed).then(|| f64::from(back) / (done.len() - passed) as f64),
        entries,
        steps,
        days,
        left_out,
    }
}

fn day(way: &Way, told: &[Told<'_>], from: Moment, to: Moment, end: Moment) -> Day {
    let done = done_within(told, from, to);
    let mut standing = vec![0; way.steps.len()];
    for one in told {
        if let Some(step) = one.stood_before(end) {
            standing[step] += 1;
        }
    }
    let mut wip = 0;
    for (step, count) in way.steps.iter().zip(&standing) {
        if step.meaning == Meaning::Doing {
            wip += count;
        }
    }
    let (lead_time, cycle_time) = (lead_times(&done), cycle_times(&done));
    Day { done: done.len(), lead_time, cycle_time, standing, wip }
}

fn done_within<'t, 'w>(told: &'t [Told<'w>], from: Moment, to: Moment) -> Vec<&'t Told<'w>> {
    told.iter().filter(|one| one.done.is_some_and(|at| from <= at && at < to)).collect()
}

fn lead_times(done: &[&Told<'_>]) -> Spread {
    Spread::of(done.iter().filter_map(|one| Some(seconds(one.committed?, one.done?))).collect())
}

fn cycle_times(done: &[&Told<'_>]) -> Spread {
    Spread::of(done.iter().filter_map(|one| Some(seconds(one.started?, one.done?))).collect())
}

/// How old issues in progress are at a moment, in seconds since their start.
pub fn ages(world: &World, way: &Way, now: DateTime<Utc>) -> Spread {
    let now = Moment::from(now);
    let mut ages = Vec::new();
    for issue in world.jira.live() {
        let told = Told::of(world, way, issue);
        let is_doing = told.stands().is_some_and(|at| way.steps[at].meaning == Meaning::Doing);
        if let Some(started) = told.started.filter(|_| is_doing) {
            ages.push(seconds(started, now));
        }
    }
    Spread::of(ages)
}

/// How likely at least so many items are done within so many days, when each day is like one of the days
/// of the past, and each of those as likely as the next: all futures counted, none drawn.
pub fn chance(past: &[usize], days: usize, items: usize) -> f64 {
    // How likely so many are done by now; in the last place all that is enough.
    let mut likely = vec![0.0; items + 1];
    likely[0] = 1.0;
    for _ in 0..days {
        let mut next = vec![0.0; items + 1];
        for (so_far, chance) in likely.iter().enumerate() {
            for done in past {
                next[(so_far + done).min(items)] += chance / past.len() as f64;
            }
        }
        likely = next;
    }
    likely[items]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_those_of_a_coin() {
        // Halves of halves are exact.
        assert_eq!(chance(&[0, 1], 1, 1), 0.5);
        assert_eq!(chance(&[0, 1], 3, 1), 0.875);
        assert_eq!(chance(&[0, 1], 10, 9), 11.0 / 1_024.0);
        assert_eq!(chance(&[2], 3, 6), 1.0);
        assert_eq!(chance(&[2], 3, 7), 0.0);
    }
}

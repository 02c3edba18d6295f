//! What the life of one issue says about its flow. Pure.

use domain::Moment;
use domain::ids::{WorkflowId, WorkflowStepId};
use domain::stay::Stay;
use domain::workflow::{StepCategory, WorkflowStep};

/// A step as far as the flow needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepSeen {
    /// Which.
    pub id: WorkflowStepId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Where in its workflow.
    pub position: i32,
    /// What it means.
    pub category: StepCategory,
    /// Nobody works on what stands there.
    pub waiting: bool,
}

impl From<&WorkflowStep> for StepSeen {
    fn from(step: &WorkflowStep) -> StepSeen {
        StepSeen {
            id: step.id,
            workflow: step.workflow,
            position: step.position,
            category: step.category,
            waiting: step.waiting,
        }
    }
}

/// What a life says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Life {
    /// First entry into the commitment step or a later one of its workflow.
    pub committed_at: Option<Moment>,
    /// First entry into a step in progress, or done without one.
    pub started_at: Option<Moment>,
    /// Last entry into a step that is done, if it is still there.
    pub done_at: Option<Moment>,
    /// The same for a step that is discarded.
    pub discarded_at: Option<Moment>,
    /// From commitment to done.
    pub lead_seconds: Option<f64>,
    /// From start to done.
    pub cycle_seconds: Option<f64>,
    /// Of the lead time, what was spent in steps where somebody works.
    pub active_seconds: Option<f64>,
    /// Entries into an earlier step than the one left, after the start.
    pub rework: i32,
    /// Seconds in each step that it has left, by first entry.
    pub steps: Vec<(WorkflowStepId, f64)>,
}

/// Reads a life. A stay without a step was in a status that counts nowhere. `commitment` is the
/// commitment point of the workflow that the issue goes through: workflow and position.
pub fn life(stays: &[Stay<Option<StepSeen>>], commitment: Option<(WorkflowId, i32)>) -> Life {
    let is_committed = |step: &StepSeen| {
        commitment.is_some_and(|(workflow, position)| {
            step.workflow == workflow
                && step.position >= position
                && step.category != StepCategory::Discarded
        })
    };
    let is_started =
        |step: &StepSeen| matches!(step.category, StepCategory::InProgress | StepCategory::Done);
    let first = |is: &dyn Fn(&StepSeen) -> bool| {
        stays.iter().find(|stay| stay.place.as_ref().is_some_and(is)).map(|stay| stay.at)
    };
    let last_in = |category| {
        let last = stays.last()?.place?;
        (last.category == category).then(|| entered_at(stays)).flatten()
    };
    let committed_at = first(&is_committed);
    let started_at = first(&is_started);
    let done_at = last_in(StepCategory::Done);
    let lead = committed_at.zip(done_at);
    Life {
        committed_at,
        started_at,
        done_at,
        discarded_at: last_in(StepCategory::Discarded),
        lead_seconds: lead.map(|(from, to)| seconds(from, to)),
        cycle_seconds: started_at.zip(done_at).map(|(from, to)| seconds(from, to)),
        active_seconds: lead.map(|(from, to)| active_within(stays, from, to)),
        rework: rework(stays),
        steps: by_step(stays),
    }
}

/// When it came into the step in which it stands. From one status of a step to another is no entry.
pub fn entered_at(stays: &[Stay<Option<StepSeen>>]) -> Option<Moment> {
    let step = stays.last()?.place?.id;
    let there = |stay: &&Stay<Option<StepSeen>>| stay.place.is_some_and(|place| place.id == step);
    stays.iter().rev().take_while(there).last().map(|stay| stay.at)
}

fn seconds(from: Moment, to: Moment) -> f64 {
    (to - from).as_seconds_f64()
}

fn active_within(stays: &[Stay<Option<StepSeen>>], from: Moment, to: Moment) -> f64 {
    let mut active = 0.0;
    for stay in stays {
        let (Some(step), Some(until)) = (stay.place, stay.until) else { continue };
        if !step.waiting {
            active += seconds(stay.at.max(from), until.min(to)).max(0.0);
        }
    }
    active
}

fn rework(stays: &[Stay<Option<StepSeen>>]) -> i32 {
    let mut back = 0;
    let mut is_started = false;
    let mut left: Option<StepSeen> = None;
    for step in stays.iter().filter_map(|stay| stay.place) {
        let goes_back = left
            .is_some_and(|left| left.workflow == step.workflow && step.position < left.position);
        if is_started && goes_back {
            back += 1;
        }
        is_started |= matches!(step.category, StepCategory::InProgress | StepCategory::Done);
        left = Some(step);
    }
    back
}

fn by_step(stays: &[Stay<Option<StepSeen>>]) -> Vec<(WorkflowStepId, f64)> {
    let mut steps: Vec<(WorkflowStepId, f64)> = Vec::new();
    for stay in stays {
        let (Some(step), Some(until)) = (stay.place, stay.until) else { continue };
        let spent = seconds(stay.at, until);
        match steps.iter_mut().find(|(id, _)| *id == step.id) {
            Some((_, sum)) => *sum += spent,
            None => steps.push((step.id, spent)),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use domain::stay::stays;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const FLOW: WorkflowId = WorkflowId(Uuid::from_u128(1));

    fn at(hour: i64) -> Moment {
        Moment::from_timestamp(1_770_000_000 + hour * 3_600, 0).unwrap()
    }

    /// Backlog, Ready (waiting), Doing, Review, Done, Dropped.
    fn step(letter: char) -> Option<StepSeen> {
        use StepCategory::{Discarded, Done, InProgress, ToDo};
        let (position, category, waiting) = match letter {
            'b' => (1, ToDo, true),
            'r' => (2, ToDo, true),
            'd' => (3, InProgress, false),
            'v' => (4, InProgress, true),
            'D' => (5, Done, true),
            'X' => (6, Discarded, true),
            // A status that counts nowhere.
            _ => return None,
        };
        let id = WorkflowStepId(Uuid::from_u128(position as u128));
        Some(StepSeen { id, workflow: FLOW, position, category, waiting })
    }

    /// `b0 d5 D9`: made in the backlog at hour 0, doing from hour 5, done at hour 9.
    fn of(story: &str) -> Vec<Stay<Option<StepSeen>>> {
        let words: Vec<(char, i64)> = story
            .split_whitespace()
            .map(|word| (word.chars().next().unwrap(), word[1..].parse().unwrap()))
            .collect();
        let changes: Vec<_> = words
            .windows(2)
            .map(|pair| (at(pair[1].1), step(pair[0].0), step(pair[1].0)))
            .collect();
        stays(at(words[0].1), step(words[words.len() - 1].0), &changes)
    }

    /// Committed at, started at, done at, discarded at, lead, cycle, active: in hours.
    type Hours = [Option<i64>; 7];

    fn hours(life: &Life) -> Hours {
        let hour = |moment: Option<Moment>| moment.map(|moment| (moment - at(0)).num_hours());
        #[expect(clippy::cast_possible_truncation, reason = "whole hours of a test")]
        let length = |seconds: Option<f64>| seconds.map(|seconds| (seconds / 3_600.0) as i64);
        [
            hour(life.committed_at),
            hour(life.started_at),
            hour(life.done_at),
            hour(life.discarded_at),
            length(life.lead_seconds),
            length(life.cycle_seconds),
            length(life.active_seconds),
        ]
    }

    #[test]
    fn a_life_says_when_it_was_committed_started_and_done() {
        let no = None;
        let some = Some;
        let cases: &[(&str, Hours, i32)] = &[
            // Straight through: lead from ready, cycle from doing, active without the review.
            ("b0 r2 d5 v8 D9", [some(2), some(5), some(9), no, some(7), some(4), some(3)], 0),
            // Nothing happened yet.
            ("b0", [no, no, no, no, no, no, no], 0),
            ("d0", [some(0), some(0), no, no, no, no, no], 0),
            // Steps are skipped: into the work without ready, and into done without work.
            ("b0 d5 D9", [some(5), some(5), some(9), no, some(4), some(4), some(4)], 0),
            ("b0 D9", [some(9), some(9), some(9), no, some(0), some(0), some(0)], 0),
            // Reopened, and done again: from the first start to the last end.
            ("b0 d1 D3 d5 D9", [some(1), some(1), some(9), no, some(8), some(8), some(6)], 1),
            // Reopened, and still open.
            ("b0 d1 D3 d5", [some(1), some(1), no, no, no, no, no], 1),
            // Discarded: neither lead nor cycle, and neither committed to nor started by it.
            ("b0 d1 X4", [some(1), some(1), no, some(4), no, no, no], 0),
            ("b0 X4", [no, no, no, some(4), no, no, no], 0),
            ("b0 X4 b5 d6 D8", [some(6), some(6), some(8), no, some(2), some(2), some(2)], 0),
            // Back and forth before the start is no rework; after it every step back is.
            (
                "b0 r1 b2 r3 d4 v5 d6 v7 r8 d9 D10",
                [some(1), some(4), some(10), no, some(9), some(6), some(3)],
                2,
            ),
            // Two changes in the same instant keep their order, and zero length stays.
            ("b0 r4 d4 D4", [some(4), some(4), some(4), no, some(0), some(0), some(0)], 0),
            // Time in a status that counts nowhere belongs to no step, but lead time runs on.
            ("b0 d1 ?3 d5 D6", [some(1), some(1), some(6), no, some(5), some(5), some(3)], 0),
            // From one status of a step to another is no entry; out of it and in again is.
            ("b0 d1 D3 D5", [some(1), some(1), some(3), no, some(2), some(2), some(2)], 0),
            ("b0 d1 X3 X5 X6", [some(1), some(1), no, some(3), no, no, no], 0),
            ("b0 d1 D3 ?5 D7", [some(1), some(1), some(7), no, some(6), some(6), some(2)], 0),
        ];
        for (story, expected, rework) in cases {
            let life = life(&of(story), Some((FLOW, 2)));
            assert_eq!((hours(&life), life.rework), (*expected, *rework), "{story}");
        }
    }

    #[test]
    fn without_a_commitment_point_there_is_no_lead_time() {
        let life = life(&of("b0 d5 D9"), None);
        assert_eq!((life.committed_at, life.lead_seconds, life.active_seconds), (None, None, None));
        assert_eq!(life.cycle_seconds, Some(4.0 * 3_600.0));
        let elsewhere = WorkflowId(Uuid::from_u128(2));
        assert_eq!(super::life(&of("b0 d5 D9"), Some((elsewhere, 1))).committed_at, None);
    }

    #[test]
    fn time_is_summed_by_step_and_what_goes_on_is_left_out() {
        let life = life(&of("b0 d1 v3 d4 D9"), None);
        let sums: Vec<f64> = life.steps.iter().map(|(_, seconds)| seconds / 3_600.0).collect();
        assert_eq!(sums, [1.0, 7.0, 1.0]);
    }

    proptest! {
        #[test]
        fn stays_tile_a_life_and_their_sums_are_the_whole(
            made in 0_i64..50,
            mut hours in proptest::collection::vec(0_i64..200, 0..12),
            places in proptest::collection::vec(proptest::sample::select(vec!['b', 'r', 'd', 'v', 'D', 'X', '?']), 13),
        ) {
            hours.sort_unstable();
            let changes: Vec<_> = hours
                .iter()
                .enumerate()
                .map(|(n, hour)| (at(*hour), step(places[n]), step(places[n + 1])))
                .collect();
            let stays = stays(at(made), step(places[hours.len()]), &changes);
            prop_assert_eq!(stays.len(), changes.len() + 1);
            for pair in stays.windows(2) {
                prop_assert_eq!(pair[0].until, Some(pair[1].at));
                prop_assert!(pair[0].at <= pair[1].at);
            }
            prop_assert_eq!(stays.last().unwrap().until, None);

            let life = life(&stays, Some((FLOW, 2)));
            let nowhere: f64 = stays
                .iter()
                .filter(|stay| stay.place.is_none())
                .filter_map(|stay| stay.until.map(|until| seconds(stay.at, until)))
                .sum();
            let whole = seconds(stays[0].at, stays.last().unwrap().at);
            let in_steps: f64 = life.steps.iter().map(|(_, seconds)| seconds).sum();
            prop_assert_eq!(in_steps + nowhere, whole);
            if let (Some(lead), Some(active)) = (life.lead_seconds, life.active_seconds) {
                prop_assert!(0.0 <= active && active <= lead && lead <= whole);
            }
            prop_assert!(!(life.done_at.is_some() && life.discarded_at.is_some()));
            // Who was committed to later than started has a shorter lead than cycle, and the other
            // way round.
            if let (Some(lead), Some(cycle)) = (life.lead_seconds, life.cycle_seconds) {
                prop_assert_eq!(lead <= cycle, life.committed_at >= life.started_at);
            }
        }
    }
}

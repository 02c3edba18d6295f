//! How far a run has come.

use crate::work::{Step, StepState};

/// What is known of one step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepProgress {
    /// Which step.
    pub step: Step,
    /// Where it stands.
    pub state: StepState,
    /// Tasks planned.
    pub tasks_total: u64,
    /// Tasks that have ended.
    pub tasks_done: u64,
    /// Rows kept.
    pub rows: u64,
}

impl Step {
    /// How much of a run's time this step usually takes, beside the other steps of its job.
    const fn weight(self) -> u64 {
        match self {
            Step::Issues | Step::PullRequests => 60,
            Step::Deployments | Step::Commits | Step::Metrics => 8,
            Step::Deletions => 5,
            Step::Sprints | Step::Links => 4,
            Step::Projects | Step::Statuses | Step::Repositories | Step::MissingCommits => 3,
        }
    }
}

/// How much of a run is done, 0 to 100 percent; it never shrinks while the run goes on.
pub fn percent(steps: &[StepProgress]) -> u8 {
    const FINE: u64 = 1_000; // A part of a step counts too.
    let whole: u64 = steps.iter().map(|step| step.step.weight() * FINE).sum();
    let done: u64 = steps.iter().map(|step| step.step.weight() * step.per_mille()).sum();
    let percent = (done * 100).checked_div(whole).unwrap_or(0);
    u8::try_from(percent).expect("a part is not greater than the whole")
}

impl StepProgress {
    fn per_mille(&self) -> u64 {
        match self.state {
            StepState::Done | StepState::Skipped => 1_000,
            StepState::Pending => 0,
            StepState::Running | StepState::Failed => {
                (self.tasks_done * 1_000).checked_div(self.tasks_total).unwrap_or(0).min(1_000)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: Step, state: StepState, tasks_done: u64, tasks_total: u64) -> StepProgress {
        StepProgress { step, state, tasks_total, tasks_done, rows: 0 }
    }

    #[test]
    fn percent_grows_from_nothing_to_everything() {
        use StepState::{Done, Pending, Running, Skipped};
        let cases = [
            (vec![], 0),
            (vec![step(Step::Projects, Pending, 0, 0), step(Step::Issues, Pending, 0, 0)], 0),
            (vec![step(Step::Projects, Done, 1, 1), step(Step::Issues, Running, 0, 3)], 4),
            (vec![step(Step::Projects, Done, 1, 1), step(Step::Issues, Running, 1, 3)], 36),
            (vec![step(Step::Projects, Done, 1, 1), step(Step::Issues, Running, 3, 3)], 100),
            (vec![step(Step::Projects, Skipped, 0, 0), step(Step::Issues, Done, 3, 3)], 100),
        ];
        for (steps, expected) in cases {
            assert_eq!(percent(&steps), expected, "{steps:?}");
        }
    }
}

//! The life of a job: one table, and nobody else assigns a state.

use crate::text::words;

/// The two jobs that every client has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobType {
    /// Pulls projects, issues and their history from Jira.
    JiraSync,
    /// Pulls repositories, pull requests, commits and deployments from GitHub.
    GitSync,
}

words!("job type", JobType { JiraSync = "jira_sync", GitSync = "git_sync" });

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobState {
    /// Has never run, or was stopped.
    NotStarted,
    /// Waits for the client's one running slot.
    Pending,
    /// A run is under way.
    Running,
    /// A person paused the run at a page boundary.
    Paused,
    /// The last run completed every step.
    Finished,
    /// The last run failed for good.
    Error,
}

words!("job state", JobState {
    NotStarted = "NOT_STARTED",
    Pending = "PENDING",
    Running = "RUNNING",
    Paused = "PAUSED",
    Finished = "FINISHED",
    Error = "ERROR",
});

/// What can happen to a job. Facts that a transition needs travel inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobEvent {
    /// The schedule says it is time.
    Due,
    /// A person asks for a run.
    Run,
    /// The orchestrator found the client's running slot free and takes it.
    Dispatched,
    /// Every step of the run is complete, counted from the task rows.
    StepsDone,
    /// A step failed for good.
    StepFailed,
    /// The retry interval has passed and attempts are left.
    RetryDue,
    /// A person asks for a pause.
    Pause,
    /// A person asks to go on.
    Resume {
        /// Whether no other job of the client is running.
        slot_free: bool,
    },
    /// A person ends the run at once.
    ForceStop,
}

/// The table has no such transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {state} cannot take {event:?}")]
pub struct Refused {
    /// Where the job stands.
    pub state: JobState,
    /// What was asked of it.
    pub event: JobEvent,
}

impl JobState {
    /// The state after `event`, or why there is none.
    #[rustfmt::skip]
    pub fn on(self, event: JobEvent) -> Result<JobState, Refused> {
        use JobEvent::{Dispatched, Due, ForceStop, Pause, Resume, RetryDue, Run, StepFailed, StepsDone};
        use JobState::{Error, Finished, NotStarted, Paused, Pending, Running};
        Ok(match (self, event) {
            (NotStarted | Finished | Error, Due | Run) => Pending,
            (Pending, Dispatched)                      => Running,
            (Running, StepsDone)                       => Finished,
            (Running, StepFailed)                      => Error,
            (Error,   RetryDue)                        => Pending,
            (Running, Pause)                           => Paused,
            (Paused,  Resume { slot_free: true })      => Running,
            (Paused,  Resume { slot_free: false })     => Pending,
            (Pending | Running | Paused, ForceStop)    => NotStarted,
            (state, event) => return Err(Refused { state, event }),
        })
    }

    /// Whether a run belongs to this state and has not ended.
    pub const fn is_live(self) -> bool {
        matches!(self, JobState::Running | JobState::Paused)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    const EVENTS: [JobEvent; 10] = [
        JobEvent::Due,
        JobEvent::Run,
        JobEvent::Dispatched,
        JobEvent::StepsDone,
        JobEvent::StepFailed,
        JobEvent::RetryDue,
        JobEvent::Pause,
        JobEvent::Resume { slot_free: true },
        JobEvent::Resume { slot_free: false },
        JobEvent::ForceStop,
    ];

    #[test]
    fn the_whole_table_is_as_drawn() {
        let mut drawing = String::new();
        for state in JobState::ALL {
            for event in EVENTS {
                let next = state.on(event).map_or("-", JobState::as_str);
                writeln!(drawing, "{:<12} {:<28} {next}", state.as_str(), format!("{event:?}"))
                    .unwrap();
            }
        }
        insta::assert_snapshot!(drawing);
    }

    #[test]
    fn a_paused_job_never_finishes_by_itself() {
        for event in
            [JobEvent::StepsDone, JobEvent::StepFailed, JobEvent::Due, JobEvent::Dispatched]
        {
            assert!(JobState::Paused.on(event).is_err(), "{event:?}");
        }
    }

    #[test]
    fn every_state_and_type_reads_back() {
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        for job_type in JobType::ALL {
            assert_eq!(job_type.as_str().parse(), Ok(*job_type));
        }
    }
}

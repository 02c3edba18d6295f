//! What a run is made of: steps, and tasks that workers take.

use crate::Moment;
use crate::ids::{ClientId, IntegrationId, RunId, TaskId};
use crate::job::JobType;
use crate::text::words;

/// Who started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// A person.
    Manual,
    /// The main cycle.
    Schedule,
    /// The retry interval.
    Retry,
}

words!("trigger", Trigger { Manual = "manual", Schedule = "schedule", Retry = "retry" });

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Every step is complete.
    Finished,
    /// A step failed for good.
    Error,
    /// A person stopped it.
    Stopped,
}

words!("outcome", Outcome { Finished = "FINISHED", Error = "ERROR", Stopped = "STOPPED" });

/// A stage of a run. Stages run one after another; the tasks inside one run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Which projects there are.
    Projects,
    /// Issue types and statuses.
    Statuses,
    /// Issues with their complete changelogs.
    Issues,
    /// Boards' sprints.
    Sprints,
    /// A census of ids, which finds what was deleted.
    Deletions,
    /// Which repositories there are.
    Repositories,
    /// Pull requests with commits, reviews and comments.
    PullRequests,
    /// Deployments with their statuses.
    Deployments,
    /// The commits of the default branch, with parents.
    Commits,
    /// Commits that deployments and merges name and that the default branch did not tell.
    MissingCommits,
    /// Pull requests to issues.
    Links,
    /// The numbers people read.
    Metrics,
}

words!("step", Step {
    Projects = "projects",
    Statuses = "statuses",
    Issues = "issues",
    Sprints = "sprints",
    Deletions = "deletions",
    Repositories = "repositories",
    PullRequests = "pull_requests",
    Deployments = "deployments",
    Commits = "commits",
    MissingCommits = "missing_commits",
    Links = "links",
    Metrics = "metrics",
});

impl JobType {
    /// The steps of a run of this job, in order.
    pub const fn steps(self) -> &'static [Step] {
        use Step::{
            Commits, Deletions, Deployments, Issues, Links, Metrics, MissingCommits, Projects,
            PullRequests, Repositories, Sprints, Statuses,
        };
        match self {
            JobType::JiraSync => &[Projects, Statuses, Issues, Sprints, Deletions, Links, Metrics],
            JobType::GitSync => {
                &[Repositories, PullRequests, Deployments, Commits, MissingCommits, Links, Metrics]
            }
        }
    }

    /// The kind of integration that this job reads.
    pub const fn source(self) -> SourceKind {
        match self {
            JobType::JiraSync => SourceKind::Jira,
            JobType::GitSync => SourceKind::Github,
        }
    }
}

impl Step {
    /// Whether the step reads only what changed since its watermark, scope by scope.
    pub const fn is_incremental(self) -> bool {
        matches!(self, Step::Issues | Step::PullRequests | Step::Deployments | Step::Commits)
    }

    /// Whether it needs nothing of the step before it, so that both are worked on side by side.
    pub const fn is_beside_the_one_before(self) -> bool {
        matches!(self, Step::Statuses | Step::Sprints | Step::Deployments | Step::Commits)
    }
}

/// How far behind the start of a read its watermark stays, for what the source shows late.
pub const WATERMARK_OVERLAP: chrono::TimeDelta = chrono::TimeDelta::minutes(10);

/// The kinds of systems that we read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// Jira Cloud.
    Jira,
    /// GitHub.
    Github,
}

words!("integration type", SourceKind { Jira = "jira", Github = "github" });

/// Which workers are rung: the name of their queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The Jira extractors.
    Jira,
    /// The Git extractors.
    Github,
    /// The metrics workers, for tasks.
    Metrics,
    /// The metrics workers, for what people changed.
    Changes,
}

words!("topic", Topic {
    Jira = "jira",
    Github = "github",
    Metrics = "metrics",
    Changes = "changes",
});

impl From<SourceKind> for Topic {
    fn from(kind: SourceKind) -> Topic {
        match kind {
            SourceKind::Jira => Topic::Jira,
            SourceKind::Github => Topic::Github,
        }
    }
}

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskKind {
    /// One slice of a step of a run.
    Step(Step),
    /// A graded test of a connection, outside any run.
    Probe,
    /// A search for scopes to pick from, outside any run.
    Scopes,
}

impl TaskKind {
    /// The spelling used in rows and gRPC: a step's name, `probe` or `scopes`.
    pub const fn as_str(self) -> &'static str {
        match self {
            TaskKind::Step(step) => step.as_str(),
            TaskKind::Probe => "probe",
            TaskKind::Scopes => "scopes",
        }
    }
}

impl std::str::FromStr for TaskKind {
    type Err = crate::text::UnknownWord;

    fn from_str(word: &str) -> Result<TaskKind, Self::Err> {
        match word {
            "probe" => Ok(TaskKind::Probe),
            "scopes" => Ok(TaskKind::Scopes),
            step => step.parse().map(TaskKind::Step),
        }
    }
}

/// Where a step of a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepState {
    /// Not reached yet.
    Pending,
    /// Its tasks are planned and under way.
    Running,
    /// All of its tasks are done.
    Done,
    /// One of its tasks failed for good.
    Failed,
    /// There was nothing to do.
    Skipped,
}

words!("step state", StepState {
    Pending = "PENDING",
    Running = "RUNNING",
    Done = "DONE",
    Failed = "FAILED",
    Skipped = "SKIPPED",
});

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Can be taken, from `not_before` on.
    Ready,
    /// A worker holds its lease.
    Leased,
    /// Complete.
    Done,
    /// Failed for good, and so does its step.
    Failed,
    /// Could not be done, and the run goes on without it: a gap says why.
    Quarantined,
    /// Its run was stopped.
    Cancelled,
}

words!("task state", TaskState {
    Ready = "READY",
    Leased = "LEASED",
    Done = "DONE",
    Failed = "FAILED",
    Quarantined = "QUARANTINED",
    Cancelled = "CANCELLED",
});

/// A slice of a step: everything a worker needs to know to turn its loop.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Ours.
    pub id: TaskId,
    /// Whose rows it makes.
    pub client: ClientId,
    /// The run it belongs to; a probe belongs to none.
    pub run: Option<RunId>,
    /// What to do.
    pub kind: TaskKind,
    /// The connection to read from; metrics read from none.
    pub integration: Option<IntegrationId>,
    /// What it covers: a project's id, a repository's full name, or empty for the whole connection.
    pub scope: String,
    /// The slice of the scope.
    pub slice: Slice,
    /// Where the last kept page ended, in the source's own words. Empty at the start.
    pub cursor: String,
    /// Extra input in JSON, for probes.
    pub input: String,
    /// When its run started.
    pub run_started_at: Moment,
}

/// A half-open slice of a scope. Both kinds of bounds may be open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Slice {
    /// Rows created at or after.
    pub created_from: Option<Moment>,
    /// Rows created before.
    pub created_to: Option<Moment>,
    /// Rows updated at or after: the watermark of an incremental read.
    pub updated_since: Option<Moment>,
}

/// The right to write a task's pages: proven by a number that grows with each lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// The task that is held.
    pub task: TaskId,
    /// The number of the lease.
    pub number: i64,
}

/// What a page adds to a task's counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows read and kept, whether they changed or not.
    pub rows: u64,
    /// Requests that it took.
    pub requests: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.rows += other.rows;
        self.requests += other.requests;
    }
}

/// Something that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What is missing, for example `acme/payments` or `PAY-311`.
    pub scope: String,
    /// Why, in a sentence for people.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_ends_with_links_and_metrics() {
        for job_type in JobType::ALL {
            assert!(job_type.steps().ends_with(&[Step::Links, Step::Metrics]), "{job_type}");
        }
    }

    #[test]
    fn task_kinds_read_back() {
        let kinds = [TaskKind::Probe, TaskKind::Scopes, TaskKind::Step(Step::PullRequests)];
        for kind in kinds {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
    }
}

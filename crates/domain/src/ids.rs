//! Our own identifiers: one type per noun, so that one cannot be passed for another.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> $name {
                $name(id)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map($name)
            }
        }
    )+};
}

ids! {
    /// A tenant of the platform. Every row belongs to exactly one.
    ClientId,
    /// A connection to one Jira site or one GitHub owner, with its credential.
    IntegrationId,
    /// One execution of a job.
    RunId,
    /// One stage of a run.
    StepId,
    /// One slice of a step, which any worker can take.
    TaskId,
    /// One complete publication of metrics.
    SnapshotId,
    /// A way that issues go, step by step.
    WorkflowId,
    /// A stage of a workflow.
    WorkflowStepId,
    /// Where the issues of a status stand.
    StatusMappingId,
    /// What an issue type is to us.
    IssueTypeMappingId,
}

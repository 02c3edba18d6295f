//! Why a change to the workflows is refused.

use std::fmt;

use super::{CommitmentPoint, StepCategory};

/// One variant for each thing that a person would do differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The client has no such row.
    #[error("there is no such {noun}")]
    Missing {
        /// What was looked for.
        noun: &'static str,
    },
    /// Somebody else changed it first.
    #[error("somebody else changed the {noun} meanwhile")]
    Stale {
        /// What was changed.
        noun: &'static str,
    },
    /// A field cannot hold this.
    #[error("{field}: {reason}")]
    Invalid {
        /// As it is spelled in the API.
        field: &'static str,
        /// What it should be.
        reason: String,
    },
    /// The scope has a commitment point already.
    #[error("{0}; there can be only one")]
    SecondCommitment(CommitmentPoint),
    /// The scope would have none any more.
    #[error("{0}; mark another step first, for while there are steps there must be one")]
    CommitmentNeeded(CommitmentPoint),
    /// There is one like it.
    #[error("there is already a {noun} for {name}")]
    Taken {
        /// What there is.
        noun: &'static str,
        /// What it says.
        name: String,
    },
    /// Other rows hang on it.
    #[error("\"{name}\" is in use: {uses}")]
    InUse {
        /// What should go.
        name: String,
        /// What would be left hanging.
        uses: Uses,
    },
    /// Where the rows should go instead has nothing for them.
    #[error("the workflow \"{workflow}\" has no active step of the category {category}")]
    NoCounterpart {
        /// Where they should go.
        workflow: String,
        /// What it lacks.
        category: StepCategory,
    },
    /// The default holds as long as there is nothing else.
    #[error("the default workflow cannot be deleted")]
    IsDefault,
}

/// What hangs on a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uses {
    /// Steps of a workflow.
    pub steps: usize,
    /// Mappings of statuses.
    pub status_mappings: usize,
    /// Mappings of issue types.
    pub issue_type_mappings: usize,
}

impl Uses {
    /// Whether anything would have to find another place. Steps go with their workflow.
    pub fn need_a_place(&self) -> bool {
        self.status_mappings + self.issue_type_mappings > 0
    }
}

impl fmt::Display for Uses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.status_mappings, "status mapping"),
            (self.issue_type_mappings, "issue type mapping"),
        ];
        let mut between = "";
        for (count, noun) in parts.into_iter().filter(|(count, _)| *count > 0) {
            let plural = if count == 1 { "" } else { "s" };
            write!(f, "{between}{count} {noun}{plural}")?;
            between = " and ";
        }
        Ok(())
    }
}

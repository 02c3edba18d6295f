//! A deployment, wherever it was recorded.

use crate::Moment;
use crate::rules::Source;
use crate::text::words;

/// A deployment of a commit to an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The source's id.
    pub external_id: String,
    /// The environment's name as the source spells it.
    pub environment: String,
    /// The commit deployed.
    pub sha: String,
    /// The best state ever seen.
    pub outcome: DeploymentOutcome,
    /// When it was asked for.
    pub created_at: Moment,
    /// When it first succeeded, or last failed.
    pub finished_at: Option<Moment>,
    /// Whether `finished_at` is a guess, for want of statuses.
    pub estimated: bool,
}

/// A run of a workflow, or a release: a deployment if the client's rules say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// Which of the two.
    pub source: Source,
    /// GitHub's id.
    pub external_id: String,
    /// The name of the workflow, or the tag.
    pub name: String,
    /// The workflow's file.
    pub path: Option<String>,
    /// The commit.
    pub sha: String,
    /// How it went.
    pub outcome: DeploymentOutcome,
    /// When it began.
    pub created_at: Moment,
    /// When it was over.
    pub finished_at: Option<Moment>,
}

/// The id under which lists and reports know a deployment that was posted under another.
pub fn posted_id(external_id: &str) -> String {
    format!("api:{external_id}")
}

/// Whether a text can be the name of a commit: 40 hexadecimal digits, or 64 of the newer kind.
pub fn is_sha(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// How a deployment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeploymentOutcome {
    /// It succeeded once, even if a later one replaced it.
    Success,
    /// It failed and never succeeded.
    Failure,
    /// Not over yet.
    Pending,
}

words!("deployment outcome", DeploymentOutcome {
    Success = "SUCCESS",
    Failure = "FAILURE",
    Pending = "PENDING",
});

//! What a planner is told when a run reaches a step, and what it answers.

use domain::Moment;
use domain::ids::IntegrationId;
use domain::work::{Slice, Step, Topic};

/// Says which tasks a step has. Pure: asked again with the same ground, it answers the same.
pub type Planner = fn(&Ground) -> Vec<Planned>;

/// What is known when a run reaches a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    /// The step to plan.
    pub step: Step,
    /// The workers that read this job's source.
    pub source: Topic,
    /// When the run started.
    pub run_started_at: Moment,
    /// The client's active connections of the job's kind.
    pub integrations: Vec<IntegrationId>,
    /// Their active projects or repositories.
    pub scopes: Vec<Scope>,
    /// How far the step has been read, per scope.
    pub watermarks: Vec<(Scope, Moment)>,
    /// What the run's earlier steps did.
    pub earlier: Vec<Read>,
    /// Slices of this step in scopes that the last run which read them left open.
    pub unfinished: Vec<Unfinished>,
}

/// A project or a repository, by the source's own id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// The connection.
    pub integration: IntegrationId,
    /// The source's id as text; empty for the whole connection.
    pub id: String,
}

/// A task of an earlier step of the same run.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// Its step.
    pub step: Step,
    /// What it covered.
    pub scope: Scope,
    /// The slice of it.
    pub slice: Slice,
    /// What it found out, in JSON.
    pub output: Option<String>,
}

/// A slice that an earlier run began to read, in a scope that it did not complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// What it covers.
    pub scope: Scope,
    /// The slice of it.
    pub slice: Slice,
    /// Where its last kept page ended.
    pub cursor: String,
    /// When somebody first began to read it.
    pub begun_at: Moment,
}

/// A task to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Which workers can do it.
    pub topic: Topic,
    /// The connection to read from; metrics read from none.
    pub integration: Option<IntegrationId>,
    /// The source's id of the scope; empty for the whole connection.
    pub scope: String,
    /// The slice of it.
    pub slice: Slice,
    /// Where to begin; empty at the start.
    pub cursor: String,
    /// When somebody first began to read it: an adopted slice is as old as its first page.
    pub begun_at: Moment,
}

//! A reader per step: what to ask for next, and what the answers mean together.

mod deletions;
mod issues;
mod projects;
mod sprints;
mod statuses;

pub(crate) use deletions::Deletions;
pub(crate) use issues::Issues;
pub(crate) use projects::Projects;
pub(crate) use sprints::Sprints;
pub(crate) use statuses::Statuses;

/// Requests of one task that are under way side by side.
const SIDE_BY_SIDE: usize = 5;

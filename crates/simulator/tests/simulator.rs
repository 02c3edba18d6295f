//! The simulator over HTTP, compared with its own truth.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

#[path = "simulator/backend.rs"]
mod backend;
#[path = "simulator/caller.rs"]
mod caller;
#[path = "simulator/control.rs"]
mod control;
#[path = "simulator/github.rs"]
mod github;
#[path = "simulator/graphql.rs"]
mod graphql;
#[path = "simulator/jira.rs"]
mod jira;

//! How to read Jira Cloud: projects, statuses, issues with their complete histories, sprints, and
//! what is gone.
//!
//! `client` makes calls, `wire` reads what Jira writes, `mapping` turns it into domain nouns, and
//! `source` decides what to ask next.

mod client;
mod fields;
mod jql;
mod mapping;
mod probe;
mod source;
mod steps;
mod time;
mod wire;

pub use source::Jira;

//! What Pulse ETL talks about: jobs and their states, issues, pull requests, deployments, and the
//! rules between them.
//!
//! Pure: no I/O, no clock, no serialisation. Everything else depends on this crate and it depends
//! on nothing of ours.

pub mod deployment;
pub mod facts;
pub mod ids;
pub mod issue;
pub mod job;
pub mod key;
pub mod progress;
pub mod project;
pub mod pull_request;
pub mod repository;
pub mod rules;
pub mod schedule;
pub mod sprint;
pub mod stay;
pub mod text;
pub mod work;
pub mod workflow;

/// A moment in UTC. Whatever enters is cut to microseconds, which both databases keep.
pub type Moment = chrono::DateTime<chrono::Utc>;

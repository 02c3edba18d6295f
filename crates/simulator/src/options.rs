//! How large the company is, and how the services around it behave.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::faults::Fault;

/// How a simulator is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The same seed gives the same company.
    pub seed: u64,
    /// Issues of the first client at the start, exactly.
    pub issues: usize,
    /// Pull requests of the first client at the start.
    pub pull_requests: usize,
    /// Jira projects of the first client.
    pub projects: usize,
    /// GitHub repositories of the first client.
    pub repositories: usize,
    /// How long the company has lived.
    pub days: u32,
    /// The present: a clock that stands still until it is advanced. `None` is the real clock, and
    /// advancing puts the company's clock ahead of it.
    pub now: Option<DateTime<Utc>>,
    /// How long each answer takes.
    pub latency: Duration,
    /// Which generation of the Backend Service answers.
    pub backend: BackendGeneration,
    /// The address to listen on.
    pub host: String,
    /// 0 takes a free port.
    pub port: u16,
    /// Where callers reach it, if not at the address that it listens on.
    pub public_url: Option<String>,
    /// Threads that answer.
    pub workers: usize,
    /// What GitHub grants per token and hour: requests, and points of GraphQL.
    pub github_hourly: u32,
    /// What Jira grants per second, if it counts at all.
    pub jira_per_second: Option<u32>,
    /// What the Backend Service grants per minute, if it counts at all.
    pub backend_per_minute: Option<u32>,
    /// How long Jira's search knows nothing of what was edited last.
    pub search_lag: Duration,
    /// GraphQL pages of more pull requests than this come back with holes on the busiest
    /// repository; more than twice as many are answered with 502.
    pub busy_page_max: Option<u64>,
    /// Whether to count pages that are given again.
    pub count_repeats: bool,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 1,
            issues: 3_000,
            pull_requests: 1_500,
            projects: 6,
            repositories: 8,
            days: 180,
            now: None,
            latency: Duration::ZERO,
            backend: BackendGeneration::Second,
            host: "127.0.0.1".to_owned(),
            port: 0,
            public_url: None,
            workers: 2,
            github_hourly: 5_000,
            jira_per_second: None,
            backend_per_minute: None,
            search_lag: Duration::ZERO,
            busy_page_max: None,
            count_repeats: false,
            faults: Vec::new(),
        }
    }
}

/// The two generations of the Backend Service in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum BackendGeneration {
    /// Clients; tokens live an hour.
    First,
    /// Tenants; tokens live five minutes and can be refreshed.
    Second,
}

//! The contract of the store: each promise is one body, which runs on SQLite in memory, on SQLite
//! in a file and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[macro_use]
#[path = "store/house.rs"]
mod house;
#[path = "store/nouns.rs"]
mod nouns;

#[path = "store/facts.rs"]
mod facts;
#[path = "store/flow.rs"]
mod flow;
#[path = "store/integrations.rs"]
mod integrations;
#[path = "store/lists.rs"]
mod lists;
#[path = "store/metrics.rs"]
mod metrics;
#[path = "store/migrations.rs"]
mod migrations;
#[path = "store/missing.rs"]
mod missing;
#[path = "store/posted.rs"]
mod posted;
#[path = "store/pull_requests.rs"]
mod pull_requests;
#[path = "store/quality.rs"]
mod quality;
#[path = "store/readers.rs"]
mod readers;
#[path = "store/rules.rs"]
mod rules;
#[path = "store/work.rs"]
mod work;
#[path = "store/workflows.rs"]
mod workflows;

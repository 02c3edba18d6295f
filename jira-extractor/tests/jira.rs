//! The extractor against a simulated Jira, led by the real orchestrator over a real store.

#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

#[path = "jira/house.rs"]
mod house;
#[path = "jira/probes.rs"]
mod probes;
#[path = "jira/syncs.rs"]
mod syncs;
#[path = "jira/trouble.rs"]
mod trouble;

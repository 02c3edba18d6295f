//! The orchestrator as gateway and workers meet it: over its service, with a queue and a cache in
//! this process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "orchestrator/house.rs"]
mod house;
#[path = "orchestrator/lines.rs"]
mod lines;
#[path = "orchestrator/people.rs"]
mod people;
#[path = "orchestrator/probes.rs"]
mod probes;
#[path = "orchestrator/rounds.rs"]
mod rounds;
#[path = "orchestrator/runs.rs"]
mod runs;

//! The loop, with a source and an orchestrator that do what a test says.

#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

#[path = "extractor/exchange.rs"]
mod exchange;
#[path = "extractor/house.rs"]
mod house;
#[path = "extractor/lead.rs"]
mod lead;
#[path = "extractor/turns.rs"]
mod turns;

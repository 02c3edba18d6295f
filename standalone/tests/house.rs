//! What must hold for the house as a whole. One binary, so that it links once.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "house/apart.rs"]
mod apart;
#[path = "house/arrows.rs"]
mod arrows;
#[path = "house/branches.rs"]
mod branches;
#[path = "house/browser.rs"]
mod browser;
#[path = "../../proto/tests/across/certificates.rs"]
mod certificates;
#[path = "house/chaos.rs"]
mod chaos;
#[path = "house/delivery.rs"]
mod delivery;
#[path = "house/dice.rs"]
mod dice;
#[path = "house/flow.rs"]
mod flow;
#[path = "house/front.rs"]
mod front;
#[path = "house/lists.rs"]
mod lists;
#[path = "house/numbers.rs"]
mod numbers;
#[path = "house/programs.rs"]
mod programs;
#[path = "../../crates/platform/tests/platform/proxy.rs"]
mod proxy;
#[path = "house/pulls.rs"]
mod pulls;
#[path = "house/readers.rs"]
mod readers;
#[path = "house/reports.rs"]
mod reports;
#[path = "house/servers.rs"]
mod servers;
#[path = "house/stack.rs"]
mod stack;
#[path = "house/start.rs"]
mod start;
#[path = "house/truth.rs"]
mod truth;

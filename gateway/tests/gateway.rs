//! The front door as its users meet it: over HTTP and sockets, with a Backend Service that the test
//! holds in its hand.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "gateway/house.rs"]
mod house;
#[path = "gateway/orchestrator.rs"]
mod orchestrator;
#[path = "gateway/platform.rs"]
mod platform;

#[path = "gateway/api.rs"]
mod api;
#[path = "gateway/changes.rs"]
mod changes;
#[path = "gateway/deployments.rs"]
mod deployments;
#[path = "gateway/live.rs"]
mod live;
#[path = "gateway/origins.rs"]
mod origins;
#[path = "gateway/pages.rs"]
mod pages;
#[path = "gateway/rules.rs"]
mod rules;
#[path = "gateway/sign_in.rs"]
mod sign_in;
#[path = "gateway/tenants.rs"]
mod tenants;
#[path = "gateway/workflows.rs"]
mod workflows;

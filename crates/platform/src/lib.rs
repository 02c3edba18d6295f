//! Touches the outside world and knows nothing of ours: configuration, queue, cache, secrets,
//! telemetry, outgoing HTTP, health and an orderly end.

pub mod backoff;
pub mod cache;
pub mod config;
pub mod health;
pub mod queue;
pub mod secrets;
pub mod shutdown;
pub mod telemetry;
pub mod upstream;

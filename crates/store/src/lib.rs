//! Remembers the domain: domain types go in and come out, rows stay inside.
//!
//! Each query is written once, under `queries/`, and compiled once per database, where only the
//! type `Conn` differs. What just one database can say lives in its own `bulk.rs` and `dialect.rs`.

#![expect(clippy::duplicate_mod, reason = "the queries are compiled once per database")]

mod db;
mod error;
mod fact_table;
mod lite;
mod models;
mod named;
mod pg;
mod schema;
mod types;

pub mod clients;
pub mod delivery;
pub mod dora;
pub mod facts;
pub mod flow;
pub mod focus;
pub mod integrations;
pub mod jobs;
pub mod lists;
pub mod metrics;
pub mod posted;
pub mod pull_requests;
pub mod quality;
pub mod reported;
pub mod review_load;
pub mod rules;
pub mod work;
pub mod workflows;

pub use clients::Clients;
pub use db::Db;
pub use error::Error;
pub use facts::Facts;
pub use integrations::Integrations;
pub use jobs::Jobs;
pub use lists::Lists;
pub use metrics::Metrics;
pub use posted::Posted;
pub use rules::Rules;
pub use work::Work;
pub use workflows::Workflows;

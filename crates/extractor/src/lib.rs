//! The loop that both extractors turn: fetch, keep, report.
//!
//! A worker is rung for a task, takes its lease, fetches pages and keeps each in one transaction,
//! and reports. What to fetch and how to read it is a [`Source`]'s business.

pub mod source;

pub use source::{Connection, Failure, Page, Reader, Source};

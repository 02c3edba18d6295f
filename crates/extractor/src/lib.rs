//! The loop that both extractors turn: fetch, keep, report.
//!
//! A worker is rung for a task, takes its lease, fetches pages and keeps each in one transaction,
//! and reports. What to fetch and how to read it is a [`Source`]'s business.

pub mod budget;
pub mod http;
pub mod paging;
pub mod program;
pub mod report;
pub mod source;
pub mod worker;

mod connections;
mod line;
mod turn;

pub use paging::PageSize;
pub use source::{Budget, Connection, Failure, Page, Reader, Source};
pub use worker::Worker;

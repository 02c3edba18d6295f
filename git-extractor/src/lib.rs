//! How to read GitHub: repositories, pull requests with everything on them, deployments, commits.
//!
//! `client` makes calls, `wire` reads what GitHub writes, `mapping` turns it into domain nouns, and
//! `source` decides what to ask next.

mod client;
mod mapping;
mod paging;
mod probe;
mod queries;
mod source;
mod steps;
mod wire;

pub use source::Github;

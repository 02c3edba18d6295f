//! Queries on jobs, runs, tasks and what hangs on them. Those that change a job, a run or the state
//! of a task start by holding the client's jobs ([`jobs::hold`]).

pub(crate) mod cycle;
pub(crate) mod events;
pub(crate) mod ground;
pub(crate) mod jobs;
pub(crate) mod leases;
pub(crate) mod old;
pub(crate) mod people;
pub(crate) mod probes;
pub(crate) mod replays;
pub(crate) mod rings;
pub(crate) mod runs;
pub(crate) mod tasks;
pub(crate) mod views;

use super::super::dialect::{locked, locked_if_free};
use super::Conn;

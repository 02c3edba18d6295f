//! How far the numbers of a client can be trusted: what is missing from the data they are made of.

use chrono::TimeDelta;
use domain::Moment;
use domain::ids::ClientId;

use crate::db::ask;
use crate::{Error, Metrics};

/// Something that may be missing from a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// The name that questions and answers use.
    pub name: &'static str,
    /// Each row that could be bad, by a name for people, and whether it is.
    pub(crate) sql: &'static str,
}

macro_rules! checks {
    ($($name:ident),+ $(,)?) => {
        /// Everything that is looked at, in the order in which it is told.
        pub const CHECKS: &[Check] = &[$(Check {
            name: stringify!($name),
            sql: include_str!(concat!("quality/", stringify!($name), ".sql")),
        }),+];
    };
}

checks! {
    issues_unmapped,
    issues_without_history,
    pull_requests_without_issue,
    pull_requests_without_review,
    deployments_without_environment,
    deployments_of_unknown_commits,
    incidents_without_deployment,
    stale_connections,
    gaps,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The check's name.
    pub name: &'static str,
    /// Rows that are bad.
    pub bad: u64,
    /// Rows that were looked at.
    pub all: u64,
    /// Names of some that are bad, sorted and each once.
    pub examples: Vec<String>,
}

/// A connection is stale when so many cycles went by without a complete sync.
pub(crate) const CYCLES_UNTIL_STALE: i32 = 3;

/// Examples told of each check.
pub(crate) const EXAMPLES: i64 = 10;

/// Before this, a sync is too long ago.
pub(crate) fn stale_before(now: Moment, interval_minutes: i32) -> Moment {
    now - TimeDelta::minutes(interval_minutes.into()) * CYCLES_UNTIL_STALE
}

impl Metrics {
    /// What is missing from the client's data.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn quality(&self, client: ClientId, now: Moment) -> Result<Vec<Found>, Error> {
        ask!(self.db(), quality::found(client.into(), now))
    }
}

//! How far the numbers of a client can be trusted: what is missing from the data they are made of.

use chrono::TimeDelta;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};
use domain::Moment;
use domain::ids::{ClientId, IntegrationId};

use crate::db::ask;
use crate::lists::{Key, Page};
use crate::types::{Id, Uid};
use crate::{Error, Lists, Metrics};

/// Something that may be missing from a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// The name that questions and answers use.
    pub name: &'static str,
    pub(crate) of: Of,
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Each row that could be bad: its key, a name for people, what else is known, and whether it is.
    Rows(&'static str),
    /// Statuses of types of issues, as the workflows place them.
    Statuses,
    /// Types of issues, as far as mappings name them.
    IssueTypes,
}

macro_rules! rows {
    ($name:ident) => {
        Check {
            name: stringify!($name),
            of: Of::Rows(include_str!(concat!("quality/", stringify!($name), ".sql"))),
        }
    };
}

/// Everything that is looked at, in the order in which it is told.
pub const CHECKS: &[Check] = &[
    Check { name: "unmapped_statuses", of: Of::Statuses },
    Check { name: "unmapped_issue_types", of: Of::IssueTypes },
    rows!(issues_unmapped),
    rows!(issues_without_history),
    rows!(pull_requests_without_issue),
    rows!(pull_requests_without_review),
    rows!(deployments_without_environment),
    rows!(deployments_of_unknown_commits),
    rows!(incidents_without_deployment),
    rows!(stale_connections),
    rows!(gaps),
];

impl Check {
    /// The check of this name.
    pub fn named(name: &str) -> Option<&'static Check> {
        CHECKS.iter().find(|check| check.name == name)
    }
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

/// A row from which something is missing.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Lacking {
    /// The connection that it comes from.
    #[diesel(sql_type = Uid, deserialize_as = Id)]
    pub integration_id: IntegrationId,
    #[diesel(sql_type = BigInt)]
    pub(crate) first: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) second: i64,
    #[diesel(sql_type = Text)]
    pub(crate) place: String,
    /// What people call it.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// What else is known: the type of a status, the reason of a gap, the commit of a deployment.
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
}

impl Lacking {
    pub(crate) fn key(&self) -> Key {
        Key::with_text(self.integration_id, [self.first, self.second], &self.place)
    }
}

/// A connection is stale when so many cycles went by without a complete sync.
pub(crate) const CYCLES_UNTIL_STALE: i32 = 3;

/// Examples told of each check.
pub(crate) const EXAMPLES: usize = 10;

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
        ask!(self.db(), quality::found(client, now))
    }
}

impl Lists {
    /// What a check finds bad, as of `now`, at most `limit` rows behind `after`.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn lacking(
        &self,
        client: ClientId,
        check: &'static Check,
        now: Moment,
        after: Option<&Key>,
        limit: u32,
    ) -> Result<Page<Lacking>, Error> {
        let after = after.cloned().unwrap_or_default();
        let items: Result<Vec<Lacking>, Error> =
            ask!(self.db(), quality::lacking(client, check, now, &after, limit));
        let items = items?;
        let is_full = u32::try_from(items.len()).is_ok_and(|count| count == limit);
        let next = items.last().filter(|_| is_full).map(Lacking::key);
        Ok(Page { items, next })
    }
}

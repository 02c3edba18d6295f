//! What the metrics service reads, and the links, facts and snapshots that it writes.

mod delivery;
mod links;
mod lives;
mod publication;

use std::hash::{DefaultHasher, Hash, Hasher};

use domain::ids::{ClientId, IntegrationId};

pub use self::delivery::{By, Delivery, DeliveryState, IncidentRead, SuspectRead};
pub use self::links::{KeyedIssue, Link, ProjectKey, Texts};
pub use self::lives::{CommentsBy, PullRequestLife, ReviewAt, Said};
pub(crate) use self::publication::PublicationRows;
pub use self::publication::{
    Cause, DeploymentFact, IncidentFact, Publication, Published, PullRequestFact,
};
use crate::Error;
use crate::db::{Db, ask, keep};
use crate::types::Id;

/// A handle on what is derived from the facts.
#[derive(Clone)]
pub struct Metrics(Db);

/// A repository that counts: active, of an active connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    /// The connection.
    pub integration: IntegrationId,
    /// GitHub's id.
    pub id: i64,
    /// `owner/name`.
    pub full_name: String,
}

impl Metrics {
    /// Over `db`.
    pub fn new(db: Db) -> Metrics {
        Metrics(db)
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0
    }

    /// Tells the database to look anew at tables that grew much, before they are joined.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn refresh_statistics(&self) -> Result<(), Error> {
        keep!(self.0, metrics::refresh_statistics())
    }

    /// The client's repositories that count.
    ///
    /// # Errors
    /// The database cannot be reached; so for everything here.
    pub async fn repositories(&self, client: ClientId) -> Result<Vec<Repository>, Error> {
        let rows: Vec<(Id, i64, String)> = ask!(self.0, metrics::repositories(client.into()))?;
        let repository = |(integration, id, full_name): (Id, _, _)| Repository {
            integration: integration.into(),
            id,
            full_name,
        };
        Ok(rows.into_iter().map(repository).collect())
    }

    /// Whether what the sources said is whole: no run is under way, and the last one finished.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn facts_are_whole(&self, client: ClientId) -> Result<bool, Error> {
        ask!(self.0, metrics::facts_are_whole(client.into()))
    }

    /// The zone in which the client's days are cut, once it has a schedule.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn timezone(&self, client: ClientId) -> Result<Option<String>, Error> {
        ask!(self.0, metrics::timezone(client.into()))
    }
}

/// A short name of what facts are made from. Another release may have another for the same.
pub fn basis(of: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

//! How clients see their work: workflows, steps and mappings. The gateway writes them; the rules
//! are the domain's.

use domain::ids::{ClientId, IntegrationId};
use domain::project::StatusCategory;
use domain::workflow::{Change, Configuration};

use crate::Error;
use crate::db::{Db, ask, keep};

/// A handle on the workflows.
#[derive(Clone)]
pub struct Workflows(Db);

/// Live issues of one type that stand in one status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusInUse {
    /// The connection.
    pub integration: IntegrationId,
    /// The name of the type; nothing for a status that no issue is in.
    pub issue_type: Option<String>,
    /// The name of the status.
    pub status: String,
    /// Jira's grouping of it.
    pub category: StatusCategory,
    /// How many.
    pub issues: u64,
}

/// Ways through the statuses of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    /// The connection.
    pub integration: IntegrationId,
    /// The names of the types whose issues are meant.
    pub issue_types: Vec<String>,
    /// The names of the statuses.
    pub statuses: Vec<String>,
}

/// Moves from one status to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    /// The connection.
    pub integration: IntegrationId,
    /// The name of the status left.
    pub from: String,
    /// The name of the status entered.
    pub to: String,
    /// How many.
    pub count: u64,
}

impl Workflows {
    /// Over `db`.
    pub fn new(db: Db) -> Workflows {
        Workflows(db)
    }

    /// Everything that the client has said, or the default.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn of_client(&self, client: ClientId) -> Result<Configuration, Error> {
        ask!(self.0, workflows::configuration(client))
    }

    /// Makes the changes one after another, all of them or none. Answers what holds now.
    ///
    /// # Errors
    /// [`Error::Workflow`] for the first that cannot be.
    pub async fn change(
        &self,
        client: ClientId,
        changes: Vec<Change>,
    ) -> Result<Configuration, Error> {
        keep!(self.0, workflows::change(client, &changes))
    }

    /// Which statuses the client's live issues stand in, and those that Jira has beside them, of
    /// active connections and projects.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn statuses_in_use(&self, client: ClientId) -> Result<Vec<StatusInUse>, Error> {
        ask!(self.0, workflows::statuses_in_use(client.into()))
    }

    /// How many live issues of the client left one of these statuses and stand in none of them. No issue
    /// goes two of the ways.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn passed(&self, client: ClientId, ways: Vec<Through>) -> Result<u64, Error> {
        ask!(self.0, workflows::passed(client.into(), &ways))
    }

    /// How many incidents stand in one of these statuses.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn incidents(&self, client: ClientId, ways: Vec<Through>) -> Result<u64, Error> {
        ask!(self.0, workflows::incidents(client.into(), &ways))
    }

    /// Which moves between statuses the client's issues ever made.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn moves(&self, client: ClientId) -> Result<Vec<Moves>, Error> {
        ask!(self.0, workflows::moves(client.into()))
    }
}

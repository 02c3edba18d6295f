//! What is known of a delivery already, so that only what changed is computed again.

use domain::ids::{ClientId, IntegrationId};

use crate::db::{ask, keep};
use crate::dora::Place;
use crate::metrics::DeploymentFact;
use crate::{Error, Metrics};

/// An issue, by its connection and Jira's id.
pub type IssueRef = (IntegrationId, i64);

/// A production deployment that has to do with an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touching {
    /// The issue.
    pub issue: IssueRef,
    /// The repository.
    pub repository: Place,
    /// The source's id of the deployment.
    pub deployment: String,
}

/// A pull request that was brought to production.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipped {
    /// The repository.
    pub repository: Place,
    /// Its number.
    pub number: i64,
    /// The commit on the base branch.
    pub merge_sha: Option<String>,
    /// The source's id of the first production deployment that contains it.
    pub deployment: String,
}

impl Metrics {
    /// What was published of these pull requests, and of those whose merge commits begin with seven digits
    /// that are among `shas`.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn shipped(
        &self,
        client: ClientId,
        numbers: Vec<(Place, i64)>,
        shas: Vec<String>,
    ) -> Result<Vec<Shipped>, Error> {
        ask!(self.db(), delivery::shipped(client.into(), &numbers, &shas))
    }

    /// Takes the notes on repositories in which something changed since somebody last published. They are
    /// gone when somebody publishes; until then they are answered again.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn take_changed_repositories(&self, client: ClientId) -> Result<Vec<Place>, Error> {
        keep!(self.db(), delivery::take_changed(client.into()))
    }

    /// What was last made of every deployment.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn deployment_facts(&self, client: ClientId) -> Result<Vec<DeploymentFact>, Error> {
        ask!(self.db(), delivery::deployment_facts(client.into()))
    }

    /// The production deployments that were published as those which brought a pull request that names
    /// one of these issues.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn brought(
        &self,
        client: ClientId,
        issues: Vec<IssueRef>,
    ) -> Result<Vec<Touching>, Error> {
        ask!(self.db(), delivery::brought(client.into(), &issues))
    }

    /// The production deployments that were published as those which brought what a pull request takes
    /// back that names one of these issues.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn taken_back(
        &self,
        client: ClientId,
        issues: Vec<IssueRef>,
    ) -> Result<Vec<Touching>, Error> {
        ask!(self.db(), delivery::taken_back(client.into(), &issues))
    }
}

//! Which pull request names which issue: the texts that may, and the links that are kept.

use domain::Moment;
use domain::ids::{ClientId, IntegrationId};
use domain::work::Fence;

use super::{Metrics, Repository};
use crate::Error;
use crate::db::{ask, keep};
use crate::fact_table::Owner;
use crate::models::metrics::LinkRow;
use crate::types::{Id, Json, Ts};

/// A key of a project, former or present, and the key of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectKey {
    /// As it may be spelled in a text.
    pub seen: String,
    /// The key of today.
    pub today: String,
}

/// The issue behind a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedIssue {
    /// The key asked for.
    pub key: String,
    /// The connection.
    pub integration: IntegrationId,
    /// Jira's id.
    pub id: i64,
}

/// A pull request named an issue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The pull request's number.
    pub number: i64,
    /// The issue's connection.
    pub issue_integration: IntegrationId,
    /// Jira's id of the issue.
    pub issue_id: i64,
    /// `branch`, `title` or `message`.
    pub via: String,
    /// The key as it was named.
    pub key_seen: String,
}

/// The texts of a pull request that may name issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The number.
    pub number: i64,
    /// The branch.
    pub head_ref: String,
    /// The title.
    pub title: String,
    /// The messages of its commits.
    pub messages: Vec<String>,
}

impl Metrics {
    /// The keys of the client's active projects, former and present.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn project_keys(&self, client: ClientId) -> Result<Vec<ProjectKey>, Error> {
        let rows: Vec<(String, Json)> = ask!(self.0, metrics::project_keys(client.into()))?;
        let mut keys = Vec::with_capacity(rows.len());
        for (today, former) in rows {
            for seen in former.to_texts()? {
                keys.push(ProjectKey { seen, today: today.clone() });
            }
            keys.push(ProjectKey { seen: today.clone(), today });
        }
        Ok(keys)
    }

    /// The live issues behind `keys`, by the key of today or, where an issue moved, a former one.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn issues_by_key(
        &self,
        client: ClientId,
        keys: Vec<String>,
    ) -> Result<Vec<KeyedIssue>, Error> {
        let rows: Vec<(String, Id, i64)> =
            ask!(self.0, metrics::issues_by_key(client.into(), &keys))?;
        let issue = |(key, integration, id): (_, Id, _)| KeyedIssue {
            key,
            integration: integration.into(),
            id,
        };
        Ok(rows.into_iter().map(issue).collect())
    }

    /// The texts of every pull request of a repository, by number.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn texts(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<Texts>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::texts(client.into(), integration, id))
    }

    /// Replaces the links of a repository's pull requests; those that stay are not written.
    ///
    /// # Errors
    /// [`Error::LostLease`] when another worker holds the task; then nothing is kept.
    pub async fn keep_links(
        &self,
        client: ClientId,
        fence: Fence,
        repository: &Repository,
        links: Vec<Link>,
        now: Moment,
    ) -> Result<usize, Error> {
        let (integration, id) = (Id::from(repository.integration), repository.id);
        let rows: Vec<LinkRow> = links
            .into_iter()
            .map(|link| LinkRow {
                client_id: client.into(),
                integration_id: integration,
                repository_id: id,
                number: link.number,
                issue_integration_id: link.issue_integration.into(),
                issue_id: link.issue_id,
                via: link.via,
                key_seen: link.key_seen,
            })
            .collect();
        let owner = Owner { client: client.into(), integration };
        keep!(self.0, metrics::keep_links(fence, owner, id, &rows, Ts(now)))
    }

    /// Every link of a repository's pull requests.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn links(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<Link>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        let rows: Vec<LinkRow> = ask!(self.0, metrics::links(client.into(), integration, id))?;
        let link = |row: LinkRow| Link {
            number: row.number,
            issue_integration: row.issue_integration_id.into(),
            issue_id: row.issue_id,
            via: row.via,
            key_seen: row.key_seen,
        };
        Ok(rows.into_iter().map(link).collect())
    }
}

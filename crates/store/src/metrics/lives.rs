//! What happened to the pull requests of a repository.

use domain::Moment;
use domain::ids::ClientId;

use super::{Metrics, Repository};
use crate::Error;
use crate::db::ask;

/// A pull request as far as its stages need it.
#[derive(Debug, Clone, PartialEq)]
pub struct PullRequestLife {
    /// The number.
    pub number: i64,
    /// The title.
    pub title: String,
    /// The login of who opened it.
    pub author: Option<String>,
    /// When it was opened.
    pub created_at: Moment,
    /// When it last became ready for review, if it was a draft.
    pub ready_at: Option<Moment>,
    /// When it was merged.
    pub merged_at: Option<Moment>,
    /// The commit on the base branch.
    pub merge_commit_sha: Option<String>,
    /// The branch that it was made for.
    pub base_ref: String,
    /// The earliest authored date of its commits.
    pub first_commit_at: Option<Moment>,
    /// A machine opened it.
    pub author_is_bot: bool,
    /// It waits, neither merged nor closed.
    pub is_open: bool,
    /// Not yet ready for review.
    pub draft: bool,
    /// Lines added and removed.
    pub lines: i64,
    /// Files touched.
    pub files: i64,
}

/// A review or a comment on a diff.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewAt {
    /// The pull request's number.
    pub number: i64,
    /// What was said.
    pub said: Said,
    /// The login of who gave it.
    pub author: Option<String>,
    /// A machine.
    pub bot: bool,
    /// When.
    pub at: Option<Moment>,
}

/// Comments of somebody in the conversation of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentsBy {
    /// The pull request's number.
    pub number: i64,
    /// The login of who wrote them.
    pub author: Option<String>,
    /// A machine.
    pub bot: bool,
    /// How many there are.
    pub count: i64,
}

/// What somebody says about a diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// That something must change.
    ChangesRequested,
    /// Any other verdict.
    Verdict,
    /// Something about a line.
    Remark,
}

impl Metrics {
    /// Every pull request of a repository, by number.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn lives(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<PullRequestLife>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::lives(client.into(), integration, id))
    }

    /// Every review and comment on a diff in a repository, by number of the pull request.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn reviews(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<ReviewAt>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::reviews(client.into(), integration, id))
    }

    /// How many comments of whom are in the conversation of each pull request that has any.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn comments(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<CommentsBy>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::comments(client.into(), integration, id))
    }

    /// When the commits of pull requests came about in which somebody requested changes, by number.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn commits_under_review(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<(i64, Moment)>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::commits_under_review(client.into(), integration, id))
    }

    /// The commits of a repository whose parents are known.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn graph(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<(String, Vec<String>)>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::graph(client.into(), integration, id))
    }
}

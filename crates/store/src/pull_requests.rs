//! What a report on pull requests is made from.

use domain::Moment;
use domain::ids::ClientId;

use crate::db::ask;
use crate::focus::Focus;
use crate::metrics::PullRequestFact;
use crate::{Error, Metrics};

/// Everything that the report is made from, read from one snapshot.
#[derive(Debug, Clone, Default)]
pub struct PullRequestsRead {
    /// When the facts were complete; `None` before the first publication.
    pub as_of: Option<Moment>,
    /// The rules changed since, and the numbers follow soon.
    pub is_behind: bool,
    /// Merged in the time asked for.
    pub merged: Vec<PullRequestTold>,
    /// Open now.
    pub open: Vec<PullRequestTold>,
    /// Merged in that time or open now, but something they hang on is not active.
    pub inactive: Vec<Inactive>,
}

/// A pull request, and what we make of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PullRequestTold {
    /// `owner/name#412`.
    pub name: String,
    /// What we make of it.
    pub fact: PullRequestFact,
}

/// A pull request that counts nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inactive {
    /// When it was merged; one that is open never was.
    pub merged_at: Option<Moment>,
    /// The first level that is not active.
    pub reason: &'static str,
}

/// Whoever takes all facts of a client, one repository after another.
pub trait TakePullRequests: Send + 'static {
    /// When the facts were complete, and which publication they are of.
    fn begin(&mut self, publication: i64, as_of: Moment);

    /// Those of one repository that are merged or open. Answers whether there is room for more.
    fn pull_requests(&mut self, some: Vec<PullRequestFact>) -> bool;
}

impl Metrics {
    /// Gives everything that a report on pull requests was ever made from to `taker`, and gives that
    /// back. Before the first publication it gets nothing.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn take_pull_requests<T: TakePullRequests>(
        &self,
        client: ClientId,
        taker: T,
    ) -> Result<T, Error> {
        ask!(self.db(), pull_requests::take(client.into(), taker))
    }

    /// Pull requests merged in `from..to` or open now that hang on something which is not active.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn inactive_pull_requests(
        &self,
        client: ClientId,
        from: Moment,
        to: Moment,
        focus: Focus,
    ) -> Result<Vec<Inactive>, Error> {
        ask!(self.db(), pull_requests::inactive_among(client.into(), from, to, &focus))
    }

    /// What a report on pull requests over `from..to` is made from. With projects in the focus it is
    /// about those that name an issue of one of them.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn pull_requests(
        &self,
        client: ClientId,
        from: Moment,
        to: Moment,
        focus: Focus,
    ) -> Result<PullRequestsRead, Error> {
        ask!(self.db(), pull_requests::read(client, from, to, &focus))
    }
}

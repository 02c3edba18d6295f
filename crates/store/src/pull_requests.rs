//! What a report on pull requests is made from.

use domain::Moment;
use domain::ids::ClientId;

use crate::db::ask;
use crate::metrics::{Focus, PullRequestFact};
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

impl Metrics {
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

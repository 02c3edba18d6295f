//! How many reviews each person gave.

use domain::Moment;
use domain::ids::ClientId;

use crate::db::ask;
use crate::focus::Focus;
use crate::{Error, Metrics};

/// Reviews of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewLoad {
    /// When the facts were complete; `None` before the first publication.
    pub as_of: Option<Moment>,
    /// Who gave some to others, the most first and then by login.
    pub people: Vec<Reviewer>,
    /// Reviews by machines.
    pub by_bots: u64,
    /// Reviews of somebody's own pull request.
    pub own: u64,
    /// Reviews by users that are deleted.
    pub by_nobody: u64,
}

/// What somebody reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewer {
    /// The login.
    pub login: String,
    /// Reviews given.
    pub reviews: u64,
    /// Pull requests reviewed.
    pub pull_requests: u64,
}

impl Metrics {
    /// Who gave reviews in `from..to`, to pull requests of repositories that are active.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn review_load(
        &self,
        client: ClientId,
        from: Moment,
        to: Moment,
        focus: Focus,
    ) -> Result<ReviewLoad, Error> {
        ask!(self.db(), review_load::read(client.into(), from, to, &focus))
    }
}

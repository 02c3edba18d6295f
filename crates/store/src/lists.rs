//! The data lists that people read and export: one page after another by primary key, so that a
//! list of any length streams at one speed and nothing is told twice or left out.

mod incident;
mod issue;
mod key;
mod pull_request;
mod repository;
mod status_interval;

use domain::Moment;
use domain::ids::ClientId;
use domain::rules::BotRules;

pub use incident::Incident;
pub use issue::{Issue, IssueChange};
pub use key::Key;
pub use pull_request::{Comment, Commit, PullRequest, Review, ReviewComment};
pub use repository::{Deployment, Repository};
pub use status_interval::StatusInterval;

use crate::Error;
use crate::db::{Db, ask};
use crate::named::numbered;

/// A handle on the data lists.
#[derive(Clone)]
pub struct Lists(Db);

/// Which rows to tell. A list heeds what its rows have, and [`Filtered`] says what that is: issues know no
/// repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only rows touched at or after: of issues and pull requests the last update, of everything
    /// else the moment at which it happened or ended.
    pub updated_since: Option<Moment>,
    /// Only issues, changes and incidents of the project with this key, and pull requests that name one
    /// of its issues. Case does not matter.
    pub project: Option<String>,
    /// Only what belongs to the repository with this `owner/name`. Case does not matter.
    pub repository: Option<String>,
    /// Only issues with this status, pull requests or reviews in this state, deployments with this
    /// outcome. Case does not matter.
    pub state: Option<String>,
    /// Only deployments to this environment. Case does not matter.
    pub environment: Option<String>,
    /// Changes of deleted issues, too.
    pub with_deleted: bool,
}

/// A row whose list heeds some filters.
pub trait Filtered {
    /// Names of these filters.
    fn filters() -> Vec<&'static str>;
}

impl Filter {
    /// Every filter, by the name of its field, and whether it leaves something out.
    pub fn used(&self) -> [(&'static str, bool); 6] {
        [
            ("updated_since", self.updated_since.is_some()),
            ("project", self.project.is_some()),
            ("repository", self.repository.is_some()),
            ("state", self.state.is_some()),
            ("environment", self.environment.is_some()),
            ("with_deleted", self.with_deleted),
        ]
    }
}

/// Some rows of a list, in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The key behind which the next page begins; nothing on the last.
    pub next: Option<Key>,
}

/// A row of a list.
pub(crate) trait Listed {
    /// The question, with a `:name` for each value that [`crate::pg::queries::lists`] binds.
    const SQL: &'static str;

    /// Where the row stands in its list.
    fn key(&self) -> Key;

    /// Whether somebody in it may be a machine by the client's list.
    const HAS_PEOPLE: bool = false;

    /// Marks machines.
    fn mark_bots(&mut self, _bots: &BotRules) {}
}

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident -> $row:ty),+ $(,)?) => {
        impl Lists {
            /// Over `db`.
            pub fn new(db: Db) -> Lists {
                Lists(db)
            }

            pub(crate) fn db(&self) -> &Db {
                &self.0
            }

            $(
                $(#[$doc])*
                ///
                /// At most `limit` rows behind `after`.
                ///
                /// # Errors
                /// The database cannot be reached.
                pub async fn $name(
                    &self,
                    client: ClientId,
                    filter: &Filter,
                    after: Option<&Key>,
                    limit: u32,
                ) -> Result<Page<$row>, Error> {
                    let filter = filter.clone();
                    let after = after.cloned().unwrap_or_default();
                    let rows: Result<Vec<$row>, Error> =
                        ask!(self.0, lists::rows(client, &filter, &after, limit));
                    Ok(page(rows?, limit))
                }
            )+
        }

        $(
            impl Filtered for $row {
                /// Those that its question asks for.
                fn filters() -> Vec<&'static str> {
                    let (_, asked) = numbered(<$row as Listed>::SQL);
                    let all = Filter::default().used().map(|(name, _)| name);
                    all.into_iter().filter(|name| asked.contains(name)).collect()
                }
            }
        )+
    };
}

lists! {
    /// Issues, also deleted ones.
    issues -> Issue,
    /// What the changelogs of issues say.
    issue_changes -> IssueChange,
    /// Repositories.
    repositories -> Repository,
    /// Pull requests, with what was found out about them.
    pull_requests -> PullRequest,
    /// Reviews of pull requests.
    reviews -> Review,
    /// Comments on the diffs of pull requests.
    review_comments -> ReviewComment,
    /// Comments in the conversations of pull requests.
    comments -> Comment,
    /// Commits, once for each pull request that they belong to.
    commits -> Commit,
    /// Deployments, with what was found out about them.
    deployments -> Deployment,
    /// Incidents.
    incidents -> Incident,
}

fn page<T: Listed>(items: Vec<T>, limit: u32) -> Page<T> {
    let is_full = u32::try_from(items.len()).is_ok_and(|count| count == limit);
    let next = items.last().filter(|_| is_full).map(T::key);
    Page { items, next }
}

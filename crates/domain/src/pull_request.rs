//! A pull request with everything that hangs on it.

use crate::Moment;
use crate::repository::Commit;
use crate::text::words;

/// Where a pull request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PullRequestState {
    /// Waits for review or merge.
    Open,
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
}

words!("pull request state", PullRequestState {
    Open = "OPEN",
    Closed = "CLOSED",
    Merged = "MERGED",
});

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// GitHub's id.
    pub external_id: i64,
    /// The number in its repository.
    pub number: i64,
    /// The title.
    pub title: String,
    /// Where it stands.
    pub state: PullRequestState,
    /// Not yet ready for review.
    pub draft: bool,
    /// Who opened it; deleted users are `None`.
    pub author: Option<Actor>,
    /// When it was opened.
    pub created_at: Moment,
    /// When GitHub last touched it.
    pub updated_at: Moment,
    /// When it was merged.
    pub merged_at: Option<Moment>,
    /// When it was closed, merged or not.
    pub closed_at: Option<Moment>,
    /// The last time it became ready for review, if it was a draft.
    pub ready_at: Option<Moment>,
    /// The commit on the base branch, once merged.
    pub merge_commit_sha: Option<String>,
    /// The name of the branch, which stays when the branch is deleted.
    pub head_ref: String,
    /// The branch it aims at.
    pub base_ref: String,
    /// The last commit of the branch.
    pub head_sha: String,
    /// Lines added.
    pub additions: i64,
    /// Lines removed.
    pub deletions: i64,
    /// Files touched.
    pub changed_files: i64,
    /// Its commits in order, complete.
    pub commits: Vec<Commit>,
    /// Its reviews, complete.
    pub reviews: Vec<Review>,
    /// Its conversation, complete.
    pub comments: Vec<Comment>,
}

/// A user or a bot. The login has no `[bot]` suffix: one of GitHub's two APIs adds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The name on GitHub.
    pub login: String,
    /// Whether a machine acts under it.
    pub bot: bool,
}

impl Actor {
    /// From a login as either API spells it.
    pub fn new(login: &str, bot: bool) -> Actor {
        match login.strip_suffix("[bot]") {
            Some(name) => Actor { login: name.to_owned(), bot: true },
            None => Actor { login: login.to_owned(), bot },
        }
    }
}

/// A verdict on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// GitHub's id.
    pub external_id: i64,
    /// Who gave it.
    pub author: Option<Actor>,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED` or `PENDING`.
    pub state: String,
    /// When; a pending review has none.
    pub submitted_at: Option<Moment>,
}

/// A comment in the conversation of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// GitHub's id.
    pub external_id: i64,
    /// Who wrote it.
    pub author: Option<Actor>,
    /// When.
    pub created_at: Moment,
}

/// A comment on a line of a pull request's diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewComment {
    /// GitHub's id.
    pub external_id: i64,
    /// The number of the pull request.
    pub number: i64,
    /// Who wrote it.
    pub author: Option<Actor>,
    /// When it was written.
    pub created_at: Moment,
}

/// The title that a revert quotes: `Revert "PAY-311 Retry"`.
pub fn reverted_title(title: &str) -> Option<&str> {
    title.strip_prefix("Revert \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revert_quotes_the_title_that_it_undoes() {
        assert_eq!(reverted_title("Revert \"PAY-3 Retry\""), Some("PAY-3 Retry"));
        assert_eq!(reverted_title("Reverting something"), None);
    }
}

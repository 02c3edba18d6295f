//! A repository and the commits of its default branch.

use crate::Moment;

/// A GitHub repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// GitHub's id, which survives a rename.
    pub external_id: i64,
    /// `owner/name` of today.
    pub full_name: String,
    /// The branch that pull requests aim at; an empty repository may have none.
    pub default_branch: Option<String>,
    /// Read-only for good.
    pub archived: bool,
}

/// A commit, seen in a pull request or on the default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// 40 hexadecimal digits.
    pub sha: String,
    /// The login of the author, or the name in the commit where no user is linked.
    pub author: Option<String>,
    /// When it was written. Survives a rebase.
    pub authored_at: Moment,
    /// When it was applied. A rebase changes it.
    pub committed_at: Moment,
    /// The whole message.
    pub message: String,
    /// The parents' shas, where they were read; pull requests do not tell them.
    pub parents: Option<Vec<String>>,
}

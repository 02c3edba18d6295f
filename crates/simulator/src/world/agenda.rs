//! What is going to happen, and when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::git::{Environment, Reason};
use super::jira::StatusId;
use crate::moment::Moment;

/// Deeds that wait for their moment; those of one moment keep the order in which they were added.
#[derive(Debug, Default)]
pub struct Agenda {
    waiting: BinaryHeap<Reverse<Entry>>,
    added: u64,
}

#[derive(Debug)]
struct Entry {
    at: Moment,
    turn: u64,
    deed: Deed,
}

impl Agenda {
    /// Lets a deed wait for its moment.
    pub fn add(&mut self, at: Moment, deed: Deed) {
        self.added += 1;
        self.waiting.push(Reverse(Entry { at, turn: self.added, deed }));
    }

    /// The next deed that is due until then.
    pub fn next_until(&mut self, until: Moment) -> Option<(Moment, Deed)> {
        if self.waiting.peek()?.0.at > until {
            return None;
        }
        self.waiting.pop().map(|Reverse(entry)| (entry.at, entry.deed))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> std::cmp::Ordering {
        (self.at, self.turn).cmp(&(other.at, other.turn))
    }
}

/// Something that happens. Numbers are positions in the world's lists.
#[derive(Debug, Clone, Copy)]
pub enum Deed {
    /// Somebody makes an issue.
    OpenIssue { project: usize, epic: bool },
    /// An issue goes to a status; whoever moves it may take it.
    Turn { issue: usize, to: StatusId, take: bool },
    /// Somebody edits an issue.
    Edit { issue: usize, edit: Edit },
    /// A sprint ends, and an unfinished issue goes to the next one.
    CarryOver { issue: usize },
    /// An issue moves to another project.
    Transfer { issue: usize },
    /// An issue is deleted.
    Delete { issue: usize },
    /// Somebody opens a pull request.
    OpenPull { repository: usize, kind: PullKind },
    /// Something happens to a pull request.
    Pull { repository: usize, pull: usize, deed: PullDeed },
    /// Somebody pushes to the default branch, and will again.
    Push { repository: usize },
    /// The daily look at whether to release.
    Ship { repository: usize },
    /// A deployment begins.
    Deploy { repository: usize, environment: Environment, commit: usize, reason: Reason },
    /// A deployment goes on.
    Settle { repository: usize, deployment: usize, state: &'static str },
    /// Somebody notices what a deployment did.
    Incident { repository: usize, deployment: usize },
}

impl Deed {
    /// The repository that it happens in.
    pub fn repository(&self) -> Option<usize> {
        match *self {
            Deed::OpenPull { repository, .. }
            | Deed::Pull { repository, .. }
            | Deed::Push { repository }
            | Deed::Ship { repository }
            | Deed::Deploy { repository, .. }
            | Deed::Settle { repository, .. }
            | Deed::Incident { repository, .. } => Some(repository),
            _ => None,
        }
    }
}

/// An edit of an issue.
#[derive(Debug, Clone, Copy)]
pub enum Edit {
    /// To somebody else, or nobody.
    Assign,
    /// To another priority, or none.
    Prioritise,
    /// One label more or less.
    Label,
    /// Another estimate.
    Estimate,
    /// Another summary.
    Rename,
    /// Another description.
    Describe,
    /// Up or down the backlog.
    Rank,
    /// A link with another issue.
    Link,
    /// A comment, which leaves no trace in the changelog.
    Comment,
}

/// Why a pull request is opened.
#[derive(Debug, Clone, Copy)]
pub enum PullKind {
    /// Somebody worked.
    Usual,
    /// A machine updates a dependency.
    Bump,
    /// An incident made somebody take one back.
    Revert {
        /// The pull request taken back.
        pull: usize,
        /// The incident.
        issue: usize,
    },
}

/// Something that happens to a pull request.
#[derive(Debug, Clone, Copy)]
pub enum PullDeed {
    /// Another commit.
    Commit,
    /// The branch is rewritten.
    ForcePush,
    /// A verdict, with remarks at times.
    Review { pending: bool },
    /// An answer to a remark.
    Reply,
    /// A comment.
    Comment,
    /// Another title.
    Retitle,
    /// A draft becomes ready.
    Ready,
    /// It becomes a draft.
    Draft,
    /// It is merged.
    Merge,
    /// It is closed.
    Close,
    /// It is opened again.
    Reopen,
}

//! What the company keeps on GitHub.

use std::collections::{HashMap, HashSet};

use crate::moment::Moment;

/// A repository with everything in it.
#[derive(Debug)]
pub struct Repository {
    /// GitHub's id, which survives a rename.
    pub id: u64,
    /// The name of today, without the owner.
    pub name: String,
    /// The name before a rename.
    pub former_name: Option<String>,
    /// Since when it is archived: read-only for good.
    pub retired: Option<Moment>,
    /// Without a single commit.
    pub empty: bool,
    /// What tells about its deployments.
    pub tells_by: TellsBy,
    /// How its pull requests are usually merged.
    pub merges_by: MergeKind,
    /// When it was made.
    pub created: Moment,
    /// When somebody last pushed.
    pub pushed: Moment,
    /// Every commit, also those of branches and of histories since rewritten.
    pub commits: Vec<Commit>,
    /// Where each sha is.
    pub shas: HashMap<String, usize>,
    /// The commits of the default branch, oldest first, parents before children.
    pub main: Vec<usize>,
    /// The last commit of the default branch.
    pub head: Option<usize>,
    /// The branch beside it, while there is one.
    pub next: Option<Branch>,
    /// The pull requests, by number.
    pub pulls: Vec<Pull>,
    /// The last number given to a pull request or an issue.
    pub last_number: u32,
    /// The deployments, oldest first.
    pub deployments: Vec<Deployment>,
    /// Runs of workflows, oldest first.
    pub runs: Vec<Run>,
    /// Releases, oldest first.
    pub releases: Vec<Release>,
    /// Comments on plain issues, which share a list with those on pull requests.
    pub plain_comments: Vec<(u32, Comment)>,
    /// Pull requests merged since the last successful production deployment.
    pub unreleased: Vec<usize>,
    /// The commit that production runs, and the one it ran before.
    pub in_production: (Option<usize>, Option<usize>),
}

/// A branch that lives beside the default branch, and into which pull requests are merged.
#[derive(Debug)]
pub struct Branch {
    /// Its own commits, oldest first, parents before children.
    pub commits: Vec<usize>,
    /// The pull requests that were merged into it.
    pub pulls: Vec<usize>,
}

/// What tells about the deployments of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TellsBy {
    /// GitHub's deployments.
    Deployments,
    /// Runs of the workflow `deploy`.
    Runs,
    /// Releases.
    Releases,
}

/// How a pull request reaches the default branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeKind {
    /// One commit with everything.
    Squash,
    /// A copy of each commit.
    Rebase,
    /// The commits themselves, and one that joins them.
    Merge,
}

impl Repository {
    /// Where a pull request of this number is.
    pub fn pull(&self, number: u32) -> Option<&Pull> {
        let at = self.pulls.binary_search_by_key(&number, |pull| pull.number).ok()?;
        Some(&self.pulls[at])
    }

    /// Everything that can be reached from a commit, itself included.
    pub fn reachable(&self, from: usize) -> HashSet<usize> {
        let mut seen = HashSet::from([from]);
        let mut todo = vec![from];
        while let Some(at) = todo.pop() {
            for &parent in &self.commits[at].parents {
                if seen.insert(parent) {
                    todo.push(parent);
                }
            }
        }
        seen
    }
}

/// Somebody who acts on GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    Person(usize),
    /// A machine.
    Bot(Bot),
    /// A deleted user, shown as nobody.
    Ghost,
}

/// A machine that acts on GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bot {
    /// Updates dependencies.
    Dependabot,
    /// Deploys.
    Releaser,
}

impl Bot {
    /// The login without the suffix `[bot]`, which only the REST API adds.
    pub fn login(self) -> &'static str {
        match self {
            Bot::Dependabot => "dependabot",
            Bot::Releaser => "release-runner",
        }
    }

    /// GitHub's id.
    pub fn id(self) -> u64 {
        match self {
            Bot::Dependabot => 49_699_333,
            Bot::Releaser => 61_000_001,
        }
    }
}

/// A commit.
#[derive(Debug)]
pub struct Commit {
    /// 40 hexadecimal digits.
    pub sha: String,
    /// Earlier commits; two for a merge.
    pub parents: Vec<usize>,
    /// Who wrote it.
    pub author: Actor,
    /// When it was written.
    pub authored: Moment,
    /// When it was applied.
    pub committed: Moment,
    /// The whole message.
    pub message: String,
}

/// Where a pull request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    /// Waits.
    Open,
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
}

impl PullState {
    /// As GraphQL spells it.
    pub fn word(self) -> &'static str {
        match self {
            PullState::Open => "OPEN",
            PullState::Closed => "CLOSED",
            PullState::Merged => "MERGED",
        }
    }
}

/// A pull request.
#[derive(Debug)]
pub struct Pull {
    /// GitHub's id.
    pub id: u64,
    /// The number in its repository.
    pub number: u32,
    /// The title.
    pub title: String,
    /// The description.
    pub body: String,
    /// Where it stands.
    pub state: PullState,
    /// Not yet ready for review.
    pub draft: bool,
    /// Who opened it.
    pub author: Actor,
    /// When it was opened.
    pub created: Moment,
    /// When it was last touched.
    pub updated: Moment,
    /// When it was merged.
    pub merged: Option<Moment>,
    /// Who merged it.
    pub merged_by: Option<Actor>,
    /// When it was closed, merged or not.
    pub closed: Option<Moment>,
    /// The commit on the default branch; before the merge, a throw-away one of GitHub's.
    pub merge_sha: Option<String>,
    /// The name of the branch.
    pub head_ref: String,
    /// The branch that it is for.
    pub base_ref: &'static str,
    /// The commit of that branch that it started from.
    pub base: Option<usize>,
    /// It came from a fork that is gone.
    pub from_lost_fork: bool,
    /// Lines added.
    pub additions: u32,
    /// Lines removed.
    pub deletions: u32,
    /// Files touched.
    pub changed_files: u32,
    /// Its labels.
    pub labels: Vec<&'static str>,
    /// Its commits of today, oldest first.
    pub commits: Vec<usize>,
    /// Its reviews, oldest first.
    pub reviews: Vec<Review>,
    /// Comments on its diff, oldest first.
    pub remarks: Vec<Remark>,
    /// Its conversation, oldest first.
    pub comments: Vec<Comment>,
    /// Other things that happened, oldest first.
    pub timeline: Vec<Happening>,
}

/// A verdict on a pull request.
#[derive(Debug)]
pub struct Review {
    /// GitHub's id.
    pub id: u64,
    /// Who gave it.
    pub author: Actor,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED` or `PENDING`.
    pub state: &'static str,
    /// When it was begun.
    pub created: Moment,
    /// When it was given; a pending one has not been.
    pub submitted: Option<Moment>,
    /// The commit it looked at.
    pub commit: usize,
}

/// A comment on a line of a diff.
#[derive(Debug)]
pub struct Remark {
    /// GitHub's id.
    pub id: u64,
    /// The position of its review in the pull request.
    pub review: usize,
    /// The position of the remark that it answers.
    pub answers: Option<usize>,
    /// Who wrote it.
    pub author: Actor,
    /// When.
    pub created: Moment,
    /// What it says.
    pub text: String,
}

/// A comment in a conversation.
#[derive(Debug)]
pub struct Comment {
    /// GitHub's id.
    pub id: u64,
    /// Who wrote it.
    pub author: Actor,
    /// When.
    pub created: Moment,
    /// What it says.
    pub text: String,
}

/// Something that happened to a pull request.
#[derive(Debug)]
pub struct Happening {
    /// When.
    pub at: Moment,
    /// What.
    pub what: What,
}

/// What can happen to a pull request beside commits, reviews and comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A draft became ready.
    Ready,
    /// It became a draft.
    Draft,
    /// Somebody was asked for a review.
    ReviewRequested,
    /// The branch was rewritten.
    ForcePushed {
        /// The last commit before, where GitHub still knows it.
        before: Option<usize>,
        /// The last commit after.
        after: usize,
    },
    /// It was closed.
    Closed,
    /// It was opened again.
    Reopened,
}

/// A deployment.
#[derive(Debug)]
pub struct Deployment {
    /// GitHub's id.
    pub id: u64,
    /// Where to.
    pub environment: Environment,
    /// What.
    pub commit: usize,
    /// Why.
    pub reason: Reason,
    /// When it was asked for.
    pub created: Moment,
    /// When it was last touched.
    pub updated: Moment,
    /// What became of it, oldest first.
    pub statuses: Vec<DeploymentStatus>,
    /// The pull requests that it brought.
    pub content: Vec<usize>,
}

/// Where a deployment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    Staging,
    Production,
}

impl Environment {
    /// As GitHub is told.
    pub fn word(self) -> &'static str {
        match self {
            Environment::Staging => "staging",
            Environment::Production => "production",
        }
    }
}

/// Why a deployment was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Something new.
    Release,
    /// The last attempt failed.
    Retry,
    /// The same once more.
    Redeploy,
    /// Back to what ran before.
    Rollback,
}

/// One step of a deployment.
#[derive(Debug)]
pub struct DeploymentStatus {
    /// GitHub's id.
    pub id: u64,
    /// In lower case, as REST spells it.
    pub state: &'static str,
    /// When.
    pub at: Moment,
}

/// A run of a workflow.
#[derive(Debug)]
pub struct Run {
    /// GitHub's id.
    pub id: u64,
    /// `ci` or `deploy`.
    pub workflow: &'static str,
    /// The commit.
    pub commit: usize,
    /// When it was asked for.
    pub created: Moment,
    /// When its last attempt began.
    pub started: Moment,
    /// When it was last touched.
    pub updated: Moment,
    /// How it ended.
    pub conclusion: &'static str,
    /// From 1.
    pub attempt: u32,
}

/// A release.
#[derive(Debug)]
pub struct Release {
    /// GitHub's id.
    pub id: u64,
    /// For example `v1.8.0`.
    pub tag: String,
    /// The commit.
    pub commit: usize,
    /// When it was made.
    pub created: Moment,
    /// When it was shown to everybody; drafts are not.
    pub published: Option<Moment>,
}

//! What one page of a source says, to be kept whole or not at all.

use crate::deployment::{Deployment, Shipment};
use crate::issue::{Change, Issue};
use crate::project::{IssueType, Project, Status};
use crate::pull_request::{PullRequest, ReviewComment};
use crate::repository::{Commit, Repository};
use crate::rules::Source;
use crate::sprint::Sprint;

/// The facts of a page. All of them come from one connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Projects, by whatever list.
    pub projects: Vec<Project>,
    /// `projects` is the whole list: those that are not on it are no longer active.
    pub projects_are_all: bool,
    /// Issue types.
    pub issue_types: Vec<IssueType>,
    /// Statuses.
    pub statuses: Vec<Status>,
    /// Sprints.
    pub sprints: Vec<Sprint>,
    /// Issues. Their types and statuses need not be listed above.
    pub issues: Vec<Issue>,
    /// Items of changelogs, of issues listed above or kept before.
    pub changes: Vec<Change>,
    /// Jira's ids of issues whose changelog is complete with `changes`.
    pub completed_changelogs: Vec<i64>,
    /// Jira's ids of issues that are gone.
    pub deleted_issues: Vec<i64>,
    /// Repositories, by whatever list.
    pub repositories: Vec<Repository>,
    /// `repositories` is the whole list: those that are not on it are no longer active.
    pub repositories_are_all: bool,
    /// What follows belongs to the repository with this GitHub id.
    pub repository_id: i64,
    /// Pull requests with their complete commits, reviews and comments, which replace those kept.
    pub pull_requests: Vec<PullRequest>,
    /// Comments on diffs. One on a pull request that was never kept is left out.
    pub review_comments: Vec<ReviewComment>,
    /// Commits with their parents: of the default branch, of what was deployed and of what was merged.
    pub commits: Vec<Commit>,
    /// Shas that were asked for and that GitHub does not know.
    pub gone_commits: Vec<String>,
    /// Deployments.
    pub deployments: Vec<Deployment>,
    /// Runs of workflows, and releases.
    pub shipments: Vec<Shipment>,
    /// Ids of runs that came to no result. Nothing stays of them but a result that they had before.
    pub resultless_runs: Vec<String>,
    /// Of this source everything was told with this page that was not known before.
    pub read_to_end: Option<Source>,
}

impl Facts {
    /// Rows that the page makes or confirms, with everything that hangs on its pull requests.
    pub fn rows(&self) -> usize {
        let hanging = |pr: &PullRequest| pr.commits.len() + pr.reviews.len() + pr.comments.len();
        self.projects.len()
            + self.issue_types.len()
            + self.statuses.len()
            + self.sprints.len()
            + self.issues.len()
            + self.changes.len()
            + self.deleted_issues.len()
            + self.repositories.len()
            + self.pull_requests.len()
            + self.pull_requests.iter().map(hanging).sum::<usize>()
            + self.review_comments.len()
            + self.commits.len()
            + self.deployments.len()
            + self.shipments.len()
    }
}

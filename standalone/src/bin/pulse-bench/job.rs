//! The two jobs, as far as the benchmark must know them.

use serde::{Deserialize, Serialize};

/// A job to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Job {
    Jira,
    Git,
}

impl Job {
    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Job::Jira => "jira_sync",
            Job::Git => "git_sync",
        }
    }

    /// The tables that it fills from its source.
    pub fn tables(self) -> &'static [&'static str] {
        match self {
            Job::Jira => {
                &["projects", "issue_types", "statuses", "sprints", "issues", "issue_changes"]
            }
            Job::Git => &[
                "repositories",
                "pull_requests",
                "commits",
                "pull_request_commits",
                "reviews",
                "comments",
                "review_comments",
                "deployments",
            ],
        }
    }

    /// Whether requests to a route count towards its goal: for issues, those that bring them.
    pub fn counts(self, route: &str) -> bool {
        match self {
            Job::Jira => ["search/jql", "changelog/bulkfetch"].contains(&route),
            Job::Git => true,
        }
    }
}

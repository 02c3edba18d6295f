//! Domain types to rows, before the transaction begins: it holds locks, this does not.

use std::borrow::Cow;

use domain::deployment::{Deployment, Shipment};
use domain::facts::Facts as Page;
use domain::issue::{Change, Issue};
use domain::project::{IssueType, Project, Status};
use domain::pull_request::{Actor, Comment, PullRequest, Review, ReviewComment};
use domain::repository::{Commit, Repository};
use domain::rules::Source;
use domain::sprint::Sprint;

use crate::Error;
use crate::fact_table::last_of_each;
use crate::models::facts::*;
use crate::types::{Json, Ts};

/// The rows of one or more pages: sorted by key, no key twice.
pub(crate) struct Batch {
    pub(crate) projects: Vec<ProjectRow>,
    pub(crate) projects_are_all: bool,
    pub(crate) issue_types: Vec<IssueTypeRow>,
    pub(crate) statuses: Vec<StatusRow>,
    pub(crate) sprints: Vec<SprintRow>,
    /// What issues say of their type, for a type that no list has told yet.
    pub(crate) types_of_issues: Vec<IssueTypeRow>,
    /// What issues say of their status, for a status that no list has told yet.
    pub(crate) statuses_of_issues: Vec<StatusRow>,
    pub(crate) issues: Vec<IssueRow>,
    pub(crate) changes: Vec<ChangeRow>,
    pub(crate) completed_changelogs: Vec<i64>,
    pub(crate) deleted_issues: Vec<i64>,
    pub(crate) repositories: Vec<RepositoryRow>,
    pub(crate) repositories_are_all: bool,
    pub(crate) repository_id: i64,
    pub(crate) pull_requests: PullRequests,
    /// Comments on diffs, also of pull requests that are not kept.
    pub(crate) review_comments: Vec<ReviewCommentRow>,
    /// Commits of pull requests, and those that were told with their parents.
    pub(crate) commits: Vec<CommitRow>,
    pub(crate) gone_commits: Vec<String>,
    pub(crate) deployments: Vec<DeploymentRow>,
    pub(crate) shipments: Vec<ShipmentRow>,
    pub(crate) resultless_runs: Vec<String>,
    pub(crate) read_to_end: Option<Source>,
}

/// Pull requests with what hangs on them, complete.
#[derive(Clone, Default)]
pub(crate) struct PullRequests {
    pub(crate) rows: Vec<PullRequestRow>,
    pub(crate) commits: Vec<PullRequestCommitRow>,
    pub(crate) reviews: Vec<ReviewRow>,
    pub(crate) comments: Vec<CommentRow>,
}

impl PullRequests {
    /// All but those with the given numbers.
    pub(crate) fn without(&self, numbers: &[i64]) -> Cow<'_, PullRequests> {
        if numbers.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut rest = self.clone();
        rest.rows.retain(|row| !numbers.contains(&row.number));
        rest.commits.retain(|row| !numbers.contains(&row.number));
        rest.reviews.retain(|row| !numbers.contains(&row.number));
        rest.comments.retain(|row| !numbers.contains(&row.number));
        Cow::Owned(rest)
    }
}

impl From<Page> for Batch {
    fn from(page: Page) -> Batch {
        let repository = page.repository_id;
        let mut issues = page.issues;
        issues.sort_by_key(|issue| issue.updated_at);
        let types_of_issues = issues.iter().map(|issue| issue_type(&issue.issue_type)).collect();
        let statuses_of_issues = issues.iter().map(|issue| status(&issue.status)).collect();

        // Those with parents last, because the last of a key wins.
        let mut commits = Vec::new();
        let pull_requests = pull_requests(repository, page.pull_requests, &mut commits);
        commits.extend(page.commits.into_iter().map(|commit| commit_row(repository, commit)));
        commits.sort_by_key(|commit| commit.parents.is_some());

        Batch {
            projects: last_of_each(page.projects.into_iter().map(project_row).collect()),
            projects_are_all: page.projects_are_all,
            issue_types: last_of_each(page.issue_types.iter().map(issue_type).collect()),
            statuses: last_of_each(page.statuses.iter().map(status).collect()),
            sprints: last_of_each(page.sprints.into_iter().map(sprint).collect()),
            types_of_issues: last_of_each(types_of_issues),
            statuses_of_issues: last_of_each(statuses_of_issues),
            issues: last_of_each(issues.into_iter().map(issue).collect()),
            changes: last_of_each(page.changes.into_iter().map(change).collect()),
            completed_changelogs: page.completed_changelogs,
            deleted_issues: page.deleted_issues,
            repositories: last_of_each(page.repositories.into_iter().map(repository_row).collect()),
            repositories_are_all: page.repositories_are_all,
            repository_id: repository,
            pull_requests,
            review_comments: last_of_each(
                page.review_comments
                    .into_iter()
                    .map(|comment| review_comment(repository, comment))
                    .collect(),
            ),
            commits: last_of_each(commits),
            gone_commits: page.gone_commits,
            shipments: last_of_each(
                page.shipments.into_iter().map(|shipped| shipment(repository, shipped)).collect(),
            ),
            resultless_runs: page.resultless_runs,
            read_to_end: page.read_to_end,
            deployments: last_of_each(
                page.deployments
                    .into_iter()
                    .map(|deployed| deployment(repository, deployed))
                    .collect(),
            ),
        }
    }
}

/// Takes each pull request apart, the newest where one is told twice. Its commits go to `commits`.
fn pull_requests(
    repository_id: i64,
    mut told: Vec<PullRequest>,
    commits: &mut Vec<CommitRow>,
) -> PullRequests {
    told.sort_by_key(|pr| (pr.number, std::cmp::Reverse(pr.updated_at)));
    told.dedup_by_key(|pr| pr.number);

    let mut parts = PullRequests::default();
    for mut pr in told {
        let number = pr.number;
        for (commit, position) in std::mem::take(&mut pr.commits).into_iter().zip(0..) {
            let sha = commit.sha.clone();
            parts.commits.push(PullRequestCommitRow { repository_id, number, sha, position });
            commits.push(commit_row(repository_id, commit));
        }
        for told in std::mem::take(&mut pr.reviews) {
            parts.reviews.push(review(repository_id, number, told));
        }
        for told in std::mem::take(&mut pr.comments) {
            parts.comments.push(comment(repository_id, number, told));
        }
        parts.rows.push(pull_request(repository_id, pr));
    }
    parts.commits = last_of_each(parts.commits);
    parts.reviews = last_of_each(parts.reviews);
    parts.comments = last_of_each(parts.comments);
    parts
}

fn project_row(project: Project) -> ProjectRow {
    ProjectRow {
        external_id: project.external_id,
        key: project.key,
        name: project.name,
        kind: project.kind,
        former_keys: Json::texts(&project.former_keys),
        active: true,
    }
}

/// A project from its row.
pub(crate) fn project(row: ProjectRow) -> Result<Project, Error> {
    Ok(Project {
        external_id: row.external_id,
        former_keys: row.former_keys.to_texts()?,
        key: row.key,
        name: row.name,
        kind: row.kind,
    })
}

fn issue_type(of: &IssueType) -> IssueTypeRow {
    IssueTypeRow {
        external_id: of.external_id,
        name: of.name.clone(),
        hierarchy_level: of.hierarchy_level,
        active: true,
    }
}

fn status(of: &Status) -> StatusRow {
    StatusRow {
        external_id: of.external_id,
        name: of.name.clone(),
        category: of.category.as_str().to_owned(),
        active: true,
    }
}

fn sprint(sprint: Sprint) -> SprintRow {
    SprintRow {
        external_id: sprint.external_id,
        board_id: sprint.board_id,
        name: sprint.name,
        state: sprint.state,
        started_at: sprint.started_at.map(Ts),
        ends_at: sprint.ends_at.map(Ts),
        completed_at: sprint.completed_at.map(Ts),
    }
}

fn issue(issue: Issue) -> IssueRow {
    IssueRow {
        external_id: issue.external_id,
        project_id: issue.project_id,
        key: issue.key,
        type_id: issue.issue_type.external_id,
        status_id: issue.status.external_id,
        summary: issue.summary,
        priority: issue.priority,
        assignee: issue.assignee,
        creator: issue.creator,
        parent_id: issue.parent_id,
        parent_key: issue.parent_key,
        labels: Json::texts(&issue.labels),
        components: Json::texts(&issue.components),
        moments: Json::moments(&issue.moments),
        mentions: Json::texts_by_name(&issue.mentions),
        story_points: issue.story_points,
        sprints: Json::texts(&issue.sprints),
        created_at: Ts(issue.created_at),
        updated_at: Ts(issue.updated_at),
        resolved_at: issue.resolved_at.map(Ts),
        changelog_complete: issue.changelog_complete,
        deleted: false,
    }
}

fn change(change: Change) -> ChangeRow {
    ChangeRow {
        issue_id: change.issue_id,
        change_id: change.change_id,
        item_index: change.item_index,
        field: change.field,
        from_value: change.from_value,
        from_string: change.from_string,
        to_value: change.to_value,
        to_string: change.to_string,
        author: change.author,
        changed_at: Ts(change.changed_at),
    }
}

fn repository_row(repository: Repository) -> RepositoryRow {
    RepositoryRow {
        external_id: repository.external_id,
        full_name: repository.full_name,
        default_branch: repository.default_branch,
        archived: repository.archived,
        active: true,
    }
}

/// A repository from its row.
pub(crate) fn repository(row: RepositoryRow) -> Repository {
    Repository {
        external_id: row.external_id,
        full_name: row.full_name,
        default_branch: row.default_branch,
        archived: row.archived,
    }
}

fn pull_request(repository_id: i64, pr: PullRequest) -> PullRequestRow {
    let (author, author_is_bot) = actor(pr.author);
    PullRequestRow {
        repository_id,
        number: pr.number,
        external_id: pr.external_id,
        title: pr.title,
        state: pr.state.as_str().to_owned(),
        draft: pr.draft,
        author,
        author_is_bot,
        created_at: Ts(pr.created_at),
        updated_at: Ts(pr.updated_at),
        merged_at: pr.merged_at.map(Ts),
        closed_at: pr.closed_at.map(Ts),
        ready_at: pr.ready_at.map(Ts),
        merge_commit_sha: pr.merge_commit_sha,
        head_ref: pr.head_ref,
        base_ref: pr.base_ref,
        head_sha: pr.head_sha,
        additions: pr.additions,
        deletions: pr.deletions,
        changed_files: pr.changed_files,
    }
}

fn commit_row(repository_id: i64, commit: Commit) -> CommitRow {
    CommitRow {
        repository_id,
        sha: commit.sha,
        author: commit.author,
        authored_at: Ts(commit.authored_at),
        committed_at: Ts(commit.committed_at),
        message: commit.message,
        parents: commit.parents.as_deref().map(Json::texts),
    }
}

fn review(repository_id: i64, number: i64, review: Review) -> ReviewRow {
    let (author, author_is_bot) = actor(review.author);
    ReviewRow {
        repository_id,
        number,
        external_id: review.external_id,
        author,
        author_is_bot,
        state: review.state,
        submitted_at: review.submitted_at.map(Ts),
    }
}

fn comment(repository_id: i64, number: i64, comment: Comment) -> CommentRow {
    let (author, author_is_bot) = actor(comment.author);
    CommentRow {
        repository_id,
        number,
        external_id: comment.external_id,
        author,
        author_is_bot,
        created_at: Ts(comment.created_at),
    }
}

fn review_comment(repository_id: i64, comment: ReviewComment) -> ReviewCommentRow {
    let (author, author_is_bot) = actor(comment.author);
    ReviewCommentRow {
        repository_id,
        number: comment.number,
        external_id: comment.external_id,
        author,
        author_is_bot,
        created_at: Ts(comment.created_at),
    }
}

fn shipment(repository_id: i64, shipment: Shipment) -> ShipmentRow {
    ShipmentRow {
        repository_id,
        source: shipment.source.as_str().to_owned(),
        external_id: shipment.external_id,
        name: shipment.name,
        path: shipment.path,
        sha: shipment.sha,
        outcome: shipment.outcome.as_str().to_owned(),
        created_at: Ts(shipment.created_at),
        finished_at: shipment.finished_at.map(Ts),
    }
}

fn deployment(repository_id: i64, deployment: Deployment) -> DeploymentRow {
    DeploymentRow {
        repository_id,
        external_id: deployment.external_id,
        environment: deployment.environment,
        sha: deployment.sha,
        outcome: deployment.outcome.as_str().to_owned(),
        created_at: Ts(deployment.created_at),
        finished_at: deployment.finished_at.map(Ts),
        estimated: deployment.estimated,
    }
}

/// A deleted user is nobody, and no bot.
fn actor(actor: Option<Actor>) -> (Option<String>, bool) {
    match actor {
        Some(Actor { login, bot }) => (Some(login), bot),
        None => (None, false),
    }
}

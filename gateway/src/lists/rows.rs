//! The fields of each list, in their order. Ids that other systems gave are words.

use domain::ids::ClientId;
use store::Lists;
use store::lists::{
    Comment, Commit, Deployment, Filter, Incident, Issue, IssueChange, Key, Page, PullRequest,
    Repository, Review, ReviewComment, StatusInterval,
};

use super::cell::Cell;
use super::{Fields, Row, fields};

macro_rules! rows {
    ($($row:ident: $type:ty as $list:literal from $read:ident {
        $($field:literal => $value:expr),+ $(,)?
    })+) => {
        /// Every list, by its name in addresses, with its fields.
        pub(crate) const LISTS: &[(&str, &[&str])] = &[$(($list, <$type>::FIELDS)),+];
        $(
        fields!($type as $row { $($field => $value),+ });

        impl Row for $type {
            const LIST: &'static str = $list;

            async fn page(
                lists: &Lists,
                client: ClientId,
                filter: &Filter,
                after: Option<&Key>,
                limit: u32,
            ) -> Result<Page<Self>, store::Error> {
                lists.$read(client, filter, after, limit).await
            }
        }
        )+
    };
}

rows! {
    issue: Issue as "issues" from issues {
        "external_id" => Cell::Id(issue.external_id),
        "key" => &issue.key,
        "project" => &issue.project,
        "type" => &issue.issue_type,
        "type_id" => Cell::Id(issue.type_id),
        "status" => &issue.status,
        "status_category" => &issue.status_category,
        "summary" => &issue.summary,
        "priority" => &issue.priority,
        "assignee" => &issue.assignee,
        "creator" => &issue.creator,
        "parent_key" => &issue.parent_key,
        "labels" => &issue.labels,
        "story_points" => &issue.story_points,
        "sprints" => &issue.sprints,
        "created_at" => &issue.created_at,
        "updated_at" => &issue.updated_at,
        "resolved_at" => &issue.resolved_at,
        "step" => &issue.step,
        "committed_at" => &issue.committed_at,
        "started_at" => &issue.started_at,
        "done_at" => &issue.done_at,
        "lead_time_seconds" => &issue.lead_time_seconds,
        "cycle_time_seconds" => &issue.cycle_time_seconds,
        "deleted" => &issue.deleted,
        "integration_id" => &issue.integration_id,
        "components" => &issue.components,
    }
    change: IssueChange as "issue-changes" from issue_changes {
        "issue_key" => &change.issue_key,
        "change_id" => Cell::Id(change.change_id),
        "item_index" => &change.item_index,
        "field" => &change.field,
        "from" => &change.from_value,
        "from_string" => &change.from_string,
        "to" => &change.to_value,
        "to_string" => &change.to_string,
        "author" => &change.author,
        "changed_at" => &change.changed_at,
        "integration_id" => &change.integration_id,
    }
    interval: StatusInterval as "status-intervals" from status_intervals {
        "issue_key" => &interval.issue_key,
        "status" => &interval.status,
        "step" => &interval.step,
        "category" => &interval.category,
        "started_at" => &interval.started_at,
        "ended_at" => &interval.ended_at,
        "seconds" => &interval.seconds,
        "integration_id" => &interval.integration_id,
    }
    repository: Repository as "repositories" from repositories {
        "external_id" => Cell::Id(repository.external_id),
        "full_name" => &repository.full_name,
        "default_branch" => &repository.default_branch,
        "archived" => &repository.archived,
        "integration_id" => &repository.integration_id,
    }
    pull: PullRequest as "pull-requests" from pull_requests {
        "repository" => &pull.repository,
        "number" => &pull.number,
        "external_id" => Cell::Id(pull.external_id),
        "title" => &pull.title,
        "state" => &pull.state,
        "draft" => &pull.draft,
        "author" => &pull.author,
        "created_at" => &pull.created_at,
        "updated_at" => &pull.updated_at,
        "merged_at" => &pull.merged_at,
        "closed_at" => &pull.closed_at,
        "merge_commit_sha" => &pull.merge_commit_sha,
        "head_ref" => &pull.head_ref,
        "base_ref" => &pull.base_ref,
        "head_sha" => &pull.head_sha,
        "additions" => &pull.additions,
        "deletions" => &pull.deletions,
        "changed_files" => &pull.changed_files,
        "commits" => &pull.commits,
        "reviews" => &pull.reviews,
        "review_comments" => &pull.review_comments,
        "comments" => &pull.comments,
        "first_commit_at" => &pull.first_commit_at,
        "first_review_at" => &pull.first_review_at,
        "coding_seconds" => &pull.coding_seconds,
        "pickup_seconds" => &pull.pickup_seconds,
        "review_seconds" => &pull.review_seconds,
        "deploy_seconds" => &pull.deploy_seconds,
        "lead_time_seconds" => &pull.lead_time_seconds,
        "deployment_id" => &pull.deployment_id,
        "issue_keys" => &pull.issue_keys,
        "integration_id" => &pull.integration_id,
        "bot" => &pull.bot,
    }
    review: Review as "reviews" from reviews {
        "repository" => &review.repository,
        "number" => &review.number,
        "external_id" => Cell::Id(review.external_id),
        "author" => &review.author,
        "state" => &review.state,
        "submitted_at" => &review.submitted_at,
        "integration_id" => &review.integration_id,
        "bot" => &review.bot,
    }
    comment: ReviewComment as "review-comments" from review_comments {
        "repository" => &comment.repository,
        "number" => &comment.number,
        "external_id" => Cell::Id(comment.external_id),
        "author" => &comment.author,
        "created_at" => &comment.created_at,
        "integration_id" => &comment.integration_id,
    }
    comment: Comment as "comments" from comments {
        "repository" => &comment.repository,
        "number" => &comment.number,
        "external_id" => Cell::Id(comment.external_id),
        "author" => &comment.author,
        "created_at" => &comment.created_at,
        "integration_id" => &comment.integration_id,
    }
    commit: Commit as "commits" from commits {
        "repository" => &commit.repository,
        "number" => &commit.number,
        "sha" => &commit.sha,
        "author" => &commit.author,
        "authored_at" => &commit.authored_at,
        "committed_at" => &commit.committed_at,
        "message" => &commit.message,
        "integration_id" => &commit.integration_id,
    }
    deployment: Deployment as "deployments" from deployments {
        "repository" => &deployment.repository,
        "external_id" => &deployment.external_id,
        "environment" => &deployment.environment,
        "sha" => &deployment.sha,
        "outcome" => &deployment.outcome,
        "finished_at" => &deployment.finished_at,
        "estimated" => &deployment.estimated,
        "previous_id" => &deployment.previous_id,
        "rollback" => &deployment.rollback,
        "pull_requests" => &deployment.pull_requests,
        "incidents" => &deployment.incidents,
        "integration_id" => &deployment.integration_id,
        "source" => &deployment.source,
    }
    incident: Incident as "incidents" from incidents {
        "issue_key" => &incident.issue_key,
        "started_at" => &incident.started_at,
        "ended_at" => &incident.ended_at,
        "deployment_id" => &incident.deployment_id,
        "rule" => &incident.rule,
        "integration_id" => &incident.integration_id,
    }
}

//! Rows of the facts, as pages bring them: without client and connection.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Integer, Nullable, Text};

use crate::fact_table::fact_rows;
use crate::types::{Json, JsonDoc, Ts, Tstz};

fact_rows! {
    /// A row of `changed_issues`.
    ChangedIssueRow of "changed_issues", staged in stage_changed_issues {
        key { issue_id: i64 as BigInt }
        rest {}
    }

    /// A row of `changed_repositories`.
    ChangedRepositoryRow of "changed_repositories", staged in stage_changed_repositories {
        key { repository_id: i64 as BigInt, taken: bool as Bool }
        rest {}
    }

    /// A row of `projects`.
    ProjectRow of "projects", staged in stage_projects {
        key { external_id: i64 as BigInt }
        rest {
            key: String as Text,
            name: String as Text,
            kind: String as Text,
            former_keys: Json as JsonDoc,
            active: bool as Bool,
        }
    }

    /// A row of `issue_types`.
    IssueTypeRow of "issue_types", staged in stage_issue_types {
        key { external_id: i64 as BigInt }
        rest {
            name: String as Text,
            hierarchy_level: i32 as Integer,
            active: bool as Bool,
        }
    }

    /// A row of `statuses`.
    StatusRow of "statuses", staged in stage_statuses {
        key { external_id: i64 as BigInt }
        rest {
            name: String as Text,
            category: String as Text,
            active: bool as Bool,
        }
    }

    /// A row of `sprints`.
    SprintRow of "sprints", staged in stage_sprints {
        key { external_id: i64 as BigInt }
        rest {
            board_id: i64 as BigInt,
            name: String as Text,
            state: String as Text,
            started_at: Option<Ts> as Nullable<Tstz>,
            ends_at: Option<Ts> as Nullable<Tstz>,
            completed_at: Option<Ts> as Nullable<Tstz>,
        }
    }

    /// A row of `issues`. A history that was completed stays complete until the issue changes.
    IssueRow of "issues", staged in stage_issues {
        key { external_id: i64 as BigInt }
        rest {
            project_id: i64 as BigInt,
            key: String as Text,
            type_id: i64 as BigInt,
            status_id: i64 as BigInt,
            summary: String as Text,
            priority: Option<String> as Nullable<Text>,
            assignee: Option<String> as Nullable<Text>,
            creator: Option<String> as Nullable<Text>,
            parent_id: Option<i64> as Nullable<BigInt>,
            parent_key: Option<String> as Nullable<Text>,
            labels: Json as JsonDoc,
            components: Json as JsonDoc,
            moments: Json as JsonDoc,
            mentions: Json as JsonDoc,
            story_points: Option<f64> as Nullable<Double>,
            sprints: Json as JsonDoc,
            created_at: Ts as Tstz,
            updated_at: Ts as Tstz,
            resolved_at: Option<Ts> as Nullable<Tstz>,
            changelog_complete: bool as Bool,
            deleted: bool as Bool,
        }
        merge {
            changelog_complete = "(excluded.changelog_complete OR \
                (issues.changelog_complete AND issues.updated_at >= excluded.updated_at))",
        }
        replaced if "issues.updated_at <= excluded.updated_at"
    }

    /// A row of `issue_changes`.
    ChangeRow of "issue_changes", staged in stage_issue_changes {
        key { issue_id: i64 as BigInt, change_id: i64 as BigInt, item_index: i32 as Integer }
        rest {
            field: String as Text,
            from_value: Option<String> as Nullable<Text>,
            from_string: Option<String> as Nullable<Text>,
            to_value: Option<String> as Nullable<Text>,
            to_string: Option<String> as Nullable<Text>,
            author: Option<String> as Nullable<Text>,
            changed_at: Ts as Tstz,
        }
    }

    /// A row of `repositories`.
    RepositoryRow of "repositories", staged in stage_repositories {
        key { external_id: i64 as BigInt }
        rest {
            full_name: String as Text,
            default_branch: Option<String> as Nullable<Text>,
            archived: bool as Bool,
            active: bool as Bool,
        }
    }

    /// A row of `pull_requests`.
    PullRequestRow of "pull_requests", staged in stage_pull_requests {
        key { repository_id: i64 as BigInt, number: i64 as BigInt }
        rest {
            external_id: i64 as BigInt,
            title: String as Text,
            state: String as Text,
            draft: bool as Bool,
            author: Option<String> as Nullable<Text>,
            author_is_bot: bool as Bool,
            created_at: Ts as Tstz,
            updated_at: Ts as Tstz,
            merged_at: Option<Ts> as Nullable<Tstz>,
            closed_at: Option<Ts> as Nullable<Tstz>,
            ready_at: Option<Ts> as Nullable<Tstz>,
            merge_commit_sha: Option<String> as Nullable<Text>,
            head_ref: String as Text,
            base_ref: String as Text,
            head_sha: String as Text,
            additions: i64 as BigInt,
            deletions: i64 as BigInt,
            changed_files: i64 as BigInt,
        }
        replaced if "pull_requests.updated_at <= excluded.updated_at"
    }

    /// A row of `commits`. Pull requests do not tell the parents, and so never erase them.
    CommitRow of "commits", staged in stage_commits {
        key { repository_id: i64 as BigInt, sha: String as Text }
        rest {
            author: Option<String> as Nullable<Text>,
            authored_at: Ts as Tstz,
            committed_at: Ts as Tstz,
            message: String as Text,
            parents: Option<Json> as Nullable<JsonDoc>,
        }
        merge { parents = "coalesce(excluded.parents, commits.parents)" }
    }

    /// A row of `missing_commits`.
    MissingCommitRow of "missing_commits", staged in stage_missing_commits {
        key { repository_id: i64 as BigInt, sha: String as Text }
        rest { gone_at: Option<Ts> as Nullable<Tstz> }
    }

    /// A row of `pull_request_commits`.
    PullRequestCommitRow of "pull_request_commits", staged in stage_pull_request_commits {
        key { repository_id: i64 as BigInt, number: i64 as BigInt, sha: String as Text }
        rest { position: i32 as Integer }
    }

    /// A row of `reviews`.
    ReviewRow of "reviews", staged in stage_reviews {
        key { repository_id: i64 as BigInt, number: i64 as BigInt, external_id: i64 as BigInt }
        rest {
            author: Option<String> as Nullable<Text>,
            author_is_bot: bool as Bool,
            state: String as Text,
            submitted_at: Option<Ts> as Nullable<Tstz>,
        }
    }

    /// A row of `comments`.
    CommentRow of "comments", staged in stage_comments {
        key { repository_id: i64 as BigInt, number: i64 as BigInt, external_id: i64 as BigInt }
        rest {
            author: Option<String> as Nullable<Text>,
            author_is_bot: bool as Bool,
            created_at: Ts as Tstz,
        }
    }

    /// A row of `review_comments`.
    ReviewCommentRow of "review_comments", staged in stage_review_comments {
        key { repository_id: i64 as BigInt, number: i64 as BigInt, external_id: i64 as BigInt }
        rest {
            author: Option<String> as Nullable<Text>,
            author_is_bot: bool as Bool,
            created_at: Ts as Tstz,
        }
    }

    /// A row of `shipments`. A workflow that runs again takes nothing back before it has a result, and
    /// a success never.
    ShipmentRow of "shipments", staged in stage_shipments {
        key { repository_id: i64 as BigInt, source: String as Text, external_id: String as Text }
        rest {
            name: String as Text,
            path: Option<String> as Nullable<Text>,
            sha: String as Text,
            outcome: String as Text,
            created_at: Ts as Tstz,
            finished_at: Option<Ts> as Nullable<Tstz>,
        }
        merge {
            outcome = "CASE WHEN shipments.outcome = 'SUCCESS' OR excluded.outcome = 'PENDING' \
                THEN shipments.outcome ELSE excluded.outcome END",
            finished_at = "CASE WHEN shipments.outcome = 'SUCCESS' OR excluded.outcome = 'PENDING' \
                THEN shipments.finished_at ELSE excluded.finished_at END",
        }
    }

    /// A row of `deployments`.
    DeploymentRow of "deployments", staged in stage_deployments {
        key { repository_id: i64 as BigInt, external_id: String as Text }
        rest {
            environment: String as Text,
            sha: String as Text,
            outcome: String as Text,
            created_at: Ts as Tstz,
            finished_at: Option<Ts> as Nullable<Tstz>,
            estimated: bool as Bool,
        }
    }
}

//! Pull requests and what hangs on them.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text};
use domain::Moment;
use domain::ids::IntegrationId;
use domain::rules::BotRules;

use super::{Key, Listed};
use crate::types::{Id, Tstz, Uid, Words};

/// A pull request, with what was found out about it.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct PullRequest {
    /// The connection that it comes from.
    #[diesel(sql_type = Uid, deserialize_as = Id)]
    pub integration_id: IntegrationId,
    /// GitHub's id of the repository.
    #[diesel(sql_type = BigInt)]
    pub repository_id: i64,
    /// `owner/name` of the repository.
    #[diesel(sql_type = Text)]
    pub repository: String,
    /// The number in its repository.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// GitHub's id.
    #[diesel(sql_type = BigInt)]
    pub external_id: i64,
    /// The title.
    #[diesel(sql_type = Text)]
    pub title: String,
    /// `OPEN`, `CLOSED` or `MERGED`.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// Not yet ready for review.
    #[diesel(sql_type = Bool)]
    pub draft: bool,
    /// The login of who opened it.
    #[diesel(sql_type = Nullable<Text>)]
    pub author: Option<String>,
    /// Who opened it is a machine, by GitHub or by the client's list.
    #[diesel(sql_type = Bool)]
    pub bot: bool,
    /// When it was opened.
    #[diesel(sql_type = Tstz)]
    pub created_at: Moment,
    /// When GitHub last touched it.
    #[diesel(sql_type = Tstz)]
    pub updated_at: Moment,
    /// When it was merged.
    #[diesel(sql_type = Nullable<Tstz>)]
    pub merged_at: Option<Moment>,
    /// When it was closed, merged or not.
    #[diesel(sql_type = Nullable<Tstz>)]
    pub closed_at: Option<Moment>,
    /// The commit on the base branch.
    #[diesel(sql_type = Nullable<Text>)]
    pub merge_commit_sha: Option<String>,
    /// The name of the branch.
    #[diesel(sql_type = Text)]
    pub head_ref: String,
    /// The branch it aims at.
    #[diesel(sql_type = Text)]
    pub base_ref: String,
    /// The last commit of the branch.
    #[diesel(sql_type = Text)]
    pub head_sha: String,
    /// Lines added.
    #[diesel(sql_type = BigInt)]
    pub additions: i64,
    /// Lines removed.
    #[diesel(sql_type = BigInt)]
    pub deletions: i64,
    /// Files touched.
    #[diesel(sql_type = BigInt)]
    pub changed_files: i64,
    /// How many commits it has.
    #[diesel(sql_type = BigInt)]
    pub commits: i64,
    /// How many reviews it has.
    #[diesel(sql_type = BigInt)]
    pub reviews: i64,
    /// How many comments on its diff it has.
    #[diesel(sql_type = BigInt)]
    pub review_comments: i64,
    /// How many comments its conversation has.
    #[diesel(sql_type = BigInt)]
    pub comments: i64,
    /// When the first of its commits was written.
    #[diesel(sql_type = Nullable<Tstz>)]
    pub first_commit_at: Option<Moment>,
    /// When another human first reviewed it.
    #[diesel(sql_type = Nullable<Tstz>)]
    pub first_review_at: Option<Moment>,
    /// Seconds from its first commit to its opening.
    #[diesel(sql_type = Nullable<Double>)]
    pub coding_seconds: Option<f64>,
    /// Seconds from its opening to its first review.
    #[diesel(sql_type = Nullable<Double>)]
    pub pickup_seconds: Option<f64>,
    /// Seconds from its first review to its merge.
    #[diesel(sql_type = Nullable<Double>)]
    pub review_seconds: Option<f64>,
    /// Seconds from its merge to its deployment.
    #[diesel(sql_type = Nullable<Double>)]
    pub deploy_seconds: Option<f64>,
    /// Seconds from its first commit to its deployment.
    #[diesel(sql_type = Nullable<Double>)]
    pub lead_time_seconds: Option<f64>,
    /// The source's id of the deployment that brought it to production.
    #[diesel(sql_type = Nullable<Text>)]
    pub deployment_id: Option<String>,
    /// Keys of today of the issues that it names, sorted.
    #[diesel(sql_type = Text, deserialize_as = Words)]
    pub issue_keys: Vec<String>,
}

impl Listed for PullRequest {
    const SQL: &'static str = include_str!("pull_requests.sql");

    fn key(&self) -> Key {
        Key::new(self.integration_id, self.repository_id, self.number, 0)
    }

    const HAS_PEOPLE: bool = true;

    fn mark_bots(&mut self, bots: &BotRules) {
        self.bot = bots.is_bot(self.author.as_deref(), self.bot);
    }
}

/// A verdict on a pull request.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Review {
    /// The connection that it comes from.
    #[diesel(sql_type = Uid, deserialize_as = Id)]
    pub integration_id: IntegrationId,
    /// GitHub's id of the repository.
    #[diesel(sql_type = BigInt)]
    pub repository_id: i64,
    /// `owner/name` of the repository.
    #[diesel(sql_type = Text)]
    pub repository: String,
    /// The number of the pull request.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// GitHub's id.
    #[diesel(sql_type = BigInt)]
    pub external_id: i64,
    /// The login of who gave it.
    #[diesel(sql_type = Nullable<Text>)]
    pub author: Option<String>,
    /// Who gave it is a machine, by GitHub or by the client's list.
    #[diesel(sql_type = Bool)]
    pub bot: bool,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED` or `PENDING`.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// When; a pending review has none.
    #[diesel(sql_type = Nullable<Tstz>)]
    pub submitted_at: Option<Moment>,
}

impl Listed for Review {
    const SQL: &'static str = include_str!("reviews.sql");

    fn key(&self) -> Key {
        Key::new(self.integration_id, self.repository_id, self.number, self.external_id)
    }

    const HAS_PEOPLE: bool = true;

    fn mark_bots(&mut self, bots: &BotRules) {
        self.bot = bots.is_bot(self.author.as_deref(), self.bot);
    }
}

/// A comment on a line of a pull request's diff.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct ReviewComment {
    /// The connection that it comes from.
    #[diesel(sql_type = Uid, deserialize_as = Id)]
    pub integration_id: IntegrationId,
    /// GitHub's id of the repository.
    #[diesel(sql_type = BigInt)]
    pub repository_id: i64,
    /// `owner/name` of the repository.
    #[diesel(sql_type = Text)]
    pub repository: String,
    /// The number of the pull request.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// GitHub's id.
    #[diesel(sql_type = BigInt)]
    pub external_id: i64,
    /// The login of who wrote it.
    #[diesel(sql_type = Nullable<Text>)]
    pub author: Option<String>,
    /// When.
    #[diesel(sql_type = Tstz)]
    pub created_at: Moment,
}

impl Listed for ReviewComment {
    const SQL: &'static str = include_str!("review_comments.sql");

    fn key(&self) -> Key {
        Key::new(self.integration_id, self.repository_id, self.number, self.external_id)
    }
}

/// A comment in the conversation of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Comment {
    /// The connection that it comes from.
    #[diesel(sql_type = Uid, deserialize_as = Id)]
    pub integration_id: IntegrationId,
    /// GitHub's id of the repository.
    #[diesel(sql_type = BigInt)]
    pub repository_id: i64,
    /// `owner/name` of the repository.
    #[diesel(sql_type = Text)]
    pub repository: String,
    /// The number of the pull request.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// GitHub's id.
    #[diesel(sql_type = BigInt)]
    pub external_id: i64,
    /// The login of who wrote it.
    #[diesel(sql_type = Nullable<Text>)]
    pub author: Option<String>,
    /// When.
    #[diesel(sql_type = Tstz)]
    pub created_at: Moment,
}

impl Listed for Comment {
    const SQL: &'static str = include_str!("comments.sql");

    fn key(&self) -> Key {
        Key::new(self.integration_id, self.repository_id, self.number, self.external_id)
    }
}

/// A commit of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Commit {
    /// The connection that it comes from.
    #[diesel(sql_type = Uid, deserialize_as = Id)]
    pub integration_id: IntegrationId,
    /// GitHub's id of the repository.
    #[diesel(sql_type = BigInt)]
    pub repository_id: i64,
    /// `owner/name` of the repository.
    #[diesel(sql_type = Text)]
    pub repository: String,
    /// The number of the pull request.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// 40 hexadecimal digits.
    #[diesel(sql_type = Text)]
    pub sha: String,
    /// The login or name of the author.
    #[diesel(sql_type = Nullable<Text>)]
    pub author: Option<String>,
    /// When it was written.
    #[diesel(sql_type = Tstz)]
    pub authored_at: Moment,
    /// When it was applied.
    #[diesel(sql_type = Tstz)]
    pub committed_at: Moment,
    /// The whole message.
    #[diesel(sql_type = Text)]
    pub message: String,
}

impl Listed for Commit {
    const SQL: &'static str = include_str!("commits.sql");

    fn key(&self) -> Key {
        Key::with_text(self.integration_id, [self.repository_id, self.number], &self.sha)
    }
}

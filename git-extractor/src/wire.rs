//! What GitHub writes, as it writes it.

use domain::Moment;
use serde::Deserialize;

/// An answer of the GraphQL API. Errors can stand beside data.
#[derive(Debug, Deserialize)]
pub struct Answer<T> {
    pub data: Option<T>,
    #[serde(default)]
    pub errors: Vec<GraphqlError>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GraphqlError {
    #[serde(rename = "type", default)]
    pub kind: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub path: Vec<serde_json::Value>,
}

impl GraphqlError {
    /// Whether it is about what a query calls `alias`.
    pub fn is_about(&self, alias: &str) -> bool {
        self.path.first().and_then(serde_json::Value::as_str) == Some(alias)
    }

    /// Whether asking again does not help: it is not there, or not for us.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind.as_str(), "NOT_FOUND" | "FORBIDDEN")
    }
}

/// What is left of the quota; null where there is none.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    pub limit: u64,
    pub remaining: u64,
    pub reset_at: Moment,
}

/// The data of a query on one repository.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfRepository<T> {
    pub rate_limit: Option<RateLimit>,
    pub repository: Option<T>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PullRequests {
    pub pull_requests: Connection<PullRequest>,
}

#[derive(Debug, Deserialize)]
pub struct Deployments {
    pub deployments: Connection<Deployment>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DefaultBranch {
    pub default_branch_ref: Option<Branch>,
}

#[derive(Debug, Deserialize)]
pub struct Branch {
    pub target: Option<Target>,
}

#[derive(Debug, Deserialize)]
pub struct Target {
    /// Absent when the branch points at something that is no commit.
    pub history: Option<Connection<Commit>>,
}

/// A page of a list. A null entry is one that could not be read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection<T> {
    pub page_info: PageInfo,
    pub nodes: Vec<Option<T>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

impl PageInfo {
    /// Where the next page begins, if there is one.
    pub fn next(&self) -> Option<String> {
        self.end_cursor.clone().filter(|_| self.has_next_page)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PullRequest {
    pub id: String,
    pub full_database_id: Option<BigInt>,
    pub number: i64,
    pub state: String,
    pub is_draft: bool,
    pub title: String,
    pub created_at: Moment,
    pub updated_at: Moment,
    pub closed_at: Option<Moment>,
    pub merged_at: Option<Moment>,
    pub additions: i64,
    pub deletions: i64,
    pub changed_files: i64,
    pub head_ref_name: String,
    pub head_ref_oid: String,
    pub base_ref_name: String,
    pub merge_commit: Option<Oid>,
    pub author: Option<Actor>,
    pub commits: Connection<PullRequestCommit>,
    pub reviews: Connection<Review>,
    pub comments: Connection<Comment>,
    pub timeline_items: Connection<TimelineItem>,
}

/// More of one nested list of a pull request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rest {
    pub commits: Option<Connection<PullRequestCommit>>,
    pub reviews: Option<Connection<Review>>,
    pub comments: Option<Connection<Comment>>,
    pub timeline_items: Option<Connection<TimelineItem>>,
}

/// A BigInt: a text in the schema of today, a number in older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TextOrNumber")]
pub struct BigInt(pub i64);

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrNumber {
    Text(String),
    Number(i64),
}

impl TryFrom<TextOrNumber> for BigInt {
    type Error = std::num::ParseIntError;

    fn try_from(value: TextOrNumber) -> Result<BigInt, Self::Error> {
        match value {
            TextOrNumber::Text(text) => text.parse().map(BigInt),
            TextOrNumber::Number(number) => Ok(BigInt(number)),
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct Oid {
    pub oid: String,
}

#[derive(Debug, Deserialize)]
pub struct Actor {
    #[serde(rename = "__typename", default)]
    pub kind: String,
    pub login: String,
}

#[derive(Debug, Deserialize)]
pub struct PullRequestCommit {
    pub commit: Commit,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Commit {
    pub oid: String,
    pub message: String,
    pub authored_date: Moment,
    pub committed_date: Moment,
    pub author: Option<GitActor>,
    /// Asked for on the default branch only.
    pub parents: Option<Parents>,
}

#[derive(Debug, Deserialize)]
pub struct Parents {
    pub nodes: Vec<Option<Oid>>,
}

#[derive(Debug, Deserialize)]
pub struct GitActor {
    pub name: Option<String>,
    pub user: Option<User>,
}

#[derive(Debug, Deserialize)]
pub struct User {
    pub login: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    pub full_database_id: Option<BigInt>,
    pub state: String,
    pub submitted_at: Option<Moment>,
    pub author: Option<Actor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    pub full_database_id: Option<BigInt>,
    pub created_at: Moment,
    pub author: Option<Actor>,
}

/// An event of a pull request's life.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineItem {
    #[serde(rename = "__typename")]
    pub kind: String,
    pub created_at: Option<Moment>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    pub id: String,
    /// Absent where the number does not fit into GraphQL's Int.
    pub database_id: Option<i64>,
    pub commit_oid: String,
    pub environment: Option<String>,
    pub state: Option<String>,
    pub created_at: Moment,
    pub updated_at: Moment,
    pub statuses: Option<Statuses>,
}

/// The releases of a repository.
#[derive(Debug, Deserialize)]
pub struct Releases {
    pub releases: Connection<Release>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    pub id: String,
    /// Absent where the number does not fit into GraphQL's Int.
    pub database_id: Option<i64>,
    pub tag_name: String,
    pub is_draft: bool,
    pub created_at: Moment,
    pub published_at: Option<Moment>,
    /// Absent where the tag is gone.
    pub tag_commit: Option<Oid>,
}

/// A page of runs of workflows, by REST.
#[derive(Debug, Deserialize)]
pub struct Runs {
    pub workflow_runs: Vec<Run>,
}

/// A run of a workflow, by REST.
#[derive(Debug, Deserialize)]
pub struct Run {
    pub id: i64,
    pub name: Option<String>,
    #[serde(default)]
    pub path: String,
    pub head_sha: String,
    pub conclusion: Option<String>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statuses {
    pub page_info: Option<PageInfo>,
    pub nodes: Vec<Option<DeploymentStatus>>,
}

/// More of the statuses of a deployment.
#[derive(Debug, Deserialize)]
pub struct MoreStatuses {
    pub statuses: Statuses,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentStatus {
    pub state: String,
    pub created_at: Moment,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repository {
    pub database_id: i64,
    pub name_with_owner: String,
    pub is_archived: bool,
    pub default_branch_ref: Option<RefName>,
}

#[derive(Debug, Deserialize)]
pub struct RefName {
    pub name: String,
}

/// A comment on a diff, by REST.
#[derive(Debug, Deserialize)]
pub struct ReviewComment {
    pub id: i64,
    pub user: Option<RestUser>,
    pub created_at: Moment,
    pub pull_request_url: String,
}

#[derive(Debug, Deserialize)]
pub struct RestUser {
    pub login: String,
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// A repository in a REST list.
#[derive(Debug, Deserialize)]
pub struct ListedRepository {
    pub full_name: String,
}

/// The body of a refused REST call.
#[derive(Debug, Default, Deserialize)]
pub struct Refusal {
    #[serde(default)]
    pub message: String,
}

//! Repositories and their deployments.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use domain::Moment;
use domain::ids::IntegrationId;

use super::{Key, Listed};
use crate::types::{Id, Tstz, Uid};

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Repository {
    /// The connection that it comes from.
    #[diesel(sql_type = Uid, deserialize_as = Id)]
    pub integration_id: IntegrationId,
    /// GitHub's id.
    #[diesel(sql_type = BigInt)]
    pub external_id: i64,
    /// `owner/name` of today.
    #[diesel(sql_type = Text)]
    pub full_name: String,
    /// The branch that pull requests aim at.
    #[diesel(sql_type = Nullable<Text>)]
    pub default_branch: Option<String>,
    /// Read-only for good.
    #[diesel(sql_type = Bool)]
    pub archived: bool,
}

impl Listed for Repository {
    const SQL: &'static str = include_str!("repositories.sql");

    fn key(&self) -> Key {
        Key::new(self.integration_id, self.external_id, 0, 0)
    }
}

/// A deployment, with what was found out about it.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Deployment {
    /// The connection that it comes from.
    #[diesel(sql_type = Uid, deserialize_as = Id)]
    pub integration_id: IntegrationId,
    /// GitHub's id of the repository.
    #[diesel(sql_type = BigInt)]
    pub repository_id: i64,
    /// `owner/name` of the repository.
    #[diesel(sql_type = Text)]
    pub repository: String,
    /// GitHub's id of a deployment, or else one that begins with the source: `merge:412`.
    #[diesel(sql_type = Text)]
    pub external_id: String,
    /// What tells of it.
    #[diesel(sql_type = Text)]
    pub source: String,
    /// The environment by our rules, or as the source spells it where no rule matches.
    #[diesel(sql_type = Text)]
    pub environment: String,
    /// The commit deployed.
    #[diesel(sql_type = Text)]
    pub sha: String,
    /// `SUCCESS`, `FAILURE` or `PENDING`.
    #[diesel(sql_type = Text)]
    pub outcome: String,
    /// When it first succeeded, or last failed.
    #[diesel(sql_type = Nullable<Tstz>)]
    pub finished_at: Option<Moment>,
    /// Whether `finished_at` is a guess.
    #[diesel(sql_type = Bool)]
    pub estimated: bool,
    /// The source's id of the successful deployment before it.
    #[diesel(sql_type = Nullable<Text>)]
    pub previous_id: Option<String>,
    /// Whether it went back to an earlier commit.
    #[diesel(sql_type = Bool)]
    pub rollback: bool,
    /// How many pull requests it brought.
    #[diesel(sql_type = BigInt)]
    pub pull_requests: i64,
    /// How many incidents are blamed on it.
    #[diesel(sql_type = BigInt)]
    pub incidents: i64,
}

impl Listed for Deployment {
    const SQL: &'static str = include_str!("deployments.sql");

    fn key(&self) -> Key {
        Key::with_text(self.integration_id, [self.repository_id, 0], &self.external_id)
    }
}

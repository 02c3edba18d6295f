//! Incidents.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};
use domain::Moment;
use domain::ids::IntegrationId;

use super::{Key, Listed};
use crate::types::{Id, Tstz, Uid};

/// An issue that is an incident by the client's rules.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Incident {
    /// The connection that the issue comes from.
    #[diesel(sql_type = Uid, deserialize_as = Id)]
    pub integration_id: IntegrationId,
    /// Jira's id of the issue.
    #[diesel(sql_type = BigInt)]
    pub issue_id: i64,
    /// The issue's key of today.
    #[diesel(sql_type = Text)]
    pub issue_key: String,
    /// When it began.
    #[diesel(sql_type = Tstz)]
    pub started_at: Moment,
    /// When it was over.
    #[diesel(sql_type = Nullable<Tstz>)]
    pub ended_at: Option<Moment>,
    /// The source's id of the deployment that is blamed for it.
    #[diesel(sql_type = Nullable<Text>)]
    pub deployment_id: Option<String>,
    /// The rule that blames it.
    #[diesel(sql_type = Nullable<Text>)]
    pub rule: Option<String>,
}

impl Listed for Incident {
    const SQL: &'static str = include_str!("incidents.sql");

    fn key(&self) -> Key {
        Key::new(self.integration_id, self.issue_id, 0, 0)
    }
}

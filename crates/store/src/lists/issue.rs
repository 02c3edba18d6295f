//! Issues and their changes.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Double, Integer, Nullable, Text};
use domain::Moment;
use domain::ids::IntegrationId;

use super::{Key, Listed};
use crate::types::{Id, JsonDoc, Texts, Tstz, Uid};

/// An issue.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct Issue {
    /// The connection that it comes from.
    #[diesel(sql_type = Uid, deserialize_as = Id)]
    pub integration_id: IntegrationId,
    /// Jira's id.
    #[diesel(sql_type = BigInt)]
    pub external_id: i64,
    /// The key of today.
    #[diesel(sql_type = Text)]
    pub key: String,
    /// The key of its project.
    #[diesel(sql_type = Text)]
    pub project: String,
    /// The name of its type.
    #[diesel(sql_type = Text)]
    pub issue_type: String,
    /// Jira's id of its type.
    #[diesel(sql_type = BigInt)]
    pub type_id: i64,
    /// The name of its status.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// `TO_DO`, `IN_PROGRESS` or `DONE`.
    #[diesel(sql_type = Text)]
    pub status_category: String,
    /// The title.
    #[diesel(sql_type = Text)]
    pub summary: String,
    /// The name of the priority.
    #[diesel(sql_type = Nullable<Text>)]
    pub priority: Option<String>,
    /// The display name of the person it is assigned to.
    #[diesel(sql_type = Nullable<Text>)]
    pub assignee: Option<String>,
    /// The display name of the person who made it.
    #[diesel(sql_type = Nullable<Text>)]
    pub creator: Option<String>,
    /// The key of the parent: that of today, if the parent is kept, too.
    #[diesel(sql_type = Nullable<Text>)]
    pub parent_key: Option<String>,
    /// Sorted.
    #[diesel(sql_type = JsonDoc, deserialize_as = Texts)]
    pub labels: Vec<String>,
    /// Names of the parts of the product that it is about, sorted.
    #[diesel(sql_type = JsonDoc, deserialize_as = Texts)]
    pub components: Vec<String>,
    /// The estimate.
    #[diesel(sql_type = Nullable<Double>)]
    pub story_points: Option<f64>,
    /// Names of the sprints it was in.
    #[diesel(sql_type = JsonDoc, deserialize_as = Texts)]
    pub sprints: Vec<String>,
    /// When it was made.
    #[diesel(sql_type = Tstz)]
    pub created_at: Moment,
    /// When Jira last touched it.
    #[diesel(sql_type = Tstz)]
    pub updated_at: Moment,
    /// When a resolution was set.
    #[diesel(sql_type = Nullable<Tstz>)]
    pub resolved_at: Option<Moment>,
    /// The step in which it stands; nothing where it counts nowhere.
    #[diesel(sql_type = Nullable<Text>)]
    pub step: Option<String>,
    /// When we committed to it.
    #[diesel(sql_type = Nullable<Tstz>)]
    pub committed_at: Option<Moment>,
    /// When work began.
    #[diesel(sql_type = Nullable<Tstz>)]
    pub started_at: Option<Moment>,
    /// When it was done.
    #[diesel(sql_type = Nullable<Tstz>)]
    pub done_at: Option<Moment>,
    /// Seconds from commitment to done.
    #[diesel(sql_type = Nullable<Double>)]
    pub lead_time_seconds: Option<f64>,
    /// Seconds from start to done.
    #[diesel(sql_type = Nullable<Double>)]
    pub cycle_time_seconds: Option<f64>,
    /// Whether it is gone from Jira.
    #[diesel(sql_type = Bool)]
    pub deleted: bool,
}

impl Listed for Issue {
    const SQL: &'static str = include_str!("issues.sql");

    fn key(&self) -> Key {
        Key::new(self.integration_id, self.external_id, 0, 0)
    }
}

/// One item of one entry of an issue's changelog.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct IssueChange {
    /// The connection that it comes from.
    #[diesel(sql_type = Uid, deserialize_as = Id)]
    pub integration_id: IntegrationId,
    /// Jira's id of the issue.
    #[diesel(sql_type = BigInt)]
    pub issue_id: i64,
    /// The issue's key of today.
    #[diesel(sql_type = Text)]
    pub issue_key: String,
    /// Jira's id of the entry.
    #[diesel(sql_type = BigInt)]
    pub change_id: i64,
    /// The position in the entry, from 0.
    #[diesel(sql_type = Integer)]
    pub item_index: i32,
    /// The field's name as the changelog spells it.
    #[diesel(sql_type = Text)]
    pub field: String,
    /// The value's id before.
    #[diesel(sql_type = Nullable<Text>)]
    pub from_value: Option<String>,
    /// The value's text before.
    #[diesel(sql_type = Nullable<Text>)]
    pub from_string: Option<String>,
    /// The value's id after.
    #[diesel(sql_type = Nullable<Text>)]
    pub to_value: Option<String>,
    /// The value's text after.
    #[diesel(sql_type = Nullable<Text>)]
    pub to_string: Option<String>,
    /// The display name of who did it.
    #[diesel(sql_type = Nullable<Text>)]
    pub author: Option<String>,
    /// When.
    #[diesel(sql_type = Tstz)]
    pub changed_at: Moment,
}

impl Listed for IssueChange {
    const SQL: &'static str = include_str!("issue_changes.sql");

    fn key(&self) -> Key {
        Key::new(self.integration_id, self.issue_id, self.change_id, i64::from(self.item_index))
    }
}

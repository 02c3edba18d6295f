//! An issue and its history.

use crate::Moment;
use crate::project::{IssueType, Status};

/// An issue as it stands now.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// Jira's id: stable, also when the issue moves to another project.
    pub external_id: i64,
    /// Jira's id of the project it is in.
    pub project_id: i64,
    /// The key of today, for example `PAY-311`.
    pub key: String,
    /// What kind of issue it is.
    pub issue_type: IssueType,
    /// Where it stands.
    pub status: Status,
    /// The title.
    pub summary: String,
    /// The name of the priority.
    pub priority: Option<String>,
    /// The display name of the person it is assigned to.
    pub assignee: Option<String>,
    /// The display name of the person who made it.
    pub creator: Option<String>,
    /// Jira's id of the parent.
    pub parent_id: Option<i64>,
    /// The key of the parent when it was read.
    pub parent_key: Option<String>,
    /// Sorted.
    pub labels: Vec<String>,
    /// Names of the parts of the product that it is about, sorted.
    pub components: Vec<String>,
    /// Custom fields that hold a date and time, by their ids, sorted.
    pub moments: Vec<(String, Moment)>,
    /// Custom fields that hold one word, such as an id or an address, by their ids, sorted.
    pub mentions: Vec<(String, String)>,
    /// The estimate, in whatever unit the team uses.
    pub story_points: Option<f64>,
    /// Names of the sprints it was in, in Jira's order.
    pub sprints: Vec<String>,
    /// When it was made.
    pub created_at: Moment,
    /// When Jira last touched it.
    pub updated_at: Moment,
    /// When a resolution was set, where the workflow sets one.
    pub resolved_at: Option<Moment>,
    /// Whether the history that came with it is all there is.
    pub changelog_complete: bool,
}

/// One item of one changelog entry. An entry may have many, and none is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Jira's id of the issue.
    pub issue_id: i64,
    /// Jira's id of the entry.
    pub change_id: i64,
    /// The position in the entry, from 0.
    pub item_index: i32,
    /// The field's name as the changelog spells it, for example `status`.
    pub field: String,
    /// The value's id before.
    pub from_value: Option<String>,
    /// The value's text before.
    pub from_string: Option<String>,
    /// The value's id after.
    pub to_value: Option<String>,
    /// The value's text after.
    pub to_string: Option<String>,
    /// The display name of who did it; automation and erased users have none.
    pub author: Option<String>,
    /// When.
    pub changed_at: Moment,
}

//! Jira's reference data: projects, issue types, statuses.

use crate::text::words;

/// A Jira project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Jira's id, which survives a change of key.
    pub external_id: i64,
    /// The key of today, for example `PAY`.
    pub key: String,
    /// The name people see.
    pub name: String,
    /// `software`, `service_desk`, `product_discovery`, …: an open set.
    pub kind: String,
    /// Keys that it had before.
    pub former_keys: Vec<String>,
}

/// A type of issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueType {
    /// Jira's id.
    pub external_id: i64,
    /// The name people see.
    pub name: String,
    /// 1 is an epic, 0 a standard issue, -1 a sub-task.
    pub hierarchy_level: i32,
}

/// A status that an issue can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Jira's id. Team-managed projects own private statuses: same names, other ids.
    pub external_id: i64,
    /// The name people see.
    pub name: String,
    /// Jira's own grouping.
    pub category: StatusCategory,
}

/// Jira's grouping of statuses, by its stable key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusCategory {
    /// Not begun (`new`, and `undefined`).
    ToDo,
    /// Under way (`indeterminate`).
    InProgress,
    /// Over (`done`).
    Done,
}

words!("status category", StatusCategory {
    ToDo = "TO_DO",
    InProgress = "IN_PROGRESS",
    Done = "DONE",
});

impl StatusCategory {
    /// From Jira's category key. An unknown key counts as not begun, as Jira's `undefined` does.
    pub fn from_key(key: &str) -> StatusCategory {
        match key {
            "indeterminate" => StatusCategory::InProgress,
            "done" => StatusCategory::Done,
            _ => StatusCategory::ToDo,
        }
    }
}

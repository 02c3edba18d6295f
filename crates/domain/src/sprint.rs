//! A sprint of a scrum board.

use crate::Moment;

/// A sprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sprint {
    /// Jira's id.
    pub external_id: i64,
    /// Jira's id of the board that owns it.
    pub board_id: i64,
    /// The name people see.
    pub name: String,
    /// `future`, `active` or `closed`.
    pub state: String,
    /// When it began or should begin.
    pub started_at: Option<Moment>,
    /// When it should end.
    pub ends_at: Option<Moment>,
    /// When it was closed.
    pub completed_at: Option<Moment>,
}

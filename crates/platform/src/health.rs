//! How well a part of the house does, in the words that `/readyz` and the UI use.

use serde::Serialize;

/// From well to dead, in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Works as it should.
    Healthy,
    /// Works, but somebody should look.
    Warning,
    /// Does not work.
    Down,
}

/// What looking at one part showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The part that was looked at: `database`, `queue`, `cache`…
    pub name: String,
    /// How it does.
    pub status: Status,
    /// What a person should know, when there is something to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Check {
    /// A part that works as it should.
    pub fn healthy(name: impl Into<String>) -> Check {
        Check { name: name.into(), status: Status::Healthy, detail: None }
    }

    /// A part that works, but not as it should.
    pub fn warning(name: impl Into<String>, detail: impl Into<String>) -> Check {
        Check { name: name.into(), status: Status::Warning, detail: Some(detail.into()) }
    }

    /// A part that does not work.
    pub fn down(name: impl Into<String>, detail: impl Into<String>) -> Check {
        Check { name: name.into(), status: Status::Down, detail: Some(detail.into()) }
    }
}

/// The state of the whole is that of its worst part; nothing looked at is nothing wrong.
pub fn overall(checks: &[Check]) -> Status {
    checks.iter().map(|check| check.status).max().unwrap_or(Status::Healthy)
}

/// Whether `/readyz` may answer 200: warnings do not take a service out of rotation.
pub fn is_ready(checks: &[Check]) -> bool {
    overall(checks) < Status::Down
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_part_decides() {
        let healthy = Check::healthy("database");
        let warning = Check::warning("cache", "not reachable");
        let down = Check::down("queue", "not reachable");
        assert_eq!(overall(&[]), Status::Healthy);
        assert_eq!(overall(&[healthy.clone(), warning.clone()]), Status::Warning);
        assert!(is_ready(&[healthy.clone(), warning]));
        assert!(!is_ready(&[healthy, down]));
    }

    #[test]
    fn a_check_reads_in_lower_case_and_leaves_out_what_it_does_not_know() {
        let json = serde_json::to_string(&Check::healthy("queue")).unwrap();
        assert_eq!(json, r#"{"name":"queue","status":"healthy"}"#);
    }
}

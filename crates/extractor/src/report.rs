//! What testing a connection and searching its scopes answer, in the JSON that people's pages read.

use serde::Serialize;

/// A graded test of a connection, check by check.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether one can go on with this connection.
    pub ok: bool,
    /// In the order in which they build on each other.
    pub checks: Vec<Check>,
    /// Each scope that was asked for.
    pub scopes: Vec<ScopeCheck>,
}

/// One check.
#[derive(Debug, Serialize)]
pub struct Check {
    /// `address`, `reachable`, `auth`, `permissions`, `scope`, `quota` or `clock`.
    pub name: &'static str,
    /// How it went.
    pub status: Grade,
    /// What was found.
    pub detail: String,
    /// What to do about it; empty where there is nothing to do.
    pub hint: String,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should.
    Ok,
    /// One can go on, but should know.
    Warning,
    /// One cannot go on.
    Failed,
    /// Could not be tried, because an earlier check failed.
    Skipped,
}

/// Whether a scope can be read.
#[derive(Debug, Serialize)]
pub struct ScopeCheck {
    /// A project key or a repository's full name.
    pub key: String,
    /// The name people see.
    pub name: String,
    /// Whether it can be read.
    pub available: bool,
    /// Why not, and what to do; empty where it can.
    pub detail: String,
}

/// Scopes to pick from.
#[derive(Debug, Default, Serialize)]
pub struct Scopes {
    /// Those found.
    pub items: Vec<Scope>,
}

/// A scope to pick.
#[derive(Debug, Serialize)]
pub struct Scope {
    /// A project key or a repository's full name.
    pub key: String,
    /// The name people see.
    pub name: String,
}

/// The checks in their order.
const NAMES: [&str; 7] = ["address", "reachable", "auth", "permissions", "scope", "quota", "clock"];

impl Report {
    /// Adds a check that went well.
    pub fn passed(&mut self, name: &'static str, detail: impl Into<String>) {
        self.note(name, Grade::Ok, detail, "");
    }

    /// Adds a check.
    pub fn note(
        &mut self,
        name: &'static str,
        status: Grade,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.checks.push(Check { name, status, detail: detail.into(), hint: hint.into() });
    }

    /// Ends the test: what was not tried is skipped, and the whole is as good as its worst check.
    #[must_use]
    pub fn closed(mut self) -> Report {
        for name in NAMES {
            if !self.checks.iter().any(|check| check.name == name) {
                self.note(name, Grade::Skipped, "Not tried.", "");
            }
        }
        let place = |check: &Check| NAMES.iter().position(|name| *name == check.name);
        self.checks.sort_by_key(place);
        self.ok = !self.checks.iter().any(|check| check.status == Grade::Failed);
        self
    }

    /// The report as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report is always JSON")
    }
}

impl Scopes {
    /// The list as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a list of scopes is always JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_tried_is_skipped_and_one_failure_fails_the_whole() {
        let mut report = Report::default();
        report.passed("address", "acme.example");
        report.note("reachable", Grade::Failed, "Nobody answers.", "Check the address.");
        let report = report.closed();
        assert!(!report.ok);
        let names: Vec<_> = report.checks.iter().map(|check| check.name).collect();
        assert_eq!(names, NAMES);
        assert!(report.checks[2..].iter().all(|check| check.status == Grade::Skipped));
    }
}

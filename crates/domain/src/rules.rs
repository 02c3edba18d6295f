//! What a client says about its delivery: which deployments count and for which environment, which
//! issues are incidents, which repositories belong to which project, and who is a machine. What such rules
//! may say is decided here, and pure.

mod bots;
mod deployments;
mod glob;
mod incidents;
mod projects;
#[cfg(test)]
mod tests;

use regex::{Regex, RegexBuilder};

use crate::text::{folded, unfolding};

pub use bots::BotRules;
pub use deployments::{
    DeploymentRule, DeploymentRules, EnvironmentRule, RepositoryRules, Source, Verdict,
};
pub use incidents::{FieldValues, IncidentRule, IncidentRules, Suspect};
pub use projects::{ProjectRule, ProjectRules};

/// The environment that counts for DORA.
pub const PRODUCTION: &str = "production";

const MOST_RULES: usize = 200;
const MOST_NAMES: usize = 100;
const LONGEST_NAME: usize = 255;
const LONGEST_PATTERN: usize = 500;
/// Of all rules of a client together.
const MOST_PATTERNS: usize = 400;
/// Patterns come from people and run on every deployment, so none may grow large.
const LARGEST_PATTERN_BYTES: usize = 1 << 20;
/// Nor may all of a client's together.
const ALL_PATTERNS_BYTES: usize = 32 << 20;

/// Why the rules cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Somebody else changed them first.
    #[error("somebody else changed the rules meanwhile")]
    Stale,
    /// They say what cannot be.
    #[error("the rules have {} faults", .0.len())]
    Invalid(Vec<Fault>),
}

/// One thing that cannot be, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// As the API spells it: `rules[1].environments[0].match`.
    pub path: String,
    /// What it should be.
    pub reason: String,
}

/// Collects faults, so that a person sees all of them at once.
#[derive(Debug, Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.0.push(Fault { path: path.into(), reason: reason.into() });
    }

    fn or<T>(self, checked: T) -> Result<T, Refused> {
        if self.0.is_empty() { Ok(checked) } else { Err(Refused::Invalid(self.0)) }
    }

    fn check_count(&mut self, path: &str, count: usize, most: usize) {
        if count > most {
            self.add(path, format!("has {count} entries, but must have at most {most}"));
        }
    }

    /// A name without the space around it.
    fn name(&mut self, path: String, name: &str) -> String {
        let name = name.trim();
        if !is_text(name, LONGEST_NAME) {
            self.add(path, format!("must have 1 to {LONGEST_NAME} printable characters"));
        }
        name.to_owned()
    }

    /// A pattern that finds names whatever their case, and needs no more than `largest` bytes.
    fn pattern(&mut self, path: String, pattern: &str, largest: usize) -> Option<Regex> {
        if !is_text(pattern, LONGEST_PATTERN) {
            self.add(path, format!("must have 1 to {LONGEST_PATTERN} printable characters"));
            return None;
        }
        let mut builder = RegexBuilder::new(&unfolding(pattern));
        builder.case_insensitive(true).size_limit(largest).dfa_size_limit(largest);
        match builder.build() {
            Ok(pattern) => Some(pattern),
            Err(regex::Error::CompiledTooBig(_)) => {
                self.add(path, "grows too large: repeat less, or have fewer patterns");
                None
            }
            Err(error) => {
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.add(path, format!("is no regular expression: {reason}"));
                None
            }
        }
    }
}

/// PostgreSQL refuses NUL in texts, and nobody sees the other control characters.
fn is_text(text: &str, longest: usize) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= longest
        && !text.chars().any(char::is_control)
}

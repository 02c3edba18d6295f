//! Which environment a deployment went to, and which issues are incidents: the defaults, until a
//! client says otherwise.

use std::sync::LazyLock;

use chrono::TimeDelta;
use regex::Regex;

/// The environment that counts for DORA.
pub const PRODUCTION: &str = "production";

/// Maps the names that sources use to environments. The first pattern that matches decides.
#[derive(Debug, Clone)]
pub struct EnvironmentRules(Vec<(Regex, String)>);

impl EnvironmentRules {
    /// The environment behind a source's name for it; `None` where no rule matches.
    pub fn environment(&self, name: &str) -> Option<&str> {
        let name = name.trim();
        self.0.iter().find(|(pattern, _)| pattern.is_match(name)).map(|(_, to)| to.as_str())
    }
}

impl Default for EnvironmentRules {
    fn default() -> EnvironmentRules {
        static DEFAULT: LazyLock<EnvironmentRules> = LazyLock::new(|| {
            let rule = |pattern: &str, to: &str| {
                (Regex::new(pattern).expect("the pattern is a constant"), to.to_owned())
            };
            EnvironmentRules(vec![
                rule(r"(?i)^(prod|production|live)$", PRODUCTION),
                rule(r"(?i)^(stag|staging|stage|preprod|pre-production|uat)$", "staging"),
                rule(r"(?i)^(test|testing|qa|dev|development|preview)$", "development"),
            ])
        });
        DEFAULT.clone()
    }
}

/// Which issues are incidents, and how far back the deployment that caused one may lie.
#[derive(Debug, Clone)]
pub struct IncidentRules {
    /// Names of issue types, compared without regard to case.
    pub issue_types: Vec<String>,
    /// How long before an incident the deployment that caused it may have finished.
    pub window: TimeDelta,
}

impl Default for IncidentRules {
    fn default() -> IncidentRules {
        IncidentRules {
            issue_types: vec!["incident".to_owned(), "[system] incident".to_owned()],
            window: TimeDelta::hours(24),
        }
    }
}

impl IncidentRules {
    /// Whether issues of the type with this name are incidents.
    pub fn matches(&self, type_name: &str) -> bool {
        let name = type_name.trim().to_lowercase();
        self.issue_types.iter().any(|wanted| wanted.to_lowercase() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_environments_are_mapped_by_the_first_rule() {
        let rules = EnvironmentRules::default();
        let cases = [
            ("production", Some(PRODUCTION)),
            (" Prod ", Some(PRODUCTION)),
            ("PRODUCTION", Some(PRODUCTION)),
            ("staging", Some("staging")),
            ("preprod", Some("staging")),
            ("qa", Some("development")),
            ("prod-eu", None),
            ("product-demo", None),
        ];
        for (name, expected) in cases {
            assert_eq!(rules.environment(name), expected, "{name:?}");
        }
    }

    #[test]
    fn incidents_are_known_by_their_type_whatever_its_case() {
        let rules = IncidentRules::default();
        assert!(rules.matches("INCIDENT"));
        assert!(rules.matches("[System] Incident"));
        assert!(!rules.matches("Bug"));
    }
}

//! Which rows a report is about.

use domain::rules::ProjectRules;

/// Empty lists mean all.
#[derive(Debug, Clone, Default)]
pub struct Focus {
    /// Full names of repositories, compared without regard to case.
    pub repositories: Vec<String>,
    /// Project keys, compared without regard to case.
    pub projects: Vec<String>,
}

impl Focus {
    /// Whether the repository is meant.
    pub fn has_repository(&self, full_name: &str) -> bool {
        is_among(&self.repositories, full_name)
    }

    /// Whether a repository is meant, and what came out of it may serve a project that is: somebody said so
    /// in `rules`, or nobody said what belongs to that project.
    pub fn may_mean(&self, full_name: &str, rules: &ProjectRules) -> bool {
        let may_serve = |project: &String| rules.has(project, full_name).unwrap_or(true);
        self.has_repository(full_name)
            && (self.projects.is_empty() || self.projects.iter().any(may_serve))
    }

    /// Whether somebody said in `rules` that a repository belongs to a project that is meant.
    pub fn has_project_of(&self, full_name: &str, rules: &ProjectRules) -> bool {
        self.projects.iter().any(|project| rules.has(project, full_name) == Some(true))
    }

    /// Whether the project is meant.
    pub fn has_project(&self, key: &str) -> bool {
        is_among(&self.projects, key)
    }
}

fn is_among(wanted: &[String], name: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|one| one.to_lowercase() == name.to_lowercase())
}

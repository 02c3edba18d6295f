//! Which rows a report is about.

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

    /// Whether the project is meant.
    pub fn has_project(&self, key: &str) -> bool {
        is_among(&self.projects, key)
    }
}

fn is_among(wanted: &[String], name: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|one| one.to_lowercase() == name.to_lowercase())
}

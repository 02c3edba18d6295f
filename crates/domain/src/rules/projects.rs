//! Which repositories belong to which project.

use std::collections::BTreeMap;

use super::glob::Glob;
use super::{Faults, MOST_NAMES, Refused};
use crate::text::folded;

const MOST_PROJECTS: usize = 1_000;

/// A rule as a person writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRule {
    /// The project's key.
    pub project: String,
    /// Full names, in which `*` stands for any characters.
    pub repositories: Vec<String>,
}

/// Rules of a client that can be followed.
#[derive(Debug, Clone, Default)]
pub struct ProjectRules {
    written: Vec<ProjectRule>,
    read: BTreeMap<String, Vec<Glob>>,
}

impl ProjectRules {
    /// Reads what a person wrote.
    ///
    /// # Errors
    /// Everything that is wrong with it, and where.
    pub fn check(written: Vec<ProjectRule>) -> Result<ProjectRules, Refused> {
        let mut faults = Faults::default();
        faults.check_count("projects", written.len(), MOST_PROJECTS);
        let (mut tidy, mut read) = (Vec::with_capacity(written.len()), BTreeMap::new());
        for (at, rule) in written.into_iter().enumerate() {
            let place = format!("projects[{at}]");
            let rule = check_rule(&mut faults, &place, rule);
            let globs = rule.repositories.iter().map(|name| Glob::read(name)).collect();
            if read.insert(folded(&rule.project), globs).is_some() {
                faults.add(format!("{place}.project"), "has its repositories above already");
            }
            tidy.push(rule);
        }
        faults.or(ProjectRules { written: tidy, read })
    }

    /// As they were written.
    pub fn written(&self) -> &[ProjectRule] {
        &self.written
    }

    /// Whether a repository belongs to a project; nothing where nobody says what belongs to it.
    pub fn has(&self, project: &str, repository: &str) -> Option<bool> {
        let globs = self.read.get(&folded(project))?;
        Some(globs.iter().any(|glob| glob.fits(repository)))
    }
}

fn check_rule(faults: &mut Faults, place: &str, rule: ProjectRule) -> ProjectRule {
    let project = faults.name(format!("{place}.project"), &rule.project);
    let path = format!("{place}.repositories");
    faults.check_count(&path, rule.repositories.len(), MOST_NAMES);
    if rule.repositories.is_empty() {
        faults.add(&path, "must name a repository");
    }
    let mut repositories = Vec::with_capacity(rule.repositories.len());
    for (at, name) in rule.repositories.iter().enumerate() {
        let name = name.trim();
        if !is_full_name(name) {
            let reason = "must be owner/name, in which * stands for any characters";
            faults.add(format!("{path}[{at}]"), reason);
        }
        repositories.push(name.to_owned());
    }
    ProjectRule { project, repositories }
}

fn is_full_name(name: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.*".contains(c))
    };
    name.split_once('/').is_some_and(|(owner, name)| is_name(owner) && is_name(name))
}

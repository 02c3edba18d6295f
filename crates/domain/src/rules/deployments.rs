//! Which deployments of a repository count, and for which environment.

use regex::Regex;

use super::{
    ALL_PATTERNS_BYTES, Faults, LARGEST_PATTERN_BYTES, MOST_NAMES, MOST_PATTERNS, MOST_RULES,
    PRODUCTION, Refused, folded,
};
use crate::text::words;

/// What tells that a repository was deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// GitHub's deployments.
    Deployments,
    /// Runs of a workflow.
    WorkflowRuns,
    /// Releases.
    Releases,
    /// Merges to a branch.
    Merges,
    /// Whoever deploys tells us.
    Api,
}

words!("source of deployments", Source {
    Deployments = "deployments",
    WorkflowRuns = "workflow_runs",
    Releases = "releases",
    Merges = "merges",
    Api = "api",
});

impl Source {
    /// Whether it names environments itself. What the others tell of went to production unless a
    /// rule says otherwise.
    fn names_environments(self) -> bool {
        matches!(self, Source::Deployments | Source::Api)
    }
}

/// A rule as a person writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentRule {
    /// `owner/name`, `owner/*` or `*`.
    pub repository: String,
    /// The word for a [`Source`].
    pub source: String,
    /// Which of the source's workflows (by name or path), tags or branches are meant.
    pub pattern: Option<String>,
    /// Which environment it was, in order.
    pub environments: Vec<EnvironmentRule>,
}

/// Names that a pattern finds belong to an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentRule {
    /// What the source's name of the environment, workflow, tag or branch looks like.
    pub pattern: String,
    /// The environment.
    pub environment: String,
}

/// Rules of a client that can be followed.
#[derive(Debug, Clone)]
pub struct DeploymentRules {
    written: Vec<DeploymentRule>,
    read: Vec<Read>,
}

/// A rule as it is followed.
#[derive(Debug, Clone)]
struct Read {
    repository: Repositories,
    source: Source,
    pattern: Option<Regex>,
    environments: Vec<(Regex, String)>,
}

/// Which repositories a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Repositories {
    All,
    OfOwner(String),
    One(String),
}

/// The rules for one repository.
#[derive(Debug, Clone)]
pub struct RepositoryRules<'a>(Vec<&'a Read>);

/// What the rules make of something that a source tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// A deployment to this environment.
    To(&'a str),
    /// A deployment, but no rule knows its environment.
    NoEnvironmentRule,
    /// The rules have another source for this repository.
    OtherSource,
    /// The source counts, but no rule means this.
    NotMeant,
}

impl Default for DeploymentRules {
    /// GitHub's deployments, by the usual names of environments.
    fn default() -> DeploymentRules {
        let to = |pattern: &str, environment: &str| EnvironmentRule {
            pattern: pattern.to_owned(),
            environment: environment.to_owned(),
        };
        let rule = DeploymentRule {
            repository: "*".to_owned(),
            source: Source::Deployments.as_str().to_owned(),
            pattern: None,
            environments: usual(to),
        };
        DeploymentRules::check(vec![rule]).expect("the default has no fault")
    }
}

fn usual(to: impl Fn(&str, &str) -> EnvironmentRule) -> Vec<EnvironmentRule> {
    vec![
        to("^(prod|production|live)$", PRODUCTION),
        to("^(stag|staging|stage|preprod|pre-production|uat)$", "staging"),
        to("^(test|testing|qa|dev|development|preview)$", "development"),
    ]
}

impl DeploymentRules {
    /// Reads what a person wrote.
    ///
    /// # Errors
    /// Everything that is wrong with it, and where.
    pub fn check(written: Vec<DeploymentRule>) -> Result<DeploymentRules, Refused> {
        let largest = check_counts(&written)?;
        let mut faults = Faults::default();
        let mut tidy = Vec::with_capacity(written.len());
        let mut read = Vec::with_capacity(written.len());
        for (at, rule) in written.into_iter().enumerate() {
            let path = format!("rules[{at}]");
            let checked = check_rule(&mut faults, &path, &rule, largest);
            tidy.push(DeploymentRule {
                repository: rule.repository.trim().to_owned(),
                source: rule.source,
                pattern: rule.pattern.filter(|pattern| !pattern.trim().is_empty()),
                environments: rule
                    .environments
                    .into_iter()
                    .map(|to| EnvironmentRule {
                        environment: to.environment.trim().to_owned(),
                        ..to
                    })
                    .collect(),
            });
            read.push(checked);
        }
        one_source_each(&mut faults, &read);
        let read = read.into_iter().flatten().collect();
        faults.or(DeploymentRules { written: tidy, read })
    }

    /// As they were written.
    pub fn written(&self) -> &[DeploymentRule] {
        &self.written
    }

    /// What holds for a repository: the first pattern that fits it decides, with every rule that has
    /// the same pattern.
    pub fn of(&self, full_name: &str) -> RepositoryRules<'_> {
        let name = folded(full_name);
        let first = self.read.iter().find(|rule| rule.repository.fit(&name));
        let same = |rule: &&Read| first.is_some_and(|first| first.repository == rule.repository);
        RepositoryRules(self.read.iter().filter(same).collect())
    }
}

impl RepositoryRules<'_> {
    /// Whether anything is asked of this source.
    pub fn ask(&self, source: Source) -> bool {
        self.0.iter().any(|rule| rule.source == source)
    }

    /// Whether something that goes by these names there is a deployment, to whatever environment.
    pub fn mean(&self, source: Source, names: &[&str]) -> bool {
        matches!(self.place(source, names), Verdict::To(_) | Verdict::NoEnvironmentRule)
    }

    /// What something is that goes by these names there: an environment, a workflow's name and path, a
    /// tag or a branch.
    pub fn place(&self, source: Source, names: &[&str]) -> Verdict<'_> {
        if !self.ask(source) {
            return Verdict::OtherSource;
        }
        let folded: Vec<String> = names.iter().map(|name| folded(name)).collect();
        let finds = |pattern: &Regex| {
            names.iter().any(|name| pattern.is_match(name.trim()))
                || folded.iter().any(|name| pattern.is_match(name))
        };
        let meant = self
            .0
            .iter()
            .filter(|rule| rule.source == source && rule.pattern.as_ref().is_none_or(finds));
        let mut is_meant = false;
        for rule in meant {
            is_meant = true;
            if rule.environments.is_empty() && !source.names_environments() {
                return Verdict::To(PRODUCTION);
            }
            if let Some((_, to)) = rule.environments.iter().find(|(pattern, _)| finds(pattern)) {
                return Verdict::To(to);
            }
        }
        if is_meant { Verdict::NoEnvironmentRule } else { Verdict::NotMeant }
    }
}

impl Repositories {
    fn read(pattern: &str) -> Option<Repositories> {
        let pattern = folded(pattern);
        if pattern == "*" {
            return Some(Repositories::All);
        }
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
        };
        let (owner, name) = pattern.split_once('/')?;
        if !is_name(owner) {
            return None;
        }
        match name {
            "*" => Some(Repositories::OfOwner(owner.to_owned())),
            name => is_name(name).then(|| Repositories::One(pattern.clone())),
        }
    }

    fn fit(&self, full_name: &str) -> bool {
        match self {
            Repositories::All => true,
            Repositories::OfOwner(owner) => {
                full_name.split_once('/').is_some_and(|(theirs, _)| theirs == owner)
            }
            Repositories::One(name) => name == full_name,
        }
    }
}

/// Counts before anything is read, because reading patterns is what costs. Answers how many bytes each
/// may need.
fn check_counts(written: &[DeploymentRule]) -> Result<usize, Refused> {
    let mut faults = Faults::default();
    faults.check_count("rules", written.len(), MOST_RULES);
    let mut patterns = 0;
    for (at, rule) in written.iter().enumerate() {
        let (path, count) = (format!("rules[{at}].environments"), rule.environments.len());
        faults.check_count(&path, count, MOST_NAMES);
        patterns += count + usize::from(rule.pattern.is_some());
    }
    if patterns > MOST_PATTERNS {
        faults.add(
            "rules",
            format!("have {patterns} patterns, but must have at most {MOST_PATTERNS}"),
        );
    }
    faults.or(LARGEST_PATTERN_BYTES.min(ALL_PATTERNS_BYTES / patterns.max(1)))
}

fn check_rule(
    faults: &mut Faults,
    path: &str,
    rule: &DeploymentRule,
    largest: usize,
) -> Option<Read> {
    let repository = Repositories::read(&rule.repository);
    if repository.is_none() {
        faults.add(format!("{path}.repository"), "must be owner/name, owner/* or *");
    }
    let source: Option<Source> = rule.source.parse().ok();
    if source.is_none() {
        let words: Vec<_> = Source::ALL.iter().map(|source| source.as_str()).collect();
        faults.add(format!("{path}.source"), format!("must be one of {}", words.join(", ")));
    }
    let written = rule.pattern.as_deref();
    let pattern = check_match(faults, format!("{path}.match"), source, written, largest);
    let place = format!("{path}.environments");
    if rule.environments.is_empty() && source.is_some_and(Source::names_environments) {
        faults.add(&place, "must say which names belong to which environment");
    }
    let mut environments = Vec::with_capacity(rule.environments.len());
    for (at, to) in rule.environments.iter().enumerate() {
        let pattern = faults.pattern(format!("{place}[{at}].match"), &to.pattern, largest);
        let environment = faults.name(format!("{place}[{at}].environment"), &to.environment);
        environments.extend(pattern.map(|pattern| (pattern, folded(&environment))));
    }
    let is_whole = environments.len() == rule.environments.len();
    is_whole.then_some(Read { repository: repository?, source: source?, pattern, environments })
}

fn check_match(
    faults: &mut Faults,
    path: String,
    source: Option<Source>,
    pattern: Option<&str>,
    largest: usize,
) -> Option<Regex> {
    match (source?, pattern.filter(|pattern| !pattern.trim().is_empty())) {
        (Source::Deployments | Source::Api, None) | (Source::Releases, None) => None,
        (source @ (Source::Deployments | Source::Api), Some(_)) => {
            let reason =
                format!("means nothing for {source}: say it in environments, or leave it out");
            faults.add(path, reason);
            None
        }
        (Source::WorkflowRuns, None) => {
            faults.add(path, "is needed: which workflows deploy, by name or path");
            None
        }
        (Source::Merges, None) => {
            faults.add(path, "is needed: to which branches, for example ^main$");
            None
        }
        (_, Some(pattern)) => faults.pattern(path, pattern, largest),
    }
}

/// Two sources tell of the same deployment twice, so an environment has one of them.
fn one_source_each(faults: &mut Faults, rules: &[Option<Read>]) {
    for (at, rule) in rules.iter().enumerate() {
        let Some(rule) = rule else { continue };
        let before = rules[..at].iter().enumerate().filter_map(|(at, other)| {
            let other = other.as_ref()?;
            (other.repository == rule.repository && other.source != rule.source)
                .then_some((at, other))
        });
        let before: Vec<_> = before.collect();
        for (position, environment) in rule.leads_to().into_iter().enumerate() {
            let twin = before.iter().find(|(_, other)| other.leads_to().contains(&environment));
            let Some((other_at, other)) = twin else { continue };
            let path = match rule.environments.is_empty() {
                true => format!("rules[{at}].source"),
                false => format!("rules[{at}].environments[{position}].environment"),
            };
            let reason = format!(
                "\"{environment}\" of these repositories comes from {} by rules[{other_at}]; \
                 an environment has one source",
                other.source
            );
            faults.add(path, reason);
        }
    }
}

impl Read {
    fn leads_to(&self) -> Vec<&str> {
        if self.environments.is_empty() {
            return vec![PRODUCTION];
        }
        self.environments.iter().map(|(_, to)| to.as_str()).collect()
    }
}

//! What the field of an incident says about the deployment that caused it: its id, its commit, its tag, or
//! the address of it or of a pull request.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::rules::{PRODUCTION, Source};
use domain::text::folded;
use store::delivery::Shipped;
use store::dora::Place;
use store::metrics::{DeploymentFact, Repository};

use super::incidents::DeploymentRef;
use super::suspects::Incident;

/// With fewer digits it may be anything.
const SHORTEST_SHA: usize = 7;

/// What somebody wrote, as it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// The only repository that is meant, as names are compared.
    repository: Option<String>,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// The number of a pull request.
    PullRequest(i64),
    /// An id, a sha or a tag.
    Name(String),
}

impl Reference {
    pub(super) fn read(text: &str) -> Reference {
        let text = text.trim();
        let anywhere = Reference { repository: None, what: What::Name(text.to_owned()) };
        let Some((_, address)) = text.split_once("://") else { return anywhere };
        let path = address.split(['?', '#']).next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        // Behind the host and the full name.
        for at in 3..parts.len() {
            let what = match parts[at..] {
                ["pull" | "pulls", number, ..] => number.parse().ok().map(What::PullRequest),
                ["actions", "runs", id, ..] => Some(What::Name(format!("run:{id}"))),
                ["releases", "tag", name, ..]
                | ["deployments", name, ..]
                | ["commit" | "commits", name, ..] => Some(What::Name(name.to_owned())),
                _ => None,
            };
            if let Some(what) = what {
                let repository = Some(folded(&format!("{}/{}", parts[at - 2], parts[at - 1])));
                return Reference { repository, what };
            }
        }
        anywhere
    }

    fn sha(&self) -> Option<String> {
        let What::Name(name) = &self.what else { return None };
        let is_sha =
            name.len() >= SHORTEST_SHA && name.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_sha.then(|| name.to_lowercase())
    }
}

/// What has to be known of pull requests to follow all references.
#[derive(Debug, Clone, Default)]
pub(super) struct Sought {
    names: HashMap<Place, String>,
    /// By their numbers.
    pub(super) pull_requests: HashSet<(Place, i64)>,
    /// By the first digits of their merge commits.
    pub(super) shas: HashSet<String>,
}

impl Sought {
    pub(super) fn by(incidents: &[Incident], repositories: &[Repository]) -> Sought {
        let mut sought = Sought::default();
        let references: Vec<&Reference> =
            incidents.iter().filter_map(|incident| incident.reference.as_ref()).collect();
        if references.is_empty() {
            return sought;
        }
        for repository in repositories {
            let place = (repository.integration, repository.id);
            sought.names.insert(place, folded(&repository.full_name));
        }
        for reference in references {
            if let What::PullRequest(number) = reference.what {
                let named = sought.names.iter();
                let named = named.filter(|(_, name)| reference.repository.as_ref() == Some(*name));
                let places: Vec<_> = named.map(|(place, _)| (*place, number)).collect();
                sought.pull_requests.extend(places);
            }
            sought.shas.extend(reference.sha().map(|sha| sha[..SHORTEST_SHA].to_owned()));
        }
        sought
    }

    /// Whether somebody may mean this pull request.
    pub(super) fn has(&self, place: Place, number: i64, merge_sha: Option<&str>) -> bool {
        let beginning = merge_sha.and_then(|sha| sha.get(..SHORTEST_SHA));
        self.pull_requests.contains(&(place, number))
            || beginning.is_some_and(|beginning| self.shas.contains(beginning))
    }
}

/// Successful production deployments by everything that they may be called.
pub(super) struct Names<'a> {
    sought: &'a Sought,
    by_id: HashMap<&'a str, Vec<&'a DeploymentRef>>,
    by_tag: HashMap<String, Vec<&'a DeploymentRef>>,
    /// Sorted.
    by_sha: Vec<(&'a str, &'a DeploymentRef)>,
    pull_requests: &'a [Shipped],
}

impl<'a> Names<'a> {
    pub(super) fn new(
        sought: &'a Sought,
        deployments: &'a BTreeMap<DeploymentRef, DeploymentFact>,
        pull_requests: &'a [Shipped],
    ) -> Names<'a> {
        let (by_id, by_tag, by_sha) = (HashMap::new(), HashMap::new(), Vec::new());
        let mut names = Names { sought, by_id, by_tag, by_sha, pull_requests };
        // Without a reference to follow nobody asks.
        if sought.names.is_empty() {
            return names;
        }
        let counts = |fact: &DeploymentFact| {
            fact.succeeded_at.is_some() && fact.environment.as_deref() == Some(PRODUCTION)
        };
        for (at, fact) in deployments.iter().filter(|(_, fact)| counts(fact)) {
            names.by_id.entry(&at.id).or_default().push(at);
            names.by_sha.push((&fact.told.sha, at));
            match fact.source {
                // Whoever posted it knows its id without our prefix.
                Source::Api => {
                    if let Some((_, id)) = at.id.split_once(':') {
                        names.by_id.entry(id).or_default().push(at);
                    }
                }
                Source::Releases => {
                    names.by_tag.entry(folded(&fact.told.environment)).or_default().push(at);
                }
                _ => {}
            }
        }
        names.by_sha.sort_unstable();
        names
    }

    /// Every deployment that may be meant: by the first kind of name that is known.
    pub(super) fn of(&self, reference: &Reference) -> Vec<DeploymentRef> {
        let is_meant = |at: &DeploymentRef| {
            let name = self.sought.names.get(&(at.integration, at.repository));
            reference.repository.is_none() || reference.repository.as_ref() == name
        };
        let shipped = |is: &dyn Fn(&Shipped) -> bool| -> Vec<DeploymentRef> {
            self.pull_requests.iter().filter(|pull| is(pull)).map(reference_to).collect()
        };
        let name = match &reference.what {
            What::Name(name) => name,
            What::PullRequest(number) => {
                let mut found = shipped(&|pull| pull.number == *number);
                found.retain(is_meant);
                return found;
            }
        };
        let sha = reference.sha();
        let known = |found: Option<&Vec<&DeploymentRef>>| -> Vec<DeploymentRef> {
            found.into_iter().flatten().map(|at| (*at).clone()).collect()
        };
        let with_sha = |sha: &String| {
            let first = self.by_sha.partition_point(|(other, _)| *other < sha.as_str());
            let same = self.by_sha[first..].iter().take_while(|(other, _)| other.starts_with(sha));
            same.map(|(_, at)| (*at).clone()).collect()
        };
        let merged_as = |sha: &String| {
            let is = |pull: &Shipped| {
                pull.merge_sha.as_ref().is_some_and(|other| other.starts_with(sha.as_str()))
            };
            shipped(&is)
        };
        let mut kinds = [
            known(self.by_id.get(name.as_str())),
            sha.as_ref().map(with_sha).unwrap_or_default(),
            known(self.by_tag.get(&folded(name))),
            sha.as_ref().map(merged_as).unwrap_or_default(),
        ];
        for found in &mut kinds {
            found.retain(is_meant);
        }
        kinds.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    }
}

fn reference_to(pull: &Shipped) -> DeploymentRef {
    let (integration, repository) = pull.repository;
    DeploymentRef { integration, repository, id: pull.deployment.clone() }
}

#[cfg(test)]
mod tests;

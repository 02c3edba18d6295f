//! What people write into the field of an incident that says which deployment broke something. Not
//! everybody writes something, and those who do name it in their own way.

use crate::moment::DAY;
use crate::world::World;
use crate::world::git::{Deployment, Environment, Pull, Release, Repository};
use crate::world::jira::{Issue, Kind};

/// What somebody means.
#[derive(Clone, Copy)]
pub(crate) enum Blamed<'w> {
    /// A deployment, by its id.
    Id(&'w Deployment),
    /// A deployment, by its address.
    Address(&'w Repository, &'w Deployment),
    /// A commit, by the beginning of its sha.
    Commit(&'w Repository, usize),
    /// A pull request, by its address.
    Pull(&'w Repository, &'w Pull),
    /// A tag.
    Tag(&'w Release),
}

/// What the field of an issue means. It stays as it was written when the issue was made.
pub(crate) fn blamed<'w>(world: &'w World, issue: &Issue) -> Option<Blamed<'w>> {
    if issue.kind != Kind::Incident || issue.id.is_multiple_of(3) || world.repositories.is_empty() {
        return None;
    }
    let place = (issue.id / 3) as usize % world.repositories.len();
    let repository = &world.repositories[place];
    let deployment = repository.deployments.iter().rfind(|deployment| {
        deployment.environment == Environment::Production && deployment.created < issue.created
    });
    match issue.id % 5 {
        0 => deployment.map(Blamed::Id),
        1 => deployment.map(|deployment| Blamed::Address(repository, deployment)),
        2 => deployment.map(|deployment| Blamed::Commit(repository, deployment.commit)),
        3 => {
            let days_ago = issue.created + -(4 * DAY);
            let is_old = |pull: &&Pull| pull.merged.is_some_and(|at| at < days_ago);
            let pull = repository.pulls.iter().rfind(is_old);
            pull.map(|pull| Blamed::Pull(repository, pull))
        }
        _ => {
            let is_out =
                |release: &&Release| release.published.is_some_and(|at| at < issue.created);
            repository.releases.iter().rfind(is_out).map(Blamed::Tag)
        }
    }
}

/// What stands in the field.
pub(crate) fn text(world: &World, issue: &Issue) -> Option<String> {
    let name = |repository: &Repository| format!("{}/{}", world.org, repository.name);
    Some(match blamed(world, issue)? {
        Blamed::Id(deployment) => deployment.id.to_string(),
        Blamed::Address(repository, deployment) => {
            let repository = name(repository);
            format!("https://api.github.com/repos/{repository}/deployments/{}", deployment.id)
        }
        Blamed::Commit(repository, at) => repository.commits[at].sha[..10].to_owned(),
        Blamed::Pull(repository, pull) => {
            format!("https://github.com/{}/pull/{}/files", name(repository), pull.number)
        }
        Blamed::Tag(release) => release.tag.clone(),
    })
}

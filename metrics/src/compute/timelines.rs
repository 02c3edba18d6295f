//! Which deployments an incident may be blamed on by time alone.

use std::collections::HashMap;

use domain::Moment;
use domain::rules::ProjectRules;
use store::dora::Place;
use store::metrics::Repository;

use super::incidents::{DeploymentRef, Timeline};

/// Which repositories there are, and to which project each belongs.
#[derive(Default)]
pub(super) struct Belongings {
    pub(super) rules: ProjectRules,
    pub(super) repositories: Vec<Repository>,
}

/// Successful production deployments in the order of finish: those of each project of which somebody says
/// what belongs to it, and all of them.
pub(super) struct Timelines {
    all: Timeline,
    of: HashMap<String, Timeline>,
}

impl Timelines {
    /// For incidents of these projects.
    pub(super) fn new<'a>(
        deployments: Vec<(Moment, DeploymentRef)>,
        belongings: &Belongings,
        projects: impl Iterator<Item = &'a str>,
    ) -> Timelines {
        let mut by_place: HashMap<Place, Vec<(Moment, DeploymentRef)>> = HashMap::new();
        for (at, deployment) in &deployments {
            let place = (deployment.integration, deployment.repository);
            by_place.entry(place).or_default().push((*at, deployment.clone()));
        }
        let mut of = HashMap::new();
        for project in projects {
            if !of.contains_key(project)
                && let Some(places) = belongings.places_of(project)
            {
                let theirs = places.iter().filter_map(|place| by_place.get(place)).flatten();
                of.insert(project.to_owned(), Timeline::new(theirs.cloned().collect()));
            }
        }
        Timelines { all: Timeline::new(deployments), of }
    }

    /// For incidents of this project.
    pub(super) fn of(&self, project: &str) -> &Timeline {
        self.of.get(project).unwrap_or(&self.all)
    }
}

impl Belongings {
    /// What belongs to a project; nothing where nobody says so.
    fn places_of(&self, project: &str) -> Option<Vec<Place>> {
        let mut places = Vec::new();
        for repository in &self.repositories {
            if self.rules.has(project, &repository.full_name)? {
                places.push((repository.integration, repository.id));
            }
        }
        Some(places)
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::IntegrationId;
    use domain::rules::ProjectRule;

    use super::*;

    const HERE: IntegrationId = IntegrationId(uuid::Uuid::nil());

    #[test]
    fn only_deployments_of_its_own_repositories_are_blamed_where_a_project_has_some() {
        let at = |hour: i64| Moment::from_timestamp(hour * 3_600, 0).unwrap();
        let repository = |id: i64, full_name: &str| Repository {
            integration: HERE,
            id,
            full_name: full_name.to_owned(),
        };
        let deployment = |hour: i64, repository: i64, id: &str| {
            (at(hour), DeploymentRef { integration: HERE, repository, id: id.to_owned() })
        };
        let rule = |project: &str, name: &str| ProjectRule {
            project: project.to_owned(),
            repositories: vec![name.to_owned()],
        };
        let rules = vec![rule("PAY", "acme/pay-*"), rule("OPS", "acme/gone")];
        let belongings = Belongings {
            rules: ProjectRules::check(rules).unwrap(),
            repositories: vec![repository(1, "acme/pay-api"), repository(2, "acme/web")],
        };
        let deployments =
            vec![deployment(5, 2, "W1"), deployment(3, 1, "P1"), deployment(9, 1, "P2")];
        let timelines = Timelines::new(deployments, &belongings, ["PAY", "OPS", "WEB"].into_iter());
        let cases = [
            ("PAY", 7, Some("P1")),
            ("WEB", 7, Some("W1")),
            ("WEB", 10, Some("P2")),
            ("OPS", 10, None),
        ];
        for (project, hour, expected) in cases {
            let blamed = timelines.of(project).last_before(at(hour), None);
            assert_eq!(blamed.map(|one| one.id.as_str()), expected, "{project} in hour {hour}");
        }
    }
}

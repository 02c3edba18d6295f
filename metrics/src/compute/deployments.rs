//! What each deployment brought: its predecessor, its content, whether it was a rollback.
//!
//! Content is what its commit reaches and no earlier successful deployment of the same repository
//! and environment reached. The first has no baseline and brings nothing. Nor does one whose commit is not
//! known: what it brought waits for the next that is.

use std::collections::{BTreeMap, HashMap};

use domain::Moment;
use domain::deployment::{Deployment, DeploymentOutcome};
use domain::rules::{PRODUCTION, RepositoryRules, Source, Verdict};

use super::graph::Graph;

/// No rule knows the environment of a deployment.
pub const NO_ENVIRONMENT_RULE: &str = "no_environment_rule";
/// The rules have another source for the repository.
pub const OTHER_SOURCE: &str = "other_source";

/// A deployment succeeded, and nobody knows its commit.
pub const UNKNOWN_COMMIT: &str = "unknown_commit";

/// What a source tells of.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// The source.
    pub source: Source,
    /// As it tells it.
    pub told: Deployment,
    /// The file of the workflow, by which rules may know it as well.
    pub path: Option<String>,
}

/// A merge that a deployment may bring.
#[derive(Debug, Clone)]
pub struct Merge {
    /// The pull request's number.
    pub number: i64,
    /// The commit on the base branch.
    pub sha: String,
    /// When.
    pub at: Moment,
}

/// What we make of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The source.
    pub source: Source,
    /// As it tells it.
    pub told: Deployment,
    /// The environment by the rules, or why it is in none.
    pub environment: Result<String, &'static str>,
    /// When it succeeded; `None` for those that did not.
    pub succeeded_at: Option<Moment>,
    /// The successful deployment of the same environment before it.
    pub previous: Option<String>,
    /// It went back to an ancestor of the previous one.
    pub rollback: bool,
    /// The next one was a rollback.
    pub rolled_back: bool,
    /// It went to production, and its commit is not known, so that it brings nothing.
    pub is_unknown: bool,
    /// Numbers of the pull requests that it was the first to bring to production.
    pub brought: Vec<i64>,
}

/// Places every deployment of one repository, in the order of finish. What no rule means is none.
pub fn place(
    deployments: Vec<Deployed>,
    merges: &[Merge],
    graph: &Graph,
    rules: &RepositoryRules<'_>,
) -> Vec<Placed> {
    let mut environments: BTreeMap<Result<String, &'static str>, Vec<Deployed>> = BTreeMap::new();
    for deployment in deployments {
        let name = Some(deployment.told.environment.as_str());
        let names: Vec<&str> = name.into_iter().chain(deployment.path.as_deref()).collect();
        let environment = match rules.place(deployment.source, &names) {
            Verdict::To(environment) => Ok(environment.to_owned()),
            Verdict::NoEnvironmentRule => Err(NO_ENVIRONMENT_RULE),
            Verdict::OtherSource => Err(OTHER_SOURCE),
            Verdict::NotMeant => continue,
        };
        environments.entry(environment).or_default().push(deployment);
    }
    let mut placed = Vec::new();
    for (environment, mut deployments) in environments {
        sort(&mut deployments, graph);
        placed.extend(place_in(environment, deployments, merges, graph));
    }
    placed
}

/// In the order of finish. Of two that finished in the same instant, as merges can, an ancestor was
/// first.
fn sort(deployments: &mut [Deployed], graph: &Graph) {
    let finish = |deployment: &Deployed| deployment.told.finished_at;
    deployments
        .sort_by(|a, b| (finish(a), &a.told.external_id).cmp(&(finish(b), &b.told.external_id)));
    for start in 1..deployments.len() {
        let mut at = start;
        while at > 0
            && finish(&deployments[at - 1]) == finish(&deployments[at])
            && goes_back(graph, &deployments[at].told.sha, &deployments[at - 1].told.sha)
        {
            deployments.swap(at - 1, at);
            at -= 1;
        }
    }
}

fn place_in(
    environment: Result<String, &'static str>,
    deployments: Vec<Deployed>,
    merges: &[Merge],
    graph: &Graph,
) -> Vec<Placed> {
    let is_production = environment.as_deref() == Ok(PRODUCTION);
    let mut content = Content::new(merges, graph);
    // The last success so far: where it is in `placed`.
    let mut last: Option<usize> = None;
    let mut has_baseline = false;
    let mut placed: Vec<Placed> = Vec::with_capacity(deployments.len());
    for Deployed { source, told, .. } in deployments {
        let succeeded_at = told
            .finished_at
            .filter(|_| environment.is_ok() && told.outcome == DeploymentOutcome::Success);
        let mut this = Placed {
            source,
            told,
            environment: environment.clone(),
            succeeded_at,
            previous: None,
            rollback: false,
            rolled_back: false,
            is_unknown: false,
            brought: Vec::new(),
        };
        if succeeded_at.is_some() {
            if let Some(position) = last {
                let before = &mut placed[position];
                this.previous = Some(before.told.external_id.clone());
                this.rollback = goes_back(graph, &this.told.sha, &before.told.sha);
                before.rolled_back = this.rollback;
            }
            last = Some(placed.len());
            match graph.number(&this.told.sha) {
                Some(commit) => {
                    let brought = content.bring(commit);
                    if has_baseline && is_production {
                        this.brought = brought;
                    }
                    has_baseline = true;
                }
                None => this.is_unknown = is_production,
            }
        }
        placed.push(this);
    }
    placed
}

fn goes_back(graph: &Graph, sha: &str, previous: &str) -> bool {
    match (graph.number(sha), graph.number(previous)) {
        (Some(to), Some(from)) => graph.is_ancestor(to, from),
        _ => false,
    }
}

/// The merges that no deployment of an environment has brought yet.
struct Content<'a> {
    graph: &'a Graph,
    seen: super::graph::Seen,
    /// By the number of the merge commit in the graph.
    waiting: HashMap<u32, Vec<&'a Merge>>,
}

impl<'a> Content<'a> {
    fn new(merges: &'a [Merge], graph: &'a Graph) -> Content<'a> {
        let mut waiting: HashMap<u32, Vec<&Merge>> = HashMap::new();
        for merge in merges {
            if let Some(commit) = graph.number(&merge.sha) {
                waiting.entry(commit).or_default().push(merge);
            }
        }
        Content { graph, seen: graph.nothing_seen(), waiting }
    }

    /// Takes out what a deployment of this commit brings: numbers of pull requests, ascending.
    fn bring(&mut self, commit: u32) -> Vec<i64> {
        let mut brought = Vec::new();
        self.graph.mark(commit, &mut self.seen, |seen| {
            brought.extend(self.waiting.remove(&seen).into_iter().flatten().map(|m| m.number));
        });
        brought.sort_unstable();
        brought
    }
}

#[cfg(test)]
mod tests {
    use domain::rules::{DeploymentRule, DeploymentRules};

    use super::*;

    fn at(minute: i64) -> Moment {
        Moment::from_timestamp(1_770_000_000 + minute * 60, 0).unwrap()
    }

    /// A straight line of commits `c0 ← c1 ← … ← c9`.
    fn line() -> Graph {
        let parents = |n: usize| if n == 0 { vec![] } else { vec![format!("c{}", n - 1)] };
        Graph::new((0..10).map(|n| (format!("c{n}"), parents(n))).collect())
    }

    fn merge(number: i64, sha: &str, minute: i64) -> Merge {
        Merge { number, sha: sha.to_owned(), at: at(minute) }
    }

    fn deployed(id: &str, sha: &str, minute: i64) -> Deployment {
        Deployment {
            external_id: id.to_owned(),
            environment: "production".to_owned(),
            sha: sha.to_owned(),
            outcome: DeploymentOutcome::Success,
            created_at: at(minute),
            finished_at: Some(at(minute)),
            estimated: false,
        }
    }

    fn brought(placed: &[Placed]) -> Vec<(&str, &[i64])> {
        placed.iter().map(|p| (p.told.external_id.as_str(), p.brought.as_slice())).collect()
    }

    fn place_all(deployments: Vec<Deployment>, merges: &[Merge]) -> Vec<Placed> {
        let from_github = |told| Deployed { source: Source::Deployments, told, path: None };
        let deployments = deployments.into_iter().map(from_github).collect();
        place(deployments, merges, &line(), &DeploymentRules::default().of("acme/pay"))
    }

    #[test]
    fn the_first_deployment_brings_nothing_and_the_next_what_came_since() {
        let merges = [merge(1, "c1", 1), merge(2, "c3", 3), merge(3, "c4", 4)];
        let placed = place_all(vec![deployed("A", "c2", 10), deployed("B", "c4", 20)], &merges);
        assert_eq!(brought(&placed), [("A", [].as_slice()), ("B", &[2, 3])]);
        assert_eq!(placed[1].previous.as_deref(), Some("A"));
    }

    #[test]
    fn content_of_a_failed_attempt_belongs_to_the_next_success() {
        let merges = [merge(1, "c2", 1), merge(2, "c3", 2)];
        let failed = Deployment { outcome: DeploymentOutcome::Failure, ..deployed("B", "c2", 20) };
        let placed =
            place_all(vec![deployed("A", "c1", 10), failed, deployed("C", "c3", 30)], &merges);
        assert_eq!(brought(&placed), [("A", [].as_slice()), ("B", &[]), ("C", &[1, 2])]);
        assert_eq!(placed[2].previous.as_deref(), Some("A"));
    }

    #[test]
    fn a_rollback_brings_nothing_and_the_roll_forward_counts_nothing_twice() {
        let merges = [merge(1, "c3", 1), merge(2, "c5", 2), merge(3, "c7", 3)];
        let placed = place_all(
            vec![
                deployed("A", "c1", 10),
                deployed("B", "c5", 20),
                deployed("C", "c3", 30),
                deployed("D", "c7", 40),
            ],
            &merges,
        );
        let expected = [("A", [].as_slice()), ("B", &[1, 2]), ("C", &[]), ("D", &[3])];
        assert_eq!(brought(&placed), expected);
        let rollbacks: Vec<_> = placed.iter().map(|p| (p.rollback, p.rolled_back)).collect();
        assert_eq!(rollbacks, [(false, false), (false, true), (true, false), (false, false)]);
    }

    #[test]
    fn the_same_commit_again_is_neither_content_nor_rollback() {
        let placed =
            place_all(vec![deployed("A", "c1", 10), deployed("B", "c1", 20)], &[merge(1, "c1", 1)]);
        assert!(placed.iter().all(|p| p.brought.is_empty() && !p.rollback && !p.rolled_back));
    }

    #[test]
    fn environments_do_not_mix_and_only_production_brings() {
        let staging = Deployment { environment: "staging".to_owned(), ..deployed("S", "c5", 15) };
        let unknown = Deployment { environment: "prod-eu".to_owned(), ..deployed("U", "c6", 16) };
        let merges = [merge(1, "c3", 1)];
        let placed = place_all(
            vec![deployed("A", "c1", 10), staging, unknown, deployed("B", "c5", 20)],
            &merges,
        );
        let by_id = |id: &str| placed.iter().find(|p| p.told.external_id == id).unwrap();
        assert_eq!(by_id("B").brought, [1]);
        assert_eq!(by_id("S").brought, [0; 0]);
        let unknown = by_id("U");
        assert_eq!((&unknown.environment, unknown.succeeded_at), (&Err(NO_ENVIRONMENT_RULE), None));
    }

    #[test]
    fn only_what_the_rules_ask_for_counts() {
        let rule = DeploymentRule {
            repository: "acme/*".to_owned(),
            source: "merges".to_owned(),
            pattern: Some("^main$".to_owned()),
            environments: Vec::new(),
        };
        let rules = DeploymentRules::check(vec![rule]).unwrap();
        let merged = |id: &str, branch: &str, sha: &str, minute| Deployed {
            source: Source::Merges,
            told: Deployment { environment: branch.to_owned(), ..deployed(id, sha, minute) },
            path: None,
        };
        let told = vec![
            Deployed { source: Source::Deployments, told: deployed("D", "c1", 5), path: None },
            merged("merge:1", "main", "c1", 10),
            merged("merge:2", "next", "c2", 15),
            // Merged in one go, and told in any order.
            merged("merge:3", "main", "c4", 20),
            merged("merge:4", "main", "c3", 20),
        ];
        let merges = [merge(1, "c1", 10), merge(3, "c4", 20), merge(4, "c3", 20)];
        let placed = place(told, &merges, &line(), &rules.of("acme/pay"));
        let expected =
            [("merge:1", [].as_slice()), ("merge:4", &[4]), ("merge:3", &[3]), ("D", &[])];
        assert_eq!(brought(&placed), expected);
        assert_eq!(placed[3].environment, Err(OTHER_SOURCE));
        assert!(placed.iter().all(|p| !p.rollback), "nobody went back");
    }

    /// `a ← b`, as written.
    fn graph(commits: &[(&str, &[&str])]) -> Graph {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Graph::new(
            commits.iter().map(|(sha, parents)| ((*sha).to_owned(), owned(parents))).collect(),
        )
    }

    fn place_in_graph(
        deployments: Vec<Deployment>,
        merges: &[Merge],
        graph: &Graph,
    ) -> Vec<Placed> {
        let from_github = |told| Deployed { source: Source::Deployments, told, path: None };
        let deployments = deployments.into_iter().map(from_github).collect();
        place(deployments, merges, graph, &DeploymentRules::default().of("acme/pay"))
    }

    #[test]
    fn a_commit_that_is_gone_brings_nothing_and_its_content_waits() {
        let merges = [merge(1, "c2", 12), merge(2, "c3", 25), merge(3, "c5", 28)];
        let deployments = || {
            vec![
                deployed("A", "c1", 10),
                deployed("B", "gone", 20),
                deployed("C", "c4", 30),
                deployed("D", "c5", 40),
            ]
        };
        let placed = place_all(deployments(), &merges);
        let expected = [("A", [].as_slice()), ("B", &[]), ("C", &[1, 2]), ("D", &[3])];
        assert_eq!(brought(&placed), expected);
        let unknown: Vec<_> = placed.iter().map(|p| p.is_unknown).collect();
        assert_eq!(unknown, [false, true, false, false]);
        assert_eq!(placed[2].previous.as_deref(), Some("B"), "it was there all the same");

        let without_baseline = place_all(deployments().split_off(1), &merges);
        let expected = [("B", [].as_slice()), ("C", &[]), ("D", &[3])];
        assert_eq!(brought(&without_baseline), expected, "the first that is known has none");

        let elsewhere =
            Deployment { environment: "staging".to_owned(), ..deployed("S", "gone", 5) };
        assert!(
            !place_all(vec![elsewhere], &merges)[0].is_unknown,
            "it would bring nothing anyway"
        );
    }

    #[test]
    fn a_release_branch_brings_what_its_commits_reach() {
        // main: m1 ← m2 ← m3 ← m4; the branch leaves it at m2, and picks m4 as p4.
        let graph = graph(&[
            ("m1", &[]),
            ("m2", &["m1"]),
            ("m3", &["m2"]),
            ("m4", &["m3"]),
            ("p4", &["m2"]),
            ("r1", &["p4"]),
        ]);
        // Pull request 9 was merged into the branch itself.
        let merges = [merge(2, "m2", 2), merge(3, "m3", 3), merge(4, "m4", 4), merge(9, "r1", 6)];
        let deployments = vec![
            deployed("A", "m1", 5),
            deployed("B", "p4", 7),
            deployed("C", "r1", 8),
            deployed("D", "m4", 9),
        ];
        let placed = place_in_graph(deployments, &merges, &graph);
        let expected = [("A", [].as_slice()), ("B", &[2]), ("C", &[9]), ("D", &[3, 4])];
        assert_eq!(brought(&placed), expected);
        assert!(placed.iter().all(|p| !p.rollback && !p.is_unknown));
    }

    #[test]
    fn with_gitflow_a_month_is_brought_by_its_merge() {
        // develop: d1 ← d2 ← d3 ← d4; main takes d2 as M1 and d4 as M2, with a fix on it between.
        let graph = graph(&[
            ("d1", &[]),
            ("d2", &["d1"]),
            ("d3", &["d2"]),
            ("d4", &["d3"]),
            ("M0", &["d1"]),
            ("M1", &["M0", "d2"]),
            ("fix", &["M1"]),
            ("M2", &["fix", "d4"]),
        ]);
        let merges =
            [merge(1, "d2", 1), merge(2, "d3", 12), merge(3, "d4", 13), merge(4, "fix", 14)];
        let deployments = vec![
            deployed("A", "M0", 5),
            deployed("B", "M1", 10),
            deployed("C", "fix", 15),
            deployed("D", "M2", 20),
        ];
        let placed = place_in_graph(deployments, &merges, &graph);
        let expected = [("A", [].as_slice()), ("B", &[1]), ("C", &[4]), ("D", &[2, 3])];
        assert_eq!(brought(&placed), expected);
    }

    #[test]
    fn a_commit_that_was_pushed_away_brings_what_it_reached() {
        // o2 and o3 were rewritten as n2 and n3, after o2 was deployed.
        let graph = graph(&[("c1", &[]), ("o2", &["c1"]), ("n2", &["c1"]), ("n3", &["n2"])]);
        let merges = [merge(1, "o2", 2), merge(2, "n3", 13)];
        let deployments =
            vec![deployed("A", "c1", 1), deployed("B", "o2", 5), deployed("C", "n3", 15)];
        let placed = place_in_graph(deployments, &merges, &graph);
        assert_eq!(brought(&placed), [("A", [].as_slice()), ("B", &[1]), ("C", &[2])]);
        assert!(placed.iter().all(|p| !p.rollback), "a rewritten branch goes not back");
    }
}

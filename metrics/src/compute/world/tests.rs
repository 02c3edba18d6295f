use std::future::Future;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use domain::ids::IntegrationId;
use store::metrics::{IncidentRead, Said};
use uuid::Uuid;

use super::super::references::Reference;
use super::*;

#[test]
fn only_links_that_speak_of_a_cause_name_one() {
    let links =
        ["This issue is caused by PAY-311", "This issue blocks PAY-12", "is caused by ops-4"];
    let links: Vec<String> = links.iter().map(|link| (*link).to_owned()).collect();
    assert_eq!(caused_by(&links), ["PAY-311", "OPS-4"]);
}

/// A chain of commits, each of them deployed after all of its descendants: the longest walks.
fn tedious(commits: usize, deployments: usize) -> SeenRepository {
    let sha = |number: usize| format!("{number:040x}");
    let at = |second: usize| DateTime::from_timestamp(second as i64, 0);
    SeenRepository {
        repository: Repository {
            integration: IntegrationId(Uuid::nil()),
            id: 1,
            full_name: "acme/tedious".to_owned(),
        },
        lives: Vec::new(),
        reviews: Vec::new(),
        comments: Vec::new(),
        commits_under_review: Vec::new(),
        posted: Vec::new(),
        shipments: Vec::new(),
        deployments: (0..deployments)
            .map(|number| Deployment {
                external_id: number.to_string(),
                environment: "production".to_owned(),
                sha: sha(commits - 1 - number),
                outcome: DeploymentOutcome::Success,
                created_at: at(number).unwrap(),
                finished_at: at(number),
                estimated: false,
            })
            .collect(),
        commits: (0..commits)
            .map(|number| (sha(number), number.checked_sub(1).map(sha).into_iter().collect()))
            .collect(),
        links: Vec::new(),
    }
}

fn hour(hour: i64) -> Moment {
    DateTime::from_timestamp(hour * 3_600, 0).unwrap()
}

/// One that was made by `ada`, opened at 1, with a commit of midnight.
fn life(number: i64, title: &str) -> PullRequestLife {
    PullRequestLife {
        number,
        title: title.to_owned(),
        author: Some("ada".to_owned()),
        created_at: hour(1),
        ready_at: None,
        merged_at: None,
        merge_commit_sha: None,
        base_ref: "main".to_owned(),
        first_commit_at: Some(hour(0)),
        author_is_bot: false,
        is_open: false,
        draft: false,
        lines: 0,
        files: 0,
    }
}

/// A success in production at an hour.
fn deployed(id: &str, sha: &str, at: i64) -> Deployment {
    Deployment {
        external_id: id.to_owned(),
        environment: "production".to_owned(),
        sha: sha.to_owned(),
        outcome: DeploymentOutcome::Success,
        created_at: hour(at),
        finished_at: Some(hour(at)),
        estimated: false,
    }
}

/// However it was merged, a pull request is in production when the commit is that GitHub names for
/// its merge. Its own commits may be elsewhere: squashed, copied, rewritten, or in a fork.
#[test]
fn a_pull_request_is_found_by_its_merge_commit_alone() {
    // The branch of the merge is `own`; those of all others are not among the commits.
    let commits = [
        ("base", vec![]),
        ("squashed", vec!["base"]),
        ("copied-1", vec!["squashed"]),
        ("copied-2", vec!["copied-1"]),
        ("own", vec!["base"]),
        ("joined", vec!["copied-2", "own"]),
        ("late", vec!["joined"]),
    ];
    let text = |sha: &&str| (*sha).to_owned();
    let commits = commits.iter().map(|(sha, of)| (text(sha), of.iter().map(text).collect()));
    let cases = [
        ("squash", Some("squashed"), Some("d2")),
        ("rebase", Some("copied-2"), Some("d2")),
        ("merge", Some("joined"), Some("d2")),
        ("deployed with the one before", Some("base"), None),
        ("not deployed", Some("late"), None),
        ("unknown commit", Some("elsewhere"), None),
        ("no commit", None, None),
    ];
    let merged = |(number, (title, sha, _)): (usize, &(&str, Option<&str>, _))| PullRequestLife {
        merged_at: Some(hour(2)),
        merge_commit_sha: sha.map(str::to_owned),
        ..life(number as i64, title)
    };
    let mut world = World::default();
    let seen = SeenRepository {
        lives: cases.iter().enumerate().map(merged).collect(),
        deployments: vec![deployed("d1", "base", 1), deployed("d2", "joined", 5)],
        commits: commits.collect(),
        ..tedious(0, 0)
    };
    world.add(seen, &DeploymentRules::default());
    for (fact, (case, _, expected)) in world.pull_requests.iter().zip(cases) {
        assert_eq!(fact.deployment.as_deref(), expected, "{case}");
        let seconds = expected.map(|_| 3.0 * 3_600.0);
        assert_eq!(fact.deploy_seconds, seconds, "{case}");
    }
}

/// Whoever the client calls a machine is one wherever people are meant.
#[test]
fn machines_of_the_client_neither_open_nor_review_nor_speak() {
    let review = |author: &str, at| ReviewAt {
        number: 1,
        said: Said::Verdict,
        author: Some(author.to_owned()),
        bot: false,
        at: Some(hour(at)),
    };
    let comments = |author: Option<&str>, bot, count| CommentsBy {
        number: 1,
        author: author.map(str::to_owned),
        bot,
        count,
    };
    let open = |number, author: &str| PullRequestLife {
        author: Some(author.to_owned()),
        is_open: true,
        ..life(number, "Change")
    };
    let seen = SeenRepository {
        lives: vec![open(1, "ada"), open(2, "CI-User")],
        reviews: vec![review("renovate-acme", 2), review("bob", 4)],
        comments: vec![
            comments(Some("ada"), false, 3),
            comments(Some("renovate"), false, 5),
            comments(Some("scanner"), true, 7),
            comments(None, false, 11),
        ],
        ..tedious(0, 0)
    };
    let logins = ["ci-user", "renovate*"].map(str::to_owned).to_vec();
    let mut world = World::new(HashSet::new(), Sought::default(), BotRules::check(logins).unwrap());
    world.add(seen, &DeploymentRules::default());
    let [of_ada, of_machine] = &*world.pull_requests else { panic!("two pull requests") };
    assert_eq!((of_ada.author_is_bot, of_machine.author_is_bot), (false, true));
    assert_eq!(of_ada.first_review_at, Some(hour(4)));
    assert_eq!((of_ada.reviews, of_ada.reviewers, of_ada.comments), (1, 1, 14));
}

/// `d2` brought the pull requests 1 and 2, `d3` brought 3, and `d4` the one that takes 1 back. Everything but
/// the time says `d2`, though the last before the incident is `d4`.
#[test]
fn the_first_rule_that_hits_names_the_deployment_and_is_kept() {
    let (incident, cause) = ((JIRA, 90), (JIRA, 91));
    let merged = |number, title: &str, sha: &str, at| PullRequestLife {
        created_at: hour(at),
        merged_at: Some(hour(at)),
        merge_commit_sha: Some(sha.to_owned()),
        ..life(number, title)
    };
    let link = |number, (issue_integration, issue_id): IssueRef| Link {
        number,
        issue_integration,
        issue_id,
        via: "title".to_owned(),
        key_seen: String::new(),
    };
    let chain = ["base", "one", "two", "three", "four"];
    let parents = |at: usize| at.checked_sub(1).map(|at| chain[at].to_owned());
    let commits =
        (0..chain.len()).map(|at| (chain[at].to_owned(), parents(at).into_iter().collect()));
    let commits: Vec<(String, Vec<String>)> = commits.collect();
    let seen = |links| SeenRepository {
        lives: vec![
            merged(1, "Retry", "one", 2),
            merged(2, "PAY-91 Wait", "two", 3),
            merged(3, "Other", "three", 6),
            merged(4, "Revert \"Retry\"", "four", 8),
        ],
        deployments: vec![
            deployed("d1", "base", 1),
            deployed("d2", "two", 4),
            deployed("d3", "three", 7),
            deployed("d4", "four", 9),
        ],
        commits: commits.clone(),
        links,
        ..tedious(0, 0)
    };
    // Who fixed the incident took 1 back.
    let links = || vec![link(2, cause), link(4, incident)];
    let told = |links: Vec<Link>, caused_by: bool, named: Option<&str>, began: i64, window| {
        let incident = Incident {
            read: IncidentRead {
                integration: incident.0,
                id: incident.1,
                project: "PAY".to_owned(),
                created_at: hour(began),
                links: if caused_by { vec!["is caused by PAY-91".to_owned()] } else { vec![] },
            },
            began_at: hour(began),
            window: Some(TimeDelta::hours(window)),
            reference: named.map(Reference::read),
        };
        let incidents = [incident];
        let repositories = vec![tedious(0, 0).repository];
        let sought = Sought::by(&incidents, &repositories);
        let wanted = HashSet::from([(JIRA, 90), (JIRA, 91)]);
        let mut world = World::new(wanted, sought, BotRules::default());
        world.add(seen(links), &DeploymentRules::default());
        let causes = HashMap::from([("PAY-91".to_owned(), cause)]);
        let belongings = Belongings { repositories, ..Belongings::default() };
        world.explain(&incidents, &causes, &belongings);
        let told = world.incidents.remove(0).cause.map(|cause| (cause.deployment, cause.rule));
        let blamed: i64 = world.deployments.values().map(|fact| fact.incidents).sum();
        assert_eq!(blamed, i64::from(told.is_some()), "each incident is counted once");
        told
    };
    let cases = [
        ("all say something", links(), true, Some("d3"), 10, 24, Some(("d3", "explicit"))),
        ("nobody knows the name", links(), true, Some("d9"), 10, 24, Some(("d2", "caused_by"))),
        ("a cause", links(), true, None, 10, 24, Some(("d2", "caused_by"))),
        ("a revert", links(), false, None, 10, 24, Some(("d2", "revert"))),
        ("time alone", vec![], false, None, 10, 24, Some(("d4", "time_window"))),
        ("at the very moment", vec![], false, None, 9, 24, Some(("d3", "time_window"))),
        ("too long ago", vec![], false, None, 40, 24, None),
        ("before any deployment", vec![], false, None, 1, 24, None),
        // What was deployed later caused nothing, unless somebody says so.
        ("a cause that came later", links(), true, None, 3, 24, Some(("d1", "time_window"))),
        ("a name that came later", links(), true, Some("d3"), 3, 24, Some(("d3", "explicit"))),
        (
            "a pull request",
            vec![],
            false,
            Some("https://git.example/acme/tedious/pull/2"),
            10,
            24,
            Some(("d2", "explicit")),
        ),
    ];
    for (case, links, caused_by, named, began, window, expected) in cases {
        let told = told(links, caused_by, named, began, window);
        let told = told.as_ref().map(|(deployment, rule)| (deployment.as_str(), rule.as_str()));
        assert_eq!(told, expected, "{case}");
    }
}

const JIRA: IntegrationId = IntegrationId(Uuid::from_u128(7));

#[tokio::test]
async fn a_large_repository_holds_nobody_up() {
    let started = Instant::now();
    let mut there = World::default();
    there.add(tedious(20_000, 400), &DeploymentRules::default());
    let long = started.elapsed();

    let mut longest = Duration::ZERO;
    let mut placing = std::pin::pin!(World::default().with(tedious(20_000, 400), Arc::default()));
    let here = std::future::poll_fn(|context| {
        let polled = Instant::now();
        let poll = placing.as_mut().poll(context);
        longest = longest.max(polled.elapsed());
        poll
    })
    .await;
    assert_eq!(here.deployments, there.deployments);
    assert!(longest < long / 4, "held up for {longest:?} of {long:?}");
}

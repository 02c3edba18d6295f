use std::future::Future;
use std::time::{Duration, Instant};

use chrono::DateTime;
use domain::ids::IntegrationId;
use store::metrics::Said;
use uuid::Uuid;

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

/// However it was merged, a pull request is in production when the commit is that GitHub names for
/// its merge. Its own commits may be elsewhere: squashed, copied, rewritten, or in a fork.
#[test]
fn a_pull_request_is_found_by_its_merge_commit_alone() {
    let at = |hour: i64| DateTime::from_timestamp(hour * 3_600, 0).unwrap();
    let deployed = |id: &str, sha: &str, hour| Deployment {
        external_id: id.to_owned(),
        environment: "production".to_owned(),
        sha: sha.to_owned(),
        outcome: DeploymentOutcome::Success,
        created_at: at(hour),
        finished_at: Some(at(hour)),
        estimated: false,
    };
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
    let life = |(number, (title, sha, _)): (usize, &(&str, Option<&str>, _))| PullRequestLife {
        number: number as i64,
        title: (*title).to_owned(),
        author: None,
        created_at: at(1),
        ready_at: None,
        merged_at: Some(at(2)),
        merge_commit_sha: sha.map(str::to_owned),
        base_ref: "main".to_owned(),
        first_commit_at: Some(at(0)),
        author_is_bot: false,
        is_open: false,
        draft: false,
        lines: 0,
        files: 0,
    };
    let mut world = World::default();
    let seen = SeenRepository {
        lives: cases.iter().enumerate().map(life).collect(),
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
    let at = |hour: i64| DateTime::from_timestamp(hour * 3_600, 0).unwrap();
    let review = |author: &str, hour| ReviewAt {
        number: 1,
        said: Said::Verdict,
        author: Some(author.to_owned()),
        bot: false,
        at: Some(at(hour)),
    };
    let comments = |author: Option<&str>, bot, count| CommentsBy {
        number: 1,
        author: author.map(str::to_owned),
        bot,
        count,
    };
    let life = |number, author: &str| PullRequestLife {
        number,
        title: "Change".to_owned(),
        author: Some(author.to_owned()),
        created_at: at(1),
        ready_at: None,
        merged_at: None,
        merge_commit_sha: None,
        base_ref: "main".to_owned(),
        first_commit_at: Some(at(0)),
        author_is_bot: false,
        is_open: true,
        draft: false,
        lines: 0,
        files: 0,
    };
    let seen = SeenRepository {
        lives: vec![life(1, "ada"), life(2, "CI-User")],
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
    assert_eq!(of_ada.first_review_at, Some(at(4)));
    assert_eq!((of_ada.reviews, of_ada.reviewers, of_ada.comments), (1, 1, 14));
}

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

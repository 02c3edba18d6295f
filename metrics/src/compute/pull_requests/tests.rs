use domain::ids::IntegrationId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// The moment `hour` hours into our little history.
fn at(hour: i64) -> Moment {
    Moment::from_timestamp(1_770_000_000 + hour * 3_600, 0).unwrap()
}

const HOUR: f64 = 3_600.0;

/// Ada's: written at 0, opened at 5, merged at 10.
fn life() -> PullRequestLife {
    PullRequestLife {
        number: 1,
        title: "PAY-1 Retry".to_owned(),
        author: Some("ada".to_owned()),
        created_at: at(5),
        ready_at: None,
        merged_at: Some(at(10)),
        merge_commit_sha: Some("m".to_owned()),
        base_ref: "main".to_owned(),
        first_commit_at: Some(at(0)),
        author_is_bot: false,
        is_open: false,
        draft: false,
        lines: 12,
        files: 3,
    }
}

fn said(said: Said, author: &str, hour: i64) -> ReviewAt {
    let author = Some(author.to_owned());
    ReviewAt { number: 1, said, author, bot: false, at: Some(at(hour)) }
}

fn verdict(author: &str, hour: i64) -> ReviewAt {
    said(Said::Verdict, author, hour)
}

fn made(life: PullRequestLife, around: Around<'_>) -> PullRequestFact {
    let repository = Repository {
        integration: IntegrationId(Uuid::nil()),
        id: 1,
        full_name: "acme/pay".to_owned(),
    };
    fact(&repository, life, around)
}

/// Coding, pickup, review and deploy, in hours.
fn stages(life: PullRequestLife, reviews: &[ReviewAt], deployed: Option<i64>) -> [Option<f64>; 4] {
    let deployment = deployed.map(|hour| ("d1".to_owned(), at(hour)));
    let fact = made(life, Around { reviews, deployment, ..Around::default() });
    [fact.coding_seconds, fact.pickup_seconds, fact.review_seconds, fact.deploy_seconds]
        .map(|seconds| seconds.map(|seconds| seconds / HOUR))
}

#[test]
fn stages_are_cut_where_the_life_says() {
    let bot = ReviewAt { bot: true, ..verdict("scanner", 6) };
    let pending = ReviewAt { at: None, ..verdict("bob", 6) };
    let nobody = ReviewAt { author: None, ..verdict("", 8) };
    let draft = PullRequestLife { ready_at: Some(at(6)), ..life() };
    let rewritten = PullRequestLife { first_commit_at: Some(at(7)), ..life() };
    let bare = PullRequestLife { first_commit_at: None, ..life() };
    let bob = verdict("bob", 7);
    let cases = [
        (
            "plain",
            life(),
            vec![bob.clone()],
            Some(20),
            [Some(5.0), Some(2.0), Some(3.0), Some(10.0)],
        ),
        (
            "draft, then ready",
            draft.clone(),
            vec![bob.clone()],
            None,
            [Some(6.0), Some(1.0), Some(3.0), None],
        ),
        (
            "reviewed as a draft",
            draft,
            vec![verdict("bob", 5)],
            None,
            [Some(6.0), None, Some(5.0), None],
        ),
        (
            "a machine first",
            life(),
            vec![bot.clone(), bob.clone()],
            None,
            [Some(5.0), Some(2.0), Some(3.0), None],
        ),
        ("only a machine", life(), vec![bot], None, [Some(5.0), None, None, None]),
        ("only its author", life(), vec![verdict("ada", 6)], None, [Some(5.0), None, None, None]),
        ("never given", life(), vec![pending], None, [Some(5.0), None, None, None]),
        ("by a deleted user", life(), vec![nobody], None, [Some(5.0), Some(3.0), Some(2.0), None]),
        (
            "a remark first",
            life(),
            vec![bob.clone(), said(Said::Remark, "eve", 6)],
            None,
            [Some(5.0), Some(1.0), Some(4.0), None],
        ),
        (
            "reviewed after the merge",
            life(),
            vec![verdict("bob", 12)],
            None,
            [Some(5.0), Some(7.0), None, None],
        ),
        (
            "commits after opening",
            rewritten,
            vec![bob.clone()],
            None,
            [None, Some(2.0), Some(3.0), None],
        ),
        (
            "commits unknown",
            bare,
            vec![bob.clone()],
            Some(20),
            [None, Some(2.0), Some(3.0), Some(10.0)],
        ),
        (
            "deployed by a clock that is behind",
            life(),
            vec![bob],
            Some(9),
            [Some(5.0), Some(2.0), Some(3.0), None],
        ),
    ];
    for (case, life, reviews, deployed, expected) in cases {
        assert_eq!(stages(life, &reviews, deployed), expected, "{case}");
    }
}

#[test]
fn stages_add_up_to_the_whole() {
    let deployment = Some(("d1".to_owned(), at(20)));
    let reviews = [verdict("bob", 7)];
    let fact = made(life(), Around { reviews: &reviews, deployment, ..Around::default() });
    let stages =
        [fact.coding_seconds, fact.pickup_seconds, fact.review_seconds, fact.deploy_seconds];
    assert_eq!(stages.iter().flatten().sum::<f64>(), fact.lead_seconds.unwrap());
    let at_once = PullRequestLife { first_commit_at: Some(at(5)), ..life() };
    assert_eq!(made(at_once, Around::default()).coding_seconds, Some(0.0), "nothing is not none");
}

#[test]
fn attention_is_that_of_other_people() {
    let reviews = [
        verdict("bob", 6),
        verdict("bob", 7),
        said(Said::ChangesRequested, "eve", 8),
        said(Said::Remark, "joe", 8),
        said(Said::Remark, "ada", 9),
        verdict("ada", 9),
        ReviewAt { bot: true, ..verdict("scanner", 6) },
        ReviewAt { bot: true, ..said(Said::Remark, "scanner", 6) },
        ReviewAt { at: None, ..verdict("zoe", 6) },
    ];
    let fact = made(life(), Around { reviews: &reviews, comments: 4, ..Around::default() });
    // Comments are those of all people: two on the diff, and four in the conversation.
    assert_eq!((fact.reviews, fact.reviewers, fact.comments), (3, 3, 6));
    assert_eq!((fact.lines, fact.files, fact.review_rounds), (12, 3, 0));
}

#[test]
fn a_round_is_a_request_that_commits_follow() {
    /// Who requested changes and when, when commits came about, and how many rounds that is.
    type Case<'a> = (&'a [(&'a str, i64)], &'a [i64], i64);
    let cases: &[Case<'_>] = &[
        (&[], &[1, 6], 0),
        (&[("bob", 5)], &[1, 5], 0),
        (&[("bob", 5)], &[1, 6, 7], 1),
        (&[("bob", 5), ("eve", 6)], &[7], 1),
        (&[("bob", 5), ("eve", 7)], &[6, 8], 2),
        (&[("eve", 7), ("bob", 5)], &[6, 8], 2),
        (&[("bob", 5), ("bob", 6)], &[6], 1),
        (&[("bob", 5), ("bob", 7)], &[6], 1),
        (&[("ada", 5)], &[6], 0),
        // All commits were made anew.
        (&[("bob", 5)], &[9, 9, 9], 1),
    ];
    for (requests, commits, expected) in cases {
        let reviews: Vec<_> = requests
            .iter()
            .map(|(author, hour)| said(Said::ChangesRequested, author, *hour))
            .collect();
        let commits: Vec<_> = commits.iter().map(|hour| (1, at(*hour))).collect();
        let around = Around { reviews: &reviews, commits: &commits, ..Around::default() };
        let rounds = made(life(), around).review_rounds;
        assert_eq!(rounds, *expected, "{requests:?} before {commits:?}");
    }
}

#[test]
fn a_merged_revert_takes_back_the_last_of_its_title() {
    let pull = |number, title: &str, opened, merged: Option<i64>| PullRequestLife {
        number,
        title: title.to_owned(),
        created_at: at(opened),
        merged_at: merged.map(at),
        ..life()
    };
    let lives = [
        pull(1, "Retry", 0, Some(1)),
        pull(2, "Retry", 2, Some(3)),
        pull(3, "Retry", 4, None),
        pull(4, "Revert \"Retry\"", 5, Some(6)),
        pull(5, "Retry", 7, Some(8)),
        pull(6, "Wait", 0, Some(1)),
        pull(7, "Revert \"Wait\"", 2, None),
        pull(8, "Revert \"Nothing that we know\"", 2, Some(3)),
        pull(9, "Revert \"Revert \"Retry\"\"", 9, Some(10)),
    ];
    let mut taken_back: Vec<(i64, i64)> = taken_back(&lives).into_iter().collect();
    taken_back.sort_unstable();
    assert_eq!(taken_back, [(4, 2), (9, 4)]);
}

proptest! {
    /// Whatever the clocks say: no stage is negative, and where none is missing they are the whole.
    #[test]
    fn stages_are_none_or_parts_of_the_whole(
        hours in proptest::collection::vec(proptest::option::weighted(0.9, 0_i64..20), 4),
        created in 0_i64..20,
        deployed in proptest::option::weighted(0.9, 0_i64..40),
    ) {
        let hour = |position: usize| hours[position].map(at);
        let read = PullRequestLife {
            first_commit_at: hour(0),
            created_at: at(created),
            ready_at: hour(1),
            merged_at: hour(2),
            ..life()
        };
        let reviews: Vec<_> = hours[3].map(|hour| verdict("bob", hour)).into_iter().collect();
        let deployment = deployed.map(|hour| ("d1".to_owned(), at(hour)));
        let fact = made(read, Around { reviews: &reviews, deployment, ..Around::default() });
        let stages =
            [fact.coding_seconds, fact.pickup_seconds, fact.review_seconds, fact.deploy_seconds];
        prop_assert!(stages.iter().flatten().all(|seconds| *seconds >= 0.0));
        if let Some(parts) = stages.into_iter().collect::<Option<Vec<f64>>>() {
            prop_assert_eq!(Some(parts.iter().sum::<f64>()), fact.lead_seconds);
        }
    }
}

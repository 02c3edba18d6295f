use chrono_tz::Tz;
use domain::ids::IntegrationId;
use proptest::prelude::*;
use store::dora::RepositoryNow;
use store::focus::Focus;
use store::metrics::PullRequestFact;
use store::pull_requests::{PullRequestTold, PullRequestsRead};
use uuid::Uuid;

use super::super::Bucket;
use super::*;

const HOUR: f64 = 3_600.0;

fn at(text: &str) -> Moment {
    text.parse().unwrap()
}

/// Two whole weeks from Monday 2 March 2026.
fn window() -> Window {
    let (from, to) = (at("2026-03-02T00:00:00Z"), at("2026-03-16T00:00:00Z"));
    Window::new(from, to, Tz::UTC, Bucket::Week).unwrap()
}

/// Opened eight hours before its merge; each stage takes `hours`.
fn merged(number: i64, merged_at: &str, hours: f64) -> PullRequestTold {
    let merged_at = at(merged_at);
    let seconds = Some(hours * HOUR);
    let fact = PullRequestFact {
        integration: IntegrationId(Uuid::nil()),
        repository: 1,
        number,
        first_commit_at: Some(merged_at),
        first_review_at: Some(merged_at),
        coding_seconds: seconds,
        pickup_seconds: seconds,
        review_seconds: seconds,
        deploy_seconds: seconds,
        lead_seconds: seconds,
        deployment: Some("d1".to_owned()),
        deployed_at: Some(merged_at),
        author_is_bot: false,
        is_open: false,
        draft: false,
        opened_at: merged_at - chrono::TimeDelta::hours(8),
        merged_at: Some(merged_at),
        lines: number * 10,
        files: 2,
        reviews: 1,
        reviewers: 1,
        comments: 3,
        review_rounds: 0,
        reverted: false,
    };
    PullRequestTold { name: format!("acme/pay#{number}"), fact }
}

fn with(told: PullRequestTold, change: impl FnOnce(&mut PullRequestFact)) -> PullRequestTold {
    let mut told = told;
    change(&mut told.fact);
    told
}

fn read(merged: Vec<PullRequestTold>) -> PullRequestsRead {
    let as_of = Some(at("2026-03-16T00:00:00Z"));
    PullRequestsRead { as_of, merged, ..PullRequestsRead::default() }
}

fn told(read: &PullRequestsRead) -> Answer {
    report_on(read, true)
}

fn report_on(read: &PullRequestsRead, explain: bool) -> Answer {
    let place = (IntegrationId(Uuid::nil()), 1);
    let acme = RepositoryNow { place, full_name: "acme/pay".to_owned(), inactive: None };
    let head = DeliveryHead { repositories: vec![acme], ..DeliveryHead::default() };
    let now = at("2026-03-16T12:00:00Z");
    let asked = Asked {
        window: window(),
        focus: Focus::default(),
        explain,
        bands: crate::bands::NEWEST,
        now,
    };
    report(&PullRequestFacts::of(read), &read.inactive, &head, &asked)
}

fn metric<'a>(answer: &'a Answer, name: &str) -> &'a Metric {
    answer.metrics.iter().find(|metric| metric.name == name).unwrap()
}

fn reasons(metric: &Metric) -> Vec<(&str, u64)> {
    metric.excluded.iter().map(|row| (row.reason.as_str(), row.count)).collect()
}

const MONDAY: &str = "2026-03-02T10:00:00Z";
const NEXT_WEEK: &str = "2026-03-09T10:00:00Z";
const BEFORE: &str = "2026-02-23T10:00:00Z";

#[test]
fn lengths_and_amounts_are_medians_beside_their_ranks_and_the_window_before() {
    let mut all: Vec<_> = (1..=4).map(|n| merged(n, MONDAY, n as f64)).collect();
    all.push(merged(9, BEFORE, 7.0));
    all.push(merged(5, NEXT_WEEK, 5.0));
    let answer = told(&read(all));
    for name in ["coding_time", "pickup_time", "review_time", "deploy_time"] {
        let stage = metric(&answer, name);
        let values = (stage.value, stage.previous, stage.counted);
        assert_eq!(values, (Some(3.0 * HOUR), Some(7.0 * HOUR), 5), "{name}");
        assert_eq!((stage.details["p85"], stage.details["p95"]), (5.0 * HOUR, 5.0 * HOUR));
    }
    assert_eq!(metric(&answer, "time_to_merge").value, Some(8.0 * HOUR));
    let size = metric(&answer, "size");
    assert_eq!((size.value, size.details["p85"], size.details["total"]), (Some(30.0), 50.0, 150.0));
    let count = metric(&answer, "merged");
    assert_eq!((count.value, count.previous), (Some(5.0), Some(1.0)));
    assert_eq!(count.details["per_week"], 2.5);
    assert_eq!(count.ids.len(), 5);
    let medians: Vec<_> = answer.series.iter().map(|p| p.values["coding_time_p50"]).collect();
    assert_eq!(medians, [2.5 * HOUR, 5.0 * HOUR]);
    assert_eq!(answer.series[0].values["merged"], 4.0);
}

#[test]
fn what_has_no_length_is_named_and_nothing_is_lost() {
    let one = || merged(1, MONDAY, 1.0);
    let nothing = |fact: &mut PullRequestFact| {
        fact.coding_seconds = None;
        fact.pickup_seconds = None;
        fact.review_seconds = None;
        fact.deploy_seconds = None;
    };
    let bare = |fact: &mut PullRequestFact| {
        nothing(fact);
        fact.first_commit_at = None;
        fact.first_review_at = None;
        fact.deployed_at = None;
    };
    let merged_as_draft = |fact: &mut PullRequestFact| {
        fact.opened_at = at("2026-03-02T11:00:00Z");
    };
    let of_bot = |fact: &mut PullRequestFact| fact.author_is_bot = true;
    let inactive =
        |merged_at: Option<&str>, reason| Inactive { merged_at: merged_at.map(at), reason };
    let read = PullRequestsRead {
        inactive: vec![
            inactive(Some(MONDAY), "inactive_repository"),
            inactive(Some(BEFORE), "inactive_integration"),
            inactive(None, "inactive_integration"),
        ],
        ..read(vec![
            one(),
            with(one(), nothing),
            with(one(), bare),
            with(one(), merged_as_draft),
            with(one(), of_bot),
        ])
    };
    let answer = told(&read);
    let everywhere = [("bot", 1), ("inactive_repository", 1)];
    let own: [(&str, &[(&str, u64)]); 7] = [
        ("merged", &[]),
        ("size", &[]),
        ("coding_time", &[("negative_interval", 1), ("no_commits", 1)]),
        ("pickup_time", &[("negative_interval", 1), ("no_review", 1)]),
        ("review_time", &[("negative_interval", 1), ("no_review", 1)]),
        ("deploy_time", &[("negative_interval", 1), ("not_deployed", 1)]),
        ("time_to_merge", &[("negative_interval", 1)]),
    ];
    for (name, own) in own {
        let metric = metric(&answer, name);
        assert_eq!(reasons(metric), [own, &everywhere].concat(), "{name}");
        let excluded: u64 = metric.excluded.iter().map(|row| row.count).sum();
        assert_eq!(metric.counted + excluded, 6, "{name}");
    }
}

#[test]
fn shares_name_those_that_are_meant() {
    let reviewed_late = |fact: &mut PullRequestFact| fact.first_review_at = Some(at(NEXT_WEEK));
    let never_reviewed = |fact: &mut PullRequestFact| fact.first_review_at = None;
    let all = vec![
        merged(1, MONDAY, 1.0),
        with(merged(2, MONDAY, 1.0), reviewed_late),
        with(merged(3, MONDAY, 1.0), never_reviewed),
        with(merged(4, MONDAY, 1.0), |fact| fact.reverted = true),
    ];
    let answer = told(&read(all));
    let unreviewed = metric(&answer, "merged_without_review");
    assert_eq!((unreviewed.value, unreviewed.counted), (Some(0.5), 4));
    assert_eq!(unreviewed.ids, ["acme/pay#2", "acme/pay#3"]);
    let reverted = metric(&answer, "reverted");
    assert_eq!((reverted.value, reverted.details["pull_requests"]), (Some(0.25), 1.0));
    assert_eq!(reverted.ids, ["acme/pay#4"]);
}

#[test]
fn what_is_open_ages() {
    let open = |number, opened_at: &str, bot, draft| {
        with(merged(number, MONDAY, 1.0), |fact| {
            (fact.opened_at, fact.merged_at, fact.is_open) = (at(opened_at), None, true);
            (fact.author_is_bot, fact.draft) = (bot, draft);
        })
    };
    let read = PullRequestsRead {
        open: vec![
            open(1, "2026-03-16T02:00:00Z", false, false),
            open(2, "2026-03-15T12:00:00Z", false, true),
            open(3, "2026-01-01T00:00:00Z", true, false),
        ],
        ..read(Vec::new())
    };
    let answer = told(&read);
    let age = metric(&answer, "open_pull_request_age");
    assert_eq!((age.value, age.counted, age.previous), (Some(17.0 * HOUR), 2, None));
    assert_eq!((age.details["p85"], age.details["drafts"]), (24.0 * HOUR, 1.0));
    assert_eq!(reasons(age), [("bot", 1)]);
}

#[test]
fn emptiness_is_explained_by_the_first_rule_that_emptied_it() {
    let bot = with(merged(1, MONDAY, 1.0), |fact| fact.author_is_bot = true);
    let unreviewed = with(merged(2, MONDAY, 1.0), |fact| fact.first_review_at = None);
    let cases = [
        (vec![], "No pull request was merged in this window."),
        (vec![bot.clone()], "1 pull requests were merged, none of them counts: 1 bot."),
        (
            vec![bot, unreviewed],
            "1 pull requests of people were merged, none has this length: 1 no_review.",
        ),
    ];
    for (merged, reason) in cases {
        let answer = told(&read(merged));
        let pickup = metric(&answer, "pickup_time");
        assert_eq!((pickup.value, pickup.empty_reason.as_str()), (None, reason));
    }
    let never = told(&PullRequestsRead::default());
    assert!(never.metrics.iter().all(|m| m.empty_reason.starts_with("No sync has finished yet")));
    let quiet = report_on(&read(vec![merged(1, MONDAY, 1.0)]), false);
    assert!(quiet.metrics.iter().all(|m| m.ids.is_empty()), "ids are told only when asked for");
}

proptest! {
    /// Whatever the facts say: each metric counts or excludes every pull request of the window, and its
    /// buckets share out those that count.
    #[test]
    fn all_are_counted_or_excluded(
        rows in proptest::collection::vec(
            (0_i64..40, proptest::collection::vec(any::<bool>(), 8)),
            0..30,
        ),
    ) {
        let start = at("2026-02-20T12:00:00Z");
        let merged: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(number, (days, is))| with(merged(number as i64, MONDAY, 1.0), |fact| {
                let merged_at = start + chrono::TimeDelta::days(*days);
                fact.merged_at = Some(merged_at);
                fact.opened_at = merged_at - chrono::TimeDelta::hours(if is[0] { 1 } else { -1 });
                fact.author_is_bot = is[1];
                fact.first_commit_at = fact.first_commit_at.filter(|_| is[2]);
                fact.first_review_at = fact.first_review_at.filter(|_| is[3]);
                fact.deployed_at = fact.deployed_at.filter(|_| is[4]);
                fact.coding_seconds = fact.coding_seconds.filter(|_| is[2] && is[5]);
                fact.pickup_seconds = fact.pickup_seconds.filter(|_| is[3] && is[6]);
                fact.deploy_seconds = fact.deploy_seconds.filter(|_| is[4] && is[7]);
            }))
            .collect();
        let within = |told: &&PullRequestTold| told.fact.merged_at.is_some_and(|at| window().contains(at));
        let all = merged.iter().filter(within).count() as u64;
        let answer = told(&read(merged));
        for metric in answer.metrics.iter().filter(|metric| metric.name != "open_pull_request_age") {
            let excluded: u64 = metric.excluded.iter().map(|row| row.count).sum();
            prop_assert_eq!(metric.counted + excluded, all, "{}", metric.name);
            prop_assert_eq!(metric.value.is_none(), metric.counted == 0, "{}", metric.name);
            prop_assert_eq!(metric.value.is_none(), !metric.empty_reason.is_empty(), "{}", metric.name);
        }
        let counted = metric(&answer, "merged").counted;
        let of_buckets: f64 = answer.series.iter().map(|point| point.values["merged"]).sum();
        prop_assert_eq!(of_buckets, counted as f64);
    }
}

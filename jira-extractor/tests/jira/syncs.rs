//! Full and incremental syncs hold the truth, with few requests.

use std::time::Duration;

use chrono::TimeDelta;
use domain::Moment;
use domain::work::Outcome;
use orchestrator::Clock;
use simulator::Options;

use crate::house::House;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[rstest::rstest]
#[tokio::test]
async fn a_full_sync_and_two_incremental_ones_hold_the_truth(#[values(1, 2)] seed: u64) {
    let house = House::start(Options { seed, issues: 1_500, ..Options::default() }).await;
    let run = house.sync().await;
    assert_eq!((run.outcome, run.gaps), (Some(Outcome::Finished), vec![]));
    house.expect_truth("after the full sync").await;

    for days in 1..=2 {
        house.simulator.advance(DAY);
        let run = house.sync().await;
        assert_eq!(run.outcome, Some(Outcome::Finished), "{:?}", run.error);
        house.expect_truth(&format!("after {days} days")).await;
    }
}

#[tokio::test]
async fn a_full_sync_asks_little() {
    let house = House::start(Options { issues: 3_000, projects: 4, ..Options::default() }).await;
    house.sync().await;
    let stats = house.stats();
    let asked = |route: &str| stats.routes.get(route).copied().unwrap_or_default();
    let searches = asked("search/jql");
    assert!(searches <= 3_000 / 100 + 4, "one search per hundred issues: {stats:#?}");
    let histories = house.simulator.truth("issue-changes").unwrap().lines().count() as u64;
    let bulk = asked("changelog/bulkfetch");
    assert!(bulk <= histories / 1_000 + 4, "one call per thousand changes: {stats:#?}");
    assert!(stats.requests <= searches + bulk + 15, "and a handful beside: {stats:#?}");
    assert_eq!(house.last_run().await.requests, stats.requests, "every request is counted");
}

#[tokio::test]
async fn nothing_new_is_found_quickly_and_changes_nothing() {
    let house = House::start(Options { issues: 600, ..Options::default() }).await;
    house.sync().await;
    house.simulator.reset_stats();
    let run = house.sync().await;
    assert_eq!(run.outcome, Some(Outcome::Finished));
    assert!(house.stats().requests <= 40, "{:#?}", house.stats());
    house.expect_truth("after a second look").await;
}

/// The search tells of none of them: nobody edited them since they were last read.
#[tokio::test]
async fn issues_that_come_back_are_read_whole_in_the_same_run() {
    let house = House::start(Options { issues: 1_500, ..Options::default() }).await;
    // Some were never seen, and some were seen before they went.
    let never_seen = house.simulator.hide_issues(5);
    house.sync().await;
    house.expect_truth("without those that cannot be seen").await;
    let gone = house.simulator.hide_issues(6);
    house.sync().await;
    house.expect_truth("without those that are gone").await;

    let back = [never_seen, gone].concat();
    assert!(back.len() > 200, "{} are more than are asked for at once", back.len());
    house.simulator.show_issues(&back);
    house.simulator.reset_stats();
    let run = house.sync().await;
    assert_eq!((run.outcome, run.gaps), (Some(Outcome::Finished), vec![]), "{:?}", run.error);
    house.expect_truth("once they are back").await;
    let asked = house.stats().routes["issue/bulkfetch"];
    assert!(asked <= back.len() as u64 / 100 + 8, "one call per hundred and project: {asked}");

    house.simulator.reset_stats();
    house.sync().await;
    assert_eq!(house.stats().routes.get("issue/bulkfetch"), None, "nothing is lacking any longer");
}

/// Edits right after a read are seen by the next one, whichever clock is ahead.
#[rstest::rstest]
#[tokio::test]
async fn a_clock_that_is_off_hides_no_edit(#[values(-15, 15)] minutes_ahead: i64) {
    const SOON: Duration = Duration::from_secs(4 * 60);
    let theirs: Moment = "2026-10-06T10:00:00Z".parse().unwrap();
    let ours = Clock::manual(theirs + TimeDelta::minutes(minutes_ahead));
    let options = Options { issues: 1_000, now: Some(theirs), ..Options::default() };
    let house = House::start_at(options, ours.clone()).await;
    house.sync().await;
    let founding = house.simulator.truth("issue-changes");
    for time in 1..=6 {
        house.simulator.advance(SOON);
        ours.advance(TimeDelta::from_std(SOON).unwrap());
        house.sync().await;
        house.expect_truth(&format!("after a short while, for the {time}. time")).await;
    }
    assert_ne!(house.simulator.truth("issue-changes"), founding, "somebody works at that hour");
}

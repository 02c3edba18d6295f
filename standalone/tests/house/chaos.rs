//! Any program may be killed at any moment of a sync. Nothing is lost, nothing is doubled, and at most
//! one page of each worker that was killed is fetched again.

use std::fmt;
use std::time::Instant;

use serde_json::json;
use simulator::Options;

use crate::apart::{Apart, CREW};
use crate::dice::Dice;
use crate::front::Environment;
use crate::servers::{self, Watch};

/// The request that begins a page, of each kind of page that is kept in one go.
const PAGES: [&str; 4] = ["search/jql", "board", "graphql", "repos/{r}/pulls/comments"];

/// How much is killed, and in how large a company.
struct Extent {
    runs: u64,
    kills: u64,
    issues: usize,
    pull_requests: usize,
}

impl Extent {
    /// Little with every change, all of it by `make soak`.
    fn chosen() -> Extent {
        match servers::option("PULSE_SOAK").as_deref() {
            Some(_) => Extent { runs: 25, kills: 4, issues: 20_000, pull_requests: 3_000 },
            None => Extent { runs: 1, kills: 6, issues: 2_000, pull_requests: 500 },
        }
    }
}

/// What a run with kills came to.
struct Figures {
    killed: Vec<&'static str>,
    seconds: f64,
    /// Pages that were fetched although an untroubled run would not have.
    again: u64,
    /// Workers that were killed, and pages that may be fetched again: one of each, which has one in hand.
    workers: u64,
    running_at_most: i64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { killed, seconds, again, workers, running_at_most } = self;
        write!(
            f,
            "{seconds:.1} s, {again} pages of {workers} workers fetched again, {running_at_most} job \
             running at most, killed {}",
            killed.join(", ")
        )
    }
}

#[tokio::test]
async fn programs_killed_at_random_moments_lose_and_double_nothing() {
    let extent = Extent::chosen();
    let options = Options {
        seed: 17,
        issues: extent.issues,
        pull_requests: extent.pull_requests,
        latency: std::time::Duration::from_millis(60),
        count_repeats: true,
        ..Options::default()
    };
    let untroubled = start(&options).await;
    let started = Instant::now();
    run_both(&untroubled).await;
    untroubled.until_finished().await;
    let enough = untroubled.requests();
    assert_eq!(given_again(&untroubled), 0, "no page is fetched twice without need");
    println!("untroubled: {:.1} s, {enough} requests", started.elapsed().as_secs_f64());
    drop(untroubled);

    let mut dice = Dice::new(options.seed);
    for run in 1..=extent.runs {
        let figures = with_kills(&options, extent.kills, enough, &mut dice).await;
        println!("run {run}: {figures}");
        assert!(figures.running_at_most == 1, "run {run}: {figures}");
        assert!(figures.again <= figures.workers, "run {run}: {figures}");
    }
}

async fn with_kills(options: &Options, kills: u64, enough: u64, dice: &mut Dice) -> Figures {
    let mut apart = start(options).await;
    let watch = Watch::running_jobs(&apart.servers);
    let started = Instant::now();
    run_both(&apart).await;
    let mut killed = Vec::new();
    for kill in 0..kills {
        // Somewhere in the next share of what there is to fetch. How large pages are is tried out anew by
        // each worker, so the sync may be over sooner than the untroubled one.
        let share = enough * 6 / 10 / kills;
        apart.until_requests(share * kill + dice.below(share)).await;
        let victim = dice.below(apart.programs.len() as u64);
        let program = &mut apart.programs[usize::try_from(victim).expect("one of a few")];
        program.kill();
        program.start_again();
        killed.push(program.name);
    }
    apart.until_ready().await;
    apart.until_finished().await;
    let seconds = started.elapsed().as_secs_f64();
    apart.expect_truth(&format!("after {} were killed", killed.join(", "))).await;
    let workers = killed.iter().filter(|name| name.ends_with("-extractor")).count() as u64;
    Figures { killed, seconds, again: given_again(&apart), workers, running_at_most: watch.most() }
}

async fn start(options: &Options) -> Apart {
    let one = vec![("WORKER_CONCURRENCY", "1".to_owned())];
    let apart = Apart::start(options.clone(), &CREW, one as Environment).await;
    apart.connect().await;
    apart
}

async fn run_both(apart: &Apart) {
    for job in ["jira_sync", "git_sync"] {
        apart.post(&format!("/api/v1/jobs/{job}/run"), &json!({})).await;
    }
}

/// Pages that Jira and GitHub gave although they had given them before.
fn given_again(apart: &Apart) -> u64 {
    let repeated = apart.simulator.stats().repeated;
    PAGES.iter().filter_map(|route| repeated.get(*route)).sum()
}

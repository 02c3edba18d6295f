//! What we hold equals what a perfect extractor would hold: after a full sync, after incremental
//! ones, and after any number of power cuts.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use rstest::rstest;
use serde_json::json;
use simulator::Options;

use crate::servers::Servers;
use crate::stack::Stack;

const DAY: Duration = Duration::from_secs(86_400);

fn company(seed: u64) -> Options {
    let seed = crate::dice::company(seed);
    Options { seed, issues: 1_200, pull_requests: 500, ..Options::default() }
}

async fn holds_the_truth_for_three_days(stack: &Stack) {
    stack.connect().await;
    stack.sync().await;
    stack.expect_truth("after the full sync").await;
    for day in 1..=3 {
        stack.simulator.advance(DAY);
        stack.sync().await;
        stack.expect_truth(&format!("after day {day}")).await;
    }
}

#[rstest]
#[tokio::test]
async fn a_full_sync_and_three_incremental_ones_hold_the_truth(#[values(1, 2, 3)] seed: u64) {
    let stack = Stack::start(company(seed)).await;
    holds_the_truth_for_three_days(&stack).await;
}

#[tokio::test]
async fn the_truth_holds_on_postgresql_rabbitmq_and_redis() {
    let servers = Servers::fresh();
    let stack = Stack::start_with(company(5), servers.environment()).await;
    holds_the_truth_for_three_days(&stack).await;
}

/// Twenty cuts, each a few requests after the last, so that every one falls into the sync.
#[rstest]
#[tokio::test]
async fn power_cuts_in_mid_sync_lose_and_double_nothing(#[values(6, 7, 8)] seed: u64) {
    const CUTS: u64 = 20;
    let options = Options {
        issues: 3_000,
        pull_requests: 1_500,
        latency: Duration::from_millis(10),
        ..company(seed)
    };
    let untroubled = Stack::start(options.clone()).await;
    untroubled.connect().await;
    untroubled.sync().await;
    let enough = untroubled.requests();
    // Where there are many pages, one is in hand; that of a pull request asks again for long lists.
    let unkept = |kind: &str| match kind {
        "issues" | "deployments" | "commits" => 1,
        "pull_requests" => 2,
        one_page => requests_of(untroubled.database(), one_page),
    };

    let mut stack = Stack::start(options).await;
    stack.connect().await;
    for job in ["jira_sync", "git_sync"] {
        stack.post(&format!("/api/v1/jobs/{job}/run"), &json!({})).await;
    }
    let mut allowed = 0;
    for cut in 0..CUTS {
        // 1 to 9 requests on, by a stride that hits no rhythm of ours.
        let next = stack.requests() + 1 + (seed + cut) * 7 % 9;
        stack.until_requests(next).await;
        // Which fields there are is asked once after each start.
        allowed += 1 + stack.cut_power().iter().map(|kind| unkept(kind)).sum::<u64>();
    }
    let jobs = stack.jobs().await;
    assert!(
        jobs.values().any(|job| job["status"] != "FINISHED"),
        "the sync was over before the last cut: {jobs:#?}"
    );
    stack.until_finished().await;
    stack.expect_truth("after twenty power cuts").await;

    let again = stack.requests().saturating_sub(enough);
    assert!(
        again <= allowed,
        "{again} requests were made again; what the tasks in hand had not kept took {allowed}"
    );
}

/// Requests that a task of a step of one page took.
fn requests_of(database: &str, kind: &str) -> u64 {
    let mut database = SqliteConnection::establish(database).unwrap();
    let most: Count = diesel::sql_query(format!(
        "SELECT coalesce(max(requests), 0) AS count FROM tasks WHERE kind = '{kind}'"
    ))
    .get_result(&mut database)
    .unwrap();
    most.count.unsigned_abs()
}

#[tokio::test]
async fn a_second_sync_without_changes_writes_no_fact() {
    let stack = Stack::start(company(9)).await;
    stack.connect().await;
    stack.sync().await;
    let mut database = SqliteConnection::establish(stack.database()).unwrap();
    database.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
    watch_writes(&mut database);

    stack.sync().await;
    let written = writes(&mut database);
    assert!(written.is_empty(), "written without a change: {written:?}");

    stack.simulator.advance(DAY);
    stack.sync().await;
    let written = writes(&mut database);
    assert!(written.iter().any(|write| write.name == "issues"), "a day of work is noticed");
}

#[derive(Debug, QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(Debug, QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(Debug, QueryableByName)]
struct Writes {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    #[expect(dead_code, reason = "shown when the assertion fails")]
    rows: i64,
}

/// Notes every row that is inserted, changed or deleted in a table of facts, ours or a source's.
fn watch_writes(database: &mut SqliteConnection) {
    let not_facts = "'clients', 'integrations', 'schedules', 'jobs', 'runs', 'steps', 'tasks', \
                     'gaps', 'watermarks', 'outbox', 'events', 'snapshots', 'flow_states', \
                     'delivery_states', 'reported', 'written', \
                     '__diesel_schema_migrations', 'sqlite_sequence'";
    let tables: Vec<Name> = diesel::sql_query(format!(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ({not_facts}) \
         AND name NOT LIKE 'sqlite_%'"
    ))
    .load(database)
    .unwrap();
    assert!(tables.len() > 10, "the facts have tables: {tables:?}");
    let mut sql = "CREATE TABLE written (name TEXT NOT NULL);".to_owned();
    for Name { name } in tables {
        for verb in ["INSERT", "UPDATE", "DELETE"] {
            sql.push_str(&format!(
                "CREATE TRIGGER watch_{name}_{verb} AFTER {verb} ON {name} \
                 BEGIN INSERT INTO written VALUES ('{name}'); END;"
            ));
        }
    }
    database.batch_execute(&sql).unwrap();
}

fn writes(database: &mut SqliteConnection) -> Vec<Writes> {
    diesel::sql_query("SELECT name, count(*) AS rows FROM written GROUP BY name")
        .load(database)
        .unwrap()
}

//! A sync of some days of work: begun, troubled by a scenario, and ended in the truth.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::containers;
use crate::stack::{Stack, Trouble};
use crate::watch::Watch;

/// How long a sync may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the company does between two syncs.
const WORK: Duration = Duration::from_secs(10 * 86_400);
/// How long Jira and GitHub take to answer until the scenario has done its worst, and afterwards.
const SLOW: Duration = Duration::from_millis(400);
const FAST: Duration = Duration::from_millis(20);
const JOBS: [&str; 2] = ["jira_sync", "git_sync"];

pub struct Sync {
    pub stack: Arc<Stack>,
    name: String,
    begun: Instant,
    /// The runs there were before, by job.
    before: Vec<usize>,
    watch: Watch,
}

impl Sync {
    /// Waits for what is under way, lets the company work, and starts both jobs.
    pub async fn begin(name: &str) -> Sync {
        let stack = Arc::new(Stack::found().await);
        until_finished(&stack).await;
        stack.advance(WORK).await;
        stack.answer_within(SLOW).await;
        let mut before = Vec::new();
        for job in JOBS {
            before.push(runs(&stack, job).await.len());
        }
        let watch = Watch::start(stack.clone());
        let begun = Instant::now();
        for job in JOBS {
            stack.run(job).await.unwrap();
        }
        Sync { stack, name: name.to_owned(), begun, before, watch }
    }

    /// Waits until `job` runs and its worker asks.
    pub async fn is_under_way(&mut self, job: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut asked_before = None;
        loop {
            let now = self.stack.get(&format!("/api/v1/jobs/{job}")).await.unwrap();
            let asked = self.stack.requests().await;
            match (now["status"].as_str(), asked_before) {
                (Some("RUNNING"), Some(before)) if asked >= before + 3 => return,
                (Some("RUNNING"), None) => asked_before = Some(asked),
                (Some("RUNNING" | "PENDING"), _) => {}
                _ => panic!("{}: {job} is not under way: {now:#}", self.name),
            }
            assert!(Instant::now() < deadline, "{}: {job} does not get under way", self.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for the end, expects one good run of each job and equal rows, and tells the figures.
    pub async fn end(self) {
        let Sync { stack, name, begun, before, watch } = self;
        stack.answer_within(FAST).await;
        until_finished(&stack).await;
        let took = begun.elapsed();
        let seen = watch.stop().await;
        let rows = stack.expect_truth(&name).await;

        let mut times = Vec::new();
        for (job, before) in JOBS.into_iter().zip(before) {
            let runs = runs(&stack, job).await;
            assert_eq!(runs.len(), before + 1, "{name}: {job} was to run once");
            assert_eq!(runs[0]["outcome"], "FINISHED", "{name}: {:#}", runs[0]);
            assert_eq!(runs[0]["gaps"], serde_json::json!([]), "{name}: {:#}", runs[0]);
            times.extend(
                runs.iter().map(|run| (time(&run["started_at"]), time(&run["finished_at"]))),
            );
        }
        times.sort_unstable();
        for pair in times.windows(2) {
            let ((_, end), (start, _)) = (pair[0], pair[1]);
            assert!(end <= start, "{name}: a run began at {start}, before another ended at {end}");
        }
        note(&format!(
            "{name:<28} {:>5.1} s  {rows} rows equal, 1 run of each job, {seen}",
            took.as_secs_f64()
        ));
    }
}

/// Keeps a figure for whoever reads the tests' outcome.
fn note(line: &str) {
    let path = containers::variable("FIGURES");
    let mut figures = OpenOptions::new().append(true).create(true).open(path).unwrap();
    writeln!(figures, "  {line}").unwrap();
}

async fn until_finished(stack: &Stack) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let jobs = jobs(stack).await;
        match &jobs {
            Ok(jobs) if jobs.iter().all(|job| job["status"] == "FINISHED") => return,
            Ok(jobs) if jobs.iter().any(|job| job["status"] == "ERROR") => {
                panic!("a job failed: {jobs:#?}")
            }
            // Whoever answers is away, or still working.
            _ => {}
        }
        assert!(Instant::now() < deadline, "the jobs are not finished in time: {jobs:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn jobs(stack: &Stack) -> Result<Vec<Value>, Trouble> {
    let jobs = stack.get("/api/v1/jobs").await?;
    Ok(jobs["items"].as_array().cloned().unwrap_or_default())
}

/// All runs of a job, newest first.
async fn runs(stack: &Stack, job: &str) -> Vec<Value> {
    let runs = stack.get(&format!("/api/v1/jobs/{job}/runs?limit=500")).await.unwrap();
    runs["items"].as_array().unwrap().clone()
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("{value} should be a time")).parse().unwrap()
}

//! Whoever asks while the metrics are computed anew, or while the program that computes them is killed
//! within its transaction, is answered by one publication as a whole: the last one, or the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{Days, Utc};
use serde_json::{Value, json};
use simulator::Options;
use simulator::delivery::{By, Way, Which};
use tokio::task::JoinSet;

use crate::apart::Apart;
use crate::delivery;
use crate::flow;
use crate::front::{Environment, PATIENCE, Reader};

const READERS: usize = 100;
const REPORTS: [&str; 3] = ["dora", "flow", "pull-requests"];
/// What keeps the program from ending its transaction, and so where in it the program is killed: once when
/// everything is written, once in between.
const HELD: [(Change, &str); 8] = [
    (Change::Rules { merges: true }, "snapshots"),
    (Change::Workflows { dropped: true }, "flow_days"),
    (Change::Rules { merges: false }, "deployment_facts"),
    (Change::Workflows { dropped: false }, "issue_facts"),
    (Change::Rules { merges: true }, "deployment_facts"),
    (Change::Workflows { dropped: true }, "issue_facts"),
    (Change::Rules { merges: false }, "snapshots"),
    (Change::Workflows { dropped: false }, "flow_days"),
];

/// Something after which numbers are others.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// Whether merges are deployments.
    Rules { merges: bool },
    /// Whether stories that are done were dropped.
    Workflows { dropped: bool },
}

/// A company whose client changes its mind.
struct Undecided {
    apart: Apart,
    /// Where what is dropped stands.
    step: Value,
    /// The mapping by which stories are dropped.
    mapping: Option<String>,
}

impl Undecided {
    async fn start() -> Undecided {
        let options = Options { seed: 5, issues: 300, pull_requests: 200, ..Options::default() };
        let crew =
            ["orchestrator", "gateway", "jira-extractor", "git-extractor", "metrics", "metrics"];
        let apart = Apart::start(options, &crew, Environment::new()).await;
        apart.connect().await;
        flow::say(&apart, "Kanban", &flow::kanban()).await;
        apart.sync().await;
        let workflows = apart.get("/api/v1/workflows").await;
        let workflows = workflows["items"].as_array().unwrap().iter();
        let mut steps = workflows.flat_map(|workflow| workflow["steps"].as_array().unwrap());
        let step = steps.find(|step| step["name"] == "Dropped").unwrap()["id"].clone();
        let mut client = Undecided { apart, step, mapping: None };
        client.make(Change::Rules { merges: false }).await;
        client
    }

    async fn make(&mut self, change: Change) {
        match change {
            Change::Rules { merges } => {
                let by = if merges { By::Merges("main") } else { By::Deployments("production") };
                let repositories = vec![(Which::Every, by)];
                let way = Way { repositories, ..delivery::unsaid() };
                delivery::say_deployments(&self.apart, &way).await;
            }
            Change::Workflows { dropped: true } => {
                let mapping =
                    json!({ "status": "Done", "issue_type": "Story", "step_id": self.step });
                let made = self.apart.post("/api/v1/status-mappings", &mapping).await;
                self.mapping = Some(made["id"].as_str().unwrap().to_owned());
            }
            Change::Workflows { dropped: false } => {
                let mapping = self.mapping.take().unwrap();
                self.apart.delete(&format!("/api/v1/status-mappings/{mapping}")).await;
            }
        }
    }

    /// What each report says when nothing is left to compute.
    async fn publication(&self) -> Publication {
        let mut reports = Vec::new();
        for report in REPORTS {
            reports.push(told(self.apart.recomputed(&question(report)).await));
        }
        Publication(reports)
    }
}

/// All that was told of one publication, a report after the other.
#[derive(Debug, Clone, PartialEq)]
struct Publication(Vec<Value>);

/// Eight weeks that are over.
fn question(report: &str) -> String {
    let today = Utc::now().date_naive();
    let (from, to) = (today - Days::new(57), today - Days::new(1));
    format!("/api/v1/metrics/{report}?from={from}&to={to}&explain=true")
}

/// A report but for what changes without a publication: whether one is to come, and ages.
fn told(mut report: Value) -> Value {
    report.as_object_mut().unwrap().remove("recomputing");
    for metric in report["metrics"].as_array_mut().unwrap() {
        if metric["name"].as_str().unwrap().ends_with("_age") {
            for field in ["value", "details"] {
                metric.as_object_mut().unwrap().remove(field);
            }
        }
    }
    report
}

/// What readers may be told, and what they were.
struct Book {
    publications: Vec<Publication>,
    /// Twice the number of the only publication that there is; one more while the next may be there.
    stage: AtomicUsize,
    /// How often each reader was answered.
    answers: Vec<AtomicU64>,
    /// How often the metrics did not answer.
    unanswered: AtomicU64,
    is_over: AtomicBool,
}

impl Book {
    /// Asks again and again. Who was told of a publication is never told of one before it.
    async fn look(self: Arc<Book>, number: usize, reader: Reader) {
        let questions = REPORTS.map(question);
        let mut last = [0; REPORTS.len()];
        let mut turn = number;
        while !self.is_over.load(Ordering::SeqCst) {
            turn += 1;
            let report = turn % REPORTS.len();
            let oldest = self.stage.load(Ordering::SeqCst) / 2;
            let (status, answer) = reader.ask(&questions[report]).await;
            if status == 503 {
                // The program that was asked is gone. The next one answers.
                assert_eq!(answer["detail"], "The metrics service does not answer.");
                self.unanswered.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                turn -= 1;
                continue;
            }
            assert_eq!(status, 200, "{answer}");
            let newest = self.stage.load(Ordering::SeqCst).div_ceil(2);
            let answer = told(answer);
            let possible = last[report].max(oldest)..=newest;
            let is_whole = |one: &usize| self.publications[*one].0[report] == answer;
            let Some(found) = possible.clone().find(is_whole) else {
                let others: Vec<usize> = (0..self.publications.len()).filter(is_whole).collect();
                panic!(
                    "reader {number} was told of {} what is in none of {possible:?}, but in {others:?}: \
                     {answer:#}",
                    REPORTS[report]
                );
            };
            last[report] = found;
            self.answers[number].fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits until each reader has been answered with a question that it asked from now on.
    async fn until_all_are_answered(&self) {
        let before: Vec<u64> = self.answers.iter().map(|n| n.load(Ordering::SeqCst)).collect();
        let deadline = Instant::now() + PATIENCE;
        // The first of two may have been asked before.
        let is_answered =
            |(count, before): (&AtomicU64, &u64)| count.load(Ordering::SeqCst) >= before + 2;
        while !self.answers.iter().zip(&before).all(is_answered) {
            assert!(Instant::now() < deadline, "some readers are not answered");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Waits until a program computes and can go no further. Answers its position.
async fn until_one_waits(apart: &Apart) -> usize {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(name) = apart.servers.waiting() {
            return apart.programs.iter().position(|program| program.health == name).unwrap();
        }
        assert!(Instant::now() < deadline, "nobody computes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_hundred_readers_see_whole_publications_whoever_is_killed_computing_them() {
    let mut client = Undecided::start().await;
    // First without trouble, for what each publication tells.
    let mut publications = vec![client.publication().await];
    for (change, _) in HELD {
        client.make(change).await;
        publications.push(client.publication().await);
    }
    for (pair, (change, _)) in publications.windows(2).zip(HELD) {
        assert_ne!(pair[0], pair[1], "{change:?} changes something");
    }
    assert_eq!(publications[4], publications[0], "who takes everything back is where they began");

    let book = Arc::new(Book {
        publications,
        stage: AtomicUsize::new(0),
        answers: (0..READERS).map(|_| AtomicU64::new(0)).collect(),
        unanswered: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
    });
    let mut readers = JoinSet::new();
    for number in 0..READERS {
        let reader = client.apart.reader().await;
        readers.spawn(book.clone().look(number, reader));
    }
    let mut killed = Vec::new();
    for (round, (change, table)) in HELD.into_iter().enumerate() {
        let held = client.apart.servers.held(table);
        client.make(change).await;
        let victim = until_one_waits(&client.apart).await;
        client.apart.programs[victim].kill();
        client.apart.programs[victim].start_again();
        killed.push(victim);
        if round % 2 == 1 {
            // And whoever is asked, so that readers meet a program that is gone.
            let asked = client.apart.program("metrics");
            asked.kill();
            asked.start_again();
        }
        book.until_all_are_answered().await;
        assert!(readers.try_join_next().is_none(), "no reader has ended");
        book.stage.fetch_add(1, Ordering::SeqCst);
        drop(held);
        let published = client.publication().await;
        let stage = book.stage.fetch_add(1, Ordering::SeqCst) + 1;
        assert_eq!(published, book.publications[stage / 2], "{change:?}");
        book.until_all_are_answered().await;
    }
    book.is_over.store(true, Ordering::SeqCst);
    while let Some(ended) = readers.join_next().await {
        ended.unwrap();
    }
    let answers: u64 = book.answers.iter().map(|count| count.load(Ordering::SeqCst)).sum();
    let unanswered = book.unanswered.load(Ordering::SeqCst);
    println!("{answers} answers, {unanswered} asked again, killed programs {killed:?}");
    assert_eq!(killed.len(), HELD.len());
}

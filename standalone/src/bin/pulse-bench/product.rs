//! The product: the real program, driven through its front door.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::company::Company;
use crate::database::{Database, Span};
use crate::job::Job;
use crate::process;

/// Steps that compute from what was read, which the floor does not do.
const COMPUTED: [&str; 2] = ["links", "metrics"];
/// How often we look whether a job is over.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Nobody waits longer for a job.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
/// Tokens live five minutes.
const TOKEN_FRESH: Duration = Duration::from_secs(120);
/// Opens nothing outside this run.
const ENCRYPTION_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// The program, running and connected.
pub struct Program {
    process: Child,
    url: String,
    http: reqwest::Client,
    token: String,
    token_since: Instant,
}

/// How a job went.
pub struct Run {
    /// From its start to its end.
    pub run_s: f64,
    /// From its start to the end of the last step that reads a source.
    pub data_s: f64,
    /// How long after the start each step ended; some go side by side.
    pub steps: Vec<(String, f64)>,
    /// The most memory that the program has had so far.
    pub peak_bytes: u64,
    /// What the program has worked for it.
    pub cpu_s: f64,
    /// Requests to the source, by route.
    pub requests: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Runs {
    items: Vec<RunJson>,
}

#[derive(Deserialize)]
struct RunJson {
    outcome: Option<String>,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    gaps: Vec<Value>,
}

impl Program {
    /// Starts the program on the database at `url` and connects it to the company. What `more` does
    /// not say is embedded.
    pub async fn start(
        company: &Company,
        url: &str,
        more: &[(&str, String)],
    ) -> anyhow::Result<Program> {
        let mut command = command("pulse-etl", company, url)?;
        command.arg("serve").env("PORT", "0").stdout(Stdio::piped());
        let mut process = spawn(command.envs(more.iter().map(|(name, value)| (name, value))))?;
        let stdout = process.stdout.take().context("the program's output is piped")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.context("the program does not say where it listens")?.to_owned();
        Program::at(company, process, url).await
    }

    /// Comes in at the front door that `process` keeps at `url`, and connects it to the company.
    pub async fn at(company: &Company, process: Child, url: String) -> anyhow::Result<Program> {
        let http = reqwest::Client::new();
        let token = sign_in(&http, company).await?;
        let started = Program { process, url, http, token, token_since: Instant::now() };
        started.connect(company).await?;
        Ok(started)
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    async fn connect(&self, company: &Company) -> anyhow::Result<()> {
        let (jira, github) = (&company.account.jira, &company.account.github);
        let integrations = [
            json!({
                "type": "jira", "name": "Jira", "base_url": company.jira_url,
                "username": jira.username, "api_token": jira.api_token, "projects": jira.projects,
            }),
            json!({
                "type": "github", "name": "GitHub", "base_url": company.github_url,
                "token": github.token, "repositories": github.repositories,
            }),
        ];
        for integration in &integrations {
            self.post("/api/v1/integrations", integration).await?;
        }
        Ok(())
    }

    /// Runs a job to its end.
    pub async fn sync(
        &mut self,
        company: &Company,
        database: &Database,
        job: Job,
    ) -> anyhow::Result<Run> {
        company.forget_requests().await?;
        let process = self.process.id();
        let worked_before = process::cpu_s(process)?;
        self.post(&format!("/api/v1/jobs/{}/run", job.name()), &json!({})).await?;
        self.until_finished(company, job).await?;
        let cpu_s = process::cpu_s(process)? - worked_before;
        let requests = company.requests().await?;
        let runs = self.get(&format!("/api/v1/jobs/{}/runs", job.name())).await?;
        let Runs { items } = serde_json::from_value(runs)?;
        let [run] = items.as_slice() else { bail!("{} runs of a fresh job", items.len()) };
        ensure!(run.outcome.as_deref() == Some("FINISHED"), "the run ended as {:?}", run.outcome);
        ensure!(run.gaps.is_empty(), "something could not be read: {:?}", run.gaps);
        let finished_at = run.finished_at.context("a finished run has an end")?;

        let begun_us = run.started_at.timestamp_micros();
        let spans = database.spans(job)?;
        let of_source = spans.iter().filter(|span| !COMPUTED.contains(&span.name.as_str()));
        let read_us = of_source.map(|span| span.ended_us).max().context("no step read anything")?;
        let ended = |span: Span| (span.name, seconds(span.ended_us - begun_us));
        Ok(Run {
            run_s: seconds(finished_at.timestamp_micros() - begun_us),
            data_s: seconds(read_us - begun_us),
            steps: spans.into_iter().map(ended).collect(),
            peak_bytes: process::peak_bytes(process)?,
            cpu_s,
            requests,
        })
    }

    async fn until_finished(&mut self, company: &Company, job: Job) -> anyhow::Result<()> {
        let path = format!("/api/v1/jobs/{}", job.name());
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.token_since.elapsed() > TOKEN_FRESH {
                self.token = sign_in(&self.http, company).await?;
                self.token_since = Instant::now();
            }
            let view = self.get(&path).await?;
            match view["status"].as_str() {
                Some("FINISHED") => return Ok(()),
                Some("ERROR") => bail!("{} failed: {}", job.name(), view["error"]),
                _ => ensure!(Instant::now() < deadline, "{} does not end: {view}", job.name()),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        read(path, request.send().await?).await
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        read(path, request.json(body).send().await?).await
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; either way it is gone afterwards.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A program of ours, told what every one is told.
pub fn command(name: &str, company: &Company, database: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?.with_file_name(name));
    command
        .env_clear()
        .env("DATABASE_URL", database)
        .env("BACKEND_SERVICE_URL", &company.backend_url)
        .env("UPSTREAM_ALLOW", "127.0.0.0/8")
        .env("ENCRYPTION_KEY", ENCRYPTION_KEY)
        .env("LOG_LEVEL", "warn")
        .stdin(Stdio::null());
    Ok(command)
}

/// Starts a program of ours.
pub fn spawn(command: &mut Command) -> anyhow::Result<Child> {
    command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))
}

async fn sign_in(http: &reqwest::Client, company: &Company) -> anyhow::Result<String> {
    let login = &company.account.admin;
    let url = format!("{}/api/v1/auth/login", company.backend_url);
    let body = json!({ "email": login.email, "password": login.password });
    let answer: Value = http.post(url).json(&body).send().await?.json().await?;
    Ok(answer["token"].as_str().context("the Backend Service gives no token")?.to_owned())
}

async fn read(path: &str, answer: reqwest::Response) -> anyhow::Result<Value> {
    let status = answer.status();
    let body = answer.text().await?;
    ensure!(status.is_success(), "{path} answered {status}: {body}");
    Ok(serde_json::from_str(&body)?)
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

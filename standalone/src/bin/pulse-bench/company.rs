//! The simulated company, in a process of its own so that its work is not counted as ours.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use serde::Deserialize;

/// More than all runs together ask for: quotas are not what is measured.
const GITHUB_HOURLY: u32 = 100_000_000;

/// How the routes begin that belong to the Backend Service and to the simulator itself.
const NOT_UPSTREAM: [&str; 5] = ["GET ", "POST ", "theme-mode", "backend", "control"];

/// How large the company is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub issues: u32,
    pub repositories: u32,
    pub pull_requests: u32,
}

impl Size {
    pub const FULL: Size = Size { issues: 20_000, repositories: 10, pull_requests: 5_000 };
    pub const QUICK: Size = Size { issues: 600, repositories: 3, pull_requests: 150 };
}

/// A company that answers.
pub struct Company {
    process: Child,
    http: reqwest::Client,
    url: String,
    /// How large it is.
    pub size: Size,
    /// Where the Backend Service is.
    pub backend_url: String,
    /// Where Jira is.
    pub jira_url: String,
    /// Where GitHub is.
    pub github_url: String,
    /// How to come in.
    pub account: Account,
}

/// What the simulator says when it stands.
#[derive(Deserialize)]
struct Hello {
    url: String,
    jira_url: String,
    github_url: String,
    backend_url: String,
    company: Account,
}

/// How to come in, everywhere.
#[derive(Deserialize)]
pub struct Account {
    pub admin: Login,
    pub jira: JiraAccount,
    pub github: GithubAccount,
}

#[derive(Deserialize)]
pub struct Login {
    pub email: String,
    pub password: String,
}

#[derive(Deserialize)]
pub struct JiraAccount {
    pub username: String,
    pub api_token: String,
    pub projects: Vec<String>,
}

#[derive(Deserialize)]
pub struct GithubAccount {
    pub token: String,
    pub repositories: Vec<String>,
}

#[derive(Deserialize)]
struct Stats {
    routes: BTreeMap<String, u64>,
}

impl Company {
    /// A company of this size whose Jira and GitHub take so long to answer.
    pub async fn start(size: Size, latency_ms: u64) -> anyhow::Result<Company> {
        let program = std::env::current_exe()?.with_file_name("simulator");
        let mut process = Command::new(&program)
            .args(["--issues", &size.issues.to_string()])
            .args(["--pull-requests", &size.pull_requests.to_string()])
            .args(["--repositories", &size.repositories.to_string()])
            .args(["--latency-ms", &latency_ms.to_string()])
            .args(["--github-hourly", &GITHUB_HOURLY.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = process.stdout.take().context("the simulator's output is piped")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let hello: Hello = serde_json::from_str(&line).context("the simulator did not start")?;
        Ok(Company {
            process,
            http: reqwest::Client::new(),
            url: hello.url,
            size,
            backend_url: hello.backend_url,
            jira_url: hello.jira_url,
            github_url: hello.github_url,
            account: hello.company,
        })
    }

    /// Starts counting requests anew.
    pub async fn forget_requests(&self) -> anyhow::Result<()> {
        let url = format!("{}/__stats/reset", self.url);
        self.http.post(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// Requests to Jira and GitHub since then, by route.
    pub async fn requests(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let answer = self.http.get(format!("{}/__stats", self.url)).send().await?;
        let Stats { mut routes } = answer.error_for_status()?.json().await?;
        routes.retain(|route, _| !NOT_UPSTREAM.iter().any(|start| route.starts_with(start)));
        Ok(routes)
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        // It may have ended already; either way it is gone afterwards.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

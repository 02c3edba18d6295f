//! A simulated company as its admin sees it, in this process or elsewhere: how it is connected.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use simulator::{Account, Simulator};

/// Where the company's Jira, GitHub and Backend Service are, and how to sign in.
pub struct Company {
    url: String,
    account: Account,
    http: reqwest::Client,
}

impl Company {
    /// The company of a simulator in this process.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn of(simulator: &Simulator) -> anyhow::Result<Company> {
        Ok(Company { url: simulator.url(), account: simulator.company(), http: client()? })
    }

    /// The company of the simulator at `url`.
    ///
    /// # Errors
    /// There is no simulator.
    pub async fn at(url: &str) -> anyhow::Result<Company> {
        let http = client()?;
        let url = url.trim_end_matches('/').to_owned();
        let answer = http.get(format!("{url}/__company")).send().await?.error_for_status()?;
        let accounts: Vec<Account> = answer.json().await?;
        let account = accounts.into_iter().next().context("the simulator has no company")?;
        Ok(Company { url, account, http })
    }

    /// Connects Jira and GitHub and starts both jobs, through the front door; nothing if they are
    /// connected.
    ///
    /// # Errors
    /// The front door refuses.
    pub async fn connect(&self, gateway: &str) -> anyhow::Result<()> {
        let token = self.sign_in().await?;
        let integrations = format!("{gateway}/api/v1/integrations");
        let connected = self.ask(self.http.get(&integrations), &token).await?;
        if connected["items"].as_array().is_some_and(|items| !items.is_empty()) {
            return Ok(());
        }
        let (jira, github) = (&self.account.jira, &self.account.github);
        let jira = json!({
            "type": "jira", "name": "Jira", "base_url": format!("{}/jira", self.url),
            "username": jira.username, "api_token": jira.api_token, "projects": jira.projects,
        });
        let github = json!({
            "type": "github", "name": "GitHub", "base_url": format!("{}/github", self.url),
            "token": github.token, "repositories": github.repositories,
        });
        for integration in [jira, github] {
            self.ask(self.http.post(&integrations).json(&integration), &token).await?;
        }
        for job in ["jira_sync", "git_sync"] {
            let run = self.http.post(format!("{gateway}/api/v1/jobs/{job}/run"));
            self.ask(run.json(&json!({})), &token).await?;
        }
        Ok(())
    }

    /// Where to go and as whom.
    pub fn welcome(&self, gateway: &str) -> String {
        let login = &self.account.admin;
        format!(
            "\n  Pulse ETL shows {}\n\n    open      {gateway}\n    e-mail    {}\n    password  {}\n\n  \
             Both jobs are running.",
            self.account.client_name, login.email, login.password
        )
    }

    async fn sign_in(&self) -> anyhow::Result<String> {
        let login = &self.account.admin;
        let url = format!("{}/backend/api/v1/auth/login", self.url);
        let body = json!({ "email": login.email, "password": login.password });
        let answer: Value = self.http.post(url).json(&body).send().await?.json().await?;
        let token =
            answer["token"].as_str().context("the simulated Backend Service gives no token")?;
        Ok(token.to_owned())
    }

    async fn ask(&self, request: reqwest::RequestBuilder, token: &str) -> anyhow::Result<Value> {
        let answer = request.bearer_auth(token).send().await?;
        let (url, status) = (answer.url().clone(), answer.status());
        let said = answer.text().await?;
        ensure!(status.is_success(), "{url} answered {status}: {said}");
        Ok(serde_json::from_str(&said)?)
    }
}

fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?)
}

//! The demo: the house with a simulated company behind it, connected and syncing.

use std::time::Duration;

use anyhow::{Context, ensure};
use platform::config::Settings;
use platform::secrets::Key;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use simulator::{Account, Options, Simulator};

/// A company to show, and where the demo keeps what it reads.
pub struct Demo {
    simulator: Simulator,
    account: Account,
    http: reqwest::Client,
    /// Removed at the end, unless the database is elsewhere.
    _folder: tempfile::TempDir,
    folder_url: String,
}

impl Demo {
    /// Makes the company.
    ///
    /// # Errors
    /// No port or no folder for it.
    pub fn prepare(options: Options) -> anyhow::Result<Demo> {
        let simulator = Simulator::start(options).context("the simulated company cannot start")?;
        let folder = tempfile::tempdir().context("there is no room for the demo's database")?;
        let folder_url = format!("sqlite:{}", folder.path().join("pulse.db").display());
        let account = simulator.company();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        Ok(Demo { simulator, account, http, _folder: folder, folder_url })
    }

    /// `variables`, completed by what only the demo may choose for itself: a Backend Service, a
    /// database that goes away, a key that nobody keeps.
    ///
    /// # Errors
    /// A bad value among the variables.
    pub fn settings(
        &self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Settings, platform::config::Error> {
        let key = Key::random().to_base64();
        let ours = [
            ("DATABASE_URL", self.folder_url.clone()),
            ("ENCRYPTION_KEY", key.expose_secret().to_owned()),
            ("LOG_LEVEL", "warn".to_owned()),
        ];
        let simulated = [
            ("BACKEND_SERVICE_URL", self.simulator.backend_url()),
            ("UPSTREAM_ALLOW", "127.0.0.0/8".to_owned()),
        ];
        let named = |(name, value): (&str, String)| (name.to_owned(), value);
        // Later ones win: people may choose the database, but the company is the simulated one.
        let all = ours.map(named).into_iter().chain(variables).chain(simulated.map(named));
        Settings::from_vars(all)
    }

    /// Connects the company's Jira and GitHub and starts both jobs, through the front door.
    ///
    /// # Errors
    /// The front door refuses.
    pub async fn connect(&self, url: &str) -> anyhow::Result<()> {
        let token = self.sign_in().await?;
        let (jira, github) = (&self.account.jira, &self.account.github);
        let integrations = [
            json!({
                "type": "jira", "name": "Jira", "base_url": self.simulator.jira_url(),
                "username": jira.username, "api_token": jira.api_token, "projects": jira.projects,
            }),
            json!({
                "type": "github", "name": "GitHub", "base_url": self.simulator.github_url(),
                "token": github.token, "repositories": github.repositories,
            }),
        ];
        for integration in &integrations {
            self.post(&format!("{url}/api/v1/integrations"), &token, integration).await?;
        }
        for job in ["jira_sync", "git_sync"] {
            self.post(&format!("{url}/api/v1/jobs/{job}/run"), &token, &json!({})).await?;
        }
        Ok(())
    }

    /// Where to go and as whom.
    pub fn welcome(&self, url: &str) -> String {
        let login = &self.account.admin;
        format!(
            "\n  Pulse ETL shows {}\n\n    open      {url}\n    e-mail    {}\n    password  {}\n\n  \
             Both jobs are running. Ctrl+C ends the demo.\n",
            self.account.client_name, login.email, login.password
        )
    }

    async fn sign_in(&self) -> anyhow::Result<String> {
        let login = &self.account.admin;
        let url = format!("{}/api/v1/auth/login", self.simulator.backend_url());
        let body = json!({ "email": login.email, "password": login.password });
        let answer: Value = self.http.post(url).json(&body).send().await?.json().await?;
        let token =
            answer["token"].as_str().context("the simulated Backend Service gives no token")?;
        Ok(token.to_owned())
    }

    async fn post(&self, url: &str, token: &str, body: &Value) -> anyhow::Result<()> {
        let answer = self.http.post(url).bearer_auth(token).json(body).send().await?;
        let status = answer.status();
        let said = answer.text().await?;
        ensure!(status.is_success(), "{url} answered {status}: {said}");
        Ok(())
    }
}

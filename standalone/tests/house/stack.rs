//! The whole house as its users meet it: the real program, a simulated company behind it, and a
//! signed-in admin in front.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::{Value, json};
use simulator::{Options, Simulator};

use crate::lists;

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program, its data and the company that it reads.
pub struct Stack {
    pub simulator: Simulator,
    program: Program,
    environment: Environment,
    http: reqwest::Client,
    /// Removed with everything in it at the end.
    _folder: tempfile::TempDir,
}

/// The variables that the program is started with.
pub type Environment = Vec<(&'static str, String)>;

impl Stack {
    /// A fresh program on SQLite, beside a company of this make.
    pub async fn start(options: Options) -> Stack {
        Stack::start_with(options, Environment::new()).await
    }

    /// A fresh program beside a company of this make. What `environment` does not say is embedded.
    pub async fn start_with(options: Options, environment: Environment) -> Stack {
        let folder = tempfile::tempdir().expect("a folder for the data");
        let simulator = Simulator::start(options).expect("the simulator starts");
        let mut all = vec![
            ("DATABASE_URL", format!("sqlite:{}", folder.path().join("pulse.db").display())),
            ("BACKEND_SERVICE_URL", simulator.backend_url()),
            ("PORT", "0".to_owned()),
            ("ENCRYPTION_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".to_owned()),
            ("UPSTREAM_ALLOW", "127.0.0.0/8".to_owned()),
            ("LOG_LEVEL", "warn".to_owned()),
        ];
        all.extend(environment);
        let program = Program::start(&all);
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .expect("an HTTP client");
        Stack { simulator, program, environment: all, http, _folder: folder }
    }

    /// Where a browser finds it.
    pub fn url(&self) -> &str {
        &self.program.url
    }

    /// Ends the program as a power cut would, and starts it again on the same data. Tells the steps of
    /// the tasks that workers held.
    pub fn cut_power(&mut self) -> Vec<String> {
        self.program.kill();
        let held = in_hand(self.database());
        self.program = Program::start(&self.environment);
        held
    }

    /// A token of the company's admin, fresh: they live five minutes.
    async fn token(&self) -> String {
        let company = self.simulator.company();
        let answer: Value = self
            .http
            .post(format!("{}/api/v1/auth/login", self.simulator.backend_url()))
            .json(&json!({ "email": company.admin.email, "password": company.admin.password }))
            .send()
            .await
            .expect("the Backend Service answers")
            .json()
            .await
            .expect("the Backend Service answers JSON");
        answer["token"].as_str().expect("a sign-in gives a token").to_owned()
    }

    /// Asks the gateway as the admin, and expects an answer that is no error.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self
            .http
            .get(format!("{}{path}", self.url()))
            .bearer_auth(self.token().await)
            .send()
            .await
            .unwrap_or_else(|e| panic!("GET {path}: {e}"));
        read(path, answer).await
    }

    /// Posts to the gateway as the admin, and expects an answer that is no error.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self
            .http
            .post(format!("{}{path}", self.url()))
            .bearer_auth(self.token().await)
            .json(body)
            .send()
            .await
            .unwrap_or_else(|e| panic!("POST {path}: {e}"));
        read(path, answer).await
    }

    /// Deletes something as the admin.
    pub async fn delete(&self, path: &str) {
        let answer = self
            .http
            .delete(format!("{}{path}", self.url()))
            .bearer_auth(self.token().await)
            .send()
            .await
            .unwrap_or_else(|e| panic!("DELETE {path}: {e}"));
        assert!(answer.status().is_success(), "DELETE {path}: {}", answer.status());
    }

    /// Connects the company's Jira and GitHub, as the wizard does.
    pub async fn connect(&self) {
        let company = self.simulator.company();
        let jira = json!({
            "type": "jira", "name": "Jira", "base_url": self.simulator.jira_url(),
            "username": company.jira.username, "api_token": company.jira.api_token,
            "projects": company.jira.projects,
        });
        let github = json!({
            "type": "github", "name": "GitHub", "base_url": self.simulator.github_url(),
            "token": company.github.token, "repositories": company.github.repositories,
        });
        for integration in [jira, github] {
            self.post("/api/v1/integrations", &integration).await;
        }
    }

    /// Runs both jobs to their end.
    pub async fn sync(&self) {
        for job in ["jira_sync", "git_sync"] {
            self.post(&format!("/api/v1/jobs/{job}/run"), &json!({})).await;
        }
        self.until_finished().await;
    }

    /// Waits until both jobs are FINISHED.
    pub async fn until_finished(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let jobs = self.jobs().await;
            if jobs.values().all(|job| job["status"] == "FINISHED") {
                return;
            }
            if let Some(failed) = jobs.values().find(|job| job["status"] == "ERROR") {
                panic!("a job failed: {failed:#}");
            }
            assert!(Instant::now() < deadline, "the jobs are not finished in time: {jobs:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Both jobs, by type.
    pub async fn jobs(&self) -> BTreeMap<String, Value> {
        let jobs = self.get("/api/v1/jobs").await;
        let items = jobs["items"].as_array().expect("a list of jobs");
        items.iter().map(|job| (text(&job["job_type"]), job.clone())).collect()
    }

    /// Compares every list with the simulator's truth, row by row, and names the first that differ.
    pub async fn expect_truth(&self, when: &str) {
        for list in lists::names() {
            let truth = self.simulator.truth(list).expect("the simulator knows the list");
            lists::expect_equal(when, list, &self.lines(list).await, &truth);
        }
    }

    /// A whole list, as NDJSON.
    pub async fn lines(&self, list: &str) -> String {
        let path = format!("/api/v1/{list}?format=ndjson");
        let answer = self
            .http
            .get(format!("{}{path}", self.url()))
            .bearer_auth(self.token().await)
            .send()
            .await
            .unwrap_or_else(|e| panic!("GET {path}: {e}"));
        assert!(answer.status().is_success(), "GET {path}: {}", answer.status());
        answer.text().await.expect("an export is text")
    }

    /// Where the data lie, on SQLite.
    pub fn database(&self) -> &str {
        let mut latest_first = self.environment.iter().rev();
        let url = latest_first.find(|(name, _)| *name == "DATABASE_URL").map(|(_, url)| url);
        url.and_then(|url| url.strip_prefix("sqlite:")).expect("this stack is on SQLite")
    }

    /// Asks of Jira and GitHub so far.
    pub fn requests(&self) -> u64 {
        let services = self.simulator.stats().services;
        ["jira", "github"].iter().filter_map(|service| services.get(*service)).sum()
    }
}

/// The steps of the tasks that workers hold.
fn in_hand(database: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Task {
        #[diesel(sql_type = Text)]
        kind: String,
    }
    let mut database = SqliteConnection::establish(database).expect("the database opens");
    let held = diesel::sql_query("SELECT kind FROM tasks WHERE state = 'LEASED'");
    let held: Vec<Task> = held.load(&mut database).expect("the database answers");
    held.into_iter().map(|task| task.kind).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} should be a text")).to_owned()
}

async fn read(path: &str, answer: reqwest::Response) -> Value {
    let status = answer.status();
    let body = answer.text().await.unwrap_or_else(|e| panic!("{path}: {e}"));
    assert!(status.is_success(), "{path}: {status}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|e| panic!("{path}: {e} in {body}"))
}

/// The real program as a child process.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(environment: &Environment) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pulse-etl"))
            .arg("serve")
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let url = lines
            .map(|line| line.expect("the program says where it listens"))
            .find_map(|line| {
                line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned)
            })
            .expect("the program says where it listens before it ends");
        Program { child, url }
    }

    fn kill(&mut self) {
        // It may have ended already; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The folder of the sources, for what tests read from there.
pub fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

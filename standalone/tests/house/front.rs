//! The front door as a signed-in admin meets it, whatever stands behind it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};
use simulator::{Options, Simulator};

use crate::lists;
use crate::servers::option;

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A simulated company, and the gateway to what was read of it.
pub struct Front {
    pub simulator: Simulator,
    pub url: String,
    http: reqwest::Client,
}

impl Front {
    /// A company of this make, whose gateway is not open yet.
    pub fn of(options: Options) -> Front {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .expect("an HTTP client");
        let simulator = Simulator::start(options).expect("the simulator starts");
        Front { simulator, url: String::new(), http }
    }

    /// What a program needs to read this company.
    pub fn environment(&self) -> Environment {
        vec![
            ("BACKEND_SERVICE_URL", self.simulator.backend_url()),
            ("ENCRYPTION_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".to_owned()),
            ("UPSTREAM_ALLOW", "127.0.0.0/8".to_owned()),
            ("LOG_LEVEL", option("TEST_LOG_LEVEL").unwrap_or_else(|| "warn".to_owned())),
        ]
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
        read(path, self.try_get(path).await).await
    }

    /// Asks for a report as the admin, until its numbers follow what people changed.
    pub async fn recomputed(&self, path: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let report = self.get(path).await;
            if report["recomputing"] == false {
                return report;
            }
            assert!(Instant::now() < deadline, "{path} does not follow what people changed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Posts to the gateway as the admin, and expects an answer that is no error.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self
            .http
            .post(format!("{}{path}", self.url))
            .bearer_auth(self.token().await)
            .json(body)
            .send()
            .await
            .unwrap_or_else(|e| panic!("POST {path}: {e}"));
        read(path, answer).await
    }

    /// Puts something at the gateway as the admin, and expects an answer that is no error.
    pub async fn put(&self, path: &str, body: &Value) -> Value {
        let asking = self.http.put(format!("{}{path}", self.url)).bearer_auth(self.token().await);
        let answer = asking.json(body).send().await.unwrap_or_else(|e| panic!("PUT {path}: {e}"));
        read(path, answer).await
    }

    /// Asks the gateway as the admin, whatever the answer.
    pub async fn try_get(&self, path: &str) -> Response {
        let asking = self.http.get(format!("{}{path}", self.url)).bearer_auth(self.token().await);
        asking.send().await.unwrap_or_else(|e| panic!("GET {path}: {e}"))
    }

    /// Somebody who asks as the admin, again and again.
    pub async fn reader(&self) -> Reader {
        let (http, url) = (self.http.clone(), self.url.clone());
        Reader { http, url, token: self.token().await }
    }

    /// Posts to the gateway as the admin, whatever the answer.
    pub async fn try_post(&self, path: &str) -> Response {
        let asking = self.http.post(format!("{}{path}", self.url)).bearer_auth(self.token().await);
        asking.json(&json!({})).send().await.unwrap_or_else(|e| panic!("POST {path}: {e}"))
    }

    /// Deletes something as the admin.
    pub async fn delete(&self, path: &str) {
        let asking = self.http.delete(format!("{}{path}", self.url));
        let answer = asking.bearer_auth(self.token().await).send().await;
        let answer = answer.unwrap_or_else(|e| panic!("DELETE {path}: {e}"));
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
        let answer = self.try_get(&path).await;
        assert!(answer.status().is_success(), "GET {path}: {}", answer.status());
        answer.text().await.expect("an export is text")
    }

    /// Waits until Jira and GitHub were asked so often.
    pub async fn until_requests(&self, wanted: u64) {
        let deadline = Instant::now() + PATIENCE;
        while self.requests() < wanted {
            if Instant::now() > deadline {
                let (so_far, jobs) = (self.requests(), self.jobs().await);
                panic!("the sync stands still at {so_far} requests of {wanted}: {jobs:#?}");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Asks of Jira and GitHub so far.
    pub fn requests(&self) -> u64 {
        let services = self.simulator.stats().services;
        ["jira", "github"].iter().filter_map(|service| services.get(*service)).sum()
    }
}

/// Asks with one token, for as long as that is good.
pub struct Reader {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Reader {
    /// What the gateway answers, and with which status.
    pub async fn ask(&self, path: &str) -> (u16, Value) {
        let asking = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let answer = asking.send().await.unwrap_or_else(|e| panic!("GET {path}: {e}"));
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_else(|e| panic!("GET {path}: {status}: {e}")))
    }
}

/// The variables that a program is started with.
pub type Environment = Vec<(&'static str, String)>;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} should be a text")).to_owned()
}

async fn read(path: &str, answer: Response) -> Value {
    let status = answer.status();
    let body = answer.text().await.unwrap_or_else(|e| panic!("{path}: {e}"));
    assert!(status.is_success(), "{path}: {status}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|e| panic!("{path}: {e} in {body}"))
}

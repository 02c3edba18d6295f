//! The stack as its users meet it, through the gateway; and the simulator, which knows the truth.

use std::time::{Duration, Instant};

use reqwest::header::SET_COOKIE;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{containers, lists};

/// How long a token is used; it lives five minutes.
const TOKEN_MAX: Duration = Duration::from_secs(200);

/// What went wrong with a question, for people.
pub type Trouble = String;

/// The stack that `scripts/compose-stack` has started.
pub struct Stack {
    /// Who signs in.
    pub admin: Value,
    gateway: String,
    simulator: String,
    http: Client,
    token: Mutex<Option<(String, Instant)>>,
}

impl Stack {
    /// The stack, wherever it was started.
    pub async fn found() -> Stack {
        let gateway = containers::variable("GATEWAY_URL");
        let simulator = containers::variable("SIMULATOR_URL");
        // A connection that was idle may be gone by the time it is used again.
        let http = Client::builder().timeout(Duration::from_secs(30)).pool_max_idle_per_host(0);
        let http = http.no_proxy().build().unwrap();
        let companies = http.get(format!("{simulator}/__company")).send().await.unwrap();
        let companies: Value = companies.json().await.unwrap();
        let admin = companies[0]["admin"].clone();
        Stack { admin, gateway, simulator, http, token: Mutex::default() }
    }

    /// Tries to sign in as the admin.
    pub async fn sign_in(&self, password: &str) -> Response {
        let credentials = json!({ "email": self.admin["email"], "password": password });
        let request = self.http.post(format!("{}/auth/login", self.gateway)).json(&credentials);
        request.send().await.unwrap()
    }

    /// Asks the gateway as the admin.
    pub async fn get(&self, path: &str) -> Result<Value, Trouble> {
        let text = self.text(self.http.get(format!("{}{path}", self.gateway))).await?;
        serde_json::from_str(&text).map_err(|e| format!("{path}: {e} in {text}"))
    }

    /// Tells a job to run.
    pub async fn run(&self, job: &str) -> Result<(), Trouble> {
        let request = self.http.post(format!("{}/api/v1/jobs/{job}/run", self.gateway));
        self.text(request.json(&json!({}))).await.map(drop)
    }

    /// Compares every list with the truth, and returns how many rows are equal.
    pub async fn expect_truth(&self, when: &str) -> usize {
        let mut rows = 0;
        for list in lists::names() {
            let ours = format!("{}/api/v1/{list}?format=ndjson", self.gateway);
            let ours = self.text(self.http.get(ours)).await.unwrap();
            let truth = self.http.get(format!("{}/__truth/{list}", self.simulator));
            let truth = truth.send().await.unwrap().text().await.unwrap();
            rows += lists::expect_equal(when, list, &ours, &truth);
        }
        rows
    }

    /// Lets the company work on.
    pub async fn advance(&self, by: Duration) {
        self.tell_simulator("advance", &json!({ "seconds": by.as_secs() })).await;
    }

    /// Lets Jira and GitHub take so long for an answer.
    pub async fn answer_within(&self, latency: Duration) {
        let latency = u64::try_from(latency.as_millis()).unwrap();
        self.tell_simulator("latency", &json!({ "milliseconds": latency })).await;
    }

    async fn tell_simulator(&self, what: &str, body: &Value) {
        let request = self.http.post(format!("{}/__{what}", self.simulator)).json(body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{what} {body}: {answer:?}");
    }

    /// What Jira and GitHub were asked so far.
    pub async fn requests(&self) -> u64 {
        let answer = self.http.get(format!("{}/__stats", self.simulator)).send().await.unwrap();
        let stats: Value = answer.json().await.unwrap();
        let routes = stats["routes"].as_object().unwrap();
        let upstream = routes.iter().filter(|(route, _)| !route.starts_with("backend"));
        upstream.map(|(_, count)| count.as_u64().unwrap()).sum()
    }

    async fn text(&self, request: reqwest::RequestBuilder) -> Result<String, Trouble> {
        let request = request.bearer_auth(self.token().await?);
        let answer = request.send().await.map_err(|e| format!("{e:?}"))?;
        let (url, status) = (answer.url().clone(), answer.status());
        let text = answer.text().await.map_err(|e| format!("{e:?}"))?;
        if !status.is_success() {
            return Err(format!("{url}: {status}: {text}"));
        }
        Ok(text)
    }

    /// What a sign-in gave us, a fresh one where it is too old.
    async fn token(&self) -> Result<String, Trouble> {
        let mut token = self.token.lock().await;
        if let Some((token, since)) = &*token
            && since.elapsed() < TOKEN_MAX
        {
            return Ok(token.clone());
        }
        let credentials =
            json!({ "email": self.admin["email"], "password": self.admin["password"] });
        let request = self.http.post(format!("{}/auth/login", self.gateway)).json(&credentials);
        let answer = request.send().await.map_err(|e| format!("{e:?}"))?;
        let cookies =
            answer.headers().get_all(SET_COOKIE).iter().flat_map(|cookie| cookie.to_str());
        let fresh = cookies
            .filter_map(|cookie| cookie.strip_prefix("pulse_token="))
            .filter_map(|rest| rest.split(';').next())
            .next()
            .ok_or_else(|| format!("the sign-in gives no cookie: {answer:?}"))?
            .to_owned();
        *token = Some((fresh.clone(), Instant::now()));
        Ok(fresh)
    }
}

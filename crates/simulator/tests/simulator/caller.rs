//! A caller with the credentials of the first client.

use std::collections::BTreeMap;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use simulator::{Account, Options, Simulator};

/// A small company at a fixed moment.
pub fn small() -> Options {
    Options {
        issues: 420,
        pull_requests: 160,
        days: 120,
        now: Some("2026-10-02T09:00:00Z".parse().unwrap()),
        ..Options::default()
    }
}

/// Somebody who calls a simulator.
pub struct Caller {
    pub simulator: Simulator,
    pub account: Account,
    client: Client,
}

impl Caller {
    pub fn new(options: Options) -> Caller {
        let simulator = Simulator::start(options).unwrap();
        let account = simulator.company();
        let client = Client::builder().user_agent("tests").no_proxy().build().unwrap();
        Caller { simulator, account, client }
    }

    /// A path of the simulator itself.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.simulator.url()))
    }

    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.simulator.url())).json(body)
    }

    pub async fn jira(&self, path: &str) -> Response {
        self.as_jira_user(self.get(&format!("/jira/rest/api/3/{path}"))).send().await.unwrap()
    }

    pub async fn post_jira(&self, path: &str, body: &Value) -> Response {
        let request = self.post(&format!("/jira/rest/api/3/{path}"), body);
        self.as_jira_user(request).send().await.unwrap()
    }

    pub fn as_jira_user(&self, request: RequestBuilder) -> RequestBuilder {
        let jira = &self.account.jira;
        request.basic_auth(&jira.username, Some(&jira.api_token))
    }

    pub async fn github(&self, path: &str) -> Response {
        let request = self.get(&format!("/github/{path}"));
        request.bearer_auth(&self.account.github.token).send().await.unwrap()
    }

    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let request = self.post("/github/graphql", &body).bearer_auth(&self.account.github.token);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// The truth, by a key of its rows.
    pub fn truth(&self, list: &str, key: impl Fn(&Value) -> String) -> BTreeMap<String, Value> {
        let rows = self.simulator.truth(list).unwrap();
        rows.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|row| (key(&row), row))
            .collect()
    }
}

pub async fn json(response: Response) -> Value {
    assert_eq!(response.status(), 200, "{}", response.url());
    response.json().await.unwrap()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A time of either service as the truth spells it.
pub fn exact(value: &Value) -> Value {
    let Some(text) = value.as_str() else { return Value::Null };
    let text = text.replace("+0000", "+00:00");
    let time: chrono::DateTime<chrono::Utc> = text.parse().unwrap();
    Value::from(time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

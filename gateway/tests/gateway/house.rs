//! A gateway with everything that it leans on, and a visitor in front of it.

use std::net::TcpListener;

use ::platform::cache::Cache;
use ::platform::queue::Queue;
use ::platform::secrets::{Key, Vault};
use domain::facts::Facts as Page;
use domain::ids::ClientId;
use domain::job::JobType;
use domain::work::Counts;
use gateway::{Config, Gateway, Running};
use program::Health;
use proto::Link;
use proto::v1::metrics_server::MetricsServer;
use proto::v1::orchestrator_server::OrchestratorServer;
use reqwest::header::{HeaderMap, SET_COOKIE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use store::facts::{Held, PageMark};
use store::work::Command;
use store::{Clients, Db, Facts, Integrations};

use crate::orchestrator::{Measuring, Orchestrating};
use crate::platform::{Generation, Platform};

pub const FRONT_END: &str = "https://pulse.example.com";

pub struct House {
    pub platform: Platform,
    pub orchestrating: Orchestrating,
    pub integrations: Integrations,
    pub vault: Vault,
    db: Db,
    running: Running,
    http: reqwest::Client,
}

impl House {
    pub async fn start() -> House {
        House::with(Generation::Second, false).await
    }

    pub async fn with(generation: Generation, allow_token_in_url: bool) -> House {
        let platform = Platform::start(generation);
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        let orchestrating = Orchestrating::over(db.clone());
        let vault = Vault::new(Key::random());
        let config = Config {
            backend_service: platform.url().parse().unwrap(),
            frontend_origins: vec![FRONT_END.parse().unwrap()],
            allow_token_in_url,
        };
        let queue = Queue::memory(&["jira", "github", "metrics", "changes"]);
        let gateway = Gateway::new(
            config,
            &db,
            Health::of(db.clone(), queue, Cache::memory()),
            Cache::memory(),
            vault.clone(),
            Link::here(OrchestratorServer::new(orchestrating.clone())),
            Link::here(MetricsServer::new(Measuring)),
        )
        .unwrap();
        let running = gateway.spawn(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_gzip()
            .build()
            .unwrap();
        let integrations = Integrations::new(db.clone());
        House { platform, orchestrating, integrations, vault, db, running, http }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.running.addr())
    }

    pub fn socket_url(&self, query: &str) -> String {
        format!("ws://{}/ws?{query}", self.running.addr())
    }

    pub async fn stop(self) {
        self.running.stop().await.unwrap();
    }

    /// A request of nobody.
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url()))
    }

    pub async fn get(&self, path: &str, token: &str) -> Response {
        self.ask(Method::GET, path).bearer_auth(token).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Response {
        self.ask(Method::POST, path).bearer_auth(token).json(body).send().await.unwrap()
    }

    /// Reads something that is there.
    pub async fn read(&self, path: &str, token: &str) -> Value {
        let answer = self.get(path, token).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    /// Makes something that can be made.
    pub async fn make(&self, path: &str, token: &str, body: &Value) -> Value {
        let answer = self.post(path, token, body).await;
        let status = answer.status();
        let made = answer.json().await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{path}: {made}");
        made
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Response {
        let credentials = json!({ "email": email, "password": password });
        self.ask(Method::POST, "/auth/login").json(&credentials).send().await.unwrap()
    }

    /// Connects a Jira, and answers with its id.
    pub async fn connect_jira(&self, token: &str) -> String {
        let answer = self.post("/api/v1/integrations", token, &jira()).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Runs a job as far as its first task and keeps a page of it, as a worker does.
    pub async fn keep(&self, external_id: &str, integration: &str, page: Page) {
        self.keep_all(external_id, vec![(integration, page)]).await;
    }

    /// The same with a page of each of several connections.
    pub async fn keep_all(&self, external_id: &str, pages: Vec<(&str, Page)>) {
        let client = self.client(external_id).await;
        let now = chrono::Utc::now();
        let later = now + chrono::Duration::seconds(60);
        let work = &self.orchestrating.work;
        work.command(client, JobType::JiraSync, Command::Run, now).await.unwrap();
        let run = work.dispatch(client, now).await.unwrap().unwrap().run;
        let task = work.take_rings(1, later, now).await.unwrap()[0].task().unwrap();
        let fence = work.begin(task, "ada", later, now).await.unwrap().unwrap().fence;
        let mut from = String::new();
        for (integration, page) in pages {
            let held = Held { client, integration: integration.parse().unwrap(), run, fence };
            let cursor = format!("{from}.");
            let mark = PageMark {
                from: std::mem::replace(&mut from, cursor.clone()),
                cursor,
                is_last: true,
                counts: Counts { rows: 1, requests: 1 },
                gaps: Vec::new(),
                now,
                source_time: None,
            };
            Facts::new(self.db.clone()).keep_page(&held, page, &mark).await.unwrap();
        }
    }

    pub async fn client(&self, external_id: &str) -> ClientId {
        Clients::new(self.db.clone()).find(external_id).await.unwrap().unwrap().id
    }
}

pub fn jira() -> Value {
    json!({ "type": "jira", "name": "Jira", "base_url": "https://acme.atlassian.net/",
        "username": "etl@acme.example", "api_token": CANARY, "projects": ["PAY"] })
}

/// A credential that must never be seen again.
pub const CANARY: &str = "canary-7f3a-do-not-show";

/// The cookies that an answer sets, by name, whole.
pub fn cookies(headers: &HeaderMap) -> Vec<String> {
    let set = headers.get_all(SET_COOKIE).iter();
    set.map(|value| value.to_str().unwrap().to_owned()).collect()
}

pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    cookies(headers).into_iter().find(|cookie| cookie.starts_with(&format!("{name}=")))
}

/// The problem that an answer must be.
pub async fn problem(answer: Response, status: u16, code: &str) -> Value {
    assert_eq!(answer.status().as_u16(), status, "{code}");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(problem["status"], status);
    for field in ["type", "title", "detail", "trace_id"] {
        assert!(
            problem[field].as_str().is_some_and(|text| !text.is_empty()),
            "{field} in {problem}"
        );
    }
    assert!(problem["errors"].is_array());
    problem
}

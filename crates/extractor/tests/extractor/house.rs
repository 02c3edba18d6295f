//! A worker whose source is a function, around a store with one task to do.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::facts::Facts as Told;
use domain::ids::{ClientId, IntegrationId, TaskId};
use domain::job::JobType;
use domain::project::Project;
use domain::work::{Slice, SourceKind, Task, Topic};
use extractor::{Connection, Failure, Page, Reader, Source, Worker};
use futures::future::BoxFuture;
use platform::queue::Queue;
use platform::secrets::{Key, Vault};
use platform::shutdown::Shutdown;
use proto::Link;
use proto::v1::orchestrator_server::OrchestratorServer;
use store::integrations::Integration;
use store::work::{Command, Ground, Planned, Planner};
use store::{Db, Facts, Integrations, Work};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::lead::{Heard, Lead};

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

type Pages = Arc<dyn Fn(String) -> BoxFuture<'static, Result<Page, Failure>> + Send + Sync>;

/// See the module.
pub struct House {
    pub lead: Lead,
    pub work: Work,
    pub facts: Facts,
    pub queue: Queue,
    pub client: ClientId,
    pub jira: IntegrationId,
    pub task: TaskId,
    /// All of them.
    pub tasks: Vec<TaskId>,
    /// Rings that the worker may hold.
    pub prefetch: u16,
    pub shutdown: Shutdown,
    heard: UnboundedReceiver<Heard>,
    link: Link,
    integrations: Integrations,
    vault: Vault,
}

impl House {
    pub async fn new() -> House {
        House::planned_by(one_task).await
    }

    pub async fn planned_by(plan: Planner) -> House {
        let db = Db::open("sqlite::memory:", 2).await.unwrap();
        let work = Work::new(db.clone(), plan);
        let now = Utc::now();
        let client = ClientId(Uuid::now_v7());
        let client = work.ensure_client(client, "1", "acme", now).await.unwrap().id;
        let integrations = Integrations::new(db.clone());
        let vault = Vault::new(Key::random());
        let jira = IntegrationId(Uuid::now_v7());
        let place = [client.to_string(), jira.to_string()];
        let sealed = vault.seal("token", &[&place[0], &place[1], "secret"]).to_string();
        integrations.add(&connection(client, jira, sealed)).await.unwrap();
        work.command(client, JobType::JiraSync, Command::Run, now).await.unwrap();
        work.dispatch(client, now).await.unwrap().unwrap();
        let rings = work.take_rings(9, now + TimeDelta::hours(1), now).await.unwrap();
        let (lead, heard) = Lead::new(work.clone());
        House {
            link: Link::here(OrchestratorServer::new(lead.clone())),
            lead,
            work,
            facts: Facts::new(db),
            queue: Queue::memory(&["jira"]),
            client,
            jira,
            task: rings[0].task().unwrap(),
            tasks: rings.iter().filter_map(store::work::Ring::task).collect(),
            prefetch: 2,
            shutdown: Shutdown::new(),
            heard,
            integrations,
            vault,
        }
    }

    /// Starts a worker whose source has these pages, and rings for the task.
    pub async fn work_on<F>(
        &self,
        page: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> JoinHandle<Result<(), platform::queue::Error>>
    where
        F: Future<Output = Result<Page, Failure>> + Send + 'static,
    {
        let pages: Pages = Arc::new(move |cursor| Box::pin(page(cursor)));
        let worker = Worker {
            source: Scripted(pages),
            orchestrator: self.link.clone(),
            queue: self.queue.clone(),
            facts: self.facts.clone(),
            integrations: self.integrations.clone(),
            vault: self.vault.clone(),
            name: "worker-1".to_owned(),
            concurrency: 2,
            prefetch: self.prefetch,
        };
        let working = tokio::spawn(worker.run(self.shutdown.clone()));
        self.ring(&format!(r#"{{"task_id":"{}"}}"#, self.task)).await;
        working
    }

    pub async fn ring(&self, body: &str) {
        self.queue.publish("jira", body.to_owned()).await.unwrap();
    }

    /// How the next turn ends.
    pub async fn end(&mut self) -> Heard {
        let end = tokio::time::timeout(PATIENCE, self.heard.recv()).await;
        end.expect("the turn ends").expect("the worker lives")
    }

    /// Ends the worker, and expects that it said nothing more.
    pub async fn leave(
        &mut self,
        working: JoinHandle<Result<(), platform::queue::Error>>,
    ) -> Option<Heard> {
        self.shutdown.begin();
        working.await.unwrap().unwrap();
        self.heard.try_recv().ok()
    }

    /// Keys of the projects that are kept.
    pub async fn kept(&self) -> Vec<String> {
        let projects = self.facts.projects(self.client, self.jira).await.unwrap();
        projects.into_iter().map(|project| project.key).collect()
    }
}

/// A page with one project and the cursor of the next page.
pub fn page(id: i64, next: Option<&str>) -> Page {
    let project = Project {
        external_id: id,
        key: format!("P{id}"),
        name: "Payments".to_owned(),
        kind: "software".to_owned(),
        former_keys: Vec::new(),
    };
    let facts = Told { projects: vec![project], ..Told::default() };
    Page { facts, next: next.map(str::to_owned), requests: 1, ..Page::default() }
}

struct Scripted(Pages);

struct Script(Pages);

impl Source for Scripted {
    type Reader = Script;

    const TOPIC: Topic = Topic::Jira;

    async fn open(&self, _: &Task, connection: Connection) -> Result<Script, Failure> {
        assert_eq!(connection.base_url, "https://acme.example", "without a slash");
        Ok(Script(self.0.clone()))
    }

    async fn probe(&self, _: &Task, _: Connection) -> Result<String, Failure> {
        Ok("{}".to_owned())
    }
}

impl Reader for Script {
    async fn page(&mut self, cursor: &str) -> Result<Page, Failure> {
        (self.0)(cursor.to_owned()).await
    }
}

fn one_task(ground: &Ground) -> Vec<Planned> {
    let whole = |integration| Planned {
        topic: ground.source,
        integration: Some(integration),
        scope: String::new(),
        slice: Slice::default(),
        cursor: String::new(),
        begun_at: ground.run_started_at,
    };
    ground.integrations.iter().copied().map(whole).collect()
}

/// The same connection, five times over.
pub fn five_tasks(ground: &Ground) -> Vec<Planned> {
    one_task(ground).into_iter().cycle().take(5).collect()
}

fn connection(client: ClientId, id: IntegrationId, sealed_secret: String) -> Integration {
    let base_url = "https://acme.example/";
    Integration {
        id,
        username: Some("ada@acme.example".to_owned()),
        sealed_secret,
        ..Integration::new(client, SourceKind::Jira, "Jira", base_url, Utc::now())
    }
}

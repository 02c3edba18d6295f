//! An orchestrator at work, a client with connections, and a worker that a test plays by hand.

use std::time::Duration;

use chrono::Utc;
use domain::facts::Facts as Page;
use domain::ids::{ClientId, TaskId};
use domain::job::{JobState, JobType};
use domain::project::Project;
use domain::repository::Repository;
use domain::work::{Counts, Fence, SourceKind, Step, Task, TaskKind, Topic};
use orchestrator::{Clock, Orchestrator};
use platform::cache::Cache;
use platform::queue::{Consumer, Queue};
use platform::shutdown::Shutdown;
use proto::v1::orchestrator_client::OrchestratorClient;
use proto::{Link, v1};
use store::facts::{Held, PageMark};
use store::integrations::Integration;
use store::jobs::JobView;
use store::work::Planner;
use store::{Db, Facts, Integrations, Jobs, Rules, Work};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// See the module.
pub struct House {
    pub clock: Clock,
    pub peer: OrchestratorClient<Link>,
    pub orchestrator: Orchestrator,
    pub jobs: Jobs,
    pub client: ClientId,
    facts: Facts,
    pub rules: Rules,
    integrations: Integrations,
    queue: Queue,
    shutdown: Shutdown,
}

/// A task in the hands of a test.
pub struct Lease {
    pub task: Task,
    pub fence: i64,
}

/// A worker's end of a line.
pub struct Line {
    pub up: mpsc::Sender<v1::Progress>,
    pub down: Streaming<v1::Directive>,
}

impl House {
    /// With everything running.
    pub async fn open() -> House {
        let house = House::closed().await;
        house.orchestrator.spawn(&house.shutdown);
        house
    }

    /// With nothing running by itself yet.
    pub async fn closed() -> House {
        House::planned_by(orchestrator::plan).await
    }

    /// The same, with other tasks in the steps.
    pub async fn planned_by(plan: Planner) -> House {
        let db = Db::open("sqlite::memory:", 1).await.unwrap();
        let topics: Vec<&str> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
        let queue = Queue::memory(&topics);
        let clock = Clock::manual("2026-03-01T00:00:00Z".parse().unwrap());
        let (work, jobs) = (Work::new(db.clone(), plan), Jobs::new(db.clone()));
        let orchestrator =
            Orchestrator::new(work, jobs.clone(), queue.clone(), Cache::memory(), clock.clone());
        let mut peer = OrchestratorClient::new(Link::here(orchestrator.server()));
        let ensure =
            v1::EnsureClientRequest { external_id: "1".to_owned(), name: "Acme".to_owned() };
        let client = peer.ensure_client(ensure).await.unwrap().into_inner().id.parse().unwrap();
        let integrations = Integrations::new(db.clone());
        for kind in [SourceKind::Jira, SourceKind::Github] {
            connect(&integrations, client, kind, kind.as_str()).await;
        }
        House {
            clock,
            peer,
            orchestrator,
            jobs,
            client,
            facts: Facts::new(db.clone()),
            integrations,
            rules: Rules::new(db),
            queue,
            shutdown: Shutdown::new(),
        }
    }

    pub async fn connect(&self, client: ClientId, kind: SourceKind) {
        self.connect_as(client, kind, kind.as_str()).await;
    }

    pub async fn connect_as(&self, client: ClientId, kind: SourceKind, name: &str) {
        connect(&self.integrations, client, kind, name).await;
    }

    /// Another client, with one connection that has this name.
    pub async fn add_client(&self, external_id: &str, kind: SourceKind) -> ClientId {
        let ensure = v1::EnsureClientRequest {
            external_id: external_id.to_owned(),
            name: "Acne".to_owned(),
        };
        let client = self.peer.clone().ensure_client(ensure).await.unwrap().into_inner().id;
        let client = client.parse().unwrap();
        self.connect(client, kind).await;
        client
    }

    /// How many rings lie in a queue.
    pub async fn depth(&self, topic: Topic) -> usize {
        self.queue.depth(topic.as_str()).await.unwrap().ready
    }

    pub async fn command(
        &self,
        job_type: JobType,
        command: v1::JobCommand,
    ) -> Result<v1::CommandReply, tonic::Status> {
        self.command_of(self.client, job_type, command).await
    }

    pub async fn command_of(
        &self,
        client: ClientId,
        job_type: JobType,
        command: v1::JobCommand,
    ) -> Result<v1::CommandReply, tonic::Status> {
        let request = v1::CommandRequest {
            client_id: client.to_string(),
            job_type: job_type.to_string(),
            command: command.into(),
        };
        Ok(self.peer.clone().command(request).await?.into_inner())
    }

    pub async fn consumer(&self, topic: Topic) -> Consumer {
        self.queue.consume(topic.as_str(), 10).await.unwrap()
    }

    /// The next task that is rung and can be taken.
    pub async fn take(&self, bell: &mut Consumer) -> Lease {
        loop {
            let delivery = tokio::time::timeout(PATIENCE, bell.next()).await;
            let delivery = delivery.expect("a task is rung in time").unwrap();
            let ring: serde_json::Value = serde_json::from_slice(&delivery.body).unwrap();
            let task_id = ring["task_id"].as_str().unwrap().to_owned();
            delivery.ack().await.unwrap();
            if let Some(lease) = self.begin(task_id).await {
                return lease;
            }
        }
    }

    /// Takes what is rung until a task comes again.
    pub async fn take_again(&self, bell: &mut Consumer, task: TaskId) -> Lease {
        loop {
            let lease = self.take(bell).await;
            if lease.task.id == task {
                return lease;
            }
        }
    }

    pub async fn begin(&self, task_id: String) -> Option<Lease> {
        let begin = v1::BeginRequest { task_id, worker: proto::asker("ada") };
        let lease = self.peer.clone().begin(begin).await.unwrap().into_inner().lease?;
        Some(Lease { task: lease.task.unwrap().try_into().unwrap(), fence: lease.fence })
    }

    /// Opens the line of a lease, and waits for the first order.
    pub async fn line(&self, lease: &Lease) -> Line {
        let (up, messages) = mpsc::channel(4);
        up.send(lease.progress(0)).await.unwrap();
        let down = self.peer.clone().report(ReceiverStream::new(messages)).await;
        let mut line = Line { up, down: down.unwrap().into_inner() };
        assert_eq!(line.order().await, v1::directive::Kind::Continue);
        line
    }

    pub async fn finish(&self, lease: &Lease, output: &str) {
        let finish = v1::FinishRequest {
            task_id: lease.task.id.to_string(),
            fence: lease.fence,
            gaps: Vec::new(),
            output: output.to_owned(),
        };
        self.peer.clone().finish(finish).await.unwrap();
    }

    pub async fn release(&self, lease: &Lease, reason: v1::release_request::Reason, detail: &str) {
        let release = v1::ReleaseRequest {
            task_id: lease.task.id.to_string(),
            fence: lease.fence,
            reason: reason.into(),
            detail: detail.to_owned(),
            not_before: None,
        };
        self.peer.clone().release(release).await.unwrap();
    }

    /// Does a task as an extractor would: reference data bring projects and repositories.
    pub async fn do_task(&self, lease: &Lease) {
        let page = match lease.task.kind {
            TaskKind::Step(Step::Projects) => two_projects(),
            TaskKind::Step(Step::Repositories) => two_repositories(),
            _ => Page::default(),
        };
        if lease.task.integration.is_some() {
            self.keep(lease, page).await;
        }
        self.finish(lease, "").await;
    }

    /// Keeps a last page.
    async fn keep(&self, lease: &Lease, page: Page) {
        let held = Held {
            client: self.client,
            integration: lease.task.integration.unwrap(),
            run: lease.task.run,
            fence: Fence { task: lease.task.id, number: lease.fence },
        };
        let counts = Counts { rows: page.rows() as u64 + 1, requests: 1 };
        let mark = PageMark {
            from: lease.task.cursor.clone(),
            cursor: "done".to_owned(),
            is_last: true,
            counts,
            gaps: Vec::new(),
            now: Utc::now(),
            source_time: None,
        };
        self.facts.keep_page(&held, page, &mark).await.unwrap();
    }

    pub async fn job(&self, job_type: JobType) -> JobView {
        self.jobs.get(self.client, job_type, self.clock.now()).await.unwrap()
    }

    /// Waits until a job is in this state.
    pub async fn until(&self, job_type: JobType, state: JobState) -> JobView {
        self.until_of(self.client, job_type, state).await
    }

    /// The same of any client's.
    pub async fn until_of(&self, client: ClientId, job_type: JobType, state: JobState) -> JobView {
        let job = async || self.jobs.get(client, job_type, self.clock.now()).await.unwrap();
        let there = async {
            loop {
                let job = job().await;
                if job.state == state {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, there).await {
            Ok(job) => job,
            Err(_) => panic!("{job_type} is not {state}: {:#?}", job().await),
        }
    }

    /// What people were told, as JSON.
    pub async fn told(&self) -> Vec<serde_json::Value> {
        let events = self.jobs.events(self.client, 0, 10_000).await.unwrap();
        events.into_iter().map(|event| serde_json::from_str(&event.body).unwrap()).collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

impl Lease {
    pub fn progress(&self, rows: u64) -> v1::Progress {
        v1::Progress {
            task_id: self.task.id.to_string(),
            fence: self.fence,
            rows,
            ..v1::Progress::default()
        }
    }
}

impl Line {
    /// The next order, which comes soon.
    pub async fn order(&mut self) -> v1::directive::Kind {
        let order = tokio::time::timeout(Duration::from_secs(2), self.down.message()).await;
        order.expect("an order comes at once").unwrap().unwrap().kind()
    }
}

async fn connect(integrations: &Integrations, client: ClientId, kind: SourceKind, name: &str) {
    let now = "2026-02-01T00:00:00Z".parse().unwrap();
    let integration = Integration::new(client, kind, name, format!("https://{kind}.example"), now);
    integrations.add(&integration).await.unwrap();
}

fn two_projects() -> Page {
    let project = |external_id: i64, key: &str| Project {
        external_id,
        key: key.to_owned(),
        name: key.to_owned(),
        kind: "software".to_owned(),
        former_keys: Vec::new(),
    };
    let projects = vec![project(10_001, "PAY"), project(10_002, "OPS")];
    Page { projects, projects_are_all: true, ..Page::default() }
}

fn two_repositories() -> Page {
    let repository = |external_id: i64, name: &str| Repository {
        external_id,
        full_name: name.to_owned(),
        default_branch: Some("main".to_owned()),
        archived: false,
    };
    let repositories = vec![repository(1, "acme/payments"), repository(2, "acme/website")];
    Page { repositories, repositories_are_all: true, ..Page::default() }
}

//! A store with a client, a connection to each source, and a task that a worker holds.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use domain::Moment;
use domain::facts::Facts as Page;
use domain::ids::{ClientId, IntegrationId, RunId, TaskId};
use domain::job::JobType;
use domain::work::{Counts, Fence, Gap, SourceKind};
use store::facts::{Held, Kept, PageMark};
use store::integrations::Integration;
use store::metrics::{Publication, Published};
use store::work::{Command, Ground, Planned, Planner};
use store::{Db, Error, Facts, Integrations, Jobs, Lists, Metrics, Posted, Rules, Work, Workflows};
use uuid::Uuid;

use crate::flow::Everywhere;
use crate::nouns::at;

/// Makes a test per database of each body `async fn name(house: &House)`.
macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod sqlite_in_memory {$(
            #[tokio::test]
            async fn $name() {
                super::$name(&$crate::house::House::in_memory().await).await;
            }
        )+}
        mod sqlite_in_a_file {$(
            #[tokio::test]
            async fn $name() {
                super::$name(&$crate::house::House::in_a_file().await).await;
            }
        )+}
        mod postgres {$(
            #[tokio::test]
            async fn $name() {
                super::$name(&$crate::house::House::on_a_server().await).await;
            }
        )+}
    };
}

/// See the module.
pub struct House {
    pub facts: Facts,
    pub integrations: Integrations,
    pub lists: Lists,
    pub workflows: Workflows,
    pub jobs: Jobs,
    pub metrics: Metrics,
    pub rules: Rules,
    pub posted: Posted,
    pub work: Work,
    pub client: ClientId,
    pub jira: IntegrationId,
    pub github: IntegrationId,
    pub run: RunId,
    pub task: TaskId,
    pub fence: Fence,
    db: Db,
    // Behind the handles, because what is dropped last is the ground that they stand on.
    _folder: Option<tempfile::TempDir>,
    _database: Option<Database>,
}

/// A database of a test's own on the test server.
pub struct Database {
    server: String,
    name: String,
}

impl House {
    pub async fn in_memory() -> House {
        House::over("sqlite::memory:").await
    }

    pub async fn in_a_file() -> House {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("pulse.db").display());
        House { _folder: Some(folder), ..House::over(&url).await }
    }

    pub async fn on_a_server() -> House {
        let database = Database::new();
        let url = database.url();
        House { _database: Some(database), ..House::over(&url).await }
    }

    async fn over(url: &str) -> House {
        let db = Db::open(url, 4).await.unwrap();
        let work = Work::new(db.clone(), one_task_per_step);
        let (client, jira, github) = add_client(&db, &work, "acme").await;

        work.command(client, JobType::JiraSync, Command::Run, at(0)).await.unwrap();
        let run = work.dispatch(client, at(0)).await.unwrap().unwrap().run.unwrap();
        let task = work.take_rings(1, at(60), at(0)).await.unwrap()[0].task().unwrap();
        let lease = work.begin(task, "ada", at(30), at(0)).await.unwrap().unwrap();

        House {
            facts: Facts::new(db.clone()),
            integrations: Integrations::new(db.clone()),
            lists: Lists::new(db.clone()),
            workflows: Workflows::new(db.clone()),
            jobs: Jobs::new(db.clone()),
            metrics: Metrics::new(db.clone()),
            rules: Rules::new(db.clone()),
            posted: Posted::new(db.clone()),
            work,
            client,
            jira,
            github,
            run,
            task,
            fence: lease.fence,
            db,
            _folder: None,
            _database: None,
        }
    }

    /// Publishes as whoever has just read everything.
    pub async fn publish(
        &self,
        publication: Publication,
        rules: Everywhere,
    ) -> Result<Published, Error> {
        let state = self.metrics.delivery(self.client).await?.state;
        let publication = Publication { state, ..publication };
        self.metrics.publish(self.client, self.fence, publication, rules).await
    }

    /// A second client with connections of its own.
    pub async fn add_client(&self, name: &str) -> (ClientId, IntegrationId, IntegrationId) {
        add_client(&self.db, &self.work, name).await
    }

    /// Another handle on the same work, whose steps have the tasks that `plan` says.
    pub fn work_planned_by(&self, plan: Planner) -> Work {
        Work::new(self.db.clone(), plan)
    }

    pub fn held(&self, integration: IntegrationId) -> Held {
        let (client, run, fence) = (self.client, Some(self.run), self.fence);
        Held { client, integration, run, fence }
    }

    /// Keeps what Jira says.
    pub async fn jira_says(&self, page: Page) -> Kept {
        let mark = mark(&page);
        self.facts.keep_page(&self.held(self.jira), page, &mark).await.unwrap()
    }

    /// Keeps what GitHub says.
    pub async fn github_says(&self, page: Page) -> Kept {
        let mark = mark(&page);
        self.facts.keep_page(&self.held(self.github), page, &mark).await.unwrap()
    }

    /// Where the task stands, by taking it anew from a worker that is gone.
    pub async fn cursor(&self) -> String {
        self.work.expire(self.fence, at(1_000)).await.unwrap().unwrap();
        let lease = self.work.begin(self.task, "grace", at(2_000), at(1_900)).await.unwrap();
        lease.unwrap().task.cursor
    }
}

/// The mark of a page that begins and ends at the start, so that another may follow.
pub fn mark(page: &Page) -> PageMark {
    PageMark {
        from: String::new(),
        cursor: String::new(),
        is_last: false,
        counts: Counts { rows: page.rows() as u64, requests: 1 },
        gaps: Vec::<Gap>::new(),
        now: at(1),
        source_time: None,
    }
}

async fn add_client(db: &Db, work: &Work, name: &str) -> (ClientId, IntegrationId, IntegrationId) {
    let client = ClientId(Uuid::now_v7());
    let client = work.ensure_client(client, name, name, at(0)).await.unwrap().id;
    let integrations = Integrations::new(db.clone());
    let mut ids = Vec::new();
    for kind in [SourceKind::Jira, SourceKind::Github] {
        let integration = connection(client, kind, at(0));
        integrations.add(&integration).await.unwrap();
        ids.push(integration.id);
    }
    (client, ids[0], ids[1])
}

fn connection(client: ClientId, kind: SourceKind, now: Moment) -> Integration {
    Integration::new(client, kind, kind.as_str(), format!("https://{kind}.example"), now)
}

/// A task for each step, but none beside another.
fn one_task_per_step(ground: &Ground) -> Vec<Planned> {
    if ground.step.is_beside_the_one_before() {
        return Vec::new();
    }
    let whole = |integration| Planned {
        topic: ground.source,
        integration: Some(integration),
        scope: String::new(),
        slice: domain::work::Slice::default(),
        cursor: String::new(),
        begun_at: ground.run_started_at,
    };
    ground.integrations.iter().take(1).copied().map(whole).collect()
}

impl Database {
    /// A new one on the server that `TEST_DATABASE_URL` names.
    pub fn new() -> Database {
        #[expect(clippy::disallowed_methods, reason = "tests have no configuration of their own")]
        let server = std::env::var("TEST_DATABASE_URL");
        let server = server.expect(
            "TEST_DATABASE_URL is not set: run make test, \
             or scripts/test-servers -- cargo nextest run -p store",
        );
        let name = format!("store_{}", Uuid::now_v7().simple());
        let database = Database { server, name };
        database.tell_server(&format!("CREATE DATABASE {}", database.name));
        database
    }

    pub fn url(&self) -> String {
        let (address, _) = self.server.rsplit_once('/').unwrap();
        format!("{address}/{}", self.name)
    }

    fn tell_server(&self, sql: &str) {
        PgConnection::establish(&self.server).unwrap().batch_execute(sql).unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.tell_server(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

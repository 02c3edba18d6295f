//! A store with a client, whose facts can be told.

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use domain::Moment;
use domain::facts::Facts as Page;
use domain::ids::{ClientId, IntegrationId};
use domain::rules::{IncidentRule, IncidentRules};
use domain::schedule::{Retry, Schedule};
use domain::work::{Counts, Fence, SourceKind, TaskKind, Topic};
use domain::workflow::Seen;
use metrics_service::memory::Memory;
use metrics_service::report::forecast::Wanted;
use metrics_service::report::{self, Asked, Bucket, Window};
use metrics_service::{compute, links};
use proto::v1::Answer;
use store::facts::{Held, PageMark};
use store::focus::Focus;
use store::integrations::Integration;
use store::{Db, Facts, Integrations, Metrics, Rules, Work, Workflows};
use uuid::Uuid;

use crate::company::NAMED_IN;
use crate::said::Said;

pub const CLIENT: ClientId = ClientId(Uuid::from_u128(1));
const JIRA: IntegrationId = IntegrationId(Uuid::from_u128(2));
const GITHUB: IntegrationId = IntegrationId(Uuid::from_u128(3));

/// Where a house stands.
#[derive(Clone, Copy)]
pub enum Ground {
    Memory,
    /// As embedded: many read while one writes.
    File,
    Server,
}

pub struct House {
    facts: Facts,
    metrics: Metrics,
    db: Db,
    fence: Fence,
    began_at: Moment,
    // Behind the handles, because what is dropped last is the ground that they stand on.
    _database: Option<Database>,
    _folder: Option<tempfile::TempDir>,
}

impl House {
    pub async fn open(ground: Ground) -> House {
        let database = matches!(ground, Ground::Server).then(Database::new);
        let folder = matches!(ground, Ground::File).then(|| tempfile::tempdir().unwrap());
        let url = match (&database, &folder) {
            (Some(database), _) => database.url(),
            (None, Some(folder)) => format!("sqlite:{}", folder.path().join("pulse.db").display()),
            (None, None) => "sqlite::memory:".to_owned(),
        };
        let db = Db::open(&url, 4).await.unwrap();
        let work = Work::new(db.clone(), |_| Vec::new());
        let now = Moment::UNIX_EPOCH;
        work.ensure_client(CLIENT, "acme", "Acme", now).await.unwrap();
        let integrations = Integrations::new(db.clone());
        for (id, kind) in [(JIRA, SourceKind::Jira), (GITHUB, SourceKind::Github)] {
            integrations.add(&connection(id, kind)).await.unwrap();
        }
        let incidents = named_in(IncidentRules::default().written()[0].clone());
        let rules = Rules::new(db.clone());
        rules.put_incidents(CLIENT, vec![incidents], Seen::Any).await.unwrap();
        let task = work.ask_probe(CLIENT, TaskKind::Probe, Topic::Jira, "", now).await.unwrap();
        let long = now + TimeDelta::days(100_000);
        let lease = work.begin(task, "ada", long, now).await.unwrap().unwrap();
        House {
            facts: Facts::new(db.clone()),
            metrics: Metrics::new(db.clone()),
            db,
            fence: lease.fence,
            began_at: now,
            _database: database,
            _folder: folder,
        }
    }

    /// Keeps a page of the source that it tells of.
    pub async fn keep(&self, page: Page) {
        let integration = if page.repository_id == 0 { JIRA } else { GITHUB };
        let held = Held { client: CLIENT, integration, run: None, fence: self.fence };
        let mark = PageMark {
            from: String::new(),
            cursor: String::new(),
            is_last: false,
            counts: Counts { rows: page.rows() as u64, requests: 1 },
            gaps: Vec::new(),
            now: self.began_at,
            source_time: None,
        };
        self.facts.keep_page(&held, page, &mark).await.unwrap();
    }

    /// Does what somebody says.
    pub async fn say(&self, said: Said) {
        let rules = Rules::new(self.db.clone());
        match said {
            Said::Workflow(change) => {
                Workflows::new(self.db.clone()).change(CLIENT, vec![change]).await.unwrap();
            }
            Said::Deployments(written) => {
                rules.put_deployments(CLIENT, written, Seen::Any).await.unwrap();
            }
            Said::Incidents(written) => {
                rules.put_incidents(CLIENT, written, Seen::Any).await.unwrap();
            }
            Said::Projects(written) => {
                rules.put_projects(CLIENT, written, Seen::Any).await.unwrap();
            }
            Said::Bots(logins) => {
                rules.put_bots(CLIENT, logins, Seen::Any).await.unwrap();
            }
            Said::Connections(jira, github) => {
                let integrations = Integrations::new(self.db.clone());
                for (id, active) in [(JIRA, jira), (GITHUB, github)] {
                    let known = integrations.get(CLIENT, id).await.unwrap();
                    integrations.replace(&Integration { active, ..known }).await.unwrap();
                }
            }
            Said::Zone(timezone) => {
                let retry = Retry { enabled: false, interval_minutes: 5, max_attempts: 1 };
                let schedule = Schedule {
                    enabled: false,
                    interval_minutes: 60,
                    timezone: timezone.to_owned(),
                    retry,
                };
                let work = Work::new(self.db.clone(), |_| Vec::new());
                work.put_schedule(CLIENT, &schedule, self.began_at).await.unwrap();
            }
            Said::Listed(page) => self.keep(*page).await,
        }
    }

    /// Does what the end of a sync does. Answers how many facts were made.
    pub async fn publish(&self, now: Moment) -> u64 {
        links::keep_all(&self.metrics, CLIENT, self.fence).await.unwrap();
        compute::publish(&self.metrics, CLIENT, self.fence, now, now).await.unwrap()
    }

    /// DORA, the flow and the pull requests, in this order.
    pub async fn ask(&self, memory: &Memory, report: usize, asked: &Asked) -> Answer {
        let facts = &self.metrics;
        let answer = match report {
            0 => report::dora::answer(facts, memory, CLIENT, asked).await,
            1 => report::flow::answer(facts, memory, CLIENT, asked).await,
            _ => report::pull_requests::answer(facts, memory, CLIENT, asked).await,
        };
        answer.unwrap()
    }

    /// Every report on everything and on parts, with the ids of all rows.
    pub async fn answers(&self, memory: &Memory, now: Moment) -> Vec<Answer> {
        let of = |repositories: &[&str], projects: &[&str]| Focus {
            repositories: repositories.iter().map(|name| (*name).to_owned()).collect(),
            projects: projects.iter().map(|key| (*key).to_owned()).collect(),
        };
        let (facts, mut answers) = (&self.metrics, Vec::new());
        for focus in [of(&[], &[]), of(&["ACME/service-11"], &[]), of(&[], &["pay", "NONE"])] {
            for (bucket, days) in [(Bucket::Day, 9), (Bucket::Week, 30), (Bucket::Month, 60)] {
                let from = now - TimeDelta::days(days) + TimeDelta::nanoseconds(1_234_567);
                let window = Window::new(from, now, chrono_tz::Europe::Berlin, bucket).unwrap();
                let asked = Asked {
                    window,
                    focus: focus.clone(),
                    explain: true,
                    bands: metrics_service::bands::NEWEST,
                    now,
                };
                let wanted = Wanted::default();
                let told = [
                    report::dora::answer(facts, memory, CLIENT, &asked).await,
                    report::flow::answer(facts, memory, CLIENT, &asked).await,
                    report::pull_requests::answer(facts, memory, CLIENT, &asked).await,
                    report::forecast::answer(facts, memory, CLIENT, &asked, wanted).await,
                ];
                answers.extend(told.map(Result::unwrap));
            }
        }
        answers
    }

    /// Every fact, in an order that does not depend on how it came about.
    pub async fn told(&self) -> Vec<String> {
        let (metrics, focus) = (&self.metrics, Focus::default);
        let (from, to) = (Moment::UNIX_EPOCH, Moment::UNIX_EPOCH + TimeDelta::days(100_000));
        let flow = metrics.flow(CLIENT, from, to, i32::MAX, focus()).await.unwrap();
        let dora = metrics.dora(CLIENT, from, to, focus()).await.unwrap();
        let pulls = metrics.pull_requests(CLIENT, from, to, focus()).await.unwrap();
        let deployments = metrics.deployment_facts(CLIENT).await.unwrap();
        let mut told: Vec<String> = flow.ended.iter().map(|row| format!("{row:?}")).collect();
        told.extend(flow.in_progress.iter().map(|row| format!("{row:?}")));
        told.extend(flow.days.iter().map(|row| format!("{row:?}")));
        told.extend(dora.pull_requests.iter().map(|row| format!("{row:?}")));
        told.extend(dora.incidents.iter().map(|row| format!("{row:?}")));
        told.extend(pulls.merged.iter().map(|row| format!("{row:?}")));
        told.extend(pulls.open.iter().map(|row| format!("{row:?}")));
        told.extend(deployments.iter().map(|row| format!("{row:?}")));
        told.sort_unstable();
        told
    }
}

/// With the field that names deployments.
pub fn named_in(rule: IncidentRule) -> IncidentRule {
    IncidentRule { deployment_field: Some(NAMED_IN.to_owned()), ..rule }
}

fn connection(id: IntegrationId, kind: SourceKind) -> Integration {
    Integration {
        client: CLIENT,
        id,
        kind,
        name: kind.as_str().to_owned(),
        base_url: format!("https://{kind}.example"),
        username: None,
        sealed_secret: "sealed".to_owned(),
        scopes: Vec::new(),
        active: true,
        health: "unknown".to_owned(),
        health_detail: None,
        last_sync_at: None,
        version: 1,
        created_at: Moment::UNIX_EPOCH,
        updated_at: Moment::UNIX_EPOCH,
    }
}

/// A database of a test's own on the test server.
struct Database {
    server: String,
    name: String,
}

impl Database {
    fn new() -> Database {
        #[expect(clippy::disallowed_methods, reason = "tests have no configuration of their own")]
        let server = std::env::var("TEST_DATABASE_URL");
        let server = server.expect("TEST_DATABASE_URL is not set: run make test");
        let name = format!("metrics_{}", Uuid::now_v7().simple());
        let database = Database { server, name };
        database.tell_server(&format!("CREATE DATABASE {}", database.name));
        database
    }

    fn url(&self) -> String {
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

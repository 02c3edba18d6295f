//! A worker, an orchestrator and a store around a simulated Jira.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use domain::Moment;
use domain::ids::{ClientId, IntegrationId};
use domain::job::{JobState, JobType};
use domain::work::{SourceKind, Step};
use extractor::Worker;
use jira_extractor::Jira;
use orchestrator::{Clock, EVENTS_BELL, Orchestrator};
use platform::cache::Cache;
use platform::queue::Queue;
use platform::secrets::{Key, Vault};
use platform::shutdown::Shutdown;
use platform::upstream::{Backoff, Guard, Upstream};
use proto::Link;
use proto::v1::orchestrator_client::OrchestratorClient;
use proto::v1::{CommandRequest, JobCommand, ProbeRequest};
use serde_json::{Value, json};
use simulator::{Options, Simulator, Stats};
use store::integrations::Integration;
use store::jobs::{JobView, RunView};
use store::lists::{Filter, Issue, IssueChange};
use store::work::{Ground, Planned};
use store::{Db, Facts, Integrations, Jobs, Lists, Work};
use uuid::Uuid;

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(90);

/// See the module.
pub struct House {
    pub simulator: Simulator,
    pub client: ClientId,
    pub jira: IntegrationId,
    pub integrations: Integrations,
    pub vault: Vault,
    orchestrator: OrchestratorClient<Link>,
    jobs: Jobs,
    lists: Lists,
    cache: Cache,
    shutdown: Shutdown,
    _folder: tempfile::TempDir,
}

impl House {
    /// With everything in place, and the company's Jira connected.
    pub async fn start(options: Options) -> House {
        House::start_at(options, Clock::system()).await
    }

    /// With a clock of our own.
    pub async fn start_at(options: Options, clock: Clock) -> House {
        let simulator = Simulator::start(options).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("pulse.db").display());
        let db = Db::open(&url, 4).await.unwrap();
        let (queue, cache) =
            (Queue::memory(&["jira", "github", "metrics", "changes"]), Cache::memory());
        let shutdown = Shutdown::new();

        let work = Work::new(db.clone(), plan);
        let client = ClientId(Uuid::now_v7());
        let client = work.ensure_client(client, "1", "acme", Utc::now()).await.unwrap().id;
        let jobs = Jobs::new(db.clone());
        let lead = Orchestrator::new(work, jobs.clone(), queue.clone(), cache.clone(), clock);
        lead.spawn(&shutdown);
        let link = Link::here(lead.server());

        let vault = Vault::new(Key::random());
        let integrations = Integrations::new(db.clone());
        let jira = IntegrationId(Uuid::now_v7());
        integrations.add(&connection(client, jira, &simulator, &vault)).await.unwrap();

        let facts = Facts::new(db.clone());
        let guard = Guard::new(["127.0.0.0/8".parse().unwrap()]);
        let upstream = Upstream::new(guard).unwrap();
        let quick = Backoff::new(Duration::from_millis(5), Duration::from_millis(50));
        let worker = Worker {
            source: Jira::new(upstream, cache.clone(), facts.clone()).with_backoff(quick),
            orchestrator: link.clone(),
            queue,
            facts,
            integrations: integrations.clone(),
            vault: vault.clone(),
            name: "worker-1".to_owned(),
            concurrency: 4,
            prefetch: 4,
        };
        shutdown.spawn(worker.run(shutdown.clone()));
        House {
            simulator,
            client,
            jira,
            integrations,
            vault,
            orchestrator: OrchestratorClient::new(link),
            jobs,
            lists: Lists::new(db),
            cache,
            shutdown,
            _folder: folder,
        }
    }

    /// Runs the job to its end and returns how it ended.
    pub async fn sync(&self) -> RunView {
        let before = self.job().await.last_run;
        self.command(JobCommand::Run).await;
        let ended = |job: &JobView| matches!(job.state, JobState::Finished | JobState::Error);
        self.until(|job| job.last_run != before && ended(job)).await;
        self.last_run().await
    }

    pub async fn command(&self, command: JobCommand) {
        let request = CommandRequest {
            client_id: self.client.to_string(),
            job_type: JobType::JiraSync.as_str().to_owned(),
            command: command.into(),
        };
        self.orchestrator.clone().command(request).await.unwrap();
    }

    /// Waits for a condition of the job.
    pub async fn until(&self, holds: impl Fn(&JobView) -> bool) -> JobView {
        let mut bell = self.cache.listen(EVENTS_BELL);
        let waited = async {
            loop {
                let job = self.job().await;
                if holds(&job) {
                    return job;
                }
                bell.next().await;
            }
        };
        match tokio::time::timeout(PATIENCE, waited).await {
            Ok(job) => job,
            Err(_) => panic!("waited too long: {:#?}", self.job().await),
        }
    }

    pub async fn job(&self) -> JobView {
        self.jobs.get(self.client, JobType::JiraSync, Utc::now()).await.unwrap()
    }

    pub async fn last_run(&self) -> RunView {
        let runs = self.jobs.runs(self.client, JobType::JiraSync, None, 1).await.unwrap();
        runs.into_iter().next().unwrap()
    }

    /// Asks a worker, as the wizard does.
    pub async fn ask(&self, kind: &str, input: &Value) -> Value {
        self.try_ask(kind, input).await.unwrap()
    }

    pub async fn try_ask(&self, kind: &str, input: &Value) -> Result<Value, tonic::Status> {
        let request = ProbeRequest {
            client_id: self.client.to_string(),
            kind: kind.to_owned(),
            source: SourceKind::Jira.as_str().to_owned(),
            input: input.to_string(),
        };
        let reply = self.orchestrator.clone().probe(request).await?.into_inner();
        Ok(serde_json::from_str(&reply.output).unwrap())
    }

    /// What a person typed, with the credential sealed as the gateway does.
    pub fn typed(&self, username: &str, token: &str, scopes: &[&str]) -> Value {
        let place = [self.client.to_string(), "probe".to_owned(), "secret".to_owned()];
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        json!({
            "base_url": self.simulator.jira_url(),
            "username": username,
            "sealed_secret": self.vault.seal(token, &place).to_string(),
            "integration_id": null,
            "scopes": scopes,
            "search": "",
        })
    }

    pub fn stats(&self) -> Stats {
        self.simulator.stats()
    }

    /// What we hold equals what a perfect extractor would hold.
    pub async fn expect_truth(&self, when: &str) {
        let issues: BTreeSet<String> = self.issues().await.iter().map(issue).collect();
        same(&issues, &self.truth("issues"), &format!("issues {when}"));
        let changes: BTreeSet<String> = self.changes().await.iter().map(change).collect();
        same(&changes, &self.truth("issue-changes"), &format!("changes {when}"));
    }

    fn truth(&self, list: &str) -> BTreeSet<String> {
        let rows = self.simulator.truth(list).unwrap();
        rows.lines().map(|row| serde_json::from_str::<Value>(row).unwrap().to_string()).collect()
    }

    async fn issues(&self) -> Vec<Issue> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page =
                self.lists.issues(self.client, &Filter::default(), after.as_ref(), 1_000).await;
            let page = page.unwrap();
            all.extend(page.items.into_iter().filter(|issue| !issue.deleted));
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    }

    async fn changes(&self) -> Vec<IssueChange> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self
                .lists
                .issue_changes(self.client, &Filter::default(), after.as_ref(), 1_000)
                .await
                .unwrap();
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

/// Links and metrics are another service's, so here they have nothing to do.
fn plan(ground: &Ground) -> Vec<Planned> {
    match ground.step {
        Step::Links | Step::Metrics => Vec::new(),
        _ => orchestrator::plan(ground),
    }
}

fn connection(
    client: ClientId,
    id: IntegrationId,
    simulator: &Simulator,
    vault: &Vault,
) -> Integration {
    let account = simulator.company().jira;
    let sealed = vault.seal(&account.api_token, &[&client.to_string(), &id.to_string(), "secret"]);
    Integration {
        id,
        username: Some(account.username),
        sealed_secret: sealed.to_string(),
        scopes: account.projects,
        ..Integration::new(client, SourceKind::Jira, "Jira", simulator.jira_url(), Utc::now())
    }
}

fn issue(of: &Issue) -> String {
    json!({
        "external_id": of.external_id.to_string(),
        "key": of.key,
        "project": of.project,
        "type": of.issue_type,
        "type_id": of.type_id.to_string(),
        "status": of.status,
        "status_category": of.status_category,
        "summary": of.summary,
        "priority": of.priority,
        "assignee": of.assignee,
        "creator": of.creator,
        "parent_key": of.parent_key,
        "labels": of.labels,
        "components": of.components,
        "story_points": of.story_points,
        "sprints": of.sprints,
        "created_at": exact(of.created_at),
        "updated_at": exact(of.updated_at),
        "resolved_at": of.resolved_at.map(exact),
    })
    .to_string()
}

fn change(of: &IssueChange) -> String {
    json!({
        "issue_key": of.issue_key,
        "change_id": of.change_id.to_string(),
        "item_index": of.item_index,
        "field": of.field,
        "from": of.from_value,
        "from_string": of.from_string,
        "to": of.to_value,
        "to_string": of.to_string,
        "author": of.author,
        "changed_at": exact(of.changed_at),
    })
    .to_string()
}

fn exact(moment: Moment) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn same(ours: &BTreeSet<String>, truth: &BTreeSet<String>, what: &str) {
    let missing: Vec<&String> = truth.difference(ours).take(3).collect();
    let invented: Vec<&String> = ours.difference(truth).take(3).collect();
    assert!(
        ours == truth,
        "{what}: {} held, {} true\nmissing {missing:#?}\ninvented {invented:#?}",
        ours.len(),
        truth.len(),
    );
}

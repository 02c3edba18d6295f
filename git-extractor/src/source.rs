//! GitHub as a source: which step reads what.

use std::time::Duration;

use domain::Moment;
use domain::work::{Step, Task, TaskKind, Topic};
use extractor::budget::{Pace, Quotas};
use extractor::http::Exchange;
use extractor::{Connection, Failure, Page, Reader, Source};
use platform::cache::Cache;
use platform::upstream::Upstream;
use store::Facts;

use crate::client::Client;
use crate::probe;
use crate::steps::Place;
use crate::steps::commits::Commits;
use crate::steps::deployments::{Deployments, MAY_WAIT};
use crate::steps::missing_commits::MissingCommits;
use crate::steps::pull_requests::PullRequests;
use crate::steps::repositories::Repositories;

/// GitHub allows 900 points a minute and endpoint, and dislikes many calls at once.
const PACE: Pace = Pace { requests: 900, window: Duration::from_secs(60), in_flight: 8 };

/// GitHub, read over any number of connections.
pub struct Github {
    upstream: Upstream,
    quotas: Quotas,
    facts: Facts,
}

impl Github {
    /// Sends through `upstream`, shares quotas through `cache`, and looks repositories up in `facts`.
    pub fn new(upstream: Upstream, cache: Cache, facts: Facts) -> Github {
        Github { upstream, quotas: Quotas::new(cache, PACE), facts }
    }

    fn client(&self, connection: &Connection) -> Result<Client, Failure> {
        let quota = self.quotas.of(&connection.credential());
        Client::new(Exchange::new(self.upstream.clone(), quota), connection)
    }

    /// The repository that a task is about, by the name that it has today.
    async fn place(&self, task: &Task, connection: &Connection) -> Result<Place, Failure> {
        let unknown = || Failure::Unreadable {
            detail: format!("The repository {} is no longer connected.", task.scope),
        };
        let id: i64 = task.scope.parse().map_err(|_| unknown())?;
        let integration = connection.integration.ok_or_else(unknown)?;
        let repositories = self.facts.repositories(task.client, integration).await?;
        let repository =
            repositories.into_iter().find(|r| r.external_id == id).ok_or_else(unknown)?;
        Place::new(id, &repository.full_name).ok_or_else(unknown)
    }

    /// What the client's rules ask for, beside deployments, and how far each was read before.
    async fn shipments_of(
        &self,
        task: &Task,
        connection: &Connection,
        place: &Place,
    ) -> Result<Vec<(domain::rules::Source, Option<Moment>)>, Failure> {
        let Some(integration) = connection.integration else { return Ok(Vec::new()) };
        let name = format!("{}/{}", place.owner, place.name);
        let asked = self.facts.shipments_asked_for(task.client, integration, place.id, name).await;
        Ok(asked?)
    }

    /// When the oldest deployment and the oldest run began that were not over when they were last read.
    async fn still_open(
        &self,
        task: &Task,
        connection: &Connection,
        place: &Place,
    ) -> Result<Vec<(domain::rules::Source, Moment)>, Failure> {
        let Some(integration) = connection.integration else { return Ok(Vec::new()) };
        let since = task.slice.updated_since.unwrap_or(task.run_started_at) - MAY_WAIT;
        let open = self.facts.oldest_open(task.client, integration, place.id, since).await;
        Ok(open?)
    }
}

impl Source for Github {
    type Reader = Reading;

    const TOPIC: Topic = Topic::Github;

    async fn open(&self, task: &Task, connection: Connection) -> Result<Reading, Failure> {
        let client = self.client(&connection)?;
        let step = match task.kind {
            TaskKind::Step(step) => step,
            TaskKind::Probe | TaskKind::Scopes => return Err(not_ours(task)),
        };
        let since = task.slice.updated_since;
        let steps = match step {
            Step::Repositories => Steps::Repositories(Repositories::new(connection.scopes)),
            Step::PullRequests => {
                Steps::PullRequests(PullRequests::new(self.place(task, &connection).await?, since))
            }
            Step::Deployments => {
                let place = self.place(task, &connection).await?;
                let more = self.shipments_of(task, &connection, &place).await?;
                let open = self.still_open(task, &connection, &place).await?;
                Steps::Deployments(Deployments::new(place, since, more, open))
            }
            Step::Commits => {
                Steps::Commits(Commits::new(self.place(task, &connection).await?, since))
            }
            Step::MissingCommits => {
                let integration = connection.integration.ok_or_else(|| not_ours(task))?;
                let place = self.place(task, &connection).await?;
                let owner = (task.client, integration);
                let kept = self.facts.clone();
                Steps::MissingCommits(MissingCommits::new(place, kept, owner))
            }
            _ => return Err(not_ours(task)),
        };
        Ok(Reading { client, steps })
    }

    async fn probe(&self, task: &Task, connection: Connection) -> Result<String, Failure> {
        let client = self.client(&connection)?;
        match task.kind {
            TaskKind::Probe => probe::test(&client, &connection).await,
            TaskKind::Scopes => probe::scopes(&client, &task.input).await,
            TaskKind::Step(_) => Err(not_ours(task)),
        }
    }
}

fn not_ours(task: &Task) -> Failure {
    Failure::Fatal { detail: format!("GitHub has no {}.", task.kind.as_str()) }
}

/// One task being read.
pub struct Reading {
    client: Client,
    steps: Steps,
}

enum Steps {
    Repositories(Repositories),
    PullRequests(PullRequests),
    Deployments(Deployments),
    Commits(Commits),
    MissingCommits(MissingCommits),
}

impl Reader for Reading {
    async fn page(&mut self, cursor: &str) -> Result<Page, Failure> {
        let sent_before = self.client.sent();
        let page = match &mut self.steps {
            Steps::Repositories(step) => step.page(&self.client).await,
            Steps::PullRequests(step) => step.page(&self.client, cursor).await,
            Steps::Deployments(step) => step.page(&self.client, cursor).await,
            Steps::Commits(step) => step.page(&self.client, cursor).await,
            Steps::MissingCommits(step) => step.page(&self.client, cursor).await,
        }?;
        let requests = self.client.sent() - sent_before;
        Ok(Page { requests, source_time: self.client.source_time(), ..page })
    }
}

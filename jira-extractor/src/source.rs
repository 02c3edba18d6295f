//! Jira as a source: which reader a task needs, and over which client it reads.

use std::sync::Arc;
use std::time::Duration;

use domain::ids::IntegrationId;
use domain::work::{Step, Task, TaskKind, Topic};
use extractor::budget::{Pace, Quotas};
use extractor::http::Exchange;
use extractor::{Connection, Failure, Page, Reader, Source};
use moka::future::Cache as Remembered;
use platform::cache::Cache;
use platform::upstream::{Backoff, Upstream};
use store::Facts;

use crate::client::Client;
use crate::fields::CustomFields;
use crate::probe;
use crate::steps::{Deletions, Issues, Projects, Sprints, Statuses};

/// What Jira allows per site and endpoint, about. Other apps use it up as well, and then it says so.
const PACE: Pace = Pace { requests: 100, window: Duration::from_secs(1), in_flight: 10 };
/// Fields are added rarely; a new one is seen by the next run.
const FIELDS_KNOWN_FOR: Duration = Duration::from_secs(5 * 60);

/// Reads Jira Cloud.
pub struct Jira {
    upstream: Upstream,
    quotas: Quotas,
    kept: Facts,
    fields: Remembered<IntegrationId, CustomFields>,
    backoff: Backoff,
}

impl Jira {
    /// Over `upstream`, with quotas shared through `cache`; `kept` tells what is known already.
    pub fn new(upstream: Upstream, cache: Cache, kept: Facts) -> Jira {
        let fields = Remembered::builder().time_to_live(FIELDS_KNOWN_FOR).max_capacity(10_000);
        Jira {
            upstream,
            quotas: Quotas::new(cache, PACE),
            kept,
            fields: fields.build(),
            backoff: Backoff::UPSTREAM,
        }
    }

    /// With other waits between tries.
    #[must_use]
    pub fn with_backoff(self, backoff: Backoff) -> Jira {
        Jira { backoff, ..self }
    }

    fn client(&self, connection: &Connection, backoff: Backoff) -> Result<Client, Failure> {
        let exchange =
            Exchange::new(self.upstream.clone(), self.quotas.of(&connection.credential()));
        Client::new(exchange.with_backoff(backoff), connection)
    }

    /// The fields of a site, asked for once for all of its tasks.
    async fn fields(&self, site: &Site) -> Result<CustomFields, Failure> {
        let ask = async { Ok(CustomFields::among(&site.client.fields().await?)) };
        let known = self.fields.try_get_with(site.integration, ask).await;
        known.map_err(|failure: Arc<Failure>| Failure::clone(&failure))
    }
}

/// What every reader needs: the calls, what is kept already, and whose it is.
pub(crate) struct Site {
    pub(crate) client: Client,
    pub(crate) kept: Facts,
    pub(crate) owner: domain::ids::ClientId,
    pub(crate) integration: IntegrationId,
    /// Project keys to read; empty means all that can be seen.
    pub(crate) scopes: Vec<String>,
}

/// Reads one task of Jira.
pub struct JiraReader {
    kind: Kind,
    /// Requests that earlier pages have accounted for.
    counted: u64,
}

enum Kind {
    Projects(Projects),
    Statuses(Statuses),
    Issues(Box<Issues>),
    Sprints(Sprints),
    Deletions(Box<Deletions>),
}

impl Source for Jira {
    type Reader = JiraReader;

    const TOPIC: Topic = Topic::Jira;

    async fn open(&self, task: &Task, connection: Connection) -> Result<JiraReader, Failure> {
        let TaskKind::Step(step) = task.kind else {
            return Err(not_ours(task));
        };
        let client = self.client(&connection, self.backoff)?;
        let site = Site {
            client,
            kept: self.kept.clone(),
            owner: connection.client,
            integration: connection.integration.ok_or_else(|| not_ours(task))?,
            scopes: connection.scopes,
        };
        let kind = match step {
            Step::Projects => Kind::Projects(Projects::new(site)),
            Step::Statuses => Kind::Statuses(Statuses::new(site)),
            Step::Issues => {
                let fields = self.fields(&site).await?;
                Kind::Issues(Box::new(Issues::new(site, project(task)?, task.slice, fields)))
            }
            Step::Sprints => Kind::Sprints(Sprints::new(site)),
            Step::Deletions => {
                let fields = self.fields(&site).await?;
                let issues = Issues::new(site, project(task)?, task.slice, fields);
                Kind::Deletions(Box::new(Deletions::new(issues)))
            }
            _ => return Err(not_ours(task)),
        };
        Ok(JiraReader { kind, counted: 0 })
    }

    async fn probe(&self, task: &Task, connection: Connection) -> Result<String, Failure> {
        // Somebody sits before the page and waits.
        let client = self.client(&connection, Backoff::NEARBY);
        match task.kind {
            TaskKind::Probe => Ok(probe::test(client, &connection).await.to_json()),
            TaskKind::Scopes => Ok(probe::scopes(&client?, &task.input).await?.to_json()),
            TaskKind::Step(_) => Err(not_ours(task)),
        }
    }
}

impl Reader for JiraReader {
    async fn page(&mut self, cursor: &str) -> Result<Page, Failure> {
        let mut page = match &mut self.kind {
            Kind::Projects(projects) => projects.page().await,
            Kind::Statuses(statuses) => statuses.page().await,
            Kind::Issues(issues) => issues.page(cursor).await,
            Kind::Sprints(sprints) => sprints.page(cursor).await,
            Kind::Deletions(deletions) => deletions.page(cursor).await,
        }?;
        // With those that opened the reader, or failed and were made again.
        let sent = self.client().sent();
        page.requests = sent - std::mem::replace(&mut self.counted, sent);
        page.source_time = self.client().source_time();
        Ok(page)
    }
}

impl JiraReader {
    fn client(&self) -> &Client {
        match &self.kind {
            Kind::Projects(Projects { site })
            | Kind::Statuses(Statuses { site })
            | Kind::Sprints(Sprints { site, .. }) => &site.client,
            Kind::Issues(issues) => &issues.site.client,
            Kind::Deletions(deletions) => &deletions.issues.site.client,
        }
    }
}

/// The project that a task covers.
fn project(task: &Task) -> Result<i64, Failure> {
    task.scope.parse().map_err(|_| Failure::Fatal {
        detail: format!("{:?} is no id of a Jira project", task.scope),
    })
}

fn not_ours(task: &Task) -> Failure {
    Failure::Fatal { detail: format!("a Jira extractor has no step {}", task.kind.as_str()) }
}

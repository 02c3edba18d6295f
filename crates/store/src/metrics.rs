//! What the metrics service reads, and the links, facts and snapshots that it writes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use domain::Moment;
use domain::deployment::{Deployment, Shipment};
use domain::ids::{ClientId, IntegrationId, SnapshotId};
use domain::rules::{BotRules, DeploymentRules, IncidentRules, ProjectRules, Source};
use domain::work::Fence;

use crate::Error;
use crate::db::{Db, ask, keep};
use crate::dora::Place;
use crate::fact_table::Owner;
use crate::models::metrics::{
    DeploymentFactRow, IncidentFactRow, LinkRow, PullRequestFactPut, SnapshotRow,
};
use crate::types::{Id, Json, Ts};

/// A handle on what is derived from the facts.
#[derive(Clone)]
pub struct Metrics(Db);

/// A repository that counts: active, of an active connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    /// The connection.
    pub integration: IntegrationId,
    /// GitHub's id.
    pub id: i64,
    /// `owner/name`.
    pub full_name: String,
}

/// A key of a project, former or present, and the key of today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectKey {
    /// As it may be spelled in a text.
    pub seen: String,
    /// The key of today.
    pub today: String,
}

/// The issue behind a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedIssue {
    /// The key asked for.
    pub key: String,
    /// The connection.
    pub integration: IntegrationId,
    /// Jira's id.
    pub id: i64,
}

/// A pull request named an issue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The pull request's number.
    pub number: i64,
    /// The issue's connection.
    pub issue_integration: IntegrationId,
    /// Jira's id of the issue.
    pub issue_id: i64,
    /// `branch`, `title` or `message`.
    pub via: String,
    /// The key as it was named.
    pub key_seen: String,
}

/// The texts of a pull request that may name issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The number.
    pub number: i64,
    /// The branch.
    pub head_ref: String,
    /// The title.
    pub title: String,
    /// The messages of its commits.
    pub messages: Vec<String>,
}

/// A pull request as far as its stages need it.
#[derive(Debug, Clone, PartialEq)]
pub struct PullRequestLife {
    /// The number.
    pub number: i64,
    /// The title.
    pub title: String,
    /// The login of who opened it.
    pub author: Option<String>,
    /// When it was opened.
    pub created_at: Moment,
    /// When it last became ready for review, if it was a draft.
    pub ready_at: Option<Moment>,
    /// When it was merged.
    pub merged_at: Option<Moment>,
    /// The commit on the base branch.
    pub merge_commit_sha: Option<String>,
    /// The branch that it was made for.
    pub base_ref: String,
    /// The earliest authored date of its commits.
    pub first_commit_at: Option<Moment>,
    /// A machine opened it.
    pub author_is_bot: bool,
    /// It waits, neither merged nor closed.
    pub is_open: bool,
    /// Not yet ready for review.
    pub draft: bool,
    /// Lines added and removed.
    pub lines: i64,
    /// Files touched.
    pub files: i64,
}

/// A review or a comment on a diff.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewAt {
    /// The pull request's number.
    pub number: i64,
    /// What was said.
    pub said: Said,
    /// The login of who gave it.
    pub author: Option<String>,
    /// A machine.
    pub bot: bool,
    /// When.
    pub at: Option<Moment>,
}

/// Comments of somebody in the conversation of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentsBy {
    /// The pull request's number.
    pub number: i64,
    /// The login of who wrote them.
    pub author: Option<String>,
    /// A machine.
    pub bot: bool,
    /// How many there are.
    pub count: i64,
}

/// What somebody says about a diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// That something must change.
    ChangesRequested,
    /// Any other verdict.
    Verdict,
    /// Something about a line.
    Remark,
}

/// What a client says about its delivery, and what was made of it last.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Which deployments count.
    pub deployments: DeploymentRules,
    /// Which issues are incidents.
    pub incidents: IncidentRules,
    /// Who is a machine.
    pub bots: BotRules,
    /// Which repositories belong to which project.
    pub projects: ProjectRules,
    /// Where the client's facts stand.
    pub state: DeliveryState,
    /// When the facts of the last publication were complete.
    pub as_of: Option<Moment>,
    /// Grow with each change of the rules on which facts of a repository lean: those on deployments, and
    /// on machines.
    pub rules_versions: (i64, i64),
    /// From what the facts of the last publication were made, beside what changed since.
    pub basis: String,
}

/// Tells whether facts are still those that somebody read before they began to compute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryState {
    /// Grows with each change of the rules.
    pub(crate) revision: i64,
    /// Grows with each publication.
    pub(crate) publications: i64,
}

/// By what an issue may be an incident, beside its type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct By {
    /// Its labels and components.
    pub names: bool,
    /// What its custom fields hold.
    pub fields: bool,
}

/// What decides whether an issue is an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspectRead {
    /// Jira's id.
    pub id: i64,
    /// Jira's id of its type.
    pub type_id: i64,
    /// Its labels.
    pub labels: Vec<String>,
    /// Names of its components.
    pub components: Vec<String>,
    /// Custom fields that hold a date and time, by their ids.
    pub moments: Vec<(String, Moment)>,
    /// Custom fields that hold one word, by their ids.
    pub mentions: Vec<(String, String)>,
}

/// An incident, with what decides when it began and why.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentRead {
    /// The connection.
    pub integration: IntegrationId,
    /// Jira's id.
    pub id: i64,
    /// The key of its project today.
    pub project: String,
    /// When it was made.
    pub created_at: Moment,
    /// Texts of its links to other issues, as the changelog tells them, without those that were removed.
    pub links: Vec<String>,
}

/// What we make of a pull request.
#[derive(Debug, Clone, PartialEq)]
pub struct PullRequestFact {
    /// The repository's connection.
    pub integration: IntegrationId,
    /// GitHub's id of the repository.
    pub repository: i64,
    /// The number.
    pub number: i64,
    /// The earliest authored date of its commits.
    pub first_commit_at: Option<Moment>,
    /// The first review of another human.
    pub first_review_at: Option<Moment>,
    /// Seconds from first commit to open.
    pub coding_seconds: Option<f64>,
    /// Seconds from open to first review.
    pub pickup_seconds: Option<f64>,
    /// Seconds from first review to merge.
    pub review_seconds: Option<f64>,
    /// Seconds from merge to deployment.
    pub deploy_seconds: Option<f64>,
    /// Seconds from first commit to deployment.
    pub lead_seconds: Option<f64>,
    /// The first successful production deployment that contains it.
    pub deployment: Option<String>,
    /// When that finished.
    pub deployed_at: Option<Moment>,
    /// A machine opened it.
    pub author_is_bot: bool,
    /// It waits, neither merged nor closed.
    pub is_open: bool,
    /// Not yet ready for review.
    pub draft: bool,
    /// When it was opened, or last became ready for review.
    pub opened_at: Moment,
    /// When it was merged.
    pub merged_at: Option<Moment>,
    /// Lines added and removed.
    pub lines: i64,
    /// Files touched.
    pub files: i64,
    /// Verdicts of other people.
    pub reviews: i64,
    /// Other people who gave a verdict or commented on the diff.
    pub reviewers: i64,
    /// Comments of people, in the conversation and on the diff.
    pub comments: i64,
    /// How often changes were requested and commits followed.
    pub review_rounds: i64,
    /// A later pull request took it back.
    pub reverted: bool,
}

/// What we make of a deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentFact {
    /// The repository's connection.
    pub integration: IntegrationId,
    /// GitHub's id of the repository.
    pub repository: i64,
    /// What tells of it.
    pub source: Source,
    /// As the source tells it. Only an id of GitHub's deployments does not begin with its source.
    pub told: Deployment,
    /// The environment by the rules.
    pub environment: Option<String>,
    /// Why it is in none.
    pub reason: Option<String>,
    /// The successful one before it.
    pub previous: Option<String>,
    /// It went back to an ancestor of the previous one.
    pub rollback: bool,
    /// The next one was a rollback.
    pub rolled_back: bool,
    /// Pull requests that it was the first to bring to production.
    pub pull_requests: i64,
    /// Incidents that it caused.
    pub incidents: i64,
    /// When it succeeded.
    pub succeeded_at: Option<Moment>,
}

/// What we make of an incident. It ends when its issue is done.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentFact {
    /// The issue's connection.
    pub integration: IntegrationId,
    /// Jira's id of the issue.
    pub issue: i64,
    /// When it began.
    pub started_at: Moment,
    /// The deployment that caused it, and the rule that says so.
    pub cause: Option<Cause>,
}

/// The deployment that caused an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The repository's connection.
    pub integration: IntegrationId,
    /// GitHub's id of the repository.
    pub repository: i64,
    /// The source's id of the deployment.
    pub deployment: String,
    /// The rule that says so.
    pub rule: String,
}

/// A complete set of facts of a client, to become visible at once.
#[derive(Debug, Clone)]
pub struct Publication {
    /// Ours.
    pub id: SnapshotId,
    /// When the facts it was made from were complete.
    pub as_of: Moment,
    /// Where the client's facts stood before they were computed.
    pub state: DeliveryState,
    /// When it was made.
    pub published_at: Moment,
    /// From what it was made, beside what may change.
    pub basis: String,
    /// The repositories of which everything was made anew; nothing where all were.
    pub computed: Option<Vec<Place>>,
    /// Every pull request of these.
    pub pull_requests: Vec<PullRequestFact>,
    /// Every deployment of these, and those of others that changed.
    pub deployments: Vec<DeploymentFact>,
    /// Every incident.
    pub incidents: Vec<IncidentFact>,
}

/// What was written of a [`Publication`]: facts that stayed the same were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    /// Facts made, changed or removed.
    pub written: usize,
    /// Issues that were placed.
    pub issues: u64,
    /// Earlier publications of which nobody needs to know any more.
    pub forgotten: usize,
}

/// A short name of what facts are made from. Another release may have another for the same.
pub fn basis(of: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

impl Metrics {
    /// Over `db`.
    pub fn new(db: Db) -> Metrics {
        Metrics(db)
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0
    }

    /// Tells the database to look anew at tables that grew much, before they are joined.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn refresh_statistics(&self) -> Result<(), Error> {
        keep!(self.0, metrics::refresh_statistics())
    }

    /// The client's repositories that count.
    ///
    /// # Errors
    /// The database cannot be reached; so for everything here.
    pub async fn repositories(&self, client: ClientId) -> Result<Vec<Repository>, Error> {
        let rows: Vec<(Id, i64, String)> = ask!(self.0, metrics::repositories(client.into()))?;
        let repository = |(integration, id, full_name): (Id, _, _)| Repository {
            integration: integration.into(),
            id,
            full_name,
        };
        Ok(rows.into_iter().map(repository).collect())
    }

    /// The keys of the client's active projects, former and present.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn project_keys(&self, client: ClientId) -> Result<Vec<ProjectKey>, Error> {
        let rows: Vec<(String, Json)> = ask!(self.0, metrics::project_keys(client.into()))?;
        let mut keys = Vec::with_capacity(rows.len());
        for (today, former) in rows {
            for seen in former.to_texts()? {
                keys.push(ProjectKey { seen, today: today.clone() });
            }
            keys.push(ProjectKey { seen: today.clone(), today });
        }
        Ok(keys)
    }

    /// The live issues behind `keys`, by the key of today or, where an issue moved, a former one.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn issues_by_key(
        &self,
        client: ClientId,
        keys: Vec<String>,
    ) -> Result<Vec<KeyedIssue>, Error> {
        let rows: Vec<(String, Id, i64)> =
            ask!(self.0, metrics::issues_by_key(client.into(), &keys))?;
        let issue = |(key, integration, id): (_, Id, _)| KeyedIssue {
            key,
            integration: integration.into(),
            id,
        };
        Ok(rows.into_iter().map(issue).collect())
    }

    /// The texts of every pull request of a repository, by number.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn texts(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<Texts>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::texts(client.into(), integration, id))
    }

    /// Replaces the links of a repository's pull requests; those that stay are not written.
    ///
    /// # Errors
    /// [`Error::LostLease`] when another worker holds the task; then nothing is kept.
    pub async fn keep_links(
        &self,
        client: ClientId,
        fence: Fence,
        repository: &Repository,
        links: Vec<Link>,
        now: Moment,
    ) -> Result<usize, Error> {
        let (integration, id) = (Id::from(repository.integration), repository.id);
        let rows: Vec<LinkRow> = links
            .into_iter()
            .map(|link| LinkRow {
                client_id: client.into(),
                integration_id: integration,
                repository_id: id,
                number: link.number,
                issue_integration_id: link.issue_integration.into(),
                issue_id: link.issue_id,
                via: link.via,
                key_seen: link.key_seen,
            })
            .collect();
        let owner = Owner { client: client.into(), integration };
        keep!(self.0, metrics::keep_links(fence, owner, id, &rows, Ts(now)))
    }

    /// Every link of a repository's pull requests.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn links(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<Link>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        let rows: Vec<LinkRow> = ask!(self.0, metrics::links(client.into(), integration, id))?;
        let link = |row: LinkRow| Link {
            number: row.number,
            issue_integration: row.issue_integration_id.into(),
            issue_id: row.issue_id,
            via: row.via,
            key_seen: row.key_seen,
        };
        Ok(rows.into_iter().map(link).collect())
    }

    /// Every pull request of a repository, by number.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn lives(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<PullRequestLife>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::lives(client.into(), integration, id))
    }

    /// Every review and comment on a diff in a repository, by number of the pull request.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn reviews(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<ReviewAt>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::reviews(client.into(), integration, id))
    }

    /// How many comments of whom are in the conversation of each pull request that has any.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn comments(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<CommentsBy>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::comments(client.into(), integration, id))
    }

    /// When the commits of pull requests came about in which somebody requested changes, by number.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn commits_under_review(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<(i64, Moment)>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::commits_under_review(client.into(), integration, id))
    }

    /// The commits of a repository whose parents are known.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn graph(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<(String, Vec<String>)>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::graph(client.into(), integration, id))
    }

    /// What the client says about its delivery.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn delivery(&self, client: ClientId) -> Result<Delivery, Error> {
        ask!(self.0, metrics::delivery(client))
    }

    /// Whether a client's rules changed since its delivery was computed.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn rules_are_ahead(&self, client: ClientId) -> Result<bool, Error> {
        ask!(self.0, changes::rules_are_ahead(client.into()))
    }

    /// Clients whose rules changed since their delivery was computed.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn clients_with_changed_rules(&self) -> Result<Vec<ClientId>, Error> {
        ask!(self.0, changes::clients_with_changed_rules())
    }

    /// Whether what the sources said is whole: no run is under way, and the last one finished.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn facts_are_whole(&self, client: ClientId) -> Result<bool, Error> {
        ask!(self.0, metrics::facts_are_whole(client.into()))
    }

    /// Those runs of workflows and releases of a repository that are deployments by the rules.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn shipments(
        &self,
        client: ClientId,
        repository: &Repository,
        rules: Arc<DeploymentRules>,
    ) -> Result<Vec<Shipment>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        let name = repository.full_name.clone();
        ask!(self.0, metrics::shipments(client.into(), integration, id, &rules.of(&name)))
    }

    /// Every deployment of a repository that was posted.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn posted_deployments(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<Deployment>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, posted::of_repository(client.into(), integration, id))
    }

    /// Every deployment of a repository that GitHub tells of.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn deployments(
        &self,
        client: ClientId,
        repository: &Repository,
    ) -> Result<Vec<Deployment>, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        ask!(self.0, metrics::deployments(client.into(), integration, id))
    }

    /// Names of the issue types that the client's live issues have, with their ids.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn issue_types(
        &self,
        client: ClientId,
    ) -> Result<Vec<(IntegrationId, i64, String)>, Error> {
        let rows: Vec<(Id, i64, String)> = ask!(self.0, metrics::issue_types(client.into()))?;
        Ok(rows.into_iter().map(|(integration, id, name)| (integration.into(), id, name)).collect())
    }

    /// Live issues of these types, and all that have what is looked at beside, with an id greater than
    /// `after`: the next `limit`, by id.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn suspects(
        &self,
        client: ClientId,
        integration: IntegrationId,
        types: &[i64],
        by: By,
        after: i64,
        limit: i64,
    ) -> Result<Vec<SuspectRead>, Error> {
        let (client, integration) = (Id::from(client), Id::from(integration));
        let types = types.to_vec();
        ask!(self.0, metrics::suspects(client, integration, &types, by, after, limit))
    }

    /// These issues, with their history.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn incidents(
        &self,
        client: ClientId,
        integration: IntegrationId,
        ids: Vec<i64>,
    ) -> Result<Vec<IncidentRead>, Error> {
        ask!(self.0, metrics::incidents(client.into(), integration.into(), &ids))
    }

    /// Makes a complete set of facts visible at once, and with them what `flow` makes of the issues.
    /// What stays the same is not written.
    ///
    /// # Errors
    /// [`Error::LostLease`] when another worker holds the task, and [`Error::Conflict`] when somebody
    /// published since the facts were read; then nothing is published.
    pub async fn publish(
        &self,
        client: ClientId,
        fence: Fence,
        publication: Publication,
        flow: impl crate::flow::Rules,
    ) -> Result<Published, Error> {
        let rows = PublicationRows::new(client, publication);
        let mut flow = flow;
        keep!(self.0, publish::publish(fence, &rows, &mut flow))
    }

    /// Makes a complete set of facts visible at once that were computed for changed rules; nothing if
    /// somebody published since they were read.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn publish_delivery(
        &self,
        client: ClientId,
        publication: Publication,
    ) -> Result<Option<Published>, Error> {
        let rows = PublicationRows::new(client, publication);
        keep!(self.0, publish::publish_delivery(&rows))
    }

    /// The zone in which the client's days are cut, once it has a schedule.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn timezone(&self, client: ClientId) -> Result<Option<String>, Error> {
        ask!(self.0, metrics::timezone(client.into()))
    }
}

/// A [`Publication`] as rows.
pub(crate) struct PublicationRows {
    pub(crate) client: Id,
    /// In the order of their repositories. A large client has very many, so they become rows a
    /// repository at a time.
    pull_requests: Vec<PullRequestFact>,
    pub(crate) deployments: Vec<DeploymentFactRow>,
    pub(crate) incidents: Vec<IncidentFactRow>,
    pub(crate) snapshot: SnapshotRow,
    pub(crate) state: DeliveryState,
    pub(crate) basis: String,
    pub(crate) computed: Option<Vec<(Id, i64)>>,
}

impl PublicationRows {
    fn new(client: ClientId, publication: Publication) -> PublicationRows {
        let client_id = Id::from(client);
        let mut pull_requests = publication.pull_requests;
        pull_requests.sort_unstable_by_key(|fact| (Id::from(fact.integration), fact.repository));
        PublicationRows {
            client: client_id,
            pull_requests,
            deployments: publication
                .deployments
                .into_iter()
                .map(|fact| deployment_row(client_id, fact))
                .collect(),
            state: publication.state,
            basis: publication.basis,
            computed: publication.computed.map(|places| {
                places.into_iter().map(|(integration, id)| (integration.into(), id)).collect()
            }),
            incidents: publication
                .incidents
                .into_iter()
                .map(|fact| incident_row(client_id, fact))
                .collect(),
            snapshot: SnapshotRow {
                client_id,
                id: publication.id.into(),
                as_of: Ts(publication.as_of),
                published_at: Ts(publication.published_at),
                body: Json("{}".to_owned()),
            },
        }
    }

    /// What is said of the pull requests of a repository.
    pub(crate) fn pull_requests(
        &self,
        integration: Id,
        repository: i64,
    ) -> Vec<PullRequestFactPut> {
        let place = |fact: &PullRequestFact| (Id::from(fact.integration), fact.repository);
        let wanted = (integration, repository);
        let first = self.pull_requests.partition_point(|fact| place(fact) < wanted);
        let end = self.pull_requests.partition_point(|fact| place(fact) <= wanted);
        let facts = self.pull_requests[first..end].iter();
        facts.map(pull_request_row).collect()
    }
}

fn pull_request_row(fact: &PullRequestFact) -> PullRequestFactPut {
    PullRequestFactPut {
        repository_id: fact.repository,
        number: fact.number,
        first_commit_at: fact.first_commit_at.map(Ts),
        first_review_at: fact.first_review_at.map(Ts),
        coding_seconds: fact.coding_seconds,
        pickup_seconds: fact.pickup_seconds,
        review_seconds: fact.review_seconds,
        deploy_seconds: fact.deploy_seconds,
        lead_seconds: fact.lead_seconds,
        deployment_id: fact.deployment.clone(),
        deployed_at: fact.deployed_at.map(Ts),
        author_is_bot: fact.author_is_bot,
        is_open: fact.is_open,
        draft: fact.draft,
        opened_at: Ts(fact.opened_at),
        merged_at: fact.merged_at.map(Ts),
        lines: fact.lines,
        files: fact.files,
        reviews: fact.reviews,
        reviewers: fact.reviewers,
        comments: fact.comments,
        review_rounds: fact.review_rounds,
        reverted: fact.reverted,
    }
}

fn deployment_row(client_id: Id, fact: DeploymentFact) -> DeploymentFactRow {
    DeploymentFactRow {
        client_id,
        integration_id: fact.integration.into(),
        repository_id: fact.repository,
        external_id: fact.told.external_id,
        source: fact.source.as_str().to_owned(),
        environment_seen: fact.told.environment,
        sha: fact.told.sha,
        outcome: fact.told.outcome.as_str().to_owned(),
        created_at: Ts(fact.told.created_at),
        finished_at: fact.told.finished_at.map(Ts),
        estimated: fact.told.estimated,
        environment: fact.environment,
        reason: fact.reason,
        previous_id: fact.previous,
        rollback: fact.rollback,
        rolled_back: fact.rolled_back,
        pull_requests: fact.pull_requests,
        incidents: fact.incidents,
        succeeded_at: fact.succeeded_at.map(Ts),
    }
}

fn incident_row(client_id: Id, fact: IncidentFact) -> IncidentFactRow {
    let (integration, repository, deployment, rule) = match fact.cause {
        Some(cause) => (
            Some(cause.integration.into()),
            Some(cause.repository),
            Some(cause.deployment),
            Some(cause.rule),
        ),
        None => (None, None, None, None),
    };
    IncidentFactRow {
        client_id,
        integration_id: fact.integration.into(),
        issue_id: fact.issue,
        started_at: Ts(fact.started_at),
        deploy_integration_id: integration,
        repository_id: repository,
        deployment_id: deployment,
        rule,
    }
}

//! Facts that were computed, and how they become visible at once.

use domain::Moment;
use domain::deployment::Deployment;
use domain::ids::{ClientId, IntegrationId, SnapshotId};
use domain::rules::Source;
use domain::work::Fence;

use super::{DeliveryState, Metrics};
use crate::Error;
use crate::db::keep;
use crate::dora::Place;
use crate::models::metrics::{DeploymentFactRow, IncidentFactRow, PullRequestFactPut, SnapshotRow};
use crate::types::{Id, Json, Ts};

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

impl Metrics {
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

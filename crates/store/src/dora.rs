//! What DORA's values are made from.

use std::collections::HashSet;

use domain::Moment;
use domain::deployment::DeploymentOutcome;
use domain::ids::{ClientId, IntegrationId};
use domain::rules::{PRODUCTION, ProjectRules};

use crate::db::ask;
use crate::focus::Focus;
use crate::types::Ts;
use crate::{Error, Metrics};

/// A repository or a project: its connection, and the source's id.
pub type Place = (IntegrationId, i64);

/// Everything that DORA's values are made from, read from one snapshot.
#[derive(Debug, Clone, Default)]
pub struct DoraRead {
    /// When the facts were complete; `None` before the first publication.
    pub as_of: Option<Moment>,
    /// The rules changed since, and the numbers follow soon.
    pub is_behind: bool,
    /// Every deployment that finished in the time asked for, successful or not.
    pub deployments: Vec<DeploymentSeen>,
    /// Pull requests whose first production deployment finished in the time asked for.
    pub pull_requests: Vec<PullRequestSeen>,
    /// Incidents that ended in the time asked for.
    pub incidents: Vec<IncidentSeen>,
    /// Incidents that count nowhere, and so never end.
    pub incidents_left_out: Vec<LeftOut>,
    /// When each repository first brought something to production, whatever time was asked for.
    pub first: Vec<(Place, Moment)>,
}

/// A deployment in a report.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentSeen {
    /// Where it came from.
    pub repository: Place,
    /// The source's id.
    pub id: String,
    /// The source's name of the environment.
    pub environment_seen: String,
    /// The environment by the rules.
    pub environment: Option<String>,
    /// Why it is in none.
    pub reason: Option<String>,
    /// How it went.
    pub outcome: DeploymentOutcome,
    /// When it was over.
    pub finished_at: Moment,
    /// It failed: it caused an incident, or the next one rolled it back.
    pub failed: bool,
}

impl DeploymentSeen {
    /// Whether it brought something to production.
    pub fn counts(&self) -> bool {
        self.environment.as_deref() == Some(PRODUCTION)
            && self.outcome == DeploymentOutcome::Success
    }
}

/// A pull request in a report.
#[derive(Debug, Clone, PartialEq)]
pub struct PullRequestSeen {
    /// Where it was merged.
    pub repository: Place,
    /// Its number there.
    pub number: i64,
    /// When it was first in production.
    pub deployed_at: Moment,
    /// Seconds from first commit to production; a negative one is absent.
    pub lead_seconds: Option<f64>,
    /// At least one of its commits is known.
    pub has_commits: bool,
    /// A machine opened it.
    pub by_bot: bool,
}

/// An incident in a report.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentSeen {
    /// Where it was reported.
    pub project: Place,
    /// The key.
    pub key: String,
    /// When it began.
    pub started_at: Moment,
    /// When it was over.
    pub ended_at: Moment,
    /// The repository of the deployment that caused it.
    pub repository: Option<Place>,
    /// When that deployment finished.
    pub deployed_at: Option<Moment>,
}

/// Something that counts nowhere, because something that it hangs on was switched off or has no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The project of an incident, or the repository of a deployment.
    pub place: Place,
    /// When an incident came to where it stands, or a deployment was over.
    pub at: Moment,
    /// The code of the first level that keeps it out.
    pub reason: String,
}

impl IncidentSeen {
    /// Whether a question is about it, by the projects and repositories that it means: about its project,
    /// and where repositories are named, about the one whose deployment caused it.
    pub fn is_meant(
        &self,
        focus: &Focus,
        projects: &HashSet<Place>,
        repositories: &HashSet<Place>,
    ) -> bool {
        let is_theirs = |place: &Place| repositories.contains(place);
        projects.contains(&self.project)
            && (focus.repositories.is_empty() || self.repository.as_ref().is_some_and(is_theirs))
    }
}

/// What a question about the delivery needs to know beside the facts.
#[derive(Debug, Clone, Default)]
pub struct DeliveryHead {
    /// Grows with each publication; nothing before the first.
    pub publication: Option<i64>,
    /// The rules changed since, and the numbers follow soon.
    pub is_behind: bool,
    /// The repositories.
    pub repositories: Vec<RepositoryNow>,
    /// Keys of the projects.
    pub projects: Vec<(Place, String)>,
    /// Which repositories belong to which project.
    pub project_rules: ProjectRules,
}

/// A repository as it is called now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryNow {
    /// Which.
    pub place: Place,
    /// `owner/name`.
    pub full_name: String,
    /// Why nothing in it counts: the code of the first level that is switched off.
    pub inactive: Option<&'static str>,
}

/// Whoever takes all facts of a client, one part after another.
pub trait TakeDora: Send + 'static {
    /// When the facts were complete, and which publication they are of.
    fn begin(&mut self, publication: i64, as_of: Moment);

    /// All deployments and incidents.
    fn others(
        &mut self,
        deployments: Vec<DeploymentSeen>,
        incidents: Vec<IncidentSeen>,
        incidents_left_out: Vec<LeftOut>,
    );

    /// Pull requests of one repository. Answers whether there is room for more.
    fn pull_requests(&mut self, some: Vec<PullRequestSeen>) -> bool;
}

impl Metrics {
    /// What DORA's values over `from..to` are made from, read from one snapshot.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn dora(
        &self,
        client: ClientId,
        from: Moment,
        to: Moment,
        focus: Focus,
    ) -> Result<DoraRead, Error> {
        ask!(self.db(), dora::read(client.into(), Ts(from), Ts(to), &focus))
    }

    /// Gives everything that DORA's values were ever made from to `taker`, and gives that back. Before
    /// the first publication it gets nothing.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn take_dora<T: TakeDora>(&self, client: ClientId, taker: T) -> Result<T, Error> {
        ask!(self.db(), dora::take(client.into(), taker))
    }

    /// Deployments that were over in `from..to` and count nowhere, because their repository or its
    /// connection is switched off. Nothing is made of these, so the source tells of them.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn inactive_deployments(
        &self,
        client: ClientId,
        from: Moment,
        to: Moment,
    ) -> Result<Vec<LeftOut>, Error> {
        ask!(self.db(), dora::inactive(client.into(), Ts(from), Ts(to)))
    }

    /// What a question about the delivery needs to know beside the facts.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn delivery_head(&self, client: ClientId) -> Result<DeliveryHead, Error> {
        ask!(self.db(), dora::head(client))
    }
}

//! What was deployed, what went wrong, and what the client says about both.

use std::sync::Arc;

use domain::Moment;
use domain::deployment::{Deployment, Shipment};
use domain::ids::{ClientId, IntegrationId};
use domain::rules::{BotRules, DeploymentRules, IncidentRules, ProjectRules};

use super::{Metrics, Repository};
use crate::Error;
use crate::db::ask;
use crate::types::Id;

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

impl Metrics {
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
}

//! Connections to Jira and GitHub. The gateway writes them; extractors read them.

use domain::Moment;
use domain::ids::{ClientId, IntegrationId};
use domain::work::SourceKind;
use uuid::Uuid;

use crate::Error;
use crate::db::{Db, ask, keep};
use crate::models::IntegrationRow;
use crate::types::{Json, Ts};

/// A handle on the connections.
#[derive(Clone)]
pub struct Integrations(Db);

/// A connection to one Jira site or one GitHub owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Whose it is.
    pub client: ClientId,
    /// Ours.
    pub id: IntegrationId,
    /// What is at the other end.
    pub kind: SourceKind,
    /// The name people see.
    pub name: String,
    /// Where it is.
    pub base_url: String,
    /// Whom the credential belongs to; Jira needs it, GitHub does not.
    pub username: Option<String>,
    /// The credential, sealed with associated data `[client, integration, "secret"]`.
    pub sealed_secret: String,
    /// Project keys or repository names to read; empty means all that can be seen.
    pub scopes: Vec<String>,
    /// Whether jobs read from it.
    pub active: bool,
    /// `healthy`, `warning`, `down` or `unknown`.
    pub health: String,
    /// Why it is not healthy, for people.
    pub health_detail: Option<String>,
    /// When a job last read all of it.
    pub last_sync_at: Option<Moment>,
    /// Grows with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
}

impl Integration {
    /// A connection made at `now`, of which nobody knows yet whether it works: active, over all scopes, and
    /// with a new id. Its credential is to be sealed for that id.
    pub fn new(
        client: ClientId,
        kind: SourceKind,
        name: impl Into<String>,
        base_url: impl Into<String>,
        now: Moment,
    ) -> Integration {
        Integration {
            client,
            id: IntegrationId(Uuid::now_v7()),
            kind,
            name: name.into(),
            base_url: base_url.into(),
            username: None,
            sealed_secret: String::new(),
            scopes: Vec::new(),
            active: true,
            health: "unknown".to_owned(),
            health_detail: None,
            last_sync_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

impl Integrations {
    /// Over `db`.
    pub fn new(db: Db) -> Integrations {
        Integrations(db)
    }

    /// Keeps a new connection.
    ///
    /// # Errors
    /// [`Error::Duplicate`] when the client has one of this kind and name.
    pub async fn add(&self, integration: &Integration) -> Result<(), Error> {
        let row = IntegrationRow::from(integration);
        keep!(self.0, integrations::add(&row))
    }

    /// Replaces a connection, if it still has the version that `integration` was read with. Its
    /// address changes only as long as nothing was read there: rows and watermarks are the old one's.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else changed it, [`Error::Duplicate`] when the name is
    /// taken, [`Error::ReadAlready`] and [`Error::BeingRead`] when the address cannot change.
    pub async fn replace(&self, integration: &Integration) -> Result<(), Error> {
        let row = IntegrationRow::from(integration);
        keep!(self.0, integrations::replace(&row))
    }

    /// All connections of a client, oldest first.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn of_client(&self, client: ClientId) -> Result<Vec<Integration>, Error> {
        let rows: Vec<IntegrationRow> = ask!(self.0, integrations::of_client(client.into()))?;
        rows.into_iter().map(Integration::try_from).collect()
    }

    /// One connection of a client.
    ///
    /// # Errors
    /// [`Error::Missing`] when the client has no such connection.
    pub async fn get(&self, client: ClientId, id: IntegrationId) -> Result<Integration, Error> {
        let row: Option<IntegrationRow> =
            ask!(self.0, integrations::get(client.into(), id.into()))?;
        row.ok_or(Error::Missing { noun: "integration" })?.try_into()
    }
}

impl From<&Integration> for IntegrationRow {
    fn from(integration: &Integration) -> IntegrationRow {
        IntegrationRow {
            client_id: integration.client.into(),
            id: integration.id.into(),
            kind: integration.kind.as_str().to_owned(),
            name: integration.name.clone(),
            base_url: integration.base_url.clone(),
            username: integration.username.clone(),
            sealed_secret: integration.sealed_secret.clone(),
            scopes: Json::texts(&integration.scopes),
            active: integration.active,
            health: integration.health.clone(),
            health_detail: integration.health_detail.clone(),
            last_sync_at: integration.last_sync_at.map(Ts),
            version: integration.version,
            created_at: Ts(integration.created_at),
            updated_at: Ts(integration.updated_at),
        }
    }
}

impl TryFrom<IntegrationRow> for Integration {
    type Error = Error;

    fn try_from(row: IntegrationRow) -> Result<Integration, Error> {
        Ok(Integration {
            client: row.client_id.into(),
            id: row.id.into(),
            kind: row.kind.parse()?,
            name: row.name,
            base_url: row.base_url,
            username: row.username,
            sealed_secret: row.sealed_secret,
            scopes: row.scopes.to_texts()?,
            active: row.active,
            health: row.health,
            health_detail: row.health_detail,
            last_sync_at: row.last_sync_at.map(|at| at.0),
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

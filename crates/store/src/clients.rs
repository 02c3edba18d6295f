//! Tenants. The orchestrator writes them, when a person of a new one first signs in.

use domain::Moment;
use domain::ids::ClientId;

use crate::Error;
use crate::db::{Db, ask, keep};
use crate::models::ClientRow;
use crate::types::Ts;

/// A handle on the tenants.
#[derive(Clone)]
pub struct Clients(Db);

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Ours.
    pub id: ClientId,
    /// The platform's id.
    pub external_id: String,
    /// The name people see.
    pub name: String,
}

impl Clients {
    /// Over `db`.
    pub fn new(db: Db) -> Clients {
        Clients(db)
    }

    /// The tenant with the platform's id `external_id`, made as `id` if it is new.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn ensure(
        &self,
        id: ClientId,
        external_id: &str,
        name: &str,
        now: Moment,
    ) -> Result<Client, Error> {
        let row = ClientRow {
            id: id.into(),
            external_id: external_id.to_owned(),
            name: name.to_owned(),
            created_at: Ts(now),
        };
        keep!(self.0, clients::ensure(&row)).map(Client::from)
    }

    /// The tenant with the platform's id `external_id`, if it was ever here.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn find(&self, external_id: &str) -> Result<Option<Client>, Error> {
        let external_id = external_id.to_owned();
        let row: Result<Option<ClientRow>, Error> = ask!(self.0, clients::find(&external_id));
        Ok(row?.map(Client::from))
    }
}

impl From<ClientRow> for Client {
    fn from(row: ClientRow) -> Client {
        Client { id: row.id.into(), external_id: row.external_id, name: row.name }
    }
}

//! Rows, a struct per table. They live here, not beside the queries, which are compiled twice.

pub(crate) mod facts;
pub(crate) mod flow;
pub(crate) mod metrics;
pub(crate) mod rules;
pub(crate) mod work;
pub(crate) mod workflows;

use diesel::prelude::*;

use crate::schema::{clients, integrations};
use crate::types::{Id, Json, Ts};

/// A row of `clients`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = clients)]
pub(crate) struct ClientRow {
    pub(crate) id: Id,
    pub(crate) external_id: String,
    pub(crate) name: String,
    pub(crate) created_at: Ts,
}

/// A row of `integrations`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = integrations, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct IntegrationRow {
    pub(crate) client_id: Id,
    pub(crate) id: Id,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) base_url: String,
    pub(crate) username: Option<String>,
    pub(crate) sealed_secret: String,
    pub(crate) scopes: Json,
    pub(crate) active: bool,
    pub(crate) health: String,
    pub(crate) health_detail: Option<String>,
    pub(crate) last_sync_at: Option<Ts>,
    pub(crate) version: i64,
    pub(crate) created_at: Ts,
    pub(crate) updated_at: Ts,
}

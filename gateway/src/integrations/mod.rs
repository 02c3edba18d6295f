//! Connections to Jira and GitHub: stored, tested, and never shown with their credential.

mod draft;
pub(crate) mod standing;
pub(crate) mod trial;

use actix_web::http::header::{ETAG, IF_MATCH};
use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use domain::ids::IntegrationId;
use domain::work::SourceKind;
use platform::secrets::Vault;
use serde::Serialize;
use store::integrations::Integration;
use store::{Integrations, Jobs};
use utoipa::ToSchema;

use self::draft::{Draft, Wanted};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::lists::cell::Cell;
use crate::lists::{Taken, export, fields};
use crate::once::{Once, Repeatable};
use crate::paging::Items;
use crate::sent::Sent;

/// A connection as people see it: there is no field for its credential.
#[derive(Serialize, ToSchema)]
pub(crate) struct IntegrationJson {
    id: String,
    r#type: &'static str,
    name: String,
    base_url: String,
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    projects: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repositories: Option<Vec<String>>,
    active: bool,
    health: String,
    health_detail: Option<String>,
    last_sync_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

/// All connections of the caller's client.
#[utoipa::path(get, path = "/api/v1/integrations", tag = "integrations", params(Taken), responses((status = 200, body = Items<IntegrationJson>)))]
pub(crate) async fn all(
    caller: Caller,
    integrations: Data<Integrations>,
    jobs: Data<Jobs>,
    taken: Query<Taken>,
) -> Result<HttpResponse, ApiError> {
    let stored = standing::of_client(&integrations, &jobs, caller.client).await?;
    let rows = stored.into_iter().map(IntegrationJson::from).collect();
    Ok(export::shown("integrations", rows, taken.format))
}

/// One of them.
#[utoipa::path(get, path = "/api/v1/integrations/{id}", tag = "integrations", params(("id" = String, Path)), responses((status = 200, body = IntegrationJson)))]
pub(crate) async fn one(
    caller: Caller,
    integrations: Data<Integrations>,
    jobs: Data<Jobs>,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let all = standing::of_client(&integrations, &jobs, caller.client).await?;
    let stored = all.into_iter().find(|integration| integration.id.to_string() == *id);
    let stored = stored.ok_or_else(|| ApiError::not_found("integration"))?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((ETAG, etag(&stored)));
    Ok(answer.json(IntegrationJson::from(stored)))
}

/// Keeps a new connection, its credential sealed.
#[utoipa::path(post, path = "/api/v1/integrations", tag = "integrations", request_body = Draft,
    responses((status = 201, body = IntegrationJson)))]
pub(crate) async fn add(
    caller: Caller,
    integrations: Data<Integrations>,
    vault: Data<Vault>,
    once: Once,
    draft: Sent<Draft>,
) -> Result<HttpResponse, ApiError> {
    let Sent { body: draft, digest } = draft;
    let added = once.of(&caller, &digest, async || {
        let wanted = draft.check()?;
        let secret = wanted.secret.clone().ok_or_else(|| wanted.secret_missing())?;
        refuse_twice(&caller, &integrations, &wanted, None).await?;
        let new =
            Integration::new(caller.client, wanted.kind, wanted.name, wanted.base_url, Utc::now());
        let id = new.id;
        let integration = Integration {
            username: wanted.username,
            sealed_secret: seal(&vault, &caller, id, &secret),
            scopes: wanted.scopes,
            ..new
        };
        integrations.add(&integration).await?;
        tracing::info!(integration.id = %id, kind = %integration.kind, "a connection was added");
        Ok(IntegrationJson::from(integration))
    });
    Ok(added.await?.answer(HttpResponse::Created()))
}

/// Replaces a connection. Without a credential the stored one stays, as long as the address does:
/// else whoever may edit an address could have the credential sent to it.
#[utoipa::path(put, path = "/api/v1/integrations/{id}", tag = "integrations", request_body = Draft, params(("id" = String, Path)),
    responses((status = 200, body = IntegrationJson)))]
pub(crate) async fn replace(
    caller: Caller,
    request: HttpRequest,
    integrations: Data<Integrations>,
    vault: Data<Vault>,
    id: Path<String>,
    draft: Json<Draft>,
) -> Result<HttpResponse, ApiError> {
    let stored = find(&caller, &integrations, &id).await?;
    check_version(&request, &stored)?;
    let active = draft.active;
    let wanted = draft.into_inner().check()?;
    wanted.must_be(stored.kind)?;
    if wanted.secret.is_none() && wanted.base_url != stored.base_url {
        return Err(wanted.secret_missing());
    }
    refuse_twice(&caller, &integrations, &wanted, Some(stored.id)).await?;
    let sealed_secret = match &wanted.secret {
        Some(secret) => seal(&vault, &caller, stored.id, secret),
        None => stored.sealed_secret.clone(),
    };
    let changed = Integration {
        name: wanted.name,
        base_url: wanted.base_url,
        username: wanted.username,
        scopes: wanted.scopes,
        sealed_secret,
        active: active.unwrap_or(true),
        updated_at: Utc::now(),
        ..stored
    };
    keep(&integrations, changed).await
}

/// Lets no job read from it any more. What was read stays, and so does the connection.
#[utoipa::path(delete, path = "/api/v1/integrations/{id}", tag = "integrations", params(("id" = String, Path)), responses((status = 200, body = IntegrationJson)))]
pub(crate) async fn deactivate(
    caller: Caller,
    request: HttpRequest,
    integrations: Data<Integrations>,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let stored = find(&caller, &integrations, &id).await?;
    check_version(&request, &stored)?;
    keep(&integrations, Integration { active: false, updated_at: Utc::now(), ..stored }).await
}

async fn keep(integrations: &Integrations, changed: Integration) -> Result<HttpResponse, ApiError> {
    integrations.replace(&changed).await?;
    tracing::info!(integration.id = %changed.id, active = changed.active, "a connection was changed");
    let kept = Integration { version: changed.version + 1, ..changed };
    let mut answer = HttpResponse::Ok();
    answer.insert_header((ETAG, etag(&kept)));
    Ok(answer.json(IntegrationJson::from(kept)))
}

async fn find(
    caller: &Caller,
    integrations: &Integrations,
    id: &str,
) -> Result<Integration, ApiError> {
    let id = id.parse().map_err(|_| ApiError::not_found("integration"))?;
    Ok(integrations.get(caller.client, id).await?)
}

/// Two connections that read the same thing would count it twice.
async fn refuse_twice(
    caller: &Caller,
    integrations: &Integrations,
    wanted: &Wanted,
    except: Option<IntegrationId>,
) -> Result<(), ApiError> {
    let others = integrations.of_client(caller.client).await?;
    let mut others = others.iter().filter(|other| other.active && Some(other.id) != except);
    match others.find(|other| wanted.reads_the_same_as(other)) {
        Some(other) => Err(wanted.connected_already(&other.name)),
        None => Ok(()),
    }
}

fn seal(vault: &Vault, caller: &Caller, id: IntegrationId, secret: &str) -> String {
    vault.seal(secret, &[&caller.client.to_string(), &id.to_string(), "secret"]).to_string()
}

fn etag(integration: &Integration) -> String {
    format!("\"{}\"", integration.version)
}

/// A caller who says which version they saw changes only that one.
fn check_version(request: &HttpRequest, stored: &Integration) -> Result<(), ApiError> {
    let Some(seen) = request.headers().get(IF_MATCH) else { return Ok(()) };
    if seen == "*" || seen.as_bytes() == etag(stored).as_bytes() {
        return Ok(());
    }
    Err(ApiError::changed_since("integration"))
}

impl Repeatable for IntegrationJson {}

fields!(IntegrationJson as row {
    "id" => &row.id,
    "type" => Cell::Text(row.r#type),
    "name" => &row.name,
    "base_url" => &row.base_url,
    "username" => &row.username,
    "scopes" => Cell::Texts(row.projects.as_deref().or(row.repositories.as_deref()).unwrap_or_default()),
    "active" => &row.active,
    "health" => &row.health,
    "health_detail" => &row.health_detail,
    "last_sync_at" => &row.last_sync_at,
    "created_at" => &row.created_at,
    "updated_at" => &row.updated_at,
    "version" => &row.version,
});

impl From<Integration> for IntegrationJson {
    fn from(stored: Integration) -> IntegrationJson {
        let (projects, repositories) = match stored.kind {
            SourceKind::Jira => (Some(stored.scopes), None),
            SourceKind::Github => (None, Some(stored.scopes)),
        };
        IntegrationJson {
            id: stored.id.to_string(),
            r#type: stored.kind.as_str(),
            name: stored.name,
            base_url: stored.base_url,
            username: stored.username,
            projects,
            repositories,
            active: stored.active,
            health: stored.health,
            health_detail: stored.health_detail,
            last_sync_at: stored.last_sync_at,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            version: stored.version,
        }
    }
}

//! Trying a connection out: a worker does it, since it is the one that will have to.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use domain::work::SourceKind;
use platform::secrets::Vault;
use proto::Link;
use proto::v1::ProbeRequest;
use proto::v1::orchestrator_client::OrchestratorClient;
use serde::{Deserialize, Serialize};
use store::Integrations;
use store::integrations::Integration;

use super::draft::Draft;
use super::find;
use crate::auth::Caller;
use crate::error::ApiError;

/// What the worker needs to know; the credential crosses sealed, or not at all.
#[derive(Serialize)]
struct Input {
    base_url: String,
    username: Option<String>,
    sealed_secret: Option<String>,
    integration_id: Option<String>,
    scopes: Vec<String>,
    search: String,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    #[serde(default)]
    search: String,
}

/// A graded test of a draft or of a stored connection.
#[utoipa::path(post, path = "/api/v1/integrations/test", tag = "integrations", request_body = Draft,
    responses((status = 200, description = "Each check with its result, and the scopes that can be seen.")))]
pub(crate) async fn test(
    caller: Caller,
    integrations: Data<Integrations>,
    orchestrator: Data<OrchestratorClient<Link>>,
    vault: Data<Vault>,
    draft: Json<Draft>,
) -> Result<HttpResponse, ApiError> {
    let draft = draft.into_inner();
    let stored = match &draft.id {
        Some(id) => Some(find(&caller, &integrations, id).await?),
        None => None,
    };
    let (kind, input) = match stored {
        Some(stored) if draft.is_only_an_id() => {
            (stored.kind, Input::of_stored(&stored, String::new()))
        }
        stored => {
            let wanted = draft.check_for_test()?;
            if wanted.secret.is_none()
                && stored.as_ref().is_none_or(|stored| stored.base_url != wanted.base_url)
            {
                return Err(wanted.secret_missing());
            }
            let place = [&caller.client.to_string(), "probe", "secret"];
            let sealed =
                wanted.secret.as_deref().map(|secret| vault.seal(secret, &place).to_string());
            let input = Input {
                base_url: wanted.base_url,
                username: wanted.username,
                sealed_secret: sealed,
                integration_id: stored.map(|stored| stored.id.to_string()),
                scopes: wanted.scopes,
                search: String::new(),
            };
            (wanted.kind, input)
        }
    };
    probe(&caller, &orchestrator, "probe", kind, &input).await
}

/// Projects or repositories that a stored connection can see, to pick from.
#[utoipa::path(get, path = "/api/v1/integrations/{id}/scopes", tag = "integrations", params(("id" = String, Path), Search),
    responses((status = 200, description = "The scopes that match.")))]
pub(crate) async fn scopes(
    caller: Caller,
    integrations: Data<Integrations>,
    orchestrator: Data<OrchestratorClient<Link>>,
    id: Path<String>,
    search: Query<Search>,
) -> Result<HttpResponse, ApiError> {
    let stored = find(&caller, &integrations, &id).await?;
    let input = Input::of_stored(&stored, search.into_inner().search);
    probe(&caller, &orchestrator, "scopes", stored.kind, &input).await
}

async fn probe(
    caller: &Caller,
    orchestrator: &OrchestratorClient<Link>,
    kind: &str,
    source: SourceKind,
    input: &Input,
) -> Result<HttpResponse, ApiError> {
    let request = ProbeRequest {
        client_id: caller.client.to_string(),
        kind: kind.to_owned(),
        source: source.to_string(),
        input: serde_json::to_string(input).expect("the input is always JSON"),
    };
    let reply = orchestrator.clone().probe(request).await?.into_inner();
    Ok(HttpResponse::Ok().content_type("application/json").body(reply.output))
}

impl Input {
    fn of_stored(stored: &Integration, search: String) -> Input {
        Input {
            base_url: stored.base_url.clone(),
            username: stored.username.clone(),
            sealed_secret: None,
            integration_id: Some(stored.id.to_string()),
            scopes: stored.scopes.clone(),
            search,
        }
    }
}

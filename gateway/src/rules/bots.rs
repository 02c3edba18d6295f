//! Who is a machine, as it is sent and shown.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use domain::rules::BotRules;
use serde::{Deserialize, Serialize};
use store::Rules;
use store::rules::InForce;
use utoipa::ToSchema;

use super::shown;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::workflows::seen;

#[derive(Deserialize, ToSchema)]
pub(crate) struct BotRulesDraft {
    /// Logins on GitHub, in which `*` stands for any characters, for example `renovate*`.
    logins: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct BotRulesJson {
    logins: Vec<String>,
    version: i64,
}

/// Logins that are machines, beside those of which GitHub says so.
#[utoipa::path(get, path = "/api/v1/bot-rules", tag = "rules", responses((status = 200, body = BotRulesJson)))]
pub(crate) async fn get(caller: Caller, rules: Data<Rules>) -> Result<HttpResponse, ApiError> {
    Ok(answer(rules.bots(caller.client).await?))
}

/// Replaces the logins that are machines, of the version in `If-Match`. The metrics follow within
/// seconds.
#[utoipa::path(put, path = "/api/v1/bot-rules", tag = "rules", request_body = BotRulesDraft,
    responses((status = 200, body = BotRulesJson)))]
pub(crate) async fn put(
    caller: Caller,
    request: HttpRequest,
    rules: Data<Rules>,
    draft: Json<BotRulesDraft>,
) -> Result<HttpResponse, ApiError> {
    let logins = draft.into_inner().logins;
    let kept = rules.put_bots(caller.client, logins, seen(&request)).await?;
    tracing::info!("the rules for machines were changed");
    Ok(answer(kept))
}

fn answer(kept: InForce<BotRules>) -> HttpResponse {
    let rules = BotRulesJson { logins: kept.rules.written().to_vec(), version: kept.version };
    shown(kept.version, rules)
}

//! Tickets for the socket: a browser cannot send headers with it, and a token has no business in an
//! address.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use domain::Moment;
use domain::ids::ClientId;
use platform::cache::{Cache, Error};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Caller;
use crate::error::ApiError;
use crate::random::unguessable;

const USABLE_FOR: Duration = Duration::from_secs(30);

#[derive(Serialize, ToSchema)]
pub(crate) struct Ticket {
    ticket: String,
}

/// Who holds a ticket, and until when their token is good.
#[derive(Serialize, Deserialize)]
pub(super) struct Holder {
    client: Uuid,
    pub(super) token_ends_at: Moment,
}

impl Holder {
    pub(super) fn client(&self) -> ClientId {
        ClientId(self.client)
    }
}

/// A ticket for one socket.
#[utoipa::path(post, path = "/api/v1/ws-ticket", tag = "live", responses((status = 200, body = Ticket)))]
pub(crate) async fn issue(caller: Caller, cache: Data<Cache>) -> Result<Json<Ticket>, ApiError> {
    let ticket = unguessable();
    let holder =
        Holder { client: caller.client.0, token_ends_at: caller.visitor.token.expires_at() };
    let kept = serde_json::to_vec(&holder).expect("a holder is always JSON");
    cache.set(&key(&ticket), kept, USABLE_FOR).await.map_err(|error| {
        tracing::warn!(%error, "could not keep a ticket");
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "live_unavailable",
            "Live updates are not available right now.",
        )
        .hint("Nothing is lost: ask /api/v1/events meanwhile.")
        .after(Duration::from_secs(10))
    })?;
    Ok(Json(Ticket { ticket }))
}

/// Who holds this ticket; nobody the second time.
pub(super) async fn redeem(cache: &Cache, ticket: &str) -> Result<Option<Holder>, Error> {
    let kept = cache.take(&key(ticket)).await?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
}

fn key(ticket: &str) -> String {
    format!("ws-ticket:{ticket}")
}

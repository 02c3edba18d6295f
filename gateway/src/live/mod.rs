//! What happens, told as it happens: over a socket, or to those who ask again and again. Both tell
//! the same events under the same numbers.

mod feed;
mod socket;
pub(crate) mod ticket;

use actix_web::web::{Data, Json, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::Jobs;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::error::ApiError;
use crate::paging::limit;

pub(crate) use self::feed::Feeds;
pub(crate) use self::socket::connect;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Since {
    since: Option<i64>,
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct EventPage {
    #[schema(value_type = Vec<Object>)]
    items: Vec<Box<RawValue>>,
    next_seq: i64,
}

/// The events after `since`; without it, only where they stand now.
#[utoipa::path(get, path = "/api/v1/events", tag = "live", params(Since), responses((status = 200, body = EventPage)))]
pub(crate) async fn events(
    caller: Caller,
    jobs: Data<Jobs>,
    asked: Query<Since>,
) -> Result<Json<EventPage>, ApiError> {
    let limit = limit(asked.limit, 500)?;
    let newest = jobs.newest_event(caller.client).await?;
    let since = asked.since.unwrap_or(newest).min(newest);
    let events = jobs.events(caller.client, since, limit).await?;
    Ok(Json(page(since, events)?))
}

/// The events of one run.
#[utoipa::path(get, path = "/api/v1/runs/{id}/events", tag = "live", params(("id" = String, Path), Since),
    responses((status = 200, body = EventPage)))]
pub(crate) async fn of_run(
    caller: Caller,
    jobs: Data<Jobs>,
    run: Path<String>,
    asked: Query<Since>,
) -> Result<Json<EventPage>, ApiError> {
    let run = run.parse().map_err(|_| ApiError::not_found("run"))?;
    let since = asked.since.unwrap_or(0);
    let events = jobs.events_of_run(caller.client, run, since, limit(asked.limit, 500)?).await?;
    Ok(Json(page(since, events)?))
}

fn page(since: i64, events: Vec<store::jobs::Event>) -> Result<EventPage, ApiError> {
    let next_seq = events.last().map_or(since, |event| event.seq);
    let texts = events.iter().map(|event| feed::message(event).and_then(RawValue::from_string));
    let items = texts.collect::<Result<_, _>>().map_err(|error| ApiError::internal(&error))?;
    Ok(EventPage { items, next_seq })
}

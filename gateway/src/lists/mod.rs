//! The data lists: a page at a time as JSON, or all at once to take away.

pub(crate) mod cell;
pub(crate) mod export;
mod rows;

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use chrono::{DateTime, Utc};
use domain::ids::ClientId;
use serde::{Deserialize, Serialize, Serializer};
use store::Lists;
use store::lists::{Filter, Filtered, Key, Page};
use utoipa::ToSchema;

pub(crate) use self::rows::LISTS;

use self::cell::Cell;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::paging::{cursor, limit, parse_cursor};

/// Something that can be a line of a table.
pub(crate) trait Fields {
    const FIELDS: &'static [&'static str];

    /// The value of each field, in that order.
    fn cells(&self) -> Vec<Cell<'_>>;
}

/// A row that people can read.
pub(crate) trait Row: Fields + Filtered + Sized + 'static {
    /// The list's name in addresses.
    const LIST: &'static str;

    fn page(
        lists: &Lists,
        client: ClientId,
        filter: &Filter,
        after: Option<&Key>,
        limit: u32,
    ) -> impl Future<Output = Result<Page<Self>, store::Error>>;
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// At most 500; other formats than `json` give everything.
    limit: Option<u32>,
    cursor: Option<String>,
    #[serde(default)]
    format: Format,
    updated_since: Option<DateTime<Utc>>,
    project: Option<String>,
    repository: Option<String>,
    #[serde(alias = "status", alias = "outcome")]
    state: Option<String>,
    environment: Option<String>,
    #[serde(default)]
    with_deleted: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    #[default]
    Json,
    Ndjson,
    Csv,
}

#[derive(Serialize)]
#[serde(bound = "")]
struct Answer<'a, R: Row> {
    items: Vec<Object<&'a R>>,
    next_cursor: Option<String>,
}

/// A row as a JSON object.
struct Object<T>(T);

/// Rows of one list: a page of them, or with another format all there are.
pub(crate) async fn list<R: Row>(
    caller: Caller,
    lists: Data<Lists>,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    let asked = asked.into_inner();
    let format = asked.format;
    let after = asked.cursor.as_deref().map(key).transpose()?;
    let limit = limit(asked.limit, 100)?;
    let filter = Filter::from(asked);
    must_be_heeded::<R>(&filter)?;
    if format != Format::Json {
        return export::stream::<R>(lists.get_ref().clone(), caller.client, filter, after, format)
            .await;
    }
    let page = R::page(&lists, caller.client, &filter, after.as_ref(), limit).await?;
    Ok(HttpResponse::Ok().json(Answer {
        next_cursor: page.next.map(|key| cursor(&key.to_string())),
        items: page.items.iter().map(Object).collect(),
    }))
}

/// Whoever asks for a part shall not be given the whole.
fn must_be_heeded<R: Row>(filter: &Filter) -> Result<(), ApiError> {
    let heeded = R::filters();
    let mut used = filter.used().into_iter().filter(|(_, is_used)| *is_used);
    let Some((name, _)) = used.find(|(name, _)| !heeded.contains(name)) else { return Ok(()) };
    let detail = format!("{} cannot be filtered by it, only by {}", R::LIST, heeded.join(", "));
    Err(ApiError::bad_parameter(name, detail))
}

fn key(text: &str) -> Result<Key, ApiError> {
    let key = parse_cursor::<String>(text)?;
    key.parse().map_err(|_| ApiError::bad_parameter("cursor", "is none of ours"))
}

impl From<Asked> for Filter {
    fn from(asked: Asked) -> Filter {
        Filter {
            updated_since: asked.updated_since,
            project: asked.project,
            repository: asked.repository,
            state: asked.state,
            environment: asked.environment,
            with_deleted: asked.with_deleted,
        }
    }
}

impl<R: Fields> Serialize for Object<&R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(R::FIELDS.iter().zip(self.0.cells()))
    }
}

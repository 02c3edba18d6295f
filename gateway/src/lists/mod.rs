//! The data lists: a page at a time as JSON, or all at once to take away.

pub(crate) mod cell;
pub(crate) mod export;
pub(crate) mod lacking;
mod rows;

use std::marker::PhantomData;

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

/// `fields!(Type as row { "name" => value, … })`: how rows of a type become lines.
macro_rules! fields {
    ($type:ty as $row:ident { $($field:literal => $value:expr),+ $(,)? }) => {
        impl $crate::lists::Fields for $type {
            const FIELDS: &'static [&'static str] = &[$($field),+];

            fn cells(&self) -> Vec<$crate::lists::cell::Cell<'_>> {
                let $row = self;
                vec![$($crate::lists::cell::Cell::from($value)),+]
            }
        }
    };
}
pub(crate) use fields;

/// Rows that are read a page at a time.
pub(crate) trait Pages: 'static {
    type Row: Fields;

    /// What they are called when they are taken away.
    fn name(&self) -> &'static str;

    /// At most `limit` rows behind `after`.
    fn page(
        &self,
        after: Option<&Key>,
        limit: u32,
    ) -> impl Future<Output = Result<Page<Self::Row>, store::Error>>;
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

/// How a list that is never long is asked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Taken {
    /// `csv` and `ndjson` give the rows to take away.
    #[serde(default)]
    pub(crate) format: Format,
}

#[derive(Serialize)]
#[serde(bound = "")]
struct Answer<'a, R: Fields> {
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
    let lists = lists.get_ref().clone();
    let rows = Filtering::<R> { lists, client: caller.client, filter, row: PhantomData };
    told(rows, after, limit, format).await
}

/// A page of rows; with another format than JSON all of them.
async fn told<P: Pages>(
    rows: P,
    after: Option<Key>,
    limit: u32,
    format: Format,
) -> Result<HttpResponse, ApiError> {
    if format != Format::Json {
        return export::stream(rows, after, format).await;
    }
    let page = rows.page(after.as_ref(), limit).await?;
    Ok(HttpResponse::Ok().json(Answer {
        next_cursor: page.next.map(|key| cursor(&key.to_string())),
        items: page.items.iter().map(Object).collect(),
    }))
}

/// Rows of a list that a filter leaves.
struct Filtering<R> {
    lists: Lists,
    client: ClientId,
    filter: Filter,
    row: PhantomData<R>,
}

impl<R: Row> Pages for Filtering<R> {
    type Row = R;

    fn name(&self) -> &'static str {
        R::LIST
    }

    async fn page(&self, after: Option<&Key>, limit: u32) -> Result<Page<R>, store::Error> {
        R::page(&self.lists, self.client, &self.filter, after, limit).await
    }
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

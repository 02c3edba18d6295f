//! What each check of the data quality finds bad, row by row.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use chrono::{DateTime, Utc};
use domain::ids::ClientId;
use serde::Deserialize;
use store::Lists;
use store::lists::{Key, Page};
use store::quality::{Check, Lacking};
use utoipa::ToSchema;

use super::{Format, Pages, fields, key, told};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::paging::limit;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedOfCheck {
    /// At most 500; other formats than `json` give everything.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    #[serde(default)]
    format: Format,
}

/// A page of rows.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes what the table of fields says")]
pub(crate) struct LackingRows {
    items: Vec<LackingRow>,
    next_cursor: Option<String>,
}

/// A row from which something is missing.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes what the table of fields says")]
struct LackingRow {
    /// An issue's key, `owner/name#number` of a pull request, a status, a connection.
    name: String,
    /// What else is known: the type of a status, the title of a pull request, the reason of a gap.
    detail: Option<String>,
    integration_id: String,
}

/// What a check of the data quality finds bad now: a page of it, or with another format all there is.
#[utoipa::path(get, path = "/api/v1/data-quality/{check}", tag = "metrics",
    params(("check" = String, Path, description = "The name of a check, as the report tells it."), AskedOfCheck),
    responses((status = 200, body = LackingRows)))]
pub(crate) async fn lacking(
    caller: Caller,
    lists: Data<Lists>,
    check: Path<String>,
    asked: Query<AskedOfCheck>,
) -> Result<HttpResponse, ApiError> {
    let AskedOfCheck { limit: wanted, cursor, format } = asked.into_inner();
    let check = Check::named(&check).ok_or_else(|| ApiError::not_found("check"))?;
    let after = cursor.as_deref().map(key).transpose()?;
    let limit = limit(wanted, 100)?;
    let lists = lists.get_ref().clone();
    let rows = Checked { lists, client: caller.client, check, now: Utc::now() };
    told(rows, after, limit, format).await
}

/// Rows that a check finds bad, as of one moment.
struct Checked {
    lists: Lists,
    client: ClientId,
    check: &'static Check,
    now: DateTime<Utc>,
}

impl Pages for Checked {
    type Row = Lacking;

    fn name(&self) -> &'static str {
        self.check.name
    }

    async fn page(&self, after: Option<&Key>, limit: u32) -> Result<Page<Lacking>, store::Error> {
        self.lists.lacking(self.client, self.check, self.now, after, limit).await
    }
}

fields!(Lacking as row {
    "name" => &row.name,
    "detail" => &row.detail,
    "integration_id" => &row.integration_id,
});

//! Lists in pages: at most 500 items, and a cursor that says where the next page begins.

use actix_web::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::ApiError;

const LIMIT_MAX: u32 = 500;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// At most 500.
    pub(crate) limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

impl PageQuery {
    pub(crate) fn limit(&self, unless_said: u32) -> Result<u32, ApiError> {
        limit(self.limit, unless_said)
    }
}

/// How many items a page may have.
pub(crate) fn limit(asked: Option<u32>, unless_said: u32) -> Result<u32, ApiError> {
    match asked {
        None => Ok(unless_said),
        Some(limit @ 1..=LIMIT_MAX) => Ok(limit),
        Some(_) => Err(ApiError::bad_parameter("limit", format!("must be 1 to {LIMIT_MAX}"))),
    }
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Items<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl<T> Items<T> {
    /// A list that fits in one page.
    pub(crate) fn whole(items: Vec<T>) -> Items<T> {
        Items { items, next_cursor: None }
    }

    /// A page of rows that were read up to one beyond `limit`, to see whether there is more.
    pub(crate) fn page<R>(
        mut rows: Vec<R>,
        limit: u32,
        place: impl Fn(&R) -> String,
        show: impl Fn(R) -> T,
    ) -> Items<T> {
        let limit = usize::try_from(limit).expect("a page is short");
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(place);
        Items { items: rows.into_iter().map(show).collect(), next_cursor }
    }
}

/// The place of a row in its list, as a word that only we read.
pub(crate) fn cursor(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).expect("a place is always JSON"))
}

pub(crate) fn parse_cursor<T: DeserializeOwned>(cursor: &str) -> Result<T, ApiError> {
    let place = URL_SAFE_NO_PAD.decode(cursor).ok();
    place.and_then(|place| serde_json::from_slice(&place).ok()).ok_or_else(|| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_cursor", "The cursor cannot be read.")
            .hint("Start again without a cursor.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_garbage_does_not() {
        assert_eq!(
            parse_cursor::<(i64, String)>(&cursor(&(7, "a/b"))).unwrap(),
            (7, "a/b".to_owned())
        );
        for garbage in ["", "%%%", "bm90IGpzb24", &cursor(&"other")] {
            assert!(parse_cursor::<(i64, String)>(garbage).is_err(), "{garbage}");
        }
    }

    #[test]
    fn the_row_beyond_the_page_only_tells_that_there_is_more() {
        let page = |rows: Vec<u32>| Items::page(rows, 2, u32::to_string, |row| row);
        let full = page(vec![1, 2, 3]);
        assert_eq!((full.items, full.next_cursor.as_deref()), (vec![1, 2], Some("2")));
        let last = page(vec![1, 2]);
        assert_eq!((last.items, last.next_cursor), (vec![1, 2], None));
    }

    #[test]
    fn limits_lie_within_bounds() {
        assert_eq!(limit(None, 50).unwrap(), 50);
        assert_eq!(limit(Some(500), 50).unwrap(), 500);
        assert!(limit(Some(0), 50).is_err() && limit(Some(501), 50).is_err());
    }
}

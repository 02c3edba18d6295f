//! A whole list as one stream, read page by page as fast as it is taken.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use futures::stream;
use serde::Serialize;
use store::lists::{Key, Page};

use super::{Fields, Format, Object, Pages};
use crate::error::ApiError;
use crate::paging::Items;

const ROWS_AT_ONCE: u32 = 1_000;

/// Where the stream stands.
struct Reading<P: Pages> {
    rows: P,
    format: Format,
    next: Next<P::Row>,
}

enum Next<R> {
    Header(Page<R>),
    Page(Page<R>),
    After(Key),
    End,
}

/// All rows behind `after`. The first page is read before anything is answered, so that what goes
/// wrong at once is told properly; what goes wrong later breaks the stream off.
pub(super) async fn stream<P: Pages>(
    rows: P,
    after: Option<Key>,
    format: Format,
) -> Result<HttpResponse, ApiError> {
    let first = rows.page(after.as_ref(), ROWS_AT_ONCE).await?;
    let next = match format {
        Format::Csv => Next::Header(first),
        Format::Json | Format::Ndjson => Next::Page(first),
    };
    let name = rows.name();
    let reading = Reading { rows, format, next };
    Ok(attachment(name, format).streaming(stream::try_unfold(reading, read_on)))
}

/// Rows that are all in memory anyway, to take away as `name`.
pub(crate) fn whole<R: Fields>(name: &str, rows: &[R], format: Format) -> HttpResponse {
    let header = if format == Format::Csv { header::<R>() } else { String::new() };
    attachment(name, format).body(header + &lines(rows, format))
}

/// Rows of a list that fits in one page, to look at or to take away as `name`.
pub(crate) fn shown<R: Fields + Serialize>(
    name: &str,
    rows: Vec<R>,
    format: Format,
) -> HttpResponse {
    match format {
        Format::Json => HttpResponse::Ok().json(Items::whole(rows)),
        Format::Csv | Format::Ndjson => whole(name, &rows, format),
    }
}

fn attachment(name: &str, format: Format) -> HttpResponseBuilder {
    let (kind, ending) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Json | Format::Ndjson => ("application/x-ndjson", "ndjson"),
    };
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_TYPE, kind));
    answer
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{ending}\"")));
    answer
}

async fn read_on<P: Pages>(
    reading: Reading<P>,
) -> Result<Option<(Bytes, Reading<P>)>, store::Error> {
    let Reading { rows, format, next } = reading;
    let (text, next) = match next {
        Next::End => return Ok(None),
        Next::Header(first) => (header::<P::Row>(), Next::Page(first)),
        Next::Page(page) => (lines(&page.items, format), behind(page.next)),
        Next::After(key) => {
            let page = rows.page(Some(&key), ROWS_AT_ONCE).await;
            let page = page.inspect_err(|error| {
                tracing::error!(%error, list = rows.name(), "an export broke off");
            })?;
            (lines(&page.items, format), behind(page.next))
        }
    };
    Ok(Some((text.into(), Reading { rows, format, next })))
}

fn behind<R>(key: Option<Key>) -> Next<R> {
    key.map_or(Next::End, Next::After)
}

fn header<R: Fields>() -> String {
    R::FIELDS.join(",") + "\r\n"
}

fn lines<R: Fields>(rows: &[R], format: Format) -> String {
    let mut text = String::new();
    for row in rows {
        match format {
            Format::Csv => csv_line(row, &mut text),
            Format::Json | Format::Ndjson => {
                let line = serde_json::to_string(&Object(row)).expect("a row is always JSON");
                text.push_str(&line);
                text.push('\n');
            }
        }
    }
    text
}

fn csv_line<R: Fields>(row: &R, text: &mut String) {
    for (at, cell) in row.cells().iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        cell.write_csv(text);
    }
    text.push_str("\r\n");
}

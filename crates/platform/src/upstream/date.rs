//! Reads dates as HTTP spells them.

use chrono::{DateTime, NaiveDateTime, Utc};
use reqwest::header::{DATE, HeaderMap};

/// Dates as HTTP has spelled them through the years.
const FORMATS: [&str; 3] =
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// What the clock of an upstream said when it answered.
pub fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    read(headers.get(DATE)?.to_str().ok()?.trim())
}

/// A date in any spelling.
pub(super) fn read(text: &str) -> Option<DateTime<Utc>> {
    let date =
        FORMATS.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    Some(date.and_utc())
}

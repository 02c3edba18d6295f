//! Reads how long an upstream asks us to wait.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// No serious upstream asks for more; beyond it the number is a mistake.
const WAIT_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// The wait that `Retry-After` asks for: zero when its date has passed, nothing when it is missing
/// or cannot be read.
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = seconds(text).or_else(|| until(text, now))?;
    Some(wait.min(WAIT_MAX))
}

/// Rounded up where an upstream sends fractions: never earlier than told.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole = whole.parse().unwrap_or(u64::MAX);
    let started = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    Some(Duration::from_secs(whole.saturating_add(started)))
}

fn until(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let date = super::date::read(text)?;
    Some((date - now).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn the_wait_is_read_in_every_spelling() {
        let now = Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap();
        for (text, seconds) in [
            ("0", Some(0)),
            ("30", Some(30)),
            (" 30 ", Some(30)),
            ("1.2", Some(2)),
            ("1.0", Some(1)),
            ("99999999999999999999999", Some(7 * 24 * 3600)),
            ("Mon, 23 Nov 2026 12:01:00 GMT", Some(60)),
            ("Monday, 23-Nov-26 12:01:00 GMT", Some(60)),
            ("Mon Nov 23 12:01:00 2026", Some(60)),
            ("Mon, 23 Nov 2026 11:59:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("-5", None),
            ("soon", None),
            ("", None),
            (".5", None),
            ("Mon, 32 Nov 2026 12:01:00 GMT", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            let wait = retry_after(&headers, now);
            assert_eq!(wait, seconds.map(Duration::from_secs), "{text:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}

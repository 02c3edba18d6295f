//! Every way in which Jira spells a moment.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, SubsecRound, TimeDelta};
use domain::Moment;
use domain::work::Slice;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Jira's own spelling, which is not RFC 3339: `2024-01-02T03:04:05.678+0000`.
const WITHOUT_COLON: &str = "%Y-%m-%dT%H:%M:%S%.f%z";

/// A moment as Jira wrote it; one that cannot be read, or lies outside the calendar, is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct When(pub(crate) Option<Moment>);

/// Reads a moment or a date.
pub(crate) fn parse(text: &str) -> Option<Moment> {
    let text = text.trim();
    let moment = DateTime::parse_from_str(text, WITHOUT_COLON)
        .or_else(|_| DateTime::parse_from_rfc3339(text))
        .map(|moment| moment.to_utc())
        .ok()
        .or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc()));
    moment.and_then(inside_the_calendar)
}

fn from_millis(millis: i64) -> Option<Moment> {
    DateTime::from_timestamp_millis(millis).and_then(inside_the_calendar)
}

/// Year 18 is absurd and still a year that both databases keep.
fn inside_the_calendar(moment: Moment) -> Option<Moment> {
    (1..=9999).contains(&moment.year()).then(|| moment.trunc_subsecs(6))
}

/// Down to the whole minute, the finest that every Jira compares.
pub(crate) fn minute(moment: Moment) -> Moment {
    let into_minute = moment.timestamp_subsec_nanos();
    let seconds = moment.timestamp().rem_euclid(60);
    moment - TimeDelta::seconds(seconds) - TimeDelta::nanoseconds(i64::from(into_minute))
}

/// The slice with its bounds on whole minutes, so that neighbours still meet.
pub(crate) fn on_minutes(slice: Slice) -> Slice {
    Slice {
        created_from: slice.created_from.map(minute),
        created_to: slice.created_to.map(minute),
        updated_since: slice.updated_since.map(minute),
    }
}

/// The minute in which a quota is full again: `2026-10-01T09:00Z`.
pub(crate) fn parse_reset(text: &str) -> Option<Moment> {
    let minute = chrono::NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%dT%H:%MZ");
    minute.map(|at| at.and_utc()).ok().or_else(|| parse(text))
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<When, D::Error> {
        deserializer.deserialize_any(WhenVisitor)
    }
}

struct WhenVisitor;

impl<'de> Visitor<'de> for WhenVisitor {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a moment as text or in milliseconds")
    }

    fn visit_str<E>(self, text: &str) -> Result<When, E> {
        Ok(When(parse(text)))
    }

    fn visit_i64<E>(self, millis: i64) -> Result<When, E> {
        Ok(When(from_millis(millis)))
    }

    fn visit_u64<E>(self, millis: u64) -> Result<When, E> {
        Ok(When(i64::try_from(millis).ok().and_then(from_millis)))
    }

    fn visit_f64<E>(self, _: f64) -> Result<When, E> {
        Ok(When(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<When, E> {
        Ok(When(None))
    }

    fn visit_unit<E>(self) -> Result<When, E> {
        Ok(When(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<When, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(When(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<When, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(When(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Moment> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn moments_are_read_in_every_spelling() {
        let cases = [
            (r#""2024-01-02T03:04:05.678+0000""#, at("2024-01-02T03:04:05.678Z")),
            (r#""2024-01-02T03:04:05.678+0200""#, at("2024-01-02T01:04:05.678Z")),
            (r#""2024-01-02T03:04:05.678Z""#, at("2024-01-02T03:04:05.678Z")),
            (r#""2024-01-02T03:04:05+02:00""#, at("2024-01-02T01:04:05Z")),
            (r#""2024-01-02T03:04:05.1234567890+0000""#, at("2024-01-02T03:04:05.123456Z")),
            (r#""2024-02-29""#, at("2024-02-29T00:00:00Z")),
            (r#""0018-03-04T00:00:00.000+0000""#, at("0018-03-04T00:00:00Z")),
            ("1704164645678", at("2024-01-02T03:04:05.678Z")),
            ("-1", at("1969-12-31T23:59:59.999Z")),
            (r#""292278994-08-17T07:12:55.807+0000""#, None),
            (r#""2024-13-01""#, None),
            (r#""yesterday""#, None),
            (r#""""#, None),
            ("9223372036854775807", None),
            ("18446744073709551615", None),
            ("1.5", None),
            ("true", None),
            ("null", None),
            ("[1, 2]", None),
            (r#"{"iso": "2024-01-02"}"#, None),
        ];
        for (json, expected) in cases {
            assert_eq!(serde_json::from_str::<When>(json).unwrap(), When(expected), "{json}");
        }
    }

    #[test]
    fn bounds_fall_on_the_minute_before() {
        let slice = Slice { created_from: at("2024-01-02T03:04:05.678901Z"), ..Slice::default() };
        assert_eq!(on_minutes(slice).created_from, at("2024-01-02T03:04:00Z"));
        assert_eq!(Some(minute(at("1969-12-31T23:59:30Z").unwrap())), at("1969-12-31T23:59:00Z"));
    }

    #[test]
    fn the_reset_of_a_quota_is_told_to_the_minute() {
        assert_eq!(parse_reset("2026-10-01T09:00Z"), at("2026-10-01T09:00:00Z"));
        assert_eq!(parse_reset("2026-10-01T09:00:30Z"), at("2026-10-01T09:00:30Z"));
        assert_eq!(parse_reset("soon"), None);
    }
}

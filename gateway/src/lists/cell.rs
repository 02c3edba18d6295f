//! One value of a row, as JSON and as CSV spell it.

use domain::Moment;
use domain::ids::IntegrationId;
use serde::{Serialize, Serializer};

/// A value.
pub(crate) enum Cell<'a> {
    Null,
    Text(&'a str),
    Texts(&'a [String]),
    /// An id of theirs, which is a word although it looks like a number.
    Id(i64),
    OurId(IntegrationId),
    Whole(i64),
    Count(u64),
    Real(f64),
    Flag(bool),
    At(Moment),
}

impl Cell<'_> {
    /// Writes the value between two commas.
    pub(super) fn write_csv(&self, line: &mut String) {
        use std::fmt::Write;
        let written = match self {
            Cell::Null => Ok(()),
            Cell::Text(text) => {
                quote(text, line);
                Ok(())
            }
            Cell::Texts(texts) => {
                quote(&texts.join(";"), line);
                Ok(())
            }
            Cell::Id(number) | Cell::Whole(number) => write!(line, "{number}"),
            Cell::Count(number) => write!(line, "{number}"),
            Cell::OurId(id) => write!(line, "{id}"),
            Cell::Real(number) => write!(line, "{number}"),
            Cell::Flag(flag) => write!(line, "{flag}"),
            Cell::At(moment) => write!(line, "{}", spelled(*moment)),
        };
        written.expect("writing into memory does not fail");
    }
}

/// A spreadsheet runs what starts like a formula, so such a text gets an apostrophe before it.
fn quote(text: &str, line: &mut String) {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let needs_quotes =
        is_formula || text.contains([',', '"', '\n', '\r', ';']) || text.trim() != text;
    if !needs_quotes {
        line.push_str(text);
        return;
    }
    line.push('"');
    if is_formula {
        line.push('\'');
    }
    line.push_str(&text.replace('"', "\"\""));
    line.push('"');
}

/// The same everywhere: UTC, to the microsecond.
fn spelled(moment: Moment) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Null => serializer.serialize_none(),
            Cell::Text(text) => serializer.serialize_str(text),
            Cell::Texts(texts) => texts.serialize(serializer),
            Cell::Id(number) => serializer.collect_str(number),
            Cell::OurId(id) => serializer.collect_str(id),
            Cell::Whole(number) => serializer.serialize_i64(*number),
            Cell::Count(number) => serializer.serialize_u64(*number),
            Cell::Real(number) => serializer.serialize_f64(*number),
            Cell::Flag(flag) => serializer.serialize_bool(*flag),
            Cell::At(moment) => serializer.serialize_str(&spelled(*moment)),
        }
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Cell<'a> {
        Cell::Text(text)
    }
}

impl<'a> From<&'a Vec<String>> for Cell<'a> {
    fn from(texts: &'a Vec<String>) -> Cell<'a> {
        Cell::Texts(texts)
    }
}

impl From<&i64> for Cell<'_> {
    fn from(number: &i64) -> Self {
        Cell::Whole(*number)
    }
}

impl From<&u64> for Cell<'_> {
    fn from(number: &u64) -> Self {
        Cell::Count(*number)
    }
}

impl From<&i32> for Cell<'_> {
    fn from(number: &i32) -> Self {
        Cell::Whole(i64::from(*number))
    }
}

impl From<&f64> for Cell<'_> {
    fn from(number: &f64) -> Self {
        Cell::Real(*number)
    }
}

impl From<&bool> for Cell<'_> {
    fn from(flag: &bool) -> Self {
        Cell::Flag(*flag)
    }
}

impl From<&Moment> for Cell<'_> {
    fn from(moment: &Moment) -> Self {
        Cell::At(*moment)
    }
}

impl From<&IntegrationId> for Cell<'_> {
    fn from(id: &IntegrationId) -> Self {
        Cell::OurId(*id)
    }
}

macro_rules! absent_is_null {
    ($($type:ty),+) => {$(
        impl<'a> From<&'a Option<$type>> for Cell<'a> {
            fn from(value: &'a Option<$type>) -> Cell<'a> {
                match value {
                    Some(value) => Cell::from(value),
                    None => Cell::Null,
                }
            }
        }
    )+};
}

absent_is_null!(String, f64, u64, Moment);

/// A word of ours, if there is any.
pub(crate) fn word(word: Option<&'static str>) -> Cell<'static> {
    word.map_or(Cell::Null, Cell::Text)
}

impl<'a> From<Option<&'a String>> for Cell<'a> {
    fn from(text: Option<&'a String>) -> Cell<'a> {
        text.map_or(Cell::Null, Cell::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_runs_in_a_spreadsheet() {
        let cases = [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            ("a=1", "a=1"),
            ("", ""),
        ];
        for (text, expected) in cases {
            let mut line = String::new();
            Cell::Text(text).write_csv(&mut line);
            assert_eq!(line, expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_stay_numbers_and_ids_are_words() {
        let moment: Moment = "2026-03-01T09:00:00.5Z".parse().unwrap();
        let cells = [Cell::Id(7), Cell::Whole(-7), Cell::Real(2.5), Cell::Null, Cell::At(moment)];
        let json = serde_json::to_string(&cells).unwrap();
        assert_eq!(json, r#"["7",-7,2.5,null,"2026-03-01T09:00:00.500Z"]"#);
        let mut line = String::new();
        Cell::Whole(-7).write_csv(&mut line);
        assert_eq!(line, "-7");
    }
}

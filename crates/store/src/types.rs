//! Column types that mean the same in both databases: one schema, one row, two encodings.

use chrono::SecondsFormat;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{self, SqlType};
use domain::Moment;
use uuid::Uuid;

/// `timestamptz` in PostgreSQL, microseconds since 1970 in SQLite.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct Tstz;
impl sql_types::SqlOrd for Tstz {}

/// A moment in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Tstz)]
pub struct Ts(pub Moment);

/// `uuid` in PostgreSQL, 16 bytes in SQLite.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct Uid;
impl sql_types::SqlOrd for Uid {}

/// A UUID in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Uid)]
pub struct Id(pub Uuid);

/// `jsonb` in PostgreSQL, text in SQLite.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
pub struct JsonDoc;

/// A JSON document in a column, held as text.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = JsonDoc)]
pub struct Json(pub String);

impl From<Moment> for Ts {
    fn from(moment: Moment) -> Ts {
        Ts(moment)
    }
}

macro_rules! ids {
    ($($name:ident),+) => {$(
        impl From<domain::ids::$name> for Id {
            fn from(id: domain::ids::$name) -> Id {
                Id(id.0)
            }
        }
        impl From<Id> for domain::ids::$name {
            fn from(id: Id) -> Self {
                domain::ids::$name(id.0)
            }
        }
    )+};
}
ids!(
    ClientId,
    IntegrationId,
    RunId,
    StepId,
    TaskId,
    SnapshotId,
    WorkflowId,
    WorkflowStepId,
    StatusMappingId,
    IssueTypeMappingId
);

impl Json {
    /// A list of texts as a JSON array.
    pub fn texts(texts: &[String]) -> Json {
        Json(serde_json::to_string(texts).expect("texts are always JSON"))
    }

    /// Reads a list of texts back.
    pub fn to_texts(&self) -> Result<Vec<String>, crate::Error> {
        serde_json::from_str(&self.0).map_err(|e| unreadable("list of texts", &e))
    }

    /// A list of pairs of texts as a JSON array.
    pub fn pairs(pairs: &[(&str, &str)]) -> Json {
        Json(serde_json::to_string(pairs).expect("texts are always JSON"))
    }

    /// A list of names with a text each as a JSON array.
    pub fn texts_by_name(texts: &[(String, String)]) -> Json {
        let pairs: Vec<(&str, &str)> =
            texts.iter().map(|(name, text)| (&**name, &**text)).collect();
        Json::pairs(&pairs)
    }

    /// A list of names with a moment each as a JSON array.
    pub fn moments(moments: &[(String, Moment)]) -> Json {
        let spelled: Vec<(&str, String)> = moments
            .iter()
            .map(|(name, at)| (&**name, at.to_rfc3339_opts(SecondsFormat::Micros, true)))
            .collect();
        let pairs: Vec<(&str, &str)> = spelled.iter().map(|(name, at)| (*name, &**at)).collect();
        Json::pairs(&pairs)
    }

    /// Reads a list of names with a moment each back.
    pub fn to_moments(&self) -> Result<Vec<(String, Moment)>, crate::Error> {
        let read = |(name, at): (String, String)| match at.parse() {
            Ok(at) => Ok((name, at)),
            Err(error) => {
                Err(crate::Error::Corrupt { noun: "moment", reason: format!("{at}: {error}") })
            }
        };
        self.to_pairs()?.into_iter().map(read).collect()
    }

    /// A list of names with texts each as a JSON array.
    pub fn lists<'a>(lists: impl Iterator<Item = (&'a str, &'a [String])>) -> Json {
        let lists: Vec<_> = lists.collect();
        Json(serde_json::to_string(&lists).expect("texts are always JSON"))
    }

    /// Reads a list of names with texts each back.
    pub fn to_lists(&self) -> Result<Vec<(String, Vec<String>)>, crate::Error> {
        serde_json::from_str(&self.0).map_err(|e| unreadable("list of lists of texts", &e))
    }

    /// Reads a list of pairs of texts back.
    pub fn to_pairs(&self) -> Result<Vec<(String, String)>, crate::Error> {
        serde_json::from_str(&self.0).map_err(|e| unreadable("list of pairs of texts", &e))
    }
}

fn unreadable(noun: &'static str, error: &serde_json::Error) -> crate::Error {
    crate::Error::Corrupt { noun, reason: error.to_string() }
}

/// A JSON array of texts, read back.
#[derive(Debug, Clone, PartialEq, Eq, FromSqlRow)]
pub struct Texts(Vec<String>);

impl From<Texts> for Vec<String> {
    fn from(texts: Texts) -> Vec<String> {
        texts.0
    }
}

impl<DB: diesel::backend::Backend> FromSql<JsonDoc, DB> for Texts
where
    Json: FromSql<JsonDoc, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Texts> {
        Ok(Texts(Json::from_sql(value)?.to_texts()?))
    }
}

/// Words with a space between them, as `string_agg` leaves them.
#[derive(Debug, Clone, PartialEq, Eq, FromSqlRow)]
pub struct Words(String);

impl From<Words> for Vec<String> {
    fn from(words: Words) -> Vec<String> {
        words.0.split_whitespace().map(str::to_owned).collect()
    }
}

impl<DB: diesel::backend::Backend> FromSql<sql_types::Text, DB> for Words
where
    String: FromSql<sql_types::Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Words> {
        String::from_sql(value).map(Words)
    }
}

mod pg {
    use std::io::Write;

    use diesel::pg::{Pg, PgValue};

    use super::*;

    impl ToSql<Tstz, Pg> for Ts {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            ToSql::<sql_types::Timestamptz, Pg>::to_sql(&self.0, &mut out.reborrow())
        }
    }

    impl FromSql<Tstz, Pg> for Ts {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            FromSql::<sql_types::Timestamptz, Pg>::from_sql(value).map(Ts)
        }
    }

    impl FromSql<Tstz, Pg> for Moment {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            FromSql::<Tstz, Pg>::from_sql(value).map(|Ts(moment)| moment)
        }
    }

    impl ToSql<Uid, Pg> for Id {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            ToSql::<sql_types::Uuid, Pg>::to_sql(&self.0, &mut out.reborrow())
        }
    }

    impl FromSql<Uid, Pg> for Id {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            FromSql::<sql_types::Uuid, Pg>::from_sql(value).map(Id)
        }
    }

    /// The version byte that opens a `jsonb` on the wire.
    const JSONB_VERSION: u8 = 1;

    impl ToSql<JsonDoc, Pg> for Json {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(&[JSONB_VERSION])?;
            out.write_all(self.0.as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<JsonDoc, Pg> for Json {
        fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
            match value.as_bytes().split_first() {
                Some((&JSONB_VERSION, text)) => Ok(Json(std::str::from_utf8(text)?.to_owned())),
                _ => Err("unknown version of jsonb".into()),
            }
        }
    }
}

mod lite {
    use diesel::sqlite::{Sqlite, SqliteValue};

    use super::*;

    impl ToSql<Tstz, Sqlite> for Ts {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.0.timestamp_micros());
            Ok(IsNull::No)
        }
    }

    impl FromSql<Tstz, Sqlite> for Ts {
        fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            let micros = <i64 as FromSql<sql_types::BigInt, Sqlite>>::from_sql(value)?;
            Moment::from_timestamp_micros(micros)
                .map(Ts)
                .ok_or_else(|| "moment out of range".into())
        }
    }

    impl FromSql<Tstz, Sqlite> for Moment {
        fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            FromSql::<Tstz, Sqlite>::from_sql(value).map(|Ts(moment)| moment)
        }
    }

    impl ToSql<Uid, Sqlite> for Id {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.0.as_bytes().as_slice());
            Ok(IsNull::No)
        }
    }

    impl FromSql<Uid, Sqlite> for Id {
        fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            let bytes = <Vec<u8> as FromSql<sql_types::Binary, Sqlite>>::from_sql(value)?;
            Ok(Id(Uuid::from_slice(&bytes)?))
        }
    }

    impl ToSql<JsonDoc, Sqlite> for Json {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            out.set_value(self.0.as_str());
            Ok(IsNull::No)
        }
    }

    impl FromSql<JsonDoc, Sqlite> for Json {
        fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            <String as FromSql<sql_types::Text, Sqlite>>::from_sql(value).map(Json)
        }
    }
}

//! How rows of facts are kept: the statement, written once for both databases, and what each
//! database needs to bind rows to it.

use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgConnection};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types;
use diesel::sqlite::Sqlite;
use diesel::{IntoSql, QueryResult};

use crate::types::{Id, JsonDoc, Tstz, Uid};

/// Whose facts they are: part of every key, and the same for a whole page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) client: Id,
    pub(crate) integration: Id,
}

/// A row of facts without its owner.
pub(crate) trait FactRow: Clone {
    /// The table it belongs to.
    const TABLE: FactTable;

    /// What tells two rows of one owner apart.
    type Key<'a>: Ord
    where
        Self: 'a;

    /// The key of this row.
    fn key(&self) -> Self::Key<'_>;

    /// Binds the columns in order, with commas between them.
    fn bind_lite<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;

    /// One array for each column, in order.
    fn pg_columns(rows: &[Self]) -> Vec<PgColumn<'_>>;

    /// Copies rows into the staging table.
    fn copy_to_stage(conn: &mut PgConnection, rows: &[Self]) -> QueryResult<usize>;
}

/// A column of many rows, as PostgreSQL takes it.
pub(crate) struct PgColumn<'r> {
    pub(crate) array: Box<dyn QueryFragment<Pg> + 'r>,
    /// PostgreSQL's name for what is in the array.
    pub(crate) of: &'static str,
}

/// What the statements need to know about a table.
pub(crate) struct FactTable {
    pub(crate) name: &'static str,
    /// The temporary table that PostgreSQL copies large batches into.
    pub(crate) stage: &'static str,
    /// The key beside the owner.
    pub(crate) key: &'static [&'static str],
    /// Everything else.
    pub(crate) rest: &'static [&'static str],
    /// Columns that are more than replaced, each with its new value in SQL.
    pub(crate) merges: &'static [(&'static str, &'static str)],
    /// What must hold for a kept row to be replaced, in SQL.
    pub(crate) replaced_if: Option<&'static str>,
}

/// What happens to a row that is kept already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It is replaced where it differs.
    Replaced,
    /// It stays.
    Untouched,
    /// It stays, and nobody removes it before this transaction ends.
    Held,
    /// There cannot be one, since what it would hang on is new in this transaction.
    Impossible,
}

impl Existing {
    /// For rows that hang on others, which are all new in this transaction or not.
    pub(crate) fn of_children(parents_are_new: bool) -> Existing {
        if parents_are_new { Existing::Impossible } else { Existing::Replaced }
    }
}

impl FactTable {
    /// The columns beside the owner, in the order in which rows bind them.
    pub(crate) fn columns(&self) -> String {
        [self.key, self.rest].concat().join(", ")
    }

    /// The part of the key that tells rows apart which hang on the same.
    pub(crate) fn last_of_key(&self) -> &'static str {
        self.key.last().expect("every table has a key")
    }

    /// The statement up to the owner, which is selected beside each row.
    pub(crate) fn insert(&self) -> String {
        format!("INSERT INTO {} (client_id, integration_id, {}) SELECT ", self.name, self.columns())
    }

    /// The end of the statement. A row that would not change is not written, so that a second
    /// read of the same page costs no disk and reports no change.
    pub(crate) fn on_conflict(&self, existing: Existing) -> String {
        if existing == Existing::Impossible {
            return String::new();
        }
        let key = self.key.join(", ");
        let target = format!(" ON CONFLICT (client_id, integration_id, {key}) DO ");
        if existing == Existing::Untouched {
            return target + "NOTHING";
        }
        if existing == Existing::Held {
            // Locks a row though it writes none.
            let any = self.key[0];
            return format!("{target}UPDATE SET {any} = excluded.{any} WHERE false");
        }
        let new = |column: &&str| {
            let merge = self.merges.iter().find(|(merged, _)| merged == column);
            merge.map_or_else(|| format!("excluded.{column}"), |(_, sql)| (*sql).to_owned())
        };
        let table = self.name;
        let list = |each: &dyn Fn(&&str) -> String| {
            self.rest.iter().map(each).collect::<Vec<_>>().join(", ")
        };
        let set = list(&|column| format!("{column} = {}", new(column)));
        let present = list(&|column| format!("{table}.{column}"));
        let future = list(&new);
        let guard = self.replaced_if.map(|sql| format!("{sql} AND ")).unwrap_or_default();
        format!("{target}UPDATE SET {set} WHERE {guard}({present}) IS DISTINCT FROM ({future})")
    }
}

/// PostgreSQL's name of a column's type.
pub(crate) trait PgType {
    const NAME: &'static str;
}

macro_rules! pg_types {
    ($($sql:ty = $name:literal),+ $(,)?) => {$(
        impl PgType for $sql {
            const NAME: &'static str = $name;
        }
    )+};
}
pg_types! {
    sql_types::BigInt = "int8",
    sql_types::Bool = "bool",
    sql_types::Double = "float8",
    sql_types::Integer = "int4",
    sql_types::Text = "text",
    JsonDoc = "jsonb",
    Tstz = "timestamptz",
    Uid = "uuid",
}

impl<T: PgType> PgType for sql_types::Nullable<T>
where
    T: sql_types::SqlType,
{
    const NAME: &'static str = T::NAME;
}

/// A column from its values.
pub(crate) fn pg_column<'r, ST, T>(values: Vec<&'r T>) -> PgColumn<'r>
where
    ST: PgType + sql_types::SqlType,
    sql_types::Array<ST>: sql_types::SqlType,
    Vec<&'r T>: AsExpression<sql_types::Array<ST>, Expression: QueryFragment<Pg>>,
{
    PgColumn { array: Box::new(values.into_sql::<sql_types::Array<ST>>()), of: ST::NAME }
}

/// Makes the struct of a table's rows, its staging table, and their [`FactRow`].
macro_rules! fact_rows {
    ($(
        $(#[$doc:meta])*
        $row:ident of $table:literal, staged in $stage:ident {
            key { $($key:ident: $key_type:ty as $key_sql:ident),+ $(,)? }
            rest { $($col:ident: $type:ty as $sql:ident $(<$inner:ident>)?),* $(,)? }
            $(merge { $($merged:ident = $new:literal),+ $(,)? })?
            $(replaced if $guard:literal)?
        }
    )+) => {
        mod stages {$(
            diesel::table! {
                use diesel::sql_types::*;
                use $crate::types::*;

                $stage ($($key),+) {
                    $($key -> $key_sql,)+
                    $($col -> $sql $(<$inner>)?,)*
                }
            }
        )+}

        $(
            $(#[$doc])*
            #[derive(Debug, Clone, diesel::Insertable, diesel::Queryable)]
            #[diesel(table_name = stages::$stage, treat_none_as_default_value = false)]
            pub(crate) struct $row {
                $(pub(crate) $key: $key_type,)+
                $(pub(crate) $col: $type,)*
            }

            impl $crate::fact_table::FactRow for $row {
                const TABLE: $crate::fact_table::FactTable = $crate::fact_table::FactTable {
                    name: $table,
                    stage: stringify!($stage),
                    key: &[$(stringify!($key)),+],
                    rest: &[$(stringify!($col)),*],
                    merges: &[$($((stringify!($merged), $new)),+)?],
                    replaced_if: [$($guard,)?].first().copied(),
                };

                type Key<'a> = ($(&'a $key_type,)+);

                fn key(&self) -> Self::Key<'_> {
                    ($(&self.$key,)+)
                }

                fn bind_lite<'b>(
                    &'b self,
                    out: &mut diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
                ) -> diesel::QueryResult<()> {
                    let mut comma = "";
                    let mut next = || std::mem::replace(&mut comma, ", ");
                    $(
                        out.push_sql(next());
                        out.push_bind_param::<$key_sql, $key_type>(&self.$key)?;
                    )+
                    $(
                        out.push_sql(next());
                        out.push_bind_param::<$sql $(<$inner>)?, $type>(&self.$col)?;
                    )*
                    Ok(())
                }

                fn pg_columns(rows: &[Self]) -> Vec<$crate::fact_table::PgColumn<'_>> {
                    use $crate::fact_table::pg_column;
                    vec![
                        $(pg_column::<$key_sql, _>(rows.iter().map(|row| &row.$key).collect()),)+
                        $(pg_column::<$sql $(<$inner>)?, _>(
                            rows.iter().map(|row| &row.$col).collect(),
                        ),)*
                    ]
                }

                fn copy_to_stage(
                    conn: &mut diesel::PgConnection,
                    rows: &[Self],
                ) -> diesel::QueryResult<usize> {
                    diesel::copy_from(stages::$stage::table).from_insertable(rows).execute(conn)
                }
            }
        )+
    };
}

pub(crate) use fact_rows;

/// Sorts rows by key, so that parallel writers lock in one order, and keeps the last of each key,
/// because one statement cannot write a row twice.
pub(crate) fn last_of_each<R: FactRow>(mut rows: Vec<R>) -> Vec<R> {
    rows.reverse();
    rows.sort_by(|a, b| a.key().cmp(&b.key()));
    rows.dedup_by(|earlier, last| earlier.key() == last.key());
    rows
}

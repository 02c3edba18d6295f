//! How rows of facts are kept: the statement, written once for both databases, and what each
//! database needs to bind rows to it.

use diesel::QueryResult;
use diesel::pg::{Pg, PgConnection};
use diesel::query_builder::{AstPass, BoxedSqlQuery, SqlQuery};
use diesel::sql_types;
use diesel::sqlite::Sqlite;

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

    /// Binds one array for each column.
    fn bind_pg<'q>(rows: &'q [Self], query: PgQuery<'q>) -> PgQuery<'q>;

    /// Copies rows into the staging table.
    fn copy_to_stage(conn: &mut PgConnection, rows: &[Self]) -> QueryResult<usize>;
}

/// A statement for PostgreSQL whose binds are added one by one.
pub(crate) type PgQuery<'q> = BoxedSqlQuery<'q, Pg, SqlQuery>;

/// What the statements need to know about a table.
pub(crate) struct FactTable {
    pub(crate) name: &'static str,
    /// The temporary table that PostgreSQL copies large batches into.
    pub(crate) stage: &'static str,
    /// The key beside the owner.
    pub(crate) key: &'static [&'static str],
    /// Everything else.
    pub(crate) rest: &'static [&'static str],
    /// PostgreSQL's types, of the key and then of the rest.
    pub(crate) pg_types: &'static [&'static str],
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
}

impl FactTable {
    /// The columns beside the owner, in the order in which rows bind them.
    pub(crate) fn columns(&self) -> String {
        [self.key, self.rest].concat().join(", ")
    }

    /// The statement up to the owner, which is selected beside each row.
    pub(crate) fn insert(&self) -> String {
        format!("INSERT INTO {} (client_id, integration_id, {}) SELECT ", self.name, self.columns())
    }

    /// The end of the statement. A row that would not change is not written, so that a second
    /// read of the same page costs no disk and reports no change.
    pub(crate) fn on_conflict(&self, existing: Existing) -> String {
        let key = self.key.join(", ");
        let target = format!(" ON CONFLICT (client_id, integration_id, {key}) DO ");
        if existing == Existing::Untouched {
            return target + "NOTHING";
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

/// Makes the struct of a table's rows, its staging table, and their [`FactRow`].
macro_rules! fact_rows {
    ($(
        $(#[$doc:meta])*
        $row:ident of $table:literal, staged in $stage:ident {
            key { $($key:ident: $key_type:ty as $key_sql:ident),+ $(,)? }
            rest { $($col:ident: $type:ty as $sql:ident $(<$inner:ident>)?),+ $(,)? }
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
                    $($col -> $sql $(<$inner>)?,)+
                }
            }
        )+}

        $(
            $(#[$doc])*
            #[derive(Debug, Clone, diesel::Insertable, diesel::Queryable)]
            #[diesel(table_name = stages::$stage, treat_none_as_default_value = false)]
            pub(crate) struct $row {
                $(pub(crate) $key: $key_type,)+
                $(pub(crate) $col: $type,)+
            }

            impl $crate::fact_table::FactRow for $row {
                const TABLE: $crate::fact_table::FactTable = $crate::fact_table::FactTable {
                    name: $table,
                    stage: stringify!($stage),
                    key: &[$(stringify!($key)),+],
                    rest: &[$(stringify!($col)),+],
                    pg_types: &[
                        $(<$key_sql as $crate::fact_table::PgType>::NAME,)+
                        $(<$sql $(<$inner>)? as $crate::fact_table::PgType>::NAME,)+
                    ],
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
                    $(
                        out.push_sql(comma);
                        out.push_bind_param::<$key_sql, $key_type>(&self.$key)?;
                        comma = ", ";
                    )+
                    $(
                        out.push_sql(comma);
                        out.push_bind_param::<$sql $(<$inner>)?, $type>(&self.$col)?;
                    )+
                    Ok(())
                }

                fn bind_pg<'q>(
                    rows: &'q [Self],
                    query: $crate::fact_table::PgQuery<'q>,
                ) -> $crate::fact_table::PgQuery<'q> {
                    query
                        $(.bind::<Array<$key_sql>, _>(
                            rows.iter().map(|row| &row.$key).collect::<Vec<_>>(),
                        ))+
                        $(.bind::<Array<$sql $(<$inner>)?>, _>(
                            rows.iter().map(|row| &row.$col).collect::<Vec<_>>(),
                        ))+
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

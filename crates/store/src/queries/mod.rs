//! Every query, a file per noun. Compiled once per database: `super::Conn` is all that differs.

/// The order of changes, issue by issue: as they happened, and in the source's order within an instant.
macro_rules! as_they_happened {
    () => {
        (
            $crate::schema::issue_changes::issue_id,
            $crate::schema::issue_changes::changed_at,
            $crate::schema::issue_changes::change_id,
            $crate::schema::issue_changes::item_index,
        )
    };
}

pub(crate) mod changes;
pub(crate) mod clients;
pub(crate) mod delivery;
pub(crate) mod dora;
pub(crate) mod facts;
pub(crate) mod fence;
pub(crate) mod flow;
pub(crate) mod integrations;
pub(crate) mod lists;
pub(crate) mod metrics;
pub(crate) mod notes;
pub(crate) mod posted;
pub(crate) mod publish;
pub(crate) mod pull_requests;
pub(crate) mod quality;
pub(crate) mod reported;
pub(crate) mod review_load;
pub(crate) mod rules;
pub(crate) mod work;
pub(crate) mod workflows;

use diesel::prelude::*;

use super::Conn;

/// The shortest question.
pub(crate) fn ping(conn: &mut Conn) -> QueryResult<()> {
    diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1"))
        .get_result::<i32>(conn)
        .map(|_| ())
}

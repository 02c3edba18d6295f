//! Makes facts of those issues anew that changed, and of no other.

use std::collections::BTreeMap;

use diesel::prelude::*;
use domain::ids::ClientId;

use super::super::super::Conn;
use super::days::{Days, Moves};
use super::{histories_of, keep};
use crate::Error;
use crate::fact_table::Owner;
use crate::flow::Rules;
use crate::schema::{changed_issues, issue_facts};
use crate::types::Id;

/// With more, all are read faster: one after the other, as they lie.
const MOST: i64 = 50_000;

/// Issues that are looked up in one go.
const AT_ONCE: usize = 500;

/// Takes the notes on what changed: connections and Jira's ids, unless they are more than a few.
pub(super) fn take_issues(
    conn: &mut Conn,
    client: ClientId,
) -> QueryResult<Option<Vec<(Id, i64)>>> {
    let noted = changed_issues::table.filter(changed_issues::client_id.eq(Id::from(client)));
    let count: i64 = noted.count().get_result(conn)?;
    let taken = diesel::delete(noted);
    if count > MOST {
        taken.execute(conn)?;
        return Ok(None);
    }
    taken.returning((changed_issues::integration_id, changed_issues::issue_id)).load(conn).map(Some)
}

/// Follows issues that changed, and counts what they did in place of what they had done. Answers how many
/// there are.
pub(super) fn follow(
    conn: &mut Conn,
    client: ClientId,
    changed: Vec<(Id, i64)>,
    days: Days,
    rules: &mut impl Rules,
) -> Result<u64, Error> {
    let mut days = days;
    let count = changed.len() as u64;
    let mut by_connection: BTreeMap<Id, Vec<i64>> = BTreeMap::new();
    for (integration, id) in changed {
        by_connection.entry(integration).or_default().push(id);
    }
    for (integration, ids) in by_connection {
        let owner = Owner { client: client.into(), integration };
        for some in ids.chunks(AT_ONCE) {
            let before: Vec<String> = issue_facts::table
                .filter(issue_facts::client_id.eq(owner.client))
                .filter(issue_facts::integration_id.eq(integration))
                .filter(issue_facts::issue_id.eq_any(some))
                .select(issue_facts::moves)
                .load(conn)?;
            for moves in before {
                days.count(integration, &Moves::parse(&moves)?, -1);
            }
            let histories = histories_of(conn, owner, some)?;
            keep(conn, owner, &histories, &mut days, rules)?;
        }
    }
    days.add(conn, client)?;
    Ok(count)
}

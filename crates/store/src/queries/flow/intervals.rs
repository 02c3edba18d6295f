//! Stays in statuses, as a list.

use domain::Moment;
use domain::ids::ClientId;

use super::super::super::{Conn, dialect};
use super::read::projects_in;
use super::{AT_ONCE, ground, histories};
use crate::Error;
use crate::fact_table::Owner;
use crate::focus::Focus;
use crate::lists::{Filter, Key, StatusInterval};
use crate::types::Id;

/// Stays in statuses, by issue and in order. Read from the history as it is now, so that they always
/// agree with the changes.
pub(crate) fn intervals(
    conn: &mut Conn,
    client: ClientId,
    filter: &Filter,
    after: &Key,
    limit: u32,
) -> Result<Vec<StatusInterval>, Error> {
    dialect::read(conn, |conn| intervals_within(conn, client, filter, after, limit))
}

fn intervals_within(
    conn: &mut Conn,
    client: ClientId,
    filter: &Filter,
    after: &Key,
    limit: u32,
) -> Result<Vec<StatusInterval>, Error> {
    let id = Id::from(client);
    let focus = Focus { projects: filter.project.iter().cloned().collect(), ..Focus::default() };
    let projects = projects_in(conn, id, &focus)?;
    let ground = ground(conn, client)?;
    let limit = usize::try_from(limit).expect("a page is short");
    let [issue, number, _] = after.numbers;
    let mut found: Vec<StatusInterval> = Vec::new();
    for connection in &ground.configuration.connections {
        if connection.id < after.integration {
            continue;
        }
        let owner = Owner { client: id, integration: connection.id.into() };
        let is_first = connection.id == after.integration;
        // The issue of the key may have more behind it.
        let mut behind = if is_first { issue.saturating_sub(1) } else { i64::MIN };
        loop {
            let at_once = i64::try_from(limit).expect("a page is short").min(AT_ONCE);
            let histories = histories(conn, owner, behind, Moment::UNIX_EPOCH, at_once)?;
            let Some(last) = histories.last() else { break };
            behind = last.id;
            let wanted = histories.iter().filter(|history| {
                (filter.with_deleted || !history.deleted)
                    && projects.contains(&(history.integration, history.project))
            });
            for history in wanted {
                let rows = StatusInterval::of(&ground, history);
                let rows = rows.filter(|row| {
                    !(is_first && history.id == issue && row.number <= number)
                        && row.is_wanted(filter)
                });
                found.extend(rows);
            }
            if found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }
    Ok(found)
}

//! Queries on the facts.

mod git;
mod jira;

use diesel::dsl::case_when;
use diesel::prelude::*;
use domain::work::Gap;

use super::super::Conn;
use super::super::bulk::put;
use super::super::dialect::relax_commit;
use crate::Error;
use crate::fact_table::{Existing, Owner};
use crate::facts::{Batch, Held, PageMark};
use crate::schema::{gaps, tasks};
use crate::types::{Id, Ts, Tstz};

pub(crate) use git::{has_shipments, open_deployments, repositories};
pub(crate) use jira::{has_live_issues, live_issue_ids, projects, truncated_changelogs};

/// Keeps pages. The lease is proven first, and its row stays locked until all is kept. A page that a
/// crash of the server takes back is read again, so nobody waits for the disk.
pub(crate) fn keep(
    conn: &mut Conn,
    held: &Held,
    marks: &[PageMark],
    batches: &[Batch],
) -> Result<u64, Error> {
    let owner = Owner { client: held.client.into(), integration: held.integration.into() };
    move_task(conn, held, marks)?;
    relax_commit(conn)?;
    let mut written = 0;
    for batch in batches {
        written += jira::keep(conn, owner, batch)?;
        written += git::keep(conn, owner, batch)?;
    }
    if let Some(run) = held.run {
        for gap in marks.iter().flat_map(|mark| &mark.gaps) {
            keep_gap(conn, held, run.into(), gap)?;
        }
    }
    Ok(written as u64)
}

fn move_task(conn: &mut Conn, held: &Held, marks: &[PageMark]) -> Result<(), Error> {
    let Some(last) = marks.last() else { return Ok(()) };
    let rows: u64 = marks.iter().map(|mark| mark.counts.rows).sum();
    let requests: u64 = marks.iter().map(|mark| mark.counts.requests).sum();
    // A source whose clock is behind ours dates what happens now before our now.
    let told = marks.iter().filter_map(|mark| mark.source_time).min();
    let earliest = Ts(told.unwrap_or(last.now)).into_sql::<Tstz>();
    let begun_at = case_when(tasks::begun_at.gt(earliest), earliest).otherwise(tasks::begun_at);
    let task = (Id::from(held.client), Id::from(held.fence.task));
    let leased = tasks::table
        .find(task)
        .filter(tasks::fence.eq(held.fence.number))
        .filter(tasks::state.eq("LEASED"));
    let moved = diesel::update(leased)
        .set((
            tasks::cursor.eq(&last.cursor),
            tasks::pages.eq(tasks::pages + marks.len() as i64),
            tasks::rows.eq(tasks::rows + rows as i64),
            tasks::requests.eq(tasks::requests + requests as i64),
            tasks::begun_at.eq(begun_at),
            tasks::updated_at.eq(Ts(last.now)),
        ))
        .execute(conn)?;
    if moved == 0 {
        return Err(Error::LostLease { task: held.fence.task });
    }
    Ok(())
}

fn keep_gap(conn: &mut Conn, held: &Held, run: Id, gap: &Gap) -> QueryResult<()> {
    diesel::insert_into(gaps::table)
        .values((
            gaps::client_id.eq(Id::from(held.client)),
            gaps::run_id.eq(run),
            gaps::task_id.eq(Id::from(held.fence.task)),
            gaps::scope.eq(&gap.scope),
            gaps::reason.eq(&gap.reason),
        ))
        .on_conflict((gaps::client_id, gaps::run_id, gaps::task_id, gaps::scope))
        .do_update()
        .set(gaps::reason.eq(&gap.reason))
        .execute(conn)?;
    Ok(())
}

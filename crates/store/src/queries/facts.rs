//! Queries on the facts.

/// `of_repository!(table, owner, repository)`: rows of a table that belong to a repository.
macro_rules! of_repository {
    ($table:ident, $owner:expr, $repository:expr) => {
        $table::table
            .filter($table::client_id.eq($owner.client))
            .filter($table::integration_id.eq($owner.integration))
            .filter($table::repository_id.eq($repository))
    };
}

mod git;
mod jira;
mod missing;

use diesel::dsl::case_when;
use diesel::prelude::*;
use domain::work::Gap;

use super::super::Conn;
use super::super::bulk::{put, put_and_tell_new};
use super::super::dialect::relax_commit;
use crate::Error;
use crate::fact_table::{Existing, Owner};
use crate::facts::{Batch, Held, PageMark};
use crate::schema::{gaps, tasks};
use crate::types::{Id, Ts, Tstz};

pub(crate) use git::{oldest_open, read_to, repositories};
pub(crate) use jira::{has_live_issues, live_issue_ids, projects, truncated_changelogs};
pub(crate) use missing::missing_commits;

/// Keeps a page. The lease is proven first, and its row stays locked until all is kept. A page that a
/// crash of the server takes back is read again, so only the last one waits for the disk.
pub(crate) fn keep(
    conn: &mut Conn,
    held: &Held,
    mark: &PageMark,
    batch: &Batch,
) -> Result<u64, Error> {
    let owner = Owner { client: held.client.into(), integration: held.integration.into() };
    if !move_task(conn, held, mark)? {
        return Ok(0);
    }
    if !mark.is_last {
        relax_commit(conn)?;
    }
    let written = jira::keep(conn, owner, batch)? + git::keep(conn, owner, batch)?;
    missing::note_gone(conn, owner, batch.repository_id, &batch.gone_commits, Ts(mark.now))?;
    if let Some(source) = batch.read_to_end {
        git::move_watermark(conn, held, batch.repository_id, source)?;
    }
    if let Some(run) = held.run {
        for gap in &mark.gaps {
            keep_gap(conn, held, run.into(), gap)?;
        }
    }
    Ok(written as u64)
}

/// Moves a task from where the page begins to where it ends. Tells whether it was still to be moved.
fn move_task(conn: &mut Conn, held: &Held, mark: &PageMark) -> Result<bool, Error> {
    // A source whose clock is behind ours dates what happens now before our now.
    let earliest = Ts(mark.source_time.unwrap_or(mark.now)).into_sql::<Tstz>();
    let begun_at = case_when(tasks::begun_at.gt(earliest), earliest).otherwise(tasks::begun_at);
    let leased = tasks::table
        .find((Id::from(held.client), Id::from(held.fence.task)))
        .filter(tasks::fence.eq(held.fence.number))
        .filter(tasks::state.eq("LEASED"));
    let moved = diesel::update(leased.filter(tasks::cursor.eq(&mark.from)))
        .set((
            tasks::cursor.eq(&mark.cursor),
            tasks::pages.eq(tasks::pages + 1),
            tasks::rows.eq(tasks::rows + mark.counts.rows as i64),
            tasks::requests.eq(tasks::requests + mark.counts.requests as i64),
            tasks::begun_at.eq(begun_at),
            tasks::updated_at.eq(Ts(mark.now)),
        ))
        .execute(conn)?;
    if moved > 0 {
        return Ok(true);
    }
    let stands: Option<String> = leased.select(tasks::cursor).first(conn).optional()?;
    if stands.is_some_and(|stands| stands == mark.cursor) {
        return Ok(false);
    }
    Err(Error::LostLease { task: held.fence.task })
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

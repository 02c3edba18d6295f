//! Notes on what changed, for whoever makes metrics of it. They are written last in the transaction that
//! changes it, for whoever takes them waits until it ends.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::super::Conn;
use super::super::bulk::put;
use crate::fact_table::{Existing, Owner};
use crate::models::facts::{ChangedIssueRow, ChangedRepositoryRow};

/// Of issues, by Jira's ids, or of their history.
pub(crate) fn issues(conn: &mut Conn, owner: Owner, ids: BTreeSet<i64>) -> QueryResult<()> {
    let rows: Vec<_> = ids.into_iter().map(|issue_id| ChangedIssueRow { issue_id }).collect();
    put(conn, owner, &rows, Existing::Held)?;
    Ok(())
}

/// Of a repository, by GitHub's id, or of anything in it.
pub(crate) fn repository(conn: &mut Conn, owner: Owner, id: i64) -> QueryResult<()> {
    let row = ChangedRepositoryRow { repository_id: id, taken: false };
    put(conn, owner, &[row], Existing::Held)?;
    Ok(())
}

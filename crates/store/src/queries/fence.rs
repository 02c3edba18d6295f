//! The proof of a lease, for writers that keep something else than pages.

use diesel::prelude::*;
use domain::work::{Fence, TaskState};

use super::super::Conn;
use crate::Error;
use crate::schema::tasks;
use crate::types::{Id, Ts};

/// Holds a task until the end of the transaction, if `fence` is its newest lease and lives: nobody
/// else gets the task before what is written now can be seen.
pub(crate) fn prove(conn: &mut Conn, client: Id, fence: Fence, now: Ts) -> Result<(), Error> {
    let leased = tasks::table
        .find((client, Id::from(fence.task)))
        .filter(tasks::fence.eq(fence.number))
        .filter(tasks::state.eq(TaskState::Leased.as_str()));
    if diesel::update(leased).set(tasks::updated_at.eq(now)).execute(conn)? == 0 {
        return Err(Error::LostLease { task: fence.task });
    }
    Ok(())
}

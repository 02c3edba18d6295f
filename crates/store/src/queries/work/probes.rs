//! Tasks outside any run.

use diesel::prelude::*;
use domain::work::{TaskKind, TaskState, Topic};

use super::{Conn, rings};
use crate::Error;
use crate::models::work::TaskRow;
use crate::schema::tasks;
use crate::types::{Id, Ts};
use crate::work::Answer;

pub(crate) fn add(
    conn: &mut Conn,
    client: Id,
    id: Id,
    kind: TaskKind,
    topic: Topic,
    input: &str,
    now: Ts,
) -> QueryResult<()> {
    let task = TaskRow {
        client_id: client,
        id,
        run_id: None,
        position: None,
        kind: kind.as_str().to_owned(),
        topic: topic.as_str().to_owned(),
        integration_id: None,
        scope: String::new(),
        created_from: None,
        created_to: None,
        updated_since: None,
        state: TaskState::Ready.as_str().to_owned(),
        cursor: String::new(),
        input: input.to_owned(),
        output: None,
        not_before: None,
        lease_owner: None,
        lease_until: None,
        fence: 0,
        attempts: 0,
        crashes: 0,
        pages: 0,
        pages_before: 0,
        rows: 0,
        requests: 0,
        error: None,
        begun_at: now,
        updated_at: now,
    };
    diesel::insert_into(tasks::table).values(&task).execute(conn)?;
    rings::of_task(conn, &task, now)
}

pub(crate) fn answer(conn: &mut Conn, task: Id) -> Result<Option<Answer>, Error> {
    let found: Option<(String, Option<String>, Option<String>)> = outside_runs(task)
        .select((tasks::state, tasks::output, tasks::error))
        .first(conn)
        .optional()?;
    let (state, output, error) = found.ok_or(Error::Missing { noun: "probe" })?;
    Ok(match state.parse()? {
        TaskState::Ready | TaskState::Leased => None,
        TaskState::Done => Some(Answer::Found(output.unwrap_or_default())),
        TaskState::Failed | TaskState::Quarantined | TaskState::Cancelled => {
            Some(Answer::Failed(error.unwrap_or_default()))
        }
    })
}

pub(crate) fn forget(conn: &mut Conn, task: Id) -> QueryResult<()> {
    diesel::delete(outside_runs(task)).execute(conn)?;
    Ok(())
}

pub(crate) fn forget_old(conn: &mut Conn, asked_before: Ts) -> QueryResult<usize> {
    let old = tasks::table.filter(tasks::run_id.is_null()).filter(tasks::begun_at.lt(asked_before));
    diesel::delete(old).execute(conn)
}

#[diesel::dsl::auto_type(no_type_alias)]
fn outside_runs(task: Id) -> _ {
    tasks::table.filter(tasks::id.eq(task)).filter(tasks::run_id.is_null())
}

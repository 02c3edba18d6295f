//! The outbox: rings that are written with the tasks and published afterwards.

use diesel::dsl::exists;
use diesel::prelude::*;
use domain::job::JobState;
use domain::work::{TaskState, Topic};

use super::{Conn, locked_if_free};
use crate::models::work::{NewRingRow, RingRow, TaskRow};
use crate::schema::{jobs, outbox, tasks};
use crate::types::{Id, Ts};

/// Rows per statement: SQLite binds 32,766 values at most.
const CHUNK: usize = 5_000;

/// Tasks that one sweep rings again at most.
const REPEATS: i64 = 2_000;

type Rung = (Id, String, Id);

pub(crate) fn add(conn: &mut Conn, rung: &[TaskRow], now: Ts) -> QueryResult<()> {
    let tasks = rung.iter().map(|task| (task.client_id, task.topic.clone(), task.id)).collect();
    put(conn, tasks, now)
}

fn put(conn: &mut Conn, rung: Vec<Rung>, now: Ts) -> QueryResult<()> {
    let rows: Vec<NewRingRow> = rung
        .into_iter()
        .map(|(client_id, topic, task_id)| NewRingRow {
            client_id,
            topic,
            task_id: Some(task_id),
            created_at: now,
        })
        .collect();
    for chunk in rows.chunks(CHUNK) {
        diesel::insert_into(outbox::table).values(chunk).execute(conn)?;
    }
    Ok(())
}

pub(crate) fn of_task(conn: &mut Conn, task: &TaskRow, now: Ts) -> QueryResult<()> {
    put(conn, vec![(task.client_id, task.topic.clone(), task.id)], now)
}

/// Rings every task of a run that can be taken.
pub(crate) fn of_run(conn: &mut Conn, client: Id, run: Id, now: Ts) -> QueryResult<()> {
    let rung: Vec<Rung> = tasks::table
        .filter(tasks::client_id.eq(client))
        .filter(tasks::run_id.eq(run))
        .filter(tasks::state.eq(TaskState::Ready.as_str()))
        .filter(tasks::not_before.is_null().or(tasks::not_before.le(now).assume_not_null()))
        .order(tasks::id)
        .select((tasks::client_id, tasks::topic, tasks::id))
        .load(conn)?;
    put(conn, rung, now)
}

/// Rings every task that can be taken.
pub(crate) fn of_everyone(conn: &mut Conn, now: Ts) -> QueryResult<usize> {
    let rung: Vec<Rung> = tasks::table
        .inner_join(jobs::table.on(runs_now()))
        .filter(super::tasks::are_open())
        .filter(tasks::state.eq(TaskState::Ready.as_str()))
        .filter(tasks::not_before.is_null().or(tasks::not_before.le(now).assume_not_null()))
        .order(tasks::id)
        .select((tasks::client_id, tasks::topic, tasks::id))
        .load(conn)?;
    let count = rung.len();
    put(conn, rung, now)?;
    Ok(count)
}

pub(crate) fn any(conn: &mut Conn, now: Ts) -> QueryResult<bool> {
    let waiting = outbox::table
        .filter(outbox::taken_until.is_null().or(outbox::taken_until.le(now).assume_not_null()));
    diesel::select(exists(waiting)).get_result(conn)
}

pub(crate) fn take(conn: &mut Conn, limit: i64, until: Ts, now: Ts) -> QueryResult<Vec<RingRow>> {
    let oldest = outbox::table
        .filter(outbox::taken_until.is_null().or(outbox::taken_until.le(now).assume_not_null()))
        .order(outbox::id)
        .limit(limit)
        .select(RingRow::as_select());
    let rings: Vec<RingRow> = locked_if_free!(oldest).load(conn)?;
    let ids: Vec<i64> = rings.iter().map(|ring| ring.id).collect();
    diesel::update(outbox::table.filter(outbox::id.eq_any(ids)))
        .set(outbox::taken_until.eq(until))
        .execute(conn)?;
    Ok(rings)
}

pub(crate) fn forget(conn: &mut Conn, ids: &[i64]) -> QueryResult<()> {
    diesel::delete(outbox::table.filter(outbox::id.eq_any(ids))).execute(conn)?;
    Ok(())
}

/// Whether the wait of a task is over that was not rung since.
pub(crate) fn any_waited(conn: &mut Conn, now: Ts) -> QueryResult<bool> {
    Ok(!waited(conn, now, 1)?.is_empty())
}

pub(crate) fn of_waited(conn: &mut Conn, now: Ts) -> QueryResult<usize> {
    let rung = waited(conn, now, REPEATS)?;
    again(conn, rung, now)
}

fn waited(conn: &mut Conn, now: Ts, limit: i64) -> QueryResult<Vec<Rung>> {
    let is_over = tasks::not_before.le(now).assume_not_null();
    let not_rung_since = tasks::not_before.gt(tasks::updated_at.nullable()).assume_not_null();
    tasks::table
        .inner_join(jobs::table.on(runs_now()))
        .filter(super::tasks::are_open())
        .filter(tasks::state.eq(TaskState::Ready.as_str()))
        .filter(is_over.and(not_rung_since))
        .order(tasks::id)
        .limit(limit)
        .select((tasks::client_id, tasks::topic, tasks::id))
        .load(conn)
}

/// Whether a task of a topic could be taken since `since`, and nobody took it.
pub(crate) fn is_unheard(conn: &mut Conn, topic: Topic, since: Ts, now: Ts) -> QueryResult<bool> {
    Ok(!unheard(conn, topic, since, now, 1)?.is_empty())
}

pub(crate) fn of_unheard(conn: &mut Conn, topic: Topic, since: Ts, now: Ts) -> QueryResult<usize> {
    let rung = unheard(conn, topic, since, now, REPEATS)?;
    again(conn, rung, now)
}

fn unheard(
    conn: &mut Conn,
    topic: Topic,
    since: Ts,
    now: Ts,
    limit: i64,
) -> QueryResult<Vec<Rung>> {
    tasks::table
        .inner_join(jobs::table.on(runs_now()))
        .filter(super::tasks::are_open())
        .filter(tasks::state.eq(TaskState::Ready.as_str()))
        .filter(tasks::topic.eq(topic.as_str()))
        .filter(tasks::updated_at.lt(since))
        .filter(tasks::not_before.is_null().or(tasks::not_before.le(now).assume_not_null()))
        .order(tasks::id)
        .limit(limit)
        .select((tasks::client_id, tasks::topic, tasks::id))
        .load(conn)
}

/// Rings tasks, and remembers that they were rung.
fn again(conn: &mut Conn, rung: Vec<Rung>, now: Ts) -> QueryResult<usize> {
    let ids: Vec<Id> = rung.iter().map(|(_, _, task)| *task).collect();
    let ready = tasks::table
        .filter(tasks::id.eq_any(ids))
        .filter(tasks::state.eq(TaskState::Ready.as_str()));
    diesel::update(ready).set(tasks::updated_at.eq(now)).execute(conn)?;
    let count = rung.len();
    put(conn, rung, now)?;
    Ok(count)
}

/// A task belongs to the run of a running job.
#[diesel::dsl::auto_type(no_type_alias)]
fn runs_now() -> _ {
    let of_run = jobs::run_id.eq(tasks::run_id);
    let status: &'static str = JobState::Running.as_str();
    let running = jobs::status.eq(status);
    jobs::client_id.eq(tasks::client_id).and(of_run.assume_not_null()).and(running)
}

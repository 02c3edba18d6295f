//! Rows of jobs, runs, tasks and what hangs on them.

use diesel::prelude::*;

use crate::schema::{events, gaps, jobs, outbox, runs, schedules, steps, tasks, watermarks};
use crate::types::{Id, Json, Ts};

/// A row of `schedules`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = schedules, primary_key(client_id))]
pub(crate) struct ScheduleRow {
    pub(crate) client_id: Id,
    pub(crate) enabled: bool,
    pub(crate) interval_minutes: i32,
    pub(crate) timezone: String,
    pub(crate) retry_enabled: bool,
    pub(crate) retry_interval_minutes: i32,
    pub(crate) retry_max_attempts: i32,
    pub(crate) next_due_at: Ts,
}

/// A row of `jobs`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = jobs, primary_key(client_id, job_type))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct JobRow {
    pub(crate) client_id: Id,
    pub(crate) job_type: String,
    pub(crate) status: String,
    pub(crate) version: i64,
    pub(crate) active: bool,
    pub(crate) run_id: Option<Id>,
    pub(crate) pending_since: Option<Ts>,
    pub(crate) pending_trigger: Option<String>,
    pub(crate) attempt: i32,
    pub(crate) retry_at: Option<Ts>,
    pub(crate) last_run_id: Option<Id>,
    pub(crate) last_success_at: Option<Ts>,
    pub(crate) error: Option<String>,
}

/// A row of `runs`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = runs)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct RunRow {
    pub(crate) client_id: Id,
    pub(crate) id: Id,
    pub(crate) job_type: String,
    pub(crate) trigger: String,
    pub(crate) attempt: i32,
    pub(crate) outcome: Option<String>,
    pub(crate) started_at: Ts,
    pub(crate) finished_at: Option<Ts>,
    pub(crate) error: Option<String>,
}

/// A row of `steps`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = steps)]
pub(crate) struct StepRow {
    pub(crate) client_id: Id,
    pub(crate) run_id: Id,
    pub(crate) position: i32,
    pub(crate) name: String,
    pub(crate) status: String,
}

/// A row of `tasks`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = tasks)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct TaskRow {
    pub(crate) client_id: Id,
    pub(crate) id: Id,
    pub(crate) run_id: Option<Id>,
    pub(crate) position: Option<i32>,
    pub(crate) kind: String,
    pub(crate) topic: String,
    pub(crate) integration_id: Option<Id>,
    pub(crate) scope: String,
    pub(crate) created_from: Option<Ts>,
    pub(crate) created_to: Option<Ts>,
    pub(crate) updated_since: Option<Ts>,
    pub(crate) state: String,
    pub(crate) cursor: String,
    pub(crate) input: String,
    pub(crate) output: Option<String>,
    pub(crate) not_before: Option<Ts>,
    pub(crate) lease_owner: Option<String>,
    pub(crate) lease_until: Option<Ts>,
    pub(crate) fence: i64,
    pub(crate) attempts: i32,
    pub(crate) crashes: i32,
    pub(crate) pages: i64,
    pub(crate) pages_before: i64,
    pub(crate) rows: i64,
    pub(crate) requests: i64,
    pub(crate) error: Option<String>,
    pub(crate) begun_at: Ts,
    pub(crate) updated_at: Ts,
}

/// A row of `gaps`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = gaps)]
pub(crate) struct GapRow {
    pub(crate) client_id: Id,
    pub(crate) run_id: Id,
    pub(crate) scope: String,
    pub(crate) reason: String,
    pub(crate) task_id: Id,
}

/// A row of `watermarks`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = watermarks)]
pub(crate) struct WatermarkRow {
    pub(crate) client_id: Id,
    pub(crate) integration_id: Id,
    pub(crate) step: String,
    pub(crate) scope: String,
    pub(crate) read_to: Ts,
}

/// A row of `outbox`, before it has a number.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = outbox, treat_none_as_default_value = false)]
pub(crate) struct NewRingRow {
    pub(crate) client_id: Id,
    pub(crate) topic: String,
    pub(crate) task_id: Option<Id>,
    pub(crate) created_at: Ts,
}

/// A row of `outbox`, as far as its publisher reads it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub(crate) struct RingRow {
    pub(crate) id: i64,
    pub(crate) client_id: Id,
    pub(crate) topic: String,
    pub(crate) task_id: Option<Id>,
}

/// A row of `events`, before it has a number.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = events)]
#[diesel(treat_none_as_default_value = false)]
pub(crate) struct NewEventRow {
    pub(crate) client_id: Id,
    pub(crate) run_id: Option<Id>,
    pub(crate) kind: String,
    pub(crate) body: Json,
    pub(crate) created_at: Ts,
}

/// A row of `events`, as far as people are told.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events)]
pub(crate) struct EventRow {
    pub(crate) seq: i64,
    pub(crate) body: Json,
}

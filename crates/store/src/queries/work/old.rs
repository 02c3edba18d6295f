//! Runs of long ago, and what hangs on them.

use diesel::prelude::*;
use domain::job::JobType;

use super::Conn;
use crate::schema::{gaps, runs, steps, tasks};
use crate::types::{Id, Ts};

/// Runs of a job that stay however old they are. Planners look through the newest of them for slices
/// that were left open.
const RUNS_KEPT: i64 = 20;
const _: () = assert!(RUNS_KEPT > super::ground::RUNS_LOOKED_THROUGH);
/// Runs that are forgotten in one transaction.
const RUNS_AT_A_TIME: i64 = 50;

/// Clients with runs that ended before then.
pub(crate) fn clients(conn: &mut Conn, ended_before: Ts) -> QueryResult<Vec<Id>> {
    runs::table
        .filter(runs::finished_at.lt(ended_before))
        .select(runs::client_id)
        .distinct()
        .load(conn)
}

/// Forgets some of a client's runs. Tells how many.
pub(crate) fn forget(conn: &mut Conn, client: Id, ended_before: Ts) -> QueryResult<usize> {
    let mut forgotten = 0;
    for job_type in JobType::ALL {
        forgotten += forget_of(conn, client, job_type.as_str(), ended_before)?;
    }
    Ok(forgotten)
}

fn forget_of(conn: &mut Conn, client: Id, job_type: &str, ended_before: Ts) -> QueryResult<usize> {
    let of_job = runs::table.filter(runs::client_id.eq(client)).filter(runs::job_type.eq(job_type));
    let oldest_kept: Option<Ts> = of_job
        .order((runs::started_at.desc(), runs::id.desc()))
        .offset(RUNS_KEPT - 1)
        .select(runs::started_at)
        .first(conn)
        .optional()?;
    let Some(oldest_kept) = oldest_kept else { return Ok(0) };
    let old: Vec<Id> = of_job
        .filter(runs::finished_at.lt(ended_before))
        .filter(runs::started_at.lt(oldest_kept))
        .order((runs::started_at, runs::id))
        .limit(RUNS_AT_A_TIME)
        .select(runs::id)
        .load(conn)?;
    // Those that hang on others go first.
    let of_old = gaps::table.filter(gaps::client_id.eq(client));
    diesel::delete(of_old.filter(gaps::run_id.eq_any(&old))).execute(conn)?;
    let of_old = tasks::table.filter(tasks::client_id.eq(client));
    diesel::delete(of_old.filter(tasks::run_id.eq_any(&old))).execute(conn)?;
    let of_old = steps::table.filter(steps::client_id.eq(client));
    diesel::delete(of_old.filter(steps::run_id.eq_any(&old))).execute(conn)?;
    let of_old = runs::table.filter(runs::client_id.eq(client));
    diesel::delete(of_old.filter(runs::id.eq_any(&old))).execute(conn)
}

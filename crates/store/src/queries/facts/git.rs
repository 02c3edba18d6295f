//! What GitHub says.

use std::collections::HashSet;

use diesel::dsl::min;
use diesel::prelude::*;
use domain::Moment;
use domain::deployment::DeploymentOutcome;
use domain::rules::Source;
use domain::work::WATERMARK_OVERLAP;

use super::super::notes;
use super::super::work::tasks::put_watermark;
use super::{Conn, Existing, Owner, missing, put, put_and_tell_new};
use crate::Error;
use crate::facts::{Batch, Held, PullRequests};
use crate::models::facts::{RepositoryRow, ReviewCommentRow};
use crate::models::work::WatermarkRow;
use crate::schema::{
    comments, deployments, pull_request_commits, pull_requests, repositories, reviews, shipments,
    tasks, watermarks,
};
use crate::types::{Id, Ts};

pub(crate) fn keep(conn: &mut Conn, owner: Owner, batch: &Batch) -> Result<usize, Error> {
    let repository = batch.repository_id;
    let mut listed = put(conn, owner, &batch.repositories, Existing::Replaced)?;
    if batch.repositories_are_all {
        listed += close_other_repositories(conn, owner, &batch.repositories)?;
    }
    let mut written = 0;
    written += missing::keep_commits(conn, owner, repository, &batch.commits)?;
    written += keep_pull_requests(conn, owner, repository, &batch.pull_requests)?;
    written += keep_review_comments(conn, owner, repository, &batch.review_comments)?;
    written += put(conn, owner, &batch.deployments, Existing::Replaced)?;
    written += put(conn, owner, &batch.shipments, Existing::Replaced)?;
    written += forget_runs(conn, owner, repository, &batch.resultless_runs)?;
    if written > 0 {
        notes::repository(conn, owner, repository)?;
    }
    Ok(listed + written)
}

fn close_other_repositories(
    conn: &mut Conn,
    owner: Owner,
    named: &[RepositoryRow],
) -> QueryResult<usize> {
    let named: Vec<i64> = named.iter().map(|repository| repository.external_id).collect();
    let others = repositories::table
        .filter(repositories::client_id.eq(owner.client))
        .filter(repositories::integration_id.eq(owner.integration))
        .filter(repositories::active)
        .filter(repositories::external_id.ne_all(named));
    diesel::update(others).set(repositories::active.eq(false)).execute(conn)
}

/// Keeps pull requests, and what hangs on them in place of what hung there before.
fn keep_pull_requests(
    conn: &mut Conn,
    owner: Owner,
    repository: i64,
    told: &PullRequests,
) -> QueryResult<usize> {
    if told.rows.is_empty() {
        return Ok(0);
    }
    let fresh = told.without(&outdated(conn, owner, repository, told)?);
    let (mut written, new) = put_and_tell_new(conn, owner, &fresh.rows)?;
    let are_new = fresh.rows.iter().all(|pr| new.contains(&pr.number));
    let existing = Existing::of_children(are_new);
    written += put(conn, owner, &fresh.commits, existing)?;
    written += put(conn, owner, &fresh.reviews, existing)?;
    written += put(conn, owner, &fresh.comments, existing)?;
    if !are_new {
        written += remove_others(conn, owner, repository, &fresh)?;
    }
    Ok(written)
}

/// Numbers of pull requests of which a newer version is kept.
fn outdated(
    conn: &mut Conn,
    owner: Owner,
    repository: i64,
    told: &PullRequests,
) -> QueryResult<Vec<i64>> {
    let numbers: Vec<i64> = told.rows.iter().map(|pr| pr.number).collect();
    let kept: Vec<(i64, Ts)> = of_repository!(pull_requests, owner, repository)
        .filter(pull_requests::number.eq_any(numbers))
        .select((pull_requests::number, pull_requests::updated_at))
        .load(conn)?;
    let newer = |(number, updated_at): &(i64, Ts)| {
        told.rows.iter().any(|pr| pr.number == *number && pr.updated_at < *updated_at)
    };
    Ok(kept.iter().filter(|kept| newer(kept)).map(|(number, _)| *number).collect())
}

/// `remove_unless_told!(conn, owner, repository, numbers, reviews.external_id: i64, told)`: removes
/// rows of the pull requests with these numbers whose `(number, id)` is not among `told`.
macro_rules! remove_unless_told {
    (
        $conn:expr, $owner:expr, $repository:expr, $numbers:expr,
        $table:ident . $id:ident : $type:ty, $told:expr $(,)?
    ) => {{
        let of_these = of_repository!($table, $owner, $repository);
        let kept: Vec<(i64, $type)> = of_these
            .filter($table::number.eq_any($numbers))
            .select(($table::number, $table::$id))
            .load($conn)?;
        let told: HashSet<(i64, $type)> =
            $told.iter().map(|row| (row.number, row.$id.clone())).collect();
        let mut removed = 0;
        for (number, id) in kept.into_iter().filter(|key| !told.contains(key)) {
            let gone = of_these.filter($table::number.eq(number)).filter($table::$id.eq(id));
            removed += diesel::delete(gone).execute($conn)?;
        }
        removed
    }};
}

fn remove_others(
    conn: &mut Conn,
    owner: Owner,
    repository: i64,
    told: &PullRequests,
) -> QueryResult<usize> {
    let numbers: Vec<i64> = told.rows.iter().map(|pr| pr.number).collect();
    let commits = remove_unless_told!(
        conn, owner, repository, &numbers, pull_request_commits.sha: String, told.commits,
    );
    let reviews = remove_unless_told!(
        conn, owner, repository, &numbers, reviews.external_id: i64, told.reviews,
    );
    let comments = remove_unless_told!(
        conn, owner, repository, &numbers, comments.external_id: i64, told.comments,
    );
    Ok(commits + reviews + comments)
}

/// GitHub lists comments of a whole repository, also those on pull requests that were never kept.
fn keep_review_comments(
    conn: &mut Conn,
    owner: Owner,
    repository: i64,
    told: &[ReviewCommentRow],
) -> QueryResult<usize> {
    if told.is_empty() {
        return Ok(0);
    }
    let mut numbers: Vec<i64> = told.iter().map(|comment| comment.number).collect();
    numbers.dedup();
    let kept: HashSet<i64> = of_repository!(pull_requests, owner, repository)
        .filter(pull_requests::number.eq_any(&numbers))
        .select(pull_requests::number)
        .load(conn)?
        .into_iter()
        .collect();
    if numbers.iter().all(|number| kept.contains(number)) {
        return put(conn, owner, told, Existing::Replaced);
    }
    let known: Vec<ReviewCommentRow> =
        told.iter().filter(|comment| kept.contains(&comment.number)).cloned().collect();
    put(conn, owner, &known, Existing::Replaced)
}

/// Forgets runs that were going on when they were read, and came to no result.
fn forget_runs(
    conn: &mut Conn,
    owner: Owner,
    repository: i64,
    ids: &[String],
) -> QueryResult<usize> {
    if ids.is_empty() {
        return Ok(0);
    }
    let going_on = of_repository!(shipments, owner, repository)
        .filter(shipments::source.eq(Source::WorkflowRuns.as_str()))
        .filter(shipments::external_id.eq_any(ids))
        .filter(shipments::outcome.eq(DeploymentOutcome::Pending.as_str()));
    diesel::delete(going_on).execute(conn)
}

pub(crate) fn repositories(conn: &mut Conn, owner: Owner) -> QueryResult<Vec<RepositoryRow>> {
    repositories::table
        .filter(repositories::client_id.eq(owner.client))
        .filter(repositories::integration_id.eq(owner.integration))
        .filter(repositories::active)
        .order(repositories::external_id)
        .select((
            repositories::external_id,
            repositories::full_name,
            repositories::default_branch,
            repositories::archived,
            repositories::active,
        ))
        .load(conn)
}

/// Moves the watermark of what rules ask for beside deployments: the step's own does not speak of it.
pub(super) fn move_watermark(
    conn: &mut Conn,
    held: &Held,
    repository: i64,
    source: Source,
) -> QueryResult<()> {
    let task = (Id::from(held.client), Id::from(held.fence.task));
    let begun: Ts = tasks::table.find(task).select(tasks::begun_at).first(conn)?;
    let row = WatermarkRow {
        client_id: held.client.into(),
        integration_id: held.integration.into(),
        step: source.as_str().to_owned(),
        scope: repository.to_string(),
        read_to: Ts(begun.0 - WATERMARK_OVERLAP),
    };
    put_watermark(conn, &row)
}

/// How far a source of a repository was read, if it ever was to its end.
pub(crate) fn read_to(
    conn: &mut Conn,
    owner: Owner,
    repository: i64,
    source: Source,
) -> QueryResult<Option<Ts>> {
    let key = (owner.client, owner.integration, source.as_str(), repository.to_string());
    watermarks::table.find(key).select(watermarks::read_to).first(conn).optional()
}

/// When the oldest began that are not over, of those that began at `since` or later, by what tells of them.
pub(crate) fn oldest_open(
    conn: &mut Conn,
    owner: Owner,
    repository: i64,
    since: Ts,
) -> QueryResult<Vec<(Source, Moment)>> {
    let pending = DeploymentOutcome::Pending.as_str();
    let deployment: Option<Ts> = of_repository!(deployments, owner, repository)
        .filter(deployments::outcome.eq(pending))
        .filter(deployments::created_at.ge(since))
        .select(min(deployments::created_at))
        .first(conn)?;
    let run: Option<Ts> = of_repository!(shipments, owner, repository)
        .filter(shipments::source.eq(Source::WorkflowRuns.as_str()))
        .filter(shipments::outcome.eq(pending))
        .filter(shipments::created_at.ge(since))
        .select(min(shipments::created_at))
        .first(conn)?;
    let open = [(Source::Deployments, deployment), (Source::WorkflowRuns, run)];
    Ok(open.into_iter().filter_map(|(source, began)| Some((source, began?.0))).collect())
}

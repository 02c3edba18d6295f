//! What happened to the pull requests of a repository.

use std::collections::HashMap;

use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use domain::Moment;
use domain::pull_request::PullRequestState;

use super::Conn;
use crate::Error;
use crate::metrics::{CommentsBy, PullRequestLife, ReviewAt, Said};
use crate::schema::{
    comments, commits, pull_request_commits, pull_requests, review_comments, reviews,
};
use crate::types::{Id, Json, Ts};

/// As GitHub spells a review that asks for more.
const CHANGES_REQUESTED: &str = "CHANGES_REQUESTED";

type LifeColumns = (
    (i64, String, Option<String>, Ts, Option<Ts>, Option<Ts>, Option<String>, String),
    (bool, String, bool, i64, i64, i64),
);

pub(crate) fn lives(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> QueryResult<Vec<PullRequestLife>> {
    let rows: Vec<LifeColumns> = pull_requests::table
        .filter(pull_requests::client_id.eq(client))
        .filter(pull_requests::integration_id.eq(integration))
        .filter(pull_requests::repository_id.eq(repository))
        .order(pull_requests::number)
        .select((
            (
                pull_requests::number,
                pull_requests::title,
                pull_requests::author,
                pull_requests::created_at,
                pull_requests::ready_at,
                pull_requests::merged_at,
                pull_requests::merge_commit_sha,
                pull_requests::base_ref,
            ),
            (
                pull_requests::author_is_bot,
                pull_requests::state,
                pull_requests::draft,
                pull_requests::additions,
                pull_requests::deletions,
                pull_requests::changed_files,
            ),
        ))
        .load(conn)?;
    let first_commits: Vec<(i64, Option<Ts>)> =
        commits_of_pull_requests!(client, integration, repository)
            .group_by(pull_request_commits::number)
            .select((pull_request_commits::number, min(commits::authored_at)))
            .load(conn)?;
    let first_commits: HashMap<i64, Option<Ts>> = first_commits.into_iter().collect();
    let life = |(text, shape): LifeColumns| {
        let (number, title, author, created_at, ready_at, merged_at, merge_commit_sha, base_ref) =
            text;
        let (author_is_bot, state, draft, additions, deletions, files) = shape;
        PullRequestLife {
            number,
            title,
            author,
            created_at: created_at.0,
            ready_at: ready_at.map(|at| at.0),
            merged_at: merged_at.map(|at| at.0),
            merge_commit_sha,
            base_ref,
            first_commit_at: first_commits.get(&number).copied().flatten().map(|at| at.0),
            author_is_bot,
            is_open: state == PullRequestState::Open.as_str(),
            draft,
            lines: additions + deletions,
            files,
        }
    };
    Ok(rows.into_iter().map(life).collect())
}

type VerdictColumns = (i64, Option<String>, bool, Option<Ts>, String);

pub(crate) fn reviews(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> QueryResult<Vec<ReviewAt>> {
    let verdicts: Vec<VerdictColumns> = reviews::table
        .filter(reviews::client_id.eq(client))
        .filter(reviews::integration_id.eq(integration))
        .filter(reviews::repository_id.eq(repository))
        .select((
            reviews::number,
            reviews::author,
            reviews::author_is_bot,
            reviews::submitted_at,
            reviews::state,
        ))
        .load(conn)?;
    let remarks: Vec<(i64, Option<String>, bool, Ts)> = review_comments::table
        .filter(review_comments::client_id.eq(client))
        .filter(review_comments::integration_id.eq(integration))
        .filter(review_comments::repository_id.eq(repository))
        .select((
            review_comments::number,
            review_comments::author,
            review_comments::author_is_bot,
            review_comments::created_at,
        ))
        .load(conn)?;
    let verdicts = verdicts.into_iter().map(|(number, author, bot, at, state)| {
        let said = if state == CHANGES_REQUESTED { Said::ChangesRequested } else { Said::Verdict };
        ReviewAt { number, said, author, bot, at: at.map(|at| at.0) }
    });
    let remarks = remarks.into_iter().map(|(number, author, bot, at)| ReviewAt {
        number,
        said: Said::Remark,
        author,
        bot,
        at: Some(at.0),
    });
    let mut all: Vec<ReviewAt> = verdicts.chain(remarks).collect();
    all.sort_by_key(|review| review.number);
    Ok(all)
}

pub(crate) fn comments(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> QueryResult<Vec<CommentsBy>> {
    type CommentsColumns = (i64, Option<String>, bool, i64);
    let author = (comments::number, comments::author, comments::author_is_bot);
    let rows: Vec<CommentsColumns> = comments::table
        .filter(comments::client_id.eq(client))
        .filter(comments::integration_id.eq(integration))
        .filter(comments::repository_id.eq(repository))
        .group_by(author)
        .select((comments::number, comments::author, comments::author_is_bot, count_star()))
        .load(conn)?;
    let by = |(number, author, bot, count)| CommentsBy { number, author, bot, count };
    Ok(rows.into_iter().map(by).collect())
}

pub(crate) fn commits_under_review(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> QueryResult<Vec<(i64, Moment)>> {
    let doubted = reviews::table
        .filter(reviews::client_id.eq(client))
        .filter(reviews::integration_id.eq(integration))
        .filter(reviews::repository_id.eq(repository))
        .filter(reviews::state.eq(CHANGES_REQUESTED))
        .select(reviews::number);
    let rows: Vec<(i64, Ts)> = commits_of_pull_requests!(client, integration, repository)
        .filter(pull_request_commits::number.eq_any(doubted))
        .order((pull_request_commits::number, commits::committed_at))
        .select((pull_request_commits::number, commits::committed_at))
        .load(conn)?;
    Ok(rows.into_iter().map(|(number, at)| (number, at.0)).collect())
}

pub(crate) fn graph(
    conn: &mut Conn,
    client: Id,
    integration: Id,
    repository: i64,
) -> Result<Vec<(String, Vec<String>)>, Error> {
    let rows: Vec<(String, Option<Json>)> = commits::table
        .filter(commits::client_id.eq(client))
        .filter(commits::integration_id.eq(integration))
        .filter(commits::repository_id.eq(repository))
        .filter(commits::parents.is_not_null())
        .select((commits::sha, commits::parents))
        .load(conn)?;
    rows.into_iter()
        .filter_map(|(sha, parents)| parents.map(|parents| (sha, parents)))
        .map(|(sha, parents)| Ok((sha, parents.to_texts()?)))
        .collect()
}

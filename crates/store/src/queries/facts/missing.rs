//! Commits that somebody names and that are not kept with their parents, so that what they bring cannot be
//! told: what was deployed off the default branch, and what was merged long after it was committed.

use std::collections::{BTreeSet, HashSet};

use diesel::prelude::*;
use domain::deployment::DeploymentOutcome;
use domain::rules::{PRODUCTION, RepositoryRules, Source, Verdict};

use super::{Conn, Existing, Owner, put};
use crate::Error;
use crate::fact_table::last_of_each;
use crate::models::facts::{CommitRow, MissingCommitRow};
use crate::schema::{
    commits, deployments, missing_commits as missing, posted_deployments, pull_requests, shipments,
};
use crate::types::Ts;

/// Rows per statement, so that their binds stay below both databases' limits.
const CHUNK: usize = 500;

/// Keeps commits, and notes which of their parents are missing.
pub(super) fn keep_commits(
    conn: &mut Conn,
    owner: Owner,
    repository_id: i64,
    told: &[CommitRow],
) -> Result<usize, Error> {
    let written = put(conn, owner, told, Existing::Replaced)?;
    if written == 0 {
        return Ok(0);
    }
    let mut found: Vec<&str> = Vec::new();
    let mut named: BTreeSet<String> = BTreeSet::new();
    for commit in told {
        if let Some(parents) = commit.parents.clone() {
            found.push(&commit.sha);
            named.extend(parents.to_texts()?);
        }
    }
    for sha in &found {
        named.remove(*sha);
    }
    let named: Vec<String> = named.into_iter().collect();
    for some in named.chunks(CHUNK) {
        let kept = kept_among(conn, owner, repository_id, some)?;
        let rows: Vec<_> = some
            .iter()
            .filter(|sha| !kept.contains(*sha))
            .map(|sha| MissingCommitRow { repository_id, sha: sha.clone(), gone_at: None })
            .collect();
        put(conn, owner, &rows, Existing::Untouched)?;
    }
    for some in found.chunks(CHUNK) {
        let no_more =
            of_repository!(missing, owner, repository_id).filter(missing::sha.eq_any(some));
        diesel::delete(no_more).execute(conn)?;
    }
    Ok(written)
}

/// Notes which shas GitHub does not know.
pub(super) fn note_gone(
    conn: &mut Conn,
    owner: Owner,
    repository_id: i64,
    shas: &[String],
    now: Ts,
) -> QueryResult<()> {
    let gone =
        |sha: &String| MissingCommitRow { repository_id, sha: sha.clone(), gone_at: Some(now) };
    let rows = last_of_each(shas.iter().map(gone).collect());
    put(conn, owner, &rows, Existing::Replaced)?;
    Ok(())
}

/// Shas that are missing, the deployed ones first. Those that were gone at `asked_since` or later are left out.
pub(crate) fn missing_commits(
    conn: &mut Conn,
    owner: Owner,
    repository_id: i64,
    rules: &RepositoryRules<'_>,
    asked_since: Ts,
) -> Result<Vec<String>, Error> {
    super::super::super::dialect::read(conn, |conn| {
        let noted: Vec<(String, Option<Ts>)> = of_repository!(missing, owner, repository_id)
            .order(missing::sha)
            .select((missing::sha, missing::gone_at))
            .load(conn)?;
        let is_gone = |gone_at: Option<Ts>| gone_at.is_some_and(|at| at >= asked_since);
        let (gone, noted): (Vec<_>, Vec<_>) = noted.into_iter().partition(|(_, at)| is_gone(*at));
        let gone: HashSet<String> = gone.into_iter().map(|(sha, _)| sha).collect();
        let mut found: Vec<String> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        let deployed = deployed(conn, owner, repository_id, rules)?;
        for sha in deployed.into_iter().chain(noted.into_iter().map(|(sha, _)| sha)) {
            if !gone.contains(&sha) && seen.insert(sha.clone()) {
                found.push(sha);
            }
        }
        Ok(found)
    })
}

/// Missing shas of what went to production by the rules. What is elsewhere brings nothing, and there may
/// be many: a preview of each pull request, say.
fn deployed(
    conn: &mut Conn,
    owner: Owner,
    repository_id: i64,
    rules: &RepositoryRules<'_>,
) -> Result<BTreeSet<String>, Error> {
    let succeeded = DeploymentOutcome::Success.as_str();
    let mut shas = BTreeSet::new();
    let mut add = |source: Source, names: &[&str], sha: String| {
        if rules.place(source, names) == Verdict::To(PRODUCTION) {
            shas.insert(sha);
        }
    };
    if rules.ask(Source::Deployments) {
        let rows: Vec<(String, String)> = of_repository!(deployments, owner, repository_id)
            .distinct()
            .filter(deployments::outcome.eq(succeeded))
            .select((deployments::environment, deployments::sha))
            .load(conn)?;
        for (environment, sha) in rows {
            add(Source::Deployments, &[&environment], sha);
        }
    }
    if rules.ask(Source::Api) {
        let rows: Vec<(String, String)> = of_repository!(posted_deployments, owner, repository_id)
            .distinct()
            .filter(posted_deployments::outcome.eq(succeeded))
            .select((posted_deployments::environment, posted_deployments::sha))
            .load(conn)?;
        for (environment, sha) in rows {
            add(Source::Api, &[&environment], sha);
        }
    }
    if rules.ask(Source::WorkflowRuns) || rules.ask(Source::Releases) {
        let rows: Vec<(String, String, Option<String>, String)> =
            of_repository!(shipments, owner, repository_id)
                .distinct()
                .filter(shipments::outcome.eq(succeeded))
                .select((shipments::source, shipments::name, shipments::path, shipments::sha))
                .load(conn)?;
        for (source, name, path, sha) in rows {
            let names: Vec<&str> = [Some(&*name), path.as_deref()].into_iter().flatten().collect();
            add(source.parse()?, &names, sha);
        }
    }
    if rules.ask(Source::Merges) {
        let rows: Vec<(String, Option<String>)> =
            of_repository!(pull_requests, owner, repository_id)
                .distinct()
                .filter(pull_requests::merged_at.is_not_null())
                .filter(pull_requests::merge_commit_sha.is_not_null())
                .select((pull_requests::base_ref, pull_requests::merge_commit_sha))
                .load(conn)?;
        for (base, sha) in rows {
            sha.into_iter().for_each(|sha| add(Source::Merges, &[&base], sha));
        }
    }
    // Looked up by their key, which PostgreSQL finds also in a table of which it has no statistics yet.
    let all: Vec<String> = shas.iter().cloned().collect();
    for some in all.chunks(CHUNK) {
        for kept in kept_among(conn, owner, repository_id, some)? {
            shas.remove(&kept);
        }
    }
    Ok(shas)
}

/// Those of some shas that are kept with their parents.
fn kept_among(
    conn: &mut Conn,
    owner: Owner,
    repository_id: i64,
    shas: &[String],
) -> QueryResult<HashSet<String>> {
    let kept: Vec<String> = of_repository!(commits, owner, repository_id)
        .filter(commits::sha.eq_any(shas))
        .filter(commits::parents.is_not_null())
        .select(commits::sha)
        .load(conn)?;
    Ok(kept.into_iter().collect())
}

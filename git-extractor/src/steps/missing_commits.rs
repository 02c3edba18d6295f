//! The step *missing commits*: histories of commits that were deployed or merged and that the default branch
//! did not tell. It asks for what is missing in the store, and again for what is missing then, until nothing
//! is; so it costs no request where nothing is missing.

use std::collections::HashMap;

use chrono::{TimeDelta, Utc};
use domain::facts::Facts;
use domain::ids::{ClientId, IntegrationId};
use domain::work::Gap;
use extractor::paging::smaller_until_answered;
use extractor::{Failure, Page, PageSize};
use serde_json::json;

use super::{Place, for_now, gaps, missing, repository};
use crate::client::Client;
use crate::paging::MOST;
use crate::{mapping, queries, wire};

/// Commits per query, shared by the histories that it asks for.
const COMMITS_PER_QUERY: u32 = 200;
/// So many of each history at least, because a branch for a release often has a few commits of its own.
const LEAST_OF_EACH: u32 = 4;
/// With more in one run, the rest waits for the next: somebody deploys what has little to do with the
/// default branch, and its history is as long as the repository is old.
const MOST_QUERIES: u32 = 500;
/// What GitHub does not know may yet be pushed, but is asked for no more often than this.
const GONE_FOR: TimeDelta = TimeDelta::days(1);

/// Reads what is missing of the commits of one repository.
pub struct MissingCommits {
    place: Place,
    kept: store::Facts,
    owner: (ClientId, IntegrationId),
    size: PageSize,
}

impl MissingCommits {
    /// Of `place`, beside what is `kept` of it.
    pub fn new(
        place: Place,
        kept: store::Facts,
        owner: (ClientId, IntegrationId),
    ) -> MissingCommits {
        MissingCommits { place, kept, owner, size: PageSize::up_to(COMMITS_PER_QUERY) }
    }

    /// The page at `cursor`, which counts the queries so far: what else is to be asked stands in the store.
    pub async fn page(&mut self, client: &Client, cursor: &str) -> Result<Page, Failure> {
        let queries_before: u32 = match cursor {
            "" => 0,
            count => count.parse().map_err(|_| Failure::StaleCursor)?,
        };
        let missing = self.missing().await?;
        let mut page = Page {
            facts: Facts { repository_id: self.place.id, ..Facts::default() },
            ..Page::default()
        };
        if missing.is_empty() {
            return Ok(page);
        }
        if queries_before >= MOST_QUERIES {
            page.gaps.push(self.unfinished());
            return Ok(page);
        }
        // A query with anything else in it would be refused as a whole.
        let (shas, others): (Vec<_>, Vec<_>) = missing.into_iter().partition(|sha| is_sha1(sha));
        if shas.is_empty() {
            page.facts.gone_commits = others;
            return Ok(page);
        }
        let mut page = self.ask(client, &shas).await?;
        page.facts.gone_commits.extend(others);
        Ok(Page { next: Some((queries_before + 1).to_string()), ..page })
    }

    async fn missing(&self) -> Result<Vec<String>, Failure> {
        let (client, integration) = self.owner;
        let name = format!("{}/{}", self.place.owner, self.place.name);
        let asked_since = Utc::now() - GONE_FOR;
        let missing =
            self.kept.missing_commits(client, integration, self.place.id, &name, asked_since).await;
        Ok(missing?)
    }

    /// Asks for as many of the histories as go into one query, and for fewer when GitHub finds it too large.
    async fn ask(&mut self, client: &Client, shas: &[String]) -> Result<Page, Failure> {
        let Place { owner, name, .. } = &self.place;
        let asked = smaller_until_answered(&mut self.size, |size| async move {
            let (histories, of_each) = share(size, shas.len());
            let asked = &shas[..histories];
            let query = queries::histories(asked.iter().map(String::as_str), of_each);
            let (data, errors) = client.query(&query, json!({ "o": owner, "r": name })).await?;
            Ok((asked, data, errors))
        });
        let (asked, data, errors) =
            asked.await.map_err(|failure| for_now(failure, "one commit"))?;
        page_of(&self.place, asked, data, &errors)
    }

    fn unfinished(&self) -> Gap {
        Gap {
            scope: format!("commits of {}/{}", self.place.owner, self.place.name),
            reason: format!(
                "What was deployed has a long history beside the default branch. {MOST_QUERIES} \
                 pages of it were read, and the next run reads on."
            ),
        }
    }
}

/// How many histories to ask for at once, and how many commits of each.
fn share(size: u32, missing: usize) -> (usize, u32) {
    let most = (size / LEAST_OF_EACH).max(1);
    let histories = u32::try_from(missing).unwrap_or(most).min(most);
    (histories as usize, (size / histories).clamp(1, MOST))
}

fn is_sha1(text: &str) -> bool {
    text.len() == 40 && domain::deployment::is_sha(text)
}

/// What GitHub answered as a page. Of each sha that was asked for it tells the commit, or that it is gone.
fn page_of(
    place: &Place,
    asked: &[String],
    data: wire::OfRepository<HashMap<String, Option<wire::Target>>>,
    errors: &[wire::GraphqlError],
) -> Result<Page, Failure> {
    let (mut found, budget) = repository(place, data, errors)?;
    let mut facts = Facts { repository_id: place.id, ..Facts::default() };
    for (position, sha) in asked.iter().enumerate() {
        let target = found.remove(&queries::history_name(position)).flatten();
        let history = target.and_then(|target| target.history);
        let told = history.into_iter().flat_map(|history| history.nodes.into_iter().flatten());
        let before = facts.commits.len();
        facts.commits.extend(told.map(mapping::commit));
        if facts.commits[before..].iter().all(|commit| commit.sha != *sha) {
            facts.gone_commits.push(sha.clone());
        }
    }
    let is_unknown = |error: &wire::GraphqlError| error.kind == "NOT_FOUND";
    let others: Vec<_> = errors.iter().filter(|error| !is_unknown(error)).cloned().collect();
    match missing(place, &others) {
        // What is not told for another reason is not gone.
        Some(failure) if !facts.gone_commits.is_empty() => Err(failure),
        _ => {
            let gaps = gaps(place, &others).collect();
            Ok(Page { facts, gaps, budget, ..Page::default() })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const KNOWN: &str = "9f3c2a7d51e84b06c9d1a2b3c4d5e6f708192a3b";
    const OTHER: &str = "77aa2a7d51e84b06c9d1a2b3c4d5e6f708192a3b";

    fn read(objects: Value, errors: Value) -> Result<Page, Failure> {
        let place = Place::new(7, "acme/pay").unwrap();
        let data = json!({ "rateLimit": null, "repository": objects });
        let errors: Vec<wire::GraphqlError> = serde_json::from_value(errors).unwrap();
        let asked = [KNOWN.to_owned(), OTHER.to_owned()];
        page_of(&place, &asked, serde_json::from_value(data).unwrap(), &errors)
    }

    fn history(sha: &str) -> Value {
        let at = "2026-10-01T09:00:00Z";
        let commit = json!({ "oid": sha, "message": "m", "authoredDate": at, "committedDate": at,
            "parents": { "nodes": [{ "oid": OTHER }] }, "author": null });
        json!({ "history": { "nodes": [commit],
            "pageInfo": { "hasNextPage": true, "endCursor": "x" } } })
    }

    fn error(kind: &str) -> Value {
        json!([{ "type": kind, "message": "No.", "path": ["repository", "c1"] }])
    }

    #[test]
    fn a_commit_that_github_does_not_know_is_gone_and_keeps_no_other_away() {
        let no_commit = json!({});
        for (other, errors) in
            [(Value::Null, json!([])), (Value::Null, error("NOT_FOUND")), (no_commit, json!([]))]
        {
            let page = read(json!({ "c0": history(KNOWN), "c1": other }), errors).unwrap();
            let [commit] = page.facts.commits.as_slice() else { panic!("{page:?}") };
            assert_eq!((&*commit.sha, &commit.parents), (KNOWN, &Some(vec![OTHER.to_owned()])));
            assert_eq!((page.facts.gone_commits, page.gaps.len()), (vec![OTHER.to_owned()], 0));
        }
    }

    #[test]
    fn a_commit_that_github_leaves_out_is_not_gone() {
        let objects = json!({ "c0": history(KNOWN), "c1": null });
        let refused = read(objects.clone(), error("FORBIDDEN"));
        assert!(matches!(refused, Err(Failure::Unreadable { .. })), "{refused:?}");
        let odd = read(objects, error("INTERNAL"));
        assert!(matches!(odd, Err(Failure::Passing { .. })), "{odd:?}");
    }

    #[test]
    fn a_query_is_shared_by_what_is_missing() {
        let cases = [
            ((200, 1), (1, 100)),
            ((200, 2), (2, 100)),
            ((200, 7), (7, 28)),
            ((200, 50), (50, 4)),
            ((200, 900), (50, 4)),
            ((12, 900), (3, 4)),
            ((1, 900), (1, 1)),
        ];
        for ((size, missing), expected) in cases {
            assert_eq!(share(size, missing), expected, "{missing} in {size}");
        }
    }
}

//! The step *pull_requests*: last updated first, each complete with its nested lists, then the
//! comments on diffs.

use domain::Moment;
use domain::facts::Facts;
use domain::pull_request::PullRequest;
use domain::work::Gap;
use extractor::{Budget, Failure, Page};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{PageOf, Place, budget, for_now, gaps, repository};
use crate::client::{Client, Listed};
use crate::paging::PullPages;
use crate::{mapping, queries, wire};

/// Rests of nested lists per query.
const RESTS_PER_QUERY: usize = 50;

/// Reads the pull requests of one repository.
pub struct PullRequests {
    place: Place,
    since: Option<Moment>,
    size: PullPages,
    /// The page in which GitHub last left something out.
    doubted: Option<String>,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cursor {
    /// Pull requests behind GitHub's cursor.
    Pulls(String),
    /// Comments on diffs: from the first, or at the address of a page.
    Remarks(Option<String>),
}

impl Cursor {
    fn read(text: &str) -> Result<Cursor, Failure> {
        if text.is_empty() {
            return Ok(Cursor::Pulls(String::new()));
        }
        serde_json::from_str(text).map_err(|_| Failure::StaleCursor)
    }

    fn write(&self) -> String {
        serde_json::to_string(self).expect("a cursor is JSON")
    }
}

/// A nested list that goes on.
#[derive(Debug)]
struct Unfinished {
    /// The pull request's position in the page.
    position: usize,
    /// GitHub's global id.
    id: String,
    connection: &'static str,
    after: String,
}

impl PullRequests {
    /// Of `place`: all, or those updated since the watermark.
    pub fn new(place: Place, since: Option<Moment>) -> PullRequests {
        let size = if since.is_some() { PullPages::for_changes() } else { PullPages::for_all() };
        PullRequests { place, since, size, doubted: None }
    }

    /// The page at `cursor`.
    pub async fn page(&mut self, client: &Client, cursor: &str) -> Result<Page, Failure> {
        match Cursor::read(cursor)? {
            Cursor::Pulls(after) => self.pulls(client, &after).await,
            Cursor::Remarks(at) => self.remarks(client, at).await,
        }
    }

    async fn pulls(&mut self, client: &Client, after: &str) -> Result<Page, Failure> {
        let (found, errors, left) = self.fetch(client, after).await?;
        let next = found.pull_requests.page_info.next();
        let mut facts = Facts { repository_id: self.place.id, ..Facts::default() };
        let (mut unfinished, mut nameless) = (Vec::new(), Vec::new());
        let mut reached_known = false;
        let mut left_out = found.pull_requests.nodes.iter().any(Option::is_none);
        for wire in found.pull_requests.nodes.into_iter().flatten() {
            if self.since.is_some_and(|since| wire.updated_at < since) {
                reached_known = true;
                break;
            }
            let (number, rests) = (wire.number, rests(facts.pull_requests.len(), &wire));
            match mapping::pull_request(wire) {
                Some(pull_request) => {
                    unfinished.extend(rests);
                    facts.pull_requests.push(pull_request);
                }
                None => nameless.push(Gap {
                    scope: format!("pull request #{number}"),
                    reason: "GitHub did not tell all of its ids.".to_owned(),
                }),
            }
        }
        let (left, incomplete) = finish(client, &mut facts.pull_requests, unfinished, left).await?;
        left_out |= !incomplete.is_empty();
        // The next run begins behind this page, so what is missing is believed when told twice.
        if left_out && self.doubted.as_deref() != Some(after) {
            self.doubted = Some(after.to_owned());
            let Place { owner, name, .. } = &self.place;
            return Err(Failure::Passing {
                detail: format!("GitHub left out a part of {owner}/{name}; we ask again."),
            });
        }
        let gaps = gaps(&self.place, &errors).chain(incomplete).chain(nameless).collect();
        let next = match next.filter(|_| !reached_known) {
            Some(after) => Cursor::Pulls(after),
            None => Cursor::Remarks(None),
        };
        Ok(Page { facts, next: Some(next.write()), gaps, budget: left, ..Page::default() })
    }

    /// A page of pull requests, as large as GitHub can bear.
    async fn fetch(
        &mut self,
        client: &Client,
        after: &str,
    ) -> Result<(wire::PullRequests, Vec<wire::GraphqlError>, Option<Budget>), Failure> {
        loop {
            let query = queries::pull_requests(self.size.nested());
            let variables = PageOf::new(&self.place, self.size.outer(), after);
            match client.query::<wire::OfRepository<wire::PullRequests>>(&query, variables).await {
                Err(Failure::TooLarge { .. }) if self.size.shrink().is_ok() => {}
                Err(failure) => return Err(for_now(failure, "one pull request")),
                Ok((data, errors)) => {
                    let (found, left) = repository(&self.place, data, &errors)?;
                    self.size.grow();
                    return Ok((found, errors, left));
                }
            }
        }
    }

    /// A page of comments on diffs, last updated first: an edit meanwhile then moves rows onto later
    /// pages, which tells one twice. The other way round it would leave one out.
    async fn remarks(&self, client: &Client, at: Option<String>) -> Result<Page, Failure> {
        let listed: Listed<wire::ReviewComment> = match at {
            Some(address) => client.list_at(&address).await?,
            None => {
                let Place { owner, name, .. } = &self.place;
                let since = self
                    .since
                    .map(|since| format!("&since={}", since.format("%Y-%m-%dT%H:%M:%SZ")));
                let since = since.unwrap_or_default();
                client
                    .list(&format!(
                        "/repos/{owner}/{name}/pulls/comments?sort=updated&direction=desc&per_page=100{since}"
                    ))
                    .await?
            }
        };
        let review_comments = listed.rows.into_iter().filter_map(mapping::review_comment).collect();
        Ok(Page {
            facts: Facts { repository_id: self.place.id, review_comments, ..Facts::default() },
            next: listed.next.map(|address| Cursor::Remarks(Some(address)).write()),
            budget: listed.budget,
            ..Page::default()
        })
    }
}

/// The nested lists of a pull request that go on.
fn rests(position: usize, wire: &wire::PullRequest) -> Vec<Unfinished> {
    let infos = [
        &wire.commits.page_info,
        &wire.reviews.page_info,
        &wire.comments.page_info,
        &wire.timeline_items.page_info,
    ];
    queries::NESTED
        .into_iter()
        .zip(infos)
        .filter_map(|(connection, info)| {
            Some(Unfinished { position, id: wire.id.clone(), connection, after: info.next()? })
        })
        .collect()
}

/// Fetches the rests of nested lists until there are none, several per query. A pull request that
/// GitHub stops telling becomes a gap, and is read again when it changes.
async fn finish(
    client: &Client,
    pull_requests: &mut Vec<PullRequest>,
    mut unfinished: Vec<Unfinished>,
    mut left: Option<Budget>,
) -> Result<(Option<Budget>, Vec<Gap>), Failure> {
    let mut per_query = RESTS_PER_QUERY;
    let mut lost: Vec<usize> = Vec::new();
    while !unfinished.is_empty() {
        let some = unfinished.split_off(unfinished.len().saturating_sub(per_query));
        let query = queries::rest_of(some.iter().map(|l| (&*l.id, l.connection, &*l.after)));
        let mut data: Map<String, Value> = match client.query(&query, json!({})).await {
            Ok((data, _)) => data,
            Err(Failure::TooLarge { .. }) if per_query > 1 => {
                per_query = 1;
                unfinished.extend(some);
                continue;
            }
            Err(failure) => return Err(for_now(failure, "the rest of one list")),
        };
        if let Some(limit) = data.remove("rateLimit").and_then(|v| serde_json::from_value(v).ok()) {
            left = Some(budget(limit));
        }
        for (position, list) in some.into_iter().enumerate() {
            match take_in(pull_requests, list, data.remove(&format!("a{position}"))) {
                Ok(more) => unfinished.extend(more),
                Err(gone) => lost.push(gone),
            }
        }
    }
    Ok((left, drop_lost(pull_requests, lost)))
}

/// Adds the rest of a list to its pull request. Answers what is still missing, or the position of
/// the pull request when GitHub no longer shows it.
fn take_in(
    pull_requests: &mut [PullRequest],
    list: Unfinished,
    rest: Option<Value>,
) -> Result<Option<Unfinished>, usize> {
    let rest = rest.and_then(|value| serde_json::from_value::<wire::Rest>(value).ok());
    let Some(rest) = rest else { return Err(list.position) };
    let info = match list.connection {
        "commits" => rest.commits.as_ref().map(|list| list.page_info.clone()),
        "reviews" => rest.reviews.as_ref().map(|list| list.page_info.clone()),
        "comments" => rest.comments.as_ref().map(|list| list.page_info.clone()),
        _ => rest.timeline_items.as_ref().map(|list| list.page_info.clone()),
    };
    let Some(info) = info else { return Err(list.position) };
    mapping::extend(&mut pull_requests[list.position], rest).ok_or(list.position)?;
    Ok(info.next().map(|after| Unfinished { after, ..list }))
}

/// Takes out pull requests that are not complete: what is kept replaces what was, so half of it
/// would delete the other half.
fn drop_lost(pull_requests: &mut Vec<PullRequest>, mut lost: Vec<usize>) -> Vec<Gap> {
    lost.sort_unstable();
    lost.dedup();
    lost.into_iter()
        .rev()
        .map(|position| Gap {
            scope: format!("pull request #{}", pull_requests.remove(position).number),
            reason: "GitHub did not tell all of its commits, reviews and comments.".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_and_foreign_ones_are_stale() {
        let cursors = [
            Cursor::Pulls("Y3Vyc29y".to_owned()),
            Cursor::Remarks(None),
            Cursor::Remarks(Some(
                "https://api.github.com/repositories/9/pulls/comments?page=2".to_owned(),
            )),
        ];
        for cursor in cursors {
            assert_eq!(Cursor::read(&cursor.write()).unwrap(), cursor);
        }
        assert_eq!(Cursor::read("").unwrap(), Cursor::Pulls(String::new()));
        assert!(matches!(Cursor::read("page 2"), Err(Failure::StaleCursor)));
    }
}

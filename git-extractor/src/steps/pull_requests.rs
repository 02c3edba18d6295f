//! The step *pull_requests*: last updated first, each complete with its nested lists, then the
//! comments on diffs.

use domain::Moment;
use domain::facts::Facts;
use domain::pull_request::PullRequest;
use domain::work::Gap;
use extractor::{Budget, Failure, Page};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rests::{self, Unfinished};
use super::{PageOf, Place, for_now, gaps, repository};
use crate::client::{Client, Listed};
use crate::paging::PullPages;
use crate::{mapping, queries, wire};

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
        let (found, errors, mut left) = self.fetch(client, after).await?;
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
        let incomplete = finish(client, &mut facts.pull_requests, unfinished, &mut left).await?;
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

/// Fetches the rests of nested lists. A pull request that GitHub stops telling becomes a gap, and is read
/// again when it changes.
async fn finish(
    client: &Client,
    pull_requests: &mut Vec<PullRequest>,
    unfinished: Vec<Unfinished>,
    left: &mut Option<Budget>,
) -> Result<Vec<Gap>, Failure> {
    let query = |some: &[Unfinished]| {
        queries::rest_of(some.iter().map(|list| (&*list.id, list.connection, &*list.after)))
    };
    let take_in = |list: &Unfinished, rest| take_in(pull_requests, list, rest);
    let lost = rests::complete(client, unfinished, left, query, take_in).await?;
    Ok(rests::drop_lost(pull_requests, lost, |pull_request| Gap {
        scope: format!("pull request #{}", pull_request.number),
        reason: "GitHub did not tell all of its commits, reviews and comments.".to_owned(),
    }))
}

/// Adds the rest of a list to its pull request. Answers how far it goes, or nothing when GitHub no longer
/// shows the pull request.
fn take_in(
    pull_requests: &mut [PullRequest],
    list: &Unfinished,
    rest: Value,
) -> Option<wire::PageInfo> {
    let rest: wire::Rest = serde_json::from_value(rest).ok()?;
    let info = match list.connection {
        "commits" => rest.commits.as_ref().map(|list| list.page_info.clone()),
        "reviews" => rest.reviews.as_ref().map(|list| list.page_info.clone()),
        "comments" => rest.comments.as_ref().map(|list| list.page_info.clone()),
        _ => rest.timeline_items.as_ref().map(|list| list.page_info.clone()),
    }?;
    mapping::extend(&mut pull_requests[list.position], rest)?;
    Some(info)
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

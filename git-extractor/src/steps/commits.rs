//! The step *commits*: the history of the default branch, with parents.

use chrono::TimeDelta;
use domain::Moment;
use domain::facts::Facts;
use extractor::{Failure, Page, PageSize};
use serde_json::json;

use super::{PageOf, Place, gaps, listed, missing, repository};
use crate::client::Client;
use crate::paging::MOST;
use crate::{mapping, queries, wire};

/// Committers' clocks differ, and a merge brings commits that are older than it.
const LATE_ARRIVALS: TimeDelta = TimeDelta::days(14);

/// Reads the default branch of one repository.
pub struct Commits {
    place: Place,
    since: Option<Moment>,
    size: PageSize,
}

impl Commits {
    /// Of `place`: all, or those that may have arrived since the watermark.
    pub fn new(place: Place, since: Option<Moment>) -> Commits {
        Commits {
            place,
            since: since.map(|since| since - LATE_ARRIVALS),
            size: PageSize::up_to(MOST),
        }
    }

    /// The page at `cursor`.
    pub async fn page(&mut self, client: &Client, cursor: &str) -> Result<Page, Failure> {
        let place = &self.place;
        let since = self.since.map(|since| since.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        let variables =
            |size| json!(PageOf { since: since.clone(), ..PageOf::new(place, size, cursor) });
        let (data, errors) = listed(client, &queries::history(), &mut self.size, variables).await?;
        page_of(place, data, &errors)
    }
}

/// What GitHub answered as a page.
fn page_of(
    place: &Place,
    data: wire::OfRepository<wire::DefaultBranch>,
    errors: &[wire::GraphqlError],
) -> Result<Page, Failure> {
    let (found, budget) = repository(place, data, errors)?;
    let facts = Facts { repository_id: place.id, ..Facts::default() };
    let branch = found.default_branch_ref.and_then(|branch| branch.target);
    let Some(history) = branch.and_then(|target| target.history) else {
        // An empty repository has no branch, and so no history; GitHub then says nothing beside.
        let page = Page { facts, budget, ..Page::default() };
        return missing(place, errors).map_or(Ok(page), Err);
    };
    let next = history.page_info.next();
    let gaps = gaps(place, errors).collect();
    let commits = history.nodes.into_iter().flatten().map(mapping::commit).collect();
    Ok(Page { facts: Facts { commits, ..facts }, next, gaps, budget, ..Page::default() })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_history_that_was_left_out_is_no_end() {
        let place = Place::new(7, "acme/pay").unwrap();
        let read = |branch: Value, kind: &str| {
            let data = json!({ "rateLimit": null, "repository": { "defaultBranchRef": branch } });
            let errors = match kind {
                "" => json!([]),
                kind => json!([{ "type": kind, "message": "No.", "path": ["repository"] }]),
            };
            let (data, errors) = (serde_json::from_value(data), serde_json::from_value(errors));
            let errors: Vec<wire::GraphqlError> = errors.unwrap();
            page_of(&place, data.unwrap(), &errors)
        };
        let history =
            json!({ "pageInfo": { "hasNextPage": false, "endCursor": null }, "nodes": [null] });
        let whole = json!({ "target": { "history": history } });
        for missing in [Value::Null, json!({ "target": null }), json!({ "target": {} })] {
            assert!(read(missing.clone(), "").unwrap().next.is_none(), "empty, or no commit");
            let refused = read(missing.clone(), "FORBIDDEN");
            assert!(matches!(refused, Err(Failure::Unreadable { .. })), "{missing}");
            let odd = read(missing.clone(), "INTERNAL");
            assert!(matches!(odd, Err(Failure::Passing { .. })), "{missing}");
        }
        assert!(read(whole.clone(), "").unwrap().gaps.is_empty());
        assert_eq!(read(whole, "FORBIDDEN").unwrap().gaps.len(), 1);
    }
}

//! The step *commits*: the history of the default branch, with parents.

use chrono::TimeDelta;
use domain::Moment;
use domain::facts::Facts;
use extractor::{Failure, Page};
use serde_json::json;

use super::{PageOf, Place, repository, smaller_until_answered};
use crate::client::Client;
use crate::{mapping, queries, wire};

/// Committers' clocks differ, and a merge brings commits that are older than it.
const LATE_ARRIVALS: TimeDelta = TimeDelta::days(14);

/// Reads the default branch of one repository.
pub struct Commits {
    place: Place,
    since: Option<Moment>,
    size: u32,
}

impl Commits {
    /// Of `place`: all, or those that may have arrived since the watermark.
    pub fn new(place: Place, since: Option<Moment>) -> Commits {
        Commits { place, since: since.map(|since| since - LATE_ARRIVALS), size: 100 }
    }

    /// The page at `cursor`.
    pub async fn page(&mut self, client: &Client, cursor: &str) -> Result<Page, Failure> {
        let place = &self.place;
        let since = self.since.map(|since| since.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        let variables =
            |size| json!(PageOf { since: since.clone(), ..PageOf::new(place, size, cursor) });
        let (data, errors) =
            smaller_until_answered(client, &queries::history(), &mut self.size, variables).await?;
        let (found, left) = repository::<wire::DefaultBranch>(place, data, &errors)?;
        let facts = Facts { repository_id: place.id, ..Facts::default() };
        // An empty repository has no branch, and so no history.
        let branch = found.default_branch_ref.and_then(|branch| branch.target);
        let Some(history) = branch.and_then(|target| target.history) else {
            return Ok(Page { facts, budget: left, ..Page::default() });
        };
        let next = history.page_info.next();
        let commits = history.nodes.into_iter().flatten().map(mapping::commit).collect();
        Ok(Page { facts: Facts { commits, ..facts }, next, budget: left, ..Page::default() })
    }
}

//! The step *deployments*: newest first, with their statuses.

use chrono::TimeDelta;
use domain::Moment;
use domain::facts::Facts;
use extractor::{Failure, Page};
use serde_json::json;

use super::{PageOf, Place, repository, smaller_until_answered};
use crate::client::Client;
use crate::{mapping, queries, wire};

/// A deployment may still change for a while: each read goes back this far behind the watermark.
const STILL_CHANGING: TimeDelta = TimeDelta::days(14);

/// Reads the deployments of one repository.
pub struct Deployments {
    place: Place,
    since: Option<Moment>,
    size: u32,
}

impl Deployments {
    /// Of `place`: all, or those that may have changed since the watermark.
    pub fn new(place: Place, since: Option<Moment>) -> Deployments {
        Deployments { place, since: since.map(|since| since - STILL_CHANGING), size: 100 }
    }

    /// The page at `cursor`.
    pub async fn page(&mut self, client: &Client, cursor: &str) -> Result<Page, Failure> {
        let place = &self.place;
        let variables = |size| json!(PageOf::new(place, size, cursor));
        let (data, errors) =
            smaller_until_answered(client, &queries::deployments(), &mut self.size, variables)
                .await?;
        let (found, left) = repository::<wire::Deployments>(place, data, &errors)?;
        let next = found.deployments.page_info.next();
        let wires: Vec<_> = found.deployments.nodes.into_iter().flatten().collect();
        let reached_known = wires
            .last()
            .is_some_and(|last| self.since.is_some_and(|since| last.created_at < since));
        let deployments = wires.into_iter().map(mapping::deployment).collect();
        Ok(Page {
            facts: Facts { repository_id: place.id, deployments, ..Facts::default() },
            next: next.filter(|_| !reached_known),
            budget: left,
            ..Page::default()
        })
    }
}

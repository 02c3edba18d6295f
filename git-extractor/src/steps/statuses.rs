//! The statuses of deployments that have more than a page tells. They are few.

use domain::work::Gap;
use extractor::{Budget, Failure};

use super::rests::{self, Unfinished};
use crate::client::Client;
use crate::{queries, wire};

/// Fetches the rest of every list. A deployment of which GitHub stops telling becomes a gap, because its
/// best state may be among what is missing.
pub(super) async fn complete(
    client: &Client,
    deployments: &mut Vec<wire::Deployment>,
    left: &mut Option<Budget>,
) -> Result<Vec<Gap>, Failure> {
    let unfinished = deployments.iter().enumerate().filter_map(unfinished).collect();
    let query = |some: &[Unfinished]| {
        queries::more_statuses(some.iter().map(|list| (&*list.id, &*list.after)))
    };
    let take_in = |list: &Unfinished, more| {
        let wire::MoreStatuses { statuses } = serde_json::from_value(more).ok()?;
        let known = deployments[list.position].statuses.as_mut()?;
        known.nodes.extend(statuses.nodes);
        Some(statuses.page_info.unwrap_or_default())
    };
    let lost = rests::complete(client, unfinished, left, query, take_in).await?;
    Ok(rests::drop_lost(deployments, lost, |deployment| Gap {
        scope: format!("deployment {}", deployment.id),
        reason: "GitHub did not tell all of its statuses.".to_owned(),
    }))
}

fn unfinished((position, wire): (usize, &wire::Deployment)) -> Option<Unfinished> {
    let after = wire.statuses.as_ref()?.page_info.as_ref()?.next()?;
    Some(Unfinished { position, id: wire.id.clone(), connection: "statuses", after })
}

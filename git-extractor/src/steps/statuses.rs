//! The statuses of deployments that have more than a page tells. They are few.

use domain::work::Gap;
use extractor::{Budget, Failure};
use serde_json::{Map, Value, json};

use super::{budget, for_now};
use crate::client::Client;
use crate::{queries, wire};

/// Lists per query.
const AT_ONCE: usize = 50;

/// A list of statuses that goes on.
struct Unfinished {
    /// The deployment's position in the page.
    position: usize,
    id: String,
    after: String,
}

impl Unfinished {
    fn of((position, wire): (usize, &wire::Deployment)) -> Option<Unfinished> {
        let after = wire.statuses.as_ref()?.page_info.as_ref()?.next()?;
        Some(Unfinished { position, id: wire.id.clone(), after })
    }
}

/// Fetches the rest of every list, several per query. A deployment of which GitHub stops telling becomes a
/// gap, because its best state may be among what is missing.
pub(super) async fn complete(
    client: &Client,
    deployments: &mut Vec<wire::Deployment>,
    mut left: Option<Budget>,
) -> Result<(Option<Budget>, Vec<Gap>), Failure> {
    let mut unfinished: Vec<Unfinished> =
        deployments.iter().enumerate().filter_map(Unfinished::of).collect();
    let mut at_once = AT_ONCE;
    let mut lost = Vec::new();
    while !unfinished.is_empty() {
        let some = unfinished.split_off(unfinished.len().saturating_sub(at_once));
        let query = queries::more_statuses(some.iter().map(|list| (&*list.id, &*list.after)));
        let mut data: Map<String, Value> = match client.query(&query, json!({})).await {
            Ok((data, _)) => data,
            Err(Failure::TooLarge { .. }) if at_once > 1 => {
                at_once = 1;
                unfinished.extend(some);
                continue;
            }
            Err(failure) => return Err(for_now(failure, "the rest of one list")),
        };
        if let Some(limit) = data.remove("rateLimit").and_then(|v| serde_json::from_value(v).ok()) {
            left = Some(budget(limit));
        }
        for (number, list) in some.into_iter().enumerate() {
            let more = data.remove(&format!("a{number}"));
            let more = more.and_then(|v| serde_json::from_value::<wire::MoreStatuses>(v).ok());
            let Some(wire::MoreStatuses { statuses }) = more else {
                lost.push(list.position);
                continue;
            };
            let next = statuses.page_info.as_ref().and_then(wire::PageInfo::next);
            if let Some(known) = &mut deployments[list.position].statuses {
                known.nodes.extend(statuses.nodes);
            }
            unfinished.extend(next.map(|after| Unfinished { after, ..list }));
        }
    }
    Ok((left, drop_lost(deployments, lost)))
}

fn drop_lost(deployments: &mut Vec<wire::Deployment>, mut lost: Vec<usize>) -> Vec<Gap> {
    lost.sort_unstable();
    let gap = |position| Gap {
        scope: format!("deployment {}", deployments.remove(position).id),
        reason: "GitHub did not tell all of its statuses.".to_owned(),
    };
    lost.into_iter().rev().map(gap).collect()
}

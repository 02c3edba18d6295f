//! The rests of nested lists that were cut off, several per query.

use domain::work::Gap;
use extractor::{Budget, Failure};
use serde_json::{Map, Value, json};

use super::{budget, for_now};
use crate::client::Client;
use crate::wire::PageInfo;

/// Lists per query.
const AT_ONCE: usize = 50;

/// A nested list that goes on.
#[derive(Debug)]
pub(super) struct Unfinished {
    /// The position in the page of what it belongs to.
    pub(super) position: usize,
    /// GitHub's global id of that.
    pub(super) id: String,
    pub(super) connection: &'static str,
    pub(super) after: String,
}

/// Asks for the rest of each list until there is none. `take_in` tells how far a list was told then, or
/// nothing when GitHub no longer shows what it belongs to. Answers the positions of all such.
pub(super) async fn complete(
    client: &Client,
    mut unfinished: Vec<Unfinished>,
    left: &mut Option<Budget>,
    query: impl Fn(&[Unfinished]) -> String + Send,
    mut take_in: impl FnMut(&Unfinished, Value) -> Option<PageInfo> + Send,
) -> Result<Vec<usize>, Failure> {
    let mut at_once = AT_ONCE;
    let mut lost = Vec::new();
    while !unfinished.is_empty() {
        let some = unfinished.split_off(unfinished.len().saturating_sub(at_once));
        let mut data: Map<String, Value> = match client.query(&query(&some), json!({})).await {
            Ok((data, _)) => data,
            Err(Failure::TooLarge { .. }) if at_once > 1 => {
                at_once = 1;
                unfinished.extend(some);
                continue;
            }
            Err(failure) => return Err(for_now(failure, "the rest of one list")),
        };
        if let Some(limit) = data.remove("rateLimit").and_then(|v| serde_json::from_value(v).ok()) {
            *left = Some(budget(limit));
        }
        for (number, list) in some.into_iter().enumerate() {
            let told = data.remove(&format!("a{number}")).and_then(|more| take_in(&list, more));
            match told {
                Some(info) => {
                    unfinished.extend(info.next().map(|after| Unfinished { after, ..list }));
                }
                None => lost.push(list.position),
            }
        }
    }
    Ok(lost)
}

/// Takes out what is not complete: what is kept replaces what was, so half of it would delete the other
/// half. Each becomes a gap.
pub(super) fn drop_lost<T>(
    rows: &mut Vec<T>,
    mut lost: Vec<usize>,
    gap: impl Fn(T) -> Gap,
) -> Vec<Gap> {
    lost.sort_unstable();
    lost.dedup();
    lost.into_iter().rev().map(|position| gap(rows.remove(position))).collect()
}

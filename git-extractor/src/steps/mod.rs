//! What each step asks, page by page.

pub mod commits;
pub mod deployments;
pub mod missing_commits;
pub mod pull_requests;
pub mod repositories;
mod rests;
mod statuses;

use domain::work::Gap;
use extractor::paging::smaller_until_answered;
use extractor::{Budget, Failure, PageSize};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::{Answered, Client};
use crate::wire;

/// A repository to ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// GitHub's id.
    pub id: i64,
    /// The owner of today.
    pub owner: String,
    /// The name of today.
    pub name: String,
}

impl Place {
    /// From `owner/name`.
    pub fn new(id: i64, full_name: &str) -> Option<Place> {
        let (owner, name) = full_name.split_once('/')?;
        Some(Place { id, owner: owner.to_owned(), name: name.to_owned() })
    }
}

/// The variables of a paged query on one repository.
#[derive(Debug, Serialize)]
struct PageOf<'a> {
    o: &'a str,
    r: &'a str,
    p: u32,
    after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

impl<'a> PageOf<'a> {
    fn new(place: &'a Place, size: u32, cursor: &'a str) -> PageOf<'a> {
        let after = (!cursor.is_empty()).then_some(cursor);
        PageOf { o: &place.owner, r: &place.name, p: size, after, since: None }
    }
}

/// The data of a query on one repository, and what is left of the quota.
fn repository<T>(
    place: &Place,
    data: wire::OfRepository<T>,
    errors: &[wire::GraphqlError],
) -> Result<(T, Option<Budget>), Failure> {
    let budget = data.rate_limit.map(budget);
    match data.repository {
        Some(repository) => Ok((repository, budget)),
        None => {
            let said = errors.first().map_or("it is gone", |error| error.message.as_str());
            Err(Failure::Unreadable {
                detail: format!(
                    "GitHub does not show {}/{} to this token: {said} \
                     Ask an owner to grant read access, or take it off the list.",
                    place.owner, place.name
                ),
            })
        }
    }
}

/// Entries that could not be read while their siblings could.
fn gaps<'a>(
    place: &'a Place,
    errors: &'a [wire::GraphqlError],
) -> impl Iterator<Item = Gap> + use<'a> {
    errors.iter().map(|error| Gap {
        scope: format!("{}/{}", place.owner, place.name),
        reason: format!("GitHub left something out: {}", error.message),
    })
}

/// Why a list is missing that an empty repository would not have, if GitHub says anything about it.
fn missing(place: &Place, errors: &[wire::GraphqlError]) -> Option<Failure> {
    let error = errors.first()?;
    let Place { owner, name, .. } = place;
    let said = &error.message;
    Some(if error.is_refusal() {
        let detail = format!(
            "GitHub does not show all of {owner}/{name} to this token: {said} \
             Ask an owner to grant Contents: read."
        );
        Failure::Unreadable { detail }
    } else {
        let detail = format!("GitHub left out a part of {owner}/{name}: {said} We ask again.");
        Failure::Passing { detail }
    })
}

/// What GraphQL tells about the quota.
fn budget(limit: wire::RateLimit) -> Budget {
    Budget { limit: limit.limit, remaining: limit.remaining, resets_at: limit.reset_at }
}

/// A query for a list, of as many entries as GitHub can bear.
async fn listed<T: DeserializeOwned + Send>(
    client: &Client,
    query: &str,
    size: &mut PageSize,
    variables: impl Fn(u32) -> serde_json::Value + Send + Sync,
) -> Result<Answered<T>, Failure> {
    let asked = smaller_until_answered(size, |size| client.query(query, variables(size))).await;
    asked.map_err(|failure| for_now(failure, "the smallest page"))
}

/// What is too large even when it is small: GitHub has a bad hour.
fn for_now(failure: Failure, what: &str) -> Failure {
    match failure {
        Failure::TooLarge { .. } => {
            let detail = format!("GitHub cannot answer even {what} now; we try again.");
            Failure::Passing { detail }
        }
        other => other,
    }
}

//! What each step asks, page by page.

pub mod commits;
pub mod deployments;
pub mod pull_requests;
pub mod repositories;

use extractor::{Budget, Failure};
use serde::Serialize;

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

/// What GraphQL tells about the quota.
fn budget(limit: wire::RateLimit) -> Budget {
    Budget { limit: limit.limit, remaining: limit.remaining, resets_at: limit.reset_at }
}

/// A query for lists that never were too large so far: half of it, down to one.
async fn smaller_until_answered<T: serde::de::DeserializeOwned + Send>(
    client: &Client,
    query: &str,
    size: &mut u32,
    variables: impl Fn(u32) -> serde_json::Value,
) -> Result<(T, Vec<wire::GraphqlError>), Failure> {
    loop {
        match client.query(query, variables(*size)).await? {
            Answered::Data(data, errors) => return Ok((data, errors)),
            Answered::TooLarge if *size > 1 => *size /= 2,
            Answered::TooLarge => {
                return Err(Failure::Passing {
                    detail: "GitHub cannot answer even the smallest page now; we try again."
                        .to_owned(),
                });
            }
        }
    }
}

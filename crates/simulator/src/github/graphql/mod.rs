//! The GraphQL API: real parsing, real costs, and the part of the schema that extractors use.

mod cost;
mod cursor;
mod execute;
mod node;
mod of_pull;
mod of_repository;
mod page;
mod query;
mod schema;

use bytes::Bytes;

use crate::json;
use crate::quota::Standing;
use crate::request::{Answer, Bill, Request, Verb};
use crate::state::State;
use crate::world::World;
use query::Query;

const ROUTE: &str = "graphql";
/// Where single things are asked for by their global ids, such as the rests of lists.
const ROUTE_OF_NODES: &str = "graphql/node";
const NODES_MAX: u64 = 500_000;

/// What a query is refused with: nothing of it is answered.
#[derive(Debug)]
struct Refusal {
    status: u16,
    kind: Option<&'static str>,
    message: String,
}

impl Refusal {
    fn new(kind: &'static str, message: String) -> Refusal {
        Refusal { status: 200, kind: Some(kind), message }
    }

    fn plain(message: String) -> Refusal {
        Refusal { status: 200, kind: None, message }
    }

    /// What GitHub says when it gave up in the middle of a query.
    fn too_slow() -> Refusal {
        let message = "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug.";
        Refusal { status: 502, kind: None, message: message.to_owned() }
    }
}

/// Answers `POST /graphql`.
pub fn answer(state: &State, world: &World, request: &Request) -> Answer {
    if request.verb != Verb::Post {
        return super::refusal(ROUTE, 404, "Not Found");
    }
    match try_answer(state, world, request.body) {
        Ok(answer) => answer,
        Err(Refusal { status, kind, message }) => {
            let body = json::object(|o| {
                if status != 200 {
                    o.put("data", &());
                }
                o.list("errors", |l| {
                    l.object(|o| {
                        if let Some(kind) = kind {
                            o.put("type", kind);
                        }
                        o.put("message", &message);
                    });
                });
            });
            Answer {
                bill: Some(Bill { cost: 1, ..Bill::default() }),
                ..Answer::json(ROUTE, status, body)
            }
        }
    }
}

fn try_answer(state: &State, world: &World, body: &[u8]) -> Result<Answer, Refusal> {
    let sent = query::Sent::read(body)?;
    let query = Query::parse(&sent)?;
    let bill = cost::of(&query)?;
    if bill.nodes > NODES_MAX {
        return Err(Refusal::new(
            "MAX_NODE_LIMIT_EXCEEDED",
            format!(
                "This query requests up to {} possible nodes which exceeds the maximum limit of 500,000.",
                cost::with_commas(bill.nodes)
            ),
        ));
    }
    let done = execute::run(world, &query, state.options.busy_page_max)?;
    let bill = Bill { places: done.rate_limits, ..bill };
    let route = if query.asks_for_nodes() { ROUTE_OF_NODES } else { ROUTE };
    Ok(Answer { bill: Some(bill), ..Answer::json(route, 200, done.body) })
}

/// With what the query cost, in the places where the query wants to know.
pub fn with_rate_limit(answer: Answer, standing: Standing) -> Answer {
    let Some(bill) = answer.bill.as_ref().filter(|bill| !bill.places.is_empty()) else {
        return answer;
    };
    let reset = chrono::DateTime::from_timestamp(standing.reset, 0).unwrap_or_default();
    let mut body = Vec::with_capacity(answer.body.len() + 200);
    let mut copied = 0;
    for (place, fields) in &bill.places {
        body.extend_from_slice(&answer.body[copied..*place]);
        copied = *place;
        json::object_into(&mut body, |o| {
            for (key, field) in fields {
                match field.as_str() {
                    "limit" => o.put(key, &standing.limit),
                    "cost" => o.put(key, &bill.cost),
                    "remaining" => o.put(key, &standing.remaining()),
                    "used" => o.put(key, &standing.used),
                    "resetAt" => o.put(key, &crate::moment::Moment::from(reset).github()),
                    "nodeCount" => o.put(key, &bill.nodes),
                    _ => o.put(key, "RateLimit"),
                };
            }
        });
    }
    body.extend_from_slice(&answer.body[copied..]);
    Answer { body: Bytes::from(body), ..answer }
}

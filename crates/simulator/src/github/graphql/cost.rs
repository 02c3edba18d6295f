//! What a query costs, by GitHub's formula: the requests that it would take to fill every
//! connection, divided by a hundred; and how many nodes it could give.

use super::Refusal;
use super::query::Query;
use crate::request::Bill;

/// Fields that page, whatever they hang on.
pub const CONNECTIONS: [&str; 13] = [
    "pullRequests",
    "commits",
    "reviews",
    "comments",
    "timelineItems",
    "reviewThreads",
    "labels",
    "history",
    "parents",
    "statuses",
    "deployments",
    "releases",
    "repositories",
];
const PAGE_MAX: i64 = 100;

/// The bill of a query, before it is answered.
pub fn of(query: &Query) -> Result<Bill, Refusal> {
    let mut sum = Sum::default();
    add(query, &[&query.root], 1, &mut sum)?;
    let cost = ((sum.requests + 50) / 100).max(1);
    Ok(Bill { cost: u32::try_from(cost).unwrap_or(u32::MAX), nodes: sum.nodes, places: Vec::new() })
}

#[derive(Default)]
struct Sum {
    requests: u64,
    nodes: u64,
}

fn add<'q>(
    query: &Query<'q>,
    sets: &[&graphql_parser::query::SelectionSet<'q, &'q str>],
    parents: u64,
    sum: &mut Sum,
) -> Result<(), Refusal> {
    // Every fragment counts, whether or not it will apply.
    for (_, fields) in query.fields(sets, &|_| true)? {
        for field in fields {
            let arguments = query.arguments(field)?;
            let page = if field.name == "nodes" && !field.arguments.is_empty() {
                arguments.texts("ids").map(|ids| ids.len() as i64)
            } else if CONNECTIONS.contains(&field.name) {
                Some(page_size(field.name, arguments.number("first").or(arguments.number("last")))?)
            } else {
                None
            };
            let mut children = parents;
            if let Some(page) = page {
                children = parents.saturating_mul(page as u64);
                sum.requests = sum.requests.saturating_add(parents);
                sum.nodes = sum.nodes.saturating_add(children);
            }
            add(query, &[&field.selection_set], children, sum)?;
        }
    }
    Ok(())
}

fn page_size(field: &str, asked: Option<i64>) -> Result<i64, Refusal> {
    let Some(asked) = asked else {
        return Err(Refusal::new(
            "MISSING_PAGINATION_BOUNDARIES",
            format!(
                "You must provide a `first` or `last` value to properly paginate the `{field}` connection."
            ),
        ));
    };
    if asked > PAGE_MAX {
        return Err(Refusal::new(
            "EXCESSIVE_PAGINATION",
            format!(
                "Requesting {asked} records on the `{field}` connection exceeds the `first` limit of 100 records."
            ),
        ));
    }
    if asked < 1 {
        return Err(Refusal::new(
            "ARGUMENT_LIMIT",
            format!("`first` on the `{field}` connection cannot be less than one."),
        ));
    }
    Ok(asked)
}

/// `506650` as `506,650`.
pub fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::query::{Query, Sent};
    use super::*;

    fn bill(query: &str) -> Result<Bill, Refusal> {
        let body = serde_json::to_vec(&serde_json::json!({ "query": query })).unwrap();
        let sent = Sent::read(&body).unwrap();
        of(&Query::parse(&sent).unwrap())
    }

    #[test]
    fn a_query_costs_what_github_says() {
        let nested = |inner: &str| {
            format!(
                "{{rateLimit{{cost}} repository(owner:\"o\",name:\"r\"){{databaseId
                 pullRequests(first:25){{nodes{{id labels(first:20){{nodes{{name}}}}
                 commits(first:50){{nodes{{commit{{oid}}}}}} reviews(first:50){{nodes{{id {inner}}}}}
                 comments(first:50){{nodes{{id}}}} timelineItems(first:50){{nodes{{__typename}}}}}}}}}}}}"
            )
        };
        let flat = bill(&nested("")).unwrap();
        assert_eq!((flat.cost, flat.nodes), (1, 5_525));
        let deep = bill(&nested("comments(first:50){nodes{id}}")).unwrap();
        assert_eq!((deep.cost, deep.nodes), (14, 68_025));
    }

    #[test]
    fn pages_without_bounds_are_refused() {
        let cases = [
            (
                "{repository(owner:\"o\",name:\"r\"){pullRequests{nodes{id}}}}",
                "MISSING_PAGINATION_BOUNDARIES",
            ),
            (
                "{repository(owner:\"o\",name:\"r\"){pullRequests(first:101){nodes{id}}}}",
                "EXCESSIVE_PAGINATION",
            ),
        ];
        for (query, kind) in cases {
            assert_eq!(bill(query).unwrap_err().kind, Some(kind));
        }
        assert_eq!(with_commas(506_650), "506,650");
    }
}

//! GitHub's REST and GraphQL APIs, as far as an extractor needs them.

mod graphql;
mod links;
mod rest;
mod write;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::company::Company;
use crate::json;
use crate::quota::{Quota, Standing};
use crate::request::{Answer, Request};
use crate::state::State;

/// Answers a call; the path starts behind `/github`. `page` is everything that decides the answer.
pub fn answer(state: &State, request: &Request, page: &[u8], known: Option<&str>) -> Answer {
    if request.user_agent.is_none_or(str::is_empty) {
        let text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.";
        return refusal("without user agent", 403, text);
    }
    let companies = state.companies();
    let caller = request.bearer().and_then(|token| {
        companies.iter().position(|company| company.account.github.token == token)
    });
    drop(companies);
    let Some(company) = caller else {
        return match request.authorization {
            Some(_) => refusal("bad credentials", 401, "Bad credentials"),
            None => refusal("without credentials", 401, "Requires authentication"),
        };
    };
    let graphql = request.path.first().is_some_and(|part| part == "graphql");
    let (quota, resource) =
        if graphql { (&state.graphql_quota, "graphql") } else { (&state.rest_quota, "core") };
    let who = request.bearer().unwrap_or_default();
    if request.path.first().is_some_and(|part| part == "rate_limit") {
        return rate_limit(state, who);
    }
    if quota.charge(who, 0).remaining() == 0 {
        return exhausted(quota, who, graphql, resource);
    }
    let answer = state.page(page, |companies: &[Company]| {
        let world = &companies[company].world;
        if graphql {
            graphql::answer(state, world, request)
        } else {
            with_tag(rest::answer(state, &companies[company], request))
        }
    });
    let answer = Arc::unwrap_or_clone(answer);
    if let Some(known) = known
        && answer.headers.iter().any(|(name, value)| *name == "etag" && value == known)
    {
        let unchanged = Answer { headers: answer.headers, ..Answer::empty(answer.route, 304) };
        return with_standing(unchanged, quota.charge(who, 0), resource);
    }
    let cost = answer.bill.as_ref().map_or(1, |bill| bill.cost);
    let standing = quota.charge(who, cost);
    let answer = if graphql { graphql::with_rate_limit(answer, standing) } else { answer };
    with_standing(answer, standing, resource)
}

fn with_tag(answer: Answer) -> Answer {
    if answer.status != 200 {
        return answer;
    }
    let mut hasher = DefaultHasher::new();
    answer.body.hash(&mut hasher);
    answer.headers.hash(&mut hasher);
    let tag = format!("W/\"{:016x}\"", hasher.finish());
    answer.with("etag", tag)
}

fn with_standing(answer: Answer, standing: Standing, resource: &str) -> Answer {
    answer
        .with("x-ratelimit-limit", standing.limit.to_string())
        .with("x-ratelimit-remaining", standing.remaining().to_string())
        .with("x-ratelimit-used", standing.used.to_string())
        .with("x-ratelimit-reset", standing.reset.to_string())
        .with("x-ratelimit-resource", resource)
        .with("x-github-media-type", "github.v3; format=json")
}

fn exhausted(quota: &Quota, who: &str, graphql: bool, resource: &str) -> Answer {
    let answer = if graphql {
        let body = br#"{"errors":[{"type":"RATE_LIMIT","code":"graphql_rate_limit","message":"API rate limit already exceeded for user ID 501."}]}"#;
        Answer::json("graphql exhausted", 200, body.to_vec())
    } else {
        refusal("exhausted", 403, "API rate limit exceeded for user ID 501.")
    };
    with_standing(answer, quota.charge(who, 0), resource)
}

fn rate_limit(state: &State, who: &str) -> Answer {
    let standings = [
        ("core", state.rest_quota.charge(who, 0)),
        ("graphql", state.graphql_quota.charge(who, 0)),
    ];
    let body = json::object(|o| {
        let write = |o: &mut json::Object, standing: &Standing| {
            o.put("limit", &standing.limit).put("used", &standing.used);
            o.put("remaining", &standing.remaining()).put("reset", &standing.reset);
        };
        o.object("resources", |o| {
            for (name, standing) in &standings {
                o.object(name, |o| write(o, standing));
            }
        });
        o.object("rate", |o| write(o, &standings[0].1));
    });
    Answer::json("rate_limit", 200, body)
}

fn refusal(route: &'static str, status: u16, text: &str) -> Answer {
    let body = json::object(|o| {
        o.put("message", text);
        o.put("documentation_url", "https://docs.github.com/rest");
        o.put("status", &status.to_string());
    });
    Answer::json(route, status, body)
}

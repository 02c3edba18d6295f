//! `POST /search/jql`: pages behind opaque tokens that belong to one query.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::issue::{self, Selection};
use super::jql::Query;
use super::{Site, reference, refusal};
use crate::json;
use crate::request::{Answer, Request, Verb};
use crate::state::State;
use crate::world::jira::Issue;

const ROUTE: &str = "search/jql";
const IDS_MAX: usize = 5_000;
const ISSUES_MAX: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    #[serde(default)]
    jql: String,
    max_results: Option<usize>,
    #[serde(default)]
    fields: Option<Vec<String>>,
    #[serde(default)]
    expand: Option<String>,
    #[serde(default)]
    next_page_token: Option<String>,
    #[serde(default)]
    reconcile_issues: Option<Vec<u64>>,
    #[serde(default)]
    properties: Option<Vec<String>>,
}

impl Asked {
    fn read(request: &Request) -> Result<Asked, String> {
        if request.verb == Verb::Post {
            return serde_json::from_slice(request.body)
                .map_err(|error| format!("Invalid request payload. {error}"));
        }
        let owned = |key: &str| request.asked(key).map(str::to_owned);
        let commas = |text: &str| text.split(',').map(str::to_owned).collect();
        Ok(Asked {
            jql: owned("jql").unwrap_or_default(),
            max_results: request.asked_number("maxResults"),
            fields: request.asked("fields").map(commas),
            expand: owned("expand"),
            next_page_token: owned("nextPageToken"),
            reconcile_issues: request
                .asked("reconcileIssues")
                .map(|ids| ids.split(',').filter_map(|id| id.parse().ok()).collect()),
            properties: None,
        })
    }
}

/// A page of issues.
pub fn page(state: &State, site: &Site, request: &Request) -> Answer {
    match try_page(state, site, request) {
        Ok(answer) => answer,
        Err(text) => refusal(ROUTE, 400, &text),
    }
}

fn try_page(state: &State, site: &Site, request: &Request) -> Result<Answer, String> {
    let asked = Asked::read(request)?;
    if asked.properties.as_ref().is_some_and(|properties| properties.len() > 5) {
        return Err("The maximum number of properties is 5.".to_owned());
    }
    let fresh = asked.reconcile_issues.unwrap_or_default();
    if fresh.len() > 50 {
        return Err("The maximum number of issues to reconcile is 50.".to_owned());
    }
    let selection = Selection::of(asked.fields.as_deref().unwrap_or_default());
    let expand = asked.expand.unwrap_or_default();
    let with_changelog = expand.split(',').any(|part| part.trim() == "changelog");
    let most = if selection.only_ids() && !with_changelog { IDS_MAX } else { ISSUES_MAX };
    let size = asked.max_results.unwrap_or(50).clamp(1, most);
    let query = Query::read(&asked.jql, site.world, reference::ZONE)?;
    let found = find(state, site, &asked.jql, &query, &fresh);
    let issues = &site.world.jira.issues;
    let start = match asked.next_page_token.as_deref().filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => {
            let last = place_in(token, &asked.jql)
                .ok_or("The nextPageToken is invalid or has expired.")?;
            found.partition_point(|&at| query.place(site.world, &issues[at], at) <= last)
        }
    };
    let shown = &found[start..found.len().min(start + size)];
    let is_last = start + shown.len() >= found.len();
    let body = json::object(|o| {
        o.list("issues", |l| {
            for &at in shown {
                l.object(|o| issue::write(o, site, &issues[at], &selection, with_changelog));
            }
        });
        if let Some(&last) = shown.last().filter(|_| !is_last) {
            let place = query.place(site.world, &issues[last], last);
            o.put("nextPageToken", &token(&asked.jql, &place));
        }
        o.put("isLast", &is_last);
    });
    Ok(Answer::json(ROUTE, 200, body))
}

/// How many issues a query finds, about.
pub fn count(state: &State, site: &Site, request: &Request) -> Answer {
    let route = "search/approximate-count";
    let asked = match Asked::read(request) {
        Ok(asked) => asked,
        Err(text) => return refusal(route, 400, &text),
    };
    match Query::read(&asked.jql, site.world, reference::ZONE) {
        Ok(query) => {
            let count = find(state, site, &asked.jql, &query, &[]).len();
            Answer::json(
                route,
                200,
                json::object(|o| {
                    o.put("count", &count);
                }),
            )
        }
        Err(text) => refusal(route, 400, &text),
    }
}

/// Everything that a query finds, in its order.
fn find(state: &State, site: &Site, jql: &str, query: &Query, fresh: &[u64]) -> Arc<Vec<usize>> {
    let lags = state.search_lags();
    let name = (site.company, jql.to_owned());
    if !lags
        && let Some(known) = state.results.lock().expect("nobody panics with the lock").get(&name)
    {
        return known.clone();
    }
    let fresh: HashSet<u64> = fresh.iter().copied().collect();
    let world = site.world;
    let finds = |at: usize, issue: &Issue| {
        if issue.deleted {
            return false;
        }
        if !lags || fresh.contains(&issue.id) {
            return query.finds(issue, at, issue.updated);
        }
        // The index still stands where it stood before the clock was advanced.
        issue.created < world.last_advanced() && query.finds(issue, at, issue.updated_before)
    };
    let mut found: Vec<(Vec<i64>, usize)> = world
        .jira
        .issues
        .iter()
        .enumerate()
        .filter(|(at, issue)| finds(*at, issue))
        .map(|(at, issue)| (query.place(world, issue, at), at))
        .collect();
    found.sort_unstable();
    let found = Arc::new(found.into_iter().map(|(_, at)| at).collect::<Vec<_>>());
    if !lags {
        state.results.lock().expect("nobody panics with the lock").insert(name, found.clone());
    }
    found
}

/// Tokens hold the place of the last issue shown, and bind to their query.
fn token(jql: &str, place: &[i64]) -> String {
    let numbers: Vec<String> = place.iter().map(i64::to_string).collect();
    URL_SAFE_NO_PAD.encode(format!("{:016x}.{}", fingerprint(jql), numbers.join(".")))
}

fn place_in(token: &str, jql: &str) -> Option<Vec<i64>> {
    let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (bound_to, numbers) = plain.split_once('.')?;
    if bound_to != format!("{:016x}", fingerprint(jql)) {
        return None;
    }
    numbers.split('.').map(|number| number.parse().ok()).collect()
}

fn fingerprint(jql: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    jql.hash(&mut hasher);
    hasher.finish()
}

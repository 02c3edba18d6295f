//! Jira Cloud's REST API v3 and its agile API, as far as an extractor needs them.

mod agile;
mod changelog;
mod issue;
mod jql;
mod reference;
mod search;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::company::Company;
use crate::json;
use crate::request::{Answer, Request, Verb};
use crate::state::State;
use crate::world::World;

/// Everything that an answer is made from.
struct Site<'a> {
    /// The position of the company, which keeps results of searches apart.
    company: usize,
    world: &'a World,
    /// The address of this Jira, for links to itself.
    url: String,
    account: &'a crate::company::JiraAccount,
}

/// Answers a call; the path starts behind `/jira`. `page` is everything that decides the answer.
pub fn answer(state: &State, request: &Request, page: &[u8]) -> Answer {
    let company = caller(&state.companies(), request);
    if let Some(quota) = &state.jira_quota {
        let who = format!("{company:?}");
        if quota.charge(&who, 1).remaining() == 0 {
            return too_many();
        }
    }
    let Some(company) = company else { return anonymous(state, request) };
    let render = |companies: &[Company]| {
        let Company { account, world } = &companies[company];
        let url = format!("{}/jira", state.url);
        let site = Site { company, world, url, account: &account.jira };
        route(state, &site, request)
    };
    if state.search_lags() {
        return render(&state.companies());
    }
    Arc::unwrap_or_clone(state.page(page, render))
}

fn route(state: &State, site: &Site, request: &Request) -> Answer {
    use Verb::{Get, Post};
    let path: Vec<&str> = request.path.iter().map(|part| &**part).collect();
    let ["rest", rest @ ..] = path.as_slice() else { return nothing_here() };
    match (request.verb, rest) {
        (_, ["api", "2" | "3", "search"]) => gone(),
        (Get | Post, ["api", "3", "search", "jql"]) => search::page(state, site, request),
        (Post, ["api", "3", "search", "approximate-count"]) => search::count(state, site, request),
        (Post, ["api", "3", "issue", "bulkfetch"]) => issue::bulk(site, request),
        (Get, ["api", "3", "issue", id]) => issue::one(site, request, id),
        (Get, ["api", "3", "issue", id, "changelog"]) => changelog::of_issue(site, request, id),
        (Get, ["api", "3", "issue", id, "comment"]) => issue::comments(site, request, id),
        (Get, ["api", "3", "issue", id, "worklog"]) => issue::worklogs(site, id),
        (Get, ["api", "3", "issue", id, "remotelink"]) => issue::remote_links(site, id),
        (Post, ["api", "3", "changelog", "bulkfetch"]) => changelog::bulk(site, request),
        (Get, ["api", "3", "project", "search"]) => reference::projects(site, request),
        (Get, ["api", "3", "project", key]) => reference::project(site, key),
        (Get, ["api", "3", "project", key, "statuses"]) => reference::project_statuses(site, key),
        (Get, ["api", "3", "status"]) => reference::statuses(site),
        (Get, ["api", "3", "issuetype"]) => reference::issue_types(site),
        (Get, ["api", "3", "field"]) => reference::fields(),
        (Get, ["api", "3", "field", "search"]) => reference::field_search(),
        (Get, ["api", "3", "priority"]) => reference::priorities(),
        (Get, ["api", "3", "serverInfo"]) => reference::server_info(&site.url, site.world.now),
        (Get, ["api", "3", "myself"]) => reference::myself(site),
        (Get, ["agile", "1.0", rest @ ..]) => agile::route(site, request, rest),
        _ => nothing_here(),
    }
}

fn caller(companies: &[Company], request: &Request) -> Option<usize> {
    let (scheme, code) = request.authorization?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = String::from_utf8(STANDARD.decode(code.trim()).ok()?).ok()?;
    let (username, token) = plain.split_once(':')?;
    companies.iter().position(|company| {
        let known = &company.account.jira;
        known.username.eq_ignore_ascii_case(username) && known.api_token == token
    })
}

/// What somebody gets whose token is bad: mostly 200 with nothing in it.
fn anonymous(state: &State, request: &Request) -> Answer {
    let path: Vec<&str> = request.path.iter().map(|part| &**part).collect();
    let answer = match path.as_slice() {
        ["rest", "api", "3", "search", "jql"] => {
            let body = br#"{"issues":[],"isLast":true}"#.to_vec();
            Answer::json("search/jql anonymous", 200, body)
        }
        ["rest", "api", "3", "project", "search"] => {
            let body =
                br#"{"maxResults":50,"startAt":0,"total":0,"isLast":true,"values":[]}"#.to_vec();
            Answer::json("project/search anonymous", 200, body)
        }
        ["rest", "api", "3", "status" | "issuetype" | "priority"] => {
            Answer::json("lists anonymous", 200, b"[]".to_vec())
        }
        ["rest", "api", "3", "field"] => reference::fields(),
        ["rest", "api", "3", "serverInfo"] => {
            let companies = state.companies();
            reference::server_info(&format!("{}/jira", state.url), companies[0].world.now)
        }
        ["rest", "api", "3", "issue", ..] => no_such_issue("issue anonymous"),
        ["rest", "api", "2" | "3", "search"] => gone(),
        _ => {
            let body =
                br#"{"message":"Client must be authenticated to access this resource.","status-code":401}"#;
            Answer::json("refused anonymous", 401, body.to_vec())
        }
    };
    match request.authorization {
        Some(_) => answer.with("x-seraph-loginreason", "AUTHENTICATED_FAILED"),
        None => answer,
    }
}

fn too_many() -> Answer {
    let body = br#"{"errorMessages":["The request has been rate-limited. Please try again later."],"errors":{},"status":429}"#;
    Answer::json("throttled", 429, body.to_vec())
        .with("ratelimit-reason", "jira-burst-based")
        .with("retry-after", "1")
}

fn gone() -> Answer {
    let text = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline is available in the changelog.";
    refusal("search (removed)", 410, text)
}

fn nothing_here() -> Answer {
    let body = br#"{"message":"null for uri","status-code":404}"#.to_vec();
    Answer::json("elsewhere in jira", 404, body)
}

fn no_such_issue(route: &'static str) -> Answer {
    refusal(route, 404, "Issue does not exist or you do not have permission to see it.")
}

fn refusal(route: &'static str, status: u16, text: &str) -> Answer {
    let body = json::object(|o| {
        o.put("errorMessages", &[text]).object("errors", |_| {});
    });
    Answer::json(route, status, body)
}

/// Which part of a list to show: `startAt`, and `maxResults` within a cap.
fn window(request: &Request, usual: usize, most: usize) -> (usize, usize) {
    let start = request.asked_number("startAt").unwrap_or(0);
    (start, request.asked_number("maxResults").unwrap_or(usual).clamp(1, most))
}

/// A page of a list, as most of Jira's lists are paged.
fn paged<T>(
    route: &'static str,
    request: &Request,
    most: usize,
    items: &[T],
    write: impl Fn(&mut json::Object, &T),
) -> Answer {
    let (start, size) = window(request, 50.min(most), most);
    let shown = items.iter().skip(start).take(size);
    let body = json::object(|o| {
        o.put("maxResults", &size).put("startAt", &start).put("total", &items.len());
        o.put("isLast", &(start + size >= items.len()));
        o.list("values", |l| {
            for item in shown {
                l.object(|o| write(o, item));
            }
        });
    });
    Answer::json(route, 200, body)
}

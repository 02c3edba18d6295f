//! The history of issues, in the three ways that Jira tells it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::issue::write_person;
use super::{Site, no_such_issue, paged, refusal};
use crate::json::{self, Object};
use crate::request::{Answer, Request};
use crate::world::jira::{History, Issue, Item};

/// Searches tell only the newest, and do not say so.
const EMBEDDED_MAX: usize = 40;
const BULK_MAX: usize = 1_000;

/// The newest changes of an issue, newest first.
pub fn write_newest(o: &mut Object, site: &Site, issue: &Issue) {
    let shown = issue.histories.len().min(EMBEDDED_MAX);
    o.put("startAt", &0).put("maxResults", &shown).put("total", &shown);
    o.list("histories", |l| {
        for history in issue.histories.iter().rev().take(EMBEDDED_MAX) {
            l.object(|o| write(o, site, history, None));
        }
    });
}

/// All changes of an issue, oldest first, a hundred at a time.
pub fn of_issue(site: &Site, request: &Request, id: &str) -> Answer {
    let route = "issue/{id}/changelog";
    let Some(issue) = site.world.jira.find(id) else { return no_such_issue(route) };
    paged(route, request, 100, &issue.histories, |o, history| write(o, site, history, None))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bulk {
    issue_ids_or_keys: Vec<String>,
    #[serde(default)]
    field_ids: Vec<String>,
    #[serde(default)]
    max_results: Option<usize>,
    #[serde(default)]
    next_page_token: Option<String>,
}

/// The changes of up to a thousand issues, by time across all of them.
pub fn bulk(site: &Site, request: &Request) -> Answer {
    let route = "changelog/bulkfetch";
    let asked: Bulk = match serde_json::from_slice(request.body) {
        Ok(asked) => asked,
        Err(error) => return refusal(route, 400, &format!("Invalid request payload. {error}")),
    };
    if asked.issue_ids_or_keys.len() > 1_000 {
        return refusal(route, 400, "The maximum number of issues is 1000.");
    }
    if asked.field_ids.len() > 10 {
        return refusal(route, 400, "The maximum number of field IDs is 10.");
    }
    let wanted = |item: &Item| {
        let id = item.field.words().2;
        asked.field_ids.is_empty() || asked.field_ids.iter().any(|wanted| id == Some(wanted))
    };
    let mut all: Vec<(&Issue, &History)> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for issue in asked.issue_ids_or_keys.iter().filter_map(|id| site.world.jira.find(id)) {
        if seen.insert(issue.id) {
            let told = issue.histories.iter().filter(|history| history.items.iter().any(wanted));
            all.extend(told.map(|history| (issue, history)));
        }
    }
    all.sort_by_key(|(_, history)| (history.at, history.id));
    let start = match asked.next_page_token.as_deref().map(offset_in) {
        None => 0,
        Some(Some(start)) => start,
        Some(None) => return refusal(route, 400, "The nextPageToken is invalid."),
    };
    let size = asked.max_results.unwrap_or(BULK_MAX).clamp(1, BULK_MAX);
    let mut shown: Vec<(&Issue, &History)> = all.iter().skip(start).take(size).copied().collect();
    let next = (start + size < all.len()).then(|| token(start + size));
    // Stable, so that each issue keeps its own order of time.
    shown.sort_by_key(|(issue, _)| issue.id);
    let body = json::object(|o| {
        o.list("issueChangeLogs", |l| {
            for changes in shown.chunk_by(|(one, _), (other, _)| one.id == other.id) {
                l.object(|o| {
                    o.put("issueId", &changes[0].0.id.to_string());
                    o.list("changeHistories", |l| {
                        for (_, history) in changes {
                            l.object(|o| write(o, site, history, Some(&wanted)));
                        }
                    });
                });
            }
        });
        o.put("nextPageToken", &next);
    });
    Answer::json(route, 200, body)
}

/// In bulk, times are numbers and only the wanted items are told.
fn write(o: &mut Object, site: &Site, history: &History, bulk: Option<&dyn Fn(&Item) -> bool>) {
    o.put("id", &history.id.to_string());
    if history.author.is_some() {
        write_person(o, "author", site, history.author);
    }
    match bulk {
        Some(_) => o.put("created", &history.at.0),
        None => o.put("created", &history.at.jira()),
    };
    o.list("items", |l| {
        for item in history.items.iter().filter(|item| bulk.is_none_or(|wanted| wanted(item))) {
            let (field, kind, id) = item.field.words();
            l.object(|o| {
                o.put("field", field).put("fieldtype", kind);
                if let Some(id) = id {
                    o.put("fieldId", id);
                }
                o.put("from", &item.from).put("fromString", &item.from_string);
                o.put("to", &item.to).put("toString", &item.to_string);
            });
        }
    });
}

fn token(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("changes.{offset}"))
}

fn offset_in(token: &str) -> Option<usize> {
    let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    plain.strip_prefix("changes.")?.parse().ok()
}

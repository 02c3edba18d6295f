//! A graded test of a connection, and a search for repositories to pick from.

use std::collections::HashMap;

use chrono::{TimeDelta, Utc};
use extractor::report::{Grade, Report, Scope, ScopeCheck, Scopes};
use extractor::{Connection, Failure};
use platform::upstream::{self, header::HeaderMap};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{self, Client, Listed};
use crate::{queries, wire};

/// Repositories that a search answers with at most.
const FOUND_MAX: usize = 50;
/// Pages that a search looks through.
const PAGES_MAX: usize = 10;
/// A clock that is further off than this is worth a word.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Tests the connection step by step; what fails is in the report, not an error.
///
/// # Errors
/// GitHub asks to wait, which is no verdict.
pub async fn test(client: &Client, connection: &Connection) -> Result<String, Failure> {
    let mut report = Report::default();
    let headers = match client.one::<Value>("/rate_limit").await {
        Ok((_, headers)) => headers,
        Err(Failure::Throttled { until }) => return Err(Failure::Throttled { until }),
        Err(Failure::Passing { detail } | Failure::Down { detail, .. }) => {
            report.passed("address", &connection.base_url);
            report.note(
                "reachable",
                Grade::Failed,
                detail,
                "Check the address, and that this server may reach it.",
            );
            return Ok(report.closed().to_json());
        }
        // Enterprise Server without limits answers 404 here, and is reachable all the same.
        Err(Failure::Unreadable { .. }) => HeaderMap::new(),
        Err(Failure::Fatal { detail }) if detail.contains("401") => {
            report.passed("address", &connection.base_url);
            report.passed("reachable", "GitHub answers.");
            report.note(
                "auth",
                Grade::Failed,
                detail,
                "Make a token with read access under GitHub's developer settings.",
            );
            return Ok(report.closed().to_json());
        }
        Err(error) => {
            report.note(
                "address",
                Grade::Failed,
                error.to_string(),
                "Use https://api.github.com, or your server's /api/v3.",
            );
            return Ok(report.closed().to_json());
        }
    };
    report.passed("address", &connection.base_url);
    report.passed("reachable", "GitHub answers.");
    match client.one::<Value>("/user").await {
        Ok((user, headers)) => {
            let login = user["login"].as_str().unwrap_or("an app");
            report.passed("auth", format!("GitHub accepts the token of {login}."));
            clock(&mut report, &headers);
        }
        Err(error) => {
            report.note("auth", Grade::Failed, error.to_string(), "Paste a new token.");
            return Ok(report.closed().to_json());
        }
    }
    quota(&mut report, &headers);
    scopes_of(client, connection, &mut report).await?;
    Ok(report.closed().to_json())
}

fn quota(report: &mut Report, headers: &HeaderMap) {
    match client::budget(headers) {
        Some(budget) if budget.remaining * 10 < budget.limit => report.note(
            "quota",
            Grade::Warning,
            format!(
                "{} of {} calls are left until {}.",
                budget.remaining,
                budget.limit,
                budget.resets_at.format("%H:%M UTC")
            ),
            "",
        ),
        Some(budget) => {
            report.passed(
                "quota",
                format!("{} of {} calls are left.", budget.remaining, budget.limit),
            );
        }
        None => report.passed("quota", "This server sets no limit."),
    }
}

fn clock(report: &mut Report, headers: &HeaderMap) {
    let Some(told) = upstream::date(headers) else { return };
    let off = (Utc::now() - told).abs();
    if off > CLOCK_TOLERANCE {
        report.note(
            "clock",
            Grade::Warning,
            format!(
                "GitHub's clock and ours differ by {} minutes. Set ours by NTP.",
                off.num_minutes()
            ),
            "",
        );
    } else {
        report.passed("clock", "GitHub's clock agrees with ours.");
    }
}

/// Which of the repositories asked for can be read.
async fn scopes_of(
    client: &Client,
    connection: &Connection,
    report: &mut Report,
) -> Result<(), Failure> {
    let asked = connection.scopes.iter().filter_map(|scope| scope.split_once('/')).take(FOUND_MAX);
    let (owners, named): (Vec<_>, Vec<_>) = asked.partition(|(_, name)| *name == "*");
    if owners.is_empty() && named.is_empty() {
        // Nothing was asked for, so these are to pick from.
        let seen = search(client, "").await?;
        report.passed("permissions", "The token can list repositories.");
        report.passed("scope", "Every repository that the token can see is read.");
        report.scopes = seen.into_iter().map(ready).collect();
        return Ok(());
    }
    for (owner, _) in owners {
        report.scopes.push(all_of(client, owner).await?);
    }
    if !named.is_empty() {
        let Some(checks) = each_of(client, &named).await? else {
            report.note(
                "scope",
                Grade::Warning,
                "GitHub did not list the repositories in time.",
                "",
            );
            return Ok(());
        };
        report.scopes.extend(checks);
    }
    verdict(report);
    Ok(())
}

/// Whether an owner's repositories can be listed.
async fn all_of(client: &Client, owner: &str) -> Result<ScopeCheck, Failure> {
    let key = format!("{owner}/*");
    let listed: Result<Listed<wire::ListedRepository>, Failure> =
        client.list(&format!("/orgs/{owner}/repos?type=all&per_page=1")).await;
    match listed {
        Ok(_) => Ok(ready(key)),
        Err(Failure::Unreadable { detail }) => {
            Ok(ScopeCheck { key, name: owner.to_owned(), available: false, detail })
        }
        Err(other) => Err(other),
    }
}

/// Which of these repositories can be read, unless GitHub does not say in time.
async fn each_of(
    client: &Client,
    named: &[(&str, &str)],
) -> Result<Option<Vec<ScopeCheck>>, Failure> {
    let query = queries::repositories(named.iter().copied());
    let data = match client.query::<HashMap<String, Value>>(&query, json!({})).await {
        Ok((data, _)) => data,
        Err(Failure::TooLarge { .. }) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let check = |(position, (owner, name)): (usize, &(&str, &str))| {
        let found = data.get(&format!("r{position}")).filter(|value| !value.is_null());
        let full_name = format!("{owner}/{name}");
        let today = found.and_then(|value| value["nameWithOwner"].as_str()).unwrap_or(&full_name);
        ScopeCheck {
            name: today.to_owned(),
            available: found.is_some(),
            detail: match found {
                Some(_) => String::new(),
                None => "GitHub does not show it to this token (404).".to_owned(),
            },
            key: full_name,
        }
    };
    Ok(Some(named.iter().enumerate().map(check).collect()))
}

/// What the checks of all scopes come to.
fn verdict(report: &mut Report) {
    let total = report.scopes.len();
    let missing: Vec<&str> = report
        .scopes
        .iter()
        .filter(|scope| !scope.available)
        .map(|scope| scope.key.as_str())
        .collect();
    if missing.is_empty() {
        report.passed("permissions", "The token can read every repository asked for.");
        report.passed("scope", format!("{total} repositories are ready."));
        return;
    }
    let ready = total - missing.len();
    let detail = format!(
        "GitHub accepted this token but it cannot read `{}` (404). {ready} of {total} repositories are ready.",
        missing.join("`, `"),
    );
    let hint = "Ask an owner to grant Contents: read, Pull requests: read and Deployments: read; \
                you can start without it.";
    let grade = if ready == 0 { Grade::Failed } else { Grade::Warning };
    report.note("scope", grade, detail, hint);
}

#[derive(Debug, Default, Deserialize)]
struct Search {
    #[serde(default)]
    search: String,
}

/// Repositories that the token can see and whose names contain the text searched for.
///
/// # Errors
/// GitHub's refusal.
pub async fn scopes(client: &Client, input: &str) -> Result<String, Failure> {
    let Search { search: text } = serde_json::from_str(input).unwrap_or_default();
    let names = search(client, &text).await?;
    let items = names.into_iter().map(|name| Scope { key: name.clone(), name }).collect();
    Ok(Scopes { items }.to_json())
}

async fn search(client: &Client, text: &str) -> Result<Vec<String>, Failure> {
    let text = text.to_lowercase();
    let mut names = Vec::new();
    let mut page: Listed<wire::ListedRepository> =
        client.list("/user/repos?per_page=100&sort=full_name").await?;
    for _ in 0..PAGES_MAX {
        let listed = page.rows.into_iter().map(|row| row.full_name);
        names.extend(listed.filter(|name| name.to_lowercase().contains(&text)));
        match page.next.filter(|_| names.len() < FOUND_MAX) {
            Some(next) => page = client.list_at(&next).await?,
            None => break,
        }
    }
    names.truncate(FOUND_MAX);
    Ok(names)
}

fn ready(name: String) -> ScopeCheck {
    ScopeCheck { key: name.clone(), name, available: true, detail: String::new() }
}

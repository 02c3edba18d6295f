//! A graded test of a connection, and a search for repositories to pick from.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use extractor::{Connection, Failure};
use platform::upstream::header::{DATE, HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{self, Answered, Client, Listed};
use crate::{queries, wire};

/// Repositories that a search answers with at most.
const FOUND_MAX: usize = 50;
/// Pages that a search looks through.
const PAGES_MAX: usize = 10;
/// A clock that is further off than this makes incremental reads miss rows.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Check>,
    scopes: Vec<Scope>,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    status: &'static str,
    detail: String,
    hint: Option<String>,
}

#[derive(Debug, Serialize)]
struct Scope {
    key: String,
    name: String,
    available: bool,
    detail: Option<String>,
}

impl Report {
    fn add(&mut self, name: &'static str, status: &'static str, detail: impl Into<String>) {
        self.checks.push(Check { name, status, detail: detail.into(), hint: None });
    }

    fn fail(&mut self, name: &'static str, detail: impl Into<String>, hint: &str) {
        let check =
            Check { name, status: "failed", detail: detail.into(), hint: Some(hint.to_owned()) };
        self.checks.push(check);
    }

    /// The answer; what was not reached is said to be skipped.
    fn close(mut self) -> String {
        for name in ["address", "reachable", "auth", "permissions", "scope", "quota", "clock"] {
            if !self.checks.iter().any(|check| check.name == name) {
                self.add(name, "skipped", "Not reached.");
            }
        }
        self.ok = !self.checks.iter().any(|check| check.status == "failed");
        serde_json::to_string(&self).expect("a report is JSON")
    }
}

/// Tests the connection step by step; what fails is in the report, not an error.
///
/// # Errors
/// GitHub asks to wait, which is no verdict.
pub async fn test(client: &Client, connection: &Connection) -> Result<String, Failure> {
    let mut report = Report { ok: false, checks: Vec::new(), scopes: Vec::new() };
    let headers = match client.one::<Value>("/rate_limit").await {
        Ok((_, headers)) => headers,
        Err(Failure::Throttled { until }) => return Err(Failure::Throttled { until }),
        Err(Failure::Passing { detail }) => {
            report.add("address", "ok", &connection.base_url);
            report.fail(
                "reachable",
                detail,
                "Check the address, and that this server may reach it.",
            );
            return Ok(report.close());
        }
        // Enterprise Server without limits answers 404 here, and is reachable all the same.
        Err(Failure::Unreadable { .. }) => HeaderMap::new(),
        Err(Failure::Fatal { detail }) if detail.contains("401") => {
            report.add("address", "ok", &connection.base_url);
            report.add("reachable", "ok", "GitHub answers.");
            report.fail(
                "auth",
                detail,
                "Make a token with read access under GitHub's developer settings.",
            );
            return Ok(report.close());
        }
        Err(error) => {
            report.fail(
                "address",
                error.to_string(),
                "Use https://api.github.com, or your server's /api/v3.",
            );
            return Ok(report.close());
        }
    };
    report.add("address", "ok", &connection.base_url);
    report.add("reachable", "ok", "GitHub answers.");
    match client.one::<Value>("/user").await {
        Ok((user, headers)) => {
            let login = user["login"].as_str().unwrap_or("an app");
            report.add("auth", "ok", format!("GitHub accepts the token of {login}."));
            clock(&mut report, &headers);
        }
        Err(error) => {
            report.fail("auth", error.to_string(), "Paste a new token.");
            return Ok(report.close());
        }
    }
    quota(&mut report, &headers);
    scopes_of(client, connection, &mut report).await?;
    Ok(report.close())
}

fn quota(report: &mut Report, headers: &HeaderMap) {
    match client::budget(headers) {
        Some(budget) if budget.remaining * 10 < budget.limit => report.add(
            "quota",
            "warning",
            format!(
                "{} of {} calls are left until {}.",
                budget.remaining,
                budget.limit,
                budget.resets_at.format("%H:%M UTC")
            ),
        ),
        Some(budget) => {
            report.add(
                "quota",
                "ok",
                format!("{} of {} calls are left.", budget.remaining, budget.limit),
            );
        }
        None => report.add("quota", "ok", "This server sets no limit."),
    }
}

fn clock(report: &mut Report, headers: &HeaderMap) {
    let told = headers.get(DATE).and_then(|date| date.to_str().ok());
    let told = told.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    let Some(told) = told else { return };
    let off = (Utc::now() - told.to_utc()).abs();
    if off > CLOCK_TOLERANCE {
        report.add(
            "clock",
            "warning",
            format!(
                "GitHub's clock and ours differ by {} minutes. Set ours by NTP.",
                off.num_minutes()
            ),
        );
    } else {
        report.add("clock", "ok", "GitHub's clock agrees with ours.");
    }
}

/// Which of the repositories asked for can be read.
async fn scopes_of(
    client: &Client,
    connection: &Connection,
    report: &mut Report,
) -> Result<(), Failure> {
    let wanted: Vec<(&str, &str)> = connection
        .scopes
        .iter()
        .filter_map(|scope| scope.split_once('/'))
        .filter(|(_, name)| *name != "*")
        .take(FOUND_MAX)
        .collect();
    if wanted.is_empty() {
        report.add("permissions", "ok", "The token can list repositories.");
        report.add("scope", "ok", "Every repository that the token can see is read.");
        return Ok(());
    }
    let query = queries::repositories(wanted.iter().copied());
    let answer = client.query::<HashMap<String, Value>>(&query, json!({})).await?;
    let Answered::Data(data, _) = answer else {
        report.add("scope", "warning", "GitHub did not list the repositories in time.");
        return Ok(());
    };
    let mut missing = Vec::new();
    for (position, (owner, name)) in wanted.iter().enumerate() {
        let found = data.get(&format!("r{position}")).filter(|value| !value.is_null());
        let full_name = format!("{owner}/{name}");
        let today = found.and_then(|value| value["nameWithOwner"].as_str()).unwrap_or(&full_name);
        report.scopes.push(Scope {
            key: full_name.clone(),
            name: today.to_owned(),
            available: found.is_some(),
            detail: found
                .is_none()
                .then(|| "GitHub does not show it to this token (404).".to_owned()),
        });
        if found.is_none() {
            missing.push(full_name);
        }
    }
    if missing.is_empty() {
        report.add("permissions", "ok", "The token can read every repository asked for.");
        report.add("scope", "ok", format!("{} repositories are ready.", wanted.len()));
        return Ok(());
    }
    let ready = wanted.len() - missing.len();
    let detail = format!(
        "GitHub accepted this token but it cannot read `{}` (404). {ready} of {} repositories are ready.",
        missing.join("`, `"),
        wanted.len()
    );
    let hint = "Ask an owner to grant Contents: read, Pull requests: read and Deployments: read; \
                you can start without it.";
    if ready == 0 {
        report.fail("scope", detail, hint);
    } else {
        report.checks.push(Check {
            name: "scope",
            status: "warning",
            detail,
            hint: Some(hint.to_owned()),
        });
    }
    Ok(())
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
    let Search { search } = serde_json::from_str(input).unwrap_or_default();
    let search = search.to_lowercase();
    let mut items = Vec::new();
    let mut page: Listed<wire::ListedRepository> =
        client.list("/user/repos?per_page=100&sort=full_name").await?;
    for _ in 0..PAGES_MAX {
        let hits = page.rows.iter().filter(|row| row.full_name.to_lowercase().contains(&search));
        items.extend(hits.map(|row| json!({ "key": row.full_name, "name": row.full_name })));
        match page.next.filter(|_| items.len() < FOUND_MAX) {
            Some(next) => page = client.list_at(&next).await?,
            None => break,
        }
    }
    items.truncate(FOUND_MAX);
    Ok(json!({ "items": items }).to_string())
}

//! Tests a connection for the person who sets it up, check by check, and finds projects to pick.

use chrono::{DateTime, TimeDelta, Utc};
use extractor::report::{Grade, Report, Scope, ScopeCheck, Scopes};
use extractor::{Connection, Failure};
use serde::Deserialize;

use crate::client::{self, Client};
use crate::mapping;
use crate::wire::{Project, ServerInfo};

/// What a person should do about a refused credential.
const TOKEN_HINT: &str = "Make a new API token at id.atlassian.com under Security, and check that \
                          the user name is the e-mail address of the account that made it.";
const BROWSE_HINT: &str = "Ask a Jira admin to grant Browse projects to the account.";
/// Clocks may differ so much before anybody should care.
const SKEW_MAX: TimeDelta = TimeDelta::minutes(2);
/// Pages of projects to look through for those that were asked for.
const PAGES_MAX: usize = 50;

/// Tests a connection.
pub(crate) async fn test(client: Result<Client, Failure>, connection: &Connection) -> Report {
    let mut report = Report::default();
    // A failed check ends the test; it is noted where it failed.
    let _ended = check(client, connection, &mut report).await;
    report.closed()
}

/// The check that failed, and is in the report.
struct Failed;

async fn check(
    client: Result<Client, Failure>,
    connection: &Connection,
    report: &mut Report,
) -> Result<(), Failed> {
    let example = "An example: https://your-company.atlassian.net";
    let client = graded(report, "address", example, client)?;
    graded(report, "address", example, client.is_allowed())?;
    if connection.base_url.starts_with("https:") {
        report.passed("address", client.host());
    } else {
        let detail = format!("The token travels to {} unencrypted.", client.host());
        report.note("address", Grade::Warning, detail, "Use https.");
    }

    let hint = "Check the address, and that this server may reach it.";
    let info = graded(report, "reachable", hint, client.server_info().await)?;
    reachable(report, &client, info.as_ref())?;

    let (person, headers) = graded(report, "auth", TOKEN_HINT, client.myself().await)?;
    let name = person.display_name.unwrap_or_else(|| connection.username.clone());
    report.passed("auth", format!("Signed in as {name}."));
    quota(report, &headers);
    clock(report, info.and_then(|info| info.server_time.0), Utc::now());

    let projects = graded(report, "permissions", BROWSE_HINT, visible(&client).await)?;
    if projects.is_empty() {
        let detail = "Jira accepted the token, but the account sees no project.";
        report.note("permissions", Grade::Failed, detail, BROWSE_HINT);
        return Err(Failed);
    }
    let count = projects.len();
    report.passed("permissions", format!("The account can browse {count} projects."));
    scope(report, &projects, &connection.scopes);
    Ok(())
}

/// What a call brought; its failure is noted under `name`.
fn graded<T>(
    report: &mut Report,
    name: &'static str,
    hint: &str,
    result: Result<T, Failure>,
) -> Result<T, Failed> {
    result.map_err(|failure| match failure {
        Failure::Throttled { until } => {
            let detail = format!("Jira asks us to wait until {}.", until.format("%H:%M:%S UTC"));
            report.note(name, Grade::Failed, detail.clone(), "Test again then.");
            report.note("quota", Grade::Failed, detail, "");
            Failed
        }
        other => {
            report.note(name, Grade::Failed, other.to_string(), hint);
            Failed
        }
    })
}

fn reachable(
    report: &mut Report,
    client: &Client,
    info: Option<&ServerInfo>,
) -> Result<(), Failed> {
    let host = client.host();
    let Some(info) = info else {
        report.passed("reachable", format!("{host} answered."));
        return Ok(());
    };
    if info.deployment_type == "Cloud" {
        report.passed("reachable", format!("Jira Cloud {} answered at {host}.", info.version));
        return Ok(());
    }
    let detail = format!("{host} is a Jira {} {}.", info.deployment_type, info.version);
    report.note("reachable", Grade::Failed, detail, "Connect a Jira Cloud site.");
    Err(Failed)
}

fn quota(report: &mut Report, headers: &platform::upstream::header::HeaderMap) {
    let detail = client::quota(headers).unwrap_or_else(|| "Jira tells of no limit.".to_owned());
    if client::is_nearly_used_up(headers) {
        report.note("quota", Grade::Warning, detail, "Syncs will wait where they must.");
    } else {
        report.passed("quota", detail);
    }
}

fn clock(report: &mut Report, theirs: Option<DateTime<Utc>>, ours: DateTime<Utc>) {
    let Some(theirs) = theirs else {
        report.passed("clock", "Jira does not tell its time.");
        return;
    };
    let apart = (theirs - ours).abs();
    if apart <= SKEW_MAX {
        report.passed("clock", "Jira's clock and ours agree.");
        return;
    }
    let side = if theirs > ours { "ahead of" } else { "behind" };
    let detail = format!("Jira's clock is {} minutes {side} ours.", apart.num_minutes());
    report.note("clock", Grade::Warning, detail, "Check that this server keeps time by NTP.");
}

async fn visible(client: &Client) -> Result<Vec<Project>, Failure> {
    let mut projects = Vec::new();
    let mut next = Some(0);
    for _ in 0..PAGES_MAX {
        let Some(start) = next else { break };
        let page = client.projects(start, "").await?;
        next = page.next(start);
        projects.extend(page.values);
    }
    Ok(projects)
}

/// Whether each project that was asked for can be read.
fn scope(report: &mut Report, projects: &[Project], wanted: &[String]) {
    if wanted.is_empty() {
        let detail = format!("All {} projects that the account sees are read.", projects.len());
        report.passed("scope", detail);
        // Nothing was asked for, so these are to pick from.
        report.scopes = projects.iter().map(available).collect();
        return;
    }
    report.scopes = wanted.iter().map(|key| scope_check(projects, key)).collect();
    let ready = report.scopes.iter().filter(|scope| scope.available).count();
    let missing: Vec<&str> =
        report.scopes.iter().filter(|scope| !scope.available).map(|s| s.key.as_str()).collect();
    if missing.is_empty() {
        report.passed("scope", format!("All {ready} projects can be read."));
        return;
    }
    let names = missing.join(", ");
    let detail = format!("{ready} of {} projects are ready; {names} cannot be read.", wanted.len());
    match ready {
        0 => report.note("scope", Grade::Failed, detail, BROWSE_HINT),
        _ => {
            let hint = format!("{BROWSE_HINT} You can start without {names}.");
            report.note("scope", Grade::Warning, detail, hint);
        }
    }
}

fn scope_check(projects: &[Project], wanted: &str) -> ScopeCheck {
    let named = |key: &String| key.eq_ignore_ascii_case(wanted.trim());
    match projects.iter().find(|p| named(&p.key) || p.project_keys.iter().any(named)) {
        Some(project) => available(project),
        None => ScopeCheck {
            key: wanted.to_owned(),
            name: wanted.to_owned(),
            available: false,
            detail: format!("The account cannot see project {wanted}. {BROWSE_HINT}"),
        },
    }
}

fn available(project: &Project) -> ScopeCheck {
    ScopeCheck {
        key: project.key.clone(),
        name: project.name.clone(),
        available: true,
        detail: String::new(),
    }
}

/// What to look for.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    search: String,
}

/// Projects whose key or name holds what was typed.
pub(crate) async fn scopes(client: &Client, input: &str) -> Result<Scopes, Failure> {
    let asked: Asked = serde_json::from_str(input).map_err(|e| Failure::Fatal {
        detail: format!("the input of the search cannot be read: {e}"),
    })?;
    let found = client.projects(0, asked.search.trim()).await?;
    let projects = found.values.into_iter().map(mapping::project);
    let items = projects.map(|project| Scope { key: project.key, name: project.name }).collect();
    Ok(Scopes { items })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projects() -> Vec<Project> {
        serde_json::from_str(
            r#"[{"id": "10001", "key": "PAY", "name": "Payments", "projectKeys": ["PAY", "CASH"]},
                {"id": "10002", "key": "OPS", "name": "Operations"}]"#,
        )
        .unwrap()
    }

    fn graded_scope(wanted: &[&str]) -> (Grade, Vec<bool>) {
        let wanted: Vec<String> = wanted.iter().map(|key| (*key).to_owned()).collect();
        let mut report = Report::default();
        scope(&mut report, &projects(), &wanted);
        (report.checks[0].status, report.scopes.iter().map(|scope| scope.available).collect())
    }

    #[test]
    fn a_missing_project_is_a_warning_and_all_missing_a_failure() {
        assert_eq!(graded_scope(&[]), (Grade::Ok, vec![true, true]), "all are offered");
        assert_eq!(graded_scope(&["pay", "CASH"]), (Grade::Ok, vec![true, true]));
        assert_eq!(graded_scope(&["PAY", "PAX"]), (Grade::Warning, vec![true, false]));
        assert_eq!(graded_scope(&["PAX"]), (Grade::Failed, vec![false]));
    }

    #[test]
    fn clocks_that_differ_are_named() {
        let ours: DateTime<Utc> = "2026-10-01T09:00:00Z".parse().unwrap();
        for (apart, grade) in [(0, Grade::Ok), (-119, Grade::Ok), (600, Grade::Warning)] {
            let mut report = Report::default();
            clock(&mut report, Some(ours + TimeDelta::seconds(apart)), ours);
            assert_eq!(report.checks[0].status, grade, "{apart} s");
        }
    }
}

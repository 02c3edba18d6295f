//! What the wizard hears about a connection.

use serde_json::{Value, json};
use simulator::Options;

use crate::house::House;

async fn house() -> House {
    House::start(Options { issues: 50, pull_requests: 10, ..Options::default() }).await
}

fn grades(report: &Value) -> String {
    let checks = report["checks"].as_array().unwrap();
    let grade = |check: &Value| format!("{}={}", text(&check["name"]), text(&check["status"]));
    checks.iter().map(grade).collect::<Vec<_>>().join(" ")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn a_good_connection_passes_and_names_its_projects() {
    let house = house().await;
    let account = house.simulator.company().jira;
    let scopes: Vec<&str> = account.projects.iter().map(String::as_str).collect();
    let report =
        house.ask("probe", &house.typed(&account.username, &account.api_token, &scopes)).await;
    assert_eq!(report["ok"], true, "{report:#}");
    // The simulator speaks plain http.
    let expected = "address=warning reachable=ok auth=ok permissions=ok scope=ok quota=ok clock=ok";
    assert_eq!(grades(&report), expected);
    assert!(report["scopes"].as_array().unwrap().iter().all(|scope| scope["available"] == true));
}

#[tokio::test]
async fn a_bad_token_fails_at_auth_and_says_what_to_do() {
    let house = house().await;
    let account = house.simulator.company().jira;
    let report = house.ask("probe", &house.typed(&account.username, "wrong", &[])).await;
    assert_eq!(report["ok"], false);
    let expected = "address=warning reachable=ok auth=failed permissions=skipped scope=skipped \
                    quota=skipped clock=skipped";
    assert_eq!(grades(&report), expected, "{report:#}");
    assert!(text(&report["checks"][2]["detail"]).contains("refused the token"), "{report:#}");
    assert!(text(&report["checks"][2]["hint"]).contains("id.atlassian.com"), "{report:#}");
}

#[tokio::test]
async fn a_missing_project_is_a_warning() {
    let house = house().await;
    let account = house.simulator.company().jira;
    let scopes = [account.projects[0].as_str(), "GHOST"];
    let report =
        house.ask("probe", &house.typed(&account.username, &account.api_token, &scopes)).await;
    assert_eq!(report["ok"], true);
    assert!(grades(&report).contains("scope=warning"), "{report:#}");
    assert_eq!(report["scopes"][1]["available"], false);
}

#[tokio::test]
async fn nobody_there_and_nobody_allowed_are_told_apart() {
    let house = house().await;
    let mut typed = house.typed("ada@acme.example", "token", &[]);
    typed["base_url"] = json!("http://127.0.0.1:9");
    let report = house.ask("probe", &typed).await;
    assert!(grades(&report).starts_with("address=warning reachable=failed"), "{report:#}");

    typed["base_url"] = json!("http://169.254.169.254/latest");
    let report = house.ask("probe", &typed).await;
    assert!(grades(&report).starts_with("address=failed reachable=skipped"), "{report:#}");
}

#[tokio::test]
async fn a_stored_credential_goes_nowhere_but_where_it_was_stored_for() {
    let house = house().await;
    let stored = json!({ "integration_id": house.jira.to_string(), "scopes": [], "search": "" });
    let report = house.ask("probe", &stored).await;
    assert_eq!(report["ok"], true, "{report:#}");

    let mut elsewhere = stored;
    elsewhere["base_url"] = json!("http://127.0.0.1:9");
    let refused = house.try_ask("probe", &elsewhere).await.unwrap_err();
    assert!(refused.message().contains("Paste the credential again"), "{refused}");
}

#[tokio::test]
async fn projects_are_searched() {
    let house = house().await;
    let account = house.simulator.company().jira;
    let mut typed = house.typed(&account.username, &account.api_token, &[]);
    let all = house.ask("scopes", &typed).await;
    assert_eq!(all["items"].as_array().unwrap().len(), account.projects.len());

    typed["search"] = json!(account.projects[0]);
    let found = house.ask("scopes", &typed).await;
    assert_eq!(found["items"][0]["key"], account.projects[0]);
}

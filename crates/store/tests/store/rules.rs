//! What clients say about their delivery: it is read back, and nobody else's.

use domain::rules::{
    DeploymentRule, DeploymentRules, EnvironmentRule, FieldValues, IncidentRule, IncidentRules,
    ProjectRule, Refused,
};
use domain::workflow::Seen;
use store::Error;

use crate::house::House;

contract! {
    a_client_without_rules_goes_by_the_defaults,
    rules_are_read_back_as_they_were_written,
    rules_that_say_the_same_are_no_change,
    only_the_rules_that_were_seen_are_replaced,
    rules_that_cannot_be_change_nothing,
    nobody_has_rules_about_issues_of_another_client,
    repositories_of_projects_are_read_back_as_they_were_written,
    logins_of_machines_are_read_back_as_they_were_written,
}

fn releases() -> Vec<DeploymentRule> {
    let to = |pattern: &str, environment: &str| EnvironmentRule {
        pattern: pattern.to_owned(),
        environment: environment.to_owned(),
    };
    let rule = |repository: &str, source: &str, environments| DeploymentRule {
        repository: repository.to_owned(),
        source: source.to_owned(),
        pattern: None,
        environments,
    };
    let tags = DeploymentRule {
        pattern: Some("^v".to_owned()),
        ..rule("acme/pay", "releases", Vec::new())
    };
    vec![tags, rule("*", "api", vec![to("^live$", "production"), to("\"b\\d\"", "Bêta")])]
}

fn labelled(house: &House) -> Vec<IncidentRule> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    vec![IncidentRule {
        integration: Some(house.jira),
        issue_types: names(&["Outage"]),
        labels: names(&["sev1", "über"]),
        components: names(&["Payments"]),
        fields: vec![FieldValues {
            field: "customfield_10050".to_owned(),
            values: names(&["Sev1", "größer"]),
        }],
        started_at_field: Some("customfield_10060".to_owned()),
        deployment_field: Some("customfield_10070".to_owned()),
        window_hours: None,
    }]
}

async fn a_client_without_rules_goes_by_the_defaults(house: &House) {
    let deployments = house.rules.deployments(house.client).await.unwrap();
    assert_eq!((deployments.is_default, deployments.version), (true, 0));
    assert_eq!(deployments.rules.written(), DeploymentRules::default().written());
    let incidents = house.rules.incidents(house.client).await.unwrap();
    assert_eq!((incidents.is_default, incidents.version), (true, 0));
    assert_eq!(incidents.rules.written(), IncidentRules::default().written());
}

async fn rules_are_read_back_as_they_were_written(house: &House) {
    let (rules, client) = (&house.rules, house.client);
    let put = rules.put_deployments(client, releases(), Seen::Any).await.unwrap();
    assert_eq!((put.is_default, put.version, put.rules.written()), (false, 1, &*releases()));
    let put = rules.put_incidents(client, labelled(house), Seen::Any).await.unwrap();
    assert_eq!((put.is_default, put.version, put.rules.written()), (false, 1, &*labelled(house)));
    let (kept, incidents) =
        (rules.deployments(client).await.unwrap(), rules.incidents(client).await.unwrap());
    assert_eq!((kept.version, kept.rules.written()), (1, &*releases()));
    assert_eq!((incidents.version, incidents.rules.written()), (1, &*labelled(house)));

    // None bring the defaults back, and the version goes on.
    let put = rules.put_deployments(client, Vec::new(), Seen::Any).await.unwrap();
    assert_eq!((put.is_default, put.version), (true, 2));
    assert!(!rules.incidents(client).await.unwrap().is_default);
}

async fn rules_that_say_the_same_are_no_change(house: &House) {
    for _ in 0..2 {
        let put = house.rules.put_deployments(house.client, releases(), Seen::Any).await.unwrap();
        assert_eq!(put.version, 1);
        let put =
            house.rules.put_incidents(house.client, labelled(house), Seen::Any).await.unwrap();
        assert_eq!(put.version, 1);
    }
}

async fn only_the_rules_that_were_seen_are_replaced(house: &House) {
    let rules = &house.rules;
    rules.put_deployments(house.client, releases(), Seen::Version(0)).await.unwrap();
    let late = rules.put_deployments(house.client, Vec::new(), Seen::Version(0)).await;
    assert!(matches!(late, Err(Error::Rules(Refused::Stale))), "{late:?}");
    let late = rules.put_incidents(house.client, Vec::new(), Seen::Version(1)).await;
    assert!(matches!(late, Err(Error::Rules(Refused::Stale))), "{late:?}");
    assert_eq!(rules.deployments(house.client).await.unwrap().rules.written(), releases());
}

async fn rules_that_cannot_be_change_nothing(house: &House) {
    let (rules, client) = (&house.rules, house.client);
    rules.put_deployments(client, releases(), Seen::Any).await.unwrap();
    let twice =
        releases().into_iter().map(|rule| DeploymentRule { repository: "acme".to_owned(), ..rule });
    let refused = rules.put_deployments(client, twice.collect(), Seen::Any).await;
    let Err(Error::Rules(Refused::Invalid(faults))) = refused else { panic!("{refused:?}") };
    assert_eq!(faults[1].path, "rules[1].repository");
    let kept = rules.deployments(client).await.unwrap();
    assert_eq!((kept.version, kept.rules.written()), (1, &*releases()));
}

async fn nobody_has_rules_about_issues_of_another_client(house: &House) {
    let (other, their_jira, _) = house.add_client("globex").await;
    let strangers = [house.github, their_jira];
    for integration in strangers {
        let foreign = labelled(house)
            .into_iter()
            .map(|rule| IncidentRule { integration: Some(integration), ..rule });
        let refused = house.rules.put_incidents(house.client, foreign.collect(), Seen::Any).await;
        let Err(Error::Rules(Refused::Invalid(faults))) = refused else { panic!("{refused:?}") };
        assert_eq!(faults[0].path, "rules[0].integration_id");
    }
    house.rules.put_incidents(house.client, labelled(house), Seen::Any).await.unwrap();
    house.rules.put_deployments(house.client, releases(), Seen::Any).await.unwrap();
    assert!(house.rules.incidents(other).await.unwrap().is_default);
    assert!(house.rules.deployments(other).await.unwrap().is_default);
}

async fn repositories_of_projects_are_read_back_as_they_were_written(house: &House) {
    let (rules, client) = (&house.rules, house.client);
    let none = rules.projects(client).await.unwrap();
    assert_eq!((none.version, none.rules.written()), (0, &[][..]));
    let rule = |project: &str, names: &[&str]| ProjectRule {
        project: project.to_owned(),
        repositories: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let written = || vec![rule("PAY", &["acme/pay-*", "acme/Ledger"]), rule("OPS", &["acme/ops"])];
    for _ in 0..2 {
        let put = rules.put_projects(client, written(), Seen::Any).await.unwrap();
        assert_eq!((put.version, put.rules.written()), (1, &*written()));
    }
    let late = rules.put_projects(client, Vec::new(), Seen::Version(0)).await;
    assert!(matches!(late, Err(Error::Rules(Refused::Stale))), "{late:?}");
    let refused = rules.put_projects(client, vec![rule("PAY", &[])], Seen::Version(1)).await;
    assert!(matches!(refused, Err(Error::Rules(Refused::Invalid(_)))), "{refused:?}");
    let kept = rules.projects(client).await.unwrap();
    assert_eq!((kept.version, kept.rules.written()), (1, &*written()));
    let delivery = house.metrics.delivery(client).await.unwrap();
    assert_eq!(delivery.projects.has("pay", "acme/ledger"), Some(true));

    let (other, ..) = house.add_client("globex").await;
    assert_eq!(rules.projects(other).await.unwrap().rules.written(), []);
    let put = rules.put_projects(client, Vec::new(), Seen::Version(1)).await.unwrap();
    assert_eq!((put.version, put.rules.written()), (2, &[][..]));
}

async fn logins_of_machines_are_read_back_as_they_were_written(house: &House) {
    let (rules, client) = (&house.rules, house.client);
    let none = rules.bots(client).await.unwrap();
    assert_eq!((none.version, none.rules.written()), (0, &[][..]));
    let logins = || vec!["renovate*".to_owned(), "ci-user".to_owned()];
    for _ in 0..2 {
        let put = rules.put_bots(client, logins(), Seen::Any).await.unwrap();
        assert_eq!((put.version, put.rules.written()), (1, &*logins()));
    }
    let late = rules.put_bots(client, Vec::new(), Seen::Version(0)).await;
    assert!(matches!(late, Err(Error::Rules(Refused::Stale))), "{late:?}");
    let refused = rules.put_bots(client, vec!["*".to_owned()], Seen::Version(1)).await;
    assert!(matches!(refused, Err(Error::Rules(Refused::Invalid(_)))), "{refused:?}");
    let kept = rules.bots(client).await.unwrap();
    assert_eq!((kept.version, kept.rules.written()), (1, &*logins()));
    assert_eq!(rules.deployments(client).await.unwrap().version, 0, "each has its own version");

    let (other, ..) = house.add_client("globex").await;
    assert_eq!(rules.bots(other).await.unwrap().rules.written(), [""; 0]);
    let put = rules.put_bots(client, Vec::new(), Seen::Version(1)).await.unwrap();
    assert_eq!((put.version, put.rules.written()), (2, &[][..]));
}

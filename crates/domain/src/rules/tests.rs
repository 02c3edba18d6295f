//! What rules may say, what they may not and why, and what they make of what sources tell.

use uuid::Uuid;

use super::*;
use crate::ids::IntegrationId;
use crate::workflow::Connection;

const JIRA: IntegrationId = IntegrationId(Uuid::from_u128(100));
const OTHER: IntegrationId = IntegrationId(Uuid::from_u128(101));

fn to(pattern: &str, environment: &str) -> EnvironmentRule {
    EnvironmentRule { pattern: pattern.to_owned(), environment: environment.to_owned() }
}

fn rule(repository: &str, source: &str, pattern: &str, to: &[(&str, &str)]) -> DeploymentRule {
    DeploymentRule {
        repository: repository.to_owned(),
        source: source.to_owned(),
        pattern: (!pattern.is_empty()).then(|| pattern.to_owned()),
        environments: to.iter().map(|(pattern, name)| self::to(pattern, name)).collect(),
    }
}

fn incidents(issue_types: &[&str], labels: &[&str], components: &[&str]) -> IncidentRule {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    IncidentRule {
        integration: None,
        issue_types: names(issue_types),
        labels: names(labels),
        components: names(components),
        fields: Vec::new(),
        started_at_field: None,
        deployment_field: None,
        window_hours: Some(24),
    }
}

fn connections() -> [Connection; 2] {
    [JIRA, OTHER].map(|id| Connection { id, name: "Jira".to_owned(), active: true })
}

fn paths<T: std::fmt::Debug>(checked: Result<T, Refused>) -> Vec<String> {
    match checked.unwrap_err() {
        Refused::Invalid(faults) => faults.into_iter().map(|fault| fault.path).collect(),
        Refused::Stale => panic!("rules that were never kept cannot be stale"),
    }
}

#[test]
fn deployment_rules_that_cannot_be_are_refused_by_the_place() {
    let prod: &[(&str, &str)] = &[("prod", "production")];
    let good = || rule("*", "deployments", "", prod);
    let long = "x".repeat(501);
    let cases: Vec<(&str, Vec<DeploymentRule>, &[&str])> = vec![
        ("no pattern", vec![rule("", "api", "", prod)], &["rules[0].repository"]),
        ("only an owner", vec![rule("acme", "api", "", prod)], &["rules[0].repository"]),
        ("no owner", vec![rule("*/pay", "api", "", prod)], &["rules[0].repository"]),
        ("a part of a name", vec![rule("acme/pay-*", "api", "", prod)], &["rules[0].repository"]),
        ("too deep", vec![rule("acme/pay/api", "api", "", prod)], &["rules[0].repository"]),
        ("unknown source", vec![rule("*", "jenkins", "", prod)], &["rules[0].source"]),
        ("no source", vec![good(), rule("*", "", "", prod)], &["rules[1].source"]),
        ("bad regex", vec![rule("*", "releases", "v(", &[])], &["rules[0].match"]),
        ("too long", vec![rule("*", "releases", &long, &[])], &["rules[0].match"]),
        ("what no text has", vec![rule("*", "releases", "v\0", &[])], &["rules[0].match"]),
        (
            "names that no text has",
            vec![rule("*", "api", "", &[("a\0", "x"), ("b", "production\0"), ("c", "a\nb")])],
            &[
                "rules[0].environments[0].match",
                "rules[0].environments[1].environment",
                "rules[0].environments[2].environment",
            ],
        ),
        (
            "a repository that no text has",
            vec![rule("a/b\0", "api", "", prod)],
            &["rules[0].repository"],
        ),
        ("needs a workflow", vec![rule("*", "workflow_runs", "", &[])], &["rules[0].match"]),
        ("needs a branch", vec![rule("*", "merges", " ", &[])], &["rules[0].match"]),
        ("nothing to match", vec![rule("*", "deployments", "x", prod)], &["rules[0].match"]),
        ("nothing to match", vec![rule("*", "api", "x", prod)], &["rules[0].match"]),
        ("no environments", vec![rule("*", "deployments", "", &[])], &["rules[0].environments"]),
        (
            "bad regex of an environment",
            vec![good(), rule("a/b", "api", "", &[("p", "production"), ("[", "staging")])],
            &["rules[1].environments[1].match"],
        ),
        (
            "empty names",
            vec![rule("*", "api", "", &[("", "production"), ("x", " ")])],
            &["rules[0].environments[0].match", "rules[0].environments[1].environment"],
        ),
        (
            "two sources for one environment",
            vec![good(), rule("*", "api", "", &[("x", "staging"), ("y", " PRODUCTION")])],
            &["rules[1].environments[1].environment"],
        ),
        (
            "two sources for what is understood to be production",
            vec![rule("Acme/Pay", "releases", "", &[]), rule("acme/pay", "merges", "main", &[])],
            &["rules[1].source"],
        ),
        (
            "everything at once",
            vec![rule("?", "?", "", &[("(", "")])],
            &[
                "rules[0].repository",
                "rules[0].source",
                "rules[0].environments[0].match",
                "rules[0].environments[0].environment",
            ],
        ),
        ("too many", vec![good(); 201], &["rules"]),
        ("too many, which are not read", vec![rule("*", "releases", "v(", &[]); 201], &["rules"]),
        ("too many names", vec![rule("*", "api", "", &[prod[0]; 101])], &["rules[0].environments"]),
        ("too many patterns", vec![rule("*", "api", "", &[prod[0]; 100]); 5], &["rules"]),
        ("too large", vec![rule("*", "releases", r"\w{500}", &[])], &["rules[0].match"]),
    ];
    for (name, rules, expected) in cases {
        assert_eq!(paths(DeploymentRules::check(rules)), expected, "{name}");
    }
    let two = vec![rule("*", "deployments", "", prod), rule("*", "api", "", &[("x", "staging")])];
    assert!(DeploymentRules::check(two).is_ok(), "each environment has its source");
    let narrower = vec![rule("a/b", "api", "", prod), rule("*", "deployments", "", prod)];
    assert!(DeploymentRules::check(narrower).is_ok(), "each pattern has its source");
}

#[test]
fn many_patterns_share_what_one_may_need() {
    let large = |count| vec![rule("*", "api", "", &vec![(r"\w{15}", "production"); count]); 4];
    assert!(DeploymentRules::check(large(1)).is_ok());
    assert_eq!(paths(DeploymentRules::check(large(100))).len(), 400);
    let usual = vec![rule("*", "api", "", &[(r"^v?\d+\.\d+\.\d+$", "production"); 100]); 4];
    assert!(DeploymentRules::check(usual).is_ok(), "what people write is small");
}

#[test]
fn faults_say_what_would_be_right() {
    let refused = DeploymentRules::check(vec![
        rule("*", "deployments", "", &[("prod", "production")]),
        rule("*", "merges", "ma(in", &[]),
    ]);
    let Err(Refused::Invalid(faults)) = refused else { panic!("two faults") };
    let told: Vec<_> = faults.iter().map(|fault| fault.reason.as_str()).collect();
    assert_eq!(
        told,
        [
            "is no regular expression: unclosed group",
            "\"production\" of these repositories comes from deployments by rules[0]; \
             an environment has one source",
        ]
    );
}

#[test]
fn names_of_environments_are_mapped_by_the_first_pattern() {
    let rules = DeploymentRules::default();
    let rules = rules.of("acme/pay");
    let cases = [
        ("production", Verdict::To(PRODUCTION)),
        (" Prod ", Verdict::To(PRODUCTION)),
        ("PRODUCTION", Verdict::To(PRODUCTION)),
        ("staging", Verdict::To("staging")),
        ("preprod", Verdict::To("staging")),
        ("qa", Verdict::To("development")),
        ("prod-eu", Verdict::NoEnvironmentRule),
        ("product-demo", Verdict::NoEnvironmentRule),
    ];
    for (name, expected) in cases {
        assert_eq!(rules.place(Source::Deployments, &[name]), expected, "{name:?}");
    }
    assert_eq!(rules.place(Source::Api, &["production"]), Verdict::OtherSource);

    let both = [("^prod", "Production"), ("prod-eu", "europe")];
    let rules = DeploymentRules::check(vec![rule("*", "api", "", &both)]).unwrap();
    let rules = rules.of("acme/pay");
    assert_eq!(rules.place(Source::Api, &["prod-eu"]), Verdict::To(PRODUCTION));
}

#[test]
fn names_of_environments_fit_in_full_case_folding() {
    let to = [("^straße$", "production"), ("^GROSS", "staging")];
    let rules = DeploymentRules::check(vec![rule("*", "api", "", &to)]).unwrap();
    let rules = rules.of("acme/pay");
    for (name, expected) in [
        ("Straße", Verdict::To(PRODUCTION)),
        ("STRASSE", Verdict::To(PRODUCTION)),
        ("strasse", Verdict::To(PRODUCTION)),
        ("groß-1", Verdict::To("staging")),
        ("strase", Verdict::NoEnvironmentRule),
    ] {
        assert_eq!(rules.place(Source::Api, &[name]), expected, "{name}");
    }
}

#[test]
fn the_first_pattern_that_fits_a_repository_decides() {
    let rules = DeploymentRules::check(vec![
        rule("acme/pay", "releases", "^v", &[]),
        rule("acme/*", "workflow_runs", "deploy", &[]),
        rule("acme/pay", "merges", "^next$", &[("next", "staging")]),
        rule("*", "api", "", &[("live", "production")]),
    ])
    .unwrap();
    use Source::*;
    type Case<'a> = (&'a str, Source, &'a [&'a str], Verdict<'a>);
    let cases: &[Case<'_>] = &[
        ("ACME/Pay", Releases, &["V1.2"], Verdict::To(PRODUCTION)),
        ("acme/pay", Releases, &["nightly"], Verdict::NotMeant),
        ("acme/pay", Merges, &["next"], Verdict::To("staging")),
        ("acme/pay", Merges, &["main"], Verdict::NotMeant),
        ("acme/pay", WorkflowRuns, &["deploy"], Verdict::OtherSource),
        (
            "acme/web",
            WorkflowRuns,
            &["CI", ".github/workflows/deploy.yml"],
            Verdict::To(PRODUCTION),
        ),
        ("acme/web", WorkflowRuns, &["CI", ".github/workflows/ci.yml"], Verdict::NotMeant),
        ("acme/web", Deployments, &["production"], Verdict::OtherSource),
        ("globex/web", Api, &["Live"], Verdict::To(PRODUCTION)),
        ("globex/web", Api, &["beta"], Verdict::NoEnvironmentRule),
    ];
    for (repository, source, names, expected) in cases {
        let placed = rules.of(repository);
        assert_eq!(placed.place(*source, names), *expected, "{repository} {source} {names:?}");
        let is_deployment = !matches!(expected, Verdict::OtherSource | Verdict::NotMeant);
        assert_eq!(placed.mean(*source, names), is_deployment, "{repository} {source} {names:?}");
    }
    let nothing = DeploymentRules::check(vec![rule("acme/*", "api", "", &[("x", "y")])]).unwrap();
    assert_eq!(nothing.of("globex/web").place(Api, &["x"]), Verdict::OtherSource);
}

#[test]
fn incident_rules_that_cannot_be_are_refused_by_the_place() {
    let good = || incidents(&["Incident"], &[], &[]);
    let nobody = IntegrationId(Uuid::from_u128(999));
    let window = |hours| vec![IncidentRule { window_hours: Some(hours), ..good() }];
    let field = |id: &str| vec![IncidentRule { started_at_field: Some(id.to_owned()), ..good() }];
    let cases: Vec<(&str, Vec<IncidentRule>, &[&str])> = vec![
        ("names nothing", vec![incidents(&[], &[], &[])], &["rules[0].issue_types"]),
        ("empty type", vec![incidents(&["Bug", " "], &[], &[])], &["rules[0].issue_types[1]"]),
        ("empty label", vec![good(), incidents(&[], &[""], &[])], &["rules[1].labels[0]"]),
        ("empty component", vec![incidents(&[], &[], &[""])], &["rules[0].components[0]"]),
        ("what no text has", vec![incidents(&["A\0"], &[], &[])], &["rules[0].issue_types[0]"]),
        ("nor a label", vec![incidents(&[], &["a\tb"], &[])], &["rules[0].labels[0]"]),
        (
            "unknown connection",
            vec![IncidentRule { integration: Some(nobody), ..good() }],
            &["rules[0].integration_id"],
        ),
        ("no time at all", window(0), &["rules[0].window_hours"]),
        ("a negative time", window(-1), &["rules[0].window_hours"]),
        ("longer than anything", window(87_841), &["rules[0].window_hours"]),
        ("the name of a field", field("Incident start"), &["rules[0].started_at_field"]),
        ("no number", field("customfield_"), &["rules[0].started_at_field"]),
        ("a field of every site", field("created"), &["rules[0].started_at_field"]),
        (
            "the name of another field",
            vec![IncidentRule { deployment_field: Some("Cause".to_owned()), ..good() }],
            &["rules[0].deployment_field"],
        ),
        ("a value of no field", of_field("Severity", &["Sev1"]), &["rules[0].fields[0].field"]),
        ("a field without a value", of_field("customfield_1", &[]), &["rules[0].fields[0].values"]),
        (
            "a value that is none",
            of_field("customfield_1", &["Sev1", " "]),
            &["rules[0].fields[0].values[1]"],
        ),
        ("too many values", of_field("customfield_1", &["x"; 101]), &["rules[0].fields[0].values"]),
        ("too many", vec![good(); 201], &["rules"]),
        ("too many names", vec![incidents(&["x"; 101], &[], &[])], &["rules[0].issue_types"]),
    ];
    for (name, rules, expected) in cases {
        assert_eq!(paths(IncidentRules::check(rules, &connections())), expected, "{name}");
    }
    // What a field holds is enough to be known by.
    let told = IncidentRules::check(of_field(" customfield_10050 ", &[" Sev1 "]), &[]).unwrap();
    let values =
        FieldValues { field: "customfield_10050".to_owned(), values: vec!["Sev1".to_owned()] };
    assert_eq!(told.written()[0].fields, [values]);
    let theirs = vec![IncidentRule { integration: Some(JIRA), ..good() }];
    assert!(IncidentRules::check(theirs.clone(), &connections()).is_ok());
    let told = IncidentRules::check(field(" customfield_10060 "), &[]).unwrap();
    assert_eq!(told.written()[0].started_at_field.as_deref(), Some("customfield_10060"));
    assert_eq!(paths(IncidentRules::check(theirs, &[])), ["rules[0].integration_id"]);
}

#[test]
fn an_issue_is_an_incident_by_the_first_rule_that_fits() {
    let here = IncidentRule {
        integration: Some(JIRA),
        window_hours: Some(2),
        ..incidents(&[], &["Sev1"], &["Payments API"])
    };
    let anywhere = IncidentRule { window_hours: None, ..incidents(&["Outage"], &[], &[]) };
    let rules = IncidentRules::check(vec![here.clone(), anywhere.clone()], &connections()).unwrap();
    type Case<'a> =
        (IntegrationId, &'a str, &'a [&'a str], &'a [&'a str], Option<&'a IncidentRule>);
    let cases: &[Case<'_>] = &[
        (JIRA, "Bug", &["other", " SEV1"], &[], Some(&here)),
        (JIRA, "Bug", &[], &["payments api"], Some(&here)),
        (JIRA, "outage ", &["sev1"], &[], Some(&here)),
        (JIRA, "outage ", &[], &[], Some(&anywhere)),
        (OTHER, "OUTAGE", &["sev1"], &[], Some(&anywhere)),
        (OTHER, "Bug", &["sev1"], &["Payments API"], None),
        (JIRA, "Incident", &["sev2"], &[], None),
    ];
    for (integration, issue_type, labels, components, expected) in cases {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (labels, components): (Vec<String>, Vec<String>) = (names(labels), names(components));
        let suspect = Suspect {
            integration: *integration,
            issue_type,
            labels: &labels,
            components: &components,
            values: &[],
        };
        assert_eq!(rules.of(suspect), *expected, "{suspect:?}");
    }
    assert!(!rules.look_at_fields(JIRA));
    assert!(rules.look_at_names(JIRA) && !rules.look_at_names(OTHER));
    assert!(rules.mean_type(OTHER, "outage") && !rules.mean_type(JIRA, "bug"));
    assert_eq!(here.window(), Some(chrono::TimeDelta::hours(2)));
}

fn of_field(field: &str, values: &[&str]) -> Vec<IncidentRule> {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    let fields = vec![FieldValues { field: field.to_owned(), values }];
    vec![IncidentRule { fields, ..incidents(&[], &[], &[]) }]
}

#[test]
fn an_issue_is_an_incident_by_any_value_of_a_field() {
    let mut written = of_field("customfield_10050", &["Sev1", "Straße"]);
    written[0].integration = Some(JIRA);
    written[0].fields.push(FieldValues {
        field: "customfield_10051".to_owned(),
        values: vec!["yes".to_owned()],
    });
    let rules = IncidentRules::check(written.clone(), &connections()).unwrap();
    type Case<'a> = (IntegrationId, &'a [(&'a str, &'a str)], bool);
    let cases: &[Case<'_>] = &[
        (JIRA, &[("customfield_10050", "Sev1")], true),
        (JIRA, &[("customfield_10050", " SEV1 ")], true),
        (JIRA, &[("customfield_10050", "STRASSE")], true),
        (JIRA, &[("customfield_10050", "Sev2")], false),
        // One choice of several is enough, and so is another field.
        (JIRA, &[("customfield_10050", "Sev2"), ("customfield_10050", "Sev1")], true),
        (JIRA, &[("customfield_10050", "Sev2"), ("customfield_10051", "Yes")], true),
        // The value of one field says nothing in another.
        (JIRA, &[("customfield_10051", "Sev1")], false),
        (OTHER, &[("customfield_10050", "Sev1")], false),
        (JIRA, &[], false),
    ];
    for (integration, values, expected) in cases {
        let values: Vec<(String, String)> =
            values.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect();
        let suspect = Suspect {
            integration: *integration,
            issue_type: "Bug",
            labels: &[],
            components: &[],
            values: &values,
        };
        assert_eq!(rules.of(suspect), expected.then_some(&written[0]), "{suspect:?}");
    }
    assert!(rules.look_at_fields(JIRA) && !rules.look_at_fields(OTHER));
    assert!(!rules.look_at_names(JIRA));
}

#[test]
fn by_default_incidents_are_known_by_their_type_whatever_its_case() {
    let rules = IncidentRules::default();
    for (name, expected) in [("INCIDENT", true), ("[system] incident", true), ("Bug", false)] {
        let suspect = Suspect {
            integration: JIRA,
            issue_type: name,
            labels: &[],
            components: &[],
            values: &[],
        };
        assert_eq!(rules.of(suspect).is_some(), expected, "{name}");
    }
    assert_eq!(rules.written()[0].window_hours, Some(24));
}

#[test]
fn a_bot_is_whom_the_source_or_a_login_of_the_client_says() {
    let logins = ["ci-user", " Renovate* ", "helper[bot]"];
    let rules = BotRules::check(logins.map(str::to_owned).to_vec()).unwrap();
    assert_eq!(rules.written(), ["ci-user", "Renovate*", "helper[bot]"]);
    let cases = [
        (Some("ada"), false, false),
        (Some("ada"), true, true),
        (Some("CI-User"), false, true),
        (Some("ci-user2"), false, false),
        (Some("renovate-acme"), false, true),
        (Some("helper"), false, true),
        (None, false, false),
        (None, true, true),
    ];
    for (login, marked, expected) in cases {
        assert_eq!(rules.is_bot(login, marked), expected, "{login:?} {marked}");
        assert_eq!(BotRules::default().is_bot(login, marked), marked, "{login:?} {marked}");
    }
}

#[test]
fn logins_that_cannot_be_are_refused_by_their_place() {
    let check = |logins: &[&str]| {
        BotRules::check(logins.iter().map(|login| (*login).to_owned()).collect()).map(|_| ())
    };
    let cases: [(&[&str], &[&str]); 4] = [
        (&["ci", " "], &["logins[1]"]),
        (&["a\nb"], &["logins[0]"]),
        (&["*", "**", "a*"], &["logins[0]", "logins[1]"]),
        (&["x"; 201], &["logins"]),
    ];
    for (logins, expected) in cases {
        assert_eq!(paths(check(logins)), expected, "{logins:?}");
    }
}

fn belongs(project: &str, repositories: &[&str]) -> ProjectRule {
    let repositories = repositories.iter().map(|name| (*name).to_owned()).collect();
    ProjectRule { project: project.to_owned(), repositories }
}

#[test]
fn a_repository_belongs_to_a_project_by_any_of_its_names() {
    let rules =
        vec![belongs(" PAY ", &["acme/payments", "acme/pay-*"]), belongs("ops", &["*/ops"])];
    let rules = ProjectRules::check(rules).unwrap();
    assert_eq!(rules.written()[0].project, "PAY");
    let cases = [
        ("pay", "Acme/Payments", Some(true)),
        ("PAY", "acme/pay-api", Some(true)),
        ("PAY", "globex/payments", Some(false)),
        ("OPS", "globex/ops", Some(true)),
        ("OPS", "acme/pay-api", Some(false)),
        ("WEB", "acme/pay-api", None),
    ];
    for (project, repository, expected) in cases {
        assert_eq!(rules.has(project, repository), expected, "{project} {repository}");
    }
    assert_eq!(ProjectRules::default().has("PAY", "acme/payments"), None);
}

#[test]
fn project_rules_that_cannot_be_are_refused_by_the_place() {
    let good = || belongs("PAY", &["acme/payments"]);
    let cases: Vec<(&str, Vec<ProjectRule>, &[&str])> = vec![
        ("no key", vec![belongs(" ", &["a/b"])], &["projects[0].project"]),
        ("no repository", vec![good(), belongs("OPS", &[])], &["projects[1].repositories"]),
        ("no owner", vec![belongs("PAY", &["a/b", "pay"])], &["projects[0].repositories[1]"]),
        ("too deep", vec![belongs("PAY", &["a/b/c"])], &["projects[0].repositories[0]"]),
        ("twice", vec![good(), belongs("pay", &["a/b"])], &["projects[1].project"]),
        ("too many names", vec![belongs("PAY", &["a/b"; 101])], &["projects[0].repositories"]),
    ];
    for (name, rules, expected) in cases {
        assert_eq!(paths(ProjectRules::check(rules)), expected, "{name}");
    }
    let many = (0..1_001).map(|number| belongs(&format!("P{number}"), &["a/b"])).collect();
    assert_eq!(paths(ProjectRules::check(many)), ["projects"]);
}

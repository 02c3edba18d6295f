//! Who publishes holds the lease, and what is published is seen at once.

use domain::facts::Facts as Page;
use domain::ids::SnapshotId;
use domain::issue::Change;
use domain::rules::{DeploymentRule, Source};
use domain::workflow::Seen;
use store::Error;
use store::delivery::Shipped;
use store::focus::Focus;
use store::lists::Filter;
use store::metrics::{
    By, Cause, DeliveryState, DeploymentFact, IncidentFact, Link, Publication, PullRequestFact,
    Repository,
};
use uuid::Uuid;

use crate::flow::Everywhere;
use crate::house::House;
use crate::nouns::*;

contract! {
    who_lost_the_lease_publishes_nothing,
    who_lost_the_lease_keeps_no_links,
    old_publications_are_forgotten,
    changed_repositories_are_noted_until_somebody_publishes,
    nobody_publishes_what_he_read_before_the_last_publication,
    pull_requests_that_came_to_production_are_found_by_number_and_by_commit,
    changed_rules_are_seen_until_somebody_publishes_by_them,
    what_was_computed_before_a_publication_is_not_published_after_it,
    deployments_of_every_source_are_published_and_listed,
    suspects_are_of_a_type_or_have_a_label_or_a_component,
    links_that_were_removed_are_not_told,
    an_incident_is_over_when_its_issue_is_done,
    an_incident_that_is_switched_off_fails_no_deployment,
    a_deployment_failed_that_was_rolled_back_or_caused_an_incident,
    deployments_of_what_is_switched_off_are_named,
    what_was_reported_on_a_day_is_told_until_the_next,
}

const DAY: i64 = 86_400;

pub fn publication(house: &House, second: i64) -> Publication {
    let fact = PullRequestFact {
        integration: house.github,
        repository: REPOSITORY,
        number: 1,
        first_commit_at: Some(at(0)),
        first_review_at: None,
        coding_seconds: None,
        pickup_seconds: None,
        review_seconds: None,
        deploy_seconds: None,
        lead_seconds: Some(second as f64),
        deployment: None,
        deployed_at: Some(at(1)),
        author_is_bot: false,
        is_open: false,
        draft: false,
        opened_at: at(100),
        merged_at: Some(at(900)),
        lines: 12,
        files: 3,
        reviews: 2,
        reviewers: 1,
        comments: 1,
        review_rounds: 0,
        reverted: false,
    };
    Publication {
        id: SnapshotId(Uuid::now_v7()),
        as_of: at(second),
        state: DeliveryState::default(),
        published_at: at(second),
        basis: String::new(),
        computed: None,
        pull_requests: vec![fact],
        deployments: Vec::new(),
        incidents: Vec::new(),
    }
}

/// The time of the last publication, and what it says of the pull request.
async fn published(house: &House) -> (Option<domain::Moment>, Option<f64>) {
    let focus = Focus::default();
    let read = house.metrics.dora(house.client, at(0), at(10), focus).await.unwrap();
    (read.as_of, read.pull_requests.first().and_then(|seen| seen.lead_seconds))
}

/// Takes the house's task away from its worker.
async fn lose(house: &House) {
    house.work.begin(house.task, "grace", at(200), at(100)).await.unwrap().unwrap();
}

async fn who_lost_the_lease_publishes_nothing(house: &House) {
    house.github_says(all_of_github()).await;
    let publish = |second| {
        let publication = publication(house, second);
        house.publish(publication, Everywhere::default())
    };
    publish(20).await.unwrap();
    assert_eq!(published(house).await, (Some(at(20)), Some(20.0)));

    lose(house).await;
    let late = publish(110).await;
    assert!(matches!(late, Err(Error::LostLease { task }) if task == house.task), "{late:?}");
    assert_eq!(published(house).await, (Some(at(20)), Some(20.0)));
}

async fn who_lost_the_lease_keeps_no_links(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.github_says(all_of_github()).await;
    let repository = Repository {
        integration: house.github,
        id: REPOSITORY,
        full_name: "acme/payments".to_owned(),
    };
    let links = || {
        let link = |number| Link {
            number,
            issue_integration: house.jira,
            issue_id: 1,
            via: "branch".to_owned(),
            key_seen: "PAY-1".to_owned(),
        };
        vec![link(1), link(2)]
    };
    let keep = |links, second| {
        house.metrics.keep_links(house.client, house.fence, &repository, links, at(second))
    };
    assert_eq!(keep(links(), 20).await.unwrap(), 2);

    lose(house).await;
    let late = keep(Vec::new(), 110).await;
    assert!(matches!(late, Err(Error::LostLease { .. })), "{late:?}");
    assert_eq!(house.metrics.links(house.client, &repository).await.unwrap(), links());
}

async fn changed_repositories_are_noted_until_somebody_publishes(house: &House) {
    let changed = || house.metrics.take_changed_repositories(house.client);
    let publish = |second| {
        let publication = publication(house, second);
        house.publish(publication, Everywhere::default())
    };
    let place = (house.github, REPOSITORY);
    house.github_says(all_of_github()).await;
    assert_eq!(changed().await.unwrap(), [place]);
    publish(20).await.unwrap();
    assert_eq!(changed().await.unwrap(), []);
    house.github_says(all_of_github()).await;
    assert_eq!(changed().await.unwrap(), [], "the same was said again");

    let late = domain::deployment::Deployment { sha: sha(11), ..deployment("d2") };
    house.github_says(Page { deployments: vec![late], ..github_page() }).await;
    assert_eq!(changed().await.unwrap(), [place]);
    assert_eq!(changed().await.unwrap(), [place], "who took the note may have gone");
    let mut fewer = pull_request(1);
    fewer.reviews.pop();
    house.github_says(Page { pull_requests: vec![fewer], ..github_page() }).await;
    publish(21).await.unwrap();
    assert_eq!(changed().await.unwrap(), [place], "what changed meanwhile is noted anew");
    publish(22).await.unwrap();
    assert_eq!(changed().await.unwrap(), []);
}

async fn nobody_publishes_what_he_read_before_the_last_publication(house: &House) {
    house.github_says(all_of_github()).await;
    let publish = |second, state, computed| {
        let publication = Publication { state, computed, ..publication(house, second) };
        let rules = Everywhere::default();
        house.metrics.publish(house.client, house.fence, publication, rules)
    };
    let state = async || house.metrics.delivery(house.client).await.unwrap().state;
    publish(20, state().await, None).await.unwrap();
    let early = state().await;
    publish(21, early, Some(vec![(house.github, REPOSITORY)])).await.unwrap();
    for part in [Some(Vec::new()), None] {
        let late = publish(22, early, part).await;
        assert!(matches!(late, Err(Error::Conflict { .. })), "{late:?}");
    }
    assert_eq!(published(house).await, (Some(at(21)), Some(21.0)));
}

async fn pull_requests_that_came_to_production_are_found_by_number_and_by_commit(house: &House) {
    house.github_says(all_of_github()).await;
    let mut publication = publication(house, 20);
    publication.pull_requests[0].deployment = Some("d1".to_owned());
    let rules = Everywhere::default();
    house.publish(publication, rules).await.unwrap();
    let place = (house.github, REPOSITORY);
    let repository = Repository { integration: place.0, id: place.1, full_name: String::new() };
    let lives = house.metrics.lives(house.client, &repository).await.unwrap();
    let merge_sha = lives[0].merge_commit_sha.clone();
    let first = Shipped { repository: place, number: 1, merge_sha, deployment: "d1".to_owned() };
    let beginning = first.merge_sha.as_ref().unwrap()[..7].to_owned();
    let shipped = async |client, numbers: &[i64], shas: &[&str]| {
        let numbers = numbers.iter().map(|number| (place, *number)).collect();
        let shas = shas.iter().map(|sha| (*sha).to_owned()).collect();
        let mut found = house.metrics.shipped(client, numbers, shas).await.unwrap();
        found.dedup();
        found
    };
    assert_eq!(
        shipped(house.client, &[1, 2], &[]).await,
        std::slice::from_ref(&first),
        "2 came nowhere"
    );
    assert_eq!(shipped(house.client, &[], &[&beginning, "fffffff"]).await, [first]);
    assert_eq!(shipped(house.client, &[7], &["fffffff"]).await, []);
    let (other, ..) = house.add_client("globex").await;
    assert_eq!(shipped(other, &[1], &[&beginning]).await, []);
}

async fn old_publications_are_forgotten(house: &House) {
    house.github_says(all_of_github()).await;
    house.work.renew(house.fence, at(400 * DAY)).await.unwrap();
    for (day, forgotten) in [(0, 0), (50, 0), (100, 1), (300, 2)] {
        let publication = publication(house, day * DAY);
        let rules = Everywhere::default();
        let done = house.publish(publication, rules);
        let done = done.await.unwrap();
        assert_eq!(done.forgotten, forgotten, "day {day}");
    }
    assert_eq!(published(house).await.0, Some(at(300 * DAY)));
}

async fn change_rules(house: &House) {
    let merges = DeploymentRule {
        repository: "*".to_owned(),
        source: "merges".to_owned(),
        pattern: Some("main".to_owned()),
        environments: Vec::new(),
    };
    house.rules.put_deployments(house.client, vec![merges], Seen::Any).await.unwrap();
}

async fn is_behind(house: &House) -> bool {
    let changed = house.metrics.clients_with_changed_rules().await.unwrap();
    let focus = Focus::default();
    let read = house.metrics.dora(house.client, at(0), at(10), focus).await.unwrap();
    assert_eq!(read.is_behind, changed == [house.client]);
    read.is_behind
}

async fn changed_rules_are_seen_until_somebody_publishes_by_them(house: &House) {
    house.github_says(all_of_github()).await;
    let (metrics, client) = (&house.metrics, house.client);
    change_rules(house).await;
    assert!(!is_behind(house).await, "nothing was published yet that could be behind");
    let delivery = metrics.delivery(client).await.unwrap();
    assert_eq!(delivery.as_of, None);
    house.publish(publication(house, 20), Everywhere::default()).await.unwrap();
    assert!(!is_behind(house).await);

    house.rules.put_deployments(client, Vec::new(), Seen::Any).await.unwrap();
    assert!(is_behind(house).await);
    // By rules that were read before: still behind.
    let old = Publication { state: delivery.state, ..publication(house, 21) };
    let late = metrics.publish(client, house.fence, old, Everywhere::default()).await;
    assert!(matches!(late, Err(Error::Conflict { .. })), "{late:?}");
    assert!(is_behind(house).await);

    let delivery = metrics.delivery(client).await.unwrap();
    assert_eq!(delivery.as_of, Some(at(20)));
    assert!(delivery.deployments.of("a/b").ask(Source::Deployments), "the defaults are back");
    assert_eq!(delivery.rules_versions, (2, 0));
    let next = Publication { state: delivery.state, ..publication(house, 21) };
    assert!(metrics.publish_delivery(client, next).await.unwrap().is_some());
    assert!(!is_behind(house).await);

    house.rules.put_bots(client, vec!["ci-user".to_owned()], Seen::Any).await.unwrap();
    assert!(is_behind(house).await);
    let delivery = metrics.delivery(client).await.unwrap();
    assert!(delivery.bots.is_bot(Some("ci-user"), false));
    assert_eq!(delivery.rules_versions, (2, 1));
}

async fn what_was_computed_before_a_publication_is_not_published_after_it(house: &House) {
    house.github_says(all_of_github()).await;
    let (metrics, client) = (&house.metrics, house.client);
    let never = metrics.publish_delivery(client, publication(house, 10)).await.unwrap();
    assert_eq!(never, None, "nothing was published that could be replaced");
    let publish = async |second| {
        let publication = publication(house, second);
        house.publish(publication, Everywhere::default()).await.unwrap();
    };
    publish(20).await;
    let before = metrics.delivery(client).await.unwrap().state;
    publish(30).await;
    let late = Publication { state: before, ..publication(house, 20) };
    assert_eq!(metrics.publish_delivery(client, late).await.unwrap(), None);
    assert_eq!(published(house).await, (Some(at(30)), Some(30.0)));
}

async fn deployments_of_every_source_are_published_and_listed(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.github_says(all_of_github()).await;
    let fact = |source: Source, told, environment: Option<&str>| DeploymentFact {
        integration: house.github,
        repository: REPOSITORY,
        source,
        told,
        environment: environment.map(str::to_owned),
        reason: environment.is_none().then(|| "other_source".to_owned()),
        previous: None,
        rollback: false,
        rolled_back: false,
        pull_requests: 0,
        incidents: 0,
        succeeded_at: Some(at(960)),
    };
    let merge =
        domain::deployment::Deployment { environment: "main".to_owned(), ..deployment("merge:1") };
    let incident = |deployment: Option<&str>| IncidentFact {
        integration: house.jira,
        issue: 1,
        started_at: at(970),
        cause: deployment.map(|deployment| Cause {
            integration: house.github,
            repository: REPOSITORY,
            deployment: deployment.to_owned(),
            rule: "time_window".to_owned(),
        }),
    };
    let publish = async |deployments, incident| {
        let publication =
            Publication { deployments, incidents: vec![incident], ..publication(house, 20) };
        let rules = Everywhere::default();
        house.publish(publication, rules).await.unwrap();
    };
    let both = vec![
        fact(Source::Deployments, deployment("d1"), None),
        fact(Source::Merges, merge, Some("production")),
    ];
    publish(both, incident(Some("merge:1"))).await;
    let listed = async |filter: &Filter| {
        let told = house.lists.deployments(house.client, filter, None, 9).await.unwrap().items;
        let row = |row: store::lists::Deployment| (row.external_id, row.source, row.environment);
        told.into_iter().map(row).collect::<Vec<_>>()
    };
    let row = |id: &str, source: &str, environment: &str| {
        (id.to_owned(), source.to_owned(), environment.to_owned())
    };
    let all = [
        row("d1", "deployments", "production"),
        row("d2", "deployments", "production"),
        row("merge:1", "merges", "production"),
    ];
    assert_eq!(listed(&Filter::default()).await, all);
    let production = Filter { environment: Some("Production".to_owned()), ..Filter::default() };
    assert_eq!(listed(&production).await.len(), 3);
    let any = Filter::default();
    let first = house.lists.deployments(house.client, &any, None, 2).await.unwrap();
    let rest = house.lists.deployments(house.client, &any, first.next.as_ref(), 2).await.unwrap();
    assert_eq!(rest.items.len(), 1, "each is on one page");
    let read = house.metrics.dora(house.client, at(0), at(2_000), Focus::default()).await.unwrap();
    let seen: Vec<_> =
        read.deployments.iter().map(|d| (&*d.environment_seen, d.reason.as_deref())).collect();
    assert_eq!(seen, [("production", Some("other_source")), ("main", None)]);
    assert_eq!(read.incidents[0].deployed_at, Some(at(960)));

    // The rules changed: what an incident was blamed on is gone, and the blame with it.
    publish(vec![fact(Source::Deployments, deployment("d1"), Some("production"))], incident(None))
        .await;
    assert_eq!(listed(&Filter::default()).await, all[..2]);
}

async fn suspects_are_of_a_type_or_have_a_label_or_a_component(house: &House) {
    let mut bare = issue(3);
    bare.labels.clear();
    bare.components.clear();
    let mut other = issue(4);
    other.labels.clear();
    other.components.clear();
    other.issue_type.external_id = 11;
    let mut part = issue(5);
    part.labels.clear();
    part.mentions.clear();
    let issues = vec![issue(1), issue(2), bare, other, part];
    house.jira_says(Page { issues, ..jira_page() }).await;
    house.jira_says(Page { deleted_issues: vec![2], ..Page::default() }).await;
    let of = async |client, types: &[i64], by_names, after, limit| {
        let (metrics, jira) = (&house.metrics, house.jira);
        let by = By { names: by_names, fields: false };
        metrics.suspects(client, jira, types, by, after, limit).await.unwrap()
    };
    let suspects = async |types: &[i64], by_names, after, limit| {
        let told = of(house.client, types, by_names, after, limit).await;
        told.into_iter().map(|suspect| (suspect.id, suspect.labels.len())).collect::<Vec<_>>()
    };
    assert_eq!(suspects(&[11], false, 0, 9).await, [(4, 0)]);
    assert_eq!(suspects(&[11], true, 0, 9).await, [(1, 2), (4, 0), (5, 0)]);
    assert_eq!(suspects(&[11], true, 0, 2).await, [(1, 2), (4, 0)]);
    assert_eq!(suspects(&[11], true, 4, 2).await, [(5, 0)]);
    assert_eq!(suspects(&[], true, 0, 9).await, [(1, 2), (5, 0)]);
    assert_eq!(suspects(&[], false, 0, 9).await, []);
    let told = of(house.client, &[11], false, 0, 9).await;
    // Whatever holds a value in a custom field, whatever its labels.
    let by = By { names: false, fields: true };
    let valued = house.metrics.suspects(house.client, house.jira, &[], by, 0, 9).await.unwrap();
    assert_eq!(valued.iter().map(|suspect| suspect.id).collect::<Vec<_>>(), [1, 3, 4]);
    let by = By { names: true, fields: true };
    let either = house.metrics.suspects(house.client, house.jira, &[], by, 0, 9).await.unwrap();
    assert_eq!(either.iter().map(|suspect| suspect.id).collect::<Vec<_>>(), [1, 3, 4, 5]);
    assert_eq!(told[0].moments, [("customfield_10060".to_owned(), at(500))]);
    assert_eq!(told[0].mentions, [("customfield_10070".to_owned(), "v1.8.0".to_owned())]);
    let (other, ..) = house.add_client("globex").await;
    assert_eq!(of(other, &[10, 11], true, 0, 9).await, []);
    let theirs = house.metrics.incidents(other, house.jira, vec![1]).await.unwrap();
    assert_eq!(theirs, []);
    let read = house.metrics.incidents(house.client, house.jira, vec![4, 1]).await.unwrap();
    assert_eq!(read.iter().map(|incident| incident.id).collect::<Vec<_>>(), [1, 4]);
}

async fn links_that_were_removed_are_not_told(house: &House) {
    house.jira_says(all_of_jira()).await;
    let link = |change_id, removed: Option<&str>, added: Option<&str>| Change {
        field: "Link".to_owned(),
        from_string: removed.map(str::to_owned),
        to_string: added.map(str::to_owned),
        ..change(1, change_id, 0)
    };
    let (cause, other) = ("This issue is caused by PAY-2", "This issue blocks PAY-3");
    let changes = vec![
        link(901, None, Some(cause)),
        link(902, None, Some(other)),
        link(903, Some(cause), None),
        link(904, None, Some(cause)),
        link(905, Some(cause), None),
        link(906, Some("This issue is caused by PAY-9"), None),
    ];
    house.jira_says(Page { changes, ..Page::default() }).await;
    let read = house.metrics.incidents(house.client, house.jira, vec![1]).await.unwrap();
    assert_eq!(read[0].links, [other]);
}

async fn an_incident_is_over_when_its_issue_is_done(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.github_says(all_of_github()).await;
    let publish = async |second, left_out| {
        let incident =
            |issue| IncidentFact { integration: house.jira, issue, started_at: at(0), cause: None };
        let incidents = vec![incident(1), incident(2)];
        let publication = Publication { incidents, ..publication(house, second) };
        let rules = Everywhere::leaving_out(left_out);
        house.publish(publication, rules).await.unwrap();
    };
    let ended = async || {
        let told = house.lists.incidents(house.client, &Filter::default(), None, 9).await.unwrap();
        told.items.into_iter().map(|row| (row.issue_key, row.ended_at)).collect::<Vec<_>>()
    };
    let told = |first, second| vec![("PAY-1".to_owned(), first), ("PAY-2".to_owned(), second)];
    publish(20, vec![2]).await;
    assert_eq!(ended().await, told(Some(at(1)), None));
    publish(21, vec![1]).await;
    assert_eq!(ended().await, told(None, Some(at(2))));
}

async fn what_was_reported_on_a_day_is_told_until_the_next(house: &House) {
    let keep = async |day, second, text: &str| {
        let answers = vec![("dora", text.as_bytes().to_vec()), ("flow", b"flow".to_vec())];
        house.metrics.keep_reported(house.client, day, at(second), answers).await.unwrap();
    };
    let told = async |client, report: &str, day| {
        let found = house.metrics.reported(client, report.to_owned(), day).await.unwrap();
        found.map(|found| (found.day, found.told_at, String::from_utf8(found.answer).unwrap()))
    };
    let first =
        async || house.metrics.first_reported(house.client, "dora".to_owned()).await.unwrap();
    assert_eq!((told(house.client, "dora", 100).await, first().await), (None, None));
    keep(100, 1, "in the morning").await;
    keep(100, 2, "in the evening").await;
    keep(103, 3, "later").await;
    let evening = Some((100, at(2), "in the evening".to_owned()));
    for (day, expected) in [
        (99, None),
        (100, evening.clone()),
        (102, evening),
        (103, Some((103, at(3), "later".to_owned()))),
        (999, Some((103, at(3), "later".to_owned()))),
    ] {
        assert_eq!(told(house.client, "dora", day).await, expected, "day {day}");
    }
    assert_eq!(told(house.client, "flow", 101).await.unwrap().2, "flow");
    assert_eq!(told(house.client, "forecast", 101).await, None);
    let (other, ..) = house.add_client("globex").await;
    assert_eq!(told(other, "dora", 999).await, None);
    assert_eq!(first().await, Some(100));
    keep(103 + 3 * 366, 4, "much later").await;
    assert_eq!(first().await, Some(103 + 3 * 366), "what is too old is forgotten");
}

async fn an_incident_that_is_switched_off_fails_no_deployment(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.github_says(all_of_github()).await;
    let publish = async |second, rules| {
        let deployed = DeploymentFact {
            integration: house.github,
            repository: REPOSITORY,
            source: Source::Deployments,
            told: deployment("d1"),
            environment: Some("production".to_owned()),
            reason: None,
            previous: None,
            rollback: false,
            rolled_back: false,
            pull_requests: 0,
            incidents: 1,
            succeeded_at: Some(at(960)),
        };
        let incident = IncidentFact {
            integration: house.jira,
            issue: 1,
            started_at: at(970),
            cause: Some(Cause {
                integration: house.github,
                repository: REPOSITORY,
                deployment: "d1".to_owned(),
                rule: "explicit".to_owned(),
            }),
        };
        let (deployments, incidents) = (vec![deployed], vec![incident]);
        let publication = Publication { deployments, incidents, ..publication(house, second) };
        house.publish(publication, rules).await.unwrap();
        let focus = Focus::default();
        let read = house.metrics.dora(house.client, at(0), at(5_000), focus).await.unwrap();
        let left_out: Vec<String> =
            read.incidents_left_out.into_iter().map(|one| one.reason).collect();
        (read.deployments[0].failed, read.incidents.len(), left_out)
    };
    let counts = publish(20, Everywhere::default()).await;
    assert_eq!(counts, (true, 1, vec![]));
    let unmapped = publish(21, Everywhere::leaving_out(vec![1])).await;
    assert_eq!(unmapped, (true, 0, vec!["unmapped_status".to_owned()]));
    let off = publish(22, Everywhere::switching_off(vec![1])).await;
    assert_eq!(off, (false, 0, vec!["inactive_issue".to_owned()]));
}

async fn a_deployment_failed_that_was_rolled_back_or_caused_an_incident(house: &House) {
    house.jira_says(all_of_jira()).await;
    house.github_says(all_of_github()).await;
    let deployed = |id: &str, rolled_back| DeploymentFact {
        integration: house.github,
        repository: REPOSITORY,
        source: Source::Merges,
        told: deployment(id),
        environment: Some("production".to_owned()),
        reason: None,
        previous: None,
        rollback: false,
        rolled_back,
        pull_requests: 0,
        incidents: 0,
        succeeded_at: Some(at(960)),
    };
    let incident = |issue, deployment: &str| IncidentFact {
        integration: house.jira,
        issue,
        started_at: at(970),
        cause: Some(Cause {
            integration: house.github,
            repository: REPOSITORY,
            deployment: deployment.to_owned(),
            rule: "time_window".to_owned(),
        }),
    };
    let deployments = vec![
        deployed("merge:1", false),
        deployed("merge:2", true),
        deployed("merge:3", false),
        deployed("merge:4", true),
    ];
    let incidents = vec![incident(1, "merge:3"), incident(2, "merge:4")];
    let publication = Publication { deployments, incidents, ..publication(house, 20) };
    house.publish(publication, Everywhere::default()).await.unwrap();
    let focus = Focus::default();
    let read = house.metrics.dora(house.client, at(0), at(5_000), focus).await.unwrap();
    let failed: Vec<_> =
        read.deployments.iter().map(|seen| (seen.id.as_str(), seen.failed)).collect();
    let expected = [("merge:1", false), ("merge:2", true), ("merge:3", true), ("merge:4", true)];
    assert_eq!(failed, expected);
}

async fn deployments_of_what_is_switched_off_are_named(house: &House) {
    house.github_says(all_of_github()).await;
    let inactive = async |from, to| {
        let found = house.metrics.inactive_deployments(house.client, at(from), at(to)).await;
        found.unwrap().into_iter().map(|one| (one.place, one.reason)).collect::<Vec<_>>()
    };
    assert_eq!(inactive(0, 5_000).await, []);
    let stored = house.integrations.get(house.client, house.github).await.unwrap();
    let off = store::integrations::Integration { active: false, ..stored };
    house.integrations.replace(&off).await.unwrap();
    let named = inactive(0, 5_000).await;
    assert!(!named.is_empty());
    for one in named {
        assert_eq!(one, ((house.github, REPOSITORY), "inactive_integration".to_owned()));
    }
    assert_eq!(inactive(4_000, 5_000).await, [], "outside the window");
}

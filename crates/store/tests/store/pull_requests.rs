//! What a report on pull requests is made from: read from the source, made into facts, and asked for.

use domain::facts::Facts as Page;
use domain::pull_request::{Actor, PullRequest, PullRequestState, Review};
use domain::rules::ProjectRule;
use domain::workflow::Seen;
use store::focus::Focus;
use store::metrics::{Link, Publication, PullRequestFact, PullRequestLife, Repository, Said};
use store::pull_requests::{Inactive, PullRequestsRead};
use store::review_load::{ReviewLoad, Reviewer};

use crate::flow::Everywhere;
use crate::house::House;
use crate::metrics::publication;
use crate::nouns::*;

contract! {
    what_people_said_is_read_for_the_rules,
    who_pushes_by_force_began_with_what_is_there_now,
    a_report_sees_what_was_merged_in_its_time_and_what_is_open,
    a_report_is_about_repositories_and_about_projects_that_are_named,
    what_hangs_on_something_inactive_is_told_apart,
    facts_of_which_nothing_is_said_any_more_are_gone,
    reviews_are_counted_by_who_gave_them_to_others,
}

fn payments(house: &House) -> Repository {
    Repository { integration: house.github, id: REPOSITORY, full_name: "acme/payments".to_owned() }
}

async fn who_pushes_by_force_began_with_what_is_there_now(house: &House) {
    let began = async || {
        let lives = house.metrics.lives(house.client, &payments(house)).await.unwrap();
        lives[0].first_commit_at
    };
    // Commits are authored at the second of their number.
    house.github_says(all_of_github()).await;
    assert_eq!(began().await, Some(at(7)));
    let push = async |commits: Vec<domain::repository::Commit>| {
        let forced = PullRequest { commits, ..pull_request(1) };
        house.github_says(Page { pull_requests: vec![forced], ..github_page() }).await;
    };
    push(vec![commit(13), commit(12)]).await;
    assert_eq!(began().await, Some(at(12)));
    push(vec![commit(5)]).await;
    assert_eq!(began().await, Some(at(5)));
    push(Vec::new()).await;
    assert_eq!(began().await, None);
}

fn open(number: i64) -> PullRequest {
    PullRequest {
        state: PullRequestState::Open,
        draft: true,
        merged_at: None,
        closed_at: None,
        merge_commit_sha: None,
        ..pull_request(number)
    }
}

async fn what_people_said_is_read_for_the_rules(house: &House) {
    let doubted = Review { state: "CHANGES_REQUESTED".to_owned(), ..review(12) };
    let mut first = pull_request(1);
    first.reviews = vec![review(11), doubted];
    first.comments.push(domain::pull_request::Comment { author: None, ..comment(13) });
    let pull_requests = vec![first, open(2)];
    house.github_says(Page { pull_requests, ..all_of_github() }).await;

    let (metrics, client, repository) = (&house.metrics, house.client, payments(house));
    let lives = metrics.lives(client, &repository).await.unwrap();
    let shape = |life: &PullRequestLife| {
        (life.author_is_bot, life.is_open, life.draft, life.lines, life.files)
    };
    let shapes: Vec<_> = lives.iter().map(shape).collect();
    assert_eq!(shapes, [(false, false, false, 12, 3), (false, true, true, 12, 3)]);
    let reviews = metrics.reviews(client, &repository).await.unwrap();
    let mut said: Vec<_> = reviews.iter().map(|r| (r.number, format!("{:?}", r.said))).collect();
    said.sort();
    let expected = [(1, Said::ChangesRequested), (1, Said::Remark), (1, Said::Verdict)];
    let expected = expected.map(|(number, said)| (number, format!("{said:?}")));
    assert_eq!(said[..3], expected);
    let comments = metrics.comments(client, &repository).await.unwrap();
    let mut comments: Vec<_> = comments.iter().map(|by| (by.number, by.bot, by.count)).collect();
    comments.sort_unstable();
    assert_eq!(comments, [(1, false, 1), (1, true, 1), (2, true, 1)]);
    let commits = metrics.commits_under_review(client, &repository).await.unwrap();
    assert_eq!(commits, [(1, at(8)), (1, at(12)), (1, at(13))], "in the order of time");
    let (other, ..) = house.add_client("globex").await;
    assert_eq!(metrics.comments(other, &repository).await.unwrap(), []);
    assert_eq!(metrics.commits_under_review(other, &repository).await.unwrap(), []);
}

/// Says that one was merged, one by a machine before it, and one is open.
async fn publish(house: &House) -> Vec<PullRequestFact> {
    let pull_requests = vec![pull_request(1), pull_request(2), open(3)];
    house.github_says(Page { pull_requests, ..all_of_github() }).await;
    let base = publication(house, 20);
    let first = base.pull_requests[0].clone();
    let second = PullRequestFact {
        number: 2,
        author_is_bot: true,
        merged_at: Some(at(500)),
        review_rounds: 3,
        reverted: true,
        ..first.clone()
    };
    let third =
        PullRequestFact { number: 3, merged_at: None, is_open: true, draft: true, ..first.clone() };
    let facts = vec![first, second, third];
    let publication = Publication { pull_requests: facts.clone(), ..base };
    let rules = Everywhere::default();
    house.publish(publication, rules).await.unwrap();
    facts
}

async fn read(house: &House, from: i64, to: i64, focus: Focus) -> PullRequestsRead {
    house.metrics.pull_requests(house.client, at(from), at(to), focus).await.unwrap()
}

fn numbers(read: &PullRequestsRead) -> (Vec<i64>, Vec<i64>) {
    let numbers = |rows: &[store::pull_requests::PullRequestTold]| {
        rows.iter().map(|told| told.fact.number).collect()
    };
    (numbers(&read.merged), numbers(&read.open))
}

async fn a_report_sees_what_was_merged_in_its_time_and_what_is_open(house: &House) {
    let nothing = read(house, 0, 2_000, Focus::default()).await;
    assert_eq!((nothing.as_of, nothing.merged), (None, vec![]));
    let facts = publish(house).await;
    let all = read(house, 0, 2_000, Focus::default()).await;
    assert_eq!((all.as_of, all.is_behind), (Some(at(20)), false));
    assert_eq!(numbers(&all), (vec![2, 1], vec![3]), "in the order of merging");
    assert_eq!(all.merged[0].name, "acme/payments#2");
    assert_eq!(
        [&all.merged[1].fact, &all.merged[0].fact, &all.open[0].fact],
        [&facts[0], &facts[1], &facts[2]]
    );
    assert_eq!(numbers(&read(house, 0, 900, Focus::default()).await), (vec![2], vec![3]));
    assert_eq!(numbers(&read(house, 900, 901, Focus::default()).await), (vec![1], vec![3]));
}

async fn a_report_is_about_repositories_and_about_projects_that_are_named(house: &House) {
    house.jira_says(all_of_jira()).await;
    publish(house).await;
    let link = |number| Link {
        number,
        issue_integration: house.jira,
        issue_id: 1,
        via: "branch".to_owned(),
        key_seen: "PAY-1".to_owned(),
    };
    let links = vec![link(1), link(3)];
    let (repository, fence) = (payments(house), house.fence);
    house.metrics.keep_links(house.client, fence, &repository, links, at(2)).await.unwrap();
    let about = async |projects: &[&str], repositories: &[&str]| {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let focus = Focus { projects: texts(projects), repositories: texts(repositories) };
        numbers(&read(house, 0, 2_000, focus).await)
    };
    assert_eq!(about(&["pay"], &[]).await, (vec![1], vec![3]));
    assert_eq!(about(&["OPS"], &[]).await, (vec![], vec![]));
    assert_eq!(about(&[], &["Acme/Payments"]).await, (vec![2, 1], vec![3]));
    assert_eq!(about(&[], &["acme/web"]).await, (vec![], vec![]));
    assert_eq!(about(&["OPS", "PAY"], &["acme/payments"]).await, (vec![1], vec![3]));

    let belongs = |project: &str| ProjectRule {
        project: project.to_owned(),
        repositories: vec!["acme/pay*".to_owned()],
    };
    let rules = vec![belongs("OPS")];
    house.rules.put_projects(house.client, rules, Seen::Any).await.unwrap();
    assert_eq!(about(&["ops"], &[]).await, (vec![2, 1], vec![3]), "all of its repository");
    assert_eq!(about(&["PAY"], &[]).await, (vec![1], vec![3]), "what names its issues");
    assert_eq!(about(&["OPS"], &["acme/web"]).await, (vec![], vec![]));
}

async fn what_hangs_on_something_inactive_is_told_apart(house: &House) {
    publish(house).await;
    assert_eq!(read(house, 0, 2_000, Focus::default()).await.inactive, []);
    let github = house.integrations.get(house.client, house.github).await.unwrap();
    let resting = store::integrations::Integration { active: false, ..github };
    house.integrations.replace(&resting).await.unwrap();
    let read = read(house, 0, 2_000, Focus::default()).await;
    assert_eq!(numbers(&read), (vec![], vec![]));
    let reason = "inactive_integration";
    let expected = [Some(at(900)), Some(at(900)), None];
    assert_eq!(read.inactive, expected.map(|merged_at| Inactive { merged_at, reason }));
}

async fn facts_of_which_nothing_is_said_any_more_are_gone(house: &House) {
    let web = 502;
    let page = Page {
        repositories: vec![repository(web, "acme/web")],
        repository_id: web,
        pull_requests: vec![pull_request(1), pull_request(2)],
        ..Page::default()
    };
    house.github_says(page).await;
    let facts = publish(house).await;
    let of_web = |number| PullRequestFact { repository: web, number, ..facts[0].clone() };
    let say = async |second, pull_requests| {
        let publication = Publication { pull_requests, ..publication(house, second) };
        let rules = Everywhere::default();
        let said = house.publish(publication, rules).await;
        let all = read(house, 0, 2_000, Focus::default()).await;
        let names = all.merged.into_iter().chain(all.open).map(|told| told.name);
        (said.unwrap().written, names.collect::<Vec<_>>())
    };
    // In any order, and each change is written alone.
    let all = vec![of_web(2), facts[0].clone(), of_web(1), facts[2].clone()];
    let names = ["acme/payments#1", "acme/web#1", "acme/web#2", "acme/payments#3"];
    assert_eq!(say(21, all.clone()).await, (3, names.map(str::to_owned).to_vec()));
    assert_eq!(say(22, all).await, (0, names.map(str::to_owned).to_vec()));
    let changed = PullRequestFact { lines: 99, ..of_web(2) };
    assert_eq!(say(23, vec![changed]).await, (4, vec!["acme/web#2".to_owned()]));
    assert_eq!(say(24, Vec::new()).await, (1, Vec::new()));
}

/// Ada's two pull requests, and what was said of them at 400.
async fn reviews_are_counted_by_who_gave_them_to_others(house: &House) {
    let by = |id: i64, login: &str, is_bot| Review {
        author: Some(Actor::new(login, is_bot)),
        ..review(id)
    };
    let mut first = pull_request(1);
    first.reviews = vec![
        by(11, "grace", false),
        by(12, "grace", false),
        by(13, "linus", false),
        by(14, "ada", false),
        by(15, "scan[bot]", true),
        by(16, "gate-keeper", false),
        Review { author: None, ..review(17) },
        Review { submitted_at: None, state: "PENDING".to_owned(), ..by(18, "grace", false) },
        Review { submitted_at: Some(at(500)), ..by(19, "linus", false) },
    ];
    let mut second = pull_request(2);
    second.reviews = vec![by(21, "grace", false)];
    house.github_says(Page { pull_requests: vec![first, second], ..all_of_github() }).await;
    let load = async |client, from, to, repositories: &[&str], projects: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let focus = Focus { repositories: names(repositories), projects: names(projects) };
        house.metrics.review_load(client, at(from), at(to), focus).await.unwrap()
    };
    let never = load(house.client, 0, 1_000, &[], &[]).await;
    assert_eq!(never, ReviewLoad::default(), "nothing is told before the first publication");
    publish_nothing(house).await;

    let person = |login: &str, reviews, pull_requests| Reviewer {
        login: login.to_owned(),
        reviews,
        pull_requests,
    };
    let told = load(house.client, 400, 500, &[], &[]).await;
    let (grace, linus) = (person("grace", 3, 2), person("linus", 1, 1));
    let keeper = person("gate-keeper", 1, 1);
    assert_eq!(told.people, [grace.clone(), keeper, linus.clone()]);
    assert_eq!((told.by_bots, told.own, told.by_nobody), (1, 1, 1));

    let logins = vec!["gate-*".to_owned()];
    house.rules.put_bots(house.client, logins, Seen::Any).await.unwrap();
    let told = load(house.client, 400, 501, &["ACME/payments"], &[]).await;
    assert_eq!((told.people, told.by_bots), (vec![grace, person("linus", 2, 1)], 2));

    for (from, to, repositories, projects) in [
        (0, 400, &[][..], &[][..]),
        (501, 1_000, &[], &[]),
        (0, 1_000, &["acme/web"], &[]),
        (0, 1_000, &[], &["WEB"]),
    ] {
        let told = load(house.client, from, to, repositories, projects).await;
        let all = told.people.len() as u64 + told.by_bots + told.own + told.by_nobody;
        assert_eq!(all, 0, "{from} to {to}, {repositories:?} {projects:?}");
    }
    let (other, ..) = house.add_client("globex").await;
    assert_eq!(load(other, 0, 1_000, &[], &[]).await, ReviewLoad::default());
}

async fn publish_nothing(house: &House) {
    let publication = Publication {
        pull_requests: Vec::new(),
        deployments: Vec::new(),
        incidents: Vec::new(),
        ..publication(house, 20)
    };
    house.publish(publication, Everywhere::default()).await.unwrap();
}

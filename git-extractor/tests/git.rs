//! GitHub as a source, read from a simulated company.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use chrono::TimeDelta;
use domain::Moment;
use domain::ids::{ClientId, IntegrationId, TaskId};
use domain::work::{Slice, Step, Task, TaskKind};
use extractor::{Connection, Reader, Source};
use git_extractor::Github;
use platform::cache::Cache;
use platform::upstream::{Guard, Upstream};
use secrecy::SecretString;
use serde_json::Value;
use simulator::{Options, Simulator};
use store::{Db, Facts};
use uuid::Uuid;

/// A source, and the company that it reads.
struct House {
    simulator: Simulator,
    github: Github,
}

impl House {
    async fn start(options: Options) -> House {
        let simulator = Simulator::start(options).unwrap();
        let upstream = Upstream::new(Guard::new(["127.0.0.0/8".parse().unwrap()])).unwrap();
        let facts = Facts::new(Db::open("sqlite::memory:", 1).await.unwrap());
        House { simulator, github: Github::new(upstream, Cache::memory(), facts) }
    }

    fn connection(&self, scopes: &[&str]) -> Connection {
        Connection {
            client: ClientId(Uuid::from_u128(1)),
            integration: Some(IntegrationId(Uuid::from_u128(2))),
            base_url: self.simulator.github_url(),
            username: String::new(),
            secret: SecretString::from(self.simulator.company().github.token),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        }
    }

    async fn test(&self, scopes: &[&str]) -> Value {
        let report = self.github.probe(&task(TaskKind::Probe), self.connection(scopes)).await;
        serde_json::from_str(&report.unwrap()).unwrap()
    }
}

fn task(kind: TaskKind) -> Task {
    Task {
        id: TaskId(Uuid::from_u128(3)),
        client: ClientId(Uuid::from_u128(1)),
        run: None,
        kind,
        integration: Some(IntegrationId(Uuid::from_u128(2))),
        scope: String::new(),
        slice: Slice::default(),
        cursor: String::new(),
        input: String::new(),
        run_started_at: Moment::UNIX_EPOCH,
    }
}

fn small() -> Options {
    Options { issues: 50, pull_requests: 40, ..Options::default() }
}

#[tokio::test]
async fn a_page_tells_what_githubs_clock_said_at_first() {
    let theirs: Moment = "2026-10-06T10:00:00Z".parse().unwrap();
    let house = House::start(Options { now: Some(theirs), ..small() }).await;
    let repositories = task(TaskKind::Step(Step::Repositories));
    let mut reader = house.github.open(&repositories, house.connection(&[])).await.unwrap();
    let first = reader.page("").await.unwrap();
    assert_eq!(first.source_time, Some(theirs));
    house.simulator.advance(TimeDelta::minutes(5).to_std().unwrap());
    let again = reader.page("").await.unwrap();
    assert_eq!(again.source_time, Some(theirs), "what came since may be on no page");
}

#[tokio::test]
async fn all_of_an_owner_is_read_and_tested() {
    let house = House::start(small()).await;
    let named = house.simulator.company().github.repositories;
    let (owner, _) = named[0].split_once('/').unwrap();
    let all = format!("{owner}/*");

    let repositories = task(TaskKind::Step(Step::Repositories));
    let mut reader = house.github.open(&repositories, house.connection(&[&all])).await.unwrap();
    let page = reader.page("").await.unwrap();
    let read: Vec<&str> =
        page.facts.repositories.iter().map(|read| read.full_name.as_str()).collect();
    assert!(named.iter().all(|name| read.contains(&name.as_str())), "{named:?} of {read:?}");
    assert!(page.facts.repositories_are_all && page.gaps.is_empty());

    let some = house.connection(&[&named[0], "nobody/*"]);
    let page = house.github.open(&repositories, some).await.unwrap().page("").await.unwrap();
    assert_eq!(page.facts.repositories.len(), 1, "the others are read");
    assert_eq!(page.gaps.len(), 1);
    assert_eq!(page.gaps[0].scope, "nobody/*");
    assert!(!page.facts.repositories_are_all, "none is closed for not being told of");

    let report = house.test(&[&all, &named[0], "nobody/*"]).await;
    let scopes = report["scopes"].as_array().unwrap();
    let found: Vec<_> = scopes.iter().map(|scope| (&scope["key"], &scope["available"])).collect();
    let expected = [(all.as_str(), true), ("nobody/*", false), (named[0].as_str(), true)];
    let expected = expected.map(|(key, available)| (Value::from(key), Value::from(available)));
    assert_eq!(found, expected.iter().map(|(key, is)| (key, is)).collect::<Vec<_>>());
    let verdict =
        report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "scope");
    let verdict = verdict.unwrap();
    assert_eq!(verdict["status"], "warning");
    assert!(verdict["detail"].as_str().unwrap().contains("`nobody/*`"), "{verdict}");
}

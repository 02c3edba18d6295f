//! The step *deployments*: newest first, with their statuses; then whatever else tells of deployments
//! by the client's rules.

use chrono::TimeDelta;
use domain::Moment;
use domain::facts::Facts;
use domain::rules::Source;
use domain::work::Gap;
use extractor::{Failure, Page, PageSize};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{PageOf, Place, gaps, listed, repository, statuses};
use crate::client::{Client, Listed};
use crate::paging::MOST;
use crate::{mapping, queries, wire};

/// A deployment may still change for a while: each read goes back this far behind the watermark.
const STILL_CHANGING: TimeDelta = TimeDelta::days(14);
/// One that is not over yet is looked at again for as long as GitHub lets it wait for somebody's approval.
pub const MAY_WAIT: TimeDelta = TimeDelta::days(30);

/// Reads the deployments of one repository.
pub struct Deployments {
    place: Place,
    since: Option<Moment>,
    /// What else is read, and how far it was before.
    more: Vec<(Source, Option<Moment>)>,
    /// When the oldest began that was not over when it was last read.
    open: Vec<(Source, Moment)>,
    size: PageSize,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cursor {
    /// Deployments behind GitHub's cursor.
    Deployments(String),
    /// Releases behind GitHub's cursor.
    Releases { after: String },
    /// Runs of workflows: from the first, or at the address of a page.
    Runs { at: Option<String> },
}

impl Cursor {
    fn read(text: &str) -> Result<Cursor, Failure> {
        if text.is_empty() {
            return Ok(Cursor::Deployments(String::new()));
        }
        serde_json::from_str(text).map_err(|_| Failure::StaleCursor)
    }

    fn write(&self) -> String {
        serde_json::to_string(self).expect("a cursor is JSON")
    }
}

impl Deployments {
    /// Of `place`: all, or those that may have changed since the watermark. Each of `more` has its
    /// own, because rules may ask for it later than for the others, or again. Whatever its watermark,
    /// each is read on up to the oldest that was `open`.
    pub fn new(
        place: Place,
        since: Option<Moment>,
        more: Vec<(Source, Option<Moment>)>,
        open: Vec<(Source, Moment)>,
    ) -> Deployments {
        Deployments { place, since, more, open, size: PageSize::up_to(MOST) }
    }

    /// The page at `cursor`.
    pub async fn page(&mut self, client: &Client, cursor: &str) -> Result<Page, Failure> {
        let (page, next) = match Cursor::read(cursor)? {
            Cursor::Deployments(after) => {
                let (page, next) = self.deployments(client, &after).await?;
                (page, next.map(Cursor::Deployments).or_else(|| self.first_of(0)))
            }
            Cursor::Releases { after } => {
                let (page, next) = self.releases(client, &after).await?;
                let next = next.map(|after| Cursor::Releases { after });
                (page, next.or_else(|| self.behind(Source::Releases)))
            }
            Cursor::Runs { at } => {
                let (page, next) = match self.runs(client, at).await {
                    Err(Failure::Unreadable { detail } | Failure::TooLarge { detail }) => {
                        (self.without_runs(detail), None)
                    }
                    read => read?,
                };
                let next = next.map(|at| Cursor::Runs { at: Some(at) });
                (page, next.or_else(|| self.behind(Source::WorkflowRuns)))
            }
        };
        Ok(Page { next: next.map(|next| next.write()), ..page })
    }

    fn first_of(&self, position: usize) -> Option<Cursor> {
        let (source, _) = *self.more.get(position)?;
        match source {
            Source::Releases => Some(Cursor::Releases { after: String::new() }),
            Source::WorkflowRuns => Some(Cursor::Runs { at: None }),
            Source::Deployments | Source::Merges | Source::Api => self.first_of(position + 1),
        }
    }

    fn behind(&self, source: Source) -> Option<Cursor> {
        let position = self.more.iter().position(|(other, _)| *other == source)?;
        self.first_of(position + 1)
    }

    /// How far one of `more` was read before.
    fn read_to(&self, source: Source) -> Option<Moment> {
        let (_, read_to) = self.more.iter().find(|(other, _)| *other == source)?;
        *read_to
    }

    /// Whether a row of this age, and with it everything behind it, is as it was when all was read.
    fn is_known(&self, source: Source, created_at: Moment) -> bool {
        let read_to = if source == Source::Deployments { self.since } else { self.read_to(source) };
        let is_open = |(of, began): &(Source, Moment)| *of == source && created_at >= *began;
        read_to.is_some_and(|read_to| created_at < read_to - STILL_CHANGING)
            && !self.open.iter().any(is_open)
    }

    async fn deployments(
        &mut self,
        client: &Client,
        after: &str,
    ) -> Result<(Page, Option<String>), Failure> {
        let place = &self.place;
        let variables = |size| json!(PageOf::new(place, size, after));
        let (data, errors) =
            listed(client, &queries::deployments(), &mut self.size, variables).await?;
        let (found, mut budget) = repository::<wire::Deployments>(place, data, &errors)?;
        let next = found.deployments.page_info.next();
        let mut wires: Vec<_> = found.deployments.nodes.into_iter().flatten().collect();
        let known =
            wires.last().is_some_and(|last| self.is_known(Source::Deployments, last.created_at));
        let incomplete = statuses::complete(client, &mut wires, &mut budget).await?;
        let deployments = wires.into_iter().map(mapping::deployment).collect();
        let facts = Facts { repository_id: self.place.id, deployments, ..Facts::default() };
        let gaps = gaps(&self.place, &errors).chain(incomplete).collect();
        Ok((Page { facts, gaps, budget, ..Page::default() }, next.filter(|_| !known)))
    }

    async fn releases(
        &mut self,
        client: &Client,
        after: &str,
    ) -> Result<(Page, Option<String>), Failure> {
        let place = &self.place;
        let variables = |size| json!(PageOf::new(place, size, after));
        let (data, errors) =
            listed(client, &queries::releases(), &mut self.size, variables).await?;
        let (found, budget) = repository::<wire::Releases>(place, data, &errors)?;
        let wires: Vec<_> = found.releases.nodes.into_iter().flatten().collect();
        let known =
            wires.last().is_some_and(|last| self.is_known(Source::Releases, last.created_at));
        let next = found.releases.page_info.next().filter(|_| !known);
        let facts = Facts {
            repository_id: self.place.id,
            shipments: wires.into_iter().filter_map(mapping::release).collect(),
            read_to_end: next.is_none().then_some(Source::Releases),
            ..Facts::default()
        };
        let gaps = gaps(&self.place, &errors).collect();
        Ok((Page { facts, gaps, budget, ..Page::default() }, next))
    }

    /// Without a filter, because GitHub cuts a filtered list off at 1,000.
    async fn runs(
        &self,
        client: &Client,
        at: Option<String>,
    ) -> Result<(Page, Option<String>), Failure> {
        let Place { owner, name, .. } = &self.place;
        let first = || client.address(&format!("/repos/{owner}/{name}/actions/runs?per_page=100"));
        let url = at.unwrap_or_else(first);
        let listed: Listed<wire::Run> =
            client.wrapped_at(&url, |runs: wire::Runs| runs.workflow_runs).await?;
        let last = listed.rows.last();
        let known = last.is_some_and(|last| self.is_known(Source::WorkflowRuns, last.created_at));
        let next = listed.next.filter(|_| !known);
        let read_to_end = next.is_none().then_some(Source::WorkflowRuns);
        let mut facts = Facts { repository_id: self.place.id, read_to_end, ..Facts::default() };
        for run in listed.rows {
            match mapping::run(run) {
                Ok(shipment) => facts.shipments.push(shipment),
                Err(id) => facts.resultless_runs.push(id),
            }
        }
        let page = Page { facts, budget: listed.budget, ..Page::default() };
        Ok((page, next))
    }

    /// Tokens may see deployments and not the runs of workflows; then all else is read.
    fn without_runs(&self, reason: String) -> Page {
        let scope = format!("workflow runs of {}/{}", self.place.owner, self.place.name);
        Page { gaps: vec![Gap { scope, reason }], ..Page::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::ids::ClientId;
    use extractor::Connection;
    use extractor::budget::{Pace, Quotas};
    use extractor::http::Exchange;
    use platform::cache::Cache;
    use platform::upstream::{Guard, Upstream};
    use secrecy::SecretString;
    use simulator::{Fault, FaultKind, Options, Simulator};
    use uuid::Uuid;

    use super::*;

    const PACE: Pace = Pace { requests: 900, window: Duration::from_secs(60), in_flight: 8 };

    /// A company on GitHub, and one of its repositories, where workflows run.
    struct House {
        simulator: Simulator,
        client: Client,
        place: Place,
        /// Where much is deployed.
        busy: Place,
    }

    impl House {
        fn start() -> House {
            let options = Options { issues: 50, pull_requests: 2_000, ..Options::default() };
            let simulator = Simulator::start(options).unwrap();
            let github = simulator.company().github;
            let connection = Connection {
                client: ClientId(Uuid::from_u128(1)),
                integration: None,
                base_url: simulator.github_url(),
                username: String::new(),
                secret: SecretString::from(github.token),
                scopes: Vec::new(),
            };
            let upstream = Upstream::new(Guard::new(["127.0.0.0/8".parse().unwrap()])).unwrap();
            let quota = Quotas::new(Cache::memory(), PACE).of(&connection.credential());
            let client = Client::new(Exchange::new(upstream, quota), &connection).unwrap();
            let place = Place::new(7, &github.repositories[2]).unwrap();
            let busy = Place::new(8, &github.repositories[0]).unwrap();
            House { simulator, client, place, busy }
        }

        /// Every page, from the first.
        async fn pages(&self, mut step: Deployments) -> Vec<Page> {
            let mut pages = vec![step.page(&self.client, "").await.unwrap()];
            while let Some(next) = pages.last().and_then(|page| page.next.clone()) {
                pages.push(step.page(&self.client, &next).await.unwrap());
            }
            pages
        }
    }

    fn blind_to_runs() -> Fault {
        Fault {
            path: "actions/runs".to_owned(),
            kind: FaultKind::ServerError,
            every: 1,
            after: 0,
            times: None,
            retry_after: None,
            status: Some(404),
        }
    }

    #[tokio::test]
    async fn runs_that_cannot_be_seen_are_a_gap_and_keep_nothing_else_away() {
        let house = House::start();
        house.simulator.set_faults(vec![blind_to_runs()]);
        let more = vec![(Source::WorkflowRuns, None), (Source::Releases, None)];
        let pages =
            house.pages(Deployments::new(house.place.clone(), None, more, Vec::new())).await;
        let gaps: Vec<&Gap> = pages.iter().flat_map(|page| &page.gaps).collect();
        let [gap] = gaps.as_slice() else { panic!("{gaps:?}") };
        assert_eq!(
            gap.scope,
            format!("workflow runs of {}/{}", house.place.owner, house.place.name)
        );
        assert!(gap.reason.contains("404"), "{}", gap.reason);
        let last = pages.last().unwrap();
        assert!(last.gaps.is_empty(), "the releases come behind them");
        let ends: Vec<Source> = pages.iter().filter_map(|page| page.facts.read_to_end).collect();
        assert_eq!(ends, [Source::Releases], "and they are read whole once they can be seen");
    }

    #[tokio::test]
    async fn each_source_is_read_from_where_it_was_read_to() {
        let house = House::start();
        let now = chrono::Utc::now();
        let count = async |runs: Option<Moment>| {
            let more = vec![(Source::WorkflowRuns, runs), (Source::Releases, None)];
            let step = Deployments::new(house.place.clone(), Some(now), more, Vec::new());
            let pages = house.pages(step).await;
            let ends: Vec<Source> = pages.iter().filter_map(|p| p.facts.read_to_end).collect();
            assert_eq!(ends, [Source::WorkflowRuns, Source::Releases]);
            let shipments = pages.iter().flat_map(|page| &page.facts.shipments);
            shipments.filter(|shipment| shipment.source == Source::WorkflowRuns).count()
        };
        let all = count(None).await;
        assert!(all > 100, "{all} are more than a page");
        assert!(count(Some(now)).await < all, "what was read before is not read again");
    }

    #[tokio::test]
    async fn it_is_read_on_to_the_oldest_that_was_open() {
        let house = House::start();
        let now = chrono::Utc::now();
        let read = async |source: Source, open: Option<Moment>| {
            let more = vec![(Source::WorkflowRuns, Some(now))];
            let open = open.map(|began| (source, began)).into_iter().collect();
            let place = if source == Source::Deployments { &house.busy } else { &house.place };
            let mut step = Deployments::new(place.clone(), Some(now), more, open);
            step.size = PageSize::up_to(10);
            let pages = house.pages(step).await;
            let facts: Vec<_> = pages.into_iter().map(|page| page.facts).collect();
            let deployed = facts.iter().flat_map(|facts| &facts.deployments);
            let shipped = facts.iter().flat_map(|facts| &facts.shipments);
            match source {
                Source::Deployments => deployed.map(|one| one.created_at).min(),
                _ => shipped.map(|one| one.created_at).min(),
            }
        };
        for source in [Source::Deployments, Source::WorkflowRuns] {
            let usual = read(source, None).await.unwrap();
            let began = usual - TimeDelta::days(5);
            let further = read(source, Some(began)).await.unwrap();
            assert!(further < began, "{source}: {further} is not behind {began}");
            assert_eq!(read(source, Some(now)).await, Some(usual), "{source}: it is on the way");
        }
    }

    #[tokio::test]
    async fn a_deployment_is_over_at_its_first_success_however_many_statuses_follow() {
        let house = House::start();
        house.simulator.report_health(0);
        let step = Deployments::new(house.busy.clone(), None, Vec::new(), Vec::new());
        let pages = house.pages(step).await;
        let truth = house.simulator.truth("deployments").unwrap();
        let repository = format!("{}/{}", house.busy.owner, house.busy.name);
        let mut told: Vec<(String, Option<Moment>)> = pages
            .iter()
            .flat_map(|page| &page.facts.deployments)
            .map(|one| (one.external_id.clone(), one.finished_at))
            .collect();
        let mut expected: Vec<(String, Option<Moment>)> = truth
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter(|row| row["repository"] == repository.as_str())
            .map(|row| {
                let finished_at = row["finished_at"].as_str().map(|at| at.parse().unwrap());
                (row["external_id"].as_str().unwrap().to_owned(), finished_at)
            })
            .collect();
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected);
        assert!(told.iter().any(|(_, finished_at)| finished_at.is_some()), "something ran");
        assert_eq!(pages.iter().map(|page| page.gaps.len()).sum::<usize>(), 0);
    }

    #[test]
    fn cursors_of_earlier_versions_are_read() {
        let cases = [
            (
                r#"{"releases":{"after":"x","whole":true}}"#,
                Cursor::Releases { after: "x".to_owned() },
            ),
            (r#"{"runs":{"at":null,"whole":false}}"#, Cursor::Runs { at: None }),
        ];
        for (text, expected) in cases {
            assert_eq!(Cursor::read(text).unwrap(), expected);
        }
    }
}

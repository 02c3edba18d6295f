//! The delivery of a client, held so that a window of it is told without looking at each pull request.

use std::collections::HashMap;

use domain::Moment;
use store::dora::{
    DeploymentSeen, DoraRead, IncidentSeen, LeftOut, Place, PullRequestSeen, RepositoryNow,
    TakeDora,
};

use super::groups::Groups;
use super::ranked::{Stretch, length};
use super::rows::{Measure, Timeline, micros};

/// Facts of one publication.
#[derive(Debug, Default)]
pub struct DoraFacts {
    /// Which one.
    pub publication: i64,
    /// When they were complete; nothing before the first publication.
    pub as_of: Option<Moment>,
    /// In the order in which they finished.
    deployments: Vec<DeploymentSeen>,
    /// In the order in which they ended.
    incidents: Vec<IncidentSeen>,
    /// Those that count nowhere.
    pub incidents_left_out: Vec<LeftOut>,
    /// Pull requests in production.
    pub deployed: Deployed,
    /// When each repository first brought something to production.
    first: HashMap<Place, Moment>,
}

/// Pull requests of people in production, by repository and in the order in which they came there.
#[derive(Debug, Default)]
pub struct Deployed {
    repositories: Groups,
    timeline: Timeline,
    numbers: Vec<i64>,
    /// Seconds from the first commit to production.
    pub lead: Measure,
    /// Nought for each that has known commits.
    pub commits: Measure,
    /// Those of machines.
    bots: Timeline,
}

impl DoraFacts {
    /// Facts of what was read.
    pub fn of(read: DoraRead) -> DoraFacts {
        let mut builder = Builder::new(usize::MAX);
        if let Some(as_of) = read.as_of {
            builder.begin(0, as_of);
        }
        builder.others(read.deployments, read.incidents, read.incidents_left_out);
        // What was read is of a window, these are of all time.
        builder.facts.first.extend(read.first);
        builder.pull_requests(read.pull_requests);
        builder.build().expect("there is room for everything")
    }

    /// Deployments that finished in `from..to`, in that order.
    pub fn deployments(&self, from: Moment, to: Moment) -> &[DeploymentSeen] {
        let before = |end| self.deployments.partition_point(|one| one.finished_at < end);
        &self.deployments[before(from)..before(to)]
    }

    /// Whether the repository brought something to production before `to`.
    pub fn has_deployed(&self, repository: Place, to: Moment) -> bool {
        self.first.get(&repository).is_some_and(|first| *first < to)
    }

    /// Incidents that ended in `from..to`, in that order.
    pub fn incidents(&self, from: Moment, to: Moment) -> &[IncidentSeen] {
        let before = |end| self.incidents.partition_point(|one| one.ended_at < end);
        &self.incidents[before(from)..before(to)]
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        self.deployments.len() * BYTES_PER_DEPLOYMENT
            + self.incidents.len() * BYTES_PER_DEPLOYMENT
            + self.deployed.bytes()
    }
}

impl Deployed {
    /// Numbers of the repositories that are meant.
    pub fn repositories(&self, wanted: impl Iterator<Item = Place>) -> Vec<usize> {
        self.repositories.numbers(wanted)
    }

    /// Those of these repositories that came to production in `from..to`.
    pub fn within(&self, repositories: &[usize], from: i64, to: i64) -> Vec<Stretch> {
        self.timeline.within(repositories, from, to)
    }

    /// How many of machines came to production there.
    pub fn bots(&self, repositories: &[usize], from: i64, to: i64) -> usize {
        length(&self.bots.within(repositories, from, to)) as usize
    }

    /// Their names, in the order in which they came to production.
    pub fn names(&self, rows: &[Stretch], names: &Names<'_>) -> Vec<String> {
        let name = |row: u32| {
            let place = self.repositories.place(self.timeline.group(row));
            format!("{}#{}", names.of(place), self.numbers[row as usize])
        };
        self.timeline.by_time(rows).into_iter().map(name).collect()
    }

    fn bytes(&self) -> usize {
        self.repositories.bytes()
            + self.timeline.bytes()
            + self.bots.bytes()
            + size_of_val(&*self.numbers)
            + self.lead.bytes()
            + self.commits.bytes()
    }
}

/// How repositories are called now.
pub struct Names<'a>(HashMap<Place, &'a str>);

impl<'a> Names<'a> {
    /// Of these repositories.
    pub fn new(repositories: &'a [RepositoryNow]) -> Names<'a> {
        Names(repositories.iter().map(|one| (one.place, &*one.full_name)).collect())
    }

    /// The full name, or nothing of one that is gone.
    pub fn of(&self, place: Place) -> &'a str {
        self.0.get(&place).copied().unwrap_or_default()
    }
}

/// With its texts, which are short.
const BYTES_PER_DEPLOYMENT: usize = size_of::<DeploymentSeen>() + 64;
const BYTES_PER_PULL_REQUEST: usize = 32;

/// Repository, when it came to production, number, lead time, and whether its commits are known.
type Row = (usize, i64, i64, Option<f64>, bool);

/// Puts facts in order.
#[derive(Debug)]
pub struct Builder {
    room: usize,
    facts: DoraFacts,
    rows: Vec<Row>,
    bots: Vec<(usize, i64)>,
    is_full: bool,
}

impl Builder {
    /// With room for so many bytes.
    pub fn new(room: usize) -> Builder {
        Builder {
            room,
            facts: DoraFacts::default(),
            rows: Vec::new(),
            bots: Vec::new(),
            is_full: false,
        }
    }

    /// The facts; nothing if they do not fit.
    pub fn build(self) -> Option<DoraFacts> {
        if self.is_full {
            return None;
        }
        let (mut facts, mut rows, mut bots) = (self.facts, self.rows, self.bots);
        bots.sort_unstable();
        facts.deployments.sort_by_key(|one| one.finished_at);
        facts.incidents.sort_by_key(|one| one.ended_at);
        rows.sort_by_key(|(repository, at, number, ..)| (*repository, *at, *number));
        let groups = facts.deployed.repositories.count();
        facts.deployed = Deployed {
            timeline: Timeline::new(groups, rows.iter().map(|row| (row.0, row.1))),
            numbers: rows.iter().map(|row| row.2).collect(),
            lead: Measure::new(rows.iter().map(|row| row.3)),
            commits: Measure::new(rows.iter().map(|row| row.4.then_some(0.0))),
            bots: Timeline::new(groups, bots.into_iter()),
            ..facts.deployed
        };
        Some(facts)
    }
}

impl TakeDora for Builder {
    fn begin(&mut self, publication: i64, as_of: Moment) {
        self.facts.publication = publication;
        self.facts.as_of = Some(as_of);
    }

    fn others(
        &mut self,
        deployments: Vec<DeploymentSeen>,
        incidents: Vec<IncidentSeen>,
        incidents_left_out: Vec<LeftOut>,
    ) {
        for one in deployments.iter().filter(|one| one.counts()) {
            let first = self.facts.first.entry(one.repository).or_insert(one.finished_at);
            *first = one.finished_at.min(*first);
        }
        self.facts.deployments = deployments;
        self.facts.incidents = incidents;
        self.facts.incidents_left_out = incidents_left_out;
    }

    fn pull_requests(&mut self, some: Vec<PullRequestSeen>) -> bool {
        for seen in some {
            let repository = self.facts.deployed.repositories.number(seen.repository);
            let at = micros(seen.deployed_at);
            if seen.by_bot {
                self.bots.push((repository, at));
                continue;
            }
            self.rows.push((repository, at, seen.number, seen.lead_seconds, seen.has_commits));
        }
        let others = self.facts.deployments.len() + self.facts.incidents.len();
        let pulls = self.rows.len() + self.bots.len();
        let bytes = others * BYTES_PER_DEPLOYMENT + pulls * BYTES_PER_PULL_REQUEST;
        self.is_full = bytes > self.room;
        !self.is_full
    }
}

//! A client's pull requests, held so that a window of them is told without looking at each.

use domain::Moment;
use store::dora::Place;
use store::metrics::PullRequestFact;
use store::pull_requests::{PullRequestsRead, TakePullRequests};

use super::dora::Names;
use super::groups::Groups;
use super::ranked::Stretch;
use super::rows::{Known, Measure, Timeline, micros};

/// A length, or why there is none.
pub type Length = Result<f64, &'static str>;

const NEGATIVE: &str = "negative_interval";

/// Lengths that pull requests have, by name.
const LENGTHS: [fn(&PullRequestFact) -> Length; 5] = [coding, pickup, review, deploy, to_merge];
/// What can be counted of each.
const AMOUNTS: [fn(&PullRequestFact) -> i64; 6] = [
    |fact| fact.lines,
    |fact| fact.files,
    |fact| fact.reviews,
    |fact| fact.reviewers,
    |fact| fact.comments,
    |fact| fact.review_rounds,
];
/// What holds for some.
const TRAITS: [fn(&PullRequestFact) -> bool; 2] = [is_unreviewed, |fact| fact.reverted];

/// The place of a length among all of them.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// First commit to opened.
    Coding,
    /// Opened to first review.
    Pickup,
    /// First review to merged.
    Review,
    /// Merged to production.
    Deploy,
    /// Opened to merged.
    ToMerge,
}

/// The place of an amount among all of them.
#[derive(Debug, Clone, Copy)]
pub enum Amount {
    /// Lines added and removed.
    Lines,
    /// Files touched.
    Files,
    /// Verdicts of other people.
    Reviews,
    /// Other people who reviewed.
    Reviewers,
    /// Comments of people.
    Comments,
    /// Changes requested, then commits.
    Rounds,
}

/// The place of a trait among all of them.
#[derive(Debug, Clone, Copy)]
pub enum Trait {
    /// Merged without a review by another person until then.
    Unreviewed,
    /// Taken back.
    Reverted,
}

/// Facts of one publication.
#[derive(Debug, Default)]
pub struct PullRequestFacts {
    /// Which one.
    pub publication: i64,
    /// When they were complete; nothing before the first publication.
    pub as_of: Option<Moment>,
    repositories: Groups,
    /// Those of people that were merged.
    pub merged: Merged,
    /// Those of machines.
    bots: Timeline,
    /// Open now, in the order in which they were opened.
    open: Vec<Open>,
}

/// Those of people that were merged, by repository and in the order in which they were.
#[derive(Debug, Default)]
pub struct Merged {
    timeline: Timeline,
    numbers: Vec<i64>,
    lengths: [Measure; 5],
    /// Why a row has no length, for each of the lengths.
    without: [Vec<(u32, &'static str)>; 5],
    amounts: [Measure; 6],
    sums: [Vec<u32>; 6],
    traits: [Vec<u32>; 2],
}

/// A pull request that waits.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    repository: usize,
    number: i64,
    /// When it was opened, or last became ready for review.
    pub opened_at: Moment,
    /// Not yet ready for review.
    pub draft: bool,
    /// A machine opened it.
    pub author_is_bot: bool,
}

impl PullRequestFacts {
    /// Facts of what was read.
    pub fn of(read: &PullRequestsRead) -> PullRequestFacts {
        let mut builder = Builder::new(usize::MAX);
        if let Some(as_of) = read.as_of {
            builder.begin(0, as_of);
        }
        let told = read.merged.iter().chain(read.open.iter());
        builder.pull_requests(told.map(|told| told.fact.clone()).collect());
        builder.build().expect("there is room for everything")
    }

    /// Numbers of the repositories that are meant.
    pub fn repositories(&self, wanted: impl Iterator<Item = Place>) -> Vec<usize> {
        self.repositories.numbers(wanted)
    }

    /// How many of machines were merged in `from..to`.
    pub fn bots(&self, repositories: &[usize], from: i64, to: i64) -> usize {
        self.bots.within(repositories, from, to).iter().map(ExactSizeIterator::len).sum()
    }

    /// Those of these repositories that are open.
    pub fn open(&self, repositories: &[usize]) -> Vec<&Open> {
        let is_meant = |open: &&Open| repositories.binary_search(&open.repository).is_ok();
        self.open.iter().filter(is_meant).collect()
    }

    /// Names of some that are open.
    pub fn names_of_open(&self, open: &[&Open], names: &Names<'_>) -> Vec<String> {
        open.iter().map(|open| self.name(open.repository, open.number, names)).collect()
    }

    /// Names of some that were merged, in the order in which they were.
    pub fn names(&self, rows: &[Stretch], names: &Names<'_>) -> Vec<String> {
        let merged = &self.merged;
        let name = |row: u32| {
            let number = merged.numbers[row as usize];
            self.name(merged.timeline.group(row), number, names)
        };
        merged.timeline.by_time(rows).into_iter().map(name).collect()
    }

    fn name(&self, repository: usize, number: i64, names: &Names<'_>) -> String {
        format!("{}#{number}", names.of(self.repositories.place(repository)))
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        self.repositories.bytes()
            + self.merged.bytes()
            + self.bots.bytes()
            + size_of_val(&*self.open)
    }
}

impl Merged {
    /// Those of these repositories that were merged in `from..to`.
    pub fn within(&self, repositories: &[usize], from: i64, to: i64) -> Vec<Stretch> {
        self.timeline.within(repositories, from, to)
    }

    /// How long a stage of these took.
    pub fn lengths(&self, stage: Stage, rows: &[Stretch]) -> Known<'_> {
        self.lengths[stage as usize].within(rows)
    }

    /// Why the others of these do not have it.
    pub fn without(
        &self,
        stage: Stage,
        rows: &[Stretch],
    ) -> std::collections::BTreeMap<&'static str, usize> {
        let mut counts = std::collections::BTreeMap::new();
        let without = &self.without[stage as usize];
        for (_, reason) in rows.iter().flat_map(|rows| within(without, rows, |(row, _)| *row)) {
            *counts.entry(*reason).or_insert(0) += 1;
        }
        counts
    }

    /// How much there is of something in these.
    pub fn amounts(&self, amount: Amount, rows: &[Stretch]) -> Known<'_> {
        self.amounts[amount as usize].within(rows)
    }

    /// The sum of that.
    pub fn sum(&self, amount: Amount, rows: &[Stretch]) -> u64 {
        let all = &self.sums[amount as usize];
        let of = |rows: &Stretch| &all[rows.start as usize..rows.end as usize];
        rows.iter().flat_map(of).map(|one| u64::from(*one)).sum()
    }

    /// Those of these of which something holds.
    pub fn meant(&self, is: Trait, rows: &[Stretch]) -> Vec<Stretch> {
        let all = &self.traits[is as usize];
        let meant = rows.iter().flat_map(|rows| within(all, rows, |row| *row));
        meant.map(|row| *row..row + 1).collect()
    }

    fn bytes(&self) -> usize {
        let measures = self.lengths.iter().chain(&self.amounts).map(Measure::bytes);
        let without = self.without.iter().map(|rows| size_of_val(&**rows));
        let numbers = self.sums.iter().chain(&self.traits).map(|rows| size_of_val(&**rows));
        self.timeline.bytes()
            + size_of_val(&*self.numbers)
            + measures.sum::<usize>()
            + without.sum::<usize>()
            + numbers.sum::<usize>()
    }
}

/// Those of `all`, which are in order, that lie in a stretch.
fn within<'a, T>(all: &'a [T], rows: &Stretch, row_of: impl Fn(&T) -> u32) -> &'a [T] {
    let before = |end| all.partition_point(|one| row_of(one) < end);
    &all[before(rows.start)..before(rows.end)]
}

/// What one takes in the end: no number takes more than 15 bytes.
const BYTES_EACH: usize = 200;

/// Puts facts in order.
#[derive(Debug)]
pub struct Builder {
    room: usize,
    facts: PullRequestFacts,
    merged: Vec<Row>,
    bots: Vec<(usize, i64)>,
    is_full: bool,
}

#[derive(Debug)]
struct Row {
    repository: usize,
    at: i64,
    number: i64,
    lengths: [Length; 5],
    amounts: [u32; 6],
    traits: [bool; 2],
}

impl Builder {
    /// With room for so many bytes.
    pub fn new(room: usize) -> Builder {
        Builder {
            room,
            facts: PullRequestFacts::default(),
            merged: Vec::new(),
            bots: Vec::new(),
            is_full: false,
        }
    }

    /// The facts; nothing if they do not fit.
    pub fn build(self) -> Option<PullRequestFacts> {
        if self.is_full {
            return None;
        }
        let (mut facts, mut rows, mut bots) = (self.facts, self.merged, self.bots);
        let groups = facts.repositories.count();
        rows.sort_unstable_by_key(|row| (row.repository, row.at, row.number));
        bots.sort_unstable();
        facts.bots = Timeline::new(groups, bots.into_iter());
        facts.open.sort_by_key(|open| (open.opened_at, open.repository, open.number));
        let numbered = || (0_u32..).zip(&rows);
        facts.merged = Merged {
            timeline: Timeline::new(groups, rows.iter().map(|row| (row.repository, row.at))),
            numbers: rows.iter().map(|row| row.number).collect(),
            lengths: std::array::from_fn(|n| {
                Measure::new(rows.iter().map(|row| row.lengths[n].ok()))
            }),
            without: std::array::from_fn(|n| {
                numbered().filter_map(|(at, row)| Some((at, row.lengths[n].err()?))).collect()
            }),
            amounts: std::array::from_fn(|n| {
                Measure::new(rows.iter().map(|row| Some(f64::from(row.amounts[n]))))
            }),
            sums: std::array::from_fn(|n| rows.iter().map(|row| row.amounts[n]).collect()),
            traits: std::array::from_fn(|n| {
                numbered().filter(|(_, row)| row.traits[n]).map(|(at, _)| at).collect()
            }),
        };
        Some(facts)
    }
}

impl TakePullRequests for Builder {
    fn begin(&mut self, publication: i64, as_of: Moment) {
        self.facts.publication = publication;
        self.facts.as_of = Some(as_of);
    }

    fn pull_requests(&mut self, some: Vec<PullRequestFact>) -> bool {
        for fact in some {
            let repository = self.facts.repositories.number((fact.integration, fact.repository));
            if fact.is_open {
                self.facts.open.push(Open {
                    repository,
                    number: fact.number,
                    opened_at: fact.opened_at,
                    draft: fact.draft,
                    author_is_bot: fact.author_is_bot,
                });
            }
            let Some(merged_at) = fact.merged_at else { continue };
            let at = micros(merged_at);
            if fact.author_is_bot {
                self.bots.push((repository, at));
                continue;
            }
            self.merged.push(Row {
                repository,
                at,
                number: fact.number,
                lengths: LENGTHS.map(|length| length(&fact)),
                amounts: AMOUNTS.map(|amount| u32::try_from(amount(&fact)).unwrap_or(u32::MAX)),
                traits: TRAITS.map(|is| is(&fact)),
            });
        }
        self.is_full = (self.merged.len() + self.facts.open.len()) * BYTES_EACH > self.room;
        !self.is_full
    }
}

/// A stage whose ends are both known is none only where it would be negative.
fn coding(fact: &PullRequestFact) -> Length {
    fact.first_commit_at.ok_or("no_commits")?;
    fact.coding_seconds.ok_or(NEGATIVE)
}

fn pickup(fact: &PullRequestFact) -> Length {
    fact.first_review_at.ok_or("no_review")?;
    fact.pickup_seconds.ok_or(NEGATIVE)
}

fn review(fact: &PullRequestFact) -> Length {
    fact.first_review_at.ok_or("no_review")?;
    fact.review_seconds.ok_or(NEGATIVE)
}

fn deploy(fact: &PullRequestFact) -> Length {
    fact.deployed_at.ok_or("not_deployed")?;
    fact.deploy_seconds.ok_or(NEGATIVE)
}

fn to_merge(fact: &PullRequestFact) -> Length {
    let merged_at = fact.merged_at.ok_or("not_merged")?;
    let length = (merged_at - fact.opened_at).as_seconds_f64();
    if length < 0.0 { Err(NEGATIVE) } else { Ok(length) }
}

fn is_unreviewed(fact: &PullRequestFact) -> bool {
    fact.first_review_at.is_none_or(|reviewed| fact.merged_at < Some(reviewed))
}

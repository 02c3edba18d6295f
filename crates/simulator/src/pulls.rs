//! What happened to the company's pull requests, worked out from its own events by plain loops. It
//! shares no code with the product, so that the two can be compared.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::delivery::{By, first_shipped};
use crate::flow::{Spread, seconds};
use crate::moment::{DAY, Moment};
use crate::world::World;
use crate::world::git::{Actor, Pull, PullState, Repository, What};

/// What pull requests that were merged amount to. Lengths are in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// Merged by whomever, opened by people.
    pub merged: usize,
    /// From the first commit to opened.
    pub coding: Spread,
    /// From opened to the first review.
    pub pickup: Spread,
    /// From the first review to the merge.
    pub review: Spread,
    /// From the merge to production.
    pub deploy: Spread,
    /// From opened to the merge.
    pub to_merge: Spread,
    /// Why some have no such length, in the same order.
    pub without: [BTreeMap<&'static str, usize>; 5],
    /// Lines touched.
    pub lines: Amount,
    /// Files touched.
    pub files: Amount,
    /// Verdicts of other people.
    pub reviews: Amount,
    /// Other people who looked.
    pub reviewers: Amount,
    /// Comments of people.
    pub comments: Amount,
    /// How often changes were requested and made.
    pub rounds: Amount,
    /// Merged without another person having looked.
    pub unreviewed: usize,
    /// Taken back later.
    pub reverted: usize,
}

/// What there is of something in each, and in all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount {
    /// In each.
    pub each: Spread,
    /// In all.
    pub total: f64,
}

/// A window.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// All of it.
    pub all: Totals,
    /// Opened by machines, and merged.
    pub of_bots: usize,
    /// What each day in UTC amounts to, as far as it lies in the window.
    pub days: Vec<Totals>,
    /// Opened by people and open now.
    pub open: usize,
    /// Those of them that are drafts.
    pub drafts: usize,
    /// Opened by machines and open now.
    pub open_of_bots: usize,
}

/// All that were merged from `from` to before `to`. Machines are also those with one of the logins
/// `machines`, of which some may end in `*`.
pub fn window(world: &World, machines: &[&str], from: DateTime<Utc>, to: DateTime<Utc>) -> Window {
    let (from, to) = (Moment::from(from), Moment::from(to));
    let people = People { machines: known(world, machines) };
    let mut merged: Vec<Merged> = Vec::new();
    let (mut of_bots, mut open, mut drafts, mut open_of_bots) = (0, 0, 0, 0);
    for repository in &world.repositories {
        let shipped = first_shipped(repository, By::Deployments("production"));
        let shipped: HashMap<u32, Moment> = shipped.into_iter().collect();
        for pull in &repository.pulls {
            let by_bot = people.is_machine(pull.author);
            match pull.state {
                PullState::Open if by_bot => open_of_bots += 1,
                PullState::Open => {
                    open += 1;
                    drafts += usize::from(pull.draft);
                }
                _ => {}
            }
            let Some(at) = pull.merged.filter(|at| from <= *at && *at < to) else { continue };
            if by_bot {
                of_bots += 1;
            } else {
                let shipped = shipped.get(&pull.number).copied();
                merged.push(people.look(repository, pull, at, shipped));
            }
        }
    }
    let mut days = Vec::new();
    let mut midnight = from.midnight();
    while midnight < to {
        let next = midnight + DAY;
        days.push(totals(merged.iter().filter(|one| midnight <= one.at && one.at < next)));
        midnight = next;
    }
    Window { all: totals(merged.iter()), of_bots, days, open, drafts, open_of_bots }
}

/// How old those are at a moment that people opened and that are open.
pub fn ages(world: &World, machines: &[&str], now: DateTime<Utc>) -> Spread {
    let now = Moment::from(now);
    let people = People { machines: known(world, machines) };
    let mut ages = Vec::new();
    for pull in world.repositories.iter().flat_map(|repository| &repository.pulls) {
        if pull.state == PullState::Open && !people.is_machine(pull.author) {
            ages.push(seconds(opened(pull), now));
        }
    }
    Spread::of(ages)
}

/// What happened to one that was merged.
struct Merged {
    at: Moment,
    /// Coding, pickup, review, deploy, to the merge.
    lengths: [Result<f64, &'static str>; 5],
    lines: f64,
    files: f64,
    reviews: f64,
    reviewers: f64,
    comments: f64,
    rounds: f64,
    unreviewed: bool,
    reverted: bool,
}

fn totals<'m>(merged: impl Iterator<Item = &'m Merged>) -> Totals {
    let merged: Vec<&Merged> = merged.collect();
    let length =
        |at: usize| Spread::of(merged.iter().filter_map(|one| one.lengths[at].ok()).collect());
    let without = |at: usize| {
        let mut reasons = BTreeMap::new();
        for one in &merged {
            if let Err(reason) = one.lengths[at] {
                *reasons.entry(reason).or_default() += 1;
            }
        }
        reasons
    };
    let amount = |of: &dyn Fn(&Merged) -> f64| {
        let each: Vec<f64> = merged.iter().map(|one| of(one)).collect();
        Amount { total: each.iter().sum(), each: Spread::of(each) }
    };
    Totals {
        merged: merged.len(),
        coding: length(0),
        pickup: length(1),
        review: length(2),
        deploy: length(3),
        to_merge: length(4),
        without: [without(0), without(1), without(2), without(3), without(4)],
        lines: amount(&|one| one.lines),
        files: amount(&|one| one.files),
        reviews: amount(&|one| one.reviews),
        reviewers: amount(&|one| one.reviewers),
        comments: amount(&|one| one.comments),
        rounds: amount(&|one| one.rounds),
        unreviewed: merged.iter().filter(|one| one.unreviewed).count(),
        reverted: merged.iter().filter(|one| one.reverted).count(),
    }
}

/// When it was opened, or last became ready.
fn opened(pull: &Pull) -> Moment {
    let mut opened = pull.created;
    for happening in &pull.timeline {
        if happening.what == What::Ready {
            opened = happening.at;
        }
    }
    opened
}

/// People who are none.
fn known(world: &World, machines: &[&str]) -> HashSet<usize> {
    let mut known = HashSet::new();
    for (person, who) in world.people.iter().enumerate() {
        let login = who.login.to_lowercase();
        for machine in machines {
            let is_meant = match machine.strip_suffix('*') {
                Some(beginning) => login.starts_with(&beginning.to_lowercase()),
                None => login == machine.to_lowercase(),
            };
            if is_meant {
                known.insert(person);
            }
        }
    }
    known
}

/// Who is one.
struct People {
    machines: HashSet<usize>,
}

impl People {
    fn is_machine(&self, actor: Actor) -> bool {
        match actor {
            Actor::Person(person) => self.machines.contains(&person),
            Actor::Bot(_) => true,
            Actor::Ghost => false,
        }
    }

    fn is_other(&self, author: Actor, pull: &Pull) -> bool {
        !self.is_machine(author) && author != pull.author
    }

    fn look(
        &self,
        repository: &Repository,
        pull: &Pull,
        merged: Moment,
        shipped: Option<Moment>,
    ) -> Merged {
        let opened = opened(pull);
        let mut people = HashSet::new();
        let mut looked = Vec::new();
        let mut requests = Vec::new();
        let mut reviews = 0.0;
        for review in &pull.reviews {
            let Some(at) = review.submitted.filter(|_| self.is_other(review.author, pull)) else {
                continue;
            };
            reviews += 1.0;
            people.insert(name(review.author));
            looked.push(at);
            if review.state == "CHANGES_REQUESTED" {
                requests.push(at);
            }
        }
        for remark in &pull.remarks {
            if self.is_other(remark.author, pull) {
                people.insert(name(remark.author));
                looked.push(remark.created);
            }
        }
        let mut comments = 0.0;
        let authors = pull.remarks.iter().map(|remark| remark.author);
        for author in authors.chain(pull.comments.iter().map(|comment| comment.author)) {
            if !self.is_machine(author) {
                comments += 1.0;
            }
        }
        let first = looked.iter().min().copied();
        let began = pull.commits.iter().map(|&at| repository.commits[at].authored).min();
        let length = |from: Option<Moment>, to: Option<Moment>, missing| match (from, to) {
            (Some(from), Some(to)) if from <= to => Ok(seconds(from, to)),
            (Some(_), Some(_)) => Err("negative_interval"),
            _ => Err(missing),
        };
        Merged {
            at: merged,
            lengths: [
                length(began, Some(opened), "no_commits"),
                length(Some(opened), first, "no_review"),
                length(first, Some(merged), "no_review"),
                length(Some(merged), shipped, "not_deployed"),
                length(Some(opened), Some(merged), ""),
            ],
            lines: f64::from(pull.additions + pull.deletions),
            files: f64::from(pull.changed_files),
            reviews,
            reviewers: people.len() as f64,
            comments,
            rounds: rounds(repository, pull, &requests),
            unreviewed: !looked.iter().any(|at| *at <= merged),
            reverted: reverts(repository, pull).next().is_some(),
        }
    }
}

/// Deleted users cannot be told apart.
fn name(author: Actor) -> Option<usize> {
    match author {
        Actor::Person(person) => Some(person),
        Actor::Bot(_) | Actor::Ghost => None,
    }
}

/// Walks requests and commits together in the order of time; a commit ends the requests before it.
fn rounds(repository: &Repository, pull: &Pull, requests: &[Moment]) -> f64 {
    let mut story: Vec<(Moment, bool)> = requests.iter().map(|at| (*at, true)).collect();
    story.extend(pull.commits.iter().map(|&at| (repository.commits[at].committed, false)));
    story.sort();
    let (mut is_waiting, mut rounds) = (false, 0.0);
    for (_, is_request) in story {
        if is_waiting && !is_request {
            rounds += 1.0;
        }
        is_waiting = is_request;
    }
    rounds
}

/// Merged reverts that quote its title, and mean no later one of that title.
pub(crate) fn reverts<'r>(
    repository: &'r Repository,
    pull: &'r Pull,
) -> impl Iterator<Item = &'r Pull> {
    let quoted = format!("Revert \"{}\"", pull.title);
    repository.pulls.iter().filter(move |revert| {
        let Some(merged) = pull.merged else { return false };
        let is_later = |other: &Pull| {
            let at = other.merged.map(|at| (at, other.number));
            other.title == pull.title
                && at.is_some_and(|at| at > (merged, pull.number) && at.0 <= revert.created)
        };
        revert.title == quoted
            && revert.merged.is_some()
            && merged <= revert.created
            && !repository.pulls.iter().any(is_later)
    })
}

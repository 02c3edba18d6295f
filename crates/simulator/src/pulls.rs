//! What happened to the company's pull requests, worked out from its own events by plain loops. It
//! shares no code with the product, so that the two can be compared.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::delivery::{By, first_shipped};
use crate::flow::{middle, rank85, seconds};
use crate::moment::Moment;
use crate::world::World;
use crate::world::git::{Actor, Pull, PullState, Repository, What};

/// What a window amounts to. Lengths are in seconds: how many there are, their median and their 85th
/// percentile.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// Merged by whomever, opened by people.
    pub merged: usize,
    /// Opened by machines, and merged.
    pub of_bots: usize,
    /// From the first commit to opened.
    pub coding: Lengths,
    /// From opened to the first review.
    pub pickup: Lengths,
    /// From the first review to the merge.
    pub review: Lengths,
    /// From the merge to production.
    pub deploy: Lengths,
    /// From opened to the merge.
    pub to_merge: Lengths,
    /// Lines touched by all of them.
    pub lines: u64,
    /// The median of these lines.
    pub size: Option<f64>,
    /// Files touched by all of them.
    pub files: u64,
    /// Verdicts of other people.
    pub reviews: u64,
    /// Other people who looked, summed over pull requests.
    pub reviewers: u64,
    /// Comments of people.
    pub comments: u64,
    /// How often changes were requested and made.
    pub rounds: u64,
    /// Merged without another person having looked.
    pub unreviewed: usize,
    /// Taken back later.
    pub reverted: usize,
    /// Opened by people and open now.
    pub open: usize,
}

/// How many lengths there are, their median and their 85th percentile.
pub type Lengths = (usize, Option<f64>, Option<f64>);

/// All that were merged from `from` to before `to`. Machines are also those with one of the logins
/// `machines`, of which some may end in `*`.
pub fn totals(world: &World, machines: &[&str], from: DateTime<Utc>, to: DateTime<Utc>) -> Totals {
    let (from, to) = (Moment::from(from), Moment::from(to));
    let mut seen = Seen { machines: known(world, machines), ..Seen::default() };
    let (mut of_bots, mut open) = (0, 0);
    for repository in &world.repositories {
        let shipped = first_shipped(repository, By::Deployments("production"));
        let shipped: HashMap<u32, Moment> = shipped.into_iter().collect();
        for pull in &repository.pulls {
            let by_bot = seen.is_machine(pull.author);
            if pull.state == PullState::Open && !by_bot {
                open += 1;
            }
            let Some(merged) = pull.merged.filter(|at| from <= *at && *at < to) else { continue };
            if by_bot {
                of_bots += 1;
            } else {
                seen.look(repository, pull, merged);
                if let Some(&at) = shipped.get(&pull.number)
                    && merged <= at
                {
                    seen.deploy.push(seconds(merged, at));
                }
            }
        }
    }
    Totals {
        merged: seen.lines.len(),
        of_bots,
        coding: lengths(&mut seen.coding),
        pickup: lengths(&mut seen.pickup),
        review: lengths(&mut seen.review),
        deploy: lengths(&mut seen.deploy),
        to_merge: lengths(&mut seen.to_merge),
        lines: seen.lines.iter().sum::<f64>() as u64,
        size: middle(&mut seen.lines),
        files: seen.files,
        reviews: seen.reviews,
        reviewers: seen.reviewers,
        comments: seen.comments,
        rounds: seen.rounds,
        unreviewed: seen.unreviewed,
        reverted: seen.reverted,
        open,
    }
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

#[derive(Default)]
struct Seen {
    machines: HashSet<usize>,
    coding: Vec<f64>,
    pickup: Vec<f64>,
    review: Vec<f64>,
    deploy: Vec<f64>,
    to_merge: Vec<f64>,
    lines: Vec<f64>,
    files: u64,
    reviews: u64,
    reviewers: u64,
    comments: u64,
    rounds: u64,
    unreviewed: usize,
    reverted: usize,
}

impl Seen {
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

    fn look(&mut self, repository: &Repository, pull: &Pull, merged: Moment) {
        let mut opened = pull.created;
        for happening in &pull.timeline {
            if happening.what == What::Ready {
                opened = happening.at;
            }
        }
        let mut people = HashSet::new();
        let mut looked = Vec::new();
        let mut requests = Vec::new();
        for review in &pull.reviews {
            let Some(at) = review.submitted.filter(|_| self.is_other(review.author, pull)) else {
                continue;
            };
            self.reviews += 1;
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
        let authors = pull.remarks.iter().map(|remark| remark.author);
        for author in authors.chain(pull.comments.iter().map(|comment| comment.author)) {
            if !self.is_machine(author) {
                self.comments += 1;
            }
        }
        self.reviewers += people.len() as u64;
        self.lines.push(f64::from(pull.additions + pull.deletions));
        self.files += u64::from(pull.changed_files);
        self.rounds += rounds(repository, pull, &requests);
        if !looked.iter().any(|at| *at <= merged) {
            self.unreviewed += 1;
        }
        if reverts(repository, pull).next().is_some() {
            self.reverted += 1;
        }
        let first = looked.iter().min().copied();
        let began = pull.commits.iter().map(|&at| repository.commits[at].authored).min();
        let length = |from: Moment, to: Moment| (from <= to).then(|| seconds(from, to));
        self.coding.extend(began.and_then(|began| length(began, opened)));
        self.pickup.extend(first.and_then(|first| length(opened, first)));
        self.review.extend(first.and_then(|first| length(first, merged)));
        self.to_merge.extend(length(opened, merged));
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
fn rounds(repository: &Repository, pull: &Pull, requests: &[Moment]) -> u64 {
    let mut story: Vec<(Moment, bool)> = requests.iter().map(|at| (*at, true)).collect();
    story.extend(pull.commits.iter().map(|&at| (repository.commits[at].committed, false)));
    story.sort();
    let (mut is_waiting, mut rounds) = (false, 0);
    for (_, is_request) in story {
        if is_waiting && !is_request {
            rounds += 1;
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

fn lengths(values: &mut [f64]) -> Lengths {
    (values.len(), middle(values), rank85(values))
}

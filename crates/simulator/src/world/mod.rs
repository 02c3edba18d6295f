//! A believable company. Its life is a row of deeds on one agenda: history is what happened until
//! now, and advancing the clock lets the deeds that wait there, and some new ones, happen.

pub mod git;
pub mod jira;
pub mod people;

mod agenda;
mod branches;
mod deploys;
mod founding;
mod issues;
mod plans;
mod pulls;
mod words;

use std::collections::HashSet;

use crate::chance::Chance;
use crate::keys::{self, Place};
use crate::moment::{DAY, Moment};
use agenda::{Agenda, Deed};
use git::{Actor, Pull, Repository};
use jira::Jira;
use people::Person;

/// How large a company is.
#[derive(Debug, Clone)]
pub struct Size {
    /// Issues at the start, exactly.
    pub issues: usize,
    /// Pull requests at the start, exactly, where a repository can hold them.
    pub pull_requests: usize,
    /// Jira projects.
    pub projects: usize,
    /// GitHub repositories.
    pub repositories: usize,
    /// How long it has lived.
    pub days: u32,
}

/// The company at a moment.
#[derive(Debug)]
pub struct World {
    /// The owner of the repositories.
    pub org: String,
    /// The present.
    pub now: Moment,
    /// Everybody.
    pub people: Vec<Person>,
    /// Jira.
    pub jira: Jira,
    /// GitHub.
    pub repositories: Vec<Repository>,
    size: Size,
    chance: Chance,
    agenda: Agenda,
    /// Incidents that may still become issues before the count of issues is reached.
    incidents_left: usize,
    reverts_left: usize,
    next_github_id: u64,
    /// Nothing more happens before.
    earliest: Moment,
}

impl World {
    /// A company of this size that has lived until `now`.
    pub fn create(org: &str, id_base: u64, seed: u64, size: Size, now: Moment) -> World {
        let mut chance = Chance::new(seed);
        let people = people::hire(12 + size.issues / 200, org, &mut chance);
        let born = now + -(i64::from(size.days.max(1)) * DAY);
        let mut world = World {
            org: org.to_owned(),
            now: born,
            people,
            jira: Jira::default(),
            repositories: Vec::new(),
            incidents_left: size.issues / 25,
            reverts_left: size.pull_requests / 60,
            next_github_id: id_base,
            earliest: born,
            size,
            chance,
            agenda: Agenda::default(),
        };
        world.found_projects(born);
        world.found_repositories(born, now);
        world.plan_history(born, now);
        world.live_until(now);
        world.fill_up(born, now);
        world
    }

    /// Lets time pass. Something of everything happens, however short the while, and nothing that
    /// happens bears a stamp before `from`.
    pub fn advance(&mut self, from: Moment, to: Moment) {
        self.earliest = from;
        for issue in &mut self.jira.issues {
            issue.updated_before = issue.updated;
        }
        self.incidents_left = usize::MAX;
        self.reverts_left = usize::MAX;
        self.plan_news(from, to);
        self.live_until(to);
    }

    /// The keys of today of the live issues that a pull request names, sorted.
    pub fn issue_keys(&self, repository: &Repository, pull: &Pull) -> Vec<String> {
        let mut found: HashSet<usize> = HashSet::new();
        let messages =
            pull.commits.iter().map(|&at| (&*repository.commits[at].message, Place::Prose));
        let texts = [(&*pull.head_ref, Place::Branch), (&*pull.title, Place::Prose)];
        for (text, place) in texts.into_iter().chain(messages) {
            found.extend(
                keys::candidates(text, place).iter().filter_map(|key| self.jira.keys.get(key)),
            );
        }
        let issues = found.into_iter().map(|index| &self.jira.issues[index]);
        let mut keys: Vec<String> =
            issues.filter(|issue| !issue.deleted).map(|issue| self.jira.key(issue)).collect();
        keys.sort();
        keys
    }

    /// The repository of an owner and a name, and whether it goes by another name now.
    pub fn repository(&self, owner: &str, name: &str) -> Option<(usize, bool)> {
        if !owner.eq_ignore_ascii_case(&self.org) {
            return None;
        }
        let named = |wanted: &str| wanted.eq_ignore_ascii_case(name);
        let today = self.repositories.iter().position(|r| named(&r.name));
        today.map(|index| (index, false)).or_else(|| {
            let former = |r: &Repository| r.former_name.as_deref().is_some_and(named);
            self.repositories.iter().position(former).map(|index| (index, true))
        })
    }

    /// The login that a commit leads to.
    pub fn commit_login(&self, author: Actor) -> Option<&str> {
        match author {
            Actor::Person(index) if self.people[index].linked => Some(&self.people[index].login),
            Actor::Person(_) | Actor::Ghost => None,
            Actor::Bot(bot) => Some(bot.login()),
        }
    }

    /// The name in a commit.
    pub fn commit_name(&self, author: Actor) -> &str {
        match author {
            Actor::Person(index) => &self.people[index].name,
            Actor::Ghost => "Somebody Else",
            Actor::Bot(bot) => bot.login(),
        }
    }

    /// The address in a commit. GitHub knows nobody behind the ones that lead nowhere.
    pub fn commit_email(&self, author: Actor) -> String {
        match author {
            Actor::Person(index) if self.people[index].linked => self.people[index].email.clone(),
            Actor::Person(index) => format!("{}@laptop.local", self.people[index].login),
            Actor::Ghost => "somebody@elsewhere.example".to_owned(),
            Actor::Bot(bot) => {
                format!("{}+{}[bot]@users.noreply.github.com", bot.id(), bot.login())
            }
        }
    }

    /// When the clock was last advanced; at first, when the company was born.
    pub fn last_advanced(&self) -> Moment {
        self.earliest
    }

    /// The login of somebody who acts, without the suffix of bots; ghosts have none.
    pub fn login(&self, actor: Actor) -> Option<&str> {
        match actor {
            Actor::Person(index) => Some(&self.people[index].login),
            Actor::Bot(bot) => Some(bot.login()),
            Actor::Ghost => None,
        }
    }

    fn live_until(&mut self, to: Moment) {
        while let Some((at, deed)) = self.agenda.next_until(to) {
            self.perform(at.max(self.earliest), deed);
        }
        self.now = to;
    }

    fn perform(&mut self, at: Moment, deed: Deed) {
        let retired = deed.repository().and_then(|index| self.repositories[index].retired);
        if retired.is_some_and(|retired| at > retired) {
            return;
        }
        match deed {
            Deed::OpenIssue { project, epic } => {
                self.open_usual_issue(at, project, epic);
            }
            Deed::Turn { issue, to, take } => self.turn(at, issue, to, take),
            Deed::Edit { issue, edit } => self.edit(at, issue, edit),
            Deed::CarryOver { issue } => self.carry_over(at, issue),
            Deed::Transfer { issue } => self.transfer(at, issue),
            Deed::Delete { issue } => self.delete(issue),
            Deed::OpenPull { repository, kind } => self.open_pull(at, repository, kind),
            Deed::Pull { repository, pull, deed } => self.do_to_pull(at, repository, pull, deed),
            Deed::Push { repository } => self.push_directly(at, repository),
            Deed::Ship { repository } => self.ship(at, repository),
            Deed::Deploy { repository, environment, commit, reason } => {
                self.deploy(at, repository, environment, commit, reason);
            }
            Deed::Settle { repository, deployment, state } => {
                self.settle(at, repository, deployment, state);
            }
            Deed::Incident { repository, deployment } => self.incident(at, repository, deployment),
        }
    }

    fn some_person(&mut self) -> usize {
        self.chance.index(self.people.len() - 1)
    }

    fn next_id(&mut self) -> u64 {
        self.next_github_id += 1;
        880_000 + self.next_github_id
    }
}

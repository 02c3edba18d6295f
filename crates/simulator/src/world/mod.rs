//! A believable company. Its life is a row of deeds on one agenda: history is what happened until
//! now, and advancing the clock lets the deeds that wait there, and some new ones, happen.

pub mod git;
pub mod jira;
pub mod people;

mod agenda;
mod deploys;
mod issues;
mod pulls;
mod words;

use std::collections::HashSet;

use crate::chance::Chance;
use crate::keys::{self, Place};
use crate::moment::{DAY, HOUR, Moment};
use agenda::{Agenda, Deed, Edit, PullDeed, PullKind};
use git::{Actor, MergeKind, Pull, PullState, Repository, TellsBy};
use jira::{Board, Issue, Jira, Project, Sprint};
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

const PROJECTS: [(&str, &str); 12] = [
    ("PAY", "Payments"),
    ("CORE", "Core Services"),
    ("WEB", "Web Shop"),
    ("OPS", "Operations"),
    ("MOB", "Mobile"),
    ("DATA", "Data Platform"),
    ("AUTH", "Accounts"),
    ("SRCH", "Search"),
    ("SHIP", "Shipping"),
    ("CRM", "Customer Care"),
    ("ADS", "Campaigns"),
    ("LAB", "Research"),
];
const REPOSITORIES: [&str; 12] = [
    "storefront",
    "payments",
    "warehouse",
    "mobile-app",
    "core-api",
    "search",
    "legacy-import",
    "playground",
    "auth",
    "shipping",
    "reports",
    "infra",
];

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

    fn found_projects(&mut self, born: Moment) {
        let count = self.size.projects.max(1);
        for index in 0..count {
            let (key, name) = match PROJECTS.get(index) {
                Some((key, name)) => ((*key).to_owned(), (*name).to_owned()),
                None => (format!("TEAM{index}"), format!("Team {index}")),
            };
            let next_gen = count > 1 && index == count - 1;
            let kanban = index == 3 && !next_gen;
            self.jira.projects.push(Project {
                id: 10_001 + index as u64,
                key,
                name,
                next_gen,
                board: if kanban { Board::Kanban } else { Board::Scrum },
                last_number: 0,
            });
            self.plan_sprints(index, born);
        }
    }

    /// Sprints of two weeks, far beyond any present.
    fn plan_sprints(&mut self, project: usize, born: Moment) {
        let Project { key, board, .. } = &self.jira.projects[project];
        if *board == Board::Kanban {
            return;
        }
        let sprints = (i64::from(self.size.days) + 3 * 365) / 14;
        for turn in 0..sprints {
            let start = born.midnight() + (turn * 14 * DAY + 8 * HOUR);
            let goal = if turn % 6 == 5 { ", hardening" } else { "" };
            self.jira.sprints.push(Sprint {
                id: 40 + self.jira.sprints.len() as u64,
                project,
                name: format!("{key} Sprint {}{goal}", turn + 1),
                start,
                end: start + 14 * DAY,
            });
        }
    }

    fn found_repositories(&mut self, born: Moment, now: Moment) {
        let count = self.size.repositories.max(1);
        for index in 0..count {
            let name = match REPOSITORIES.get(index) {
                Some(name) => (*name).to_owned(),
                None => format!("service-{index}"),
            };
            let tells_by = match index {
                2 => TellsBy::Runs,
                3 if count > 4 => TellsBy::Releases,
                _ => TellsBy::Deployments,
            };
            let merges_by = [MergeKind::Squash, MergeKind::Merge, MergeKind::Rebase][index % 3];
            let id = 9_001 + self.next_github_id + index as u64;
            let empty = count > 5 && index == count - 1;
            self.repositories.push(Repository {
                id,
                former_name: (index == 1).then(|| format!("{name}-old")),
                name,
                retired: (count > 6 && index == count - 2).then(|| born + (now - born) * 6 / 10),
                empty,
                tells_by,
                merges_by,
                created: born,
                pushed: born,
                commits: Vec::new(),
                shas: Default::default(),
                main: Vec::new(),
                head: None,
                pulls: Vec::new(),
                last_number: 0,
                deployments: Vec::new(),
                runs: Vec::new(),
                releases: Vec::new(),
                plain_comments: Vec::new(),
                unreleased: Vec::new(),
                in_production: (None, None),
            });
            if empty {
                continue;
            }
            self.push(index, born.whole_second(), "Initial commit".to_owned());
            self.agenda.add(born + DAY, Deed::Push { repository: index });
            self.agenda.add(born + 2 * DAY, Deed::Ship { repository: index });
        }
    }

    /// Everything that people begin on their own between the company's birth and now.
    fn plan_history(&mut self, born: Moment, now: Moment) {
        let epics = self.jira.projects.len() * 3;
        let planned = self.size.issues.saturating_sub(self.incidents_left);
        for index in 0..planned {
            let project = self.some_project();
            let at = match index {
                _ if index < epics => self.chance.moment(born, born + (now - born) / 20),
                _ => self.chance.working_moment(born, now),
            };
            self.agenda.add(at, Deed::OpenIssue { project, epic: index < epics });
        }
        let planned = self.size.pull_requests.saturating_sub(self.reverts_left);
        for _ in 0..planned {
            let repository = self.some_repository();
            let until = self.repositories[repository].retired.unwrap_or(now);
            let at = self.chance.working_moment(born + HOUR, until).whole_second();
            self.agenda.add(at, Deed::OpenPull { repository, kind: PullKind::Usual });
        }
    }

    /// What people begin while the clock is advanced.
    fn plan_news(&mut self, from: Moment, to: Moment) {
        let share = (to - from) as f64 / (f64::from(self.size.days.max(1)) * DAY as f64);
        let of = |count: usize, least: usize| ((count as f64 * share) as usize).max(least);
        let soon = from + 1;
        for _ in 0..of(self.size.issues, 2) {
            let (project, at) = (self.some_project(), self.chance.moment(soon, to));
            self.agenda.add(at, Deed::OpenIssue { project, epic: false });
        }
        for _ in 0..of(self.size.issues, 6) {
            let (issue, at) =
                (self.chance.index(self.jira.issues.len()), self.chance.moment(soon, to));
            let edit = self.some_edit();
            self.agenda.add(at, Deed::Edit { issue, edit });
        }
        for _ in 0..of(self.size.issues / 40, 1) {
            if let Some(issue) = self.some_leaf(|_| true) {
                let at = self.later_within(soon, to);
                self.agenda.add(at, Deed::Delete { issue });
            }
            let next_gen: Vec<bool> = self.jira.projects.iter().map(|p| p.next_gen).collect();
            if let Some(issue) = self.some_leaf(|issue| !next_gen[issue.project]) {
                let at = self.later_within(soon, to);
                self.agenda.add(at, Deed::Transfer { issue });
            }
        }
        for _ in 0..of(self.size.pull_requests, 1) {
            let (repository, at) = (self.some_repository(), self.chance.moment(soon, to));
            if self.repositories[repository].is_alive() {
                let at = at.whole_second();
                self.agenda.add(at, Deed::OpenPull { repository, kind: PullKind::Usual });
            }
        }
        for _ in 0..of(self.size.pull_requests, 3) {
            let repository = self.some_repository();
            let pulls = self.repositories[repository].pulls.len();
            if pulls == 0 || self.repositories[repository].retired.is_some() {
                continue;
            }
            let pull = self.chance.index(pulls);
            let at = self.chance.moment(soon, to).whole_second();
            let deed = match self.chance.between(0, 3) {
                0 => PullDeed::Review { pending: false },
                1 => PullDeed::Retitle,
                _ => PullDeed::Comment,
            };
            self.agenda.add(at, Deed::Pull { repository, pull, deed });
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

    /// Brings the counts to what was asked for, with work that nobody else depends on.
    fn fill_up(&mut self, born: Moment, now: Moment) {
        while self.jira.issues.len() < self.size.issues {
            let project = self.some_project();
            let at = self.chance.working_moment(born, now);
            self.agenda.add(at, Deed::OpenIssue { project, epic: false });
            self.live_until(now);
        }
        let pulls = |world: &World| world.repositories.iter().map(|r| r.pulls.len()).sum::<usize>();
        for _ in pulls(self)..self.size.pull_requests {
            self.agenda
                .add(now.whole_second(), Deed::OpenPull { repository: 0, kind: PullKind::Bump });
        }
        self.live_until(now);
    }

    fn some_project(&mut self) -> usize {
        self.chance.index(self.jira.projects.len())
    }

    /// A repository that can have pull requests; the first one is busier than the others.
    fn some_repository(&mut self) -> usize {
        let inhabited = self.repositories.iter().filter(|r| !r.empty).count();
        if self.chance.percent(15) { 0 } else { self.chance.index(inhabited) }
    }

    /// A live issue without children that fits.
    fn some_leaf(&mut self, fits: impl Fn(&Issue) -> bool) -> Option<usize> {
        (0..50).map(|_| self.chance.index(self.jira.issues.len())).find(|&index| {
            let issue = &self.jira.issues[index];
            !issue.deleted && issue.children == 0 && fits(issue)
        })
    }

    fn later_within(&mut self, from: Moment, to: Moment) -> Moment {
        self.chance.moment(from + (to - from) / 2, to)
    }

    fn some_person(&mut self) -> usize {
        self.chance.index(self.people.len() - 1)
    }

    fn next_id(&mut self) -> u64 {
        self.next_github_id += 1;
        880_000 + self.next_github_id
    }

    fn some_edit(&mut self) -> Edit {
        use Edit::*;
        let edits = [
            Assign, Assign, Prioritise, Label, Label, Estimate, Rename, Describe, Rank, Link,
            Comment,
        ];
        edits[self.chance.index(edits.len())]
    }
}

impl Repository {
    /// Whether anything still happens in it.
    pub fn is_alive(&self) -> bool {
        !self.empty && self.retired.is_none()
    }

    /// The pull request's state allows further work.
    fn is_open(&self, pull: usize) -> bool {
        self.pulls[pull].state == PullState::Open
    }
}

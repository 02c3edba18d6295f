//! The day on which the company begins: projects with boards and sprints, and repositories.

use super::World;
use super::agenda::Deed;
use super::git::{MergeKind, Repository, TellsBy};
use super::jira::{Board, Project, Sprint};
use crate::moment::{DAY, HOUR, Moment};

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
    pub(super) fn found_projects(&mut self, born: Moment) {
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

    pub(super) fn found_repositories(&mut self, born: Moment, now: Moment) {
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
                next: None,
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
}

//! What people are going to do on their own: over the company's history, and whenever its clock is
//! advanced.

use super::World;
use super::agenda::{Deed, Edit, PullDeed, PullKind};
use super::jira::Issue;
use crate::moment::{DAY, HOUR, Moment};

impl World {
    /// Everything that people begin on their own between the company's birth and now.
    pub(super) fn plan_history(&mut self, born: Moment, now: Moment) {
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
    pub(super) fn plan_news(&mut self, from: Moment, to: Moment) {
        let share = (to - from) as f64 / (f64::from(self.size.days.max(1)) * DAY as f64);
        let of = |count: usize, least: usize| ((count as f64 * share) as usize).max(least);
        let soon = from + 1;
        for _ in 0..of(self.size.issues, 2) {
            let (project, at) = (self.some_project(), self.chance.moment(soon, to));
            self.agenda.add(at, Deed::OpenIssue { project, epic: false });
        }
        let edits = if self.jira.issues.is_empty() { 0 } else { of(self.size.issues, 6) };
        for _ in 0..edits {
            let (issue, at) =
                (self.chance.index(self.jira.issues.len()), self.chance.moment(soon, to));
            let edit = self.some_edit();
            self.agenda.add(at, Deed::Edit { issue, edit });
        }
        for _ in 0..of(self.size.issues / 40, 1) {
            let next_gen: Vec<bool> = self.jira.projects.iter().map(|p| p.next_gen).collect();
            let moved = self.some_leaf(|issue| !next_gen[issue.project]);
            if let Some(issue) = moved {
                // At once, before it gets a child that would hold it back.
                self.agenda.add(soon, Deed::Transfer { issue });
            }
            let moved = moved.map(Issue::id_of);
            if let Some(issue) = self.some_leaf(|issue| Some(issue.id) != moved) {
                self.agenda.add(soon, Deed::Delete { issue });
            }
        }
        for _ in 0..of(self.size.pull_requests, 1) {
            let repository = self.some_living_repository();
            let at = self.chance.moment(soon, to).whole_second();
            self.agenda.add(at, Deed::OpenPull { repository, kind: PullKind::Usual });
        }
        for _ in 0..of(self.size.pull_requests, 3) {
            let repository = self.some_living_repository();
            let pulls = self.repositories[repository].pulls.len();
            if pulls == 0 {
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

    /// Brings the counts to what was asked for, with work that nobody else depends on.
    pub(super) fn fill_up(&mut self, born: Moment, now: Moment) {
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

    /// A repository in which something still happens; at worst the busiest one.
    fn some_living_repository(&mut self) -> usize {
        let some = self.some_repository();
        if self.repositories[some].retired.is_none() { some } else { 0 }
    }

    /// A live issue without children that fits.
    fn some_leaf(&mut self, fits: impl Fn(&Issue) -> bool) -> Option<usize> {
        let count = self.jira.issues.len();
        let tries = if count == 0 { 0 } else { 50 };
        (0..tries).map(|_| self.chance.index(count)).find(|&index| {
            let issue = &self.jira.issues[index];
            !issue.deleted && issue.children == 0 && fits(issue)
        })
    }

    pub(super) fn some_edit(&mut self) -> Edit {
        use Edit::*;
        let edits = [
            Assign, Assign, Prioritise, Label, Label, Estimate, Rename, Describe, Rank, Link,
            Comment,
        ];
        edits[self.chance.index(edits.len())]
    }
}

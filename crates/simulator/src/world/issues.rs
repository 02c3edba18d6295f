//! The life of an issue: how it is made, walks through its statuses, and is edited on the way.

use super::World;
use super::agenda::{Deed, Edit};
use super::jira::*;
use super::words;
use crate::moment::{DAY, HOUR, MINUTE, Moment};

const LABELS: [&str; 8] =
    ["backend", "frontend", "tech-debt", "customer", "security", "quick-win", "Q3", "nötig"];
const POINTS: [f64; 7] = [0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0];

impl World {
    pub(super) fn open_usual_issue(&mut self, at: Moment, project: usize, epic: bool) {
        let kind = match self.chance.between(0, 99) {
            _ if epic => Kind::Epic,
            0..=1 => Kind::Epic,
            2..=41 => Kind::Story,
            42..=61 => Kind::Task,
            62..=76 => Kind::SubTask,
            _ => Kind::Bug,
        };
        let issue = self.open_issue(at, project, kind, None);
        self.plan_walk(at, issue);
        self.plan_edits(at, issue);
    }

    /// A new issue, not yet planned any further.
    pub(super) fn open_issue(
        &mut self,
        at: Moment,
        project: usize,
        kind: Kind,
        summary: Option<String>,
    ) -> usize {
        let index = self.jira.issues.len();
        let next_gen = self.jira.projects[project].next_gen;
        let parent = self.parent_for(project, kind);
        // A sub-task cannot do without a parent.
        let kind = if kind == Kind::SubTask && parent.is_none() { Kind::Task } else { kind };
        let mut summary = summary.unwrap_or_else(|| words::task(&mut self.chance));
        if self.chance.permille(4) {
            summary.push('\0');
        }
        let estimated = matches!(kind, Kind::Story | Kind::Bug) && self.chance.percent(60);
        let creator =
            if self.chance.percent(4) { self.people.len() - 1 } else { self.some_person() };
        if self.chance.percent(3) {
            self.jira.projects[project].last_number += 1; // Deleted long ago.
        }
        self.jira.projects[project].last_number += 1;
        let number = self.jira.projects[project].last_number;
        let mut labels = Vec::new();
        while labels.len() < 3 && self.chance.percent(25) {
            let label = LABELS[self.chance.index(LABELS.len())];
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        let issue = Issue {
            id: Issue::id_of(index),
            project,
            number,
            kind,
            status: statuses_of(kind, next_gen).start,
            summary,
            priority: (!self.chance.percent(5)).then(|| self.chance.index(PRIORITIES.len())),
            assignee: self.chance.percent(30).then(|| self.some_person()),
            creator: Some(creator),
            parent,
            children: 0,
            labels,
            points: estimated.then(|| POINTS[self.chance.index(POINTS.len())]),
            sprints: Vec::new(),
            contract_date: self.chance.permille(5).then_some("0018-03-01"),
            links: Vec::new(),
            comments: Vec::new(),
            histories: Vec::new(),
            created: at,
            updated: at,
            updated_before: at,
            resolved: None,
            deleted: false,
        };
        if let Some(parent) = parent {
            self.jira.issues[parent].children += 1;
        }
        self.jira.keys.insert(self.jira.key(&issue), index);
        self.jira.issues.push(issue);
        index
    }

    /// A change with everything that changes at once. Whoever is `None` is a machine.
    pub(super) fn change(
        &mut self,
        at: Moment,
        issue: usize,
        author: Option<usize>,
        items: Vec<Item>,
    ) {
        self.jira.changes += 1;
        let id = 90_000 + self.jira.changes;
        let issue = &mut self.jira.issues[issue];
        issue.updated = issue.updated.max(at);
        // A link made from another issue can arrive late, when counts are filled up.
        let place = issue.histories.partition_point(|history| history.at <= at);
        issue.histories.insert(place, History { id, author, at, items });
    }

    /// Moves an issue to a status, and sets or clears the resolution in the same change.
    pub(super) fn turn(&mut self, at: Moment, index: usize, to: StatusId, take: bool) {
        let author = self.editor(index);
        let taker = self.some_person();
        let issue = &mut self.jira.issues[index];
        if issue.deleted || issue.status == to {
            return;
        }
        let (was, is) = (&STATUSES[issue.status], &STATUSES[to]);
        let mut items = vec![item(Field::Status, (was.id, was.name), (is.id, is.name))];
        issue.status = to;
        // Team-managed workflows never set a resolution.
        if !is.private {
            let done = is.category.1 == "done";
            if done && issue.resolved.is_none() {
                issue.resolved = Some(at);
                let resolution =
                    if to == WONT_DO { ("10001", "Won't Do") } else { ("10000", "Done") };
                items.push(Item {
                    from: None,
                    from_string: None,
                    ..item(Field::Resolution, ("", ""), resolution)
                });
            } else if !done && issue.resolved.take().is_some() {
                items.push(Item {
                    to: None,
                    to_string: None,
                    ..item(Field::Resolution, ("10000", "Done"), ("", ""))
                });
            }
        }
        if take && issue.assignee != Some(taker) {
            let before = issue.assignee.replace(taker);
            items.push(self.assignment(before, Some(taker)));
        }
        self.change(at, index, author, items);
        if to == SELECTED || to == TEAM_IN_PROGRESS {
            self.join_sprint(at, index);
        }
    }

    /// Takes an unfinished issue along to the next sprint.
    pub(super) fn carry_over(&mut self, at: Moment, index: usize) {
        let issue = &self.jira.issues[index];
        let finished = STATUSES[issue.status].category.1 == "done";
        if !issue.deleted && !finished && issue.sprints.len() < 4 {
            self.join_sprint(at, index);
        }
    }

    fn join_sprint(&mut self, at: Moment, index: usize) {
        let project = self.jira.issues[index].project;
        let running =
            self.jira.sprints.iter().position(|sprint| {
                sprint.project == project && sprint.start <= at && at < sprint.end
            });
        let Some(sprint) = running else { return };
        if self.jira.issues[index].sprints.contains(&sprint) {
            return;
        }
        let before = self.sprint_list(index);
        self.jira.issues[index].sprints.push(sprint);
        let after = self.sprint_list(index);
        let items = vec![item(Field::Sprint, (&before.0, &before.1), (&after.0, &after.1))];
        let author = self.editor(index);
        self.change(at, index, author, items);
        let end = self.jira.sprints[sprint].end;
        self.agenda.add(end, Deed::CarryOver { issue: index });
    }

    fn sprint_list(&self, index: usize) -> (String, String) {
        let sprints = self.jira.issues[index].sprints.iter().map(|&at| &self.jira.sprints[at]);
        let (ids, names): (Vec<String>, Vec<&str>) =
            sprints.map(|sprint| (sprint.id.to_string(), &*sprint.name)).unzip();
        (ids.join(", "), names.join(", "))
    }

    pub(super) fn edit(&mut self, at: Moment, index: usize, edit: Edit) {
        if self.jira.issues[index].deleted {
            return;
        }
        let author = self.editor(index);
        let items = match edit {
            Edit::Assign => self.reassign(index),
            Edit::Prioritise => self.reprioritise(index),
            Edit::Label => self.relabel(index),
            Edit::Estimate => self.estimate(index),
            Edit::Rename => self.rename(index),
            Edit::Describe => vec![
                item(Field::Description, ("", "As before"), ("", "Now with steps\0 to repeat"))
                    .without_ids(),
            ],
            Edit::Rank => vec![item(Field::Rank, ("", ""), ("", "Ranked higher"))],
            Edit::Link => return self.link(at, index),
            Edit::Comment => {
                let text = words::remark(&mut self.chance);
                return self.comment(at, index, text);
            }
        };
        self.change(at, index, author, items);
    }

    pub(super) fn comment(&mut self, at: Moment, index: usize, text: String) {
        let author = self.chance.percent(95).then(|| self.some_person());
        self.jira.comments += 1;
        let id = 7_000 + self.jira.comments;
        let issue = &mut self.jira.issues[index];
        issue.comments.push(Comment { id, author, at, text });
        issue.updated = issue.updated.max(at);
    }

    fn reassign(&mut self, index: usize) -> Vec<Item> {
        let to = (!self.chance.percent(15)).then(|| self.some_person());
        let before = std::mem::replace(&mut self.jira.issues[index].assignee, to);
        vec![self.assignment(before, to)]
    }

    fn assignment(&self, before: Option<usize>, after: Option<usize>) -> Item {
        let account = |who: Option<usize>| who.map(|index| self.people[index].account.clone());
        let name = |who: Option<usize>| who.map(|index| self.people[index].name.clone());
        Item {
            field: Field::Assignee,
            from: account(before),
            from_string: name(before),
            to: account(after),
            to_string: name(after),
        }
    }

    fn reprioritise(&mut self, index: usize) -> Vec<Item> {
        let to = (!self.chance.percent(10)).then(|| self.chance.index(PRIORITIES.len()));
        let before = std::mem::replace(&mut self.jira.issues[index].priority, to);
        let id = |priority: Option<usize>| priority.map(|at| (at + 1).to_string());
        let name = |priority: Option<usize>| priority.map(|at| PRIORITIES[at].to_owned());
        vec![Item {
            field: Field::Priority,
            from: id(before),
            from_string: name(before),
            to: id(to),
            to_string: name(to),
        }]
    }

    fn relabel(&mut self, index: usize) -> Vec<Item> {
        let label = LABELS[self.chance.index(LABELS.len())];
        let labels = &mut self.jira.issues[index].labels;
        let before = labels.join(" ");
        match labels.iter().position(|known| *known == label) {
            Some(at) => drop(labels.remove(at)),
            None => labels.push(label),
        }
        let after = labels.join(" ");
        vec![item(Field::Labels, ("", &before), ("", &after)).without_ids()]
    }

    fn estimate(&mut self, index: usize) -> Vec<Item> {
        let points = POINTS[self.chance.index(POINTS.len())];
        let next_gen = self.jira.projects[self.jira.issues[index].project].next_gen;
        let field = if next_gen { Field::StoryPointEstimate } else { Field::StoryPoints };
        let before = self.jira.issues[index].points.replace(points);
        let before = before.map(|points| points.to_string());
        let after = points.to_string();
        vec![Item { from_string: before, ..item(field, ("", ""), ("", &after)).without_ids() }]
    }

    fn rename(&mut self, index: usize) -> Vec<Item> {
        let mut title = words::task(&mut self.chance);
        if self.chance.percent(2) {
            title.insert(0, '\0');
        }
        let before = std::mem::replace(&mut self.jira.issues[index].summary, title.clone());
        vec![item(Field::Summary, ("", &before), ("", &title)).without_ids()]
    }

    fn link(&mut self, at: Moment, index: usize) {
        let other = self.chance.index(self.jira.issues.len());
        if other == index || self.jira.issues[other].deleted {
            return;
        }
        let blocks = self.chance.percent(50);
        let meaning = if blocks { LinkMeaning::Blocks } else { LinkMeaning::Relates };
        self.link_with(at, index, other, meaning);
    }

    /// `index` acts upon `other`: blocks, causes, relates to it.
    pub(super) fn link_with(
        &mut self,
        at: Moment,
        index: usize,
        other: usize,
        meaning: LinkMeaning,
    ) {
        let author = self.editor(index);
        let id = 50_000 + self.jira.changes;
        let (_, _, inward, outward) = meaning.words();
        let sides = [(index, other, true, outward), (other, index, false, inward)];
        for (here, there, outward, words) in sides {
            let key = self.jira.key(&self.jira.issues[there]);
            self.jira.issues[here].links.push(Link { id, meaning, outward, other: there });
            let text = format!("This issue {words} {key}");
            let added = Item {
                from: None,
                from_string: None,
                ..item(Field::Link, ("", ""), (&key, &text))
            };
            self.change(at, here, author, vec![added]);
        }
    }

    /// Moves an issue to another company-managed project, where the same statuses exist.
    pub(super) fn transfer(&mut self, at: Moment, index: usize) {
        let issue = &self.jira.issues[index];
        let from = issue.project;
        if issue.deleted || issue.children > 0 || self.jira.projects[from].next_gen {
            return;
        }
        let possible: Vec<usize> = (0..self.jira.projects.len())
            .filter(|&to| to != from && !self.jira.projects[to].next_gen)
            .collect();
        if possible.is_empty() {
            return;
        }
        let to = possible[self.chance.index(possible.len())];
        let before = self.jira.key(issue);
        let parent = issue.parent;
        self.jira.projects[to].last_number += 1;
        let number = self.jira.projects[to].last_number;
        let issue = &mut self.jira.issues[index];
        issue.project = to;
        issue.number = number;
        // Epics and parents stay behind; a sub-task becomes a task on the way.
        issue.parent = None;
        if issue.kind == Kind::SubTask {
            issue.kind = Kind::Task;
        }
        if let Some(parent) = parent {
            self.jira.issues[parent].children -= 1;
        }
        let after = self.jira.key(&self.jira.issues[index]);
        self.jira.keys.insert(after.clone(), index);
        let (old, new) = (&self.jira.projects[from], &self.jira.projects[to]);
        let (old_id, new_id) = (old.id.to_string(), new.id.to_string());
        let items = vec![
            item(Field::Project, (&old_id, &old.name), (&new_id, &new.name)),
            item(Field::Key, ("", &before), ("", &after)).without_ids(),
        ];
        let author = self.editor(index);
        self.change(at, index, author, items);
    }

    pub(super) fn delete(&mut self, index: usize) {
        let issue = &mut self.jira.issues[index];
        if issue.deleted || issue.children > 0 {
            return;
        }
        issue.deleted = true;
        if let Some(parent) = issue.parent {
            self.jira.issues[parent].children -= 1;
        }
    }

    /// Takes each so-many-th issue out of sight, of those that nobody's parent is; answers which.
    pub fn hide_issues(&mut self, every: usize) -> Vec<usize> {
        let hidden: Vec<usize> = (0..self.jira.issues.len())
            .step_by(every)
            .filter(|&index| {
                !self.jira.issues[index].deleted && self.jira.issues[index].children == 0
            })
            .collect();
        hidden.iter().for_each(|&index| self.delete(index));
        hidden
    }

    /// Brings issues back as they were.
    pub fn show_issues(&mut self, hidden: &[usize]) {
        for &index in hidden {
            self.jira.issues[index].deleted = false;
            if let Some(parent) = self.jira.issues[index].parent {
                self.jira.issues[parent].children += 1;
            }
        }
    }

    /// Who edits an issue: mostly people, at times a machine or somebody who left.
    fn editor(&mut self, index: usize) -> Option<usize> {
        match self.chance.between(0, 99) {
            0..=3 => None,
            4..=5 => Some(self.people.len() - 1),
            6..=50 => self.jira.issues[index].assignee.or(self.jira.issues[index].creator),
            _ => Some(self.some_person()),
        }
    }

    fn parent_for(&mut self, project: usize, kind: Kind) -> Option<usize> {
        let wanted: &[Kind] = match kind {
            Kind::SubTask => &[Kind::Story, Kind::Task, Kind::Bug],
            Kind::Story | Kind::Task | Kind::Bug if self.chance.percent(60) => &[Kind::Epic],
            _ => return None,
        };
        let count = self.jira.issues.len();
        if count == 0 {
            return None;
        }
        (0..60).map(|_| self.chance.index(count)).find(|&index| {
            let issue = &self.jira.issues[index];
            issue.project == project && !issue.deleted && wanted.contains(&issue.kind)
        })
    }

    fn plan_walk(&mut self, at: Moment, issue: usize) {
        let next_gen = self.jira.projects[self.jira.issues[issue].project].next_gen;
        let walk = if next_gen { self.team_walk() } else { self.company_walk() };
        let mut at = at;
        for (turn, (to, median_hours)) in walk.into_iter().enumerate() {
            at = self.chance.later(at, median_hours);
            let take = turn > 0 && self.chance.percent(30);
            self.agenda.add(at, Deed::Turn { issue, to, take });
            if self.chance.percent(3) {
                // A change of its own in the very same millisecond.
                self.agenda.add(at, Deed::Edit { issue, edit: Edit::Label });
            }
        }
    }

    fn company_walk(&mut self) -> Vec<(StatusId, f64)> {
        if self.chance.percent(8) {
            return Vec::new();
        }
        if self.chance.percent(6) {
            return vec![(SELECTED, 60.0), (WONT_DO, 200.0)];
        }
        let mut walk = vec![(SELECTED, 70.0), (IN_PROGRESS, 40.0)];
        if self.chance.percent(4) {
            walk.push((WAITING, 10.0));
            if self.chance.percent(30) {
                return walk; // The customer never answers.
            }
            walk.push((IN_PROGRESS, 30.0));
        }
        walk.extend([(IN_REVIEW, 26.0), (TESTING, 18.0)]);
        if self.chance.percent(10) {
            walk.extend([(IN_PROGRESS, 8.0), (IN_REVIEW, 12.0), (TESTING, 10.0)]);
        }
        walk.push((DONE, 20.0));
        if self.chance.percent(6) {
            walk.extend([(IN_PROGRESS, 40.0), (TESTING, 15.0), (DONE, 10.0)]);
        }
        walk.retain(|(to, _)| *to == DONE || !self.chance.percent(12));
        walk
    }

    fn team_walk(&mut self) -> Vec<(StatusId, f64)> {
        if self.chance.percent(15) {
            return Vec::new();
        }
        let mut walk = vec![(TEAM_IN_PROGRESS, 60.0), (TEAM_IN_REVIEW, 30.0), (TEAM_DONE, 20.0)];
        if self.chance.percent(7) {
            walk.extend([(TEAM_TO_DO, 30.0), (TEAM_IN_PROGRESS, 30.0), (TEAM_DONE, 20.0)]);
        }
        walk
    }

    fn plan_edits(&mut self, at: Moment, issue: usize) {
        let (count, span) = match self.chance.between(0, 999) {
            _ if issue == 5 => (130, 30 * DAY),
            _ if issue == 8 => (50, 30 * DAY),
            0..=7 => (self.chance.between(105, 160), 40 * DAY),
            8..=39 => (self.chance.between(42, 90), 30 * DAY),
            _ => (self.chance.between(0, 6), 25 * DAY),
        };
        for _ in 0..count {
            let (edit, when) = (self.some_edit(), self.chance.moment(at + MINUTE, at + span));
            self.agenda.add(when, Deed::Edit { issue, edit });
        }
        if self.chance.percent(2) {
            let when = self.chance.moment(at + HOUR, at + 60 * DAY);
            self.agenda.add(when, Deed::Transfer { issue });
        }
    }
}

impl Item {
    /// Without ids on either side, as fields of plain text have it.
    fn without_ids(self) -> Item {
        Item { from: None, to: None, ..self }
    }
}

fn item(field: Field, (from, from_string): (&str, &str), (to, to_string): (&str, &str)) -> Item {
    let owned = |text: &str| Some(text.to_owned());
    Item {
        field,
        from: owned(from),
        from_string: owned(from_string),
        to: owned(to),
        to_string: owned(to_string),
    }
}

//! The life of a pull request: opened from a few commits, reviewed, rewritten, merged.

use super::World;
use super::agenda::{Deed, PullDeed, PullKind};
use super::git::*;
use super::jira::Kind;
use super::words;
use crate::moment::{DAY, HOUR, MINUTE, Moment, SECOND};

/// What a new pull request says, before it exists.
pub(super) struct Draft {
    title: String,
    body: String,
    head_ref: String,
    messages: Vec<String>,
    author: Actor,
    labels: Vec<&'static str>,
}

impl World {
    pub(super) fn open_pull(&mut self, at: Moment, repository: usize, kind: PullKind) {
        let at = at.whole_second();
        let Some(base) = self.repositories[repository].head else { return };
        let draft = match kind {
            PullKind::Usual if !self.is_large(repository) && self.chance.percent(8) => self.bump(),
            PullKind::Usual => self.work(repository),
            PullKind::Bump => self.bump(),
            PullKind::Revert { pull, issue } => self.revert(repository, pull, issue),
        };
        if self.chance.percent(4) {
            self.plain_issue(at, repository);
        }
        let hotfix = matches!(kind, PullKind::Revert { .. });
        let pull = self.add_pull(at, repository, base, draft, hotfix);
        match kind {
            PullKind::Revert { issue, .. } => {
                let number = self.repositories[repository].pulls[pull].number;
                let (org, name) = (&self.org, &self.repositories[repository].name);
                let text = format!("Taken back in https://github.com/{org}/{name}/pull/{number}");
                self.comment(at, issue, text);
                self.plan_hotfix(at, repository, pull);
            }
            _ => {
                let is_draft = self.repositories[repository].pulls[pull].draft;
                self.plan_pull(at, repository, pull, is_draft);
            }
        }
    }

    /// Opens a pull request for the default branch, of which nothing is planned yet.
    pub(super) fn add_pull(
        &mut self,
        at: Moment,
        repository: usize,
        base: usize,
        draft: Draft,
        hotfix: bool,
    ) -> usize {
        let commits = self.branch(at, repository, base, &draft);
        let (id, test_merge) = (self.next_id(), self.chance.hex(40));
        let is_draft = !hotfix && self.chance.percent(12);
        let repo = &mut self.repositories[repository];
        repo.last_number += 1;
        repo.pushed = repo.pushed.max(at);
        repo.pulls.push(Pull {
            id,
            number: repo.last_number,
            title: draft.title,
            body: draft.body,
            state: PullState::Open,
            draft: is_draft,
            author: draft.author,
            created: at,
            updated: at,
            merged: None,
            merged_by: None,
            closed: None,
            merge_sha: Some(test_merge),
            head_ref: draft.head_ref,
            base_ref: "main",
            base: Some(base),
            from_lost_fork: !hotfix && self.chance.percent(5),
            additions: self.chance.between(1, 400) as u32,
            deletions: self.chance.between(0, 200) as u32,
            changed_files: self.chance.between(1, 25) as u32,
            labels: draft.labels,
            commits,
            reviews: Vec::new(),
            remarks: Vec::new(),
            comments: Vec::new(),
            timeline: Vec::new(),
        });
        repo.pulls.len() - 1
    }

    /// A branch by somebody, usually for an issue of the repository's project.
    pub(super) fn work(&mut self, repository: usize) -> Draft {
        let key = self.chance.percent(86).then(|| self.recent_issue(repository)).flatten();
        let about = words::task(&mut self.chance);
        let author = match self.chance.percent(5) {
            true => Actor::Ghost,
            false => Actor::Person(self.some_person()),
        };
        let slug = words::slug(&about);
        let style = self.chance.between(0, 9);
        let (title, head_ref) = match (&key, style) {
            (Some(key), 0..=3) => (format!("{key} {about}"), format!("feature/{key}-{slug}")),
            (Some(key), 4..=5) => (about, format!("{}-{slug}", key.to_lowercase())),
            (Some(key), 6) => (about, format!("feature_{key}")),
            (Some(key), 7) => (format!("{key}: {about}"), format!("work/{slug}")),
            (Some(_), _) => (about, format!("topic/{slug}")),
            (None, 0..=3) => (words::lookalike(&mut self.chance), format!("chore/utf-8-{slug}")),
            (None, _) => (about, format!("chore/{slug}")),
        };
        let title = if self.chance.percent(2) { format!("{title} ✨") } else { title };
        let count = match self.chance.between(0, 999) {
            _ if self.is_large(repository) => 262,
            0..=7 if repository == 0 => self.chance.between(55, 120),
            _ => self.chance.between(1, 5),
        };
        let mut messages = Vec::new();
        for turn in 0..count {
            let about = words::task(&mut self.chance);
            messages.push(match (&key, self.chance.between(0, 9)) {
                // The only place where branches of the last style name their issue.
                (Some(key), _) if turn == 0 && style > 7 => format!("{about}\n\nRefs: {key}"),
                (Some(key), 0..=5) => format!("{key} {about}"),
                (_, 6) => words::lookalike(&mut self.chance),
                _ => about,
            });
        }
        if self.chance.percent(8)
            && let Some(second) = self.recent_issue(repository)
        {
            messages.push(format!("Also helps {second}"));
        }
        let body = format!("<!-- ABC-123: what changes? -->\n{}", words::remark(&mut self.chance));
        let labels = if self.chance.percent(30) { vec!["enhancement"] } else { Vec::new() };
        Draft { title, body, head_ref, messages, author, labels }
    }

    /// Whether the next pull request has more commits than GitHub's REST API tells: one does, in
    /// the busiest repository.
    fn is_large(&self, repository: usize) -> bool {
        repository == 0 && self.repositories[repository].pulls.len() == 20
    }

    fn bump(&mut self) -> Draft {
        let title = words::bump(&mut self.chance);
        let head_ref = format!("dependabot/cargo/{}", words::slug(&title));
        Draft {
            messages: vec![format!("{title}\n\nFixes CVE-2024-3094 and UTF-8 handling.")],
            body: "Release notes: fixes ABC-77, see GHSA-1111-2222-3333.".to_owned(),
            title,
            head_ref,
            author: Actor::Bot(Bot::Dependabot),
            labels: vec!["dependencies"],
        }
    }

    fn revert(&mut self, repository: usize, pull: usize, issue: usize) -> Draft {
        let incident = self.jira.key(&self.jira.issues[issue]);
        let repo = &self.repositories[repository];
        let bad = &repo.pulls[pull];
        let title = format!("Revert \"{}\"", bad.title);
        let sha = bad.merge_sha.as_deref().unwrap_or_default();
        Draft {
            body: format!("Reverts {}/{}#{}", self.org, repo.name, bad.number),
            head_ref: format!("revert-{}-{}", bad.number, bad.head_ref),
            messages: vec![format!("{title}\n\nThis reverts commit {sha}.\n\nRefs: {incident}")],
            title,
            author: Actor::Person(self.some_person()),
            labels: vec!["bug"],
        }
    }

    /// The key of a recent issue of the repository's project that people would work on.
    fn recent_issue(&mut self, repository: usize) -> Option<String> {
        let project = repository % self.jira.projects.len();
        let count = self.jira.issues.len();
        let oldest = count.saturating_sub(250);
        (0..24.min(count)).map(|_| oldest + self.chance.index(count - oldest)).find_map(|index| {
            let issue = &self.jira.issues[index];
            let fits = issue.project == project
                && !issue.deleted
                && !matches!(issue.kind, Kind::Epic | Kind::Incident);
            fits.then(|| self.jira.key(issue))
        })
    }

    fn branch(&mut self, at: Moment, repository: usize, base: usize, draft: &Draft) -> Vec<usize> {
        let began = self.repositories[repository].created + SECOND;
        let hours = if draft.messages.len() == 1 { 3.0 } else { 14.0 };
        let span = (self.chance.later(at, hours) - at).min(6 * DAY);
        let first = (at + -span).max(began).min(at);
        let count = draft.messages.len() as i64;
        let mut parent = base;
        let mut commits = Vec::new();
        for (turn, message) in draft.messages.iter().enumerate() {
            let authored = Moment(first.0 + (at - first) * turn as i64 / count).whole_second();
            let commit = Commit {
                sha: self.chance.hex(40),
                parents: vec![parent],
                author: draft.author,
                authored,
                committed: authored,
                message: message.clone(),
            };
            parent = self.record(repository, commit);
            commits.push(parent);
        }
        commits
    }

    /// Keeps a commit, without putting it on a branch.
    fn record(&mut self, repository: usize, commit: Commit) -> usize {
        let repo = &mut self.repositories[repository];
        let index = repo.commits.len();
        repo.shas.insert(commit.sha.clone(), index);
        repo.commits.push(commit);
        index
    }

    fn plan_pull(&mut self, at: Moment, repository: usize, pull: usize, draft: bool) {
        let plan = |world: &mut World, at: Moment, deed: PullDeed| {
            world.agenda.add(at.whole_second() + SECOND, Deed::Pull { repository, pull, deed });
        };
        let ready = if draft { self.chance.later(at, 6.0) } else { at };
        let end = self.chance.later(ready, 20.0);
        if draft {
            plan(self, ready, PullDeed::Ready);
        } else if self.chance.percent(3) {
            plan(self, at + MINUTE, PullDeed::Draft);
        }
        let reviews = match self.chance.between(0, 999) {
            _ if repository == 0 && pull == 6 => 60,
            0..=11 if repository == 0 => self.chance.between(52, 110),
            0..=99 => 0,
            _ => self.chance.between(1, 3),
        };
        for _ in 0..reviews {
            let when = self.chance.moment(ready, end);
            let pending = self.chance.percent(3);
            plan(self, when, PullDeed::Review { pending });
            if self.chance.percent(20) {
                plan(self, when + HOUR, PullDeed::Reply);
            }
        }
        let comments = match self.chance.between(0, 999) {
            _ if repository == 0 && pull == 9 => 75,
            0..=9 if repository == 0 => self.chance.between(60, 130),
            _ => self.chance.between(0, 3),
        };
        for _ in 0..comments {
            let when = self.chance.moment(at, end);
            plan(self, when, PullDeed::Comment);
        }
        for _ in 0..self.chance.between(0, 2) {
            let when = self.chance.moment(at, end);
            plan(self, when, PullDeed::Commit);
        }
        if self.chance.percent(7) {
            let when = self.chance.moment(at, end);
            plan(self, when, PullDeed::ForcePush);
        }
        match self.chance.between(0, 99) {
            0..=5 => {} // Nobody ever comes back to it.
            6..=12 => plan(self, end, PullDeed::Close),
            13..=14 => {
                plan(self, end, PullDeed::Close);
                plan(self, end + HOUR, PullDeed::Reopen);
                plan(self, end + 3 * HOUR, PullDeed::Merge);
            }
            _ => plan(self, end, PullDeed::Merge),
        }
    }

    fn plan_hotfix(&mut self, at: Moment, repository: usize, pull: usize) {
        let review = PullDeed::Review { pending: false };
        for (minutes, deed) in [(12, review), (20, PullDeed::Merge)] {
            self.agenda.add(at + minutes * MINUTE, Deed::Pull { repository, pull, deed });
        }
    }

    pub(super) fn do_to_pull(
        &mut self,
        at: Moment,
        repository: usize,
        pull: usize,
        deed: PullDeed,
    ) {
        let at = at.whole_second();
        let open = self.repositories[repository].pulls[pull].state == PullState::Open;
        match deed {
            PullDeed::Commit if open => self.add_commit(at, repository, pull),
            PullDeed::ForcePush if open => self.force_push(at, repository, pull),
            PullDeed::Review { pending } => self.review(at, repository, pull, pending),
            PullDeed::Reply => self.reply(at, repository, pull),
            PullDeed::Comment => self.comment_on_pull(at, repository, pull),
            PullDeed::Retitle => self.retitle(repository, pull),
            PullDeed::Ready if open => self.mark_ready(at, repository, pull),
            PullDeed::Draft if open => {
                let pull = &mut self.repositories[repository].pulls[pull];
                pull.draft = true;
                pull.timeline.push(Happening { at, what: What::Draft });
            }
            PullDeed::Merge if open => self.merge(at, repository, pull),
            PullDeed::Close if open => {
                let pull = &mut self.repositories[repository].pulls[pull];
                pull.state = PullState::Closed;
                pull.closed = Some(at);
                pull.timeline.push(Happening { at, what: What::Closed });
            }
            PullDeed::Reopen if !open => {
                let pull = &mut self.repositories[repository].pulls[pull];
                pull.state = PullState::Open;
                pull.closed = None;
                pull.timeline.push(Happening { at, what: What::Reopened });
            }
            _ => return,
        }
        let pull = &mut self.repositories[repository].pulls[pull];
        pull.updated = pull.updated.max(at);
    }

    fn add_commit(&mut self, at: Moment, repository: usize, pull: usize) {
        let message = words::task(&mut self.chance);
        let sha = self.chance.hex(40);
        let (more, less) = (self.chance.between(1, 60) as u32, self.chance.between(0, 30) as u32);
        let changing = &mut self.repositories[repository].pulls[pull];
        changing.additions += more;
        changing.deletions += less;
        let parents = changing.commits.last().copied().into_iter().collect();
        let author = changing.author;
        let commit = Commit { sha, parents, author, authored: at, committed: at, message };
        let added = self.record(repository, commit);
        let repo = &mut self.repositories[repository];
        repo.pulls[pull].commits.push(added);
        repo.pushed = repo.pushed.max(at);
    }

    /// Rewrites the branch: new shas and commit dates, the same authors and author dates.
    fn force_push(&mut self, at: Moment, repository: usize, pull: usize) {
        let old = self.repositories[repository].pulls[pull].commits.clone();
        let base = self.repositories[repository].pulls[pull].base;
        let new = self.copy(at, repository, &old, base);
        let known = self.chance.percent(70);
        let changing = &mut self.repositories[repository].pulls[pull];
        if let (Some(&before), Some(&after)) = (old.last(), new.last()) {
            let what = What::ForcePushed { before: known.then_some(before), after };
            changing.timeline.push(Happening { at, what });
        }
        changing.commits = new;
    }

    fn copy(
        &mut self,
        at: Moment,
        repository: usize,
        old: &[usize],
        base: Option<usize>,
    ) -> Vec<usize> {
        let mut parent = base;
        let mut new = Vec::with_capacity(old.len());
        for &index in old {
            let original = &self.repositories[repository].commits[index];
            let commit = Commit {
                sha: self.chance.hex(40),
                parents: parent.into_iter().collect(),
                author: original.author,
                authored: original.authored,
                committed: at,
                message: original.message.clone(),
            };
            let copied = self.record(repository, commit);
            parent = Some(copied);
            new.push(copied);
        }
        new
    }

    fn review(&mut self, at: Moment, repository: usize, pull: usize, pending: bool) {
        let author = match self.chance.percent(3) {
            true => Actor::Ghost,
            false => Actor::Person(self.some_person()),
        };
        let state = match self.chance.between(0, 9) {
            _ if pending => "PENDING",
            0..=4 => "APPROVED",
            5..=6 => "CHANGES_REQUESTED",
            7 => "DISMISSED",
            _ => "COMMENTED",
        };
        let asked = self.chance.percent(40);
        if asked {
            let asked = Happening { at, what: What::ReviewRequested };
            self.repositories[repository].pulls[pull].timeline.push(asked);
        }
        let review = self.add_review(at, repository, pull, author, state);
        if pending || self.chance.percent(60) {
            return;
        }
        for _ in 0..self.chance.between(1, 4) {
            self.add_remark(at, repository, pull, review, None, author);
        }
    }

    fn reply(&mut self, at: Moment, repository: usize, pull: usize) {
        let answered = &self.repositories[repository].pulls[pull];
        let Some(last) = answered.remarks.iter().rposition(|remark| remark.answers.is_none())
        else {
            return;
        };
        let author = answered.author;
        // A reply is a review of its own.
        let review = self.add_review(at, repository, pull, author, "COMMENTED");
        self.add_remark(at, repository, pull, review, Some(last), author);
    }

    fn add_review(
        &mut self,
        at: Moment,
        repository: usize,
        pull: usize,
        author: Actor,
        state: &'static str,
    ) -> usize {
        let id = self.next_id();
        let pull = &mut self.repositories[repository].pulls[pull];
        let commit = *pull.commits.last().expect("a pull request has commits");
        let submitted = (state != "PENDING").then_some(at);
        pull.reviews.push(Review { id, author, state, created: at, submitted, commit });
        pull.reviews.len() - 1
    }

    fn add_remark(
        &mut self,
        at: Moment,
        repository: usize,
        pull: usize,
        review: usize,
        answers: Option<usize>,
        author: Actor,
    ) {
        let (id, text) = (self.next_id(), words::remark(&mut self.chance));
        let remark = Remark { id, review, answers, author, created: at, text };
        self.repositories[repository].pulls[pull].remarks.push(remark);
    }

    fn comment_on_pull(&mut self, at: Moment, repository: usize, pull: usize) {
        let (id, text) = (self.next_id(), words::remark(&mut self.chance));
        let author = match self.chance.between(0, 19) {
            0 => Actor::Ghost,
            1..=2 => Actor::Bot(Bot::Releaser),
            _ => Actor::Person(self.some_person()),
        };
        let comment = Comment { id, author, created: at, text };
        self.repositories[repository].pulls[pull].comments.push(comment);
    }

    fn retitle(&mut self, repository: usize, pull: usize) {
        let about = words::task(&mut self.chance);
        let key = self.chance.percent(50).then(|| self.recent_issue(repository)).flatten();
        self.repositories[repository].pulls[pull].title = match key {
            Some(key) => format!("{key} {about}"),
            None => about,
        };
    }

    fn mark_ready(&mut self, at: Moment, repository: usize, pull: usize) {
        let pull = &mut self.repositories[repository].pulls[pull];
        if std::mem::replace(&mut pull.draft, false) {
            pull.timeline.push(Happening { at, what: What::Ready });
        }
    }

    fn merge(&mut self, at: Moment, repository: usize, pull: usize) {
        self.mark_ready(at, repository, pull);
        let merger = Actor::Person(self.some_person());
        let usual = self.repositories[repository].merges_by;
        let by = if self.chance.percent(12) { MergeKind::Squash } else { usual };
        let repo = &self.repositories[repository];
        let merged = &repo.pulls[pull];
        let (commits, number) = (merged.commits.clone(), merged.number);
        let head = repo.head.into_iter();
        let landed = match by {
            MergeKind::Squash => {
                let message = format!("{} (#{number})", merged.title);
                let author = merged.author;
                vec![self.web_commit(at, repository, head.collect(), author, message)]
            }
            MergeKind::Rebase => self.copy(at, repository, &commits, repo.head),
            MergeKind::Merge => {
                let branch = format!("{}/{}", self.org, merged.head_ref);
                let message =
                    format!("Merge pull request #{number} from {branch}\n\n{}", merged.title);
                let parents = head.chain(commits.last().copied()).collect();
                let joint = self.web_commit(at, repository, parents, merger, message);
                commits.iter().copied().chain([joint]).collect()
            }
        };
        let repo = &mut self.repositories[repository];
        repo.head = landed.last().copied();
        let last = repo.head.map(|at| repo.commits[at].sha.clone());
        repo.main.extend(&landed);
        repo.pushed = repo.pushed.max(at);
        repo.unreleased.push(pull);
        let merged = &mut repo.pulls[pull];
        merged.state = PullState::Merged;
        merged.merged = Some(at);
        merged.merged_by = Some(merger);
        merged.closed = Some(at);
        merged.merge_sha = last;
        merged.timeline.push(Happening { at, what: What::Closed });
        let hotfix = merged.title.starts_with("Revert ");
        self.after_merge(at, repository, hotfix);
    }

    pub(super) fn web_commit(
        &mut self,
        at: Moment,
        repository: usize,
        parents: Vec<usize>,
        author: Actor,
        message: String,
    ) -> usize {
        let sha = self.chance.hex(40);
        self.record(
            repository,
            Commit { sha, parents, author, authored: at, committed: at, message },
        )
    }

    /// A commit straight to the default branch.
    pub(super) fn push(&mut self, repository: usize, at: Moment, message: String) {
        let author = Actor::Person(self.some_person());
        let parents = self.repositories[repository].head.into_iter().collect();
        let commit = self.web_commit(at, repository, parents, author, message);
        let repo = &mut self.repositories[repository];
        repo.head = Some(commit);
        repo.main.push(commit);
        repo.pushed = repo.pushed.max(at);
    }

    pub(super) fn push_directly(&mut self, at: Moment, repository: usize) {
        let about = words::task(&mut self.chance);
        let key = self.chance.percent(40).then(|| self.recent_issue(repository)).flatten();
        let message = key.map_or(about.clone(), |key| format!("{key} {about}"));
        self.push(repository, at.whole_second(), message);
        let next = self.chance.later(at, 80.0);
        self.agenda.add(next, Deed::Push { repository });
    }

    fn plain_issue(&mut self, at: Moment, repository: usize) {
        let (id, text) = (self.next_id(), words::remark(&mut self.chance));
        let author = Actor::Person(self.some_person());
        let repo = &mut self.repositories[repository];
        repo.last_number += 1;
        repo.plain_comments.push((repo.last_number, Comment { id, author, created: at, text }));
    }
}

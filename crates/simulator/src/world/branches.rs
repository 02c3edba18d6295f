//! A branch that lives beside the default branch for a while: pull requests are merged into it, it may be
//! deployed, and one day it comes home. None of that happens unless a test asks for it.

use super::World;
use super::git::*;
use crate::moment::{MINUTE, Moment, SECOND};

/// The name of the branch.
const NEXT: &str = "next";

impl World {
    /// Merges a pull request into the branch beside the default branch, which begins at that branch's head
    /// if it is not there yet.
    pub fn merge_aside(&mut self, at: Moment, repository: usize) {
        let at = at.whole_second();
        let repo = &self.repositories[repository];
        let tip = repo.next.as_ref().and_then(|next| next.commits.last().copied());
        let Some(base) = tip.or(repo.head) else { return };
        let draft = self.work(repository);
        let pull = self.add_pull(at + -MINUTE, repository, base, draft, true);
        let merger = Actor::Person(0);
        let opened = &self.repositories[repository].pulls[pull];
        let (mut commits, number) = (opened.commits.clone(), opened.number);
        let parents = [base].into_iter().chain(commits.last().copied()).collect();
        let message = format!("Merge pull request #{number} into {NEXT}");
        let joint = self.web_commit(at, repository, parents, merger, message);
        commits.push(joint);
        let repo = &mut self.repositories[repository];
        let sha = repo.commits[joint].sha.clone();
        let next = repo.next.get_or_insert(Branch { commits: Vec::new(), pulls: Vec::new() });
        next.commits.extend(commits);
        next.pulls.push(pull);
        let merged = &mut repo.pulls[pull];
        merged.base_ref = NEXT;
        merged.state = PullState::Merged;
        merged.updated = at;
        merged.merged = Some(at);
        merged.merged_by = Some(merger);
        merged.closed = Some(at);
        merged.merge_sha = Some(sha);
        merged.timeline.push(Happening { at, what: What::Closed });
    }

    /// Deploys the branch to production, which takes no time.
    pub fn deploy_aside(&mut self, at: Moment, repository: usize) {
        let next = self.repositories[repository].next.as_ref();
        let Some(tip) = next.and_then(|next| next.commits.last().copied()) else { return };
        let deployment = self.wait_for_approval(at, repository, Some(tip));
        self.settle(at, repository, deployment, "success");
    }

    /// Merges the branch into the default branch, with all of its commits as they are.
    pub fn bring_home(&mut self, at: Moment, repository: usize) {
        let at = at.whole_second();
        let repo = &mut self.repositories[repository];
        let Some(next) = repo.next.take() else { return };
        let parents = repo.head.into_iter().chain(next.commits.last().copied()).collect();
        let message = format!("Merge branch '{NEXT}'");
        let joint = self.web_commit(at, repository, parents, Actor::Person(0), message);
        let repo = &mut self.repositories[repository];
        repo.main.extend(next.commits);
        repo.main.push(joint);
        repo.head = Some(joint);
        repo.pushed = repo.pushed.max(at);
        repo.unreleased.extend(next.pulls);
    }

    /// Asks for a deployment to production, of the default branch unless another commit is meant, that
    /// somebody has to approve. Answers where it is.
    pub fn wait_for_approval(
        &mut self,
        at: Moment,
        repository: usize,
        commit: Option<usize>,
    ) -> usize {
        let at = at.whole_second();
        let head = self.repositories[repository].head;
        let commit = commit.or(head).expect("somebody pushed to it");
        let (environment, reason) = (Environment::Production, Reason::Release);
        let id = self.next_id();
        let asked_at = at + -SECOND;
        let deployment = self.add_deployment(asked_at, id, repository, environment, commit, reason);
        self.settle(asked_at, repository, deployment, "queued");
        deployment
    }

    /// Approves a deployment, which then takes no time.
    pub fn approve(&mut self, at: Moment, repository: usize, deployment: usize) {
        self.settle(at, repository, deployment, "success");
    }
}

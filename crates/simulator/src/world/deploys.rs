//! How merged work reaches production, and what it does there.

use super::World;
use super::agenda::{Deed, Edit, PullKind};
use super::git::*;
use super::jira::{INVESTIGATING, Kind, LinkMeaning, MITIGATED, RESOLVED};
use super::words;
use crate::moment::{DAY, HOUR, MINUTE, Moment, SECOND};

/// More than a page of statuses holds.
const HEALTH_REPORTS: u64 = 40;

impl World {
    /// What machines do once something was merged.
    pub(super) fn after_merge(&mut self, at: Moment, repository: usize, hotfix: bool) {
        let repo = &self.repositories[repository];
        let Some(commit) = repo.head else { return };
        match repo.tells_by {
            TellsBy::Runs => self.run(at, repository, "ci", commit),
            TellsBy::Deployments => {
                let reason = Reason::Release;
                if hotfix {
                    let environment = Environment::Production;
                    let deed = Deed::Deploy { repository, environment, commit, reason };
                    self.agenda.add(at + 20 * MINUTE, deed);
                } else if self.chance.percent(50) {
                    let environment = Environment::Staging;
                    let deed = Deed::Deploy { repository, environment, commit, reason };
                    self.agenda.add(at + 10 * MINUTE, deed);
                }
            }
            TellsBy::Releases => {}
        }
    }

    /// The daily look at whether to release; the next one is tomorrow.
    pub(super) fn ship(&mut self, at: Moment, repository: usize) {
        let hours = self.chance.between(8 * HOUR, 17 * HOUR);
        self.agenda.add(at.midnight() + (DAY + hours), Deed::Ship { repository });
        let repo = &self.repositories[repository];
        let Some(commit) = repo.head else { return };
        let nothing_new = repo.in_production.0 == Some(commit);
        let tells_by = repo.tells_by;
        if nothing_new || at.is_weekend() || !self.chance.percent(65) {
            return;
        }
        match tells_by {
            TellsBy::Deployments => {
                let (environment, reason) = (Environment::Production, Reason::Release);
                self.deploy(at, repository, environment, commit, reason);
            }
            TellsBy::Runs => self.run(at, repository, "deploy", commit),
            TellsBy::Releases => self.release(at.whole_second(), repository, commit),
        }
    }

    pub(super) fn deploy(
        &mut self,
        at: Moment,
        repository: usize,
        environment: Environment,
        commit: usize,
        reason: Reason,
    ) {
        let at = at.whole_second();
        let id = self.next_id();
        let repo = &self.repositories[repository];
        if reason == Reason::Redeploy && repo.in_production.0 != Some(commit) {
            return;
        }
        let deployment = self.add_deployment(at, id, repository, environment, commit, reason);
        let careful = matches!(reason, Reason::Rollback | Reason::Redeploy);
        let last = match self.chance.between(0, 99) {
            _ if careful => "success",
            0..=6 => "failure",
            7..=8 => "error",
            _ => "success",
        };
        let took = self.chance.between(2 * MINUTE, 9 * MINUTE);
        let mut steps = vec![("queued", SECOND), ("in_progress", 15 * SECOND), (last, took)];
        if self.chance.percent(1) {
            steps.truncate(2); // Somebody forgot to approve it.
        }
        for (state, after) in steps {
            self.agenda.add(at + after, Deed::Settle { repository, deployment, state });
        }
    }

    /// Asks for a deployment, of which nothing is planned yet.
    pub(super) fn add_deployment(
        &mut self,
        at: Moment,
        id: u64,
        repository: usize,
        environment: Environment,
        commit: usize,
        reason: Reason,
    ) -> usize {
        let repo = &mut self.repositories[repository];
        let brings = environment == Environment::Production
            && matches!(reason, Reason::Release | Reason::Retry);
        let content = if brings { repo.unreleased.clone() } else { Vec::new() };
        repo.deployments.push(Deployment {
            id,
            environment,
            commit,
            reason,
            created: at,
            updated: at,
            statuses: Vec::new(),
            content,
        });
        repo.deployments.len() - 1
    }

    pub(super) fn settle(
        &mut self,
        at: Moment,
        repository: usize,
        deployment: usize,
        state: &'static str,
    ) {
        let at = at.whole_second();
        self.note(at, repository, deployment, state);
        let settled = &self.repositories[repository].deployments[deployment];
        let (environment, commit, reason) = (settled.environment, settled.commit, settled.reason);
        match state {
            "success" => {
                self.supersede(at, repository, deployment);
                if environment == Environment::Production {
                    self.reach_production(at, repository, deployment);
                }
            }
            "failure" | "error" if environment == Environment::Production => {
                let repo = &self.repositories[repository];
                let commit = repo.head.unwrap_or(commit);
                if reason != Reason::Retry {
                    let reason = Reason::Retry;
                    let deed = Deed::Deploy { repository, environment, commit, reason };
                    self.agenda.add(at + 40 * MINUTE, deed);
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, at: Moment, repository: usize, deployment: usize, state: &'static str) {
        let id = self.next_id();
        let deployment = &mut self.repositories[repository].deployments[deployment];
        deployment.statuses.push(DeploymentStatus { id, state, at });
        deployment.updated = deployment.updated.max(at);
    }

    /// Whatever watches a repository tells of each of its deployments that ran again and again. Nobody does
    /// so unless a test asks for it.
    pub fn report_health(&mut self, at: Moment, repository: usize) {
        for deployment in &mut self.repositories[repository].deployments {
            let ran = deployment.statuses.iter().any(|status| status.state == "success");
            for number in (1..=HEALTH_REPORTS).filter(|_| ran) {
                let id = deployment.id * 1_000 + number;
                deployment.statuses.push(DeploymentStatus { id, state: "success", at });
                deployment.updated = deployment.updated.max(at);
            }
        }
    }

    /// GitHub marks the deployment that ran before as inactive.
    fn supersede(&mut self, at: Moment, repository: usize, deployment: usize) {
        let deployments = &self.repositories[repository].deployments;
        let environment = deployments[deployment].environment;
        let ran = deployments.iter().enumerate().rev().find(|(index, other)| {
            *index != deployment
                && other.environment == environment
                && other.statuses.last().is_some_and(|status| status.state == "success")
        });
        if let Some((before, _)) = ran {
            self.note(at, repository, before, "inactive");
        }
    }

    fn reach_production(&mut self, at: Moment, repository: usize, deployment: usize) {
        let repo = &mut self.repositories[repository];
        let Deployment { commit, reason, ref content, .. } = repo.deployments[deployment];
        let brought = !content.is_empty();
        repo.unreleased.retain(|pull| !content.contains(pull));
        if repo.in_production.0 != Some(commit) {
            repo.in_production = (Some(commit), repo.in_production.0);
        }
        if brought && self.incidents_left > 0 && self.chance.percent(11) {
            self.incidents_left -= 1;
            let minutes = self.chance.between(15, 300);
            self.agenda.add(at + minutes * MINUTE, Deed::Incident { repository, deployment });
        } else if reason == Reason::Release && self.chance.percent(5) {
            let (environment, reason) = (Environment::Production, Reason::Redeploy);
            let deed = Deed::Deploy { repository, environment, commit, reason };
            self.agenda.add(at + 2 * HOUR, deed);
        }
    }

    /// Somebody notices, writes an incident, and the team reacts in one of several ways.
    pub(super) fn incident(&mut self, at: Moment, repository: usize, deployment: usize) {
        let home = repository % self.jira.projects.len();
        let project = if self.jira.projects[home].next_gen { 0 } else { home };
        let summary = words::trouble(&mut self.chance);
        let issue = self.open_issue(at, project, Kind::Incident, Some(summary));
        let resolved = self.chance.later(at, 2.0).max(at + 20 * MINUTE);
        let span = resolved - at;
        for (to, when) in [(INVESTIGATING, span / 8), (MITIGATED, span / 2), (RESOLVED, span)] {
            self.agenda.add(at + when, Deed::Turn { issue, to, take: to == INVESTIGATING });
        }
        self.agenda.add(at + span / 4, Deed::Edit { issue, edit: Edit::Comment });
        let repo = &self.repositories[repository];
        let blamed = repo.deployments[deployment].content.last().copied();
        match self.chance.between(0, 99) {
            0..=34 => {
                let (Some(commit), environment) = (repo.in_production.1, Environment::Production)
                else {
                    return;
                };
                // Only what still runs can be taken back.
                if repo.in_production.0 == Some(repo.deployments[deployment].commit) {
                    let reason = Reason::Rollback;
                    let deed = Deed::Deploy { repository, environment, commit, reason };
                    self.agenda.add(at + 25 * MINUTE, deed);
                }
            }
            35..=64 => {
                let Some(pull) = blamed.filter(|_| self.reverts_left > 0) else { return };
                self.reverts_left -= 1;
                let kind = PullKind::Revert { pull, issue };
                self.agenda.add(at + 15 * MINUTE, Deed::OpenPull { repository, kind });
            }
            65..=84 => {
                let Some(pull) = blamed else { return };
                let keys = self.issue_keys(repo, &repo.pulls[pull]);
                let Some(&cause) = keys.first().and_then(|key| self.jira.keys.get(key)) else {
                    return;
                };
                self.link_with(at, cause, issue, LinkMeaning::Causes);
            }
            _ => {}
        }
    }

    fn run(&mut self, at: Moment, repository: usize, workflow: &'static str, commit: usize) {
        let at = at.whole_second();
        let id = self.next_id();
        let conclusion = match self.chance.between(0, 99) {
            0..=5 => "failure",
            6 => "cancelled",
            7 => "timed_out",
            _ => "success",
        };
        let attempt = if self.chance.percent(8) { 2 } else { 1 };
        let took = self.chance.between(60, 400) * SECOND;
        let created = at + -(took * i64::from(attempt) + 20 * SECOND);
        let repo = &mut self.repositories[repository];
        let started = at + -took;
        repo.runs.push(Run {
            id,
            workflow,
            commit,
            created,
            started,
            updated: at,
            conclusion,
            attempt,
        });
        if workflow == "deploy" && conclusion == "success" {
            repo.in_production = (Some(commit), repo.in_production.0);
            repo.unreleased.clear();
        }
    }

    fn release(&mut self, at: Moment, repository: usize, commit: usize) {
        let id = self.next_id();
        let published = (!self.chance.percent(4)).then_some(at);
        let repo = &mut self.repositories[repository];
        let tag = format!("v1.{}.0", repo.releases.len() + 1);
        repo.releases.push(Release { id, tag, commit, created: at, published });
        if published.is_some() {
            repo.in_production = (Some(commit), repo.in_production.0);
            repo.unreleased.clear();
        }
    }
}

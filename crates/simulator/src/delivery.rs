//! What the company's deployments and incidents amount to, worked out from its own events by plain
//! loops. It shares no code with the product, so that the two can be compared.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::blame::{Blamed, blamed};
use crate::flow::{self, done, middle, nowhere, seconds};
use crate::moment::{DAY, HOUR, Moment};
use crate::pulls::reverts;
use crate::world::World;
use crate::world::git::{Actor, Pull, PullState, Repository};
use crate::world::jira::{Field, Issue};

/// A way of seeing delivery.
#[derive(Debug, Clone)]
pub struct Way {
    /// Which repositories are deployed how. The first that fits decides.
    pub repositories: Vec<(Which, By)>,
    /// What an incident is. The first that fits decides.
    pub incidents: Vec<Trouble>,
    /// How issues are seen: an incident is over when its issue is done.
    pub flow: flow::Way,
    /// Positions of the repositories that belong to the project with this key. Any belongs to a project
    /// of which nothing is said.
    pub projects: Vec<(&'static str, Vec<usize>)>,
}

/// Which repositories are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    Every,
    /// The one with this position.
    At(usize),
}

/// What tells of a deployment to production.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// GitHub's deployments to the environment of this name.
    Deployments(&'static str),
    /// Merges to the branch of this name.
    Merges(&'static str),
    /// Runs of the workflow of this name.
    Runs(&'static str),
    /// Releases.
    Releases,
}

/// Issues that are incidents.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// Names of types, as Jira has them.
    pub types: Vec<&'static str>,
    /// Labels, as Jira has them.
    pub labels: Vec<&'static str>,
    /// Names of components, as Jira has them.
    pub components: Vec<&'static str>,
    /// Severities, as Jira has them.
    pub severities: Vec<&'static str>,
    /// The field says when one began, where somebody filled it in.
    pub by_field: bool,
    /// The field says which deployment caused one, where somebody filled it in.
    pub by_reference: bool,
    /// How long before one the deployment that caused it may have finished.
    pub window_hours: Option<i64>,
}

/// What a window or a week of it amounts to. Lengths are medians in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// Successful deployments to production.
    pub deployments: usize,
    /// Days with at least one.
    pub days: usize,
    /// From first commit to deployment.
    pub lead_time: Option<f64>,
    /// How many pull requests that is made of.
    pub pull_requests: usize,
    /// The share of deployments that caused an incident or were taken back.
    pub failure_rate: Option<f64>,
    /// From deployment to the end of what it caused.
    pub recovery: Option<f64>,
    /// How many incidents that is made of.
    pub recovered: usize,
    /// From the start of an incident to its end.
    pub restore: Option<f64>,
    /// How many incidents that is made of.
    pub restored: usize,
    /// Incidents that ended.
    pub incidents: usize,
    /// Those of them that a deployment caused.
    pub linked: usize,
    /// Incidents that came into a status which says nothing.
    pub nowhere: usize,
}

/// A window of whole weeks.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// All of it.
    pub all: Totals,
    /// Each week.
    pub weeks: Vec<Totals>,
    /// The median over weeks of days with a deployment.
    pub days_per_week: Option<f64>,
    /// Deployments that caused an incident or were taken back: the repository's name and the id.
    pub failed: Vec<String>,
    /// Why others do not count.
    pub left_out: LeftOut,
}

/// Deployments that finished in a window and do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// To production, and failed.
    pub failed: usize,
    /// To another environment.
    pub elsewhere: usize,
    /// GitHub's, where others count.
    pub other_source: usize,
}

/// An incident, and what caused it.
#[derive(Debug, Clone, PartialEq)]
pub struct Caused {
    /// The key of its issue.
    pub key: String,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it was over, if it is.
    pub ended: Option<DateTime<Utc>>,
    /// The deployment that caused it, and the rule that says so.
    pub by: Option<(String, &'static str)>,
}

/// A successful deployment to production.
struct Shipped<'w> {
    repository: &'w Repository,
    id: String,
    at: Moment,
    commit: usize,
    brought: Vec<&'w Pull>,
    taken_back: bool,
    caused: usize,
}

/// All that can be told of a company.
struct Story<'w> {
    shipped: Vec<Shipped<'w>>,
    incidents: Vec<Incident<'w>>,
}

struct Incident<'w> {
    issue: &'w Issue,
    began: Moment,
    ended: Option<Moment>,
    /// When it came into a status that says nothing, if it stands in one.
    nowhere: Option<Moment>,
    /// The position of the deployment that caused it, and the rule that says so.
    culprit: Option<(usize, &'static str)>,
}

impl<'w> Story<'w> {
    fn of(world: &'w World, way: &Way) -> Story<'w> {
        let mut shipped = Vec::new();
        for (repository, by) in sources(world, way) {
            shipped.extend(shipped_from(repository, by));
        }
        shipped.sort_by(|a, b| (a.at, a.repository.id, &a.id).cmp(&(b.at, b.repository.id, &b.id)));
        let mut incidents = Vec::new();
        for issue in world.jira.live() {
            let Some(trouble) = way.incidents.iter().find(|trouble| is(world, issue, trouble))
            else {
                continue;
            };
            let culprit = culprit(world, way, &shipped, issue, trouble);
            if let Some((culprit, _)) = culprit {
                shipped[culprit].caused += 1;
            }
            incidents.push(Incident {
                issue,
                began: began(world, issue, trouble),
                ended: done(world, &way.flow, issue),
                nowhere: nowhere(world, &way.flow, issue),
                culprit,
            });
        }
        Story { shipped, incidents }
    }

    fn totals(&self, from: Moment, to: Moment) -> Totals {
        let within = |at: Moment| from <= at && at < to;
        let (mut recoveries, mut restores) = (Vec::new(), Vec::new());
        let (mut incidents, mut linked, mut nowhere) = (0, 0, 0);
        for incident in &self.incidents {
            nowhere += usize::from(incident.nowhere.is_some_and(within));
            let Some(ended) = incident.ended.filter(|at| within(*at)) else { continue };
            incidents += 1;
            restores.push(seconds(incident.began, ended));
            if let Some((culprit, _)) = incident.culprit {
                linked += 1;
                recoveries.push(seconds(self.shipped[culprit].at, ended));
            }
        }
        recoveries.retain(|length| *length >= 0.0);
        restores.retain(|length| *length >= 0.0);
        let (mut leads, mut days) = (Vec::new(), HashSet::new());
        let (mut deployments, mut failed) = (0, 0);
        for one in self.shipped.iter().filter(|one| within(one.at)) {
            deployments += 1;
            days.insert(one.at.midnight());
            failed += usize::from(one.failed());
            for pull in &one.brought {
                if matches!(pull.author, Actor::Bot(_)) {
                    continue;
                }
                let authored = pull.commits.iter().map(|&at| one.repository.commits[at].authored);
                leads.extend(authored.min().map(|first| seconds(first, one.at)));
            }
        }
        leads.retain(|length| *length >= 0.0);
        Totals {
            deployments,
            days: days.len(),
            pull_requests: leads.len(),
            lead_time: middle(&mut leads),
            failure_rate: (deployments > 0).then(|| failed as f64 / deployments as f64),
            recovered: recoveries.len(),
            recovery: middle(&mut recoveries),
            restored: restores.len(),
            restore: middle(&mut restores),
            incidents,
            linked,
            nowhere,
        }
    }
}

/// From one Monday's midnight in UTC to another's.
pub fn window(world: &World, way: &Way, from: DateTime<Utc>, to: DateTime<Utc>) -> Window {
    let (from, to) = (Moment::from(from), Moment::from(to));
    let story = Story::of(world, way);
    let all = story.totals(from, to);
    let mut weeks = Vec::new();
    let mut monday = from;
    while monday < to {
        weeks.push(story.totals(monday, monday + 7 * DAY));
        monday = monday + 7 * DAY;
    }
    let mut per_week: Vec<f64> = weeks.iter().map(|week| week.days as f64).collect();
    let failed = story.shipped.iter().filter(|one| one.failed() && from <= one.at && one.at < to);
    Window {
        // Once there was any deployment, a time without one has none.
        days_per_week: if story.shipped.iter().any(|one| one.at < to) {
            middle(&mut per_week)
        } else {
            None
        },
        all,
        weeks,
        failed: failed
            .map(|one| format!("{}/{} {}", world.org, one.repository.name, one.id))
            .collect(),
        left_out: left_out(world, way, from, to),
    }
}

/// Every incident, and what caused it.
pub fn causes(world: &World, way: &Way) -> Vec<Caused> {
    let story = Story::of(world, way);
    let caused = |incident: &Incident| Caused {
        key: world.jira.key(incident.issue),
        began: incident.began.into(),
        ended: incident.ended.map(Into::into),
        by: incident.culprit.map(|(at, rule)| (story.shipped[at].id.clone(), rule)),
    };
    story.incidents.iter().map(caused).collect()
}

/// The repositories of which something is deployed, and what tells of it.
fn sources<'w>(world: &'w World, way: &Way) -> Vec<(&'w Repository, By)> {
    let mut sources = Vec::new();
    for (position, repository) in world.repositories.iter().enumerate() {
        let how = way.repositories.iter().find(|(which, _)| match which {
            Which::Every => true,
            Which::At(only) => *only == position,
        });
        sources.extend(how.map(|(_, by)| (repository, *by)));
    }
    sources
}

fn left_out(world: &World, way: &Way, from: Moment, to: Moment) -> LeftOut {
    let within = |at: Moment| from <= at && at < to;
    let mut left_out = LeftOut::default();
    for (repository, by) in sources(world, way) {
        for deployment in &repository.deployments {
            let of = |states: &[&str]| {
                let told = deployment.statuses.iter();
                told.filter(|status| states.contains(&status.state))
                    .map(|status| status.at)
                    .collect()
            };
            let (successes, failures): (Vec<_>, Vec<_>) =
                (of(&["success"]), of(&["failure", "error"]));
            // Without either it is still under way.
            let Some(finish) = successes.first().or(failures.last()) else { continue };
            match by {
                _ if !within(*finish) => {}
                By::Deployments(to) if deployment.environment.word() != to => {
                    left_out.elsewhere += 1;
                }
                By::Deployments(_) => left_out.failed += usize::from(successes.is_empty()),
                _ => left_out.other_source += 1,
            }
        }
        for run in &repository.runs {
            let is_meant = matches!(by, By::Runs(workflow) if workflow == run.workflow);
            let is_failed =
                ["failure", "cancelled", "timed_out", "startup_failure"].contains(&run.conclusion);
            left_out.failed += usize::from(is_meant && is_failed && within(run.updated));
        }
    }
    left_out
}

fn shipped_from(repository: &Repository, by: By) -> Vec<Shipped<'_>> {
    let ship = |id, at, commit| Shipped {
        repository,
        id,
        at,
        commit,
        brought: Vec::new(),
        taken_back: false,
        caused: 0,
    };
    let mut shipped: Vec<Shipped<'_>> = Vec::new();
    match by {
        By::Deployments(environment) => {
            for deployment in &repository.deployments {
                let success = deployment.statuses.iter().find(|status| status.state == "success");
                if let Some(success) = success
                    && deployment.environment.word() == environment
                {
                    shipped.push(ship(deployment.id.to_string(), success.at, deployment.commit));
                }
            }
        }
        By::Runs(workflow) => {
            for run in &repository.runs {
                if run.workflow == workflow && run.conclusion == "success" {
                    shipped.push(ship(format!("run:{}", run.id), run.updated, run.commit));
                }
            }
        }
        By::Releases => {
            for release in &repository.releases {
                if let Some(at) = release.published {
                    shipped.push(ship(format!("release:{}", release.id), at, release.commit));
                }
            }
        }
        By::Merges(branch) => {
            for pull in &repository.pulls {
                if let (PullState::Merged, Some(at), Some(sha)) =
                    (pull.state, pull.merged, &pull.merge_sha)
                    && pull.base_ref == branch
                {
                    let id = format!("merge:{}", pull.number);
                    shipped.push(ship(id, at, repository.shas[sha]));
                }
            }
        }
    }
    // On the default branch parents come before children.
    let place = |commit: usize| repository.main.iter().position(|&at| at == commit);
    shipped.sort_by_cached_key(|one| (one.at, place(one.commit), one.id.clone()));

    let mut live: HashSet<usize> = HashSet::new();
    for at in 0..shipped.len() {
        let reached = repository.reachable(shipped[at].commit);
        if at > 0 {
            let before = shipped[at - 1].commit;
            let went_back = before != shipped[at].commit
                && repository.reachable(before).contains(&shipped[at].commit);
            shipped[at - 1].taken_back = went_back;
            for pull in &repository.pulls {
                let merged = pull.merge_sha.as_ref().filter(|_| pull.state == PullState::Merged);
                if merged.is_some_and(|sha| {
                    let commit = repository.shas[sha];
                    reached.contains(&commit) && !live.contains(&commit)
                }) {
                    shipped[at].brought.push(pull);
                }
            }
        }
        live.extend(reached);
    }
    shipped
}

impl Shipped<'_> {
    fn failed(&self) -> bool {
        self.taken_back || self.caused > 0
    }
}

fn began(world: &World, issue: &Issue, trouble: &Trouble) -> Moment {
    let told = world.jira.began(issue).filter(|_| trouble.by_field);
    told.unwrap_or(issue.created)
}

/// When each pull request first reached production, by its number.
pub(crate) fn first_shipped(repository: &Repository, by: By) -> Vec<(u32, Moment)> {
    let mut firsts = Vec::new();
    for shipped in shipped_from(repository, by) {
        for pull in shipped.brought {
            firsts.push((pull.number, shipped.at));
        }
    }
    firsts
}

fn is(world: &World, issue: &Issue, trouble: &Trouble) -> bool {
    let kind = issue.kind.name(world.jira.projects[issue.project].next_gen);
    trouble.types.contains(&kind)
        || issue.labels.iter().any(|label| trouble.labels.contains(label))
        || world.jira.components(issue).iter().any(|name| trouble.components.contains(name))
        || world.jira.severity(issue).is_some_and(|name| trouble.severities.contains(&name))
}

/// The positions of what somebody means who names the deployment that caused it.
fn named(world: &World, shipped: &[Shipped<'_>], incident: &Issue) -> Vec<usize> {
    let Some(blamed) = blamed(world, incident) else { return Vec::new() };
    let positions = |is: &dyn Fn(&Shipped<'_>) -> bool| -> Vec<usize> {
        (0..shipped.len()).filter(|&at| is(&shipped[at])).collect()
    };
    match blamed {
        Blamed::Id(deployment) | Blamed::Address(_, deployment) => {
            positions(&|one| one.id == deployment.id.to_string())
        }
        Blamed::Commit(repository, at) => {
            let sha = &repository.commits[at].sha;
            let deployed = positions(&|one| one.repository.commits[one.commit].sha == *sha);
            if !deployed.is_empty() {
                return deployed;
            }
            positions(&|one| one.brought.iter().any(|pull| pull.merge_sha.as_ref() == Some(sha)))
        }
        Blamed::Pull(repository, pull) => positions(&|one| {
            let is_brought = one.brought.iter().any(|other| other.number == pull.number);
            is_brought && one.repository.id == repository.id
        }),
        Blamed::Tag(release) => positions(&|one| {
            let mut tagged = one.repository.releases.iter().filter(|r| r.tag == release.tag);
            tagged.any(|release| one.id == format!("release:{}", release.id))
        }),
    }
}

/// The position of the deployment that caused it, and the rule that says so.
fn culprit(
    world: &World,
    way: &Way,
    shipped: &[Shipped<'_>],
    incident: &Issue,
    trouble: &Trouble,
) -> Option<(usize, &'static str)> {
    let began = began(world, incident, trouble);
    if trouble.by_reference {
        let named = named(world, shipped, incident);
        let before = named.iter().rfind(|&&at| shipped[at].at < began);
        if let Some(&at) = before.or(named.first()) {
            return Some((at, "explicit"));
        }
    }
    let earlier = || shipped.iter().enumerate().filter(|(_, one)| one.at < began);
    let serves = |repository: &Repository, pull: &Pull, key: &String| {
        world.issue_keys(repository, pull).contains(key)
    };
    for item in incident.histories.iter().flat_map(|history| &history.items) {
        let is_cause = item.to_string.as_ref().is_some_and(|text| text.contains("caused by"));
        if item.field != Field::Link || !is_cause {
            continue;
        }
        let cause = item.to.as_ref().and_then(|key| world.jira.keys.get(key));
        let Some(cause) = cause.map(|&at| &world.jira.issues[at]) else { continue };
        let key = world.jira.key(cause);
        let brought = earlier()
            .rfind(|(_, one)| one.brought.iter().any(|pull| serves(one.repository, pull, &key)));
        if let (false, Some((at, _))) = (cause.deleted, brought) {
            return Some((at, "caused_by"));
        }
    }
    let key = world.jira.key(incident);
    let reverted = earlier().rfind(|(_, one)| {
        one.brought.iter().any(|pull| {
            let mut undoing = reverts(one.repository, pull);
            undoing.any(|other| serves(one.repository, other, &key))
        })
    });
    if let Some((at, _)) = reverted {
        return Some((at, "revert"));
    }
    let project = &world.jira.projects[incident.project].key;
    let own = way.projects.iter().find(|(key, _)| key == project);
    let may_be = |repository: &Repository| match own {
        Some((_, positions)) => {
            positions.iter().any(|&position| world.repositories[position].id == repository.id)
        }
        None => true,
    };
    let (at, last) = earlier().rfind(|(_, one)| may_be(one.repository))?;
    let is_recent = trouble.window_hours.is_none_or(|hours| began - last.at <= hours * HOUR);
    is_recent.then_some((at, "time_window"))
}

//! DORA's values over a window, each with what was counted, what was not, and why.

use std::collections::{BTreeMap, HashSet};

use chrono::NaiveDate;
use domain::Moment;
use domain::ids::ClientId;
use domain::rules::PRODUCTION;
use proto::v1::{Answer, Excluded, Metric, Point};
use store::dora::{DeliveryHead, DeploymentSeen, IncidentSeen, LeftOut, Place};
use store::focus::Focus;

use super::{Asked, Bucket, Span, Window, count_as_number, excluded, share};
use crate::bands::{Band, Frequency, Table};
use crate::compute::deployments::{NO_ENVIRONMENT_RULE, OTHER_SOURCE, UNKNOWN_COMMIT};
use crate::memory::dora::{DoraFacts, Names};
use crate::memory::ranked::{Stretch, length};
use crate::memory::rows::micros;
use crate::memory::{AtHand, Memory};
use crate::stats::median;

/// Answers for a window, beside the window of the same length before it.
///
/// # Errors
/// The store's.
pub async fn answer(
    facts: &store::Metrics,
    memory: &Memory,
    client: ClientId,
    asked: &Asked,
) -> Result<Answer, store::Error> {
    let head = facts.delivery_head(client).await?;
    let Some(publication) = head.publication else {
        return Ok(report(&DoraFacts::default(), &head, &[], asked));
    };
    let (from, to) = (asked.window.previous().from, asked.window.to);
    let inactive = if head.repositories.iter().any(|one| one.inactive.is_some()) {
        facts.inactive_deployments(client, from, to).await?
    } else {
        Vec::new()
    };
    Ok(match memory.dora(facts, client, publication).await? {
        AtHand::Newest(dora) => report(&dora, &head, &inactive, asked),
        AtHand::Before(dora) => {
            report(&dora, &DeliveryHead { is_behind: true, ..head }, &inactive, asked)
        }
        AtHand::TooLarge => {
            let read = facts.dora(client, from, to, asked.focus.clone()).await?;
            report(&DoraFacts::of(read), &head, &inactive, asked)
        }
    })
}

/// The report over the facts. Pure.
pub fn report(
    dora: &DoraFacts,
    head: &DeliveryHead,
    inactive: &[LeftOut],
    asked: &Asked,
) -> Answer {
    let scope = Scope::new(dora, head, inactive, asked);
    let now = Period::of(&scope, &asked.window);
    let before = Period::of(&scope, &asked.window.previous());
    let mut metrics = now.metrics();
    super::compare(&mut metrics, before.metrics());
    super::explain(&mut metrics, dora.as_of, "both jobs");
    super::tell_kinds(&mut metrics);
    let counted = now.counted.len();
    let mut about = super::about_series(&[], counted, now.deployments_left_out());
    for median in ["lead_time_seconds", "recovery_seconds", "restore_seconds"] {
        about.kinds.insert(median.to_owned(), super::LINEAR.to_owned());
    }
    Answer {
        band_table: asked.bands.name.to_owned(),
        metrics,
        series: now.series(),
        about: vec![about],
        ..asked.window.answer(dora.as_of, head.is_behind)
    }
}

/// What a question is about, in whatever window.
struct Scope<'a> {
    dora: &'a DoraFacts,
    /// Deployments of repositories that are switched off.
    inactive: &'a [LeftOut],
    names: Names<'a>,
    focus: &'a Focus,
    bands: Table,
    repositories: HashSet<Place>,
    projects: HashSet<Place>,
    /// Numbers of the repositories that brought something to production.
    deployed: Vec<usize>,
    explain: bool,
}

impl<'a> Scope<'a> {
    fn new(
        dora: &'a DoraFacts,
        head: &'a DeliveryHead,
        inactive: &'a [LeftOut],
        asked: &'a Asked,
    ) -> Scope<'a> {
        let focus = &asked.focus;
        let repositories = head.repositories.iter();
        let rules = &head.project_rules;
        let repositories = repositories.filter(|one| focus.may_mean(&one.full_name, rules));
        let repositories: HashSet<Place> = repositories.map(|one| one.place).collect();
        let projects = head.projects.iter().filter(|(_, key)| focus.has_project(key));
        Scope {
            dora,
            inactive,
            names: Names::new(&head.repositories),
            focus,
            bands: asked.bands,
            deployed: dora.deployed.repositories(repositories.iter().copied()),
            repositories,
            projects: projects.map(|(place, _)| *place).collect(),
            explain: asked.explain,
        }
    }

    fn names<'d>(&self, deployments: impl Iterator<Item = &'d DeploymentSeen>) -> Vec<String> {
        let name = |d: &DeploymentSeen| format!("{} {}", self.names.of(d.repository), d.id);
        deployments.filter(|_| self.explain).map(name).collect()
    }

    fn keys<'i>(&self, incidents: impl Iterator<Item = &'i IncidentSeen>) -> Vec<String> {
        incidents.filter(|_| self.explain).map(|incident| incident.key.clone()).collect()
    }
}

/// What lies in one window.
struct Period<'a> {
    scope: &'a Scope<'a>,
    window: Window,
    /// All that finished, successful or not, wherever.
    deployments: Vec<&'a DeploymentSeen>,
    /// Those that count: successful, in production.
    counted: Vec<&'a DeploymentSeen>,
    /// Pull requests of people that came to production.
    deployed: Vec<Stretch>,
    /// Those of machines.
    by_bots: usize,
    incidents: Vec<&'a IncidentSeen>,
    /// Whether anything came to production until the end of the window.
    has_deployed: bool,
}

impl<'a> Period<'a> {
    fn of(scope: &'a Scope<'a>, window: &Window) -> Period<'a> {
        let (dora, from, to) = (scope.dora, window.from, window.to);
        let deployments = dora.deployments(from, to).iter();
        let deployments: Vec<_> =
            deployments.filter(|d| scope.repositories.contains(&d.repository)).collect();
        let counts = |d: &&DeploymentSeen| why_not(d).is_none();
        let incidents = dora.incidents(from, to).iter();
        Period {
            scope,
            window: *window,
            counted: deployments.iter().copied().filter(counts).collect(),
            deployments,
            deployed: dora.deployed.within(&scope.deployed, micros(from), micros(to)),
            by_bots: dora.deployed.bots(&scope.deployed, micros(from), micros(to)),
            incidents: incidents
                .filter(|i| i.is_meant(scope.focus, &scope.projects, &scope.repositories))
                .collect(),
            has_deployed: scope.repositories.iter().any(|place| dora.has_deployed(*place, to)),
        }
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![
            self.frequency(),
            self.lead_time(),
            self.failure_rate(),
            self.recovery_time(),
            self.time_to_restore(),
        ]
    }

    /// Days with at least one successful production deployment.
    fn days(&self) -> impl Iterator<Item = NaiveDate> {
        let days = self.window.spans(Bucket::Day).into_iter();
        days.filter(|day| !within(&self.counted, finish, day).is_empty()).map(|day| day.start)
    }

    /// The median over the weeks of the days with at least one successful production deployment.
    fn frequency(&self) -> Metric {
        let mut days: BTreeMap<NaiveDate, usize> =
            self.window.weeks().into_iter().map(|monday| (monday, 0)).collect();
        let mut in_all = 0;
        for day in self.days() {
            in_all += 1;
            if let Some(count) = days.get_mut(&Bucket::Week.start(day)) {
                *count += 1;
            }
        }
        let mut per_week: Vec<f64> = days.into_values().map(count_as_number).collect();
        let weeks = per_week.len();
        // Where nothing ever came to production, the source may simply not be connected: no value, not zero.
        let value = if self.has_deployed { median(&mut per_week) } else { None };
        let length_days = (self.window.to - self.window.from).as_seconds_f64() / 86_400.0;
        let bands = self.scope.bands;
        let deployments = count_as_number(self.counted.len());
        Metric {
            name: "deployment_frequency".to_owned(),
            value,
            unit: "days_per_week".to_owned(),
            kind: "linear".to_owned(),
            band: band(value, |days_per_week| {
                let days = count_as_number(in_all);
                bands.of_frequency(Frequency { days_per_week, days, window_days: length_days })
            }),
            counted: self.counted.len() as u64,
            excluded: self.deployments_left_out(),
            formula: "median over weeks of days with a successful production deployment".to_owned(),
            version: 2,
            empty_reason: if value.is_none() { self.why_no_deployments() } else { String::new() },
            details: [
                ("deployments".to_owned(), deployments),
                ("deployments_per_day".to_owned(), deployments / length_days),
                ("weeks".to_owned(), count_as_number(weeks)),
            ]
            .into(),
            ids: self.scope.names(self.counted.iter().copied()),
            ..Metric::default()
        }
    }

    /// The median lead time of pull requests that first reached production in the window.
    fn lead_time(&self) -> Metric {
        let deployed = &self.scope.dora.deployed;
        let leads = deployed.lead.within(&self.deployed);
        let known = deployed.commits.within(&self.deployed).count();
        let unknown = length(&self.deployed) as usize - known;
        let negative = known - leads.count();
        let value = leads.median();
        let ids = if self.scope.explain {
            deployed.names(&leads.rows(), &self.scope.names)
        } else {
            Vec::new()
        };
        // What these brought waits for the next deployment whose commit is known.
        let is_of_unknown = |d: &&&DeploymentSeen| d.reason.as_deref() == Some(UNKNOWN_COMMIT);
        let of_unknown = self.counted.iter().filter(is_of_unknown).count();
        let empty_reason = match value {
            Some(_) => String::new(),
            None if self.counted.is_empty() => self.why_no_deployments(),
            None if of_unknown == self.counted.len() => format!(
                "{of_unknown} deployments to production are all of commits that GitHub does not know."
            ),
            None if unknown + negative > 0 => format!(
                "{} pull requests were deployed, but of none is a commit known from before its deployment.",
                unknown + negative
            ),
            None if self.by_bots > 0 => {
                format!("{} pull requests were deployed, all of machines.", self.by_bots)
            }
            None => format!(
                "{} deployments to production brought no pull request: is the history of the default branch read?",
                self.counted.len()
            ),
        };
        Metric {
            name: "lead_time_for_changes".to_owned(),
            value,
            unit: "seconds".to_owned(),
            kind: "linear".to_owned(),
            band: band(value, |value| self.scope.bands.of_lead_time(value)),
            counted: leads.count() as u64,
            excluded: excluded([
                ("bot", self.by_bots),
                ("no_commits", unknown),
                ("negative_interval", negative),
                (UNKNOWN_COMMIT, of_unknown),
            ]),
            formula: "median of first authored commit to first production deployment".to_owned(),
            version: 2,
            empty_reason,
            ids,
            ..Metric::default()
        }
    }

    /// The share of successful production deployments that caused an incident or were rolled back.
    fn failure_rate(&self) -> Metric {
        let failed = self.counted.iter().copied().filter(|d| d.failed);
        let count = failed.clone().count();
        let value = share(count, self.counted.len());
        Metric {
            name: "change_failure_rate".to_owned(),
            value,
            unit: "ratio".to_owned(),
            band: band(value, |value| self.scope.bands.of_failure_rate(value)),
            counted: self.counted.len() as u64,
            excluded: self.deployments_left_out(),
            formula:
                "deployments with an incident or rolled back / successful production deployments"
                    .to_owned(),
            version: 1,
            empty_reason: if value.is_none() { self.why_no_deployments() } else { String::new() },
            details: [("failed".to_owned(), count_as_number(count))].into(),
            ids: self.scope.names(failed),
            ..Metric::default()
        }
    }

    /// The median from the finish of a deployment to the end of the incident that it caused.
    fn recovery_time(&self) -> Metric {
        let known = self.incidents.iter().copied().filter(|i| recovery_seconds(i).is_some());
        let mut recoveries: Vec<f64> = known.clone().filter_map(recovery_seconds).collect();
        let value = median(&mut recoveries);
        let unlinked = self.incidents.iter().filter(|i| i.deployed_at.is_none()).count();
        let negative = self.incidents.len() - unlinked - recoveries.len();
        let empty_reason = match value {
            Some(_) => String::new(),
            None if self.incidents.is_empty() => NO_INCIDENTS.to_owned(),
            None if negative > 0 => format!(
                "{negative} incidents are linked to a deployment, but each ended before that finished."
            ),
            None => format!(
                "{unlinked} incidents were resolved, none of them is linked to a deployment."
            ),
        };
        Metric {
            name: "failed_deployment_recovery_time".to_owned(),
            value,
            unit: "seconds".to_owned(),
            kind: "linear".to_owned(),
            band: band(value, |value| self.scope.bands.of_recovery(value)),
            counted: recoveries.len() as u64,
            excluded: self
                .incidents_left_out([("no_deployment", unlinked), ("negative_interval", negative)]),
            formula: "median of deployment finish to incident done".to_owned(),
            version: 1,
            empty_reason,
            ids: self.scope.keys(known),
            ..Metric::default()
        }
    }

    /// The median length of incidents, whatever caused them.
    fn time_to_restore(&self) -> Metric {
        let known = self.incidents.iter().copied().filter(|i| restore_seconds(i).is_some());
        let mut restores: Vec<f64> = known.clone().filter_map(restore_seconds).collect();
        let value = median(&mut restores);
        Metric {
            name: "time_to_restore".to_owned(),
            value,
            unit: "seconds".to_owned(),
            kind: "linear".to_owned(),
            band: band(value, |value| self.scope.bands.of_recovery(value)),
            counted: restores.len() as u64,
            excluded: self
                .incidents_left_out([("negative_interval", self.incidents.len() - restores.len())]),
            formula: "median of incident start to incident done".to_owned(),
            version: 1,
            empty_reason: if value.is_none() { NO_INCIDENTS.to_owned() } else { String::new() },
            ids: self.scope.keys(known),
            ..Metric::default()
        }
    }

    fn deployments_left_out(&self) -> Vec<Excluded> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for reason in self.deployments.iter().filter_map(|d| why_not(d)) {
            *counts.entry(reason).or_default() += 1;
        }
        let inactive = self.scope.inactive.iter().filter(|one| self.window.contains(one.at));
        for one in inactive.filter(|one| self.scope.repositories.contains(&one.place)) {
            *counts.entry(&one.reason).or_default() += 1;
        }
        excluded(counts)
    }

    /// Incidents that count nowhere, by the reason, and what a metric leaves out beside. Where repositories
    /// are named nobody knows which of them such an incident belongs to.
    fn incidents_left_out<const N: usize>(&self, own: [(&'a str, usize); N]) -> Vec<Excluded> {
        let mut counts: BTreeMap<&str, usize> = own.into_iter().collect();
        let left_out = self.scope.dora.incidents_left_out.iter();
        let left_out = left_out.filter(|one| self.window.contains(one.at));
        let is_meant = |one: &&LeftOut| {
            self.scope.focus.repositories.is_empty() && self.scope.projects.contains(&one.place)
        };
        for one in left_out.filter(is_meant) {
            *counts.entry(&one.reason).or_default() += 1;
        }
        excluded(counts)
    }

    /// The first rule that left nothing over.
    fn why_no_deployments(&self) -> String {
        let found = self.deployments.len();
        if found == 0 {
            return "No deployment finished in this window.".to_owned();
        }
        let in_production = self
            .deployments
            .iter()
            .filter(|d| d.environment.as_deref() == Some(PRODUCTION))
            .count();
        if in_production > 0 {
            return format!(
                "{found} deployments found, {in_production} in environment {PRODUCTION}, none succeeded."
            );
        }
        let because =
            |reason: &str| self.deployments.iter().find(|d| d.reason.as_deref() == Some(reason));
        let nothing = format!("{found} deployments found, 0 in environment {PRODUCTION}");
        if let Some(deployment) = because(NO_ENVIRONMENT_RULE) {
            let seen = &deployment.environment_seen;
            return format!("{nothing}: no environment rule matches `{seen}`.");
        }
        match because(OTHER_SOURCE) {
            Some(deployment) => format!(
                "{nothing}: the deployment rules have another source for `{}`.",
                self.scope.names.of(deployment.repository)
            ),
            None => format!("{nothing}."),
        }
    }

    fn series(&self) -> Vec<Point> {
        let bucket = self.window.bucket;
        let mut days: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        for day in self.days() {
            *days.entry(bucket.start(day)).or_default() += 1;
        }
        let dora = self.scope.dora;
        let point = |span: Span| {
            let deployments = within(&self.counted, finish, &span);
            let failed = deployments.iter().filter(|d| d.failed).count();
            let deployed = dora.deployed.within(&self.scope.deployed, span.from, span.to);
            let ended = within(&self.incidents, |incident| incident.ended_at, &span);
            let mut recoveries: Vec<f64> =
                ended.iter().filter_map(|i| recovery_seconds(i)).collect();
            let mut restores: Vec<f64> = ended.iter().filter_map(|i| restore_seconds(i)).collect();
            Point {
                start: span.start.to_string(),
                deployments: deployments.len() as u64,
                deployment_days: days.get(&span.start).copied().unwrap_or(0),
                lead_time_seconds: dora.deployed.lead.within(&deployed).median(),
                change_failure_rate: share(failed, deployments.len()),
                recovery_seconds: median(&mut recoveries),
                restore_seconds: median(&mut restores),
                ..Point::default()
            }
        };
        self.window.spans(bucket).into_iter().map(point).collect()
    }
}

fn finish(deployment: &DeploymentSeen) -> Moment {
    deployment.finished_at
}

/// Those of `all`, which are in the order of time, that lie in a span.
fn within<'a, 'b, T>(all: &'b [&'a T], at: impl Fn(&T) -> Moment, span: &Span) -> &'b [&'a T] {
    let before = |end: i64| all.partition_point(|one| micros(at(one)) < end);
    &all[before(span.from)..before(span.to)]
}

/// From the finish of the deployment that caused it to the end of the incident.
fn recovery_seconds(incident: &IncidentSeen) -> Option<f64> {
    positive_seconds(incident.deployed_at?, incident.ended_at)
}

/// From the start of the incident to its end.
fn restore_seconds(incident: &IncidentSeen) -> Option<f64> {
    positive_seconds(incident.started_at, incident.ended_at)
}

/// A length that would be negative is none: some clock was wrong.
fn positive_seconds(from: Moment, to: Moment) -> Option<f64> {
    let length = (to - from).as_seconds_f64();
    (length >= 0.0).then_some(length)
}

const NO_INCIDENTS: &str =
    "No incident was resolved in this window. The incident rules say which issues are incidents.";

/// Why a deployment does not count for DORA; `None` if it does.
fn why_not(deployment: &DeploymentSeen) -> Option<&'static str> {
    match deployment.environment.as_deref() {
        None if deployment.reason.as_deref() == Some(OTHER_SOURCE) => Some(OTHER_SOURCE),
        None => Some(NO_ENVIRONMENT_RULE),
        Some(PRODUCTION) if deployment.counts() => None,
        Some(PRODUCTION) => Some("not_successful"),
        Some(_) => Some("other_environment"),
    }
}

fn band(value: Option<f64>, of: impl Fn(f64) -> Band) -> String {
    value.map(|value| of(value).to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests;

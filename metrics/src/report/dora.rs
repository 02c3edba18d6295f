//! DORA's values over a window, each with what was counted, what was not, and why.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::Moment;
use domain::deployment::DeploymentOutcome;
use domain::ids::ClientId;
use domain::rules::PRODUCTION;
use proto::v1::{Answer, Excluded, Metric, Point};
use store::metrics::{DeploymentSeen, DoraRead, Focus, IncidentSeen, PullRequestSeen};

use super::{Window, count_as_number, excluded};
use crate::bands::{self, Band};
use crate::compute::deployments::{NO_ENVIRONMENT_RULE, OTHER_SOURCE};
use crate::stats::median;

/// Answers for `window`, beside the window of the same length before it.
///
/// # Errors
/// The store's.
pub async fn answer(
    facts: &store::Metrics,
    client: ClientId,
    window: &Window,
    focus: Focus,
    explain: bool,
) -> Result<Answer, store::Error> {
    let before = window.previous();
    let read = facts.dora(client, before.from, window.to, focus).await?;
    Ok(report(&read, window, explain))
}

/// The report over what was read of the window and the one before. Pure.
pub fn report(read: &DoraRead, window: &Window, explain: bool) -> Answer {
    let now = Period::of(read, window);
    let before = Period::of(read, &window.previous());
    let mut metrics = now.metrics();
    super::compare(&mut metrics, before.metrics());
    super::explain(&mut metrics, read.as_of, "both jobs", explain);
    Answer {
        band_table: bands::TABLE.to_owned(),
        metrics,
        series: now.series(),
        ..window.answer(read.as_of, read.is_behind)
    }
}

/// What of a read lies in one window.
struct Period<'a> {
    window: Window,
    /// All that finished, successful or not, wherever.
    deployments: Vec<&'a DeploymentSeen>,
    /// Those that count: successful, in production.
    counted: Vec<&'a DeploymentSeen>,
    pull_requests: Vec<&'a PullRequestSeen>,
    incidents: Vec<&'a IncidentSeen>,
}

impl<'a> Period<'a> {
    fn of(read: &'a DoraRead, window: &Window) -> Period<'a> {
        let deployments: Vec<_> =
            read.deployments.iter().filter(|d| window.contains(d.finished_at)).collect();
        let counts = |d: &&DeploymentSeen| why_not(d).is_none();
        Period {
            window: *window,
            counted: deployments.iter().copied().filter(counts).collect(),
            deployments,
            pull_requests: read
                .pull_requests
                .iter()
                .filter(|pr| window.contains(pr.deployed_at))
                .collect(),
            incidents: read.incidents.iter().filter(|i| window.contains(i.ended_at)).collect(),
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

    /// The median over the weeks of the days with at least one successful production deployment.
    fn frequency(&self) -> Metric {
        let days: BTreeSet<NaiveDate> =
            self.counted.iter().map(|d| self.window.day(d.finished_at)).collect();
        let weeks = self.window.weeks();
        let mut per_week: Vec<f64> = weeks
            .iter()
            .map(|monday| {
                days.iter().filter(|day| super::Bucket::Week.start(**day) == *monday).count()
            })
            .map(count_as_number)
            .collect();
        // Without a single deployment the source may simply not be connected: no value, not zero.
        let value = if self.counted.is_empty() { None } else { median(&mut per_week) };
        let length_days = (self.window.to - self.window.from).as_seconds_f64() / 86_400.0;
        let deployments = count_as_number(self.counted.len());
        Metric {
            name: "deployment_frequency".to_owned(),
            value,
            unit: "days_per_week".to_owned(),
            kind: "linear".to_owned(),
            band: band(value, Band::of_frequency),
            counted: self.counted.len() as u64,
            excluded: self.deployments_left_out(),
            formula: "median over weeks of days with a successful production deployment".to_owned(),
            version: 1,
            empty_reason: if value.is_none() { self.why_no_deployments() } else { String::new() },
            details: [
                ("deployments".to_owned(), deployments),
                ("deployments_per_day".to_owned(), deployments / length_days),
                ("weeks".to_owned(), count_as_number(weeks.len())),
            ]
            .into(),
            ids: self.counted.iter().map(|d| d.name.clone()).collect(),
            ..Metric::default()
        }
    }

    /// The median lead time of pull requests that first reached production in the window.
    fn lead_time(&self) -> Metric {
        let known = self.pull_requests.iter().filter(|pr| pr.lead_seconds.is_some());
        let ids = known.map(|pr| pr.name.clone()).collect();
        let mut leads: Vec<f64> =
            self.pull_requests.iter().filter_map(|pr| pr.lead_seconds).collect();
        let without = self.pull_requests.len() - leads.len();
        let value = median(&mut leads);
        let empty_reason = match value {
            Some(_) => String::new(),
            None if self.counted.is_empty() => self.why_no_deployments(),
            None if without > 0 => {
                format!(
                    "{without} pull requests were deployed, but none has a commit before its deployment."
                )
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
            band: band(value, Band::of_lead_time),
            counted: leads.len() as u64,
            excluded: excluded([("negative_interval", without)]),
            formula: "median of first authored commit to first production deployment".to_owned(),
            version: 1,
            empty_reason,
            ids,
            ..Metric::default()
        }
    }

    /// The share of successful production deployments that caused an incident or were rolled back.
    fn failure_rate(&self) -> Metric {
        let failed = self.counted.iter().filter(|d| d.failed);
        let ids: Vec<String> = failed.map(|d| d.name.clone()).collect();
        let value = share(ids.len(), self.counted.len());
        Metric {
            name: "change_failure_rate".to_owned(),
            value,
            unit: "ratio".to_owned(),
            band: band(value, Band::of_failure_rate),
            counted: self.counted.len() as u64,
            excluded: self.deployments_left_out(),
            formula:
                "deployments with an incident or rolled back / successful production deployments"
                    .to_owned(),
            version: 1,
            empty_reason: if value.is_none() { self.why_no_deployments() } else { String::new() },
            details: [("failed".to_owned(), count_as_number(ids.len()))].into(),
            ids,
            ..Metric::default()
        }
    }

    /// The median from the finish of a deployment to the end of the incident that it caused.
    fn recovery_time(&self) -> Metric {
        let known = self.incidents.iter();
        let (ids, mut recoveries): (Vec<String>, Vec<f64>) =
            known.filter_map(|i| Some((i.key.clone(), recovery_seconds(i)?))).unzip();
        let value = median(&mut recoveries);
        let unlinked = self.incidents.iter().filter(|i| i.deployed_at.is_none()).count();
        let negative = self.incidents.len() - unlinked - recoveries.len();
        let empty_reason = match value {
            Some(_) => String::new(),
            None if self.incidents.is_empty() => NO_INCIDENTS.to_owned(),
            None => format!(
                "{} incidents were resolved, none of them is linked to a deployment.",
                self.incidents.len()
            ),
        };
        Metric {
            name: "failed_deployment_recovery_time".to_owned(),
            value,
            unit: "seconds".to_owned(),
            kind: "linear".to_owned(),
            band: band(value, Band::of_recovery),
            counted: recoveries.len() as u64,
            excluded: excluded([("no_deployment", unlinked), ("negative_interval", negative)]),
            formula: "median of deployment finish to incident done".to_owned(),
            version: 1,
            empty_reason,
            ids,
            ..Metric::default()
        }
    }

    /// The median length of incidents, whatever caused them.
    fn time_to_restore(&self) -> Metric {
        let known = self.incidents.iter();
        let (ids, mut restores): (Vec<String>, Vec<f64>) =
            known.filter_map(|i| Some((i.key.clone(), restore_seconds(i)?))).unzip();
        let value = median(&mut restores);
        Metric {
            name: "time_to_restore".to_owned(),
            value,
            unit: "seconds".to_owned(),
            kind: "linear".to_owned(),
            band: band(value, Band::of_recovery),
            counted: restores.len() as u64,
            excluded: excluded([("negative_interval", self.incidents.len() - restores.len())]),
            formula: "median of incident start to incident done".to_owned(),
            version: 1,
            empty_reason: if value.is_none() { NO_INCIDENTS.to_owned() } else { String::new() },
            ids,
            ..Metric::default()
        }
    }

    fn deployments_left_out(&self) -> Vec<Excluded> {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for reason in self.deployments.iter().filter_map(|d| why_not(d)) {
            *counts.entry(reason).or_default() += 1;
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
                deployment.name.split(' ').next().unwrap_or_default()
            ),
            None => format!("{nothing}."),
        }
    }

    fn series(&self) -> Vec<Point> {
        let bucket = |at| self.window.bucket.start(self.window.day(at));
        self.window
            .buckets()
            .into_iter()
            .map(|start| {
                let deployments: Vec<_> =
                    self.counted.iter().filter(|d| bucket(d.finished_at) == start).collect();
                let days: BTreeSet<_> =
                    deployments.iter().map(|d| self.window.day(d.finished_at)).collect();
                let failed = deployments.iter().filter(|d| d.failed).count();
                let here = self.pull_requests.iter().filter(|pr| bucket(pr.deployed_at) == start);
                let mut leads: Vec<f64> = here.filter_map(|pr| pr.lead_seconds).collect();
                let ended: Vec<_> =
                    self.incidents.iter().filter(|i| bucket(i.ended_at) == start).collect();
                let mut recoveries: Vec<f64> =
                    ended.iter().filter_map(|i| recovery_seconds(i)).collect();
                let mut restores: Vec<f64> =
                    ended.iter().filter_map(|i| restore_seconds(i)).collect();
                Point {
                    start: start.to_string(),
                    deployments: deployments.len() as u64,
                    deployment_days: days.len() as u64,
                    lead_time_seconds: median(&mut leads),
                    change_failure_rate: share(failed, deployments.len()),
                    recovery_seconds: median(&mut recoveries),
                    restore_seconds: median(&mut restores),
                    ..Point::default()
                }
            })
            .collect()
    }
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
        Some(PRODUCTION) if deployment.outcome == DeploymentOutcome::Success => None,
        Some(PRODUCTION) => Some("not_successful"),
        Some(_) => Some("other_environment"),
    }
}

fn band(value: Option<f64>, of: impl Fn(f64) -> Band) -> String {
    value.map(|value| of(value).to_string()).unwrap_or_default()
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| count_as_number(part) / count_as_number(whole))
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::super::Bucket;
    use super::*;

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    /// Four whole weeks, Monday 2 to Monday 30 March 2026.
    fn march() -> Window {
        Window::new(at("2026-03-02T00:00:00Z"), at("2026-03-30T00:00:00Z"), Tz::UTC, Bucket::Week)
            .unwrap()
    }

    fn deployment(finished_at: &str) -> DeploymentSeen {
        DeploymentSeen {
            name: format!("acme/pay {finished_at}"),
            environment_seen: "production".to_owned(),
            environment: Some(PRODUCTION.to_owned()),
            reason: None,
            outcome: DeploymentOutcome::Success,
            finished_at: at(finished_at),
            failed: false,
        }
    }

    fn metric<'a>(answer: &'a Answer, name: &str) -> &'a Metric {
        answer.metrics.iter().find(|metric| metric.name == name).unwrap()
    }

    fn read(deployments: Vec<DeploymentSeen>) -> DoraRead {
        DoraRead { as_of: Some(at("2026-03-30T00:00:00Z")), deployments, ..DoraRead::default() }
    }

    #[test]
    fn frequency_counts_days_and_empty_weeks() {
        // Days per week: 2 (Monday twice, Tuesday), 0, 1, 1. The median of 0, 1, 1, 2 is 1.
        let days = ["02T09", "02T15", "03T09", "17T09", "25T09"];
        let deployments = days.map(|day| deployment(&format!("2026-03-{day}:00:00Z"))).to_vec();
        let answer = report(&read(deployments), &march(), true);
        let frequency = metric(&answer, "deployment_frequency");
        assert_eq!(
            (frequency.value, frequency.band.as_str(), frequency.counted),
            (Some(1.0), "HIGH", 5)
        );
        assert_eq!(frequency.details["deployments"], 5.0);
        assert_eq!(frequency.ids.len(), 5);
        let series: Vec<_> =
            answer.series.iter().map(|p| (p.deployments, p.deployment_days)).collect();
        assert_eq!(series, [(3, 2), (0, 0), (1, 1), (1, 1)]);
    }

    #[test]
    fn what_does_not_count_is_named_and_nothing_is_lost() {
        let deployments = vec![
            deployment("2026-03-02T09:00:00Z"),
            DeploymentSeen {
                outcome: DeploymentOutcome::Failure,
                ..deployment("2026-03-03T09:00:00Z")
            },
            DeploymentSeen {
                environment: Some("staging".to_owned()),
                ..deployment("2026-03-04T09:00:00Z")
            },
            DeploymentSeen { environment: None, ..deployment("2026-03-05T09:00:00Z") },
            DeploymentSeen {
                environment: None,
                reason: Some(OTHER_SOURCE.to_owned()),
                ..deployment("2026-03-06T09:00:00Z")
            },
        ];
        let answer = report(&read(deployments), &march(), false);
        let rate = metric(&answer, "change_failure_rate");
        let excluded: Vec<_> = rate.excluded.iter().map(|e| (e.reason.as_str(), e.count)).collect();
        assert_eq!(
            excluded,
            [
                ("no_environment_rule", 1),
                ("not_successful", 1),
                ("other_environment", 1),
                ("other_source", 1)
            ]
        );
        assert_eq!(rate.counted + excluded.iter().map(|(_, count)| count).sum::<u64>(), 5);
        assert!(rate.ids.is_empty(), "ids are told only when they are asked for");
    }

    #[test]
    fn failures_are_shares_of_what_counts() {
        let mut deployments: Vec<_> =
            (2..12).map(|day| deployment(&format!("2026-03-{day:02}T09:00:00Z"))).collect();
        deployments[3].failed = true;
        let answer = report(&read(deployments), &march(), false);
        let rate = metric(&answer, "change_failure_rate");
        assert_eq!((rate.value, rate.band.as_str()), (Some(0.1), "HIGH"));
    }

    #[test]
    fn lead_time_is_the_median_and_counts_what_is_negative() {
        let pull_request = |hours: Option<f64>| PullRequestSeen {
            name: "acme/pay#1".to_owned(),
            deployed_at: at("2026-03-10T00:00:00Z"),
            lead_seconds: hours.map(|hours| hours * 3_600.0),
        };
        let pull_requests =
            [Some(10.0), Some(30.0), Some(20.0), Some(40.0), None].map(pull_request).to_vec();
        let answer = report(&DoraRead { pull_requests, ..read(vec![]) }, &march(), false);
        let lead = metric(&answer, "lead_time_for_changes");
        assert_eq!(
            (lead.value, lead.band.as_str(), lead.counted),
            (Some(25.0 * 3_600.0), "HIGH", 4)
        );
        assert_eq!(lead.excluded, [Excluded { reason: "negative_interval".to_owned(), count: 1 }]);
    }

    #[test]
    fn recovery_starts_at_the_deployment_and_restoring_at_the_incident() {
        let incident = |deployed_at: Option<&str>, ended_at: &str| IncidentSeen {
            key: "OPS-1".to_owned(),
            started_at: at("2026-03-10T10:00:00Z"),
            ended_at: at(ended_at),
            deployed_at: deployed_at.map(at),
        };
        let incidents = vec![
            incident(Some("2026-03-10T09:00:00Z"), "2026-03-10T12:00:00Z"),
            incident(None, "2026-03-10T11:00:00Z"),
        ];
        let answer = report(&DoraRead { incidents, ..read(vec![]) }, &march(), false);
        let recovery = metric(&answer, "failed_deployment_recovery_time");
        assert_eq!((recovery.value, recovery.counted), (Some(3.0 * 3_600.0), 1));
        assert_eq!(recovery.excluded, [Excluded { reason: "no_deployment".to_owned(), count: 1 }]);
        let restore = metric(&answer, "time_to_restore");
        assert_eq!((restore.value, restore.counted), (Some(1.5 * 3_600.0), 2));
    }

    #[test]
    fn the_window_before_is_told_beside_and_never_mixed_in() {
        let deployments =
            vec![deployment("2026-02-03T09:00:00Z"), deployment("2026-03-03T09:00:00Z")];
        let mut failed = deployments.clone();
        failed[0].failed = true;
        let answer = report(&read(failed), &march(), false);
        let rate = metric(&answer, "change_failure_rate");
        assert_eq!((rate.value, rate.previous), (Some(0.0), Some(1.0)));
    }

    #[test]
    fn emptiness_is_explained_by_the_first_rule_that_emptied_it() {
        let somewhere = |environment: Option<&str>, seen: &str, outcome| DeploymentSeen {
            environment: environment.map(str::to_owned),
            reason: environment.is_none().then(|| NO_ENVIRONMENT_RULE.to_owned()),
            environment_seen: seen.to_owned(),
            outcome,
            ..deployment("2026-03-03T09:00:00Z")
        };
        let success = DeploymentOutcome::Success;
        let cases = [
            (vec![], "No deployment finished in this window."),
            (
                vec![somewhere(None, "prod-eu", success)],
                "1 deployments found, 0 in environment production: no environment rule matches `prod-eu`.",
            ),
            (
                vec![somewhere(Some("staging"), "staging", success)],
                "1 deployments found, 0 in environment production.",
            ),
            (
                vec![DeploymentSeen {
                    reason: Some(OTHER_SOURCE.to_owned()),
                    name: "acme/pay 3001".to_owned(),
                    ..somewhere(None, "production", success)
                }],
                "1 deployments found, 0 in environment production: \
                 the deployment rules have another source for `acme/pay`.",
            ),
            (
                vec![somewhere(Some(PRODUCTION), "prod", DeploymentOutcome::Failure)],
                "1 deployments found, 1 in environment production, none succeeded.",
            ),
        ];
        for (deployments, reason) in cases {
            let answer = report(&read(deployments), &march(), false);
            assert_eq!(metric(&answer, "deployment_frequency").empty_reason, reason);
            assert_eq!(metric(&answer, "deployment_frequency").value, None);
        }
        let never = report(&DoraRead::default(), &march(), false);
        assert!(
            metric(&never, "time_to_restore").empty_reason.starts_with("No sync has finished yet")
        );
    }
}

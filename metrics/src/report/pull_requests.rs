//! Pull requests that were merged in a window: how long their stages took, how large they were, how
//! much they were looked at, and how many wait now.

use std::collections::BTreeMap;

use domain::Moment;
use domain::ids::ClientId;
use proto::v1::{Answer, Excluded, Metric, Point};
use store::metrics::{Focus, PullRequestFact};
use store::pull_requests::{PullRequestTold, PullRequestsRead};

use super::{Window, count_as_number, excluded};
use crate::stats::{median, nearest_rank};

/// Answers for `window`, beside the window of the same length before it. Ages are told as of `now`.
///
/// # Errors
/// The store's.
pub async fn answer(
    facts: &store::Metrics,
    client: ClientId,
    window: &Window,
    focus: Focus,
    explain: bool,
    now: Moment,
) -> Result<Answer, store::Error> {
    let before = window.previous();
    let read = facts.pull_requests(client, before.from, window.to, focus).await?;
    Ok(report(&read, window, explain, now))
}

/// The report over what was read of the window and the one before. Pure.
pub fn report(read: &PullRequestsRead, window: &Window, explain: bool, now: Moment) -> Answer {
    let this = Period::of(read, window);
    let before = Period::of(read, &window.previous());
    let mut metrics = this.metrics();
    super::compare(&mut metrics, before.metrics());
    metrics.push(age(read, now));
    super::explain(&mut metrics, read.as_of, "the GitHub job", explain);
    Answer { metrics, series: this.series(), ..window.answer(read.as_of, read.is_behind) }
}

/// A length, or why there is none.
type Length = Result<f64, &'static str>;

const NEGATIVE: &str = "negative_interval";
const BOT: &str = "bot";

/// What of a read lies in one window.
struct Period<'a> {
    window: Window,
    /// Of people: these count.
    counted: Vec<&'a PullRequestTold>,
    /// Why the others do not.
    left_out: BTreeMap<&'static str, usize>,
}

impl<'a> Period<'a> {
    fn of(read: &'a PullRequestsRead, window: &Window) -> Period<'a> {
        let within = |at: Option<Moment>| at.is_some_and(|at| window.contains(at));
        let mut left_out = BTreeMap::new();
        for inactive in read.inactive.iter().filter(|inactive| within(inactive.merged_at)) {
            *left_out.entry(inactive.reason).or_default() += 1;
        }
        let merged = read.merged.iter().filter(|told| within(told.fact.merged_at));
        let (bots, counted): (Vec<_>, Vec<_>) = merged.partition(|told| told.fact.author_is_bot);
        if !bots.is_empty() {
            left_out.insert(BOT, bots.len());
        }
        Period { window: *window, counted, left_out }
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![
            self.merged(),
            self.duration("coding_time", "first authored commit to opened", coding),
            self.duration("pickup_time", "opened to first review by another person", pickup),
            self.duration("review_time", "first review by another person to merged", review),
            self.duration("deploy_time", "merged to first production deployment", deploy),
            self.duration("time_to_merge", "opened to merged", to_merge),
            self.amount("size", "lines", "lines added and removed", |fact| fact.lines),
            self.amount("changed_files", "files", "files touched", |fact| fact.files),
            self.amount("reviews", "reviews", "verdicts of other people", |fact| fact.reviews),
            self.amount("reviewers", "people", "other people who reviewed", |fact| fact.reviewers),
            self.amount("comments", "comments", "comments of people", |fact| fact.comments),
            self.amount("review_rounds", "rounds", "changes requested, then commits", |fact| {
                fact.review_rounds
            }),
            self.share(
                "merged_without_review",
                "merged without a review by another person until then / merged",
                is_unreviewed,
            ),
            self.share("reverted", "taken back by a later revert / merged", |fact| fact.reverted),
        ]
    }

    fn merged(&self) -> Metric {
        let merged = count_as_number(self.counted.len());
        let days = (self.window.to - self.window.from).as_seconds_f64() / 86_400.0;
        // Without a single one the source may simply not be connected: no value, not zero.
        let value = (!self.counted.is_empty()).then_some(merged);
        Metric {
            name: "merged".to_owned(),
            value,
            unit: "pull_requests".to_owned(),
            counted: self.counted.len() as u64,
            excluded: self.excluded([]),
            formula: "pull requests merged in the window".to_owned(),
            version: 1,
            empty_reason: self.why_empty(value, []),
            details: [("per_week".to_owned(), merged / days * 7.0)].into(),
            ids: self.counted.iter().map(|told| told.name.clone()).collect(),
            ..Metric::default()
        }
    }

    fn duration(
        &self,
        name: &str,
        formula: &str,
        length: impl Fn(&PullRequestFact) -> Length,
    ) -> Metric {
        let mut without: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut ids, mut lengths) = (Vec::new(), Vec::new());
        for told in &self.counted {
            match length(&told.fact) {
                Ok(seconds) => {
                    ids.push(told.name.clone());
                    lengths.push(seconds);
                }
                Err(reason) => *without.entry(reason).or_default() += 1,
            }
        }
        let value = median(&mut lengths);
        Metric {
            name: name.to_owned(),
            value,
            unit: "seconds".to_owned(),
            kind: "linear".to_owned(),
            counted: lengths.len() as u64,
            excluded: self.excluded(without.clone()),
            formula: format!("median of {formula}; p85 and p95 by nearest rank"),
            version: 1,
            empty_reason: self.why_empty(value, without),
            details: ranks(&mut lengths).collect(),
            ids,
            ..Metric::default()
        }
    }

    fn amount(
        &self,
        name: &str,
        unit: &str,
        formula: &str,
        amount: impl Fn(&PullRequestFact) -> i64,
    ) -> Metric {
        let mut amounts = self.amounts(amount);
        let value = median(&mut amounts);
        let total = ("total".to_owned(), amounts.iter().sum());
        Metric {
            name: name.to_owned(),
            value,
            unit: unit.to_owned(),
            kind: "linear".to_owned(),
            counted: self.counted.len() as u64,
            excluded: self.excluded([]),
            formula: format!("median of {formula}; p85 and p95 by nearest rank"),
            version: 1,
            empty_reason: self.why_empty(value, []),
            details: ranks(&mut amounts).chain([total]).collect(),
            ids: self.counted.iter().map(|told| told.name.clone()).collect(),
            ..Metric::default()
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "no amount of ours reaches 2^53")]
    fn amounts(&self, amount: impl Fn(&PullRequestFact) -> i64) -> Vec<f64> {
        self.counted.iter().map(|told| amount(&told.fact) as f64).collect()
    }

    /// The share of those for which `is` holds; their ids are those that are told.
    fn share(&self, name: &str, formula: &str, is: impl Fn(&PullRequestFact) -> bool) -> Metric {
        let meant = self.counted.iter().filter(|told| is(&told.fact));
        let ids: Vec<String> = meant.map(|told| told.name.clone()).collect();
        let value = share(ids.len(), self.counted.len());
        Metric {
            name: name.to_owned(),
            value,
            unit: "ratio".to_owned(),
            counted: self.counted.len() as u64,
            excluded: self.excluded([]),
            formula: formula.to_owned(),
            version: 1,
            empty_reason: self.why_empty(value, []),
            details: [("pull_requests".to_owned(), count_as_number(ids.len()))].into(),
            ids,
            ..Metric::default()
        }
    }

    /// What counts nowhere, and what a metric leaves out beside.
    fn excluded(&self, own: impl IntoIterator<Item = (&'static str, usize)>) -> Vec<Excluded> {
        excluded(own.into_iter().chain(self.left_out.clone()))
    }

    /// The first rule that left nothing over.
    fn why_empty(
        &self,
        value: Option<f64>,
        without: impl IntoIterator<Item = (&'static str, usize)>,
    ) -> String {
        if value.is_some() {
            return String::new();
        }
        let left_out: usize = self.left_out.values().sum();
        let found = left_out + self.counted.len();
        if found == 0 {
            return "No pull request was merged in this window.".to_owned();
        }
        if self.counted.is_empty() {
            let reasons = named(self.left_out.clone());
            return format!("{found} pull requests were merged, none of them counts: {reasons}.");
        }
        let reasons = named(without);
        let counted = self.counted.len();
        format!("{counted} pull requests of people were merged, none has this length: {reasons}.")
    }

    fn series(&self) -> Vec<Point> {
        let bucket = |at| self.window.bucket.start(self.window.day(at));
        let mut by_bucket: BTreeMap<_, Vec<&PullRequestTold>> = BTreeMap::new();
        for told in &self.counted {
            if let Some(at) = told.fact.merged_at {
                by_bucket.entry(bucket(at)).or_default().push(told);
            }
        }
        let starts = self.window.buckets().into_iter();
        starts
            .map(|start| {
                let counted = by_bucket.remove(&start).unwrap_or_default();
                let here = Period { window: self.window, counted, left_out: BTreeMap::new() };
                Point {
                    start: start.to_string(),
                    values: here.values().collect(),
                    ..Point::default()
                }
            })
            .collect()
    }

    /// The values of one bucket that there are.
    fn values(&self) -> impl Iterator<Item = (String, f64)> {
        let lengths = |length: fn(&PullRequestFact) -> Length| {
            let known = self.counted.iter().filter_map(|told| length(&told.fact).ok());
            known.collect::<Vec<f64>>()
        };
        let p50 = |length| median(&mut lengths(length));
        let part = |is: fn(&PullRequestFact) -> bool| {
            let meant = self.counted.iter().filter(|told| is(&told.fact)).count();
            share(meant, self.counted.len())
        };
        let values = [
            ("merged", Some(count_as_number(self.counted.len()))),
            ("coding_time_p50", p50(coding)),
            ("pickup_time_p50", p50(pickup)),
            ("review_time_p50", p50(review)),
            ("deploy_time_p50", p50(deploy)),
            ("time_to_merge_p50", p50(to_merge)),
            ("time_to_merge_p85", nearest_rank(&mut lengths(to_merge), 0.85)),
            ("size_p50", median(&mut self.amounts(|fact| fact.lines))),
            ("merged_without_review", part(is_unreviewed)),
            ("reverted", part(|fact| fact.reverted)),
        ];
        values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))
    }
}

/// The median age of what is open now.
fn age(read: &PullRequestsRead, now: Moment) -> Metric {
    let (bots, open): (Vec<_>, Vec<_>) = read.open.iter().partition(|told| told.fact.author_is_bot);
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::from([(BOT, bots.len())]);
    for inactive in read.inactive.iter().filter(|inactive| inactive.merged_at.is_none()) {
        *left_out.entry(inactive.reason).or_default() += 1;
    }
    let age = |told: &&PullRequestTold| (now - told.fact.opened_at).as_seconds_f64();
    let mut ages: Vec<f64> = open.iter().map(age).collect();
    let value = median(&mut ages);
    let drafts = open.iter().filter(|told| told.fact.draft).count();
    let p85 = nearest_rank(&mut ages, 0.85).map(|p85| ("p85".to_owned(), p85));
    let empty_reason =
        if value.is_none() { "No pull request of a person is open now." } else { "" };
    Metric {
        name: "open_pull_request_age".to_owned(),
        value,
        unit: "seconds".to_owned(),
        kind: "linear".to_owned(),
        counted: ages.len() as u64,
        excluded: excluded(left_out),
        formula: "median of now - opened over open pull requests; p85 by nearest rank".to_owned(),
        version: 1,
        empty_reason: empty_reason.to_owned(),
        details: [("drafts".to_owned(), count_as_number(drafts))].into_iter().chain(p85).collect(),
        ids: open.iter().map(|told| told.name.clone()).collect(),
        ..Metric::default()
    }
}

fn ranks(values: &mut [f64]) -> impl Iterator<Item = (String, f64)> + use<> {
    let ranks = [("p85", nearest_rank(values, 0.85)), ("p95", nearest_rank(values, 0.95))];
    ranks.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| count_as_number(part) / count_as_number(whole))
}

/// `3 bot, 1 inactive_repository`.
fn named(reasons: impl IntoIterator<Item = (&'static str, usize)>) -> String {
    let named = reasons.into_iter().map(|(reason, count)| format!("{count} {reason}"));
    named.collect::<Vec<_>>().join(", ")
}

/// A stage whose ends are both known is none only where it would be negative.
fn coding(fact: &PullRequestFact) -> Length {
    fact.first_commit_at.ok_or("no_commits")?;
    fact.coding_seconds.ok_or(NEGATIVE)
}

fn pickup(fact: &PullRequestFact) -> Length {
    fact.first_review_at.ok_or("no_review")?;
    fact.pickup_seconds.ok_or(NEGATIVE)
}

fn review(fact: &PullRequestFact) -> Length {
    fact.first_review_at.ok_or("no_review")?;
    fact.review_seconds.ok_or(NEGATIVE)
}

fn deploy(fact: &PullRequestFact) -> Length {
    fact.deployed_at.ok_or("not_deployed")?;
    fact.deploy_seconds.ok_or(NEGATIVE)
}

fn to_merge(fact: &PullRequestFact) -> Length {
    let merged_at = fact.merged_at.ok_or("not_merged")?;
    let length = (merged_at - fact.opened_at).as_seconds_f64();
    if length < 0.0 { Err(NEGATIVE) } else { Ok(length) }
}

fn is_unreviewed(fact: &PullRequestFact) -> bool {
    fact.first_review_at.is_none_or(|reviewed| fact.merged_at < Some(reviewed))
}

#[cfg(test)]
mod tests;

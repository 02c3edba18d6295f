//! Pull requests that were merged in a window: how long their stages took, how large they were, how
//! much they were looked at, and how many wait now.

use std::collections::BTreeMap;

use domain::Moment;
use domain::ids::ClientId;
use proto::v1::{Answer, Excluded, Metric, Point};
use store::dora::DeliveryHead;
use store::pull_requests::Inactive;

use super::{Asked, Window, count_as_number, excluded, share};
use crate::memory::dora::Names;
use crate::memory::pull_requests::{Amount, Open, PullRequestFacts, Stage, Trait};
use crate::memory::ranked::{Stretch, length};
use crate::memory::rows::micros;
use crate::memory::{AtHand, Memory};
use crate::stats::{median, nearest_rank};

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
        return Ok(report(&PullRequestFacts::default(), &[], &head, asked));
    };
    let (from, to) = (asked.window.previous().from, asked.window.to);
    // Which pull requests name an issue of a project is not held in memory.
    let at_hand = match asked.focus.projects.is_empty() {
        true => memory.pull_requests(facts, client, publication).await?,
        false => AtHand::TooLarge,
    };
    let (held, head) = match at_hand {
        AtHand::Newest(held) => (held, head),
        AtHand::Before(held) => (held, DeliveryHead { is_behind: true, ..head }),
        AtHand::TooLarge => {
            let read = facts.pull_requests(client, from, to, asked.focus.clone()).await?;
            return Ok(report(&PullRequestFacts::of(&read), &read.inactive, &head, asked));
        }
    };
    let inactive = facts.inactive_pull_requests(client, from, to, asked.focus.clone()).await?;
    Ok(report(&held, &inactive, &head, asked))
}

/// The report over the facts. Pure.
pub fn report(
    facts: &PullRequestFacts,
    inactive: &[Inactive],
    head: &DeliveryHead,
    asked: &Asked,
) -> Answer {
    let wanted = head.repositories.iter();
    let wanted =
        wanted.filter(|one| one.inactive.is_none() && asked.focus.has_repository(&one.full_name));
    let scope = Scope {
        facts,
        inactive,
        names: Names::new(&head.repositories),
        repositories: facts.repositories(wanted.map(|one| one.place)),
        explain: asked.explain,
    };
    let this = Period::of(&scope, &asked.window);
    let before = Period::of(&scope, &asked.window.previous());
    let mut metrics = this.metrics();
    super::compare(&mut metrics, before.metrics());
    metrics.push(age(&scope, asked.now));
    super::explain(&mut metrics, facts.as_of, "the GitHub job");
    super::tell_kinds(&mut metrics);
    Answer {
        metrics,
        series: this.series(),
        about: vec![super::about_series(SERIES_RANKS, this.count(), this.excluded([]))],
        ..asked.window.answer(facts.as_of, head.is_behind)
    }
}

const BOT: &str = "bot";

/// The percentiles of the series.
const SERIES_RANKS: &[&str] = &[
    "coding_time_p50",
    "pickup_time_p50",
    "review_time_p50",
    "deploy_time_p50",
    "time_to_merge_p50",
    "time_to_merge_p85",
    "size_p50",
];

/// What a question is about, in whatever window.
struct Scope<'a> {
    facts: &'a PullRequestFacts,
    inactive: &'a [Inactive],
    names: Names<'a>,
    /// Numbers of the repositories that are meant.
    repositories: Vec<usize>,
    explain: bool,
}

impl Scope<'_> {
    fn names(&self, rows: &[Stretch]) -> Vec<String> {
        if self.explain { self.facts.names(rows, &self.names) } else { Vec::new() }
    }
}

/// What lies in one window.
struct Period<'a> {
    scope: &'a Scope<'a>,
    window: Window,
    /// Of people: these count.
    counted: Vec<Stretch>,
    /// Why the others do not.
    left_out: BTreeMap<&'static str, usize>,
}

impl<'a> Period<'a> {
    fn of(scope: &'a Scope<'a>, window: &Window) -> Period<'a> {
        let within = |at: Option<Moment>| at.is_some_and(|at| window.contains(at));
        let mut left_out = BTreeMap::new();
        for inactive in scope.inactive.iter().filter(|inactive| within(inactive.merged_at)) {
            *left_out.entry(inactive.reason).or_default() += 1;
        }
        let (from, to) = (micros(window.from), micros(window.to));
        let bots = scope.facts.bots(&scope.repositories, from, to);
        if bots > 0 {
            left_out.insert(BOT, bots);
        }
        let counted = scope.facts.merged.within(&scope.repositories, from, to);
        Period { scope, window: *window, counted, left_out }
    }

    fn count(&self) -> usize {
        length(&self.counted) as usize
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![
            self.merged(),
            self.duration("coding_time", "first authored commit to opened", Stage::Coding),
            self.duration("pickup_time", "opened to first review by another person", Stage::Pickup),
            self.duration("review_time", "first review by another person to merged", Stage::Review),
            self.duration("deploy_time", "merged to first production deployment", Stage::Deploy),
            self.duration("time_to_merge", "opened to merged", Stage::ToMerge),
            self.amount("size", "lines", "lines added and removed", Amount::Lines),
            self.amount("changed_files", "files", "files touched", Amount::Files),
            self.amount("reviews", "reviews", "verdicts of other people", Amount::Reviews),
            self.amount("reviewers", "people", "other people who reviewed", Amount::Reviewers),
            self.amount("comments", "comments", "comments of people", Amount::Comments),
            self.amount(
                "review_rounds",
                "rounds",
                "changes requested, then commits",
                Amount::Rounds,
            ),
            self.share(
                "merged_without_review",
                "merged without a review by another person until then / merged",
                Trait::Unreviewed,
            ),
            self.share("reverted", "taken back by a later revert / merged", Trait::Reverted),
        ]
    }

    fn merged(&self) -> Metric {
        let merged = count_as_number(self.count());
        let days = (self.window.to - self.window.from).as_seconds_f64() / 86_400.0;
        // Without a single one the source may simply not be connected: no value, not zero.
        let value = (self.count() > 0).then_some(merged);
        Metric {
            name: "merged".to_owned(),
            value,
            unit: "pull_requests".to_owned(),
            counted: self.count() as u64,
            excluded: self.excluded([]),
            formula: "pull requests merged in the window".to_owned(),
            version: 1,
            empty_reason: self.why_empty(value, []),
            details: [("per_week".to_owned(), merged / days * 7.0)].into(),
            ids: self.scope.names(&self.counted),
            ..Metric::default()
        }
    }

    fn duration(&self, name: &str, formula: &str, stage: Stage) -> Metric {
        let merged = &self.scope.facts.merged;
        let lengths = merged.lengths(stage, &self.counted);
        let without = merged.without(stage, &self.counted);
        let value = lengths.median();
        Metric {
            name: name.to_owned(),
            value,
            unit: "seconds".to_owned(),
            kind: "linear".to_owned(),
            counted: lengths.count() as u64,
            excluded: self.excluded(without.clone()),
            formula: format!("median of {formula}; p85 and p95 by nearest rank"),
            version: 1,
            empty_reason: self.why_empty(value, without),
            details: super::ranks(&lengths),
            ids: self.scope.names(&lengths.rows()),
            ..Metric::default()
        }
    }

    fn amount(&self, name: &str, unit: &str, formula: &str, amount: Amount) -> Metric {
        let merged = &self.scope.facts.merged;
        let amounts = merged.amounts(amount, &self.counted);
        let value = amounts.median();
        #[expect(clippy::cast_precision_loss, reason = "no amount of ours reaches 2^53")]
        let total = ("total".to_owned(), merged.sum(amount, &self.counted) as f64);
        Metric {
            name: name.to_owned(),
            value,
            unit: unit.to_owned(),
            kind: "linear".to_owned(),
            counted: self.count() as u64,
            excluded: self.excluded([]),
            formula: format!("median of {formula}; p85 and p95 by nearest rank"),
            version: 1,
            empty_reason: self.why_empty(value, []),
            details: super::ranks(&amounts).into_iter().chain([total]).collect(),
            ids: self.scope.names(&self.counted),
            ..Metric::default()
        }
    }

    /// The share of those for which `is` holds; their ids are those that are told.
    fn share(&self, name: &str, formula: &str, is: Trait) -> Metric {
        let meant = self.scope.facts.merged.meant(is, &self.counted);
        let value = share(meant.len(), self.count());
        Metric {
            name: name.to_owned(),
            value,
            unit: "ratio".to_owned(),
            counted: self.count() as u64,
            excluded: self.excluded([]),
            formula: formula.to_owned(),
            version: 1,
            empty_reason: self.why_empty(value, []),
            details: [("pull_requests".to_owned(), count_as_number(meant.len()))].into(),
            ids: self.scope.names(&meant),
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
        let found = left_out + self.count();
        if found == 0 {
            return "No pull request was merged in this window.".to_owned();
        }
        if self.count() == 0 {
            let reasons = named(self.left_out.clone());
            return format!("{found} pull requests were merged, none of them counts: {reasons}.");
        }
        let reasons = named(without);
        let counted = self.count();
        format!("{counted} pull requests of people were merged, none has this length: {reasons}.")
    }

    fn series(&self) -> Vec<Point> {
        let merged = &self.scope.facts.merged;
        let point = |span: super::Span| {
            let rows = merged.within(&self.scope.repositories, span.from, span.to);
            let values = self.values(&rows);
            Point { start: span.start.to_string(), values: values.collect(), ..Point::default() }
        };
        self.window.spans(self.window.bucket).into_iter().map(point).collect()
    }

    /// The values of one bucket that there are.
    fn values(&self, rows: &[Stretch]) -> impl Iterator<Item = (String, f64)> {
        let merged = &self.scope.facts.merged;
        let count = length(rows) as usize;
        let p50 = |stage| merged.lengths(stage, rows).median();
        let part = |is| share(merged.meant(is, rows).len(), count);
        let values = [
            ("merged", Some(count_as_number(count))),
            ("coding_time_p50", p50(Stage::Coding)),
            ("pickup_time_p50", p50(Stage::Pickup)),
            ("review_time_p50", p50(Stage::Review)),
            ("deploy_time_p50", p50(Stage::Deploy)),
            ("time_to_merge_p50", p50(Stage::ToMerge)),
            ("time_to_merge_p85", merged.lengths(Stage::ToMerge, rows).nearest_rank(0.85)),
            ("size_p50", merged.amounts(Amount::Lines, rows).median()),
            ("merged_without_review", part(Trait::Unreviewed)),
            ("reverted", part(Trait::Reverted)),
        ];
        values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))
    }
}

/// The median age of what is open now.
fn age(scope: &Scope<'_>, now: Moment) -> Metric {
    let all = scope.facts.open(&scope.repositories);
    let (bots, open): (Vec<&Open>, Vec<&Open>) =
        all.into_iter().partition(|open| open.author_is_bot);
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::from([(BOT, bots.len())]);
    for inactive in scope.inactive.iter().filter(|inactive| inactive.merged_at.is_none()) {
        *left_out.entry(inactive.reason).or_default() += 1;
    }
    let mut ages: Vec<f64> =
        open.iter().map(|open| (now - open.opened_at).as_seconds_f64()).collect();
    let value = median(&mut ages);
    let drafts = open.iter().filter(|open| open.draft).count();
    let p85 = nearest_rank(&mut ages, 0.85).map(|p85| ("p85".to_owned(), p85));
    let empty_reason =
        if value.is_none() { "No pull request of a person is open now." } else { "" };
    let ids =
        if scope.explain { scope.facts.names_of_open(&open, &scope.names) } else { Vec::new() };
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
        ids,
        ..Metric::default()
    }
}

/// `3 bot, 1 inactive_repository`.
fn named(reasons: impl IntoIterator<Item = (&'static str, usize)>) -> String {
    let named = reasons.into_iter().map(|(reason, count)| format!("{count} {reason}"));
    named.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;

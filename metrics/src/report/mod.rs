//! Reports: a window of time, cut into buckets in the client's zone.

pub mod dora;
pub mod flow;
pub mod forecast;
pub mod pull_requests;
pub mod quality;
pub mod review_load;

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use domain::Moment;
use domain::ids::ClientId;
use proto::convert::timestamp;
use proto::v1::{About, Answer, Excluded, Metric};
use store::focus::Focus;
use tonic::Status;
use tracing::error;

use crate::bands::Table;
use crate::memory::Memory;
use crate::memory::rows::{Known, micros};

/// The longest window: five years of daily buckets are still a readable answer.
const LONGEST: TimeDelta = TimeDelta::days(5 * 366);

/// How a series is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first to the first.
    Month,
}

/// A word that names no bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no bucket; use day, week or month")]
pub struct Unknown(String);

impl FromStr for Bucket {
    type Err = Unknown;

    fn from_str(word: &str) -> Result<Bucket, Unknown> {
        match word {
            "day" => Ok(Bucket::Day),
            "week" => Ok(Bucket::Week),
            "month" => Ok(Bucket::Month),
            other => Err(Unknown(other.to_owned())),
        }
    }
}

impl Bucket {
    /// The spelling in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Bucket::Day => "day",
            Bucket::Week => "week",
            Bucket::Month => "month",
        }
    }

    /// The first day of the bucket that `day` lies in.
    pub fn start(self, day: NaiveDate) -> NaiveDate {
        match self {
            Bucket::Day => day,
            Bucket::Week => day - Days::new(u64::from(day.weekday().num_days_from_monday())),
            Bucket::Month => day - Days::new(u64::from(day.day0())),
        }
    }

    /// The first day of the next bucket.
    fn next(self, start: NaiveDate) -> NaiveDate {
        match self {
            Bucket::Day => start + Days::new(1),
            Bucket::Week => start + Days::new(7),
            Bucket::Month => start + Months::new(1),
        }
    }
}

/// A half-open stretch of time, and the zone in which its days are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Included.
    pub from: Moment,
    /// Excluded.
    pub to: Moment,
    /// Where days begin.
    pub zone: Tz,
    /// How the series is cut.
    pub bucket: Bucket,
}

/// What somebody wants to know.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Of which time.
    pub window: Window,
    /// About what.
    pub focus: Focus,
    /// With the ids of the rows.
    pub explain: bool,
    /// Where the bands begin.
    pub bands: Table,
    /// When they ask: ages are told as of this.
    pub now: Moment,
}

/// A bucket, as far as it lies in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first day of the whole bucket.
    pub start: NaiveDate,
    /// Included, in microseconds since 1970.
    pub from: i64,
    /// Excluded.
    pub to: i64,
}

/// Why a window is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadWindow {
    /// It has no length.
    #[error("the window ends before it starts; choose a later `to` or an earlier `from`")]
    Empty,
    /// It is longer than we answer for.
    #[error("the window is longer than five years; choose a shorter one")]
    TooLong,
}

impl Window {
    /// From `from` to `to`.
    ///
    /// # Errors
    /// The window is empty or too long.
    pub fn new(from: Moment, to: Moment, zone: Tz, bucket: Bucket) -> Result<Window, BadWindow> {
        if from >= to {
            return Err(BadWindow::Empty);
        }
        if to - from > LONGEST {
            return Err(BadWindow::TooLong);
        }
        Ok(Window { from, to, zone, bucket })
    }

    /// An answer about this window from what was published, with nothing told yet.
    fn answer(&self, as_of: Option<Moment>, is_behind: bool) -> Answer {
        Answer {
            from: Some(timestamp(self.from)),
            to: Some(timestamp(self.to)),
            timezone: self.zone.name().to_owned(),
            bucket: self.bucket.as_str().to_owned(),
            as_of: as_of.map(timestamp),
            is_behind,
            ..Answer::default()
        }
    }

    /// The window of the same length that ends where this one begins.
    pub fn previous(&self) -> Window {
        Window { from: self.from - (self.to - self.from), to: self.from, ..*self }
    }

    /// Whether the moment lies in the window.
    pub fn contains(&self, at: Moment) -> bool {
        self.from <= at && at < self.to
    }

    /// The day in the client's zone.
    pub fn day(&self, at: Moment) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The last day that it touches.
    pub fn last_day(&self) -> NaiveDate {
        self.day(self.to - TimeDelta::microseconds(1))
    }

    /// The first days of the buckets that the window touches, in order.
    pub fn buckets(&self) -> Vec<NaiveDate> {
        let last = self.last_day();
        let mut starts = Vec::new();
        let mut start = self.bucket.start(self.day(self.from));
        while start <= last {
            starts.push(start);
            start = self.bucket.next(start);
        }
        starts
    }

    /// What of each bucket of this kind lies in the window.
    pub fn spans(&self, bucket: Bucket) -> Vec<Span> {
        let span = |start: NaiveDate| Span {
            start,
            from: micros(self.midnight(start).max(self.from)),
            to: micros(self.midnight(bucket.next(start)).min(self.to)),
        };
        Window { bucket, ..*self }.buckets().into_iter().map(span).collect()
    }

    /// Mondays of the weeks that lie in the window as a whole; of all weeks that it touches where
    /// it holds no whole one.
    pub fn weeks(&self) -> Vec<NaiveDate> {
        let touched = Window { bucket: Bucket::Week, ..*self }.buckets();
        let whole = |monday: &NaiveDate| {
            let end = *monday + Days::new(7);
            self.midnight(*monday) >= self.from && self.midnight(end) <= self.to
        };
        let whole: Vec<_> = touched.iter().copied().filter(whole).collect();
        if whole.is_empty() { touched } else { whole }
    }

    /// When the day begins in the client's zone.
    fn midnight(&self, day: NaiveDate) -> Moment {
        midnight(self.zone, day)
    }
}

/// Where days begin for a client.
///
/// # Errors
/// The store's.
pub(crate) async fn zone(facts: &store::Metrics, client: ClientId) -> Result<Tz, store::Error> {
    let zone = facts.timezone(client).await?;
    // A schedule is checked before it is kept, so an unknown zone means an older calendar.
    Ok(zone.and_then(|name| Tz::from_str(&name).ok()).unwrap_or(Tz::UTC))
}

/// For whoever asks while the store is away.
pub(crate) fn unavailable(error: store::Error) -> Status {
    error!(error = &error as &dyn std::error::Error, "could not read facts for a report");
    Status::unavailable("the facts cannot be read now")
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    Dora,
    Flow,
    PullRequests,
    ReviewLoad,
    Forecast,
    DataQuality,
}

impl Report {
    const ALL: [Report; 6] = [
        Report::Dora,
        Report::Flow,
        Report::PullRequests,
        Report::ReviewLoad,
        Report::Forecast,
        Report::DataQuality,
    ];

    pub(crate) fn named(name: &str) -> Option<Report> {
        Report::ALL.into_iter().find(|report| report.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Report::Dora => "dora",
            Report::Flow => "flow",
            Report::PullRequests => "pull-requests",
            Report::ReviewLoad => "review-load",
            Report::Forecast => "forecast",
            Report::DataQuality => "data-quality",
        }
    }

    /// # Errors
    /// The store's.
    pub(crate) async fn answer(
        self,
        facts: &store::Metrics,
        memory: &Memory,
        client: ClientId,
        asked: &Asked,
        wanted: forecast::Wanted,
    ) -> Result<Answer, store::Error> {
        match self {
            Report::Dora => dora::answer(facts, memory, client, asked).await,
            Report::Flow => flow::answer(facts, memory, client, asked).await,
            Report::PullRequests => pull_requests::answer(facts, memory, client, asked).await,
            Report::ReviewLoad => review_load::answer(facts, client, asked).await,
            Report::Forecast => forecast::answer(facts, memory, client, asked, wanted).await,
            Report::DataQuality => quality::answer(facts, client, asked).await,
        }
    }
}

/// When the day begins in a zone. Where the clock skips midnight, with the first moment after.
pub(crate) fn midnight(zone: Tz, day: NaiveDate) -> Moment {
    let local = day.and_time(NaiveTime::MIN);
    let first = (0..=3)
        .find_map(|hours| (local + TimeDelta::hours(hours)).and_local_timezone(zone).earliest());
    first.map_or_else(|| local.and_utc(), |at: DateTime<Tz>| at.to_utc())
}

/// Puts the values of the window before beside those of this one.
fn compare(metrics: &mut [Metric], before: Vec<Metric>) {
    for (metric, earlier) in metrics.iter_mut().zip(before) {
        metric.previous = earlier.value;
    }
}

/// How a percentile is told: the middle between two, or the nearest of those that there are.
pub(crate) const LINEAR: &str = "linear";
pub(crate) const NEAREST_RANK: &str = "nearest_rank";

/// The kinds of some percentiles, by their names: `p50` ends what is linear.
pub(crate) fn kinds(names: &[&str]) -> BTreeMap<String, String> {
    let kind = |name: &str| if name.ends_with("p50") { LINEAR } else { NEAREST_RANK };
    names.iter().map(|name| ((*name).to_owned(), kind(name).to_owned())).collect()
}

/// Says of each value, and of each rank beside it, which kind of percentile it is.
fn tell_kinds(metrics: &mut [Metric]) {
    for metric in metrics {
        let ranks = ["p85", "p95"].into_iter().filter(|rank| metric.details.contains_key(*rank));
        metric.kinds = kinds(&ranks.collect::<Vec<_>>());
        if !metric.kind.is_empty() {
            metric.kinds.insert("value".to_owned(), metric.kind.clone());
        }
    }
}

/// What the values of a series are: each that of the metric of its name, over a bucket. All buckets together
/// are made of so many rows.
fn about_series(percentiles: &[&str], counted: usize, excluded: Vec<Excluded>) -> About {
    About {
        part: "series".to_owned(),
        formula: "each value as the metric of its name tells it, over the bucket".to_owned(),
        version: 1,
        counted: counted as u64,
        excluded,
        kinds: kinds(percentiles),
    }
}

/// Says before the first publication which jobs are to be run.
fn explain(metrics: &mut [Metric], as_of: Option<Moment>, jobs: &str) {
    if as_of.is_some() {
        return;
    }
    for metric in metrics {
        metric.empty_reason =
            format!("No sync has finished yet: run {jobs}, and the values appear.");
    }
}

/// The ranks that are told beside a median.
fn ranks(known: &Known<'_>) -> BTreeMap<String, f64> {
    let ranks = [("p85", 0.85), ("p95", 0.95)];
    ranks
        .into_iter()
        .filter_map(|(name, p)| Some((name.to_owned(), known.nearest_rank(p)?)))
        .collect()
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| count_as_number(part) / count_as_number(whole))
}

/// What was left out, by reason; a reason that left out nothing is none.
fn excluded<'a>(counts: impl IntoIterator<Item = (&'a str, usize)>) -> Vec<Excluded> {
    counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| Excluded { reason: reason.to_owned(), count: count as u64 })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "no count of ours reaches 2^53")]
fn count_as_number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    fn window(from: &str, to: &str, zone: Tz, bucket: Bucket) -> Window {
        Window::new(at(from), at(to), zone, bucket).unwrap()
    }

    #[test]
    fn buckets_begin_where_the_calendar_says() {
        let cases = [
            (Bucket::Day, ["2026-03-28", "2026-03-29", "2026-03-30"].as_slice()),
            (Bucket::Week, &["2026-03-23", "2026-03-30"]),
            (Bucket::Month, &["2026-03-01"]),
        ];
        for (bucket, expected) in cases {
            let window =
                window("2026-03-28T00:00:00Z", "2026-03-30T22:00:00Z", Tz::Europe__Berlin, bucket);
            let starts: Vec<_> = window.buckets().iter().map(ToString::to_string).collect();
            assert_eq!(starts, expected, "{bucket:?}");
        }
    }

    #[test]
    fn days_are_cut_in_the_zone_also_when_the_clock_changes() {
        let window = window(
            "2026-03-01T00:00:00Z",
            "2026-04-01T00:00:00Z",
            Tz::Europe__Berlin,
            Bucket::Week,
        );
        // The clock goes from 02:00 to 03:00 on 29 March: that day ends at 22:00 UTC.
        let cases = [
            ("2026-03-28T22:59:59Z", "2026-03-28"),
            ("2026-03-28T23:00:00Z", "2026-03-29"),
            ("2026-03-29T21:59:59Z", "2026-03-29"),
            ("2026-03-29T22:00:00Z", "2026-03-30"),
        ];
        for (moment, day) in cases {
            assert_eq!(window.day(at(moment)).to_string(), day, "{moment}");
        }
    }

    #[test]
    fn spans_share_out_the_window() {
        let window =
            window("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", Tz::Europe__Berlin, Bucket::Day);
        let hour = |text: &str| at(text).timestamp_micros();
        let cases = [
            (
                Bucket::Day,
                vec![
                    ("2026-03-28", "2026-03-28T12:00:00Z", "2026-03-28T23:00:00Z"),
                    // The day on which the clock goes on has 23 hours.
                    ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
                    ("2026-03-30", "2026-03-29T22:00:00Z", "2026-03-30T12:00:00Z"),
                ],
            ),
            (
                Bucket::Week,
                vec![
                    ("2026-03-23", "2026-03-28T12:00:00Z", "2026-03-29T22:00:00Z"),
                    ("2026-03-30", "2026-03-29T22:00:00Z", "2026-03-30T12:00:00Z"),
                ],
            ),
            (Bucket::Month, vec![("2026-03-01", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z")]),
        ];
        for (bucket, expected) in cases {
            let told = window.spans(bucket).into_iter();
            let told: Vec<_> = told.map(|one| (one.start.to_string(), one.from, one.to)).collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(start, from, to)| (start.to_owned(), hour(from), hour(to)))
                .collect();
            assert_eq!(told, expected, "{bucket:?}");
        }
    }

    #[test]
    fn only_whole_weeks_count_where_there_is_one() {
        // Monday 2 March to Wednesday 18 March, Berlin: two whole weeks, the third is cut.
        let long =
            window("2026-03-01T23:00:00Z", "2026-03-18T00:00:00Z", Tz::Europe__Berlin, Bucket::Day);
        let weeks: Vec<_> = long.weeks().iter().map(ToString::to_string).collect();
        assert_eq!(weeks, ["2026-03-02", "2026-03-09"]);
        let short = window("2026-03-04T00:00:00Z", "2026-03-06T00:00:00Z", Tz::UTC, Bucket::Day);
        assert_eq!(short.weeks().len(), 1);
    }

    #[test]
    fn a_window_must_have_a_length_that_can_be_answered() {
        let (day, later) = (at("2026-03-01T00:00:00Z"), at("2036-03-01T00:00:00Z"));
        assert_eq!(Window::new(day, day, Tz::UTC, Bucket::Day), Err(BadWindow::Empty));
        assert_eq!(Window::new(day, later, Tz::UTC, Bucket::Day), Err(BadWindow::TooLong));
    }

    #[test]
    fn the_previous_window_is_as_long_and_ends_where_this_begins() {
        let this = window("2026-03-11T00:00:00Z", "2026-03-21T00:00:00Z", Tz::UTC, Bucket::Day);
        let previous = this.previous();
        assert_eq!((previous.from, previous.to), (at("2026-03-01T00:00:00Z"), this.from));
    }
}

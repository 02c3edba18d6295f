//! When so many items will be done, and how many by a day, beside how well that would have been
//! foretold before.

use chrono::{NaiveDate, TimeDelta};
use domain::ids::ClientId;
use proto::v1::{Answer, Chances, ForecastCheck};
use store::flow::FlowHead;

use super::flow::{at_hand, projects};
use super::{Asked, Bucket, Window, excluded};
use crate::aside::aside;
use crate::flow::day_number;
use crate::flow::forecast::{self, HORIZON_DAYS, SEED, TRIALS};
use crate::memory::Memory;
use crate::memory::flow::{FlowFacts, Reason};
use crate::memory::ranked::{Stretch, length};
use crate::memory::rows::micros;

/// How far ahead is looked unless a day is said.
const AHEAD: TimeDelta = TimeDelta::days(30);

/// What is to be foretold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// How many items; as many as are in progress unless said.
    pub items: Option<u32>,
    /// By which day; 30 days from the end of the window unless said.
    pub until: Option<NaiveDate>,
}

/// Foretells from the throughput of the window.
///
/// # Errors
/// The store's.
pub async fn answer(
    facts: &store::Metrics,
    memory: &Memory,
    client: ClientId,
    asked: &Asked,
    wanted: Wanted,
) -> Result<Answer, store::Error> {
    let (flow, head) = at_hand(facts, memory, client, asked, asked.window.from).await?;
    let asked = asked.clone();
    // Ten thousand futures take a while.
    Ok(aside(move || report(&flow, &head, &asked, wanted)).await)
}

/// The report over the facts. Pure.
pub fn report(flow: &FlowFacts, head: &FlowHead, asked: &Asked, wanted: Wanted) -> Answer {
    let window = &asked.window;
    let projects = projects(flow, head, &asked.focus);
    let past = Past::of(flow, &projects, window);
    let in_progress = flow.in_progress.count(&projects);
    let today = window.last_day();
    let items = wanted.items.unwrap_or_else(|| count(in_progress).max(1));
    let until = wanted.until.unwrap_or(today + AHEAD);
    let days_ahead = usize::try_from((until - today).num_days()).unwrap_or(0);
    let when = forecast::days_until(&past.daily, items);
    let is_told = past.daily.iter().any(|done| *done > 0);
    let how_many = is_told.then(|| forecast::items_within(&past.daily, days_ahead)).flatten();
    let date = |days: u32| (today + TimeDelta::days(days.into())).to_string();
    // Where nothing was ever done, to foretell nothing is no art.
    let checks = if is_told { forecast::back_test(past.first, &past.daily) } else { Vec::new() };
    let hits = checks.iter().filter(|check| check.is_hit()).count();
    let left_out = flow.left_out(&projects, micros(window.from), micros(window.to));
    let left_out = left_out.iter().filter(|(reason, _)| **reason != Reason::Discarded);
    let forecast = proto::v1::Forecast {
        trials: TRIALS as u64,
        seed: SEED,
        items,
        until: until.to_string(),
        days: past.daily.len() as u64,
        done: past.daily.iter().map(|done| u64::from(*done)).sum(),
        excluded: excluded(left_out.map(|(reason, count)| (reason.as_str(), *count))),
        when: when.map(|days| Chances {
            p50: date(days.p50),
            p85: date(days.p85),
            p95: date(days.p95),
        }),
        how_many: how_many.map(|items| Chances {
            p50: items.p50.to_string(),
            p85: items.p85.to_string(),
            p95: items.p95.to_string(),
        }),
        horizon_days: HORIZON_DAYS as u64,
        hits: hits as u64,
        checks: checks
            .iter()
            .map(|check| ForecastCheck {
                day: check.day.to_string(),
                p50: check.forecast.p50,
                p85: check.forecast.p85,
                p95: check.forecast.p95,
                actual: check.actual,
                hit: check.is_hit(),
            })
            .collect(),
        formula: "the throughput of the window's days, drawn at random until the items are done"
            .to_owned(),
        version: 1,
        empty_reason: why_empty(flow, &past, when.is_some()),
        kinds: ["when", "how_many", "back_test"]
            .map(|part| (part.to_owned(), super::NEAREST_RANK.to_owned()))
            .into(),
        ids: if asked.explain { flow.done.keys(&past.rows) } else { Vec::new() },
    };
    Answer { forecast: Some(forecast), ..window.answer(flow.as_of, head.is_behind) }
}

/// The whole days of the window, and how many issues were done on each.
struct Past {
    first: NaiveDate,
    daily: Vec<u32>,
    /// The issues that were done on these days.
    rows: Vec<Stretch>,
}

impl Past {
    fn of(flow: &FlowFacts, projects: &[usize], window: &Window) -> Past {
        let first = match window.day(window.from) {
            day if window.midnight(day) < window.from => day + TimeDelta::days(1),
            day => day,
        };
        let days = first..window.day(window.to);
        let mut daily = vec![0; (day_number(days.start)..day_number(days.end)).len()];
        let whole = window.spans(Bucket::Day);
        let whole = whole.iter().filter(|day| days.contains(&day.start));
        let mut rows = Vec::new();
        for (count, day) in daily.iter_mut().zip(whole) {
            let done = flow.done.within(projects, day.from, day.to);
            *count = length(&done);
            rows.extend(done);
        }
        Past { first, daily, rows }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn why_empty(flow: &FlowFacts, past: &Past, is_told: bool) -> String {
    if is_told {
        return String::new();
    }
    if flow.as_of.is_none() {
        return "No sync has finished yet: run the Jira job, and a forecast appears.".to_owned();
    }
    if past.daily.iter().all(|done| *done == 0) {
        return "No issue was done in this window, so nothing can be foretold.".to_owned();
    }
    "At this pace the items are not done within ten years.".to_owned()
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use domain::Moment;
    use domain::ids::IntegrationId;
    use domain::workflow::StepCategory;
    use store::dora::Place;
    use store::flow::{EndedIssue, FlowRead, StartedIssue};
    use store::focus::Focus;
    use uuid::Uuid;

    use super::super::Bucket;
    use super::*;

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    /// From the middle of 1 January to noon of 1 March 2026: 58 whole days.
    fn window() -> Window {
        let (from, to) = (at("2026-01-01T12:00:00Z"), at("2026-03-01T12:00:00Z"));
        Window::new(from, to, Tz::UTC, Bucket::Day).unwrap()
    }

    const PAY: Place = (IntegrationId(Uuid::nil()), 1);

    fn told(read: FlowRead, wanted: Wanted) -> Answer {
        told_of(window(), read, wanted)
    }

    fn told_of(window: Window, read: FlowRead, wanted: Wanted) -> Answer {
        let projects = vec![(PAY, "PAY".to_owned())];
        let head = FlowHead { projects, ..FlowHead::default() };
        let asked = Asked {
            window,
            focus: Focus::default(),
            explain: false,
            bands: crate::bands::NEWEST,
            now: window.to,
        };
        report(&FlowFacts::of(read), &head, &asked, wanted)
    }

    /// Two issues done on every day, the parts of days at both ends included.
    fn steady() -> FlowRead {
        let done = |hours: i64| EndedIssue {
            project: PAY,
            key: "PAY-1".to_owned(),
            created_at: at("2026-01-01T00:00:00Z"),
            entered_at: at("2026-01-01T00:30:00Z") + TimeDelta::hours(hours),
            category: Some(StepCategory::Done),
            reason: None,
            lead_seconds: None,
            cycle_seconds: None,
            active_seconds: None,
            rework: 0,
            steps: Vec::new(),
        };
        let nowhere =
            EndedIssue { category: None, reason: Some("unmapped_status".to_owned()), ..done(100) };
        FlowRead {
            as_of: Some(at("2026-03-01T12:00:00Z")),
            ended: (1..118).map(|n| done(n * 12)).chain([nowhere]).collect(),
            in_progress: vec![
                StartedIssue {
                    project: PAY,
                    key: "PAY-2".to_owned(),
                    started_at: None
                };
                5
            ],
            ..FlowRead::default()
        }
    }

    #[test]
    fn whole_days_are_drawn_and_dates_are_told() {
        let answer = told(steady(), Wanted::default());
        let forecast = answer.forecast.unwrap();
        assert_eq!((forecast.days, forecast.done, forecast.items), (58, 116, 5));
        // Five items at two a day take three days from 1 March.
        assert_eq!(forecast.when.unwrap().p95, "2026-03-04");
        assert_eq!(
            (forecast.until.as_str(), forecast.how_many.unwrap().p85.as_str()),
            ("2026-03-31", "60")
        );
        assert_eq!((forecast.hits, forecast.checks.len()), (3, 3));
        assert_eq!(forecast.excluded[0].reason, "unmapped_status");
    }

    #[test]
    fn a_window_that_ends_at_midnight_foretells_from_that_day_on() {
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-03-01T00:00:00Z"));
        let window = Window::new(from, to, Tz::UTC, Bucket::Day).unwrap();
        let forecast = told_of(window, steady(), Wanted::default()).forecast.unwrap();
        // On 1, 2 and 3 March.
        assert_eq!(forecast.when.unwrap().p95, "2026-03-03");
        assert_eq!((forecast.days, forecast.until.as_str()), (59, "2026-03-30"));
    }

    #[test]
    fn so_many_items_are_told_though_nobody_sees_the_end_of_more() {
        let wanted = Wanted { items: Some(u32::MAX), until: None };
        let forecast = told(steady(), wanted).forecast.unwrap();
        assert_eq!((forecast.when, forecast.how_many.unwrap().p85.as_str()), (None, "60"));
    }

    #[test]
    fn where_nothing_was_done_nothing_is_tested() {
        let forecast = told(FlowRead { ended: Vec::new(), ..steady() }, Wanted::default());
        let forecast = forecast.forecast.unwrap();
        assert_eq!((forecast.how_many, forecast.checks.len(), forecast.hits), (None, 0, 0));
    }

    #[test]
    fn what_is_wanted_can_be_said() {
        let until = Some("2026-03-08".parse().unwrap());
        let answer = told(steady(), Wanted { items: Some(20), until });
        let forecast = answer.forecast.unwrap();
        assert_eq!(forecast.when.unwrap().p50, "2026-03-11");
        assert_eq!(forecast.how_many.unwrap().p50, "14");
    }

    #[test]
    fn without_a_forecast_there_is_a_reason() {
        let idle = FlowRead { ended: Vec::new(), ..steady() };
        let far = Wanted { items: Some(100_000), until: None };
        let cases = [
            (
                FlowRead::default(),
                Wanted { items: Some(1), until: None },
                "No sync has finished yet",
            ),
            (idle, Wanted { items: Some(1), until: None }, "No issue was done"),
            (steady(), far, "At this pace"),
        ];
        for (read, wanted, reason) in cases {
            let forecast = told(read, wanted).forecast.unwrap();
            assert!(forecast.empty_reason.starts_with(reason), "{}", forecast.empty_reason);
            assert_eq!(forecast.when, None, "{reason}");
            // How much is done until a day can be told, though the end of so much is out of sight.
            assert_eq!(forecast.how_many.is_some(), reason == "At this pace", "{reason}");
        }
    }
}

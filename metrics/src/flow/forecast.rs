//! When so many items will be done, and how many by a day: the daily throughput of the past, drawn at
//! random again and again. The draw is seeded, so the same history gives the same answer. Pure.

use chrono::NaiveDate;
use fastrand::Rng;

/// How often a future is drawn.
pub const TRIALS: usize = 10_000;
/// Any number would do; it must only stay.
pub const SEED: u64 = 0x70_756C_7365;
/// Who would have to wait longer hears that no end is in sight.
const MOST_DAYS: u32 = 3_650;
/// How far the back-test looks ahead, and how often.
pub const HORIZON_DAYS: usize = 14;
const CUT_EVERY: usize = 7;
/// Fewer days of history than this forecast nothing in the back-test.
const LEAST_HISTORY: usize = 28;

/// Values that half, 85 and 95 of a hundred futures keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chances {
    /// As likely as not.
    pub p50: u32,
    /// Likely.
    pub p85: u32,
    /// Almost certain.
    pub p95: u32,
}

/// Days until `items` are done, counted from 1; nothing where nothing was ever done, or no end is in
/// sight in more than a few of a hundred futures.
pub fn days_until(daily: &[u32], items: u32) -> Option<Chances> {
    if daily.iter().all(|done| *done == 0) {
        return None;
    }
    let mut rng = Rng::with_seed(SEED);
    let mut days: Vec<u32> = (0..TRIALS)
        .map(|_| {
            let mut left = items;
            let mut day = 0;
            while left > 0 && day < MOST_DAYS {
                left = left.saturating_sub(daily[rng.usize(..daily.len())]);
                day += 1;
            }
            if left > 0 { u32::MAX } else { day }
        })
        .collect();
    days.sort_unstable();
    let chances = by_rank(&days);
    (chances.p95 <= MOST_DAYS).then_some(chances)
}

/// Items that are done within `days`, at least.
pub fn items_within(daily: &[u32], days: usize) -> Option<Chances> {
    if daily.is_empty() {
        return None;
    }
    let mut rng = Rng::with_seed(SEED);
    let mut items: Vec<u32> =
        (0..TRIALS).map(|_| (0..days).map(|_| daily[rng.usize(..daily.len())]).sum()).collect();
    // The most first: 85 of a hundred futures have at least what stands at 85 of a hundred.
    items.sort_unstable_by(|a, b| b.cmp(a));
    Some(by_rank(&items))
}

fn by_rank(sorted: &[u32]) -> Chances {
    let at = |hundredths: usize| sorted[(sorted.len() * hundredths).div_ceil(100).max(1) - 1];
    Chances { p50: at(50), p85: at(85), p95: at(95) }
}

/// What would have been forecast on a day of the past, and what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// The first day that was forecast.
    pub day: NaiveDate,
    /// Items within the horizon, at least.
    pub forecast: Chances,
    /// Items that were done.
    pub actual: u32,
}

impl Check {
    /// Whether what was likely came true.
    pub fn is_hit(&self) -> bool {
        self.actual >= self.forecast.p85
    }
}

/// Forecasts of the past, week by week, each from what was known then. `daily` begins on `first`.
pub fn back_test(first: NaiveDate, daily: &[u32]) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut cut = LEAST_HISTORY;
    while cut + HORIZON_DAYS <= daily.len() {
        let (known, rest) = daily.split_at(cut);
        if let Some(forecast) = items_within(known, HORIZON_DAYS) {
            let day = first + chrono::TimeDelta::days(i64::try_from(cut).unwrap_or(i64::MAX));
            checks.push(Check { day, forecast, actual: rest[..HORIZON_DAYS].iter().sum() });
        }
        cut += CUT_EVERY;
    }
    checks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(value: u32) -> Chances {
        Chances { p50: value, p85: value, p95: value }
    }

    #[test]
    fn a_steady_team_leaves_nothing_to_chance() {
        assert_eq!(days_until(&[2; 30], 10), Some(all(5)));
        assert_eq!(days_until(&[2; 30], 11), Some(all(6)));
        assert_eq!(items_within(&[3], 7), Some(all(21)));
        assert_eq!(days_until(&[1], 0), Some(all(0)));
    }

    #[test]
    fn without_a_past_there_is_no_future() {
        assert_eq!(days_until(&[], 1), None);
        assert_eq!(days_until(&[0, 0], 1), None);
        assert_eq!(items_within(&[], 5), None);
        assert_eq!(items_within(&[0, 0], 5), Some(all(0)));
        // Ten thousand items, one in two days: twenty thousand days are out of sight.
        assert_eq!(days_until(&[0, 1], 10_000), None);
    }

    #[test]
    fn a_coin_every_day_comes_out_as_the_binomial_says() {
        // Of 20 tosses: P(X >= 10) = 0.588, P(X >= 11) = 0.412; P(X >= 8) = 0.868, P(X >= 9) = 0.748;
        // P(X >= 6) = 0.979, P(X >= 7) = 0.942.
        let tosses = items_within(&[0, 1], 20);
        assert_eq!(tosses, Some(Chances { p50: 10, p85: 8, p95: 6 }));
        // One head: P(within 1) = 0.5, P(within 3) = 0.875, P(within 5) = 0.969, P(within 4) = 0.9375.
        let Chances { p50, p85, p95 } = days_until(&[0, 1], 1).unwrap();
        assert!(p50 <= 2, "{p50}");
        assert_eq!((p85, p95), (3, 5));
    }

    #[test]
    fn the_past_is_forecast_from_what_was_known_then() {
        let first: NaiveDate = "2026-01-01".parse().unwrap();
        // Steady for five weeks, then nothing any more.
        let daily: Vec<u32> =
            std::iter::repeat_n(1, 42).chain(std::iter::repeat_n(0, 14)).collect();
        let checks = back_test(first, &daily);
        let told: Vec<_> = checks
            .iter()
            .map(|check| (check.day.to_string(), check.forecast.p85, check.actual, check.is_hit()))
            .collect();
        let day = |text: &str, forecast, actual, hit| (text.to_owned(), forecast, actual, hit);
        assert_eq!(
            told,
            [
                day("2026-01-29", 14, 14, true),
                day("2026-02-05", 14, 7, false),
                day("2026-02-12", 14, 0, false),
            ]
        );
        assert_eq!(back_test(first, &daily[..41]), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn the_same_past_gives_the_same_future_and_more_certainty_costs_more(
            daily in proptest::collection::vec(0_u32..5, 1..60),
            items in 1_u32..50,
        ) {
            let days = days_until(&daily, items);
            prop_assert_eq!(days, days_until(&daily, items));
            if let Some(days) = days {
                prop_assert!(days.p50 <= days.p85 && days.p85 <= days.p95);
                let most = daily.iter().max().copied().unwrap_or(0);
                prop_assert!(days.p50 >= items.div_ceil(most));
            }
            let within = items_within(&daily, 14).unwrap();
            prop_assert!(within.p50 >= within.p85 && within.p85 >= within.p95);
        }
    }
}

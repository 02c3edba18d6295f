//! When jobs become due: the main cycle and the retry interval of a client.

use chrono::TimeDelta;

use crate::Moment;

/// How often a client's jobs run, and how failures are retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Whether the main cycle makes jobs due.
    pub enabled: bool,
    /// Minutes between two cycles, 5 to 1440.
    pub interval_minutes: u32,
    /// IANA name of the zone in which days are cut, for example `Europe/Berlin`.
    pub timezone: String,
    /// What happens after a failure.
    pub retry: Retry,
}

/// How failed jobs are tried again, without waiting for the main cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Whether failed jobs are retried at all.
    pub enabled: bool,
    /// Minutes until the next attempt, 1 to 60.
    pub interval_minutes: u32,
    /// Attempts in all, 1 to 10.
    pub max_attempts: u32,
}

/// A value outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}, but must be {min} to {max}")]
pub struct OutOfRange {
    /// The field as it is spelled in the API.
    pub field: &'static str,
    /// What was given.
    pub value: u32,
    /// The least accepted value.
    pub min: u32,
    /// The greatest accepted value.
    pub max: u32,
}

impl Default for Schedule {
    fn default() -> Schedule {
        Schedule {
            enabled: true,
            interval_minutes: 60,
            timezone: "UTC".to_owned(),
            retry: Retry { enabled: true, interval_minutes: 15, max_attempts: 3 },
        }
    }
}

impl Schedule {
    /// Every value that lies outside its range.
    pub fn faults(&self) -> Vec<OutOfRange> {
        let checks = [
            ("interval_minutes", self.interval_minutes, 5, 1440),
            ("retry.interval_minutes", self.retry.interval_minutes, 1, 60),
            ("retry.max_attempts", self.retry.max_attempts, 1, 10),
        ];
        checks
            .into_iter()
            .filter(|(_, value, min, max)| !(min..=max).contains(&value))
            .map(|(field, value, min, max)| OutOfRange { field, value, min, max })
            .collect()
    }

    /// The first due time after `now` on the grid that `due` lies on. Cycles that were slept
    /// through are not made up for.
    pub fn next_due(&self, due: Moment, now: Moment) -> Moment {
        let interval = TimeDelta::minutes(i64::from(self.interval_minutes.max(1)));
        let passed = (now - due).num_seconds().div_euclid(interval.num_seconds()).max(0);
        let steps = i32::try_from(passed).unwrap_or(i32::MAX - 1) + 1;
        due + interval * steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_cycle_is_on_the_grid_and_in_the_future() {
        let at = |text: &str| text.parse::<Moment>().unwrap();
        let due = at("2026-03-29T00:30:00Z");
        let cases = [
            ("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
            ("2026-03-29T00:30:07Z", "2026-03-29T01:30:00Z"),
            ("2026-03-29T05:45:00Z", "2026-03-29T06:30:00Z"),
            ("2026-03-29T00:29:00Z", "2026-03-29T01:30:00Z"),
        ];
        for (now, expected) in cases {
            assert_eq!(Schedule::default().next_due(due, at(now)), at(expected), "{now}");
        }
    }

    #[test]
    fn the_default_is_valid_and_each_bound_is_kept() {
        assert_eq!(Schedule::default().faults(), []);
        let wrong = Schedule {
            interval_minutes: 4,
            retry: Retry { enabled: true, interval_minutes: 61, max_attempts: 11 },
            ..Schedule::default()
        };
        let fields: Vec<_> = wrong.faults().into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["interval_minutes", "retry.interval_minutes", "retry.max_attempts"]);
    }
}

//! DORA's bands, by the table of 2023 or that of 2021.

use std::fmt;

/// How a team compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// The best.
    Elite,
    /// Above the middle.
    High,
    /// Below the middle.
    Medium,
    /// The rest.
    Low,
}

/// The bounds of the bands, each from elite to medium.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Table {
    /// Its year.
    pub name: &'static str,
    frequency: [Often; 3],
    /// In seconds; a value that reaches a bound is below the band.
    lead_time: [f64; 3],
    /// From 0 to 1; a value that reaches a bound is in the band.
    failure_rate: [f64; 3],
    /// As the lead time.
    recovery: [f64; 3],
}

/// How often somebody deploys at least.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Often {
    /// On so many days in the middle one of the weeks.
    DaysPerWeek(f64),
    /// On one day in so many months, over the whole window.
    OncePerMonths(f64),
}

/// How often somebody deploys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frequency {
    /// The median over weeks of days with a deployment.
    pub days_per_week: f64,
    /// Days with a deployment in the window.
    pub days: f64,
    /// How long the window is.
    pub window_days: f64,
}

const HOUR: f64 = 3_600.0;
const DAY: f64 = 24.0 * HOUR;
const DAYS_PER_MONTH: f64 = 365.25 / 12.0;

/// In use unless another is asked for.
pub const NEWEST: Table = Table {
    name: "2023",
    frequency: [Often::DaysPerWeek(5.0), Often::DaysPerWeek(1.0), Often::OncePerMonths(1.0)],
    lead_time: [DAY, 7.0 * DAY, 30.0 * DAY],
    failure_rate: [0.05, 0.10, 0.15],
    recovery: [HOUR, DAY, 7.0 * DAY],
};

const OLDER: Table = Table {
    name: "2021",
    frequency: [Often::DaysPerWeek(5.0), Often::OncePerMonths(1.0), Often::OncePerMonths(6.0)],
    lead_time: [HOUR, 7.0 * DAY, 180.0 * DAY],
    failure_rate: [0.15, 0.20, 0.30],
    recovery: [HOUR, DAY, 7.0 * DAY],
};

impl Table {
    /// The table of a year; the newest where nothing is said.
    pub fn named(year: &str) -> Option<Table> {
        if year.is_empty() {
            return Some(NEWEST);
        }
        [NEWEST, OLDER].into_iter().find(|table| table.name == year)
    }

    /// Of how often somebody deploys.
    pub fn of_frequency(&self, told: Frequency) -> Band {
        first(self.frequency, |often| match often {
            Often::DaysPerWeek(days) => told.days_per_week >= days,
            Often::OncePerMonths(months) => {
                told.days * months * DAYS_PER_MONTH >= told.window_days && told.days > 0.0
            }
        })
    }

    /// Of the lead time for changes, in seconds.
    pub fn of_lead_time(&self, seconds: f64) -> Band {
        first(self.lead_time, |bound| seconds < bound)
    }

    /// Of the share of deployments that failed, 0 to 1.
    pub fn of_failure_rate(&self, share: f64) -> Band {
        first(self.failure_rate, |bound| share <= bound)
    }

    /// Of the time to recover, in seconds.
    pub fn of_recovery(&self, seconds: f64) -> Band {
        first(self.recovery, |bound| seconds < bound)
    }
}

/// The first band whose bound the value keeps.
fn first<B: Copy>([elite, high, medium]: [B; 3], keeps: impl Fn(B) -> bool) -> Band {
    match () {
        () if keeps(elite) => Band::Elite,
        () if keeps(high) => Band::High,
        () if keeps(medium) => Band::Medium,
        () => Band::Low,
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Band::Elite => "ELITE",
            Band::High => "HIGH",
            Band::Medium => "MEDIUM",
            Band::Low => "LOW",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Band::{Elite, High, Low, Medium};
    use super::*;

    #[test]
    fn how_often_is_told_by_weeks_and_where_those_are_empty_by_months() {
        // The median of days per week, days with a deployment, and the days of the window.
        let cases = [
            (7.0, 90.0, 90.0, [Elite, Elite]),
            (5.0, 64.0, 90.0, [Elite, Elite]),
            (4.9, 60.0, 90.0, [High, High]),
            (1.0, 13.0, 90.0, [High, High]),
            // Three deployments in eight weeks are more than one a month, though most weeks have none.
            (0.0, 3.0, 56.0, [Medium, High]),
            (0.5, 5.0, 70.0, [Medium, High]),
            // A month is the twelfth part of 365.25 days.
            (0.0, 1.0, 30.4375, [Medium, High]),
            (0.0, 1.0, 30.438, [Low, Medium]),
            (0.0, 2.0, 90.0, [Low, Medium]),
            (0.0, 1.0, 180.0, [Low, Medium]),
            (0.0, 1.0, 190.0, [Low, Low]),
            (0.0, 0.0, 7.0, [Low, Low]),
        ];
        for (days_per_week, days, window_days, bands) in cases {
            let told = Frequency { days_per_week, days, window_days };
            let found = [NEWEST, OLDER].map(|table| table.of_frequency(told));
            assert_eq!(found, bands, "{told:?}");
        }
    }

    #[test]
    fn each_bound_belongs_to_the_band_that_the_table_says() {
        let lead = [
            (HOUR - 1.0, [Elite, Elite]),
            (HOUR, [Elite, High]),
            (DAY - 1.0, [Elite, High]),
            (DAY, [High, High]),
            (7.0 * DAY, [Medium, Medium]),
            (30.0 * DAY, [Low, Medium]),
            (180.0 * DAY, [Low, Low]),
        ];
        for (value, bands) in lead {
            let found = [NEWEST, OLDER].map(|table| table.of_lead_time(value));
            assert_eq!(found, bands, "{value} s of lead time");
        }
        let rate = [
            (0.0, [Elite, Elite]),
            (0.05, [Elite, Elite]),
            (0.0501, [High, Elite]),
            (0.10, [High, Elite]),
            (0.15, [Medium, Elite]),
            (0.16, [Low, High]),
            (0.20, [Low, High]),
            (0.30, [Low, Medium]),
            (0.31, [Low, Low]),
        ];
        for (value, bands) in rate {
            let found = [NEWEST, OLDER].map(|table| table.of_failure_rate(value));
            assert_eq!(found, bands, "{value} of deployments");
        }
        let recovery = [(HOUR - 1.0, Elite), (HOUR, High), (DAY, Medium), (7.0 * DAY, Low)];
        for (value, band) in recovery {
            let found = [NEWEST, OLDER].map(|table| table.of_recovery(value));
            assert_eq!(found, [band, band], "{value} s to recover");
        }
    }

    #[test]
    fn a_table_is_named_by_its_year() {
        let cases =
            [("", Some("2023")), ("2023", Some("2023")), ("2021", Some("2021")), ("2019", None)];
        for (year, expected) in cases {
            assert_eq!(Table::named(year).map(|table| table.name), expected, "{year}");
        }
    }
}

//! DORA's bands, by the table of 2023.

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

/// The year of the table in use.
pub const TABLE: &str = "2023";

const HOUR: f64 = 3_600.0;
const DAY: f64 = 24.0 * HOUR;
/// Weeks in a month of average length.
const WEEKS_PER_MONTH: f64 = 365.25 / 12.0 / 7.0;

impl Band {
    /// Of days per week with a deployment.
    pub fn of_frequency(days_per_week: f64) -> Band {
        match days_per_week {
            d if d >= 5.0 => Band::Elite,
            d if d >= 1.0 => Band::High,
            d if d >= 1.0 / WEEKS_PER_MONTH => Band::Medium,
            _ => Band::Low,
        }
    }

    /// Of the lead time for changes, in seconds.
    pub fn of_lead_time(seconds: f64) -> Band {
        by_limits(seconds, [DAY, 7.0 * DAY, 30.0 * DAY])
    }

    /// Of the share of deployments that failed, 0 to 1.
    pub fn of_failure_rate(share: f64) -> Band {
        match share {
            s if s <= 0.05 => Band::Elite,
            s if s <= 0.10 => Band::High,
            s if s <= 0.15 => Band::Medium,
            _ => Band::Low,
        }
    }

    /// Of the time to recover, in seconds.
    pub fn of_recovery(seconds: f64) -> Band {
        by_limits(seconds, [HOUR, DAY, 7.0 * DAY])
    }
}

/// The first band whose limit the value stays below.
fn by_limits(value: f64, [elite, high, medium]: [f64; 3]) -> Band {
    match value {
        v if v < elite => Band::Elite,
        v if v < high => Band::High,
        v if v < medium => Band::Medium,
        _ => Band::Low,
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
    fn each_bound_belongs_to_the_band_that_the_table_says() {
        let frequency = [
            (7.0, Elite),
            (5.0, Elite),
            (4.9, High),
            (1.0, High),
            (0.25, Medium),
            (0.2, Low),
            (0.0, Low),
        ];
        for (value, band) in frequency {
            assert_eq!(Band::of_frequency(value), band, "{value} days a week");
        }
        let lead = [(DAY - 1.0, Elite), (DAY, High), (7.0 * DAY, Medium), (30.0 * DAY, Low)];
        for (value, band) in lead {
            assert_eq!(Band::of_lead_time(value), band, "{value} s of lead time");
        }
        let rate = [
            (0.0, Elite),
            (0.05, Elite),
            (0.0501, High),
            (0.10, High),
            (0.15, Medium),
            (0.16, Low),
        ];
        for (value, band) in rate {
            assert_eq!(Band::of_failure_rate(value), band, "{value} of deployments");
        }
        let recovery = [(HOUR - 1.0, Elite), (HOUR, High), (DAY, Medium), (7.0 * DAY, Low)];
        for (value, band) in recovery {
            assert_eq!(Band::of_recovery(value), band, "{value} s to recover");
        }
    }
}

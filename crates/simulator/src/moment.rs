//! Time inside the simulator: whole milliseconds, and every way the two services spell them.

use std::ops::{Add, Sub};

use chrono::{DateTime, Utc};

/// One second, in the milliseconds that [`Moment`] counts.
pub const SECOND: i64 = 1_000;
/// One minute, in milliseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour, in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// One day, in milliseconds.
pub const DAY: i64 = 24 * HOUR;

/// A moment, in milliseconds since 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// Cut to the second, which is as fine as GitHub's clock is.
    pub fn whole_second(self) -> Moment {
        Moment(self.0 - self.0.rem_euclid(SECOND))
    }

    /// The start of the day.
    pub fn midnight(self) -> Moment {
        Moment(self.0 - self.0.rem_euclid(DAY))
    }

    /// Whether it falls on a Saturday or a Sunday.
    pub fn is_weekend(self) -> bool {
        // 1 January 1970 was a Thursday.
        matches!((self.0.div_euclid(DAY) + 4).rem_euclid(7), 0 | 6)
    }

    /// As Jira spells it: `2026-10-01T08:41:07.512+0000`.
    pub fn jira(self) -> String {
        self.spelled(3, "+0000")
    }

    /// As GitHub spells it: `2026-10-01T08:41:07Z`.
    pub fn github(self) -> String {
        self.spelled(0, "Z")
    }

    /// RFC 3339 with exactly three decimals: `2026-10-01T08:41:07.512Z`.
    pub fn exact(self) -> String {
        self.spelled(3, "Z")
    }

    /// As HTTP spells it: `Thu, 01 Oct 2026 08:41:07 GMT`.
    pub fn http(self) -> String {
        let at = DateTime::from_timestamp_millis(self.0).unwrap_or_default();
        at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    // Written by hand because a page holds hundreds of them and strftime would dominate it.
    fn spelled(self, decimals: usize, zone: &str) -> String {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let within = self.0.rem_euclid(DAY);
        let mut text = String::with_capacity(28);
        digits(&mut text, year, 4);
        for (mark, value) in [('-', month), ('-', day)] {
            text.push(mark);
            digits(&mut text, value, 2);
        }
        let clock =
            [('T', within / HOUR), (':', within / MINUTE % 60), (':', within / SECOND % 60)];
        for (mark, value) in clock {
            text.push(mark);
            digits(&mut text, value, 2);
        }
        if decimals == 3 {
            text.push('.');
            digits(&mut text, within % SECOND, 3);
        }
        text.push_str(zone);
        text
    }
}

impl Add<i64> for Moment {
    type Output = Moment;

    /// Later by so many milliseconds.
    fn add(self, milliseconds: i64) -> Moment {
        Moment(self.0 + milliseconds)
    }
}

impl Sub for Moment {
    type Output = i64;

    /// The milliseconds between the two.
    fn sub(self, earlier: Moment) -> i64 {
        self.0 - earlier.0
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(time: DateTime<Utc>) -> Moment {
        Moment(time.timestamp_millis())
    }
}

impl From<Moment> for DateTime<Utc> {
    fn from(moment: Moment) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(moment.0).expect("a moment of ours")
    }
}

fn digits(text: &mut String, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        text.push(char::from(b'0' + digit as u8));
    }
}

/// Year, month and day of a day counted from 1970 (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_spelled_as_each_service_does() {
        for text in
            ["2026-10-01T08:41:07.512Z", "2024-02-29T23:59:59.000Z", "1970-01-01T00:00:00.001Z"]
        {
            let time: DateTime<Utc> = text.parse().unwrap();
            assert_eq!(Moment::from(time).exact(), text);
        }
        let moment = Moment(1_790_844_067_512);
        assert_eq!(moment.jira(), "2026-10-01T08:41:07.512+0000");
        assert_eq!(moment.github(), "2026-10-01T08:41:07Z");
    }

    #[test]
    fn weekends_are_found() {
        assert!(
            Moment::from("2026-10-03T12:00:00Z".parse::<DateTime<Utc>>().unwrap()).is_weekend()
        );
        assert!(
            !Moment::from("2026-10-05T12:00:00Z".parse::<DateTime<Utc>>().unwrap()).is_weekend()
        );
    }
}

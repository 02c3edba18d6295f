//! Chance that a seed decides: the same seed gives the same company, on every machine.

use crate::moment::{DAY, HOUR, Moment};

/// A seeded source of decisions.
#[derive(Debug, Clone)]
pub struct Chance(fastrand::Rng);

impl Chance {
    /// A source that gives the same decisions for the same seed.
    pub fn new(seed: u64) -> Chance {
        Chance(fastrand::Rng::with_seed(seed))
    }

    /// Whether something happens that does so in `percent` of all cases.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.0.u32(0..100) < percent
    }

    /// Whether something happens that does so in `permille` of a thousand cases.
    pub fn permille(&mut self, permille: u32) -> bool {
        self.0.u32(0..1_000) < permille
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.i64(low..=high.max(low))
    }

    /// An index below `len`, which must not be 0.
    pub fn index(&mut self, len: usize) -> usize {
        self.0.usize(0..len)
    }

    /// One of the choices.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.index(choices.len())]
    }

    /// A moment between the two.
    pub fn moment(&mut self, from: Moment, to: Moment) -> Moment {
        Moment(self.between(from.0, to.0))
    }

    /// A moment between the two that is mostly within working hours.
    pub fn working_moment(&mut self, from: Moment, to: Moment) -> Moment {
        for _ in 0..8 {
            let moment = self.moment(from, to);
            let hour = moment.0.rem_euclid(DAY) / HOUR;
            if !moment.is_weekend() && (7..19).contains(&hour) {
                return moment;
            }
        }
        self.moment(from, to)
    }

    /// Later than `from`, usually by around `median_hours`, at times by much more, and mostly not
    /// on a weekend.
    pub fn later(&mut self, from: Moment, median_hours: f64) -> Moment {
        let u = 0.02 + 0.96 * self.0.f64();
        // Log-logistic; only operations that every machine rounds alike.
        let hours = median_hours * (u / (1.0 - u)).sqrt();
        let moment = from + (hours * HOUR as f64) as i64 + 1;
        if moment.is_weekend() && self.percent(85) { moment + 2 * DAY } else { moment }
    }

    /// Lower-case hexadecimal digits, so many.
    pub fn hex(&mut self, len: usize) -> String {
        let mut text = String::with_capacity(len + 16);
        while text.len() < len {
            text.push_str(&format!("{:016x}", self.0.u64(..)));
        }
        text.truncate(len);
        text
    }
}

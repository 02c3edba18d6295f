//! How long to wait before asking again.

use std::time::Duration;

/// Doubling waits with a ceiling, spread so that callers do not come back all at once.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    first: Duration,
    ceiling: Duration,
}

impl Backoff {
    /// For Jira, GitHub and their like: 2 s doubling to 60 s.
    pub const UPSTREAM: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(60));

    /// For our own servers next door: 100 ms doubling to 5 s.
    pub const NEARBY: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

    /// Waits that start at `first` and never grow beyond `ceiling`, jitter aside.
    pub const fn new(first: Duration, ceiling: Duration) -> Backoff {
        Backoff { first, ceiling }
    }

    /// The wait before try `attempt` (0 is the first repetition); `roll` in 0..1 picks the jitter
    /// from 0.7 to 1.3.
    pub fn delay(&self, attempt: u32, roll: f64) -> Duration {
        let doubled = self.first.saturating_mul(2u32.saturating_pow(attempt));
        doubled.min(self.ceiling).mul_f64(0.7 + 0.6 * roll.clamp(0.0, 1.0))
    }

    /// The wait before try `attempt`, with the system's dice.
    pub fn jittered(&self, attempt: u32) -> Duration {
        self.delay(attempt, roll())
    }
}

/// A number from 0 to 1 that nobody can foresee.
pub fn roll() -> f64 {
    let random = getrandom::u32().expect("the operating system has randomness");
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_ceiling() {
        let seconds: Vec<u64> =
            (0..8).map(|attempt| Backoff::UPSTREAM.delay(attempt, 0.5).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(Backoff::UPSTREAM.delay(u32::MAX, 0.5).as_secs(), 60);
    }

    #[test]
    fn jitter_stays_within_three_tenths() {
        assert_eq!(Backoff::UPSTREAM.delay(0, 0.0), Duration::from_millis(1_400));
        assert_eq!(Backoff::UPSTREAM.delay(0, 1.0), Duration::from_millis(2_600));
        for _ in 0..100 {
            let delay = Backoff::UPSTREAM.jittered(9);
            assert!((42..=78).contains(&delay.as_secs()), "{delay:?}");
        }
    }
}

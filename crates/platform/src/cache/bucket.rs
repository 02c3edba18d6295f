//! The arithmetic of a budget that fills up steadily. `acquire.lua` says the same in Redis.

use std::time::Duration;

use super::Grant;

/// Nobody counts over longer than a day.
const LONGEST_WINDOW_MS: u64 = 24 * 60 * 60 * 1_000;

/// How much a budget holds, and how fast it fills.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) limit: u32,
    pub(super) window_ms: u64,
}

impl Rate {
    pub(super) fn new(limit: u32, window: Duration) -> Rate {
        let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        Rate { limit: limit.max(1), window_ms: window_ms.max(1) }
    }

    fn per_ms(&self) -> f64 {
        f64::from(self.limit) / self.window_ms as f64
    }
}

/// What is left of a budget, and when somebody looked last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    left: f64,
    seen_at_ms: u64,
    paused_until_ms: u64,
}

impl Bucket {
    /// Full, whatever that is: the rate caps it when somebody first asks.
    pub(super) fn full(now_ms: u64) -> Bucket {
        Bucket { left: f64::INFINITY, seen_at_ms: now_ms, paused_until_ms: 0 }
    }

    pub(super) fn acquire(&mut self, rate: Rate, n: u32, now_ms: u64) -> Grant {
        let passed_ms = now_ms.saturating_sub(self.seen_at_ms);
        let filled = self.left + passed_ms as f64 * rate.per_ms();
        self.left = filled.min(f64::from(rate.limit));
        self.seen_at_ms = self.seen_at_ms.max(now_ms);

        let wanted = f64::from(n.min(rate.limit));
        let pause_ms = self.paused_until_ms.saturating_sub(now_ms);
        // Rounding up and this grain of tolerance make sure that who waits as told is granted.
        let short = (wanted - self.left - 1e-6).max(0.0);
        let wait_ms = pause_ms.max((short / rate.per_ms()).ceil() as u64);
        if wait_ms > 0 {
            return Grant::Wait(Duration::from_millis(wait_ms));
        }
        self.left -= wanted;
        Grant::Granted
    }

    /// Whether nobody has asked for so long that it is full again, whatever its rate.
    pub(super) fn is_forgotten(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.seen_at_ms) > LONGEST_WINDOW_MS && self.paused_until_ms <= now_ms
    }

    pub(super) fn pause_until(&mut self, until_ms: u64) {
        self.paused_until_ms = self.paused_until_ms.max(until_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(ms: u64) -> Grant {
        Grant::Wait(Duration::from_millis(ms))
    }

    #[test]
    fn a_budget_empties_and_fills_steadily() {
        let rate = Rate::new(10, Duration::from_secs(1));
        let mut bucket = Bucket::full(0);
        for (now_ms, n, grant) in [
            (0, 7, Grant::Granted),
            (0, 3, Grant::Granted),
            (0, 1, wait(100)),
            (99, 1, wait(1)),
            (100, 1, Grant::Granted),
            (150, 1, wait(50)),
            (350, 2, Grant::Granted),
            (10_000, 11, Grant::Granted),
            (10_000, 11, wait(1_000)),
        ] {
            assert_eq!(bucket.acquire(rate, n, now_ms), grant, "{n} at {now_ms} ms");
        }
    }

    #[test]
    fn who_waits_as_told_is_granted() {
        for (limit, window_ms) in [(1, 1_000), (3, 1_000), (7, 333), (5_000, 3_600_000)] {
            let rate = Rate::new(limit, Duration::from_millis(window_ms));
            let mut bucket = Bucket::full(0);
            let mut now_ms = 0;
            for _ in 0..1_000 {
                if let Grant::Wait(wait) = bucket.acquire(rate, 1, now_ms) {
                    now_ms += wait.as_millis() as u64;
                    assert_eq!(bucket.acquire(rate, 1, now_ms), Grant::Granted);
                }
            }
        }
    }

    #[test]
    fn a_pause_grants_nothing_and_is_never_shortened() {
        let rate = Rate::new(10, Duration::from_secs(1));
        let mut bucket = Bucket::full(0);
        bucket.pause_until(5_000);
        bucket.pause_until(1_000);
        assert_eq!(bucket.acquire(rate, 1, 4_000), wait(1_000));
        assert_eq!(bucket.acquire(rate, 1, 5_000), Grant::Granted);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_away() {
        let rate = Rate::new(10, Duration::from_secs(1));
        let mut bucket = Bucket::full(10_000);
        assert_eq!(bucket.acquire(rate, 10, 10_000), Grant::Granted);
        assert_eq!(bucket.acquire(rate, 1, 5_000), wait(100));
        assert_eq!(bucket.acquire(rate, 1, 10_000), wait(100));
    }
}

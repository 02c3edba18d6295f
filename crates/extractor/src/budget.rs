//! Quotas: everybody who uses a credential shares its pace, and its pauses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::Moment;
use platform::cache::{Cache, Grant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Failure;

/// A wait up to here is sat out where we are; for a longer one the task is parked.
pub const SHORT_WAIT: Duration = Duration::from_secs(5);

/// While the cache is away nobody knows what the others take. Each process then takes this part of the
/// pace for itself, so that ten of them together stay within it.
const PART_ALONE: u32 = 10;

/// How fast a source may be asked with one credential.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Requests per window, over all processes.
    pub requests: u32,
    /// The window.
    pub window: Duration,
    /// Requests under way at a time, in this process.
    pub in_flight: usize,
}

/// The quotas of every credential of one kind of source.
#[derive(Clone)]
pub struct Quotas {
    cache: Cache,
    /// For as long as the other one is away.
    alone: Cache,
    pace: Pace,
    lanes: Arc<Mutex<HashMap<String, Arc<Lane>>>>,
}

/// What this process knows of a quota without asking the cache.
struct Lane {
    in_flight: Arc<Semaphore>,
    paused_until: Mutex<Option<Moment>>,
}

impl Quotas {
    /// Shared through `cache`.
    pub fn new(cache: Cache, pace: Pace) -> Quotas {
        Quotas { cache, alone: Cache::memory(), pace, lanes: Arc::default() }
    }

    /// The quota of the credential that `key` stands for.
    pub fn of(&self, key: &str) -> Quota {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(key.to_owned()).or_insert_with(|| {
            Arc::new(Lane {
                in_flight: Arc::new(Semaphore::new(self.pace.in_flight)),
                paused_until: Mutex::new(None),
            })
        });
        Quota {
            cache: self.cache.clone(),
            alone: self.alone.clone(),
            pace: self.pace,
            key: format!("quota:{key}"),
            lane: lane.clone(),
        }
    }
}

/// The quota of one credential.
#[derive(Clone)]
pub struct Quota {
    cache: Cache,
    alone: Cache,
    pace: Pace,
    key: String,
    lane: Arc<Lane>,
}

impl Quota {
    /// Waits for a turn to send `requests`. The turn lasts until the permit is dropped.
    ///
    /// # Errors
    /// [`Failure::Throttled`] when the wait would be long.
    pub async fn admit(&self, requests: u32) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = self.lane.in_flight.clone().acquire_owned().await;
        let turn = turn.expect("nobody closes the semaphore");
        loop {
            let Some(wait) = self.wait(requests).await else { return Ok(turn) };
            if wait > SHORT_WAIT {
                return Err(Failure::Throttled { until: after(wait) });
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Nobody sends anything with this credential before `until`.
    pub async fn pause(&self, until: Moment) {
        self.lane.pause(until);
        if let Err(error) = self.cache.pause_until(&self.key, until).await {
            tracing::warn!(%error, "could not tell other workers that a quota is used up");
        }
    }

    async fn wait(&self, requests: u32) -> Option<Duration> {
        if let Some(wait) = self.lane.paused_for() {
            return Some(wait);
        }
        let pace = self.pace;
        let grant = match self.cache.acquire(&self.key, pace.requests, pace.window, requests).await
        {
            Ok(grant) => grant,
            Err(error) => {
                tracing::debug!(%error, "no shared pace without the cache, going slowly");
                let part = (pace.requests / PART_ALONE).max(1);
                let alone = self.alone.acquire(&self.key, part, pace.window, requests).await;
                alone.expect("a cache in this process is never away")
            }
        };
        match grant {
            Grant::Granted => None,
            Grant::Wait(wait) => Some(wait),
        }
    }
}

impl Lane {
    fn pause(&self, until: Moment) {
        let mut paused = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused = Some(paused.map_or(until, |earlier| earlier.max(until)));
    }

    fn paused_for(&self) -> Option<Duration> {
        let until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        (until? - Utc::now()).to_std().ok().filter(|wait| !wait.is_zero())
    }
}

/// The moment when `wait` is over.
pub(crate) fn after(wait: Duration) -> Moment {
    Utc::now() + TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(7))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { requests: 1_000, window: Duration::from_secs(1), in_flight: 2 };

    #[tokio::test]
    async fn a_long_pause_holds_for_everybody_with_the_credential() {
        let quotas = Quotas::new(Cache::memory(), PACE);
        let until = after(Duration::from_secs(60));
        quotas.of("a").pause(until).await;
        let refused = quotas.of("a").admit(1).await.unwrap_err();
        assert!(
            matches!(refused, Failure::Throttled { until: told } if told <= after(Duration::from_secs(61)))
        );
        drop(quotas.of("b").admit(1).await.expect("another credential goes on"));
    }

    #[tokio::test]
    async fn a_pause_reaches_other_processes_through_the_cache() {
        let cache = Cache::memory();
        let here = Quotas::new(cache.clone(), PACE);
        let there = Quotas::new(cache, PACE);
        here.of("a").pause(after(Duration::from_secs(60))).await;
        assert!(there.of("a").admit(1).await.is_err());
    }

    #[tokio::test]
    async fn without_the_cache_a_process_takes_a_tenth_of_the_pace() {
        // Nobody listens there: every question is an error.
        let cache = Cache::open("redis://127.0.0.1:1").unwrap();
        let pace = Pace { requests: 30, window: Duration::from_secs(600), in_flight: 40 };
        let quota = Quotas::new(cache, pace).of("a");
        for _ in 0..3 {
            drop(quota.admit(1).await.expect("a tenth is granted"));
        }
        let refused = quota.admit(1).await.unwrap_err();
        assert!(matches!(refused, Failure::Throttled { .. }), "{refused}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_are_under_way_than_allowed() {
        let quota = Quotas::new(Cache::memory(), PACE).of("a");
        let first = quota.admit(1).await.unwrap();
        let second = quota.admit(1).await.unwrap();
        let third = tokio::time::timeout(Duration::from_secs(1), quota.admit(1));
        assert!(third.await.is_err(), "two are under way");
        drop((first, second));
        drop(quota.admit(1).await.unwrap());
    }
}

//! What the simulator was asked so far.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Counts since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Requests to Jira, GitHub and the Backend Service.
    pub requests: u64,
    /// Bytes of all bodies.
    pub bytes: u64,
    /// The most requests that were under way at once.
    pub max_concurrency: u64,
    /// Times that a caller was told to wait.
    pub throttled: u64,
    /// Requests by service: `jira`, `github` or `backend`.
    pub services: BTreeMap<String, u64>,
    /// Pages that were given although they had been given before, by route; if that is counted.
    pub repeated: BTreeMap<String, u64>,
    /// Requests by route.
    pub routes: BTreeMap<String, u64>,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
}

/// The counter behind [`Stats`].
#[derive(Debug, Default)]
pub struct Counter {
    stats: Mutex<Stats>,
    under_way: AtomicU64,
    /// The pages that were given.
    given: Mutex<HashSet<u64>>,
}

/// A request that is under way until this is dropped, answered or not.
pub struct UnderWay<'a>(&'a AtomicU64);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counter {
    /// A request comes in.
    pub fn enter(&self) -> UnderWay<'_> {
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        let mut stats = self.stats.lock().expect("nobody panics with the lock");
        stats.max_concurrency = stats.max_concurrency.max(under_way);
        UnderWay(&self.under_way)
    }

    /// An answer goes out.
    pub fn answered(&self, service: &str, route: &str, status: u16, bytes: usize, throttled: bool) {
        let mut stats = self.stats.lock().expect("nobody panics with the lock");
        stats.requests += 1;
        stats.bytes += bytes as u64;
        stats.throttled += u64::from(throttled);
        count(&mut stats.services, service);
        count(&mut stats.routes, route);
        *stats.statuses.entry(status).or_default() += 1;
    }

    /// A page goes out, known by its mark.
    pub fn gave(&self, route: &str, mark: u64) {
        if self.given.lock().expect("nobody panics with the lock").insert(mark) {
            return;
        }
        let mut stats = self.stats.lock().expect("nobody panics with the lock");
        *stats.repeated.entry(route.to_owned()).or_default() += 1;
    }

    /// The counts so far.
    pub fn so_far(&self) -> Stats {
        self.stats.lock().expect("nobody panics with the lock").clone()
    }

    /// Starts again from zero.
    pub fn reset(&self) {
        *self.stats.lock().expect("nobody panics with the lock") = Stats::default();
        self.given.lock().expect("nobody panics with the lock").clear();
    }
}

/// One more, without a new name where it is known.
fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

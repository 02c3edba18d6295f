//! The cache inside one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::broadcast;

use super::bucket::{Bucket, Rate};
use super::{Grant, Ring};

/// How many rings a listener may lag behind.
pub(super) const RINGS_KEPT: usize = 1024;
const SWEEP_FROM: usize = 1024;

#[derive(Debug, Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Shelves>>);

#[derive(Debug)]
struct Shelves {
    opened_at: Instant,
    values: HashMap<String, Kept<Bytes>>,
    counts: HashMap<String, Kept<u64>>,
    budgets: HashMap<String, Bucket>,
    bells: HashMap<String, broadcast::Sender<Ring>>,
    sweep_at: usize,
}

#[derive(Debug)]
struct Kept<T> {
    value: T,
    until: Instant,
}

impl Default for Shelves {
    fn default() -> Shelves {
        Shelves {
            opened_at: Instant::now(),
            values: HashMap::new(),
            counts: HashMap::new(),
            budgets: HashMap::new(),
            bells: HashMap::new(),
            sweep_at: SWEEP_FROM,
        }
    }
}

impl Shelves {
    fn now_ms(&self) -> u64 {
        self.opened_at.elapsed().as_millis().try_into().expect("we do not run that long")
    }

    /// Throws away what is over whenever the shelves have doubled.
    fn sweep(&mut self) {
        if self.len() < self.sweep_at {
            return;
        }
        let (now, now_ms) = (Instant::now(), self.now_ms());
        self.values.retain(|_, kept| kept.until > now);
        self.counts.retain(|_, kept| kept.until > now);
        self.budgets.retain(|_, bucket| !bucket.is_forgotten(now_ms));
        self.sweep_at = SWEEP_FROM.max(2 * self.len());
    }

    fn len(&self) -> usize {
        self.values.len() + self.counts.len() + self.budgets.len()
    }
}

impl Memory {
    pub(super) fn get(&self, key: &str) -> Option<Bytes> {
        let shelves = self.shelves();
        let kept = shelves.values.get(key).filter(|kept| kept.until > Instant::now())?;
        Some(kept.value.clone())
    }

    pub(super) fn set(&self, key: &str, value: Bytes, keep_for: Duration) {
        let mut shelves = self.shelves();
        shelves.sweep();
        let until = Instant::now() + keep_for;
        shelves.values.insert(key.to_owned(), Kept { value, until });
    }

    pub(super) fn set_if_absent(&self, key: &str, value: Bytes, keep_for: Duration) -> bool {
        let mut shelves = self.shelves();
        let now = Instant::now();
        if shelves.values.get(key).is_some_and(|kept| kept.until > now) {
            return false;
        }
        shelves.sweep();
        shelves.values.insert(key.to_owned(), Kept { value, until: now + keep_for });
        true
    }

    pub(super) fn take(&self, key: &str) -> Option<Bytes> {
        let kept = self.shelves().values.remove(key)?;
        (kept.until > Instant::now()).then_some(kept.value)
    }

    pub(super) fn increment(&self, key: &str, window: Duration) -> u64 {
        let mut shelves = self.shelves();
        shelves.sweep();
        let now = Instant::now();
        let fresh = || Kept { value: 0, until: now + window };
        let count = shelves.counts.entry(key.to_owned()).or_insert_with(fresh);
        if count.until <= now {
            *count = fresh();
        }
        count.value += 1;
        count.value
    }

    pub(super) fn acquire(&self, budget: &str, rate: Rate, n: u32) -> Grant {
        let mut shelves = self.shelves();
        shelves.sweep();
        let now_ms = shelves.now_ms();
        let full = || Bucket::full(now_ms);
        let bucket = shelves.budgets.entry(budget.to_owned()).or_insert_with(full);
        bucket.acquire(rate, n, now_ms)
    }

    pub(super) fn pause(&self, budget: &str, wait: Duration) {
        let mut shelves = self.shelves();
        let now_ms = shelves.now_ms();
        let until_ms = now_ms.saturating_add(wait.as_millis().try_into().unwrap_or(u64::MAX));
        let full = || Bucket::full(now_ms);
        shelves.budgets.entry(budget.to_owned()).or_insert_with(full).pause_until(until_ms);
    }

    pub(super) fn ring(&self, channel: &str, text: String) {
        let mut shelves = self.shelves();
        let Some(bell) = shelves.bells.get(channel) else { return };
        if bell.send(Ring::Said(text)).is_err() {
            // The last listener has gone.
            shelves.bells.remove(channel);
        }
    }

    pub(super) fn listen(&self, channel: &str) -> broadcast::Receiver<Ring> {
        let mut shelves = self.shelves();
        let hung_up = || broadcast::Sender::new(RINGS_KEPT);
        shelves.bells.entry(channel.to_owned()).or_insert_with(hung_up).subscribe()
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().expect("nobody panics between the shelves")
    }
}

//! How much callers may ask for, by the real clock.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::Utc;

/// Windows of one length, each with the same grant, by whoever asks.
#[derive(Debug)]
pub struct Quota {
    grant: u32,
    window: Duration,
    windows: Mutex<HashMap<String, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    /// The end, in seconds since 1970.
    reset: i64,
    used: u32,
}

/// How a caller stands.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// What each window grants.
    pub limit: u32,
    /// What was used.
    pub used: u32,
    /// When the window ends, in seconds since 1970.
    pub reset: i64,
}

impl Standing {
    /// What is left.
    pub fn remaining(&self) -> u32 {
        self.limit.saturating_sub(self.used)
    }
}

impl Quota {
    /// So much per window.
    pub fn new(grant: u32, window: Duration) -> Quota {
        Quota { grant, window, windows: Mutex::default() }
    }

    /// Charges a caller, 0 to only look.
    pub fn charge(&self, who: &str, cost: u32) -> Standing {
        let mut windows = self.windows.lock().expect("nobody panics with the lock");
        let fresh = || Window {
            began: Instant::now(),
            reset: Utc::now().timestamp() + self.window.as_secs() as i64,
            used: 0,
        };
        let window = windows.entry(who.to_owned()).or_insert_with(fresh);
        if window.began.elapsed() >= self.window {
            *window = fresh();
        }
        window.used = window.used.saturating_add(cost);
        Standing { limit: self.grant, used: window.used.min(self.grant), reset: window.reset }
    }
}

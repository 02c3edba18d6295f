//! Who asks for a lease.

use std::sync::atomic::{AtomicU64, Ordering};

/// A name to ask for one lease under: `worker`, and a number that this process uses once. Whoever asks
/// again under the same name, since no answer came, gets the same lease.
pub fn asker(worker: &str) -> String {
    static ASKED: AtomicU64 = AtomicU64::new(1);
    format!("{worker}/{}", ASKED.fetch_add(1, Ordering::Relaxed))
}

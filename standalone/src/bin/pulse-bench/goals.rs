//! What the product is held to.

/// Data steps by the floor's time, when the source answers at once.
pub const RATIO_AT_ONCE: f64 = 2.0;
/// Data steps by the floor's time, when the source is far away.
pub const RATIO_FAR_AWAY: f64 = 1.2;
/// Peak memory of the program, in bytes.
pub const PEAK_BYTES: u64 = 100 * 1024 * 1024;
/// Requests for each pull request.
pub const REQUESTS_PER_PULL_REQUEST: f64 = 0.07;
/// Requests for each issue: a hundred per page of the search, a thousand per page of histories.
pub const REQUESTS_PER_ISSUE: f64 = 1.0 / 100.0 + 1.0 / 1_000.0;

/// The goal for the ratio at a latency.
pub fn ratio(latency_ms: u64) -> f64 {
    if latency_ms == 0 { RATIO_AT_ONCE } else { RATIO_FAR_AWAY }
}

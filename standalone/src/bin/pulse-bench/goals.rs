//! What the product is held to.

use std::time::Duration;

/// Data steps by the floor's time, when the source answers at once.
pub const RATIO_AT_ONCE: f64 = 2.0;
/// Data steps by the floor's time, when the source is far away.
pub const RATIO_FAR_AWAY: f64 = 1.2;
/// Peak memory of the program, in bytes.
pub const PEAK_BYTES: u64 = 100 * 1024 * 1024;
/// All due jobs of a minute run by then.
pub const DISPATCH_WITHIN: Duration = Duration::from_secs(5);
/// Of one core, for all services together while nobody does anything.
pub const IDLE_CPU_PERCENT: f64 = 1.0;
/// Requests for each pull request, with everything.
pub const REQUESTS_PER_PULL_REQUEST: f64 = 0.07;

/// How much sooner a job is done by so many workers than by one.
pub const SPEEDUPS: [(usize, f64); 2] = [(2, 1.8), (4, 3.0)];

/// Speed of the store's bulk load by that of a plain COPY.
pub const BULK_SHARE: f64 = 0.6;

/// Requests for issues and their histories: a hundred issues per page, a thousand entries of
/// histories that a search cut off, and what is left over in each project.
pub fn issue_requests(issues: u32, cut_off_entries: u64, projects: usize) -> f64 {
    let whole_pages = f64::from(issues) / 100.0 + cut_off_entries as f64 / 1_000.0;
    whole_pages + 2.0 * projects as f64
}

/// The goal for the ratio at a latency.
pub fn ratio(latency_ms: u64) -> f64 {
    if latency_ms == 0 { RATIO_AT_ONCE } else { RATIO_FAR_AWAY }
}

/// All metrics of a very large client, computed anew.
pub const RECOMPUTE_S: f64 = 120.0;
/// Peak memory of that, in bytes.
pub const RECOMPUTE_PEAK_BYTES: u64 = 600_000_000;
/// So many changed issues of such a client are in the metrics by then.
pub const CHANGED_ISSUES: u32 = 1_000;
pub const CATCH_UP_S: f64 = 3.0;
/// A question of a dashboard, in milliseconds.
pub const QUESTION_P95_MS: f64 = 100.0;

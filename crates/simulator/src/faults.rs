//! What goes wrong on request, decided by counting and never by chance.

use std::sync::Mutex;

use serde::Deserialize;

/// One thing that goes wrong, on each so-many-th request that it fits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// A part of the path, for example `/jira/` or `search/jql`; empty fits every request to
    /// Jira and GitHub.
    #[serde(default)]
    pub path: String,
    /// What happens.
    pub kind: FaultKind,
    /// On each so-many-th request that fits; 1 is each.
    #[serde(default = "one")]
    pub every: u64,
    /// Leaves the first so many alone.
    #[serde(default)]
    pub after: u64,
    /// Happens so many times, then never again.
    #[serde(default)]
    pub times: Option<u64>,
    /// The header `Retry-After`: seconds, `date`, `past`, or absent.
    #[serde(default)]
    pub retry_after: Option<String>,
    /// The status of a server error; 503 unless told.
    #[serde(default)]
    pub status: Option<u16>,
}

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429, or GitHub's GraphQL answer for it.
    Throttle,
    /// 403 with GitHub's text for its secondary limit.
    Secondary,
    /// A 5xx status, with an HTML body.
    ServerError,
    /// 401.
    Unauthorized,
    /// Half of the body, then the connection ends.
    Truncate,
    /// A body that is no JSON.
    Malform,
    /// No answer for an hour.
    Hang,
    /// A byte each 50 milliseconds.
    Drip,
    /// 100 MB of blanks before the body.
    Bloat,
}

fn one() -> u64 {
    1
}

/// The faults in force, with their counters.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<(Fault, Counter)>>);

#[derive(Debug, Default)]
struct Counter {
    fits: u64,
    fired: u64,
}

impl Faults {
    /// These, with counters at zero.
    pub fn new(faults: Vec<Fault>) -> Faults {
        let faults = faults.into_iter().map(|fault| (fault, Counter::default())).collect();
        Faults(Mutex::new(faults))
    }

    /// Puts others in force.
    pub fn replace(&self, faults: Vec<Fault>) {
        let Faults(fresh) = Faults::new(faults);
        let fresh = fresh.into_inner().expect("a fresh lock is not poisoned");
        *self.0.lock().expect("nobody panics with the lock") = fresh;
    }

    /// What goes wrong with a request for this path, if anything.
    pub fn strike(&self, path: &str) -> Option<Fault> {
        let upstream = path.starts_with("/jira/") || path.starts_with("/github/");
        let mut faults = self.0.lock().expect("nobody panics with the lock");
        for (fault, counter) in faults.iter_mut() {
            let fits = if fault.path.is_empty() { upstream } else { path.contains(&fault.path) };
            if !fits {
                continue;
            }
            counter.fits += 1;
            let spent = fault.times.is_some_and(|times| counter.fired >= times);
            let due = counter.fits > fault.after
                && (counter.fits - fault.after).is_multiple_of(fault.every.max(1));
            if due && !spent {
                counter.fired += 1;
                return Some(fault.clone());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_strike_by_count() {
        let fault: Fault =
            serde_json::from_str(r#"{"path":"search","kind":"throttle","every":3,"times":2}"#)
                .unwrap();
        let faults = Faults::new(vec![fault]);
        let struck: Vec<bool> =
            (0..12).map(|_| faults.strike("/jira/rest/api/3/search/jql").is_some()).collect();
        let hits: Vec<usize> = (0..12).filter(|&at| struck[at]).collect();
        assert_eq!(hits, [2, 5]);
        assert!(faults.strike("/jira/rest/api/3/field").is_none());
    }
}

//! Everything that the services share.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use chrono::Utc;

use crate::backend::Sessions;
use crate::cache::Cache;
use crate::company::Company;
use crate::faults::Faults;
use crate::moment::{Moment, SECOND};
use crate::options::Options;
use crate::quota::Quota;
use crate::request::Answer;
use crate::stats::Counter;
use crate::world::{Size, World};

/// Positions of the issues found, by the position of the client and the query.
pub type Results = HashMap<(usize, String), Arc<Vec<usize>>>;

/// What all requests share.
pub struct State {
    /// How the simulator was started.
    pub options: Options,
    /// Where callers reach it.
    pub url: String,
    /// The clients.
    pub companies: RwLock<Vec<Company>>,
    /// Pages rendered since the clock was last advanced.
    pub pages: Cache,
    /// Results of searches since the clock was last advanced, by client and query.
    pub results: Mutex<Results>,
    /// What goes wrong.
    pub faults: Faults,
    /// How long each answer takes, in milliseconds.
    pub latency_ms: AtomicU64,
    /// What was asked.
    pub counter: Counter,
    /// Who is signed in at the Backend Service.
    pub sessions: Sessions,
    /// GitHub's REST API.
    pub rest_quota: Quota,
    /// GitHub's GraphQL API.
    pub graphql_quota: Quota,
    /// Jira, if it counts.
    pub jira_quota: Option<Quota>,
    /// The Backend Service, if it counts.
    pub backend_quota: Option<Quota>,
    advanced: Mutex<Advanced>,
}

/// When and how far the clock was advanced.
struct Advanced {
    /// The company's clock at the last look, and the real one then.
    clock: Moment,
    looked: Instant,
    last: Option<Instant>,
}

impl State {
    /// A state around freshly made companies.
    pub fn new(options: Options, url: String) -> State {
        let now = Moment::from(options.now.unwrap_or_else(Utc::now)).whole_second();
        let first = Size {
            issues: options.issues,
            pull_requests: options.pull_requests,
            projects: options.projects,
            repositories: options.repositories,
            days: options.days,
        };
        let second = Size {
            issues: 60,
            pull_requests: 30,
            projects: 2,
            repositories: 2,
            days: options.days,
        };
        let seed = options.seed;
        let other_seed = seed.wrapping_add(7_919);
        let companies = vec![
            Company::new(1, "Quillmark", seed, World::create("quillmark", 0, seed, first, now)),
            Company::new(
                2,
                "Fernhollow",
                other_seed,
                World::create("fernhollow", 50_000_000, other_seed, second, now),
            ),
        ];
        let per = |grant: Option<u32>, seconds| {
            grant.map(|grant| Quota::new(grant, Duration::from_secs(seconds)))
        };
        let hour = Duration::from_secs(3600);
        State {
            url,
            companies: RwLock::new(companies),
            pages: Cache::default(),
            results: Mutex::default(),
            faults: Faults::new(options.faults.clone()),
            latency_ms: AtomicU64::new(options.latency.as_millis() as u64),
            counter: Counter::default(),
            sessions: Sessions::new(seed, options.backend),
            rest_quota: Quota::new(options.github_hourly, hour),
            graphql_quota: Quota::new(options.github_hourly, hour),
            jira_quota: per(options.jira_per_second, 1),
            backend_quota: per(options.backend_per_minute, 60),
            advanced: Mutex::new(Advanced { clock: now, looked: Instant::now(), last: None }),
            options,
        }
    }

    /// The clients, for reading.
    pub fn companies(&self) -> RwLockReadGuard<'_, Vec<Company>> {
        self.companies.read().expect("nobody panics with the lock")
    }

    /// Lets time pass, and returns the new present.
    pub fn advance(&self, by: Duration) -> Moment {
        let mut advanced = self.advanced.lock().expect("nobody panics with the lock");
        let from = self.present(&advanced);
        let to = from + (by.as_millis() as i64).max(1);
        let mut companies = self.companies.write().expect("nobody panics with the lock");
        for company in companies.iter_mut() {
            company.world.advance(from, to);
        }
        *advanced = Advanced {
            // Whole seconds, so that GitHub's coarser stamps never fall before them.
            clock: (to + (SECOND - 1)).whole_second(),
            looked: Instant::now(),
            last: Some(Instant::now()),
        };
        self.pages.clear();
        self.results.lock().expect("nobody panics with the lock").clear();
        to
    }

    /// Lets something happen to the first client now, without letting time pass.
    pub fn act<T>(&self, deed: impl FnOnce(&mut World, Moment) -> T) -> T {
        let advanced = self.advanced.lock().expect("nobody panics with the lock");
        let now = self.present(&advanced);
        let mut companies = self.companies.write().expect("nobody panics with the lock");
        let done = deed(&mut companies[0].world, now);
        self.pages.clear();
        self.results.lock().expect("nobody panics with the lock").clear();
        done
    }

    /// What the company's clock says now, to the second.
    pub fn now(&self) -> Moment {
        self.present(&self.advanced.lock().expect("nobody panics with the lock"))
    }

    fn present(&self, advanced: &Advanced) -> Moment {
        let ticked = match self.options.now {
            Some(_) => 0,
            None => advanced.looked.elapsed().as_millis() as i64 / SECOND * SECOND,
        };
        advanced.clock + ticked
    }

    /// Whether Jira's search has not yet seen what was edited last.
    pub fn search_lags(&self) -> bool {
        let advanced = self.advanced.lock().expect("nobody panics with the lock");
        advanced.last.is_some_and(|last| last.elapsed() < self.options.search_lag)
    }

    /// The page behind `key`, rendered if it is asked for the first time.
    pub fn page(&self, key: &[u8], render: impl FnOnce(&[Company]) -> Answer) -> Arc<Answer> {
        if let Some(page) = self.pages.get(key) {
            return page;
        }
        // Kept under the same lock, or an advance in between would leave an old page behind.
        let companies = self.companies();
        let page = Arc::new(render(&companies));
        self.pages.put(key, &page);
        page
    }
}

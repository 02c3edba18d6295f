//! What time it is: the world's time, or a test's.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DurationRound, TimeDelta, Utc};
use domain::Moment;

/// Tells the time; clones tell the same.
#[derive(Debug, Clone)]
pub struct Clock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    System,
    Manual(Arc<Mutex<Moment>>),
}

impl Clock {
    /// The world's time.
    pub fn system() -> Clock {
        Clock(Kind::System)
    }

    /// Stands still at `moment` until it is moved.
    pub fn manual(moment: Moment) -> Clock {
        Clock(Kind::Manual(Arc::new(Mutex::new(moment))))
    }

    /// Now, cut to microseconds.
    pub fn now(&self) -> Moment {
        let now = match &self.0 {
            Kind::System => Utc::now(),
            Kind::Manual(moment) => *moment.lock().unwrap_or_else(PoisonError::into_inner),
        };
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }

    /// Moves a clock that stands still; the world's time cannot be moved.
    pub fn advance(&self, by: TimeDelta) {
        if let Kind::Manual(moment) = &self.0 {
            *moment.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }
}

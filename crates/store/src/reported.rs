//! What was reported on days of the past, as it was told then.

use domain::Moment;
use domain::ids::ClientId;

use crate::db::{ask, keep};
use crate::types::Ts;
use crate::{Error, Metrics};

/// A report of a day of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Of which day: days since 1970 in the client's zone.
    pub day: i32,
    /// When it was told.
    pub told_at: Moment,
    /// What was told, as whoever kept it spells it.
    pub answer: Vec<u8>,
}

impl Metrics {
    /// Keeps what is told on a day by the names of reports, in place of what was told earlier that day.
    /// Days of more than two years ago are forgotten.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn keep_reported(
        &self,
        client: ClientId,
        day: i32,
        told_at: Moment,
        answers: Vec<(&'static str, Vec<u8>)>,
    ) -> Result<(), Error> {
        keep!(self.db(), reported::keep(client.into(), day, Ts(told_at), &answers))
    }

    /// What a report told on a day, or last before it.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn reported(
        &self,
        client: ClientId,
        report: String,
        day: i32,
    ) -> Result<Option<Reported>, Error> {
        ask!(self.db(), reported::last(client.into(), &report, day))
    }

    /// The first day of which a report is kept.
    ///
    /// # Errors
    /// See [`Metrics::repositories`].
    pub async fn first_reported(
        &self,
        client: ClientId,
        report: String,
    ) -> Result<Option<i32>, Error> {
        ask!(self.db(), reported::first_day(client.into(), &report))
    }
}

//! What nobody looks at any more.

use domain::Moment;
use domain::ids::ClientId;

use super::Work;
use crate::Error;
use crate::db::{ask, keep};
use crate::types::{Id, Ts};

impl Work {
    /// Clients with runs that ended before then.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn clients_with_old_runs(
        &self,
        ended_before: Moment,
    ) -> Result<Vec<ClientId>, Error> {
        let ids: Vec<Id> = ask!(self.db, work::old::clients(Ts(ended_before)))?;
        Ok(ids.into_iter().map(ClientId::from).collect())
    }

    /// Forgets a client's runs that ended before then, with their steps, tasks and gaps. The newest
    /// runs of each job stay however old they are: one may go on with the slices of another. Tells
    /// how many were forgotten.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn forget_runs(
        &self,
        client: ClientId,
        ended_before: Moment,
    ) -> Result<usize, Error> {
        let mut forgotten = 0;
        loop {
            // A few at a time, so that nobody waits long for what a transaction holds.
            let some: usize = keep!(self.db, work::old::forget(client.into(), Ts(ended_before)))?;
            if some == 0 {
                return Ok(forgotten);
            }
            forgotten += some;
        }
    }
}

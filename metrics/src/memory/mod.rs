//! What was published, held in memory in an order in which questions are answered at once.
//!
//! Loaded when it is first asked for and once for each publication. There is room for so many bytes of
//! each kind; a client that does not fit is answered from the database, window by window.

pub mod dora;
pub mod flow;
mod groups;
mod keys;
pub mod pull_requests;
pub mod ranked;
pub mod rows;
mod shelf;

use domain::ids::ClientId;

use self::dora::DoraFacts;
use self::flow::FlowFacts;
use self::pull_requests::PullRequestFacts;
pub use self::shelf::AtHand;
use self::shelf::{Held, Shelf};

/// Of each kind. A client with a million issues and as many pull requests takes about half of each.
const ROOM_BYTES: usize = 256 * 1024 * 1024;

/// Facts of clients, of every kind.
#[derive(Debug, Clone)]
pub struct Memory {
    dora: Shelf<DoraFacts>,
    flow: Shelf<FlowFacts>,
    pull_requests: Shelf<PullRequestFacts>,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new(ROOM_BYTES)
    }
}

impl Memory {
    /// With room for so many bytes of each kind.
    pub fn new(room: usize) -> Memory {
        Memory { dora: Shelf::new(room), flow: Shelf::new(room), pull_requests: Shelf::new(room) }
    }

    /// What DORA's values are made from, of this publication or a later one.
    ///
    /// # Errors
    /// The store's.
    pub async fn dora(
        &self,
        facts: &store::Metrics,
        client: ClientId,
        publication: i64,
    ) -> Result<AtHand<DoraFacts>, store::Error> {
        let (facts, builder) = (facts.clone(), dora::Builder::new(self.dora.room()));
        let load = move || async move {
            let taken = facts.take_dora(client, builder).await?;
            Ok(crate::aside::aside(move || taken.build()).await)
        };
        self.dora.facts(client, publication, load).await
    }

    /// What the flow is made from, of this publication or a later one.
    ///
    /// # Errors
    /// The store's.
    pub async fn flow(
        &self,
        facts: &store::Metrics,
        client: ClientId,
        publication: i64,
    ) -> Result<AtHand<FlowFacts>, store::Error> {
        let (facts, builder) = (facts.clone(), flow::Builder::new(self.flow.room()));
        let load = move || async move {
            let taken = facts.take_flow(client, builder).await?;
            Ok(crate::aside::aside(move || taken.build()).await)
        };
        self.flow.facts(client, publication, load).await
    }

    /// What a report on pull requests is made from, of this publication or a later one.
    ///
    /// # Errors
    /// The store's.
    pub async fn pull_requests(
        &self,
        facts: &store::Metrics,
        client: ClientId,
        publication: i64,
    ) -> Result<AtHand<PullRequestFacts>, store::Error> {
        let builder = pull_requests::Builder::new(self.pull_requests.room());
        let facts = facts.clone();
        let load = move || async move {
            let taken = facts.take_pull_requests(client, builder).await?;
            Ok(crate::aside::aside(move || taken.build()).await)
        };
        self.pull_requests.facts(client, publication, load).await
    }
}

macro_rules! held {
    ($($facts:ty),+) => {$(
        impl Held for $facts {
            fn publication(&self) -> i64 {
                self.publication
            }

            fn bytes(&self) -> usize {
                self.bytes()
            }
        }
    )+};
}
held!(DoraFacts, FlowFacts, PullRequestFacts);

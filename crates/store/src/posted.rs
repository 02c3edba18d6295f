//! Deployments that whoever deploys tells us. The gateway writes them, and no sync touches them.

use domain::deployment::Deployment;
use domain::ids::ClientId;
use domain::rules::{DeploymentRules, Source};
use domain::text::folded;

use crate::Error;
use crate::db::{Db, ask, keep};
use crate::metrics::Repository;
use crate::rules::InForce;
use crate::types::Id;

/// A handle on the deployments that were posted.
#[derive(Clone)]
pub struct Posted(Db);

impl Posted {
    /// Over `db`.
    pub fn new(db: Db) -> Posted {
        Posted(db)
    }

    /// The client's repositories of this name, whatever its case, that count: one per connection.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn repositories(
        &self,
        client: ClientId,
        full_name: &str,
    ) -> Result<Vec<Repository>, Error> {
        let rows: Vec<(Id, i64, String)> = ask!(self.0, metrics::repositories(client.into()))?;
        let wanted = folded(full_name);
        let found = rows.into_iter().filter(|(_, _, name)| folded(name) == wanted);
        let repository = |(integration, id, full_name): (Id, _, _)| Repository {
            integration: integration.into(),
            id,
            full_name,
        };
        Ok(found.map(repository).collect())
    }

    /// Keeps a deployment in the place of what was posted under its id before, from which it takes
    /// nothing back, and answers what is kept. If the rules ask for what is posted, the metrics are
    /// computed anew.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn put(
        &self,
        client: ClientId,
        repository: &Repository,
        told: Deployment,
        rules: &InForce<DeploymentRules>,
    ) -> Result<Deployment, Error> {
        let (integration, id) = (repository.integration.into(), repository.id);
        let counts = rules.rules.of(&repository.full_name).ask(Source::Api);
        let version = rules.version;
        keep!(self.0, posted::put(client.into(), integration, id, &told, counts, version))
    }
}

//! What clients say about their delivery: which deployments count, which issues are incidents, which
//! repositories belong to which project, and who is a machine. The gateway writes it; what it may say is the domain's.

use domain::ids::ClientId;
use domain::rules::{
    BotRules, DeploymentRule, DeploymentRules, IncidentRule, IncidentRules, ProjectRule,
    ProjectRules,
};
use domain::workflow::Seen;

use crate::Error;
use crate::db::{Db, ask, blocking, keep};

/// A handle on the rules.
#[derive(Clone)]
pub struct Rules(Db);

/// Rules that hold for a client.
#[derive(Debug, Clone)]
pub struct InForce<R> {
    /// The rules.
    pub rules: R,
    /// The client chose none.
    pub is_default: bool,
    /// Grows with each change; 0 before the first.
    pub version: i64,
}

impl Rules {
    /// Over `db`.
    pub fn new(db: Db) -> Rules {
        Rules(db)
    }

    /// Which deployments count.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn deployments(&self, client: ClientId) -> Result<InForce<DeploymentRules>, Error> {
        ask!(self.0, rules::deployments(client))
    }

    /// Replaces the rules that say which deployments count; none bring the defaults back.
    ///
    /// # Errors
    /// [`Error::Rules`] if they cannot be, or are not those that the caller saw.
    pub async fn put_deployments(
        &self,
        client: ClientId,
        written: Vec<DeploymentRule>,
        seen: Seen,
    ) -> Result<InForce<DeploymentRules>, Error> {
        // Reading patterns takes a while, and SQLite has one writer.
        let checked = blocking(move || Ok(DeploymentRules::check(written)?)).await?;
        keep!(self.0, rules::put_deployments(client, &checked, seen))
    }

    /// Which issues are incidents.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn incidents(&self, client: ClientId) -> Result<InForce<IncidentRules>, Error> {
        ask!(self.0, rules::incidents(client))
    }

    /// Replaces the rules that say which issues are incidents; none bring the defaults back.
    ///
    /// # Errors
    /// [`Error::Rules`] if they cannot be, or are not those that the caller saw.
    pub async fn put_incidents(
        &self,
        client: ClientId,
        written: Vec<IncidentRule>,
        seen: Seen,
    ) -> Result<InForce<IncidentRules>, Error> {
        keep!(self.0, rules::put_incidents(client, &written, seen))
    }

    /// Which repositories belong to which project.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn projects(&self, client: ClientId) -> Result<InForce<ProjectRules>, Error> {
        ask!(self.0, rules::projects(client))
    }

    /// Replaces the rules that say which repositories belong to which project.
    ///
    /// # Errors
    /// [`Error::Rules`] if they cannot be, or are not those that the caller saw.
    pub async fn put_projects(
        &self,
        client: ClientId,
        written: Vec<ProjectRule>,
        seen: Seen,
    ) -> Result<InForce<ProjectRules>, Error> {
        let checked = ProjectRules::check(written)?;
        keep!(self.0, rules::put_projects(client, &checked, seen))
    }

    /// Who is a machine.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn bots(&self, client: ClientId) -> Result<InForce<BotRules>, Error> {
        ask!(self.0, rules::bots(client))
    }

    /// Replaces the logins that are machines.
    ///
    /// # Errors
    /// [`Error::Rules`] if they cannot be, or are not those that the caller saw.
    pub async fn put_bots(
        &self,
        client: ClientId,
        logins: Vec<String>,
        seen: Seen,
    ) -> Result<InForce<BotRules>, Error> {
        let checked = BotRules::check(logins)?;
        keep!(self.0, rules::put_bots(client, &checked, seen))
    }
}

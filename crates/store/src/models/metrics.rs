//! Rows of what is derived from the facts.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text};
use domain::deployment::Deployment;

use crate::Error;
use crate::fact_table::fact_rows;
use crate::metrics::{DeploymentFact, PullRequestFact};
use crate::schema::{
    deployment_facts, incident_facts, posted_deployments, pull_request_facts, pull_request_issues,
    snapshots,
};
use crate::types::{Id, Json, Ts, Tstz};

/// A row of `pull_request_issues`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = pull_request_issues, treat_none_as_default_value = false)]
pub(crate) struct LinkRow {
    pub(crate) client_id: Id,
    pub(crate) integration_id: Id,
    pub(crate) repository_id: i64,
    pub(crate) number: i64,
    pub(crate) issue_integration_id: Id,
    pub(crate) issue_id: i64,
    pub(crate) via: String,
    pub(crate) key_seen: String,
}

/// A row of `pull_request_facts`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = pull_request_facts)]
pub(crate) struct PullRequestFactRow {
    pub(crate) client_id: Id,
    pub(crate) integration_id: Id,
    pub(crate) repository_id: i64,
    pub(crate) number: i64,
    pub(crate) first_commit_at: Option<Ts>,
    pub(crate) first_review_at: Option<Ts>,
    pub(crate) coding_seconds: Option<f64>,
    pub(crate) pickup_seconds: Option<f64>,
    pub(crate) review_seconds: Option<f64>,
    pub(crate) deploy_seconds: Option<f64>,
    pub(crate) lead_seconds: Option<f64>,
    pub(crate) deployment_id: Option<String>,
    pub(crate) deployed_at: Option<Ts>,
    pub(crate) author_is_bot: bool,
    pub(crate) is_open: bool,
    pub(crate) draft: bool,
    pub(crate) opened_at: Ts,
    pub(crate) merged_at: Option<Ts>,
    pub(crate) lines: i64,
    pub(crate) files: i64,
    pub(crate) reviews: i64,
    pub(crate) reviewers: i64,
    pub(crate) comments: i64,
    pub(crate) review_rounds: i64,
    pub(crate) reverted: bool,
}

fact_rows! {
    /// The same, as many are kept at once.
    PullRequestFactPut of "pull_request_facts", staged in staged_pull_request_facts {
        key {
            repository_id: i64 as BigInt,
            number: i64 as BigInt,
        }
        rest {
            first_commit_at: Option<Ts> as Nullable<Tstz>,
            first_review_at: Option<Ts> as Nullable<Tstz>,
            coding_seconds: Option<f64> as Nullable<Double>,
            pickup_seconds: Option<f64> as Nullable<Double>,
            review_seconds: Option<f64> as Nullable<Double>,
            deploy_seconds: Option<f64> as Nullable<Double>,
            lead_seconds: Option<f64> as Nullable<Double>,
            deployment_id: Option<String> as Nullable<Text>,
            deployed_at: Option<Ts> as Nullable<Tstz>,
            author_is_bot: bool as Bool,
            is_open: bool as Bool,
            draft: bool as Bool,
            opened_at: Ts as Tstz,
            merged_at: Option<Ts> as Nullable<Tstz>,
            lines: i64 as BigInt,
            files: i64 as BigInt,
            reviews: i64 as BigInt,
            reviewers: i64 as BigInt,
            comments: i64 as BigInt,
            review_rounds: i64 as BigInt,
            reverted: bool as Bool,
        }
    }
}

impl From<PullRequestFactRow> for PullRequestFact {
    fn from(row: PullRequestFactRow) -> PullRequestFact {
        PullRequestFact {
            integration: row.integration_id.into(),
            repository: row.repository_id,
            number: row.number,
            first_commit_at: row.first_commit_at.map(|at| at.0),
            first_review_at: row.first_review_at.map(|at| at.0),
            coding_seconds: row.coding_seconds,
            pickup_seconds: row.pickup_seconds,
            review_seconds: row.review_seconds,
            deploy_seconds: row.deploy_seconds,
            lead_seconds: row.lead_seconds,
            deployment: row.deployment_id,
            deployed_at: row.deployed_at.map(|at| at.0),
            author_is_bot: row.author_is_bot,
            is_open: row.is_open,
            draft: row.draft,
            opened_at: row.opened_at.0,
            merged_at: row.merged_at.map(|at| at.0),
            lines: row.lines,
            files: row.files,
            reviews: row.reviews,
            reviewers: row.reviewers,
            comments: row.comments,
            review_rounds: row.review_rounds,
            reverted: row.reverted,
        }
    }
}

/// A row of `deployment_facts`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = deployment_facts, treat_none_as_default_value = false)]
pub(crate) struct DeploymentFactRow {
    pub(crate) client_id: Id,
    pub(crate) integration_id: Id,
    pub(crate) repository_id: i64,
    pub(crate) external_id: String,
    pub(crate) source: String,
    pub(crate) environment_seen: String,
    pub(crate) sha: String,
    pub(crate) outcome: String,
    pub(crate) created_at: Ts,
    pub(crate) finished_at: Option<Ts>,
    pub(crate) estimated: bool,
    pub(crate) environment: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) previous_id: Option<String>,
    pub(crate) rollback: bool,
    pub(crate) rolled_back: bool,
    pub(crate) pull_requests: i64,
    pub(crate) incidents: i64,
    pub(crate) succeeded_at: Option<Ts>,
}

impl TryFrom<DeploymentFactRow> for DeploymentFact {
    type Error = Error;

    fn try_from(row: DeploymentFactRow) -> Result<DeploymentFact, Error> {
        Ok(DeploymentFact {
            integration: row.integration_id.into(),
            repository: row.repository_id,
            source: row.source.parse()?,
            told: Deployment {
                external_id: row.external_id,
                environment: row.environment_seen,
                sha: row.sha,
                outcome: row.outcome.parse()?,
                created_at: row.created_at.0,
                finished_at: row.finished_at.map(|at| at.0),
                estimated: row.estimated,
            },
            environment: row.environment,
            reason: row.reason,
            previous: row.previous_id,
            rollback: row.rollback,
            rolled_back: row.rolled_back,
            pull_requests: row.pull_requests,
            incidents: row.incidents,
            succeeded_at: row.succeeded_at.map(|at| at.0),
        })
    }
}

/// A row of `posted_deployments`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = posted_deployments, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct PostedRow {
    pub(crate) client_id: Id,
    pub(crate) integration_id: Id,
    pub(crate) repository_id: i64,
    pub(crate) external_id: String,
    pub(crate) environment: String,
    pub(crate) sha: String,
    pub(crate) outcome: String,
    pub(crate) created_at: Ts,
    pub(crate) finished_at: Option<Ts>,
    pub(crate) estimated: bool,
}

/// A row of `incident_facts`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = incident_facts, treat_none_as_default_value = false)]
pub(crate) struct IncidentFactRow {
    pub(crate) client_id: Id,
    pub(crate) integration_id: Id,
    pub(crate) issue_id: i64,
    pub(crate) started_at: Ts,
    pub(crate) deploy_integration_id: Option<Id>,
    pub(crate) repository_id: Option<i64>,
    pub(crate) deployment_id: Option<String>,
    pub(crate) rule: Option<String>,
}

impl PostedRow {
    pub(crate) fn new(
        client_id: Id,
        integration_id: Id,
        repository_id: i64,
        deployment: &Deployment,
    ) -> PostedRow {
        PostedRow {
            client_id,
            integration_id,
            repository_id,
            external_id: deployment.external_id.clone(),
            environment: deployment.environment.clone(),
            sha: deployment.sha.clone(),
            outcome: deployment.outcome.as_str().to_owned(),
            created_at: Ts(deployment.created_at),
            finished_at: deployment.finished_at.map(Ts),
            estimated: deployment.estimated,
        }
    }
}

impl TryFrom<PostedRow> for Deployment {
    type Error = Error;

    fn try_from(row: PostedRow) -> Result<Deployment, Error> {
        Ok(Deployment {
            external_id: row.external_id,
            environment: row.environment,
            sha: row.sha,
            outcome: row.outcome.parse()?,
            created_at: row.created_at.0,
            finished_at: row.finished_at.map(|at| at.0),
            estimated: row.estimated,
        })
    }
}

/// A row of `snapshots`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = snapshots)]
pub(crate) struct SnapshotRow {
    pub(crate) client_id: Id,
    pub(crate) id: Id,
    pub(crate) as_of: Ts,
    pub(crate) published_at: Ts,
    pub(crate) body: Json,
}

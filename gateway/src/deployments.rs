//! Deployments that whoever deploys tells us.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::deployment::{Deployment, DeploymentOutcome, is_sha, posted_id};
use domain::rules::{Source, Verdict};
use serde::{Deserialize, Serialize};
use store::metrics::Repository;
use store::{Posted, Rules};
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::error::{ApiError, FieldError};
use crate::once::{Once, Repeatable};
use crate::sent::Sent;

const LONGEST_TEXT: usize = 200;
/// Clocks differ.
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);

#[derive(Deserialize, ToSchema)]
pub(crate) struct DeploymentDraft {
    /// `owner/name`, as it is connected.
    repository: String,
    /// Which connection's, where several have a repository of this name.
    integration_id: Option<String>,
    /// Yours. What is sent under the same one again takes the place of what was there, but takes no
    /// success back, and no failure that nothing came of yet.
    external_id: String,
    /// Its own name; the deployment rules say which environment that is.
    environment: String,
    /// The commit: 40 hexadecimal digits.
    sha: String,
    /// `success`, `failure` or `pending`.
    outcome: String,
    /// When it was over; when it was first sent unless said. A pending one is not over.
    finished_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeploymentJson {
    /// The id under which lists and reports know it.
    id: String,
    repository: String,
    external_id: String,
    environment: String,
    sha: String,
    outcome: &'static str,
    finished_at: Option<DateTime<Utc>>,
    /// The environment that it counts for.
    counts_for: Option<String>,
    /// Why it counts for none.
    reason: Option<String>,
}

impl Repeatable for DeploymentJson {}

/// Keeps a deployment, in the place of one that was sent under the same id before. The metrics follow
/// within seconds, if the deployment rules ask for the source `api`.
#[utoipa::path(post, path = "/api/v1/deployments", tag = "data", request_body = DeploymentDraft,
    responses((status = 201, body = DeploymentJson)))]
pub(crate) async fn post(
    caller: Caller,
    posted: Data<Posted>,
    rules: Data<Rules>,
    once: Once,
    draft: Sent<DeploymentDraft>,
) -> Result<HttpResponse, ApiError> {
    let Sent { body: draft, digest } = draft;
    let kept = once.of(&caller, &digest, async || {
        let now = Utc::now().trunc_subsecs(6);
        let (name, integration) = (draft.repository.clone(), draft.integration_id.clone());
        let wanted = draft.check(now)?;
        let found = posted.repositories(caller.client, &name).await?;
        let repository = one_of(found, integration.as_deref())?;
        let in_force = rules.deployments(caller.client).await?;
        let kept = posted.put(caller.client, &repository, wanted, &in_force).await?;
        tracing::info!("a deployment was posted");
        let of_repository = in_force.rules.of(&repository.full_name);
        let verdict = of_repository.place(Source::Api, &[&kept.environment]);
        Ok(DeploymentJson::new(repository.full_name, kept, verdict))
    });
    Ok(kept.await?.answer(HttpResponse::Created()))
}

fn one_of(found: Vec<Repository>, integration: Option<&str>) -> Result<Repository, ApiError> {
    let is_meant = |repository: &Repository| {
        let id = repository.integration.to_string();
        integration.is_none_or(|wanted| id.eq_ignore_ascii_case(wanted.trim()))
    };
    let mut meant = found.into_iter().filter(is_meant);
    let Some(repository) = meant.next() else {
        let hint = "Connect it under Integrations, and run the Git job once.";
        return Err(ApiError::not_found("repository").hint(hint));
    };
    if meant.next().is_some() {
        let detail = "Several integrations have a repository of this name.";
        return Err(ApiError::new(StatusCode::CONFLICT, "ambiguous", detail)
            .hint("Say which one is meant in integration_id.")
            .about("integration_id"));
    }
    Ok(repository)
}

impl DeploymentDraft {
    /// Names every field that cannot be accepted.
    fn check(self, now: DateTime<Utc>) -> Result<Deployment, ApiError> {
        let mut faults = Vec::new();
        let mut text = |field: &str, text: &str| {
            let text = text.trim().to_owned();
            let is_plain = !text.is_empty() && !text.chars().any(char::is_control);
            if !is_plain || text.chars().count() > LONGEST_TEXT {
                let reason = format!("must have 1 to {LONGEST_TEXT} printable characters");
                faults.push(FieldError::new(field, reason));
            }
            text
        };
        let external_id = text("external_id", &self.external_id);
        let environment = text("environment", &self.environment);
        let sha = self.sha.trim().to_ascii_lowercase();
        if !is_sha(&sha) {
            faults.push(FieldError::new("sha", "must be the 40 hexadecimal digits of a commit"));
        }
        let outcome: Option<DeploymentOutcome> = self.outcome.to_ascii_uppercase().parse().ok();
        if outcome.is_none() {
            faults.push(FieldError::new("outcome", "must be success, failure or pending"));
        }
        let is_over = outcome != Some(DeploymentOutcome::Pending);
        match self.finished_at {
            Some(at) if at > now + AHEAD_MAX => {
                faults.push(FieldError::new("finished_at", "lies in the future"));
            }
            Some(_) if !is_over => {
                let reason = "says that it is over, but the outcome says pending";
                faults.push(FieldError::new("finished_at", reason));
            }
            _ => {}
        }
        let finished_at = self.finished_at.map(|at| at.trunc_subsecs(6));
        match outcome {
            Some(outcome) if faults.is_empty() => Ok(Deployment {
                external_id,
                environment,
                sha,
                outcome,
                created_at: now,
                finished_at: finished_at.or(is_over.then_some(now)),
                estimated: is_over && finished_at.is_none(),
            }),
            _ => Err(ApiError::invalid(faults)),
        }
    }
}

impl DeploymentJson {
    fn new(repository: String, deployment: Deployment, verdict: Verdict<'_>) -> DeploymentJson {
        let reason = match verdict {
            Verdict::To(_) => None,
            Verdict::NoEnvironmentRule | Verdict::NotMeant => {
                Some(format!("No environment rule matches `{}`.", deployment.environment))
            }
            Verdict::OtherSource => Some(
                "The deployment rules have another source than `api` for this repository."
                    .to_owned(),
            ),
        };
        let counts_for = match verdict {
            Verdict::To(environment) => Some(environment.to_owned()),
            _ => None,
        };
        DeploymentJson {
            id: posted_id(&deployment.external_id),
            repository,
            external_id: deployment.external_id,
            environment: deployment.environment,
            sha: deployment.sha,
            outcome: deployment.outcome.as_str(),
            finished_at: deployment.finished_at,
            counts_for,
            reason,
        }
    }
}

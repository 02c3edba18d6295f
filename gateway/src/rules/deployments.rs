//! Which deployments count, as it is sent and shown.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use domain::rules::{DeploymentRule, DeploymentRules, EnvironmentRule};
use serde::{Deserialize, Serialize};
use store::Rules;
use store::rules::InForce;
use utoipa::ToSchema;

use super::shown;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::workflows::seen;

/// An empty list brings the defaults back.
#[derive(Deserialize, ToSchema)]
pub(crate) struct DeploymentRulesDraft {
    rules: Vec<DeploymentRuleJson>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeploymentRulesJson {
    rules: Vec<DeploymentRuleJson>,
    /// Nobody chose them: they hold until somebody does.
    default: bool,
    version: i64,
}

/// The first pattern that fits a repository decides, with every rule that has the same one.
#[derive(Serialize, Deserialize, ToSchema)]
struct DeploymentRuleJson {
    /// `owner/name`, `owner/*` or `*`.
    repository: String,
    /// `deployments`, `workflow_runs`, `releases`, `merges` or `api`.
    source: String,
    /// A regular expression on the workflow's name or path, the tag or the branch. Workflow runs and
    /// merges need one, deployments and api have none.
    r#match: Option<String>,
    /// The first that matches decides. Of workflow runs, releases and merges all go to production if
    /// nothing is said.
    #[serde(default)]
    environments: Vec<EnvironmentRuleJson>,
}

#[derive(Serialize, Deserialize, ToSchema)]
struct EnvironmentRuleJson {
    /// A regular expression on the environment's name, or else on what `match` is about.
    r#match: String,
    /// `production` is what counts.
    environment: String,
}

/// Which deployments count.
#[utoipa::path(get, path = "/api/v1/deployment-rules", tag = "rules", responses((status = 200, body = DeploymentRulesJson)))]
pub(crate) async fn get(caller: Caller, rules: Data<Rules>) -> Result<HttpResponse, ApiError> {
    Ok(answer(rules.deployments(caller.client).await?))
}

/// Replaces the rules that say which deployments count, of the version in `If-Match`. The metrics
/// follow within seconds.
#[utoipa::path(put, path = "/api/v1/deployment-rules", tag = "rules", request_body = DeploymentRulesDraft,
    responses((status = 200, body = DeploymentRulesJson)))]
pub(crate) async fn put(
    caller: Caller,
    request: HttpRequest,
    rules: Data<Rules>,
    draft: Json<DeploymentRulesDraft>,
) -> Result<HttpResponse, ApiError> {
    let written = draft.into_inner().rules.into_iter().map(DeploymentRule::from).collect();
    let kept = rules.put_deployments(caller.client, written, seen(&request)).await?;
    tracing::info!("the rules for deployments were changed");
    Ok(answer(kept))
}

fn answer(kept: InForce<DeploymentRules>) -> HttpResponse {
    let rules = DeploymentRulesJson {
        rules: kept.rules.written().iter().map(DeploymentRuleJson::from).collect(),
        default: kept.is_default,
        version: kept.version,
    };
    shown(kept.version, rules)
}

impl From<DeploymentRuleJson> for DeploymentRule {
    fn from(json: DeploymentRuleJson) -> DeploymentRule {
        let to = |json: EnvironmentRuleJson| EnvironmentRule {
            pattern: json.r#match,
            environment: json.environment,
        };
        DeploymentRule {
            repository: json.repository,
            source: json.source,
            pattern: json.r#match,
            environments: json.environments.into_iter().map(to).collect(),
        }
    }
}

impl From<&DeploymentRule> for DeploymentRuleJson {
    fn from(rule: &DeploymentRule) -> DeploymentRuleJson {
        let to = |to: &EnvironmentRule| EnvironmentRuleJson {
            r#match: to.pattern.clone(),
            environment: to.environment.clone(),
        };
        DeploymentRuleJson {
            repository: rule.repository.clone(),
            source: rule.source.clone(),
            r#match: rule.pattern.clone(),
            environments: rule.environments.iter().map(to).collect(),
        }
    }
}

//! Which repositories belong to which project, as it is sent and shown.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use domain::rules::{ProjectRule, ProjectRules};
use serde::{Deserialize, Serialize};
use store::Rules;
use store::rules::InForce;
use utoipa::ToSchema;

use super::shown;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::workflows::seen;

#[derive(Deserialize, ToSchema)]
pub(crate) struct ProjectRulesDraft {
    projects: Vec<ProjectRuleJson>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectRulesJson {
    projects: Vec<ProjectRuleJson>,
    version: i64,
}

/// A deployment of other repositories is not taken for the cause of this project's incidents because of
/// the time alone. To a project without a rule any repository may belong.
#[derive(Serialize, Deserialize, ToSchema)]
struct ProjectRuleJson {
    /// The project's key of today.
    project: String,
    /// Full names, in which `*` stands for any characters, for example `acme/pay-*`.
    repositories: Vec<String>,
}

/// Which repositories belong to which project.
#[utoipa::path(get, path = "/api/v1/project-rules", tag = "rules", responses((status = 200, body = ProjectRulesJson)))]
pub(crate) async fn get(caller: Caller, rules: Data<Rules>) -> Result<HttpResponse, ApiError> {
    Ok(answer(rules.projects(caller.client).await?))
}

/// Replaces the rules that say which repositories belong to which project, of the version in `If-Match`.
/// The metrics follow within seconds.
#[utoipa::path(put, path = "/api/v1/project-rules", tag = "rules", request_body = ProjectRulesDraft,
    responses((status = 200, body = ProjectRulesJson)))]
pub(crate) async fn put(
    caller: Caller,
    request: HttpRequest,
    rules: Data<Rules>,
    draft: Json<ProjectRulesDraft>,
) -> Result<HttpResponse, ApiError> {
    let written = draft.into_inner().projects.into_iter().map(ProjectRule::from).collect();
    let kept = rules.put_projects(caller.client, written, seen(&request)).await?;
    tracing::info!("the rules for projects were changed");
    Ok(answer(kept))
}

fn answer(kept: InForce<ProjectRules>) -> HttpResponse {
    let rules = ProjectRulesJson {
        projects: kept.rules.written().iter().map(ProjectRuleJson::from).collect(),
        version: kept.version,
    };
    shown(kept.version, rules)
}

impl From<ProjectRuleJson> for ProjectRule {
    fn from(json: ProjectRuleJson) -> ProjectRule {
        ProjectRule { project: json.project, repositories: json.repositories }
    }
}

impl From<&ProjectRule> for ProjectRuleJson {
    fn from(rule: &ProjectRule) -> ProjectRuleJson {
        ProjectRuleJson { project: rule.project.clone(), repositories: rule.repositories.clone() }
    }
}

//! Which issues are incidents, as it is sent and shown.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use domain::ids::IntegrationId;
use domain::rules::{FieldValues, IncidentRule, IncidentRules};
use serde::{Deserialize, Serialize};
use store::Rules;
use store::rules::InForce;
use utoipa::ToSchema;
use uuid::Uuid;

use super::shown;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::workflows::seen;

/// An empty list brings the defaults back.
#[derive(Deserialize, ToSchema)]
pub(crate) struct IncidentRulesDraft {
    rules: Vec<IncidentRuleJson>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentRulesJson {
    rules: Vec<IncidentRuleJson>,
    /// Nobody chose them: they hold until somebody does.
    default: bool,
    version: i64,
}

/// An issue that has any of the names is an incident, by the first rule that fits it.
#[derive(Serialize, Deserialize, ToSchema)]
struct IncidentRuleJson {
    /// The only Jira integration whose issues are meant.
    integration_id: Option<String>,
    #[serde(default)]
    issue_types: Vec<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    components: Vec<String>,
    /// Custom fields, and the values of each that make an issue an incident.
    #[serde(default)]
    fields: Vec<FieldValuesJson>,
    /// The id of the custom field that says when it began, for example `customfield_10060`. Where it
    /// says nothing, an incident began when its issue was made.
    started_at_field: Option<String>,
    /// The id of the custom field that names the deployment which caused it, stronger than any other
    /// sign: by its id, a commit (at least 7 digits), a tag, or the address of it or of a pull request.
    deployment_field: Option<String>,
    /// How long before an incident the deployment that caused it may have finished: a day unless said,
    /// and any time if null.
    #[serde(default = "a_day")]
    window_hours: Option<i64>,
}

#[derive(Serialize, Deserialize, ToSchema)]
struct FieldValuesJson {
    /// The id of a custom field with choices, or with a text of one word: for example `customfield_10050`.
    field: String,
    /// Any of these, whatever its case.
    values: Vec<String>,
}

fn a_day() -> Option<i64> {
    Some(24)
}

/// Which issues are incidents.
#[utoipa::path(get, path = "/api/v1/incident-rules", tag = "rules", responses((status = 200, body = IncidentRulesJson)))]
pub(crate) async fn get(caller: Caller, rules: Data<Rules>) -> Result<HttpResponse, ApiError> {
    Ok(answer(rules.incidents(caller.client).await?))
}

/// Replaces the rules that say which issues are incidents, of the version in `If-Match`. The metrics
/// follow within seconds.
#[utoipa::path(put, path = "/api/v1/incident-rules", tag = "rules", request_body = IncidentRulesDraft,
    responses((status = 200, body = IncidentRulesJson)))]
pub(crate) async fn put(
    caller: Caller,
    request: HttpRequest,
    rules: Data<Rules>,
    draft: Json<IncidentRulesDraft>,
) -> Result<HttpResponse, ApiError> {
    let written = draft.into_inner().rules.into_iter().map(IncidentRule::from).collect();
    let kept = rules.put_incidents(caller.client, written, seen(&request)).await?;
    tracing::info!("the rules for incidents were changed");
    Ok(answer(kept))
}

fn answer(kept: InForce<IncidentRules>) -> HttpResponse {
    let rules = IncidentRulesJson {
        rules: kept.rules.written().iter().map(IncidentRuleJson::from).collect(),
        default: kept.is_default,
        version: kept.version,
    };
    shown(kept.version, rules)
}

impl From<IncidentRuleJson> for IncidentRule {
    fn from(json: IncidentRuleJson) -> IncidentRule {
        // An id that cannot be ours is nobody's, like this one.
        let nobody = IntegrationId(Uuid::nil());
        let integration = json.integration_id.map(|id| id.parse().unwrap_or(nobody));
        IncidentRule {
            integration,
            issue_types: json.issue_types,
            labels: json.labels,
            components: json.components,
            fields: json
                .fields
                .into_iter()
                .map(|of| FieldValues { field: of.field, values: of.values })
                .collect(),
            started_at_field: json.started_at_field,
            deployment_field: json.deployment_field,
            window_hours: json.window_hours,
        }
    }
}

impl From<&IncidentRule> for IncidentRuleJson {
    fn from(rule: &IncidentRule) -> IncidentRuleJson {
        IncidentRuleJson {
            integration_id: rule.integration.map(|id| id.to_string()),
            issue_types: rule.issue_types.clone(),
            labels: rule.labels.clone(),
            components: rule.components.clone(),
            fields: rule
                .fields
                .iter()
                .map(|of| FieldValuesJson { field: of.field.clone(), values: of.values.clone() })
                .collect(),
            started_at_field: rule.started_at_field.clone(),
            deployment_field: rule.deployment_field.clone(),
            window_hours: rule.window_hours,
        }
    }
}

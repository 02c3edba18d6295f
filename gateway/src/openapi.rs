//! What the API says of itself, made from the handlers and their types.

use actix_web::HttpResponse;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, OpenApi as Api, PathItem, Ref, RefOr, Required, ResponseBuilder,
    ResponsesBuilder,
};
use utoipa::{IntoParams, Modify, OpenApi};

use crate::auth::signin;
use crate::error::{FieldError, Problem};
use crate::integrations::trial;
use crate::lists::{Asked, LISTS, Taken, lacking};
use crate::live::ticket;
use crate::workflows::{self, Reassigned, impact, lists, preview, suggest};
use crate::{deployments, integrations, jobs, live, metrics, rules, schedule, session};

#[derive(OpenApi)]
#[openapi(
    info(title = "Pulse ETL", description = "Jobs that pull Jira and GitHub, the rows they pull, and the metrics made of them."),
    paths(
        signin::login, signin::navigate, signin::logout, session::session,
        jobs::all, jobs::one, jobs::command, jobs::runs, jobs::run, jobs::replay,
        schedule::get, schedule::put,
        ticket::issue, live::events, live::of_run,
        integrations::all, integrations::one, integrations::add, integrations::replace,
        integrations::deactivate, trial::test, trial::scopes,
        rules::deployments::get, rules::deployments::put, rules::incidents::get, rules::incidents::put,
        rules::projects::get, rules::projects::put, rules::bots::get, rules::bots::put,
        deployments::post,
        metrics::dora, metrics::flow, metrics::pull_requests, metrics::review_load, metrics::forecast, metrics::data_quality,
        lacking::lacking, suggest::suggest, preview::preview, preview::of_mappings, lists::save,
    ),
    components(schemas(
        Problem, FieldError, impact::ImpactJson, lists::StatusMappingsJson, lists::IssueTypeMappingsJson,
        workflows::WorkflowDraft, workflows::WorkflowJson, workflows::StepDraft, workflows::StepJson,
        workflows::StatusMappingDraft, workflows::StatusMappingJson,
        workflows::IssueTypeMappingDraft, workflows::IssueTypeMappingJson,
    )),
    security(("token" = []), ("cookie" = [])),
    modifiers(&Lists, &Nouns, &Common),
)]
struct Document;

/// The data lists, whose fields stand in one table.
struct Lists;

/// The nouns of the workflows, which have the same verbs.
struct Nouns;

/// What every operation has.
struct Common;

impl Modify for Lists {
    fn modify(&self, api: &mut Api) {
        for (list, fields) in LISTS {
            let path = format!("/api/v1/{list}");
            api.paths.paths.entry(path).or_default().get = Some(reading(list, fields));
        }
    }
}

fn reading(list: &str, fields: &[&str]) -> Operation {
    let row = fields.iter().fold(ObjectBuilder::new(), |row, field| {
        row.property(*field, Schema::default()).required(*field)
    });
    let page = ObjectBuilder::new()
        .property("items", ArrayBuilder::new().items(row))
        .property("next_cursor", Schema::default());
    let rows = ResponseBuilder::new()
        .description("A page of rows; as `ndjson` or `csv` all of them.")
        .content("application/json", ContentBuilder::new().schema(Some(page)).build());
    OperationBuilder::new()
        .tag("data")
        .summary(Some(format!("Rows of {list}.")))
        .parameters(Some(Asked::into_params(|| Some(ParameterIn::Query))))
        .responses(ResponsesBuilder::new().response("200", rows).build())
        .build()
}

impl Modify for Nouns {
    fn modify(&self, api: &mut Api) {
        let nouns = [
            ("workflows", "WorkflowDraft", "WorkflowJson", None),
            ("workflow-steps", "StepDraft", "StepJson", None),
            (
                "status-mappings",
                "StatusMappingDraft",
                "StatusMappingJson",
                Some("StatusMappingsJson"),
            ),
            (
                "issue-type-mappings",
                "IssueTypeMappingDraft",
                "IssueTypeMappingJson",
                Some("IssueTypeMappingsJson"),
            ),
        ];
        for (noun, draft, row, whole) in nouns {
            let path = format!("/api/v1/{noun}");
            let list = ObjectBuilder::new()
                .property("items", ArrayBuilder::new().items(Ref::from_schema_name(row)))
                .property("next_cursor", Schema::default());
            let summary = "All of them; as `ndjson` or `csv` to take away.";
            let mut listed = match whole {
                Some(whole) => answering(summary, "200", Ref::from_schema_name(whole)),
                None => answering(summary, "200", list),
            };
            let taken = Taken::into_params(|| Some(ParameterIn::Query));
            listed.parameters = Some(taken.into_iter().map(RefOr::T).collect());
            let mut all = api.paths.paths.remove(&path).unwrap_or_default();
            all.get = Some(listed);
            let added = answering("A new one.", "201", Ref::from_schema_name(row));
            all.post = Some(taking(added, draft));
            let shown = |summary| one(answering(summary, "200", Ref::from_schema_name(row)));
            let mut single = PathItem::new(HttpMethod::Get, shown("One of them."));
            single.put = Some(taking(shown("Replaces one, of the version in `If-Match`."), draft));
            let touched = || Ref::from_schema_name("ImpactJson");
            let mut delete =
                one(answering("Deletes one, and tells what was touched.", "200", touched()));
            let reassigned = Reassigned::into_params(|| Some(ParameterIn::Query));
            delete.parameters.get_or_insert_default().extend(reassigned.into_iter().map(RefOr::T));
            single.delete = Some(delete);
            let impact = one(answering("What deleting it would touch.", "200", touched()));
            api.paths
                .paths
                .insert(format!("{path}/{{id}}/impact"), PathItem::new(HttpMethod::Get, impact));
            api.paths.paths.insert(format!("{path}/{{id}}"), single);
            api.paths.paths.insert(path, all);
        }
    }
}

fn answering(summary: &str, status: &str, body: impl Into<RefOr<Schema>>) -> Operation {
    let body = ContentBuilder::new().schema(Some(body)).build();
    let answer = ResponseBuilder::new().description(summary).content("application/json", body);
    OperationBuilder::new()
        .tag("workflows")
        .summary(Some(summary))
        .responses(ResponsesBuilder::new().response(status, answer).build())
        .build()
}

fn taking(mut operation: Operation, draft: &str) -> Operation {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(draft))).build();
    let body = RequestBodyBuilder::new().content("application/json", body).build();
    operation.request_body = Some(RefOr::T(body));
    operation
}

fn one(mut operation: Operation) -> Operation {
    let id = ParameterBuilder::new().name("id").parameter_in(ParameterIn::Path);
    operation.parameters = Some(vec![id.required(Required::True).build().into()]);
    operation
}

impl Modify for Common {
    fn modify(&self, api: &mut Api) {
        let components = api.components.get_or_insert_default();
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = ApiKey::Cookie(ApiKeyValue::new("pulse_token"));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
        for path in api.paths.paths.values_mut() {
            let operations = [&mut path.get, &mut path.post, &mut path.put, &mut path.delete];
            for operation in operations.into_iter().flatten() {
                operation.responses.responses.insert("default".to_owned(), refusal());
            }
        }
    }
}

fn refusal() -> RefOr<utoipa::openapi::Response> {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let refusal = ResponseBuilder::new()
        .description("A refusal or failure, and what to do about it.")
        .content("application/problem+json", problem);
    RefOr::T(refusal.build())
}

/// The description of this API.
pub(crate) async fn document() -> HttpResponse {
    HttpResponse::Ok().json(Document::openapi())
}

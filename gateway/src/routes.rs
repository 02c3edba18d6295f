//! Every address that we answer.

use actix_web::Route;
use actix_web::web::{ServiceConfig, delete, get, post, put, resource, route, scope};

use domain::workflow::{IssueTypeMapping, StatusMapping, Workflow, WorkflowStep};
use store::lists::{
    Comment, Commit, Deployment, Incident, Issue, IssueChange, PullRequest, Repository, Review,
    ReviewComment, StatusInterval,
};

use crate::auth::signin;
use crate::integrations::trial;
use crate::lists::{lacking, list};
use crate::live::ticket;
use crate::workflows::{impact, lists, preview, suggest};
use crate::{
    around, deployments, integrations, jobs, live, metrics, openapi, page, rules, schedule,
    session, workflows,
};

/// All of them, in one table.
#[rustfmt::skip]
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .configure(program::health::routes)

        .service(resource("/auth/login").route(post().to(signin::login)).route(options().to(signin::preflight)))
        .service(resource("/auth/navigate").route(post().to(signin::navigate)).route(options().to(signin::preflight)))
        .service(resource(["/auth/logout", "/api/logout"]).route(post().to(signin::logout)).route(options().to(signin::preflight)))

        .service(scope("/api/v1")
            .route("/openapi.json",             get().to(openapi::document))
            .route("/session",                  get().to(session::session))
            .route("/internal/color-schema-changed",      post().to(session::colors_changed))
            .route("/internal/color-schema-mode-changed", post().to(session::colors_changed))

            .route("/jobs",                     get().to(jobs::all))
            .route("/jobs/{job_type}",          get().to(jobs::one))
            .route("/jobs/{job_type}/runs",     get().to(jobs::runs))
            .route("/jobs/{job_type}/{verb}",   post().to(jobs::command))
            .route("/runs/{id}",                get().to(jobs::run))
            .route("/runs/{id}/events",         get().to(live::of_run))
            .route("/runs/{id}/tasks/{task}/replay", post().to(jobs::replay))
            .route("/orchestrator",             get().to(schedule::get))
            .route("/orchestrator",             put().to(schedule::put))

            .route("/ws-ticket",                post().to(ticket::issue))
            .route("/events",                   get().to(live::events))

            .route("/integrations",             get().to(integrations::all))
            .route("/integrations",             post().to(integrations::add))
            .route("/integrations/test",        post().to(trial::test))
            .route("/integrations/{id}",        get().to(integrations::one))
            .route("/integrations/{id}",        put().to(integrations::replace))
            .route("/integrations/{id}",        delete().to(integrations::deactivate))
            .route("/integrations/{id}/scopes", get().to(trial::scopes))

            .route("/workflows/preview",        post().to(preview::preview))
            .configure(of::<Workflow>("/workflows",                     get().to(lists::all::<Workflow>)))
            .configure(of::<WorkflowStep>("/workflow-steps",            get().to(lists::all::<WorkflowStep>)))
            .route("/status-mappings/suggest",  post().to(suggest::suggest))
            .route("/status-mappings/preview",  post().to(preview::of_mappings))
            .route("/status-mappings",          put().to(lists::save))
            .configure(of::<StatusMapping>("/status-mappings",          get().to(lists::status_mappings)))
            .configure(of::<IssueTypeMapping>("/issue-type-mappings",   get().to(lists::issue_type_mappings)))

            .route("/deployment-rules",         get().to(rules::deployments::get))
            .route("/deployment-rules",         put().to(rules::deployments::put))
            .route("/incident-rules",           get().to(rules::incidents::get))
            .route("/incident-rules",           put().to(rules::incidents::put))
            .route("/project-rules",            get().to(rules::projects::get))
            .route("/project-rules",            put().to(rules::projects::put))
            .route("/bot-rules",                get().to(rules::bots::get))
            .route("/bot-rules",                put().to(rules::bots::put))

            .route("/metrics/dora",             get().to(metrics::dora))
            .route("/metrics/flow",             get().to(metrics::flow))
            .route("/metrics/pull-requests",    get().to(metrics::pull_requests))
            .route("/metrics/review-load",      get().to(metrics::review_load))
            .route("/metrics/forecast",         get().to(metrics::forecast))
            .route("/metrics/data-quality",     get().to(metrics::data_quality))
            .route("/data-quality/{check}",     get().to(lacking::lacking))

            .route("/issues",                   get().to(list::<Issue>))
            .route("/issue-changes",            get().to(list::<IssueChange>))
            .route("/status-intervals",         get().to(list::<StatusInterval>))
            .route("/repositories",             get().to(list::<Repository>))
            .route("/pull-requests",            get().to(list::<PullRequest>))
            .route("/reviews",                  get().to(list::<Review>))
            .route("/review-comments",          get().to(list::<ReviewComment>))
            .route("/comments",                 get().to(list::<Comment>))
            .route("/commits",                  get().to(list::<Commit>))
            .route("/deployments",              get().to(list::<Deployment>))
            .route("/deployments",              post().to(deployments::post))
            .route("/incidents",                get().to(list::<Incident>))
            .default_service(route().to(around::nothing_here)))

        .route("/ws",              get().to(live::connect))

        .route("/",                get().to(page::home))
        .route("/login",           get().to(page::login))
        .route("/home",            get().to(page::page))
        .route("/jobs",            get().to(page::page))
        .route("/integrations",    get().to(page::page))
        .route("/mappings",        get().to(page::page))
        .route("/metrics/{tail:.*}", get().to(page::page))
        .route("/assets/{name}",   get().to(page::asset))
        .default_service(route().to(around::nothing_here));
}

/// The verbs of a noun of the workflows, beside the list of all.
fn of<N: workflows::Noun>(path: &str, all: Route) -> impl FnOnce(&mut ServiceConfig) {
    let (path, one) = (path.to_owned(), format!("{path}/{{id}}"));
    move |config| {
        config
            .route(&path, all)
            .route(&path, post().to(workflows::add::<N>))
            .route(&one, get().to(workflows::one::<N>))
            .route(&one, put().to(workflows::replace::<N>))
            .route(&one, delete().to(workflows::delete::<N>))
            .route(&format!("{one}/impact"), get().to(impact::impact::<N>));
    }
}

fn options() -> Route {
    actix_web::web::method(actix_web::http::Method::OPTIONS)
}

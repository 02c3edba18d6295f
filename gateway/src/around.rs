//! What stands around every request: a trace id, a time limit, a net under panics, the headers that
//! every answer carries, and one line in the log.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    self, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures::FutureExt;
use uuid::Uuid;

use crate::auth::Renewed;
use crate::error::ApiError;

/// Until the head of an answer stands; what follows may stream for longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

tokio::task_local! {
    static TRACE: String;
}

/// The id under which the log speaks of the request at hand.
pub(crate) fn trace_id() -> String {
    TRACE.try_with(Clone::clone).unwrap_or_default()
}

pub(crate) async fn every_request(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let trace = trace_of(request.headers());
    let mut answer = TRACE.scope(trace.clone(), answer(request, next)).await?;
    dress(&mut answer, &trace);
    note(&answer, started.elapsed(), &trace);
    Ok(answer)
}

async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let handled = AssertUnwindSafe(next.call(request)).catch_unwind();
    match tokio::time::timeout(ANSWER_WITHIN, handled).await {
        Ok(Ok(answer)) => answer.map(ServiceResponse::map_into_boxed_body),
        // The hook that logs panics has written where and why.
        Ok(Err(_panic)) => Err(instead(ApiError::own_fault())),
        Err(_elapsed) => Err(instead(ApiError::timed_out())),
    }
}

/// The request went down with its handler, so its answer stands alone.
fn instead(error: ApiError) -> actix_web::Error {
    tracing::error!(trace_id = trace_id(), "a request was not answered: {error}");
    let answer = error.error_response();
    InternalError::from_response(error, answer).into()
}

/// The caller's W3C trace id, else a new one.
fn trace_of(headers: &HeaderMap) -> String {
    let parent = headers.get("traceparent").and_then(|value| value.to_str().ok());
    let given = parent.and_then(|text| text.split('-').nth(1));
    match given {
        Some(id) if id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) => {
            id.to_lowercase()
        }
        _ => Uuid::now_v7().simple().to_string(),
    }
}

fn dress(answer: &mut ServiceResponse, trace: &str) {
    let renewed = answer.request().extensions_mut().remove::<Renewed>();
    let by_https = is_https(answer.request());
    let headers = answer.headers_mut();
    if let Ok(trace) = HeaderValue::from_str(trace) {
        headers.insert(TRACE_ID, trace);
    }
    if let Some(Renewed(cookie)) = renewed {
        headers.append(SET_COOKIE, cookie);
    }
    let unless_said = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=(), payment=()"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in unless_said {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if by_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// Whether the browser came by https, as the proxy in front of us tells.
pub(crate) fn is_https(request: &HttpRequest) -> bool {
    request.connection_info().scheme() == "https"
}

/// Query strings stay out: they may hold tickets and codes.
fn note(answer: &ServiceResponse, took: Duration, trace: &str) {
    let request = answer.request();
    let route = request.match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let (method, status) = (request.method().to_string(), answer.status().as_u16());
    let labels = [("method", method.clone()), ("route", route), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels).record(took.as_secs_f64());
    let (path, took_ms) = (request.path(), took.as_millis());
    if path.starts_with("/assets/")
        || matches!(path, "/livez" | "/readyz" | "/healthz" | "/metrics")
    {
        tracing::debug!(trace_id = trace, status, took_ms, "{method} {path} {status}");
    } else {
        tracing::info!(trace_id = trace, status, took_ms, "{method} {path} {status}");
    }
}

/// What is asked for at an address where nothing is.
pub(crate) async fn nothing_here() -> HttpResponse {
    ApiError::not_found("address, or it does not take this method").error_response()
}

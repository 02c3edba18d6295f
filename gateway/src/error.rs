//! The one place where anything that goes wrong becomes an answer: an RFC 9457 problem.

use std::fmt;
use std::time::Duration;

use actix_web::error::{JsonPayloadError, QueryPayloadError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::around;
use crate::auth::Refusal;

/// A refusal or a failure, in words that tell a person what to do.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    detail: String,
    hint: Option<String>,
    fields: Vec<FieldError>,
    retry_after: Option<Duration>,
    present: Option<Box<Present>>,
}

/// The step that has the commitment point, where that is the reason.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Present {
    pub(crate) step_id: String,
    pub(crate) workflow_id: String,
}

/// What is wrong with one field of what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    field: String,
    detail: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError { field: field.into(), detail: detail.into() }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    hint: Option<&'a str>,
    trace_id: String,
    errors: &'a [FieldError],
    #[serde(flatten)]
    present: Option<&'a Present>,
}

impl ApiError {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<String>,
    ) -> ApiError {
        ApiError {
            status,
            code,
            detail: detail.into(),
            hint: None,
            fields: Vec::new(),
            retry_after: None,
            present: None,
        }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> ApiError {
        ApiError { hint: Some(hint.into()), ..self }
    }

    /// The field that it is about.
    pub(crate) fn about(self, field: &str) -> ApiError {
        let fault = FieldError::new(field, self.detail.clone());
        ApiError { fields: vec![fault], ..self }
    }

    pub(crate) fn present(self, step: Present) -> ApiError {
        ApiError { present: Some(Box::new(step)), ..self }
    }

    /// It is about what lies at this place of what was sent.
    pub(crate) fn within(mut self, place: &str) -> ApiError {
        if self.fields.is_empty() {
            return self.about(place);
        }
        for fault in &mut self.fields {
            fault.field = format!("{place}.{}", fault.field);
        }
        self
    }

    pub(crate) fn after(self, wait: Duration) -> ApiError {
        ApiError { retry_after: Some(wait), ..self }
    }

    /// Fields that cannot be accepted, each with its reason.
    pub(crate) fn invalid(fields: Vec<FieldError>) -> ApiError {
        let detail = match fields.as_slice() {
            [only] => format!("{}: {}", only.field, only.detail),
            _ => "Some fields cannot be accepted.".to_owned(),
        };
        let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
        ApiError { fields, ..error }
    }

    /// A parameter that cannot be read.
    pub(crate) fn bad_parameter(field: &str, detail: impl Into<String>) -> ApiError {
        let field = FieldError::new(field, detail);
        let detail = format!("{}: {}", field.field, field.detail);
        let error = ApiError::new(StatusCode::BAD_REQUEST, "bad_request", detail);
        ApiError { fields: vec![field], ..error }
    }

    /// The caller saw a version that is not the present one.
    pub(crate) fn changed_since(noun: &str) -> ApiError {
        ApiError::new(
            StatusCode::PRECONDITION_FAILED,
            "changed_meanwhile",
            format!("Somebody else changed the {noun} meanwhile."),
        )
        .hint("Load it again and repeat your change.")
    }

    pub(crate) fn not_found(noun: &str) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {noun}."))
    }

    /// A failure of our own: the log says what, the answer only that.
    pub(crate) fn internal(error: &dyn std::error::Error) -> ApiError {
        tracing::error!(error = %chain(error), "could not answer a request");
        ApiError::own_fault()
    }

    /// Like [`ApiError::internal`], for what has been logged already.
    pub(crate) fn own_fault() -> ApiError {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something broke on our side.")
            .hint("Try again. If it stays, give the trace id to whoever runs this service.")
    }

    pub(crate) fn timed_out() -> ApiError {
        ApiError::new(StatusCode::GATEWAY_TIMEOUT, "timed_out", "The answer took too long.")
            .hint("Try again.")
    }

    #[cfg(test)]
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|fault| fault.field.as_str())
    }

    fn unavailable(code: &'static str, detail: &str) -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
            .hint("Nothing is lost. Try again in a few seconds.")
            .after(Duration::from_secs(5))
    }
}

/// An error with everything behind it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.code)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let problem = Problem {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            hint: self.hint.as_deref(),
            trace_id: around::trace_id(),
            errors: &self.fields,
            present: self.present.as_deref(),
        };
        let body = serde_json::to_string(&problem).expect("a problem is always JSON");
        let mut answer = HttpResponse::build(self.status);
        answer.insert_header((CONTENT_TYPE, "application/problem+json"));
        if let Some(wait) = self.retry_after {
            answer.insert_header((RETRY_AFTER, wait.as_secs().max(1).to_string()));
        }
        answer.body(body)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        match refusal {
            Refusal::NotSignedIn => ApiError::new(
                StatusCode::UNAUTHORIZED,
                "authentication_required",
                "You are not signed in.",
            )
            .hint("Sign in again."),
            Refusal::NotAdmin => ApiError::new(
                StatusCode::FORBIDDEN,
                "permission_denied",
                "ETL management requires administrator privileges.",
            )
            .hint("Ask an administrator of your organisation to grant them."),
            Refusal::ForeignOrigin => ApiError::new(
                StatusCode::FORBIDDEN,
                "origin_refused",
                "This request comes from a page that may not act for you.",
            )
            .hint("Whoever runs this service lists the pages that may in FRONTEND_ORIGINS."),
            Refusal::BackendUnavailable { retry_after } => {
                ApiError::unavailable("backend_unavailable", "The sign-in service does not answer.")
                    .after(retry_after)
            }
            Refusal::OrchestratorUnavailable => ApiError::unavailable(
                "orchestrator_unavailable",
                "The orchestrator does not answer.",
            ),
        }
    }
}

impl From<store::Error> for ApiError {
    fn from(error: store::Error) -> ApiError {
        use store::Error;
        match error {
            Error::Missing { noun } => ApiError::not_found(noun),
            Error::Conflict { noun } => ApiError::new(
                StatusCode::CONFLICT,
                "changed_meanwhile",
                format!("Somebody else changed the {noun} meanwhile."),
            )
            .hint("Load it again and repeat your change."),
            Error::Duplicate { noun } => ApiError::new(
                StatusCode::CONFLICT,
                "duplicate",
                format!("There is already an {noun} with this name."),
            )
            .hint("Choose another name, or edit the one that is there."),
            Error::ReadAlready => ApiError::new(
                StatusCode::CONFLICT,
                "address_fixed",
                "The address cannot change: rows that were read from it are kept already.",
            )
            .hint("Add a new integration for the other address, and deactivate this one.")
            .about("base_url"),
            Error::BeingRead => ApiError::new(
                StatusCode::CONFLICT,
                "address_in_use",
                "The address cannot change while a job reads from it.",
            )
            .hint("Stop the job first, or wait for its end.")
            .about("base_url"),
            Error::Workflow(refused) => refused.into(),
            Error::Rules(refused) => refused.into(),
            Error::Refused(refused) => {
                ApiError::new(StatusCode::CONFLICT, "transition_refused", refused.to_string())
            }
            Error::Unreachable(_) => {
                tracing::error!(error = %chain(&error), "could not reach the database");
                ApiError::unavailable("database_unavailable", "The database does not answer.")
            }
            error => ApiError::internal(&error),
        }
    }
}

impl From<tonic::Status> for ApiError {
    fn from(status: tonic::Status) -> ApiError {
        use tonic::Code;
        let said = || status.message().to_owned();
        if proto::away(&status).is_some() {
            tracing::warn!(reason = status.message(), "a peer is away");
            return ApiError::unavailable("peer_unavailable", status.message());
        }
        match status.code() {
            Code::FailedPrecondition => {
                ApiError::new(StatusCode::CONFLICT, "transition_refused", said())
            }
            Code::InvalidArgument => {
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", said())
            }
            Code::NotFound => ApiError::new(StatusCode::NOT_FOUND, "not_found", said()),
            Code::AlreadyExists | Code::Aborted => {
                ApiError::new(StatusCode::CONFLICT, "changed_meanwhile", said())
                    .hint("Load it again and repeat your change.")
            }
            Code::DeadlineExceeded => {
                ApiError::new(StatusCode::GATEWAY_TIMEOUT, "timed_out", said()).hint("Try again.")
            }
            Code::ResourceExhausted => {
                ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", said())
                    .after(Duration::from_secs(5))
            }
            // What a peer answers is larger than we take: a report with the ids of all its rows.
            Code::OutOfRange => ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "too_large",
                "The answer would be too large.",
            )
            .hint("Choose a shorter window, a project or a repository."),
            Code::Unavailable => {
                tracing::warn!(reason = status.message(), "a peer does not answer");
                ApiError::unavailable("peer_unavailable", "A part of the service does not answer.")
            }
            Code::Unauthenticated => {
                tracing::error!(reason = status.message(), "a peer does not let us in");
                ApiError::unavailable(
                    "peer_unavailable",
                    "Two parts of the service do not trust each other.",
                )
                .hint("Whoever runs this service finds in its log what to change.")
            }
            _ => ApiError::internal(&status),
        }
    }
}

impl From<JsonPayloadError> for ApiError {
    fn from(error: JsonPayloadError) -> ApiError {
        match error {
            JsonPayloadError::Overflow { limit }
            | JsonPayloadError::OverflowKnownLength { limit, .. } => ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                format!("The body is larger than {limit} bytes."),
            ),
            JsonPayloadError::ContentType => ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send JSON, with Content-Type: application/json.",
            ),
            error => ApiError::new(StatusCode::BAD_REQUEST, "bad_request", error.to_string()),
        }
    }
}

impl From<UrlencodedError> for ApiError {
    fn from(error: UrlencodedError) -> ApiError {
        let status = error.status_code();
        ApiError::new(status, "bad_request", error.to_string())
    }
}

impl From<QueryPayloadError> for ApiError {
    fn from(error: QueryPayloadError) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_request", error.to_string())
    }
}

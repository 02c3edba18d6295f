//! What a client says about its delivery: lists of rules, each replaced as a whole.

pub(crate) mod bots;
pub(crate) mod deployments;
pub(crate) mod incidents;
pub(crate) mod projects;

use actix_web::HttpResponse;
use actix_web::http::header::ETAG;
use domain::rules::Refused;
use serde::Serialize;

use crate::error::{ApiError, FieldError};

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> ApiError {
        match refused {
            Refused::Stale => ApiError::changed_since("rules"),
            Refused::Invalid(faults) => {
                let faults = faults.into_iter();
                ApiError::invalid(faults.map(|f| FieldError::new(f.path, f.reason)).collect())
            }
        }
    }
}

fn shown(version: i64, rules: impl Serialize) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((ETAG, format!("\"{version}\"")));
    answer.json(rules)
}

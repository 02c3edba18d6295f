//! Refusals of the domain as problems, each with what to do about it.

use actix_web::http::StatusCode;
use domain::workflow::Refused;

use crate::error::{ApiError, FieldError};

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> ApiError {
        let sentence = sentence(&refused.to_string());
        let conflict = |code| ApiError::new(StatusCode::CONFLICT, code, sentence);
        match refused {
            Refused::Missing { noun } => ApiError::not_found(noun),
            Refused::Stale { noun } => ApiError::changed_since(noun),
            Refused::Invalid { field, reason } => {
                ApiError::invalid(vec![FieldError::new(field, reason)])
            }
            Refused::SecondCommitment { step, .. } => conflict("commitment_point_taken").hint(
                format!("Take the mark from \"{step}\" first, or send \"move_commitment\": true to move it here."),
            ),
            Refused::Taken { .. } => {
                conflict("duplicate").hint("Edit the one that is there, or choose another name.")
            }
            Refused::InUse { .. } => conflict("in_use")
                .hint("Say in reassign_to what takes its place for whatever hangs on it."),
            Refused::NoCounterpart { .. } => conflict("no_counterpart")
                .hint("Add such a step there first, or move the mappings one by one."),
            Refused::IsDefault => conflict("is_default")
                .hint("It gives way by itself to the first workflow that you add."),
        }
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).chain(['.']).collect()
}

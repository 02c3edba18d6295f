//! Refusals of the domain as problems, each with what to do about it.

use actix_web::http::StatusCode;
use domain::workflow::{CommitmentPoint, Refused};

use crate::error::{ApiError, FieldError, Present};

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
            Refused::SecondCommitment(present) => conflict("commitment_point_taken")
                .hint(format!(
                    "Take the mark from \"{}\" first, or send \"move_commitment\": true to move it here.",
                    present.step
                ))
                .present(Present::from(present)),
            Refused::CommitmentNeeded(present) => conflict("commitment_point_needed")
                .hint("Put the mark on another active step of TO_DO or IN_PROGRESS, with \"move_commitment\": true, or delete with such a step in reassign_to.")
                .present(Present::from(present)),
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

impl From<CommitmentPoint> for Present {
    fn from(present: CommitmentPoint) -> Present {
        Present {
            step_id: present.step_id.to_string(),
            workflow_id: present.workflow_id.to_string(),
        }
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).chain(['.']).collect()
}

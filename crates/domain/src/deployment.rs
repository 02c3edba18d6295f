//! A deployment, wherever it was recorded.

use crate::Moment;
use crate::rules::Source;
use crate::text::words;

/// A deployment of a commit to an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The source's id.
    pub external_id: String,
    /// The environment's name as the source spells it.
    pub environment: String,
    /// The commit deployed.
    pub sha: String,
    /// The best state ever seen.
    pub outcome: DeploymentOutcome,
    /// When it was asked for.
    pub created_at: Moment,
    /// When it first succeeded, or last failed.
    pub finished_at: Option<Moment>,
    /// Whether `finished_at` is a guess, for want of statuses.
    pub estimated: bool,
}

impl Deployment {
    /// What is kept if `before` was told under the same id. Messages may come late and twice: none takes
    /// a better state back, nor a first success, and a time that was told is better than a guess.
    pub fn in_place_of(self, before: &Deployment) -> Deployment {
        use DeploymentOutcome::{Failure, Pending, Success};
        let created_at = before.created_at;
        match (before.outcome, self.outcome) {
            (Success, Failure | Pending) | (Failure, Pending) => before.clone(),
            (Success, Success) | (Failure, Failure) if self.estimated => {
                let (finished_at, estimated) = (before.finished_at, before.estimated);
                Deployment { created_at, finished_at, estimated, ..self }
            }
            (Success, Success) if !before.estimated => {
                let finished_at = before.finished_at.min(self.finished_at);
                Deployment { created_at, finished_at, ..self }
            }
            _ => Deployment { created_at, ..self },
        }
    }
}

/// A run of a workflow, or a release: a deployment if the client's rules say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// Which of the two.
    pub source: Source,
    /// GitHub's id.
    pub external_id: String,
    /// The name of the workflow, or the tag.
    pub name: String,
    /// The workflow's file.
    pub path: Option<String>,
    /// The commit.
    pub sha: String,
    /// How it went.
    pub outcome: DeploymentOutcome,
    /// When it began.
    pub created_at: Moment,
    /// When it was over.
    pub finished_at: Option<Moment>,
}

/// The id under which lists and reports know a deployment that was posted under another.
pub fn posted_id(external_id: &str) -> String {
    format!("api:{external_id}")
}

/// Whether a text can be the name of a commit: 40 hexadecimal digits, or 64 of the newer kind.
pub fn is_sha(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// How a deployment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeploymentOutcome {
    /// It succeeded once, even if a later one replaced it.
    Success,
    /// It failed and never succeeded.
    Failure,
    /// Not over yet.
    Pending,
}

words!("deployment outcome", DeploymentOutcome {
    Success = "SUCCESS",
    Failure = "FAILURE",
    Pending = "PENDING",
});

#[cfg(test)]
mod tests {
    use super::DeploymentOutcome::{Failure, Pending, Success};
    use super::*;

    fn at(second: i64) -> Moment {
        Moment::from_timestamp(1_770_000_000 + second, 0).unwrap()
    }

    /// How it went, when it was over, and whether that is a guess.
    type Told = (DeploymentOutcome, Option<i64>, bool);

    fn deployment((outcome, second, estimated): Told, told_at: i64, sha: &str) -> Deployment {
        Deployment {
            external_id: "build-1".to_owned(),
            environment: "production".to_owned(),
            sha: sha.to_owned(),
            outcome,
            created_at: at(told_at),
            finished_at: second.map(at),
            estimated,
        }
    }

    #[test]
    fn what_is_told_late_or_again_takes_nothing_back() {
        let pending = (Pending, None, false);
        let told = |outcome, second| (outcome, Some(second), false);
        let guessed = |outcome, second| (outcome, Some(second), true);
        // What was there, what is told next, what is kept, and whether the rest is of what was told.
        let cases: &[(Told, Told, Told, bool)] = &[
            (pending, pending, pending, true),
            (pending, told(Failure, 9), told(Failure, 9), true),
            (pending, guessed(Success, 9), guessed(Success, 9), true),
            (told(Failure, 5), pending, told(Failure, 5), false),
            (told(Failure, 5), told(Failure, 9), told(Failure, 9), true),
            (told(Failure, 5), guessed(Failure, 9), told(Failure, 5), true),
            (told(Failure, 5), told(Success, 9), told(Success, 9), true),
            (told(Success, 5), pending, told(Success, 5), false),
            (guessed(Success, 5), told(Failure, 9), guessed(Success, 5), false),
            (told(Success, 5), told(Success, 9), told(Success, 5), true),
            (told(Success, 9), told(Success, 5), told(Success, 5), true),
            (told(Success, 5), guessed(Success, 9), told(Success, 5), true),
            (guessed(Success, 5), guessed(Success, 9), guessed(Success, 5), true),
            (guessed(Success, 9), told(Success, 5), told(Success, 5), true),
        ];
        for (before, next, kept, is_next) in cases {
            let there = deployment(*before, 1, "aa");
            let expected = deployment(*kept, 1, if *is_next { "bb" } else { "aa" });
            let found = deployment(*next, 2, "bb").in_place_of(&there);
            assert_eq!(found, expected, "{before:?}, then {next:?}");
        }
    }
}

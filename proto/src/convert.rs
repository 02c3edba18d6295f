//! Messages to domain types and back.

use chrono::DateTime;
use domain::Moment;
use domain::work::{Gap, Slice, Task};
use prost_types::Timestamp;

use crate::v1;

/// A message does not say what it must.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not read {field} of a message: {reason}")]
pub struct Unreadable {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl From<Unreadable> for tonic::Status {
    fn from(unreadable: Unreadable) -> tonic::Status {
        tonic::Status::invalid_argument(unreadable.to_string())
    }
}

/// Reads a text field that holds an id or a word.
///
/// # Errors
/// The text is no such id or word.
pub fn parse<T>(field: &'static str, text: &str) -> Result<T, Unreadable>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|e: T::Err| Unreadable { field, reason: e.to_string() })
}

/// A moment as a message spells it.
pub fn timestamp(moment: Moment) -> Timestamp {
    Timestamp {
        seconds: moment.timestamp(),
        nanos: i32::try_from(moment.timestamp_subsec_nanos() % 1_000_000_000)
            .expect("less than a second of nanoseconds fits"),
    }
}

/// Reads a moment.
///
/// # Errors
/// It lies outside the calendar.
pub fn moment(field: &'static str, stamp: Timestamp) -> Result<Moment, Unreadable> {
    u32::try_from(stamp.nanos)
        .ok()
        .and_then(|nanos| DateTime::from_timestamp(stamp.seconds, nanos))
        .ok_or_else(|| Unreadable { field, reason: "it lies outside the calendar".to_owned() })
}

fn optional(field: &'static str, stamp: Option<Timestamp>) -> Result<Option<Moment>, Unreadable> {
    stamp.map(|stamp| moment(field, stamp)).transpose()
}

impl From<Task> for v1::Task {
    fn from(task: Task) -> v1::Task {
        v1::Task {
            id: task.id.to_string(),
            client_id: task.client.to_string(),
            run_id: task.run.map(|id| id.to_string()),
            kind: task.kind.as_str().to_owned(),
            integration_id: task.integration.map(|id| id.to_string()),
            scope: task.scope,
            created_from: task.slice.created_from.map(timestamp),
            created_to: task.slice.created_to.map(timestamp),
            updated_since: task.slice.updated_since.map(timestamp),
            cursor: task.cursor,
            input: task.input,
            run_started_at: Some(timestamp(task.run_started_at)),
        }
    }
}

impl TryFrom<v1::Task> for Task {
    type Error = Unreadable;

    fn try_from(task: v1::Task) -> Result<Task, Unreadable> {
        let run_started_at = task
            .run_started_at
            .ok_or_else(|| Unreadable { field: "run_started_at", reason: "absent".to_owned() })?;
        Ok(Task {
            id: parse("id", &task.id)?,
            client: parse("client_id", &task.client_id)?,
            run: task.run_id.map(|id| parse("run_id", &id)).transpose()?,
            kind: parse("kind", &task.kind)?,
            integration: task.integration_id.map(|id| parse("integration_id", &id)).transpose()?,
            scope: task.scope,
            slice: Slice {
                created_from: optional("created_from", task.created_from)?,
                created_to: optional("created_to", task.created_to)?,
                updated_since: optional("updated_since", task.updated_since)?,
            },
            cursor: task.cursor,
            input: task.input,
            run_started_at: moment("run_started_at", run_started_at)?,
        })
    }
}

impl From<Gap> for v1::Gap {
    fn from(gap: Gap) -> v1::Gap {
        v1::Gap { scope: gap.scope, reason: gap.reason }
    }
}

impl From<v1::Gap> for Gap {
    fn from(gap: v1::Gap) -> Gap {
        Gap { scope: gap.scope, reason: gap.reason }
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{ClientId, IntegrationId, TaskId};
    use domain::work::{Step, TaskKind};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_task_crosses_unchanged() {
        let at: Moment = "2026-03-01T09:00:00.123456Z".parse().unwrap();
        let task = Task {
            id: TaskId(Uuid::from_u128(1)),
            client: ClientId(Uuid::from_u128(2)),
            run: None,
            kind: TaskKind::Step(Step::Issues),
            integration: Some(IntegrationId(Uuid::from_u128(3))),
            scope: "10001".to_owned(),
            slice: Slice { created_from: Some(at), created_to: None, updated_since: Some(at) },
            cursor: "page 2".to_owned(),
            input: String::new(),
            run_started_at: at,
        };
        assert_eq!(Task::try_from(v1::Task::from(task.clone())), Ok(task));
    }

    #[test]
    fn what_is_wrong_with_a_message_is_named() {
        let refused = Task::try_from(v1::Task {
            run_started_at: Some(Timestamp::default()),
            id: "seven".to_owned(),
            ..v1::Task::default()
        });
        assert_eq!(refused.unwrap_err().field, "id");
    }
}

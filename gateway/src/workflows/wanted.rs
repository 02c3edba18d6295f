//! Changes of any of the four nouns as they are sent in one list.

use domain::workflow::{
    Change, Configuration, Delete, IssueTypeMapping, Seen, StatusMapping, Workflow, WorkflowStep,
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Noun, find, parse};
use crate::error::{ApiError, FieldError};

/// More changes than any form has.
const MOST_CHANGES: usize = 500;

/// Changes, one after another.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Wanted {
    changes: Vec<WantedChange>,
}

/// A row as it should be, or one that should go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedChange {
    /// Of what; to `/api/v1/status-mappings` it need not be said.
    of: Option<Of>,
    /// The one that changes; a new one has none.
    id: Option<String>,
    /// As it should be: what its own `POST` or `PUT` would be sent.
    #[schema(value_type = Option<Object>)]
    put: Option<Value>,
    /// It goes.
    #[serde(default)]
    delete: bool,
    /// What takes its place for whatever hangs on it.
    reassign_to: Option<String>,
    /// Only if it still has this version.
    version: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Of {
    Workflow,
    WorkflowStep,
    StatusMapping,
    IssueTypeMapping,
}

/// A form must not be endless.
pub(super) fn check_count(changes: usize) -> Result<(), ApiError> {
    if changes > MOST_CHANGES {
        let reason = format!("must be {MOST_CHANGES} at most");
        return Err(ApiError::bad_parameter("changes", reason));
    }
    Ok(())
}

impl Wanted {
    /// The changes of what there is. Each is read as it is after those before it.
    pub(super) fn read(self, before: &Configuration) -> Result<Vec<Change>, ApiError> {
        self.read_each(before, |change| change.of.ok_or_else(|| missing("of")))
    }

    /// The same, of nothing but status mappings.
    pub(super) fn read_mappings(self, before: &Configuration) -> Result<Vec<Change>, ApiError> {
        self.read_each(before, |change| match change.of {
            None | Some(Of::StatusMapping) => Ok(Of::StatusMapping),
            Some(_) => Err(invalid("of", "must be status_mapping here")),
        })
    }

    fn read_each(
        self,
        before: &Configuration,
        of: impl Fn(&WantedChange) -> Result<Of, ApiError>,
    ) -> Result<Vec<Change>, ApiError> {
        check_count(self.changes.len())?;
        let mut known = before.clone();
        let mut all = Vec::new();
        for (at, wanted) in self.changes.into_iter().enumerate() {
            let within = |error: ApiError| error.within(&format!("changes[{at}]"));
            let of = of(&wanted).map_err(within)?;
            for change in wanted.read(of, &known).map_err(within)? {
                let next = known.then(change.clone());
                known = next.map_err(|refused| within(store::Error::from(refused).into()))?;
                all.push(change);
            }
        }
        Ok(all)
    }
}

impl WantedChange {
    fn read(self, of: Of, known: &Configuration) -> Result<Vec<Change>, ApiError> {
        match of {
            Of::Workflow => self.read_as::<Workflow>(known),
            Of::WorkflowStep => self.read_as::<WorkflowStep>(known),
            Of::StatusMapping => self.read_as::<StatusMapping>(known),
            Of::IssueTypeMapping => self.read_as::<IssueTypeMapping>(known),
        }
    }

    fn read_as<N: Noun>(self, known: &Configuration) -> Result<Vec<Change>, ApiError> {
        let id = self.id.as_deref().map(parse::<N>).transpose()?;
        let seen = match (id, self.version) {
            (None, _) => Seen::New,
            (Some(_), None) => Seen::Any,
            (Some(_), Some(version)) => Seen::Version(version),
        };
        if self.delete {
            if self.put.is_some() {
                return Err(invalid("put", "does not go with delete"));
            }
            let id = id.ok_or_else(|| missing("id"))?;
            let reassign_to = self.reassign_to.as_deref().map(parse::<N>).transpose()?;
            return Ok(vec![N::delete(Delete { id, seen, reassign_to })]);
        }
        if self.reassign_to.is_some() {
            return Err(invalid("reassign_to", "goes with delete only"));
        }
        let draft = self.put.ok_or_else(|| missing("put"))?;
        let draft = serde_json::from_value::<N::Draft>(draft)
            .map_err(|error| invalid("put", &error.to_string()))?;
        let before = id.map(|id| find::<N>(known, id)).transpose()?;
        N::changes(draft, id.unwrap_or_else(|| N::Id::from(Uuid::now_v7())), before, seen)
    }
}

fn missing(field: &str) -> ApiError {
    invalid(field, "is needed")
}

fn invalid(field: &str, reason: &str) -> ApiError {
    ApiError::invalid(vec![FieldError::new(field, reason)])
}

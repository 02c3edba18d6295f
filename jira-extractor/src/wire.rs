//! What Jira writes, as Jira spells it. Fields may be null, absent or unknown.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;

use crate::time::When;

/// An id: text in the REST API, a number in the agile one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(pub(crate) i64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
        text.parse().map(Id).map_err(|_| E::custom(format_args!("{text:?} is no id")))
    }

    fn visit_i64<E>(self, id: i64) -> Result<Id, E> {
        Ok(Id(id))
    }

    fn visit_u64<E: Error>(self, id: u64) -> Result<Id, E> {
        i64::try_from(id).map(Id).map_err(|_| E::custom(format_args!("{id} is no id")))
    }
}

/// A page of a list that is paged by offset.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed<T> {
    #[serde(default = "Vec::new")]
    pub(crate) values: Vec<T>,
    pub(crate) is_last: Option<bool>,
    pub(crate) total: Option<u64>,
}

impl<T> Listed<T> {
    /// Where the next page starts, if there is one. Jira clamps the size of a page silently, so
    /// what came counts, not what was asked for.
    pub(crate) fn next(&self, start: u64) -> Option<u64> {
        let read = start + self.values.len() as u64;
        let more = match (self.is_last, self.total) {
            (Some(is_last), _) => !is_last,
            (None, Some(total)) => read < total,
            (None, None) => true,
        };
        (more && !self.values.is_empty()).then_some(read)
    }
}

/// A page of a search. Each issue is read by itself, so that one that cannot be read does not take
/// its neighbours along.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Search {
    #[serde(default)]
    pub(crate) issues: Vec<Box<RawValue>>,
    /// Absent, null or empty on the last page, whatever `isLast` says.
    pub(crate) next_page_token: Option<String>,
    /// Experimental: that the page is not complete.
    pub(crate) warnings: Option<Vec<serde_json::Value>>,
}

/// An issue with the fields that were asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Issue<'a> {
    pub(crate) id: Id,
    pub(crate) key: String,
    #[serde(borrow)]
    pub(crate) fields: HashMap<String, &'a RawValue>,
    pub(crate) changelog: Option<Changelog>,
}

/// What can be told of an issue that cannot be read.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Label {
    pub(crate) key: Option<String>,
}

/// An issue of which only the id matters.
#[derive(Debug, Deserialize)]
pub(crate) struct Bare {
    pub(crate) id: Id,
}

/// An issue of which only the project matters.
#[derive(Debug, Deserialize)]
pub(crate) struct Placed {
    pub(crate) id: Id,
    pub(crate) fields: Place,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Place {
    pub(crate) project: Bare,
}

/// An issue of which only its birth matters.
#[derive(Debug, Deserialize)]
pub(crate) struct Born {
    pub(crate) fields: Birth,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Birth {
    pub(crate) created: When,
}

/// Issues by id. Those that are gone or hidden are silently missing.
#[derive(Debug, Deserialize)]
pub(crate) struct ById {
    #[serde(default)]
    pub(crate) issues: Vec<Box<RawValue>>,
}

/// The history that comes with an issue: the newest part of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Changelog {
    pub(crate) total: Option<u64>,
    #[serde(default)]
    pub(crate) histories: Vec<History>,
}

/// One change of an issue, with everything that changed at once.
#[derive(Debug, Deserialize)]
pub(crate) struct History {
    pub(crate) id: Id,
    pub(crate) author: Option<Person>,
    #[serde(default)]
    pub(crate) created: When,
    #[serde(default)]
    pub(crate) items: Vec<Item>,
}

/// One changed field.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Item {
    #[serde(default)]
    pub(crate) field: String,
    pub(crate) from: Option<String>,
    pub(crate) from_string: Option<String>,
    pub(crate) to: Option<String>,
    #[serde(rename = "toString")]
    pub(crate) to_text: Option<String>,
}

/// A page of the histories of many issues.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Changelogs {
    #[serde(default)]
    pub(crate) issue_change_logs: Vec<Box<RawValue>>,
    pub(crate) next_page_token: Option<String>,
}

/// The history of one of many issues.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssueChangelog {
    pub(crate) issue_id: Id,
    #[serde(default)]
    pub(crate) change_histories: Vec<History>,
}

/// What can be told of a history that cannot be read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangelogLabel {
    pub(crate) issue_id: Option<Id>,
}

/// A person, or the placeholder of one that was erased.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Person {
    pub(crate) display_name: Option<String>,
}

/// Anything with a name.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    #[serde(default)]
    pub(crate) name: String,
}

/// The parent of an issue.
#[derive(Debug, Deserialize)]
pub(crate) struct Parent {
    pub(crate) id: Option<Id>,
    pub(crate) key: Option<String>,
}

/// A type of issue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssueType {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) hierarchy_level: Option<i32>,
    pub(crate) subtask: Option<bool>,
}

/// A status.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) status_category: Option<StatusCategory>,
}

/// The category of a status.
#[derive(Debug, Deserialize)]
pub(crate) struct StatusCategory {
    #[serde(default)]
    pub(crate) key: String,
}

/// A project.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Project {
    pub(crate) id: Id,
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) project_type_key: String,
    /// Keys of today and of the past, where they were asked for.
    #[serde(default)]
    pub(crate) project_keys: Vec<String>,
    pub(crate) insight: Option<Insight>,
}

/// What Jira knows about a project's size, where it tells.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Insight {
    pub(crate) total_issue_count: Option<u64>,
}

/// How many issues a question finds, about.
#[derive(Debug, Deserialize)]
pub(crate) struct Count {
    #[serde(default)]
    pub(crate) count: u64,
}

/// A field, with the id that it has on this site only.
#[derive(Debug, Deserialize)]
pub(crate) struct Field {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) schema: Option<FieldSchema>,
}

/// What kind of field.
#[derive(Debug, Deserialize)]
pub(crate) struct FieldSchema {
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) custom: String,
}

/// What was chosen in a field: one or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Chosen {
    One(Choice),
    Several(Vec<Choice>),
}

/// A choice that a field offers.
#[derive(Debug, Deserialize)]
pub(crate) struct Choice {
    pub(crate) value: String,
}

/// A sprint that an issue was in: an object, or on Data Center a printed Java object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum SprintOfIssue {
    Object(Named),
    Printed(String),
}

/// A board.
#[derive(Debug, Deserialize)]
pub(crate) struct Board {
    pub(crate) id: Id,
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    pub(crate) location: Option<Location>,
}

/// Where a board belongs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Location {
    pub(crate) project_id: Option<Id>,
}

/// A sprint.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sprint {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) start_date: When,
    #[serde(default)]
    pub(crate) end_date: When,
    #[serde(default)]
    pub(crate) complete_date: When,
    pub(crate) origin_board_id: Option<Id>,
}

/// What a Jira tells about itself, also to strangers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerInfo {
    #[serde(default)]
    pub(crate) deployment_type: String,
    #[serde(default)]
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) server_time: When,
}

/// Why Jira refuses.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refusal {
    #[serde(default)]
    pub(crate) error_messages: Vec<String>,
    #[serde(default)]
    pub(crate) errors: HashMap<String, serde_json::Value>,
    pub(crate) message: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_texts_or_numbers() {
        for (json, id) in
            [(r#""42""#, Some(42)), ("42", Some(42)), (r#""x""#, None), ("null", None)]
        {
            assert_eq!(serde_json::from_str::<Id>(json).ok(), id.map(Id), "{json}");
        }
    }

    #[test]
    fn the_next_page_starts_behind_what_came() {
        let listed = |json: &str| serde_json::from_str::<Listed<i32>>(json).unwrap();
        let cases = [
            (r#"{"values":[1,2],"isLast":false,"maxResults":100}"#, Some(12)),
            (r#"{"values":[1,2],"isLast":true}"#, None),
            (r#"{"values":[1,2],"total":13}"#, Some(12)),
            (r#"{"values":[1,2],"total":12}"#, None),
            (r#"{"values":[1,2]}"#, Some(12)),
            (r#"{"values":[],"isLast":false}"#, None),
            (r#"{}"#, None),
        ];
        for (json, next) in cases {
            assert_eq!(listed(json).next(10), next, "{json}");
        }
    }
}

//! Turns Jira's JSON into domain nouns. Pure: the same page in, the same facts out.

use std::collections::HashMap;

use domain::Moment;
use domain::issue::{Change, Issue};
use domain::project::{IssueType, Project, Status, StatusCategory};
use domain::sprint::Sprint;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fields::CustomFields;
use crate::time::When;
use crate::wire;

/// Lengths at which the history that comes with an issue is cut off without a word.
const SILENT_CAPS: [usize; 3] = [20, 40, 100];

/// No id is longer, and few addresses are.
const LONGEST_MENTION: usize = 500;

/// A row that cannot be read. It becomes a gap, and its neighbours are kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} cannot be read: {reason}")]
pub(crate) struct Malformed {
    /// The issue's key, as far as it can be told.
    pub(crate) what: String,
    /// What is wrong with it.
    pub(crate) reason: String,
}

/// An issue and the changes that came with it.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) issue: Issue,
    pub(crate) changes: Vec<Change>,
}

/// Reads an issue of a search.
pub(crate) fn issue(raw: &RawValue, custom: &CustomFields) -> Result<Found, Malformed> {
    let wire: wire::Issue<'_> = serde_json::from_str(raw.get()).map_err(|e| {
        // What cannot be read as an issue may still say which one it is.
        let label: wire::Label = serde_json::from_str(raw.get()).unwrap_or_default();
        let what = label.key.map_or_else(|| "an issue".to_owned(), clean);
        Malformed { what, reason: e.to_string() }
    })?;
    let (id, key) = (wire.id.0, clean(wire.key));
    let fields = Fields { of: &key, values: &wire.fields };
    let parent: Option<wire::Parent> = fields.optional("parent")?;
    let (parent_id, parent_key) = parent.map_or((None, None), |p| (p.id, p.key));
    let mut labels: Vec<String> = fields.optional("labels")?.unwrap_or_default();
    labels.sort_unstable();
    let components: Vec<wire::Named> = fields.optional("components")?.unwrap_or_default();
    let mut components: Vec<String> = components.into_iter().map(|one| clean(one.name)).collect();
    components.sort_unstable();
    let (moments, mentions) = (fields.moments(custom), fields.mentions(custom));
    let changelog = wire.changelog;
    let issue = Issue {
        external_id: id,
        project_id: fields.required::<wire::Bare>("project")?.id.0,
        issue_type: issue_type(fields.required("issuetype")?),
        status: status(fields.required("status")?),
        summary: clean(fields.optional::<String>("summary")?.unwrap_or_default()),
        priority: fields.optional::<wire::Named>("priority")?.map(|named| clean(named.name)),
        assignee: fields.optional("assignee")?.and_then(person),
        creator: fields.optional("creator")?.and_then(person),
        parent_id: parent_id.map(|id| id.0),
        parent_key: parent_key.map(clean),
        labels: labels.into_iter().map(clean).collect(),
        components,
        moments,
        mentions,
        story_points: fields.story_points(custom),
        sprints: fields.sprints(custom)?,
        created_at: fields.moment("created")?,
        updated_at: fields.moment("updated")?,
        resolved_at: fields.optional::<When>("resolutiondate")?.and_then(|when| when.0),
        changelog_complete: changelog.as_ref().is_some_and(is_whole),
        key: key.clone(),
    };
    let histories = changelog.map(|changelog| changelog.histories).unwrap_or_default();
    let changes = changes(id, &key, histories)?;
    Ok(Found { issue, changes })
}

/// Whether a history that came with an issue is all there is. Jira cuts it off and may not say so.
fn is_whole(changelog: &wire::Changelog) -> bool {
    let told = changelog.histories.len();
    changelog.total.is_some_and(|total| total <= told as u64) && !SILENT_CAPS.contains(&told)
}

/// Every item of every entry.
pub(crate) fn changes(
    issue_id: i64,
    issue: &str,
    histories: Vec<wire::History>,
) -> Result<Vec<Change>, Malformed> {
    let mut changes = Vec::with_capacity(histories.len());
    for history in histories {
        let changed_at = history.created.0.ok_or_else(|| Malformed {
            what: issue.to_owned(),
            reason: format!("change {} has no time", history.id.0),
        })?;
        let author = history.author.and_then(person);
        for (item, item_index) in history.items.into_iter().zip(0..) {
            changes.push(Change {
                issue_id,
                change_id: history.id.0,
                item_index,
                field: clean(item.field),
                from_value: item.from.map(clean),
                from_string: item.from_string.map(clean),
                to_value: item.to.map(clean),
                to_string: item.to_text.map(clean),
                author: author.clone(),
                changed_at,
            });
        }
    }
    Ok(changes)
}

/// Reads the history of one of many issues.
pub(crate) fn changelog(raw: &RawValue) -> Result<Vec<Change>, (Option<i64>, Malformed)> {
    let wire: wire::IssueChangelog = serde_json::from_str(raw.get()).map_err(|e| {
        let label: wire::ChangelogLabel = serde_json::from_str(raw.get()).unwrap_or_default();
        let id = label.issue_id.map(|id| id.0);
        let what =
            id.map_or_else(|| "a history".to_owned(), |id| format!("the history of issue {id}"));
        (id, Malformed { what, reason: e.to_string() })
    })?;
    let id = wire.issue_id.0;
    changes(id, &format!("the history of issue {id}"), wire.change_histories)
        .map_err(|malformed| (Some(id), malformed))
}

/// Reads a project.
pub(crate) fn project(wire: wire::Project) -> Project {
    let key = clean(wire.key);
    let mut former_keys: Vec<String> =
        wire.project_keys.into_iter().map(clean).filter(|former| *former != key).collect();
    former_keys.sort_unstable();
    Project {
        external_id: wire.id.0,
        name: clean(wire.name),
        kind: clean(wire.project_type_key),
        former_keys,
        key,
    }
}

/// Reads a type of issue.
pub(crate) fn issue_type(wire: wire::IssueType) -> IssueType {
    let below = wire.subtask == Some(true);
    let level = wire.hierarchy_level.unwrap_or(if below { -1 } else { 0 });
    IssueType { external_id: wire.id.0, name: clean(wire.name), hierarchy_level: level }
}

/// Reads a status.
pub(crate) fn status(wire: wire::Status) -> Status {
    let category = wire.status_category.map(|category| category.key).unwrap_or_default();
    Status {
        external_id: wire.id.0,
        name: clean(wire.name),
        category: StatusCategory::from_key(&category),
    }
}

/// Reads a sprint that `board` shows; the board that owns it may be another.
pub(crate) fn sprint(wire: wire::Sprint, board: i64) -> Sprint {
    Sprint {
        external_id: wire.id.0,
        board_id: wire.origin_board_id.map_or(board, |id| id.0),
        name: clean(wire.name),
        state: wire.state.to_lowercase(),
        started_at: wire.start_date.0,
        ends_at: wire.end_date.0,
        completed_at: wire.complete_date.0,
    }
}

fn person(wire: wire::Person) -> Option<String> {
    wire.display_name.map(clean).filter(|name| !name.is_empty())
}

/// Without the NUL characters that Jira lets through and PostgreSQL does not keep.
fn clean(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

/// The name in a printed sprint. Names hold commas, `=` and brackets, so only the field behind it
/// tells where it ends.
fn printed_name(printed: &str) -> Option<String> {
    let (_, behind) = printed.split_once(",name=")?;
    let (name, _) = behind.split_once(",startDate=")?;
    Some(name.to_owned())
}

/// The values of an issue's fields, each still to be read.
struct Fields<'a> {
    of: &'a str,
    values: &'a HashMap<String, &'a RawValue>,
}

impl<'a> Fields<'a> {
    fn optional<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, Malformed> {
        let Some(raw) = self.values.get(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map_err(|e| self.malformed(format!("field {name}: {e}")))
    }

    fn required<T: Deserialize<'a>>(&self, name: &str) -> Result<T, Malformed> {
        self.optional(name)?.ok_or_else(|| self.malformed(format!("field {name} is missing")))
    }

    fn moment(&self, name: &str) -> Result<Moment, Malformed> {
        let when: When = self.required(name)?;
        when.0.ok_or_else(|| self.malformed(format!("field {name} is no moment")))
    }

    /// The first estimate that is a number. People may turn the field into a text, and its value
    /// is worth less than the issue.
    fn story_points(&self, custom: &CustomFields) -> Option<f64> {
        let number = |id: &String| -> Option<f64> {
            match serde_json::from_str(self.values.get(id)?.get()).ok()? {
                serde_json::Value::Number(number) => number.as_f64(),
                serde_json::Value::String(text) => text.trim().parse().ok(),
                _ => None,
            }
        };
        custom.story_points.iter().find_map(number).filter(|points| points.is_finite())
    }

    fn sprints(&self, custom: &CustomFields) -> Result<Vec<String>, Malformed> {
        let mut names = Vec::new();
        for id in &custom.sprints {
            let sprints: Option<Vec<wire::SprintOfIssue>> = self.optional(id)?;
            for sprint in sprints.unwrap_or_default() {
                let name = match sprint {
                    wire::SprintOfIssue::Object(named) => Some(named.name),
                    wire::SprintOfIssue::Printed(printed) => printed_name(&printed),
                };
                names.extend(name.map(clean));
            }
        }
        Ok(names)
    }

    /// Whatever is a date and time. A value that is none is worth less than the issue.
    fn moments(&self, custom: &CustomFields) -> Vec<(String, Moment)> {
        let moment = |id: &String| {
            let when: When = serde_json::from_str(self.values.get(id)?.get()).ok()?;
            Some((id.clone(), when.0?))
        };
        custom.moments.iter().filter_map(moment).collect()
    }

    /// Texts of one word, which may be the id or the address of something, and choices; sentences are not.
    fn mentions(&self, custom: &CustomFields) -> Vec<(String, String)> {
        let mention = |id: &String| {
            let text: String = serde_json::from_str(self.values.get(id)?.get()).ok()?;
            let word = clean(text).trim().to_owned();
            let is_word = !word.is_empty()
                && word.len() <= LONGEST_MENTION
                && !word.contains(|c: char| c.is_whitespace() || c.is_control());
            is_word.then(|| (id.clone(), word))
        };
        let mut mentions: Vec<(String, String)> =
            custom.mentions.iter().filter_map(mention).collect();
        for id in &custom.choices {
            mentions.extend(self.chosen(id).into_iter().map(|value| (id.clone(), value)));
        }
        mentions
    }

    /// What was chosen in a field. A value that is no choice is worth less than the issue.
    fn chosen(&self, id: &str) -> Vec<String> {
        let told = self.values.get(id).and_then(|raw| serde_json::from_str(raw.get()).ok());
        let choices = match told {
            Some(wire::Chosen::One(choice)) => vec![choice],
            Some(wire::Chosen::Several(choices)) => choices,
            None => Vec::new(),
        };
        let values = choices.into_iter().map(|choice| clean(choice.value).trim().to_owned());
        values.filter(|value| !value.is_empty() && value.len() <= LONGEST_MENTION).collect()
    }

    fn malformed(&self, reason: String) -> Malformed {
        Malformed { what: self.of.to_owned(), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    fn fields() -> CustomFields {
        CustomFields {
            story_points: vec!["customfield_10016".to_owned(), "customfield_10026".to_owned()],
            sprints: vec!["customfield_10020".to_owned()],
            moments: vec!["customfield_10060".to_owned(), "customfield_10061".to_owned()],
            mentions: vec!["customfield_10070".to_owned(), "customfield_10071".to_owned()],
            choices: vec!["customfield_10080".to_owned(), "customfield_10081".to_owned()],
        }
    }

    fn searched() -> Vec<Result<Found, Malformed>> {
        let page: wire::Search =
            serde_json::from_str(include_str!("../tests/pages/search.json")).unwrap();
        page.issues.iter().map(|raw| issue(raw, &fields())).collect()
    }

    #[test]
    fn an_issue_is_read_with_every_item_of_its_history() {
        let Found { issue, changes } = searched().swap_remove(0).unwrap();
        let expected = Issue {
            external_id: 20_417,
            project_id: 10_001,
            key: "PAY-311".to_owned(),
            issue_type: IssueType {
                external_id: 10_001,
                name: "Story".to_owned(),
                hierarchy_level: 0,
            },
            status: Status {
                external_id: 3,
                name: "In Progress".to_owned(),
                category: StatusCategory::InProgress,
            },
            summary: "Retry card capture \u{1f4b3}".to_owned(),
            priority: Some("High".to_owned()),
            assignee: Some("Ada".to_owned()),
            creator: Some("Former user".to_owned()),
            parent_id: Some(20_400),
            parent_key: Some("PAY-300".to_owned()),
            labels: vec!["backend".to_owned(), "quick-win".to_owned()],
            components: vec!["Ledger".to_owned(), "Payments API".to_owned()],
            moments: vec![("customfield_10060".to_owned(), at("2026-09-01T07:15:00Z"))],
            mentions: [
                ("customfield_10070", "1f3a9c2"),
                ("customfield_10080", "Sev1"),
                ("customfield_10081", "EU"),
                ("customfield_10081", "US west"),
            ]
            .map(|(id, value)| (id.to_owned(), value.to_owned()))
            .to_vec(),
            story_points: Some(3.0),
            sprints: vec!["S41, the long one".to_owned(), "S42".to_owned()],
            created_at: at("2026-09-01T08:00:00Z"),
            updated_at: at("2026-10-01T08:41:07.512Z"),
            resolved_at: None,
            changelog_complete: true,
        };
        assert_eq!(issue, expected);

        let told: Vec<_> = changes
            .iter()
            .map(|c| (c.change_id, c.item_index, c.field.as_str(), c.author.as_deref()))
            .collect();
        let expected = [
            (90_112, 0, "status", Some("Ada")),
            (90_112, 1, "assignee", Some("Ada")),
            (90_001, 0, "Sprint", None),
        ];
        assert_eq!(told, expected);
        assert_eq!(changes[0].from_value.as_deref(), Some("1"));
        assert_eq!(changes[0].to_string.as_deref(), Some("In Progress"));
        assert_eq!(changes[1].from_string, None);
        assert_eq!(changes[2].from_string.as_deref(), Some(""), "empty is not absent");
    }

    #[test]
    fn what_is_null_absent_or_absurd_costs_no_issue() {
        let Found { issue, changes } = searched().swap_remove(1).unwrap();
        assert_eq!(issue.summary, "");
        assert_eq!(issue.issue_type.hierarchy_level, -1);
        assert_eq!(issue.status.category, StatusCategory::ToDo);
        assert_eq!(issue.created_at, at("0018-03-04T00:00:00Z"));
        assert_eq!((issue.resolved_at, issue.story_points), (None, None));
        assert_eq!(issue.sprints, ["S, 42 [x]=y"]);
        assert!(issue.labels.is_empty() && issue.assignee.is_none() && issue.parent_id.is_none());
        assert!(!issue.changelog_complete, "no history came, so it is still to be read");
        assert!(changes.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_named_and_its_neighbours_are_kept() {
        let malformed: Vec<String> =
            searched().into_iter().filter_map(Result::err).map(|m| m.what).collect();
        assert_eq!(malformed, ["PAY-313", "PAY-314", "an issue", "an issue"]);
    }

    #[test]
    fn a_history_is_whole_unless_it_may_have_been_cut_off() {
        let told = |total: Option<u64>, count: usize| {
            let history = r#"{"id": "1", "created": 0}"#;
            let histories = vec![history; count].join(",");
            let total = total.map_or("null".to_owned(), |total| total.to_string());
            let json = format!(r#"{{"total": {total}, "histories": [{histories}]}}"#);
            is_whole(&serde_json::from_str(&json).unwrap())
        };
        let cases = [
            (Some(0), 0, true),
            (Some(3), 3, true),
            (Some(39), 39, true),
            (Some(41), 40, false),
            (Some(40), 40, false),
            (Some(20), 20, false),
            (None, 3, false),
        ];
        for (total, count, whole) in cases {
            assert_eq!(told(total, count), whole, "{count} of {total:?}");
        }
    }

    #[test]
    fn histories_are_read_in_bulk_and_broken_ones_named() {
        let page: wire::Changelogs =
            serde_json::from_str(include_str!("../tests/pages/changelogs.json")).unwrap();
        let mut logs = page.issue_change_logs.iter().map(|raw| changelog(raw));
        let changes = logs.next().unwrap().unwrap();
        assert_eq!(changes.len(), 1, "an entry without items says nothing");
        assert_eq!(changes[0].changed_at, at("2026-10-01T08:41:07.500Z"));
        let broken: Vec<Option<i64>> = logs.map(|log| log.unwrap_err().0).collect();
        assert_eq!(broken, [Some(20_418), Some(20_419), None]);
    }

    const SEARCH: &[u8] = include_bytes!("../tests/pages/search.json");
    const CHANGELOGS: &[u8] = include_bytes!("../tests/pages/changelogs.json");

    /// Reads a page as far as it can be read.
    fn read_anything(body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        if let Ok(page) = serde_json::from_str::<wire::Search>(&text) {
            for raw in &page.issues {
                let kept = issue(raw, &fields()).map(|found| found.issue.summary.contains('\0'));
                assert_ne!(kept, Ok(true), "no NUL is let through");
            }
        }
        if let Ok(page) = serde_json::from_str::<wire::Changelogs>(&text) {
            let read = page.issue_change_logs.iter().filter(|raw| changelog(raw).is_ok()).count();
            assert!(read <= page.issue_change_logs.len());
        }
    }

    #[test]
    fn no_value_breaks_the_reader() {
        let values = [
            "null",
            "true",
            "-1",
            "1e400",
            "18446744073709551615",
            r#""""#,
            r#""\ud800""#,
            "[]",
            "{}",
            r#"[{"name": 7}, null, ",name=,startDate="]"#,
        ];
        let page: wire::Search = serde_json::from_slice(SEARCH).unwrap();
        let good: wire::Issue<'_> = serde_json::from_str(page.issues[0].get()).unwrap();
        for field in fields().wanted() {
            for value in values {
                let told = |name: &str| if name == field { value } else { good.fields[name].get() };
                let all: Vec<String> = fields()
                    .wanted()
                    .iter()
                    .map(|name| format!(r#""{name}": {}"#, told(name)))
                    .collect();
                let issue =
                    format!(r#"{{"id": 1, "key": "P-1", "fields": {{{}}}}}"#, all.join(","));
                read_anything(format!(r#"{{"issues": [{issue}]}}"#).as_bytes());
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_page_breaks_the_reader(
            search: bool,
            edits in proptest::collection::vec((0_usize..10_000, 0_u8..=255), 1..8),
        ) {
            let mut body = if search { SEARCH } else { CHANGELOGS }.to_vec();
            for (place, byte) in edits {
                let place = place % body.len();
                body[place] = byte;
            }
            read_anything(&body);
        }
    }
}

//! Which fields to ask for. Custom fields have an id of their own on each site, so they are found
//! by their kind, and by name where the kind says too little.

use crate::wire::Field;

/// The kind of the estimate in team-managed projects.
const STORY_POINTS: &str = "com.pyxis.greenhopper.jira:jsw-story-points";
/// The kind of the field with sprints.
const SPRINT: &str = "com.pyxis.greenhopper.jira:gh-sprint";
/// The kind of any number; only its name says that it is an estimate.
const NUMBER: &str = "customfieldtypes:float";
/// The type of fields with a date and time, of whatever kind.
const MOMENT: &str = "datetime";
/// The type of fields with a text.
const TEXT: &str = "string";
/// Kinds of fields with a short text, which may be a name of something.
const SHORT_TEXTS: [&str; 2] = ["customfieldtypes:textfield", "customfieldtypes:url"];
/// Kinds of fields that offer choices.
const CHOICES: [&str; 4] = [
    "customfieldtypes:select",
    "customfieldtypes:radiobuttons",
    "customfieldtypes:multiselect",
    "customfieldtypes:multicheckboxes",
];
const ESTIMATES: [&str; 2] = ["story points", "story point estimate"];

/// The fields that every site has under the same name.
const SYSTEM: [&str; 13] = [
    "summary",
    "status",
    "issuetype",
    "project",
    "priority",
    "assignee",
    "creator",
    "parent",
    "labels",
    "components",
    "created",
    "updated",
    "resolutiondate",
];

/// Ids of the custom fields that we read on one site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CustomFields {
    /// Estimates; an issue uses one of them.
    pub(crate) story_points: Vec<String>,
    /// Sprints.
    pub(crate) sprints: Vec<String>,
    /// Whatever holds a date and time, sorted.
    pub(crate) moments: Vec<String>,
    /// Whatever holds a short text, sorted.
    pub(crate) mentions: Vec<String>,
    /// Whatever offers choices, sorted.
    pub(crate) choices: Vec<String>,
}

impl CustomFields {
    /// Picks ours out of all.
    pub(crate) fn among(fields: &[Field]) -> CustomFields {
        let custom = |field: &Field| field.schema.as_ref().map(|s| s.custom.clone());
        let ids = |picked: &dyn Fn(&str, &str) -> bool| -> Vec<String> {
            fields
                .iter()
                .filter(|field| custom(field).is_some_and(|kind| picked(&kind, &field.name)))
                .map(|field| field.id.clone())
                .collect()
        };
        let is_estimate = |name: &str| ESTIMATES.contains(&name.trim().to_lowercase().as_str());
        let mut story_points = ids(&|kind, _| kind == STORY_POINTS);
        story_points.extend(ids(&|kind, name| kind.ends_with(NUMBER) && is_estimate(name)));
        let of_type = |wanted: &str, is_ours: &dyn Fn(&str) -> bool| -> Vec<String> {
            let is_wanted = |field: &&Field| {
                let schema = field.schema.as_ref();
                schema.is_some_and(|schema| {
                    schema.kind == wanted && !schema.custom.is_empty() && is_ours(&schema.custom)
                })
            };
            let mut found: Vec<String> =
                fields.iter().filter(is_wanted).map(|field| field.id.clone()).collect();
            found.sort_unstable();
            found
        };
        let mut choices = ids(&|kind, _| CHOICES.iter().any(|choice| kind.ends_with(choice)));
        choices.sort_unstable();
        let is_short = |kind: &str| SHORT_TEXTS.iter().any(|short| kind.ends_with(short));
        CustomFields {
            story_points,
            sprints: ids(&|kind, _| kind == SPRINT),
            moments: of_type(MOMENT, &|_| true),
            mentions: of_type(TEXT, &is_short),
            choices,
        }
    }

    /// Everything to ask of an issue.
    pub(crate) fn wanted(&self) -> Vec<&str> {
        let custom = self.story_points.iter().chain(&self.sprints);
        let custom = custom.chain(&self.moments).chain(&self.mentions).chain(&self.choices);
        SYSTEM.into_iter().chain(custom.map(String::as_str)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_kind_and_numbers_by_name() {
        let fields: Vec<Field> = serde_json::from_str(
            r#"[
                {"id": "summary", "name": "Summary", "schema": {"type": "string"}},
                {"id": "thumbnail", "name": "Images"},
                {"id": "created", "name": "Created", "schema": {"type": "datetime"}},
                {"id": "customfield_9", "name": "Began",
                 "schema": {"type": "datetime", "custom": "x:datetime"}},
                {"id": "customfield_8", "name": "Due", "schema": {"type": "date", "custom": "x:d"}},
                {"id": "customfield_1", "name": "Sprint", "schema": {"custom": "x:textfield"}},
                {"id": "customfield_12", "name": "Build", "schema": {"type": "string",
                 "custom": "com.atlassian.jira.plugin.system.customfieldtypes:url"}},
                {"id": "customfield_11", "name": "Deployment", "schema": {"type": "string",
                 "custom": "com.atlassian.jira.plugin.system.customfieldtypes:textfield"}},
                {"id": "customfield_10", "name": "Story", "schema": {"type": "string",
                 "custom": "com.atlassian.jira.plugin.system.customfieldtypes:textarea"}},
                {"id": "customfield_2", "name": "Iteration",
                 "schema": {"custom": "com.pyxis.greenhopper.jira:gh-sprint"}},
                {"id": "customfield_3", "name": "STORY POINTS ",
                 "schema": {"custom": "com.atlassian.jira.plugin.system.customfieldtypes:float"}},
                {"id": "customfield_4", "name": "Cost",
                 "schema": {"custom": "com.atlassian.jira.plugin.system.customfieldtypes:float"}},
                {"id": "customfield_14", "name": "Severity", "schema": {"type": "option",
                 "custom": "com.atlassian.jira.plugin.system.customfieldtypes:select"}},
                {"id": "customfield_13", "name": "Systems", "schema": {"type": "array", "items": "option",
                 "custom": "com.atlassian.jira.plugin.system.customfieldtypes:multiselect"}},
                {"id": "customfield_15", "name": "Where", "schema": {"type": "option-with-child",
                 "custom": "com.atlassian.jira.plugin.system.customfieldtypes:cascadingselect"}},
                {"id": "customfield_5", "name": "Schätzung",
                 "schema": {"custom": "com.pyxis.greenhopper.jira:jsw-story-points"}}
            ]"#,
        )
        .unwrap();
        let found = CustomFields::among(&fields);
        assert_eq!(found.story_points, ["customfield_5", "customfield_3"]);
        assert_eq!(found.sprints, ["customfield_2"]);
        assert_eq!(found.moments, ["customfield_9"]);
        assert_eq!(found.mentions, ["customfield_11", "customfield_12"]);
        let custom = ["customfield_5", "customfield_3", "customfield_2", "customfield_9"];
        assert_eq!(found.wanted()[13..17], custom);
        assert_eq!(found.wanted()[17..19], found.mentions);
        assert_eq!(found.choices, ["customfield_13", "customfield_14"]);
        assert_eq!(found.wanted()[19..], found.choices);
    }
}

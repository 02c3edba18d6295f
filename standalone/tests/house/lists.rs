//! The lists that the simulator knows as well as we do, and how both sides' rows are compared.

use std::collections::HashSet;

use serde_json::Value;

/// Each with the fields that the simulator knows.
const LISTS: &[(&str, &[&str])] = &[
    (
        "issues",
        &[
            "external_id",
            "key",
            "project",
            "type",
            "type_id",
            "status",
            "status_category",
            "summary",
            "priority",
            "assignee",
            "creator",
            "parent_key",
            "labels",
            "components",
            "story_points",
            "sprints",
            "created_at",
            "updated_at",
            "resolved_at",
        ],
    ),
    (
        "issue-changes",
        &[
            "issue_key",
            "change_id",
            "item_index",
            "field",
            "from",
            "from_string",
            "to",
            "to_string",
            "author",
            "changed_at",
        ],
    ),
    ("repositories", &["external_id", "full_name", "default_branch", "archived"]),
    (
        "pull-requests",
        &[
            "repository",
            "number",
            "external_id",
            "title",
            "state",
            "draft",
            "author",
            "created_at",
            "updated_at",
            "merged_at",
            "closed_at",
            "merge_commit_sha",
            "head_ref",
            "base_ref",
            "head_sha",
            "additions",
            "deletions",
            "changed_files",
            "commits",
            "reviews",
            "review_comments",
            "comments",
            "first_commit_at",
            "issue_keys",
        ],
    ),
    ("reviews", &["repository", "number", "external_id", "author", "state", "submitted_at"]),
    ("review-comments", &["repository", "number", "external_id", "author", "created_at"]),
    ("comments", &["repository", "number", "external_id", "author", "created_at"]),
    (
        "commits",
        &["repository", "number", "sha", "author", "authored_at", "committed_at", "message"],
    ),
    (
        "deployments",
        &["repository", "external_id", "environment", "sha", "outcome", "finished_at", "estimated"],
    ),
];

/// Every list, by the name that it has on both sides.
pub fn names() -> impl Iterator<Item = &'static str> {
    LISTS.iter().map(|(list, _)| *list)
}

/// Expects the same rows in `ours` and in `truth`, both NDJSON, and names the first that differ.
/// Returns how many they are.
pub fn expect_equal(when: &str, list: &str, ours: &str, truth: &str) -> usize {
    let (_, fields) = LISTS.iter().find(|(name, _)| *name == list).expect("a list of these");
    let ours = canonical(ours, fields, true);
    let truth = canonical(truth, fields, false);
    assert!(!truth.is_empty(), "{when}: the company has no {list} at all");
    let missing = first_without_equal(&truth, &ours);
    let surplus = first_without_equal(&ours, &truth);
    // Lengths differ where a row is doubled, although both sides have it.
    assert!(
        missing.is_empty() && surplus.is_empty() && ours.len() == truth.len(),
        "{when}: {list} differ: {} rows, {} in truth\nmissing {missing:#?}\nsurplus {surplus:#?}",
        ours.len(),
        truth.len(),
    );
    truth.len()
}

fn first_without_equal<'a>(rows: &'a [String], others: &[String]) -> Vec<&'a String> {
    let others: HashSet<_> = others.iter().collect();
    rows.iter().filter(|row| !others.contains(row)).take(3).collect()
}

/// Rows as lines of the fields that both sides know. Deleted rows count for nothing.
fn canonical(ndjson: &str, fields: &[&str], drop_deleted: bool) -> Vec<String> {
    let rows = ndjson.lines().filter(|line| !line.is_empty()).map(|line| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{e} in {line}"))
    });
    rows.filter(|row| !(drop_deleted && row["deleted"] == true))
        .map(|row| {
            let known = fields.iter().map(|field| {
                let value = row.get(*field).unwrap_or_else(|| panic!("no {field} in {row}"));
                format!("{field}={}", plain(value))
            });
            known.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// One spelling for what may be spelled in several ways: moments and numbers.
fn plain(value: &Value) -> String {
    if let Some(moment) =
        value.as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok())
    {
        return moment.timestamp_micros().to_string();
    }
    if let Some(number) = value.as_f64() {
        return number.to_string();
    }
    value.to_string()
}

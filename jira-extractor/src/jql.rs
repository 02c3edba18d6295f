//! Questions in JQL. Times are epoch milliseconds: quoted dates would mean the time zone in the
//! profile of whoever asks.

use domain::work::Slice;

use crate::time::on_minutes;

/// The issues of a project that a slice covers, in an order that new issues and edits only append
/// to.
pub(crate) fn issues(project_id: i64, slice: Slice) -> String {
    let slice = on_minutes(slice);
    let mut jql = of_project(project_id);
    let bounds = [
        ("created >=", slice.created_from),
        ("created <", slice.created_to),
        ("updated >=", slice.updated_since),
    ];
    for (comparison, bound) in bounds {
        if let Some(bound) = bound {
            jql.push_str(&format!(" AND {comparison} {}", bound.timestamp_millis()));
        }
    }
    let order = if slice.updated_since.is_some() { "updated" } else { "created" };
    format!("{jql} ORDER BY {order} ASC, key ASC")
}

/// All issues of a project, for counting.
pub(crate) fn of_project(project_id: i64) -> String {
    format!("project = {project_id}")
}

/// All issues of a project by key, for a census.
pub(crate) fn census(project_id: i64) -> String {
    format!("{} ORDER BY key ASC", of_project(project_id))
}

/// All issues of a project, the oldest first.
pub(crate) fn oldest_first(project_id: i64) -> String {
    format!("{} ORDER BY created ASC", of_project(project_id))
}

#[cfg(test)]
mod tests {
    use domain::Moment;

    use super::*;

    #[test]
    fn a_slice_becomes_a_question() {
        let at = |text: &str| Some(text.parse::<Moment>().unwrap());
        let cases = [
            (Slice::default(), "project = 10001 ORDER BY created ASC, key ASC"),
            (
                Slice { created_to: at("2026-01-01T00:00:30.5Z"), ..Slice::default() },
                "project = 10001 AND created < 1767225600000 ORDER BY created ASC, key ASC",
            ),
            (
                Slice {
                    created_from: at("2026-01-01T00:00:59Z"),
                    created_to: at("2026-02-01T00:00:00Z"),
                    ..Slice::default()
                },
                "project = 10001 AND created >= 1767225600000 AND created < 1769904000000 \
                 ORDER BY created ASC, key ASC",
            ),
            (
                Slice { updated_since: at("2026-01-01T00:00:01Z"), ..Slice::default() },
                "project = 10001 AND updated >= 1767225600000 ORDER BY updated ASC, key ASC",
            ),
        ];
        for (slice, jql) in cases {
            assert_eq!(issues(10_001, slice), jql);
        }
    }
}

//! Rows on their way into the tables, and the tables.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::PgConnection;
use serde::Deserialize;

/// What stands in a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Flag(bool),
    Number(i64),
    Float(f64),
    Text(String),
    /// Microseconds since 1970.
    At(i64),
}

/// A moment, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "std::borrow::Cow<'_, str>")]
pub struct At(pub i64);

/// A table, and how it is copied into in PostgreSQL.
pub struct Table {
    pub name: &'static str,
    /// The columns behind client and integration.
    pub columns: &'static [&'static str],
    /// Copies rows in CSV.
    pub copy: fn(&mut PgConnection, &[u8]) -> diesel::QueryResult<usize>,
}

/// The tables to write, those that others refer to first.
macro_rules! tables {
    ($($place:ident = $name:ident ( $($column:ident),+ $(,)? );)+) => {
        /// A table's place among them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Place { $($place),+ }

        $(diesel::table! {
            // PostgreSQL reads CSV by the types of its columns; these only give their names.
            $name (client_id, integration_id) {
                client_id -> Text,
                integration_id -> Text,
                $($column -> Text,)+
            }
        })+

        /// All of them, in the order of their places.
        pub const TABLES: &[Table] = &[$(Table {
            name: stringify!($name),
            columns: &[$(stringify!($column)),+],
            copy: |conn, csv| super::postgres::copy(conn, $name::table, csv),
        }),+];
    };
}

tables! {
    Projects = projects(external_id, key, name, kind, former_keys, active);
    IssueTypes = issue_types(external_id, name, hierarchy_level, active);
    Statuses = statuses(external_id, name, category, active);
    Sprints = sprints(external_id, board_id, name, state, started_at, ends_at, completed_at);
    Issues = issues(
        external_id, project_id, key, type_id, status_id, summary, priority, assignee, creator,
        parent_id, parent_key, labels, components, moments, mentions, story_points, sprints, created_at,
        updated_at, resolved_at, changelog_complete, deleted,
    );
    Changes = issue_changes(
        issue_id, change_id, item_index, field, from_value, from_string, to_value, to_string,
        author, changed_at,
    );
    Repositories = repositories(external_id, full_name, default_branch, archived, active);
    PullRequests = pull_requests(
        repository_id, number, external_id, title, state, draft, author, author_is_bot, created_at,
        updated_at, merged_at, closed_at, ready_at, merge_commit_sha, head_ref, base_ref, head_sha,
        additions, deletions, changed_files,
    );
    Commits = commits(repository_id, sha, author, authored_at, committed_at, message, parents);
    PullRequestCommits = pull_request_commits(repository_id, number, sha, position);
    Reviews = reviews(
        repository_id, number, external_id, author, author_is_bot, state, submitted_at,
    );
    Comments = comments(repository_id, number, external_id, author, author_is_bot, created_at);
    ReviewComments = review_comments(
        repository_id, number, external_id, author, author_is_bot, created_at,
    );
    Deployments = deployments(
        repository_id, external_id, environment, sha, outcome, created_at, finished_at, estimated,
    );
}

/// Rows of any tables.
pub struct Batch {
    /// The values of each table, row behind row.
    tables: Vec<Vec<Value>>,
}

impl Batch {
    pub fn new() -> Batch {
        Batch { tables: TABLES.iter().map(|_| Vec::new()).collect() }
    }

    /// Adds a row.
    pub fn add<const WIDTH: usize>(&mut self, to: Place, row: [Value; WIDTH]) {
        let at = to as usize;
        assert_eq!(WIDTH, TABLES[at].columns.len(), "a row of {} fits", TABLES[at].name);
        self.tables[at].extend(row);
    }

    /// Adds the rows of another batch.
    pub fn append(&mut self, other: Batch) {
        for (ours, mut theirs) in self.tables.iter_mut().zip(other.tables) {
            ours.append(&mut theirs);
        }
    }

    /// The tables that have rows, in an order in which they can be written.
    pub fn filled(&self) -> impl Iterator<Item = (&'static Table, &[Value])> {
        let filled = TABLES.iter().zip(&self.tables).filter(|(_, values)| !values.is_empty());
        filled.map(|(table, values)| (table, values.as_slice()))
    }
}

impl TryFrom<std::borrow::Cow<'_, str>> for At {
    type Error = String;

    fn try_from(text: std::borrow::Cow<'_, str>) -> Result<At, String> {
        moment(&text).ok_or_else(|| format!("{text:?} is no moment in UTC"))
    }
}

/// `2026-10-01T08:41:07.512Z`, with or without milliseconds: the only spellings that come.
fn moment(text: &str) -> Option<At> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(number(0, 4)?.cast_signed(), number(5, 7)?, number(8, 10)?)?;
    let milli = if text.as_bytes().get(19) == Some(&b'.') { number(20, 23)? } else { 0 };
    let time = date.and_hms_milli_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, milli)?;
    (text.ends_with('Z') || text.ends_with("+0000")).then(|| At(time.and_utc().timestamp_micros()))
}

/// A moment as chrono knows it.
pub fn utc(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Flag(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Float(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<At> for Value {
    fn from(At(micros): At) -> Value {
        Value::At(micros)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_jira_and_github_spell_them() {
        let cases = [
            ("2026-10-01T08:41:07Z", Some(1_790_844_067_000_000)),
            ("2026-10-01T08:41:07.512Z", Some(1_790_844_067_512_000)),
            ("2026-10-01T08:41:07.512+0000", Some(1_790_844_067_512_000)),
            ("2026-10-01T08:41:07+0200", None),
            ("2026-10-01", None),
        ];
        for (text, micros) in cases {
            assert_eq!(moment(text), micros.map(At), "{text}");
        }
    }
}

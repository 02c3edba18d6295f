//! Which tasks a step has. Pure: the store tells what is known and keeps what is planned, in one
//! transaction.

use std::collections::HashMap;

use chrono::{DurationRound, TimeDelta};
use domain::Moment;
use domain::ids::IntegrationId;
use domain::work::{Slice, Step, Topic, WATERMARK_OVERLAP};
use serde::Deserialize;
use store::work::{Ground, Planned, Scope, Unfinished};

/// Issues that one task reads, about: minutes of work, so that several workers share a project.
const ISSUES_PER_SLICE: u64 = 5_000;
/// At times Jira's search tells of an edit hours later. So the first run of each half of a day reads from so
/// much earlier, and no edit falls between two such runs.
const SWEEP: TimeDelta = TimeDelta::hours(12);

/// The tasks of the step that a run has reached. None means that there is nothing to do.
pub fn plan(ground: &Ground) -> Vec<Planned> {
    match ground.step {
        Step::Projects | Step::Statuses | Step::Sprints | Step::Repositories => {
            whole_connections(ground)
        }
        Step::Issues => issues(ground),
        Step::Deletions => deletions(ground),
        Step::PullRequests | Step::Deployments | Step::Commits | Step::MissingCommits => {
            repositories(ground)
        }
        Step::Links | Step::Metrics => vec![across_connections(ground)],
    }
}

fn whole_connections(ground: &Ground) -> Vec<Planned> {
    let whole = |&integration: &IntegrationId| Scope { integration, id: String::new() };
    let scopes = ground.integrations.iter().map(whole);
    scopes.map(|scope| planned(ground, scope, Slice::default())).collect()
}

/// Reads everything that the client has, whatever it comes from.
fn across_connections(ground: &Ground) -> Planned {
    Planned {
        topic: Topic::Metrics,
        integration: None,
        scope: String::new(),
        slice: Slice::default(),
        cursor: String::new(),
        begun_at: ground.run_started_at,
    }
}

/// What changed since the watermark; a project without one is read in slices, the largest first.
fn issues(ground: &Ground) -> Vec<Planned> {
    let sizes = sizes(ground);
    let mut scopes = ground.scopes.clone();
    scopes.sort_by_key(|scope| std::cmp::Reverse(sizes.get(scope).map_or(0, |size| size.count)));
    let mut tasks = Vec::new();
    for scope in scopes {
        let slices = match watermark(ground, &scope) {
            Some(read_to) => {
                let since = swept(read_to, ground.run_started_at);
                vec![Slice { updated_since: Some(since), ..Slice::default() }]
            }
            None => begun_slices(ground, &scope)
                .unwrap_or_else(|| slices(sizes.get(&scope), ground.run_started_at)),
        };
        tasks.extend(slices.into_iter().map(|slice| planned(ground, scope.clone(), slice)));
    }
    tasks
}

fn repositories(ground: &Ground) -> Vec<Planned> {
    let task = |scope: &Scope| {
        let slice = Slice { updated_since: watermark(ground, scope), ..Slice::default() };
        planned(ground, scope.clone(), slice)
    };
    ground.scopes.iter().map(task).collect()
}

/// A project that this very run has read from its beginning cannot hold what is deleted.
fn deletions(ground: &Ground) -> Vec<Planned> {
    let was_read_fully = |scope: &&Scope| {
        ground.earlier.iter().any(|read| {
            read.step == Step::Issues && read.scope == **scope && read.slice.updated_since.is_none()
        })
    };
    let to_compare = ground.scopes.iter().filter(|scope| !was_read_fully(scope));
    to_compare.map(|scope| planned(ground, scope.clone(), Slice::default())).collect()
}

/// A task for a slice, which goes on where an earlier run left it.
fn planned(ground: &Ground, scope: Scope, slice: Slice) -> Planned {
    let begun = ground.unfinished.iter().find(|begun| begun.scope == scope && begun.slice == slice);
    Planned {
        topic: ground.source,
        integration: Some(scope.integration),
        scope: scope.id,
        slice,
        cursor: begun.map(|begun| begun.cursor.clone()).unwrap_or_default(),
        begun_at: begun.map_or(ground.run_started_at, |begun| begun.begun_at),
    }
}

fn watermark(ground: &Ground, scope: &Scope) -> Option<Moment> {
    let of_scope = ground.watermarks.iter().find(|(of, _)| of == scope);
    of_scope.map(|(_, read_to)| *read_to)
}

/// Where to read from, so that what the search told of too late is read after all.
fn swept(read_to: Moment, now: Moment) -> Moment {
    let half_of_day = |at: Moment| at.timestamp().div_euclid(SWEEP.num_seconds());
    let last_began = read_to + WATERMARK_OVERLAP;
    if half_of_day(last_began) == half_of_day(now) { read_to } else { read_to - SWEEP }
}

/// How large a project is, as far as the projects step found out.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Size {
    count: u64,
    oldest: Option<Moment>,
}

/// What a task of the projects step hands on.
#[derive(Deserialize)]
struct Findings {
    #[serde(default)]
    scopes: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    scope: String,
    count: u64,
    oldest: Option<String>,
}

/// The sizes that were found out; one that cannot be read is not known.
fn sizes(ground: &Ground) -> HashMap<Scope, Size> {
    let mut sizes = HashMap::new();
    for read in ground.earlier.iter().filter(|read| read.step == Step::Projects) {
        let Some(output) = &read.output else { continue };
        let findings = match serde_json::from_str::<Findings>(output) {
            Ok(findings) => findings,
            Err(error) => {
                tracing::warn!(%error, "could not read the sizes of projects, reading each in one slice");
                continue;
            }
        };
        for Finding { scope, count, oldest } in findings.scopes {
            let oldest = oldest.and_then(|text| text.parse().ok());
            let scope = Scope { integration: read.scope.integration, id: scope };
            sizes.insert(scope, Size { count, oldest });
        }
    }
    sizes
}

/// Cuts a project's life into equal windows. The first is open below and the last above, so that
/// nothing falls between, whatever the clocks say.
fn slices(size: Option<&Size>, now: Moment) -> Vec<Slice> {
    let Some(&Size { count, oldest: Some(oldest) }) = size else { return vec![Slice::default()] };
    let windows = i32::try_from(count.div_ceil(ISSUES_PER_SLICE)).unwrap_or(i32::MAX).max(1);
    let width = (now - oldest) / windows;
    if width < TimeDelta::minutes(1) {
        return vec![Slice::default()];
    }
    let bound = |at: i32| {
        let exact = oldest + width * at;
        exact.duration_trunc(TimeDelta::minutes(1)).unwrap_or(exact)
    };
    (0..windows)
        .map(|at| Slice {
            created_from: (at > 0).then(|| bound(at)),
            created_to: (at + 1 < windows).then(|| bound(at + 1)),
            updated_since: None,
        })
        .collect()
}

/// The slices in which an earlier run began to read the whole scope, if they still cover it.
fn begun_slices(ground: &Ground, scope: &Scope) -> Option<Vec<Slice>> {
    let is_whole =
        |begun: &&Unfinished| begun.scope == *scope && begun.slice.updated_since.is_none();
    let mut slices: Vec<Slice> =
        ground.unfinished.iter().filter(is_whole).map(|begun| begun.slice).collect();
    slices.sort_by_key(|slice| (slice.created_from, slice.created_to));
    slices.dedup();
    let first = slices.first()?;
    let last = slices.last()?;
    let is_gapless = slices
        .windows(2)
        .all(|pair| pair[0].created_to.is_some() && pair[0].created_to == pair[1].created_from);
    let is_open = first.created_from.is_none() && last.created_to.is_none();
    (is_gapless && is_open).then_some(slices)
}

#[cfg(test)]
mod tests {
    use domain::ids::IntegrationId;
    use store::work::Read;
    use uuid::Uuid;

    use super::*;

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    fn jira() -> IntegrationId {
        IntegrationId(Uuid::from_u128(7))
    }

    fn scope(id: &str) -> Scope {
        Scope { integration: jira(), id: id.to_owned() }
    }

    fn ground(step: Step) -> Ground {
        Ground {
            step,
            source: Topic::Jira,
            run_started_at: at("2026-03-01T00:00:00Z"),
            integrations: vec![jira()],
            scopes: vec![scope("10001"), scope("10002")],
            watermarks: Vec::new(),
            earlier: Vec::new(),
            unfinished: Vec::new(),
        }
    }

    fn findings(output: &str) -> Read {
        Read {
            step: Step::Projects,
            scope: scope(""),
            slice: Slice::default(),
            output: Some(output.to_owned()),
        }
    }

    fn since(text: &str) -> Slice {
        Slice { updated_since: Some(at(text)), ..Slice::default() }
    }

    fn window(from: Option<&str>, to: Option<&str>) -> Slice {
        Slice { created_from: from.map(at), created_to: to.map(at), updated_since: None }
    }

    #[test]
    fn reference_data_is_a_task_per_connection() {
        for step in [Step::Projects, Step::Statuses, Step::Sprints, Step::Repositories] {
            let tasks = plan(&ground(step));
            assert_eq!(tasks.len(), 1, "{step}");
            assert_eq!((tasks[0].scope.as_str(), tasks[0].topic), ("", Topic::Jira), "{step}");
        }
    }

    #[test]
    fn links_and_metrics_cross_connections() {
        for step in [Step::Links, Step::Metrics] {
            let tasks = plan(&ground(step));
            assert_eq!(
                (tasks.len(), tasks[0].topic, tasks[0].integration),
                (1, Topic::Metrics, None)
            );
        }
    }

    #[test]
    fn a_job_without_connections_has_nothing_to_do() {
        let empty = Ground { integrations: Vec::new(), scopes: Vec::new(), ..ground(Step::Issues) };
        for step in [Step::Projects, Step::Issues, Step::Deletions, Step::Commits] {
            assert_eq!(plan(&Ground { step, ..empty.clone() }), [], "{step}");
        }
    }

    #[test]
    fn a_large_project_is_cut_into_windows_that_leave_nothing_out() {
        let mut ground = ground(Step::Issues);
        ground.earlier.push(findings(
            r#"{"scopes":[{"scope":"10001","count":10,"oldest":"2026-01-01T00:00:00Z"},
                          {"scope":"10002","count":12000,"oldest":"2025-12-01T00:00:00Z"}]}"#,
        ));
        let tasks: Vec<_> =
            plan(&ground).into_iter().map(|task| (task.scope, task.slice)).collect();
        let (first, second) = ("2025-12-31T00:00:00Z", "2026-01-30T00:00:00Z");
        assert_eq!(
            tasks,
            [
                ("10002".to_owned(), window(None, Some(first))),
                ("10002".to_owned(), window(Some(first), Some(second))),
                ("10002".to_owned(), window(Some(second), None)),
                ("10001".to_owned(), window(None, None)),
            ]
        );
    }

    #[test]
    fn sizes_that_are_not_known_make_one_slice() {
        let outputs = [
            "",
            "{}",
            r#"{"scopes":[{"scope":"10001","count":90000,"oldest":null}]}"#,
            r#"{"scopes":[{"scope":"10001","count":90000,"oldest":"+9999"}]}"#,
            r#"{"scopes":[{"scope":"10001","count":90000,"oldest":"2026-03-01T00:00:00Z"}]}"#,
            r#"{"scopes":[{"scope":"10001","count":90000,"oldest":"2030-03-01T00:00:00Z"}]}"#,
        ];
        for output in outputs {
            let mut ground = ground(Step::Issues);
            ground.earlier.push(findings(output));
            let slices: Vec<_> = plan(&ground).into_iter().map(|task| task.slice).collect();
            assert_eq!(slices, [Slice::default(), Slice::default()], "{output}");
        }
    }

    #[test]
    fn a_scope_with_a_watermark_is_read_from_there() {
        let read_to = "2026-02-20T00:00:00Z";
        for step in [Step::PullRequests, Step::Deployments, Step::Commits] {
            let mut ground = ground(step);
            ground.watermarks.push((scope("10002"), at(read_to)));
            let slices: Vec<_> = plan(&ground).into_iter().map(|task| task.slice).collect();
            assert_eq!(slices, [Slice::default(), since(read_to)], "{step}");
        }
    }

    #[test]
    fn the_first_run_of_half_a_day_reads_issues_that_the_search_told_of_late() {
        // When the last run began, when this one does, and what it reads from.
        let cases = [
            ("2026-02-28T09:05:00Z", "2026-02-28T10:05:00Z", "2026-02-28T08:55:00Z"),
            ("2026-02-28T11:05:00Z", "2026-02-28T12:05:00Z", "2026-02-27T22:55:00Z"),
            ("2026-02-28T12:05:00Z", "2026-02-28T13:05:00Z", "2026-02-28T11:55:00Z"),
            ("2026-02-28T23:05:00Z", "2026-03-01T00:05:00Z", "2026-02-28T10:55:00Z"),
            ("2026-02-25T13:05:00Z", "2026-02-28T13:05:00Z", "2026-02-25T00:55:00Z"),
        ];
        for (last, now, expected) in cases {
            let mut ground = Ground { run_started_at: at(now), ..ground(Step::Issues) };
            ground.watermarks.push((scope("10001"), at(last) - WATERMARK_OVERLAP));
            assert_eq!(plan(&ground)[0].slice, since(expected), "{last} and {now}");
        }
    }

    #[test]
    fn an_unfinished_slice_goes_on_where_it_was_left() {
        let (half, begun_at) = ("2026-01-01T00:00:00Z", at("2026-02-27T00:00:00Z"));
        let mut ground = ground(Step::Issues);
        for (slice, cursor) in
            [(window(Some(half), None), "page 9"), (window(None, Some(half)), "done")]
        {
            let cursor = cursor.to_owned();
            ground.unfinished.push(Unfinished { scope: scope("10001"), slice, cursor, begun_at });
        }
        let tasks: Vec<_> = plan(&ground)
            .into_iter()
            .map(|task| (task.slice, task.cursor, task.begun_at))
            .collect();
        assert_eq!(
            tasks,
            [
                (window(None, Some(half)), "done".to_owned(), begun_at),
                (window(Some(half), None), "page 9".to_owned(), begun_at),
                (Slice::default(), String::new(), ground.run_started_at),
            ]
        );
    }

    #[test]
    fn slices_that_do_not_cover_the_scope_are_cut_anew() {
        let mut ground = ground(Step::Issues);
        ground.unfinished.push(Unfinished {
            scope: scope("10001"),
            slice: window(Some("2026-01-01T00:00:00Z"), None),
            cursor: "page 9".to_owned(),
            begun_at: at("2026-02-27T00:00:00Z"),
        });
        let tasks = plan(&ground);
        assert_eq!((tasks[0].slice, tasks[0].cursor.as_str()), (Slice::default(), ""));
    }

    #[test]
    fn what_was_just_read_from_its_beginning_is_not_compared() {
        let mut ground = ground(Step::Deletions);
        for (id, slice) in [("10001", Slice::default()), ("10002", since("2026-02-20T00:00:00Z"))] {
            ground.earlier.push(Read { step: Step::Issues, scope: scope(id), slice, output: None });
        }
        let scopes: Vec<_> = plan(&ground).into_iter().map(|task| task.scope).collect();
        assert_eq!(scopes, ["10002"]);
    }
}

//! What hangs on something, and which numbers would move with it.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::web::{Data, Json, Path};
use domain::ids::IntegrationId;
use domain::workflow::{Configuration, Places, StepCategory, WorkflowStep};
use serde::Serialize;
use store::Workflows;
use store::workflows::{StatusInUse, Through};
use utoipa::ToSchema;

use super::nouns::step_of;
use super::{Noun, parse};
use crate::auth::Caller;
use crate::error::ApiError;

/// What hangs on something, and which numbers it moves.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImpactJson {
    /// Live issues whose place it decides.
    pub(super) issues: u64,
    /// Live issues beside them whose place it decided once.
    issues_passed: u64,
    steps: usize,
    status_mappings: usize,
    issue_type_mappings: usize,
    /// Metrics that would move without it.
    metrics: Vec<&'static str>,
}

/// What deleting or switching it off would touch.
pub(crate) async fn impact<N: Noun>(
    caller: Caller,
    workflows: Data<Workflows>,
    id: Path<String>,
) -> Result<Json<ImpactJson>, ApiError> {
    Ok(Json(measured::<N>(&caller, &workflows, parse::<N>(&id)?).await?))
}

pub(super) async fn measured<N: Noun>(
    caller: &Caller,
    workflows: &Workflows,
    id: N::Id,
) -> Result<ImpactJson, ApiError> {
    let known = workflows.of_client(caller.client).await?;
    let uses = N::uses(&known, id).map_err(store::Error::from)?;
    let in_use = workflows.statuses_in_use(caller.client).await?;
    let places = Places::new(&known);
    let decided = |row: &&StatusInUse| N::decides(&places, id, row);
    let ways: Vec<StatusInUse> = every_way(&in_use).filter(|row| decided(&row)).collect();
    let through = through(ways.iter());

    let mut touched = Vec::new();
    for (kind, ways) in by_kind(&known, &places, &ways) {
        let stands = in_use.iter().filter(decided);
        let stands = stands.filter(|row| kind_of(&known, &places, row) == Some(kind));
        let part = self::through(ways.into_iter());
        touched.push(Touched {
            kind,
            now: stands.map(|row| row.issues).sum(),
            passed: workflows.passed(caller.client, part.clone()).await?,
            incidents: workflows.incidents(caller.client, part).await?,
        });
    }
    let issues = in_use.iter().filter(decided).map(|row| row.issues);
    Ok(ImpactJson {
        issues: issues.sum(),
        issues_passed: workflows.passed(caller.client, through).await?,
        steps: uses.steps,
        status_mappings: uses.status_mappings,
        issue_type_mappings: uses.issue_type_mappings,
        metrics: moved(&touched),
    })
}

/// What a step means for the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    category: StepCategory,
    /// It is the commitment point, or comes after it.
    committed: bool,
}

/// Issues in steps of one kind.
#[derive(Debug, Clone, Copy)]
struct Touched {
    kind: Kind,
    /// Those that stand there.
    now: u64,
    /// Those that stood there once, and stand elsewhere.
    passed: u64,
    /// Incidents among those that stand there.
    incidents: u64,
}

impl Touched {
    fn stands(&self, category: StepCategory) -> bool {
        self.now > 0 && self.kind.category == category
    }

    fn is_done(&self) -> bool {
        self.stands(StepCategory::Done)
    }

    fn passed_started(&self) -> bool {
        self.passed > 0
            && matches!(self.kind.category, StepCategory::InProgress | StepCategory::Done)
    }

    fn passed_committed(&self) -> bool {
        self.passed > 0 && self.kind.committed
    }

    fn ends_incidents(&self) -> bool {
        self.is_done() && self.incidents > 0
    }
}

/// Which metrics move with such issues. One that stands somewhere counts with all it has; of one that
/// passed only the moment moves at which something began, and what it spent there.
type Moves = fn(&Touched) -> bool;

const METRICS: [(&str, Moves); 13] = [
    ("lead_time", |touched| touched.is_done() || touched.passed_committed()),
    ("cycle_time", |touched| touched.is_done() || touched.passed_started()),
    ("customer_lead_time", Touched::is_done),
    ("time_in_step", |touched| touched.now + touched.passed > 0),
    ("flow_efficiency", |touched| touched.is_done() || touched.passed_committed()),
    ("rework", |touched| touched.is_done() || touched.passed > 0),
    ("wip", |touched| {
        touched.stands(StepCategory::InProgress)
            || (touched.passed > 0 && touched.kind.category == StepCategory::InProgress)
    }),
    ("work_item_age", |touched| {
        touched.stands(StepCategory::InProgress) || touched.passed_started()
    }),
    ("throughput", Touched::is_done),
    ("cumulative_flow", |touched| touched.now + touched.passed > 0),
    ("forecast", Touched::is_done),
    ("time_to_restore", Touched::ends_incidents),
    ("failed_deployment_recovery_time", Touched::ends_incidents),
];

fn moved(touched: &[Touched]) -> Vec<&'static str> {
    let moved = METRICS.iter().filter(|(_, moves)| touched.iter().any(moves));
    moved.map(|(name, _)| *name).collect()
}

/// Every type with every status of its connection: where issues were, nobody may be now.
fn every_way(in_use: &[StatusInUse]) -> impl Iterator<Item = StatusInUse> {
    let mut types: BTreeMap<IntegrationId, BTreeSet<&str>> = BTreeMap::new();
    let mut statuses: BTreeMap<(IntegrationId, &str), &StatusInUse> = BTreeMap::new();
    for row in in_use {
        types.entry(row.integration).or_default().extend(row.issue_type.as_deref());
        statuses.insert((row.integration, row.status.as_str()), row);
    }
    statuses.into_values().flat_map(move |row| {
        let of_connection = types.get(&row.integration).cloned().unwrap_or_default();
        of_connection.into_iter().map(move |issue_type| StatusInUse {
            issue_type: Some(issue_type.to_owned()),
            ..row.clone()
        })
    })
}

fn by_kind<'a>(
    known: &Configuration,
    places: &Places<'_>,
    ways: &'a [StatusInUse],
) -> BTreeMap<Kind, Vec<&'a StatusInUse>> {
    let mut kinds: BTreeMap<Kind, Vec<&StatusInUse>> = BTreeMap::new();
    for way in ways {
        if let Some(kind) = kind_of(known, places, way) {
            kinds.entry(kind).or_default().push(way);
        }
    }
    kinds
}

/// Nothing where it counts nowhere anyway.
fn kind_of(known: &Configuration, places: &Places<'_>, row: &StatusInUse) -> Option<Kind> {
    let step = step_of(places, row).ok()?;
    let is_behind = |mark: &WorkflowStep| mark.commitment && mark.position <= step.position;
    let committed =
        step.category != StepCategory::Discarded && known.steps_of(step.workflow).any(is_behind);
    Some(Kind { category: step.category, committed })
}

/// The ways, with the types together that go through the same statuses.
fn through<'a>(ways: impl Iterator<Item = &'a StatusInUse>) -> Vec<Through> {
    let mut statuses: BTreeMap<(IntegrationId, &str), BTreeSet<&str>> = BTreeMap::new();
    for way in ways {
        let Some(issue_type) = way.issue_type.as_deref() else { continue };
        statuses.entry((way.integration, issue_type)).or_default().insert(&way.status);
    }
    let mut types: BTreeMap<(IntegrationId, BTreeSet<&str>), Vec<String>> = BTreeMap::new();
    for ((integration, issue_type), statuses) in statuses {
        types.entry((integration, statuses)).or_default().push(issue_type.to_owned());
    }
    let owned = |statuses: BTreeSet<&str>| statuses.into_iter().map(str::to_owned).collect();
    let parts = types.into_iter().map(|((integration, statuses), issue_types)| Through {
        integration,
        issue_types,
        statuses: owned(statuses),
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use StepCategory::{Discarded, Done, InProgress, ToDo};

    use super::*;

    fn touched(category: StepCategory, committed: bool, counts: [u64; 3]) -> Touched {
        let [now, passed, incidents] = counts;
        Touched { kind: Kind { category, committed }, now, passed, incidents }
    }

    #[test]
    fn only_metrics_that_such_issues_are_part_of_would_move() {
        let everywhere = ["time_in_step", "cumulative_flow"];
        let done = [
            "lead_time",
            "cycle_time",
            "customer_lead_time",
            "flow_efficiency",
            "rework",
            "throughput",
            "forecast",
        ];
        let incidents = ["time_to_restore", "failed_deployment_recovery_time"];
        let ages = ["wip", "work_item_age"];
        let cases: [(&str, Touched, &[&[&str]]); 11] = [
            ("nothing was ever there", touched(Done, true, [0, 0, 0]), &[]),
            ("begun issues wait", touched(ToDo, false, [1, 0, 0]), &[&everywhere]),
            ("they waited", touched(ToDo, false, [0, 1, 0]), &[&everywhere, &["rework"]]),
            (
                "they waited and were promised",
                touched(ToDo, true, [0, 1, 0]),
                &[&everywhere, &["rework", "lead_time", "flow_efficiency"]],
            ),
            ("under way", touched(InProgress, true, [1, 0, 0]), &[&everywhere, &ages]),
            (
                "they were under way before they were promised",
                touched(InProgress, false, [0, 1, 0]),
                &[&everywhere, &ages, &["rework", "cycle_time"]],
            ),
            (
                "they were under way",
                touched(InProgress, true, [0, 1, 0]),
                &[&everywhere, &ages, &["rework", "cycle_time", "lead_time", "flow_efficiency"]],
            ),
            ("done", touched(Done, true, [1, 0, 0]), &[&everywhere, &done]),
            (
                "incidents are over",
                touched(Done, true, [2, 0, 1]),
                &[&everywhere, &done, &incidents],
            ),
            (
                "an incident is under way",
                touched(InProgress, true, [1, 0, 1]),
                &[&everywhere, &ages],
            ),
            ("given up", touched(Discarded, false, [1, 0, 0]), &[&everywhere]),
        ];
        for (case, touched, expected) in cases {
            let mut expected: Vec<&str> = expected.concat();
            let mut told = moved(&[touched]);
            expected.sort_unstable();
            told.sort_unstable();
            assert_eq!(told, expected, "{case}");
        }
        let both = [touched(ToDo, false, [1, 0, 0]), touched(InProgress, true, [1, 0, 0])];
        assert_eq!(moved(&both), ["time_in_step", "wip", "work_item_age", "cumulative_flow"]);
    }
}

//! How issues flow: each issue's life, read from its stored history, and the days of all of them.

pub mod forecast;
pub mod life;

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use chrono::NaiveDate;
use chrono_tz::Tz;
use domain::Moment;
use domain::ids::{IntegrationId, WorkflowId, WorkflowStepId};
use domain::stay::Stay;
use domain::workflow::Excluded;
use store::flow::{Ground, IssueFact, IssueHistory, Move, Rules, Standing, StatusSeen};

use self::life::{Life, StepSeen};

/// The rules over one client's issues.
#[derive(Clone, Default)]
pub struct Flow(Option<Under>);

impl Flow {
    /// Before the first issue.
    pub fn new() -> Flow {
        Flow::default()
    }
}

/// Grows with each change of what is made of an issue.
const VERSION: i64 = 2;

impl Rules for Flow {
    fn version(&self) -> i64 {
        VERSION
    }

    fn begin(&mut self, ground: Ground) {
        self.0 = Some(Under::new(ground));
    }

    fn issue(&mut self, issue: &IssueHistory) -> IssueFact {
        self.0.as_mut().expect("the rules have begun").issue(issue)
    }
}

/// Where a status leads for one type of issue.
type Asked = (IntegrationId, i64, StatusSeen);

/// The rules under way.
#[derive(Clone)]
struct Under {
    ground: Ground,
    zone: Tz,
    /// By workflow: the position of its commitment point.
    commitments: HashMap<WorkflowId, i32>,
    /// Answers given before: there are hundreds of them, and millions of questions.
    placed: HashMap<Asked, Result<StepSeen, Excluded>>,
}

impl Under {
    fn new(ground: Ground) -> Under {
        // A schedule is checked before it is kept, so an unknown zone means an older calendar.
        let zone = ground.timezone.as_deref().and_then(|name| Tz::from_str(name).ok());
        let marked = ground.configuration.steps.iter().filter(|step| step.commitment);
        Under {
            zone: zone.unwrap_or(Tz::UTC),
            commitments: marked.map(|step| (step.workflow, step.position)).collect(),
            placed: HashMap::new(),
            ground,
        }
    }

    fn issue(&mut self, issue: &IssueHistory) -> IssueFact {
        let stays = issue.stays();
        let last = stays.last().expect("a life has a last stay");
        let (standing, since) = (self.standing(issue, &last.place), last.at);
        // Where it stood before is true also of one whose status of today has no step.
        let is_followed = match &standing {
            Ok(_) => true,
            Err(reason) => *reason == Excluded::UnmappedStatus && !issue.deleted,
        };
        if let (Err(reason), false) = (standing, is_followed) {
            return counts_nowhere(reason, since, Vec::new());
        }
        let mut passed_unmapped = false;
        let mut placed: Vec<Stay<Option<StepSeen>>> = Vec::with_capacity(stays.len());
        for stay in &stays {
            let step = self.step(issue, &stay.place);
            passed_unmapped |= step == Err(Excluded::UnmappedStatus);
            placed.push(Stay { at: stay.at, until: stay.until, place: step.ok() });
        }
        let stays = placed;
        let moves = self.moves(&stays);
        let standing = match standing {
            Ok(step) => step,
            Err(reason) => return counts_nowhere(reason, since, moves),
        };
        let commitment = self.commitments.get(&standing.workflow);
        let life = match passed_unmapped {
            true => Life::default(),
            false => life::life(&stays, commitment.map(|position| (standing.workflow, *position))),
        };
        let name = self.ground.configuration.step(standing.id).map(|step| step.name.clone());
        let name = name.unwrap_or_default();
        let place = Standing { step: standing.id, name, category: standing.category };
        let entered_at = life::entered_at(&stays).expect("it stands in a step");
        IssueFact { passed_unmapped, ..fact(place, entered_at, life, moves) }
    }

    /// The step in which it stands, or the first level that keeps it out.
    fn standing(
        &mut self,
        issue: &IssueHistory,
        status: &StatusSeen,
    ) -> Result<StepSeen, Excluded> {
        let ground = &self.ground;
        let connection =
            ground.configuration.connections.iter().find(|known| known.id == issue.integration);
        if !connection.is_some_and(|known| known.active) {
            return Err(Excluded::InactiveIntegration);
        }
        if !ground.projects.get(&(issue.integration, issue.project)).is_some_and(|active| *active) {
            return Err(Excluded::InactiveProject);
        }
        let issue_type = ground.issue_types.get(&(issue.integration, issue.issue_type));
        if issue_type.is_some_and(|known| !known.active) {
            return Err(Excluded::InactiveIssueType);
        }
        let is_gone = status
            .id
            .and_then(|id| ground.statuses.get(&(issue.integration, id)))
            .is_some_and(|known| !known.active);
        match self.step(issue, status) {
            Err(Excluded::InactiveIssueTypeMapping) => Err(Excluded::InactiveIssueTypeMapping),
            _ if is_gone => Err(Excluded::InactiveStatus),
            Ok(_) if issue.deleted => Err(Excluded::InactiveIssue),
            placed => placed,
        }
    }

    /// The step of a status that the issue has or had.
    fn step(&mut self, issue: &IssueHistory, status: &StatusSeen) -> Result<StepSeen, Excluded> {
        let key = (issue.integration, issue.issue_type, status.clone());
        if let Some(placed) = self.placed.get(&key) {
            return *placed;
        }
        let step = self.ground.step(issue.integration, issue.issue_type, status);
        let placed = step.map(StepSeen::from);
        self.placed.insert(key, placed);
        placed
    }

    /// How often it entered and left each step on each day.
    fn moves(&self, stays: &[Stay<Option<StepSeen>>]) -> Vec<Move> {
        let mut counts: BTreeMap<(i32, WorkflowStepId), (i64, i64)> = BTreeMap::new();
        for stay in stays {
            let Some(step) = stay.place else { continue };
            counts.entry((self.day(stay.at), step.id)).or_default().0 += 1;
            if let Some(until) = stay.until {
                counts.entry((self.day(until), step.id)).or_default().1 += 1;
            }
        }
        let counts = counts.into_iter();
        counts.map(|((day, step), (entered, gone))| Move { day, step, entered, gone }).collect()
    }

    fn day(&self, at: Moment) -> i32 {
        day_number(at.with_timezone(&self.zone).date_naive())
    }
}

/// Days since 1970.
pub fn day_number(day: NaiveDate) -> i32 {
    let days = (day - NaiveDate::default()).num_days();
    i32::try_from(days).expect("chrono's days fit")
}

/// The day with this number.
pub fn day_of(number: i32) -> NaiveDate {
    NaiveDate::default() + chrono::TimeDelta::days(number.into())
}

fn counts_nowhere(reason: Excluded, entered_at: Moment, moves: Vec<Move>) -> IssueFact {
    IssueFact {
        place: Err(reason),
        entered_at,
        committed_at: None,
        started_at: None,
        lead_seconds: None,
        cycle_seconds: None,
        active_seconds: None,
        rework: 0,
        steps: Vec::new(),
        passed_unmapped: false,
        moves,
    }
}

fn fact(standing: Standing, entered_at: Moment, life: Life, moves: Vec<Move>) -> IssueFact {
    IssueFact {
        place: Ok(standing),
        entered_at,
        committed_at: life.committed_at,
        started_at: life.started_at,
        lead_seconds: life.lead_seconds,
        cycle_seconds: life.cycle_seconds,
        active_seconds: life.active_seconds,
        rework: life.rework,
        steps: life.steps,
        passed_unmapped: false,
        moves,
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{ClientId, StatusMappingId};
    use domain::project::StatusCategory;
    use domain::workflow::{Configuration, Connection, StatusMapping, StepCategory};
    use store::flow::{Known, StatusChange};
    use uuid::Uuid;

    use super::*;

    const JIRA: IntegrationId = IntegrationId(Uuid::from_u128(9));

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    fn ground() -> Ground {
        let connection = Connection { id: JIRA, name: "Jira".to_owned(), active: true };
        let status = |id: i64, name: &str, about| {
            ((JIRA, id), Known { name: name.to_owned(), active: true, about })
        };
        let story = Known { name: "Story".to_owned(), active: true, about: () };
        Ground {
            configuration: Configuration::unsaid(
                ClientId(Uuid::from_u128(1 << 70)),
                vec![connection],
            ),
            timezone: Some("Europe/Berlin".to_owned()),
            statuses: HashMap::from([
                status(1, "Open", StatusCategory::ToDo),
                status(2, "Doing", StatusCategory::InProgress),
                status(3, "Done", StatusCategory::Done),
            ]),
            issue_types: HashMap::from([((JIRA, 5), story)]),
            projects: HashMap::from([((JIRA, 7), true)]),
        }
    }

    fn history(changes: &[(&str, i64, i64)]) -> IssueHistory {
        let seen = |id| StatusSeen { id: Some(id), name: String::new() };
        IssueHistory {
            integration: JIRA,
            id: 1,
            key: "PAY-1".to_owned(),
            project: 7,
            issue_type: 5,
            status: changes.last().map_or(1, |change| change.2),
            deleted: false,
            created_at: at("2026-03-27T08:00:00Z"),
            changes: changes
                .iter()
                .map(|(when, from, to)| StatusChange {
                    at: at(when),
                    from: seen(*from),
                    to: seen(*to),
                })
                .collect(),
        }
    }

    fn begun(ground: Ground) -> Flow {
        let mut flow = Flow::new();
        flow.begin(ground);
        flow
    }

    #[test]
    fn the_first_level_that_is_switched_off_is_the_reason() {
        type Off = fn(&mut Ground, &mut IssueHistory);
        let levels: [(Off, &str); 8] = [
            (
                |ground, _| ground.configuration.connections[0].active = false,
                "inactive_integration",
            ),
            (|ground, _| *ground.projects.get_mut(&(JIRA, 7)).unwrap() = false, "inactive_project"),
            (
                |ground, _| ground.issue_types.get_mut(&(JIRA, 5)).unwrap().active = false,
                "inactive_issue_type",
            ),
            (
                |ground, _| ground.statuses.get_mut(&(JIRA, 1)).unwrap().active = false,
                "inactive_status",
            ),
            (|ground, _| ground.configuration.steps[0].takes = None, "unmapped_status"),
            (|ground, _| ground.configuration.workflows[0].active = false, "inactive_workflow"),
            (|ground, _| ground.configuration.steps[0].active = false, "inactive_workflow_step"),
            (|_, issue| issue.deleted = true, "inactive_issue"),
        ];
        for (n, (_, expected)) in levels.iter().enumerate() {
            let (mut ground, mut issue) = (ground(), history(&[]));
            // This level and all behind it; only an unmapped status leaves no step to look at.
            for (off, _) in &levels[n..] {
                off(&mut ground, &mut issue);
            }
            if matches!(
                *expected,
                "inactive_workflow" | "inactive_workflow_step" | "inactive_issue"
            ) {
                ground.configuration.steps[0].takes = Some(StatusCategory::ToDo);
            }
            let place = begun(ground).issue(&issue).place;
            assert_eq!(place.unwrap_err().as_str(), *expected);
        }
    }

    #[test]
    fn days_are_cut_in_the_zone_of_the_client() {
        // 23:30 in Berlin on 28 March, and 01:00 on 29 March, the day on which the clock goes on.
        let moves = [("2026-03-28T22:30:00Z", 1, 2), ("2026-03-29T00:00:00Z", 2, 3)];
        let fact = begun(ground()).issue(&history(&moves));
        assert_eq!(fact.lead_seconds, Some(5_400.0));
        let days: Vec<_> = fact
            .moves
            .iter()
            .map(|day| {
                (day_of(day.day).to_string(), day.step.0.as_u128() & 7, day.entered, day.gone)
            })
            .collect();
        let day = |text: &str, step, entered, gone| (text.to_owned(), step, entered, gone);
        assert_eq!(
            days,
            [
                day("2026-03-27", 2, 1, 0),
                day("2026-03-28", 2, 0, 1),
                day("2026-03-28", 3, 1, 0),
                day("2026-03-29", 3, 0, 1),
                day("2026-03-29", 4, 1, 0),
            ]
        );
    }

    #[test]
    fn a_status_that_jira_forgot_goes_by_its_old_name() {
        let mut issue = history(&[("2026-03-28T22:30:00Z", 2, 3)]);
        issue.changes[0].from = StatusSeen { id: Some(404), name: "Old".to_owned() };
        let mut flow = begun(ground());
        // Nothing maps the old name, so nobody knows when work began.
        let fact = flow.issue(&issue);
        assert!(fact.passed_unmapped);
        assert_eq!((fact.started_at, fact.steps.len()), (None, 0));
        let mut ground = ground();
        let step = ground.configuration.steps[1].id;
        ground.configuration.status_mappings = vec![mapping("old", step)];
        let fact = begun(ground).issue(&issue);
        assert!(!fact.passed_unmapped);
        assert_eq!((fact.started_at, fact.steps.len()), (Some(issue.created_at), 1));
    }

    fn mapping(status: &str, step: WorkflowStepId) -> StatusMapping {
        StatusMapping {
            id: StatusMappingId(Uuid::from_u128(3)),
            scope: None,
            issue_type: None,
            status: status.to_owned(),
            step,
            active: true,
            version: 1,
        }
    }

    /// Open (1) and Done (3) have steps, the status between them has none.
    #[test]
    fn nothing_is_said_of_steps_where_an_issue_came_through_a_status_without_one() {
        let mut ground = ground();
        ground.statuses.remove(&(JIRA, 2));
        let day = |hour| format!("2026-03-28T{hour:02}:00:00Z");
        let [one, two, three] = [9, 10, 11].map(day);
        let days = |fact: &IssueFact| -> Vec<(u128, i64, i64)> {
            fact.moves.iter().map(|day| (day.step.0.as_u128() & 7, day.entered, day.gone)).collect()
        };
        // Done in the end: it is done, but neither lead nor cycle nor steps are known.
        let done = history(&[(&one, 1, 2), (&two, 2, 3)]);
        let fact = begun(ground.clone()).issue(&done);
        assert_eq!(fact.place.as_ref().unwrap().category, StepCategory::Done);
        assert!(fact.passed_unmapped);
        let lengths = (fact.lead_seconds, fact.cycle_seconds, fact.active_seconds);
        assert_eq!((lengths, fact.committed_at, fact.started_at), ((None, None, None), None, None));
        assert_eq!((fact.rework, fact.steps.len()), (0, 0));
        assert_eq!(fact.entered_at, at(&two));
        // To do on the 27th, out of it on the 28th, and done then.
        assert_eq!(days(&fact), [(2, 1, 0), (2, 0, 1), (4, 1, 0)]);

        // Still there: it counts nowhere now, but the days before stay true.
        let stuck = history(&[(&one, 1, 3), (&two, 3, 1), (&three, 1, 2)]);
        let fact = begun(ground.clone()).issue(&stuck);
        assert_eq!(fact.place, Err(Excluded::UnmappedStatus));
        assert_eq!(days(&fact), [(2, 1, 0), (2, 1, 2), (4, 1, 1)]);

        // One that is deleted was never anywhere.
        let gone = IssueHistory { deleted: true, ..stuck };
        assert_eq!(days(&begun(ground.clone()).issue(&gone)), []);

        // What is switched off is a decision, not a gap.
        ground.configuration.status_mappings = vec![StatusMapping {
            active: false,
            ..mapping("working", ground.configuration.steps[1].id)
        }];
        let mut named = history(&[(&one, 1, 2), (&two, 2, 3)]);
        for change in &mut named.changes {
            for seen in [&mut change.from, &mut change.to] {
                if seen.id == Some(2) {
                    seen.name = "Working".to_owned();
                }
            }
        }
        let fact = begun(ground).issue(&named);
        assert_eq!((fact.passed_unmapped, fact.cycle_seconds), (false, Some(0.0)));
    }
}

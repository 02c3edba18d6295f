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
const VERSION: i64 = 1;

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
        let standing = match self.standing(issue, &last.place) {
            Ok(step) => step,
            Err(reason) => return counts_nowhere(reason, last.at),
        };
        let stays: Vec<Stay<Option<StepSeen>>> = stays
            .into_iter()
            .map(|stay| Stay {
                at: stay.at,
                until: stay.until,
                place: self.step(issue, &stay.place).ok(),
            })
            .collect();
        let moves = self.moves(&stays);
        let commitment = self.commitments.get(&standing.workflow);
        let life = life::life(&stays, commitment.map(|position| (standing.workflow, *position)));
        let name = self.ground.configuration.step(standing.id).map(|step| step.name.clone());
        let name = name.unwrap_or_default();
        let place = Standing { step: standing.id, name, category: standing.category };
        let entered_at = life::entered_at(&stays).expect("it stands in a step");
        fact(place, entered_at, life, moves)
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

fn counts_nowhere(reason: Excluded, entered_at: Moment) -> IssueFact {
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
        moves: Vec::new(),
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
        moves,
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::ClientId;
    use domain::project::StatusCategory;
    use domain::workflow::{Configuration, Connection};
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
        let fact = flow.issue(&issue);
        assert_eq!((fact.started_at, fact.steps.len()), (Some(at("2026-03-28T22:30:00Z")), 0));
    }
}

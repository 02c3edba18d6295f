//! How many issues entered and left each step on each day: sums of what each issue did.

use std::collections::{HashMap, HashSet};
use std::fmt;

use diesel::prelude::*;
use domain::ids::{ClientId, WorkflowStepId};

use super::super::super::{Conn, bulk};
use crate::Error;
use crate::fact_table::{Existing, Owner, last_of_each};
use crate::flow::{Ground, Move};
use crate::models::flow::FlowDayRow;
use crate::schema::flow_days;
use crate::types::Id;

/// A connection, a project in it, a day and a step.
type Key = (Id, i64, i32, Id);

/// Entered and gone by day and step, and by project.
pub(super) struct Days {
    /// The steps, by the numbers that moves have for them.
    steps: Vec<WorkflowStepId>,
    counts: HashMap<Key, (i64, i64)>,
}

/// What one issue did, as it is kept beside its facts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moves {
    project: i64,
    /// The day, the number of the step, entered and gone.
    of_days: Vec<(i32, usize, i64, i64)>,
}

impl Days {
    /// Nothing counted yet.
    pub(super) fn new(ground: &Ground) -> Days {
        let steps = ground.configuration.steps.iter().map(|step| step.id).collect();
        Days { steps, counts: HashMap::new() }
    }

    /// Moves of an issue of a project. Steps go by their places in the configuration: facts made from
    /// another one are all made anew.
    pub(super) fn moves(&self, project: i64, moves: &[Move]) -> Moves {
        let number = |step| self.steps.iter().position(|known| *known == step);
        let of_days = moves
            .iter()
            .filter_map(|one| Some((one.day, number(one.step)?, one.entered, one.gone)));
        Moves { project, of_days: of_days.collect() }
    }

    /// Adds moves, or takes them back.
    pub(super) fn count(&mut self, integration: Id, moves: &Moves, sign: i64) {
        for (day, step, entered, gone) in &moves.of_days {
            let Some(step) = self.steps.get(*step) else { continue };
            let key = (integration, moves.project, *day, Id::from(*step));
            let count = self.counts.entry(key).or_default();
            *count = (count.0 + sign * entered, count.1 + sign * gone);
        }
    }

    /// Makes these the days of a client.
    pub(super) fn replace(mut self, conn: &mut Conn, client: ClientId) -> QueryResult<()> {
        let id = Id::from(client);
        let kept: Vec<Key> = flow_days::table
            .filter(flow_days::client_id.eq(id))
            .select((
                flow_days::integration_id,
                flow_days::project_id,
                flow_days::day,
                flow_days::step_id,
            ))
            .load(conn)?;
        for key in kept {
            self.counts.entry(key).or_default();
        }
        self.put(conn, id)
    }

    /// Adds these to the days of a client.
    pub(super) fn add(mut self, conn: &mut Conn, client: ClientId) -> QueryResult<()> {
        let id = Id::from(client);
        self.counts.retain(|_, count| *count != (0, 0));
        let places: HashSet<(Id, i64)> =
            self.counts.keys().map(|(integration, project, ..)| (*integration, *project)).collect();
        for (integration, project) in places {
            let kept: Vec<(i32, Id, i64, i64)> = flow_days::table
                .filter(flow_days::client_id.eq(id))
                .filter(flow_days::integration_id.eq(integration))
                .filter(flow_days::project_id.eq(project))
                .select((flow_days::day, flow_days::step_id, flow_days::entered, flow_days::gone))
                .load(conn)?;
            for (day, step, entered, gone) in kept {
                if let Some(count) = self.counts.get_mut(&(integration, project, day, step)) {
                    *count = (count.0 + entered, count.1 + gone);
                }
            }
        }
        self.put(conn, id)
    }

    /// Those that are gone are emptied first, because many at once are written faster than one by one,
    /// and then swept out.
    fn put(self, conn: &mut Conn, client: Id) -> QueryResult<()> {
        let mut rows: HashMap<Id, Vec<FlowDayRow>> = HashMap::new();
        for ((integration, project_id, day, step_id), (entered, gone)) in self.counts {
            let row = FlowDayRow { project_id, day, step_id, entered, gone };
            rows.entry(integration).or_default().push(row);
        }
        for (integration, rows) in rows {
            let owner = Owner { client, integration };
            bulk::put(conn, owner, &last_of_each(rows), Existing::Replaced)?;
        }
        let empty = flow_days::table
            .filter(flow_days::client_id.eq(client))
            .filter(flow_days::entered.eq(0))
            .filter(flow_days::gone.eq(0));
        diesel::delete(empty).execute(conn)?;
        Ok(())
    }
}

/// The project, and then four numbers for each day and step.
impl fmt::Display for Moves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.project)?;
        for (day, step, entered, gone) in &self.of_days {
            write!(f, " {day} {step} {entered} {gone}")?;
        }
        Ok(())
    }
}

impl Moves {
    /// Reads what was written.
    pub(super) fn parse(text: &str) -> Result<Moves, Error> {
        let unreadable = || Error::Corrupt { noun: "list of moves", reason: text.to_owned() };
        let numbers: Result<Vec<i64>, _> = text.split(' ').map(str::parse).collect();
        let numbers = numbers.map_err(|_| unreadable())?;
        let (project, rest) = numbers.split_first().ok_or_else(unreadable)?;
        let (of_days, []) = rest.as_chunks::<4>() else { return Err(unreadable()) };
        let of_days = of_days.iter().map(|[day, step, entered, gone]| {
            Some(((*day).try_into().ok()?, (*step).try_into().ok()?, *entered, *gone))
        });
        let of_days: Option<Vec<_>> = of_days.collect();
        Ok(Moves { project: *project, of_days: of_days.ok_or_else(unreadable)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_read_as_they_were_written() {
        let cases = [
            (Moves { project: 7, of_days: vec![] }, "7"),
            (
                Moves { project: -1, of_days: vec![(20_513, 0, 1, 0), (20_514, 3, 2, 1)] },
                "-1 20513 0 1 0 20514 3 2 1",
            ),
        ];
        for (moves, text) in cases {
            assert_eq!(moves.to_string(), text);
            assert_eq!(Moves::parse(text).unwrap(), moves);
        }
        for broken in ["", "7 1 2 3", "x", "7 1 -2 3 4"] {
            assert!(Moves::parse(broken).is_err(), "{broken:?}");
        }
    }
}

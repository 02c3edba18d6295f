//! When an incident began and ended, and which deployment caused it.

use chrono::TimeDelta;
use domain::Moment;
use domain::ids::IntegrationId;
use domain::project::StatusCategory;

/// The history of an issue that is an incident.
#[derive(Debug, Clone)]
pub struct History {
    /// When the issue was made.
    pub created_at: Moment,
    /// The category of the status it is in now.
    pub category: StatusCategory,
    /// Changes of status in order: when, from which category, to which.
    pub changes: Vec<(Moment, StatusCategory, StatusCategory)>,
}

impl History {
    /// The last entry into a done status, if the incident is still in one. Reopening clears it, and
    /// going from one done status to another is no new entry.
    pub fn ended_at(&self) -> Option<Moment> {
        if self.category != StatusCategory::Done {
            return None;
        }
        let entries = self.changes.iter().rev();
        let last = entries
            .filter(|(_, from, to)| *from != StatusCategory::Done && *to == StatusCategory::Done)
            .map(|(at, ..)| *at)
            .next();
        last.or(Some(self.created_at))
    }
}

/// A deployment, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeploymentRef {
    /// The connection.
    pub integration: IntegrationId,
    /// GitHub's id of the repository.
    pub repository: i64,
    /// The source's id.
    pub id: String,
}

/// Why we think that a deployment caused an incident, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The incident names the deployment, its commit, its tag or one of its pull requests.
    Explicit,
    /// The incident says that it is caused by an issue which the deployment brought.
    CausedBy,
    /// The pull request that fixed it reverts one which the deployment brought.
    Revert,
    /// It is the latest that finished before the incident began.
    TimeWindow,
}

impl Rule {
    /// The spelling in rows and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Rule::Explicit => "explicit",
            Rule::CausedBy => "caused_by",
            Rule::Revert => "revert",
            Rule::TimeWindow => "time_window",
        }
    }
}

/// Successful production deployments of a client, in the order of finish.
#[derive(Debug, Default)]
pub struct Timeline(Vec<(Moment, DeploymentRef)>);

impl Timeline {
    /// From deployments in any order.
    pub fn new(mut deployments: Vec<(Moment, DeploymentRef)>) -> Timeline {
        deployments.sort();
        Timeline(deployments)
    }

    /// The latest that finished strictly before `start`, and not longer before than `window`.
    pub fn last_before(&self, start: Moment, window: Option<TimeDelta>) -> Option<&DeploymentRef> {
        let later = self.0.partition_point(|(finished_at, _)| *finished_at < start);
        let (finished_at, deployment) = self.0[..later].last()?;
        window.is_none_or(|window| start - *finished_at <= window).then_some(deployment)
    }
}

#[cfg(test)]
mod tests {
    use super::StatusCategory::{Done, InProgress, ToDo};
    use super::*;

    fn at(hour: i64) -> Moment {
        Moment::from_timestamp(1_770_000_000 + hour * 3_600, 0).unwrap()
    }

    #[test]
    fn an_incident_ends_with_its_last_entry_into_done() {
        let cases = [
            ("resolved", Done, vec![(1, ToDo, InProgress), (4, InProgress, Done)], Some(4)),
            ("open", InProgress, vec![(1, ToDo, InProgress)], None),
            ("reopened", InProgress, vec![(2, ToDo, Done), (3, Done, InProgress)], None),
            ("again", Done, vec![(2, ToDo, Done), (3, Done, ToDo), (9, ToDo, Done)], Some(9)),
            ("resolved, then closed", Done, vec![(2, ToDo, Done), (8, Done, Done)], Some(2)),
            ("made as done", Done, vec![], Some(0)),
        ];
        for (name, category, changes, expected) in cases {
            let history = History {
                created_at: at(0),
                category,
                changes: changes.into_iter().map(|(hour, from, to)| (at(hour), from, to)).collect(),
            };
            assert_eq!(history.ended_at(), expected.map(at), "{name}");
        }
    }

    #[test]
    fn the_window_blames_the_latest_deployment_before_the_start() {
        let deployment = |id: &str| DeploymentRef {
            integration: IntegrationId(Default::default()),
            repository: 1,
            id: id.to_owned(),
        };
        let timeline = Timeline::new(vec![(at(20), deployment("B")), (at(10), deployment("A"))]);
        let day = Some(TimeDelta::hours(24));
        let cases = [
            (5, None),
            (10, None),
            (11, Some("A")),
            (20, Some("A")),
            (21, Some("B")),
            (44, Some("B")),
            (45, None),
        ];
        for (hour, expected) in cases {
            let blamed = timeline.last_before(at(hour), day).map(|d| d.id.as_str());
            assert_eq!(blamed, expected, "an incident in hour {hour}");
        }
        let much_later = timeline.last_before(at(9_000), None).map(|d| d.id.as_str());
        assert_eq!(much_later, Some("B"), "without a window any time will do");
    }
}

//! Which deployment caused an incident.

use chrono::TimeDelta;
use domain::Moment;
use domain::ids::IntegrationId;

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
    use super::*;

    fn at(hour: i64) -> Moment {
        Moment::from_timestamp(1_770_000_000 + hour * 3_600, 0).unwrap()
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

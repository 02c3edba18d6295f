//! Where issues were all their lives.

use domain::Moment;
use domain::ids::{ClientId, IntegrationId};
use domain::text::folded;

use super::{Filter, Filtered, Key, Lists, Page};
use crate::Error;
use crate::db::ask;
use crate::flow::{Ground, IssueHistory};

/// A stretch of time that an issue spent in a status.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusInterval {
    /// The connection that the issue comes from.
    pub integration_id: IntegrationId,
    /// Jira's id of the issue.
    pub issue_id: i64,
    /// The issue's key of today.
    pub issue_key: String,
    /// Its place in the issue's life, from 0.
    pub number: i64,
    /// The status.
    pub status: String,
    /// The step that the status stands for; nothing where it counts nowhere.
    pub step: Option<String>,
    /// What the step means.
    pub category: Option<String>,
    /// Since when.
    pub started_at: Moment,
    /// Until when; the last one goes on.
    pub ended_at: Option<Moment>,
    /// How long.
    pub seconds: Option<f64>,
}

impl StatusInterval {
    /// All of an issue, in order.
    pub(crate) fn of(
        ground: &Ground,
        history: &IssueHistory,
    ) -> impl Iterator<Item = StatusInterval> {
        (0..).zip(history.stays()).map(|(number, stay)| {
            let step = ground.step(history.integration, history.issue_type, &stay.place).ok();
            let (status, _) = ground.status(history.integration, &stay.place);
            StatusInterval {
                integration_id: history.integration,
                issue_id: history.id,
                issue_key: history.key.clone(),
                number,
                status: status.to_owned(),
                step: step.map(|step| step.name.clone()),
                category: step.map(|step| step.category.as_str().to_owned()),
                started_at: stay.at,
                ended_at: stay.until,
                seconds: stay.until.map(|until| (until - stay.at).as_seconds_f64()),
            }
        })
    }

    /// Whether the filter leaves it; one that goes on was touched just now.
    pub(crate) fn is_wanted(&self, filter: &Filter) -> bool {
        let is_touched = filter
            .updated_since
            .is_none_or(|since| self.ended_at.is_none_or(|ended_at| ended_at >= since));
        let is_state =
            filter.state.as_deref().is_none_or(|state| folded(state) == folded(&self.status));
        is_touched && is_state
    }
}

impl Filtered for StatusInterval {
    fn filters() -> Vec<&'static str> {
        vec!["updated_since", "project", "state", "with_deleted"]
    }
}

impl Lists {
    /// Stays of issues in statuses, by issue and in order.
    ///
    /// At most `limit` rows behind `after`.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn status_intervals(
        &self,
        client: ClientId,
        filter: &Filter,
        after: Option<&Key>,
        limit: u32,
    ) -> Result<Page<StatusInterval>, Error> {
        let filter = filter.clone();
        let after = after.cloned().unwrap_or_default();
        let items: Result<Vec<StatusInterval>, Error> =
            ask!(self.0, flow::intervals(client, &filter, &after, limit));
        let items = items?;
        let is_full = u32::try_from(items.len()).is_ok_and(|count| count == limit);
        let key =
            |last: &StatusInterval| Key::new(last.integration_id, last.issue_id, last.number, 0);
        let next = items.last().filter(|_| is_full).map(key);
        Ok(Page { items, next })
    }
}

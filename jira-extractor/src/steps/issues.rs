//! Issues with their complete histories, in two passes: a search, which brings the newest part of
//! each history, and then the histories that the search cut off.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use domain::facts::Facts;
use domain::issue::Change;
use domain::work::{Gap, Slice};
use extractor::paging::smaller_until_answered;
use extractor::{Failure, Page, PageSize};
use futures::{StreamExt, TryStreamExt};
use serde_json::value::RawValue;

use super::{SIDE_BY_SIDE, following};
use crate::client::{CHANGELOGS_MAX, PAGE_MAX};
use crate::fields::CustomFields;
use crate::jql;
use crate::mapping::{self, Found, Malformed};
use crate::source::Site;
use crate::time::on_minutes;
use crate::wire;

/// Issues per page where each history is asked for by itself.
const ONE_BY_ONE: usize = 25;

pub(crate) struct Issues {
    pub(crate) site: Site,
    pub(crate) project: i64,
    slice: Slice,
    jql: String,
    fields: CustomFields,
    /// Issues per page, and entries of histories per page.
    size: PageSize,
    entries: PageSize,
    batch: Option<Batch>,
    /// Whether this Jira tells many histories at once.
    in_bulk: bool,
}

/// The issues whose histories are being read.
struct Batch {
    after: i64,
    issues: Vec<i64>,
    /// Those of which something could not be read: never complete.
    broken: HashSet<i64>,
}

/// Where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// In the search, behind a token.
    Search(Option<String>),
    /// In the histories of the issues behind an id, behind a token.
    Histories { after: i64, token: Option<String> },
}

impl Issues {
    pub(crate) fn new(site: Site, project: i64, slice: Slice, fields: CustomFields) -> Issues {
        let jql = jql::issues(project, slice);
        let size = PageSize::up_to(PAGE_MAX);
        let entries = PageSize::up_to(CHANGELOGS_MAX as u32);
        Issues { site, project, slice, jql, fields, size, entries, batch: None, in_bulk: true }
    }

    pub(crate) async fn page(&mut self, cursor: &str) -> Result<Page, Failure> {
        match cursor.parse()? {
            Place::Search(token) => self.search(token).await,
            Place::Histories { after, token } => self.histories(after, token).await,
        }
    }

    async fn search(&mut self, token: Option<String>) -> Result<Page, Failure> {
        let (client, jql, wanted) = (&self.site.client, &self.jql, self.fields.wanted());
        let search = |size| client.search(jql, &wanted, token.as_deref(), size);
        let found = smaller_until_answered(&mut self.size, search).await?;
        let next = following(token.as_deref(), found.next_page_token)?;
        let page = self.read(&found.issues);
        let next = match next {
            Some(token) => Place::Search(Some(token)).to_string(),
            // What was cut off is asked of the store, which has all of the search by then.
            None => Issues::cut_off(),
        };
        Ok(Page { next: Some(next), ..page })
    }

    /// The first of some issues by id, with the newest part of their histories, and how many these were.
    pub(crate) async fn by_id(&mut self, issues: &[i64]) -> Result<(Page, usize), Failure> {
        let (client, wanted) = (&self.site.client, self.fields.wanted());
        let by_id = |size: u32| {
            let some = &issues[..issues.len().min(size as usize)];
            let found = client.by_id(some, &wanted, Some("changelog"));
            async move { Ok((found.await?, some.len())) }
        };
        let (found, count) = smaller_until_answered(&mut self.size, by_id).await?;
        Ok((self.read(&found), count))
    }

    /// Where to read the histories that were cut off.
    pub(crate) fn cut_off() -> String {
        Place::Histories { after: 0, token: None }.to_string()
    }

    /// Whether a cursor stands in the histories.
    pub(crate) fn is_in_histories(cursor: &str) -> bool {
        matches!(cursor.parse(), Ok(Place::Histories { .. }))
    }

    fn read(&self, found: &[Box<RawValue>]) -> Page {
        let mut page = Page::default();
        for raw in found {
            match mapping::issue(raw, &self.fields) {
                // One that moved meanwhile belongs to who reads the other project.
                Ok(Found { issue, .. }) if issue.project_id != self.project => {}
                Ok(Found { issue, changes }) => {
                    page.facts.issues.push(issue);
                    page.facts.changes.extend(changes);
                }
                Err(malformed) => page.gaps.push(gap(malformed)),
            }
        }
        page
    }

    async fn histories(&mut self, after: i64, token: Option<String>) -> Result<Page, Failure> {
        let mut batch = match self.batch.take() {
            Some(batch) if batch.after == after => batch,
            _ => self.batch_after(after).await?,
        };
        if batch.issues.is_empty() {
            return Ok(Page::default());
        }
        let told = match self.in_bulk {
            true => match self.changelogs(&batch, token.as_deref()).await {
                // The batch is another one now, so its pages are too.
                Err(Failure::StaleCursor) => self.changelogs(&batch, None).await?,
                told => told?,
            },
            false => None,
        };
        let Some(told) = told else {
            self.in_bulk = false;
            return self.one_by_one(&batch).await;
        };
        let next = following(token.as_deref(), told.next_page_token)?;
        let mut page = Page::default();
        for raw in &told.issue_change_logs {
            match mapping::changelog(raw) {
                Ok(changes) => page.facts.changes.extend(changes),
                Err((issue, malformed)) => {
                    batch.broken.extend(issue);
                    page.gaps.push(gap(malformed));
                }
            }
        }
        let place = match next {
            Some(token) => Some(Place::Histories { after, token: Some(token) }),
            None => {
                let whole = batch.issues.iter().filter(|issue| !batch.broken.contains(issue));
                page.facts.completed_changelogs = whole.copied().collect();
                batch.behind(CHANGELOGS_MAX)
            }
        };
        self.batch = Some(batch);
        Ok(Page { next: place.map(|place| place.to_string()), ..page })
    }

    async fn changelogs(
        &mut self,
        batch: &Batch,
        token: Option<&str>,
    ) -> Result<Option<wire::Changelogs>, Failure> {
        let client = &self.site.client;
        let ask = |entries| client.changelogs(&batch.issues, token, entries);
        smaller_until_answered(&mut self.entries, ask).await
    }

    async fn batch_after(&self, after: i64) -> Result<Batch, Failure> {
        let limit = if self.in_bulk { CHANGELOGS_MAX } else { ONE_BY_ONE };
        let Site { kept, owner, integration, .. } = &self.site;
        let issues = kept
            .truncated_changelogs(
                *owner,
                *integration,
                self.project,
                on_minutes(self.slice),
                after,
                limit as i64,
            )
            .await?;
        Ok(Batch { after, issues, broken: HashSet::new() })
    }

    /// For a Jira that does not tell many histories at once.
    async fn one_by_one(&self, batch: &Batch) -> Result<Page, Failure> {
        let few = &batch.issues[..batch.issues.len().min(ONE_BY_ONE)];
        let histories: Vec<(i64, Result<Vec<Change>, Malformed>)> =
            futures::stream::iter(few.iter().copied())
                .map(|issue| async move { Ok::<_, Failure>((issue, self.history(issue).await?)) })
                .buffered(SIDE_BY_SIDE)
                .try_collect()
                .await?;
        let mut facts = Facts::default();
        let mut gaps = Vec::new();
        for (issue, history) in histories {
            match history {
                Ok(changes) => {
                    facts.changes.extend(changes);
                    facts.completed_changelogs.push(issue);
                }
                Err(malformed) => gaps.push(gap(malformed)),
            }
        }
        let left = batch.issues.len() > few.len() || few.len() == ONE_BY_ONE;
        let last = few.last().copied().filter(|_| left);
        let next = last.map(|after| Place::Histories { after, token: None }.to_string());
        Ok(Page { facts, gaps, next, ..Page::default() })
    }

    /// The whole history of one issue; of one that is gone, nothing.
    async fn history(&self, issue: i64) -> Result<Result<Vec<Change>, Malformed>, Failure> {
        let mut histories = Vec::new();
        let mut next = Some(0);
        while let Some(start) = next {
            let Some(page) = self.site.client.changelog(issue, start).await? else { break };
            next = page.next(start);
            histories.extend(page.values);
        }
        Ok(mapping::changes(issue, &format!("the history of issue {issue}"), histories))
    }
}

impl Batch {
    /// Where the next batch begins; a batch that is not full was the last.
    fn behind(&self, full: usize) -> Option<Place> {
        let last = self.issues.last().filter(|_| self.issues.len() == full)?;
        Some(Place::Histories { after: *last, token: None })
    }
}

fn gap(malformed: Malformed) -> Gap {
    tracing::warn!("{malformed}");
    Gap { scope: malformed.what, reason: format!("It cannot be read: {}.", malformed.reason) }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Search(token) => write!(f, "search:{}", token.as_deref().unwrap_or_default()),
            Place::Histories { after, token } => {
                write!(f, "histories:{after}:{}", token.as_deref().unwrap_or_default())
            }
        }
    }
}

impl FromStr for Place {
    type Err = Failure;

    fn from_str(cursor: &str) -> Result<Place, Failure> {
        let token = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        if cursor.is_empty() {
            return Ok(Place::Search(None));
        }
        if let Some(text) = cursor.strip_prefix("search:") {
            return Ok(Place::Search(token(text)));
        }
        let histories = cursor.strip_prefix("histories:").and_then(|rest| rest.split_once(':'));
        let (after, text) = histories.ok_or(Failure::StaleCursor)?;
        let after = after.parse().map_err(|_| Failure::StaleCursor)?;
        Ok(Place::Histories { after, token: token(text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_back_and_strange_cursors_start_anew() {
        let token = || Some("CAEa:ggD==".to_owned());
        let places = [
            Place::Search(None),
            Place::Search(token()),
            Place::Histories { after: 0, token: None },
            Place::Histories { after: 20_417, token: token() },
        ];
        for place in places {
            assert_eq!(place.to_string().parse::<Place>().unwrap(), place);
        }
        assert_eq!("".parse::<Place>().unwrap(), Place::Search(None));
        for strange in ["page 2", "histories:", "histories:x:", "histories:5"] {
            assert!(matches!(strange.parse::<Place>(), Err(Failure::StaleCursor)), "{strange}");
        }
    }
}

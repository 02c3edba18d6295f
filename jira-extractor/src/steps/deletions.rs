//! What is gone, and what is there though we lack it: a census of ids finds both. Asking by id tells whether
//! what is missing really is gone, and brings what we lack, such as an issue that was restored, or that the
//! search told of too late.

use std::collections::HashSet;

use domain::facts::Facts;
use extractor::{Failure, Page};
use futures::{StreamExt, TryStreamExt};

use super::{Issues, SIDE_BY_SIDE};
use crate::client::BY_ID_MAX;
use crate::jql;
use crate::source::Site;
use crate::wire;

pub(crate) struct Deletions {
    /// Reads what we lack.
    pub(crate) issues: Issues,
    /// It lives in memory: a reader that begins behind the census takes its own.
    left: Option<Left>,
}

/// What nobody has asked for by id since the census.
struct Left {
    /// We keep them, and the census did not see them.
    missing: Vec<i64>,
    /// The census saw them, and we do not keep them, or as deleted.
    lacking: Vec<i64>,
    /// Whether something was lacking, so that some of its histories may be cut off.
    lacked: bool,
}

impl Deletions {
    pub(crate) fn new(issues: Issues) -> Deletions {
        Deletions { issues, left: None }
    }

    pub(crate) async fn page(&mut self, cursor: &str) -> Result<Page, Failure> {
        if Issues::is_in_histories(cursor) {
            return self.issues.page(cursor).await;
        }
        let mut left = match self.left.take() {
            Some(left) if !cursor.is_empty() => left,
            _ => self.take_census().await?,
        };
        // Some are asked for right away, so that a census that takes all of a turn is of use.
        match self.ask(&mut left).await {
            Ok(page) => {
                let next = left.cursor();
                self.left = Some(left);
                Ok(Page { next, ..page })
            }
            Err(failure) => {
                // They are asked for again.
                self.left = Some(left);
                Err(failure)
            }
        }
    }

    async fn take_census(&self) -> Result<Left, Failure> {
        let seen = self.census().await?;
        let Site { kept, owner, integration, .. } = &self.issues.site;
        let live = kept.live_issue_ids(*owner, *integration, self.issues.project).await;
        let live: HashSet<i64> = live?.into_iter().collect();
        let missing: Vec<i64> = live.difference(&seen).copied().collect();
        let lacking: Vec<i64> = seen.difference(&live).copied().collect();
        let lacked = !lacking.is_empty();
        Ok(Left { missing, lacking, lacked })
    }

    /// The ids of all issues. All or nothing: who was not counted would count as missing.
    async fn census(&self) -> Result<HashSet<i64>, Failure> {
        let jql = jql::census(self.issues.project);
        let mut seen = HashSet::new();
        let mut token: Option<String> = None;
        loop {
            let found = self.issues.site.client.ids(&jql, token.as_deref()).await?;
            for raw in &found.issues {
                let issue: wire::Bare = serde_json::from_str(raw.get()).map_err(|e| {
                    let detail = format!("the census of issues cannot be read: {e}");
                    Failure::Unreadable { detail }
                })?;
                seen.insert(issue.id.0);
            }
            match super::following(token.as_deref(), found.next_page_token)? {
                Some(next) => token = Some(next),
                None => return Ok(seen),
            }
        }
    }

    /// Asks for some of what is left, and takes it off: first what is missing, then what we lack.
    async fn ask(&mut self, left: &mut Left) -> Result<Page, Failure> {
        if left.missing.is_empty() {
            if left.lacking.is_empty() {
                return Ok(Page::default());
            }
            let (page, count) = self.issues.by_id(&left.lacking).await?;
            left.lacking.drain(..count);
            return Ok(page);
        }
        let now = left.missing.len().min(BY_ID_MAX * SIDE_BY_SIDE);
        let gone = self.gone(&left.missing[..now]).await?;
        left.missing.drain(..now);
        let facts = Facts { deleted_issues: gone, ..Facts::default() };
        Ok(Page { facts, ..Page::default() })
    }

    /// Which of these are gone. The search lags behind, but asking by id does not: who is not there is
    /// gone, and who is in a project that we do not read has left us too.
    async fn gone(&self, issues: &[i64]) -> Result<Vec<i64>, Failure> {
        let Site { client, kept, owner, integration, .. } = &self.issues.site;
        let calls: Vec<_> =
            issues.chunks(BY_ID_MAX).map(|some| client.by_id(some, &["project"], None)).collect();
        let found: Vec<_> =
            futures::stream::iter(calls).buffered(SIDE_BY_SIDE).try_collect().await?;
        let projects = kept.projects(*owner, *integration).await?;
        let read: HashSet<i64> = projects.iter().map(|project| project.external_id).collect();
        let mut still_ours = HashSet::new();
        for raw in found.iter().flatten() {
            let issue: wire::Placed = serde_json::from_str(raw.get()).map_err(|e| {
                let detail = format!("an issue that the census missed cannot be read: {e}");
                Failure::Unreadable { detail }
            })?;
            if read.contains(&issue.fields.project.id.0) {
                still_ours.insert(issue.id.0);
            }
        }
        Ok(issues.iter().filter(|id| !still_ours.contains(id)).copied().collect())
    }
}

impl Left {
    /// Where the next page begins. Histories of what we lacked come last: the store knows which are cut off.
    fn cursor(&self) -> Option<String> {
        let count = self.missing.len() + self.lacking.len();
        if count > 0 {
            return Some(format!("left:{count}"));
        }
        self.lacked.then(Issues::cut_off)
    }
}

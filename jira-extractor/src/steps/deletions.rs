//! What is gone: a census of ids finds what is missing, and asking by id tells whether it really is.

use std::collections::HashSet;

use domain::facts::Facts;
use extractor::{Failure, Page};
use futures::{StreamExt, TryStreamExt};

use super::SIDE_BY_SIDE;
use crate::client::BY_ID_MAX;
use crate::jql;
use crate::source::{Site, store_is_out};
use crate::wire;

pub(crate) struct Deletions {
    pub(crate) site: Site,
    project: i64,
    stage: Stage,
}

/// The census lives in memory: a reader that begins in the middle of one begins it anew.
enum Stage {
    Counting { seen: HashSet<i64>, token: Option<String> },
    Asking { missing: Vec<i64> },
}

impl Stage {
    fn start() -> Stage {
        Stage::Counting { seen: HashSet::new(), token: None }
    }
}

impl Deletions {
    pub(crate) fn new(site: Site, project: i64) -> Deletions {
        Deletions { site, project, stage: Stage::start() }
    }

    pub(crate) async fn page(&mut self, cursor: &str) -> Result<Page, Failure> {
        if cursor.is_empty() {
            self.stage = Stage::start();
        }
        match &mut self.stage {
            Stage::Counting { .. } => self.count().await,
            Stage::Asking { .. } => self.ask().await,
        }
    }

    /// A page of the census.
    async fn count(&mut self) -> Result<Page, Failure> {
        let Stage::Counting { seen, token } = &mut self.stage else { return Ok(Page::default()) };
        let found = self.site.client.ids(&jql::census(self.project), token.as_deref()).await?;
        for raw in &found.issues {
            // Whoever cannot be read must not count as missing, so the census fails as a whole.
            let issue: wire::Bare = serde_json::from_str(raw.get()).map_err(|e| {
                Failure::Unreadable { detail: format!("the census of issues cannot be read: {e}") }
            })?;
            seen.insert(issue.id.0);
        }
        let next = found.next_page_token.filter(|next| !next.is_empty());
        if next.is_some() && next == *token {
            return Err(Failure::Unreadable {
                detail: "Jira repeats a page of its search for ever. It is tried again next time."
                    .to_owned(),
            });
        }
        if next.is_some() {
            let counted = seen.len();
            *token = next;
            return Ok(Page { next: Some(format!("counted:{counted}")), ..Page::default() });
        }
        let seen = std::mem::take(seen);
        let missing = self.missing(&seen).await?;
        let next = (!missing.is_empty()).then(|| format!("missing:{}", missing.len()));
        self.stage = Stage::Asking { missing };
        Ok(Page { next, ..Page::default() })
    }

    /// Issues that we keep and the census did not see.
    async fn missing(&self, seen: &HashSet<i64>) -> Result<Vec<i64>, Failure> {
        let Site { kept, owner, integration, .. } = &self.site;
        let live = kept.live_issue_ids(*owner, *integration, self.project).await;
        let live = live.map_err(|e| store_is_out(&e))?;
        Ok(live.into_iter().filter(|id| !seen.contains(id)).collect())
    }

    /// Asks for missing issues by id. The search lags behind, but this does not: who is not there
    /// is gone, and who is in a project that we do not read has left us too.
    async fn ask(&mut self) -> Result<Page, Failure> {
        let Stage::Asking { missing } = &mut self.stage else { return Ok(Page::default()) };
        let now = &missing[..missing.len().min(BY_ID_MAX * SIDE_BY_SIDE)];
        let Site { client, kept, owner, integration, .. } = &self.site;
        let calls: Vec<_> = now.chunks(BY_ID_MAX).map(|some| client.by_id(some)).collect();
        let found: Vec<Vec<wire::Placed>> =
            futures::stream::iter(calls).buffered(SIDE_BY_SIDE).try_collect().await?;
        let projects = kept.projects(*owner, *integration).await.map_err(|e| store_is_out(&e))?;
        let read: HashSet<i64> = projects.iter().map(|project| project.external_id).collect();
        let still_ours: HashSet<i64> = found
            .into_iter()
            .flatten()
            .filter(|issue| read.contains(&issue.fields.project.id.0))
            .map(|issue| issue.id.0)
            .collect();
        let gone = now.iter().filter(|id| !still_ours.contains(id));
        let facts = Facts { deleted_issues: gone.copied().collect(), ..Facts::default() };
        // Only now, because a call that failed is made again.
        let asked = now.len();
        missing.drain(..asked);
        let left = missing.len();
        let next = (left > 0).then(|| format!("missing:{left}"));
        Ok(Page { facts, next, ..Page::default() })
    }
}

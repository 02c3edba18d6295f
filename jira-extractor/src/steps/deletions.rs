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
    /// What the census missed and nobody has asked for by id. It lives in memory: a reader that
    /// begins behind the census takes its own.
    missing: Option<Vec<i64>>,
}

impl Deletions {
    pub(crate) fn new(site: Site, project: i64) -> Deletions {
        Deletions { site, project, missing: None }
    }

    pub(crate) async fn page(&mut self, cursor: &str) -> Result<Page, Failure> {
        match self.missing.take() {
            Some(missing) if !cursor.is_empty() => self.ask(missing).await,
            _ => {
                let seen = self.census().await?;
                let missing = self.missing(&seen).await?;
                // Some are asked for right away, so that a census that takes all of a turn is of use.
                self.ask(missing).await
            }
        }
    }

    /// A page that leaves these to be asked for.
    fn left(&mut self, facts: Facts, missing: Vec<i64>) -> Page {
        let next = (!missing.is_empty()).then(|| format!("missing:{}", missing.len()));
        self.missing = Some(missing);
        Page { facts, next, ..Page::default() }
    }

    /// The ids of all issues. All or nothing: who was not counted would count as missing.
    async fn census(&self) -> Result<HashSet<i64>, Failure> {
        let jql = jql::census(self.project);
        let mut seen = HashSet::new();
        let mut token: Option<String> = None;
        loop {
            let found = self.site.client.ids(&jql, token.as_deref()).await?;
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

    /// Issues that we keep and the census did not see.
    async fn missing(&self, seen: &HashSet<i64>) -> Result<Vec<i64>, Failure> {
        let Site { kept, owner, integration, .. } = &self.site;
        let live = kept.live_issue_ids(*owner, *integration, self.project).await;
        let live = live.map_err(|e| store_is_out(&e))?;
        Ok(live.into_iter().filter(|id| !seen.contains(id)).collect())
    }

    /// Asks for missing issues by id. The search lags behind, but this does not: who is not there
    /// is gone, and who is in a project that we do not read has left us too.
    async fn ask(&mut self, mut missing: Vec<i64>) -> Result<Page, Failure> {
        let now = &missing[..missing.len().min(BY_ID_MAX * SIDE_BY_SIDE)];
        let still_ours = match self.still_ours(now).await {
            Ok(still_ours) => still_ours,
            Err(failure) => {
                // They are asked for again.
                self.missing = Some(missing);
                return Err(failure);
            }
        };
        let gone = now.iter().filter(|id| !still_ours.contains(id));
        let facts = Facts { deleted_issues: gone.copied().collect(), ..Facts::default() };
        let left = missing.split_off(now.len());
        Ok(self.left(facts, left))
    }

    /// Which of these are in a project that we read.
    async fn still_ours(&self, issues: &[i64]) -> Result<HashSet<i64>, Failure> {
        let Site { client, kept, owner, integration, .. } = &self.site;
        let calls: Vec<_> = issues.chunks(BY_ID_MAX).map(|some| client.by_id(some)).collect();
        let found: Vec<Vec<wire::Placed>> =
            futures::stream::iter(calls).buffered(SIDE_BY_SIDE).try_collect().await?;
        let projects = kept.projects(*owner, *integration).await.map_err(|e| store_is_out(&e))?;
        let read: HashSet<i64> = projects.iter().map(|project| project.external_id).collect();
        let is_read = |issue: &wire::Placed| read.contains(&issue.fields.project.id.0);
        Ok(found.into_iter().flatten().filter(is_read).map(|issue| issue.id.0).collect())
    }
}

//! Sprints, by way of the boards that show them.

use std::collections::HashSet;

use domain::facts::Facts;
use domain::sprint::Sprint;
use extractor::{Failure, Page};
use futures::{StreamExt, TryStreamExt};

use super::SIDE_BY_SIDE;
use crate::mapping;
use crate::source::Site;
use crate::wire::Board;

/// Boards per page.
const BOARDS_PER_PAGE: usize = 20;
/// Boards that Jira lists at once.
const LISTED_MAX: u64 = 50;

pub(crate) struct Sprints {
    pub(crate) site: Site,
    /// Ids of boards that may have sprints, sorted; asked for once.
    boards: Option<Vec<i64>>,
}

impl Sprints {
    pub(crate) fn new(site: Site) -> Sprints {
        Sprints { site, boards: None }
    }

    /// The sprints of the next few boards. The cursor is the last board that was read.
    pub(crate) async fn page(&mut self, cursor: &str) -> Result<Page, Failure> {
        let after: i64 = match cursor {
            "" => 0,
            board => board.parse().map_err(|_| Failure::StaleCursor)?,
        };
        let boards = match &self.boards {
            Some(boards) => boards,
            None => {
                let boards = self.boards().await?;
                self.boards.insert(boards)
            }
        };
        let mut left = boards.iter().copied().filter(|board| *board > after);
        let now: Vec<i64> = left.by_ref().take(BOARDS_PER_PAGE).collect();
        let next = left.next().and(now.last()).map(i64::to_string);
        let site = &self.site;
        let sprints: Vec<Vec<Sprint>> = futures::stream::iter(now)
            .map(|board| sprints_of(site, board))
            .buffered(SIDE_BY_SIDE)
            .try_collect()
            .await?;
        let facts = Facts { sprints: once(sprints.concat()), ..Facts::default() };
        Ok(Page { facts, next, ..Page::default() })
    }

    /// Boards that may have sprints, of projects that are read.
    async fn boards(&self) -> Result<Vec<i64>, Failure> {
        let Site { kept, owner, integration, .. } = &self.site;
        let projects = kept.projects(*owner, *integration).await?;
        let projects: HashSet<i64> = projects.iter().map(|project| project.external_id).collect();
        let first = self.site.client.boards(None, 0).await?;
        let Some(first) = first else {
            tracing::info!("this jira shows no boards, so there are no sprints");
            return Ok(Vec::new());
        };
        let pages_of_all = first.total.unwrap_or(u64::MAX).div_ceil(LISTED_MAX);
        let found = match first.next(0) {
            None => first.values,
            Some(_) if pages_of_all > projects.len() as u64 => self.of_each(&projects).await?,
            Some(start) => {
                let rest = self.listed(None, start).await?;
                first.values.into_iter().chain(rest).collect()
            }
        };
        let is_ours = |board: &Board| {
            let project = board.location.as_ref().and_then(|location| location.project_id);
            project.is_none_or(|id| projects.contains(&id.0))
        };
        let mut boards: Vec<i64> = found
            .iter()
            .filter(|board| board.kind != "kanban" && is_ours(board))
            .map(|board| board.id.0)
            .collect();
        boards.sort_unstable();
        boards.dedup();
        Ok(boards)
    }

    async fn of_each(&self, projects: &HashSet<i64>) -> Result<Vec<Board>, Failure> {
        let lists: Vec<_> = projects.iter().map(|project| self.listed(Some(*project), 0)).collect();
        let lists: Vec<Vec<Board>> =
            futures::stream::iter(lists).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        Ok(lists.into_iter().flatten().collect())
    }

    async fn listed(&self, project: Option<i64>, start: u64) -> Result<Vec<Board>, Failure> {
        let mut boards = Vec::new();
        let mut next = Some(start);
        while let Some(start) = next {
            let Some(page) = self.site.client.boards(project, start).await? else { break };
            next = page.next(start);
            boards.extend(page.values);
        }
        Ok(boards)
    }
}

async fn sprints_of(site: &Site, board: i64) -> Result<Vec<Sprint>, Failure> {
    let mut sprints = Vec::new();
    let mut next = Some(0);
    while let Some(start) = next {
        // Kanban boards, and boards that may not be seen, have no sprints for us.
        let Some(page) = site.client.sprints(board, start).await? else { break };
        next = page.next(start);
        sprints.extend(page.values.into_iter().map(|sprint| mapping::sprint(sprint, board)));
    }
    Ok(sprints)
}

/// A sprint shows on several boards and is told once.
fn once(mut sprints: Vec<Sprint>) -> Vec<Sprint> {
    let mut seen = HashSet::new();
    sprints.retain(|sprint| seen.insert(sprint.external_id));
    sprints
}

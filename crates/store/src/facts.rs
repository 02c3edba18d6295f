//! What the sources say. The extractors write it, a page at a time.

mod batch;

use domain::Moment;
use domain::facts::Facts as Page;
use domain::ids::{ClientId, IntegrationId, RunId};
use domain::project::Project;
use domain::repository::Repository;
use domain::rules::{DeploymentRules, Source};
use domain::work::{Counts, Fence, Gap, Slice};

pub(crate) use batch::{Batch, PullRequests};

use crate::Error;
use crate::db::{Db, ask, keep};
use crate::types::Ts;

/// A handle on the facts.
#[derive(Clone)]
pub struct Facts(Db);

/// The task that a page belongs to, and the right to write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Whose rows they are.
    pub client: ClientId,
    /// The connection that they come from.
    pub integration: IntegrationId,
    /// The run, which collects gaps; a probe has none.
    pub run: Option<RunId>,
    /// The lease.
    pub fence: Fence,
}

/// Where a task stands before and after its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageMark {
    /// Where the page before it ended; empty at the start.
    pub from: String,
    /// Where the next page begins, or `done` after the last.
    pub cursor: String,
    /// No page follows, so that what comes next may build on this one.
    pub is_last: bool,
    /// What the page adds to the task's counts.
    pub counts: Counts,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// When it is kept.
    pub now: Moment,
    /// What the source's clock said before the page was asked for, if the source told.
    pub source_time: Option<Moment>,
}

/// What became of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Rows that were inserted, changed or removed; rows that are as they were do not count.
    pub written: u64,
}

impl Facts {
    /// Over `db`.
    pub fn new(db: Db) -> Facts {
        Facts(db)
    }

    /// Keeps a page and moves its task's cursor, in one transaction. A page that is kept already, though
    /// nobody heard of it, is left as it is.
    ///
    /// # Errors
    /// [`Error::LostLease`] when another worker holds the task, or when it does not stand where the page
    /// begins, since the server lost what was kept before; then nothing is kept.
    pub async fn keep_page(&self, held: &Held, page: Page, mark: &PageMark) -> Result<Kept, Error> {
        let (held, mark, batch) = (*held, mark.clone(), Batch::from(page));
        let written = keep!(self.0, facts::keep(&held, &mark, &batch))?;
        Ok(Kept { written })
    }

    /// Projects that are still there, by id.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn projects(
        &self,
        client: ClientId,
        integration: IntegrationId,
    ) -> Result<Vec<Project>, Error> {
        let owner = owner(client, integration);
        let rows: Result<_, Error> = ask!(self.0, facts::projects(owner));
        rows?.into_iter().map(batch::project).collect()
    }

    /// Repositories that are still there, by id.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn repositories(
        &self,
        client: ClientId,
        integration: IntegrationId,
    ) -> Result<Vec<Repository>, Error> {
        let owner = owner(client, integration);
        let rows: Result<_, Error> = ask!(self.0, facts::repositories(owner));
        Ok(rows?.into_iter().map(batch::repository).collect())
    }

    /// Ids of a project's issues whose history is not complete, created within `slice` and with an
    /// id greater than `after`: the next `limit`, by id.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn truncated_changelogs(
        &self,
        client: ClientId,
        integration: IntegrationId,
        project_id: i64,
        slice: Slice,
        after: i64,
        limit: i64,
    ) -> Result<Vec<i64>, Error> {
        let owner = owner(client, integration);
        ask!(self.0, facts::truncated_changelogs(owner, project_id, slice, after, limit))
    }

    /// Ids of a project's issues that are not known to be deleted, sorted.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn live_issue_ids(
        &self,
        client: ClientId,
        integration: IntegrationId,
        project_id: i64,
    ) -> Result<Vec<i64>, Error> {
        let owner = owner(client, integration);
        ask!(self.0, facts::live_issue_ids(owner, project_id))
    }

    /// Whether a project has an issue that is not known to be deleted.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn has_live_issues(
        &self,
        client: ClientId,
        integration: IntegrationId,
        project_id: i64,
    ) -> Result<bool, Error> {
        let owner = owner(client, integration);
        ask!(self.0, facts::has_live_issues(owner, project_id))
    }

    /// What the client's rules ask for in a repository of this name, beside GitHub's deployments, and
    /// how far each was read, if it ever was to its end.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn shipments_asked_for(
        &self,
        client: ClientId,
        integration: IntegrationId,
        repository_id: i64,
        full_name: String,
    ) -> Result<Vec<(Source, Option<Moment>)>, Error> {
        let in_force: Result<crate::rules::InForce<DeploymentRules>, Error> =
            ask!(self.0, rules::deployments(client));
        let rules = in_force?.rules;
        let of_repository = rules.of(&full_name);
        let (owner, id) = (owner(client, integration), repository_id);
        let mut asked = Vec::new();
        for source in [Source::Releases, Source::WorkflowRuns] {
            if of_repository.ask(source) {
                let read_to: Result<Option<Ts>, Error> =
                    ask!(self.0, facts::read_to(owner, id, source));
                asked.push((source, read_to?.map(|at| at.0)));
            }
        }
        Ok(asked)
    }

    /// Shas of a repository's commits that somebody names and that are not kept with their parents:
    /// what went to production by the client's rules, and parents of what is kept. One that was gone
    /// when GitHub was last asked is left out if that was after `asked_since`.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn missing_commits(
        &self,
        client: ClientId,
        integration: IntegrationId,
        repository_id: i64,
        full_name: &str,
        asked_since: Moment,
    ) -> Result<Vec<String>, Error> {
        let in_force: Result<crate::rules::InForce<DeploymentRules>, Error> =
            ask!(self.0, rules::deployments(client));
        let (owner, since) = (owner(client, integration), Ts(asked_since));
        let (rules, name) = (in_force?.rules, full_name.to_owned());
        ask!(self.0, facts::missing_commits(owner, repository_id, &rules.of(&name), since))
    }

    /// When the oldest deployment and the oldest run of a repository began that are not over yet, of those
    /// that began at `since` or later.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn oldest_open(
        &self,
        client: ClientId,
        integration: IntegrationId,
        repository_id: i64,
        since: Moment,
    ) -> Result<Vec<(Source, Moment)>, Error> {
        let owner = owner(client, integration);
        ask!(self.0, facts::oldest_open(owner, repository_id, Ts(since)))
    }
}

fn owner(client: ClientId, integration: IntegrationId) -> crate::fact_table::Owner {
    crate::fact_table::Owner { client: client.into(), integration: integration.into() }
}

//! How issues flow: their history goes out, one page after another, and what the rules make of it
//! comes back and is kept. The rules are the metrics service's; this keeps them fed.

use std::collections::HashMap;

use domain::Moment;
use domain::ids::{ClientId, IntegrationId, WorkflowStepId};
use domain::project::StatusCategory;
use domain::stay::{Stay, stays};
use domain::workflow::{Change, Configuration, Excluded, Places, StepCategory, WorkflowStep};

use crate::db::{ask, keep};
use crate::dora::Place;
use crate::focus::Focus;
use crate::{Error, Metrics};

/// Everything that decides about the issues of a client, beside their history.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The workflows.
    pub configuration: Configuration,
    /// The zone in which days are cut, once the client has a schedule.
    pub timezone: Option<String>,
    /// Statuses, by connection and Jira's id.
    pub statuses: HashMap<(IntegrationId, i64), Known<StatusCategory>>,
    /// Issue types, by connection and Jira's id.
    pub issue_types: HashMap<(IntegrationId, i64), Known<()>>,
    /// Projects that are active, by connection and Jira's id.
    pub projects: HashMap<(IntegrationId, i64), bool>,
}

impl Ground {
    /// The name of a status, and Jira's grouping of it. One that Jira knows goes by its name of today,
    /// one that it forgot by the old one.
    pub fn status<'a>(
        &'a self,
        integration: IntegrationId,
        seen: &'a StatusSeen,
    ) -> (&'a str, Option<StatusCategory>) {
        match seen.id.and_then(|id| self.statuses.get(&(integration, id))) {
            Some(known) => (&known.name, Some(known.about)),
            None => (&seen.name, None),
        }
    }

    /// The step of a status that an issue of this type has or had.
    ///
    /// # Errors
    /// The first level of the configuration that keeps it out.
    pub fn step(
        &self,
        integration: IntegrationId,
        issue_type: i64,
        seen: &StatusSeen,
    ) -> Result<&WorkflowStep, Excluded> {
        let of_type = self.issue_types.get(&(integration, issue_type));
        let type_name = of_type.map_or("", |known| known.name.as_str());
        let (status, category) = self.status(integration, seen);
        Places::new(&self.configuration).step(integration, type_name, status, category)
    }
}

impl IssueHistory {
    /// Where it was all its life.
    pub fn stays(&self) -> Vec<Stay<StatusSeen>> {
        let now = StatusSeen { id: Some(self.status), name: String::new() };
        let changes: Vec<_> = self
            .changes
            .iter()
            .map(|change| (change.at, change.from.clone(), change.to.clone()))
            .collect();
        stays(self.created_at, now, &changes)
    }
}

/// A name that Jira knows.
#[derive(Debug, Clone)]
pub struct Known<T> {
    /// The name.
    pub name: String,
    /// Whether it is still there.
    pub active: bool,
    /// What else is known.
    pub about: T,
}

/// An issue with every status that it has had.
#[derive(Debug, Clone)]
pub struct IssueHistory {
    /// The connection.
    pub integration: IntegrationId,
    /// Jira's id.
    pub id: i64,
    /// The key of today.
    pub key: String,
    /// Jira's id of the project.
    pub project: i64,
    /// Jira's id of the type.
    pub issue_type: i64,
    /// Jira's id of the status now.
    pub status: i64,
    /// It is gone from Jira.
    pub deleted: bool,
    /// When it was made.
    pub created_at: Moment,
    /// Changes of status, in order.
    pub changes: Vec<StatusChange>,
}

/// A change of status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// When.
    pub at: Moment,
    /// From where.
    pub from: StatusSeen,
    /// To where.
    pub to: StatusSeen,
}

/// A status as the changelog spells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct StatusSeen {
    /// Jira's id.
    pub id: Option<i64>,
    /// The name it had then.
    pub name: String,
}

/// The step in which an issue stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The step.
    pub step: WorkflowStepId,
    /// Its name.
    pub name: String,
    /// What it means.
    pub category: StepCategory,
}

/// What the rules make of an issue.
#[derive(Debug, Clone, PartialEq)]
pub struct IssueFact {
    /// Where it stands, or why it counts nowhere.
    pub place: Result<Standing, Excluded>,
    /// When it came there.
    pub entered_at: Moment,
    /// When we committed to it.
    pub committed_at: Option<Moment>,
    /// When work began.
    pub started_at: Option<Moment>,
    /// Seconds from commitment to done.
    pub lead_seconds: Option<f64>,
    /// Seconds from start to done.
    pub cycle_seconds: Option<f64>,
    /// Seconds of the lead time in which somebody worked on it.
    pub active_seconds: Option<f64>,
    /// How often it went back.
    pub rework: i32,
    /// Seconds in each step that it has left.
    pub steps: Vec<(WorkflowStepId, f64)>,
    /// It stands in a step, but came through a status that has none, so that nothing can be said of its
    /// steps.
    pub passed_unmapped: bool,
    /// How often it entered and left each step on each day.
    pub moves: Vec<Move>,
}

/// How often an issue entered and left a step on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// Since 1970.
    pub day: i32,
    /// The step.
    pub step: WorkflowStepId,
    /// Came.
    pub entered: i64,
    /// Went.
    pub gone: i64,
}

/// How many issues of a project entered and left a step on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayFact {
    /// The connection.
    pub integration: IntegrationId,
    /// Jira's id of the project.
    pub project: i64,
    /// Since 1970.
    pub day: i32,
    /// The step.
    pub step: WorkflowStepId,
    /// Came.
    pub entered: i64,
    /// Went.
    pub gone: i64,
}

/// What is made of issues. The store may begin anew when another transaction was in the way.
pub trait Rules: Send + 'static {
    /// Which rules these are: facts that were made by others are all made anew.
    fn version(&self) -> i64;

    /// Before the first issue.
    fn begin(&mut self, ground: Ground);

    /// One issue after another, by connection and id: all of them, or those that changed.
    fn issue(&mut self, issue: &IssueHistory) -> IssueFact;
}

/// What the flow of a window is made from.
#[derive(Debug, Clone, Default)]
pub struct FlowRead {
    /// When the facts were complete; `None` before the first publication.
    pub as_of: Option<Moment>,
    /// The workflows changed since, and the numbers follow soon.
    pub is_behind: bool,
    /// The steps, by workflow and position.
    pub steps: Vec<WorkflowStep>,
    /// Issues that came in the window to where they stand now, and are over or count nowhere.
    pub ended: Vec<EndedIssue>,
    /// Issues in progress now, whenever they began.
    pub in_progress: Vec<StartedIssue>,
    /// Days until the end of the window, from the first on, in order.
    pub days: Vec<DayFact>,
    /// Issues that stand nowhere, whenever they came there.
    pub nowhere: Vec<Nowhere>,
}

/// How many issues of a project stand nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nowhere {
    /// Where they are.
    pub project: Place,
    /// Why.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// An issue in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedIssue {
    /// Where it is.
    pub project: Place,
    /// The key.
    pub key: String,
    /// When work began.
    pub started_at: Option<Moment>,
}

/// An issue that is over, or counts nowhere.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedIssue {
    /// Where it is.
    pub project: Place,
    /// The key.
    pub key: String,
    /// When it was made.
    pub created_at: Moment,
    /// When it came to where it stands.
    pub entered_at: Moment,
    /// What that means.
    pub category: Option<StepCategory>,
    /// Why it counts nowhere, or why nothing is said of its steps where it is over.
    pub reason: Option<String>,
    /// Seconds from commitment to done.
    pub lead_seconds: Option<f64>,
    /// Seconds from start to done.
    pub cycle_seconds: Option<f64>,
    /// Seconds of the lead time in which somebody worked on it.
    pub active_seconds: Option<f64>,
    /// How often it went back.
    pub rework: i32,
    /// Seconds in each step that it has left.
    pub steps: Vec<(WorkflowStepId, f64)>,
}

/// What a question about the flow needs to know beside the facts.
#[derive(Debug, Clone, Default)]
pub struct FlowHead {
    /// Grows with each publication; nothing before the first.
    pub publication: Option<i64>,
    /// The workflows changed since, and the numbers follow soon.
    pub is_behind: bool,
    /// The steps, by workflow and position.
    pub steps: Vec<WorkflowStep>,
    /// Keys of the projects.
    pub projects: Vec<(Place, String)>,
}

/// Whoever takes all facts of a client, one part after another.
pub trait TakeFlow: Send + 'static {
    /// When the facts were complete, which publication they are of, and the steps that they name.
    fn begin(&mut self, publication: i64, as_of: Moment, steps: &[WorkflowStep]);

    /// All days, in order.
    fn days(&mut self, days: Vec<DayFact>);

    /// Some issues, in the order of their ids. Answers whether there is room for more.
    fn issues(&mut self, ended: Vec<EndedIssue>, in_progress: Vec<StartedIssue>) -> bool;
}

impl Metrics {
    /// Gives everything that the flow of a client was ever made from to `taker`, and gives that back.
    /// Before the first publication it gets nothing.
    ///
    /// # Errors
    /// See [`Metrics::publish_flow`].
    pub async fn take_flow<T: TakeFlow>(&self, client: ClientId, taker: T) -> Result<T, Error> {
        ask!(self.db(), flow::take(client, taker))
    }

    /// What a question about the flow needs to know beside the facts.
    ///
    /// # Errors
    /// See [`Metrics::publish_flow`].
    pub async fn flow_head(&self, client: ClientId) -> Result<FlowHead, Error> {
        ask!(self.db(), flow::head(client))
    }

    /// Computes the flow of a client's issues anew, for workflows that changed since. Answers how
    /// many issues there are; nothing where the facts are of this revision already.
    ///
    /// # Errors
    /// The database cannot be reached; so for everything here.
    pub async fn publish_flow(
        &self,
        client: ClientId,
        rules: impl Rules,
    ) -> Result<Option<u64>, Error> {
        let mut rules = rules;
        keep!(self.db(), flow::publish_changed(client, &mut rules))
    }

    /// Leads every issue that was touched since `touched_since` through `rules`, as if the workflows
    /// had been changed so, and gives the rules back. Keeps nothing.
    ///
    /// # Errors
    /// [`Error::Workflow`] for the first change that cannot be.
    pub async fn follow<R: Rules>(
        &self,
        client: ClientId,
        changes: Vec<Change>,
        touched_since: Moment,
        rules: R,
    ) -> Result<R, Error> {
        ask!(self.db(), flow::follow(client, &changes, touched_since, rules))
    }

    /// Clients whose workflows changed since their flow was computed.
    ///
    /// # Errors
    /// See [`Metrics::publish_flow`].
    pub async fn clients_with_changed_workflows(&self) -> Result<Vec<ClientId>, Error> {
        ask!(self.db(), changes::clients_with_changed_workflows())
    }

    /// What the flow of `from..to` is made from. `last_day` is the day, since 1970, in which the
    /// window ends.
    ///
    /// # Errors
    /// See [`Metrics::publish_flow`].
    pub async fn flow(
        &self,
        client: ClientId,
        from: Moment,
        to: Moment,
        last_day: i32,
        focus: Focus,
    ) -> Result<FlowRead, Error> {
        ask!(self.db(), flow::read(client, from, to, last_day, &focus))
    }
}

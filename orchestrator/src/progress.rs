//! How runs go on, for people: told from the rows of the tasks, with a pace from what was told
//! before.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{SecondsFormat, TimeDelta};
use domain::Moment;
use domain::ids::{ClientId, RunId};
use domain::job::JobState;
use domain::progress::StepProgress;
use proto::v1;
use serde::Serialize;
use store::jobs::JobView;
use tokio::sync::Notify;

use crate::rounds::{Troubled, serve};
use crate::{EVENTS_BELL, Inner};

/// The pace is that of this last while.
const LATELY: TimeDelta = TimeDelta::seconds(20);
/// Before so much is done, nobody can tell when the rest will be.
const PERCENT_TO_TELL_FROM: u8 = 3;

/// What is remembered between two tellings. Forgetting it costs a less exact pace.
#[derive(Default)]
pub(crate) struct Pace {
    news: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Clients of whose runs there is something to tell.
    touched: HashSet<ClientId>,
    runs: HashMap<RunId, Trail>,
    budgets: HashMap<ClientId, Budget>,
}

/// What was told of a run.
#[derive(Default)]
struct Trail {
    rows: VecDeque<(Moment, u64)>,
    told: Option<Body>,
}

/// What is left of a source's quota.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Budget {
    limit: u64,
    remaining: u64,
    resets_at: Option<String>,
}

/// A message of the kind `progress_update`.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Body {
    r#type: &'static str,
    job_type: &'static str,
    step: Option<&'static str>,
    progress: Option<u8>,
    rows: u64,
    rows_per_second: Option<f64>,
    eta_seconds: Option<u64>,
    waiting_until: Option<String>,
    budget: Option<Budget>,
    steps: Vec<StepBody>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct StepBody {
    name: &'static str,
    status: &'static str,
    tasks_total: u64,
    tasks_done: u64,
    rows: u64,
}

impl Pace {
    /// Something happened in a run of this client.
    pub(crate) fn note(&self, client: ClientId) {
        self.state().touched.insert(client);
        self.news.notify_one();
    }

    /// A worker told what is left of its source's quota.
    pub(crate) fn note_budget(&self, client: ClientId, budget: &v1::Budget) {
        let resets_at =
            budget.resets_at.and_then(|at| proto::convert::moment("resets_at", at).ok());
        let budget = Budget {
            limit: budget.limit,
            remaining: budget.remaining,
            resets_at: resets_at.map(stamp),
        };
        self.state().budgets.insert(client, budget);
    }

    /// Returns once there is something to tell.
    pub(crate) async fn has_news(&self) {
        self.news.notified().await;
    }

    /// What to tell of a running job, unless that was told already.
    fn news(&self, client: ClientId, job: &JobView, now: Moment) -> Option<(RunId, String)> {
        let run = job.last_run?;
        let mut state = self.state();
        let budget = state.budgets.get(&client).cloned();
        let trail = state.runs.entry(run).or_default();
        let body = Body {
            r#type: "progress_update",
            job_type: job.job_type.as_str(),
            step: job.step().map(|step| step.as_str()),
            progress: job.progress(),
            rows: job.rows(),
            rows_per_second: trail.rows_per_second(job.rows(), now),
            eta_seconds: eta_seconds(job, now),
            waiting_until: job.waiting_until.map(stamp),
            budget,
            steps: job.steps.iter().map(StepBody::from).collect(),
        };
        if trail.told.as_ref().is_some_and(|told| told.says_the_same(&body)) {
            return None;
        }
        let text = serde_json::to_string(&body).expect("texts and numbers are always JSON");
        trail.told = Some(body);
        Some((run, text))
    }

    /// Forgets the runs that are over.
    fn forget_ended(&self, of_client: &[JobView]) {
        let ended = of_client.iter().filter(|job| !job.state.is_live());
        let mut state = self.state();
        for run in ended.filter_map(|job| job.last_run) {
            state.runs.remove(&run);
        }
    }

    fn take_touched(&self) -> HashSet<ClientId> {
        std::mem::take(&mut self.state().touched)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trail {
    fn rows_per_second(&mut self, rows: u64, now: Moment) -> Option<f64> {
        self.rows.push_back((now, rows));
        while self.rows.len() > 2 && self.rows.front().is_some_and(|(at, _)| *at < now - LATELY) {
            self.rows.pop_front();
        }
        let (since, before) = *self.rows.front()?;
        let seconds = (now - since).as_seconds_f64();
        // Rows are only ever added; should they not be, the pace is nothing.
        let more = rows.saturating_sub(before) as f64;
        (seconds > 0.0).then(|| (more / seconds * 10.0).round() / 10.0)
    }
}

impl Body {
    /// Whether nothing but the pace differs.
    fn says_the_same(&self, other: &Body) -> bool {
        let paceless =
            |body: &Body| Body { rows_per_second: None, eta_seconds: None, ..body.clone() };
        paceless(self) == paceless(other)
    }
}

impl From<&StepProgress> for StepBody {
    fn from(step: &StepProgress) -> StepBody {
        StepBody {
            name: step.step.as_str(),
            status: step.state.as_str(),
            tasks_total: step.tasks_total,
            tasks_done: step.tasks_done,
            rows: step.rows,
        }
    }
}

/// If the rest goes like what is done.
fn eta_seconds(job: &JobView, now: Moment) -> Option<u64> {
    let done = job.progress().filter(|percent| *percent >= PERCENT_TO_TELL_FROM)?;
    let gone = u64::try_from((now - job.run_started_at?).num_seconds()).ok()?;
    Some(gone * u64::from(100 - done.min(100)) / u64::from(done))
}

fn stamp(moment: Moment) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl Inner {
    /// Tells people of each run where something happened.
    pub(crate) async fn tell_progress(&self, troubled: &mut Troubled) -> Result<(), store::Error> {
        let touched = self.pace.take_touched();
        let acts = touched.into_iter().map(|client| (client.0, self.tell_one(client)));
        serve(acts.collect(), troubled).await
    }

    async fn tell_one(&self, client: ClientId) -> Result<(), store::Error> {
        let now = self.clock.now();
        let jobs = self.jobs.of_client(client, now).await?;
        for job in jobs.iter().filter(|job| job.state == JobState::Running) {
            let Some((run, body)) = self.pace.news(client, job, now) else { continue };
            self.work.tell_progress(client, run, body, now).await?;
            self.ring(EVENTS_BELL, client).await;
        }
        self.pace.forget_ended(&jobs);
        Ok(())
    }
}

//! What people were told of a client's jobs is their history: one legal step after the other.

use std::collections::{BTreeMap, HashMap};

use domain::ids::{ClientId, RunId};
use domain::job::{JobEvent, JobState, JobType};
use serde_json::Value;
use store::Jobs;

const EVENTS: [JobEvent; 10] = [
    JobEvent::Due,
    JobEvent::Run,
    JobEvent::Dispatched,
    JobEvent::StepsDone,
    JobEvent::StepFailed,
    JobEvent::RetryDue,
    JobEvent::Pause,
    JobEvent::Resume { slot_free: true },
    JobEvent::Resume { slot_free: false },
    JobEvent::ForceStop,
];

/// A history, checked as it is read.
pub struct History {
    /// The state and version of each job.
    pub jobs: BTreeMap<JobType, (JobState, i64)>,
    /// How far each run has come, in percent.
    progress: HashMap<RunId, u64>,
    seq: i64,
}

/// A job's run is over, complete.
pub struct Finished {
    pub run: RunId,
    /// Tasks that its steps had.
    pub tasks: u64,
}

impl History {
    /// Of a client who has just come.
    pub fn new() -> History {
        let new = |job_type: &JobType| (*job_type, (JobState::NotStarted, 1));
        let jobs = JobType::ALL.iter().map(new).collect();
        History { jobs, progress: HashMap::new(), seq: 0 }
    }

    pub fn state(&self, job_type: JobType) -> JobState {
        self.jobs[&job_type].0
    }

    pub fn slot_free(&self) -> bool {
        self.jobs.values().all(|(state, _)| *state != JobState::Running)
    }

    /// Reads what was told since, and tells which runs have finished.
    pub async fn read_on(
        &mut self,
        jobs: &Jobs,
        client: ClientId,
    ) -> Result<Vec<Finished>, String> {
        let mut finished = Vec::new();
        for event in jobs.events(client, self.seq, 10_000).await.unwrap() {
            self.seq = event.seq;
            let told: Value = serde_json::from_str(&event.body).unwrap();
            finished.extend(self.take(&told).map_err(|wrong| format!("{wrong}: {told}"))?);
        }
        Ok(finished)
    }

    fn take(&mut self, told: &Value) -> Result<Option<Finished>, String> {
        let text = |field: &str| told[field].as_str().ok_or(format!("no {field}"));
        let job_type: JobType = text("job_type")?.parse().unwrap();
        let state: JobState = text("status")?.parse().unwrap();
        let version = told["version"].as_i64().ok_or("no version")?;
        let (was, version_was) = self.jobs[&job_type];
        if !can_lead(was, state, version - version_was) {
            return Err(format!("from {was} in {} steps", version - version_was));
        }
        if was == JobState::Paused && state == JobState::Finished && version == version_was + 1 {
            return Err("it finished while it was paused".to_owned());
        }
        self.jobs.insert(job_type, (state, version));
        if self.jobs.values().filter(|(state, _)| *state == JobState::Running).count() > 1 {
            return Err("two jobs run at once".to_owned());
        }
        let Some(run) = told["last_run_id"].as_str() else { return Ok(None) };
        let run: RunId = run.parse().unwrap();
        if let Some(percent) = told["progress"].as_u64()
            && self.progress.insert(run, percent).is_some_and(|before| before > percent)
        {
            return Err("it went back".to_owned());
        }
        if state != JobState::Finished {
            return Ok(None);
        }
        let mut tasks = 0;
        for step in told["steps"].as_array().ok_or("no steps")? {
            let is_over = ["DONE", "SKIPPED"].contains(&step["status"].as_str().unwrap_or("none"));
            if !is_over || step["tasks_done"] != step["tasks_total"] {
                return Err("it finished early".to_owned());
            }
            tasks += step["tasks_total"].as_u64().ok_or("no tasks_total")?;
        }
        Ok(Some(Finished { run, tasks }))
    }
}

/// Whether the table leads from one state to the other in so many steps. In one transaction a job may
/// take two: a resumed run can turn out to be over.
fn can_lead(from: JobState, to: JobState, steps: i64) -> bool {
    match steps {
        1 => EVENTS.into_iter().any(|event| from.on(event) == Ok(to)),
        2 => EVENTS
            .into_iter()
            .filter_map(|event| from.on(event).ok())
            .any(|between| between == JobState::Running && can_lead(between, to, 1)),
        _ => false,
    }
}

//! The promises of the work: leases, runs, cycles and rings. Steps have a few tasks each, planned
//! below.

#[path = "work/cycle.rs"]
mod cycle;
#[path = "work/hands.rs"]
mod hands;
#[path = "work/history.rs"]
mod history;
#[path = "work/leases.rs"]
mod leases;
#[path = "work/replays.rs"]
mod replays;
#[path = "work/rings.rs"]
mod rings;
#[path = "work/runs.rs"]
mod runs;
#[path = "work/sequences.rs"]
mod sequences;

use domain::Moment;
use domain::facts::Facts as Page;
use domain::ids::{ClientId, IntegrationId, RunId, TaskId};
use domain::job::{JobState, JobType};
use domain::work::{Counts, Fence, Slice, Step, StepState, Topic};
use store::Work;
use store::facts::{Held, PageMark};
use store::jobs::JobView;
use store::work::{Command, Ground, Lease, Planned, Scope};

use crate::house::House;
use crate::nouns::at;

/// A client of its own, whose jobs do nothing yet.
pub struct Yard<'a> {
    pub house: &'a House,
    pub work: Work,
    pub client: ClientId,
    pub jira: IntegrationId,
}

impl Yard<'_> {
    pub async fn new(house: &House) -> Yard<'_> {
        Yard::named(house, "yard").await
    }

    pub async fn named<'a>(house: &'a House, name: &str) -> Yard<'a> {
        // The house has a run of its own under way; its rings are not ours.
        forget_rings(&house.work).await;
        let (client, jira, _) = house.add_client(name).await;
        Yard { house, work: house.work_planned_by(plan), client, jira }
    }

    pub async fn command(&self, job_type: JobType, command: Command, second: i64) -> JobState {
        let job = self.work.command(self.client, job_type, command, at(second)).await.unwrap();
        job.state
    }

    /// Clicks and gets the slot.
    pub async fn start(&self, job_type: JobType, second: i64) -> RunId {
        self.command(job_type, Command::Run, second).await;
        self.dispatch(second).await
    }

    pub async fn dispatch(&self, second: i64) -> RunId {
        self.work.dispatch(self.client, at(second)).await.unwrap().unwrap().run.unwrap()
    }

    /// The tasks that were rung, oldest first.
    pub async fn rung(&self) -> Vec<TaskId> {
        forget_rings(&self.work).await
    }

    pub async fn begin(&self, task: TaskId, second: i64) -> Option<Lease> {
        self.work.begin(task, "ada", at(second + 30), at(second)).await.unwrap()
    }

    pub async fn finish(&self, fence: Fence, second: i64) {
        self.work.finish(fence, &[], "", at(second)).await.unwrap();
    }

    /// Does what is rung, until nothing is.
    pub async fn work_off(&self, second: i64) {
        loop {
            let rung = self.rung().await;
            if rung.is_empty() {
                return;
            }
            for task in rung {
                // A task may be rung twice; the second ring finds it done.
                if let Some(lease) = self.begin(task, second).await {
                    self.finish(lease.fence, second).await;
                }
            }
        }
    }

    /// Keeps a page that says nothing but where the next one begins.
    pub async fn keep_cursor(&self, lease: &Lease, cursor: &str, second: i64) {
        self.keep_at(lease, [&lease.task.cursor, cursor], second, None).await;
    }

    /// The same of a source that tells its time.
    pub async fn keep_at(
        &self,
        lease: &Lease,
        [from, cursor]: [&str; 2],
        second: i64,
        source_time: Option<Moment>,
    ) {
        let held = Held {
            client: self.client,
            integration: self.jira,
            run: lease.task.run,
            fence: lease.fence,
        };
        let mark = PageMark {
            from: from.to_owned(),
            cursor: cursor.to_owned(),
            is_last: false,
            counts: Counts { rows: 0, requests: 1 },
            gaps: Vec::new(),
            now: at(second),
            source_time,
        };
        self.house.facts.keep_page(&held, Page::default(), &mark).await.unwrap();
    }

    /// The leases of what follows the first step of a run that has just been started: of the issues step, or
    /// of pull requests and deployments.
    pub async fn issues(&self, second: i64) -> Vec<Lease> {
        let projects = self.rung().await;
        let lease = self.begin(projects[0], second).await.unwrap();
        self.finish(lease.fence, second).await;
        let mut leases = Vec::new();
        for task in self.rung().await {
            leases.push(self.begin(task, second).await.unwrap());
        }
        leases
    }

    pub async fn job(&self, job_type: JobType) -> JobView {
        self.house.jobs.get(self.client, job_type, at(0)).await.unwrap()
    }

    pub async fn state(&self, job_type: JobType) -> JobState {
        self.job(job_type).await.state
    }

    pub async fn step(&self, job_type: JobType, step: Step) -> StepState {
        let steps = self.job(job_type).await.steps;
        steps.iter().find(|of| of.step == step).unwrap().state
    }
}

async fn forget_rings(work: &Work) -> Vec<TaskId> {
    let rings = work.take_rings(1_000, at(100_001), at(100_000)).await.unwrap();
    work.forget_rings(&rings).await.unwrap();
    rings.iter().filter_map(store::work::Ring::task).collect()
}

/// Project 1 is read in two slices at first, project 2 in one; some steps have nothing to do.
pub fn plan(ground: &Ground) -> Vec<Planned> {
    let Some(&integration) = ground.integrations.first() else { return Vec::new() };
    let scope = |id: &str| Scope { integration, id: id.to_owned() };
    match ground.step {
        Step::Projects | Step::Repositories => vec![task(ground, scope(""), Slice::default())],
        Step::Issues | Step::PullRequests => {
            let half = Some(at(-1_000));
            let slices = match ground.watermarks.iter().find(|(of, _)| *of == scope("1")) {
                Some((_, read_to)) => vec![since(*read_to)],
                None => vec![
                    Slice { created_to: half, ..Slice::default() },
                    Slice { created_from: half, ..Slice::default() },
                ],
            };
            let of_two = ground.watermarks.iter().find(|(of, _)| *of == scope("2"));
            let slice = of_two.map_or(Slice::default(), |(_, read_to)| since(*read_to));
            let mut tasks: Vec<_> =
                slices.into_iter().map(|slice| task(ground, scope("1"), slice)).collect();
            tasks.push(task(ground, scope("2"), slice));
            tasks
        }
        Step::Deployments => vec![task(ground, scope("2"), Slice::default())],
        Step::Metrics => vec![Planned {
            topic: Topic::Metrics,
            integration: None,
            ..task(ground, scope(""), Slice::default())
        }],
        _ => Vec::new(),
    }
}

pub fn since(read_to: Moment) -> Slice {
    Slice { updated_since: Some(read_to), ..Slice::default() }
}

fn task(ground: &Ground, scope: Scope, slice: Slice) -> Planned {
    let begun = ground.unfinished.iter().find(|begun| begun.scope == scope && begun.slice == slice);
    Planned {
        topic: ground.source,
        integration: Some(scope.integration),
        scope: scope.id,
        slice,
        cursor: begun.map(|begun| begun.cursor.clone()).unwrap_or_default(),
        begun_at: begun.map_or(ground.run_started_at, |begun| begun.begun_at),
    }
}

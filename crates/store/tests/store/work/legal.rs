//! Whatever people, workers and clocks do, in whatever order: jobs take legal steps only.

use std::collections::BTreeMap;

use domain::ids::ClientId;
use domain::job::{JobEvent, JobState, JobType};
use domain::work::{Fence, StepState, Topic};
use store::jobs::JobView;
use store::work::{Command, Release};
use store::{Error, Work};

use super::Yard;
use crate::house::House;
use crate::nouns::at;

contract! {
    whatever_happens_is_legal,
    many_hands_at_once_stay_legal,
}

/// Sequences per database, and what happens in each. A seed that fails is named.
const SEEDS: u64 = 4;
const EVENTS: i64 = 120;

/// The world as it acts on the work, from a seed.
struct World<'a> {
    yard: Yard<'a>,
    chance: fastrand::Rng,
    second: i64,
    held: Vec<Fence>,
}

async fn whatever_happens_is_legal(house: &House) {
    for seed in 0..SEEDS {
        let yard = Yard::named(house, &format!("seed {seed}")).await;
        let chance = fastrand::Rng::with_seed(seed);
        let mut world = World { yard, chance, second: 0, held: Vec::new() };
        let mut before = world.jobs().await;
        for _ in 0..EVENTS {
            let what = world.act().await;
            let after = world.jobs().await;
            for (job, was) in after.iter().zip(&before) {
                check(job, was).unwrap_or_else(|wrong| panic!("seed {seed}, {what}: {wrong}"));
            }
            let running = after.iter().filter(|job| job.state == JobState::Running).count();
            assert!(running <= 1, "seed {seed}, {what}: two jobs run");
            before = after;
        }
    }
}

fn check(job: &JobView, was: &JobView) -> Result<(), String> {
    let (from, to) = (was.state, job.state);
    if from != to && !is_legal(from, to) {
        return Err(format!("{} went from {from} to {to}", job.job_type));
    }
    if from != to && job.version <= was.version {
        return Err(format!("{} changed without a new version", job.job_type));
    }
    if to == JobState::Finished
        && job.steps.iter().any(|step| !matches!(step.state, StepState::Done | StepState::Skipped))
    {
        return Err(format!("{} finished early: {:?}", job.job_type, job.steps));
    }
    if from == JobState::Paused && to == JobState::Finished {
        return Err(format!("{} finished while it was paused", job.job_type));
    }
    let is_same_run = job.last_run == was.last_run && was.state.is_live() && to.is_live();
    if is_same_run && job.progress() < was.progress() {
        return Err(format!(
            "{} went back from {:?} to {:?}",
            job.job_type,
            was.progress(),
            job.progress()
        ));
    }
    Ok(())
}

/// In one transaction a job may take two steps: a resumed run can turn out to be over.
fn is_legal(from: JobState, to: JobState) -> bool {
    let after = |state: JobState| {
        let events = [
            JobEvent::Due,
            JobEvent::Dispatched,
            JobEvent::StepsDone,
            JobEvent::StepFailed,
            JobEvent::RetryDue,
            JobEvent::Pause,
            JobEvent::Resume { slot_free: true },
            JobEvent::Resume { slot_free: false },
            JobEvent::ForceStop,
        ];
        events.into_iter().filter_map(move |event| state.on(event).ok())
    };
    let over = [JobState::Finished, JobState::Error];
    after(from).any(|next| {
        next == to
            || (next == JobState::Running && over.contains(&to) && after(next).any(|it| it == to))
    })
}

impl World<'_> {
    async fn jobs(&self) -> Vec<JobView> {
        let now = at(self.second);
        self.yard.house.jobs.of_client(self.yard.client, now).await.unwrap()
    }

    /// One thing happens. What is refused or lost changes nothing, and is no failure.
    async fn act(&mut self) -> String {
        self.second += self.chance.i64(0..20);
        let now = at(self.second);
        let (work, client) = (self.yard.work.clone(), self.yard.client);
        let job_type = *self.chance.choice(JobType::ALL).unwrap();
        match self.chance.u32(0..100) {
            0..15 => {
                let commands =
                    [Command::Run, Command::Pause, Command::Resume, Command::Stop, Command::Retry];
                let command = *self.chance.choice(&commands).unwrap();
                match work.command(client, job_type, command, now).await {
                    Ok(_) | Err(Error::Refused(_)) => {}
                    Err(error) => panic!("{command:?} of {job_type}: {error:?}"),
                }
                format!("{command:?} of {job_type}")
            }
            15..30 => {
                work.dispatch(client, now).await.unwrap();
                "dispatch".to_owned()
            }
            30..33 => {
                self.second += 1_800;
                work.start_cycle(client, at(self.second)).await.unwrap();
                work.retry(client, at(self.second)).await.unwrap();
                "a cycle".to_owned()
            }
            33..36 => {
                for fence in work.expired(now).await.unwrap() {
                    work.expire(fence, now).await.unwrap();
                }
                work.ring_waited(now).await.unwrap();
                for topic in [Topic::Jira, Topic::Github, Topic::Metrics] {
                    work.ring_unheard(topic, now, now).await.unwrap();
                }
                "a sweep".to_owned()
            }
            36..60 => {
                for task in self.yard.rung().await {
                    if let Some(lease) = self.yard.begin(task, self.second).await {
                        self.held.push(lease.fence);
                    }
                }
                "begin".to_owned()
            }
            _ => self.end_a_lease().await,
        }
    }

    async fn end_a_lease(&mut self) -> String {
        if self.held.is_empty() {
            return "nothing".to_owned();
        }
        let now = at(self.second);
        // The same lease may end twice: messages are repeated.
        let fence = self.held[self.chance.usize(0..self.held.len())];
        let detail = "so it goes".to_owned();
        let ends: BTreeMap<u32, Release> = BTreeMap::from([
            (80, Release::Yielded),
            (84, Release::Paused),
            (88, Release::Waiting { until: at(self.second + 40) }),
            (94, Release::Failed { detail: detail.clone() }),
            (98, Release::Unreadable { detail: detail.clone() }),
            (100, Release::Fatal { detail }),
        ]);
        let number = self.chance.u32(0..100);
        let release = ends.range(number + 1..).next().map(|(_, release)| release);
        let ended = match release {
            Some(release) if number >= 75 => self.yard.work.release(fence, release, now).await,
            _ => self.yard.work.finish(fence, &[], "", now).await,
        };
        match ended {
            Ok(_) | Err(Error::LostLease { .. }) => format!("{release:?} of {fence:?}"),
            Err(error) => panic!("{release:?} of {fence:?}: {error:?}"),
        }
    }
}

/// How many act at once, and how often each.
const HANDS: u64 = 8;
const ACTS: u32 = 25;

/// What people were told afterwards is the history: one legal step after the other.
async fn many_hands_at_once_stay_legal(house: &House) {
    let yard = Yard::new(house).await;
    let mut hands = tokio::task::JoinSet::new();
    for seed in 0..HANDS {
        hands.spawn(hand(yard.work.clone(), yard.client, fastrand::Rng::with_seed(seed)));
    }
    hands.join_all().await;

    let told = house.jobs.events(yard.client, 0, 10_000).await.unwrap();
    assert!(told.len() > 20, "only {} things happened", told.len());
    let mut at: BTreeMap<JobType, (JobState, i64)> =
        JobType::ALL.iter().map(|job_type| (*job_type, (JobState::NotStarted, 1))).collect();
    for event in told {
        let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        let text = |field: &str| body[field].as_str().unwrap();
        let (job_type, state) =
            (text("job_type").parse().unwrap(), text("status").parse().unwrap());
        let version = body["version"].as_i64().unwrap();
        let (was, version_was) = at.insert(job_type, (state, version)).unwrap();
        assert!(is_legal(was, state), "{job_type} went from {was} to {state}");
        assert!(version > version_was, "{job_type} went from version {version_was} to {version}");
        let running = at.values().filter(|(state, _)| *state == JobState::Running).count();
        assert!(running <= 1, "two jobs ran at once");
    }
    for job in house.jobs.of_client(yard.client, at_end()).await.unwrap() {
        assert_eq!((job.state, job.version), at[&job.job_type]);
    }
}

fn at_end() -> domain::Moment {
    at(1_000_000)
}

/// An admin and a worker in one, as fast as it goes.
async fn hand(work: Work, client: ClientId, mut chance: fastrand::Rng) {
    let commands = [
        Command::Run,
        Command::Run,
        Command::Pause,
        Command::Resume,
        Command::Stop,
        Command::Retry,
    ];
    for _ in 0..ACTS {
        let job_type = *chance.choice(JobType::ALL).unwrap();
        let done = match chance.u32(0..3) {
            0 => {
                let command = *chance.choice(&commands).unwrap();
                work.command(client, job_type, command, at(0)).await.map(drop)
            }
            1 => work.dispatch(client, at(0)).await.map(drop),
            _ => do_a_task(&work, &mut chance).await,
        };
        match done {
            Ok(()) | Err(Error::Refused(_) | Error::LostLease { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

async fn do_a_task(work: &Work, chance: &mut fastrand::Rng) -> Result<(), Error> {
    let rings = work.take_rings(3, at(1), at(0)).await?;
    for ring in &rings {
        let Some(lease) = work.begin(ring.task, "ada", at(30), at(0)).await? else { continue };
        if chance.u32(0..10) == 0 {
            let fatal = Release::Fatal { detail: "so it goes".to_owned() };
            work.release(lease.fence, &fatal, at(0)).await?;
        } else {
            work.finish(lease.fence, &[], "", at(0)).await?;
        }
    }
    work.forget_rings(&rings).await
}

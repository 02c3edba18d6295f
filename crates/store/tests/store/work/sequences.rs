//! Random sequences of what people, workers, clocks and crashes do: each step is in the table, what
//! the table refuses is refused, and no run finishes before every one of its tasks has ended.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use domain::ids::{RunId, TaskId};
use domain::job::{JobEvent, JobState, JobType};
use domain::work::{Fence, TaskState, Topic};
use store::Error;
use store::work::{Command, Lease, Release};

use super::Yard;
use super::history::History;
use crate::house::House;
use crate::nouns::at;

/// Sequences in all: each by a seed of its own.
const ALL: u64 = 10_000;
/// What happens in one sequence.
const ACTS: Range<usize> = 8..28;
/// Databases of a kind that are used side by side.
const SIDE_BY_SIDE: u64 = 4;
/// What people ask for, the usual more often.
const COMMANDS: [Command; 8] = [
    Command::Run,
    Command::Run,
    Command::Pause,
    Command::Resume,
    Command::Resume,
    Command::Resume,
    Command::Stop,
    Command::Retry,
];
/// The retry comes after a quarter of an hour, a cycle after an hour.
const HOUR: i64 = 3_600;

#[tokio::test]
async fn ten_thousand_sequences_are_legal_in_memory() {
    hold(House::in_memory, share(0..7_500)).await;
}

#[tokio::test]
async fn ten_thousand_sequences_are_legal_in_a_file() {
    hold(House::in_a_file, share(7_500..8_000)).await;
}

#[tokio::test]
async fn ten_thousand_sequences_are_legal_on_a_server() {
    hold(House::on_a_server, share(8_000..ALL)).await;
}

/// The databases share the sequences, unless SEQUENCES=all wants each to see them all.
fn share(usual: Range<u64>) -> Range<u64> {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration of their own")]
    let wanted = std::env::var("SEQUENCES");
    if wanted.is_ok_and(|wanted| wanted == "all") { 0..ALL } else { usual }
}

async fn hold(open: impl AsyncFn() -> House, seeds: Range<u64>) {
    let hands = (0..SIDE_BY_SIDE).map(|hand| {
        let own = seeds.clone().filter(move |seed| seed % SIDE_BY_SIDE == hand);
        async {
            let house = open().await;
            let mut finished = 0;
            for seed in own {
                finished += sequence(&house, seed).await;
            }
            finished
        }
    });
    let finished: usize = futures::future::join_all(hands).await.into_iter().sum();
    let sequences = seeds.end - seeds.start;
    assert!(finished as u64 > sequences / 20, "only {finished} runs finished in {sequences}");
}

/// Tells how many runs finished.
async fn sequence(house: &House, seed: u64) -> usize {
    let yard = Yard::named(house, &format!("seed {seed}")).await;
    let mut world = World {
        yard,
        chance: fastrand::Rng::with_seed(seed),
        second: 0,
        queue: Vec::new(),
        held: Vec::new(),
        begun: HashMap::new(),
        ended: HashSet::new(),
        history: History::new(),
        done: Vec::new(),
    };
    let acts = world.chance.usize(ACTS);
    let mut finished = 0;
    for _ in 0..acts {
        let result = world.act().await;
        match world.check(result).await {
            Ok(more) => finished += more,
            Err(wrong) => panic!("seed {seed}: {wrong}, after {:#?}", world.done),
        }
    }
    world.leave().await;
    finished
}

/// The world as it acts on the work of one client.
struct World<'a> {
    yard: Yard<'a>,
    chance: fastrand::Rng,
    second: i64,
    /// Rings that the broker holds.
    queue: Vec<TaskId>,
    /// Leases that some worker had once: messages are repeated.
    held: Vec<Fence>,
    /// Tasks that somebody began, with their runs.
    begun: HashMap<TaskId, Option<RunId>>,
    /// Tasks that somebody ended.
    ended: HashSet<TaskId>,
    history: History,
    done: Vec<String>,
}

impl World<'_> {
    /// What was told since is legal, and what finished is complete by our own count. Tells how many
    /// runs that are.
    async fn check(&mut self, result: Result<(), String>) -> Result<usize, String> {
        result?;
        let finished = self.history.read_on(&self.yard.house.jobs, self.yard.client).await?;
        for over in &finished {
            let mut ended = 0;
            for (task, _) in self.begun.iter().filter(|(_, run)| **run == Some(over.run)) {
                let is_over = self.ended.contains(task) || self.is_put_aside(*task).await;
                ended += u64::from(is_over);
            }
            if ended != over.tasks {
                return Err(format!("a run of {} tasks finished after {ended}", over.tasks));
            }
        }
        Ok(finished.len())
    }

    /// After too many tries a task is put aside.
    async fn is_put_aside(&self, task: TaskId) -> bool {
        self.yard.work.standing(task).await.unwrap().task == TaskState::Quarantined
    }

    /// One thing happens.
    async fn act(&mut self) -> Result<(), String> {
        self.second += self.chance.i64(0..12);
        match self.chance.u32(0..100) {
            // In the beginning somebody wants something.
            _ if self.done.is_empty() => self.command(Command::Run).await,
            0..12 => {
                let command = *self.chance.choice(&COMMANDS).unwrap();
                self.command(command).await
            }
            12..32 => {
                self.dispatch().await?;
                self.publish().await
            }
            32..34 => self.cycle().await,
            34..37 => self.sweep().await,
            37..39 => self.crash().await,
            _ => self.work().await,
        }
    }

    fn note(&mut self, what: impl Into<String>) {
        self.done.push(what.into());
    }

    /// A person clicks. The table says what comes of it.
    async fn command(&mut self, command: Command) -> Result<(), String> {
        let job_type = *self.chance.choice(JobType::ALL).unwrap();
        self.note(format!("{command:?} of {job_type}"));
        let event = match command {
            Command::Run => JobEvent::Run,
            Command::Retry => JobEvent::RetryDue,
            Command::Pause => JobEvent::Pause,
            Command::Resume => JobEvent::Resume { slot_free: self.history.slot_free() },
            Command::Stop => JobEvent::ForceStop,
        };
        let expected = self.history.state(job_type).on(event);
        let obeyed =
            self.yard.work.command(self.yard.client, job_type, command, at(self.second)).await;
        match (expected, obeyed) {
            (Ok(expected), Ok(job)) if job.state == expected => Ok(()),
            // A resumed run may turn out to be over.
            (Ok(JobState::Running), Ok(job))
                if [JobState::Finished, JobState::Error].contains(&job.state) =>
            {
                Ok(())
            }
            (Err(expected), Err(Error::Refused(refused))) if expected == refused => Ok(()),
            (expected, obeyed) => Err(format!("{expected:?} was expected, not {obeyed:?}")),
        }
    }

    async fn dispatch(&mut self) -> Result<(), String> {
        self.note("dispatch");
        let waits = JobType::ALL.iter().any(|job| self.history.state(*job) == JobState::Pending);
        let expected = waits && self.history.slot_free();
        let job = self.yard.work.dispatch(self.yard.client, at(self.second)).await.unwrap();
        match job.is_some() == expected {
            true => Ok(()),
            false => Err(format!("{job:?}, although it is {expected} that one can run")),
        }
    }

    async fn cycle(&mut self) -> Result<(), String> {
        self.second += HOUR / 2;
        self.note("a cycle, if it is due, and retries");
        let (work, client, now) = (&self.yard.work, self.yard.client, at(self.second));
        work.start_cycle(client, now).await.unwrap();
        work.retry(client, now).await.unwrap();
        Ok(())
    }

    async fn sweep(&mut self) -> Result<(), String> {
        self.second += self.chance.i64(0..40);
        self.note("a sweep");
        let (work, now) = (&self.yard.work, at(self.second));
        for fence in work.expired(now).await.unwrap() {
            work.expire(fence, now).await.unwrap();
        }
        work.ring_waited(now).await.unwrap();
        for topic in Topic::ALL {
            work.ring_unheard(*topic, at(self.second - 30), now).await.unwrap();
        }
        Ok(())
    }

    /// Rings go from the outbox to the broker. Sometimes the publisher dies after the first half.
    async fn publish(&mut self) -> Result<(), String> {
        let dies = self.chance.u32(0..8) == 0;
        self.note(if dies { "publish, and die" } else { "publish" });
        let (work, now) = (&self.yard.work, at(self.second));
        let rings = work.take_rings(100, at(self.second + 10), now).await.unwrap();
        self.queue.extend(rings.iter().filter_map(store::work::Ring::task));
        if !dies {
            work.forget_rings(&rings).await.unwrap();
        }
        Ok(())
    }

    async fn crash(&mut self) -> Result<(), String> {
        match self.chance.u32(0..4) {
            0 => {
                self.note("the broker loses everything");
                self.queue.clear();
            }
            1 => {
                self.note("all workers die");
                self.held.clear();
            }
            2 => {
                self.note("the broker doubles everything");
                self.queue.extend_from_within(..);
            }
            _ => {
                self.note("the only process dies and starts");
                self.queue.clear();
                self.held.clear();
                self.yard.work.start_over(at(self.second)).await.unwrap();
            }
        }
        Ok(())
    }

    /// Workers take a few tasks, if any are rung, and do something with some that they or others have.
    async fn work(&mut self) -> Result<(), String> {
        for _ in 0..self.chance.u32(1..4) {
            self.work_once().await?;
        }
        Ok(())
    }

    async fn work_once(&mut self) -> Result<(), String> {
        if !self.queue.is_empty() && self.chance.u32(0..4) > 0 {
            let task = self.queue.swap_remove(self.chance.usize(0..self.queue.len()));
            self.note(format!("begin {task}"));
            if let Some(lease) = self.yard.begin(task, self.second).await {
                self.held.push(lease.fence);
                self.begun.insert(task, lease.task.run);
                self.keep_a_page(&lease).await;
            }
        }
        // Mostly the newest lease; an old one shall be worth nothing.
        let fence = match self.chance.u32(0..4) {
            0 => self.chance.choice(&self.held),
            _ => self.held.last(),
        };
        match fence.copied() {
            Some(fence) => self.end(fence).await,
            None => Ok(()),
        }
    }

    async fn keep_a_page(&mut self, lease: &Lease) {
        if self.chance.u32(0..4) == 0 && lease.task.integration == Some(self.yard.jira) {
            self.note("and keep a page");
            self.yard.keep_cursor(lease, "page 2", self.second).await;
        }
    }

    /// A lease ends, perhaps not for the first time.
    async fn end(&mut self, fence: Fence) -> Result<(), String> {
        let now = at(self.second);
        let detail = "so it goes".to_owned();
        let release = match self.chance.u32(0..100) {
            0..76 => None,
            76..80 => Some(Release::Yielded),
            80..84 => Some(Release::Paused),
            84..88 => Some(Release::Waiting { until: at(self.second + 20) }),
            88..93 => Some(Release::Failed { detail, not_before: None }),
            93..97 => Some(Release::Unreadable { detail }),
            _ => Some(Release::Fatal { detail }),
        };
        self.note(format!("{release:?} of {fence:?}"));
        let ends = matches!(release, None | Some(Release::Unreadable { .. }));
        let heard = match release {
            None => self.yard.work.finish(fence, &[], "", now).await,
            Some(release) => self.yard.work.release(fence, &release, now).await,
        };
        // Sometimes the answer is lost on its way, and the same is said again.
        if self.chance.u32(0..4) > 0 {
            self.held.retain(|other| *other != fence);
        }
        match heard {
            Ok(_) if ends => {
                self.ended.insert(fence.task);
                Ok(())
            }
            Ok(_) | Err(Error::LostLease { .. }) => Ok(()),
            Err(error) => Err(format!("{error:?}")),
        }
    }

    /// Leaves nothing under way: the next sequence has the database to itself.
    async fn leave(&self) {
        for job_type in JobType::ALL.iter().copied() {
            if self.history.state(job_type).on(JobEvent::ForceStop).is_ok() {
                self.yard.command(job_type, Command::Stop, self.second).await;
            }
        }
    }
}

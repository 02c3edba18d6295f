//! Many act on one client's jobs at once, as fast as it goes.

use domain::ids::ClientId;
use domain::job::JobType;
use store::work::{Command, Release, Ring};
use store::{Error, Work};

use super::Yard;
use super::history::History;
use crate::house::House;
use crate::nouns::at;

contract! {
    many_hands_at_once_stay_legal,
}

/// How many act at once, and how often each.
const HANDS: u64 = 8;
const ACTS: u32 = 25;

async fn many_hands_at_once_stay_legal(house: &House) {
    let yard = Yard::new(house).await;
    let mut hands = tokio::task::JoinSet::new();
    for seed in 0..HANDS {
        hands.spawn(hand(yard.work.clone(), yard.client, fastrand::Rng::with_seed(seed)));
    }
    hands.join_all().await;

    let mut history = History::new();
    history.read_on(&house.jobs, yard.client).await.unwrap();
    let steps: i64 = history.jobs.values().map(|(_, version)| version).sum();
    assert!(steps > 20, "only {steps} things happened");
    for job in house.jobs.of_client(yard.client, at(1_000_000)).await.unwrap() {
        assert_eq!((job.state, job.version), history.jobs[&job.job_type]);
    }
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
    for task in rings.iter().filter_map(Ring::task) {
        let Some(lease) = work.begin(task, "ada", at(30), at(0)).await? else { continue };
        if chance.u32(0..10) == 0 {
            let fatal = Release::Fatal { detail: "so it goes".to_owned() };
            work.release(lease.fence, &fatal, at(0)).await?;
        } else {
            work.finish(lease.fence, &[], "", at(0)).await?;
        }
    }
    work.forget_rings(&rings).await
}

//! Whoever asks while somebody publishes, or breaks off doing so, is answered by one publication as a
//! whole.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use chrono::TimeDelta;
use domain::Moment;
use metrics_service::memory::Memory;
use metrics_service::report::{Asked, Bucket, Window};
use proto::v1::Answer;
use store::focus::Focus;
use tokio::task::JoinSet;

use crate::company::Company;
use crate::house::{Ground, House};

const READERS: usize = 100;
const PUBLICATIONS: usize = 15;
const REPORTS: usize = 3;
/// A whole publication wakes up about this often.
const STEPS: usize = 60;

/// When the facts were complete, as an answer spells it, and each report on them.
type Known = BTreeMap<(i64, i32), Vec<Answer>>;

fn asked(from: Moment) -> Asked {
    let to = from + TimeDelta::days(300);
    let window = Window::new(from, to, chrono_tz::Europe::Berlin, Bucket::Week).unwrap();
    let (focus, bands) = (Focus::default(), metrics_service::bands::NEWEST);
    Asked { window, focus, explain: false, bands, now: to }
}

/// An answer but for whether another is to come.
fn told(answer: Answer) -> Answer {
    Answer { is_behind: false, ..answer }
}

fn as_of(answer: &Answer) -> (i64, i32) {
    answer.as_of.as_ref().map(|at| (at.seconds, at.nanos)).unwrap()
}

/// Breaks off after so many steps. Answers whether it came to its end before.
async fn broken_off(work: impl Future, after: usize) -> bool {
    let (mut work, mut steps) = (pin!(work), 0);
    poll_fn(|context| {
        steps += 1;
        match work.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if steps > after => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Asks again and again. Who was told of a publication is never told of one before it.
async fn look(
    house: Arc<House>,
    memory: Memory,
    asked: Asked,
    known: Arc<Mutex<Known>>,
    answers: Arc<Vec<AtomicU64>>,
    is_over: Arc<AtomicBool>,
    number: usize,
) {
    let mut last = [(0, 0); REPORTS];
    let mut turn = number;
    while !is_over.load(Ordering::SeqCst) {
        turn += 1;
        let report = turn % REPORTS;
        let answer = told(house.ask(&memory, report, &asked).await);
        let publication = as_of(&answer);
        assert!(publication >= last[report], "nobody reads backwards");
        last[report] = publication;
        let expected = known.lock().unwrap().get(&publication).map(|all| all[report].clone());
        assert_eq!(Some(answer), expected);
        answers[number].fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_readers_see_whole_publications_while_others_break_off() {
    let mut company = Company::new(6);
    let (calm, busy) = (House::open(Ground::Memory).await, House::open(Ground::File).await);
    let (busy, memory) = (Arc::new(busy), Memory::default());
    let asked = asked(company.now());
    let known = Arc::new(Mutex::new(Known::new()));
    let answers: Arc<Vec<_>> = Arc::new((0..READERS).map(|_| AtomicU64::new(0)).collect());
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    let mut broke_off = 0;
    let mut pages = company.begin();
    for publication in 0..PUBLICATIONS {
        for page in pages {
            calm.keep(page.clone()).await;
            busy.keep(page).await;
        }
        calm.publish(company.now()).await;
        let mut reports = Vec::new();
        for report in 0..REPORTS {
            reports.push(told(calm.ask(&Memory::new(1), report, &asked).await));
        }
        let as_of = as_of(&reports[0]);
        known.lock().unwrap().insert(as_of, reports);

        let after = company.below(STEPS);
        broke_off += usize::from(!broken_off(busy.publish(company.now()), after).await);
        busy.publish(company.now()).await;
        if publication == 0 {
            for number in 0..READERS {
                let (house, memory, asked) = (busy.clone(), memory.clone(), asked.clone());
                let (known, answers, is_over) = (known.clone(), answers.clone(), is_over.clone());
                readers.spawn(look(house, memory, asked, known, answers, is_over, number));
            }
        }
        // Somebody is told of each.
        let before: u64 = answers.iter().map(|count| count.load(Ordering::SeqCst)).sum();
        while answers.iter().map(|count| count.load(Ordering::SeqCst)).sum::<u64>() < before + 50 {
            assert!(readers.try_join_next().is_none(), "no reader has ended");
            tokio::task::yield_now().await;
        }
        pages = (0..6).map(|_| company.edit()).collect();
    }
    is_over.store(true, Ordering::SeqCst);
    while let Some(ended) = readers.join_next().await {
        ended.unwrap();
    }
    assert!(answers.iter().all(|count| count.load(Ordering::SeqCst) > 0), "everybody was answered");
    assert!(broke_off > PUBLICATIONS / 3, "{broke_off} broke off");
}

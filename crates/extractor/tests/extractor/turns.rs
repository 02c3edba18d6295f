//! What ends a turn, and what is kept and said by then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use extractor::{Failure, Page};
use proto::v1::directive::Kind;
use proto::v1::release_request::Reason;
use tokio::sync::Notify;

use crate::house::{House, five_tasks, page};
use crate::lead::Heard;

fn released(reason: Reason, detail: &str) -> Heard {
    Heard::Released { reason, detail: detail.to_owned(), not_before: None }
}

fn finished(output: &str) -> Heard {
    Heard::Finished { output: output.to_owned() }
}

/// Counts calls from many futures.
#[derive(Clone, Default)]
struct Calls(Arc<AtomicU32>);

impl Calls {
    fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    fn back(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    fn at_least(&self, count: u32) {
        self.0.fetch_max(count, Ordering::SeqCst);
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

async fn three_pages(cursor: String) -> Result<Page, Failure> {
    Ok(match cursor.as_str() {
        "" => page(1, Some("two")),
        "two" => page(2, Some("three")),
        "three" => Page { output: Some("found out".to_owned()), ..page(3, None) },
        other => panic!("no page at {other}"),
    })
}

#[tokio::test]
async fn every_page_is_kept_and_the_end_is_told_with_what_was_found_out() {
    let mut house = House::new().await;
    let working = house.work_on(three_pages).await;
    assert_eq!(house.end().await, finished("found out"));
    assert_eq!(house.kept().await, ["P1", "P2", "P3"]);
    assert_eq!(house.leave(working).await, None);
    let depth = house.queue.depth("jira").await.unwrap();
    assert_eq!((depth.ready, depth.dead), (0, 0), "the ring is acknowledged");
}

#[tokio::test]
async fn progress_is_told_while_the_next_page_is_fetched() {
    let mut house = House::new().await;
    let progress = house.lead.progress();
    house
        .work_on(move |cursor| {
            let mut progress = progress.clone();
            async move {
                if cursor.is_empty() {
                    return Ok(page(1, Some("two")));
                }
                let told = progress.wait_for(|told| told.pages == 1).await.unwrap().clone();
                let counts = format!("{} row, {} request", told.rows, told.requests);
                Ok(Page { output: Some(counts), ..page(2, None) })
            }
        })
        .await;
    assert_eq!(house.end().await, finished("1 row, 1 request"));
}

#[tokio::test]
async fn a_page_is_kept_before_the_next_is_asked_for() {
    let mut house = House::new().await;
    let (facts, client, jira) = (house.facts.clone(), house.client, house.jira);
    house
        .work_on(move |cursor| {
            let facts = facts.clone();
            async move {
                if cursor.is_empty() {
                    return Ok(page(1, Some("two")));
                }
                let kept = facts.projects(client, jira).await.unwrap().len();
                Ok(Page { output: Some(format!("{kept} kept")), ..page(2, None) })
            }
        })
        .await;
    assert_eq!(house.end().await, finished("1 kept"));
}

#[tokio::test]
async fn nothing_is_read_again_when_only_the_end_was_not_heard() {
    let mut house = House::new().await;
    house.lead.be_deaf_for(2);
    let calls = Calls::default();
    let counted = calls.clone();
    house
        .work_on(move |cursor| {
            counted.next();
            three_pages(cursor)
        })
        .await;
    assert_eq!(house.end().await, finished("found out"), "said until it is heard");
    assert_eq!(calls.count(), 3);

    // A crash right before the end was told: another worker finds the task behind its last page.
    let now = Utc::now();
    for fence in house.work.expired(now + TimeDelta::hours(2)).await.unwrap() {
        house.work.expire(fence, now + TimeDelta::hours(2)).await.unwrap();
    }
    house.ring(&format!(r#"{{"task_id":"{}"}}"#, house.task)).await;
    assert_eq!(house.end().await, finished("found out"), "what was found out lies with the cursor");
    assert_eq!(calls.count(), 3);
}

#[tokio::test]
async fn orders_end_a_fetch_at_once() {
    let cases =
        [(Kind::Pause, Some(released(Reason::Paused, ""))), (Kind::Stop, None), (Kind::Lost, None)];
    for (order, said) in cases {
        let mut house = House::new().await;
        let reached = Arc::new(Notify::new());
        let tell = reached.clone();
        let working = house
            .work_on(move |cursor| {
                let tell = tell.clone();
                async move {
                    if cursor.is_empty() {
                        return Ok(page(1, Some("two")));
                    }
                    tell.notify_one();
                    std::future::pending().await
                }
            })
            .await;
        reached.notified().await;
        let ordered = Instant::now();
        house.lead.order(order);
        match said {
            Some(expected) => assert_eq!(house.end().await, expected),
            // Whoever would still be fetching would say now that it hands the task on.
            None => tokio::time::sleep(Duration::from_millis(200)).await,
        }
        assert_eq!(house.leave(working).await, None, "{order:?}");
        assert!(ordered.elapsed() < Duration::from_secs(2), "{order:?}");
        assert_eq!(house.kept().await, ["P1"], "what was read before is kept");
    }
}

#[tokio::test]
async fn the_end_of_the_process_hands_the_task_on() {
    let mut house = House::new().await;
    let reached = Arc::new(Notify::new());
    let tell = reached.clone();
    let working = house
        .work_on(move |_| {
            let tell = tell.clone();
            async move {
                tell.notify_one();
                std::future::pending().await
            }
        })
        .await;
    reached.notified().await;
    assert_eq!(house.leave(working).await, Some(released(Reason::Yielded, "")));
}

#[tokio::test]
async fn each_failure_is_told_by_what_is_done_about_it() {
    let until = Utc::now() + TimeDelta::minutes(7);
    let because = || "because".to_owned();
    let cases = [
        (Failure::Fatal { detail: because() }, Reason::Fatal),
        (Failure::Unreadable { detail: because() }, Reason::Unreadable),
        (Failure::Throttled { until }, Reason::Waiting),
        (Failure::Down { detail: because(), until }, Reason::Failed),
    ];
    for (failure, expected) in cases {
        let mut house = House::new().await;
        house
            .work_on(move |cursor| {
                let failure = failure.clone();
                async move { if cursor.is_empty() { Ok(page(1, Some("two"))) } else { Err(failure) } }
            })
            .await;
        let Heard::Released { reason, detail, not_before } = house.end().await else {
            panic!("{expected:?} is no success");
        };
        assert_eq!(reason, expected);
        let waits = matches!(reason, Reason::Waiting | Reason::Failed);
        assert_eq!(not_before, waits.then_some(until.timestamp()));
        assert!(reason == Reason::Waiting || detail == "because", "{detail}");
        assert_eq!(house.kept().await, ["P1"], "what was read before is kept");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_and_then_given_back() {
    let mut house = House::new().await;
    let calls = Calls::default();
    let counted = calls.clone();
    house
        .work_on(move |cursor| {
            let call = counted.next();
            async move {
                match (cursor.as_str(), call) {
                    ("", 0) => Err(Failure::Passing { detail: "a hiccup".to_owned() }),
                    ("", _) => Ok(page(1, Some("two"))),
                    _ => Err(Failure::Passing { detail: "nobody answers".to_owned() }),
                }
            }
        })
        .await;
    assert_eq!(house.end().await, released(Reason::Failed, "nobody answers"));
    assert_eq!(calls.count(), 5, "one hiccup, one page, three tries of the next");
}

#[tokio::test]
async fn a_stale_cursor_starts_the_slice_anew() {
    let mut house = House::new().await;
    let calls = Calls::default();
    let counted = calls.clone();
    house
        .work_on(move |cursor| {
            let call = counted.next();
            async move {
                match (cursor.as_str(), call) {
                    ("", 0) => Ok(page(1, Some("old"))),
                    ("old", _) => Err(Failure::StaleCursor),
                    ("", _) => Ok(page(1, Some("two"))),
                    _ => Ok(page(2, None)),
                }
            }
        })
        .await;
    assert_eq!(house.end().await, finished(""));
    assert_eq!(calls.count(), 4);
    assert_eq!(house.kept().await, ["P1", "P2"]);
}

#[tokio::test]
async fn a_panic_in_a_source_breaks_the_task_and_not_the_worker() {
    let mut house = House::new().await;
    let working = house.work_on(|_| async { panic!("a broken promise") }).await;
    let Heard::Released { reason: Reason::Broken, .. } = house.end().await else {
        panic!("a panic is our own fault");
    };
    assert!(!working.is_finished(), "the worker goes on");
}

#[tokio::test]
async fn whoever_lost_the_lease_keeps_nothing_and_says_nothing() {
    let mut house = House::new().await;
    let (work, task) = (house.work.clone(), house.task);
    let lost = Arc::new(Notify::new());
    let tell = lost.clone();
    let working = house
        .work_on(move |cursor| {
            let (work, tell) = (work.clone(), tell.clone());
            async move {
                if cursor.is_empty() {
                    return Ok(page(1, Some("two")));
                }
                let later = Utc::now() + TimeDelta::hours(2);
                work.begin(task, "worker-2", later + TimeDelta::hours(1), later).await.unwrap();
                tell.notify_one();
                Ok(page(2, None))
            }
        })
        .await;
    lost.notified().await;
    assert_eq!(house.leave(working).await, None);
    assert_eq!(house.kept().await, ["P1"]);
}

#[tokio::test]
async fn no_more_tasks_are_done_at_once_than_wanted_however_many_rings_are_held() {
    let mut house = House::planned_by(five_tasks).await;
    let (under_way, most) = (Calls::default(), Calls::default());
    let (now, high) = (under_way.clone(), most.clone());
    house.prefetch = 5;
    house
        .work_on(move |_| {
            let (now, high) = (now.clone(), high.clone());
            async move {
                high.at_least(now.next() + 1);
                tokio::time::sleep(Duration::from_millis(30)).await;
                now.back();
                Ok(page(1, None))
            }
        })
        .await;
    for task in house.tasks.clone().into_iter().skip(1) {
        house.ring(&format!(r#"{{"task_id":"{task}"}}"#)).await;
    }
    for _ in 0..5 {
        assert_eq!(house.end().await, finished(""));
    }
    assert_eq!(most.count(), 2, "the worker's concurrency");
}

#[tokio::test]
async fn a_ring_that_cannot_be_read_is_put_aside() {
    let mut house = House::new().await;
    let working = house.work_on(three_pages).await;
    house.ring("seven").await;
    assert_eq!(house.end().await, finished("found out"));
    assert_eq!(house.leave(working).await, None);
    assert_eq!(house.queue.depth("jira").await.unwrap().dead, 1);
}

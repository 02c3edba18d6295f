//! What every cache promises.

use std::time::Duration;

use chrono::Utc;
use futures::future::join_all;
use platform::cache::{Cache, Grant, Ring};
use platform::health::Status;
use tokio::time::timeout;

use super::servers::{self, PATIENCE, eventually};

const HOUR: Duration = Duration::from_secs(3600);

macro_rules! contract {
    ($($promise:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(super::Cache::memory()).await;
            })+
        }

        mod redis {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(super::in_redis()).await;
            })+
        }
    };
}

contract! {
    what_was_set_is_there_until_it_is_forgotten,
    what_was_set_is_over_in_time,
    of_many_takers_one_gets_it,
    a_taken_key_is_not_set_again,
    counts_start_anew_with_each_window,
    a_budget_is_never_overdrawn,
    who_waits_as_told_is_granted,
    a_pause_stops_a_budget,
    kinds_of_keys_do_not_mix,
    a_bell_is_heard_by_all_listeners,
    bells_do_not_mix,
    an_open_cache_is_healthy,
}

fn in_redis() -> Cache {
    Cache::open_as(&servers::prefix(), &servers::redis_url()).unwrap()
}

async fn what_was_set_is_there_until_it_is_forgotten(cache: Cache) {
    assert_eq!(cache.get("token").await.unwrap(), None);
    cache.set("token", vec![0, 159, 146, 150], HOUR).await.unwrap();
    assert_eq!(cache.get("token").await.unwrap().unwrap().as_ref(), [0, 159, 146, 150]);
    cache.set("token", "other", HOUR).await.unwrap();
    assert_eq!(cache.get("token").await.unwrap().unwrap(), "other");
    cache.delete("token").await.unwrap();
    assert_eq!(cache.get("token").await.unwrap(), None);
    cache.delete("token").await.unwrap();
}

async fn what_was_set_is_over_in_time(cache: Cache) {
    cache.set("ticket", "x", Duration::from_millis(30)).await.unwrap();
    eventually("the end", async || cache.get("ticket").await.unwrap().is_none()).await;
    assert_eq!(cache.take("ticket").await.unwrap(), None);
}

async fn of_many_takers_one_gets_it(cache: Cache) {
    cache.set("ticket", "x", HOUR).await.unwrap();
    let taken = join_all((0..20).map(|_| cache.take("ticket"))).await;
    let winners = taken.into_iter().filter(|taken| taken.as_ref().unwrap().is_some()).count();
    assert_eq!(winners, 1);
}

async fn a_taken_key_is_not_set_again(cache: Cache) {
    assert!(cache.set_if_absent("lock", "mine", HOUR).await.unwrap());
    assert!(!cache.set_if_absent("lock", "yours", HOUR).await.unwrap());
    assert_eq!(cache.get("lock").await.unwrap().unwrap(), "mine");
    cache.delete("lock").await.unwrap();
    assert!(cache.set_if_absent("lock", "yours", Duration::from_millis(30)).await.unwrap());
    eventually("a free lock", async || cache.set_if_absent("lock", "mine", HOUR).await.unwrap())
        .await;
}

async fn counts_start_anew_with_each_window(cache: Cache) {
    for count in 1..=3 {
        assert_eq!(cache.increment("logins", HOUR).await.unwrap(), count);
    }
    let window = Duration::from_millis(40);
    assert_eq!(cache.increment("short", window).await.unwrap(), 1);
    eventually("a new window", async || {
        tokio::time::sleep(window).await;
        cache.increment("short", window).await.unwrap() == 1
    })
    .await;
}

async fn a_budget_is_never_overdrawn(cache: Cache) {
    let asked = join_all((0..50).map(|_| cache.acquire("jira", 10, HOUR, 1))).await;
    let granted = asked.into_iter().filter(|grant| *grant.as_ref().unwrap() == Grant::Granted);
    assert_eq!(granted.count(), 10);
    let Grant::Wait(wait) = cache.acquire("jira", 10, HOUR, 5).await.unwrap() else {
        panic!("the budget is empty");
    };
    let half_an_hour = HOUR / 2;
    assert!(wait <= half_an_hour && wait > half_an_hour - PATIENCE, "{wait:?}");
    assert_eq!(cache.acquire("github", 10, HOUR, 10).await.unwrap(), Grant::Granted);
}

async fn who_waits_as_told_is_granted(cache: Cache) {
    let window = Duration::from_millis(300);
    assert_eq!(cache.acquire("jira", 3, window, 99).await.unwrap(), Grant::Granted);
    let Grant::Wait(wait) = cache.acquire("jira", 3, window, 1).await.unwrap() else {
        panic!("the budget is empty");
    };
    assert!(wait <= Duration::from_millis(100), "{wait:?}");
    tokio::time::sleep(wait).await;
    assert_eq!(cache.acquire("jira", 3, window, 1).await.unwrap(), Grant::Granted);
}

async fn a_pause_stops_a_budget(cache: Cache) {
    cache.pause_until("jira", Utc::now() + HOUR).await.unwrap();
    cache.pause_until("jira", Utc::now()).await.unwrap();
    let Grant::Wait(wait) = cache.acquire("jira", 10, Duration::from_secs(1), 1).await.unwrap()
    else {
        panic!("the budget is paused");
    };
    assert!(wait <= HOUR && wait > HOUR - PATIENCE, "{wait:?}");
    // Looking at it does not end the pause.
    let again = cache.acquire("jira", 10, Duration::from_secs(1), 1).await.unwrap();
    assert!(matches!(again, Grant::Wait(_)));

    let soon = Utc::now() + Duration::from_millis(60);
    cache.pause_until("github", soon).await.unwrap();
    assert_ne!(cache.acquire("github", 10, HOUR, 1).await.unwrap(), Grant::Granted);
    eventually("the end of the pause", async || {
        cache.acquire("github", 10, HOUR, 1).await.unwrap() == Grant::Granted
    })
    .await;
    assert!(Utc::now() >= soon - Duration::from_millis(2));
}

async fn kinds_of_keys_do_not_mix(cache: Cache) {
    cache.set("same", "value", HOUR).await.unwrap();
    assert_eq!(cache.increment("same", HOUR).await.unwrap(), 1);
    assert_eq!(cache.acquire("same", 1, HOUR, 1).await.unwrap(), Grant::Granted);
    assert_eq!(cache.get("same").await.unwrap().unwrap(), "value");
}

async fn a_bell_is_heard_by_all_listeners(cache: Cache) {
    let mut listeners = [cache.listen("events"), cache.listen("events")];
    for listener in &mut listeners {
        // A listener that is still dialling misses rings, so the bell rings until one is heard.
        eventually("a ring", async || {
            cache.ring("events", "seq 7").await.unwrap();
            let heard = timeout(Duration::from_millis(200), listener.next()).await;
            heard == Ok(Some(Ring::Said("seq 7".to_owned())))
        })
        .await;
    }
}

async fn bells_do_not_mix(cache: Cache) {
    let mut events = cache.listen("events");
    let mut others = cache.listen("others");
    eventually("a ring", async || {
        cache.ring("others", "not for you").await.unwrap();
        cache.ring("events", "for you").await.unwrap();
        let heard = timeout(Duration::from_millis(200), events.next()).await;
        heard == Ok(Some(Ring::Said("for you".to_owned())))
    })
    .await;
    eventually("a ring", async || {
        let heard = timeout(PATIENCE, others.next()).await;
        heard == Ok(Some(Ring::Said("not for you".to_owned())))
    })
    .await;
}

async fn an_open_cache_is_healthy(cache: Cache) {
    let check = cache.health().await;
    assert_eq!((check.name.as_str(), check.status), ("cache", Status::Healthy));
}

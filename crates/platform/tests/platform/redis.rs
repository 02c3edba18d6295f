//! What the absence of Redis does: quick errors, and recovery by itself.

use std::time::{Duration, Instant};

use platform::cache::{Cache, Error, Listener, Ring};
use platform::health::Status;
use tokio::time::timeout;
use url::Url;

use super::proxy::Proxy;
use super::servers::{self, PATIENCE, eventually};

const HOUR: Duration = Duration::from_secs(3600);
/// The half second we promise, and a busy machine's share.
const QUICKLY: Duration = Duration::from_millis(900);

async fn proxied() -> (Proxy, Cache) {
    let mut url = Url::parse(&servers::redis_url()).unwrap();
    let host = url.host_str().unwrap();
    let proxy = Proxy::to(format!("{host}:{}", url.port().unwrap_or(6379))).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.port)).unwrap();
    (proxy, Cache::open_as(&servers::prefix(), url.as_str()).unwrap())
}

async fn fails_quickly(cache: &Cache) -> bool {
    let asked_at = Instant::now();
    let answer = cache.get("token").await;
    matches!(answer, Err(Error::Unavailable(_))) && asked_at.elapsed() < QUICKLY
}

async fn hears(listener: &mut Listener, wanted: &Ring) -> bool {
    timeout(Duration::from_millis(200), listener.next())
        .await
        .is_ok_and(|ring| ring.as_ref() == Some(wanted))
}

#[tokio::test]
async fn an_outage_is_a_quick_error_and_ends_by_itself() {
    let (proxy, cache) = proxied().await;
    cache.set("token", "x", HOUR).await.unwrap();
    proxy.cut();
    for _ in 0..3 {
        assert!(fails_quickly(&cache).await);
    }
    assert_eq!(cache.health().await.status, Status::Warning);
    proxy.mend();
    eventually("the value", async || {
        cache.get("token").await.is_ok_and(|value| value.is_some_and(|value| value == "x"))
    })
    .await;
    assert_eq!(cache.health().await.status, Status::Healthy);
}

#[tokio::test]
async fn silence_is_a_quick_error_and_ends_by_itself() {
    let (proxy, cache) = proxied().await;
    cache.set("token", "x", HOUR).await.unwrap();
    proxy.silence();
    assert!(fails_quickly(&cache).await);
    let asked_at = Instant::now();
    for _ in 0..50 {
        assert!(fails_quickly(&cache).await);
    }
    assert!(asked_at.elapsed() < QUICKLY, "one has waited for all of them");
    proxy.mend();
    eventually("the value", async || cache.get("token").await.is_ok()).await;
}

#[tokio::test]
async fn redis_need_not_be_there_at_the_start() {
    let (proxy, cache) = proxied().await;
    proxy.cut();
    assert!(fails_quickly(&cache).await);
    proxy.mend();
    eventually("an answer", async || cache.get("token").await.is_ok()).await;
}

#[tokio::test]
async fn a_listener_learns_that_it_may_have_missed_something() {
    let (proxy, cache) = proxied().await;
    let mut listener = cache.listen("events");
    let first = timeout(PATIENCE, listener.next()).await.unwrap();
    assert_eq!(first, Some(Ring::Missed));
    cache.ring("events", "one").await.unwrap();
    let said = timeout(PATIENCE, listener.next()).await.unwrap();
    assert_eq!(said, Some(Ring::Said("one".to_owned())));

    proxy.cut();
    eventually("the outage", async || cache.ring("events", "lost").await.is_err()).await;
    proxy.mend();
    eventually("the gap", async || hears(&mut listener, &Ring::Missed).await).await;
    eventually("the bell", async || {
        let rung = cache.ring("events", "two").await.is_ok();
        rung && hears(&mut listener, &Ring::Said("two".to_owned())).await
    })
    .await;
}

#[test]
fn an_address_that_is_none_is_named_without_its_password() {
    let error = Cache::open("redis://:hunter2@").unwrap_err();
    assert!(matches!(error, Error::Address { .. }));
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

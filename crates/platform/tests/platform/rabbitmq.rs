//! What a broker's absence does: nothing but waiting.

use std::time::Duration;

use platform::health::Status;
use platform::queue::{Delivery, Error, Queue};
use tokio::time::timeout;
use url::Url;

use super::proxy::Proxy;
use super::servers::{self, PATIENCE, eventually};

const TOPICS: [&str; 1] = ["pages"];

async fn proxied() -> (Proxy, String) {
    let mut url = Url::parse(&servers::amqp_url()).unwrap();
    let host = url.host_str().unwrap();
    let proxy = Proxy::to(format!("{host}:{}", url.port().unwrap_or(5672))).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.port)).unwrap();
    (proxy, url.to_string())
}

async fn next(consumer: &mut platform::queue::Consumer) -> Delivery {
    timeout(PATIENCE, consumer.next()).await.expect("a message in time").expect("an open queue")
}

#[tokio::test]
async fn a_broken_connection_is_a_pause() {
    let (proxy, url) = proxied().await;
    let queue = Queue::open_as(&servers::prefix(), &url, &TOPICS).await.unwrap();
    let mut consumer = queue.consume("pages", 10).await.unwrap();
    queue.publish("pages", "before").await.unwrap();
    let before = next(&mut consumer).await;

    proxy.cut();
    let publishing = tokio::spawn({
        let queue = queue.clone();
        async move { queue.publish("pages", "meanwhile").await }
    });
    eventually("the outage", async || queue.health().await.status == Status::Down).await;
    assert!(matches!(before.ack().await, Err(Error::Lost)));
    proxy.mend();

    publishing.await.unwrap().unwrap();
    let mut bodies = Vec::new();
    for _ in 0..2 {
        let delivery = next(&mut consumer).await;
        bodies.push((delivery.body.clone(), delivery.is_repeated()));
        delivery.ack().await.unwrap();
    }
    bodies.sort();
    assert_eq!(bodies, [("before".into(), true), ("meanwhile".into(), false)]);
    assert_eq!(queue.health().await.status, Status::Healthy);
}

#[tokio::test]
async fn a_silent_broker_is_noticed() {
    let (proxy, url) = proxied().await;
    let queue = Queue::open_as(&servers::prefix(), &url, &TOPICS).await.unwrap();
    proxy.silence();
    assert_eq!(queue.health().await.status, Status::Down);
    let refused = timeout(PATIENCE, queue.publish("pages", "one")).await.unwrap();
    assert!(matches!(refused, Err(Error::Unavailable(_))));
    proxy.mend();
    queue.publish("pages", "two").await.unwrap();
}

#[tokio::test]
async fn opening_waits_for_a_broker_that_starts() {
    let (proxy, url) = proxied().await;
    proxy.cut();
    let opening =
        tokio::spawn(
            async move { Queue::open_as(&servers::prefix(), &url, &TOPICS).await.map(|_| ()) },
        );
    eventually("a second try", async || proxy.callers() >= 2).await;
    assert!(!opening.is_finished());
    proxy.mend();
    timeout(PATIENCE, opening).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_not_worth_waiting() {
    let mut url = Url::parse(&servers::amqp_url()).unwrap();
    url.set_username("nobody").unwrap();
    url.set_password(Some("wrong")).unwrap();
    let prefix = servers::prefix();
    let opening = Queue::open_as(&prefix, url.as_str(), &TOPICS);
    let refused = timeout(Duration::from_secs(10), opening).await.unwrap();
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn what_was_published_outlives_the_publisher() {
    let prefix = servers::prefix();
    let queue = Queue::open_as(&prefix, &servers::amqp_url(), &TOPICS).await.unwrap();
    queue.publish("pages", "one").await.unwrap();
    let mut consumer = queue.consume("pages", 1).await.unwrap();
    let held = next(&mut consumer).await;
    queue.close().await;
    drop(held);

    let queue = Queue::open_as(&prefix, &servers::amqp_url(), &TOPICS).await.unwrap();
    let mut consumer = queue.consume("pages", 1).await.unwrap();
    let again = next(&mut consumer).await;
    assert_eq!(again.body, "one");
    again.ack().await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_none_is_named_without_its_password() {
    let error = Queue::open("amqp//pulse:hunter2@rabbit", &TOPICS).await.unwrap_err();
    assert!(matches!(error, Error::Address { .. }));
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

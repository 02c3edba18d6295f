//! What every queue promises.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use platform::health::Status;
use platform::queue::{Consumer, DELIVERIES_MAX, Delivery, Error, Queue};
use tokio::time::timeout;

use super::servers::{self, PATIENCE, eventually};

const TOPICS: [&str; 2] = ["pages", "reports"];
/// Long enough to notice a message that should not come.
const MOMENT: Duration = Duration::from_millis(200);

macro_rules! contract {
    ($($promise:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(super::Queue::memory(&super::TOPICS)).await;
            })+
        }

        mod rabbitmq {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(super::through_rabbitmq().await).await;
            })+
        }
    };
}

contract! {
    a_message_arrives_once_when_it_is_acknowledged,
    a_dropped_delivery_comes_again,
    a_poison_message_ends_with_the_dead_letters,
    a_rejected_message_is_a_dead_letter_at_once,
    a_retried_message_comes_later_and_is_counted,
    a_message_retried_too_often_is_a_dead_letter,
    prefetch_limits_what_is_in_hand,
    two_consumers_share_the_work,
    topics_do_not_mix,
    a_topic_nobody_declared_is_an_error,
    a_cancelled_wait_loses_nothing,
    many_messages_all_arrive,
    closing_ends_the_consumers,
    an_open_queue_is_healthy,
}

async fn through_rabbitmq() -> Queue {
    Queue::open_as(&servers::prefix(), &servers::amqp_url(), &TOPICS).await.unwrap()
}

async fn next(consumer: &mut Consumer) -> Delivery {
    timeout(PATIENCE, consumer.next()).await.expect("a message in time").expect("an open queue")
}

async fn nothing_comes(consumer: &mut Consumer) -> bool {
    timeout(MOMENT, consumer.next()).await.is_err()
}

async fn dead_letter(queue: &Queue, topic: &str) -> Bytes {
    let mut dead = None;
    eventually("a dead letter", async || {
        dead = queue.take_dead(topic).await.unwrap();
        dead.is_some()
    })
    .await;
    dead.expect("it was just seen")
}

async fn a_message_arrives_once_when_it_is_acknowledged(queue: Queue) {
    queue.publish("pages", "one").await.unwrap();
    let mut consumer = queue.consume("pages", 1).await.unwrap();
    let delivery = next(&mut consumer).await;
    assert_eq!((delivery.body.as_ref(), delivery.attempt), (b"one".as_slice(), 1));
    assert!(!delivery.is_repeated());
    delivery.ack().await.unwrap();
    assert!(nothing_comes(&mut consumer).await);
    assert_eq!(queue.depth("pages").await.unwrap().ready, 0);
}

async fn a_dropped_delivery_comes_again(queue: Queue) {
    queue.publish("pages", "one").await.unwrap();
    let mut consumer = queue.consume("pages", 1).await.unwrap();
    drop(next(&mut consumer).await);
    let again = next(&mut consumer).await;
    assert_eq!((again.body.as_ref(), again.attempt), (b"one".as_slice(), 2));
    assert!(again.is_repeated());
    again.ack().await.unwrap();
}

async fn a_poison_message_ends_with_the_dead_letters(queue: Queue) {
    queue.publish("pages", "poison").await.unwrap();
    let mut consumer = queue.consume("pages", 1).await.unwrap();
    for attempt in 1..=DELIVERIES_MAX {
        assert_eq!(next(&mut consumer).await.attempt, attempt);
    }
    assert!(nothing_comes(&mut consumer).await);
    assert_eq!(dead_letter(&queue, "pages").await, "poison");
    assert_eq!(queue.take_dead("pages").await.unwrap(), None);
}

async fn a_rejected_message_is_a_dead_letter_at_once(queue: Queue) {
    queue.publish("pages", "nonsense").await.unwrap();
    let mut consumer = queue.consume("pages", 1).await.unwrap();
    next(&mut consumer).await.reject().await.unwrap();
    assert!(nothing_comes(&mut consumer).await);
    eventually("one dead letter", async || queue.depth("pages").await.unwrap().dead == 1).await;
    assert_eq!(dead_letter(&queue, "pages").await, "nonsense");
}

async fn a_retried_message_comes_later_and_is_counted(queue: Queue) {
    queue.publish("pages", "not yet").await.unwrap();
    let mut consumer = queue.consume("pages", 1).await.unwrap();
    drop(next(&mut consumer).await);
    let second = next(&mut consumer).await;
    let asked_at = Instant::now();
    second.retry(Duration::from_millis(150)).await.unwrap();
    let third = next(&mut consumer).await;
    assert!(asked_at.elapsed() >= Duration::from_millis(150), "{:?}", asked_at.elapsed());
    assert_eq!((third.body.as_ref(), third.attempt), (b"not yet".as_slice(), 3));
    drop(third);
    let fourth = next(&mut consumer).await;
    assert_eq!(fourth.attempt, 4);
    fourth.ack().await.unwrap();
}

async fn a_message_retried_too_often_is_a_dead_letter(queue: Queue) {
    queue.publish("pages", "never").await.unwrap();
    let mut consumer = queue.consume("pages", 1).await.unwrap();
    for attempt in 1..=DELIVERIES_MAX {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.attempt, attempt);
        delivery.retry(Duration::from_millis(1)).await.unwrap();
    }
    assert_eq!(dead_letter(&queue, "pages").await, "never");
}

async fn prefetch_limits_what_is_in_hand(queue: Queue) {
    for body in ["one", "two", "three"] {
        queue.publish("pages", body).await.unwrap();
    }
    let mut consumer = queue.consume("pages", 2).await.unwrap();
    let one = next(&mut consumer).await;
    let two = next(&mut consumer).await;
    assert!(nothing_comes(&mut consumer).await);
    one.ack().await.unwrap();
    let three = next(&mut consumer).await;
    assert_eq!(three.body, "three");
    two.ack().await.unwrap();
    three.ack().await.unwrap();
}

async fn two_consumers_share_the_work(queue: Queue) {
    let mut first = queue.consume("pages", 1).await.unwrap();
    let mut second = queue.consume("pages", 1).await.unwrap();
    for body in ["one", "two"] {
        queue.publish("pages", body).await.unwrap();
    }
    let (one, two) = (next(&mut first).await, next(&mut second).await);
    assert_ne!(one.body, two.body);
    one.ack().await.unwrap();
    two.ack().await.unwrap();
}

async fn topics_do_not_mix(queue: Queue) {
    queue.publish("pages", "page").await.unwrap();
    queue.publish("reports", "report").await.unwrap();
    let mut reports = queue.consume("reports", 10).await.unwrap();
    let report = next(&mut reports).await;
    assert_eq!(report.body, "report");
    report.ack().await.unwrap();
    assert!(nothing_comes(&mut reports).await);
    eventually("the page", async || queue.depth("pages").await.unwrap().ready == 1).await;
}

async fn a_topic_nobody_declared_is_an_error(queue: Queue) {
    let unknown = |error| matches!(error, Error::UnknownTopic { topic } if topic == "letters");
    assert!(unknown(queue.publish("letters", "one").await.unwrap_err()));
    assert!(unknown(queue.consume("letters", 1).await.unwrap_err()));
    assert!(unknown(queue.depth("letters").await.unwrap_err()));
}

async fn a_cancelled_wait_loses_nothing(queue: Queue) {
    let mut consumer = queue.consume("pages", 5).await.unwrap();
    for number in 0..20 {
        queue.publish("pages", format!("{number}")).await.unwrap();
    }
    let mut seen = HashSet::new();
    while seen.len() < 20 {
        // Far shorter than it takes the broker to deliver, now and then.
        let Ok(delivery) = timeout(Duration::from_micros(50), consumer.next()).await else {
            tokio::task::yield_now().await;
            continue;
        };
        let delivery = delivery.expect("an open queue");
        assert_eq!(delivery.attempt, 1);
        assert!(seen.insert(delivery.body.clone()));
        delivery.ack().await.unwrap();
    }
}

async fn many_messages_all_arrive(queue: Queue) {
    let numbers: Vec<String> = (0..1_200).map(|number| number.to_string()).collect();
    let bodies = numbers.iter().cloned().map(Bytes::from).collect();
    queue.publish_many("pages", bodies).await.unwrap();
    let mut consumer = queue.consume("pages", 100).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < numbers.len() {
        let delivery = next(&mut consumer).await;
        seen.push(String::from_utf8(delivery.body.to_vec()).unwrap());
        delivery.ack().await.unwrap();
    }
    assert_eq!(seen, numbers);
}

async fn closing_ends_the_consumers(queue: Queue) {
    let mut consumer = queue.consume("pages", 1).await.unwrap();
    let waiting = tokio::spawn(async move { consumer.next().await.is_none() });
    queue.close().await;
    assert!(timeout(PATIENCE, waiting).await.unwrap().unwrap());
    assert!(matches!(queue.publish("pages", "late").await, Err(Error::Closed)));
}

async fn an_open_queue_is_healthy(queue: Queue) {
    let check = queue.health().await;
    assert_eq!((check.name.as_str(), check.status), ("queue", Status::Healthy));
}

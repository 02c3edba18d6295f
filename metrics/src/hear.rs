//! How we hear that there is something to do.

use platform::backoff::Backoff;
use platform::queue::{Consumer, Delivery, Error, Queue};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Rings in hand: what they ask for is heavy, and one that waits here could be done elsewhere.
const PREFETCH: u16 = 1;

/// Whoever hears the rings of a topic; nothing after `stop`.
pub(crate) async fn consumer(
    queue: &Queue,
    topic: &str,
    stop: &CancellationToken,
) -> Option<Consumer> {
    let mut tries = 0;
    loop {
        match queue.consume(topic, PREFETCH).await {
            Ok(consumer) => return Some(consumer),
            Err(error) => warn!(%error, "could not listen for {topic}, trying again"),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(Backoff::NEARBY.jittered(tries)) => tries += 1,
        }
    }
}

/// The next ring; nothing after `stop`, or when the queue is closed.
pub(crate) async fn next(consumer: &mut Consumer, stop: &CancellationToken) -> Option<Delivery> {
    tokio::select! {
        () = stop.cancelled() => None,
        delivery = consumer.next() => delivery,
    }
}

/// A ring that could not be settled comes again, and then finds its work done.
pub(crate) fn report_lost(settled: Result<(), Error>) {
    if let Err(error) = settled {
        debug!(%error, "a ring was not settled and will come again");
    }
}

//! Where the servers are, and names that no other test uses.

use std::time::Duration;

use uuid::Uuid;

/// Long enough for a busy machine; nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn amqp_url() -> String {
    required("TEST_AMQP_URL")
}

pub fn redis_url() -> String {
    required("TEST_REDIS_URL")
}

/// A prefix for one test alone.
pub fn prefix() -> String {
    format!("test-{}", Uuid::now_v7().simple())
}

#[expect(clippy::disallowed_methods, reason = "only the test runner knows where the servers are")]
fn required(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: run this through `make test`, or scripts/test-servers -- COMMAND"
        )
    })
}

/// Asks until the answer is yes.
pub async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("never saw: {what}"));
}

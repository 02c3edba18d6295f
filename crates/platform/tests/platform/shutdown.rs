//! How a process hears that its end has come.

use std::process::{Command, id};
use std::time::Duration;

use platform::shutdown::Shutdown;
use tokio::time::timeout;

use super::servers::PATIENCE;

#[tokio::test]
async fn a_signal_begins_the_end_and_work_is_finished() {
    let shutdown = Shutdown::on_signals().unwrap();
    let token = shutdown.token();
    let worker = shutdown.spawn(async move {
        token.cancelled().await;
        "finished"
    });
    let sent = Command::new("kill").args(["-TERM", &id().to_string()]).status().unwrap();
    assert!(sent.success());
    timeout(PATIENCE, shutdown.begun()).await.unwrap();
    shutdown.drain(Duration::from_secs(5)).await.unwrap();
    assert_eq!(worker.await.unwrap(), "finished");
}

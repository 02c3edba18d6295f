//! Sees to it that a change of the workflows or the rules, and a deployment that was posted, is in the
//! numbers soon, without a new extraction.

use std::time::Duration;

use chrono::Utc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::compute;
use crate::flow::Flow;

/// People look at what they changed within seconds, and looking costs one small question.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Computes the flow of clients whose workflows changed, and the delivery of those whose rules changed,
/// until `stop`.
pub async fn run(facts: store::Metrics, stop: CancellationToken) {
    let mut clock = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = clock.tick() => {}
        }
        if let Err(error) = round(&facts).await {
            warn!(%error, "could not compute what people changed, trying again");
        }
    }
}

async fn round(facts: &store::Metrics) -> Result<(), store::Error> {
    for client in facts.clients_with_changed_workflows().await? {
        if let Some(issues) = facts.publish_flow(client, Flow::new()).await? {
            info!(issues, client.id = %client, "computed the flow of a client for changed workflows");
        }
    }
    for client in facts.clients_with_changed_rules().await? {
        // Whoever published meanwhile used the new rules, or the next round finds them changed.
        if let Some(count) = compute::publish_changed(facts, client, Utc::now()).await? {
            info!(facts = count, client.id = %client, "computed the delivery of a client for changed rules");
        }
    }
    Ok(())
}

//! A client straight in the store, for what is measured without a front door.

use anyhow::Context;
use chrono::{TimeDelta, Utc};
use domain::Moment;
use domain::ids::{ClientId, IntegrationId};
use domain::work::{Fence, SourceKind, TaskKind, Topic};
use store::integrations::Integration;
use store::{Db, Integrations, Work};
use uuid::Uuid;

/// Both sources.
pub const SOURCES: [SourceKind; 2] = [SourceKind::Jira, SourceKind::Github];

/// Makes a client of this name at `now`, with a connection to each of `sources`.
pub async fn add(
    db: &Db,
    work: &Work,
    name: &str,
    sources: &[SourceKind],
    now: Moment,
) -> anyhow::Result<(ClientId, Vec<IntegrationId>)> {
    let client = work.ensure_client(ClientId(Uuid::now_v7()), name, name, now).await?.id;
    let integrations = Integrations::new(db.clone());
    let mut ids = Vec::with_capacity(sources.len());
    for &kind in sources {
        let base_url = format!("https://{kind}.example");
        let connection = Integration::new(client, kind, kind.to_string(), base_url, now);
        integrations.add(&connection).await?;
        ids.push(connection.id);
    }
    Ok((client, ids))
}

/// An hour's lease of a task of the client, so that something may be written for it.
pub async fn lease(work: &Work, client: ClientId) -> anyhow::Result<Fence> {
    let now = Utc::now();
    let task = work.ask_probe(client, TaskKind::Probe, Topic::Jira, "", now).await?;
    let lease = work.begin(task, "bench", now + TimeDelta::hours(1), now).await?;
    Ok(lease.context("nobody else takes the task")?.fence)
}

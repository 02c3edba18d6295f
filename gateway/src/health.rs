//! How the service does, for people, for load balancers and for Prometheus.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use moka::future::Cache as Moka;
use platform::cache::Cache;
use platform::health::{Check, Status, overall};
use platform::queue::Queue;
use serde::Serialize;
use store::Db;

/// However often somebody asks, the parts are looked at once a second.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// The parts that we stand on.
#[derive(Clone)]
pub(crate) struct Health {
    db: Db,
    queue: Queue,
    cache: Cache,
    seen: Moka<(), Arc<Vec<Check>>>,
}

#[derive(Serialize)]
struct Report {
    status: Status,
    checks: BTreeMap<String, Status>,
}

impl Health {
    pub(crate) fn new(db: Db, queue: Queue, cache: Cache) -> Health {
        let seen = Moka::builder().max_capacity(1).time_to_live(LOOKED_AT_EVERY).build();
        Health { db, queue, cache, seen }
    }

    /// Database, queue and cache.
    pub(crate) async fn checks(&self) -> Arc<Vec<Check>> {
        self.seen.get_with((), async { Arc::new(self.look().await) }).await
    }

    async fn look(&self) -> Vec<Check> {
        let (database, queue, cache) = futures::join!(
            tokio::time::timeout(ANSWERS_WITHIN, self.db.ping()),
            tokio::time::timeout(ANSWERS_WITHIN, self.queue.health()),
            tokio::time::timeout(ANSWERS_WITHIN, self.cache.health()),
        );
        let database = match database {
            Ok(Ok(())) => Check::healthy("database"),
            Ok(Err(error)) => Check::down("database", error.to_string()),
            Err(_elapsed) => Check::down("database", "does not answer"),
        };
        let queue = queue.unwrap_or_else(|_elapsed| Check::down("queue", "does not answer"));
        let cache = cache.unwrap_or_else(|_elapsed| Check::warning("cache", "does not answer"));
        vec![database, queue, cache]
    }
}

/// The process runs.
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// The process can serve: only the database is indispensable for that.
pub(crate) async fn ready(health: Data<Health>) -> HttpResponse {
    let checks = health.checks().await;
    let is_up = checks.iter().all(|check| check.name != "database" || check.status < Status::Down);
    report(&checks, is_up)
}

/// How everything does.
pub(crate) async fn all(health: Data<Health>) -> HttpResponse {
    let checks = health.checks().await;
    let is_up = overall(&checks) < Status::Down;
    report(&checks, is_up)
}

fn report(checks: &[Check], is_up: bool) -> HttpResponse {
    let status = overall(checks);
    let checks = checks.iter().map(|check| (check.name.clone(), check.status)).collect();
    let mut answer = if is_up { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(Report { status, checks })
}

/// What Prometheus reads. One recorder serves the whole process, whoever started it.
pub(crate) async fn prometheus() -> HttpResponse {
    let Some(recorder) = recorder() else {
        return HttpResponse::NotFound().finish();
    };
    recorder.run_upkeep();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(recorder.render())
}

/// Starts counting, unless this process does already; nothing when somebody else counts in it.
pub(crate) fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    const BUCKETS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
    let start = || {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).ok()?;
        builder.install_recorder().ok()
    };
    RECORDER.get_or_init(start).as_ref()
}

//! How a program does, for people, for load balancers and for Prometheus.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig, get};
use futures::future::{BoxFuture, join_all};
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

/// The parts that a program stands on; clones look at the same.
#[derive(Clone)]
pub struct Health {
    parts: Vec<Arc<Part>>,
    seen: Moka<(), Arc<Vec<Check>>>,
}

struct Part {
    name: &'static str,
    /// Whether the program is of no use without it.
    is_needed: bool,
    look: Box<dyn Fn() -> BoxFuture<'static, Check> + Send + Sync>,
}

#[derive(Serialize)]
struct Report<'a> {
    status: Status,
    checks: BTreeMap<&'a str, Status>,
    /// What is wrong, where something is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<&'a str, &'a str>,
}

impl Health {
    /// Looks at database, migrations, queue and cache. Without the first two nothing goes.
    pub fn of(db: Db, queue: Queue, cache: Cache) -> Health {
        let tables = db.clone();
        Health { parts: Vec::new(), seen: fresh() }
            .needs("database", move || {
                let db = db.clone();
                async move {
                    match db.ping().await {
                        Ok(()) => Check::healthy("database"),
                        Err(error) => Check::down("database", error.to_string()),
                    }
                }
            })
            .needs("migrations", move || {
                let tables = tables.clone();
                async move { migrations(&tables).await }
            })
            .wants("queue", move || {
                let queue = queue.clone();
                async move { queue.health().await }
            })
            .wants("cache", move || {
                let cache = cache.clone();
                async move { cache.health().await }
            })
    }

    /// Looks at a part without which the program is of no use.
    #[must_use]
    pub fn needs<F>(
        self,
        name: &'static str,
        look: impl Fn() -> F + Send + Sync + 'static,
    ) -> Health
    where
        F: Future<Output = Check> + Send + 'static,
    {
        self.with(name, true, look)
    }

    /// Looks at a part without which the program still does something.
    #[must_use]
    pub fn wants<F>(
        self,
        name: &'static str,
        look: impl Fn() -> F + Send + Sync + 'static,
    ) -> Health
    where
        F: Future<Output = Check> + Send + 'static,
    {
        self.with(name, false, look)
    }

    fn with<F>(
        mut self,
        name: &'static str,
        is_needed: bool,
        look: impl Fn() -> F + Send + Sync + 'static,
    ) -> Health
    where
        F: Future<Output = Check> + Send + 'static,
    {
        let look = Box::new(move || Box::pin(look()) as BoxFuture<'static, Check>);
        self.parts.push(Arc::new(Part { name, is_needed, look }));
        Health { parts: self.parts, seen: fresh() }
    }

    /// How each part does.
    pub async fn checks(&self) -> Arc<Vec<Check>> {
        self.seen.get_with((), async { Arc::new(self.look().await) }).await
    }

    async fn look(&self) -> Vec<Check> {
        join_all(self.parts.iter().map(|part| async {
            let looked = tokio::time::timeout(ANSWERS_WITHIN, (part.look)()).await;
            looked.unwrap_or_else(|_elapsed| Check::down(part.name, "does not answer"))
        }))
        .await
    }

    fn is_needed(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.is_needed && part.name == name)
    }
}

fn fresh() -> Moka<(), Arc<Vec<Check>>> {
    Moka::builder().max_capacity(1).time_to_live(LOOKED_AT_EVERY).build()
}

async fn migrations(db: &Db) -> Check {
    match db.is_up_to_date().await {
        Ok(true) => Check::healthy("migrations"),
        Ok(false) => Check::down("migrations", "the tables are older than this program"),
        Err(error) => Check::down("migrations", error.to_string()),
    }
}

/// Where everybody looks how a program does.
pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/livez", get().to(live))
        .route("/readyz", get().to(ready))
        .route("/healthz", get().to(all))
        .route("/metrics", get().to(prometheus));
}

/// The process runs.
async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// The process can serve.
async fn ready(health: Data<Health>) -> HttpResponse {
    let checks = health.checks().await;
    let is_up =
        checks.iter().all(|check| check.status < Status::Down || !health.is_needed(&check.name));
    report(&checks, is_up)
}

/// How everything does.
async fn all(health: Data<Health>) -> HttpResponse {
    let checks = health.checks().await;
    let is_up = overall(&checks) < Status::Down;
    report(&checks, is_up)
}

fn report(checks: &[Check], is_up: bool) -> HttpResponse {
    let mut answer = if is_up { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.json(Report {
        status: overall(checks),
        checks: checks.iter().map(|check| (check.name.as_str(), check.status)).collect(),
        details: checks.iter().filter_map(detail).collect(),
    })
}

fn detail(check: &Check) -> Option<(&str, &str)> {
    Some((check.name.as_str(), check.detail.as_deref()?))
}

/// What Prometheus reads. One recorder serves the whole process, whoever started it.
async fn prometheus() -> HttpResponse {
    let Some(recorder) = recorder() else {
        return HttpResponse::NotFound().finish();
    };
    recorder.run_upkeep();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(recorder.render())
}

/// Starts counting, unless this process does already; nothing when somebody else counts in it.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    const BUCKETS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
    let start = || {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).ok()?;
        builder.install_recorder().ok()
    };
    RECORDER.get_or_init(start).as_ref()
}

//! A database of its own on the PostgreSQL that `make test` starts, and a name of its own on RabbitMQ and
//! Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::front::Environment;

/// Removed when dropped, but for what lies in broker and cache under a name that nobody else has.
pub struct Servers {
    server: String,
    database: String,
}

impl Servers {
    /// A fresh database.
    pub fn fresh() -> Servers {
        let server = variable("TEST_DATABASE_URL");
        let database = format!("house_{}", uuid::Uuid::now_v7().simple());
        execute(&server, &format!("CREATE DATABASE {database}"));
        Servers { server, database }
    }

    /// What a program needs to use them.
    pub fn environment(&self) -> Environment {
        vec![
            ("DATABASE_URL", self.database_url()),
            ("QUEUE_URL", variable("TEST_AMQP_URL")),
            ("CACHE_URL", redis()),
            ("INSTALLATION", self.database.clone()),
        ]
    }

    /// The one number that a question has for its answer.
    pub fn count(&self, sql: &str) -> i64 {
        count(&mut self.connect(), sql)
    }

    /// Lets everybody read a table and nobody write to it, for as long as the connection lives.
    pub fn held(&self, table: &str) -> PgConnection {
        let mut connection = self.connect();
        let hold = format!("BEGIN; LOCK TABLE {table} IN SHARE MODE");
        connection.batch_execute(&hold).unwrap_or_else(|e| panic!("{hold}: {e}"));
        connection
    }

    /// The name of a program that waits for a table which somebody holds.
    pub fn waiting(&self) -> Option<String> {
        #[derive(QueryableByName)]
        struct Waiting {
            #[diesel(sql_type = Text)]
            application_name: String,
        }
        let waiting = diesel::sql_query(
            "SELECT application_name FROM pg_stat_activity \
             WHERE datname = current_database() AND backend_type = 'client backend' \
             AND wait_event = 'relation'",
        );
        let waiting: Vec<Waiting> =
            waiting.load(&mut self.connect()).expect("the test's PostgreSQL tells who waits");
        waiting.into_iter().map(|one| one.application_name).next()
    }

    fn database_url(&self) -> String {
        let (address, _) = self.server.rsplit_once('/').expect("a database address has a path");
        format!("{address}/{}", self.database)
    }

    fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.database_url()).expect("the test's PostgreSQL answers")
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        execute(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.database));
    }
}

/// Looks again and again how many jobs of a client run at once.
pub struct Watch {
    most: Arc<AtomicI64>,
    over: Arc<AtomicBool>,
    watching: JoinHandle<()>,
}

impl Watch {
    pub fn running_jobs(servers: &Servers) -> Watch {
        const RUNNING: &str = "SELECT coalesce(max(jobs), 0) AS count FROM (SELECT count(*) AS jobs \
                               FROM jobs WHERE status = 'RUNNING' GROUP BY client_id) AS of_client";
        let (most, over) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let (seen, ended) = (most.clone(), over.clone());
        let mut connection = servers.connect();
        let watching = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                seen.fetch_max(count(&mut connection, RUNNING), Ordering::Relaxed);
                std::thread::park_timeout(Duration::from_millis(5));
            }
        });
        Watch { most, over, watching }
    }

    /// The most that were seen, from the start to now.
    pub fn most(self) -> i64 {
        self.over.store(true, Ordering::Relaxed);
        self.watching.join().expect("the watch saw everything");
        self.most.load(Ordering::Relaxed)
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn count(connection: &mut PgConnection, sql: &str) -> i64 {
    let counted = diesel::sql_query(sql).get_result::<Count>(connection);
    counted.unwrap_or_else(|e| panic!("{sql}: {e}")).count
}

fn execute(server: &str, sql: &str) {
    let mut connection = PgConnection::establish(server).expect("the test's PostgreSQL answers");
    connection.batch_execute(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// Where Redis is.
pub fn redis() -> String {
    variable("TEST_REDIS_URL")
}

fn variable(name: &str) -> String {
    option(name)
        .unwrap_or_else(|| panic!("{name} is not set: run make test, or scripts/test-servers"))
}

/// What the tests are told from outside.
#[expect(clippy::disallowed_methods, reason = "tests are told where their servers are")]
pub fn option(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

//! A database of its own on the PostgreSQL that `make test` starts, and names of its own on
//! RabbitMQ and Redis.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::stack::Environment;

/// Removed when dropped.
pub struct Servers {
    server: String,
    database: String,
    queue_url: String,
    cache_url: String,
}

impl Servers {
    /// A fresh database.
    pub fn fresh() -> Servers {
        let server = variable("TEST_DATABASE_URL");
        let database = format!("house_{}", uuid::Uuid::now_v7().simple());
        execute(&server, &format!("CREATE DATABASE {database}"));
        Servers {
            server,
            database,
            queue_url: variable("TEST_AMQP_URL"),
            cache_url: variable("TEST_REDIS_URL"),
        }
    }

    /// What a program needs to use them.
    pub fn environment(&self) -> Environment {
        let (address, _) = self.server.rsplit_once('/').expect("a database address has a path");
        vec![
            ("DATABASE_URL", format!("{address}/{}", self.database)),
            ("QUEUE_URL", self.queue_url.clone()),
            ("CACHE_URL", self.cache_url.clone()),
        ]
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        execute(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.database));
    }
}

fn execute(server: &str, sql: &str) {
    let mut connection = PgConnection::establish(server).expect("the test's PostgreSQL answers");
    connection.batch_execute(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
}

#[expect(clippy::disallowed_methods, reason = "tests are told where their servers are")]
fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run make test, or scripts/test-servers"))
}

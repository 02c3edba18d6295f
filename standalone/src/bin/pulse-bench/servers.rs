//! Servers that were started for us.

use anyhow::Context;

use crate::database::Kind;

/// Where they are.
#[derive(Debug, clap::Args)]
pub struct Servers {
    /// A PostgreSQL server on which databases can be created.
    #[arg(long, env = "TEST_DATABASE_URL")]
    pub postgres: Option<String>,
    /// A RabbitMQ, for what is measured beside PostgreSQL.
    #[arg(long, env = "TEST_AMQP_URL")]
    pub rabbitmq: Option<String>,
    /// A Redis, for what is measured beside PostgreSQL.
    #[arg(long, env = "TEST_REDIS_URL")]
    pub redis: Option<String>,
}

impl Servers {
    /// The queue beside this kind of database.
    pub fn queue(&self, kind: Kind) -> anyhow::Result<&str> {
        match kind {
            Kind::Sqlite => Ok("memory:"),
            Kind::Postgres => self
                .rabbitmq
                .as_deref()
                .context("no RabbitMQ: set TEST_AMQP_URL, or use `scripts/test-servers --durable`"),
        }
    }

    /// The cache beside this kind of database.
    pub fn cache(&self, kind: Kind) -> anyhow::Result<&str> {
        match kind {
            Kind::Sqlite => Ok("memory:"),
            Kind::Postgres => self
                .redis
                .as_deref()
                .context("no Redis: set TEST_REDIS_URL, or use `scripts/test-servers --durable`"),
        }
    }
}

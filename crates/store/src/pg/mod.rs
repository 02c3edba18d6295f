//! The queries, compiled for PostgreSQL.

pub(crate) type Conn = diesel::PgConnection;

pub(crate) mod bulk;
pub(crate) mod dialect;

#[path = "../queries/mod.rs"]
pub(crate) mod queries;

pub(crate) const MIGRATIONS: diesel_migrations::EmbeddedMigrations =
    diesel_migrations::embed_migrations!("migrations/postgres");

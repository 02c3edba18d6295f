//! The queries, compiled for SQLite.

pub(crate) type Conn = diesel::SqliteConnection;

pub(crate) mod bulk;
pub(crate) mod dialect;

#[path = "../queries/mod.rs"]
pub(crate) mod queries;

pub(crate) const MIGRATIONS: diesel_migrations::EmbeddedMigrations =
    diesel_migrations::embed_migrations!("migrations/sqlite");

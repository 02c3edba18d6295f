//! Migrations go down and up again, and every one of them has a way back.

use diesel::connection::SimpleConnection;
use diesel::migration::Migration;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use crate::house::Database;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    tables: i64,
}

fn migrations(database: &str) -> FileBasedMigrations {
    let folder = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
    FileBasedMigrations::from_path(folder).unwrap()
}

/// How many tables there are with everything up, with everything down, and up again.
fn down_and_up<C>(conn: &mut C, database: &str, mut tables: impl FnMut(&mut C) -> i64) -> [i64; 3]
where
    C: MigrationHarness<C::Backend> + Connection,
    FileBasedMigrations: diesel::migration::MigrationSource<C::Backend>,
{
    conn.run_pending_migrations(migrations(database)).unwrap();
    let up = tables(conn);
    conn.revert_all_migrations(migrations(database)).unwrap();
    let down = tables(conn);
    conn.run_pending_migrations(migrations(database)).unwrap();
    [up, down, tables(conn)]
}

#[test]
fn sqlite_goes_down_and_up() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    conn.batch_execute("PRAGMA foreign_keys = ON").unwrap();
    let [up, down, again] = down_and_up(&mut conn, "sqlite", |conn| {
        sql_query(
            "SELECT count(*) AS tables FROM sqlite_master WHERE type = 'table' \
             AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_\\_diesel%' ESCAPE '\\'",
        )
        .get_result::<Count>(conn)
        .unwrap()
        .tables
    });
    assert!(up > 25, "{up} tables");
    assert_eq!((down, again), (0, up));
}

#[test]
fn postgres_goes_down_and_up() {
    let database = Database::new();
    let mut conn = PgConnection::establish(&database.url()).unwrap();
    let [up, down, again] = down_and_up(&mut conn, "postgres", |conn| {
        sql_query(
            "SELECT count(*) AS tables FROM pg_tables WHERE schemaname = 'public' \
             AND tablename NOT LIKE '\\_\\_diesel%'",
        )
        .get_result::<Count>(conn)
        .unwrap()
        .tables
    });
    assert!(up > 25, "{up} tables");
    assert_eq!((down, again), (0, up));
}

#[test]
fn both_databases_have_the_same_migrations() {
    let sqlite: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> =
        diesel::migration::MigrationSource::migrations(&migrations("sqlite")).unwrap();
    let postgres: Vec<Box<dyn Migration<diesel::pg::Pg>>> =
        diesel::migration::MigrationSource::migrations(&migrations("postgres")).unwrap();
    let sqlite: Vec<String> = sqlite.iter().map(|m| m.name().to_string()).collect();
    let postgres: Vec<String> = postgres.iter().map(|m| m.name().to_string()).collect();
    assert_eq!(sqlite, postgres);
}

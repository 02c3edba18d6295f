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

/// A second commitment point, past all rules: where it is refused, and where it is another's.
fn second_commitment<C: Connection>(conn: &mut C, id: impl Fn(u8) -> String) -> [bool; 3] {
    let [client, jira, ours, theirs] = [id(1), id(2), id(3), id(4)];
    let now = if jira.starts_with('x') { "0" } else { "now()" };
    let step = |own: u8, workflow: &str, integration: &str| {
        format!(
            "INSERT INTO workflow_steps (client_id, id, workflow_id, integration_id, name, position, \
             category, waiting, commitment, active, version) VALUES ({client}, {}, {workflow}, \
             {integration}, 'Doing', 1, 'IN_PROGRESS', FALSE, TRUE, TRUE, 1)",
            id(own)
        )
    };
    let ground = [
        format!("INSERT INTO clients VALUES ({client}, 'acme', 'Acme', {now})"),
        format!(
            "INSERT INTO integrations VALUES ({client}, {jira}, 'jira', 'Jira', 'x', NULL, 'x', '[]', \
             TRUE, 'unknown', NULL, NULL, 1, {now}, {now})"
        ),
        format!(
            "INSERT INTO workflows (client_id, id, integration_id, name, active, version) \
             VALUES ({client}, {ours}, NULL, 'a', TRUE, 1), ({client}, {theirs}, {jira}, 'b', TRUE, 1)"
        ),
        step(5, &ours, "NULL"),
    ];
    for sql in ground {
        conn.batch_execute(&sql).unwrap();
    }
    let mut tell = |sql: &str| conn.batch_execute(sql).is_ok();
    [tell(&step(6, &ours, "NULL")), tell(&step(7, &ours, &jira)), tell(&step(8, &theirs, &jira))]
}

#[test]
fn no_database_keeps_a_second_commitment_point_or_a_step_of_another_scope() {
    let mut lite = SqliteConnection::establish(":memory:").unwrap();
    lite.batch_execute("PRAGMA foreign_keys = ON").unwrap();
    lite.run_pending_migrations(migrations("sqlite")).unwrap();
    let blob = |n: u8| format!("x'{n:032x}'");
    assert_eq!(second_commitment(&mut lite, blob), [false, false, true]);

    let database = Database::new();
    let mut server = PgConnection::establish(&database.url()).unwrap();
    server.run_pending_migrations(migrations("postgres")).unwrap();
    let uuid = |n: u8| format!("'{}'", uuid::Uuid::from_u128(n.into()));
    assert_eq!(second_commitment(&mut server, uuid), [false, false, true]);
}

/// Deployments of two sources, each blamed for an incident: how many facts of deployments, of incidents
/// and of blame are left below the migration that tells sources apart, and above it again.
fn facts_below_and_above<C>(
    conn: &mut C,
    database: &str,
    id: impl Fn(u8) -> String,
    mut count: impl FnMut(&mut C, &str) -> i64,
) -> [[i64; 3]; 2]
where
    C: MigrationHarness<C::Backend> + Connection,
    FileBasedMigrations: diesel::migration::MigrationSource<C::Backend>,
{
    conn.run_pending_migrations(migrations(database)).unwrap();
    let (client, jira, github) = (id(1), id(2), id(3));
    let now = if client.starts_with('x') { "0" } else { "now()" };
    let connection = |id: &str, kind: &str| {
        format!(
            "INSERT INTO integrations VALUES ({client}, {id}, '{kind}', '{kind}', 'x', NULL, 'x', \
             '[]', TRUE, 'unknown', NULL, NULL, 1, {now}, {now})"
        )
    };
    let fact = |own: &str, source: &str| {
        format!(
            "INSERT INTO deployment_facts VALUES ({client}, {github}, 1, '{own}', '{source}', \
             'live', 'aa', 'SUCCESS', {now}, {now}, FALSE, 'production', NULL, NULL, FALSE, FALSE, \
             0, 1, {now})"
        )
    };
    let issue = |issue: u8| {
        format!(
            "INSERT INTO issues (client_id, integration_id, external_id, project_id, key, type_id, \
             status_id, summary, labels, sprints, created_at, updated_at, changelog_complete, \
             deleted) VALUES ({client}, {jira}, {issue}, 1, 'P-{issue}', 1, 1, '', '[]', '[]', \
             {now}, {now}, TRUE, FALSE)"
        )
    };
    let incident = |issue: u8, deployment: &str| {
        format!(
            "INSERT INTO incident_facts VALUES ({client}, {jira}, {issue}, {now}, {now}, {github}, \
             1, '{deployment}', 'time_window')"
        )
    };
    let ground = [
        format!("INSERT INTO clients VALUES ({client}, 'acme', 'Acme', {now})"),
        connection(&jira, "jira"),
        connection(&github, "github"),
        format!("INSERT INTO projects VALUES ({client}, {jira}, 1, 'P', 'P', 'x', '[]', TRUE)"),
        format!("INSERT INTO issue_types VALUES ({client}, {jira}, 1, 'Incident', 0, TRUE)"),
        format!("INSERT INTO statuses VALUES ({client}, {jira}, 1, 'Done', 'DONE', TRUE)"),
        format!(
            "INSERT INTO repositories VALUES ({client}, {github}, 1, 'a/b', NULL, FALSE, TRUE)"
        ),
        format!(
            "INSERT INTO deployments VALUES ({client}, {github}, 1, 'd1', 'live', 'aa', 'SUCCESS', \
             {now}, {now}, FALSE)"
        ),
        fact("d1", "deployments"),
        fact("merge:1", "merges"),
        issue(1),
        issue(2),
        incident(1, "d1"),
        incident(2, "merge:1"),
    ];
    for sql in ground {
        conn.batch_execute(&sql).unwrap();
    }
    while conn.revert_last_migration(migrations(database)).unwrap().to_string() != "0007" {}
    let mut counts = |conn: &mut C, deployments: &str| {
        [
            count(conn, &format!("deployment_facts WHERE {deployments}")),
            count(conn, "incident_facts"),
            count(conn, "incident_facts WHERE deployment_id IS NOT NULL AND rule IS NOT NULL"),
        ]
    };
    let below = counts(conn, "environment = 'production' AND finished_at IS NOT NULL");
    conn.run_pending_migrations(migrations(database)).unwrap();
    let whole = "source = 'deployments' AND environment_seen = 'live' AND sha = 'aa' \
         AND environment = 'production' AND finished_at IS NOT NULL AND succeeded_at IS NOT NULL";
    [below, counts(conn, whole)]
}

#[test]
fn facts_of_deployments_survive_the_way_down_and_up() {
    let mut lite = SqliteConnection::establish(":memory:").unwrap();
    lite.batch_execute("PRAGMA foreign_keys = ON").unwrap();
    let rows = |what: &str| sql_query(format!("SELECT count(*) AS tables FROM {what}"));
    let blob = |n: u8| format!("x'{n:032x}'");
    let told = facts_below_and_above(&mut lite, "sqlite", blob, |conn, what| {
        rows(what).get_result::<Count>(conn).unwrap().tables
    });
    // What was merged is no deployment down there, and nobody is to blame for its incident.
    assert_eq!(told, [[1, 2, 1]; 2]);

    let database = Database::new();
    let mut server = PgConnection::establish(&database.url()).unwrap();
    let uuid = |n: u8| format!("'{}'", uuid::Uuid::from_u128(n.into()));
    let told = facts_below_and_above(&mut server, "postgres", uuid, |conn, what| {
        rows(what).get_result::<Count>(conn).unwrap().tables
    });
    assert_eq!(told, [[1, 2, 1]; 2]);
}

/// Facts that were made before a report was made from them: how many are whole after the migration that
/// completes them, and how many clients compute theirs anew.
fn completed_facts<C>(
    conn: &mut C,
    database: &str,
    id: impl Fn(u8) -> String,
    mut count: impl FnMut(&mut C, &str) -> i64,
) -> [i64; 3]
where
    C: MigrationHarness<C::Backend> + Connection,
    FileBasedMigrations: diesel::migration::MigrationSource<C::Backend>,
{
    conn.run_pending_migrations(migrations(database)).unwrap();
    while conn.revert_last_migration(migrations(database)).unwrap().to_string() != "0012" {}
    let (client, other, github) = (id(1), id(4), id(3));
    let now = if client.starts_with('x') { "7" } else { "'2026-01-01'" };
    let pull_request = |number: u8, state: &str, merged: &str, ready: &str| {
        format!(
            "INSERT INTO pull_requests (client_id, integration_id, repository_id, number, \
             external_id, title, state, draft, author_is_bot, created_at, updated_at, merged_at, \
             ready_at, head_ref, base_ref, head_sha, additions, deletions, changed_files) VALUES \
             ({client}, {github}, 1, {number}, {number}, '', '{state}', FALSE, TRUE, {now}, {now}, \
             {merged}, {ready}, 'b', 'main', 'aa', 3, 4, 5)"
        )
    };
    let fact = |number: u8| {
        format!(
            "INSERT INTO pull_request_facts (client_id, integration_id, repository_id, number) \
             VALUES ({client}, {github}, 1, {number})"
        )
    };
    let ground = [
        format!("INSERT INTO clients VALUES ({client}, 'acme', 'Acme', {now})"),
        format!("INSERT INTO clients VALUES ({other}, 'globex', 'Globex', {now})"),
        format!(
            "INSERT INTO integrations VALUES ({client}, {github}, 'github', 'github', 'x', NULL, \
             'x', '[]', TRUE, 'unknown', NULL, NULL, 1, {now}, {now})"
        ),
        format!(
            "INSERT INTO repositories VALUES ({client}, {github}, 1, 'a/b', NULL, FALSE, TRUE)"
        ),
        pull_request(1, "MERGED", now, "NULL"),
        pull_request(2, "OPEN", "NULL", now),
        fact(1),
        fact(2),
        // One has rules of its own, the other never had any.
        format!("INSERT INTO rule_versions VALUES ({client}, 2, 1, 0)"),
        format!("INSERT INTO delivery_states VALUES ({client}, 3, 1), ({other}, 0, 1)"),
    ];
    for sql in ground {
        conn.batch_execute(&sql).unwrap();
    }
    conn.run_pending_migrations(migrations(database)).unwrap();
    let whole =
        format!("author_is_bot AND NOT draft AND opened_at = {now} AND lines = 7 AND files = 5");
    let merged = format!("{whole} AND merged_at = {now} AND NOT is_open");
    let open = format!("{whole} AND merged_at IS NULL AND is_open");
    [
        count(conn, &format!("pull_request_facts WHERE number = 1 AND {merged}")),
        count(conn, &format!("pull_request_facts WHERE number = 2 AND {open}")),
        count(
            conn,
            "delivery_states JOIN rule_versions USING (client_id) \
             WHERE deployments + incidents + posted > revision",
        ),
    ]
}

#[test]
fn facts_of_pull_requests_are_completed_on_the_way_up() {
    let mut lite = SqliteConnection::establish(":memory:").unwrap();
    lite.batch_execute("PRAGMA foreign_keys = ON").unwrap();
    let rows = |what: &str| sql_query(format!("SELECT count(*) AS tables FROM {what}"));
    let blob = |n: u8| format!("x'{n:032x}'");
    let told = completed_facts(&mut lite, "sqlite", blob, |conn, what| {
        rows(what).get_result::<Count>(conn).unwrap().tables
    });
    assert_eq!(told, [1, 1, 2]);

    let database = Database::new();
    let mut server = PgConnection::establish(&database.url()).unwrap();
    let uuid = |n: u8| format!("'{}'", uuid::Uuid::from_u128(n.into()));
    let told = completed_facts(&mut server, "postgres", uuid, |conn, what| {
        rows(what).get_result::<Count>(conn).unwrap().tables
    });
    assert_eq!(told, [1, 1, 2]);
}

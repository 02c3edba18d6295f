//! A fresh database of either kind, and what is in it afterwards.

use anyhow::Context;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::{PgConnection, SqliteConnection, sql_query};
use tempfile::TempDir;

use crate::job::Job;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
        })
    }
}

/// An empty database that goes away in the end.
pub struct Database {
    url: String,
    place: Place,
}

enum Place {
    /// Removed with everything in it.
    Folder(#[expect(dead_code, reason = "its drop is what we want")] TempDir),
    Server {
        url: String,
        name: String,
    },
}

/// When the last task of a step was done, in microseconds since 1970.
#[derive(Debug, Clone, QueryableByName)]
pub struct Span {
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = BigInt)]
    pub ended_us: i64,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Database {
    /// A new one, in a folder of its own or on the server at `postgres`.
    pub fn create(kind: Kind, postgres: Option<&str>) -> anyhow::Result<Database> {
        match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir()?;
                let url = format!("sqlite:{}", folder.path().join("pulse.db").display());
                Ok(Database { url, place: Place::Folder(folder) })
            }
            Kind::Postgres => {
                let server = postgres.context(
                    "no PostgreSQL: set TEST_DATABASE_URL, or use `scripts/test-servers --durable`",
                )?;
                let name = format!("bench_{}", uuid::Uuid::now_v7().simple());
                let mut conn = PgConnection::establish(server)?;
                sql_query(format!("CREATE DATABASE {name}")).execute(&mut conn)?;
                let (before, _) = server.rsplit_once('/').context("the URL names no database")?;
                let url = format!("{before}/{name}");
                Ok(Database { url, place: Place::Server { url: server.to_owned(), name } })
            }
        }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Rows that a job has filled its tables with.
    pub fn rows(&self, job: Job) -> anyhow::Result<u64> {
        let tables = job.tables().iter().map(|table| format!("(SELECT count(*) FROM {table})"));
        self.count(&format!("SELECT {} AS count", tables.collect::<Vec<_>>().join(" + ")))
    }

    /// Entries of histories that are as long as one that a search may have cut off.
    pub fn cut_off_entries(&self) -> anyhow::Result<u64> {
        self.count(
            "SELECT CAST(coalesce(sum(entries), 0) AS BIGINT) AS count FROM \
             (SELECT count(DISTINCT change_id) AS entries FROM issue_changes GROUP BY issue_id) h \
             WHERE entries >= 40 OR entries = 20",
        )
    }

    /// The steps of a job's only run, in order.
    pub fn spans(&self, job: Job) -> anyhow::Result<Vec<Span>> {
        let micros = |column: &str| match self.place {
            Place::Folder(_) => column.to_owned(),
            Place::Server { .. } => format!("(extract(epoch FROM {column}) * 1000000)::int8"),
        };
        self.ask(&format!(
            "SELECT s.name, max({}) AS ended_us \
             FROM tasks t JOIN steps s ON s.run_id = t.run_id AND s.position = t.position \
             JOIN runs r ON r.id = t.run_id WHERE r.job_type = '{}' \
             GROUP BY s.name, s.position ORDER BY s.position",
            micros("t.updated_at"),
            job.name()
        ))
    }

    /// Lets every client have had so many runs, with so many tasks each.
    pub fn age(&self, runs: u32, tasks_each: u32) -> anyhow::Result<()> {
        let (id, now) = match self.place {
            Place::Folder(_) => ("randomblob(16)", "1700000000000000"),
            Place::Server { .. } => ("gen_random_uuid()", "now() - interval '1 day'"),
        };
        let up_to = |count: u32| {
            format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
            )
        };
        self.tell(&format!(
            "INSERT INTO runs (client_id, id, job_type, trigger, attempt, outcome, started_at, \
             finished_at) {} SELECT clients.id, {id}, 'jira_sync', 'manual', 1, 'FINISHED', {now}, \
             {now} FROM clients, n",
            up_to(runs)
        ))?;
        self.tell(
            "INSERT INTO steps (client_id, run_id, position, name, status) \
             SELECT client_id, id, 0, 'issues', 'DONE' FROM runs",
        )?;
        self.tell(&format!(
            "INSERT INTO tasks (client_id, id, run_id, position, kind, topic, scope, state, cursor, \
             input, fence, attempts, crashes, pages, pages_before, rows, requests, begun_at, \
             updated_at) {} SELECT client_id, {id}, id, 0, 'issues', 'jira', '', 'DONE', 'done', \
             '', 1, 0, 0, 1, 0, 1, 1, {now}, {now} FROM runs, n",
            up_to(tasks_each)
        ))
    }

    /// The answer to a question for a `count`.
    pub fn count(&self, question: &str) -> anyhow::Result<u64> {
        let counts: Vec<Count> = self.ask(question)?;
        Ok(counts.iter().map(|count| count.count.unsigned_abs()).sum())
    }

    fn tell(&self, statement: &str) -> anyhow::Result<()> {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path)?;
                sql_query("PRAGMA busy_timeout = 10000").execute(&mut conn)?;
                sql_query(statement).execute(&mut conn)?;
            }
            None => {
                sql_query(statement).execute(&mut PgConnection::establish(&self.url)?)?;
            }
        }
        Ok(())
    }

    fn ask<T>(&self, question: &str) -> anyhow::Result<Vec<T>>
    where
        T: QueryableByName<diesel::pg::Pg> + QueryableByName<diesel::sqlite::Sqlite> + 'static,
    {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path)?;
                sql_query("PRAGMA busy_timeout = 10000").execute(&mut conn)?;
                Ok(sql_query(question).load(&mut conn)?)
            }
            None => Ok(sql_query(question).load(&mut PgConnection::establish(&self.url)?)?),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Place::Server { url, name } = &self.place else { return };
        let dropped =
            PgConnection::establish(url).map_err(anyhow::Error::from).and_then(|mut c| {
                Ok(sql_query(format!("DROP DATABASE {name} WITH (FORCE)")).execute(&mut c)?)
            });
        if let Err(error) = dropped {
            eprintln!("pulse-bench: the database {name} is left behind: {error:#}");
        }
    }
}

//! How fast the store takes many rows at once, beside a plain COPY of the very same rows into the very
//! same table.

use std::io::{Read, Write};
use std::time::Instant;

use anyhow::ensure;
use chrono::{TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::{PgConnection, sql_query};
use domain::Moment;
use domain::facts::Facts as Page;
use domain::issue::Issue;
use domain::project::{IssueType, Project, Status, StatusCategory};
use domain::work::{Counts, SourceKind};
use store::facts::{Held, PageMark};
use store::{Db, Facts, Work};

use crate::database::{Database, Kind};
use crate::{client, goals, table};

/// Rows to write.
const ISSUES: usize = 200_000;
const ISSUES_QUICK: usize = 4_000;
/// Rows per transaction of the store.
const PAGE: usize = 10_000;
const PROJECT: i64 = 10_001;

/// Measures it `runs` times and says how it went.
pub async fn measure(postgres: Option<&str>, runs: usize, quick: bool) -> anyhow::Result<String> {
    let issues = if quick { ISSUES_QUICK } else { ISSUES };
    let database = Database::create(Kind::Postgres, postgres)?;
    let desk = Desk::open(&database).await?;
    let mut server = PgConnection::establish(database.url())?;
    let (mut upserts, mut copies) = (Vec::with_capacity(runs), Vec::with_capacity(runs));
    for run in 1..=runs {
        empty(&mut server)?;
        let upsert_s = desk.upsert(issues).await?;
        let csv = rows_as_csv(&mut server)?;
        empty(&mut server)?;
        let copy_s = copy(&mut server, &csv, issues)?;
        eprintln!("bulk, run {run} of {runs}: store {upsert_s:.2} s, COPY {copy_s:.2} s");
        upserts.push(upsert_s);
        copies.push(copy_s);
    }
    let (upsert_s, copy_s) = (table::median(upserts), table::median(copies));
    let share = copy_s / upsert_s;
    Ok(format!(
        "\n{issues} issues into PostgreSQL (median of {runs})\n\n\
         store {upsert_s:.2} s ({:.0} rows/s), COPY {copy_s:.2} s ({:.0} rows/s), \
         speed of the store by that of COPY {} (goal >={})\n",
        issues as f64 / upsert_s,
        issues as f64 / copy_s,
        table::marked(format!("{share:.2}"), share >= goals::BULK_SHARE),
        goals::BULK_SHARE,
    ))
}

/// A client with a connection and a task that may write.
struct Desk {
    facts: Facts,
    held: Held,
}

impl Desk {
    async fn open(database: &Database) -> anyhow::Result<Desk> {
        let db = Db::open(database.url(), 2).await?;
        let work = Work::new(db.clone(), |_| Vec::new());
        let (client, connections) =
            client::add(&db, &work, "bench", &[SourceKind::Jira], Utc::now()).await?;
        let fence = client::lease(&work, client).await?;
        let held = Held { client, integration: connections[0], run: None, fence };
        Ok(Desk { facts: Facts::new(db), held })
    }

    /// Seconds that the store takes for so many issues, page after page.
    async fn upsert(&self, issues: usize) -> anyhow::Result<f64> {
        let project = Page { projects: vec![project()], ..Page::default() };
        self.keep(project).await?;
        let ids: Vec<usize> = (0..issues).collect();
        let pages = ids.chunks(PAGE).map(|ids| Page {
            issues: ids.iter().copied().map(issue).collect(),
            ..Page::default()
        });
        let pages: Vec<Page> = pages.collect();
        let begun = Instant::now();
        let mut written = 0;
        for page in pages {
            written += self.keep(page).await?;
        }
        let seconds = begun.elapsed().as_secs_f64();
        ensure!(written >= issues as u64, "only {written} of {issues} rows were written");
        Ok(seconds)
    }

    async fn keep(&self, page: Page) -> anyhow::Result<u64> {
        let after = PageMark {
            from: String::new(),
            cursor: String::new(),
            is_last: false,
            counts: Counts { rows: page.rows() as u64, requests: 0 },
            gaps: Vec::new(),
            source_time: None,
            now: Utc::now(),
        };
        Ok(self.facts.keep_page(&self.held, page, &after).await?.written)
    }
}

fn project() -> Project {
    Project {
        external_id: PROJECT,
        key: "PAY".to_owned(),
        name: "Payments".to_owned(),
        kind: "software".to_owned(),
        former_keys: Vec::new(),
    }
}

fn issue(number: usize) -> Issue {
    let at = Moment::UNIX_EPOCH + TimeDelta::days(19_000) + TimeDelta::minutes(number as i64);
    let number = number as i64;
    Issue {
        external_id: 20_000 + number,
        project_id: PROJECT,
        key: format!("PAY-{number}"),
        issue_type: IssueType {
            external_id: 1 + number % 5,
            name: format!("Type {}", number % 5),
            hierarchy_level: 0,
        },
        status: Status {
            external_id: 1 + number % 7,
            name: format!("Status {}", number % 7),
            category: StatusCategory::InProgress,
        },
        summary: format!(
            "Retry the capture of card payments number {number} when the bank is away"
        ),
        priority: Some("Medium".to_owned()),
        assignee: Some(format!("Person {}", number % 120)),
        creator: Some(format!("Person {}", number % 97)),
        parent_id: None,
        parent_key: None,
        labels: vec!["backend".to_owned(), "payments".to_owned()],
        components: vec!["Payments API".to_owned()],
        moments: Vec::new(),
        mentions: Vec::new(),
        story_points: Some(3.0),
        sprints: vec![format!("Sprint {}", number % 40)],
        created_at: at,
        updated_at: at + TimeDelta::days(3),
        resolved_at: None,
        changelog_complete: true,
    }
}

/// Empties the tables and lets the server finish what it put off, so that neither side pays for it.
fn empty(server: &mut PgConnection) -> anyhow::Result<()> {
    server.batch_execute("TRUNCATE issues CASCADE")?;
    server.batch_execute("VACUUM ANALYZE issues")?;
    server.batch_execute("CHECKPOINT")?;
    Ok(())
}

diesel::table! {
    // CSV is read by the types of the table's own columns; these only give their names.
    issues (client_id, integration_id, external_id) {
        client_id -> Text,
        integration_id -> Text,
        external_id -> Text,
        project_id -> Text,
        key -> Text,
        type_id -> Text,
        status_id -> Text,
        summary -> Text,
        priority -> Text,
        assignee -> Text,
        creator -> Text,
        parent_id -> Text,
        parent_key -> Text,
        labels -> Text,
        components -> Text,
        moments -> Text,
        mentions -> Text,
        story_points -> Text,
        sprints -> Text,
        created_at -> Text,
        updated_at -> Text,
        resolved_at -> Text,
        changelog_complete -> Text,
        deleted -> Text,
    }
}

fn rows_as_csv(server: &mut PgConnection) -> anyhow::Result<Vec<u8>> {
    let mut csv = Vec::new();
    diesel::copy_to(issues::table)
        .with_format(diesel::pg::CopyFormat::Csv)
        .load_raw(server)?
        .read_to_end(&mut csv)?;
    Ok(csv)
}

/// Seconds that PostgreSQL takes for a COPY of these rows.
fn copy(server: &mut PgConnection, csv: &[u8], issues: usize) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let send = |out: &mut dyn Write| {
        out.write_all(csv).map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))
    };
    let copied = diesel::copy_from(issues::table)
        .from_raw_data(issues::table, send)
        .with_format(diesel::pg::CopyFormat::Csv)
        .execute(server)?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(copied == issues, "COPY took {copied} of {issues} rows");
    sql_query("ANALYZE issues").execute(server)?;
    Ok(seconds)
}

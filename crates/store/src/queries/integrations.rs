//! Queries on `integrations`.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use super::super::Conn;
use super::super::dialect::locked;
use super::changes::note_for_all;
use super::work::runs::OPEN;
use crate::Error;
use crate::models::IntegrationRow;
use crate::schema::{integrations, projects, repositories, tasks, watermarks};
use crate::types::Id;

pub(crate) fn add(conn: &mut Conn, row: &IntegrationRow) -> Result<(), Error> {
    diesel::insert_into(integrations::table).values(row).execute(conn).map_err(name_taken)?;
    Ok(())
}

pub(crate) fn replace(conn: &mut Conn, row: &IntegrationRow) -> Result<(), Error> {
    // Until this is over nobody can plan a task for it: a task hangs on its connection.
    let stored = integrations::table.find((row.client_id, row.id));
    let before: Option<(String, bool)> =
        locked!(stored.select((integrations::base_url, integrations::active)))
            .first(conn)
            .optional()?;
    if before.as_ref().is_some_and(|(address, _)| *address != row.base_url) {
        must_be_unread(conn, row.client_id, row.id)?;
    }
    let same = integrations::table
        .filter(integrations::client_id.eq(row.client_id))
        .filter(integrations::id.eq(row.id))
        .filter(integrations::version.eq(row.version));
    let changed = diesel::update(same)
        .set(&IntegrationRow { version: row.version + 1, ..row.clone() })
        .execute(conn)
        .map_err(name_taken)?;
    if changed == 0 {
        return Err(Error::Conflict { noun: "integration" });
    }
    if before.is_some_and(|(_, active)| active != row.active) {
        note_for_all(conn, row.client_id)?;
    }
    Ok(())
}

/// Whatever is read, projects or repositories come first.
fn must_be_unread(conn: &mut Conn, client: Id, id: Id) -> Result<(), Error> {
    let open = tasks::table
        .filter(tasks::client_id.eq(client))
        .filter(tasks::integration_id.eq(id))
        .filter(tasks::state.eq_any(OPEN));
    let projects = projects::table
        .filter(projects::client_id.eq(client))
        .filter(projects::integration_id.eq(id));
    let repositories = repositories::table
        .filter(repositories::client_id.eq(client))
        .filter(repositories::integration_id.eq(id));
    let read_to = watermarks::table
        .filter(watermarks::client_id.eq(client))
        .filter(watermarks::integration_id.eq(id));
    let was_read = exists(projects).or(exists(repositories)).or(exists(read_to));
    if diesel::select(was_read).get_result(conn)? {
        return Err(Error::ReadAlready);
    }
    if diesel::select(exists(open)).get_result(conn)? {
        return Err(Error::BeingRead);
    }
    Ok(())
}

pub(crate) fn of_client(conn: &mut Conn, client: Id) -> QueryResult<Vec<IntegrationRow>> {
    integrations::table
        .filter(integrations::client_id.eq(client))
        .order(integrations::id)
        .select(IntegrationRow::as_select())
        .load(conn)
}

pub(crate) fn get(conn: &mut Conn, client: Id, id: Id) -> QueryResult<Option<IntegrationRow>> {
    integrations::table
        .find((client, id))
        .select(IntegrationRow::as_select())
        .first(conn)
        .optional()
}

fn name_taken(error: Diesel) -> Error {
    match error {
        Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
            Error::Duplicate { noun: "integration" }
        }
        other => Error::Query(other),
    }
}

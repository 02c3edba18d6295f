//! Queries on `integrations`.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Diesel};

use super::super::Conn;
use crate::Error;
use crate::models::IntegrationRow;
use crate::schema::integrations;
use crate::types::Id;

pub(crate) fn add(conn: &mut Conn, row: &IntegrationRow) -> Result<(), Error> {
    diesel::insert_into(integrations::table).values(row).execute(conn).map_err(name_taken)?;
    Ok(())
}

pub(crate) fn replace(conn: &mut Conn, row: &IntegrationRow) -> Result<(), Error> {
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

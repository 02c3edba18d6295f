//! Queries on `clients`.

use diesel::prelude::*;

use super::super::Conn;
use crate::models::ClientRow;
use crate::schema::clients;

pub(crate) fn ensure(conn: &mut Conn, row: &ClientRow) -> QueryResult<ClientRow> {
    diesel::insert_into(clients::table)
        .values(row)
        .on_conflict(clients::external_id)
        .do_update()
        .set(clients::name.eq(&row.name))
        .returning(ClientRow::as_returning())
        .get_result(conn)
}

pub(crate) fn find(conn: &mut Conn, external_id: &str) -> QueryResult<Option<ClientRow>> {
    clients::table
        .filter(clients::external_id.eq(external_id))
        .select(ClientRow::as_select())
        .first(conn)
        .optional()
}

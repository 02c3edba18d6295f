//! Clients who changed something that their numbers must follow. The ring for the metrics workers is
//! written with the change.

use diesel::dsl::exists;
use diesel::prelude::*;
use domain::ids::ClientId;
use domain::work::Topic;

use super::super::Conn;
use super::rules::{self, revision};
use super::workflows;
use crate::schema::{delivery_states, flow_states, outbox, rule_versions, workflow_revisions};
use crate::types::Id;

/// Within the transaction of whoever changes something.
pub(crate) fn note(conn: &mut Conn, client: Id) -> QueryResult<()> {
    diesel::insert_into(outbox::table)
        .values((outbox::client_id.eq(client), outbox::topic.eq(Topic::Changes.as_str())))
        .execute(conn)?;
    Ok(())
}

/// Within the transaction of whoever changes something on which all numbers lean: whether a connection
/// counts, or where days begin.
pub(crate) fn note_for_all(conn: &mut Conn, client: Id) -> QueryResult<()> {
    workflows::grow(conn, client)?;
    rules::grow(conn, client)?;
    note(conn, client)
}

/// Within the transaction that ends a run, for what had to wait for its end.
pub(crate) fn note_if_behind(conn: &mut Conn, client: Id) -> QueryResult<()> {
    if rules_are_ahead(conn, client)? || workflows_are_ahead(conn, client)? {
        note(conn, client)?;
    }
    Ok(())
}

/// Clients whose rules changed since their delivery was computed.
macro_rules! ahead_in_rules {
    () => {
        rule_versions::table
            .inner_join(
                delivery_states::table.on(delivery_states::client_id.eq(rule_versions::client_id)),
            )
            .filter(revision!().gt(delivery_states::revision))
    };
}

/// Clients whose workflows changed since their flow was computed.
macro_rules! ahead_in_workflows {
    () => {
        workflow_revisions::table
            .inner_join(
                flow_states::table.on(flow_states::client_id.eq(workflow_revisions::client_id)),
            )
            .filter(workflow_revisions::revision.gt(flow_states::revision))
    };
}

pub(crate) fn rules_are_ahead(conn: &mut Conn, client: Id) -> QueryResult<bool> {
    let ahead = ahead_in_rules!().filter(rule_versions::client_id.eq(client));
    diesel::select(exists(ahead)).get_result(conn)
}

pub(crate) fn workflows_are_ahead(conn: &mut Conn, client: Id) -> QueryResult<bool> {
    let ahead = ahead_in_workflows!().filter(workflow_revisions::client_id.eq(client));
    diesel::select(exists(ahead)).get_result(conn)
}

pub(crate) fn clients_with_changed_rules(conn: &mut Conn) -> QueryResult<Vec<ClientId>> {
    let changed: Vec<Id> = ahead_in_rules!().select(rule_versions::client_id).load(conn)?;
    Ok(changed.into_iter().map(ClientId::from).collect())
}

pub(crate) fn clients_with_changed_workflows(conn: &mut Conn) -> QueryResult<Vec<ClientId>> {
    let changed: Vec<Id> =
        ahead_in_workflows!().select(workflow_revisions::client_id).load(conn)?;
    Ok(changed.into_iter().map(ClientId::from).collect())
}

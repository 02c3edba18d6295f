//! How many issues a part of the workflows touches.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::super::super::Conn;
use crate::schema::{incident_facts, issue_changes, issue_types, issues, projects, statuses};
use crate::types::Id;
use crate::workflows::Through;

/// Live issues of these types, of active projects.
macro_rules! of_types {
    ($client:expr, $through:expr) => {{
        let (client, integration) = ($client, Id::from($through.integration));
        let of_type = issue_types::table
            .filter(issue_types::client_id.eq(client))
            .filter(issue_types::integration_id.eq(integration))
            .filter(issue_types::name.eq_any(&$through.issue_types))
            .select(issue_types::external_id);
        let active = projects::table
            .filter(projects::client_id.eq(client))
            .filter(projects::integration_id.eq(integration))
            .filter(projects::active.eq(true))
            .select(projects::external_id);
        issues::table
            .filter(issues::client_id.eq(client))
            .filter(issues::integration_id.eq(integration))
            .filter(issues::deleted.eq(false))
            .filter(issues::type_id.eq_any(of_type))
            .filter(issues::project_id.eq_any(active))
    }};
}

/// The ids of the statuses with these names.
macro_rules! of_names {
    ($client:expr, $through:expr) => {
        statuses::table
            .filter(statuses::client_id.eq($client))
            .filter(statuses::integration_id.eq(Id::from($through.integration)))
            .filter(statuses::name.eq_any(&$through.statuses))
            .select(statuses::external_id)
    };
}

/// Issues that left one of the statuses and stand in none of them.
pub(crate) fn passed(conn: &mut Conn, client: Id, through: &[Through]) -> QueryResult<u64> {
    let mut passed = 0;
    for part in through {
        let left = issue_changes::table
            .filter(issue_changes::client_id.eq(issues::client_id))
            .filter(issue_changes::integration_id.eq(issues::integration_id))
            .filter(issue_changes::issue_id.eq(issues::external_id))
            .filter(issue_changes::field.eq("status"))
            .filter(issue_changes::from_string.eq_any(&part.statuses));
        let count: i64 = of_types!(client, part)
            .filter(issues::status_id.ne_all(of_names!(client, part)))
            .filter(exists(left))
            .count()
            .get_result(conn)?;
        passed += count.unsigned_abs();
    }
    Ok(passed)
}

/// Incidents that stand in one of the statuses.
pub(crate) fn incidents(conn: &mut Conn, client: Id, through: &[Through]) -> QueryResult<u64> {
    let mut incidents = 0;
    for part in through {
        let incident = incident_facts::table
            .filter(incident_facts::client_id.eq(issues::client_id))
            .filter(incident_facts::integration_id.eq(issues::integration_id))
            .filter(incident_facts::issue_id.eq(issues::external_id));
        let count: i64 = of_types!(client, part)
            .filter(issues::status_id.eq_any(of_names!(client, part)))
            .filter(exists(incident))
            .count()
            .get_result(conn)?;
        incidents += count.unsigned_abs();
    }
    Ok(incidents)
}

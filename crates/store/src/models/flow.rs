//! Rows of what we make of the history of issues.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text};

use crate::fact_table::fact_rows;
use crate::types::{Id, Json, JsonDoc, Ts, Tstz, Uid};

fact_rows! {
    /// An issue on its way.
    IssueFactRow of "issue_facts", staged in staged_issue_facts {
        key {
            issue_id: i64 as BigInt,
        }
        rest {
            step_id: Option<Id> as Nullable<Uid>,
            step: Option<String> as Nullable<Text>,
            category: Option<String> as Nullable<Text>,
            reason: Option<String> as Nullable<Text>,
            entered_at: Ts as Tstz,
            committed_at: Option<Ts> as Nullable<Tstz>,
            started_at: Option<Ts> as Nullable<Tstz>,
            lead_seconds: Option<f64> as Nullable<Double>,
            cycle_seconds: Option<f64> as Nullable<Double>,
            active_seconds: Option<f64> as Nullable<Double>,
            rework: i32 as Integer,
            steps: Json as JsonDoc,
            moves: String as Text,
        }
    }

    /// A day of a step.
    FlowDayRow of "flow_days", staged in staged_flow_days {
        key {
            project_id: i64 as BigInt,
            day: i32 as Integer,
            step_id: Id as Uid,
        }
        rest {
            entered: i64 as BigInt,
            gone: i64 as BigInt,
        }
    }
}

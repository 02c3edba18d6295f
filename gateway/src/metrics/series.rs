//! The series of reports: what each bucket of a window amounts to, as JSON and as a table.

use proto::v1::Point;
use serde::Serialize;
use utoipa::ToSchema;

use crate::lists::Fields;
use crate::lists::cell::Cell;

/// A point whose values the report names.
macro_rules! named_points {
    ($($point:ident { $($value:ident),+ $(,)? })+) => {$(
        #[derive(Serialize, ToSchema)]
        pub(super) struct $point {
            start: String,
            $($value: Option<f64>),+
        }

        impl From<Point> for $point {
            fn from(point: Point) -> $point {
                $(let $value = point.values.get(stringify!($value)).copied();)+
                $point { start: point.start, $($value),+ }
            }
        }

        impl Fields for $point {
            const FIELDS: &'static [&'static str] = &["start", $(stringify!($value)),+];

            fn cells(&self) -> Vec<Cell<'_>> {
                vec![Cell::from(&self.start), $(Cell::from(&self.$value)),+]
            }
        }
    )+};
}

named_points! {
    FlowPoint {
        throughput,
        wip,
        lead_time_p50,
        lead_time_p85,
        cycle_time_p50,
        cycle_time_p85,
    }
    PullRequestsPoint {
        merged,
        coding_time_p50,
        pickup_time_p50,
        review_time_p50,
        deploy_time_p50,
        time_to_merge_p50,
        time_to_merge_p85,
        size_p50,
        merged_without_review,
        reverted,
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct SeriesPoint {
    start: String,
    deployments: u64,
    deployment_days: u64,
    lead_time_seconds: Option<f64>,
    change_failure_rate: Option<f64>,
    recovery_seconds: Option<f64>,
    restore_seconds: Option<f64>,
}

impl From<Point> for SeriesPoint {
    fn from(point: Point) -> SeriesPoint {
        SeriesPoint {
            start: point.start,
            deployments: point.deployments,
            deployment_days: point.deployment_days,
            lead_time_seconds: point.lead_time_seconds,
            change_failure_rate: point.change_failure_rate,
            recovery_seconds: point.recovery_seconds,
            restore_seconds: point.restore_seconds,
        }
    }
}

impl Fields for SeriesPoint {
    const FIELDS: &'static [&'static str] = &[
        "start",
        "deployments",
        "deployment_days",
        "lead_time_seconds",
        "change_failure_rate",
        "recovery_seconds",
        "restore_seconds",
    ];

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            Cell::from(&self.start),
            Cell::from(&self.deployments),
            Cell::from(&self.deployment_days),
            Cell::from(&self.lead_time_seconds),
            Cell::from(&self.change_failure_rate),
            Cell::from(&self.recovery_seconds),
            Cell::from(&self.restore_seconds),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// JSON and tables have the same fields in the same order.
    fn expect_alike<P: Fields + From<Point> + Serialize>() {
        let point = Point {
            start: "2026-03-02".to_owned(),
            deployments: 3,
            change_failure_rate: Some(0.25),
            values: [("merged".to_owned(), 2.0), ("wip".to_owned(), 4.5)].into(),
            ..Point::default()
        };
        let point = P::from(point);
        let table: Vec<String> = P::FIELDS
            .iter()
            .zip(point.cells())
            .map(|(field, cell)| format!("\"{field}\":{}", serde_json::to_string(&cell).unwrap()))
            .collect();
        let json = serde_json::to_string(&point).unwrap();
        assert_eq!(json, format!("{{{}}}", table.join(",")));
    }

    #[test]
    fn a_point_is_the_same_as_json_and_in_a_table() {
        expect_alike::<SeriesPoint>();
        expect_alike::<FlowPoint>();
        expect_alike::<PullRequestsPoint>();
    }
}

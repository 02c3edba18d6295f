//! How the numbers of a report are compared with those that the company works out itself.

use std::collections::BTreeMap;

use serde_json::Value;
use simulator::flow::Spread;

/// The metric of this name.
pub fn metric<'a>(report: &'a Value, name: &str) -> &'a Value {
    let metrics = report["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name).unwrap()
}

/// Moments are whole milliseconds; what differs by less came from halving and from reading numbers.
pub fn is_same(told: &Value, expected: Option<f64>) -> bool {
    match (told.as_f64(), expected) {
        (Some(told), Some(expected)) => (told - expected).abs() < 1e-6,
        (None, None) => told.is_null(),
        _ => false,
    }
}

/// Expects fields to have these values, or none.
pub fn expect_values(when: &str, row: &Value, values: &[(&str, Option<f64>)]) {
    for (field, expected) in values {
        assert!(
            is_same(&row[field], *expected),
            "{when}: {field} is {expected:?} in truth: {row:#}"
        );
    }
}

/// Expects a metric to be about these values.
pub fn expect_spread(when: &str, metric: &Value, spread: &Spread) {
    assert_eq!(metric["counted"], spread.count, "{when}: {metric:#}");
    expect_values(when, metric, &[("value", spread.middle)]);
    expect_values(when, &metric["details"], &[("p85", spread.p85), ("p95", spread.p95)]);
}

/// Expects a metric to leave out these, and nothing else.
pub fn expect_left_out<'r>(
    when: &str,
    metric: &Value,
    reasons: impl IntoIterator<Item = (&'r str, usize)>,
) {
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for (reason, count) in reasons.into_iter().filter(|(_, count)| *count > 0) {
        *expected.entry(reason.to_owned()).or_default() += count as u64;
    }
    let told = metric["excluded"].as_array().unwrap().iter();
    let told: BTreeMap<String, u64> = told
        .map(|row| (row["reason"].as_str().unwrap().to_owned(), row["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, expected, "{when}: {metric:#}");
}

/// Expects a number that grew from one moment to another while somebody asked.
pub fn expect_grown(when: &str, told: &Value, before: Option<f64>, after: Option<f64>) {
    let is_between = match (told.as_f64(), before, after) {
        (Some(told), Some(before), Some(after)) => before - 1e-3 <= told && told <= after + 1e-3,
        (None, None, None) => true,
        _ => false,
    };
    assert!(is_between, "{when}: {told} lies between {before:?} and {after:?} in truth");
}

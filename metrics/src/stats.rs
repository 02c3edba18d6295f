//! Percentiles, in the two kinds that reports use.

/// The linear-interpolated median. `values` may be in any order.
pub fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        return Some(values[middle]);
    }
    Some(f64::midpoint(values[middle - 1], values[middle]))
}

/// The nearest-rank percentile: the element at ⌈p·n⌉, counted from 1. `values` may be in any order.
pub fn nearest_rank(values: &mut [f64], p: f64) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    Some(values[rank(values.len(), p)])
}

/// Where the nearest-rank percentile is among `count` sorted values, counted from 0.
pub fn rank(count: usize, p: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank lies between 0 and the number of values"
    )]
    let rank = (p * count as f64).ceil() as usize;
    rank.clamp(1, count.max(1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_the_middle() {
        let cases: &[(&[f64], Option<f64>)] = &[
            (&[], None),
            (&[5.0], Some(5.0)),
            (&[3.0, 1.0], Some(2.0)),
            (&[9.0, 1.0, 4.0], Some(4.0)),
            (&[4.0, 1.0, 3.0, 2.0], Some(2.5)),
        ];
        for (values, expected) in cases {
            assert_eq!(median(&mut values.to_vec()), *expected, "{values:?}");
        }
    }

    #[test]
    fn the_nearest_rank_is_an_element() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        let cases = [
            (0.5, Some(5.0)),
            (0.85, Some(9.0)),
            (0.95, Some(10.0)),
            (1.0, Some(10.0)),
            (0.0, Some(1.0)),
        ];
        for (p, expected) in cases {
            assert_eq!(nearest_rank(&mut ten.clone(), p), expected, "p{p}");
        }
        assert_eq!(nearest_rank(&mut [], 0.5), None);
    }
}

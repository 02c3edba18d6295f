//! Rows in the order of their groups, and of time within each: those of a window are one stretch of each
//! group.

use domain::Moment;

use super::ranked::{Ranked, Stretch, length};

/// When each row was, group by group.
#[derive(Debug, Default)]
pub struct Timeline {
    /// Where each group ends.
    ends: Vec<u32>,
    /// Microseconds since 1970.
    at: Vec<i64>,
}

impl Timeline {
    /// Of rows that are in order: of their groups, which are numbers below `groups`, and of time.
    pub fn new(groups: usize, rows: impl Iterator<Item = (usize, i64)>) -> Timeline {
        let mut timeline = Timeline { ends: vec![0; groups], at: Vec::new() };
        for (group, at) in rows {
            timeline.at.push(at);
            timeline.ends[group] += 1;
        }
        let mut end = 0;
        for count in &mut timeline.ends {
            end += *count;
            *count = end;
        }
        timeline.at.shrink_to_fit();
        timeline
    }

    /// The rows of these groups from `from` until before `to`.
    pub fn within(&self, groups: &[usize], from: i64, to: i64) -> Vec<Stretch> {
        let stretches = groups.iter().map(|group| {
            let start = if *group == 0 { 0 } else { self.ends[group - 1] };
            let rows = &self.at[start as usize..self.ends[*group] as usize];
            let before = |end| rows.partition_point(|at| *at < end);
            start + small(before(from))..start + small(before(to))
        });
        stretches.filter(|stretch| !stretch.is_empty()).collect()
    }

    /// The group of a row.
    pub fn group(&self, row: u32) -> usize {
        self.ends.partition_point(|end| *end <= row)
    }

    /// The same rows in the order of time.
    pub fn by_time(&self, stretches: &[Stretch]) -> Vec<u32> {
        let mut rows: Vec<u32> = stretches.iter().flat_map(Clone::clone).collect();
        rows.sort_by_key(|row| self.at[*row as usize]);
        rows
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.ends) + size_of_val(&*self.at)
    }
}

/// A number that some of the rows have.
#[derive(Debug, Default)]
pub struct Measure {
    /// The rows that have it; nothing where all do.
    rows: Option<Vec<u32>>,
    ranked: Ranked,
}

impl Measure {
    /// Of all rows in their order.
    pub fn new(values: impl Iterator<Item = Option<f64>>) -> Measure {
        let (mut known, mut count) = (Vec::new(), 0);
        for value in values {
            known.extend(value.map(|value| (small(count), value)));
            count += 1;
        }
        Measure::sparse(count, known)
    }

    /// Of `count` rows, those that have it, in their order.
    pub fn sparse(count: usize, known: Vec<(u32, f64)>) -> Measure {
        let values: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
        let some = (known.len() != count).then(|| known.iter().map(|(row, _)| *row).collect());
        Measure { rows: some, ranked: Ranked::new(&values) }
    }

    /// What is known in these stretches of rows.
    pub fn within(&self, stretches: &[Stretch]) -> Known<'_> {
        let Some(rows) = &self.rows else {
            return Known { measure: self, stretches: stretches.to_vec() };
        };
        let place = |row: u32| small(rows.partition_point(|other| *other < row));
        let known = stretches.iter().map(|stretch| place(stretch.start)..place(stretch.end));
        let stretches = known.filter(|stretch| !stretch.is_empty()).collect();
        Known { measure: self, stretches }
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        self.rows.as_ref().map_or(0, |rows| size_of_val(&**rows)) + self.ranked.bytes()
    }
}

/// Numbers of those rows of some stretches that have one.
pub struct Known<'a> {
    measure: &'a Measure,
    stretches: Vec<Stretch>,
}

impl Known<'_> {
    /// How many there are.
    pub fn count(&self) -> usize {
        length(&self.stretches) as usize
    }

    /// The linear-interpolated median.
    pub fn median(&self) -> Option<f64> {
        self.measure.ranked.median(&self.stretches)
    }

    /// The nearest-rank percentile.
    pub fn nearest_rank(&self, p: f64) -> Option<f64> {
        self.measure.ranked.nearest_rank(&self.stretches, p)
    }

    /// The one at `rank` from the lowest, counted from 0.
    pub fn at(&self, rank: usize) -> Option<f64> {
        self.measure.ranked.at(&self.stretches, u32::try_from(rank).ok()?)
    }

    /// The rows themselves.
    pub fn rows(&self) -> Vec<Stretch> {
        match &self.measure.rows {
            None => self.stretches.clone(),
            Some(rows) => {
                let all =
                    self.stretches.iter().flat_map(|s| &rows[s.start as usize..s.end as usize]);
                all.map(|row| *row..row + 1).collect()
            }
        }
    }
}

/// A moment as rows hold it. Rows know no less than microseconds, so the first at or after `moment` is
/// meant.
pub fn micros(moment: Moment) -> i64 {
    let whole = moment.timestamp_micros();
    whole + i64::from(!moment.timestamp_subsec_nanos().is_multiple_of(1_000))
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("fewer than 2^32 rows")
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "what is looked at may be one stretch")]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_stretch_of_each_group() {
        let timeline = Timeline::new(3, [(0, 10), (0, 20), (0, 20), (2, 5), (2, 15)].into_iter());
        let cases: [(&[usize], i64, i64, &[Stretch]); 5] = [
            (&[0, 1, 2], 0, 99, &[0..3, 3..5]),
            (&[0], 10, 20, &[0..1]),
            (&[0, 2], 15, 21, &[1..3, 4..5]),
            (&[1], 0, 99, &[]),
            (&[2], 16, 99, &[]),
        ];
        for (groups, from, to, expected) in cases {
            assert_eq!(timeline.within(groups, from, to), expected, "{groups:?} {from}..{to}");
        }
        assert_eq!(timeline.by_time(&[0..3, 3..5]), [3, 0, 4, 1, 2]);
        assert_eq!([0, 2, 3, 4].map(|row| timeline.group(row)), [0, 0, 2, 2]);
    }

    #[test]
    fn rows_without_a_number_are_none_of_it() {
        let measure = Measure::new([None, Some(7.0), None, Some(3.0), Some(5.0)].into_iter());
        let cases: [(Stretch, usize, Option<f64>, &[Stretch]); 4] = [
            (0..5, 3, Some(5.0), &[1..2, 3..4, 4..5]),
            (0..1, 0, None, &[]),
            (2..4, 1, Some(3.0), &[3..4]),
            (1..4, 2, Some(5.0), &[1..2, 3..4]),
        ];
        for (stretch, count, median, rows) in cases {
            let known = measure.within(std::slice::from_ref(&stretch));
            assert_eq!((known.count(), known.median()), (count, median), "{stretch:?}");
            assert_eq!(known.rows(), rows, "{stretch:?}");
        }
        let all = Measure::new([Some(1.0), Some(2.0)].into_iter());
        assert_eq!(all.within(&[0..2]).rows(), [0..2]);
    }

    #[test]
    fn a_moment_between_two_microseconds_is_the_later() {
        let moment = Moment::from_timestamp(1, 1_500).unwrap();
        assert_eq!(micros(moment), 1_000_002);
        assert_eq!(micros(Moment::from_timestamp(1, 2_000).unwrap()), 1_000_002);
    }
}

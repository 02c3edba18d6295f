//! Values in a fixed order, of which any rank within any stretches is told without looking at each.
//!
//! A wavelet matrix: the values are numbered by size, and each level holds one bit of every number, the
//! highest first, after the rows were put in order of the bits above. To find a rank is to walk down the
//! levels and count bits, so it takes some twenty steps for each stretch, however long that is, and is as
//! exact as sorting.

use std::ops::Range;

use crate::stats::rank;

/// Rows that follow each other, by their places.
pub type Stretch = Range<u32>;

/// Values whose ranks can be told.
#[derive(Debug, Default)]
pub struct Ranked {
    /// Every value that occurs, by size.
    values: Vec<f64>,
    levels: Vec<Level>,
}

impl Ranked {
    /// Of `values` in their order; there are fewer than 2^32.
    pub fn new(values: &[f64]) -> Ranked {
        let mut known = values.to_vec();
        known.sort_unstable_by(f64::total_cmp);
        known.dedup_by_key(|value| value.to_bits());
        known.shrink_to_fit();
        let number = |value: &f64| known.partition_point(|other| other.total_cmp(value).is_lt());
        let mut numbers: Vec<u32> = values.iter().map(|value| small(number(value))).collect();
        let depth = u32::BITS - small(known.len().saturating_sub(1)).leading_zeros();
        let levels = (0..depth).rev().map(|bit| Level::divide(&mut numbers, bit)).collect();
        Ranked { values: known, levels }
    }

    /// The value at `rank`, counted from 0, of all values in `stretches`; they do not overlap.
    pub fn at(&self, stretches: &[Stretch], rank: u32) -> Option<f64> {
        if rank >= length(stretches) {
            return None;
        }
        let mut rank = rank;
        let mut number = 0;
        let mut open: Vec<Stretch> = stretches.to_vec();
        for level in &self.levels {
            // Now in ones; what is not among them is among the zeros.
            let mut ones = open.clone();
            for stretch in &mut ones {
                *stretch = level.ones_before(stretch.start)..level.ones_before(stretch.end);
            }
            let zeros = length(&open) - length(&ones);
            let is_one = rank >= zeros;
            if is_one {
                rank -= zeros;
            }
            for (stretch, ones) in open.iter_mut().zip(&ones) {
                *stretch = if is_one {
                    level.zeros + ones.start..level.zeros + ones.end
                } else {
                    stretch.start - ones.start..stretch.end - ones.end
                };
            }
            open.retain(|stretch| !stretch.is_empty());
            number = number << 1 | usize::from(is_one);
        }
        self.values.get(number).copied()
    }

    /// The linear-interpolated median.
    pub fn median(&self, stretches: &[Stretch]) -> Option<f64> {
        let count = length(stretches);
        let upper = self.at(stretches, count / 2)?;
        if count % 2 == 1 {
            return Some(upper);
        }
        Some(f64::midpoint(self.at(stretches, count / 2 - 1)?, upper))
    }

    /// The nearest-rank percentile: the element at ⌈p·n⌉, counted from 1.
    pub fn nearest_rank(&self, stretches: &[Stretch], p: f64) -> Option<f64> {
        self.at(stretches, small(rank(length(stretches) as usize, p)))
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        let of_levels = self.levels.iter().map(|level| size_of_val(&*level.words));
        size_of_val(&*self.values) + of_levels.sum::<usize>()
    }
}

/// How many rows there are in all.
pub fn length(stretches: &[Stretch]) -> u32 {
    stretches.iter().map(|stretch| stretch.end - stretch.start).sum()
}

/// One bit of each number.
#[derive(Debug)]
struct Level {
    words: Vec<Word>,
    /// How many are not set: where the numbers go on whose bit is set.
    zeros: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Word {
    bits: u64,
    ones_before: u32,
}

impl Level {
    /// Takes note of a bit of each number, and puts those first that do not have it.
    fn divide(numbers: &mut Vec<u32>, bit: u32) -> Level {
        let mut words = vec![Word::default(); numbers.len() / 64 + 1];
        let mut set = Vec::new();
        let mut rest = Vec::with_capacity(numbers.len());
        for (place, number) in numbers.iter().enumerate() {
            if number >> bit & 1 == 1 {
                words[place / 64].bits |= 1 << (place % 64);
                set.push(*number);
            } else {
                rest.push(*number);
            }
        }
        let mut ones = 0;
        for word in &mut words {
            word.ones_before = ones;
            ones += word.bits.count_ones();
        }
        let zeros = small(rest.len());
        rest.append(&mut set);
        *numbers = rest;
        Level { words, zeros }
    }

    fn ones_before(&self, place: u32) -> u32 {
        let word = self.words[(place / 64) as usize];
        let before = word.bits & ((1 << (place % 64)) - 1);
        word.ones_before + before.count_ones()
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("fewer than 2^32 rows")
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "what is looked at may be one stretch")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::{median, nearest_rank};

    #[test]
    fn ranks_are_told_within_stretches() {
        let ranked = Ranked::new(&[5.0, 1.0, 4.0, 1.0, 3.0]);
        let cases: [(&[Stretch], Option<f64>, Option<f64>); 6] = [
            (&[0..5], Some(3.0), Some(5.0)),
            (&[0..1], Some(5.0), Some(5.0)),
            (&[1..4], Some(1.0), Some(4.0)),
            (&[1..2, 4..5], Some(2.0), Some(3.0)),
            (&[2..2], None, None),
            (&[], None, None),
        ];
        for (stretches, median, p85) in cases {
            let told = (ranked.median(stretches), ranked.nearest_rank(stretches, 0.85));
            assert_eq!(told, (median, p85), "{stretches:?}");
        }
        assert_eq!(Ranked::new(&[]).median(&[0..0]), None);
        assert_eq!(Ranked::new(&[2.0; 3]).median(&[0..3]), Some(2.0), "one value has no bits");
    }

    proptest! {
        #[test]
        fn ranks_are_those_of_sorting(
            values in proptest::collection::vec(prop_oneof![0.0..9.0_f64, Just(2.5), -1e9..1e9], 1..300),
            mut cuts in proptest::collection::vec(0_usize..300, 2..12),
            p in 0.0..1.0_f64,
        ) {
            for cut in &mut cuts {
                *cut = (*cut).min(values.len());
            }
            cuts.sort_unstable();
            let stretches: Vec<Stretch> =
                cuts.chunks_exact(2).map(|pair| small(pair[0])..small(pair[1])).collect();
            let mut within: Vec<f64> =
                cuts.chunks_exact(2).flat_map(|pair| &values[pair[0]..pair[1]]).copied().collect();
            let ranked = Ranked::new(&values);
            prop_assert_eq!(ranked.median(&stretches), median(&mut within));
            prop_assert_eq!(ranked.nearest_rank(&stretches, p), nearest_rank(&mut within, p));
        }
    }
}

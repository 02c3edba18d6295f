//! Chance that a seed repeats.

/// A xorshift generator: good enough to choose a victim.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number from 0 to just below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

/// A seed of a company: another where `TRUTH_SEEDS` says how far on, so that a loop can try many.
pub fn company(seed: u64) -> u64 {
    let further = crate::servers::option("TRUTH_SEEDS");
    seed + further.map_or(0, |further| further.parse::<u64>().expect("a number of seeds"))
}

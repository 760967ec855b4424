//! A small generator of numbers: the same seed gives the same run, on every machine.

use std::time::Duration;

/// Dice that fall as their seed says (`SplitMix64`).
pub struct Dice(u64);

impl Dice {
    /// Dice of one seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % sides
    }

    /// Whether something happens that happens so often in a thousand.
    pub fn chance(&mut self, per_mille: usize) -> bool {
        self.roll(1000) < per_mille
    }

    /// One of them.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        (!of.is_empty()).then(|| of[self.roll(of.len())].clone())
    }

    /// A time between two numbers of milliseconds.
    pub fn millis(&mut self, from: usize, to: usize) -> Duration {
        let millis = from + self.roll(to - from + 1);
        Duration::from_millis(u64::try_from(millis).unwrap())
    }
}

//! Random numbers whose every bit is fixed by the seed, for any threads and machine.
//!
//! There are two kinds. A [`Stream`] is `ChaCha8`, opened for one purpose and one pair of numbers,
//! such as a year and a chunk of firms. Work can therefore run in any order. A *keyed draw* is a
//! hash. Values that persist for a plant and a market (its taste, its cost of entry) are drawn
//! again when needed and never stored. Both use functions of this file and of `libm` alone, because
//! the distributions of random-number libraries change between versions.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The purpose of a stream: streams for different purposes never overlap.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// The founding of a firm: slot, generation.
    Founding = 1,
    /// The path of a destination's demand: destination.
    Demand = 2,
    /// The monthly records of a chunk of firms: year, chunk.
    Records = 3,
    /// The imports of a chunk of firms: year, chunk.
    Imports = 4,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Opens the stream of a purpose and two numbers.
    pub fn open(seed: u64, purpose: Purpose, first: u64, second: u64) -> Self {
        let mut bytes = [0; 32];
        for (word, number) in [seed, purpose as u64, first, second].into_iter().enumerate() {
            bytes[word * 8..word * 8 + 8].copy_from_slice(&number.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// Uniform strictly between 0 and 1.
    pub fn unit(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 0.5) / 4_294_967_296.0
    }

    /// Uniform among `0..n`, for a positive `n`.
    pub fn below(&mut self, n: u32) -> u32 {
        let scaled = u64::from(self.0.next_u32()) * u64::from(n);
        u32::try_from(scaled >> 32).expect("a 64-bit number shifted by 32 bits has 32")
    }

    /// One of the items of a list that is not empty, each with the same probability.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let n = u32::try_from(items.len()).expect("lists of words and codes are short");
        &items[self.below(n) as usize]
    }

    /// True with this probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        normal(self.unit(), self.unit())
    }

    /// Number of failures before the first success of this probability: geometric, from 0 on.
    pub fn failures(&mut self, success: f64) -> u32 {
        if success >= 1.0 {
            return 0;
        }
        whole(libm::log(self.unit()) / libm::log(1.0 - success))
    }

    /// A key for draws with [`key`].
    pub fn key(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// The position of a uniform number in rising cumulative weights.
pub fn position(cumulative: &[f64], unit: f64) -> usize {
    let total = cumulative.last().copied().unwrap_or(0.0);
    cumulative.partition_point(|&bound| bound <= unit * total).min(cumulative.len() - 1)
}

/// A key from a key and a number (the finaliser of `SplitMix64`).
pub fn key(parent: u64, number: u64) -> u64 {
    let mut bits = parent ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The uniform number strictly between 0 and 1 of a key.
pub fn keyed_unit(key: u64) -> f64 {
    let (high, _) = halves(key);
    (f64::from(high) + 0.5) / 4_294_967_296.0
}

/// The standard normal number of a key.
pub fn keyed_normal(key: u64) -> f64 {
    let (high, low) = halves(key);
    normal((f64::from(high) + 0.5) / 4_294_967_296.0, (f64::from(low) + 0.5) / 4_294_967_296.0)
}

/// The largest whole number not above a non-negative number; the maximum of `u32` beyond it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturation is meant")]
pub fn whole(number: f64) -> u32 {
    number as u32
}

fn halves(key: u64) -> (u32, u32) {
    let high = u32::try_from(key >> 32).expect("a 64-bit number shifted by 32 bits has 32");
    let low = u32::try_from(key & 0xffff_ffff).expect("masked to 32 bits");
    (high, low)
}

/// Box and Muller's standard normal number from two uniform numbers.
fn normal(radius: f64, angle: f64) -> f64 {
    (-2.0 * libm::log(radius)).sqrt() * libm::cos(std::f64::consts::TAU * angle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_fixed_by_its_four_numbers() {
        let first = |seed, purpose, a, b| Stream::open(seed, purpose, a, b).key();
        let reference = first(1, Purpose::Records, 2006, 3);
        assert_eq!(reference, first(1, Purpose::Records, 2006, 3));
        assert_ne!(reference, first(2, Purpose::Records, 2006, 3));
        assert_ne!(reference, first(1, Purpose::Imports, 2006, 3));
        assert_ne!(reference, first(1, Purpose::Records, 2007, 3));
        assert_ne!(reference, first(1, Purpose::Records, 2006, 4));
    }

    #[test]
    fn keyed_draws_are_standard_normal_and_uniform() {
        let keys: Vec<u64> = (0..100_000).map(|number| key(42, number)).collect();
        let mean =
            |draw: &dyn Fn(u64) -> f64| keys.iter().map(|&key| draw(key)).sum::<f64>() / 100_000.0;
        assert!((mean(&keyed_unit) - 0.5).abs() < 0.005);
        assert!(mean(&keyed_normal).abs() < 0.015);
        assert!((mean(&|key| keyed_normal(key).powi(2)) - 1.0).abs() < 0.02);
    }

    #[test]
    fn a_position_is_as_likely_as_its_weight() {
        let cumulative = [1.0, 1.5, 4.0];
        let found = [0.0, 0.24, 0.26, 0.374, 0.376, 0.999].map(|unit| position(&cumulative, unit));
        assert_eq!(found, [0, 0, 1, 1, 2, 2]);
    }
}

//! Whole numbers of 47 bits, stored in six bytes each with a common unit: the storage of matrices.

/// The number of bits of the largest number.
pub const BITS: u32 = 46;
/// The largest number of [`BITS`] bits.
pub const MOST: f64 = 70_368_744_177_663.0;
/// The number of values unpacked at a time.
pub const NUMBERS_PER_STEP: usize = 64;
/// The number of values that fill whole words of 64 bits, and the number of words.
const NUMBERS_PER_WORDS: usize = 4;
const WORDS: usize = 3;

/// A list of packed numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Packed {
    /// The upper 32 bits.
    high: Vec<i32>,
    /// The lower 16 bits.
    low: Vec<u16>,
}

/// A range of packed numbers.
#[derive(Debug, Clone, Copy)]
pub struct PackedSlice<'p> {
    high: &'p [i32],
    low: &'p [u16],
}

impl Packed {
    /// An empty list with capacity for `n` numbers.
    #[must_use]
    pub fn with_capacity(n: usize) -> Self {
        Self { high: Vec::with_capacity(n), low: Vec::with_capacity(n) }
    }

    /// Appends the whole number nearest to a value; the number is at most [`MOST`] from zero.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both parts")]
    pub fn push(&mut self, value: f64) {
        let whole = value.round_ties_even().clamp(-MOST, MOST) as i64;
        self.high.push((whole >> 16) as i32);
        self.low.push(whole as u16);
    }

    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.high.len()
    }

    /// All numbers.
    #[must_use]
    pub fn as_slice(&self) -> PackedSlice<'_> {
        PackedSlice { high: &self.high, low: &self.low }
    }

    /// The numbers as words: four numbers in three words.
    pub fn words(&self) -> impl Iterator<Item = u64> + '_ {
        let fours = self.high.chunks(NUMBERS_PER_WORDS).zip(self.low.chunks(NUMBERS_PER_WORDS));
        fours.flat_map(|(high, low)| {
            let high = |at: usize| u64::from(high.get(at).map_or(0, |high| high.cast_unsigned()));
            let low = |at: usize| u64::from(low.get(at).copied().unwrap_or(0));
            let lows = low(0) << 48 | low(1) << 32 | low(2) << 16 | low(3);
            [high(0) << 32 | high(1), high(2) << 32 | high(3), lows]
        })
    }

    /// Takes `n` numbers from the front of `words`; `None` if there are fewer.
    #[expect(clippy::cast_possible_truncation, reason = "the parts of a word")]
    pub fn take(n: usize, words: &mut &[u64]) -> Option<Self> {
        let n_words = n.div_ceil(NUMBERS_PER_WORDS).checked_mul(WORDS)?;
        let (own, _) = words.split_off(..n_words)?.as_chunks::<WORDS>();
        let mut packed = Self::with_capacity(n);
        for [first, second, lows] in own {
            let halves = [first >> 32, *first, second >> 32, *second];
            packed.high.extend(halves.map(|half| (half as u32).cast_signed()));
            packed.low.extend([48, 32, 16, 0].map(|shift| (lows >> shift) as u16));
        }
        packed.high.truncate(n);
        packed.low.truncate(n);
        Some(packed)
    }
}

impl<'p> PackedSlice<'p> {
    /// The numbers before a position and those from it on.
    #[must_use]
    pub fn split_at(self, place: usize) -> (Self, Self) {
        let (high, rest_high) = self.high.split_at(place);
        let (low, rest_low) = self.low.split_at(place);
        (Self { high, low }, Self { high: rest_high, low: rest_low })
    }

    /// The numbers in a range of positions.
    #[must_use]
    pub fn range(self, range: std::ops::Range<usize>) -> Self {
        Self { high: &self.high[range.clone()], low: &self.low[range] }
    }

    /// The number of values.
    #[must_use]
    pub fn len(self) -> usize {
        self.high.len()
    }

    /// The number at a position.
    #[must_use]
    pub fn at(self, place: usize) -> f64 {
        joined(self.high[place], self.low[place])
    }

    /// All numbers in order.
    pub fn iter(self) -> impl Iterator<Item = f64> + 'p {
        self.high.iter().zip(self.low).map(|(&high, &low)| joined(high, low))
    }

    /// Writes all numbers to `out`.
    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    pub fn unpack(self, out: &mut [f64]) {
        for ((out, &high), &low) in out.iter_mut().zip(self.high).zip(self.low) {
            *out = joined(high, low);
        }
    }
}

#[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
#[inline(always)]
fn joined(high: i32, low: u16) -> f64 {
    f64::from(high) * 65_536.0 + f64::from(low)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back_from_words(values in prop::collection::vec(-1e15..1e15_f64, 0..11)) {
            let mut packed = Packed::default();
            for &value in &values {
                packed.push(value);
            }
            let wanted: Vec<f64> =
                values.iter().map(|value| value.round_ties_even().clamp(-MOST, MOST)).collect();
            prop_assert_eq!(packed.as_slice().iter().collect::<Vec<_>>(), wanted);
            let words: Vec<u64> = packed.words().chain([7]).collect();
            let mut rest = words.as_slice();
            prop_assert_eq!(Packed::take(values.len(), &mut rest), Some(packed));
            prop_assert_eq!(rest, &[7]);
            prop_assert_eq!(Packed::take(9, &mut rest), None);
        }
    }
}

//! Levels of an effect as dense numbers, in the order of first appearance.
//!
//! The numbering depends on the rows alone, so appended rows do not change the numbers of earlier
//! rows.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::estimate::panel::Column;

/// The number of levels for each row above which a hash map replaces the lookup table.
const TABLE_LEVELS_PER_ROW: u64 = 4;
/// The number of levels that a lookup table may always have.
const TABLE_LEVELS_FREE: u64 = 1 << 20;
/// The number that stands for no level.
const NONE: u32 = u32::MAX;

/// One effect, or one set of clusters: a level for each row.
#[derive(Debug, Clone)]
pub struct Codes {
    /// The name, as in the formula.
    pub name: String,
    /// The level of each row, below `n_levels`.
    pub of_row: Vec<u32>,
    /// The number of levels that occur.
    pub n_levels: usize,
}

/// The number of rows whose keys are computed at a time.
const ROWS_PER_PIECE: usize = 4096;

/// One factor of an interaction: a whole number below a bound for each row.
enum Factor<'f> {
    /// Codes, counted from the smallest.
    Code { values: &'f [u32], least: u32, bound: u64 },
    /// Whole numbers, counted from the smallest.
    Integer { values: &'f [i32], least: i32, bound: u64 },
    /// Small whole numbers, counted from the smallest.
    Short { values: &'f [i16], least: i16, bound: u64 },
    /// Reals whose values are all whole numbers, counted from the smallest.
    Whole { values: &'f [f64], least: f64, bound: u64 },
    /// Levels that are already numbered, by position.
    Level { of_row: Cow<'f, [u32]>, bound: u64 },
}

impl Codes {
    /// Numbers the combined levels of these columns over the given rows; all values must be
    /// present.
    #[must_use]
    pub fn encode(name: String, columns: &[Column<'_>], rows: &[u32]) -> Self {
        let mut pending: Vec<Factor<'_>> = Vec::new();
        for column in columns {
            let mut factor = Factor::of_column(column, rows);
            let bound = pending.iter().map(Factor::bound).product::<u64>();
            if bound.checked_mul(factor.bound()).is_none() {
                pending = vec![numbered(&pending, rows).into()];
                factor = numbered(&[factor], rows).into();
            }
            pending.push(factor);
        }
        let (of_row, n_levels) = numbered(&pending, rows);
        Self { name, of_row, n_levels }
    }

    /// Keeps the marked positions in their order, and renumbers the remaining levels.
    ///
    /// # Panics
    /// If the argument does not have an entry for each position.
    #[must_use]
    pub fn retain(mut self, stays: &[bool]) -> Self {
        assert_eq!(stays.len(), self.of_row.len(), "each position stays or goes");
        let mut numbers = Numbers::new(self.n_levels);
        let mut stays = stays.iter();
        self.of_row.retain_mut(|level| {
            let stays = stays.next().is_some_and(|&stays| stays);
            if stays {
                *level = numbers.of(*level as usize);
            }
            stays
        });
        Self { n_levels: numbers.n as usize, ..self }
    }

    /// Keeps the given positions in that order, and renumbers the remaining levels.
    #[must_use]
    pub fn select(&self, positions: &[u32]) -> Self {
        let mut numbers = Numbers::new(self.n_levels);
        let of_row =
            positions.iter().map(|&position| numbers.of(self.of_row[position as usize] as usize));
        let of_row = of_row.collect();
        Self { name: self.name.clone(), of_row, n_levels: numbers.n as usize }
    }

    /// The number of rows of each level.
    #[must_use]
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.n_levels];
        for &level in &self.of_row {
            counts[level as usize] += 1;
        }
        counts
    }

    /// True if each level lies within one level of `other`.
    #[must_use]
    pub fn is_nested_in(&self, other: &Self) -> bool {
        let mut outer = vec![NONE; self.n_levels];
        self.of_row.iter().zip(&other.of_row).all(|(&level, &outside)| {
            let seen = &mut outer[level as usize];
            if *seen == NONE {
                *seen = outside;
            }
            *seen == outside
        })
    }

    /// The combined levels of both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let factors = [Factor::of_codes(self), Factor::of_codes(other)];
        let rows: Vec<u32> = (0..).take(self.of_row.len()).collect();
        let (of_row, n_levels) = numbered(&factors, &rows);
        Self { name: format!("{}^{}", self.name, other.name), of_row, n_levels }
    }
}

/// New numbers of levels, in the order of the requests.
struct Numbers {
    of_level: Vec<u32>,
    n: u32,
}

impl Numbers {
    fn new(n_levels: usize) -> Self {
        Self { of_level: vec![NONE; n_levels], n: 0 }
    }

    #[inline]
    fn of(&mut self, level: usize) -> u32 {
        let number = &mut self.of_level[level];
        if *number == NONE {
            *number = self.n;
            self.n += 1;
        }
        *number
    }
}

impl<'f> Factor<'f> {
    fn of_column(column: &Column<'f>, rows: &[u32]) -> Self {
        match *column {
            Column::Code(values) => {
                let (least, most) = extremes(rows.iter().map(|&row| values[row as usize]));
                Self::Code { values, least, bound: u64::from(most - least) + 1 }
            }
            Column::Integer(values) => {
                let (least, most) = extremes(rows.iter().map(|&row| values[row as usize]));
                Self::Integer { values, least, bound: u64::from(most.abs_diff(least)) + 1 }
            }
            Column::Short(values) => {
                let (least, most) = extremes(rows.iter().map(|&row| values[row as usize]));
                Self::Short { values, least, bound: u64::from(most.abs_diff(least)) + 1 }
            }
            Column::Real(values) => Self::of_reals(values, rows),
        }
    }

    /// Files often hold identifiers as reals; counting such values needs no hashing.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 2^53, where it counts"
    )]
    fn of_reals(values: &'f [f64], rows: &[u32]) -> Self {
        const WHOLE_MAX: f64 = 4_503_599_627_370_496.0;
        let widen = |(least, most): (f64, f64), &row: &u32| {
            let value = values[row as usize];
            // Avoids `fract`: on processors without the instruction, it is a call for each value.
            let whole = value.abs() <= WHOLE_MAX && real(value as i64) - value == 0.0;
            whole.then(|| (least.min(value), most.max(value)))
        };
        match rows.iter().try_fold((f64::INFINITY, f64::NEG_INFINITY), widen) {
            Some((least, most)) if least <= most => {
                Self::Whole { values, least, bound: (most - least) as u64 + 1 }
            }
            _ => hashed(rows, |row| (values[row] + 0.0).to_bits()).into(),
        }
    }

    fn of_codes(codes: &'f Codes) -> Self {
        Self::Level { of_row: Cow::Borrowed(&codes.of_row), bound: codes.n_levels as u64 }
    }

    fn bound(&self) -> u64 {
        match self {
            Self::Code { bound, .. }
            | Self::Integer { bound, .. }
            | Self::Short { bound, .. }
            | Self::Whole { bound, .. }
            | Self::Level { bound, .. } => (*bound).max(1),
        }
    }

    /// Multiplies each key by the bound and adds this factor; `first` is the position of the first
    /// row.
    fn append(&self, keys: &mut [u64], rows: &[u32], first: usize) {
        let bound = self.bound();
        let each = keys.iter_mut().zip(rows);
        match self {
            Self::Code { values, least, .. } => {
                for (key, &row) in each {
                    *key = *key * bound + u64::from(values[row as usize] - least);
                }
            }
            Self::Integer { values, least, .. } => {
                for (key, &row) in each {
                    *key = *key * bound + u64::from(values[row as usize].abs_diff(*least));
                }
            }
            Self::Short { values, least, .. } => {
                for (key, &row) in each {
                    *key = *key * bound + u64::from(values[row as usize].abs_diff(*least));
                }
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole")]
            Self::Whole { values, least, .. } => {
                for (key, &row) in each {
                    *key = *key * bound + (values[row as usize] - least) as u64;
                }
            }
            Self::Level { of_row, .. } => {
                let levels = &of_row[first..first + keys.len()];
                keys.iter_mut()
                    .zip(levels)
                    .for_each(|(key, &level)| *key = *key * bound + u64::from(level));
            }
        }
    }
}

impl From<(Vec<u32>, usize)> for Factor<'_> {
    fn from((of_row, n_levels): (Vec<u32>, usize)) -> Self {
        Self::Level { of_row: Cow::Owned(of_row), bound: n_levels as u64 }
    }
}

#[expect(clippy::cast_precision_loss, reason = "below 2^53, where it counts")]
fn real(value: i64) -> f64 {
    value as f64
}

fn extremes<T: Ord + Copy + Default>(values: impl Iterator<Item = T>) -> (T, T) {
    let widen = |seen: Option<(T, T)>, value: T| {
        Some(seen.map_or((value, value), |(least, most)| (least.min(value), most.max(value))))
    };
    values.fold(None, widen).unwrap_or_default()
}

/// Numbers the levels of any values with a hash map.
fn hashed(rows: &[u32], value: impl Fn(usize) -> u64) -> (Vec<u32>, usize) {
    let mut numbers = FxHashMap::default();
    let of_row = rows.iter().map(|&row| number(&mut numbers, value(row as usize))).collect();
    (of_row, numbers.len())
}

fn number(numbers: &mut FxHashMap<u64, u32>, key: u64) -> u32 {
    let next = u32::try_from(numbers.len()).expect("rows are fewer than 2^32");
    *numbers.entry(key).or_insert(next)
}

/// Numbers the combined levels of factors whose bounds multiply to less than 2^64.
fn numbered(factors: &[Factor<'_>], rows: &[u32]) -> (Vec<u32>, usize) {
    let bound = factors.iter().map(Factor::bound).product::<u64>();
    let table = bound <= rows.len() as u64 * TABLE_LEVELS_PER_ROW + TABLE_LEVELS_FREE;
    let size = if table { usize::try_from(bound).expect("a table fits memory") } else { 0 };
    let (mut numbers, mut hashed) = (Numbers::new(size), FxHashMap::default());
    let mut of_row = Vec::with_capacity(rows.len());
    let mut keys = vec![0; ROWS_PER_PIECE];
    for (piece, rows) in rows.chunks(ROWS_PER_PIECE).enumerate() {
        let keys = &mut keys[..rows.len()];
        keys.fill(0);
        for factor in factors {
            factor.append(keys, rows, piece * ROWS_PER_PIECE);
        }
        if table {
            let key = |&key| usize::try_from(key).expect("keys are below the bound");
            of_row.extend(keys.iter().map(|k| numbers.of(key(k))));
        } else {
            of_row.extend(keys.iter().map(|&key| number(&mut hashed, key)));
        }
    }
    (of_row, if table { numbers.n as usize } else { hashed.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(columns: &[Column<'_>], rows: &[u32]) -> (Vec<u32>, usize) {
        let codes = Codes::encode("f".into(), columns, rows);
        (codes.of_row, codes.n_levels)
    }

    #[test]
    fn levels_are_numbered_as_they_appear() {
        assert_eq!(
            encode(&[Column::Integer(&[7, -3, 7, 9])], &[0, 1, 2, 3]),
            (vec![0, 1, 0, 2], 3)
        );
        assert_eq!(encode(&[Column::Real(&[0.5, -0.0, 0.0])], &[2, 1, 0]), (vec![0, 0, 1], 2));
        let whole = [3.0, -2.0, -0.0, 0.0, -2.0, 1e15];
        let rows = [0, 1, 2, 3, 4, 5];
        assert_eq!(encode(&[Column::Real(&whole)], &rows), (vec![0, 1, 2, 2, 1, 3], 4));
    }

    #[test]
    fn combinations_far_apart_are_numbered_too() {
        let wide = [i32::MIN, i32::MAX, i32::MIN];
        let codes = encode(&[Column::Integer(&wide), Column::Integer(&wide)], &[0, 1, 2]);
        assert_eq!(codes, (vec![0, 1, 0], 2));
        let thin = [0, 1 << 30, 0];
        let codes = encode(&[Column::Integer(&thin), Column::Integer(&thin)], &[0, 1, 2]);
        assert_eq!(codes, (vec![0, 1, 0], 2));
    }

    #[test]
    fn nesting_is_seen() {
        let fine = Codes::encode("f".into(), &[Column::Code(&[0, 1, 2, 0])], &[0, 1, 2, 3]);
        let coarse = Codes::encode("g".into(), &[Column::Code(&[5, 5, 6, 5])], &[0, 1, 2, 3]);
        assert!(fine.is_nested_in(&coarse));
        assert!(!coarse.is_nested_in(&fine));
        assert_eq!(fine.intersect(&coarse).n_levels, 3);
    }

    #[test]
    fn no_rows_have_no_levels() {
        assert_eq!(encode(&[Column::Integer(&[1]), Column::Real(&[1.0])], &[]), (vec![], 0));
    }
}

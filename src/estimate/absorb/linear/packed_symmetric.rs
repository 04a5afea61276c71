//! A symmetric matrix as its lower half, in six bytes an entry, and products with it for all
//! variables at once.
//!
//! # Equation
//! Entries below the diagonal are whole numbers of 47 bits times a power of two, one for each row:
//! their rounding is at most 2⁻⁴⁶ of the row's largest entry, far below the error of a
//! factorisation. The diagonal is stored without rounding. Packing an unpacked half gives the same
//! half.

use faer::Mat;
use faer::traits::pulp::Simd;

use super::lanes::{ByWidth, add_scaled, vectorised_by_width};
use super::packed_numbers::{BITS, NUMBERS_PER_STEP, Packed};

/// The largest entry of a row that is treated as zero.
const LEAST: f64 = 1e-200;

/// The lower half of a symmetric matrix.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PackedSymmetric {
    diagonal: Vec<f64>,
    /// The power of two of each row.
    units: Vec<f64>,
    /// The entries below the diagonal, row after row, in their row's unit.
    below: Packed,
}

impl PackedSymmetric {
    /// Packs the lower half of a matrix.
    #[must_use]
    pub fn of(matrix: &Mat<f64>) -> Self {
        Self::from_entries(matrix.nrows(), |i, j| matrix[(i, j)])
    }

    /// Creates a matrix from its entries, row after row up to the diagonal; `None` if their number
    /// does not fit.
    #[must_use]
    pub fn from_numbers(numbers: &[f64]) -> Option<Self> {
        let n = (0..=numbers.len()).find(|n| n * (n + 1) / 2 >= numbers.len())?;
        let fits = n * (n + 1) / 2 == numbers.len();
        fits.then(|| Self::from_entries(n, |i, j| numbers[i * (i + 1) / 2 + j]))
    }

    fn from_entries(n: usize, entry: impl Fn(usize, usize) -> f64) -> Self {
        let n_below = n * n.saturating_sub(1) / 2;
        let mut half = Self {
            diagonal: (0..n).map(|i| entry(i, i)).collect(),
            units: Vec::with_capacity(n),
            below: Packed::with_capacity(n_below),
        };
        for i in 0..n {
            let most = (0..i).map(|j| entry(i, j).abs()).fold(0.0, f64::max);
            let unit = unit(most);
            let per_unit = if most < LEAST { 0.0 } else { 1.0 / unit };
            (0..i).for_each(|j| half.below.push(entry(i, j) * per_unit));
            half.units.push(unit);
        }
        half
    }

    /// The number of rows.
    #[must_use]
    pub fn n(&self) -> usize {
        self.diagonal.len()
    }

    /// The diagonal.
    #[must_use]
    pub fn diagonal(&self) -> &[f64] {
        &self.diagonal
    }

    /// The number of entries of the half.
    #[must_use]
    pub fn n_entries(&self) -> usize {
        self.n() * (self.n() + 1) / 2
    }

    /// The entries of a row up to the diagonal.
    pub fn row(&self, i: usize) -> impl Iterator<Item = f64> {
        let below = i * i.saturating_sub(1) / 2..i * (i + 1) / 2;
        let each = self.below.as_slice().range(below).iter();
        let unit = self.units[i];
        each.map(move |entry| entry * unit).chain([self.diagonal[i]])
    }

    /// `out = A θ`, rows of `width` numbers.
    pub fn apply(&self, theta: &[f64], out: &mut [f64], width: usize) {
        vectorised_by_width(Product { half: self, theta, out, width });
    }
}

/// The unit in which the largest entry uses all bits.
fn unit(most: f64) -> f64 {
    if most < LEAST {
        return 1.0;
    }
    let exponent = most.to_bits() >> 52 & 0x7FF;
    f64::from_bits((exponent + 1 - u64::from(BITS)) << 52)
}

struct Product<'a> {
    half: &'a PackedSymmetric,
    theta: &'a [f64],
    out: &'a mut [f64],
    width: usize,
}

impl ByWidth for Product<'_> {
    fn width(&self) -> usize {
        self.width
    }

    /// Handles two rows at a time. Each entry is read once and used on both sides of the diagonal.
    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    fn of_registers<S: Simd, const N: usize>(self, simd: S) {
        let PackedSymmetric { diagonal, units, below } = self.half;
        let (theta, _) = S::as_simd_f64s(self.theta).0.as_chunks::<N>();
        let (out, _) = S::as_mut_simd_f64s(self.out).0.as_chunks_mut::<N>();
        let (n, mut below) = (theta.len(), below.as_slice());
        let none = [simd.splat_f64s(0.0); N];
        let mut unpacked = [[0.0; NUMBERS_PER_STEP]; 2];
        for i in (0..n).step_by(2) {
            let is_pair = i + 1 < n;
            let (of_a, rest) = below.split_at(i);
            let (of_b, rest) = rest.split_at(if is_pair { i + 1 } else { 0 });
            below = rest;
            let (above, own) = out.split_at_mut(i);
            let mut scaled = [none; 2];
            for (scaled, (theta, &unit)) in scaled.iter_mut().zip(theta.iter().zip(units).skip(i)) {
                let unit = simd.splat_f64s(unit);
                for k in 0..N {
                    scaled[k] = simd.mul_f64s(unit, theta[k]);
                }
            }
            let mut sums = [none; 2];
            for start in (0..i).step_by(NUMBERS_PER_STEP) {
                let step = start..i.min(start + NUMBERS_PER_STEP);
                let [a, b] = &mut unpacked;
                let (a, b) = (&mut a[..step.len()], &mut b[..step.len()]);
                of_a.range(step.clone()).unpack(a);
                if is_pair {
                    of_b.range(step.clone()).unpack(b);
                } else {
                    b.fill(0.0);
                }
                let rows = theta[step.clone()].iter().zip(&mut above[step]);
                for ((&a, &b), (theta, out)) in a.iter().zip(b.iter()).zip(rows) {
                    let (a, b) = (simd.splat_f64s(a), simd.splat_f64s(b));
                    for k in 0..N {
                        sums[0][k] = simd.mul_add_f64s(a, theta[k], sums[0][k]);
                        sums[1][k] = simd.mul_add_f64s(b, theta[k], sums[1][k]);
                        let sum = simd.mul_add_f64s(b, scaled[1][k], out[k]);
                        out[k] = simd.mul_add_f64s(a, scaled[0][k], sum);
                    }
                }
            }
            own[0] = none;
            if is_pair {
                let between = simd.splat_f64s(of_b.at(i));
                let (unit, d) = (simd.splat_f64s(units[i + 1]), simd.splat_f64s(diagonal[i + 1]));
                for k in 0..N {
                    let sum = simd.mul_add_f64s(between, theta[i][k], sums[1][k]);
                    own[1][k] = simd.mul_add_f64s(unit, sum, simd.mul_f64s(d, theta[i + 1][k]));
                    own[0][k] = simd.mul_f64s(between, scaled[1][k]);
                }
            }
            let (unit, d) = (simd.splat_f64s(units[i]), simd.splat_f64s(diagonal[i]));
            for k in 0..N {
                let sum = simd.mul_add_f64s(unit, sums[0][k], own[0][k]);
                own[0][k] = simd.mul_add_f64s(d, theta[i][k], sum);
            }
        }
    }

    fn of_any_width(self) {
        let Self { half, theta, out, width } = self;
        for (i, of_row) in theta.chunks_exact(width).enumerate() {
            let (above, own) = out.split_at_mut(i * width);
            let own = &mut own[..width];
            own.fill(0.0);
            let each = theta.chunks_exact(width).zip(above.chunks_exact_mut(width));
            for (a, (theta, out)) in half.row(i).zip(each) {
                add_scaled(own, theta, a);
                add_scaled(out, of_row, a);
            }
            add_scaled(own, of_row, half.diagonal[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_lower_half_stands_for_the_whole_matrix() {
        for (n, width) in [(0, 4), (1, 4), (2, 8), (7, 12), (6, 16), (5, 20)] {
            let entry =
                |i: usize, j: usize| f64::from(u8::try_from(i.max(j) * 7 + i.min(j)).unwrap_or(0));
            let half = PackedSymmetric::of(&Mat::from_fn(n, n, entry));
            let theta: Vec<f64> =
                (0..n * width).map(|at| f64::from(u8::try_from(at % 11).unwrap_or(0))).collect();
            let mut out = vec![f64::NAN; n * width];
            half.apply(&theta, &mut out, width);
            for (at, product) in out.iter().enumerate() {
                let (i, k) = (at / width, at % width);
                let wanted: f64 = (0..n).map(|j| entry(i, j) * theta[j * width + k]).sum();
                assert_eq!(product.to_bits(), wanted.to_bits(), "{n} {width} {i} {k}");
            }
        }
    }

    proptest! {
        #[test]
        fn entries_are_near_and_packed_again_the_same(
            numbers in prop::collection::vec(
                prop_oneof![-1.0..1.0_f64, -1e-9..1e-9_f64, Just(0.0), Just(1.0_f64.next_down())],
                0..6_usize,
            ),
            exponent in -40..40_i32,
        ) {
            let n = numbers.len();
            let entry = |i: usize, j: usize| (numbers[i] - 0.3 * numbers[j]) * 2_f64.powi(exponent);
            let half = PackedSymmetric::of(&Mat::from_fn(n, n, entry));
            let unpacked: Vec<f64> = (0..n).flat_map(|i| half.row(i).collect::<Vec<_>>()).collect();
            for i in 0..n {
                let most = (0..i).map(|j| entry(i, j).abs()).fold(0.0, f64::max);
                for (j, found) in half.row(i).enumerate() {
                    let apart = (found - entry(i, j)).abs();
                    prop_assert!(apart <= most * 2_f64.powi(-45) * f64::from(u8::from(j < i)));
                }
            }
            let again = PackedSymmetric::from_numbers(&unpacked).expect("a half");
            let same: Vec<f64> = (0..n).flat_map(|i| again.row(i).collect::<Vec<_>>()).collect();
            prop_assert_eq!(unpacked, same);
        }
    }
}

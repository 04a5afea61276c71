//! Products with a piece's matrix, for all variables at once: by its lower half, or by its rows.
//!
//! # Equation
//! `A θ` with `A` symmetric and held as its lower half, row after row; without local effects also
//! `diag(C'W1) θ − Σ_g w_g (w_g'θ)/W_g`, one pass over the rows.

use std::ops::Range;

use faer::traits::pulp::{NullaryFnOnce, Simd};

use super::lanes::{ByWidth, add_scaled, divide, subtract};
use super::layout::Layout;
use super::local::Cells;

/// `out = A θ` by the lower half of `A`, rows of `width` numbers.
pub struct ByHalf<'a> {
    /// `A`
    pub half: &'a [f64],
    /// `θ`
    pub theta: &'a [f64],
    /// The product.
    pub out: &'a mut [f64],
    /// Numbers in a row of `θ`.
    pub width: usize,
}

/// Takes `Σ_g w_g (w_g'θ)/W_g` out of `out`, for the groups of a piece whose cells start at
/// `first`.
pub struct ByRows<'r, 'a> {
    /// The sample.
    pub layout: &'r Layout<'a>,
    /// Its cells.
    pub cells: &'r Cells,
    /// Groups of the piece.
    pub groups: Range<usize>,
    /// Its first cell.
    pub first: usize,
    /// `θ`
    pub theta: &'r [f64],
    /// What the sums are taken out of.
    pub out: &'r mut [f64],
}

impl NullaryFnOnce for ByRows<'_, '_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    fn call(self) {
        match self.layout.width {
            4 => self.of_width::<4>(),
            8 => self.of_width::<8>(),
            12 => self.of_width::<12>(),
            16 => self.of_width::<16>(),
            _ => self.of_any_width(),
        }
    }
}

impl ByWidth for ByHalf<'_> {
    fn width(&self) -> usize {
        self.width
    }

    /// Two rows at a time, each entry read once and used on both sides of the diagonal.
    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    fn of_registers<S: Simd, const N: usize>(self, simd: S) {
        let Self { half, theta, out, .. } = self;
        let (theta, _) = S::as_simd_f64s(theta).0.as_chunks::<N>();
        let (out, _) = S::as_mut_simd_f64s(out).0.as_chunks_mut::<N>();
        let (n, mut rest) = (theta.len(), half);
        for i in (1..n).step_by(2).map(|odd| odd - 1) {
            let (a, after) = rest.split_at(i + 1);
            let (b, after) = after.split_at(i + 2);
            rest = after;
            let (of_a, of_b) = (theta[i], theta[i + 1]);
            let mut sums = [[simd.splat_f64s(0.0); N]; 2];
            let (above, own) = out.split_at_mut(i);
            for (((&a, &b), theta), out) in a.iter().zip(b).zip(theta).zip(above) {
                let (a, b) = (simd.splat_f64s(a), simd.splat_f64s(b));
                for k in 0..N {
                    sums[0][k] = simd.mul_add_f64s(a, theta[k], sums[0][k]);
                    sums[1][k] = simd.mul_add_f64s(b, theta[k], sums[1][k]);
                    let sum = simd.mul_add_f64s(b, of_b[k], out[k]);
                    out[k] = simd.mul_add_f64s(a, of_a[k], sum);
                }
            }
            let [aa, ab, bb] = [a[i], b[i], b[i + 1]].map(|entry| simd.splat_f64s(entry));
            for k in 0..N {
                let sum = simd.mul_add_f64s(aa, of_a[k], sums[0][k]);
                own[0][k] = simd.mul_add_f64s(ab, of_b[k], sum);
                let sum = simd.mul_add_f64s(ab, of_a[k], sums[1][k]);
                own[1][k] = simd.mul_add_f64s(bb, of_b[k], sum);
            }
        }
        if n % 2 == 1 {
            let (of_last, mut sum) = (theta[n - 1], [simd.splat_f64s(0.0); N]);
            let (above, own) = out.split_at_mut(n - 1);
            for ((&a, theta), out) in rest.iter().zip(theta).zip(above) {
                let a = simd.splat_f64s(a);
                for k in 0..N {
                    sum[k] = simd.mul_add_f64s(a, theta[k], sum[k]);
                    out[k] = simd.mul_add_f64s(a, of_last[k], out[k]);
                }
            }
            let a = simd.splat_f64s(rest[n - 1]);
            for k in 0..N {
                own[0][k] = simd.mul_add_f64s(a, of_last[k], sum[k]);
            }
        }
    }

    fn of_any_width(self) {
        let Self { half, theta, out, width } = self;
        let mut rest = half;
        for (i, of_row) in theta.chunks_exact(width).enumerate() {
            let (row, after) = rest.split_at(i + 1);
            rest = after;
            let (above, own) = out.split_at_mut(i * width);
            let own = &mut own[..width];
            own.fill(0.0);
            let each = row.iter().zip(theta.chunks_exact(width));
            for ((&a, theta), out) in each.zip(above.chunks_exact_mut(width)) {
                add_scaled(own, theta, a);
                add_scaled(out, of_row, a);
            }
            add_scaled(own, of_row, row[i]);
        }
    }
}

impl ByRows<'_, '_> {
    /// The width is known to the compiler.
    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    fn of_width<const WIDTH: usize>(self) {
        let Self { layout, cells, groups, first, theta, out } = self;
        let (theta, _) = theta.as_chunks::<WIDTH>();
        let (out, _) = out.as_chunks_mut::<WIDTH>();
        for group in groups {
            let rows = layout.rows_of(group..group + 1);
            let levels = &cells.of_row[rows.clone()];
            let mut mean = [0.0; WIDTH];
            match &layout.design.weights {
                None => {
                    for &cell in levels {
                        subtract(&mut mean, &theta[cell as usize - first]);
                    }
                }
                Some(weights) => {
                    for (&cell, &weight) in levels.iter().zip(&weights[rows.clone()]) {
                        add_scaled(&mut mean, &theta[cell as usize - first], -weight);
                    }
                }
            }
            let total = layout.weight_total(rows.clone());
            divide(&mut mean, total);
            for (row, &cell) in rows.zip(levels) {
                add_scaled(&mut out[cell as usize - first], &mean, layout.weight(row));
            }
        }
    }

    /// The same for any width.
    fn of_any_width(self) {
        let Self { layout, cells, groups, first, theta, out } = self;
        let width = layout.width;
        let mut mean = vec![0.0; width];
        for group in groups {
            let rows = layout.rows_of(group..group + 1);
            let place = |row: usize| (cells.of_row[row] as usize - first) * width;
            mean.fill(0.0);
            for row in rows.clone() {
                add_scaled(&mut mean, &theta[place(row)..][..width], -layout.weight(row));
            }
            let total = layout.weight_total(rows.clone());
            divide(&mut mean, total);
            for row in rows {
                add_scaled(&mut out[place(row)..][..width], &mean, layout.weight(row));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::absorb::lanes::vectorised_by_width;

    #[test]
    fn the_lower_half_stands_for_the_whole_matrix() {
        for (n, width) in [(1, 4), (2, 8), (7, 12), (6, 16), (5, 20)] {
            let entry =
                |i: usize, j: usize| f64::from(u8::try_from(i.max(j) * 7 + i.min(j)).unwrap_or(0));
            let half: Vec<f64> = (0..n).flat_map(|i| (0..=i).map(move |j| entry(i, j))).collect();
            let theta: Vec<f64> =
                (0..n * width).map(|at| f64::from(u8::try_from(at % 11).unwrap_or(0))).collect();
            let mut out = vec![f64::NAN; n * width];
            vectorised_by_width(ByHalf { half: &half, theta: &theta, out: &mut out, width });
            for (at, product) in out.iter().enumerate() {
                let (i, k) = (at / width, at % width);
                let wanted: f64 = (0..n).map(|j| entry(i, j) * theta[j * width + k]).sum();
                assert_eq!(product.to_bits(), wanted.to_bits(), "{n} {width} {i} {k}");
            }
        }
    }
}

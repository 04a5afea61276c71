//! Products with a piece's matrix by its rows, for all variables at once.
//!
//! # Equation
//! `A θ = diag(C'W1) θ − Σ_g w_g (w_g'θ)/W_g` without local effects, one pass over the rows.

use std::ops::Range;

use faer::traits::pulp::NullaryFnOnce;

use super::cells::Cells;
use crate::estimate::absorb::linear::lanes::{add_scaled, divide, subtract};
use crate::estimate::absorb::sample::layout::Layout;

/// Subtracts `Σ_g w_g (w_g'θ)/W_g` from `out`, for the groups of a piece whose cells start at
/// `first`.
pub struct ByRows<'r, 'a> {
    /// The sample.
    pub layout: &'r Layout<'a>,
    /// The cells of the sample.
    pub cells: &'r Cells,
    /// Groups of the piece.
    pub groups: Range<usize>,
    /// The first cell of the piece.
    pub first: usize,
    /// `θ`
    pub theta: &'r [f64],
    /// The products from which the sums are subtracted.
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

impl ByRows<'_, '_> {
    /// The pass for a width known at compile time.
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

    /// The pass for any width.
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

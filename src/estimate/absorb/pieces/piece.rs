//! The matrix and right-hand side of one piece of the sample, such as a city's year, over its
//! cells. The swept effect and the effects inside the piece are eliminated.
//!
//! # Equation
//! With `C` the dummies of the piece's cells (level of the eliminated × level of the iterated
//! effect), `W` the weights and `M` the annihilator of the swept and the local effects:
//! `A = C'WMC`, `b = C'WMV`; without local effects `A = diag(C'W1) − Σ_g w_g w_g'/W_g`.
//!
//! A product with `A` is either a dense one or a pass over the piece's rows, whichever costs less.

use std::ops::Range;
use std::sync::Arc;

use faer::Mat;

use super::cells::Cells;
use super::elimination::{Elimination, Joint, Rest, Shares, explain};
use super::row_products::ByRows;
use crate::estimate::absorb::linear::lanes::{add_scaled, vectorised};
use crate::estimate::absorb::linear::packed_symmetric::PackedSymmetric;
use crate::estimate::absorb::linear::weighted_products::Products;
use crate::estimate::absorb::sample::layout::Layout;
use crate::estimate::absorb::sample::level_sums::Totals;
use crate::estimate::absorb::sample::moments::{Moments, Shifted};
use crate::estimate::absorb::sample::stream::Stream;

/// The largest number of cells for each row for which a matrix is stored; half of the cells are
/// held.
const CELLS_PER_ROW_MAX: usize = 4;

/// One piece: its rows in terms of its cells.
#[derive(Debug)]
pub struct Piece {
    /// Groups of the swept effect.
    pub groups: Range<usize>,
    /// Its cells among all cells.
    pub cells: Range<usize>,
    /// The fingerprint, if requested.
    pub fingerprint: Option<u64>,
    /// The sums of its rows.
    pub figures: Arc<Figures>,
}

/// The sums of a piece's rows: all data of the variables and of the local effects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// `A`, if it is stored.
    pub matrix: Option<PackedSymmetric>,
    /// `b`, by rows of the width.
    pub rhs: Vec<f64>,
    /// `V'WMV`, by rows of the width.
    pub products: Vec<f64>,
    /// The sums of each variable, before any effect is eliminated.
    pub moments: Vec<Moments>,
    /// The data to recover the local effects.
    pub local: Elimination,
}

/// The rows of a piece before they are read.
pub struct Rows<'r, 'a> {
    /// The sample.
    pub layout: &'r Layout<'a>,
    /// The cells of the sample.
    pub cells: &'r Cells,
    /// The local effects.
    pub local: &'r [usize],
    /// Groups of the swept effect.
    pub groups: Range<usize>,
    /// Cells of the piece.
    pub own: Range<usize>,
}

impl Rows<'_, '_> {
    /// Reads the rows and adds up their figures.
    #[must_use]
    pub fn figures(&self, shares: Shares) -> Figures {
        let (width, spans) = (self.layout.width, self.spans());
        let n_levels = spans.iter().map(Range::len).sum();
        let mut rhs = vec![0.0; (n_levels + self.own.len()) * width];
        let mut products = Products::new(width);
        let mut moments = Shifted::new(self.origin());
        let raw = |rows: Range<usize>, block: &[f64]| {
            for (row, values) in rows.zip(block.chunks_exact(width)) {
                moments.observe(values, self.layout.weight(row));
            }
        };
        let swept = |rows: Range<usize>, block: &[f64]| {
            products.add(block, self.layout.weights_of(rows.clone()));
            for (row, values) in rows.zip(block.chunks_exact(width)) {
                for place in self.places(&spans, row) {
                    add_scaled(&mut rhs[place * width..], values, self.layout.weight(row));
                }
            }
        };
        Stream::new(self.layout, None).visit(self.groups.clone(), raw, swept);
        let (moments, products) = (moments.finish(), products.into_values());
        if n_levels == 0 {
            let matrix = self.keeps().then(|| PackedSymmetric::of(&self.joint(&[])));
            return Figures { matrix, rhs, products, moments, local: Elimination::default() };
        }
        let joint = Joint { n_levels, matrix: self.joint(&spans), rhs, products };
        let (local, Rest { matrix, rhs, products }) = joint.eliminated(width, shares);
        Figures { matrix: Some(matrix), rhs, products, moments, local }
    }

    /// The potentials `λ = (S'WMS)⁻¹ S'Wu` of the local levels, and the products `u'Wu − λ'S'Wu` of
    /// the residuals, with `u = M(V − Cθ)`. Computed from the rows and the potentials of the other
    /// effects; those of local effects are not used.
    #[must_use]
    pub fn finished(&self, potentials: &Totals) -> (Vec<f64>, Vec<f64>) {
        let (width, spans) = (self.layout.width, self.spans());
        let n_levels = spans.iter().map(Range::len).sum();
        let mut rhs = vec![0.0; n_levels * width];
        let mut products = Products::new(width);
        let swept = |rows: Range<usize>, block: &[f64]| {
            products.add(block, self.layout.weights_of(rows.clone()));
            for (row, values) in rows.zip(block.chunks_exact(width)) {
                for place in self.levels(&spans, row) {
                    add_scaled(&mut rhs[place * width..], values, self.layout.weight(row));
                }
            }
        };
        Stream::new(self.layout, Some(potentials)).visit(self.groups.clone(), |_, _| {}, swept);
        let mut matrix = Mat::zeros(n_levels, n_levels);
        self.add_joint(|row| self.levels(&spans, row), &mut matrix);
        let mut products = products.into_values();
        explain(matrix, &mut rhs, &mut products, width);
        (rhs, products)
    }

    /// Adds `R'AR` of a piece without local effects, lower half; `place` gives `R` for each row.
    pub fn add_gram(&self, place: impl Fn(usize) -> usize, matrix: &mut Mat<f64>) {
        self.add_joint(|row| std::iter::once(place(row)), matrix);
    }

    /// True if `A` is stored although it could be computed from the rows.
    fn keeps(&self) -> bool {
        let n_rows = self.layout.rows_of(self.groups.clone()).len();
        self.own.len().pow(2) <= CELLS_PER_ROW_MAX * n_rows
    }

    /// The levels of each local effect in the piece. They are neighbours: levels are numbered in
    /// the order of rows and occur in one piece each.
    #[must_use]
    pub fn spans(&self) -> Vec<Range<usize>> {
        let rows = self.layout.rows_of(self.groups.clone());
        let span = |&i: &usize| minmax(&self.layout.design.effects[i].of_row[rows.clone()]);
        self.local.iter().map(span).collect()
    }

    /// The values of the first row, which are near those of the other rows.
    fn origin(&self) -> Vec<f64> {
        let first = self.layout.design.rows[self.layout.rows_of(self.groups.clone()).start];
        let mut origin = vec![0.0; self.layout.width];
        for (origin, variable) in origin.iter_mut().zip(&self.layout.design.variables) {
            *origin = variable.at(first as usize);
        }
        origin
    }

    /// The unknowns of a row: a level of each local effect, then its cell.
    fn places<'p>(
        &'p self,
        spans: &'p [Range<usize>],
        row: usize,
    ) -> impl Iterator<Item = usize> + 'p {
        let n_levels: usize = spans.iter().map(Range::len).sum();
        let cell = self.cells.of_row[row] as usize - self.own.start;
        self.levels(spans, row).chain([n_levels + cell])
    }

    /// The level of each local effect of a row, one effect after another.
    fn levels<'p>(
        &'p self,
        spans: &'p [Range<usize>],
        row: usize,
    ) -> impl Iterator<Item = usize> + 'p {
        let mut first = 0;
        self.local.iter().zip(spans).map(move |(&i, span)| {
            let level = self.layout.design.effects[i].of_row[row] as usize - span.start;
            first += span.len();
            first - span.len() + level
        })
    }

    /// `Z'WMZ` of the levels of the local effects and the cells, lower half.
    fn joint(&self, spans: &[Range<usize>]) -> Mat<f64> {
        let n = spans.iter().map(Range::len).sum::<usize>() + self.own.len();
        let mut matrix = Mat::<f64>::zeros(n, n);
        self.add_joint(|row| self.places(spans, row), &mut matrix);
        matrix
    }

    /// Adds `Z'WMZ`, lower half; the places of each row give `Z`.
    fn add_joint<P: Iterator<Item = usize>>(
        &self,
        places: impl Fn(usize) -> P,
        matrix: &mut Mat<f64>,
    ) {
        let (mut sums, mut touched) = (vec![0.0; matrix.nrows()], Vec::new());
        for group in self.groups.clone() {
            let rows = self.layout.rows_of(group..group + 1);
            if rows.len() == 1 {
                continue;
            }
            let total = self.layout.weight_total(rows.clone());
            for row in rows {
                let weight = self.layout.weight(row);
                for i in places(row) {
                    if sums[i] == 0.0 {
                        touched.push(i);
                    }
                    sums[i] += weight;
                    for j in places(row).filter(|&j| j <= i) {
                        matrix[(i, j)] += weight;
                    }
                }
            }
            touched.sort_unstable();
            for (place, &j) in touched.iter().enumerate() {
                let share = sums[j] / total;
                let column = matrix.col_as_slice_mut(j);
                touched[place..].iter().for_each(|&i| column[i] -= share * sums[i]);
            }
            touched.drain(..).for_each(|i| sums[i] = 0.0);
        }
    }
}

impl Figures {
    /// Frees sums that are needed only when shares give the levels back.
    pub fn forget_sums(&mut self) {
        (self.rhs, self.products) = (Vec::new(), Vec::new());
    }
}

impl Piece {
    /// The diagonal of `A`, a number for each cell. Computed from the rows, it assumes that no cell
    /// occurs twice in a group.
    pub fn diagonal(&self, layout: &Layout<'_>, cells: &Cells) -> Vec<f64> {
        if let Some(half) = &self.figures.matrix {
            return half.diagonal().to_vec();
        }
        let mut diagonal = cells.weights[self.cells.clone()].to_vec();
        for group in self.groups.clone() {
            let rows = layout.rows_of(group..group + 1);
            let total = layout.weight_total(rows.clone());
            for row in rows {
                let cell = cells.of_row[row] as usize - self.cells.start;
                diagonal[cell] -= layout.weight(row).powi(2) / total;
            }
        }
        diagonal
    }

    /// `out = A θ`, a row of `width` numbers for each cell.
    pub fn apply(&self, layout: &Layout<'_>, cells: &Cells, theta: &[f64], out: &mut [f64]) {
        let width = layout.width;
        if let Some(half) = &self.figures.matrix {
            return half.apply(theta, out, width);
        }
        let rows = out.chunks_exact_mut(width).zip(theta.chunks_exact(width));
        for ((out, theta), weight) in rows.zip(&cells.weights[self.cells.clone()]) {
            out.iter_mut().zip(theta).for_each(|(out, theta)| *out = weight * theta);
        }
        let (groups, first) = (self.groups.clone(), self.cells.start);
        vectorised(ByRows { layout, cells, groups, first, theta, out });
    }
}

/// The range from the smallest level to one past the largest.
#[must_use]
pub fn minmax(levels: &[u32]) -> Range<usize> {
    let least = levels.iter().min().map_or(0, |&level| level as usize);
    let most = levels.iter().max().map_or(0, |&level| level as usize + 1);
    least..most
}

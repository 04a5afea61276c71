//! Bilinear forms in `S⁺` between groups.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use super::shared::SharedEffect;
use super::sums::GroupSums;

impl SharedEffect<'_, '_> {
    /// `(G_g a)'S⁺(G_h b)` for all pairs of groups and each column, by rows of `g`.
    #[must_use]
    pub fn couplings(&self, sums: &GroupSums, a: &[f64], b: &[f64], width: usize) -> Vec<Vec<f64>> {
        let n_groups = self.blocks_of.len();
        let of_column = |h: usize| -> Vec<f64> {
            let (levels, places) = (sums.levels(h), sums.places(h));
            let n = self.inverse.nrows();
            let inverse =
                Mat::from_fn(n, levels.len(), |i, j| self.inverse[(i, levels[j] as usize)]);
            let own = &b[places.start * width..places.end * width];
            let own = MatRef::from_row_major_slice(own, levels.len(), width);
            let mut solved = Mat::zeros(n, width);
            matmul(solved.as_mut(), Accum::Replace, &inverse, own, 1.0, Par::Seq);
            let mut forms = vec![0.0; n_groups * width];
            for (g, forms) in forms.chunks_exact_mut(width).enumerate() {
                for (place, &level) in sums.places(g).zip(sums.levels(g)) {
                    for (j, form) in forms.iter_mut().enumerate() {
                        *form += a[place * width + j] * solved[(level as usize, j)];
                    }
                }
            }
            forms
        };
        let columns: Vec<Vec<f64>> = (0..n_groups).into_par_iter().map(of_column).collect();
        let form = |j: usize| {
            let cell = |at: usize| columns[at % n_groups][at / n_groups * width + j];
            (0..n_groups * n_groups).map(cell).collect()
        };
        (0..width).map(form).collect()
    }
}

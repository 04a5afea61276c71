//! Residuals from two effects, exact: the levels of one are eliminated, the others solved densely.
//!
//! Rows that are alone in a level are left out, until none is. Every connected part of the levels
//! has one free constant, which is zero for a level of its own.

use rustc_hash::FxHashMap;

/// The share of a pivot below which a level depends on earlier ones.
const PIVOT_MIN: f64 = 1e-10;
/// The number of solutions: each further one removes the rounding error of the last.
const N_SOLUTIONS: usize = 3;

/// Rows with their levels of two effects.
pub struct TwoEffects {
    /// The rows that stay, by position.
    rows: Vec<usize>,
    /// The rows of each level of the first effect, as positions in `rows` with the second level.
    first: Vec<Vec<(usize, usize)>>,
    n_second: usize,
    /// The Cholesky factor of the second effect's levels, by rows; a dependent level has pivot 0.
    factor: Vec<f64>,
}

impl TwoEffects {
    /// The rows that are not alone, by their levels.
    #[must_use]
    pub fn new(levels: &[[u32; 2]]) -> Self {
        let rows = not_alone(levels);
        let mut numbers: [FxHashMap<u32, usize>; 2] = Default::default();
        let mut first: Vec<Vec<(usize, usize)>> = Vec::new();
        for (position, row) in rows.iter().enumerate() {
            let [of_first, of_second] = [0, 1].map(|at| {
                let next = numbers[at].len();
                *numbers[at].entry(levels[*row][at]).or_insert(next)
            });
            if of_first == first.len() {
                first.push(Vec::new());
            }
            first[of_first].push((position, of_second));
        }
        let n_second = numbers[1].len();
        let factor = factor(laplacian(&first, n_second), n_second);
        Self { rows, first, n_second, factor }
    }

    /// The positions of the rows that stay, in order.
    #[must_use]
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The residuals of a variable, given and returned for the rows that stay.
    #[must_use]
    pub fn residuals(&self, values: &[f64]) -> Vec<f64> {
        let mut residuals = values.to_vec();
        for _ in 0..N_SOLUTIONS {
            self.subtract(&mut residuals);
        }
        residuals
    }

    /// Subtracts both effects.
    fn subtract(&self, values: &mut [f64]) {
        // Within the first effect, then the second by its normal equations, then the first again.
        self.demean(values);
        let mut right = vec![0.0; self.n_second];
        for (position, second) in self.first.iter().flatten() {
            right[*second] += values[*position];
        }
        solve(&self.factor, &mut right);
        for (position, second) in self.first.iter().flatten() {
            values[*position] -= right[*second];
        }
        self.demean(values);
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    fn demean(&self, values: &mut [f64]) {
        for rows in &self.first {
            let sum: f64 = rows.iter().map(|(position, _)| values[*position]).sum();
            let mean = sum / rows.len() as f64;
            for (position, _) in rows {
                values[*position] -= mean;
            }
        }
    }
}

/// The rows that share both of their levels with another row that stays.
fn not_alone(levels: &[[u32; 2]]) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..levels.len()).collect();
    loop {
        let mut counts: [FxHashMap<u32, u32>; 2] = Default::default();
        for row in &rows {
            for (at, counts) in counts.iter_mut().enumerate() {
                *counts.entry(levels[*row][at]).or_default() += 1;
            }
        }
        let n_before = rows.len();
        rows.retain(|row| [0, 1].iter().all(|at| counts[*at][&levels[*row][*at]] > 1));
        if rows.len() == n_before {
            return rows;
        }
    }
}

/// `D₂ − N' D₁⁻¹ N`: the normal equations of the second effect within the first.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn laplacian(first: &[Vec<(usize, usize)>], n: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; n * n];
    for rows in first {
        let share = 1.0 / rows.len() as f64;
        for (_, a) in rows {
            matrix[a * n + a] += 1.0;
            for (_, b) in rows {
                matrix[a * n + b] -= share;
            }
        }
    }
    matrix
}

/// The Cholesky factor; the column of a dependent level is zero.
fn factor(mut matrix: Vec<f64>, n: usize) -> Vec<f64> {
    for column in 0..n {
        let before = matrix[column * n + column];
        let own = &matrix[column * n..column * n + column];
        let squares: f64 = own.iter().map(|value| value * value).sum();
        let pivot = before - squares;
        let is_dependent = pivot <= PIVOT_MIN * before.max(1.0);
        let root = if is_dependent { 0.0 } else { libm::sqrt(pivot) };
        matrix[column * n + column] = root;
        for row in column + 1..n {
            let (above, below) = matrix.split_at(row * n);
            let (own, other) = (&above[column * n..column * n + column], &below[..column]);
            let sum: f64 = own.iter().zip(other).map(|(a, b)| a * b).sum();
            let value = matrix[row * n + column] - sum;
            matrix[row * n + column] = if is_dependent { 0.0 } else { value / root };
        }
    }
    matrix
}

/// Solves `L L' x = right` in place; a dependent level has the solution zero.
fn solve(factor: &[f64], right: &mut [f64]) {
    let n = right.len();
    for row in 0..n {
        let sum: f64 = (0..row).map(|column| factor[row * n + column] * right[column]).sum();
        let root = factor[row * n + row];
        right[row] = if root == 0.0 { 0.0 } else { (right[row] - sum) / root };
    }
    for row in (0..n).rev() {
        let sum: f64 = (row + 1..n).map(|below| factor[below * n + row] * right[below]).sum();
        let root = factor[row * n + row];
        right[row] = if root == 0.0 { 0.0 } else { (right[row] - sum) / root };
    }
}

/// `1 − R²` of a variable on two effects, over the rows that are not alone; `None` if it is
/// constant.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub fn unexplained(effects: &TwoEffects, values: &[f64]) -> Option<f64> {
    let own: Vec<f64> = effects.rows().iter().map(|row| values[*row]).collect();
    let mean = own.iter().sum::<f64>() / own.len() as f64;
    let square = |values: &[f64], centre: f64| -> f64 {
        values.iter().map(|value| (value - centre) * (value - centre)).sum()
    };
    let total = square(&own, mean);
    (total > 0.0).then(|| square(&effects.residuals(&own), 0.0) / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small panel with two connected parts and rows that are alone.
    const LEVELS: [[u32; 2]; 13] = [
        [1, 1],
        [1, 2],
        [1, 3],
        [2, 1],
        [2, 2],
        [3, 3],
        [3, 2],
        [7, 8],
        [7, 9],
        [8, 8],
        [8, 9],
        [4, 5],
        [4, 3],
    ];

    fn value(row: usize) -> f64 {
        let row = u32::try_from(row).expect("small");
        f64::from((row * row * 7 + row * 3) % 11) - 5.0
    }

    #[test]
    fn rows_alone_in_a_level_are_left_out_one_after_another() {
        let effects = TwoEffects::new(&LEVELS);
        // [4, 5] is alone in level 5; then [4, 3] is alone in level 4.
        assert_eq!(effects.rows(), (0..11).collect::<Vec<_>>());
        assert!(TwoEffects::new(&[[1, 1], [1, 2], [2, 3]]).rows().is_empty());
    }

    #[test]
    fn residuals_add_up_to_zero_in_each_level_and_differ_by_effects() {
        let effects = TwoEffects::new(&LEVELS);
        let values: Vec<f64> = effects.rows().iter().map(|row| value(*row)).collect();
        let residuals = effects.residuals(&values);
        for at in [0, 1] {
            for level in 1..10 {
                let rows = residuals.iter().zip(effects.rows());
                let own = rows.filter(|(_, row)| LEVELS[**row][at] == level);
                let sum: f64 = own.map(|(residual, _)| residual).sum();
                assert!(sum.abs() < 1e-14, "{at} {level} {sum}");
            }
        }
        // A variable made of the two effects has none.
        let made = effects.rows().iter().map(|row| {
            f64::from(LEVELS[*row][0]).sqrt() + f64::from(LEVELS[*row][1] * LEVELS[*row][1])
        });
        let made: Vec<f64> = made.collect();
        assert!(effects.residuals(&made).iter().all(|residual| residual.abs() < 1e-13));
        // What is subtracted is made of the effects: the residuals of it are zero.
        let fitted: Vec<f64> = values.iter().zip(&residuals).map(|(v, r)| v - r).collect();
        assert!(effects.residuals(&fitted).iter().all(|residual| residual.abs() < 1e-13));
    }

    #[test]
    fn the_unexplained_share_is_that_of_the_residuals() {
        let levels = [[0, 0], [0, 1], [1, 0], [1, 1]];
        let effects = TwoEffects::new(&levels);
        // The interaction alone: nothing is explained.
        assert_eq!(unexplained(&effects, &[1.0, -1.0, -1.0, 1.0]), Some(1.0));
        // Half of the squares are those of the first effect.
        let half = unexplained(&effects, &[2.0, 0.0, -2.0, 0.0]).expect("it varies");
        assert!((half - 0.5).abs() < 1e-15, "{half}");
        assert_eq!(unexplained(&effects, &[3.0; 4]), None);
        assert_eq!(unexplained(&TwoEffects::new(&[]), &[]), None);
    }
}

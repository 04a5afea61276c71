//! Random panels compared with dense algebra: dummies are removed by orthogonalisation, without
//! code of the estimator.

use spillover::estimate::design::singletons::Singletons;
use spillover::estimate::formula::{Formula, Interaction};
use spillover::estimate::inference::{Inference, Vcov};
use spillover::estimate::panel::{Column, Panel};
use spillover::estimate::result::Estimate;
use spillover::estimate::{Options, estimate};

/// The number of compared panels.
const PANELS: u64 = 200;
/// The smallest remaining share of a column's norm if it is independent of earlier columns.
const INDEPENDENT: f64 = 1e-9;
/// The largest difference of figures.
const APART_MAX: f64 = 1e-7;

/// Numbers from a seed (splitmix64).
pub(super) struct Draw(pub u64);

impl Draw {
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    pub(super) fn real(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
    pub(super) fn below(&mut self, n: u32) -> u32 {
        (self.real() * f64::from(n)) as u32
    }

    /// An approximately normal number.
    pub(super) fn noise(&mut self) -> f64 {
        (0..6).map(|_| self.real()).sum::<f64>() - 3.0
    }
}

/// A panel with its model.
struct Case {
    outcome: Vec<f64>,
    regressors: Vec<Vec<f64>>,
    effects: Vec<Vec<u32>>,
    clusters: Option<Vec<u32>>,
    weights: Option<Vec<f64>>,
}

impl Case {
    /// A case with one to three effects, of which the first may be a chain of spells. Regressors
    /// include means far from zero, constants and sums of effects.
    fn new(seed: u64) -> Self {
        let mut draw = Draw(seed);
        let n = 30 + draw.below(70);
        let is_chain = draw.real() < 0.3;
        let (mut effects, n_effects) = (Vec::new(), 1 + draw.below(3));
        for effect in 0..n_effects.max(1 + u32::from(is_chain)) {
            let levels = 2 + draw.below(12);
            let level = |row: u32, draw: &mut Draw| match (is_chain, effect) {
                (true, 0) => row / 2,
                (true, 1) => row.div_ceil(2),
                _ => draw.below(levels),
            };
            effects.push((0..n).map(|row| level(row, &mut draw)).collect::<Vec<u32>>());
        }
        let shift = if draw.real() < 0.3 { 1e9 * draw.real() } else { 0.0 };
        let mut regressors: Vec<Vec<f64>> = vec![
            (0..n).map(|_| draw.noise() + shift).collect(),
            (0..n).map(|_| draw.noise()).collect(),
        ];
        let chosen = draw.real();
        if chosen < 0.2 {
            regressors.push(vec![[0.1, 0.7, 1.1, 0.3][draw.below(4) as usize]; n as usize]);
        } else if chosen < 0.4 {
            let of = &effects[0];
            regressors.push(of.iter().map(|&level| 0.1 + f64::from(level * level % 7)).collect());
        }
        let outcome = (0..n as usize).map(|row| {
            let of_effects: f64 = effects.iter().map(|of| f64::from(of[row] * 5 % 3)).sum();
            0.5 * (regressors[0][row] - shift) - regressors[1][row] + of_effects + draw.noise()
        });
        let outcome = outcome.collect();
        let clusters = (draw.real() < 0.5).then(|| (0..n).map(|_| draw.below(8)).collect());
        let weights =
            (draw.real() < 0.4).then(|| (0..n).map(|_| 0.1 + 3.0 * draw.real()).collect());
        Self { outcome, regressors, effects, clusters, weights }
    }

    fn estimate(&self) -> Estimate {
        let mut columns = vec![("y".to_owned(), Column::Real(&self.outcome))];
        let named = |prefix: &str, place: usize| format!("{prefix}{place}");
        for (place, values) in self.regressors.iter().enumerate() {
            columns.push((named("x", place), Column::Real(values)));
        }
        for (place, codes) in self.effects.iter().enumerate() {
            columns.push((named("f", place), Column::Code(codes)));
        }
        columns.extend(self.clusters.iter().map(|codes| ("g".to_owned(), Column::Code(codes))));
        columns.extend(self.weights.iter().map(|w| ("w".to_owned(), Column::Real(w))));
        let panel = Panel::new(columns).expect("a panel");
        let sum = |prefix: &str, n: usize| {
            (0..n).map(|place| named(prefix, place)).collect::<Vec<_>>().join(" + ")
        };
        let (right, effects) = (sum("x", self.regressors.len()), sum("f", self.effects.len()));
        let formula = Formula::parse(&format!("y ~ {right} | {effects}")).expect("a formula");
        let vcov = match &self.clusters {
            Some(_) => Vcov::Clustered(Interaction::parse_sum("g").expect("clusters")),
            None => Vcov::Iid,
        };
        let options = Options {
            weights: self.weights.as_ref().map(|_| "w".to_owned()),
            singletons: Singletons::Kept,
            inference: Inference { vcov, ..Inference::default() },
            ..Options::default()
        };
        estimate(&panel, &formula, &options, None).expect("an estimate")
    }

    /// The kept regressors, with coefficients and standard errors.
    fn dense(&self, k: usize) -> Vec<(usize, f64, f64)> {
        let n = self.outcome.len();
        let roots: Vec<f64> = (0..n)
            .map(|row| self.weights.as_ref().map_or(1.0, |weights| weights[row]).sqrt())
            .collect();
        let total: f64 = roots.iter().map(|root| root * root).sum();
        let mut basis: Vec<Vec<f64>> = Vec::new();
        for codes in &self.effects {
            for level in 0..=codes.iter().copied().max().unwrap_or(0) {
                let dummy = codes.iter().zip(&roots);
                let dummy: Vec<f64> =
                    dummy.map(|(own, root)| if *own == level { *root } else { 0.0 }).collect();
                orthogonalise(&dummy, &mut basis);
            }
        }
        let left = |values: &[f64]| {
            let mean =
                values.iter().zip(&roots).map(|(v, root)| v * root * root).sum::<f64>() / total;
            let centred: Vec<f64> =
                values.iter().zip(&roots).map(|(v, root)| (v - mean) * root).collect();
            let size = norm(&centred);
            (without(&centred, &basis), size)
        };
        let mut kept: Vec<(usize, Vec<f64>)> = Vec::new();
        for (place, values) in self.regressors.iter().enumerate() {
            let (residual, size) = left(values);
            if norm(&residual) > INDEPENDENT * size && size > 0.0 {
                kept.push((place, residual));
            }
        }
        let (outcome, _) = left(&self.outcome);
        let x: Vec<&[f64]> = kept.iter().map(|(_, values)| values.as_slice()).collect();
        let inverse = inverse(&x);
        let times = |row: &[f64], values: &[f64]| -> f64 {
            row.iter().zip(&x).map(|(b, x)| b * dot(x, values)).sum()
        };
        let beta: Vec<f64> = inverse.iter().map(|row| times(row, &outcome)).collect();
        let fitted = |row: usize| x.iter().zip(&beta).map(|(x, b)| x[row] * b).sum::<f64>();
        let residuals: Vec<f64> = (0..n).map(|row| outcome[row] - fitted(row)).collect();
        let left = real(n) - real(k);
        let error = |place: usize| {
            let row = &inverse[place];
            let influence = |at: usize| row.iter().zip(&x).map(|(b, x)| b * x[at]).sum::<f64>();
            let Some(clusters) = &self.clusters else {
                return (row[place] * dot(&residuals, &residuals) / left).sqrt();
            };
            let mut sums = [0.0; 8];
            for (at, &cluster) in clusters.iter().enumerate() {
                sums[cluster as usize] += influence(at) * residuals[at];
            }
            let n_clusters = real((0..8).filter(|c| clusters.contains(c)).count());
            let factor = n_clusters / (n_clusters - 1.0) * (real(n) - 1.0) / left;
            (factor * dot(&sums, &sums)).sqrt()
        };
        kept.iter().enumerate().map(|(at, (place, _))| (*place, beta[at], error(at))).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn real(count: usize) -> f64 {
    count as f64
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// A vector without its part in the span of an orthonormal basis; computed three times because of
/// rounding.
pub(super) fn without(values: &[f64], basis: &[Vec<f64>]) -> Vec<f64> {
    let mut left = values.to_vec();
    for _ in 0..3 {
        for direction in basis {
            let part = dot(&left, direction);
            left.iter_mut().zip(direction).for_each(|(left, own)| *left -= part * own);
        }
    }
    left
}

/// Adds the new direction of a vector to a basis, if there is one.
pub(super) fn orthogonalise(values: &[f64], basis: &mut Vec<Vec<f64>>) {
    let size = norm(values);
    let left = without(values, basis);
    let own = norm(&left);
    if own > INDEPENDENT * size {
        basis.push(left.into_iter().map(|value| value / own).collect());
    }
}

/// `(X'X)⁻¹` by Gauss and Jordan.
pub(super) fn inverse(x: &[&[f64]]) -> Vec<Vec<f64>> {
    let k = x.len();
    let mut rows: Vec<Vec<f64>> = (0..k)
        .map(|i| {
            let unit = (0..k).map(|j| if i == j { 1.0 } else { 0.0 });
            (0..k).map(|j| dot(x[i], x[j])).chain(unit).collect()
        })
        .collect();
    for pivot in 0..k {
        let by = rows[pivot][pivot];
        rows[pivot].iter_mut().for_each(|cell| *cell /= by);
        let own = rows[pivot].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != pivot) {
            let factor = row[pivot];
            row.iter_mut().zip(&own).for_each(|(cell, own)| *cell -= factor * own);
        }
    }
    rows.into_iter().map(|row| row[k..].to_vec()).collect()
}

#[test]
fn random_panels_come_to_what_dense_algebra_says() {
    let mut compared = 0;
    for seed in 0..PANELS {
        let case = Case::new(seed);
        let found = case.estimate();
        let wanted = case.dense(found.k);
        let names: Vec<String> = wanted.iter().map(|(place, ..)| format!("x{place}")).collect();
        let own: Vec<&str> = found.terms.iter().map(|term| term.term.as_str()).collect();
        assert_eq!(own, names, "seed {seed}");
        if found.df_residual == 0 {
            assert!(found.terms.iter().all(|term| term.std_error.is_none()), "seed {seed}");
            continue;
        }
        for (term, (_, beta, error)) in found.terms.iter().zip(&wanted) {
            let own = term.std_error.unwrap_or_else(|| panic!("seed {seed}: {:?}", found.notes));
            let scale = beta.abs().max(*error);
            assert!((term.estimate - beta).abs() < APART_MAX * scale, "seed {seed}: {term:?}");
            assert!((own / error - 1.0).abs() < APART_MAX, "seed {seed}: {term:?}, {error}");
            compared += 1;
        }
    }
    assert!(compared > 250, "{compared} coefficients compared");
}

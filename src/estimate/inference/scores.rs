//! Variances of coefficients, from the residuals in one more pass over the rows.
//!
//! # Equation
//! With `B = (X̃'WX̃)⁻¹` and the scores `s_i = w_i x̃_i e_i`: iid `B Σwe²/(N−K)`; HC1 `B (Σ s s') B
//! · N/(N−K)`; clustered `B (Σ_g s_g s_g') B · G/(G−1) · (N−1)/(N−K)`, in two ways `V_A + V_B −
//! V_AB`.

use std::ops::Range;

use faer::traits::pulp::NullaryFnOnce;
use rayon::prelude::*;

use crate::estimate::absorb::Absorbed;
use crate::estimate::absorb::LANES;
use crate::estimate::absorb::linear::lanes::{add_scaled, add_squares, vectorised};
use crate::estimate::absorb::sample::layout::Layout;
use crate::estimate::absorb::sample::level_sums::{Sums, Totals};
use crate::estimate::design::codes::Codes;
use crate::estimate::least_squares::Coefficients;

/// The sums of one model's residuals.
#[derive(Debug, Clone)]
pub struct Scores {
    /// `Σ w e²`
    pub rss: f64,
    /// `X̃'W e`: zero except for rounding, which it corrects.
    pub gradient: Vec<f64>,
    /// `Σ s²` of each regressor: the size of the scores before their sum.
    pub squares: Vec<f64>,
    /// `Σ s s'` for each way of clustering, or for the rows.
    pub meats: Vec<Vec<f64>>,
}

/// The groups in which scores are added up before they are squared.
#[derive(Debug, Clone, Copy)]
pub enum ScoresBy<'c> {
    /// No groups: no meat is needed.
    Nothing,
    /// Rows.
    Row,
    /// Clusters, in one or more ways.
    Cluster(&'c [&'c Codes]),
}

/// Makes one pass over the residuals for these models.
#[must_use]
pub fn scores(absorbed: &Absorbed<'_>, models: &[Coefficients], by: ScoresBy<'_>) -> Vec<Scores> {
    let layout = absorbed.layout();
    let shape = Shape::new(models, by);
    let parts: Vec<Partial> = (0..layout.parts.len())
        .into_par_iter()
        .map(|part| {
            let mut partial = Partial::new(absorbed, part, &shape);
            absorbed.residuals().visit(
                layout.parts[part].clone(),
                |_, _| {},
                |rows, block| {
                    let partial = &mut partial;
                    vectorised(Adding { partial, shape: &shape, layout, rows, block });
                },
            );
            partial
        })
        .collect();
    shape.collected(parts)
}

/// `B M B` for symmetric matrices by rows.
#[must_use]
pub fn sandwich(inverse: &[f64], meat: &[f64], k: usize) -> Vec<f64> {
    let product = |a: &[f64], b: &[f64]| -> Vec<f64> {
        let cell = |at: usize| (0..k).map(|l| a[at / k * k + l] * b[l * k + at % k]).sum();
        (0..k * k).map(cell).collect()
    };
    product(&product(inverse, meat), inverse)
}

/// The positions of each model's scores in a row of scores.
struct Shape<'m> {
    models: &'m [Coefficients],
    by: ScoresBy<'m>,
    starts: Vec<usize>,
    width: usize,
}

struct Partial {
    scores: Vec<f64>,
    rss: Vec<f64>,
    gradient: Vec<f64>,
    squares: Vec<f64>,
    of_rows: Vec<Vec<f64>>,
    clusters: Vec<Sums>,
}

impl<'m> Shape<'m> {
    fn new(models: &'m [Coefficients], by: ScoresBy<'m>) -> Self {
        let mut starts = vec![0];
        for model in models {
            starts.push(starts[starts.len() - 1] + model.kept.len());
        }
        let width = starts[models.len()].next_multiple_of(LANES).max(LANES);
        Self { models, by, starts, width }
    }

    fn collected(&self, parts: Vec<Partial>) -> Vec<Scores> {
        let mut by_set: Vec<Vec<Sums>> = Vec::new();
        let mut rss = vec![0.0; self.models.len()];
        let (mut gradient, mut squares) = (vec![0.0; self.width], vec![0.0; self.width]);
        let mut of_rows: Vec<Vec<f64>> =
            self.models.iter().map(|m| vec![0.0; m.kept.len().pow(2)]).collect();
        for part in parts {
            add_all(&mut rss, &part.rss);
            add_all(&mut gradient, &part.gradient);
            add_all(&mut squares, &part.squares);
            of_rows.iter_mut().zip(&part.of_rows).for_each(|(sum, part)| add_all(sum, part));
            by_set.resize_with(part.clusters.len(), Vec::new);
            by_set.iter_mut().zip(part.clusters).for_each(|(set, sums)| set.push(sums));
        }
        let totals = self.cluster_totals(&by_set);
        let each = self.starts.windows(2).zip(rss).zip(of_rows);
        each.map(|((bounds, rss), of_rows)| Scores {
            rss,
            gradient: gradient[bounds[0]..bounds[1]].to_vec(),
            squares: squares[bounds[0]..bounds[1]].to_vec(),
            meats: match self.by {
                ScoresBy::Nothing => Vec::new(),
                ScoresBy::Row => vec![of_rows],
                ScoresBy::Cluster(_) => {
                    totals.iter().map(|sums| outer(sums, self.width, bounds)).collect()
                }
            },
        })
        .collect()
    }

    fn cluster_totals(&self, by_set: &[Vec<Sums>]) -> Vec<Vec<f64>> {
        let ScoresBy::Cluster(sets) = self.by else { return Vec::new() };
        let total = |(sums, codes): (&Vec<Sums>, &&Codes)| {
            let mut total = Totals::new([codes.n_levels].into_iter(), self.width);
            total.collect(sums);
            total.values
        };
        by_set.iter().zip(sets).map(total).collect()
    }
}

impl Partial {
    fn new(absorbed: &Absorbed<'_>, part: usize, shape: &Shape<'_>) -> Self {
        let clusters = match shape.by {
            ScoresBy::Cluster(sets) => sets
                .iter()
                .map(|codes| absorbed.layout().sums_over(part, codes, shape.width))
                .collect(),
            _ => Vec::new(),
        };
        Self {
            scores: vec![0.0; shape.width],
            rss: vec![0.0; shape.models.len()],
            gradient: vec![0.0; shape.width],
            squares: vec![0.0; shape.width],
            of_rows: shape.models.iter().map(|m| vec![0.0; m.kept.len().pow(2)]).collect(),
            clusters,
        }
    }

    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    fn add(&mut self, shape: &Shape<'_>, row: usize, values: &[f64], weight: f64) {
        for (m, model) in shape.models.iter().enumerate() {
            let fitted = model.kept.iter().zip(&model.estimates).map(|(&j, b)| b * values[j]);
            let residual = values[model.outcome] - fitted.sum::<f64>();
            self.rss[m] += weight * residual * residual;
            let scores = &mut self.scores[shape.starts[m]..shape.starts[m + 1]];
            for (score, &j) in scores.iter_mut().zip(&model.kept) {
                *score = weight * residual * values[j];
            }
            if let ScoresBy::Row = shape.by {
                add_outer(&mut self.of_rows[m], scores);
            }
        }
        add_scaled(&mut self.gradient, &self.scores, 1.0);
        add_squares(&mut self.squares, &self.scores);
        if let ScoresBy::Cluster(sets) = shape.by {
            for (sums, codes) in self.clusters.iter_mut().zip(sets) {
                add_scaled(sums.level(0, codes.of_row[row]), &self.scores, 1.0);
            }
        }
    }
}

/// The addition of a block of residuals.
struct Adding<'b, 'm, 'a> {
    partial: &'b mut Partial,
    shape: &'b Shape<'m>,
    layout: &'b Layout<'a>,
    rows: Range<usize>,
    block: &'b [f64],
}

impl NullaryFnOnce for Adding<'_, '_, '_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    fn call(self) {
        for (row, values) in self.rows.zip(self.block.chunks_exact(self.layout.width)) {
            self.partial.add(self.shape, row, values, self.layout.weight(row));
        }
    }
}

fn add_all(sum: &mut [f64], part: &[f64]) {
    sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
}

fn add_outer(sum: &mut [f64], scores: &[f64]) {
    for (row, a) in sum.chunks_exact_mut(scores.len().max(1)).zip(scores) {
        row.iter_mut().zip(scores).for_each(|(sum, b)| *sum += a * b);
    }
}

/// `Σ_g s_g s_g'` of the scores between two positions.
fn outer(sums: &[f64], width: usize, bounds: &[usize]) -> Vec<f64> {
    let mut meat = vec![0.0; (bounds[1] - bounds[0]).pow(2)];
    for cluster in sums.chunks_exact(width) {
        add_outer(&mut meat, &cluster[bounds[0]..bounds[1]]);
    }
    meat
}

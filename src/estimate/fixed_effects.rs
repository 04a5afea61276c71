//! The fixed effects themselves, recovered from the potentials of the variables.
//!
//! # Equation
//! For an iterated effect: `α(y) − Σ_j β_j α(x_j)`. For the swept effect: the mean of the remainder
//! in each group. Each effect is known up to constants that shift between effects: only their sum
//! is identified. An effect that a finer one explains is zero.

use rayon::prelude::*;

use super::absorb::Absorbed;
use super::design::Variable;
use super::design::codes::Codes;
use super::error::EstimateError;
use super::formula::{Formula, Term};
use super::result::Estimate;

/// The values of one effect, one for each of its levels.
#[derive(Debug, Clone)]
pub struct FixedEffect<'e> {
    /// The levels, in the working order of the sample.
    pub codes: &'e Codes,
    /// The value of each level.
    pub values: Vec<f64>,
}

/// The value of one level of one effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectLevel {
    /// The effect's position in the formula.
    pub effect: usize,
    /// A row of the panel in the level.
    pub row: usize,
    /// The value.
    pub value: f64,
}

/// Every level of every effect, in the order of the formula and of the levels' first rows.
///
/// # Errors
/// [`EstimateError::NotAbsorbed`]: the estimate has a variable that was not absorbed.
pub fn levels(
    absorbed: &Absorbed<'_>,
    formula: &Formula,
    estimate: &Estimate,
) -> Result<Vec<EffectLevel>, EstimateError> {
    let rows = &absorbed.layout().design.rows;
    let mut levels = Vec::new();
    for (effect, found) in recover(absorbed, formula, estimate)?.into_iter().enumerate() {
        let mut first = vec![u32::MAX; found.codes.n_levels];
        for (&level, &row) in found.codes.of_row.iter().zip(rows) {
            first[level as usize] = first[level as usize].min(row);
        }
        let mut own: Vec<EffectLevel> = first
            .into_iter()
            .zip(found.values)
            .map(|(row, value)| EffectLevel { effect, row: row as usize, value })
            .collect();
        own.sort_unstable_by_key(|level| level.row);
        levels.extend(own);
    }
    Ok(levels)
}

/// The fixed effects of an estimate, in the order of the design.
///
/// # Errors
/// [`EstimateError::NotAbsorbed`]: the estimate has a variable that was not absorbed.
pub fn recover<'e>(
    absorbed: &'e Absorbed<'_>,
    formula: &Formula,
    estimate: &Estimate,
) -> Result<Vec<FixedEffect<'e>>, EstimateError> {
    let layout = absorbed.layout();
    let combination = combination(absorbed, formula, estimate)?;
    let combined = |row: &[f64]| -> f64 { row.iter().zip(&combination).map(|(v, c)| v * c).sum() };
    let mut effects: Vec<FixedEffect<'e>> = layout
        .design
        .effects
        .iter()
        .map(|codes| FixedEffect { codes: codes.as_ref(), values: vec![0.0; codes.n_levels] })
        .collect();
    for (place, (i, _)) in layout.iterated().enumerate() {
        let potentials = absorbed.potentials(place);
        effects[i].values = potentials.chunks_exact(layout.width).map(combined).collect();
    }
    if let Some(swept) = layout.swept {
        // Variables are read as deviations from their origins, which the swept effect absorbs.
        let variables = layout.design.variables.iter().zip(&combination);
        let origin: f64 = variables.map(|(variable, c)| c * variable.origin()).sum();
        let rest = |group: usize| {
            let rows = layout.rows_of(group..group + 1);
            let left = |row: usize| {
                let panel_row = layout.design.rows[row] as usize;
                let values = layout.design.variables.iter().zip(&combination);
                let whole: f64 = values.map(|(variable, c)| c * variable.at(panel_row)).sum();
                let taken: f64 = layout
                    .iterated()
                    .map(|(i, codes)| effects[i].values[codes.of_row[row] as usize])
                    .sum();
                layout.weight(row) * (whole - taken)
            };
            let sum: f64 = rows.clone().map(left).sum();
            let level = layout.design.effects[swept].of_row[rows.start];
            (level, origin + sum / layout.weight_total(rows))
        };
        let means: Vec<(u32, f64)> =
            (0..layout.groups.len() - 1).into_par_iter().map(rest).collect();
        let mut values = vec![0.0; means.len()];
        for (level, mean) in means {
            values[level as usize] = mean;
        }
        effects[swept].values = values;
    }
    Ok(effects)
}

/// The weights of a combination: one for the outcome, minus the coefficient for each regressor.
fn combination(
    absorbed: &Absorbed<'_>,
    formula: &Formula,
    estimate: &Estimate,
) -> Result<Vec<f64>, EstimateError> {
    let variables = &absorbed.layout().design.variables;
    let mut combination = vec![0.0; absorbed.layout().width];
    let outcome = Variable::name_of(&Term { factors: vec![formula.outcome.clone()] });
    let factors = estimate.terms.iter().map(|term| (&term.term, -term.estimate));
    for (name, factor) in [(&outcome, 1.0)].into_iter().chain(factors) {
        let place = variables.iter().position(|variable| variable.name == *name);
        let place = place.ok_or_else(|| EstimateError::NotAbsorbed { name: name.clone() })?;
        combination[place] += factor;
    }
    Ok(combination)
}

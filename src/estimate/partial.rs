//! Residuals row by row: of a model, of the model without some of its regressors, and of these
//! regressors.
//!
//! # Equation
//! With `Z` the other regressors, after the absorption of the effects: `e° = ỹ − Z̃ (Z̃'WZ̃)⁻¹
//! Z̃'Wỹ`, the residuals of the model in which the coefficients of the chosen regressors `X` are
//! zero; `X̌ = X̃ − Z̃ (Z̃'WZ̃)⁻¹ Z̃'WX̃`, and `e = e° − X̌ b`.

use rayon::prelude::*;

use super::Options;
use super::absorb::Absorbed;
use super::design::{Design, Variable};
use super::error::EstimateError;
use super::formula::{Formula, Term};
use super::inference::places;
use super::least_squares::{Coefficients, CrossProducts};
use super::panel::Panel;

/// The residuals of a sample.
#[derive(Debug, Clone)]
pub struct Partial {
    /// The panel's row of each row of the sample.
    pub rows: Vec<u32>,
    /// The weight of each row; `None` if each counts once.
    pub weights: Option<Vec<f64>>,
    /// The residuals `e°` of the model without the chosen regressors.
    pub restricted: Vec<f64>,
    /// The residuals `e` of the model.
    pub residuals: Vec<f64>,
    /// `X̌` of each chosen regressor.
    pub regressors: Vec<Vec<f64>>,
    /// The coefficients of the chosen regressors.
    pub estimates: Vec<f64>,
    /// `(X̌'WX̌)⁻¹`, by rows.
    pub inverse: Vec<f64>,
}

/// Computes the residuals of a formula for some of its regressors.
///
/// # Errors
/// - Those of [`super::estimate`].
/// - [`EstimateError::NotAbsorbed`]: a chosen regressor is not one of the formula, or is collinear.
pub fn partial(
    panel: &Panel<'_>,
    formula: &Formula,
    (options, chosen): (&Options, &[Term]),
) -> Result<Partial, EstimateError> {
    let mut request = options.request(formula);
    request.required.clone_from(&options.required);
    let design = Design::build(panel, &request)?;
    let absorbed = Absorbed::solve(design, &options.absorb, None)?;
    let cross = CrossProducts::of(&absorbed);
    let (outcome, regressors) = places(&absorbed, formula)?;
    let model = Coefficients::solve(&absorbed, &cross, outcome, &regressors);
    let variables = &absorbed.layout().design.variables;
    let place = |term: &Term| {
        let name = Variable::name_of(term);
        let found = model.kept.iter().copied().find(|&place| variables[place].name == name);
        found.ok_or(EstimateError::NotAbsorbed { name })
    };
    let chosen: Vec<usize> = chosen.iter().map(place).collect::<Result<_, _>>()?;
    let others: Vec<usize> =
        model.kept.iter().copied().filter(|place| !chosen.contains(place)).collect();
    let less = |of: usize, estimates: &[f64], regressors: &[usize]| {
        let mut weights = vec![0.0; variables.len()];
        weights[of] = 1.0;
        regressors.iter().zip(estimates).for_each(|(&place, b)| weights[place] -= b);
        weights
    };
    let without_others = |of: usize| less(of, &cross.solution(of, &others).0, &others);
    let mut combinations =
        vec![without_others(outcome), less(outcome, &model.estimates, &model.kept)];
    combinations.extend(chosen.iter().map(|&place| without_others(place)));
    let mut columns = combined(&absorbed, &combinations).into_iter();
    let (restricted, residuals) =
        (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
    let k = model.kept.len();
    let own: Vec<usize> =
        chosen.iter().filter_map(|place| model.kept.iter().position(|own| own == place)).collect();
    let inverse = own
        .iter()
        .flat_map(|&i| own.iter().map(move |&j| (i, j)))
        .map(|(i, j)| model.inverse[i * k + j]);
    Ok(Partial {
        rows: absorbed.layout().design.rows.clone(),
        weights: absorbed.layout().design.weights.clone(),
        restricted,
        residuals,
        regressors: columns.collect(),
        estimates: own.iter().map(|&i| model.estimates[i]).collect(),
        inverse: inverse.collect(),
    })
}

/// Combinations of the residualised variables, row by row.
fn combined(absorbed: &Absorbed<'_>, combinations: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let layout = absorbed.layout();
    let part = |part: usize| {
        let mut columns = vec![Vec::new(); combinations.len()];
        absorbed.residuals().visit(
            layout.parts[part].clone(),
            |_, _| {},
            |_, block| {
                for row in block.chunks_exact(layout.width) {
                    for (column, weights) in columns.iter_mut().zip(combinations) {
                        column.push(row.iter().zip(weights).map(|(v, w)| v * w).sum());
                    }
                }
            },
        );
        columns
    };
    let parts: Vec<Vec<Vec<f64>>> = (0..layout.parts.len()).into_par_iter().map(part).collect();
    let mut columns = vec![Vec::with_capacity(layout.design.n_obs()); combinations.len()];
    for part in parts {
        columns.iter_mut().zip(part).for_each(|(column, part)| column.extend(part));
    }
    columns
}

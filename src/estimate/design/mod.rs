//! Panel and formula to a sample: its rows, and their level of each effect.
//!
//! The values of the variables stay in the panel; interactions are multiplied when read. The sample
//! stores for each row its number in the panel and its levels.

pub mod codes;
pub(super) mod components;
pub mod singletons;
mod variable;

use std::sync::Arc;

use rayon::prelude::*;

use self::codes::Codes;
use self::singletons::Singletons;
pub use self::variable::Variable;
use super::error::EstimateError;
use super::formula::{Formula, Interaction, Term};
use super::panel::{Column, Panel, Part};

/// The request for a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The outcomes and regressors, each a column or a product; a term without factors is the
    /// constant.
    pub variables: Vec<Term>,
    /// The fixed effects.
    pub effects: Vec<Interaction>,
    /// The sets of clusters.
    pub clusters: Vec<Interaction>,
    /// The column of weights.
    pub weights: Option<String>,
    /// Further columns in which a row must have a value, although no model reads them. Models with
    /// a common sample use this.
    pub required: Vec<String>,
    /// The treatment of rows alone in a level of a fixed effect.
    pub singletons: Singletons,
    /// True if variables are read as deviations from their means, because every model has the
    /// constant. With fixed effects, which remove the mean too, only variables far from zero are
    /// centred.
    pub centred: bool,
}

/// The rows of the sample, their levels and the variables to read.
#[derive(Debug, Clone)]
pub struct Design<'a> {
    /// Outcomes and regressors.
    pub variables: Vec<Variable<'a>>,
    /// The panel rows of the sample.
    pub rows: Vec<u32>,
    /// The fixed effects, as requested.
    pub effects: Vec<Arc<Codes>>,
    /// The columns that each effect combines.
    pub effect_columns: Vec<Vec<Column<'a>>>,
    /// The sets of clusters, as requested.
    pub clusters: Vec<Arc<Codes>>,
    /// The names of the clusters, as requested: codes shared with an effect may have its name.
    pub cluster_names: Vec<String>,
    /// The weight of each row of the sample.
    pub weights: Option<Vec<f64>>,
    /// The column of the weights.
    pub weight: Option<Variable<'a>>,
    /// The origin of the panel's rows, if known.
    pub parts: Vec<Part>,
    /// The number of rows left out for a missing or infinite value or a weight of zero.
    pub n_missing: usize,
    /// The number of rows left out as singletons.
    pub n_singletons: usize,
}

impl Request {
    /// The common request of several formulas with the same effects.
    ///
    /// # Errors
    /// [`EstimateError::EffectsDiffer`]: a formula has other effects than the first.
    pub fn of_formulas(
        formulas: &[Formula],
        clusters: &[Interaction],
        weights: Option<&str>,
    ) -> Result<Self, EstimateError> {
        let differ = |formula: &str| EstimateError::EffectsDiffer { formula: formula.into() };
        let (first, more) = formulas.split_first().ok_or_else(|| differ(""))?;
        let mut request = Self::of_formula(first, clusters, weights);
        for formula in more {
            let own = Self::of_formula(formula, clusters, weights);
            if own.effects != request.effects {
                return Err(differ(&formula.to_string()));
            }
            request.centred &= own.centred;
            for variable in own.variables {
                if !request.variables.contains(&variable) {
                    request.variables.push(variable);
                }
            }
        }
        Ok(request)
    }

    /// The request of one formula: its outcome first, then the constant if there is one, then its
    /// terms.
    #[must_use]
    pub fn of_formula(formula: &Formula, clusters: &[Interaction], weights: Option<&str>) -> Self {
        let outcome = Term { factors: vec![formula.outcome.clone()] };
        let constant = has_constant(formula).then(|| Term { factors: Vec::new() });
        let terms = formula.terms.iter().cloned();
        Self {
            variables: [outcome].into_iter().chain(constant).chain(terms).collect(),
            effects: formula.effects.clone(),
            clusters: clusters.to_vec(),
            weights: weights.map(Into::into),
            required: Vec::new(),
            singletons: Singletons::default(),
            centred: has_constant(formula),
        }
    }
}

/// True if the constant is a regressor: fixed effects absorb it.
#[must_use]
pub fn has_constant(formula: &Formula) -> bool {
    formula.intercept && formula.effects.is_empty()
}

impl<'a> Design<'a> {
    /// The sample: rows with all values, without singletons.
    ///
    /// # Errors
    /// - [`EstimateError::UnknownColumn`], [`EstimateError::NotNumeric`]: a column does not exist,
    ///   or is not numeric.
    /// - [`EstimateError::NegativeWeight`]: a weight is below zero.
    /// - [`EstimateError::NoRows`]: no row remains.
    ///
    /// # Panics
    /// Never: every interaction is listed before it is looked up.
    pub fn build(panel: &Panel<'a>, request: &Request) -> Result<Self, EstimateError> {
        let mut variables = request
            .variables
            .iter()
            .map(|term| Variable::new(panel, term))
            .collect::<Result<Vec<_>, _>>()?;
        let weights = request.weights.as_ref().map(|name| weight(panel, name)).transpose()?;
        let (names, columns) = distinct(panel, &[&request.effects, &request.clusters])?;
        let mut needed: Vec<Column<'_>> = columns.iter().flatten().copied().collect();
        for name in &request.required {
            needed.push(panel.column(name)?);
        }
        let mut rows = complete_rows(panel.n_rows(), &variables, &needed, weights.as_ref())?;
        let n_missing = panel.n_rows() - rows.len();
        let codes: Vec<Codes> = names
            .par_iter()
            .zip(&columns)
            .map(|(name, columns)| Codes::encode(name.to_string(), columns, &rows))
            .collect();
        let find = |effect: &Interaction| same(&names, effect).expect("every effect was listed");
        let of_effects: Vec<usize> = request.effects.iter().map(find).collect();
        let effects: Vec<&Codes> = of_effects.iter().map(|&i| &codes[i]).collect();
        let stays = match request.singletons {
            Singletons::Dropped => singletons::kept(&effects, rows.len()),
            Singletons::Kept => vec![true; rows.len()],
        };
        let n_singletons = stays.iter().filter(|&&stays| !stays).count();
        if n_singletons == rows.len() {
            return Err(no_rows(panel, request, n_missing, n_singletons));
        }
        let codes: Vec<Arc<Codes>> = codes
            .into_par_iter()
            .map(|codes| if n_singletons == 0 { codes } else { codes.retain(&stays) })
            .map(Arc::new)
            .collect();
        let mut stays = stays.iter();
        rows.retain(|_| stays.next().is_some_and(|&stays| stays));
        let weight = weights;
        let weights: Option<Vec<f64>> =
            weight.as_ref().map(|w| rows.iter().map(|&row| w.at(row as usize)).collect());
        if request.centred {
            variables
                .par_iter_mut()
                .for_each(|variable| variable.centre(&rows, weights.as_deref()));
        } else if !request.effects.is_empty() {
            variables.par_iter_mut().for_each(|variable| variable.centre_if_far(&rows));
        }
        let clusters = request.clusters.iter().map(|c| codes[find(c)].clone()).collect();
        let effect_columns = of_effects.iter().map(|&i| columns[i].clone()).collect();
        let effects = of_effects.into_iter().map(|i| codes[i].clone()).collect();
        Ok(Self {
            variables,
            rows,
            effects,
            effect_columns,
            clusters,
            cluster_names: request.clusters.iter().map(Interaction::to_string).collect(),
            weights,
            weight,
            parts: panel.parts().to_vec(),
            n_missing,
            n_singletons,
        })
    }

    /// The number of rows of the sample.
    #[must_use]
    pub fn n_obs(&self) -> usize {
        self.rows.len()
    }
}

fn weight<'a>(panel: &Panel<'a>, name: &str) -> Result<Variable<'a>, EstimateError> {
    Variable::new(panel, &Term { factors: vec![name.into()] })
}

/// The rows with all values and a weight.
fn complete_rows(
    n_rows: usize,
    variables: &[Variable<'_>],
    needed: &[Column<'_>],
    weights: Option<&Variable<'_>>,
) -> Result<Vec<u32>, EstimateError> {
    const ROWS_PER_PIECE: usize = 1 << 16;
    let piece = |start: usize| {
        let rows = start..n_rows.min(start + ROWS_PER_PIECE);
        let mut present = vec![true; rows.len()];
        for variable in variables {
            variable.mark_missing(rows.start, &mut present);
        }
        for column in needed {
            for (row, present) in rows.clone().zip(&mut present) {
                *present &= column.is_present(row);
            }
        }
        if let Some(weights) = weights {
            for (row, present) in rows.clone().zip(&mut present) {
                let weight = weights.at(row);
                if weight < 0.0 {
                    return Err(EstimateError::NegativeWeight { row, weight });
                }
                *present &= weight > 0.0 && weight.is_finite();
            }
        }
        let first = u32::try_from(rows.start).expect("a panel has fewer than 2^32 rows");
        Ok((first..).zip(present).filter(|&(_, present)| present).map(|(row, _)| row).collect())
    };
    let starts: Vec<usize> = (0..n_rows).step_by(ROWS_PER_PIECE).collect();
    let pieces: Result<Vec<Vec<u32>>, _> = starts.into_par_iter().map(piece).collect();
    Ok(pieces?.concat())
}

/// Each interaction once, with its columns.
type Distinct<'r, 'a> = (Vec<&'r Interaction>, Vec<Vec<Column<'a>>>);

fn distinct<'r, 'a>(
    panel: &Panel<'a>,
    lists: &[&'r [Interaction]],
) -> Result<Distinct<'r, 'a>, EstimateError> {
    let (mut names, mut columns) = (Vec::new(), Vec::new());
    for interaction in lists.iter().copied().flatten() {
        if same(&names, interaction).is_none() {
            names.push(interaction);
            let factors = interaction.factors.iter().map(|name| panel.levels(name));
            columns.push(factors.collect::<Result<Vec<_>, _>>()?);
        }
    }
    Ok((names, columns))
}

/// The position of an interaction among others, for any order of its factors.
fn same(among: &[&Interaction], wanted: &Interaction) -> Option<usize> {
    among.iter().position(|known| {
        known.factors.len() == wanted.factors.len()
            && known.factors.iter().all(|factor| wanted.factors.contains(factor))
    })
}

fn no_rows(
    panel: &Panel<'_>,
    request: &Request,
    n_missing: usize,
    n_singletons: usize,
) -> EstimateError {
    let n_rows = panel.n_rows();
    let factors = request.variables.iter().map(|term| &term.factors);
    let factors = factors.chain(request.effects.iter().map(|effect| &effect.factors)).flatten();
    let is_empty = |column: Column<'_>| !(0..n_rows).any(|row| column.is_present(row));
    let empty = |name: &&String| {
        panel.column(name).is_ok_and(is_empty) || panel.levels(name).is_ok_and(is_empty)
    };
    let column = factors.clone().find(empty).filter(|_| n_rows > 0).cloned();
    EstimateError::NoRows { n_rows, n_missing, n_singletons, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design<'a>(panel: &Panel<'a>, formula: &str) -> Result<Design<'a>, EstimateError> {
        let formula = Formula::parse(formula).expect("a formula");
        Design::build(panel, &Request::of_formula(&formula, &[], None))
    }

    fn panel<'a>(columns: &[(&str, Column<'a>)]) -> Panel<'a> {
        let named = columns.iter().map(|(name, column)| ((*name).into(), *column)).collect();
        Panel::new(named).expect("columns of one length")
    }

    #[test]
    fn rows_without_a_value_are_counted_out() {
        let y = [1.0, f64::NAN, 3.0, 4.0, f64::INFINITY, 6.0];
        let f = [0, 0, 0, 1, 1, MISSING_CODE];
        let panel = panel(&[("y", Column::Real(&y)), ("f", Column::Code(&f))]);
        let design = design(&panel, "y ~ 1 | f").expect("a sample");
        assert_eq!((design.rows, design.n_missing, design.n_singletons), (vec![0, 2], 3, 1));
    }

    const MISSING_CODE: u32 = crate::estimate::panel::MISSING;

    #[test]
    fn products_that_overflow_are_missing() {
        let x = [1e300, 1.0];
        let panel = panel(&[("x", Column::Real(&x)), ("y", Column::Real(&x))]);
        assert_eq!(design(&panel, "y ~ x:y").expect("a sample").rows, [1]);
    }

    #[test]
    fn a_column_without_values_is_named() {
        let panel = panel(&[("x", Column::Real(&[f64::NAN; 2])), ("y", Column::Integer(&[1, 2]))]);
        let error = design(&panel, "y ~ x").expect_err("no rows");
        assert!(error.to_string().contains("\"x\" is missing everywhere"), "{error}");
    }

    #[test]
    fn unknown_and_categorical_columns_are_refused() {
        let panel = panel(&[("y", Column::Real(&[1.0])), ("f", Column::Code(&[1]))]);
        assert!(matches!(design(&panel, "y ~ z"), Err(EstimateError::UnknownColumn { .. })));
        assert!(matches!(design(&panel, "y ~ f"), Err(EstimateError::NotNumeric { .. })));
    }
}

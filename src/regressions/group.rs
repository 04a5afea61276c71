//! Columns that share sample and effects, solved once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use super::columns::{Columns, OPTIONAL, names};
use super::error::RegressionError;
use super::memories::{Key, Memories};
use super::panels::{Kind, Panels};
use super::sample::{Mask, SAMPLE, mask};
use crate::estimate::design::{Design, Request};
use crate::estimate::formula::{Formula, Term};
use crate::estimate::influence::LeaveOut;
use crate::estimate::memory::Memory;
use crate::estimate::panel::Column as Values;
use crate::estimate::partial::{Partial, partial};
use crate::estimate::result::{Estimate, NoStdError};
use crate::estimate::{Estimated, Options, estimate_all};
use crate::specification::Column;

/// The number of rows from which groups are solved in sequence: the threads are busy within each,
/// and only one problem is in memory besides the panel.
const ROWS_ONE_BY_ONE: usize = 1 << 20;

/// The note about an outcome without a standard deviation.
const NOT_STANDARDISED: &str =
    "The outcome is constant, so no figure is measured in standard deviations.";

/// A column with the position of its outcome.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'s> {
    /// The position among the outcomes.
    pub place: usize,
    /// The column.
    pub column: &'s Column,
}

/// Columns that share sample and effects, of one specification or of several.
#[derive(Debug)]
pub struct Group<'c, 's> {
    sample: Arc<Sample<'c>>,
    members: Vec<Asked<'s>>,
}

/// An estimated model.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The estimate.
    pub estimate: Estimate,
    /// The duration in seconds from the panel to the estimates of all columns solved together.
    pub seconds: f64,
}

/// The position and the result of a column.
pub type Solved = (usize, Result<Fit, Arc<RegressionError>>);

/// The result of a group: a fit for each of its columns, and the state for the next estimation.
type Fitted = (Vec<Fit>, Memory);

impl<'c, 's> Group<'c, 's> {
    /// A group of one column.
    pub fn new(sample: Arc<Sample<'c>>, asked: Asked<'s>) -> Self {
        Self { sample, members: vec![asked] }
    }

    /// True if a column with its sample belongs to this group.
    pub fn takes(&self, sample: &Sample<'_>, asked: &Asked<'_>) -> bool {
        let own = &self.members[0];
        self.sample.kind == sample.kind
            && self.sample.rows == sample.rows
            && together(own.column, asked.column)
    }

    /// Adds a column that belongs to this group.
    pub fn push(&mut self, asked: Asked<'s>) {
        self.members.push(asked);
    }

    /// The key of the group's memory: the sample's rules and the effects, then the variables and
    /// those that restrict the sample.
    pub fn key(&self) -> Key {
        let rules = rules(self.sample.kind, self.members[0].column);
        let terms = self.members.iter().flat_map(|asked| {
            let Formula { outcome, terms, .. } = &asked.column.formula;
            std::iter::once(outcome.clone()).chain(terms.iter().map(Term::to_string))
        });
        let mut terms: Vec<String> = terms.collect();
        terms.sort_unstable();
        terms.dedup();
        let variables = format!("{:?} {terms:?}", self.sample.gaps);
        Key::new(self.sample.kind.month(), &rules, &variables)
    }

    fn solve(
        &self,
        memory: Option<&Memory>,
        leave_out: Option<&LeaveOut>,
    ) -> Result<Fitted, RegressionError> {
        let columns: Vec<&Column> = self.members.iter().map(|asked| asked.column).collect();
        self.sample.solve(&columns, memory, leave_out)
    }

    /// The columns as groups of one.
    fn apart(&self) -> Vec<Self> {
        let alone = |asked: &Asked<'s>| Self::new(Arc::clone(&self.sample), *asked);
        self.members.iter().map(alone).collect()
    }

    fn all(&self, error: RegressionError) -> Vec<Solved> {
        let error = Arc::new(error);
        self.members.iter().map(|asked| (asked.place, Err(Arc::clone(&error)))).collect()
    }
}

/// Solves groups. Fitting `memories` are used and replaced by those of the new solutions. After a
/// failure of several columns, each of them is tried alone: only the faulty column then fails.
pub fn solve(
    groups: &[Group<'_, '_>],
    mut memories: Option<&mut Memories>,
    leave_out: Option<&LeaveOut>,
) -> Vec<Solved> {
    let keys: Vec<Key> = groups.iter().map(Group::key).collect();
    let recalled: Vec<Option<Memory>> = keys
        .iter()
        .map(|key| memories.as_mut().and_then(|memories| memories.recall(key)))
        .collect();
    let one =
        |(group, memory): (&Group<'_, '_>, Option<Memory>)| group.solve(memory.as_ref(), leave_out);
    let pairs = groups.iter().zip(recalled);
    let results: Vec<_> = if groups.iter().all(|group| group.sample.n_rows() < ROWS_ONE_BY_ONE) {
        pairs.collect::<Vec<_>>().into_par_iter().map(one).collect()
    } else {
        pairs.map(one).collect()
    };
    let mut solved = Vec::new();
    for ((group, key), result) in groups.iter().zip(keys).zip(results) {
        match result {
            Ok((fits, memory)) => {
                let places = group.members.iter().map(|asked| asked.place);
                solved.extend(places.zip(fits.into_iter().map(Ok)));
                if let Some(memories) = memories.as_deref_mut() {
                    memories.keep(key, memory);
                }
            }
            Err(error) => {
                let apart = group.apart();
                if apart.len() > 1 {
                    solved.extend(solve(&apart, memories.as_deref_mut(), leave_out));
                } else {
                    solved.extend(group.all(error));
                }
            }
        }
    }
    solved
}

/// True if two columns on the same rows share sample and effects.
fn together(a: &Column, b: &Column) -> bool {
    (&a.keep, &a.trim, &a.drop_largest, a.centre) == (&b.keep, &b.trim, &b.drop_largest, b.centre)
        && (&a.absorb, a.singletons) == (&b.absorb, b.singletons)
        && a.formula.effects == b.formula.effects
        && a.formula.intercept == b.formula.intercept
        && (&a.weights, &a.inference) == (&b.weights, &b.inference)
}

/// The rules of a sample and its effects, without the variables.
fn rules(kind: Kind, column: &Column) -> String {
    let Column { keep, trim, drop_largest, centre, weights, formula, singletons, .. } = column;
    let effects = &formula.effects;
    format!(
        "{kind:?} {keep:?} {trim:?} {drop_largest:?} {centre} {weights:?} {effects:?} \
         {singletons:?}"
    )
}

/// Centred columns by name, and the means that were subtracted.
type Centred = (Vec<(String, Vec<f64>)>, Vec<f64>);

/// A panel in memory, with the samples found so far.
#[derive(Debug)]
pub struct Samples<'c> {
    kind: Kind,
    columns: &'c Columns,
    /// The names of the panel's columns.
    there: Vec<String>,
    /// Columns that lack a value in some row, as far as checked.
    has_gap: BTreeMap<String, bool>,
    /// The samples found so far.
    known: Vec<Arc<Sample<'c>>>,
}

/// The rows of a panel in which certain variables have a value.
#[derive(Debug)]
pub struct Sample<'c> {
    kind: Kind,
    columns: &'c Columns,
    /// The rows as one hash: columns with the same rows have the same sample.
    rows: blake3::Hash,
    /// The variables that a row can lack, in order; they determine the rows.
    gaps: Vec<String>,
}

impl<'c> Samples<'c> {
    /// Samples on the columns of a panel.
    pub fn on(panels: &Panels<'_>, kind: Kind, columns: &'c Columns) -> Self {
        let there = names(panels, kind);
        Self { kind, columns, there, has_gap: BTreeMap::new(), known: Vec::new() }
    }

    /// The rows with a value of each of a column's variables, before its own rules apply.
    ///
    /// # Errors
    /// [`RegressionError::NoColumn`], [`RegressionError::Absent`] if a variable is missing.
    pub fn of(&mut self, column: &Column) -> Result<Arc<Sample<'c>>, RegressionError> {
        self.check(column)?;
        let mut gaps: Vec<String> = Vec::new();
        for name in column.variables() {
            let columns = self.columns;
            let has_gap = self.has_gap.entry(name.to_owned());
            if *has_gap.or_insert_with(|| columns.has_gap(name)) {
                gaps.push(name.to_owned());
            }
        }
        gaps.sort_unstable();
        if let Some(known) = self.known.iter().find(|known| known.gaps == gaps) {
            return Ok(Arc::clone(known));
        }
        let sample = Arc::new(Sample::of(self.kind, self.columns, gaps));
        self.known.push(Arc::clone(&sample));
        Ok(sample)
    }

    /// Checks that the panel has all variables of a column.
    fn check(&self, column: &Column) -> Result<(), RegressionError> {
        let panel = self.kind.name();
        for name in column.reads() {
            if !self.there.iter().any(|there| there == name) {
                let (column, there) = (name.to_owned(), self.there.clone());
                return Err(if OPTIONAL.contains(&name) {
                    RegressionError::Absent { panel, column }
                } else {
                    RegressionError::NoColumn { panel, column, there }
                });
            }
            if self.columns.is_absent(name) {
                return Err(RegressionError::Absent { panel, column: name.to_owned() });
            }
        }
        Ok(())
    }
}

impl<'c> Sample<'c> {
    fn of(kind: Kind, columns: &'c Columns, gaps: Vec<String>) -> Self {
        let with_gaps: Vec<Values<'_>> =
            gaps.iter().filter_map(|name| columns.column(name)).collect();
        let whole = |row: usize| u8::from(with_gaps.iter().all(|column| column.is_present(row)));
        let rows: Vec<u8> = (0..columns.n_rows()).into_par_iter().map(whole).collect();
        Self { kind, columns, rows: blake3::hash(&rows), gaps }
    }

    fn n_rows(&self) -> usize {
        self.columns.n_rows()
    }

    /// Estimates columns that share sample and effects.
    fn solve(
        &self,
        members: &[&Column],
        memory: Option<&Memory>,
        leave_out: Option<&LeaveOut>,
    ) -> Result<Fitted, RegressionError> {
        let begin = Instant::now();
        let mask = mask(self.columns, &self.gaps, members[0])?;
        let n_excluded = mask.as_ref().map_or(0, |mask| mask.n_excluded);
        let solved = self.solve_within(mask.as_ref(), members, memory, leave_out);
        let (estimates, memory) = solved.map_err(|error| error.with_excluded(n_excluded))?;
        let seconds = begin.elapsed().as_secs_f64();
        let fits = estimates.into_iter().map(|estimate| Fit { estimate, seconds });
        Ok((fits.collect(), memory))
    }

    /// Estimates columns on the rows that pass their rules.
    fn solve_within(
        &self,
        mask: Option<&Mask>,
        members: &[&Column],
        memory: Option<&Memory>,
        leave_out: Option<&LeaveOut>,
    ) -> Result<(Vec<Estimate>, Memory), RegressionError> {
        let one = members[0];
        let formulas: Vec<Formula> = members.iter().map(|column| column.formula.clone()).collect();
        let mut instead: Vec<(String, Values<'_>)> = Vec::new();
        if let Some(mask) = mask {
            instead.push((SAMPLE.to_owned(), Values::Code(&mask.codes)));
        }
        let options = self.options(one, mask, leave_out);
        let (centred, means) = if one.centre {
            self.centred(&formulas, &options, &instead)?
        } else {
            Centred::default()
        };
        instead.extend(centred.iter().map(|(name, v)| (name.clone(), Values::Real(v))));
        let constants: Vec<u8> = means.iter().flat_map(|mean| mean.to_le_bytes()).collect();
        let panel = self.columns.panel(&instead, &constants)?;
        let estimated = estimate_all(&panel, &formulas, &options, memory)?;
        let Estimated { mut estimates, deviations, memory, .. } = estimated;
        for (column, estimate) in members.iter().zip(&mut estimates) {
            if column.standardise {
                standardise(&deviations, &column.formula, estimate);
            }
            if let Some(asked) = leave_out {
                estimate.name_groups(|row| self.columns.texts(&asked.groups.factors, row));
            }
        }
        Ok((estimates, memory))
    }

    /// The residuals of a column for some of its regressors.
    pub fn partial(&self, column: &Column, chosen: &[Term]) -> Result<Partial, RegressionError> {
        let mask = mask(self.columns, &self.gaps, column)?;
        let mut instead: Vec<(String, Values<'_>)> = Vec::new();
        if let Some(mask) = &mask {
            instead.push((SAMPLE.to_owned(), Values::Code(&mask.codes)));
        }
        let options = self.options(column, mask.as_ref(), None);
        let panel = self.columns.panel(&instead, &[])?;
        Ok(partial(&panel, &column.formula, (&options, chosen))?)
    }

    /// The options of columns like this one, on the rows that pass their rules.
    fn options(
        &self,
        column: &Column,
        mask: Option<&Mask>,
        leave_out: Option<&LeaveOut>,
    ) -> Options {
        let mut required = self.gaps.clone();
        required.extend(mask.map(|_| SAMPLE.to_owned()));
        Options {
            weights: column.weights.clone(),
            required,
            singletons: column.singletons,
            inference: column.inference.clone(),
            leave_out: leave_out.cloned(),
            absorb: column.absorb.clone(),
        }
    }

    /// The factors of interactions minus their means over the sample.
    fn centred(
        &self,
        formulas: &[Formula],
        options: &Options,
        instead: &[(String, Values<'_>)],
    ) -> Result<Centred, RegressionError> {
        let panel = self.columns.panel(instead, &[])?;
        let weights = options.weights.as_deref();
        let mut request = Request::of_formulas(formulas, &[], weights)?;
        request.required.clone_from(&options.required);
        request.singletons = options.singletons;
        let rows = Design::build(&panel, &request)?.rows;
        let names: BTreeSet<&str> = formulas.iter().flat_map(interacted).collect();
        let mut centred = Centred::default();
        for name in names {
            let value = super::sample::numbers(self.columns, name)?;
            let sum: f64 = rows.iter().map(|&row| value(row as usize)).sum();
            let mean = sum / real(rows.len());
            let values = (0..self.columns.n_rows()).map(|row| value(row) - mean).collect();
            centred.0.push((name.to_owned(), values));
            centred.1.push(mean);
        }
        Ok(centred)
    }
}

/// The columns in interactions of regressors.
fn interacted(formula: &Formula) -> impl Iterator<Item = &str> {
    let products = formula.terms.iter().filter(|term| term.factors.len() > 1);
    products.flat_map(|term: &Term| term.factors.iter().map(String::as_str))
}

/// Measures outcome and regressors in their standard deviations over the sample: rescales
/// coefficients and keeps tests.
fn standardise(deviations: &[(String, f64)], formula: &Formula, estimate: &mut Estimate) {
    let sd = |name: &str| {
        let found = deviations.iter().find(|(known, _)| known == name);
        found.map_or(f64::NAN, |(_, deviation)| *deviation)
    };
    let outcome = sd(&Term { factors: vec![formula.outcome.clone()] }.to_string());
    let constant = Some(NoStdError::OutcomeConstant);
    if outcome == 0.0 || estimate.terms.iter().any(|term| term.std_error_reason == constant) {
        estimate.notes.push(NOT_STANDARDISED.to_owned());
        return;
    }
    let scales: Vec<f64> = estimate.terms.iter().map(|term| sd(&term.term) / outcome).collect();
    estimate.terms.iter_mut().zip(&scales).for_each(|(term, scale)| term.rescale(*scale));
    if let Some(influence) = &mut estimate.influence {
        influence.rescale(&scales);
    }
    let k = scales.len();
    for (at, cell) in estimate.covariance.iter_mut().flatten().enumerate() {
        *cell *= scales[at / k] * scales[at % k];
    }
    estimate.rss /= outcome * outcome;
}

#[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
fn real(count: usize) -> f64 {
    count as f64
}

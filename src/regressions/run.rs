//! Specifications to estimates: columns that share sample and effects are solved once.
//!
//! The sample of a specification is the rows in which none of the variables of any of its columns
//! is absent, as far as the panel has them. A column that reads a variable without any value fails,
//! by that name, and asks nothing of the others' sample.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::columns::{Columns, names};
use super::error::RegressionError;
use super::memories::Memories;
use super::panels::{Kind, Panels};
use super::sample::{SAMPLE, mask};
use crate::archive::Publication;
use crate::estimate::absorb::AbsorbOptions;
use crate::estimate::design::{Design, Request};
use crate::estimate::formula::{Formula, Term};
use crate::estimate::panel::Column as Values;
use crate::estimate::result::Estimate;
use crate::estimate::{Estimated, Options, estimate_all};
use crate::specification::{Column, Specification};
use crate::types::{Vintage, Year};

/// What to estimate.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'s> {
    /// The specification.
    pub specification: &'s Specification,
    /// Its columns that are wanted.
    pub wanted: &'s dyn Wanted,
}

/// Which columns are wanted.
pub trait Wanted: std::fmt::Debug {
    /// Whether one is.
    fn wants(&self, column: &Column) -> bool;
}

/// A model that was estimated.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The estimate.
    pub estimate: Estimate,
    /// Seconds from the panel to the estimates of all columns solved with it.
    pub seconds: f64,
}

/// What became of a column.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The specification's name.
    pub specification: String,
    /// The column's name.
    pub column: String,
    /// What is different about it.
    pub label: String,
    /// The panel.
    pub panel: Kind,
    /// The last year of the sample.
    pub through: Year,
    /// The newest publication and file.
    pub as_of: (Publication, Vintage),
    /// What the panel was made from.
    pub stamp: String,
    /// The estimate, or why there is none.
    pub result: Result<Fit, Arc<RegressionError>>,
}

impl Outcome {
    /// How the model is called: specification and column.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.specification, self.column)
    }
}

/// The regressions of a home.
pub struct Regressions<'a> {
    /// Its panels.
    pub panels: Panels<'a>,
    years: Vec<Year>,
    loaded: BTreeMap<Kind, Result<Columns, Arc<RegressionError>>>,
}

/// A column with the outcome it leads to.
struct Asked<'s> {
    place: usize,
    column: &'s Column,
}

impl<'a> Regressions<'a> {
    /// Over the closed years up to one, or all.
    ///
    /// # Errors
    /// [`RegressionError::NoYear`], [`RegressionError::NotClosed`] if there are none.
    pub fn new(panels: Panels<'a>, through: Option<Year>) -> Result<Self, RegressionError> {
        let years = panels.years(through)?;
        Ok(Self { panels, years, loaded: BTreeMap::new() })
    }

    /// The years of the sample.
    #[must_use]
    pub fn years(&self) -> &[Year] {
        &self.years
    }

    /// Reads the columns that names stand for into memory, once.
    fn load(&mut self, wanted: &BTreeMap<Kind, BTreeSet<String>>) {
        for (&kind, names) in wanted {
            let loaded = self.read(kind, names);
            self.loaded.insert(kind, loaded.map_err(Arc::new));
        }
    }

    /// Reads columns of a panel into memory.
    ///
    /// # Errors
    /// [`RegressionError`] if a year cannot be made or read.
    pub(super) fn read(
        &mut self,
        kind: Kind,
        names: &BTreeSet<String>,
    ) -> Result<Columns, RegressionError> {
        self.panels.prepare(kind, &self.years)?;
        Columns::load(&self.panels, kind, &self.years, names)
    }

    /// A panel's columns, once loaded.
    fn columns(&self, kind: Kind) -> Result<&Columns, Arc<RegressionError>> {
        self.loaded[&kind].as_ref().map_err(Arc::clone)
    }

    /// Estimates what is asked for, in its order; `memories` are used where they fit, and those
    /// of the new solutions put in their place.
    ///
    /// # Errors
    /// [`RegressionError`] if the home cannot be read; a column that fails is an outcome.
    pub fn run(
        &mut self,
        asks: &[Ask<'_>],
        mut memories: Option<&mut Memories>,
    ) -> Result<Vec<Outcome>, RegressionError> {
        let mut wanted: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
        for ask in asks {
            let columns = ask.specification.columns();
            for kind in columns.iter().filter(|c| ask.wanted.wants(c)).map(Kind::of) {
                let names = wanted.entry(kind).or_default();
                names.extend(columns.iter().flat_map(Column::reads).map(str::to_owned));
            }
        }
        self.load(&wanted);
        let mut outcomes = Vec::new();
        for ask in asks {
            self.specification(ask, memories.as_deref_mut(), &mut outcomes)?;
        }
        Ok(outcomes)
    }

    fn specification(
        &self,
        ask: &Ask<'_>,
        mut memories: Option<&mut Memories>,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<(), RegressionError> {
        let mut by_kind: BTreeMap<Kind, Vec<Asked<'_>>> = BTreeMap::new();
        for column in ask.specification.columns().iter().filter(|c| ask.wanted.wants(c)) {
            let kind = Kind::of(column);
            by_kind.entry(kind).or_default().push(Asked { place: outcomes.len(), column });
            outcomes.push(self.unanswered(ask.specification, column)?);
        }
        for (kind, asked) in by_kind {
            let columns = match self.columns(kind) {
                Ok(columns) => columns,
                Err(error) => {
                    for one in &asked {
                        outcomes[one.place].result = Err(Arc::clone(&error));
                    }
                    continue;
                }
            };
            let sample = Sample::of(&self.panels, kind, columns, ask.specification);
            let mut groups: Vec<Vec<&Asked<'_>>> = Vec::new();
            for one in &asked {
                if let Err(error) = sample.check(one.column) {
                    outcomes[one.place].result = Err(Arc::new(error));
                    continue;
                }
                match groups.iter_mut().find(|group| together(group[0].column, one.column)) {
                    Some(group) => group.push(one),
                    None => groups.push(vec![one]),
                }
            }
            for group in groups {
                let members: Vec<&Column> = group.iter().map(|one| one.column).collect();
                let fits = sample.solve(&members, memories.as_deref_mut());
                let error = fits.as_ref().err().map(Arc::clone);
                let mut fits = fits.into_iter().flatten();
                for one in group {
                    outcomes[one.place].result = match &error {
                        Some(error) => Err(Arc::clone(error)),
                        None => Ok(fits.next().expect("a fit for each column of a group")),
                    };
                }
            }
        }
        Ok(())
    }

    /// The outcome of a column before there is one.
    fn unanswered(
        &self,
        specification: &Specification,
        column: &Column,
    ) -> Result<Outcome, RegressionError> {
        let kind = Kind::of(column);
        Ok(Outcome {
            specification: specification.name.clone(),
            column: column.name.clone(),
            label: column.label.clone(),
            panel: kind,
            through: self.years[self.years.len() - 1],
            as_of: self.panels.archive.last_publication()?.unwrap_or_default(),
            stamp: self.panels.stamps(kind, &self.years)?,
            result: Err(Arc::new(RegressionError::NoYear { through: None })),
        })
    }
}

/// Whether two columns share sample and effects.
fn together(a: &Column, b: &Column) -> bool {
    (&a.keep, &a.trim, &a.drop_largest, a.centre) == (&b.keep, &b.trim, &b.drop_largest, b.centre)
        && a.formula.effects == b.formula.effects
        && a.formula.intercept == b.formula.intercept
        && (&a.weights, &a.inference) == (&b.weights, &b.inference)
}

/// Centred columns by name, and the means that they are less.
type Centred = (Vec<(String, Vec<f64>)>, Vec<f64>);

/// The sample of a specification on one panel.
struct Sample<'c> {
    kind: Kind,
    columns: &'c Columns,
    /// The specification's name: of two that ask for the same each has its own start.
    name: &'c str,
    /// The columns that the panel has.
    there: Vec<String>,
    /// Those that a row must have a value in.
    needed: Vec<String>,
}

impl<'c> Sample<'c> {
    fn of(
        panels: &Panels<'_>,
        kind: Kind,
        columns: &'c Columns,
        specification: &'c Specification,
    ) -> Self {
        let there = names(panels, kind);
        let mut sample =
            Self { kind, columns, name: &specification.name, there, needed: Vec::new() };
        let mut needed: Vec<String> = Vec::new();
        for name in specification.columns().iter().flat_map(Column::variables) {
            let counts = columns.column(name).is_some() && !columns.is_absent(name);
            if counts && !needed.iter().any(|other| other == name) {
                needed.push(name.to_owned());
            }
        }
        sample.needed = needed;
        sample
    }

    /// Whether a column can be estimated at all.
    fn check(&self, column: &Column) -> Result<(), RegressionError> {
        let panel = self.kind.name();
        for name in column.reads() {
            if !self.there.iter().any(|there| there == name) {
                // Asked for by option, and then there.
                let optional = ["ln_supply", "hs6"].contains(&name);
                let (column, there) = (name.to_owned(), self.there.clone());
                return Err(if optional {
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

    /// Estimates columns that share sample and effects.
    fn solve(
        &self,
        members: &[&Column],
        memories: Option<&mut Memories>,
    ) -> Result<Vec<Fit>, Arc<RegressionError>> {
        self.solve_group(members, memories).map_err(Arc::new)
    }

    fn solve_group(
        &self,
        members: &[&Column],
        mut memories: Option<&mut Memories>,
    ) -> Result<Vec<Fit>, RegressionError> {
        let begin = Instant::now();
        let one = members[0];
        let formulas: Vec<Formula> = members.iter().map(|column| column.formula.clone()).collect();
        let mask = mask(self.columns, &self.needed, one)?;
        let mut instead: Vec<(String, Values<'_>)> = Vec::new();
        let mut required = self.needed.clone();
        if let Some(mask) = &mask {
            instead.push((SAMPLE.to_owned(), Values::Code(mask)));
            required.push(SAMPLE.to_owned());
        }
        let (weights, inference) = (one.weights.clone(), one.inference.clone());
        let absorb = AbsorbOptions::default();
        let options = Options { weights, required, inference, absorb };
        let (centred, means) = if one.centre {
            self.centred(&formulas, &options, &instead)?
        } else {
            Centred::default()
        };
        instead.extend(centred.iter().map(|(name, v)| (name.clone(), Values::Real(v))));
        let constants: Vec<u8> = means.iter().flat_map(|mean| mean.to_le_bytes()).collect();
        let panel = self.columns.panel(&instead, &constants)?;
        let key = self.memory_key(one);
        let memory = memories.as_mut().and_then(|memories| memories.recall(&key));
        let estimated = estimate_all(&panel, &formulas, &options, memory.as_ref())?;
        let Estimated { mut estimates, deviations, memory, .. } = estimated;
        for (column, estimate) in members.iter().zip(&mut estimates) {
            if column.standardise {
                standardise(&deviations, &column.formula, estimate);
            }
        }
        if let Some(memories) = memories {
            memories.keep(key, memory);
        }
        let seconds = begin.elapsed().as_secs_f64();
        Ok(estimates.into_iter().map(|estimate| Fit { estimate, seconds }).collect())
    }

    /// The factors of interactions less their means over the sample.
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

    /// What a memory is of: the same effects on the same kind of sample.
    fn memory_key(&self, column: &Column) -> String {
        let Column { keep, trim, drop_largest, centre, weights, formula, .. } = column;
        let effects = &formula.effects;
        format!(
            "{} {:?} {keep:?} {trim:?} {drop_largest:?} {centre} {weights:?} {effects:?}",
            self.name, self.kind
        )
    }
}

/// The columns that stand in an interaction of regressors.
fn interacted(formula: &Formula) -> impl Iterator<Item = &str> {
    let products = formula.terms.iter().filter(|term| term.factors.len() > 1);
    products.flat_map(|term: &Term| term.factors.iter().map(String::as_str))
}

/// Measures outcome and regressors in their standard deviations over the sample: coefficients are
/// rescaled, tests stay.
fn standardise(deviations: &[(String, f64)], formula: &Formula, estimate: &mut Estimate) {
    let sd = |name: &str| {
        let found = deviations.iter().find(|(known, _)| known == name);
        found.map_or(f64::NAN, |(_, deviation)| *deviation)
    };
    let outcome = sd(&Term { factors: vec![formula.outcome.clone()] }.to_string());
    let scales: Vec<f64> = estimate.terms.iter().map(|term| sd(&term.term) / outcome).collect();
    for (term, scale) in estimate.terms.iter_mut().zip(&scales) {
        term.estimate *= scale;
        for figure in [&mut term.std_error, &mut term.conf_low, &mut term.conf_high] {
            *figure = figure.map(|figure| figure * scale).filter(|figure| figure.is_finite());
        }
    }
    let k = scales.len();
    for (at, cell) in estimate.covariance.iter_mut().enumerate() {
        *cell *= scales[at / k] * scales[at % k];
    }
    estimate.rss /= outcome * outcome;
}

#[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
fn real(count: usize) -> f64 {
    count as f64
}

//! The rows of a span by what is known at a vintage, compared with a baseline, and their units.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::coefficients::Estimates;
use super::error::EffectError;
use super::model::Model;
use super::numerics::{Coefficients, Sum};
use super::request::{Baseline, EffectLevel, EffectRequest};
use super::rows::{Reading, Row, Rows, density_of, levels};
use super::within::{TwoEffects, unexplained};
use crate::domain::span::SpanAt;
use crate::domain::types::{City, Country, Firm, Period};
use crate::estimate::formula::Term;
use crate::spans::{SpanSource, YearPlants};

/// A model with the terms of a component.
#[derive(Clone, Debug)]
pub struct Setup<'r> {
    /// The request.
    pub request: &'r EffectRequest,
    /// The model.
    pub model: Model,
    /// The terms.
    pub terms: Vec<Term>,
    /// The estimates of the model.
    pub estimates: Estimates,
}

/// The rows of a span, compared with a baseline.
pub struct State {
    /// The span of the growth.
    pub at: SpanAt,
    /// The rows that the baseline leaves.
    pub rows: Rows,
    /// The plants of its year.
    pub plants: Arc<YearPlants>,
}

/// The rows of a unit, added up.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// The number of rows.
    pub n_rows: u64,
    /// Their exports, in cents.
    pub cents: i64,
    /// The number of firms.
    pub n_firms: u64,
    /// The exports of the firm with the most, in cents.
    pub largest_firm_cents: i64,
    /// The firm of the last row, with its exports so far: rows are in order of firm.
    last: (Option<Firm>, i64),
    weighted: Sum,
}

impl Unit {
    fn add(&mut self, row: &Row) {
        self.n_rows += 1;
        self.cents += row.cents;
        if self.last.0 != Some(row.plant.firm) {
            self.last = (Some(row.plant.firm), 0);
            self.n_firms += 1;
        }
        self.last.1 += row.cents;
        self.largest_firm_cents = self.largest_firm_cents.max(self.last.1);
        self.weighted.add(&row.z, amount(row.cents));
    }

    /// The mean vector, weighted by exports.
    #[must_use]
    pub fn mean(&self) -> Vec<f64> {
        self.weighted.over(amount(self.cents))
    }
}

/// An amount in cents as a weight.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "rounding an amount above 2^53 moves by 1e-16")]
pub fn amount(cents: i64) -> f64 {
    cents as f64
}

impl Setup<'_> {
    /// The place of the term with these factors.
    #[must_use]
    pub fn place(&self, factors: &[&str]) -> Option<usize> {
        let wanted = Term { factors: factors.iter().map(|factor| (*factor).to_owned()).collect() };
        self.terms.iter().position(|term| *term == wanted)
    }

    /// The spans whose rows are read for a month: that of the growth and that of the density.
    ///
    /// # Errors
    /// [`EffectError::Span`] if one does not exist.
    pub fn spans(
        &self,
        source: &SpanSource<'_>,
        month: Period,
    ) -> Result<[SpanAt; 2], EffectError> {
        let at = source.span(self.request.span, month)?;
        self.model.check_months(&self.terms, at.n_months())?;
        let density = density_of(at, self.request.density).unwrap_or(at);
        Ok([at, source.span(density.span(), density.end())?])
    }

    /// The states of some months of one year, from two scans; with a year before, from four.
    ///
    /// # Errors
    /// [`EffectError::Span`] if a span does not exist, or a file of the home cannot be read.
    pub fn states(
        &self,
        source: &SpanSource<'_>,
        months: &[Period],
    ) -> Result<Vec<State>, EffectError> {
        let (plants, spans, read) = self.read(source, months)?;
        let before = if self.request.baseline.is_change() {
            let months: Vec<Period> = months.iter().map(|month| month.year_before()).collect();
            Some(self.read(source, &months)?.2)
        } else {
            None
        };
        let mut states = Vec::new();
        for (place, (rows, [at, _])) in read.into_iter().zip(spans).enumerate() {
            let before = before.as_ref().map(|before| &before[place]);
            let rows = compared(rows, before, self.request.baseline);
            states.push(State { at, rows, plants: Arc::clone(&plants) });
        }
        Ok(states)
    }

    /// The state of a month.
    ///
    /// # Errors
    /// Those of [`Setup::states`].
    pub fn state(&self, source: &SpanSource<'_>, month: Period) -> Result<State, EffectError> {
        let state = self.states(source, &[month])?.pop();
        state.ok_or(EffectError::NoMonth)
    }

    /// The rows of some months of one year, before a comparison.
    #[expect(clippy::type_complexity, reason = "three results of one scan")]
    fn read(
        &self,
        source: &SpanSource<'_>,
        months: &[Period],
    ) -> Result<(Arc<YearPlants>, Vec<[SpanAt; 2]>, Vec<Rows>), EffectError> {
        let spans = months.iter().map(|month| self.spans(source, *month));
        let spans: Vec<[SpanAt; 2]> = spans.collect::<Result<_, _>>()?;
        let year = months.first().ok_or(EffectError::NoMonth)?.year();
        let mut all: Vec<SpanAt> = spans.iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        let plants = Arc::new(source.year_plants(year, &all)?);
        let shown = self.model.shown(self.request.component).unwrap_or(self.model.affiliate());
        let reading = Reading::new(&plants, (&self.model, shown.into()), &self.terms);
        let rows = spans.iter().map(|[at, density]| reading.rows(*at, *density)).collect();
        Ok((plants, spans, rows))
    }
}

/// The rows compared with a baseline.
fn compared(rows: Rows, before: Option<&Rows>, baseline: Baseline) -> Rows {
    let rows = match before {
        Some(before) => changes(rows, before),
        None => rows,
    };
    if baseline.is_contrast() { contrasts(rows) } else { rows }
}

/// The rows of both years, with the change of their vectors.
fn changes(rows: Rows, before: &Rows) -> Rows {
    let matched = rows.matched(before);
    let change = |row: &Row| {
        let before = matched.of(row)?;
        let z = row.z.iter().zip(&before.z).map(|(now, before)| now - before).collect();
        Some(Row { z, ..row.clone() })
    };
    let changed = rows.all.iter().filter_map(change).collect();
    Rows { all: changed, ..rows }
}

/// The rows that are not alone, with the residuals of their vectors from plant and destination.
fn contrasts(rows: Rows) -> Rows {
    let effects = TwoEffects::new(&levels(&rows.all));
    let mut kept: Vec<Row> = effects.rows().iter().map(|place| rows.all[*place].clone()).collect();
    let n_terms = kept.first().map_or(0, |row| row.z.len());
    for term in 0..n_terms {
        let values: Vec<f64> = kept.iter().map(|row| row.z[term]).collect();
        let residuals = effects.residuals(&values);
        for (row, residual) in kept.iter_mut().zip(residuals) {
            row.z[term] = residual;
        }
    }
    Rows { all: kept, ..rows }
}

impl State {
    /// The units of a market at a level of markets, or of a row's plant.
    fn keys(&self, level: EffectLevel, (city, country): (City, Country)) -> Vec<&str> {
        let EffectLevel::Of(level) = level else { return Vec::new() };
        let keys = self.plants.keys();
        let units = keys.of_market(city, country).map(|unit| keys.unit(unit));
        units.filter(|(of, _)| *of == level).map(|(_, key)| key).collect()
    }

    /// Passes each row with each of its units to `each`.
    pub fn each_unit<'s>(&'s self, level: EffectLevel, mut each: impl FnMut(&str, &'s Row)) {
        for row in &self.rows.all {
            match level {
                EffectLevel::Plant => each(&self.plant_key(row), row),
                EffectLevel::Of(_) => {
                    for key in self.keys(level, (row.plant.city, row.country)) {
                        each(key, row);
                    }
                }
            }
        }
    }

    /// True if a row is in a unit.
    #[must_use]
    pub fn is_in(&self, level: EffectLevel, key: &str, row: &Row) -> bool {
        match level {
            EffectLevel::Plant => self.plant_key(row) == key,
            EffectLevel::Of(_) => self.keys(level, (row.plant.city, row.country)).contains(&key),
        }
    }

    fn plant_key(&self, row: &Row) -> String {
        let firm = self.rows.firms.text(row.plant.firm.0);
        format!("{firm}^{}", self.plants.definition().places.code(row.plant.city))
    }

    /// The units with rows, in order of key.
    #[must_use]
    pub fn units(&self, level: EffectLevel) -> BTreeMap<String, Unit> {
        let mut units: BTreeMap<String, Unit> = BTreeMap::new();
        self.each_unit(level, |key, row| match units.get_mut(key) {
            Some(unit) => unit.add(row),
            None => units.entry(key.to_owned()).or_default().add(row),
        });
        units
    }

    /// The exports of each unit in the span, in cents: those of all firms, or of the plant.
    #[must_use]
    pub fn totals(&self, level: EffectLevel) -> BTreeMap<String, i64> {
        let mut totals: BTreeMap<String, i64> = BTreeMap::new();
        if level == EffectLevel::Plant {
            let of_plant = |row: &Row| (self.plant_key(row), row.plant_cents);
            return self.rows.all.iter().map(of_plant).collect();
        }
        for (city, country, cents) in self.plants.exports(self.at) {
            for key in self.keys(level, (city, country)) {
                *totals.entry(key.to_owned()).or_default() += cents;
            }
        }
        totals
    }

    /// The share of the effects' variance outside plant and destination; `None` without variance.
    #[must_use]
    pub fn identified(&self, coefficients: &Coefficients) -> Option<f64> {
        let rows = &self.rows.all;
        let effects: Vec<f64> = rows.iter().map(|row| coefficients.effect(&row.z)).collect();
        unexplained(&TwoEffects::new(&levels(rows)), &effects)
    }

    /// The smallest and the largest density of the rows.
    #[must_use]
    pub fn densities(&self) -> Option<(f64, f64)> {
        let densities = self.rows.all.iter().map(|row| row.density);
        densities.fold(None, |range, density| {
            let (low, high) = range.unwrap_or((density, density));
            Some((low.min(density), high.max(density)))
        })
    }
}

//! The parts of effects by source city: what each affiliate city accounts for.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::component::Component;
use super::error::EffectError;
use super::live::{Claim, Live};
use super::model::Pair;
use super::numerics::{Coefficients, Sum};
use super::request::{Baseline, EffectLevel};
use super::rows::Row;
use super::state::{State, amount};
use crate::domain::span::SpanAt;
use crate::domain::types::{City, Country, Growth, Plant, Vintage};
use crate::estimate::formula::Term;
use crate::indicators::{Contribution, Source};
use crate::tables::{ln_density, mean};

/// The part of a source city in the effect of a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRow {
    /// The unit.
    pub key: String,
    /// The source city.
    pub source_city: String,
    /// The growth that the rows of the unit read in the city: the sum of `S` over rows.
    pub growth_sum: f64,
    /// The exporters that they read: the sum of `n` over rows.
    pub exporters: i64,
    /// The share of the exporters, weighted as the effect.
    pub information: f64,
    /// The part of the effect.
    pub contribution: f64,
    /// The effect less that without the city, over the rows with another source; `None` without
    /// one.
    pub leave_out: Option<f64>,
}

/// The sources of a month's effects.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The span.
    pub at: SpanAt,
    /// The vintage.
    pub vintage: Vintage,
    /// The model.
    pub model: String,
    /// The level.
    pub level: EffectLevel,
    /// The rows, by unit and source.
    pub rows: Vec<SourceRow>,
    /// What the figures may claim.
    pub claim: Claim,
}

/// The affiliate cities of each row.
type OfRows = FxHashMap<(Plant, Country), Vec<Source>>;

/// The slope of a row as a function of its density and of its number of affiliate cities.
struct Slope<'s> {
    coefficients: &'s Coefficients,
    terms: &'s [Term],
    density: &'static str,
    pair: Pair,
}

/// A source's part of a row.
struct PartOfRow {
    city: City,
    growth: i64,
    exporters: i64,
    information: f64,
    contribution: f64,
    leave_out: Option<f64>,
}

#[derive(Default)]
struct Added {
    growth: i64,
    exporters: i64,
    /// Information, contribution, and the effect less that without the city.
    sums: Sum,
    has_leave_out: bool,
}

impl Live<'_> {
    /// The sources of the month's effects, by the coefficients of the year before.
    ///
    /// # Errors
    /// - [`EffectError::NoSources`] for other components and baselines.
    /// - Those of [`Live::effects`].
    pub fn sources(&self) -> Result<Sources, EffectError> {
        let (request, month) = (self.setup.request, self.month()?);
        if request.component != Component::Affiliate || request.baseline != Baseline::Zero {
            return Err(EffectError::NoSources);
        }
        let applied = self.applied(month.year().previous())?;
        let state = self.setup.state(&self.source, month)?;
        let [at, density] = self.setup.spans(&self.source, month)?;
        let own = sources(&state, at);
        let others = if density == at { None } else { Some(sources(&state, density)) };
        let slope = Slope {
            coefficients: &applied.coefficients,
            terms: &self.setup.terms,
            density: self.setup.model.affiliate().1,
            pair: self.setup.model.pair,
        };
        let mut added: BTreeMap<(String, City), Added> = BTreeMap::new();
        let units = state.units(request.level);
        state.each_unit(request.level, |key, row| {
            let of = (row.plant, row.country);
            let others = others.as_ref().unwrap_or(&own);
            for part in slope.parts(row, &own[&of], &others[&of]) {
                let sums = added.entry((key.to_owned(), part.city)).or_default();
                sums.add(&part, amount(row.cents));
            }
        });
        let places = &self.source.definition().places;
        let row = |((key, city), sums): ((String, City), Added)| {
            let total = amount(units[&key].cents);
            sums.row(key, places.code(city).to_owned(), total)
        };
        let mut rows: Vec<SourceRow> = added.into_iter().map(row).collect();
        rows.sort_by(|a, b| (&a.key, &a.source_city).cmp(&(&b.key, &b.source_city)));
        let (model, level) = (self.setup.model.name.clone(), request.level);
        let claim = self.claim(&state, std::slice::from_ref(&applied));
        Ok(Sources { at: state.at, vintage: self.vintage, model, level, rows, claim })
    }
}

/// The affiliate cities of each row of a span.
fn sources(state: &State, at: SpanAt) -> OfRows {
    let mut all = OfRows::default();
    state.plants.each_firm(at, |facts, made| {
        made.sources_of_firm(facts, |fact, sources| {
            if let Some(country) = fact.country {
                all.insert((fact.plant, country), sources.to_vec());
            }
        });
    });
    all
}

/// The contributions of sources added up, with their area.
fn total(sources: &[Source]) -> (Contribution, i64) {
    let mut all = Contribution::default();
    for source in sources {
        all.add(&source.contribution);
    }
    (all, sources.iter().map(|source| source.area_m2).sum())
}

impl Slope<'_> {
    /// The parts of a row's sources; `others` are those of the density's span.
    fn parts(&self, row: &Row, sources: &[Source], others: &[Source]) -> Vec<PartOfRow> {
        let (all, _) = total(sources);
        let (all_others, area_m2) = total(others);
        let slope = self.at(row, row.density, 0.0);
        let effect = self.coefficients.effect(&row.z);
        let part = |source: &Source| {
            let own = &source.contribution;
            let (share, growth) = self.shares(own, &all);
            let other = others.iter().find(|other| other.city == source.city);
            let (other, other_m2) =
                other.map_or_else(Default::default, |of| (of.contribution, of.area_m2));
            let without = self.growth(&all.without(own)).and_then(|growth| {
                let left = all_others.without(&other);
                let density = self.density(&left, area_m2 - other_m2)?;
                Some(growth * self.at(row, density, 1.0))
            });
            PartOfRow {
                city: source.city,
                growth: own.sum.growth,
                exporters: own.sum.exporters,
                information: share,
                contribution: slope * growth,
                leave_out: without.map(|without| effect - without),
            }
        };
        sources.iter().map(part).collect()
    }

    /// The slope at a density, with fewer affiliate cities.
    fn at(&self, row: &Row, density: f64, n_fewer: f64) -> f64 {
        let terms = self.terms.iter().zip(&row.others).zip(&self.coefficients.estimates);
        let slope = terms.map(|((term, other), estimate)| {
            let has = |name: &str| term.factors.iter().any(|factor| factor == name);
            let other = if has("affiliate_cities") { other - n_fewer } else { *other };
            let density = if has(self.density) { density } else { 1.0 };
            estimate * other * density
        });
        slope.sum()
    }

    /// A source's share of the information, and its part of the growth.
    #[expect(clippy::cast_precision_loss, reason = "rounding a ratio of integers moves by 1e-16")]
    fn shares(&self, own: &Contribution, all: &Contribution) -> (f64, f64) {
        let (part, growth, whole) = match self.pair {
            Pair::Plain => {
                let whole = all.sum.exporters as f64;
                (own.sum.exporters as f64, own.sum.growth as f64, whole)
            }
            Pair::Weighted => {
                let whole = all.weighted.cents as f64;
                (own.weighted.cents as f64, own.weighted.growth as f64, whole)
            }
        };
        (part / whole, growth / whole / Growth::ONE)
    }

    fn growth(&self, of: &Contribution) -> Option<f64> {
        match self.pair {
            Pair::Plain => mean(of.sum),
            Pair::Weighted => weighted(of.weighted.growth, of.weighted.cents),
        }
    }

    fn density(&self, of: &Contribution, area_m2: i64) -> Option<f64> {
        match self.pair {
            Pair::Plain => ln_density(of.sum.exporters, area_m2),
            Pair::Weighted => weighted(of.weighted.ln_density, of.weighted.cents),
        }
    }
}

/// A weighted mean; `None` without weights.
#[expect(clippy::cast_precision_loss, reason = "rounding a ratio of integers moves by 1e-16")]
fn weighted(sum: i128, cents: i128) -> Option<f64> {
    (cents > 0).then(|| sum as f64 / cents as f64 / Growth::ONE)
}

impl Added {
    fn add(&mut self, part: &PartOfRow, weight: f64) {
        self.growth += part.growth;
        self.exporters += part.exporters;
        self.has_leave_out |= part.leave_out.is_some();
        let leave_out = part.leave_out.unwrap_or(0.0);
        self.sums.add(&[part.information, part.contribution, leave_out], weight);
    }

    #[expect(clippy::cast_precision_loss, reason = "rounding a sum above 2^53 moves by 1e-16")]
    fn row(&self, key: String, source_city: String, total: f64) -> SourceRow {
        let sums = self.sums.over(total);
        SourceRow {
            key,
            source_city,
            growth_sum: self.growth as f64 / Growth::ONE,
            exporters: self.exporters,
            information: sums[0],
            contribution: sums[1],
            leave_out: self.has_leave_out.then_some(sums[2]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rows::GrowthSum;

    fn source(city: u16, growth: f64, exporters: i64, km2: i64) -> Source {
        let growth = Growth::from_log(growth).0;
        let sum = GrowthSum { growth, exporters };
        let contribution = Contribution { sum, ..Contribution::default() };
        Source { city: City(city), contribution, area_m2: km2 * 1_000_000 }
    }

    #[test]
    fn the_parts_of_a_row_add_up_and_a_city_is_taken_out_of_growth_and_density() {
        let sources = [source(0, 1.2, 3, 100), source(1, -0.3, 2, 100), source(2, 0.0, 0, 50)];
        let terms = ["affiliate_growth", "affiliate_growth:affiliate_ln_density"];
        let terms = terms.map(|term| Term::parse(term).expect("a term"));
        let coefficients =
            Coefficients { estimates: vec![0.04, 0.004], covariance: vec![0.0; 4], df: 9 };
        let slope = Slope {
            coefficients: &coefficients,
            terms: &terms,
            density: "affiliate_ln_density",
            pair: Pair::Plain,
        };
        let density = libm::log(0.02);
        let row = Row {
            z: vec![0.18, 0.18 * density],
            others: vec![1.0, 1.0],
            density,
            ..Row::default()
        };
        let close = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-10, "{found} is not {expected}");
        };
        close(slope.at(&row, density, 0.0), 0.024_351_908_0);
        close(coefficients.effect(&row.z), 0.004_383_343_4);
        let parts = slope.parts(&row, &sources, &sources);
        let contributions: Vec<f64> = parts.iter().map(|part| part.contribution).collect();
        close(contributions[0], 0.005_844_457_9);
        close(contributions[1], -0.001_461_114_5);
        close(contributions[2], 0.0);
        let sum: f64 = contributions.iter().sum();
        assert!((sum - coefficients.effect(&row.z)).abs() < 1e-12);
        let information: Vec<f64> = parts.iter().map(|part| part.information).collect();
        assert_eq!(information, [0.6, 0.4, 0.0]);
        close(parts[1].leave_out.expect("another source"), -0.005_357_419_8);
        let alone = slope.parts(&row, &sources[..1], &sources[..1]);
        assert_eq!(alone[0].leave_out, None, "nothing is left");
    }
}

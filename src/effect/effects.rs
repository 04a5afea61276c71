//! The effects of a month, with their bands: what commands and the service show.

use std::collections::BTreeMap;

use super::backtest::{Band, Bands, groups};
use super::coefficients::Applied;
use super::component::Component;
use super::error::EffectError;
use super::live::{Claim, Live};
use super::numerics::Coefficients;
use super::request::{Baseline, EffectLevel, Mode, Wanted};
use super::state::{State, Unit, amount};
use crate::domain::series::Level;
use crate::domain::span::SpanAt;
use crate::domain::types::{Period, Vintage, Year};
use crate::tables::dollars;

/// The effect of a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectRow {
    /// The last year of the estimate's sample.
    pub through: Year,
    /// The newest vintage at the estimation.
    pub estimated_vintage: Vintage,
    /// True if the data behind the estimate have changed since.
    pub stale: bool,
    /// The unit.
    pub key: String,
    /// The number of rows.
    pub n_rows: u64,
    /// The number of their firms.
    pub n_firms: u64,
    /// Their exports, in cents.
    pub cents: i64,
    /// Those of the firm with the most, in cents.
    pub largest_firm_cents: i64,
    /// Their share of the unit's exports.
    pub coverage: Option<f64>,
    /// The mean of the growth.
    pub x_growth: Option<f64>,
    /// The mean of the growth times the density.
    pub x_growth_density: Option<f64>,
    /// The mean of the density.
    pub x_density: Option<f64>,
    /// The effect.
    pub effect: f64,
    /// Its standard error.
    pub std_error: Option<f64>,
    /// The degrees of freedom.
    pub df: usize,
    /// The 95 % interval.
    pub interval: Option<(f64, f64)>,
    /// The share of the effects' variance outside plant and destination.
    pub identified: Option<f64>,
    /// The band.
    pub band: Option<Band>,
    /// The effect in dollars, with its standard error.
    pub value: Option<(f64, Option<f64>)>,
}

/// The slope as a function of the density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlopeSign {
    /// The density at which the slope changes sign.
    pub density: f64,
    /// The smallest and the largest density of the rows.
    pub range: (f64, f64),
}

/// The effects of a month.
#[derive(Clone, Debug)]
pub struct Effects {
    /// The span.
    pub at: SpanAt,
    /// The vintage.
    pub vintage: Vintage,
    /// The model.
    pub model: String,
    /// The level.
    pub level: EffectLevel,
    /// The component.
    pub component: Component,
    /// The baseline.
    pub baseline: Baseline,
    /// The rows, by estimate and key.
    pub rows: Vec<EffectRow>,
    /// What the figures may claim.
    pub claim: Claim,
    /// The slope by density, for each estimate with both terms.
    pub slopes: Vec<(Year, SlopeSign)>,
    /// Whether the month, the span and the baseline have a back-test, which gives bands.
    pub has_backtest: Wanted,
}

impl Live<'_> {
    /// Whether the effects of a month have bands.
    fn has_backtest(&self, month: Period) -> Wanted {
        let has = month.month() < 12 && self.check_span_of_backtest().is_ok();
        if has { Wanted::Yes } else { Wanted::No }
    }

    /// The effects of the month at the requested level.
    ///
    /// # Errors
    /// Those of [`Live::effects_by_level`].
    ///
    /// # Panics
    /// Never: each level has its effects.
    pub fn effects(&self) -> Result<Effects, EffectError> {
        let mut all = self.effects_by_level(&[self.setup.request.level])?;
        Ok(all.pop().expect("each level has its effects"))
    }

    /// The effects of the month at several levels, from one state: that of the request alone would
    /// give each of them the same rows.
    ///
    /// # Errors
    /// - Those of [`Live::applied`] for the year before.
    /// - [`EffectError::NoTotal`] for the nation and a contrast.
    /// - [`EffectError::Span`] if the span does not exist, or a file of the home cannot be read.
    pub fn effects_by_level(&self, levels: &[EffectLevel]) -> Result<Vec<Effects>, EffectError> {
        let (request, month) = (self.setup.request, self.month()?);
        if request.baseline.is_contrast() && levels.contains(&EffectLevel::Of(Level::Nation)) {
            return Err(EffectError::NoTotal { baseline: request.baseline.name() });
        }
        // A span that does not exist is the first reason.
        self.setup.spans(&self.source, month)?;
        let mut applied = vec![self.applied(month.year().previous())?];
        if month.month() == 12 && self.setup.estimates.has(month.year(), self.vintage) {
            applied.push(self.applied(month.year())?);
        }
        let state = self.setup.state(&self.source, month)?;
        let all: Vec<(EffectLevel, BTreeMap<String, Unit>)> =
            levels.iter().map(|level| (*level, state.units(*level))).collect();
        let bands = self.bands(&state, &all)?;
        let identified: Vec<Option<f64>> =
            applied.iter().map(|of| state.identified(&of.coefficients)).collect();
        let claim = self.claim(&state, &applied);
        let slope = |of: &Applied| Some((of.through, self.slope(&state, &of.coefficients)?));
        let slopes: Vec<(Year, SlopeSign)> = applied.iter().filter_map(slope).collect();
        let effects = all.iter().zip(bands).map(|((level, units), bands)| Effects {
            at: state.at,
            vintage: self.vintage,
            model: self.setup.model.name.clone(),
            level: *level,
            component: request.component,
            baseline: request.baseline,
            rows: self.rows(&state, (*level, units, bands.as_ref()), (&applied, &identified)),
            claim: claim.clone(),
            slopes: slopes.clone(),
            has_backtest: self.has_backtest(month),
        });
        Ok(effects.collect())
    }

    /// The rows of a level, by estimate and key.
    fn rows(
        &self,
        state: &State,
        (level, units, bands): (EffectLevel, &BTreeMap<String, Unit>, Option<&UnitBands>),
        (applied, identified): (&[Applied], &[Option<f64>]),
    ) -> Vec<EffectRow> {
        let totals = state.totals(level);
        let mut rows = Vec::new();
        for (of, identified) in applied.iter().zip(identified) {
            let values = self.values(state, level, of);
            for (key, unit) in units {
                let variance = of.coefficients.variance(&unit.mean());
                let band = bands.and_then(|bands| bands.bands.of(bands.groups[key], variance));
                let row = self.row((key, unit), of, totals.get(key).copied());
                let value = values.as_ref().and_then(|values| values.get(key).copied());
                rows.push(EffectRow { identified: *identified, band, value, ..row });
            }
        }
        rows
    }

    fn row(&self, (key, unit): (&str, &Unit), of: &Applied, total: Option<i64>) -> EffectRow {
        let mean = unit.mean();
        let shown = self.setup.model.shown(self.setup.request.component);
        let term = |factors: &[&str]| Some(mean[self.setup.place(factors)?]);
        let coefficients = &of.coefficients;
        let total = total.filter(|total| *total > 0);
        EffectRow {
            through: of.through,
            estimated_vintage: of.vintage,
            stale: of.stale,
            key: key.to_owned(),
            n_rows: unit.n_rows,
            n_firms: unit.n_firms,
            cents: unit.cents,
            largest_firm_cents: unit.largest_firm_cents,
            coverage: total.map(|total| amount(unit.cents) / amount(total)),
            x_growth: shown.and_then(|(growth, _)| term(&[growth])),
            x_growth_density: shown.and_then(|(growth, density)| term(&[growth, density])),
            x_density: shown.and_then(|(_, density)| term(&[density])),
            effect: coefficients.effect(&mean),
            std_error: coefficients.std_error(&mean),
            df: coefficients.df,
            interval: coefficients.interval(&mean),
            identified: None,
            band: None,
            value: None,
        }
    }

    /// The effects in dollars by unit, if requested.
    fn values(
        &self,
        state: &State,
        level: EffectLevel,
        of: &Applied,
    ) -> Option<BTreeMap<String, (f64, Option<f64>)>> {
        if self.setup.request.value == Wanted::No {
            return None;
        }
        let mut rows: BTreeMap<String, Vec<(f64, &[f64])>> = BTreeMap::new();
        state.each_unit(level, |key, row| {
            let amount = dollars(row.cents);
            rows.entry(key.to_owned()).or_default().push((amount, &row.z));
        });
        let value = |(key, rows): (String, Vec<(f64, &[f64])>)| {
            (key, of.coefficients.amount(rows.into_iter()))
        };
        Some(rows.into_iter().map(value).collect())
    }

    /// The slope by density, if the component has one growth and its product with the density.
    fn slope(&self, state: &State, of: &Coefficients) -> Option<SlopeSign> {
        let (growth, density) = self.setup.model.shown(self.setup.request.component)?;
        let estimate = |factors: &[&str]| Some(of.estimates[self.setup.place(factors)?]);
        let at = -estimate(&[growth])? / estimate(&[growth, density])?;
        let range = state.densities()?;
        at.is_finite().then_some(SlopeSign { density: at, range })
    }

    /// The bands of the month's units by level; `None` where there is no back-test.
    fn bands(
        &self,
        state: &State,
        all: &[(EffectLevel, BTreeMap<String, Unit>)],
    ) -> Result<Vec<Option<UnitBands>>, EffectError> {
        let (at, request) = (state.at, self.setup.request);
        let month = at.end().month();
        if request.band == Wanted::No || self.has_backtest(at.end()) == Wanted::No {
            return Ok(all.iter().map(|_| None).collect());
        }
        let before = Some(at.year());
        let mut mode = Mode::RealTime;
        for year in self.tested_years(before) {
            let then = Period::new(year.0, month).expect("a month of a closed year");
            if self.source_of_close(then)?.is_none() {
                mode = Mode::Pseudo;
            }
        }
        let levels: Vec<EffectLevel> = all.iter().map(|(level, _)| *level).collect();
        let revisions = self.revisions(&levels, &[month], before, mode)?;
        let bands = revisions.iter().zip(all).map(|(revisions, (_, units))| {
            let bands = Bands::new(revisions, month, mode);
            let exports = units.iter().map(|(key, unit)| (key.as_str(), unit.cents));
            let groups = groups(exports).into_iter().map(|(key, group)| (key.to_owned(), group));
            Some(UnitBands { groups: groups.collect(), bands })
        });
        Ok(bands.collect())
    }
}

/// The bands with the group of each unit.
struct UnitBands {
    groups: BTreeMap<String, usize>,
    bands: Bands,
}

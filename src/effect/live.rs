//! A home at a vintage with a request: its records, its coefficients, and what figures may claim.

use std::cell::OnceCell;

use super::coefficients::{Applied, Estimates};
use super::component::Component;
use super::error::EffectError;
use super::model::Model;
use super::request::{Baseline, EffectLevel, EffectRequest};
use super::state::{Setup, State, amount};
use crate::domain::series::Level;
use crate::domain::span::Span;
use crate::domain::types::{Period, Vintage, Year};
use crate::engine::{EngineError, State as HomeState};
use crate::home::Home;
use crate::regressions::KeptEstimate;
use crate::spans::{SpanError, SpanSource};

/// The effects of a home at a vintage.
pub struct Live<'h> {
    home: &'h Home,
    /// The model with the terms of the requested component.
    pub setup: Setup<'h>,
    /// The records that count.
    pub source: SpanSource<'h>,
    /// The vintage.
    pub vintage: Vintage,
    /// The last closed month at each vintage from 1 on.
    closed: OnceCell<Vec<Option<Period>>>,
}

/// What a figure may claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// `accounting` or `contrast`.
    pub kind: &'static str,
    /// The last year of each estimate's sample.
    pub through: Vec<Year>,
    /// The share of all exports that the rows cover.
    pub coverage: Option<f64>,
    /// The share of the effects' variance outside plant and destination.
    pub identified: Option<f64>,
}

impl<'h> Live<'h> {
    /// The effects of a home that a request asks for, from its stored estimates.
    ///
    /// # Errors
    /// - [`EffectError::NoModel`], [`EffectError::Refused`], [`EffectError::NoComponent`] for the
    ///   model, [`EffectError::NoTotal`], [`EffectError::DensityLevel`] for the baseline.
    /// - [`EffectError::Span`] if the vintage cannot be read.
    pub fn open(
        home: &'h Home,
        kept: Vec<KeptEstimate>,
        request: &'h EffectRequest,
    ) -> Result<Self, EffectError> {
        let EffectRequest { baseline, component, level, .. } = request;
        if baseline.is_contrast() && *level == EffectLevel::Of(Level::Nation) {
            return Err(EffectError::NoTotal { baseline: baseline.name() });
        }
        if *component == Component::Density && *baseline != Baseline::LastYear {
            return Err(EffectError::DensityLevel);
        }
        let model = Model::named(&request.model)?;
        let terms = model.terms(*component)?;
        let estimates = Estimates::of(&model, kept);
        let source = SpanSource::at(home, request.vintage, request.joint)?;
        let vintage = match request.vintage {
            Some(vintage) => vintage,
            None => home.last_vintage()?.unwrap_or_default(),
        };
        let setup = Setup { request, model, terms, estimates };
        Ok(Self { home, setup, source, vintage, closed: OnceCell::new() })
    }

    /// The requested month, or the last closed one.
    ///
    /// # Errors
    /// [`EffectError::NoMonth`] if no month is closed.
    pub fn month(&self) -> Result<Period, EffectError> {
        let last = self.source.calendar().last_closed();
        self.setup.request.month.or(last).ok_or(EffectError::NoMonth)
    }

    /// The coefficients with a last year of the sample, at the vintage.
    ///
    /// # Errors
    /// [`EffectError`] if there is no such estimate, or it lacks a term or its covariance.
    pub fn applied(&self, through: Year) -> Result<Applied, EffectError> {
        self.applied_at(through, self.vintage)
    }

    /// The coefficients with a last year of the sample, at a vintage.
    ///
    /// # Errors
    /// [`EffectError`] if there is no such estimate, or it lacks a term or its covariance.
    pub fn applied_at(&self, through: Year, vintage: Vintage) -> Result<Applied, EffectError> {
        let Setup { model, terms, estimates, request } = &self.setup;
        estimates.applied(model, terms, through, (request.estimate, vintage))
    }

    /// The home.
    pub fn home(&self) -> &'h Home {
        self.home
    }

    /// The records that were known when a month closed; `None` if the file that closed it closed a
    /// later month too, or other records counted then than the home now has.
    ///
    /// # Errors
    /// [`EffectError::Span`] if the home cannot be read.
    ///
    /// # Panics
    /// Never: vintages are numbers of 32 bits.
    pub fn source_of_close(&self, month: Period) -> Result<Option<SpanSource<'h>>, EffectError> {
        let closed = self.closed()?;
        let place = closed.iter().position(|last| last.is_some_and(|last| last >= month));
        let Some(place) = place.filter(|place| closed[*place] == Some(month)) else {
            return Ok(None);
        };
        let vintage = u32::try_from(place + 1).expect("vintages are numbers of 32 bits");
        match SpanSource::at(self.home, Some(Vintage(vintage)), self.setup.request.joint) {
            Err(SpanError::Engine(EngineError::BeforeRebuild { .. })) => Ok(None),
            source => Ok(Some(source?)),
        }
    }

    fn closed(&self) -> Result<&[Option<Period>], EffectError> {
        if let Some(closed) = self.closed.get() {
            return Ok(closed);
        }
        let last = |vintage| {
            let state = HomeState::at(self.home, Vintage(vintage)).map_err(SpanError::from)?;
            Ok(state.and_then(|state| state.calendar.last_closed()))
        };
        let closed = (1..=self.vintage.0).map(last).collect::<Result<_, EffectError>>()?;
        Ok(self.closed.get_or_init(|| closed))
    }

    /// Checks that a back-test is asked for a baseline and a span that it exists for.
    ///
    /// # Errors
    /// [`EffectError::NoBacktest`] for others.
    pub fn check_span_of_backtest(&self) -> Result<(), EffectError> {
        let EffectRequest { baseline, span, .. } = self.setup.request;
        if *baseline == Baseline::Zero && *span == Span::YearToDate {
            return Ok(());
        }
        Err(EffectError::NoBacktest)
    }

    /// What figures of a state may claim, by the last of some coefficients.
    pub fn claim(&self, state: &State, applied: &[Applied]) -> Claim {
        Claim {
            kind: self.setup.request.baseline.claim(),
            through: applied.iter().map(|of| of.through).collect(),
            coverage: covered(state),
            identified: applied.last().and_then(|of| state.identified(&of.coefficients)),
        }
    }
}

/// The share of all exports that the rows cover.
fn covered(state: &State) -> Option<f64> {
    let rows: i64 = state.rows.all.iter().map(|row| row.cents).sum();
    let all: i64 = state.plants.exports(state.at).map(|(.., cents)| cents).sum();
    (all > 0).then(|| amount(rows) / amount(all))
}

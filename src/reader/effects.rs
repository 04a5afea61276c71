//! The live effect of a home: effects, sources, news, back-test.

use super::{Reader, ReaderError};
use crate::domain::types::Vintage;
use crate::effect::{
    Backtest, EffectError, EffectLevel, EffectRequest, Effects, Live, Mode, Model, News, Sources,
};
use crate::regressions::{Panels, kept_of};

impl Reader {
    /// The effects of a month by unit, with bands from earlier years where they exist.
    ///
    /// # Errors
    /// - [`ReaderError::Export`] if there is no such vintage.
    /// - [`ReaderError::Effect`] if the model, the estimate or the span gives no effect.
    /// - [`ReaderError::Regression`] if an estimate cannot be read.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "a method has one lifetime")]
    pub fn effects(&mut self, request: &EffectRequest) -> Result<Effects, ReaderError> {
        self.live(request, |live| live.effects())
    }

    /// The effects of a month at several levels, from one state of the home. Each has the rows of
    /// [`Reader::effects`].
    ///
    /// # Errors
    /// Those of [`Reader::effects`].
    pub fn effects_by_level(
        &mut self,
        request: &EffectRequest,
        levels: &[EffectLevel],
    ) -> Result<Vec<Effects>, ReaderError> {
        self.live(request, |live| live.effects_by_level(levels))
    }

    /// The parts of the effects of a month by source city.
    ///
    /// # Errors
    /// Those of [`Reader::effects`].
    #[expect(clippy::redundant_closure_for_method_calls, reason = "a method has one lifetime")]
    pub fn sources(&mut self, request: &EffectRequest) -> Result<Sources, ReaderError> {
        self.live(request, |live| live.sources())
    }

    /// The change of effects from a vintage to that of the request, step by step.
    ///
    /// # Errors
    /// Those of [`Reader::effects`] for both vintages.
    pub fn news(&mut self, request: &EffectRequest, before: Vintage) -> Result<News, ReaderError> {
        self.check_vintage(Some(before))?;
        self.live(request, |live| live.news(before))
    }

    /// The statistics of the differences between the effects of months and of whole years.
    ///
    /// # Errors
    /// Those of [`Reader::effects`].
    pub fn backtest(
        &mut self,
        request: &EffectRequest,
        mode: Mode,
    ) -> Result<Backtest, ReaderError> {
        self.live(request, |live| live.backtest(mode))
    }

    fn live<T>(
        &mut self,
        request: &EffectRequest,
        of: impl FnOnce(&Live<'_>) -> Result<T, EffectError>,
    ) -> Result<T, ReaderError> {
        self.check_vintage(request.vintage)?;
        let model = Model::named(&request.model)?;
        let kept = kept_of(&Panels::open(&mut self.home, self.n_workers)?, model.identity.hash())?;
        Ok(of(&Live::open(&self.home, kept, request)?)?)
    }
}

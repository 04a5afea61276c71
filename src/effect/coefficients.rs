//! The estimate whose coefficients apply to a year: pinned, or the newest. Estimates at the close
//! of a month do not apply: they are over other months than a year.

use super::error::EffectError;
use super::model::Model;
use super::numerics::Coefficients;
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::{Vintage, Year};
use crate::estimate::formula::Term;
use crate::estimate::result::Estimate;
use crate::regressions::KeptEstimate;

/// The estimate of a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EstimateChoice {
    /// The first one after the close of the year before: a later estimation moves no series.
    #[default]
    Pinned,
    /// The last one.
    Newest,
}

/// The coefficients of some terms, with their origin.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The coefficients.
    pub coefficients: Coefficients,
    /// The last year of the sample.
    pub through: Year,
    /// The newest vintage at the estimation.
    pub vintage: Vintage,
    /// True if the data behind the estimate have changed since.
    pub stale: bool,
}

/// The estimates of a model, in the order of estimation.
#[derive(Clone, Debug)]
pub struct Estimates {
    all: Vec<KeptEstimate>,
}

impl Estimates {
    /// The estimates among those of a home.
    #[must_use]
    pub fn of(model: &Model, kept: Vec<KeptEstimate>) -> Self {
        let is_it = |one: &KeptEstimate| {
            let own = one.stored.model.as_ref();
            one.fit.is_some() && own.is_some_and(|own| own.identity == model.identity.hash())
        };
        Self { all: kept.into_iter().filter(is_it).collect() }
    }

    /// The chosen estimate with a last year, among those up to a vintage.
    fn find(
        &self,
        through: Year,
        (choice, vintage): (EstimateChoice, Vintage),
    ) -> Option<&KeptEstimate> {
        let end = SampleEnd::of_year(through);
        let is_it =
            |one: &&KeptEstimate| one.stored.through == end && one.stored.vintage <= vintage;
        let mut all = self.all.iter().filter(is_it);
        match choice {
            EstimateChoice::Pinned => all.next(),
            EstimateChoice::Newest => all.next_back(),
        }
    }

    /// True if there is an estimate with a last year, up to a vintage.
    #[must_use]
    pub fn has(&self, through: Year, vintage: Vintage) -> bool {
        self.find(through, (EstimateChoice::Pinned, vintage)).is_some()
    }

    /// The coefficients of terms.
    ///
    /// # Errors
    /// - [`EffectError::NoEstimate`] without an estimate.
    /// - [`EffectError::NoCovariance`] if the home has no covariance of it.
    /// - [`EffectError::Dropped`] if the estimate has dropped a term.
    pub fn applied(
        &self,
        model: &Model,
        terms: &[Term],
        through: Year,
        which: (EstimateChoice, Vintage),
    ) -> Result<Applied, EffectError> {
        let of = || model.name.clone();
        let kept = self.find(through, which);
        let fit = kept.and_then(|kept| Some((kept, kept.fit.as_ref()?)));
        let Some((kept, fit)) = fit else {
            let vintage = which.1;
            return Err(EffectError::NoEstimate { model: of(), through, vintage });
        };
        let estimate = &fit.estimate;
        // An estimate without standard errors has their reason in place of a covariance.
        let has_reason = estimate.terms.iter().any(|term| term.std_error_reason.is_some());
        if estimate.covariance.is_none() && !has_reason {
            return Err(EffectError::NoCovariance { model: of(), through });
        }
        let place = |term: &Term| {
            position(estimate, term).ok_or_else(|| EffectError::Dropped {
                model: of(),
                through,
                term: term.to_string(),
            })
        };
        let places: Vec<usize> = terms.iter().map(place).collect::<Result<_, _>>()?;
        let cell = |row: usize, column: usize| estimate.covariance_of(row, column);
        let pairs = places.iter().flat_map(|row| places.iter().map(move |column| (*row, *column)));
        let covariance = pairs.map(|(row, column)| cell(row, column).unwrap_or(f64::NAN));
        let covariance = covariance.collect();
        let estimates = places.iter().map(|place| estimate.terms[*place].estimate).collect();
        let coefficients = Coefficients { estimates, covariance, df: estimate.df_t };
        let (vintage, stale) = (kept.stored.vintage, kept.stale);
        Ok(Applied { coefficients, through, vintage, stale })
    }
}

/// The place of a term with a finite coefficient.
fn position(estimate: &Estimate, term: &Term) -> Option<usize> {
    let is_it = |own: &str| Term::parse(own).is_ok_and(|own| own == *term);
    estimate.terms.iter().position(|own| own.estimate.is_finite() && is_it(&own.term))
}

//! The news: the change of effects between two vintages, step by step.
//!
//! ```text
//! earlier vintage ─▶ + late records ─▶ + withdrawals, replacements ─▶ + months ─▶ + coefficients
//! ```
//! A record is late if it arrives after its month closed, whatever its sign.

use std::collections::BTreeMap;

use super::error::EffectError;
use super::live::{Claim, Live};
use super::numerics::{Coefficients, Moved, parts};
use super::request::EffectLevel;
use super::rows::Row;
use super::state::{State, Unit, amount};
use crate::domain::types::{Period, Vintage};
use crate::spans::SpanSource;

/// The steps in the order in which they are taken.
pub const STEPS: [&str; 4] = ["late", "amended", "closed", "coefficients"];
/// The parts of a step.
pub const PARTS: [&str; 3] = ["indicators", "coefficients", "weights"];

/// The change of a unit's effect between two vintages.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitNews {
    /// The unit.
    pub key: String,
    /// The effect at the earlier vintage.
    pub before: f64,
    /// The effect at the later vintage.
    pub after: f64,
    /// The parts of each of [`STEPS`], in the order of [`PARTS`].
    pub steps: [[f64; 3]; 4],
}

/// The news between two vintages.
#[derive(Clone, Debug)]
pub struct News {
    /// Both vintages.
    pub vintages: [Vintage; 2],
    /// Their months.
    pub months: [Period; 2],
    /// The model.
    pub model: String,
    /// The level.
    pub level: EffectLevel,
    /// The units that all states have, in order of key.
    pub units: Vec<UnitNews>,
    /// What the figures may claim.
    pub claim: Claim,
}

/// A state with its coefficients and units.
struct Seen<'s> {
    state: &'s State,
    units: BTreeMap<String, Unit>,
    coefficients: &'s Coefficients,
}

impl Live<'_> {
    /// The news between a vintage and a later one, which is that of the request.
    ///
    /// # Errors
    /// - [`EffectError::NotLater`], [`EffectError::OtherDefinition`],
    ///   [`EffectError::NotClosedThen`] if the vintages cannot be compared.
    /// - Those of [`Live::effects`] at either vintage.
    pub fn news(&self, before: Vintage) -> Result<News, EffectError> {
        let (after, request) = (self.vintage, self.setup.request);
        if before >= after {
            return Err(EffectError::NotLater { before, after });
        }
        let first = SpanSource::at(self.home(), Some(before), request.joint)?;
        if first.definition().texts != self.source.definition().texts {
            return Err(EffectError::OtherDefinition { before, after });
        }
        let last_closed = first.calendar().last_closed().ok_or(EffectError::NoMonth)?;
        let months = [request.month.unwrap_or(last_closed), self.month()?];
        if months[0] > last_closed {
            let month = months[0];
            return Err(EffectError::NotClosedThen { month, vintage: before });
        }
        let late = SpanSource::with_late(self.home(), [before, after], request.joint)?;
        let amended = SpanSource::at(self.home(), Some(after), request.joint)?;
        let sources = [first, late, amended.closed_through(last_closed)];
        let mut states = Vec::new();
        for source in &sources {
            states.push(self.setup.state(source, months[0])?);
        }
        states.push(self.setup.state(&self.source, months[1])?);
        let applied = [
            self.applied_at(months[0].year().previous(), before)?,
            self.applied_at(months[1].year().previous(), after)?,
        ];
        let [old, new] = [0, 1].map(|at: usize| &applied[at].coefficients);
        let seen = |state: usize, coefficients| {
            let (state, units) = (&states[state], states[state].units(request.level));
            Seen { state, units, coefficients }
        };
        let all = [seen(0, old), seen(1, old), seen(2, old), seen(3, old), seen(3, new)];
        let units = units(&all, request.level);
        let (model, level) = (self.setup.model.name.clone(), request.level);
        let claim = self.claim(&states[3], &applied[1..]);
        Ok(News { vintages: [before, after], months, model, level, units, claim })
    }
}

/// The news of the units that all states have.
fn units(all: &[Seen<'_>; 5], level: EffectLevel) -> Vec<UnitNews> {
    let steps: Vec<BTreeMap<String, [f64; 3]>> =
        all.windows(2).map(|pair| step(&pair[0], &pair[1], level)).collect();
    let effect = |seen: &Seen<'_>, key: &str| {
        seen.units.get(key).map(|unit| seen.coefficients.effect(&unit.mean()))
    };
    let news = |key: &String| {
        let of_steps: Vec<[f64; 3]> =
            steps.iter().map(|step| step.get(key).copied()).collect::<Option<_>>()?;
        Some(UnitNews {
            key: key.clone(),
            before: effect(&all[0], key)?,
            after: effect(&all[4], key)?,
            steps: of_steps.try_into().ok()?,
        })
    };
    all[0].units.keys().filter_map(news).collect()
}

/// The parts of a step for each unit of both states.
fn step(before: &Seen<'_>, after: &Seen<'_>, level: EffectLevel) -> BTreeMap<String, [f64; 3]> {
    let mut moved: BTreeMap<String, Vec<Moved<'_>>> = BTreeMap::new();
    let to_after = before.state.rows.matched(&after.state.rows);
    let to_before = after.state.rows.matched(&before.state.rows);
    let weight = |seen: &Seen<'_>, key: &str, row: &Row| {
        seen.units.get(key).map(|unit| amount(row.cents) / amount(unit.cents))
    };
    before.state.each_unit(level, |key, row| {
        let other = to_after.of(row).filter(|other| after.state.is_in(level, key, other));
        let (Some(own), true) = (weight(before, key, row), after.units.contains_key(key)) else {
            return;
        };
        let later = other.and_then(|other| weight(after, key, other)).unwrap_or(0.0);
        let vectors = [&row.z[..], other.map_or(&row.z[..], |other| &other.z[..])];
        moved.entry(key.to_owned()).or_default().push(Moved { weights: [own, later], vectors });
    });
    after.state.each_unit(level, |key, row| {
        let other = to_before.of(row).filter(|other| before.state.is_in(level, key, other));
        if other.is_none() && before.units.contains_key(key) {
            let own = weight(after, key, row).unwrap_or(0.0);
            let vectors = [&row.z[..], &row.z[..]];
            moved.entry(key.to_owned()).or_default().push(Moved { weights: [0.0, own], vectors });
        }
    });
    let estimates = [&before.coefficients.estimates[..], &after.coefficients.estimates[..]];
    let parts = |rows: &[Moved<'_>]| {
        let of = parts(rows, estimates);
        [of.indicators, of.coefficients, of.weights]
    };
    moved.into_iter().map(|(key, rows)| (key, parts(&rows))).collect()
}

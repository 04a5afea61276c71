//! Integer rows to published tables: the place where figures become floating point.
//!
//! ```text
//! facts (stored) ─▶ derived: rows by the indicators' formulas ─▶ columns: figures
//! ```

pub mod cells;
pub mod city;
pub mod columns;
pub mod derived;
pub mod export;
pub mod facts;
pub mod meanings;
pub mod months;
pub mod periods;
pub mod plant;
pub mod series;
pub mod sheet;
pub mod sorted;

use crate::domain::dictionary::Dictionary;
use crate::domain::rows::GrowthSum;
use crate::domain::types::Growth;
use crate::home::definition::Definition;

/// The data that turn a row's numbers into the texts and figures of its columns.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Firm identifiers.
    pub firms: &'a Dictionary,
    /// Country codes.
    pub countries: &'a Dictionary,
    /// The definition of the figures.
    pub definition: &'a Definition,
}

/// `S / n` in log points; absent where `n` is zero.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "rounding a sum above 2^53 moves a mean by 1e-16 of it"
)]
pub fn mean(sum: GrowthSum) -> Option<f64> {
    (sum.exporters > 0).then(|| sum.growth as f64 / sum.exporters as f64 / Growth::ONE)
}

/// `ln(n / area)` with the area in km²; absent where `n` is zero.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts and areas in m2 are below 2^53")]
pub fn ln_density(exporters: i64, area_m2: i64) -> Option<f64> {
    (exporters > 0).then(|| libm::log(exporters as f64 / (area_m2 as f64 / 1e6)))
}

/// An amount in US dollars.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53 cents, 1e-16 relative above")]
pub fn dollars(cents: i64) -> f64 {
    cents as f64 / 100.0
}

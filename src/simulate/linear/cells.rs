//! Exports of plants to a market in a year, with their effects.

use crate::simulate::exporting::cents;

/// A plant's exports to a market in a year.
#[derive(Clone, Debug)]
pub struct Cell {
    pub slot: usize,
    pub plant: u16,
    pub city: u16,
    pub market: u16,
    /// The cell's key, the same every year.
    pub pair: u64,
    /// Log exports, ln USD.
    pub ln_export: f64,
    /// The log exports of the year before.
    pub base: Option<f64>,
    pub export_cents: i64,
    pub import_cents: i64,
    pub experience: bool,
    pub effects: Effects,
}

/// The fixed effects of a cell, log points.
#[derive(Clone, Copy, Debug)]
pub struct Effects {
    pub plant_year: f64,
    pub country_year: f64,
    pub city_country: f64,
}

impl Effects {
    pub fn sum(&self) -> f64 {
        self.plant_year + self.country_year + self.city_country
    }
}

impl Cell {
    /// The growth on the year before, for a continuing exporter.
    pub fn growth(&self) -> Option<f64> {
        self.base.map(|base| self.ln_export - base)
    }

    /// Rounds exports to written cents.
    pub fn round(&mut self) {
        self.export_cents = cents(self.ln_export);
        self.ln_export = ln_usd(self.export_cents);
    }
}

/// The log of a positive amount, in ln USD.
#[expect(clippy::cast_precision_loss, reason = "amounts are below 2^53 cents")]
pub fn ln_usd(cents: i64) -> f64 {
    libm::log(cents as f64 / 100.0)
}

//! The truth of a linear feed: coefficients, effects and residuals.
//!
//! | file | content |
//! |---|---|
//! | `truth.toml` | the coefficients by the regressors' names, formula, seed, rows |
//! | `truth_effects.csv` | `effect,firm,city,country,year,value`: levels in the sample |
//! | `truth_residuals.csv` | `firm,city,country,year,residual,ln_export`: the sample |
//!
//! Numbers are written with all their digits, so that the equation can be checked to 1e-9.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::cells::Cell;
use super::moments::Moments;
use super::year::Year;
use crate::simulate::error::SimulateError;
use crate::simulate::files::Files;
use crate::simulate::params::{Coefficients, Params};
use crate::simulate::places::Places;
use crate::simulate::population::Firm;

/// The truth, collected year by year.
#[derive(Debug, Default)]
pub struct Truth {
    effects: Vec<u8>,
    residuals: Vec<u8>,
    city_country: BTreeMap<(u16, u16), f64>,
    rows: u64,
    /// The moments of the rows.
    pub moments: Moments,
}

/// The content of `truth.toml`.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct TruthFile {
    /// The equation.
    pub formula: String,
    /// The seed.
    pub seed: u64,
    /// The number of rows of the sample, before singletons are dropped.
    pub rows: u64,
    /// The standard deviation of the drawn residuals.
    pub residual_sd: f64,
    /// The coefficients.
    pub coefficients: Coefficients,
}

const FORMULA: &str = "ln_export ~ affiliate_growth + affiliate_growth:affiliate_ln_density \
    + affiliate_ln_density + local_growth + local_growth:local_ln_density + local_ln_density \
    + ln_import + experience | plant^year + country^year + city^country";

impl Truth {
    /// Adds a year.
    pub fn add(&mut self, places: &Places, firms: &[Firm], year: &Year) {
        let mut plants = BTreeMap::new();
        let mut countries = BTreeMap::new();
        for row in &year.rows {
            let cell = &year.cells[row.cell];
            plants.insert((cell.slot, cell.plant), cell);
            countries.insert(cell.market, cell.effects.country_year);
            self.city_country.insert((cell.city, cell.market), cell.effects.city_country);
            let (firm, city, country) = names(places, firms, cell);
            let (t, residual, ln_export) = (year.number, row.residual, cell.ln_export);
            push(
                &mut self.residuals,
                format_args!("{firm},{city},{country},{t},{residual},{ln_export}"),
            );
            self.moments.add(row.indicators.with_outcome(cell.ln_export));
            self.rows += 1;
        }
        for cell in plants.into_values() {
            let (firm, city, _) = names(places, firms, cell);
            let (t, value) = (year.number, cell.effects.plant_year);
            push(&mut self.effects, format_args!("plant^year,{firm},{city},,{t},{value}"));
        }
        for (market, value) in countries {
            let country = places.destinations[usize::from(market)].code;
            push(
                &mut self.effects,
                format_args!("country^year,,,{country},{},{value}", year.number),
            );
        }
    }

    /// Writes the three files.
    ///
    /// # Errors
    /// [`SimulateError::File`] if a file cannot be written.
    pub fn write(
        &mut self,
        params: &Params,
        places: &Places,
        files: &Files,
    ) -> Result<(), SimulateError> {
        for ((city, market), value) in &self.city_country {
            let city = places.cities[usize::from(*city)].code;
            let country = places.destinations[usize::from(*market)].code;
            push(&mut self.effects, format_args!("city^country,,{city},{country},,{value}"));
        }
        let truth = TruthFile {
            formula: FORMULA.to_owned(),
            seed: params.seed,
            rows: self.rows,
            residual_sd: params.linear.residual_sd,
            coefficients: params.linear.coefficients.clone(),
        };
        let text = toml::to_string(&truth).expect("numbers and a text fit in TOML");
        files.write_beside("truth.toml", text.as_bytes())?;
        let effects = [b"effect,firm,city,country,year,value\n", self.effects.as_slice()].concat();
        files.write_beside("truth_effects.csv", &effects)?;
        let header = b"firm,city,country,year,residual,ln_export\n";
        files.write_beside("truth_residuals.csv", &[header, self.residuals.as_slice()].concat())
    }
}

fn names<'a>(
    places: &Places,
    firms: &'a [Firm],
    cell: &Cell,
) -> (&'a str, &'static str, &'static str) {
    let city = places.cities[usize::from(cell.city)].code;
    let country = places.destinations[usize::from(cell.market)].code;
    (&firms[cell.slot].id, city, country)
}

fn push(text: &mut Vec<u8>, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("writing to memory does not fail");
}

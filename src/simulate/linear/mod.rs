//! Exports that follow equation (15) to the last bit: the panel of [`super::Mode::Linear`].
//!
//! ```text
//! ln_export = β · indicators + plant×year + destination×year + city×destination + residual
//! ```
//!
//! The export decisions are those of the model without signals, so that the numbers of exporters
//! (the densities) are known first. Growth indicators are means of *this* year's growth of other
//! plants, whose exports depend on theirs in turn. Exports are therefore the fixed point of a map.
//! A growth indicator is a mean, so the map is a contraction in the largest difference if `|β₁ + β₂
//! ln density| + |β₃ + β₄ ln density| < 1` in every row, affiliates' and local. This condition is
//! checked, and the map is iterated until nothing changes. The fixed point is rounded to cents. The
//! indicators are computed from the rounded cells by the definitions of METHODOLOGY. The residual
//! of the truth is the remainder, so that the equation holds as written.
//!
//! Cells outside the regressions' sample (single-plant firms, the first year, an absent indicator)
//! have only their effects and residual. Residuals are independent draws. A plant's residual
//! changes its neighbours' growth and, damped, through them its own indicators. Least squares on
//! such a feed are therefore close to the coefficients, but not equal.

mod cells;
mod check;
mod moments;
mod rows;
mod truth;
mod year;

use rustc_hash::{FxHashMap, FxHashSet};

use super::error::SimulateError;
use super::exporting::{Decisions, cents};
use super::market::{Markets, Seen};
use super::params::Params;
use super::places::Places;
use super::population::{Firm, Plant};
use super::random::{key, keyed_normal, keyed_unit};

use cells::{Cell, Effects};
pub use check::{Check, check};
pub use moments::Moments;
use rows::Rows;
pub use truth::Truth;
pub use year::Year;

impl Params {
    /// The same feed without noise that alters cells.
    pub(super) fn without_noise(&self) -> Self {
        let mut quiet = self.clone();
        quiet.population.intermediary_share = 0.0;
        quiet.records.hong_kong_share = 0.0;
        quiet.records.late_rate = 0.0;
        quiet.records.amended_rate = 0.0;
        quiet.records.cancelled_rate = 0.0;
        quiet
    }
}

/// The data of earlier years that a year of the panel needs.
#[derive(Debug)]
pub struct Panel<'a> {
    params: &'a Params,
    places: &'a Places,
    /// The log exports of the year before, by cell.
    last: FxHashMap<u64, f64>,
    /// The cells that have been positive.
    ever: FxHashSet<u64>,
    /// For each slot, the cities from which its firm has exported.
    cities: Vec<Vec<u16>>,
}

impl<'a> Panel<'a> {
    /// A panel without years.
    pub fn new(params: &'a Params, places: &'a Places) -> Self {
        let cities = vec![Vec::new(); params.firms as usize];
        let (last, ever) = (FxHashMap::default(), FxHashSet::default());
        Self { params, places, last, ever, cities }
    }

    /// Removes the data of the firms that were in slots.
    pub fn forget(&mut self, slots: &[usize]) {
        for &slot in slots {
            self.cities[slot].clear();
        }
    }

    /// Draws the next year.
    ///
    /// # Errors
    /// [`SimulateError::NotContractive`] if the coefficients are too large for the densities.
    pub fn draw(
        &mut self,
        firms: &[Firm],
        markets: &Markets,
        year: u16,
    ) -> Result<Year, SimulateError> {
        let (mut cells, starts) = self.cells(firms, markets, year);
        let mut rows = Vec::new();
        if year == self.params.from.year().0 {
            cells.iter_mut().for_each(Cell::round);
        } else {
            let plan = Rows::of(&cells, &starts, &self.cities, self.places);
            plan.settle(&mut cells, &self.params.linear, year)?;
            cells.iter_mut().for_each(Cell::round);
            rows = plan.measure(&cells, &self.params.linear.coefficients);
        }
        self.last = cells.iter().map(|cell| (cell.pair, cell.ln_export)).collect();
        self.ever.extend(cells.iter().map(|cell| cell.pair));
        Ok(Year { number: year, cells, rows, starts })
    }

    /// The year's cells, with effects and residual but without indicators in their exports, and the
    /// first cell of each slot.
    fn cells(&mut self, firms: &[Firm], markets: &Markets, year: u16) -> (Vec<Cell>, Vec<usize>) {
        let nobody = Seen::nobody(self.places);
        let here = (year, self.places.cities.len());
        let decisions = Decisions::new(&self.params.economy, markets, &nobody, here);
        let (mut cells, mut starts) = (Vec::new(), vec![0]);
        for (slot, firm) in firms.iter().enumerate() {
            decisions.of_firm(firm, |plant, decision| {
                cells.push(self.cell(plant, (slot, decision.plant), decision.market, year));
                if !self.cities[slot].contains(&plant.city) {
                    self.cities[slot].push(plant.city);
                }
            });
            starts.push(cells.len());
        }
        (cells, starts)
    }

    fn cell(&self, plant: &Plant, (slot, position): (usize, u16), market: u16, year: u16) -> Cell {
        let linear = &self.params.linear;
        let pair = key(plant.key, u64::from(market));
        let this_year = key(pair, u64::from(year));
        let effects = self.effects(plant, market, year);
        let imports = keyed_unit(key(this_year, 1)) < linear.import_share;
        let import_cents = cents(10.0 + 1.5 * keyed_normal(key(this_year, 2)));
        Cell {
            slot,
            plant: position,
            city: plant.city,
            market,
            pair,
            ln_export: effects.sum() + linear.residual_sd * keyed_normal(this_year),
            base: self.last.get(&pair).copied(),
            export_cents: 0,
            import_cents: if imports { import_cents } else { 0 },
            experience: self.ever.contains(&pair),
            effects,
        }
    }

    /// Draws the effects: around the plant's ability, the market's rank and zero.
    fn effects(&self, plant: &Plant, market: u16, year: u16) -> Effects {
        let linear = &self.params.linear;
        let root = key(self.params.seed, 0x6566_6665);
        let of_year = |key_of: u64| keyed_normal(key(key_of, u64::from(year)));
        let place = key(key(root, u64::from(plant.city)), u64::from(market));
        let rank = libm::log(f64::from(market) + 1.0);
        let [first, last] = [self.params.from, self.params.to].map(|of| f64::from(of.year().0));
        let middle = f64::midpoint(first, last);
        Effects {
            plant_year: linear.constant
                + 0.5 * plant.ln_ability
                + linear.plant_year_sd * of_year(key(plant.key, u64::MAX - 1)),
            country_year: linear.country_year_sd * of_year(key(root, u64::from(market)))
                - 0.3 * rank
                + linear.trend * (f64::from(year) - middle),
            city_country: linear.city_country_sd * keyed_normal(place),
        }
    }
}

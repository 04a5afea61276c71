//! The rows of a year in the regressions' sample: their indicators, and the fixed point of exports.

use super::cells::{Cell, ln_usd};
use crate::simulate::error::SimulateError;
use crate::simulate::params::{Coefficients, Linear};
use crate::simulate::places::Places;

/// The largest contraction factor that the map may have.
const CONTRACTION_MAX: f64 = 0.95;
/// The largest change of a log after which exports have settled: far less than a cent.
const SETTLED: f64 = 1e-12;
/// The largest number of sweeps. With the weakest allowed contraction, a difference of 100 log
/// points settles in 630 sweeps.
const SWEEPS_MAX: usize = 1_000;

/// The variables of equation (15), without the outcome.
#[derive(Clone, Copy, Debug, Default)]
pub struct Indicators {
    /// Equation (13).
    pub affiliate_growth: f64,
    /// Equation (14).
    pub affiliate_ln_density: f64,
    /// The mean growth of the city's other continuing exporters.
    pub local_growth: f64,
    /// The log of their number by area.
    pub local_ln_density: f64,
    /// `ln(1 + USD)` of the plant's imports from the destination.
    pub ln_import: f64,
    /// 1 with exports to the destination in an earlier year, else 0.
    pub experience: f64,
}

impl Indicators {
    /// The variables of table 2 with both products, after the outcome.
    pub fn with_outcome(&self, ln_export: f64) -> [f64; 9] {
        [
            ln_export,
            self.affiliate_growth,
            self.affiliate_growth * self.affiliate_ln_density,
            self.affiliate_ln_density,
            self.local_growth,
            self.local_growth * self.local_ln_density,
            self.local_ln_density,
            self.ln_import,
            self.experience,
        ]
    }

    /// `β · indicators` of equation (15).
    pub fn times(&self, by: &Coefficients) -> f64 {
        self.slopes(by).0 * self.affiliate_growth
            + self.slopes(by).1 * self.local_growth
            + by.affiliate_ln_density * self.affiliate_ln_density
            + by.local_ln_density * self.local_ln_density
            + by.ln_import * self.ln_import
            + by.experience * self.experience
    }

    /// The slopes of exports on the growth of affiliates' cities and of neighbours, at the row's
    /// densities.
    fn slopes(&self, by: &Coefficients) -> (f64, f64) {
        let affiliate = by.affiliate_growth_ln_density * self.affiliate_ln_density;
        let local = by.local_growth_ln_density * self.local_ln_density;
        (by.affiliate_growth + affiliate, by.local_growth + local)
    }
}

/// A row of the sample, with its truth.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The position of its cell.
    pub cell: usize,
    /// The residual of the equation.
    pub residual: f64,
    /// Its variables.
    pub indicators: Indicators,
}

/// A row before exports are known.
#[derive(Debug)]
struct Planned {
    cell: usize,
    /// The positions of its affiliate cities in the sums of its market.
    affiliates: Vec<usize>,
    affiliate_exporters: f64,
    local_exporters: f64,
    /// All variables without the two growth indicators.
    known: Indicators,
}

/// The rows of a year.
#[derive(Debug)]
pub struct Rows {
    planned: Vec<Planned>,
    markets: usize,
    sums: usize,
}

impl Rows {
    /// Plans the rows: cells of multi-plant firms with continuing exporters around them and at
    /// their affiliates.
    pub fn of(cells: &[Cell], starts: &[usize], networks: &[Vec<u16>], places: &Places) -> Self {
        let markets = places.markets();
        let sums = places.cities.len() * markets;
        let mut exporters = vec![0_u32; sums];
        for cell in cells.iter().filter(|cell| cell.base.is_some()) {
            exporters[place(cell.city, cell.market, markets)] += 1;
        }
        let mut rows = Vec::new();
        for firm in starts.windows(2) {
            let own = &cells[firm[0]..firm[1]];
            if own.iter().any(|cell| cell.plant != own[0].plant) {
                let planned = own.iter().zip(firm[0]..).filter_map(|(cell, position)| {
                    plan(cell, position, &networks[cell.slot], (&exporters, places))
                });
                rows.extend(planned);
            }
        }
        Self { planned: rows, markets, sums }
    }

    /// Iterates exports to their fixed point, within the distance that the bound on the sweeps
    /// guarantees.
    ///
    /// # Errors
    /// [`SimulateError::NotContractive`] if a row's slopes are too large to guarantee a fixed
    /// point.
    pub fn settle(
        &self,
        cells: &mut [Cell],
        linear: &Linear,
        year: u16,
    ) -> Result<(), SimulateError> {
        let by = &linear.coefficients;
        let slopes = self.planned.iter().map(|row| row.known.slopes(by));
        let bound = slopes.map(|(far, near)| far.abs() + near.abs()).fold(0.0, f64::max);
        if bound >= CONTRACTION_MAX || !bound.is_finite() {
            return Err(SimulateError::NotContractive { year, bound });
        }
        let alone: Vec<f64> = self.planned.iter().map(|row| cells[row.cell].ln_export).collect();
        for _ in 0..SWEEPS_MAX {
            let sums = self.sums(cells);
            let mut moved: f64 = 0.0;
            let next: Vec<f64> =
                self.planned.iter().map(|row| row.indicators(cells, &sums).times(by)).collect();
            for ((row, alone), explained) in self.planned.iter().zip(&alone).zip(next) {
                let cell = &mut cells[row.cell];
                moved = moved.max((alone + explained - cell.ln_export).abs());
                cell.ln_export = alone + explained;
            }
            if moved <= SETTLED {
                break;
            }
        }
        Ok(())
    }

    /// Computes the rows' indicators from the written cells, and the residuals of the equation.
    pub fn measure(&self, cells: &[Cell], by: &Coefficients) -> Vec<Row> {
        let sums = self.sums(cells);
        let measured = self.planned.iter().map(|row| {
            let cell = &cells[row.cell];
            let indicators = row.indicators(cells, &sums);
            let explained = indicators.times(by) + cell.effects.sum();
            Row { cell: row.cell, residual: cell.ln_export - explained, indicators }
        });
        measured.collect()
    }

    /// The sums of continuing exporters' growth by city and market.
    fn sums(&self, cells: &[Cell]) -> Vec<f64> {
        let mut sums = vec![0.0; self.sums];
        for cell in cells {
            sums[place(cell.city, cell.market, self.markets)] += cell.growth().unwrap_or(0.0);
        }
        sums
    }
}

impl Planned {
    fn indicators(&self, cells: &[Cell], sums: &[f64]) -> Indicators {
        let cell = &cells[self.cell];
        let here = sums[self.affiliates[0]] - cell.growth().unwrap_or(0.0);
        let affiliates: f64 = self.affiliates[1..].iter().map(|&place| sums[place]).sum();
        Indicators {
            affiliate_growth: affiliates / self.affiliate_exporters,
            local_growth: here / self.local_exporters,
            ..self.known
        }
    }
}

/// Plans a row, if all its indicators exist. Its own city is first among the positions, then the
/// affiliates' cities.
fn plan(
    cell: &Cell,
    position: usize,
    network: &[u16],
    (exporters, places): (&[u32], &Places),
) -> Option<Planned> {
    let markets = places.markets();
    let own_city = [cell.city];
    let others = || network.iter().filter(|&&city| city != cell.city);
    let affiliates: Vec<usize> =
        own_city.iter().chain(others()).map(|&city| place(city, cell.market, markets)).collect();
    let local = exporters[affiliates[0]] - u32::from(cell.base.is_some());
    let far: u32 = affiliates[1..].iter().map(|&place| exporters[place]).sum();
    if local == 0 || far == 0 {
        return None;
    }
    let area = |city: u16| places.cities[usize::from(city)].area_km2;
    let far_area: f64 = others().map(|&city| area(city)).sum();
    let known = Indicators {
        affiliate_ln_density: libm::log(f64::from(far) / far_area),
        local_ln_density: libm::log(f64::from(local) / area(cell.city)),
        ln_import: ln_import(cell.import_cents),
        experience: f64::from(u8::from(cell.experience)),
        ..Indicators::default()
    };
    let (affiliate_exporters, local_exporters) = (f64::from(far), f64::from(local));
    Some(Planned { cell: position, affiliates, affiliate_exporters, local_exporters, known })
}

/// `ln(1 + USD imported)`.
pub fn ln_import(cents: i64) -> f64 {
    if cents > 0 { libm::log1p(libm::exp(ln_usd(cents))) } else { 0.0 }
}

fn place(city: u16, market: u16, markets: usize) -> usize {
    usize::from(city) * markets + usize::from(market)
}

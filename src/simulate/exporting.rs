//! The export decisions and sales of plants: a year of the model.
//!
//! A plant serves a market when its expected profit covers the fixed cost (6). The expected demand
//! follows from last year's signals of its city and of its affiliates' cities (8)-(10). Output is
//! set on that belief before demand is known, and the price clears the market. With constant
//! elasticity, sales are the expected revenue (11) to the power `1 - 1/σ` times the realised one to
//! the power `1/σ`. Signals therefore change both the decision and the amount. A plant that
//! exported is among the exporters of its city, and learns from itself as from them.

use crate::domain::types::Flow;
use crate::theory;

use super::market::{Markets, Seen, log_expected_demand};
use super::params::{Economy, Params};
use super::places::Places;
use super::population::{Firm, Plant};
use super::random::{Stream, key, keyed_normal, keyed_unit};

/// The trade of a plant with a country in a year and a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnualCell {
    /// The position of the plant in its firm.
    pub plant: u16,
    /// The direction.
    pub flow: Flow,
    /// The position of the country among the destinations.
    pub destination: u16,
    /// The value in cents, positive.
    pub cents: i64,
}

/// The demand that an exporter was seen to face: city, market, log demand from the prior mean.
#[derive(Clone, Copy, Debug)]
pub struct Signal {
    /// The position of the city.
    pub city: u16,
    /// The position of the market.
    pub market: u16,
    /// Log points from the market's prior mean.
    pub from_mean: f64,
}

/// A firm's year.
#[derive(Clone, Debug, Default)]
pub struct FirmYear {
    /// The exports and imports.
    pub cells: Vec<AnnualCell>,
    /// The signals for plants that watch the firm.
    pub signals: Vec<Signal>,
}

/// The source of firms' annual exports and imports: the model, or equation (15).
pub trait Trade: Sync {
    /// Appends a firm's year to an empty one.
    fn of_firm(&self, slot: usize, firm: &Firm, stream: &mut Stream, year: &mut FirmYear);
}

/// A plant's decision to export.
#[derive(Clone, Copy, Debug)]
pub struct Decision {
    /// The position of the plant in its firm.
    pub plant: u16,
    /// The position of the market.
    pub market: u16,
    /// The log of the plant's expected demand.
    pub log_expected_demand: f64,
}

/// The decisions of a year, given the signals of the year before.
#[derive(Debug)]
pub struct Decisions<'a> {
    economy: &'a Economy,
    markets: &'a Markets,
    seen: &'a Seen,
    year: u16,
    /// The log expected demand of plants without affiliates, by city and market.
    single: Vec<Vec<f64>>,
    /// `ln(f/ξ)`: the sum of log ability and log expected demand that is needed at the median fixed
    /// cost.
    threshold: f64,
}

impl<'a> Decisions<'a> {
    /// Prepares a year's decisions for cities numbered from 0.
    pub fn new(
        economy: &'a Economy,
        markets: &'a Markets,
        seen: &'a Seen,
        (year, n_cities): (u16, usize),
    ) -> Self {
        let nothing = vec![(0.0, 0.0); markets.priors.len()];
        let city = |city: usize| {
            let neighbours = seen.in_city(u16::try_from(city).expect("cities are few"));
            expectations(markets, neighbours, &nothing)
        };
        let scale = theory::profitability_scale(economy.sigma);
        let threshold = libm::log(economy.fixed_cost_usd / scale);
        let single = (0..n_cities).map(city).collect();
        Self { economy, markets, seen, year, single, threshold }
    }

    /// Decides the markets of the plants of a firm.
    pub fn of_firm(&self, firm: &Firm, mut decided: impl FnMut(&Plant, Decision)) {
        let founded = || firm.plants.iter().filter(|plant| plant.opened <= self.year);
        let several = founded().nth(1).is_some();
        let network = several.then(|| self.seen.in_cities(founded().map(|plant| plant.city)));
        for (position, plant) in firm.open_plants(self.year) {
            let position = u16::try_from(position).expect("a firm has few plants");
            let own = network.as_ref().map(|network| self.with_affiliates(plant, network));
            let expected = own.as_ref().unwrap_or(&self.single[usize::from(plant.city)]);
            for (market, &log_expected_demand) in expected.iter().enumerate() {
                let market = u16::try_from(market).expect("destinations are few");
                if self.exports(plant, market, log_expected_demand) {
                    decided(plant, Decision { plant: position, market, log_expected_demand });
                }
            }
        }
    }

    /// The expected demand of a plant whose firm's cities, including its own, saw `network`.
    fn with_affiliates(&self, plant: &Plant, network: &[(f64, f64)]) -> Vec<f64> {
        let neighbours = self.seen.in_city(plant.city);
        let others: Vec<(f64, f64)> = network
            .iter()
            .zip(neighbours)
            .map(|(all, own)| (all.0 - own.0, all.1 - own.1))
            .collect();
        expectations(self.markets, neighbours, &others)
    }

    /// Equation (6) with the plant's own fixed cost in the market, which is logistic in logs around
    /// the common one.
    fn exports(&self, plant: &Plant, market: u16, log_expected_demand: f64) -> bool {
        let margin = plant.ln_ability + log_expected_demand - self.threshold;
        let cost_rank = keyed_unit(self.cost_key(plant, market));
        below_logistic(cost_rank, margin / self.economy.fixed_cost_scale)
    }

    /// The key of a fixed cost. It changes every few years, in different years for different
    /// plants.
    fn cost_key(&self, plant: &Plant, market: u16) -> u64 {
        let pair = key(plant.key, u64::from(market));
        let every = self.economy.fixed_cost_years.max(1);
        // A cost that is drawn each year needs other keys than the residual of the year.
        let draw = (u64::from(self.year) + pair % every) / every;
        key(pair, if every == 1 { draw + (1 << 16) } else { draw })
    }
}

/// True if a rank is below the logistic function of a number.
///
/// The first terms of the exponential's series are all positive and settle most cases.
fn below_logistic(rank: f64, number: f64) -> bool {
    if number < 0.0 {
        let distance = -number;
        let least = 1.0 + distance * (1.0 + distance / 2.0 * (1.0 + distance / 3.0));
        if rank * (1.0 + least) > 1.0 + 1e-9 {
            return false;
        }
    }
    rank * (1.0 + libm::exp(-number)) < 1.0
}

fn expectations(
    markets: &Markets,
    neighbours: &[(f64, f64)],
    affiliates: &[(f64, f64)],
) -> Vec<f64> {
    let groups = neighbours.iter().zip(affiliates);
    let both = markets.priors.iter().zip(groups);
    both.map(|(prior, (&near, &far))| log_expected_demand(prior, near, far)).collect()
}

/// Trade by the model.
#[derive(Debug)]
pub struct Model<'a> {
    /// All parameters.
    pub params: &'a Params,
    /// The places, with Hong Kong and the number of markets.
    pub places: &'a Places,
    /// The year's decisions.
    pub decisions: Decisions<'a>,
}

impl Trade for Model<'_> {
    fn of_firm(&self, _slot: usize, firm: &Firm, stream: &mut Stream, year: &mut FirmYear) {
        self.decisions.of_firm(firm, |plant, decision| {
            let from_mean = self.demand_from_mean(plant, decision.market);
            let cents = cents(self.log_sales(plant, &decision, from_mean));
            let Decision { plant: position, market: destination, .. } = decision;
            let flow = Flow::Export;
            year.cells.push(AnnualCell { plant: position, flow, destination, cents });
            if !firm.intermediary {
                let (city, market) = (plant.city, decision.market);
                year.signals.push(Signal { city, market, from_mean });
            }
        });
        let exports = year.cells.len();
        for (position, _) in firm.open_plants(self.decisions.year) {
            let position = u16::try_from(position).expect("a firm has few plants");
            hong_kong(self.params, self.places, position, stream, year, exports);
            imports(self.params, self.places, position, stream, year, exports);
        }
    }
}

impl Model<'_> {
    /// The realised log demand (2) from the prior mean: the market's part, and the taste, which
    /// persists in part.
    fn demand_from_mean(&self, plant: &Plant, market: u16) -> f64 {
        let Decisions { economy, markets, year, .. } = &self.decisions;
        let pair = key(key(plant.key, u64::from(market)), u64::MAX);
        let lasting = economy.taste_persistence.sqrt() * keyed_normal(pair);
        let passing =
            (1.0 - economy.taste_persistence).sqrt() * keyed_normal(key(pair, u64::from(*year)));
        let prior = &markets.priors[usize::from(market)];
        let market_demand = markets.demand[usize::from(market)] - prior.mean;
        theory::log_demand(market_demand, theory::taste(prior, lasting + passing))
    }

    /// Log sales, ln USD: expected revenue and realised revenue, weighted `1 - 1/σ` and `1/σ`.
    fn log_sales(&self, plant: &Plant, decision: &Decision, from_mean: f64) -> f64 {
        let Economy { sigma, .. } = *self.decisions.economy;
        let prior = &self.decisions.markets.priors[usize::from(decision.market)];
        let realised = prior.mean + from_mean;
        let demand = decision.log_expected_demand * (1.0 - 1.0 / sigma) + realised / sigma;
        libm::log(theory::profitability_scale(sigma) * sigma) + plant.ln_ability + demand
    }
}

/// The exports of a plant to Hong Kong, in the years with some: about as much as to its other
/// destinations.
fn hong_kong(
    params: &Params,
    places: &Places,
    plant: u16,
    stream: &mut Stream,
    year: &mut FirmYear,
    exports: usize,
) {
    let own = year.cells[..exports].iter().filter(|cell| cell.plant == plant);
    let Some(like) = own.map(|cell| cell.cents).max() else { return };
    if !stream.happens(params.records.hong_kong_share) {
        return;
    }
    let cents = cents_near(like, stream.normal() - 1.0);
    let destination = u16::try_from(places.hong_kong()).expect("destinations are few");
    year.cells.push(AnnualCell { plant, flow: Flow::Export, destination, cents });
}

/// The imports of a plant, in the years with some: from one to four countries, half of them its
/// export markets.
fn imports(
    params: &Params,
    places: &Places,
    plant: u16,
    stream: &mut Stream,
    year: &mut FirmYear,
    exports: usize,
) {
    if !stream.happens(params.records.import_share) {
        return;
    }
    let markets: Vec<u16> = year.cells[..exports]
        .iter()
        .filter_map(|cell| (cell.plant == plant).then_some(cell.destination))
        .collect();
    let largest = u32::try_from(places.markets().min(20)).expect("at most twenty");
    for _ in 0..=stream.below(4) {
        let known = !markets.is_empty() && stream.happens(0.5);
        let elsewhere = u16::try_from(stream.below(largest)).expect("below twenty");
        let destination = if known { *stream.pick(&markets) } else { elsewhere };
        let cents = cents(10.0 + 1.5 * stream.normal());
        year.cells.push(AnnualCell { plant, flow: Flow::Import, destination, cents });
    }
}

/// The value in cents, at least one dollar, of a log of dollars.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of cents")]
pub fn cents(ln_usd: f64) -> i64 {
    (libm::exp(ln_usd) * 100.0).round().clamp(100.0, 1e15) as i64
}

#[expect(clippy::cast_precision_loss, reason = "the value is a draw, its last cents do not matter")]
fn cents_near(like: i64, log_points: f64) -> i64 {
    cents(libm::log(like as f64 / 100.0) + log_points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::population::Population;

    #[test]
    fn a_signal_from_an_affiliates_city_brings_plants_to_the_market() {
        let params = Params { firms: 500, ..Params::default() };
        let places = Places::choose(&params).expect("the sizes are possible");
        let markets = Markets::open(&params.economy, &places, 1);
        let population = Population::found(&params, &places, 2000);
        let exporters = |seen: &Seen| {
            let decisions = Decisions::new(&params.economy, &markets, seen, (2000, 100));
            let mut n = 0;
            population.firms.iter().for_each(|firm| {
                decisions.of_firm(firm, |_, decision| n += u32::from(decision.market == 7));
            });
            n
        };
        let mut seen = Seen::nobody(&places);
        let alone = exporters(&seen);
        (0..100).for_each(|city| (0..20).for_each(|_| seen.add(city, 7, 1.5)));
        let informed = exporters(&seen);
        assert!(informed > alone + alone / 5, "{alone} alone, {informed} informed");
    }

    #[test]
    fn the_short_cut_decides_as_the_logistic_function_does() {
        for number in (-200..=200).map(|tenth| f64::from(tenth) / 10.0) {
            let value = 1.0 / (1.0 + libm::exp(-number));
            assert!(below_logistic(value * (1.0 - 1e-12), number), "below at {number}");
            assert!(!below_logistic(value * (1.0 + 1e-12), number), "above at {number}");
        }
    }

    #[test]
    fn a_value_is_a_dollar_at_least() {
        assert_eq!(cents(libm::log(12.34)), 1_234);
        assert_eq!(cents(-50.0), 100);
    }
}

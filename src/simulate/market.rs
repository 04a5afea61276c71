//! Markets: their yearly demand, and the signals of exporters' sales in the previous year.

use crate::theory::{self, Prior, Signals};

use super::params::Economy;
use super::places::Places;
use super::random::{Purpose, Stream};

/// The markets of a year.
#[derive(Debug)]
pub struct Markets {
    /// The prior of each destination before any signal, including the foreseen trend.
    pub priors: Vec<Prior>,
    /// The market's part of log demand this year, `d_m`.
    pub demand: Vec<f64>,
    streams: Vec<Stream>,
    economy: Economy,
}

impl Markets {
    /// The markets of the first year.
    pub fn open(economy: &Economy, places: &Places, seed: u64) -> Self {
        let priors: Vec<Prior> = (0..places.markets()).map(|rank| prior(economy, rank)).collect();
        let number = |market: usize| u64::try_from(market).expect("destinations are few");
        let mut streams: Vec<Stream> = (0..priors.len())
            .map(|market| Stream::open(seed, Purpose::Demand, number(market), 0))
            .collect();
        let demand = priors
            .iter()
            .zip(&mut streams)
            .map(|(prior, stream)| theory::market_demand(prior, stream.normal()))
            .collect();
        Self { priors, demand, streams, economy: economy.clone() }
    }

    /// Moves to the next year: demand keeps part of its distance from its mean, and all levels
    /// follow the trend.
    pub fn advance(&mut self) {
        let persistence = self.economy.demand_persistence;
        for ((prior, demand), stream) in
            self.priors.iter_mut().zip(&mut self.demand).zip(&mut self.streams)
        {
            let kept = persistence * (*demand - prior.mean);
            let innovation = (1.0 - persistence * persistence).max(0.0).sqrt() * stream.normal();
            prior.mean += self.economy.trend;
            *demand = kept + theory::market_demand(prior, innovation);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "ranks are below a thousand")]
fn prior(economy: &Economy, rank: usize) -> Prior {
    let fall = economy.destination_exponent * libm::log(rank as f64 / 2.0 + 1.0);
    Prior {
        mean: economy.log_demand_first - fall,
        demand_variance: economy.demand_variance,
        taste_variance: economy.taste_variance,
    }
}

/// The signals of exporters of each city in each market: numbers and sums, city by city.
///
/// # Units
/// Signals in log points *from the prior mean of their year*, so that last year's signals inform
/// about this year's demand.
#[derive(Clone, Debug)]
pub struct Seen {
    groups: Vec<(f64, f64)>,
    markets: usize,
}

impl Seen {
    /// No signals.
    pub fn nobody(places: &Places) -> Self {
        let markets = places.markets();
        Self { groups: vec![(0.0, 0.0); places.cities.len() * markets], markets }
    }

    /// Adds the signal of an exporter.
    pub fn add(&mut self, city: u16, market: u16, signal: f64) {
        let group = &mut self.groups[usize::from(city) * self.markets + usize::from(market)];
        group.0 += 1.0;
        group.1 += signal;
    }

    /// The signals in a city, market by market: numbers and sums.
    pub fn in_city(&self, city: u16) -> &[(f64, f64)] {
        let first = usize::from(city) * self.markets;
        &self.groups[first..first + self.markets]
    }

    /// The sums over several cities, market by market.
    pub fn in_cities(&self, cities: impl Iterator<Item = u16>) -> Vec<(f64, f64)> {
        let mut total = vec![(0.0, 0.0); self.markets];
        for city in cities {
            for (sum, group) in total.iter_mut().zip(self.in_city(city)) {
                sum.0 += group.0;
                sum.1 += group.1;
            }
        }
        total
    }
}

/// The log of a plant's expected demand in a market, after the signals in its own city and in
/// affiliates' cities.
///
/// # Equation
/// (8) to (10): `d_post + (v_post + v_z)/2`. With the taste's variance included, the case without
/// signals gives (5) and (6) exactly. Equation (11) as printed omits it, for all plants alike.
pub fn log_expected_demand(prior: &Prior, neighbours: (f64, f64), affiliates: (f64, f64)) -> f64 {
    let from_mean = Signals::of_groups(neighbours, affiliates);
    let centred = Prior { mean: 0.0, ..*prior };
    let posterior = prior.mean + theory::posterior_mean(&centred, &from_mean);
    let variance = theory::posterior_variance(prior, from_mean.exporters) + prior.taste_variance;
    posterior + variance / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::params::Params;

    #[test]
    fn expected_demand_with_nobody_seen_is_that_of_the_cutoff_alone() {
        let prior = Prior { mean: 3.0, demand_variance: 0.4, taste_variance: 0.9 };
        let log_demand = log_expected_demand(&prior, (0.0, 0.0), (0.0, 0.0));
        let cutoff = theory::export_cutoff_alone(4.0, 7.0, &prior);
        let at_cutoff = cutoff * theory::profitability_scale(4.0) * libm::exp(log_demand);
        assert!((at_cutoff - 7.0).abs() < 1e-12);
    }

    #[test]
    fn demand_keeps_its_variance_around_a_rising_mean() {
        let params = Params { destinations: 200, ..Params::default() };
        let places = Places::choose(&params).expect("the sizes are possible");
        let mut markets = Markets::open(&params.economy, &places, 1);
        let first_mean = markets.priors[0].mean;
        (0..20).for_each(|_| markets.advance());
        assert!((markets.priors[0].mean - first_mean - 20.0 * params.economy.trend).abs() < 1e-9);
        let squares = markets.priors.iter().zip(&markets.demand);
        let variance = squares.map(|(prior, d)| (d - prior.mean).powi(2)).sum::<f64>() / 200.0;
        assert!((0.2..0.4).contains(&variance), "{variance} around v_d = 0.3");
    }
}

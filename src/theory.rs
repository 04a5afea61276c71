//! The theory behind the indicators: equations (1) to (12), each as a function.
//!
//! An exporter does not know the demand of a market. It starts from a prior, sees the sales of
//! exporters of its own city and of its affiliates' cities there, and updates. More exporters give
//! their signals more weight. The decision to export, the sales, and the effect of affiliates'
//! signals on sales (12) follow from this; the regressions of equation (15) estimate that effect.
//! [`crate::simulate`] draws feeds from these functions.
//!
//! Demand and its signals are in logs; `φ^(σ-1)` is written *ability*, the only form in which
//! productivity counts.

/// A plant's technology and the cost of serving a market.
///
/// # Units
/// `fixed_cost` in the currency of demand; productivity has no unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Technology {
    /// Elasticity of substitution `σ`, above one.
    pub sigma: f64,
    /// Productivity `φ`, positive.
    pub productivity: f64,
    /// Fixed cost `f` of exporting to a market, not negative.
    pub fixed_cost: f64,
}

impl Technology {
    /// Ability `φ^(σ-1)`.
    #[must_use]
    pub fn ability(&self) -> f64 {
        libm::pow(self.productivity, self.sigma - 1.0)
    }
}

/// The prior of a market, before any exporter to it is seen.
///
/// # Units
/// Logs of demand, and squares of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// Mean `d̄_m` of the market's log demand.
    pub mean: f64,
    /// Variance `v_d` of the market's log demand, not negative.
    pub demand_variance: f64,
    /// Variance `v_z` of the taste for one plant's good, positive.
    pub taste_variance: f64,
}

/// The signals of a market's exporters: their number, and the parts of the mean signal.
///
/// # Units
/// The parts in logs of demand; without exporters, all three are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Signals {
    /// The number of exporters seen, `n = n_nb + n_oth`.
    pub exporters: f64,
    /// The neighbours' part `d_nb` of the mean signal: their mean times their share of `n`.
    pub neighbours: f64,
    /// The affiliate cities' part `d_oth` of the mean signal, defined in the same way.
    pub affiliates: f64,
}

impl Signals {
    /// The signals of two groups, each given as the number of its exporters and the sum of their
    /// signals.
    ///
    /// ```
    /// use spillover::theory::Signals;
    ///
    /// let seen = Signals::of_groups((1.0, 2.0), (3.0, 12.0));
    /// assert_eq!((seen.exporters, seen.neighbours, seen.affiliates), (4.0, 0.5, 3.0));
    /// ```
    #[must_use]
    pub fn of_groups(neighbours: (f64, f64), affiliates: (f64, f64)) -> Self {
        let exporters = neighbours.0 + affiliates.0;
        if exporters <= 0.0 {
            return Self::default();
        }
        Self {
            exporters,
            neighbours: neighbours.1 / exporters,
            affiliates: affiliates.1 / exporters,
        }
    }
}

/// The factor `ξ` between ability times demand and operating profit.
///
/// # Equation
/// (1): `ξ = [σ (σ/(σ-1))^(σ-1)]^-1`, with [`profit`].
///
/// # Panics
/// If `sigma` is not above one: a monopolist then has no optimal price.
#[must_use]
pub fn profitability_scale(sigma: f64) -> f64 {
    assert!(sigma > 1.0, "elasticity of substitution {sigma} is not above one");
    1.0 / (sigma * libm::pow(sigma / (sigma - 1.0), sigma - 1.0))
}

/// Profit at a known demand.
///
/// # Equation
/// (1): `π = ξ φ^(σ-1) D - f`.
///
/// # Units
/// `demand` in levels, not logs.
///
/// # Panics
/// As for [`profitability_scale`].
#[must_use]
pub fn profit(technology: &Technology, demand: f64) -> f64 {
    profitability_scale(technology.sigma) * technology.ability() * demand - technology.fixed_cost
}

/// Log demand for a plant's good in a market.
///
/// # Equation
/// (2): `ln D_im = d_m + z_im`.
#[must_use]
pub fn log_demand(market_demand: f64, taste: f64) -> f64 {
    market_demand + taste
}

/// The market's part of log demand, from a standard normal draw.
///
/// # Equation
/// (3): `d_m ~ N(d̄_m, v_d)`.
#[must_use]
pub fn market_demand(prior: &Prior, standard_normal: f64) -> f64 {
    prior.mean + prior.demand_variance.sqrt() * standard_normal
}

/// The taste for a plant's good, from a standard normal draw.
///
/// # Equation
/// (4): `z_im ~ N(0, v_z)`.
#[must_use]
pub fn taste(prior: &Prior, standard_normal: f64) -> f64 {
    prior.taste_variance.sqrt() * standard_normal
}

/// The expected demand of a plant that has seen no exporter: the mean of a lognormal variable.
fn expected_demand_alone(prior: &Prior) -> f64 {
    libm::exp(prior.mean + f64::midpoint(prior.demand_variance, prior.taste_variance))
}

/// The expected profit of a plant that has seen no exporter.
///
/// # Equation
/// (5): `ξ φ^(σ-1) exp(d̄ + v/2) - f`, `v = v_d + v_z`.
///
/// # Panics
/// As for [`profitability_scale`].
#[must_use]
pub fn expected_profit_alone(technology: &Technology, prior: &Prior) -> f64 {
    profit(technology, expected_demand_alone(prior))
}

/// The ability `φ^(σ-1)` from which a plant exports if it has seen no exporter.
///
/// # Equation
/// (6): `φ^(σ-1) ≥ f / (ξ exp(d̄ + v/2))`; there (5) is zero.
///
/// # Panics
/// As for [`profitability_scale`].
#[must_use]
pub fn export_cutoff_alone(sigma: f64, fixed_cost: f64, prior: &Prior) -> f64 {
    fixed_cost / (profitability_scale(sigma) * expected_demand_alone(prior))
}

/// The expected revenue of a plant that has seen no exporter.
///
/// # Equation
/// (7): `r = σ E[π] + σ f`.
///
/// # Panics
/// As for [`profitability_scale`].
#[must_use]
pub fn revenue_alone(technology: &Technology, prior: &Prior) -> f64 {
    technology.sigma * (expected_profit_alone(technology, prior) + technology.fixed_cost)
}

/// The mean of a market's log demand after the signals.
///
/// # Equation
/// (8): `d_post = δ (d_nb + d_oth) + (1-δ) d̄`.
///
/// # Panics
/// As for [`signal_weight`].
#[must_use]
pub fn posterior_mean(prior: &Prior, signals: &Signals) -> f64 {
    let weight = signal_weight(prior, signals.exporters);
    weight * (signals.neighbours + signals.affiliates) + (1.0 - weight) * prior.mean
}

/// The weight of the mean signal against the prior.
///
/// # Equation
/// (9): `δ = n v_d / (v_z + n v_d)`: 0 without exporters, and near 1 for many.
///
/// # Panics
/// If the taste's variance is not positive, or the number of exporters is negative.
#[must_use]
pub fn signal_weight(prior: &Prior, exporters: f64) -> f64 {
    let informative = exporters * prior.demand_variance;
    informative / (checked_taste_variance(prior, exporters) + informative)
}

/// The variance of a market's log demand after the signals.
///
/// # Equation
/// (10): `v_post = v_z v_d / (v_z + n v_d)`.
///
/// # Panics
/// As for [`signal_weight`].
#[must_use]
pub fn posterior_variance(prior: &Prior, exporters: f64) -> f64 {
    let taste_variance = checked_taste_variance(prior, exporters);
    taste_variance * prior.demand_variance / (taste_variance + exporters * prior.demand_variance)
}

/// The expected revenue of a plant after the signals.
///
/// # Equation
/// (11): `r = ξ σ φ^(σ-1) exp(d_post + v_post/2)`. As printed, it omits the variance of the taste,
/// which (7) includes: without a signal it is (7) times `exp(-v_z/2)`.
///
/// # Panics
/// As for [`profitability_scale`] and [`signal_weight`].
#[must_use]
pub fn revenue_after_learning(technology: &Technology, prior: &Prior, signals: &Signals) -> f64 {
    let log_expected =
        posterior_mean(prior, signals) + posterior_variance(prior, signals.exporters) / 2.0;
    let scale = profitability_scale(technology.sigma) * technology.sigma;
    scale * technology.ability() * libm::exp(log_expected)
}

/// The rise of revenue in per cent for one per cent of demand signalled from the affiliates'
/// cities.
///
/// # Equation
/// (12): `∂ ln r / ∂ d_oth = δ > 0`.
///
/// # Panics
/// As for [`signal_weight`].
#[must_use]
pub fn elasticity_of_revenue_to_affiliate_signal(prior: &Prior, exporters: f64) -> f64 {
    signal_weight(prior, exporters)
}

fn checked_taste_variance(prior: &Prior, exporters: f64) -> f64 {
    assert!(exporters >= 0.0, "{exporters} exporters seen");
    assert!(prior.taste_variance > 0.0, "variance of taste {}", prior.taste_variance);
    prior.taste_variance
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "hand-worked numbers, compared with a tolerance")]
mod tests {
    use super::*;

    const PLANT: Technology = Technology { sigma: 3.0, productivity: 2.0, fixed_cost: 10.0 };
    const MARKET: Prior = Prior { mean: 4.0, demand_variance: 0.5, taste_variance: 1.5 };

    fn assert_close(got: f64, want: f64) {
        let tolerance = 1e-12 * want.abs().max(1.0);
        assert!((got - want).abs() < tolerance, "got {got}, want {want}");
    }

    fn seen(neighbours: (f64, f64), affiliates: (f64, f64)) -> Signals {
        Signals::of_groups(neighbours, affiliates)
    }

    #[test]
    fn equation_1_scale_and_profit_by_hand() {
        assert_close(profitability_scale(2.0), 0.25); // 1 / (2 · 2)
        assert_close(profitability_scale(3.0), 4.0 / 27.0); // 1 / (3 · 1.5²)
        assert_close(profit(&PLANT, 135.0), 4.0 / 27.0 * 4.0 * 135.0 - 10.0); // 80 - 10
        assert_close(profit(&PLANT, 135.0), 70.0);
    }

    #[test]
    fn equations_2_to_4_draw_demand_by_hand() {
        let prior = Prior { mean: 1.0, demand_variance: 0.25, taste_variance: 4.0 };
        assert_close(market_demand(&prior, 2.0), 2.0);
        assert_close(taste(&prior, -1.5), -3.0);
        assert_close(log_demand(2.0, -3.0), -1.0);
    }

    #[test]
    fn equations_5_to_7_without_signals_by_hand() {
        // exp(4 + (0.5 + 1.5)/2) = e^5; profit = 16/27 e^5 - 10
        let profit = 16.0 / 27.0 * 5f64.exp() - 10.0;
        assert_close(expected_profit_alone(&PLANT, &MARKET), profit);
        assert_close(export_cutoff_alone(3.0, 10.0, &MARKET), 67.5 / 5f64.exp());
        assert_close(revenue_alone(&PLANT, &MARKET), 3.0 * (profit + 10.0));
    }

    #[test]
    fn the_cutoff_is_where_expected_profit_crosses_zero() {
        let cutoff = export_cutoff_alone(PLANT.sigma, PLANT.fixed_cost, &MARKET);
        let productivity = cutoff.powf(1.0 / (PLANT.sigma - 1.0));
        let at = |factor: f64| Technology { productivity: productivity * factor, ..PLANT };
        assert!(expected_profit_alone(&at(1.0), &MARKET).abs() < 1e-9);
        assert!(expected_profit_alone(&at(0.999), &MARKET) < 0.0);
        assert!(expected_profit_alone(&at(1.001), &MARKET) > 0.0);
    }

    #[test]
    fn equations_8_to_10_by_hand() {
        // n = 3: δ = 1.5 / (1.5 + 1.5); mean signal (5 + 13) / 3 = 6; v_post = 0.75 / 3
        let signals = seen((1.0, 5.0), (2.0, 13.0));
        assert_close(signal_weight(&MARKET, 3.0), 0.5);
        assert_close(posterior_mean(&MARKET, &signals), 5.0);
        assert_close(posterior_variance(&MARKET, 3.0), 0.25);
    }

    #[test]
    fn with_nobody_seen_the_posterior_is_the_prior() {
        assert_close(posterior_mean(&MARKET, &seen((0.0, 0.0), (0.0, 0.0))), MARKET.mean);
        assert_close(signal_weight(&MARKET, 0.0), 0.0);
        assert_close(posterior_variance(&MARKET, 0.0), MARKET.demand_variance);
    }

    #[test]
    fn with_many_seen_the_posterior_is_the_signal() {
        let many = 1e9;
        let signals = seen((many, 6.0 * many), (many, 8.0 * many));
        assert!((posterior_mean(&MARKET, &signals) - 7.0).abs() < 1e-8);
        assert!(posterior_variance(&MARKET, 2.0 * many) < 1e-8);
    }

    #[test]
    fn signals_weigh_more_with_exporters_and_market_variance_and_less_with_taste_variance() {
        let weight = |demand_variance, taste_variance, exporters| {
            signal_weight(&Prior { mean: 4.0, demand_variance, taste_variance }, exporters)
        };
        for exporters in [1.0, 2.0, 10.0, 500.0] {
            assert!(weight(0.5, 1.5, exporters + 1.0) > weight(0.5, 1.5, exporters));
            assert!(weight(0.6, 1.5, exporters) > weight(0.5, 1.5, exporters));
            assert!(weight(0.5, 1.6, exporters) < weight(0.5, 1.5, exporters));
        }
    }

    #[test]
    fn equation_11_by_hand() {
        let signals = seen((1.0, 5.0), (2.0, 13.0));
        let want = 4.0 / 27.0 * 3.0 * 4.0 * (5.0f64 + 0.125).exp();
        assert_close(revenue_after_learning(&PLANT, &MARKET, &signals), want);
    }

    #[test]
    fn equation_11_without_signals_is_7_less_the_variance_of_taste() {
        let alone = revenue_alone(&PLANT, &MARKET);
        let nobody = revenue_after_learning(&PLANT, &MARKET, &Signals::default());
        assert_close(nobody, alone * (-MARKET.taste_variance / 2.0).exp());
    }

    #[test]
    fn equation_12_is_the_derivative_of_the_log_of_11() {
        for exporters in [1.0, 3.0, 40.0] {
            let at = |affiliates| {
                let signals = Signals { exporters, neighbours: 1.0, affiliates };
                revenue_after_learning(&PLANT, &MARKET, &signals).ln()
            };
            let slope = (at(3.0 + 1e-4) - at(3.0 - 1e-4)) / 2e-4;
            let elasticity = elasticity_of_revenue_to_affiliate_signal(&MARKET, exporters);
            assert!((slope - elasticity).abs() < 1e-9, "{slope} against {elasticity}");
            assert!(elasticity > 0.0);
        }
    }
}

//! Parameters of a simulated feed: every size, rate and elasticity, with its default.

use crate::domain::types::Period;

use super::error::SimulateError;

/// The origin of exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Plants choose markets, learn and sell as in [`crate::theory`].
    Theory,
    /// Log exports follow equation (15) with the coefficients of [`Linear`].
    Linear,
}

/// A feed to be simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// The origin of exports.
    pub mode: Mode,
    /// First month.
    pub from: Period,
    /// Last month.
    pub to: Period,
    /// The number of firms alive at any time; a new firm replaces one that dies.
    pub firms: u32,
    /// The number of cities, at most the 337 of the reference table.
    pub cities: u32,
    /// The number of destinations without Hong Kong, at most the 220 or so economies of the
    /// reference table.
    pub destinations: u32,
    /// The seed: the same parameters and seed give the same bytes.
    pub seed: u64,
    /// Firms and their plants.
    pub population: Population,
    /// The economy of [`crate::theory`].
    pub economy: Economy,
    /// The division of annual exports into monthly records.
    pub records: Records,
    /// Equation (15), for [`Mode::Linear`].
    pub linear: Linear,
}

/// Firms and their plants.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// Share of firms founded with plants in several cities.
    pub multi_plant_share: f64,
    /// Exponent of the Pareto distribution of their number of plants, from two on.
    pub plants_exponent: f64,
    /// The largest number of plants of a firm.
    pub plants_max: u32,
    /// Probability that a firm dies in a year.
    pub death_rate: f64,
    /// Probability that a plant other than the first closes in a year.
    pub plant_close_rate: f64,
    /// Exponent of city size by rank: a larger one concentrates exporters more.
    pub city_exponent: f64,
    /// Share of plants whose city is drawn evenly rather than by size.
    pub even_city_share: f64,
    /// Share of firms that are trade intermediaries by name.
    pub intermediary_share: f64,
    /// Standard deviation of firms' log ability.
    pub firm_ability_sd: f64,
    /// Standard deviation of plants' log ability within a firm.
    pub plant_ability_sd: f64,
    /// The lead of the log ability of a multi-plant firm's first plant over other firms.
    pub first_plant_lead: f64,
    /// The lag of the log ability of its other plants behind the first.
    pub other_plants_lag: f64,
}

/// The economy of [`crate::theory`].
#[derive(Clone, Debug, PartialEq)]
pub struct Economy {
    /// Elasticity of substitution `σ`.
    pub sigma: f64,
    /// Median fixed cost `f` of serving a market for a year, USD.
    pub fixed_cost_usd: f64,
    /// Scale of the logistic distribution of log fixed cost between plants and markets.
    pub fixed_cost_scale: f64,
    /// Years after which a plant's fixed cost in a market is drawn again.
    pub fixed_cost_years: u64,
    /// Mean `d̄` of log demand of the largest market, ln USD.
    pub log_demand_first: f64,
    /// Exponent of demand by rank of the market, counted from two.
    pub destination_exponent: f64,
    /// Yearly growth of demand that everybody foresees, log points.
    pub trend: f64,
    /// Variance `v_d` of a market's log demand.
    pub demand_variance: f64,
    /// Autocorrelation of log demand from year to year.
    pub demand_persistence: f64,
    /// Variance `v_z` of the taste for a plant's good.
    pub taste_variance: f64,
    /// Share of the taste's variance that persists; the rest is drawn every year.
    pub taste_persistence: f64,
    /// The number of simulated years before the feed's first, which give the first signals.
    pub years_before: u16,
}

/// The division of annual exports into monthly records.
#[derive(Clone, Debug, PartialEq)]
pub struct Records {
    /// The smallest number of records of a plant, a destination and a month with any.
    pub per_month_min: u32,
    /// The largest such number.
    pub per_month_max: u32,
    /// Share of months with records for a cell of 10,000 USD a year; each log point adds ten
    /// percentage points.
    pub months_share: f64,
    /// The largest number of goods (eight-digit codes) of a plant.
    pub goods_max: u32,
    /// Share of a plant's records with its main trade mode.
    pub main_mode_share: f64,
    /// Share of plants and years with imports.
    pub import_share: f64,
    /// Share of plants and years with exports to Hong Kong.
    pub hong_kong_share: f64,
    /// Share of records in the file of a later month.
    pub late_rate: f64,
    /// Share of records corrected by a negative record.
    pub amended_rate: f64,
    /// Share of records cancelled completely in the file of a later month.
    pub cancelled_rate: f64,
    /// Mean lag of late records and corrections, in months.
    pub lag_months_mean: f64,
}

/// Equation (15): `ln_export` on the indicators, in USD and log points.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// The coefficients.
    pub coefficients: Coefficients,
    /// Standard deviation of the residual.
    pub residual_sd: f64,
    /// Standard deviation of the effects of plant × year around the plant's mean.
    pub plant_year_sd: f64,
    /// Standard deviation of the effects of destination × year around the destination's mean.
    pub country_year_sd: f64,
    /// Standard deviation of the effects of city × destination.
    pub city_country_sd: f64,
    /// Mean of log exports.
    pub constant: f64,
    /// Share of exporting plants that also import from the destination.
    pub import_share: f64,
    /// Yearly change of log exports of all plants, around the middle of the feed.
    pub trend: f64,
    /// The figures with which the feed is compared.
    pub targets: Targets,
}

/// Figures that a linear feed is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Targets {
    /// None.
    #[default]
    Nothing,
    /// Tables 1 and 2 of the paper.
    Paper,
}

/// Coefficients of equation (15), named as the regressors.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Coefficients {
    /// `affiliate_growth`.
    pub affiliate_growth: f64,
    /// `affiliate_growth:affiliate_ln_density`.
    pub affiliate_growth_ln_density: f64,
    /// `affiliate_ln_density`.
    pub affiliate_ln_density: f64,
    /// `local_growth`.
    pub local_growth: f64,
    /// `local_growth:local_ln_density`.
    pub local_growth_ln_density: f64,
    /// `local_ln_density`.
    pub local_ln_density: f64,
    /// `ln_import`.
    pub ln_import: f64,
    /// `experience`.
    pub experience: f64,
}

impl Default for Params {
    /// Twelve years of 2,000 firms: a size for experiments.
    fn default() -> Self {
        Self {
            mode: Mode::Theory,
            from: month(2000, 1),
            to: month(2011, 12),
            firms: 2_000,
            cities: 100,
            destinations: 60,
            seed: 1,
            population: Population::default(),
            economy: Economy::default(),
            records: Records::default(),
            linear: Linear::default(),
        }
    }
}

impl Default for Population {
    /// Calibrated on table 1: see the shares in the report.
    fn default() -> Self {
        Self {
            multi_plant_share: 0.08,
            plants_exponent: 1.1,
            plants_max: 60,
            death_rate: 0.06,
            plant_close_rate: 0.05,
            city_exponent: 1.1,
            even_city_share: 0.1,
            intermediary_share: 0.06,
            firm_ability_sd: 1.2,
            plant_ability_sd: 1.0,
            first_plant_lead: 1.1,
            other_plants_lag: 1.0,
        }
    }
}

impl Default for Economy {
    fn default() -> Self {
        Self {
            sigma: 4.0,
            fixed_cost_usd: 50_000.0,
            fixed_cost_scale: 0.6,
            fixed_cost_years: 5,
            log_demand_first: 11.0,
            destination_exponent: 1.2,
            trend: 0.05,
            demand_variance: 0.3,
            demand_persistence: 0.8,
            taste_variance: 1.5,
            taste_persistence: 0.7,
            years_before: 2,
        }
    }
}

impl Default for Records {
    fn default() -> Self {
        Self {
            per_month_min: 2,
            per_month_max: 5,
            months_share: 0.25,
            goods_max: 6,
            main_mode_share: 0.85,
            import_share: 0.25,
            hong_kong_share: 0.15,
            late_rate: 0.004,
            amended_rate: 0.006,
            cancelled_rate: 0.002,
            lag_months_mean: 3.0,
        }
    }
}

impl Default for Linear {
    fn default() -> Self {
        Self {
            coefficients: Coefficients::default(),
            residual_sd: 0.6,
            plant_year_sd: 0.3,
            country_year_sd: 0.2,
            city_country_sd: 0.4,
            constant: 11.0,
            import_share: 0.3,
            trend: 0.0,
            targets: Targets::Nothing,
        }
    }
}

impl Default for Coefficients {
    fn default() -> Self {
        Self {
            affiliate_growth: 0.35,
            affiliate_growth_ln_density: 0.03,
            affiliate_ln_density: 0.10,
            local_growth: 0.15,
            local_growth_ln_density: 0.01,
            local_ln_density: 0.08,
            ln_import: 0.02,
            experience: 0.25,
        }
    }
}

impl Coefficients {
    /// Column (4) of table 3.
    #[must_use]
    pub fn paper() -> Self {
        Self {
            affiliate_growth: 0.0380,
            affiliate_growth_ln_density: 0.0040,
            affiliate_ln_density: 0.0654,
            local_growth: 0.1542,
            local_growth_ln_density: 0.0169,
            local_ln_density: 0.0649,
            ln_import: 0.0614,
            experience: 0.3314,
        }
    }
}

impl Params {
    /// A feed of about a megabyte with several hundred rows of multi-plant firms a year.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            from: month(2008, 1),
            firms: 120,
            cities: 20,
            destinations: 15,
            population: Population {
                multi_plant_share: 0.4,
                plants_max: 12,
                ..Population::default()
            },
            economy: Economy { fixed_cost_usd: 20_000.0, ..Economy::default() },
            records: Records {
                per_month_min: 1,
                per_month_max: 1,
                months_share: 0.1,
                ..Records::default()
            },
            ..Self::default()
        }
    }

    /// A linear feed with column (4) of table 3 as truth, and with tables 1 and 2 as targets.
    ///
    /// The residual has the share of the variance that the column's R² of 0.2934 leaves. The share
    /// and the size of imports give their mean and their standard deviation.
    #[must_use]
    pub fn paper() -> Self {
        Self {
            mode: Mode::Linear,
            population: Population {
                plants_exponent: 1.3,
                plant_ability_sd: 1.6,
                ..Population::default()
            },
            economy: Economy { fixed_cost_years: 1, taste_persistence: 0.2, ..Economy::default() },
            linear: Linear {
                coefficients: Coefficients::paper(),
                residual_sd: 2.1,
                plant_year_sd: 0.6,
                country_year_sd: 0.3,
                city_country_sd: 0.5,
                constant: 9.5,
                import_share: 0.049,
                trend: -0.168,
                targets: Targets::Paper,
            },
            ..Self::default()
        }
    }

    /// Checks that a feed can be drawn.
    ///
    /// # Errors
    /// - [`SimulateError::Size`] if there are no firms, fewer than two cities, or a maximum is
    ///   below its minimum.
    /// - [`SimulateError::Months`] if the last month is before the first.
    /// - [`SimulateError::Rate`] if a share or rate is not between 0 and 1, a scale is not
    ///   positive, or a number is not finite.
    /// - [`SimulateError::WholeYears`] if a linear feed does not run from a January to a December.
    pub fn check(&self) -> Result<(), SimulateError> {
        if self.to < self.from {
            return Err(SimulateError::Months { from: self.from, to: self.to });
        }
        if self.mode == Mode::Linear && (self.from.month(), self.to.month()) != (1, 12) {
            return Err(SimulateError::WholeYears { from: self.from, to: self.to });
        }
        at_least("firms", self.firms, 1)?;
        at_least("cities", self.cities, 2)?;
        at_least("destinations", self.destinations, 1)?;
        at_least("records.per_month_min", self.records.per_month_min, 1)?;
        at_least("records.per_month_max", self.records.per_month_max, self.records.per_month_min)?;
        at_least("records.goods_max", self.records.goods_max, 1)?;
        for (name, rate) in self.shares() {
            let valid = (0.0..=1.0).contains(&rate);
            valid.then_some(()).ok_or(SimulateError::Rate { name, value: rate })?;
        }
        for (name, value) in self.positives() {
            let valid = value > 0.0 && value.is_finite();
            valid.then_some(()).ok_or(SimulateError::Rate { name, value })?;
        }
        for (name, value) in self.numbers() {
            value.is_finite().then_some(()).ok_or(SimulateError::Rate { name, value })?;
        }
        Ok(())
    }

    fn shares(&self) -> [(&'static str, f64); 14] {
        let (population, records) = (&self.population, &self.records);
        [
            ("population.multi_plant_share", population.multi_plant_share),
            ("population.death_rate", population.death_rate),
            ("population.plant_close_rate", population.plant_close_rate),
            ("population.even_city_share", population.even_city_share),
            ("population.intermediary_share", population.intermediary_share),
            ("economy.demand_persistence", self.economy.demand_persistence),
            ("linear.import_share", self.linear.import_share),
            ("economy.taste_persistence", self.economy.taste_persistence),
            ("records.main_mode_share", records.main_mode_share),
            ("records.import_share", records.import_share),
            ("records.hong_kong_share", records.hong_kong_share),
            ("records.late_rate", records.late_rate),
            ("records.amended_rate", records.amended_rate),
            ("records.cancelled_rate", records.cancelled_rate),
        ]
    }

    fn positives(&self) -> [(&'static str, f64); 6] {
        [
            ("population.plants_exponent", self.population.plants_exponent),
            ("economy.sigma - 1", self.economy.sigma - 1.0),
            ("economy.fixed_cost_usd", self.economy.fixed_cost_usd),
            ("economy.fixed_cost_scale", self.economy.fixed_cost_scale),
            ("economy.taste_variance", self.economy.taste_variance),
            ("records.lag_months_mean", self.records.lag_months_mean),
        ]
    }

    fn numbers(&self) -> [(&'static str, f64); 24] {
        let (population, economy, linear) = (&self.population, &self.economy, &self.linear);
        let by = &linear.coefficients;
        [
            ("population.city_exponent", population.city_exponent),
            ("population.firm_ability_sd", population.firm_ability_sd),
            ("population.plant_ability_sd", population.plant_ability_sd),
            ("population.first_plant_lead", population.first_plant_lead),
            ("population.other_plants_lag", population.other_plants_lag),
            ("economy.log_demand_first", economy.log_demand_first),
            ("economy.destination_exponent", economy.destination_exponent),
            ("economy.trend", economy.trend),
            ("economy.demand_variance", economy.demand_variance),
            ("records.months_share", self.records.months_share),
            ("linear.residual_sd", linear.residual_sd),
            ("linear.plant_year_sd", linear.plant_year_sd),
            ("linear.country_year_sd", linear.country_year_sd),
            ("linear.city_country_sd", linear.city_country_sd),
            ("linear.constant", linear.constant),
            ("linear.trend", linear.trend),
            ("affiliate_growth", by.affiliate_growth),
            ("affiliate_growth:affiliate_ln_density", by.affiliate_growth_ln_density),
            ("affiliate_ln_density", by.affiliate_ln_density),
            ("local_growth", by.local_growth),
            ("local_growth:local_ln_density", by.local_growth_ln_density),
            ("local_ln_density", by.local_ln_density),
            ("ln_import", by.ln_import),
            ("experience", by.experience),
        ]
    }
}

fn at_least(name: &'static str, value: u32, least: u32) -> Result<(), SimulateError> {
    if value < least {
        return Err(SimulateError::Size { name, value, least, most: u32::MAX });
    }
    Ok(())
}

fn month(year: u16, month: u8) -> Period {
    Period::new(year, month).expect("the defaults are months")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_and_the_demo_can_be_drawn() {
        assert!(Params::default().check().is_ok());
        assert!(Params::demo().check().is_ok());
        assert!(Params::paper().check().is_ok());
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let backwards = Params { to: month(1999, 12), ..Params::default() };
        assert!(matches!(backwards.check(), Err(SimulateError::Months { .. })));
        let broken = Params { mode: Mode::Linear, from: month(2000, 2), ..Params::default() };
        assert!(matches!(broken.check(), Err(SimulateError::WholeYears { .. })));
        let one_city = Params { cities: 1, ..Params::default() };
        assert!(matches!(one_city.check(), Err(SimulateError::Size { name: "cities", .. })));
        let mut certain = Params::default();
        certain.records.late_rate = 1.5;
        assert!(matches!(certain.check(), Err(SimulateError::Rate { value: 1.5, .. })));
    }
}

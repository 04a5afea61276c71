//! The rows of the table `series`, as integers: markets and plants of a span added up by level
//! (METHODOLOGY, "Series").

use super::rows::{GrowthSum, MonthsRow};
use super::span::SpanAt;
use super::types::Growth;

/// A level at which markets are added up. The order is that of the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A city.
    City,
    /// A group of cities of the user's own.
    CityGroup,
    /// A destination.
    Country,
    /// A group of destinations of the user's own.
    CountryGroup,
    /// The destinations of an income group.
    IncomeGroup,
    /// All markets.
    Nation,
    /// The cities of a province.
    Province,
    /// The cities of a province, by destination.
    ProvinceCountry,
}

impl Level {
    /// All levels, in order of their names.
    pub const ALL: [Self; 8] = [
        Self::City,
        Self::CityGroup,
        Self::Country,
        Self::CountryGroup,
        Self::IncomeGroup,
        Self::Nation,
        Self::Province,
        Self::ProvinceCountry,
    ];

    /// The name in tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::CityGroup => "city_group",
            Self::Country => "country",
            Self::CountryGroup => "country_group",
            Self::IncomeGroup => "income_group",
            Self::Nation => "nation",
            Self::Province => "province",
            Self::ProvinceCountry => "province^country",
        }
    }

    /// The clusters of the standard error of growth.
    #[must_use]
    pub fn clusters(self) -> Clusters {
        match self {
            Self::Country | Self::CountryGroup => Clusters::City,
            Self::ProvinceCountry => Clusters::None,
            _ => Clusters::Country,
        }
    }
}

/// The units whose growth may be correlated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clusters {
    /// Destinations: a shock to demand there reaches all cities.
    Country,
    /// Cities, at a level of destinations.
    City,
    /// There is no standard error.
    None,
}

/// The sums of a variable over rows of `plant` that have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlantMean {
    /// The number of rows.
    pub n_rows: u64,
    /// Sum of the variable, in units of 2⁻³².
    pub sum: i128,
    /// Sum of exports, in cents.
    pub cents: i128,
    /// Sum of exports times the variable: cents below 2⁶² times 2³⁸.
    pub weighted: i128,
}

impl PlantMean {
    /// Adds a row with an amount and the variable, if it has one.
    pub fn add(&mut self, cents: i64, value: Option<Growth>) {
        let Some(Growth(value)) = value else { return };
        self.n_rows += 1;
        self.sum += i128::from(value);
        self.cents += i128::from(cents);
        self.weighted += i128::from(cents) * i128::from(value);
    }
}

/// Sums over rows of `plant`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlantMeans {
    /// The number of rows.
    pub n_rows: u64,
    /// Their exports, in cents.
    pub cents: i64,
    /// `affiliate_growth`.
    pub affiliate_growth: PlantMean,
    /// `affiliate_ln_density`.
    pub affiliate_ln_density: PlantMean,
    /// `local_growth`.
    pub local_growth: PlantMean,
    /// `local_ln_density`.
    pub local_ln_density: PlantMean,
}

/// Sums over markets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesSums {
    /// The number of markets.
    pub n_markets: u64,
    /// Relations with a positive cell in `cur`.
    pub exporters: u64,
    /// Relations with positive cells in both.
    pub continuing: u64,
    /// Relations with a positive cell in `cur` alone.
    pub entrants: u64,
    /// Relations with a positive cell in `base` alone.
    pub exits: u64,
    /// Exports of the span, in cents.
    pub export_cents: i64,
    /// Exports of the same months a year earlier, in cents.
    pub base_cents: i64,
    /// Markets with at least [`BREADTH_MIN`] continuing exporters.
    pub n_broad: u64,
    /// Those of them with positive growth.
    pub n_growing: u64,
    /// The growth of each cluster with continuing exporters, in order of the cluster.
    pub clusters: Vec<GrowthSum>,
    /// Sum of growth over all relations, in units of 2⁻³² log points.
    pub growth: i64,
    /// Sums over rows of `plant`.
    pub plants: PlantMeans,
}

/// The smallest number of continuing exporters of a market that counts in `breadth`.
pub const BREADTH_MIN: u32 = 10;

impl SeriesSums {
    /// Adds a market, without its cluster.
    pub fn add(&mut self, row: &MonthsRow) {
        let market = &row.market;
        self.n_markets += 1;
        self.exporters += u64::from(market.exporters);
        self.continuing += u64::from(market.continuing);
        self.entrants += u64::from(market.entrants);
        self.exits += u64::from(market.exits);
        self.export_cents += market.export_cents;
        self.base_cents += market.base_cents;
        self.growth += market.growth;
        if market.continuing >= BREADTH_MIN {
            self.n_broad += 1;
            self.n_growing += u64::from(market.growth > 0);
        }
    }
}

/// One row of the table `series`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesRow {
    /// The span.
    pub at: SpanAt,
    /// The level.
    pub level: Level,
    /// The unit of the level.
    pub key: String,
    /// Its sums.
    pub sums: SeriesSums,
}

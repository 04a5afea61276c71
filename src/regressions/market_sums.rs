//! The markets of a panel's years: for each destination, the sums of growth and the exporters that
//! continue in every city.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_schema::ArrowError;

use super::columns::Columns;
use super::error::RegressionError;
use super::source::Source;
use crate::domain::types::Year;
use crate::home::parts::Table;
use crate::tables::export::TableAt;

/// No market.
const NONE: u32 = u32::MAX;

/// The markets of all years. Countries have the codes of the panel, cities the numbers of the
/// reference table.
pub struct Markets {
    /// The first entry of each year and country; [`NONE`] without an exporter.
    starts: Vec<u32>,
    n_countries: usize,
    first_year: i32,
    /// `S`: an entry for each city, market after market.
    growth: Vec<f64>,
    /// `n`
    exporters: Vec<f64>,
    /// The area of each city.
    pub areas_km2: Vec<f64>,
}

impl Markets {
    /// Reads the table `city` of the years of a panel.
    ///
    /// # Errors
    /// [`RegressionError::Export`] if the table cannot be read.
    ///
    /// # Panics
    /// Never: entries of markets are fewer than 2^32.
    pub fn read(
        source: &Source<'_>,
        columns: &Columns,
        years: &[i32],
    ) -> Result<Self, RegressionError> {
        let places = &source.definition.places;
        let countries = columns.texts_of("country");
        #[expect(clippy::cast_precision_loss, reason = "areas in m2 are below 2^53")]
        let areas = source.definition.geography.areas_m2().map(|area_m2| area_m2 as f64 / 1e6);
        let first = years.iter().min().copied().unwrap_or(0);
        let last = years.iter().max().copied().unwrap_or(first);
        let n_years = usize::try_from(last - first + 1).unwrap_or(0);
        let mut markets = Self {
            starts: vec![NONE; n_years * countries.len()],
            n_countries: countries.len(),
            first_year: first,
            growth: Vec::new(),
            exporters: Vec::new(),
            areas_km2: areas.collect(),
        };
        let table = TableAt::published(source.home, Table::City, None, &source.definition)?;
        for year in first..=last {
            let rows = table.year(Year(u16::try_from(year).unwrap_or_default()))?;
            let column =
                |name: &str| Ok::<_, ArrowError>(rows.column(rows.schema().index_of(name)?));
            let (of_city, of_country) = (column("city")?, column("country")?);
            let (of_city, of_country) = (of_city.as_string::<i32>(), of_country.as_string::<i32>());
            let continuing = column("continuing")?.as_primitive::<UInt32Type>();
            let growth = column("growth")?.as_primitive::<Float64Type>();
            for row in 0..rows.num_rows() {
                let n = continuing.value(row);
                let city = places.city(of_city.value(row));
                let country = countries.position(of_country.value(row));
                let (Some(city), Some(country), true) = (city, country, n > 0) else { continue };
                let sum = f64::from(n) * growth.value(row);
                markets.set((year, country), u32::from(city.0), (sum, f64::from(n)));
            }
        }
        Ok(markets)
    }

    /// Sets `S` and `n` of a city in a market.
    fn set(&mut self, (year, country): (i32, u32), city: u32, (growth, exporters): (f64, f64)) {
        let (at, n_cities) = (self.place(year, country), self.areas_km2.len());
        if self.starts[at] == NONE {
            let start = u32::try_from(self.growth.len());
            self.starts[at] = start.expect("entries of markets are fewer than 2^32");
            self.growth.resize(self.growth.len() + n_cities, 0.0);
            self.exporters.resize(self.exporters.len() + n_cities, 0.0);
        }
        let place = (self.starts[at] + city) as usize;
        (self.growth[place], self.exporters[place]) = (growth, exporters);
    }

    fn place(&self, year: i32, country: u32) -> usize {
        let year = usize::try_from(year - self.first_year).unwrap_or(0);
        year * self.n_countries + country as usize
    }

    /// The number of entries: cities times markets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.growth.len()
    }

    /// The first entry of a market; `None` without an exporter.
    #[must_use]
    pub fn start(&self, year: i32, country: u32) -> Option<usize> {
        let start = self.starts[self.place(year, country)];
        (start != NONE).then_some(start as usize)
    }

    /// `S` and `n` of every city in a market; `None` without an exporter.
    #[must_use]
    pub fn of(&self, year: i32, country: u32) -> Option<(&[f64], &[f64])> {
        let start = self.start(year, country)?;
        let own = start..start + self.areas_km2.len();
        Some((&self.growth[own.clone()], &self.exporters[own]))
    }

    /// Markets with random figures around zero growth, for tests.
    #[cfg(test)]
    pub fn random(
        n_cities: usize,
        n_countries: u32,
        n_years: i32,
        mut uniform: impl FnMut() -> f64,
    ) -> Self {
        let n_markets = n_countries as usize * usize::try_from(n_years).expect("years");
        let mut markets = Self {
            starts: vec![NONE; n_markets],
            n_countries: n_countries as usize,
            first_year: 2000,
            growth: Vec::new(),
            exporters: Vec::new(),
            areas_km2: (0..n_cities).map(|_| 100.0 + 50.0 * uniform()).collect(),
        };
        for (year, country) in
            (2000..2000 + n_years).flat_map(|t| (0..n_countries).map(move |m| (t, m)))
        {
            for city in (0..).take(n_cities) {
                let exporters = (3.0 + 4.0 * (uniform() + 0.5)).floor();
                markets.set((year, country), city, (exporters * uniform(), exporters));
            }
        }
        markets
    }
}

/// The number of each city of the panel, in the order of the panel's codes.
#[must_use]
pub fn cities_of(source: &Source<'_>, columns: &Columns) -> Vec<u32> {
    let city = |code| source.definition.places.city(code).map_or(NONE, |city| u32::from(city.0));
    columns.texts_of("city").iter().map(city).collect()
}

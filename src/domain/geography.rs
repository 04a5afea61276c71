//! Areas and provinces of cities: static numbers, looked up in closures and never joined.

use crate::domain::types::{City, Province};

/// The area and province of every city.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Geography {
    cities: Vec<(Province, i64)>,
    provinces: Vec<i64>,
}

impl Geography {
    /// Creates the geography from each city's province and area in square metres, in order of
    /// [`City`].
    pub fn new(cities: impl IntoIterator<Item = (Province, i64)>) -> Self {
        let cities: Vec<_> = cities.into_iter().collect();
        let n_provinces = cities.iter().map(|(province, _)| usize::from(province.0) + 1).max();
        let mut provinces = vec![0; n_provinces.unwrap_or(0)];
        for &(province, area_m2) in &cities {
            provinces[usize::from(province.0)] += area_m2;
        }
        Self { cities, provinces }
    }

    /// Every city's area in square metres, in order of [`City`].
    pub fn areas_m2(&self) -> impl Iterator<Item = i64> {
        self.cities.iter().map(|&(_, area_m2)| area_m2)
    }

    /// The city's area in square metres.
    #[must_use]
    pub fn area_m2(&self, city: City) -> i64 {
        self.cities[usize::from(city.0)].1
    }

    /// The city's province.
    #[must_use]
    pub fn province(&self, city: City) -> Province {
        self.cities[usize::from(city.0)].0
    }

    /// Area of the other cities of the city's province, in square metres.
    #[must_use]
    pub fn rest_of_province_m2(&self, city: City) -> i64 {
        self.provinces[usize::from(self.province(city).0)] - self.area_m2(city)
    }
}

//! Affiliate indicators of a firm's destination in a year: the formulas of equations (13), (14),
//! (16) and (17).
//!
//! Sums over affiliate cities are computed once over all cities of the firm, and each row subtracts
//! the part of its city. The sums are integers, so the difference is exact. This file does not use
//! arrangements.

use crate::domain::rows::{GrowthSum, WeightedSum};
use crate::domain::types::{City, Growth};

/// A market's `S` and `n` with the means of equations (16) and (17), computed once for all firms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketMeans {
    /// `S` and `n`.
    pub sum: GrowthSum,
    /// `S / n`, rounded to the nearest 2⁻³²; zero if `n` is zero.
    pub mean_growth: i64,
    /// `ln(n / area)` in units of 2⁻³²; zero if `n` is zero.
    pub ln_density: i64,
}

impl MarketMeans {
    /// The means of a market in a city.
    #[must_use]
    pub fn new(sum: GrowthSum, city: City, logs: &Logs) -> Self {
        if sum.exporters == 0 {
            return Self { sum, ..Self::default() };
        }
        Self {
            sum,
            mean_growth: divide_rounding(sum.growth, sum.exporters),
            ln_density: Growth::from_log(logs.ln_density(sum.exporters, city)).0,
        }
    }
}

/// The contribution of one affiliate city to a row, or to the sum over a firm's cities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contribution {
    /// The part of equations (13) and (14).
    pub sum: GrowthSum,
    /// The part of equations (16) and (17).
    pub weighted: WeightedSum,
}

impl Contribution {
    /// The contribution of a city with these means and a weight in cents.
    #[must_use]
    pub fn new(means: &MarketMeans, weight_cents: i64) -> Self {
        let weighted = if means.sum.exporters > 0 {
            let weight = i128::from(weight_cents);
            WeightedSum {
                growth: weight * i128::from(means.mean_growth),
                ln_density: weight * i128::from(means.ln_density),
                cents: weight,
            }
        } else {
            WeightedSum::default()
        };
        Self { sum: means.sum, weighted }
    }

    /// Adds another city's contribution.
    pub fn add(&mut self, other: &Self) {
        self.sum.growth += other.sum.growth;
        self.sum.exporters += other.sum.exporters;
        self.weighted.growth += other.weighted.growth;
        self.weighted.ln_density += other.weighted.ln_density;
        self.weighted.cents += other.weighted.cents;
    }

    /// The sum without the contribution of a plant's own city.
    #[must_use]
    pub fn without(&self, own: &Self) -> Self {
        Self {
            sum: subtract(self.sum, own.sum),
            weighted: WeightedSum {
                growth: self.weighted.growth - own.weighted.growth,
                ln_density: self.weighted.ln_density - own.weighted.ln_density,
                cents: self.weighted.cents - own.weighted.cents,
            },
        }
    }
}

/// A sum minus a part of it.
#[must_use]
pub fn subtract(sum: GrowthSum, part: GrowthSum) -> GrowthSum {
    GrowthSum { growth: sum.growth - part.growth, exporters: sum.exporters - part.exporters }
}

/// The logs whose differences are densities, computed once: those of areas, and of the counts of
/// nearly all markets.
#[derive(Clone, Debug)]
pub struct Logs {
    areas: Vec<f64>,
    counts: Vec<f64>,
}

/// The number of stored logs of counts: a few kilobytes, in the processor's first cache.
const COUNTS_KEPT: i64 = 1 << 10;

impl Logs {
    /// Computes the logs from the area of each city in square metres, in order of [`City`].
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "areas in m2 are below 2^53")]
    pub fn new(areas_m2: impl Iterator<Item = i64>) -> Self {
        Self {
            areas: areas_m2.map(|area_m2| libm::log(area_m2 as f64 / 1e6)).collect(),
            counts: (0..COUNTS_KEPT).map(ln).collect(),
        }
    }

    /// `ln(n / area)` with the area in km².
    ///
    /// # Units
    /// Log points of exporters per km².
    fn ln_density(&self, exporters: i64, city: City) -> f64 {
        let kept = usize::try_from(exporters).ok().and_then(|n| self.counts.get(n)).copied();
        kept.unwrap_or_else(|| ln(exporters)) - self.areas[usize::from(city.0)]
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn ln(n: i64) -> f64 {
    libm::log(n as f64)
}

/// `sum / n` to the nearest integer, halves away from zero.
fn divide_rounding(sum: i64, n: i64) -> i64 {
    let magnitude = (sum.unsigned_abs() + n.unsigned_abs() / 2) / n.unsigned_abs();
    sum.signum() * i64::try_from(magnitude).expect("a mean is within the range of its sum")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KM2: i64 = 1_000_000;

    fn means(growth: i64, exporters: i64) -> MarketMeans {
        MarketMeans::new(GrowthSum { growth, exporters }, City(0), &logs())
    }

    fn logs() -> Logs {
        Logs::new([10 * KM2].into_iter())
    }

    #[test]
    fn the_sum_over_all_cities_without_ones_own_is_the_sum_over_the_others() {
        let parts = [(means(7, 2), 100), (means(-9, 4), 50), (means(0, 0), 30)];
        let parts = parts.map(|(means, weight)| Contribution::new(&means, weight));
        let mut all = Contribution::default();
        for part in &parts {
            all.add(part);
        }
        let mut others = Contribution::default();
        for part in &parts[1..] {
            others.add(part);
        }
        assert_eq!(all.without(&parts[0]), others);
    }

    #[test]
    fn a_city_without_continuing_exporters_has_no_weight() {
        assert_eq!(Contribution::new(&means(0, 0), 1_000), Contribution::default());
    }

    #[test]
    fn means_round_to_the_nearest() {
        assert_eq!(
            [(7, 2), (-7, 2), (6, 4), (-5, 4)].map(|(s, n)| means(s, n).mean_growth),
            [4, -4, 2, -1]
        );
    }

    #[test]
    fn density_is_exporters_per_square_kilometre() {
        for (exporters, per_km2) in [(20, 2.0), (10 * COUNTS_KEPT, 1024.0)] {
            let expected = libm::log(per_km2);
            assert!((logs().ln_density(exporters, City(0)) - expected).abs() < 1e-14);
            assert_eq!(means(1, exporters).ln_density, Growth::from_log(expected).0);
        }
    }
}

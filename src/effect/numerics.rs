//! Effects from coefficients: `b'z`, its standard error, weighted means, amounts, and the parts of
//! a change (METHODOLOGY, "The live effect").
//!
//! Input: vectors and weights as plain numbers. Output: figures. This file reads no home.

use crate::estimate::inference::student_t::critical_value;

/// The confidence level of intervals and bands.
const CONFIDENCE: f64 = 0.95;

/// Coefficients with their covariance.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficients {
    /// The coefficients of some terms.
    pub estimates: Vec<f64>,
    /// Their covariance, by rows; not finite where there is no standard error.
    pub covariance: Vec<f64>,
    /// The degrees of freedom of t.
    pub df: usize,
}

/// A weighted sum of vectors, accurate to the last bits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sum {
    /// Each sum with the part that its rounding lost.
    sums: Vec<(f64, f64)>,
}

impl Sum {
    /// Adds a vector times a weight.
    pub fn add(&mut self, vector: &[f64], weight: f64) {
        self.sums.resize(vector.len().max(self.sums.len()), (0.0, 0.0));
        for ((sum, lost), value) in self.sums.iter_mut().zip(vector) {
            let term = value * weight;
            let total = *sum + term;
            *lost +=
                if sum.abs() >= term.abs() { (*sum - total) + term } else { (term - total) + *sum };
            *sum = total;
        }
    }

    /// The sums divided by a number.
    #[must_use]
    pub fn over(&self, divisor: f64) -> Vec<f64> {
        self.sums.iter().map(|(sum, lost)| (sum + lost) / divisor).collect()
    }
}

/// The scalar product.
#[must_use]
pub fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Coefficients {
    /// The effect `b'z`.
    #[must_use]
    pub fn effect(&self, z: &[f64]) -> f64 {
        product(&self.estimates, z)
    }

    /// The variance `z'Vz`; `None` without a covariance.
    #[must_use]
    pub fn variance(&self, z: &[f64]) -> Option<f64> {
        let rows = self.covariance.chunks_exact(z.len().max(1));
        let variance: f64 = rows.zip(z).map(|(row, z_of_row)| z_of_row * product(row, z)).sum();
        variance.is_finite().then(|| variance.max(0.0))
    }

    /// The standard error `sqrt(z'Vz)`.
    #[must_use]
    pub fn std_error(&self, z: &[f64]) -> Option<f64> {
        self.variance(z).map(libm::sqrt)
    }

    /// The ends of the 95 % interval of an effect.
    #[must_use]
    pub fn interval(&self, z: &[f64]) -> Option<(f64, f64)> {
        let half = self.std_error(z)? * critical_value(CONFIDENCE, real(self.df))?;
        let effect = self.effect(z);
        Some((effect - half, effect + half))
    }

    /// The difference of two effects with its standard error. The effects share the coefficients,
    /// so its variance is that of the difference of the vectors.
    #[must_use]
    pub fn difference(&self, z: &[f64], other: &[f64]) -> (f64, Option<f64>) {
        let difference: Vec<f64> = z.iter().zip(other).map(|(a, b)| a - b).collect();
        (self.effect(&difference), self.std_error(&difference))
    }

    /// The amount `Σ x (1 − exp(−e))` over rows of an amount and a vector, with its standard error.
    /// It assumes a response in proportion to the amount.
    #[must_use]
    pub fn amount<'z>(&self, rows: impl Iterator<Item = (f64, &'z [f64])>) -> (f64, Option<f64>) {
        let (mut amount, mut gradient) = (Sum::default(), Sum::default());
        for (value, z) in rows {
            let effect = self.effect(z);
            amount.add(&[-libm::expm1(-effect)], value);
            gradient.add(z, value * libm::exp(-effect));
        }
        let amount = amount.over(1.0).first().copied().unwrap_or(0.0);
        (amount, self.std_error(&gradient.over(1.0)))
    }
}

/// The half width of a band: `t(.975, T) sqrt(zbar'V zbar + MSE)`; `None` for fewer than three
/// years.
#[must_use]
pub fn band_half_width(variance: f64, mse: f64, n_years: usize) -> Option<f64> {
    let critical = (n_years >= 3).then(|| critical_value(CONFIDENCE, real(n_years)))?;
    Some(critical? * libm::sqrt(variance + mse))
}

/// A row in two states: its weight and its vector in each. A missing row has weight zero and the
/// vector of the other state.
#[derive(Clone, Debug)]
pub struct Moved<'z> {
    /// The weights.
    pub weights: [f64; 2],
    /// The vectors.
    pub vectors: [&'z [f64]; 2],
}

/// The parts of the change of an aggregate between two states.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts {
    /// `Σ wbar bbar'Δz`
    pub indicators: f64,
    /// `Σ wbar Δb'zbar`
    pub coefficients: f64,
    /// `Σ Δw (ebar − ebar_A)`
    pub weights: f64,
}

/// Splits the change of an aggregate into parts, which add up to it. Bars are means of both states.
#[must_use]
pub fn parts(rows: &[Moved<'_>], estimates: [&[f64]; 2]) -> Parts {
    let effects = |row: &Moved<'_>| [0, 1].map(|at| product(estimates[at], row.vectors[at]));
    let mut aggregates = Sum::default();
    for row in rows {
        let [before, after] = effects(row);
        aggregates.add(&[row.weights[0] * before, row.weights[1] * after], 1.0);
    }
    let aggregate: f64 = aggregates.over(2.0).iter().sum();
    let mut sums = Sum::default();
    for row in rows {
        let weight = f64::midpoint(row.weights[0], row.weights[1]);
        let ([z, later], [b, b_later]) = (row.vectors, estimates);
        let terms = z.iter().zip(later).zip(b.iter().zip(b_later));
        let (mut indicators, mut coefficients) = (0.0, 0.0);
        for ((z, later), (b, b_later)) in terms {
            indicators += f64::midpoint(*b, *b_later) * (later - z);
            coefficients += (b_later - b) * f64::midpoint(*z, *later);
        }
        let [before, after] = effects(row);
        let moved = row.weights[1] - row.weights[0];
        let weights = moved * (f64::midpoint(before, after) - aggregate);
        sums.add(&[weight * indicators, weight * coefficients, weights], 1.0);
    }
    match sums.over(1.0)[..] {
        [indicators, coefficients, weights] => Parts { indicators, coefficients, weights },
        _ => Parts::default(),
    }
}

/// A count as a number.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub fn real(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coefficients() -> Coefficients {
        let covariance = vec![1e-4, 1e-5, 1e-5, 1.6e-6];
        Coefficients { estimates: vec![0.04, 0.004], covariance, df: 30 }
    }

    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-8, "{found} is not {expected}");
    }

    fn z(growth: f64, density: f64) -> [f64; 2] {
        [growth, growth * density]
    }

    #[test]
    fn effects_and_aggregates_have_the_errors_of_their_coefficients() {
        let of = coefficients();
        let rows = [(100.0, z(0.5, -5.0)), (300.0, z(-0.2, -4.0))];
        close(of.effect(&rows[0].1), 0.010);
        close(of.std_error(&rows[0].1).expect("V"), 0.003_162_277_660_168_379);
        close(of.effect(&rows[1].1), -0.0048);
        close(of.std_error(&rows[1].1).expect("V"), 0.001_350_555_441_290_730_5);
        let mut sum = Sum::default();
        for (weight, z) in &rows {
            sum.add(z, *weight);
        }
        let mean = sum.over(400.0);
        for mean in &mean {
            close(*mean, -0.025);
        }
        close(of.effect(&mean), -0.0011);
        close(of.std_error(&mean).expect("V"), 0.000_275_680_975_041_804_45);
        let (difference, error) = of.difference(&rows[0].1, &mean);
        close(difference, 0.0111);
        close(error.expect("V"), 0.003_372_832_637_413_247);
        let (amount, error) = of.amount(rows.iter().map(|(value, z)| (*value, &z[..])));
        close(amount, -0.448_444_911_158_696_34);
        close(error.expect("V"), 0.114_325_810_497_570_08);
    }

    #[test]
    fn the_interval_is_that_of_students_t() {
        let (low, high) = coefficients().interval(&z(0.5, -5.0)).expect("V");
        // t(.975, 30) = 2.042272456.
        close(high - 0.010, 2.042_272_456_301_238 * libm::sqrt(1e-5));
        close(f64::midpoint(low, high), 0.010);
        let without = Coefficients { covariance: vec![f64::NAN; 4], ..coefficients() };
        assert_eq!(without.interval(&z(0.5, -5.0)), None);
    }

    #[test]
    fn a_band_needs_three_years_and_takes_their_students_t() {
        assert_eq!(band_half_width(1e-6, 3e-6, 2), None);
        let half = band_half_width(1e-6, 3e-6, 3).expect("three years");
        close(half, 3.182_446_305_284_263 * 2e-3);
    }

    #[test]
    fn the_parts_of_a_change_are_those_of_indicators_coefficients_and_weights() {
        let before = [z(0.5, -5.0), z(-0.2, -4.0)];
        let after = [z(0.4, -5.0), z(-0.2, -4.0)];
        let rows = [
            Moved { weights: [0.25, 0.3], vectors: [&before[0], &after[0]] },
            Moved { weights: [0.75, 0.7], vectors: [&before[1], &after[1]] },
        ];
        let parts = parts(&rows, [&[0.04, 0.004], &[0.05, 0.004]]);
        close(parts.indicators, -0.000_687_5);
        close(parts.coefficients, -0.000_212_5);
        close(parts.weights, 0.000_84);
        let sum = parts.indicators + parts.coefficients + parts.weights;
        assert!((sum - (-0.00116 + 0.0011)).abs() < 1e-15, "{sum}");
    }

    #[test]
    fn the_error_at_a_density_is_that_of_the_slope_centred_there() {
        // The slope of y on g and g(D − D0) is b1 + b2 D0: variance V11 + 2 D0 V12 + D0² V22.
        let (of, density) = (coefficients(), -4.3);
        let variance = 1e-4 + 2.0 * density * 1e-5 + density * density * 1.6e-6;
        close(of.std_error(&z(1.0, density)).expect("V"), libm::sqrt(variance));
    }

    #[test]
    fn a_sum_keeps_what_rounding_would_lose() {
        let mut sum = Sum::default();
        for value in [1e16, 1.0, -1e16, 1.0] {
            sum.add(&[value], 1.0);
        }
        assert_eq!(sum.over(2.0), [1.0]);
    }
}

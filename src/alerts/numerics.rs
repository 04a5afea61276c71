//! Deviations from earlier years, and the control of false discoveries, on plain numbers
//! (METHODOLOGY, "Alerts").

use crate::estimate::inference::student_t::p_value;

/// The smallest number of earlier years with a deviation.
pub const YEARS_MIN: usize = 5;

/// The deviation of a figure from the same figure of earlier years.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviation {
    /// `(x − mean) / (s · sqrt(1 + 1/T))`
    pub z: f64,
    /// The two-sided probability of a deviation at least this large, by t with T − 1.
    pub p: f64,
    /// The number T of earlier years.
    pub n_years: usize,
    /// Their mean.
    pub mean: f64,
}

/// The deviation of a figure; `None` for fewer than [`YEARS_MIN`] years or without variation.
///
/// # Equation
/// (A1) and (A2): `z = (x − mean) / (s · sqrt(1 + 1/T))`, `s² = Σ(x_t − mean)² / (T − 1)`,
/// `p = 2 P(t_{T−1} > |z|)`
#[must_use]
pub fn deviation(x: f64, earlier: &[f64]) -> Option<Deviation> {
    let n_years = earlier.len();
    if n_years < YEARS_MIN {
        return None;
    }
    let n = count(n_years);
    let mean = earlier.iter().sum::<f64>() / n;
    let squares: f64 = earlier.iter().map(|of| (of - mean) * (of - mean)).sum();
    let scale = libm::sqrt(squares / (n - 1.0)) * libm::sqrt(1.0 + 1.0 / n);
    // Equal figures of earlier years give no scale; rounding leaves a trace of it.
    let largest = earlier.iter().fold(x.abs(), |most, of| most.max(of.abs()));
    if scale <= largest * 1e-12 {
        return None;
    }
    let z = (x - mean) / scale;
    Some(Deviation { z, p: p_value(z, n - 1.0)?, n_years, mean })
}

/// The adjusted p-values of Benjamini and Hochberg, in the order of the p-values. A test is
/// rejected at a rate of false discoveries if its adjusted value is at most the rate.
///
/// # Equation
/// (A3): `q_(i) = min_{j ≥ i} min(1, p_(j) · m / j)` over the `m` p-values in order
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let n = p_values.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; n];
    let mut least = 1.0_f64;
    for (rank, place) in order.iter().enumerate().rev() {
        least = least.min(p_values[*place] * count(n) / count(rank + 1));
        adjusted[*place] = least;
    }
    adjusted
}

#[expect(clippy::cast_precision_loss, reason = "counts of units and years are below 2^53")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn a_deviation_is_that_of_a_new_year_and_its_p_value_that_of_t() {
        // Mean 3, s = sqrt(2.5), so the scale is sqrt(2.5 · 1.2) = sqrt(3); t has 4 degrees of
        // freedom: P(|t| > sqrt(3) · 2.776445105 / sqrt(3)) is 0.05 at x = 3 + 2.776445105 sqrt(3).
        let of =
            deviation(3.0 + 2.776_445_105_197_793 * libm::sqrt(3.0), &[1.0, 2.0, 3.0, 4.0, 5.0]);
        let of = of.expect("five years");
        close(of.z, 2.776_445_105_197_793);
        close(of.p, 0.05);
        assert_eq!((of.n_years, of.mean), (5, 3.0));
        // The 0.9 quantile of |t| with 4 degrees of freedom is 2.131846786.
        let of =
            deviation(3.0 - 2.131_846_786_326_649 * libm::sqrt(3.0), &[5.0, 4.0, 3.0, 2.0, 1.0]);
        close(of.expect("five years").p, 0.1);
    }

    #[test]
    fn four_years_and_equal_years_have_no_deviation() {
        assert_eq!(deviation(9.0, &[1.0, 2.0, 3.0, 4.0]), None);
        assert_eq!(deviation(9.0, &[0.1; 6]), None);
    }

    #[test]
    fn adjusted_p_values_are_those_of_benjamini_and_hochberg() {
        // m = 5: 0.01·5/1, 0.04·5/2 = 0.1, 0.03·5/… in order 0.01, 0.03, 0.04, 0.2, 0.9 gives
        // 0.05, 0.075, 0.0667, 0.25, 0.9, and from the right 0.05, 0.0667, 0.0667, 0.25, 0.9.
        let found = benjamini_hochberg(&[0.04, 0.9, 0.01, 0.2, 0.03]);
        let expected = [0.2 / 3.0, 0.9, 0.05, 0.25, 0.2 / 3.0];
        for (found, expected) in found.into_iter().zip(expected) {
            close(found, expected);
        }
        assert!(benjamini_hochberg(&[]).is_empty());
    }
}

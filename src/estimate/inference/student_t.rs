//! Student's t distribution for p-values and confidence intervals.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::beta::checked_beta_reg;
use statrs::function::erf::erfc;

/// The degrees of freedom from which both functions use expansions around the normal distribution.
const DF_EXPANDED: f64 = 1000.0;

/// The probability of a statistic at least this far from zero; `None` if the statistic is not a
/// number.
///
/// # Equation
/// `p = I(df/(df + t²); df/2, 1/2)`; from 1000 degrees of freedom, where the library's fraction
/// does not converge, `p = erfc(z/√2)` with Hill's (1970, algorithm 396) expansion of the normal
/// deviate `z`.
#[must_use]
pub fn p_value(statistic: f64, df: f64) -> Option<f64> {
    if statistic.is_nan() || df.is_nan() || df <= 0.0 {
        return None;
    }
    if statistic.is_infinite() {
        return Some(0.0);
    }
    if df >= DF_EXPANDED {
        return Some(erfc(normal_deviate(statistic, df) / std::f64::consts::SQRT_2));
    }
    checked_beta_reg(df / 2.0, 0.5, df / (df + statistic * statistic)).ok()
}

/// The value below which `|t|` stays with this probability.
///
/// # Equation
/// From 1000 degrees of freedom: Fisher and Cornish's expansion around the normal quantile `z`. It
/// is exact to 1e-14 there; the library's search loses digits.
#[must_use]
pub fn critical_value(level: f64, df: f64) -> Option<f64> {
    let upper = f64::midpoint(1.0, level);
    let value = if df < DF_EXPANDED {
        StudentsT::new(0.0, 1.0, df).ok()?.inverse_cdf(upper)
    } else {
        expanded(Normal::new(0.0, 1.0).ok()?.inverse_cdf(upper), df)
    };
    value.is_finite().then_some(value)
}

/// The normal deviate with the same tail probability as `|t|`.
fn normal_deviate(t: f64, df: f64) -> f64 {
    let a = df - 0.5;
    let b = 48.0 * a * a;
    let q = a * libm::log1p(t * t / df);
    let second = ((4.0 * q + 33.0) * q + 240.0) * q + 855.0;
    q.sqrt() * (1.0 + (q + 3.0 - second / (10.0 * (b + 0.8 * q * q + 100.0))) / b)
}

/// The quantile of Student's t for the normal quantile `z`.
fn expanded(z: f64, df: f64) -> f64 {
    let q = z * z;
    let first = (q + 1.0) / 4.0;
    let second = ((5.0 * q + 16.0) * q + 3.0) / 96.0;
    let third = (((3.0 * q + 19.0) * q + 17.0) * q - 15.0) / 384.0;
    let fourth = ((((79.0 * q + 776.0) * q + 1482.0) * q - 1920.0) * q - 945.0) / 92_160.0;
    z * (1.0 + (first + (second + (third + fourth / df) / df) / df) / df)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_and_critical_values_are_the_tables() {
        let close = |a: Option<f64>, b: f64| (a.expect("a number") - b).abs() < 1e-10 * b;
        assert!(close(p_value(2.0, 10.0), 0.073_388_034_770_740_37));
        assert!(close(p_value(-12.0, 300.0), 2.319_124_753_616_117_7e-27));
        assert!(close(p_value(5.0, 38_000.0), 5.758_507_649_567_781e-7));
        assert!(close(p_value(2.0, 1e7), 0.045_500_290_891_842_96));
        assert!(close(critical_value(0.95, 2.5), 3.574_654_842_003_681_7));
        assert!(close(critical_value(0.95, 162.0), 1.974_715_785_923_791));
        assert!(close(critical_value(0.95, 38_000.0), 1.960_026_414_685_010_4));
        assert!(close(critical_value(0.95, 1e7), 1.959_964_221_767_205));
        assert_eq!(p_value(f64::NAN, 3.0), None);
        assert_eq!(p_value(f64::INFINITY, 3.0), Some(0.0));
    }
}

//! An axis of a figure: its range, and ticks with labels that are exact decimals.
//!
//! A tick is `i × 10^e` with whole `i` and `e`. Its label is written from these two: no label has a
//! rounding error, and zero is always `0`.

/// The largest value that is drawn, so that no difference of two values overflows.
const VALUE_MAX: f64 = 1e300;
/// If all values are smaller, the axis is one around zero.
const VALUE_MIN: f64 = 1e-290;
/// The share of their size below which a difference of values is not shown.
const SPREAD_MIN: f64 = 1e-10;
/// The share of the values' range that stays free at each end.
const ROOM: f64 = 0.06;
/// The largest number of characters of a label without an exponent.
const LABEL_CHARS: usize = 8;

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The ticks, in order.
    pub ticks: Vec<Tick>,
}

/// A position on an axis with its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// The position.
    pub at: f64,
    /// The label.
    pub label: String,
}

/// True if a value can be drawn on an axis.
#[must_use]
pub fn is_drawn(value: f64) -> bool {
    value.abs() <= VALUE_MAX
}

impl Axis {
    /// An axis over all values with free space at both ends, with about `n_ticks` ticks; `None`
    /// without values.
    pub fn over(values: impl Iterator<Item = f64>, n_ticks: u32) -> Option<Self> {
        let ends = values.filter(|value| is_drawn(*value)).fold(None, |ends, value| {
            let (low, high) = ends.unwrap_or((value, value));
            Some((value.min(low), value.max(high)))
        });
        let (low, high) = ends?;
        let size = low.abs().max(high.abs());
        let (low, high) = if size < VALUE_MIN { (0.0, 0.0) } else { (low, high) };
        let room = match high - low {
            spread if spread > SPREAD_MIN * size => ROOM * spread,
            _ if size < VALUE_MIN => 1.0,
            _ => 0.5 * size,
        };
        let (low, high) = (low - room, high + room);
        Some(Self { low, high, ticks: ticks(low, high, n_ticks) })
    }

    /// An axis of years, with ticks at whole years only.
    #[must_use]
    pub fn of_years(first: i32, last: i32, n_ticks: usize) -> Self {
        let n_years = usize::try_from(last - first).unwrap_or(0) + 1;
        let step =
            [1, 2, 5, 10, 20, 50].into_iter().find(|step| n_years.div_ceil(*step) <= n_ticks);
        let years = (first..=last).rev().step_by(step.unwrap_or(100));
        let tick = |year: i32| Tick { at: f64::from(year), label: year.to_string() };
        let ticks = years.map(tick).collect::<Vec<_>>().into_iter().rev().collect();
        Self { low: f64::from(first) - 0.5, high: f64::from(last) + 0.5, ticks }
    }

    /// The two ends.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The position of a value along the axis: 0 at the lower end, 1 at the upper end.
    #[must_use]
    pub fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// About `n_ticks` ticks at multiples of 1, 2 or 5 times a power of ten.
fn ticks(low: f64, high: f64, n_ticks: u32) -> Vec<Tick> {
    let step_min = (high - low) / f64::from(n_ticks);
    let floor = libm::log10(step_min).floor();
    #[expect(clippy::cast_possible_truncation, reason = "an exponent of a double")]
    let floor = floor as i32;
    let steps = [(1, floor), (2, floor), (5, floor), (1, floor + 1), (2, floor + 1)];
    let (digit, exponent) =
        steps.into_iter().find(|step| value(step.0, step.1) >= step_min).unwrap_or(steps[4]);
    let step = value(digit, exponent);
    #[expect(clippy::cast_possible_truncation, reason = "at most 1 / SPREAD_MIN steps from zero")]
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    let multiples: Vec<i64> = (first..=last).map(|at| at * digit).collect();
    let chars = |write: fn(i64, i32) -> String| {
        multiples.iter().map(|multiple| write(*multiple, exponent).len()).max().unwrap_or(0)
    };
    let is_plain = chars(plain) <= LABEL_CHARS.max(chars(scientific));
    let write = if is_plain { plain } else { scientific };
    let tick =
        |multiple: &i64| Tick { at: value(*multiple, exponent), label: write(*multiple, exponent) };
    multiples.iter().map(tick).collect()
}

/// `multiple × 10^exponent`, rounded once.
fn value(multiple: i64, exponent: i32) -> f64 {
    let text = format!("{multiple}e{exponent}");
    text.parse().expect("an integer with an exponent is a number")
}

/// A decimal without an exponent, with every digit of its step.
fn plain(multiple: i64, exponent: i32) -> String {
    let (sign, digits) = (if multiple < 0 { "-" } else { "" }, multiple.unsigned_abs().to_string());
    if multiple == 0 {
        return "0".to_owned();
    }
    let n_places = exponent.unsigned_abs() as usize;
    if exponent >= 0 {
        return format!("{sign}{digits}{}", "0".repeat(n_places));
    }
    let digits = format!("{digits:0>width$}", width = n_places + 1);
    let (whole, decimals) = digits.split_at(digits.len() - n_places);
    format!("{sign}{whole}.{decimals}")
}

/// A decimal with one digit before the point, and an exponent.
fn scientific(multiple: i64, exponent: i32) -> String {
    let (sign, digits) = (if multiple < 0 { "-" } else { "" }, multiple.unsigned_abs().to_string());
    if multiple == 0 {
        return "0".to_owned();
    }
    let n_more = i32::try_from(digits.len() - 1).expect("an i64 has at most 19 digits");
    let exponent = exponent + n_more;
    let (first, rest) = digits.split_at(1);
    let rest = rest.trim_end_matches('0');
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}e{exponent}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn labels(values: &[f64]) -> Vec<String> {
        let axis = Axis::over(values.iter().copied(), 6).expect("an axis");
        axis.ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn labels_are_round_decimals_and_zero_has_no_sign() {
        assert_eq!(labels(&[-0.2, 0.31]), ["-0.2", "-0.1", "0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(&[-1.0, -0.0]), ["-1.0", "-0.8", "-0.6", "-0.4", "-0.2", "0"]);
        assert_eq!(labels(&[12.0, 13.1]), ["12.0", "12.5", "13.0"]);
        assert_eq!(
            labels(&[0.0, 2.5e6]),
            ["0", "500000", "1000000", "1500000", "2000000", "2500000"]
        );
        assert_eq!(labels(&[0.0, 3e-9]), ["0", "1e-9", "2e-9", "3e-9"]);
        assert_eq!(labels(&[1e200, 3e200]), ["1e200", "1.5e200", "2e200", "2.5e200", "3e200"]);
    }

    #[test]
    fn values_that_are_equal_tiny_huge_or_not_finite_have_an_axis_around_them() {
        let odd: [&[f64]; 8] = [
            &[0.0],
            &[-0.0, 0.0],
            &[7.25, 7.25],
            &[1e9, 1e9 + 1e-6],
            &[5e-324, 1e-310],
            &[1e-250, 3e-250],
            &[-1e300, 1e300, f64::MAX],
            &[2.0, f64::NAN, f64::INFINITY],
        ];
        for values in odd {
            let axis = Axis::over(values.iter().copied(), 6).expect("an axis");
            assert!(axis.low < axis.high, "{values:?}: {axis:?}");
            assert!((2..=13).contains(&axis.ticks.len()), "{values:?}: {axis:?}");
            for value in values.iter().filter(|value| is_drawn(**value)) {
                assert!((0.0..=1.0).contains(&axis.share(*value)), "{values:?}: {axis:?}");
            }
        }
        assert_eq!(Axis::over([f64::NAN, f64::MAX].into_iter(), 6), None);
    }

    #[test]
    fn years_are_whole_and_the_last_one_has_a_label() {
        let labels = |first, last| -> Vec<String> {
            let ticks = Axis::of_years(first, last, 10).ticks;
            ticks.into_iter().map(|tick| tick.label).collect()
        };
        assert_eq!(labels(2009, 2011), ["2009", "2010", "2011"]);
        assert_eq!(labels(2011, 2011), ["2011"]);
        assert_eq!(labels(2000, 2011), ["2001", "2003", "2005", "2007", "2009", "2011"]);
    }

    proptest! {
        /// Every label reads as the position of its tick, inside the axis and without repetition.
        #[test]
        fn labels_say_where_their_ticks_are(
            low in -1e3..1e3, spread in 1e-6..1e3, exponent in -200..200_i32,
        ) {
            let scale = 10_f64.powi(exponent);
            let (low, high) = (low * scale, (low + spread) * scale);
            let axis = Axis::over([low, high].into_iter(), 6).expect("an axis");
            prop_assert!((2..=13).contains(&axis.ticks.len()), "{axis:?}");
            for pair in axis.ticks.windows(2) {
                prop_assert!(pair[0].at < pair[1].at && pair[0].label != pair[1].label);
            }
            for Tick { at, label } in &axis.ticks {
                prop_assert_eq!(label.parse().map(f64::to_bits), Ok(at.to_bits()));
                prop_assert!((-1e-9..=1.0 + 1e-9).contains(&axis.share(*at)), "{axis:?}");
                prop_assert!(label == "0" || *at != 0.0, "{label}");
            }
        }
    }
}

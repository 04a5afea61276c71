//! Tests of figures: from observations to verdicts, on plain numbers.

use std::collections::BTreeMap;

use super::numerics::{Deviation, benjamini_hochberg, deviation};
use super::observe::Observation;
use super::rules::{Limits, Test};

/// The verdict of a test about a unit at a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The unit is beyond the threshold, below (−1) or above (1).
    Raised(i8),
    /// It is neither beyond the threshold nor back to normal.
    Held,
    /// It is back to normal.
    Normal,
}

/// A judged unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The figure.
    pub observation: Observation,
    /// The verdict.
    pub verdict: Verdict,
    /// The threshold that decided.
    pub threshold: f64,
    /// The deviation from earlier years.
    pub deviation: Option<Deviation>,
    /// The adjusted p-value.
    pub q: Option<f64>,
    /// The figure before a revision.
    pub before: Option<f64>,
}

impl Judged {
    fn new(observation: Observation, verdict: Verdict, threshold: f64) -> Self {
        Self { observation, verdict, threshold, deviation: None, q: None, before: None }
    }
}

/// What a test knows besides the figures of the month.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'k> {
    /// The figures of the same month of earlier years.
    pub earlier: Option<&'k BTreeMap<String, Vec<f64>>>,
    /// The last sign of each unit whose interval excluded 0.
    pub signs: Option<&'k BTreeMap<String, i8>>,
    /// The figures before a revision.
    pub before: Option<&'k BTreeMap<String, f64>>,
}

/// Judges the units that have enough observations.
#[must_use]
pub fn judge(test: Test, limits: Limits, units: Vec<Observation>, known: Known<'_>) -> Vec<Judged> {
    let enough = units.into_iter().filter(|of| of.n >= limits.n_min);
    match test {
        Test::Z { raise, clear } => {
            let none = BTreeMap::new();
            by_deviation(enough.collect(), known.earlier.unwrap_or(&none), (raise, clear), limits)
        }
        Test::Level { beyond } | Test::Change { beyond } => enough
            .map(|of| {
                let is_beyond = of.value.abs() >= beyond && excluded_side(&of).is_some();
                let verdict =
                    if is_beyond { Verdict::Raised(sign(of.value)) } else { Verdict::Normal };
                Judged::new(of, verdict, beyond)
            })
            .collect(),
        Test::Sign => enough
            .map(|of| {
                let last = known.signs.and_then(|signs| signs.get(&of.key).copied());
                let verdict = match (last, excluded_side(&of)) {
                    (Some(last), Some(side)) if side != last => Verdict::Raised(side),
                    _ => Verdict::Normal,
                };
                Judged::new(of, verdict, 0.0)
            })
            .collect(),
        Test::Breadth { below, above } => enough.map(|of| by_breadth(of, below, above)).collect(),
        Test::Revision { beyond, .. } => enough
            .filter_map(|of| {
                let before = *known.before?.get(&of.key)?;
                let change = of.value - before;
                let is_beyond = change.abs() > beyond;
                let verdict =
                    if is_beyond { Verdict::Raised(sign(change)) } else { Verdict::Normal };
                Some(Judged { before: Some(before), ..Judged::new(of, verdict, beyond) })
            })
            .collect(),
    }
}

fn by_breadth(of: Observation, below: Option<f64>, above: Option<f64>) -> Judged {
    let is_below = below.filter(|share| of.value < *share);
    let is_above = above.filter(|share| of.value > *share);
    match (is_below, is_above) {
        (Some(share), _) => Judged::new(of, Verdict::Raised(-1), share),
        (None, Some(share)) => Judged::new(of, Verdict::Raised(1), share),
        (None, None) => Judged::new(of, Verdict::Normal, below.or(above).unwrap_or_default()),
    }
}

fn by_deviation(
    units: Vec<Observation>,
    earlier: &BTreeMap<String, Vec<f64>>,
    (raise, clear): (f64, f64),
    limits: Limits,
) -> Vec<Judged> {
    let with_deviation = units.into_iter().filter_map(|of| {
        let deviation = deviation(of.value, earlier.get(&of.key)?)?;
        Some((of, deviation))
    });
    let tested: Vec<(Observation, Deviation)> = with_deviation.collect();
    let p_values: Vec<f64> = tested.iter().map(|(_, deviation)| deviation.p).collect();
    let adjusted = benjamini_hochberg(&p_values);
    let judged = tested.into_iter().zip(adjusted).map(|((of, deviation), q)| {
        let verdict = if deviation.z.abs() >= raise && q <= limits.fdr {
            Verdict::Raised(sign(deviation.z))
        } else if deviation.z.abs() < clear {
            Verdict::Normal
        } else {
            Verdict::Held
        };
        let deviation = Some(deviation);
        Judged { deviation, q: Some(q), ..Judged::new(of, verdict, raise) }
    });
    judged.collect()
}

/// The sign of a figure whose interval excludes 0.
#[must_use]
pub fn excluded_side(of: &Observation) -> Option<i8> {
    match of.interval? {
        (low, _) if low > 0.0 => Some(1),
        (_, high) if high < 0.0 => Some(-1),
        _ => None,
    }
}

fn sign(value: f64) -> i8 {
    if value < 0.0 { -1 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(key: &str, value: f64, interval: Option<(f64, f64)>) -> Observation {
        Observation { key: key.to_owned(), value, interval, n: 10, firms: None }
    }

    fn verdicts(test: Test, units: Vec<Observation>, known: Known<'_>) -> Vec<(String, Verdict)> {
        let judged = judge(test, Limits::default(), units, known);
        judged.into_iter().map(|of| (of.observation.key, of.verdict)).collect()
    }

    fn expected(of: &[(&str, Verdict)]) -> Vec<(String, Verdict)> {
        of.iter().map(|(key, verdict)| ((*key).to_owned(), *verdict)).collect()
    }

    #[test]
    fn level_and_change_need_the_threshold_and_an_interval_without_zero() {
        let units = || {
            vec![
                unit("large", 0.06, Some((0.01, 0.11))),
                unit("fall", -0.05, Some((-0.09, -0.01))),
                unit("small", 0.04, Some((0.01, 0.07))),
                unit("wide", 0.06, Some((-0.01, 0.13))),
                unit("bare", 0.06, None),
                Observation { n: 9, ..unit("few", 0.06, Some((0.01, 0.11))) },
            ]
        };
        let found = [
            ("large", Verdict::Raised(1)),
            ("fall", Verdict::Raised(-1)),
            ("small", Verdict::Normal),
            ("wide", Verdict::Normal),
            ("bare", Verdict::Normal),
        ];
        for test in [Test::Level { beyond: 0.05 }, Test::Change { beyond: 0.05 }] {
            assert_eq!(verdicts(test, units(), Known::default()), expected(&found));
        }
    }

    #[test]
    fn a_sign_is_compared_with_the_last_one_that_excluded_zero() {
        let signs = ["a", "b", "c"].map(|key| (key.to_owned(), 1)).into();
        let units = vec![
            unit("a", -0.02, Some((-0.03, -0.01))),
            unit("b", -0.02, Some((-0.05, 0.01))),
            unit("c", 0.02, Some((0.01, 0.03))),
            unit("new", -0.02, Some((-0.03, -0.01))),
        ];
        let known = Known { signs: Some(&signs), ..Known::default() };
        let found = [
            ("a", Verdict::Raised(-1)),
            ("b", Verdict::Normal),
            ("c", Verdict::Normal),
            ("new", Verdict::Normal),
        ];
        assert_eq!(verdicts(Test::Sign, units, known), expected(&found));
    }

    #[test]
    fn a_deviation_needs_the_threshold_and_the_rate_of_false_discoveries() {
        // Of 1 to 5: mean 3, scale sqrt(3). z = 6 has p = 0.00388, z = 2.5 has p = 0.0668,
        // z = 1.5 p = 0.208, z = 0.5 p = 0.643. Of four tests, q of 2.5 is 0.0668·4/2 = 0.134.
        let earlier: BTreeMap<String, Vec<f64>> = ["far", "two", "held", "near"]
            .map(|key| (key.to_owned(), vec![1.0, 2.0, 3.0, 4.0, 5.0]))
            .into_iter()
            .chain([("short".to_owned(), vec![1.0, 2.0, 3.0, 4.0])])
            .collect();
        let at = |key, z: f64| unit(key, 3.0 + z * libm::sqrt(3.0), None);
        let test = Test::Z { raise: 2.0, clear: 1.0 };
        let known = Known { earlier: Some(&earlier), ..Known::default() };
        let units = vec![at("far", 6.0), at("two", 2.5), at("held", 1.5), at("near", 0.5)];
        let found = [
            ("far", Verdict::Raised(1)),
            ("two", Verdict::Held),
            ("held", Verdict::Held),
            ("near", Verdict::Normal),
        ];
        assert_eq!(verdicts(test, units, known), expected(&found));
        // Alone, q is p: 0.0668 is within 0.10.
        let alone = vec![at("two", -2.5), at("short", 9.0)];
        assert_eq!(verdicts(test, alone, known), expected(&[("two", Verdict::Raised(-1))]));
    }

    #[test]
    fn breadth_is_raised_below_one_share_and_above_another() {
        let test = Test::Breadth { below: Some(0.3), above: Some(0.8) };
        let units = vec![unit("a", 0.29, None), unit("b", 0.3, None), unit("c", 0.81, None)];
        let found = [("a", Verdict::Raised(-1)), ("b", Verdict::Normal), ("c", Verdict::Raised(1))];
        assert_eq!(verdicts(test, units, Known::default()), expected(&found));
    }

    #[test]
    fn a_revision_is_a_figure_that_moved_by_more_than_the_threshold() {
        let before = [("a".to_owned(), 0.10), ("b".to_owned(), 0.10)].into();
        let test = Test::Revision { beyond: 0.02, n_months: 12 };
        let known = Known { before: Some(&before), ..Known::default() };
        let units = vec![unit("a", 0.07, None), unit("b", 0.11, None), unit("new", 0.9, None)];
        let found = [("a", Verdict::Raised(-1)), ("b", Verdict::Normal)];
        assert_eq!(verdicts(test, units, known), expected(&found));
    }
}

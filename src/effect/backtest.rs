//! The back-test: how far the effect of a month was from that of the whole year.
//!
//! ```text
//! closed years with an estimate of the year before
//!   ─▶ effects of each unit at months 1 to 11 and at December, same coefficients
//!   ─▶ pairs (unit, year) ─┬▶ statistics by unit and pooled
//!                          └▶ thirds of units by exports ─▶ mean square ─▶ band
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::coefficients::Applied;
use super::error::EffectError;
use super::live::{Claim, Live};
use super::numerics::{Coefficients, band_half_width, real};
use super::request::{EffectLevel, Mode};
use super::state::State;
use crate::domain::types::{Period, Year};

/// The key of the pairs of all units.
pub const POOLED: &str = "*";
/// The groups of units by their exports.
const N_GROUPS: usize = 3;
/// The number of years from which a band is not provisional.
const YEARS_ESTABLISHED: usize = 5;

/// The effect of a unit at a month.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seen {
    effect: f64,
    /// The variance from the coefficients.
    variance: Option<f64>,
    /// The group of the unit by its exports.
    group: usize,
}

/// The revisions of a year.
#[derive(Clone, Debug, Default)]
pub struct Revisions {
    year: Year,
    /// The units of each month by key, if the month is known.
    months: BTreeMap<u8, BTreeMap<String, Seen>>,
    /// The effects at December.
    last: BTreeMap<String, f64>,
    /// Those at the December before, by the same coefficients.
    before: BTreeMap<String, f64>,
}

/// A unit and a year.
#[derive(Clone, Copy, Debug)]
struct Pair<'r> {
    key: &'r str,
    year: Year,
    seen: Seen,
    last: f64,
    /// The effect at the December before.
    before: Option<f64>,
    /// True if the band of the month covers the effect of the year; `None` without a band.
    is_covered: Option<bool>,
}

/// A row of the back-test.
#[derive(Clone, Debug, PartialEq)]
pub struct BacktestRow {
    /// The unit, or [`POOLED`].
    pub key: String,
    /// The month of the year.
    pub month: u8,
    /// The number of pairs of a unit and a year.
    pub n: usize,
    /// The number of years.
    pub n_years: usize,
    /// The mean revision.
    pub bias: f64,
    /// The mean absolute revision.
    pub mae: f64,
    /// The root of the mean square.
    pub rmse: f64,
    /// The share of pairs with one sign.
    pub sign_agreement: f64,
    /// The root of the mean square over that of the year before as a forecast.
    pub rmse_ratio: Option<f64>,
    /// The share of pairs whose band covers the year's effect.
    pub coverage: Option<f64>,
}

/// A back-test with its origin.
#[derive(Clone, Debug)]
pub struct Backtest {
    /// The vintages of the revisions.
    pub mode: Mode,
    /// The model.
    pub model: String,
    /// The level.
    pub level: EffectLevel,
    /// The rows, by unit and month.
    pub rows: Vec<BacktestRow>,
    /// What the figures may claim, in the last year.
    pub claim: Claim,
}

/// The band of an effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The root of the mean square of revisions of the unit's group.
    pub revision_rmse: f64,
    /// The vintages from which revisions are computed.
    pub mode: Mode,
    /// The number of years.
    pub n_years: usize,
    /// Half its width; `None` for fewer than three years.
    pub half_width: Option<f64>,
}

impl Band {
    /// True if few years are behind the band; `None` without a band.
    #[must_use]
    pub fn is_provisional(&self) -> Option<bool> {
        self.half_width.map(|_| self.n_years < YEARS_ESTABLISHED)
    }
}

/// The effects of a state's units, each with its group by exports.
fn seen(state: &State, level: EffectLevel, of: &Coefficients) -> BTreeMap<String, Seen> {
    let units = state.units(level);
    let groups = groups(units.iter().map(|(key, unit)| (key.as_str(), unit.cents)));
    let seen = units.iter().map(|(key, unit)| {
        let mean = unit.mean();
        let (effect, variance) = (of.effect(&mean), of.variance(&mean));
        (key.clone(), Seen { effect, variance, group: groups[key.as_str()] })
    });
    seen.collect()
}

/// The group of each unit: thirds in order of exports, the smallest first.
pub fn groups<'k>(units: impl Iterator<Item = (&'k str, i64)>) -> BTreeMap<&'k str, usize> {
    let mut units: Vec<(i64, &str)> = units.map(|(key, cents)| (cents, key)).collect();
    units.sort_unstable();
    let n = units.len().max(1);
    let ranked = units.iter().enumerate();
    ranked.map(|(rank, (_, key))| (*key, N_GROUPS * rank / n)).collect()
}

fn effects(state: &State, level: EffectLevel, of: &Coefficients) -> BTreeMap<String, f64> {
    let units = state.units(level).into_iter();
    units.map(|(key, unit)| (key, of.effect(&unit.mean()))).collect()
}

impl Live<'_> {
    /// The revisions of the closed years before a month's year, or of all closed years, by level.
    ///
    /// # Errors
    /// [`EffectError`] if a span cannot be read.
    pub fn revisions(
        &self,
        levels: &[EffectLevel],
        months: &[u8],
        before: Option<Year>,
        mode: Mode,
    ) -> Result<Vec<Vec<Revisions>>, EffectError> {
        let mut all: Vec<Vec<Revisions>> = levels.iter().map(|_| Vec::new()).collect();
        for year in self.tested_years(before) {
            for (own, of_year) in all.iter_mut().zip(self.revisions_of(levels, year, months, mode)?)
            {
                own.push(of_year);
            }
        }
        Ok(all)
    }

    /// The closed years with usable coefficients of the year before, in order.
    pub fn tested_years(&self, before: Option<Year>) -> Vec<Year> {
        let closed = self.source.calendar().indicator_years();
        let is_tested = |year: &Year| {
            self.source.calendar().months(*year) == 12
                && before.is_none_or(|before| *year < before)
                && self.applied(year.previous()).is_ok()
        };
        closed.filter(is_tested).collect()
    }

    /// The revisions of a year by level; none if no month can be seen.
    fn revisions_of(
        &self,
        levels: &[EffectLevel],
        year: Year,
        months: &[u8],
        mode: Mode,
    ) -> Result<Vec<Revisions>, EffectError> {
        let setup = &self.setup;
        let applied = self.applied(year.previous())?;
        let of = &applied.coefficients;
        let period = |month| Period::new(year.0, month).expect("a month of a closed year");
        let mut asked: Vec<Period> = match mode {
            Mode::Pseudo => months.iter().map(|month| period(*month)).collect(),
            Mode::RealTime => Vec::new(),
        };
        asked.push(period(12));
        let mut states = setup.states(&self.source, &asked)?;
        let last = states.pop().ok_or(EffectError::NoMonth)?;
        let none = || Revisions { year, ..Revisions::default() };
        let mut all: Vec<Revisions> = levels.iter().map(|_| none()).collect();
        let mut see = |month: u8, state: &State| {
            for (own, level) in all.iter_mut().zip(levels) {
                own.months.insert(month, seen(state, *level, of));
            }
        };
        for state in &states {
            see(state.at.end().month(), state);
        }
        if mode == Mode::RealTime {
            let mut n_seen = 0;
            for month in months {
                let Some(source) = self.source_of_close(period(*month))? else { continue };
                see(*month, &setup.state(&source, period(*month))?);
                n_seen += 1;
            }
            if n_seen == 0 {
                return Ok(Vec::new());
            }
        }
        for (own, level) in all.iter_mut().zip(levels) {
            own.last = effects(&last, *level, of);
        }
        Ok(all)
    }

    /// The effects at the December before a year, by the coefficients of the year; none before the
    /// first year with indicators.
    fn before(&self, year: Year) -> Result<BTreeMap<String, f64>, EffectError> {
        let (level, setup) = (self.setup.request.level, &self.setup);
        let december = Period::new(year.previous().0, 12).expect("a month of a closed year");
        if self.source.span(setup.request.span, december).is_err() {
            return Ok(BTreeMap::new());
        }
        let applied = self.applied(year.previous())?;
        Ok(effects(&setup.state(&self.source, december)?, level, &applied.coefficients))
    }

    /// The rows of the back-test.
    ///
    /// # Errors
    /// - [`EffectError::NoYears`] without a closed year with an estimate of the year before.
    /// - [`EffectError::NoRealTime`] if no vintage shows what was known when a month closed.
    ///
    /// # Panics
    /// Never: each year has a December.
    pub fn backtest(&self, mode: Mode) -> Result<Backtest, EffectError> {
        self.check_span_of_backtest()?;
        let months: Vec<u8> = (1..12).collect();
        let years = self.tested_years(None);
        let Some(last) = years.last() else {
            return Err(EffectError::NoYears { model: self.setup.model.name.clone() });
        };
        let level = self.setup.request.level;
        let mut revisions = self.revisions(&[level], &months, None, mode)?.concat();
        for of in &mut revisions {
            of.before = self.before(of.year)?;
        }
        if revisions.is_empty() {
            return Err(EffectError::NoRealTime);
        }
        let mut rows = Vec::new();
        for month in months {
            let pairs = pairs(&revisions, month);
            let keys: BTreeSet<&str> = pairs.iter().map(|pair| pair.key).collect();
            rows.extend(row(POOLED, month, &pairs));
            for key in keys {
                let own: Vec<Pair<'_>> =
                    pairs.iter().filter(|pair| pair.key == key).copied().collect();
                rows.extend(row(key, month, &own));
            }
        }
        rows.sort_by(|a, b| (&a.key, a.month).cmp(&(&b.key, b.month)));
        let model = self.setup.model.name.clone();
        let applied = years.iter().map(|year| self.applied(year.previous()));
        let applied: Vec<Applied> = applied.collect::<Result<_, _>>()?;
        let december = Period::new(last.0, 12).expect("a month of a closed year");
        let claim = self.claim(&self.setup.state(&self.source, december)?, &applied);
        Ok(Backtest { mode, model, level, rows, claim })
    }
}

/// The pairs of a month, with the coverage of bands from earlier years.
fn pairs(revisions: &[Revisions], month: u8) -> Vec<Pair<'_>> {
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    for of in revisions {
        let mut own = Vec::new();
        for (key, seen) in of.months.get(&month).into_iter().flatten() {
            let Some(last) = of.last.get(key) else { continue };
            let half = half_width(&pairs, seen.group, seen.variance);
            own.push(Pair {
                key,
                year: of.year,
                seen: *seen,
                last: *last,
                before: of.before.get(key).copied(),
                is_covered: half.map(|half| (last - seen.effect).abs() <= half),
            });
        }
        pairs.extend(own);
    }
    pairs
}

/// The mean square of a group's revisions, with the number of years.
fn mean_square(pairs: &[Pair<'_>], group: usize) -> Option<(f64, usize)> {
    let own = || pairs.iter().filter(|pair| pair.seen.group == group);
    let years: BTreeSet<Year> = own().map(|pair| pair.year).collect();
    let squares: f64 = own().map(|pair| (pair.last - pair.seen.effect).powi(2)).sum();
    (!years.is_empty()).then(|| (squares / real(own().count()), years.len()))
}

fn half_width(pairs: &[Pair<'_>], group: usize, variance: Option<f64>) -> Option<f64> {
    let (mse, n_years) = mean_square(pairs, group)?;
    band_half_width(variance?, mse, n_years)
}

/// The statistics of some pairs; `None` without a pair.
fn row(key: &str, month: u8, pairs: &[Pair<'_>]) -> Option<BacktestRow> {
    let n = pairs.len();
    let mean = |of: &dyn Fn(&Pair<'_>) -> f64| pairs.iter().map(of).sum::<f64>() / real(n);
    let revision = |pair: &Pair<'_>| pair.last - pair.seen.effect;
    let square = |of: f64| of * of;
    let years: BTreeSet<Year> = pairs.iter().map(|pair| pair.year).collect();
    let sign = |of: f64| of.partial_cmp(&0.0);
    let agrees = |pair: &Pair<'_>| f64::from(u8::from(sign(pair.last) == sign(pair.seen.effect)));
    let common = || pairs.iter().filter_map(|pair| Some((pair, pair.before?)));
    let own: f64 = common().map(|(pair, _)| square(revision(pair))).sum();
    let naive: f64 = common().map(|(pair, before)| square(pair.last - before)).sum();
    let covered: Vec<bool> = pairs.iter().filter_map(|pair| pair.is_covered).collect();
    let n_covered = covered.iter().filter(|is_covered| **is_covered).count();
    (n > 0).then(|| BacktestRow {
        key: key.to_owned(),
        month,
        n,
        n_years: years.len(),
        bias: mean(&revision),
        mae: mean(&|pair| revision(pair).abs()),
        rmse: libm::sqrt(mean(&|pair| square(revision(pair)))),
        sign_agreement: mean(&agrees),
        rmse_ratio: (naive > 0.0).then(|| libm::sqrt(own / naive)),
        coverage: (!covered.is_empty()).then(|| real(n_covered) / real(covered.len())),
    })
}

/// The bands of a month's groups of units, from the revisions of earlier years.
#[derive(Clone, Debug)]
pub struct Bands {
    /// The mean square and the number of years of each group.
    groups: [Option<(f64, usize)>; N_GROUPS],
    mode: Mode,
}

impl Bands {
    /// The bands at a month.
    #[must_use]
    pub fn new(revisions: &[Revisions], month: u8, mode: Mode) -> Self {
        let pairs = pairs(revisions, month);
        Self { groups: [0, 1, 2].map(|group| mean_square(&pairs, group)), mode }
    }

    /// The band of a unit of a group; `None` without a revision.
    #[must_use]
    pub fn of(&self, group: usize, variance: Option<f64>) -> Option<Band> {
        let (mse, n_years) = self.groups[group]?;
        let half_width = variance.and_then(|of| band_half_width(of, mse, n_years));
        Some(Band { revision_rmse: libm::sqrt(mse), mode: self.mode, n_years, half_width })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(effect: f64, group: usize) -> Seen {
        Seen { effect, variance: Some(0.0), group }
    }

    fn year(year: u16, units: &[(&str, f64, f64, Option<f64>)]) -> Revisions {
        let months = units.iter().map(|(key, effect, ..)| ((*key).to_owned(), seen(*effect, 0)));
        let last = units.iter().map(|(key, _, last, _)| ((*key).to_owned(), *last));
        let before =
            units.iter().filter_map(|(key, .., before)| Some(((*key).to_owned(), (*before)?)));
        Revisions {
            year: Year(year),
            months: [(5, months.collect())].into(),
            last: last.collect(),
            before: before.collect(),
        }
    }

    #[test]
    fn units_are_in_thirds_by_their_exports() {
        let units = [("a", 5), ("b", 1), ("c", 9), ("d", 3)];
        let groups = groups(units.into_iter());
        assert_eq!(groups, [("a", 1), ("b", 0), ("c", 2), ("d", 0)].into());
        assert_eq!(super::groups([("all", 7)].into_iter()), [("all", 0)].into());
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "exact by hand")]
    fn the_statistics_are_those_of_the_pairs() {
        let years = [
            year(2003, &[("a", 1.0, 3.0, None), ("b", -1.0, 1.0, Some(2.0))]),
            year(2004, &[("a", 2.0, 1.0, Some(3.0))]),
        ];
        let pairs = pairs(&years, 5);
        let pooled = row(POOLED, 5, &pairs).expect("pairs");
        assert_eq!((pooled.n, pooled.n_years), (3, 2));
        assert_eq!((pooled.bias, pooled.mae, pooled.rmse), (1.0, 5.0 / 3.0, libm::sqrt(3.0)));
        assert_eq!(pooled.sign_agreement, 2.0 / 3.0);
        // Common pairs: 2² + 1² against 1² + 2².
        assert_eq!(pooled.rmse_ratio, Some(1.0));
        assert_eq!(pooled.coverage, None, "no band has three years before it");
        assert_eq!(row("a", 6, &super::pairs(&years, 6)), None);
    }

    #[test]
    fn a_band_has_the_years_before_its_own() {
        let moved = |effect: f64| [("a", effect, 0.0, None)];
        let years: Vec<Revisions> =
            (0..5).map(|at| year(2003 + at, &moved(if at == 3 { 9.0 } else { 1.0 }))).collect();
        let pairs = pairs(&years, 5);
        let covered: Vec<Option<bool>> = pairs.iter().map(|pair| pair.is_covered).collect();
        assert_eq!(covered, [None, None, None, Some(false), Some(true)]);
        let bands = Bands::new(&years[..3], 5, Mode::Pseudo);
        let band = bands.of(0, Some(0.0)).expect("revisions");
        assert_eq!((band.n_years, band.is_provisional()), (3, Some(true)));
        let half = band.half_width.expect("three years");
        assert!((half - 3.182_446_305_284_263).abs() < 1e-9, "{half}");
        assert_eq!(bands.of(1, Some(0.0)), None, "no unit of the group");
        let two = Bands::new(&years[..2], 5, Mode::Pseudo).of(0, Some(0.0)).expect("two years");
        assert_eq!((two.half_width, two.revision_rmse.to_bits()), (None, 1.0_f64.to_bits()));
    }
}

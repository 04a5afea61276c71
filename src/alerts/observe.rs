//! The figures that rules read, at one vintage.
//!
//! ```text
//! Watched (figure, level, span, keys) + month ─▶ spans or effects of the reader ─▶ Observed
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::numerics::YEARS_MIN;
use super::rules::{Condition, Figure, Rule, Watched};
use crate::domain::series::{Level, SeriesRow};
use crate::domain::span::{Joint, Span, SpanAt};
use crate::domain::types::{Period, Vintage};
use crate::effect::{Baseline, EffectLevel, EffectRequest, Effects, Wanted};
use crate::estimate::inference::student_t::critical_value;
use crate::reader::{Reader, ReaderError};
use crate::spans::{SpanError, SpanSource};
use crate::tables::meanings::Language;
use crate::tables::series::{self, NeedsPlants};

/// The confidence level of intervals.
const CONFIDENCE: f64 = 0.95;

/// A figure of a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The unit.
    pub key: String,
    /// The figure.
    pub value: f64,
    /// The ends of its 95 % interval.
    pub interval: Option<(f64, f64)>,
    /// The number of continuing exporters, or of rows of an effect.
    pub n: u64,
    /// The firms behind it, where they are known without another scan.
    pub firms: Option<Firms>,
}

/// The firms behind a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firms {
    /// Their number.
    pub n: u64,
    /// True if one of them accounts for more than half.
    pub is_one: bool,
}

/// A figure of the units of a level at a month.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The span.
    pub at: SpanAt,
    /// The units with the figure, in order of key.
    pub units: Vec<Observation>,
    /// What the figure may claim, in English and Chinese.
    pub claim: Option<[String; 2]>,
}

/// The reason why a figure cannot be observed.
#[derive(Debug)]
pub enum NotObserved {
    /// The span does not exist at the month.
    NoSpan,
    /// The home lacks something, and a user can add it.
    Lacking(String),
    /// The home cannot be read.
    Failed(Box<ReaderError>),
}

impl From<ReaderError> for NotObserved {
    fn from(error: ReaderError) -> Self {
        if error.is_no_span() {
            Self::NoSpan
        } else if error.is_absence() {
            Self::Lacking(error.to_string())
        } else {
            Self::Failed(Box::new(error))
        }
    }
}

impl NotObserved {
    /// True if an error says that records before a rebuild cannot be counted.
    #[must_use]
    pub fn is_before_rebuild(error: &ReaderError) -> bool {
        matches!(error, ReaderError::Span(of) if of.is_before_rebuild())
    }
}

impl From<SpanError> for NotObserved {
    fn from(error: SpanError) -> Self {
        ReaderError::from(error).into()
    }
}

type SeriesKey = (SpanAt, Level, bool);
/// Model, component, baseline, span, month and level of an effect.
type EffectKey = (String, &'static str, &'static str, Span, Period, &'static str);

/// The figures of a home at one vintage. Rules that read the same rows share them.
pub struct Figures<'r> {
    reader: &'r mut Reader,
    /// The vintage.
    pub vintage: Vintage,
    /// The joint months of the span `month`.
    pub joint: Joint,
    rows: BTreeMap<SeriesKey, Rc<Vec<SeriesRow>>>,
    effects: BTreeMap<EffectKey, Observed>,
    /// The effects that rules watch. Their levels are read together.
    watched: Vec<(Watched, Baseline)>,
}

impl<'r> Figures<'r> {
    /// The figures of a vintage.
    pub fn new(reader: &'r mut Reader, vintage: Vintage, joint: Joint) -> Self {
        let (rows, effects, watched) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { reader, vintage, joint, rows, effects, watched }
    }

    /// The figures, with the effects that rules will ask for.
    #[must_use]
    pub fn watching(self, rules: &[Rule]) -> Self {
        let watched = rules.iter().filter_map(|rule| match &rule.condition {
            Condition::Figure(watched, test) => Some((watched.clone(), test.baseline())),
            _ => None,
        });
        Self { watched: watched.collect(), ..self }
    }

    /// The reader.
    pub fn reader(&mut self) -> &mut Reader {
        self.reader
    }

    /// The records of the vintage.
    ///
    /// # Errors
    /// [`NotObserved`] if they cannot be read.
    pub fn source(&self) -> Result<SpanSource<'_>, NotObserved> {
        Ok(self.reader.spans(Some(self.vintage), self.joint)?)
    }

    /// The figure of each unit at a month.
    ///
    /// # Errors
    /// [`NotObserved`] with the reason.
    pub fn observe(
        &mut self,
        (watched, baseline): (&Watched, Baseline),
        month: Period,
    ) -> Result<Observed, NotObserved> {
        let mut observed = match &watched.figure {
            Figure::Series(name, plants) => self.series(watched, (name, *plants), month)?,
            Figure::Effect { .. } => self.effects(watched, baseline, month)?,
        };
        let is_asked = |of: &Observation| watched.keys.is_empty() || watched.keys.contains(&of.key);
        observed.units.retain(|of| is_asked(of) && of.value.is_finite());
        Ok(observed)
    }

    /// The effects of a level at a month. Those of other levels that rules watch come with them.
    fn effects(
        &mut self,
        watched: &Watched,
        baseline: Baseline,
        month: Period,
    ) -> Result<Observed, NotObserved> {
        let request = self.request(watched, baseline, Some(month));
        let key = |level: Level| {
            let EffectRequest { model, component, span, .. } = &request;
            (model.clone(), component.name(), baseline.name(), *span, month, level.name())
        };
        if !self.effects.contains_key(&key(watched.level)) {
            let is_same = |of: &&(Watched, Baseline)| {
                of.1 == baseline && of.0.figure == watched.figure && of.0.span == watched.span
            };
            let others = self.watched.iter().filter(is_same).map(|(of, _)| of.level);
            let levels: BTreeSet<Level> = others.chain([watched.level]).collect();
            let asked: Vec<EffectLevel> = levels.iter().copied().map(EffectLevel::Of).collect();
            let all = self.reader.effects_by_level(&request, &asked)?;
            for (level, effects) in levels.iter().zip(&all) {
                self.effects.insert(key(*level), of_effects(effects));
            }
        }
        Ok(self.effects[&key(watched.level)].clone())
    }

    /// The request of an effect, or of its news.
    #[must_use]
    pub fn request(
        &self,
        watched: &Watched,
        baseline: Baseline,
        month: Option<Period>,
    ) -> EffectRequest {
        let default = EffectRequest::default();
        let (model, component) = match &watched.figure {
            Figure::Effect { model, component } => (model.clone(), *component),
            Figure::Series(..) => (default.model.clone(), default.component),
        };
        EffectRequest {
            model,
            component,
            level: EffectLevel::Of(watched.level),
            baseline,
            month,
            span: watched.span,
            joint: self.joint,
            band: Wanted::No,
            vintage: Some(self.vintage),
            ..default
        }
    }

    fn series(
        &mut self,
        watched: &Watched,
        (name, plants): (&str, NeedsPlants),
        month: Period,
    ) -> Result<Observed, NotObserved> {
        let at = self.source()?.span(watched.span, month)?;
        let key = (at, watched.level, plants == NeedsPlants::Yes);
        if !self.rows.contains_key(&key) {
            let rows = series_rows(&self.source()?, (at, watched.level), plants)?;
            self.rows.insert(key, Rc::new(rows));
        }
        let rows = Rc::clone(&self.rows[&key]);
        Ok(Observed { at, units: of_series(&rows, name), claim: None })
    }

    /// The figure of each unit in the same month of earlier years, by unit.
    ///
    /// # Errors
    /// [`NotObserved`] if the home cannot be read.
    pub fn earlier(
        &mut self,
        watched: &Watched,
        month: Period,
    ) -> Result<BTreeMap<String, Vec<f64>>, NotObserved> {
        let mut earlier: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        // Fewer years have no deviation, and are not read.
        let first = (0..YEARS_MIN).fold(month, |then, _| then.year_before());
        if let Err(error) = self.source()?.span(watched.span, first) {
            return match error.into() {
                NotObserved::NoSpan => Ok(earlier),
                error => Err(error),
            };
        }
        let mut then = month.year_before();
        loop {
            match self.observe((watched, Baseline::Zero), then) {
                Ok(observed) => {
                    for of in observed.units {
                        earlier.entry(of.key).or_default().push(of.value);
                    }
                }
                Err(NotObserved::NoSpan) => return Ok(earlier),
                Err(error) => return Err(error),
            }
            then = then.year_before();
        }
    }

    /// The firms behind units that have no number of firms yet.
    ///
    /// # Errors
    /// [`NotObserved`] if the home cannot be read.
    pub fn firms(
        &self,
        (at, level): (SpanAt, Level),
        units: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Firms>, NotObserved> {
        if units.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found = self.source()?.firms_of_units(at, level, units)?;
        let firms = found.into_iter().map(|(key, of)| {
            let is_one = 2 * of.largest_change_cents > of.change_cents;
            (key, Firms { n: of.n_firms, is_one })
        });
        Ok(firms.collect())
    }
}

/// The number of months that a rule compares with its smallest number; the span `month` is a choice
/// of the rule and has none.
#[must_use]
pub fn n_months(at: SpanAt) -> u8 {
    if at.span() == Span::Month { u8::MAX } else { at.n_months() }
}

fn series_rows(
    source: &SpanSource<'_>,
    (at, level): (SpanAt, Level),
    plants: NeedsPlants,
) -> Result<Vec<SeriesRow>, SpanError> {
    let mut rows = match plants {
        NeedsPlants::Yes => source.series(&[at])?.concat(),
        NeedsPlants::No => source.market_series(&[at], level)?.concat(),
    };
    rows.retain(|row| row.level == level);
    Ok(rows)
}

/// A figure of `series` in other records than those of a vintage.
///
/// # Errors
/// [`NotObserved`] if the home cannot be read.
pub fn in_records(
    source: &SpanSource<'_>,
    (watched, name, plants): (&Watched, &str, NeedsPlants),
    month: Period,
) -> Result<Vec<Observation>, NotObserved> {
    let at = source.span(watched.span, month)?;
    Ok(of_series(&series_rows(source, (at, watched.level), plants)?, name))
}

fn of_series(rows: &[SeriesRow], name: &str) -> Vec<Observation> {
    let Some(((_, figure), _)) = series::figure(name) else { return Vec::new() };
    let observation = |row: &SeriesRow| {
        let value = figure(&row.sums)?;
        let interval = (name == "growth").then(|| interval(row, value)).flatten();
        let (key, n) = (row.key.clone(), row.sums.continuing);
        Some(Observation { key, value, interval, n, firms: None })
    };
    rows.iter().filter_map(observation).collect()
}

/// The interval of growth: t with one degree of freedom less than clusters.
fn interval(row: &SeriesRow, value: f64) -> Option<(f64, f64)> {
    let n_clusters = u32::try_from(row.sums.clusters.len()).ok()?;
    let half = series::standard_error(&row.sums)?
        * critical_value(CONFIDENCE, f64::from(n_clusters.checked_sub(1)?))?;
    Some((value - half, value + half))
}

fn of_effects(effects: &Effects) -> Observed {
    // In December the estimates of two years are side by side; rules read the pinned one.
    let through = effects.rows.first().map(|row| row.through);
    let rows = effects.rows.iter().filter(|row| Some(row.through) == through);
    let units = rows.map(|row| Observation {
        key: row.key.clone(),
        value: row.effect,
        interval: row.interval,
        n: row.n_rows,
        firms: Some(Firms {
            n: row.n_firms,
            is_one: 2 * i128::from(row.largest_firm_cents) > i128::from(row.cents),
        }),
    });
    let claim = [Language::English, Language::Chinese].map(|of| effects.claim.sentence(of));
    Observed { at: effects.at, units: units.collect(), claim: Some(claim) }
}

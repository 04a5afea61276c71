//! The alerts of a publication.
//!
//! ```text
//! Step (vintages, months) ─▶ rule by rule: observe ─▶ judge ─▶ states ─▶ candidates
//!      ─▶ firms behind them ─▶ causes from the news ─▶ alerts with sentences
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::alert::{Alert, Outcome};
use super::judge::{Judged, Known, Verdict, excluded_side, judge};
use super::observe::{Figures, Firms, NotObserved, Observation, Observed, in_records, n_months};
use super::rules::{Condition, Figure, Rule, Test, Watched};
use super::states::{Change, Progress, States, UnitState};
use super::text;
use crate::domain::span::{Joint, SpanAt};
use crate::domain::types::{Period, Vintage};
use crate::effect::{Baseline, STEPS, UnitNews};
use crate::reader::names::Names;
use crate::reader::{Reader, ReaderError};
use crate::tables::meanings::Language;
use crate::tables::series::NeedsPlants;

/// A publication whose figures are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The newest vintage before.
    pub before: Vintage,
    /// Its newest vintage.
    pub vintage: Vintage,
    /// Its number.
    pub publication: u32,
    /// The months that it closed, in order.
    pub closed: Vec<Period>,
    /// The last closed month.
    pub last_closed: Option<Period>,
}

impl Step {
    /// The months to judge: those that it closed, or the last closed one again.
    #[must_use]
    pub fn months(&self) -> Vec<Period> {
        if self.closed.is_empty() {
            self.last_closed.into_iter().collect()
        } else {
            self.closed.clone()
        }
    }
}

/// A unit whose alert is raised, before its firms are known.
struct Candidate {
    at: SpanAt,
    judged: Judged,
    claim: Option<[String; 2]>,
}

/// The candidates of a rule, by unit.
type Candidates = BTreeMap<String, Candidate>;

/// A rule about figures, at a publication.
struct Judging<'e> {
    rule: &'e Rule,
    watched: &'e Watched,
    test: Test,
    step: &'e Step,
    names: &'e Names,
}

/// Judges the figures of a publication, and takes over the states of units.
///
/// # Errors
/// [`ReaderError`] if the home cannot be read. A rule whose figures do not exist is a note.
pub fn evaluate(
    (reader, joint): (&mut Reader, Joint),
    rules: &[Rule],
    step: &Step,
    states: &mut States,
) -> Result<Outcome, ReaderError> {
    let names = reader.names()?;
    let mut figures = Figures::new(reader, step.vintage, joint).watching(rules);
    let mut outcome = Outcome::default();
    for rule in rules {
        let Condition::Figure(watched, test) = &rule.condition else { continue };
        let judging = Judging { rule, watched, test: *test, step, names: &names };
        // The states of a rule change as a whole, or not at all.
        let mut own = states.clone();
        match judging.alerts(&mut figures, &mut own) {
            Ok((alerts, cleared)) => {
                outcome.alerts.extend(alerts);
                outcome.cleared.extend(cleared);
                *states = own;
            }
            Err(NotObserved::NoSpan) => {}
            Err(NotObserved::Lacking(why)) => {
                outcome.notes.insert(format!("rule {} is not evaluated: {why}", rule.name));
            }
            Err(NotObserved::Failed(error)) => return Err(*error),
        }
    }
    Ok(outcome)
}

impl Judging<'_> {
    fn alerts(
        &self,
        figures: &mut Figures<'_>,
        states: &mut States,
    ) -> Result<(Vec<Alert>, Vec<String>), NotObserved> {
        let (mut candidates, mut cleared) = (Candidates::new(), Vec::new());
        if let Test::Revision { n_months, .. } = self.test {
            self.revisions(figures, n_months, &mut candidates)?;
        } else {
            for month in self.step.months() {
                match self.observed(figures, month) {
                    Ok(observed) => {
                        let judged = self.judged(figures, (month, &observed), states)?;
                        self.take(states, (month, observed), judged, &mut candidates, &mut cleared);
                    }
                    Err(NotObserved::NoSpan) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let mut firms = BTreeMap::new();
        for at in candidates.values().map(|of| of.at).collect::<BTreeSet<_>>() {
            let unknown = |of: &&Candidate| of.at == at && of.judged.observation.firms.is_none();
            let units = candidates.values().filter(unknown);
            let units = units.map(|of| of.judged.observation.key.clone()).collect();
            firms.extend(figures.firms((at, self.watched.level), &units)?);
        }
        let mut alerts = Vec::new();
        for (key, candidate) in candidates {
            let known = candidate.judged.observation.firms.or_else(|| firms.get(&key).copied());
            let known = known.unwrap_or(Firms { n: 0, is_one: false });
            if known.n < self.rule.limits.firms_min {
                if let Some(state) = states.get_mut(&self.unit(&key)) {
                    (state.raised, state.alert) = (0, None);
                }
                continue;
            }
            alerts.push(self.alert(figures, candidate, known)?);
        }
        Ok((alerts, cleared))
    }

    fn unit(&self, key: &str) -> (String, String) {
        (self.rule.name.clone(), key.to_owned())
    }

    /// The figures of a month, if the span has enough months.
    fn observed(&self, figures: &mut Figures<'_>, month: Period) -> Result<Observed, NotObserved> {
        let observed = figures.observe((self.watched, self.test.baseline()), month)?;
        if n_months(observed.at) < self.rule.limits.months_min {
            return Err(NotObserved::NoSpan);
        }
        Ok(observed)
    }

    fn judged(
        &self,
        figures: &mut Figures<'_>,
        (month, observed): (Period, &Observed),
        states: &States,
    ) -> Result<Vec<Judged>, NotObserved> {
        let earlier = match self.test {
            Test::Z { .. } => Some(figures.earlier(self.watched, month)?),
            _ => None,
        };
        let own = states.iter().filter(|((rule, _), of)| *rule == self.rule.name && of.sign != 0);
        let signs = own.map(|((_, key), of)| (key.clone(), of.sign)).collect();
        let known = Known { earlier: earlier.as_ref(), signs: Some(&signs), before: None };
        Ok(judge(self.test, self.rule.limits, observed.units.clone(), known))
    }

    /// Takes over the verdicts of a month.
    fn take(
        &self,
        states: &mut States,
        (month, observed): (Period, Observed),
        judged: Vec<Judged>,
        candidates: &mut Candidates,
        cleared: &mut Vec<String>,
    ) {
        for of in judged {
            let key = of.observation.key.clone();
            let state: &mut UnitState = states.entry(self.unit(&key)).or_default();
            if state.month.is_none_or(|last| month >= last)
                && let Some(side) = excluded_side(&of.observation)
            {
                state.sign = side;
            }
            match state.take(month, of.verdict) {
                Change::Raised => {
                    let id = Alert::id(&self.rule.name, &key, Some(month), self.step.vintage);
                    // The other side of an alert ends it.
                    let earlier = state.alert.replace(id);
                    if candidates.remove(&key).is_none() {
                        cleared.extend(earlier);
                    }
                    let (at, claim) = (observed.at, observed.claim.clone());
                    candidates.insert(key, Candidate { at, judged: of, claim });
                }
                Change::Cleared => {
                    let ended = state.alert.take();
                    if candidates.remove(&key).is_none() {
                        cleared.extend(ended);
                    }
                }
                Change::None => {}
            }
        }
    }

    /// Units whose figure of a month that was closed before has moved: the largest move of each.
    fn revisions(
        &self,
        figures: &mut Figures<'_>,
        n_months: u8,
        candidates: &mut Candidates,
    ) -> Result<(), NotObserved> {
        if self.step.before == Vintage(0) || self.step.before == self.step.vintage {
            return Ok(());
        }
        let closed_before = |month: &Period| !self.step.closed.contains(month);
        let months = last_months(self.step.last_closed, n_months);
        for month in months.into_iter().filter(closed_before) {
            let observed = match self.observed(figures, month) {
                Err(NotObserved::NoSpan) => continue,
                observed => observed?,
            };
            let joint = figures.joint;
            let mut then = Figures::new(figures.reader(), self.step.before, joint);
            let before = match then.observe((self.watched, self.test.baseline()), month) {
                Err(NotObserved::NoSpan) => continue,
                before => before?,
            };
            let before = before.units.into_iter().map(|of| (of.key, of.value)).collect();
            let known = Known { before: Some(&before), ..Known::default() };
            let (at, claim) = (observed.at, observed.claim);
            for judged in judge(self.test, self.rule.limits, observed.units, known) {
                let key = judged.observation.key.clone();
                let size = |of: &Judged| (of.observation.value - of.before.unwrap_or(0.0)).abs();
                let is_larger =
                    candidates.get(&key).is_none_or(|of| size(&judged) > size(&of.judged));
                if matches!(judged.verdict, Verdict::Raised(_)) && is_larger {
                    candidates.insert(key, Candidate { at, judged, claim: claim.clone() });
                }
            }
        }
        Ok(())
    }

    fn alert(
        &self,
        figures: &mut Figures<'_>,
        candidate: Candidate,
        firms: Firms,
    ) -> Result<Alert, NotObserved> {
        let Candidate { at, judged, claim } = candidate;
        let (of, month) = (&judged.observation, at.end());
        let mut tags = self.causes(figures, month, &of.key)?;
        if firms.is_one {
            tags.push(text::ONE_EXPORTER.to_owned());
        }
        let is_effect = matches!(self.watched.figure, Figure::Effect { .. });
        let deviation = judged.deviation;
        let mut alert = Alert {
            id: Alert::id(&self.rule.name, &of.key, Some(month), self.step.vintage),
            rule: self.rule.name.clone(),
            condition: self.rule.condition.name().to_owned(),
            table: Some(self.watched.figure.table().to_owned()),
            figure: Some(self.watched.figure.name().to_owned()),
            level: Some(self.watched.level.name().to_owned()),
            span: Some(self.watched.span.name().to_owned()),
            baseline: is_effect.then(|| self.test.baseline().name().to_owned()),
            key: of.key.clone(),
            month: Some(month.as_yyyymm()),
            vintage: self.step.vintage.0,
            publication: self.step.publication,
            side: if let Verdict::Raised(side) = judged.verdict { side } else { 0 },
            value: Some(of.value),
            conf_low: of.interval.map(|(low, _)| low),
            conf_high: of.interval.map(|(_, high)| high),
            threshold: (self.test != Test::Sign).then_some(judged.threshold),
            before: judged.before,
            z: deviation.map(|of| of.z),
            p_value: deviation.map(|of| of.p),
            q_value: judged.q,
            years: deviation.map(|of| of.n_years as u64),
            n: Some(of.n),
            firms: Some(firms.n),
            tags,
            ..Alert::default()
        };
        let sentence = |place: usize, language| {
            let claim = claim.as_ref().map(|claim| claim[place].as_str());
            text::of_figure(&alert, at, (self.names, claim), language)
        };
        let texts = (sentence(0, Language::English), sentence(1, Language::Chinese));
        (alert.text, alert.text_zh) = texts;
        Ok(alert)
    }

    /// The step of the news that moved the figure most.
    fn causes(
        &self,
        figures: &mut Figures<'_>,
        month: Period,
        key: &str,
    ) -> Result<Vec<String>, NotObserved> {
        let (before, after) = (self.step.before, self.step.vintage);
        let is_new = self.step.closed.contains(&month);
        let has_before = before != Vintage(0) && before != after;
        let moved = match &self.watched.figure {
            _ if !has_before => None,
            Figure::Effect { .. } => self.news(figures, month, key)?,
            // A month that the step closed has no earlier figure.
            Figure::Series(..) if is_new => None,
            Figure::Series(name, plants) => self.moves(figures, (name, *plants), (month, key))?,
        };
        let cause = moved.map(|step| STEPS[step]).or(is_new.then_some("closed"));
        Ok(cause.map(str::to_owned).into_iter().collect())
    }

    /// The step of the news of an effect with the largest part.
    fn news(
        &self,
        figures: &mut Figures<'_>,
        month: Period,
        key: &str,
    ) -> Result<Option<usize>, NotObserved> {
        // A month that the step closed has no earlier effect: its news compares the last months.
        let is_last = self.step.last_closed == Some(month) && self.step.closed.contains(&month);
        let asked = (!is_last).then_some(month);
        let request = figures.request(self.watched, self.test.baseline(), asked);
        let news = match figures.reader().news(&request, self.step.before) {
            // The earlier vintage has no effect to compare with, so the move has no known cause.
            Err(error) if error.is_absence() => return Ok(None),
            news => news?,
        };
        let unit = news.units.into_iter().find(|unit| unit.key == key);
        let moves =
            |unit: &UnitNews| largest(unit.steps.iter().map(|parts| parts.iter().sum::<f64>()));
        Ok(unit.as_ref().and_then(moves))
    }

    /// The step with the larger move of a figure of `series`: late records, or amendments.
    fn moves(
        &self,
        figures: &mut Figures<'_>,
        (name, plants): (&str, NeedsPlants),
        (month, key): (Period, &str),
    ) -> Result<Option<usize>, NotObserved> {
        let (joint, watched) = (figures.joint, self.watched);
        let value =
            |units: Vec<Observation>| units.into_iter().find(|of| of.key == key).map(|of| of.value);
        let after = value(figures.observe((watched, Baseline::Zero), month)?.units);
        let vintages = [self.step.before, self.step.vintage];
        let late = {
            let source = figures.reader().spans_with_late(vintages, joint)?;
            value(in_records(&source, (watched, name, plants), month)?)
        };
        let mut then = Figures::new(figures.reader(), self.step.before, joint);
        let before = value(then.observe((watched, Baseline::Zero), month)?.units);
        let moved = |(before, late, after): (f64, f64, f64)| {
            largest([late - before, after - late].into_iter())
        };
        let all = before.zip(late).zip(after).map(|((before, late), after)| (before, late, after));
        Ok(all.and_then(moved))
    }
}

/// The place of the largest move; `None` if nothing moved.
fn largest(moves: impl Iterator<Item = f64>) -> Option<usize> {
    let moves = moves.map(f64::abs).enumerate().filter(|(_, size)| *size > 0.0);
    moves.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(place, _)| place)
}

/// The last closed months, the earliest first.
fn last_months(last: Option<Period>, n_months: u8) -> Vec<Period> {
    let Some(last) = last else { return Vec::new() };
    let mut months = months(Period::FIRST, last);
    months.split_off(months.len().saturating_sub(n_months.into()))
}

/// The publications of a home in order, each with the months that it closed: all of them, or those
/// from an evaluated one on.
///
/// # Errors
/// [`ReaderError`] if the manifest cannot be read.
pub fn steps(
    reader: &Reader,
    joint: Joint,
    since: Option<Progress>,
) -> Result<Vec<Step>, ReaderError> {
    let mut newest: BTreeMap<u32, Vintage> = BTreeMap::new();
    for entry in reader.vintages()? {
        let vintage = newest.entry(entry.publication.0).or_default();
        *vintage = entry.vintage.max(*vintage);
    }
    let evaluated = since.map_or(Vintage(0), |of| of.vintage);
    let (mut before, mut closed_before) = (evaluated, since.and_then(|of| of.last_closed));
    let mut steps = Vec::new();
    for (publication, vintage) in newest.into_iter().filter(|(_, of)| *of >= evaluated) {
        let source = match reader.spans(Some(vintage), joint) {
            Ok(source) => source,
            // Other records counted before a rebuild; its own publication begins anew.
            Err(error) if NotObserved::is_before_rebuild(&error) => {
                (before, closed_before) = (vintage, None);
                continue;
            }
            Err(error) => return Err(error),
        };
        let (first, last_closed) = (source.calendar().first(), source.calendar().last_closed());
        let from = closed_before.map_or(first, Period::next);
        let closed = match last_closed {
            Some(last) => months(from, last),
            None => Vec::new(),
        };
        steps.push(Step { before, vintage, publication, closed, last_closed });
        (before, closed_before) = (vintage, last_closed);
    }
    Ok(steps)
}

/// The months from one to another, both included.
fn months(first: Period, last: Period) -> Vec<Period> {
    let following = |month: &Period| Some(month.next()).filter(|month| *month <= last);
    std::iter::successors(Some(first).filter(|month| *month <= last), following).collect()
}

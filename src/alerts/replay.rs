//! The replay of rules over all publications of a home, compared with the final figures.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::alert::{Alert, Outcome};
use super::evaluate::{evaluate, steps};
use super::judge::{Known, Verdict, excluded_side, judge};
use super::observe::{Figures, NotObserved};
use super::presence;
use super::rules::{Condition, Rule, Test, Watched};
use super::states::States;
use crate::domain::span::{Joint, Span};
use crate::domain::types::{Period, Vintage};
use crate::reader::{Reader, ReaderError};

/// An alert that a watcher would have raised.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The alert.
    pub alert: Alert,
    /// The month of the final figure; `None` if it is not known yet.
    pub final_month: Option<u32>,
    /// The final figure.
    pub final_value: Option<f64>,
    /// True if the rule holds for the final figure, on the same side.
    pub confirmed: Option<bool>,
    /// The months from the alert to the final figure of the year.
    pub lead_months: Option<u64>,
}

/// A rule over all publications.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSummary {
    /// The rule.
    pub rule: String,
    /// The number of its alerts.
    pub n_raised: usize,
    /// The number of alerts with a final figure.
    pub n_final: usize,
    /// The number of those that it confirms.
    pub n_confirmed: usize,
    /// The mean lead of the confirmed alerts, in months.
    pub lead_months: Option<f64>,
}

/// The result of a replay.
#[derive(Debug, Default)]
pub struct Replay {
    /// The alerts, in the order in which they would have been raised.
    pub rows: Vec<Replayed>,
    /// The number of publications.
    pub n_publications: usize,
    /// The reasons why rules were not evaluated.
    pub notes: BTreeSet<String>,
}

/// The final figures of a month: the value and the side of each unit.
type Finals = BTreeMap<String, (f64, Option<i8>)>;

/// Replays rules over the publications of a home.
///
/// # Errors
/// [`ReaderError`] if the home cannot be read.
pub fn replay(
    reader: &mut Reader,
    rules: &[Rule],
    (joint, now): (Joint, Timestamp),
) -> Result<Replay, ReaderError> {
    let mut replay = Replay::default();
    let mut states = States::new();
    let steps = steps(reader, joint, None)?;
    replay.n_publications = steps.len();
    let mut alerts = Vec::new();
    for step in &steps {
        let Outcome { alerts: raised, notes, .. } =
            evaluate((&mut *reader, joint), rules, step, &mut states)?;
        alerts.extend(raised);
        replay.notes.extend(notes);
    }
    let present = presence::replay(reader, rules, (&steps, now))?;
    replay.notes.extend(present.notes);
    let newest = steps.last();
    let (vintage, last_closed) =
        newest.map_or((Vintage(0), None), |step| (step.vintage, step.last_closed));
    let mut figures = Figures::new(reader, vintage, joint).watching(rules);
    let mut finals: BTreeMap<(String, Period), Finals> = BTreeMap::new();
    for alert in alerts {
        let rule = rules.iter().find(|rule| rule.name == alert.rule);
        let Some((rule, (watched, test))) = rule.and_then(|rule| Some((rule, figure(rule)?)))
        else {
            continue;
        };
        let month = final_month(watched, test, &alert, (vintage, last_closed));
        let of_month = match month {
            None => None,
            Some(month) => {
                let key = (rule.name.clone(), month);
                if !finals.contains_key(&key) {
                    let of = of_month(&mut figures, rule, (watched, test), month)?;
                    finals.insert(key.clone(), of);
                }
                finals[&key].get(&alert.key).copied()
            }
        };
        replay.rows.push(compared(alert, watched, month, of_month));
    }
    replay.rows.extend(present.alerts.into_iter().map(event));
    Ok(replay)
}

fn figure(rule: &Rule) -> Option<(&Watched, Test)> {
    match &rule.condition {
        Condition::Figure(watched, test) => Some((watched, *test)),
        _ => None,
    }
}

/// The month of the final figure: of a year to date December, of other spans the same month at a
/// later vintage. A revision is an event and has none.
fn final_month(
    watched: &Watched,
    test: Test,
    alert: &Alert,
    (newest, last_closed): (Vintage, Option<Period>),
) -> Option<Period> {
    let month = alert.month.and_then(Period::from_yyyymm)?;
    if matches!(test, Test::Revision { .. }) {
        return None;
    }
    let then = match watched.span {
        Span::YearToDate => Period::new(month.year().0, 12)?,
        Span::Month | Span::TwelveMonths => month,
    };
    let is_itself = then == month && alert.vintage == newest.0;
    (last_closed.is_some_and(|last| then <= last) && !is_itself).then_some(then)
}

/// The final figures of a month, with the side on which the rule holds.
fn of_month(
    figures: &mut Figures<'_>,
    rule: &Rule,
    (watched, test): (&Watched, Test),
    month: Period,
) -> Result<Finals, ReaderError> {
    let found = (|| {
        let observed = figures.observe((watched, test.baseline()), month)?;
        let earlier = match test {
            Test::Z { .. } => Some(figures.earlier(watched, month)?),
            _ => None,
        };
        Ok((observed, earlier))
    })();
    let (observed, earlier) = match found {
        Ok(found) => found,
        Err(NotObserved::Failed(error)) => return Err(*error),
        Err(NotObserved::NoSpan | NotObserved::Lacking(_)) => return Ok(Finals::new()),
    };
    if test == Test::Sign {
        let side = |of: super::observe::Observation| {
            let side = excluded_side(&of);
            (of.key, (of.value, side))
        };
        return Ok(observed.units.into_iter().map(side).collect());
    }
    let known = Known { earlier: earlier.as_ref(), ..Known::default() };
    let judged = judge(test, rule.limits, observed.units, known).into_iter().map(|of| {
        let side = match of.verdict {
            Verdict::Raised(side) => Some(side),
            Verdict::Held | Verdict::Normal => None,
        };
        (of.observation.key, (of.observation.value, side))
    });
    Ok(judged.collect())
}

/// An alert without a figure: it has no final figure to be compared with.
fn event(alert: Alert) -> Replayed {
    let (final_month, final_value, confirmed, lead_months) = (None, None, None, None);
    Replayed { alert, final_month, final_value, confirmed, lead_months }
}

fn compared(
    alert: Alert,
    watched: &Watched,
    month: Option<Period>,
    found: Option<(f64, Option<i8>)>,
) -> Replayed {
    let then = alert.month.and_then(Period::from_yyyymm);
    let lead = month.zip(then).map(|(last, then)| u64::from(last.number() - then.number()));
    Replayed {
        final_month: month.map(Period::as_yyyymm),
        final_value: found.map(|(value, _)| value),
        // A unit that has no final figure does not confirm.
        confirmed: month.map(|_| found.and_then(|(_, side)| side) == Some(alert.side)),
        lead_months: lead.filter(|_| watched.span == Span::YearToDate),
        alert,
    }
}

impl Replay {
    /// The results by rule, in order of name.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    pub fn summaries(&self) -> Vec<RuleSummary> {
        let rules: BTreeSet<&str> = self.rows.iter().map(|of| of.alert.rule.as_str()).collect();
        let summary = |rule: &str| {
            let own = || self.rows.iter().filter(|of| of.alert.rule == rule);
            let confirmed = || own().filter(|of| of.confirmed == Some(true));
            let leads: Vec<u64> = confirmed().filter_map(|of| of.lead_months).collect();
            let mean = leads.iter().sum::<u64>() as f64 / leads.len() as f64;
            RuleSummary {
                rule: rule.to_owned(),
                n_raised: own().count(),
                n_final: own().filter(|of| of.confirmed.is_some()).count(),
                n_confirmed: confirmed().count(),
                lead_months: (!leads.is_empty()).then_some(mean),
            }
        };
        rules.into_iter().map(summary).collect()
    }
}
